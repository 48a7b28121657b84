//! Files both ways: what a file may go as, putting it there before the message, and fetching what customers send.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{self, HeaderMap};
use reqwest::multipart::{Form, Part};
use serde_json::Value;
use sha2::{Digest, Sha256};
use shopbell_core::connector::{Action, Fetched, MediaSource, ServiceError, StoredMedia};
use shopbell_core::error::Sentence;
use shopbell_core::http::{Call, Client, read_bytes, service_error};
use shopbell_core::id::MediaId;
use shopbell_core::model::MediaKind;
use shopbell_core::say;
use url::Url;

use super::message::hex_hash;
use super::parse::text;
use super::{DOCUMENT, Door, IMAGE, SOUND, STICKER, VIDEO};
use crate::meta::graph::{Failure, Refusal};

/// How long a file may take, either way.
const TRANSFER: Duration = Duration::from_secs(180);
/// Redirects followed for a file.
const HOPS: usize = 3;
/// The largest sticker that does not move.
const STILL_STICKER: u64 = 100 * 1024;

/// A file that was put there, ready to be named by a message.
pub struct Uploaded {
    /// The type of the message: "image", "document", …
    pub kind: &'static str,
    /// What names the file there.
    pub id: String,
    /// Its name, for documents.
    pub filename: String,
    /// Whether it is shown as a voice message.
    pub voice: bool,
}

/// What a file goes as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub kind: &'static str,
    pub voice: bool,
}

fn refused(sentence: Sentence) -> ServiceError {
    ServiceError::Refused { action: Action::FixContent, sentence }
}

/// A type without its parameters.
fn plain(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// How a file is sent so that it is shown as what it is; whatever WhatsApp cannot show goes as a document.
pub fn slot(kind: MediaKind, mime: &str, bytes: &[u8]) -> Result<Slot, ServiceError> {
    let size = bytes.len() as u64;
    if size == 0 {
        return Err(refused(say!("This file is empty.")));
    }
    if size > DOCUMENT {
        return Err(refused(say!(
            "This file has {size} MB. WhatsApp takes {limit} MB.",
            size = size.div_ceil(1024 * 1024),
            limit = DOCUMENT / (1024 * 1024)
        )));
    }
    let mime = plain(mime);
    let fits = match (kind, mime.as_str()) {
        (MediaKind::Image | MediaKind::Sticker, "image/jpeg" | "image/png") if size <= IMAGE => Some("image"),
        (MediaKind::Video, "video/mp4" | "video/3gpp") if size <= VIDEO => Some("video"),
        (MediaKind::Audio | MediaKind::Voice, "audio/aac" | "audio/amr" | "audio/mpeg" | "audio/mp4" | "audio/ogg")
            if size <= SOUND && !is_vorbis(bytes) =>
        {
            Some("audio")
        }
        (MediaKind::Sticker, "image/webp") if size <= if moves(bytes) { STICKER } else { STILL_STICKER } => Some("sticker"),
        _ => None,
    };
    let voice = fits == Some("audio") && kind == MediaKind::Voice && mime == "audio/ogg";
    Ok(Slot { kind: fits.unwrap_or("document"), voice })
}

/// Ogg with another sound inside than the one that WhatsApp plays.
fn is_vorbis(bytes: &[u8]) -> bool {
    bytes.get(..64).is_some_and(|head| head.windows(7).any(|part| part == b"\x01vorbis"))
}

/// Whether a WebP picture is animated: a flag in its extended header.
fn moves(bytes: &[u8]) -> bool {
    bytes.get(12..16) == Some(b"VP8X") && bytes.get(20).is_some_and(|flags| flags & 0x02 != 0)
}

/// A stored file with the type and name that the message gives it.
pub async fn stored(media: &dyn MediaSource, id: &MediaId, mime: &str, filename: Option<&str>) -> Result<StoredMedia, ServiceError> {
    let mut file = media.read(id).await.map_err(|error| {
        tracing::warn!(error = %error, media.id = %id, "A stored file could not be read for sending.");
        ServiceError::Permanent(say!("The file is no longer there. Attach it again."))
    })?;
    if !mime.is_empty() {
        mime.clone_into(&mut file.mime);
    }
    file.filename = filename.map(str::to_owned).or(file.filename);
    Ok(file)
}

/// Puts a file there. Nobody sees it until a message names it, so it may be repeated.
pub async fn upload(door: &Door<'_>, file: StoredMedia, slot: Slot) -> Result<Uploaded, ServiceError> {
    let mime = plain(&file.mime);
    let filename = file.filename.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| format!("file.{}", ending(&mime)));
    let part = Part::stream_with_length(file.bytes.clone(), file.bytes.len() as u64).file_name(filename.clone());
    let part = part.mime_str(&mime).map_err(|_| refused(say!("WhatsApp does not take files of the type {mime}.", mime = mime)))?;
    let form = Form::new().text("messaging_product", "whatsapp").text("type", mime).part("file", part);
    let request = door.request(Method::POST, &door.media)?.multipart(form).timeout(TRANSFER);
    let answer = door.exchange(request, Call::Reads).await?;
    let id =
        text(&answer["id"]).ok_or_else(|| ServiceError::Temporary(say!("Meta answered in a way we do not understand. We try again.")))?;
    Ok(Uploaded { kind: slot.kind, id: id.to_owned(), filename, voice: slot.voice })
}

/// The usual ending of a file of that type.
fn ending(mime: &str) -> &str {
    match mime {
        "image/jpeg" => "jpg",
        "audio/mpeg" => "mp3",
        "audio/mp4" => "m4a",
        "text/plain" => "txt",
        "application/octet-stream" | "" => "bin",
        _ => mime.rsplit(['/', '.', '+']).next().filter(|ending| ending.len() <= 5).unwrap_or("bin"),
    }
}

/// What the service tells of a file before it is fetched.
pub struct Found {
    /// Where it is, for five minutes.
    pub url: String,
    mime: Option<String>,
    sha256: Option<String>,
    bytes: Option<u64>,
}

/// Reads what the service tells of a file.
pub fn inspect(answer: &Value) -> Result<Found, ServiceError> {
    let unknown = || ServiceError::Temporary(say!("Meta answered in a way we do not understand. We try again."));
    let found = Found {
        // One seller is known to pass the address on as a page would write it.
        url: text(&answer["url"]).ok_or_else(unknown)?.replace("&amp;", "&").replace("\\/", "/"),
        mime: text(&answer["mime_type"]).map(str::to_owned),
        sha256: text(&answer["sha256"]).and_then(hex_hash),
        bytes: answer["file_size"].as_u64().or_else(|| answer["file_size"].as_str()?.parse().ok()),
    };
    if found.bytes.is_some_and(|bytes| bytes > DOCUMENT) {
        return Err(too_large());
    }
    Ok(found)
}

fn too_large() -> ServiceError {
    ServiceError::Permanent(say!("This file is larger than the 100 MB that WhatsApp carries."))
}

/// Where the key of a connection may go.
pub struct Allowed<'a> {
    /// Hosts and what is below them.
    pub hosts: &'a [&'a str],
    /// The service's address as the owner typed it, or the usual one.
    pub base: &'a str,
}

impl Allowed<'_> {
    fn may_have_the_key(&self, url: &Url) -> bool {
        let is_base = Url::parse(self.base).is_ok_and(|base| base.origin() == url.origin());
        let host = url.host_str().unwrap_or_default();
        let is_theirs =
            self.hosts.iter().any(|theirs| host == *theirs || host.strip_suffix(theirs).is_some_and(|rest| rest.ends_with('.')));
        is_base || (url.scheme() == "https" && is_theirs)
    }
}

/// Fetches a file. The key goes to the hosts that are allowed and to no other, on the first address as on every one that it leads on to;
/// a first address elsewhere is not fetched at all. A refusal comes back for the caller to judge: the link may only be too old.
pub async fn download(http: &Client, found: &Found, allowed: Allowed<'_>, key: &HeaderMap) -> Result<Fetched, Failure> {
    let elsewhere = || ServiceError::Permanent(say!("This file is said to be at an address that is not WhatsApp's. It was not fetched."));
    let mut here = Url::parse(&found.url).map_err(|_| elsewhere())?;
    if !allowed.may_have_the_key(&here) {
        return Err(elsewhere().into());
    }
    for _ in 0..=HOPS {
        let headers = if allowed.may_have_the_key(&here) { key.clone() } else { HeaderMap::new() };
        let request = http.request(Method::GET, here.as_str())?.headers(headers).timeout(TRANSFER);
        let response = request.send().await.map_err(|error| service_error(&error, Call::Reads))?;
        let status = response.status();
        if status.is_success() {
            let mime = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let bytes = read_bytes(response, usize::try_from(DOCUMENT).unwrap_or(usize::MAX), Call::Reads).await?;
            check(&bytes, found)?;
            return Ok(Fetched { bytes, mime: found.mime.clone().or(mime) });
        }
        let next = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        match next.filter(|_| status.is_redirection()) {
            Some(next) => here = here.join(next).map_err(|_| elsewhere())?,
            None => return Err(Failure::Refused(Refusal::read(status.as_u16(), response.headers(), &Value::Null, Call::Reads))),
        }
    }
    Err(ServiceError::Permanent(say!("The service sent us from one address to the next without end.")).into())
}

/// Whether it is the file that was promised.
fn check(bytes: &Bytes, found: &Found) -> Result<(), ServiceError> {
    let promised = found.sha256.as_ref();
    if promised.is_some_and(|promised| *promised != hex::encode(Sha256::digest(bytes))) {
        return Err(ServiceError::Temporary(say!("The file arrived damaged. We fetch it again.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_as_what_it_can_be_shown_as() {
        let went = |kind, mime: &str, bytes: &[u8]| {
            let slot = slot(kind, mime, bytes).unwrap();
            (slot.kind, slot.voice)
        };
        let large = vec![0; (5 << 20) + 1];
        assert_eq!(went(MediaKind::Image, "image/jpeg", b"x"), ("image", false));
        assert_eq!(went(MediaKind::Image, "image/jpeg", &large), ("document", false), "more than 5 MB");
        assert_eq!(went(MediaKind::Image, "image/gif", b"x"), ("document", false));
        assert_eq!(went(MediaKind::Voice, "audio/ogg; codecs=opus", b"OggS"), ("audio", true));
        assert_eq!(went(MediaKind::Voice, "audio/mpeg", b"x"), ("audio", false));
        assert_eq!(went(MediaKind::Audio, "audio/wav", b"x"), ("document", false));
        let mut vorbis = b"OggS".to_vec();
        vorbis.extend([0; 24]);
        vorbis.extend(b"\x01vorbis");
        vorbis.extend([0; 40]);
        assert_eq!(went(MediaKind::Audio, "audio/ogg", &vorbis), ("document", false));
        let mut still = b"RIFF....WEBPVP8X....\x00".to_vec();
        still.resize(120 * 1024, 0);
        assert_eq!(went(MediaKind::Sticker, "image/webp", &still), ("document", false), "a still sticker has 100 KB");
        still[20] = 0x02;
        assert_eq!(went(MediaKind::Sticker, "image/webp", &still), ("sticker", false), "one that moves has 500 KB");
        assert!(slot(MediaKind::Document, "application/pdf", &[]).is_err());
        assert!(slot(MediaKind::Document, "application/pdf", &vec![0; (100 << 20) + 1]).is_err());
    }

    #[test]
    fn the_key_goes_to_the_services_hosts_alone() {
        let allowed = Allowed { hosts: &["fbsbx.com", "facebook.com"], base: "http://127.0.0.1:4010" };
        for good in ["https://lookaside.fbsbx.com/x", "https://graph.facebook.com/y", "https://fbsbx.com", "http://127.0.0.1:4010/z"] {
            assert!(allowed.may_have_the_key(&Url::parse(good).unwrap()), "{good}");
        }
        for bad in [
            "http://lookaside.fbsbx.com/x",
            "https://evilfbsbx.com/x",
            "https://fbsbx.com.evil.example/x",
            "https://evil.example/?lookaside.fbsbx.com",
            "http://127.0.0.1:4011/z",
            "https://lookaside.fbsbx.com@evil.example/",
        ] {
            assert!(!allowed.may_have_the_key(&Url::parse(bad).unwrap()), "{bad}");
        }
    }
}
