//! Polling: the way to receive without a public address.
//!
//! Every message is put into the envelope of a webhook before it is stored, so that one that comes by both ways is one message. What was
//! taken is remembered for a while by name, because times count whole seconds here and messages appear late.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Link, Request, ServiceError, Sink};
use shopbell_core::say;

use super::Config;
use super::history::{Archive, moment};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(20);
/// How late a message may appear and still be found.
const LATE: Duration = Duration::from_secs(120);
/// Names of taken messages that are kept at most.
const KEPT: usize = 2000;
/// Messages stored in one transaction.
const BATCH: usize = 200;
/// Pages of conversations that are looked through at most; the next look goes on.
const PAGES: usize = 20;

/// How far we have come.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Cursor {
    /// The time of the newest message taken.
    upto: i64,
    /// The names of those taken lately, with their times.
    taken: Vec<(String, i64)>,
}

impl Cursor {
    /// From where the last run left off. The first run begins when the connection was made: what was said before is settled business, and an
    /// agent must not answer it.
    fn read(text: Option<&str>, made_at: Timestamp) -> Self {
        let begin = || Self { upto: made_at.millis(), taken: Vec::new() };
        text.and_then(|text| serde_json::from_str(text).ok()).filter(|cursor: &Self| cursor.upto > 0).unwrap_or_else(begin)
    }

    /// The earliest time that is of interest.
    fn from(&self) -> i64 {
        self.upto - i64::try_from(LATE.as_millis()).unwrap_or(i64::MAX)
    }

    fn knows(&self, name: &str) -> bool {
        self.taken.iter().any(|(known, _)| known == name)
    }

    fn take(&mut self, news: &[News]) {
        self.upto = news.iter().map(|one| one.at).fold(self.upto, i64::max);
        self.taken.extend(news.iter().map(|one| (one.name.clone(), one.at)));
        let from = self.from();
        self.taken.retain(|(_, at)| *at >= from);
        let surplus = self.taken.len().saturating_sub(KEPT);
        self.taken.drain(..surplus);
    }
}

/// A message not seen before.
struct News {
    name: String,
    at: i64,
    body: Value,
}

/// Looks for messages from `cursor` on until something fails.
pub async fn listen(link: Link<'_, Config>, cursor: Option<String>, sink: &dyn Sink) -> Result<(), ServiceError> {
    let mut cursor = Cursor::read(cursor.as_deref(), link.connection.created_at);
    let archive = Archive::open(link).await?;
    loop {
        let news = look(&archive, &cursor).await?;
        if news.is_empty() {
            sink.alive().await;
        } else {
            cursor.take(&news);
            let requests = news.iter().map(|one| Request::pulled(one.body.to_string())).collect();
            let text = serde_json::to_string(&cursor).ok();
            sink.accept(requests, text).await.map_err(|error| {
                tracing::error!(error = ?error, connection.id = %link.connection.id, "A batch of messages could not be stored.");
                ServiceError::Temporary(say!("New messages could not be stored. They wait at the service. Check the disk."))
            })?;
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// One look at everything since then, behind a webhook: what it brought meanwhile is not brought again.
pub async fn catch_up(link: Link<'_, Config>, since: Timestamp, sink: &dyn Sink) -> Result<(), ServiceError> {
    let unstored = |error: anyhow::Error| {
        tracing::error!(error = ?error, connection.id = %link.connection.id, "A batch of messages could not be stored.");
        ServiceError::Temporary(say!("New messages could not be stored. They wait at the service. Check the disk."))
    };
    let archive = Archive::open(link).await?;
    let news = look(&archive, &Cursor { upto: since.millis(), taken: Vec::new() }).await?;
    let missing = sink.missing(news.iter().map(|one| one.name.clone()).collect()).await.map_err(unstored)?;
    let missing: std::collections::HashSet<String> = missing.into_iter().collect();
    let requests: Vec<Request> =
        news.iter().filter(|one| missing.contains(&one.name)).map(|one| Request::pulled(one.body.to_string())).collect();
    for batch in requests.chunks(BATCH) {
        sink.accept(batch.to_vec(), None).await.map_err(unstored)?;
    }
    sink.alive().await;
    Ok(())
}

/// Everything new, oldest first.
async fn look(archive: &Archive<'_>, cursor: &Cursor) -> Result<Vec<News>, ServiceError> {
    let from = cursor.from();
    let mut news = Vec::new();
    let mut page = None;
    'pages: for _ in 0..PAGES {
        let (conversations, next) = archive.list(None, page.as_deref()).await?;
        for conversation in conversations {
            // The list begins with the conversation that changed last.
            if conversation.updated.is_some_and(|updated| updated.millis() < from) {
                break 'pages;
            }
            for message in archive.newest(&conversation.id).await? {
                let at = moment(&message["created_time"]).unwrap_or_default().millis();
                let Some(name) = super::parse::id(&message["id"]).filter(|name| at >= from && !cursor.knows(name)) else { continue };
                news.extend(archive.as_webhook(&message).map(|body| News { name, at, body }));
            }
        }
        if next.is_none() {
            break;
        }
        page = next;
    }
    // The service lists the newest first; within one second that order is all there is.
    news.reverse();
    news.sort_by_key(|one| one.at);
    Ok(news)
}
