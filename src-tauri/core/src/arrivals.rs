//! What arrived, stored once and raw, before anything acts on it.
//!
//! A webhook is answered only after [`accept`] has committed its bytes. [`run`] then reads what is pending, lets the connector
//! say what happened, and applies it ([`crate::conversations::apply`]). An arrival that cannot be read is kept, shown as "not
//! understood", and can be replayed after the connector was mended; one that fails again and again is parked and blocks nobody.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::connections::Live;
use crate::connector::{Event, Request};
use crate::conversations::{self, Effect, Place};
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{ArrivalId, ConnectionId};
use crate::model::Change;
use crate::store::{Ring, Stage, Tx};
use crate::{introductions, say};

pub mod keeping;

/// How many arrivals are read at once, and how many of them are one piece of work for the writer.
const BATCH: usize = 256;
const PIECE: usize = 32;
/// How many writes may wait for a commit that reads arrivals itself, how many of them it reads at most, and how large they may be together.
const QUIET: usize = 4;
const AT_ONCE: usize = 8;
const SMALL: usize = 64 << 10;
/// How many arrivals within [`STORM_LOOK`] make a storm.
const STORM: f64 = 10.0;
const STORM_LOOK: Duration = Duration::from_millis(10);
/// How long reading waits for a storm to pass before it takes its share all the same.
const LONGEST_DELAY: Duration = Duration::from_millis(300);
/// How often an arrival whose effects could not be stored is tried.
const ATTEMPTS: i64 = 6;
/// How long an arrival waits to be tried again, at most.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How many refused requests are remembered.
const REFUSALS: i64 = 1000;

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not looked at yet.
    Pending,
    /// It did what it should.
    Handled,
    /// Everything in it was known already.
    Repeat,
    /// Understood, and there was nothing to do.
    Nothing,
    /// It, or a part of it, could not be read.
    NotUnderstood,
    /// Its effects could not be stored; a person may try again.
    Parked,
}

impl Verdict {
    /// As the store writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Handled => "handled",
            Self::Repeat => "repeat",
            Self::Nothing => "nothing",
            Self::NotUnderstood => "not_understood",
            Self::Parked => "parked",
        }
    }
}

/// Stores `request` of `live` in the running write.
pub fn insert(tx: &Tx<'_>, connection: &ConnectionId, request: &Request, secret_headers: &[&str]) -> Result<ArrivalId> {
    let id = ArrivalId::new();
    tx.prepare_cached(
        "INSERT INTO arrival (id, connection, received_at, method, path, query, headers, body, verdict) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'pending')",
    )?
    .execute(params![
        id,
        connection,
        tx.now(),
        request.method,
        request.path,
        request.query,
        masked_headers(request, secret_headers),
        request.body.as_ref(),
    ])?;
    tx.changed(Change::Arrival { id: id.clone() });
    tx.wake(Stage::Arrivals);
    Ok(id)
}

/// Stores a verified request for every connection that it concerns, in one commit; returns when it is durable.
pub async fn accept(hub: &Hub, concerned: &[Arc<Live>], request: Request) -> Result<()> {
    let concerned: Vec<_> = concerned
        .iter()
        .map(|live| (live.connection.id.clone(), live.rules.as_ref().map_or(&[] as &[&str], |rules| rules.secret_headers)))
        .collect();
    hub.intake.fetch_add(concerned.len() as u64, Ordering::Relaxed);
    let many = concerned.len() > 1;
    let store = move |tx: &Tx<'_>| {
        for (connection, secret_headers) in &concerned {
            insert(tx, connection, &request, secret_headers)?;
        }
        Ok(())
    };
    if many { hub.store.write(store).await } else { hub.store.write_one(store).await }
}

/// Notes a refused request: one line, never its body.
pub async fn refuse(hub: &Hub, connection: Option<ConnectionId>, reason: &'static str, address: String, size: usize) -> Result<()> {
    hub.store
        .write(move |tx| {
            tx.prepare_cached("INSERT INTO refusal (at, connection, reason, address, size) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![tx.now(), connection, reason, address, i64::try_from(size).unwrap_or(i64::MAX)])?;
            tx.prepare_cached("DELETE FROM refusal WHERE seq <= ?1")?.execute([tx.last_insert_rowid() - REFUSALS])?;
            Ok(())
        })
        .await
}

/// Headers as JSON, in order, with what could be a secret covered.
fn masked_headers(request: &Request, secret_headers: &[&str]) -> String {
    const ALWAYS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];
    let covered = request.headers.iter().map(|(name, value)| {
        let secret = ALWAYS.contains(&name.as_str()) || secret_headers.contains(&name.as_str());
        (name.as_str(), if secret { "•••" } else { value.as_str() })
    });
    serde_json::to_string(&covered.collect::<Vec<_>>()).unwrap_or_else(|_| "[]".to_owned())
}

/// An arrival to be looked at.
struct Pending {
    seq: i64,
    id: ArrivalId,
    connection: ConnectionId,
    attempts: i64,
    request: Request,
}

/// The stage: reads what is pending until told to stop.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let stages = hub.store.stages().clone();
    let weak = Arc::downgrade(&hub);
    stages.join(
        Stage::Arrivals,
        Arc::new(move |tx| {
            let Some(hub) = weak.upgrade() else { return Ok(Ring::Yes) };
            read_at_once(tx, &hub)
        }),
    );
    loop {
        let next = match sweep(&hub).await {
            Ok(Some(next)) => next,
            Ok(None) => Duration::from_secs(3600),
            Err(error) => {
                tracing::error!(error = ?error, "Arrivals could not be read; trying again.");
                Duration::from_secs(2)
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = stages.of(Stage::Arrivals).notified() => {}
            () = tokio::time::sleep(next) => {}
        }
    }
    stages.part(Stage::Arrivals);
}

/// Reads what has just arrived in the commit that stores it, when that is little: what it says is done as soon as it is safe, and needs no
/// commit of its own. Otherwise everybody who waits for the commit would wait longer for it: then the stage reads it, a moment later.
fn read_at_once(tx: &Tx<'_>, hub: &Arc<Hub>) -> Result<Ring> {
    if tx.pieces() > QUIET || hub.stopping().is_cancelled() {
        return Ok(Ring::Yes);
    }
    let (arrived, later) = pending(tx, tx.now(), 0, AT_ONCE + 1)?;
    let size: usize = arrived.iter().map(|arrival| arrival.request.body.len()).sum();
    if arrived.len() > AT_ONCE || size > SMALL {
        return Ok(Ring::Yes);
    }
    let read: Vec<_> = arrived.into_iter().map(|arrival| (understood(hub, &arrival), arrival)).collect();
    if !read.is_empty() {
        settle(tx, hub, &read)?;
    }
    // One that could not be stored is due later: the stage is told when.
    let failed = "SELECT EXISTS (SELECT 1 FROM arrival WHERE verdict = 'pending')";
    let left = later.is_some() || tx.prepare_cached(failed)?.query_row([], |row| row.get(0))?;
    Ok(if left { Ring::Yes } else { Ring::No })
}

/// While many arrive, storing them goes first: a service is answered at once, and what it brought is read a moment later. Nobody waits when
/// no more than a few came since there were `before` of them, at `began`.
async fn let_the_storm_pass(hub: &Hub, mut before: u64, mut began: tokio::time::Instant) {
    let patience = tokio::time::Instant::now() + LONGEST_DELAY;
    loop {
        let came = hub.intake.load(Ordering::Relaxed) - before;
        let looks = began.elapsed().as_secs_f64() / STORM_LOOK.as_secs_f64();
        if (came as f64) < STORM * looks.max(1.0) || tokio::time::Instant::now() >= patience {
            return;
        }
        (before, began) = (before + came, tokio::time::Instant::now());
        tokio::time::sleep(STORM_LOOK).await;
    }
}

/// A part of what is pending, ready to take effect.
struct Batch {
    read: Vec<(Read, Pending)>,
    /// When the next one after these is due, if all that is due now is here.
    next_due: Option<Timestamp>,
}

impl Batch {
    /// What is pending behind number `after`, read and understood on a reader's thread.
    async fn read(hub: &Arc<Hub>, after: i64) -> Result<Self> {
        let (inside, now) = (hub.clone(), hub.store.clock().now());
        let read = move |db: &rusqlite::Connection| {
            let (pending, next_due) = pending(db, now, after, BATCH)?;
            Ok(Self { read: pending.into_iter().map(|arrival| (understood(&inside, &arrival), arrival)).collect(), next_due })
        };
        hub.store.read(read).await
    }

    /// Does what they say, in order: one queue, of which the writer makes few commits.
    async fn settle(self, hub: &Arc<Hub>) -> Result<()> {
        let mut pieces = Vec::with_capacity(BATCH.div_ceil(PIECE));
        let mut read = self.read.into_iter().peekable();
        while read.peek().is_some() {
            let (inside, piece) = (hub.clone(), read.by_ref().take(PIECE).collect::<Vec<_>>());
            pieces.push(hub.store.write(move |tx| settle(tx, &inside, &piece)));
        }
        // Unconstrained, because a task that has used up its budget is woken in the opposite order: the rest of a long batch would be written
        // backwards, and an edit before its message is lost.
        tokio::task::unconstrained(join_all(pieces)).await.into_iter().collect()
    }
}

/// Reads what is pending until there is nothing left. When the next one is due, if any waits.
async fn sweep(hub: &Arc<Hub>) -> Result<Option<Duration>> {
    let mut batch = Batch::read(hub, 0).await?;
    while let Some((_, last)) = batch.read.last() {
        if hub.stopping().is_cancelled() {
            return Ok(None);
        }
        let (last, full) = (last.seq, batch.read.len() == BATCH);
        let (before, began) = (hub.intake.load(Ordering::Relaxed), tokio::time::Instant::now());
        batch = if full {
            // While these are written the next are read.
            let (settled, next) = tokio::join!(batch.settle(hub), Batch::read(hub, last));
            settled?;
            next?
        } else {
            batch.settle(hub).await?;
            // From the beginning: one that could not be stored is due later.
            Batch::read(hub, 0).await?
        };
        let_the_storm_pass(hub, before, began).await;
    }
    let now = hub.store.clock().now();
    Ok(batch.next_due.map(|due| due.since(now).max(Duration::from_millis(50))))
}

/// What is to be read now behind number `after`, in order, at most `many`; and when the next one after that is due, if all of it is here.
fn pending(db: &rusqlite::Connection, now: Timestamp, after: i64, many: usize) -> Result<(Vec<Pending>, Option<Timestamp>)> {
    let mut statement = db.prepare_cached(
        "SELECT seq, id, connection, attempts, method, path, query, headers, body FROM arrival WHERE verdict = 'pending' AND due_at <= ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let rows = statement.query_map(params![now, after, i64::try_from(many).unwrap_or(i64::MAX)], |row| {
        let headers: String = row.get(7)?;
        Ok(Pending {
            seq: row.get(0)?,
            id: row.get(1)?,
            connection: row.get(2)?,
            attempts: row.get(3)?,
            request: Request {
                method: row.get(4)?,
                path: row.get(5)?,
                query: row.get(6)?,
                headers: serde_json::from_str(&headers).unwrap_or_default(),
                body: Bytes::from(row.get::<_, Vec<u8>>(8)?),
                url: String::new(),
            },
        })
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    if rows.len() == many {
        // There is more at once; looking through a long backlog for what is due later would only slow it down.
        return Ok((rows, None));
    }
    let next: Option<Timestamp> = db
        .prepare_cached("SELECT min(due_at) FROM arrival WHERE verdict = 'pending' AND due_at > ?1")?
        .query_row([now], |row| row.get(0))
        .optional()?
        .flatten();
    Ok((rows, next))
}

/// What a connector makes of an arrival; a verdict and its reason where that is nothing.
type Read = std::result::Result<(Arc<Live>, Vec<Event>), (Verdict, String)>;

/// Does what a few arrivals say, in order: all of them together, and one by one where that does not go, so that one holds up nobody.
fn settle(tx: &Tx<'_>, hub: &Arc<Hub>, arrivals: &[(Read, Pending)]) -> Result<()> {
    let together = tx.part(|tx| arrivals.iter().try_for_each(|(read, arrival)| take_effect(tx, hub, arrival, read)));
    match together {
        Ok(()) => Ok(()),
        Err(error) if error.code == Code::Corrupt => Err(error),
        Err(_) => arrivals.iter().try_for_each(|(read, arrival)| settle_one(tx, hub, arrival, read)),
    }
}

/// Does what an arrival says, or notes why not: it is tried again later, and at last parked.
fn settle_one(tx: &Tx<'_>, hub: &Arc<Hub>, arrival: &Pending, read: &Read) -> Result<()> {
    let Err(error) = tx.part(|tx| take_effect(tx, hub, arrival, read)) else { return Ok(()) };
    if error.code == Code::Corrupt {
        return Err(error);
    }
    tracing::warn!(arrival.id = %arrival.id, error = ?error, "An arrival's effects could not be stored.");
    let reason = error.message.to_string();
    if arrival.attempts + 1 >= ATTEMPTS {
        return finish(tx, arrival.seq, &arrival.id, Verdict::Parked, Some(&reason), &[]);
    }
    let wait = crate::queue::backoff(u32::try_from(arrival.attempts).unwrap_or(0), Duration::from_secs(1), LONGEST_WAIT);
    tx.prepare_cached("UPDATE arrival SET attempts = attempts + 1, due_at = ?2, reason = ?3 WHERE seq = ?1")?.execute(params![
        arrival.seq,
        tx.now().plus(wait),
        reason
    ])?;
    Ok(())
}

fn take_effect(tx: &Tx<'_>, hub: &Arc<Hub>, arrival: &Pending, read: &Read) -> Result<()> {
    let (verdict, before): (String, String) = tx
        .prepare_cached("SELECT verdict, effects FROM arrival WHERE seq = ?1")?
        .query_row([arrival.seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if verdict != Verdict::Pending.as_str() {
        return Ok(());
    }
    let (live, events) = match read {
        Ok((live, events)) => (live, events),
        Err((verdict, reason)) => return finish(tx, arrival.seq, &arrival.id, *verdict, Some(reason), &[]),
    };
    let place = Place {
        connection: &live.connection.id,
        connector: &live.connection.connector,
        agent: live.connection.agent.as_ref(),
        gather: hub.gather(live),
        language: &hub.language(),
        reports: live.reports(),
    };
    let effects = events.iter().map(|event| conversations::apply(tx, &place, event)).collect::<Result<Vec<_>>>()?;
    // Replayed, it finds everything done: what it did the first time stays its verdict.
    let before: Vec<Effect> = serde_json::from_str(&before).map_err(anyhow::Error::from)?;
    let is_known = match verdict_of(&effects) {
        Verdict::Repeat => !before.is_empty(),
        // The fate of a message that has come further since: there is nothing to do, and once there was.
        Verdict::Nothing => verdict_of(&before) == Verdict::Handled,
        Verdict::Pending | Verdict::Handled | Verdict::NotUnderstood | Verdict::Parked => false,
    };
    let effects = if is_known { before } else { effects };
    finish(tx, arrival.seq, &arrival.id, verdict_of(&effects), None, &effects)?;
    let pressed = |event: &Event| if let Event::Message(message) = event { message.acknowledge.clone() } else { None };
    let acknowledge: Vec<String> = events.iter().filter_map(pressed).collect();
    let strangers = introductions::strangers(events);
    if !acknowledge.is_empty() || !strangers.is_empty() {
        let (hub, live) = (hub.clone(), live.clone());
        tx.afterwards(move || {
            introductions::ask(&hub, live.clone(), strangers);
            if !acknowledge.is_empty() {
                hub.acknowledge(live, acknowledge);
            }
        });
    }
    Ok(())
}

/// Lets the connector say what happened.
fn understood(hub: &Hub, arrival: &Pending) -> Read {
    let Some(live) = hub.connections.get(&arrival.connection) else {
        return Err((Verdict::Parked, say!("The connection is not there any more.").to_string()));
    };
    let settings = match &live.settings {
        Ok(settings) => settings,
        Err(sentence) => return Err((Verdict::Parked, sentence.to_string())),
    };
    let Some(channel) = live.connector.channel() else {
        return Err((Verdict::Parked, say!("This connection does not receive messages.").to_string()));
    };
    // A bug in one connector must not stop the others' messages.
    let parsed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| channel.parse(settings, &arrival.request)));
    match parsed {
        Ok(Ok(events)) => Ok((live, events)),
        Ok(Err(malformed)) => Err((Verdict::NotUnderstood, malformed.0)),
        Err(_) => {
            tracing::error!(connector.kind = live.connector.about().kind, arrival.id = %arrival.id, "A connector panicked while reading an arrival.");
            Err((Verdict::NotUnderstood, say!("Shopbell could not read this. It is kept whole and can be replayed.").to_string()))
        }
    }
}

/// The gravest thing that can be said of it, for a person who looks.
pub fn verdict_of(effects: &[Effect]) -> Verdict {
    let any = |test: fn(&Effect) -> bool| effects.iter().any(test);
    if any(|effect| matches!(effect, Effect::NotUnderstood { .. })) {
        Verdict::NotUnderstood
    } else if any(|effect| matches!(effect, Effect::Message { .. } | Effect::Changed { .. } | Effect::Status { .. })) {
        Verdict::Handled
    } else if any(|effect| matches!(effect, Effect::Repeat { .. })) {
        Verdict::Repeat
    } else {
        Verdict::Nothing
    }
}

/// Closes an arrival with its verdict.
pub fn finish(tx: &Tx<'_>, seq: i64, id: &ArrivalId, verdict: Verdict, reason: Option<&str>, effects: &[Effect]) -> Result<()> {
    tx.prepare_cached("UPDATE arrival SET verdict = ?2, reason = ?3, effects = ?4 WHERE seq = ?1")?.execute(params![
        seq,
        verdict.as_str(),
        reason,
        serde_json::to_string(effects).map_err(anyhow::Error::from)?
    ])?;
    tx.changed(Change::Arrival { id: id.clone() });
    Ok(())
}

/// After a start: heals due times of a clock that ran ahead.
pub fn recover(tx: &Tx<'_>) -> Result<()> {
    tx.execute("UPDATE arrival SET due_at = ?1 WHERE verdict = 'pending' AND due_at > ?2", params![tx.now(), tx.now().plus(LONGEST_WAIT)])?;
    Ok(())
}

/// Reads an arrival again. What it did before is not done twice.
pub fn replay(tx: &Tx<'_>, id: &ArrivalId) -> Result<()> {
    let changed = tx
        .prepare_cached("UPDATE arrival SET verdict = 'pending', attempts = 0, due_at = 0, reason = NULL WHERE id = ?1")?
        .execute([id])?;
    if changed == 0 {
        return Err(Error::not_found(say!("This arrival is not kept any more.")));
    }
    tx.changed(Change::Arrival { id: id.clone() });
    tx.wake(Stage::Arrivals);
    Ok(())
}
