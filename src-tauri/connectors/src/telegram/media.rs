//! Files that customers send: two steps, and an address that holds the token and is therefore never kept.

use reqwest::Method;
use serde_json::json;
use shopbell_core::connector::{Fetched, Link, ServiceError};
use shopbell_core::http::{Call, read_bytes, service_error};
use shopbell_core::say;

use super::api::{self, ADDRESS, UPLOAD};
use super::wire::File;
use super::{Config, DOWNLOAD};
use crate::settings;

/// Gets a file by its `file_id`.
pub async fn fetch(link: Link<'_, Config>, reference: &str) -> Result<Fetched, ServiceError> {
    match fetch_once(link, reference).await {
        // The address is good for an hour only; a fresh one is asked for once.
        Err(Missing::Gone) => match fetch_once(link, reference).await {
            Ok(fetched) => Ok(fetched),
            Err(Missing::Gone) => Err(ServiceError::Permanent(say!("Telegram no longer has this file."))),
            Err(Missing::Error(error)) => Err(error),
        },
        Err(Missing::Error(error)) => Err(error),
        Ok(fetched) => Ok(fetched),
    }
}

enum Missing {
    Gone,
    Error(ServiceError),
}

impl From<ServiceError> for Missing {
    fn from(error: ServiceError) -> Self {
        Self::Error(error)
    }
}

async fn fetch_once(link: Link<'_, Config>, reference: &str) -> Result<Fetched, Missing> {
    let too_large = || ServiceError::Permanent(say!("This file is larger than the 20 MB that Telegram gives to a bot."));
    let file: File = match api::call(link, "getFile", &json!({ "file_id": reference }), Call::Reads).await.map_err(ServiceError::from) {
        Err(ServiceError::Permanent(words)) if words.to_string().contains("file is too big") => return Err(too_large().into()),
        result => result?,
    };
    if file.file_size.is_some_and(|size| size > DOWNLOAD) {
        return Err(too_large().into());
    }
    let path = file.file_path.filter(|path| is_plain(path));
    let Some(path) = path else {
        return Err(ServiceError::Permanent(say!("Telegram no longer has this file.")).into());
    };
    let base = settings::base(link.config.base_url.as_deref(), ADDRESS);
    let url = format!("{base}/file/bot{}/{path}", link.config.bot_token.reveal().trim());
    let response = link.http.request(Method::GET, &url)?.timeout(UPLOAD).send().await.map_err(|error| service_error(&error, Call::Reads))?;
    match response.status().as_u16() {
        200 => {}
        404 => return Err(Missing::Gone),
        401 => return Err(api::unauthorized().into()),
        code @ 500..=599 => {
            return Err(ServiceError::Temporary(say!("Telegram has trouble of its own ({code}). We try again.", code = code)).into());
        }
        429 => return Err(ServiceError::RateLimited { retry_after: None }.into()),
        code => return Err(ServiceError::Permanent(say!("Telegram refused this: {words}", words = code)).into()),
    }
    let mime = response.headers().get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let bytes = read_bytes(response, usize::try_from(DOWNLOAD).unwrap_or(usize::MAX), Call::Reads).await?;
    // Telegram says "octet-stream" of everything: the message knew better.
    Ok(Fetched { bytes, mime: mime.filter(|mime| mime != "application/octet-stream") })
}

/// A relative path that leads nowhere else.
fn is_plain(path: &str) -> bool {
    !path.is_empty() && !path.split('/').any(|part| part.is_empty() || part == "." || part == "..") && !path.contains(['?', '#', '\\', ':'])
}
