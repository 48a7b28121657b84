//! Files out of the doors: stored media, which customers sent and nobody trusts, and the pages of our own screens.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use rusqlite::OptionalExtension;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::error::{Error, Result};
use crate::id::MediaId;
use crate::say;
use crate::store::Store;

/// A page, script or picture of our own, by its path ("index.html", "assets/app-1a2b.js").
pub trait Pages: Send + Sync + 'static {
    /// The file and its type.
    fn get(&self, path: &str) -> Option<(Cow<'static, [u8]>, String)>;
}

/// A stored file on disk.
struct Stored {
    path: PathBuf,
    mime: String,
    filename: Option<String>,
}

/// Answers with a stored file, whole or the one range that was asked for.
///
/// # Errors
/// Not found, with a sentence.
pub async fn media(store: &Arc<Store>, id: &str, headers: &HeaderMap) -> Result<Response> {
    let gone = || Error::not_found(say!("This file is not there (any more)."));
    let id = MediaId::from(id);
    let found: Option<(Option<String>, String, Option<String>)> = store
        .read(move |db| {
            let mut statement = db.prepare_cached("SELECT sha256, mime, filename FROM media WHERE id = ?1 AND status = 'stored'")?;
            Ok(statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?)
        })
        .await?;
    let (Some(sha256), mime, filename) = found.ok_or_else(gone)? else { return Err(gone()) };
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(gone());
    }
    let stored = Stored { path: store.directory().join("media").join(sha256), mime, filename };
    send(stored, headers).await.map_err(|error| gone().because(error))
}

async fn send(stored: Stored, headers: &HeaderMap) -> std::io::Result<Response> {
    let mut file = tokio::fs::File::open(&stored.path).await?;
    let length = file.metadata().await?.len();
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(|text| range(text, length));
    let (status, first, count) = match asked {
        None => (StatusCode::OK, 0, length),
        Some(Some((first, last))) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Some(None) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            insert(&mut response, header::CONTENT_RANGE, &format!("bytes */{length}"));
            return Ok(response);
        }
    };
    file.seek(std::io::SeekFrom::Start(first)).await?;
    let mut response = Response::new(Body::from_stream(ReaderStream::with_capacity(file.take(count), 64 * 1024)));
    *response.status_mut() = status;
    if status == StatusCode::PARTIAL_CONTENT {
        insert(&mut response, header::CONTENT_RANGE, &format!("bytes {first}-{}/{length}", first + count - 1));
    }
    insert(&mut response, header::CONTENT_LENGTH, &count.to_string());
    insert(&mut response, header::ACCEPT_RANGES, "bytes");
    insert(&mut response, header::CACHE_CONTROL, "private, max-age=31536000, immutable");
    guard(&mut response, &stored.mime, stored.filename.as_deref());
    Ok(response)
}

/// What keeps a customer's file from being more than a file: its type as sniffed and no other, no scripts, and a download unless it is a
/// picture, sound or film that cannot hold any.
pub fn guard(response: &mut Response, mime: &str, filename: Option<&str>) {
    let shown = matches!(mime, "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/avif" | "image/bmp")
        || ((mime.starts_with("audio/") || mime.starts_with("video/")) && !mime.contains("xml"));
    let mime = if mime.is_empty() { "application/octet-stream" } else { mime };
    insert(response, header::CONTENT_TYPE, mime);
    insert(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    insert(response, header::CONTENT_SECURITY_POLICY, "sandbox");
    insert(response, header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    let mut disposition = if shown { "inline" } else { "attachment" }.to_owned();
    if let Some(name) = filename.filter(|name| !name.is_empty()) {
        disposition.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                disposition.push(char::from(byte));
            } else {
                disposition.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    insert(response, header::CONTENT_DISPOSITION, &disposition);
}

/// Puts a header whose value may hold what a customer wrote; a value that cannot be a header is left out.
fn insert(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// The one range of `bytes=…`: `None` = answer with everything, `Some(None)` = there is no such part.
fn range(text: &str, length: u64) -> Option<Option<(u64, u64)>> {
    let spec = text.strip_prefix("bytes=")?;
    let (first, last) = spec.split_once('-').filter(|_| !spec.contains(','))?;
    let range = match (first.trim(), last.trim()) {
        ("", last) => {
            let count: u64 = last.parse().ok()?;
            (length.saturating_sub(count), length.saturating_sub(1), count > 0)
        }
        (first, "") => (first.parse().ok()?, length.saturating_sub(1), true),
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            if last < first {
                return None;
            }
            (first, last.min(length.saturating_sub(1)), true)
        }
    };
    Some((range.2 && length > 0 && range.0 <= range.1 && range.0 < length).then_some((range.0, range.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        type Expected = Option<Option<(u64, u64)>>;
        let table: &[(&str, Expected)] = &[
            ("bytes=0-3", Some(Some((0, 3)))),
            ("bytes=4-", Some(Some((4, 9)))),
            ("bytes=-2", Some(Some((8, 9)))),
            ("bytes=-99", Some(Some((0, 9)))),
            ("bytes=0-99", Some(Some((0, 9)))),
            ("bytes=10-", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("bytes=a-b", None),
            ("chars=0-1", None),
            ("bytes=99999999999999999999-", None),
        ];
        for (text, expected) in table {
            assert_eq!(range(text, 10), *expected, "{text}");
        }
        assert_eq!(range("bytes=0-", 0), Some(None), "an empty file has no part");
    }

    #[test]
    fn only_what_cannot_hold_a_script_is_shown_in_place() {
        for (mime, place) in [
            ("image/png", "inline"),
            ("image/svg+xml", "attachment"),
            ("text/html", "attachment"),
            ("application/pdf", "attachment"),
            ("video/mp4", "inline"),
            ("audio/ogg", "inline"),
            ("", "attachment"),
        ] {
            let mut response = Response::new(Body::empty());
            guard(&mut response, mime, Some("preço \"1\"\r\nX: y.html"));
            let disposition = response.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
            assert!(disposition.starts_with(place), "{mime}: {disposition}");
            assert!(!disposition.contains(['"', '\r', '\n']), "{disposition}");
            assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], "sandbox");
        }
    }
}
