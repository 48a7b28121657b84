//! What was said while the hub was not there: known, fetched where the service keeps it, and said truthfully where it does not.
//!
//! While it works the hub writes down now and then that it does ([`beat`]). A start long after the last beat, or a waking from sleep, is a
//! gap: it is written down for every channel, and stays open until what the service kept of it is here. Listeners go on from their saved
//! place by themselves; a channel that is called instead is asked for what it missed ([`crate::connector::Channel::catch_up`]). All of it
//! goes the one way of an arrival, so nothing is there twice and everything is in order.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use tokio_util::sync::CancellationToken;

use crate::backup::moved;
use crate::clock::Timestamp;
use crate::connections::Live;
use crate::connector::{History, NoticeLevel, ServiceError};
use crate::conversations::Conversation;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::{AgentId, ConnectionId};
use crate::listening;
use crate::model::{Change, ConnectionStatus, ModelSettings, Owner};
use crate::queue::backoff;
use crate::say;
use crate::store::Tx;
use crate::words::language;

/// How often it is written down that the hub works.
const BEAT: Duration = Duration::from_secs(60);
/// A shorter absence is none: services try again for longer than that.
const SHORTEST: Duration = Duration::from_secs(180);
/// Words that are older when they come are looked at more closely; whatever comes in the ordinary way is younger.
const FRESH: Duration = Duration::from_secs(90);
/// How much earlier than the gap is asked for: a service's clock, and what was on its way when the hub went.
const SLACK: Duration = Duration::from_secs(120);
/// How long a service may take to tell everything.
const LONGEST: Duration = Duration::from_secs(600);
/// How often it is asked before the next start has to.
const ATTEMPTS: u32 = 8;
/// How long gaps are remembered.
const REMEMBERED: Duration = Duration::from_secs(30 * 86_400);
/// Under which key the owner is told.
const NOTICE: &str = "gap";

/// Finds the absence before this start, if there was one.
///
/// # Errors
/// What the store says.
pub async fn begin(hub: &Arc<Hub>) -> Result<()> {
    let absent = hub.store.write(|tx| {
        let last = last_beat(tx)?;
        beat(tx)?;
        Ok(last.filter(|last| tx.now().since(*last) >= SHORTEST))
    });
    match absent.await? {
        Some(from) => found(hub, from).await,
        None => Ok(()),
    }
}

/// Watches over absences until told to stop.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let mut wakes = hub.wakes.subscribe();
    // What an earlier run left open is asked for as well.
    catch_up_all(&hub, &stop).await;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(BEAT) => {}
            wake = wakes.recv() => {
                let slept = match wake {
                    Ok(wake) => Some(wake),
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => hub.wakes.last(),
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                };
                if let Some(wake) = slept.filter(|wake| wake.slept() >= SHORTEST)
                    && let Err(error) = found(&hub, wake.asleep_since).await
                {
                    tracing::error!(error = ?error, "An absence could not be written down.");
                }
                // After a sleep a poll or socket looks alive for minutes, and is not.
                hub.listen_anew.notify_one();
                catch_up_all(&hub, &stop).await;
            }
        }
        note_beat(&hub).await;
    }
    note_beat(&hub).await;
}

async fn note_beat(hub: &Hub) {
    if let Err(error) = hub.store.write_one(beat).await {
        tracing::warn!(error = ?error, "It could not be written down that the hub works.");
    }
}

fn beat(tx: &Tx<'_>) -> Result<()> {
    tx.prepare_cached("INSERT INTO heartbeat (one, at) VALUES (1, ?1) ON CONFLICT DO UPDATE SET at = excluded.at")?.execute([tx.now()])?;
    Ok(())
}

fn last_beat(db: &Connection) -> Result<Option<Timestamp>> {
    Ok(db.prepare_cached("SELECT at FROM heartbeat WHERE one = 1")?.query_row([], |row| row.get(0)).optional()?)
}

/// The hub was not there from that moment until now.
async fn found(hub: &Arc<Hub>, from: Timestamp) -> Result<()> {
    let channels: Vec<(ConnectionId, Timestamp, History)> = hub
        .connections
        .all()
        .into_iter()
        .filter(|live| in_use(live))
        .filter_map(|live| {
            let history = live.connector.channel()?.history(live.settings.as_ref().ok()?);
            Some((live.connection.id.clone(), live.connection.created_at, history))
        })
        .collect();
    let noting = hub.store.write(move |tx| {
        for (connection, made_at, history) in channels.iter().filter(|(_, made_at, _)| *made_at < tx.now()) {
            note(tx, connection, from.max(*made_at), history)?;
        }
        tx.prepare_cached("DELETE FROM gap WHERE to_at < ?1")?.execute([tx.now().minus(REMEMBERED)])?;
        Ok(())
    });
    noting.await
}

fn in_use(live: &Live) -> bool {
    matches!(live.connection.status, ConnectionStatus::Active | ConnectionStatus::Failing { .. })
}

/// Writes an absence down, and tells the owner where the service cannot make up for it.
fn note(tx: &Tx<'_>, connection: &ConnectionId, from: Timestamp, history: &History) -> Result<()> {
    let now = tx.now();
    let asked = matches!(history, History::Asked { .. });
    tx.prepare_cached(
        "INSERT INTO gap (connection, from_at, to_at, caught_up_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET to_at = max(to_at, excluded.to_at), caught_up_at = excluded.caught_up_at",
    )?
    .execute(params![connection, from, now, if asked { None } else { Some(now) }])?;
    let away = now.since(from);
    let language = language(tx)?;
    let (from, to) = (in_words(from), in_words(now));
    let told = match history {
        History::Nothing => None,
        History::Listened { kept } | History::Asked { kept } => kept.filter(|kept| away > *kept).map(|kept| {
            let words = say!(
                "Shopbell did not receive from {from} to {to}. The service keeps messages for {hours} hours only: older ones may be missing here.",
                from = from,
                to = to,
                hours = kept.as_secs() / 3600
            );
            (NoticeLevel::Problem, words)
        }),
        History::Redelivered { kept } if away > *kept => {
            let words = say!(
                "Shopbell did not receive from {from} to {to}. The service tries again for up to {days} days and keeps no history: what is older may be missing. Look at the phone or the service's own page.",
                from = from,
                to = to,
                days = kept.as_secs() / 86_400
            );
            Some((NoticeLevel::Problem, words))
        }
        History::Redelivered { kept } => {
            let words = say!(
                "Shopbell did not receive from {from} to {to}. The service promises to deliver what was said then, and tries for up to {days} days; there is no history to ask for.",
                from = from,
                to = to,
                days = kept.as_secs() / 86_400
            );
            Some((NoticeLevel::Warning, words))
        }
    };
    if let Some((level, words)) = told {
        tx.prepare_cached(
            "INSERT INTO notice (connection, key, level, text, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (connection, key) DO UPDATE SET level = excluded.level, text = excluded.text, at = excluded.at, seen_at = NULL",
        )?
        .execute(params![connection, NOTICE, level.as_str(), words.in_language(&language), now])?;
        tx.changed(Change::Connection { id: connection.clone() });
    }
    Ok(())
}

fn in_words(moment: Timestamp) -> String {
    moment.to_jiff().to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Asks every channel that has to be asked for what it missed, all at once.
async fn catch_up_all(hub: &Arc<Hub>, stop: &CancellationToken) {
    let open = hub.store.read(|db| {
        let sql = "SELECT connection, min(from_at) FROM gap WHERE caught_up_at IS NULL GROUP BY connection";
        let mut statement = db.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<Vec<(ConnectionId, Timestamp)>>>()?)
    });
    let open = match open.await {
        Ok(open) => open,
        Err(error) => {
            tracing::error!(error = ?error, "The open gaps could not be read.");
            return;
        }
    };
    for (connection, from) in open {
        let (hub, stop) = (hub.clone(), stop.child_token());
        hub.clone().spawn(async move { catch_up(&hub, &connection, from, &stop).await });
    }
}

/// Asks one channel, again with growing pauses: after a waking the network is often not there yet.
async fn catch_up(hub: &Arc<Hub>, connection: &ConnectionId, from: Timestamp, stop: &CancellationToken) {
    for attempt in 0..ATTEMPTS {
        let Some(live) = hub.connections.get(connection).filter(|live| in_use(live)) else { return };
        let Some((channel, link)) = live.connector.channel().zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref())) else { return };
        let sink = listening::Intake::behind_a_webhook(hub.clone(), live.clone());
        let asked = tokio::select! {
            () = stop.cancelled() => return,
            asked = tokio::time::timeout(LONGEST, channel.catch_up(link, from.minus(SLACK), &sink)) => asked,
        };
        let wait = match asked {
            Ok(Ok(())) => {
                let (connection, until) = (connection.clone(), hub.store.clock().now());
                let closed = hub.store.write(move |tx| {
                    tx.prepare_cached("UPDATE gap SET caught_up_at = ?2 WHERE connection = ?1 AND caught_up_at IS NULL AND from_at >= ?3")?
                        .execute(params![connection, until, from])?;
                    Ok(())
                });
                if let Err(error) = closed.await {
                    tracing::error!(error = ?error, "A gap that was caught up with could not be closed; it is asked for again.");
                }
                return;
            }
            Ok(Err(ServiceError::Unauthorized(sentence))) => {
                // The gap stays open: once somebody has signed in again, the next start or waking asks.
                hub.needs_sign_in(connection, &sentence).await;
                return;
            }
            Ok(Err(ServiceError::RateLimited { retry_after: Some(wait) })) => wait,
            Ok(Err(error)) => {
                tracing::warn!(connection.id = %connection, error = %error.sentence(), "What was missed could not be fetched; trying again.");
                backoff(attempt, Duration::from_secs(2), Duration::from_secs(120))
            }
            Err(_) => backoff(attempt, Duration::from_secs(2), Duration::from_secs(120)),
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// How late a customer's words came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lateness {
    /// They came as they were said.
    InTime,
    /// They were said while the hub was not there, and an agent may still answer.
    CaughtUp,
    /// They are too old for an agent's answer, or were said to this shop on another computer.
    TooLate {
        /// Whether they were said while the hub was not there.
        caught_up: bool,
    },
}

impl Lateness {
    /// Whether they were said while the hub was not there.
    pub fn is_caught_up(self) -> bool {
        matches!(self, Self::CaughtUp | Self::TooLate { caught_up: true })
    }

    /// Whether a person has to answer.
    pub fn is_too_late(self) -> bool {
        matches!(self, Self::TooLate { .. })
    }
}

/// How late words are that were said at `sent_at` and come now.
///
/// # Errors
/// What the store says.
pub fn lateness(tx: &Tx<'_>, conversation: &Conversation, sent_at: Timestamp) -> Result<Lateness> {
    let age = tx.now().since(sent_at);
    if age < FRESH {
        return Ok(Lateness::InTime);
    }
    let caught_up: bool = tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM gap WHERE connection = ?1 AND from_at <= ?2 AND to_at >= ?3)")?
        .query_row(params![conversation.connection, sent_at.plus(SLACK), sent_at], |row| row.get(0))?;
    let limit = match &conversation.owner {
        Owner::Agent { id } => answers_within(tx, id)?,
        Owner::Person { .. } => None,
    };
    let elsewhere = moved::since(tx)?.is_some_and(|since| sent_at < since);
    Ok(match (elsewhere || limit.is_some_and(|limit| age > limit), caught_up) {
        (true, caught_up) => Lateness::TooLate { caught_up },
        (false, true) => Lateness::CaughtUp,
        (false, false) => Lateness::InTime,
    })
}

/// How old words may be for that agent to answer them; `None` = it is not there any more.
fn answers_within(db: &Connection, agent: &AgentId) -> Result<Option<Duration>> {
    let settings: Option<String> =
        db.prepare_cached("SELECT settings FROM agent WHERE id = ?1")?.query_row([agent], |row| row.get(0)).optional()?;
    let Some(settings) = settings else { return Ok(None) };
    let settings: ModelSettings = serde_json::from_str(&settings).map_err(anyhow::Error::from)?;
    Ok(Some(Duration::from_secs(u64::from(settings.answer_within_hours) * 3600)))
}

#[cfg(test)]
mod tests;
