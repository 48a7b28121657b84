//! Files that a person brings.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::OptionalExtension;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{NAME, Wrong};
use super::connections;
use super::messages::FileMark;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, MediaId};
use crate::model::MediaKind;
use crate::{media, say};

/// The largest file, in bytes.
const LARGEST: usize = 25 << 20;

/// A file to keep.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct UploadMedia {
    /// Its name.
    pub name: String,
    /// Its type, as the sender sees it; what the bytes are decides.
    #[serde(default)]
    pub mime: Option<String>,
    /// Its bytes in base64.
    pub base64: String,
}

/// A kept file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct UploadedMedia {
    /// Its id, for a media part of a reply.
    pub id: MediaId,
    /// What it is.
    pub kind: MediaKind,
    /// Its type, as sniffed.
    pub mime: String,
    /// Its name.
    pub filename: String,
    /// Its size.
    pub bytes: usize,
}

/// A file to fetch again.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct RetryMedia {
    /// Which.
    pub id: MediaId,
}

/// Reads base64.
///
/// # Errors
/// A field error when it is not base64 or empty; `too_large`.
pub(super) fn decoded(path: &str, base64: &str, most: usize) -> Result<Vec<u8>> {
    let too_large = || {
        let mut error = Error::field(path, say!("This file is too large: {most} MB fit.", most = most >> 20));
        error.code = Code::TooLarge;
        error
    };
    if base64.len() / 4 * 3 > most + 3 {
        return Err(too_large());
    }
    let bytes = STANDARD.decode(base64.trim()).map_err(|_| Error::field(path, say!("These bytes are not base64.")))?;
    if bytes.len() > most {
        return Err(too_large());
    }
    if bytes.is_empty() {
        return Err(Error::field(path, say!("This file is empty.")));
    }
    Ok(bytes)
}

/// Keeps a file, to be sent with a reply.
pub async fn upload_media(hub: &Arc<Hub>, request: UploadMedia) -> Result<UploadedMedia> {
    let mut wrong = Wrong::default();
    let given = wrong.needed("name", &request.name, 2 * NAME);
    wrong.done()?;
    let bytes = decoded("base64", &request.base64, LARGEST)?;
    // A name and never a path, whatever system it came from.
    let filename: String = given.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(NAME).collect();
    let filename = if filename.trim_matches(['.', ' ']).is_empty() { "file".to_owned() } else { filename };
    let size = bytes.len();
    let (id, mime) = hub.media.add(bytes.into(), Some(filename.clone()), request.mime.as_deref().unwrap_or_default()).await?;
    let kind = match mime.split('/').next() {
        Some("image") if mime != "image/svg+xml" => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    };
    Ok(UploadedMedia { id, kind, mime, filename, bytes: size })
}

/// Fetches a file again that was given up. It waits while its connection cannot be asked.
pub async fn retry_media(hub: &Arc<Hub>, request: RetryMedia) -> Result<FileMark> {
    let inner = hub.clone();
    hub.store
        .write(move |tx| {
            let connection: Option<ConnectionId> = tx
                .prepare_cached("SELECT connection FROM media WHERE id = ?1")?
                .query_row([&request.id], |row| row.get(0))
                .optional()?
                .flatten();
            if connection.is_some_and(|id| inner.connections.get(&id).is_none()) {
                return Err(connections::gone());
            }
            media::retry(tx, &request.id)?;
            Ok(FileMark { media: request.id, failed: false, reason: None })
        })
        .await
}
