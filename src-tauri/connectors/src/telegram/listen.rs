//! Long polling: the way to receive without a public address.
//!
//! An update is gone from Telegram only when the next poll asks for what comes after it, and that poll is sent only after the sink has
//! stored the batch together with the new offset. A crash in between brings the same updates again, and their ids drop the copies.

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use shopbell_core::connector::{Link, Request, ServiceError, Sink};
use shopbell_core::http::Call;
use shopbell_core::say;

use super::webhook::{ALLOWED_UPDATES, info};
use super::api::{self, Failure};
use super::Config;

/// How long Telegram holds a poll when there is nothing new. It answers polls of less than 3 s unwillingly and stops at 50.
const HELD: Duration = Duration::from_secs(30);
/// How much longer than that the answer may take.
const SLACK: Duration = Duration::from_secs(15);

/// A poll that is not back by then is dead.
pub const ANSWERED_WITHIN: Duration = HELD.saturating_add(Duration::from_secs(10));

/// The shortest time between two polls that bring nothing. Telegram holds a poll; another server may not.
const PAUSE: Duration = Duration::from_secs(1);

/// Fetches updates from `cursor` on until something fails.
pub async fn listen(link: Link<'_, Config>, cursor: Option<String>, sink: &dyn Sink) -> Result<(), ServiceError> {
    let mut offset: Option<i64> = cursor.and_then(|text| text.trim().parse().ok());
    let mut freed = false;
    loop {
        let began = tokio::time::Instant::now();
        let updates = match poll(link, offset).await {
            Ok(updates) => updates,
            Err(Failure::Conflict(words)) if words.contains("webhook") && !freed => {
                free_from_webhook(link).await?;
                sink.alive().await;
                freed = true;
                continue;
            }
            Err(failure) => return Err(failure.into()),
        };
        freed = false;
        let Some(next) = updates.iter().filter_map(|update| update_id(update)).next_back().map(|id| id + 1) else {
            if !updates.is_empty() {
                return Err(ServiceError::Temporary(say!("Telegram answered in a way we do not understand. We try again.")));
            }
            sink.alive().await;
            tokio::time::sleep_until(began + PAUSE).await;
            continue;
        };
        let requests = updates.iter().map(|update| Request::pulled(update.get().to_owned())).collect();
        sink.accept(requests, Some(next.to_string())).await.map_err(|error| {
            tracing::error!(error = ?error, connection.id = %link.connection.id, "A batch of updates could not be stored.");
            ServiceError::Temporary(say!("New messages could not be stored. They wait at the service. Check the disk."))
        })?;
        offset = Some(next);
    }
}

async fn poll(link: Link<'_, Config>, offset: Option<i64>) -> Result<Vec<Box<RawValue>>, Failure> {
    let body = json!({ "offset": offset, "limit": 100, "timeout": HELD.as_secs(), "allowed_updates": ALLOWED_UPDATES });
    api::send(api::request(link, "getUpdates")?.timeout(HELD + SLACK).json(&body), Call::Reads).await
}

fn update_id(update: &RawValue) -> Option<i64> {
    #[derive(serde::Deserialize)]
    struct Id {
        update_id: i64,
    }
    serde_json::from_str::<Id>(update.get()).ok().map(|id| id.update_id)
}

/// Telegram refuses polls while a webhook is set. One of ours is taken away; another program's is not ours to break.
async fn free_from_webhook(link: Link<'_, Config>) -> Result<(), ServiceError> {
    let set = info(link).await?.url;
    if set.is_empty() {
        return Ok(());
    }
    if !link.is_hook(&set) {
        let host = url::Url::parse(&set).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        return Err(ServiceError::Permanent(say!(
            "This bot's messages already go to another program at {host}. Switch Telegram off there first, or make a new bot for Shopbell.",
            host = host
        )));
    }
    let body = json!({ "drop_pending_updates": false });
    let _: Value = api::call(link, "deleteWebhook", &body, Call::Acts).await?;
    Ok(())
}
