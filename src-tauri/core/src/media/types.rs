//! What a file is: by its bytes, under the name that services know, and in words for people.

use crate::connector::ChannelRules;
use crate::conversations::posting::kind_name;
use crate::error::Sentence;
use crate::model::MediaKind;
use crate::say;

/// How much of a file is looked at for the tracks that it holds.
const HEAD: usize = 64 << 10;

/// What the bytes are. Text has no signature, so a claimed text type is believed as plain text only.
pub fn sniffed(bytes: &[u8], claimed: &str) -> String {
    if let Some(kind) = infer::get(bytes) {
        return match kind.mime_type() {
            // What a browser or a phone records is a film without pictures.
            "video/webm" if !has_any(bytes, &[b"V_VP8", b"V_VP9", b"V_AV1"]) && has_any(bytes, &[b"A_OPUS", b"A_VORBIS"]) => "audio/webm",
            "video/mp4" if mp4_without_pictures(bytes) => "audio/mp4",
            other => usual(other),
        }
        .to_owned();
    }
    let claimed = claimed.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match claimed.as_str() {
        "text/csv" | "text/markdown" | "application/json" => claimed,
        _ if std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0) => "text/plain".to_owned(),
        _ => "application/octet-stream".to_owned(),
    }
}

fn has_any(bytes: &[u8], names: &[&[u8]]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    names.iter().any(|name| head.windows(name.len()).any(|window| window == *name))
}

/// Whether an MP4 file says what its tracks are and none of them is a film.
fn mp4_without_pictures(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((head, body)) = rest.split_at_checked(8) {
        let declared = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let (body, length) = match declared {
            0 => (body, body.len()),
            // A length of 64 bits follows.
            1 => match body.split_at_checked(8) {
                Some((long, body)) => {
                    let long: [u8; 8] = long.try_into().expect("it was split at eight");
                    (body, usize::try_from(u64::from_be_bytes(long)).unwrap_or(usize::MAX).saturating_sub(16))
                }
                None => return false,
            },
            declared => (body, declared.saturating_sub(8)),
        };
        if &head[4..8] == b"moov" {
            let tracks = &body[..length.min(body.len())];
            // hdlr: version and flags, four bytes of nothing, then what the track is.
            let is = |kind: &[u8]| tracks.windows(16).any(|window| &window[..4] == b"hdlr" && &window[12..] == kind);
            return is(b"soun") && !is(b"vide");
        }
        rest = body.get(length..).unwrap_or_default();
    }
    false
}

/// A type under the name that services know it by, without parameters.
pub fn usual(mime: &str) -> &str {
    let bare = mime.split(';').next().unwrap_or_default().trim();
    match bare {
        "audio/x-wav" | "audio/vnd.wave" | "audio/wave" => "audio/wav",
        "audio/m4a" | "audio/x-m4a" => "audio/mp4",
        "audio/x-flac" => "audio/flac",
        "audio/opus" | "application/ogg" => "audio/ogg",
        "audio/mp3" => "audio/mpeg",
        "audio/x-aac" => "audio/aac",
        _ => bare,
    }
}

/// The types of files that a channel takes as `kind`; `None` = any.
pub fn taken(rules: &ChannelRules, kind: MediaKind) -> Option<&[&'static str]> {
    rules.media_types.get(kind_name(kind)).copied()
}

/// Whether a file is of one of these types.
pub fn is_one_of(mime: &str, types: &[&str]) -> bool {
    types.iter().any(|known| mime.starts_with(known) || usual(mime).starts_with(usual(known)))
}

/// Why a file cannot be sent as `kind`, by what it is.
pub fn refusal(kind: MediaKind, mime: &str, rules: &ChannelRules) -> Option<Sentence> {
    if let Some(types) = taken(rules, kind) {
        if is_one_of(mime, types) {
            return None;
        }
        let mut names: Vec<String> = Vec::new();
        for name in types.iter().map(|known| named(known)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let types = names.join(", ");
        return Some(if usual(mime) == "application/octet-stream" {
            say!("Shopbell cannot tell what kind of file this is. This channel takes {types} here.", types = types)
        } else {
            say!("This file is {kind}. This channel takes {types} here.", kind = named(mime), types = types)
        });
    }
    let fits = match kind {
        MediaKind::Image => mime.starts_with("image/"),
        MediaKind::Audio | MediaKind::Voice => is_sound(mime),
        MediaKind::Video => mime.starts_with("video/") || mime == "image/gif",
        MediaKind::Document | MediaKind::Sticker => true,
    };
    (!fits).then(|| say!("This file is not what it seems to be: it is {kind}. Send it as a document.", kind = named(mime)))
}

/// Whether a file may hold sound and nothing else.
pub fn is_sound(mime: &str) -> bool {
    // Files of an older Shopbell were not looked into.
    usual(mime).starts_with("audio/") || matches!(mime, "video/webm" | "video/mp4")
}

/// A type as people call it.
pub fn named(mime: &str) -> String {
    let known = match usual(mime) {
        "image/jpeg" => "JPEG",
        "image/svg+xml" => "SVG",
        "image/heif" | "image/heic" => "HEIC",
        "audio/mpeg" => "MP3",
        "audio/mp4" => "M4A",
        "video/quicktime" => "MOV",
        "video/x-msvideo" => "AVI",
        "video/3gpp" | "audio/3gpp" => "3GP",
        "video/x-matroska" => "MKV",
        "text/plain" => "TXT",
        "application/msword" | "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "Word",
        "application/vnd.ms-excel" | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "Excel",
        "application/vnd.ms-powerpoint" | "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "PowerPoint",
        "application/vnd.microsoft.portable-executable" | "application/x-executable" => "EXE",
        other => return other.rsplit('/').next().unwrap_or(other).trim_start_matches("x-").to_ascii_uppercase(),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests;
