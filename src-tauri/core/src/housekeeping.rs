//! What is done now and then: snoozed conversations come back, and what is kept only for a while goes when its time is over.
//!
//! When each chore was last done stands in the database, so that a computer that sleeps, or is started often, skips none. Each works in
//! small batches with a pause after each: whoever writes meanwhile waits for one batch at most.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::params;
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::error::Result;
use crate::hub::Hub;
use crate::store::{Store, Tx, migrate};
use crate::{agent, arrivals, conversations, media};

/// How often is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// The writer is left to others for that long after each batch.
const PAUSE: Duration = Duration::from_millis(100);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// How long a visitor who stays away is known again: a little more than a year, for who comes each season.
const SESSIONS_KEPT: Duration = Duration::from_secs(400 * 86_400);
/// How many rows one batch of small things takes.
const BATCH: i64 = 500;

/// Something that is done now and then.
struct Chore {
    /// Its name in the database, for ever.
    name: &'static str,
    /// How often.
    every: Duration,
    /// What.
    work: Work,
}

/// How a chore works.
enum Work {
    /// One batch in one write; `true` = there is more.
    Batches(fn(&Tx<'_>) -> Result<bool>),
    /// Files that nothing points to any more.
    Files,
    /// Backups of long ago.
    Backups,
}

const CHORES: &[Chore] = &[
    Chore { name: "arrivals done", every: HOUR, work: Work::Batches(arrivals::keeping::forget_done) },
    Chore { name: "arrivals in trouble", every: HOUR, work: Work::Batches(arrivals::keeping::forget_troubled) },
    Chore { name: "statuses without a message", every: HOUR, work: Work::Batches(|tx| Ok(conversations::prune_ahead(tx)? >= 1000)) },
    Chore { name: "steps of turns", every: HOUR, work: Work::Batches(agent::ledger::summarise_old) },
    Chore { name: "unanswered questions", every: HOUR, work: Work::Batches(agent::knowledge::forget_unanswered) },
    Chore { name: "visitors who stay away", every: DAY, work: Work::Batches(forget_visitors) },
    Chore { name: "files", every: HOUR, work: Work::Files },
    Chore { name: "backups", every: DAY, work: Work::Backups },
];

/// Does what is due until told to stop.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        if let Err(error) = round(&hub, &stop).await {
            tracing::error!(error = ?error, "Housekeeping could not be done; trying again later.");
        }
    }
}

/// One look: everything that is due now.
///
/// # Errors
/// What the store says; the other chores are done all the same, and this one is tried again at the next look.
pub async fn round(hub: &Arc<Hub>, stop: &CancellationToken) -> Result<()> {
    let mut outcome = wake_snoozed(&hub.store).await;
    let done = hub.store.read(done_at).await?;
    let now = hub.store.clock().now();
    for chore in CHORES.iter().filter(|chore| is_due(done.get(chore.name).copied(), chore.every, now)) {
        if stop.is_cancelled() {
            break;
        }
        let worked = work(hub, chore, stop).await;
        outcome = outcome.and(worked);
    }
    outcome
}

fn is_due(done: Option<Timestamp>, every: Duration, now: Timestamp) -> bool {
    // Done in the future: somebody has set the clock back since.
    done.is_none_or(|done| done > now || done.plus(every) <= now)
}

fn done_at(db: &rusqlite::Connection) -> Result<HashMap<String, Timestamp>> {
    let mut statement = db.prepare_cached("SELECT name, done_at FROM chore")?;
    Ok(statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
}

async fn work(hub: &Arc<Hub>, chore: &Chore, stop: &CancellationToken) -> Result<()> {
    match chore.work {
        Work::Batches(batch) => {
            while hub.store.write(batch).await? {
                tokio::select! {
                    // Not noted as done: the next start goes on.
                    () = stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
        Work::Files => media::sweeping::sweep(&hub.media, PAUSE, stop).await?,
        Work::Backups => {
            let folder = hub.store.directory().join("backups");
            tokio::task::spawn_blocking(move || migrate::keep_newest_backups(&folder)).await.map_err(anyhow::Error::from)??;
        }
    }
    let name = chore.name;
    hub.store
        .write(move |tx| {
            tx.prepare_cached("INSERT INTO chore (name, done_at) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET done_at = excluded.done_at")?
                .execute(params![name, tx.now()])?;
            Ok(())
        })
        .await
}

/// Conversations whose time has come stand in the inbox again.
async fn wake_snoozed(store: &Arc<Store>) -> Result<()> {
    let now = store.clock().now();
    let due: bool = store
        .read(move |db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM conversation WHERE status = 'snoozed' AND snoozed_until <= ?1)";
            Ok(db.prepare_cached(sql)?.query_row([now], |row| row.get(0))?)
        })
        .await?;
    if !due {
        return Ok(());
    }
    store.write(|tx| crate::conversations::snooze::wake(tx, BATCH)).await
}

fn forget_visitors(tx: &Tx<'_>) -> Result<bool> {
    let forgotten = tx
        .prepare_cached(
            "DELETE FROM visitor_session WHERE token_sha256 IN (SELECT token_sha256 FROM visitor_session WHERE seen_at < ?1 LIMIT ?2)",
        )?
        .execute(params![tx.now().minus(SESSIONS_KEPT), BATCH])?;
    Ok(forgotten >= BATCH as usize)
}

#[cfg(test)]
mod tests;
