//! Reading Twilio's list of messages: instead of a webhook, or behind one.
//!
//! Twilio tries a webhook a few times within seconds and never again. So also a connection with a webhook reads the list, at its start and
//! from time to time, and takes what did not arrive otherwise. A connection without one lives on the list alone, and learns from it what
//! became of its own messages. Everything keeps Twilio's own names, so that nothing is there twice.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Link, Request, ServiceError, Sink};
use shopbell_core::http::Call;
use shopbell_core::say;

use super::api::{self, Product};
use super::wire::{Listed, MediaPage, MessagePage};
use super::{Config, Line, Mode, number};

/// How often the list is read where there is no webhook.
const POLL: Duration = Duration::from_secs(12);
/// How often it is read behind a webhook.
const CATCH_UP: Duration = Duration::from_secs(300);
/// How long a webhook has to bring a message before the list does: its calls and their repetitions, told in more detail.
const GRACE: Duration = Duration::from_secs(120);
/// A reading that got nowhere for so long is dead: the longer pause, and as much again as any call of it may take.
pub const PROGRESS_WITHIN: Duration = CATCH_UP.saturating_add(Duration::from_secs(90));
/// How far a reading goes back behind the newest message it knew: what comes in is not listed in order.
const OVERLAP: Duration = Duration::from_secs(300);
/// How far back our own messages are looked at for what became of them.
const FATES: Duration = Duration::from_secs(24 * 3600);
/// Messages on a page, and pages in one reading.
const PAGE: &str = "200";
const PAGES: usize = 50;
/// Messages stored in one transaction.
const BATCH: usize = 200;

/// Reads the list again and again, from `cursor` (seconds) on, until something fails.
pub async fn listen(line: &Line, link: Link<'_, Config>, cursor: Option<String>, sink: &dyn Sink) -> Result<(), ServiceError> {
    let polls = link.config.mode == Mode::Polling;
    let begin = cursor.and_then(|text| text.trim().parse().ok()).map_or(link.connection.created_at, Timestamp::from_seconds);
    let mut reading = Reading { newest: begin, taken: HashSet::new(), fates: HashMap::new() };
    loop {
        reading.incoming(line, link, sink, if polls { Duration::ZERO } else { GRACE }).await?;
        if polls {
            reading.outgoing(line, link, sink).await?;
        }
        sink.alive().await;
        tokio::time::sleep(if polls { POLL } else { CATCH_UP }).await;
    }
}

/// What a listener remembers from one reading to the next.
struct Reading {
    /// The newest message that was taken or is known.
    newest: Timestamp,
    /// What was handed over in this run and is still in sight. Not everything of it becomes a message.
    taken: HashSet<String>,
    /// How far our own messages had come.
    fates: HashMap<String, String>,
}

impl Reading {
    /// Takes what customers said and what is not here yet.
    async fn incoming(&mut self, line: &Line, link: Link<'_, Config>, sink: &dyn Sink, grace: Duration) -> Result<(), ServiceError> {
        // What came before there was a connection is not its business. Twilio's times are whole seconds.
        let connected = Timestamp::from_seconds(link.connection.created_at.millis() / 1000);
        let since = back(self.newest, OVERLAP).max(connected);
        let query = [("To", line.full(&number(&link.config.phone_number))), ("DateSent>", written(since)), ("PageSize", PAGE.into())];
        let (rows, twilios_now) = messages(link, &query, Some(since), PAGES).await?;
        let until = back(twilios_now.unwrap_or_else(|| link.clock.now()), grace);
        let mut seen: Vec<(Timestamp, String, Value)> = Vec::new();
        for row in rows {
            let Some((at, listed)) = dated(&row) else { continue };
            if listed.direction.as_deref() == Some("inbound") && at >= since && (grace.is_zero() || at <= until) {
                seen.push((at, listed.sid, row));
            }
        }
        // The list begins with the newest; here the oldest comes first.
        seen.reverse();
        let in_sight: HashSet<String> = seen.iter().map(|(_, sid, _)| sid.clone()).collect();
        self.taken.retain(|sid| in_sight.contains(sid));
        let unknown = seen.iter().map(|(_, sid, _)| sid.clone()).filter(|sid| !self.taken.contains(sid)).collect();
        let missing: HashSet<String> = sink.missing(unknown).await.map_err(|error| unstored(link, &error))?.into_iter().collect();
        for batch in seen.chunks(BATCH) {
            let newest = batch.iter().map(|(at, ..)| *at).max().unwrap_or(self.newest).max(self.newest);
            let mut requests = Vec::new();
            for (_, sid, row) in batch.iter().filter(|(_, sid, _)| missing.contains(sid)) {
                requests.push(Request::pulled(with_files(link, sid, row.clone()).await?.to_string()));
            }
            if !requests.is_empty() || newest > self.newest {
                sink.accept(requests, Some((newest.millis() / 1000).to_string())).await.map_err(|error| unstored(link, &error))?;
            }
            self.newest = newest;
            self.taken.extend(batch.iter().map(|(_, sid, _)| sid.clone()));
        }
        Ok(())
    }

    /// Tells what became of our own messages: without a webhook nobody else does.
    async fn outgoing(&mut self, line: &Line, link: Link<'_, Config>, sink: &dyn Sink) -> Result<(), ServiceError> {
        let since = back(link.clock.now(), FATES);
        let query = [("From", line.full(&number(&link.config.phone_number))), ("DateSent>", written(since)), ("PageSize", PAGE.into())];
        let (rows, _) = messages(link, &query, Some(since), 1).await?;
        let mut fates = HashMap::new();
        let mut requests = Vec::new();
        for row in rows {
            let Some((_, listed)) = dated(&row) else { continue };
            let ours = listed.direction.as_deref().is_some_and(|direction| direction.starts_with("outbound"));
            let Some(status) = listed.status.filter(|status| ours && is_a_fate(status)) else { continue };
            if self.fates.get(&listed.sid) != Some(&status) {
                requests.push(Request::pulled(row.to_string()));
            }
            fates.insert(listed.sid, status);
        }
        if !requests.is_empty() {
            let cursor = Some((self.newest.millis() / 1000).to_string());
            sink.accept(requests, cursor).await.map_err(|error| unstored(link, &error))?;
        }
        self.fates = fates;
        Ok(())
    }
}

fn is_a_fate(status: &str) -> bool {
    matches!(status, "sent" | "delivered" | "partially_delivered" | "read" | "failed" | "undelivered" | "canceled")
}

fn dated(row: &Value) -> Option<(Timestamp, Listed)> {
    let listed: Listed = serde_json::from_value(row.clone()).ok()?;
    let at = listed.date_sent.as_deref().or(listed.date_created.as_deref()).and_then(api::moment)?;
    (!listed.sid.is_empty()).then_some((at, listed))
}

fn back(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)).max(0))
}

/// A moment as Twilio's filters want it. Should it look at the day alone, the list only begins earlier.
fn written(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn unstored(link: Link<'_, Config>, error: &anyhow::Error) -> ServiceError {
    tracing::error!(error = ?error, connection.id = %link.connection.id, "Messages from the list could not be stored.");
    ServiceError::Temporary(say!("New messages could not be stored. They wait at the service. Check the disk."))
}

/// Messages, newest first, with Twilio's own time. Goes on to the next page until the messages are older than `since`.
pub async fn messages(
    link: Link<'_, Config>,
    query: &[(&str, String)],
    since: Option<Timestamp>,
    pages: usize,
) -> Result<(Vec<Value>, Option<Timestamp>), ServiceError> {
    let path = api::of_account(link.config, "Messages.json");
    let mut request = api::request(link, Method::GET, Product::Api, &path)?.query(query);
    let (mut rows, mut twilios_now) = (Vec::new(), None);
    for page in 1..=pages {
        let (found, at): (MessagePage, _) = api::send_timed(request, Call::Reads).await?;
        twilios_now = twilios_now.or(at);
        let oldest = found.messages.last().and_then(dated).map(|(at, _)| at);
        rows.extend(found.messages);
        let passed = since.zip(oldest).is_some_and(|(since, oldest)| oldest < since);
        // The next page is the same list and nothing else, whatever the answer says.
        let next = found.next_page_uri.filter(|next| !passed && next.strip_prefix(&path).is_some_and(|rest| rest.starts_with('?')));
        let Some(next) = next else { break };
        if page == pages && pages > 1 {
            tracing::warn!(connection.id = %link.connection.id, "There are more messages at the service than are read at once; the oldest are left.");
        }
        request = api::request(link, Method::GET, Product::Api, &next)?;
    }
    Ok((rows, twilios_now))
}

/// A message with its files, which Twilio keeps in a list of their own.
async fn with_files(link: Link<'_, Config>, sid: &str, mut row: Value) -> Result<Value, ServiceError> {
    let files = serde_json::from_value::<Listed>(row.clone()).map_or(0, |listed| listed.files());
    if files == 0 || !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(row);
    }
    let path = api::of_account(link.config, &format!("Messages/{sid}/Media.json"));
    let found: MediaPage = match api::send(api::request(link, Method::GET, Product::Api, &path)?, Call::Reads).await {
        Ok(found) => found,
        // They were deleted: the words are still there.
        Err(ServiceError::Permanent(_)) => MediaPage::default(),
        Err(error) => return Err(error),
    };
    row["media"] = found.media_list.into();
    Ok(row)
}
