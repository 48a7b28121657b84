//! Turns: one answer of an agent at a time per conversation.
//!
//! This is the stage: it claims turns that are due, lets each run as a task ([`crate::agent::answer`]), and cancels a task whose
//! turn has lost the word (a newer message superseded it, a person took over). Losing the word is decided in the database; the
//! cancelling only saves the model's time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::agent::{answer, ledger};
use crate::error::Result;
use crate::hub::Hub;
use crate::id::TurnId;
use crate::model::Change;
use crate::store::Stage;

/// How many answers may be in the making at once.
const AT_ONCE: usize = 48;

pub use ledger::recover;

/// The answers in the making.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<TurnId, CancellationToken>>);

impl Turns {
    fn begin(&self, turn: &TurnId, stop: &CancellationToken) -> CancellationToken {
        let token = stop.child_token();
        self.0.lock().expect("nothing panics while it is held").insert(turn.clone(), token.clone());
        token
    }

    fn end(&self, turn: &TurnId) {
        self.0.lock().expect("nothing panics while it is held").remove(turn);
    }

    fn token(&self, turn: &TurnId) -> Option<CancellationToken> {
        self.0.lock().expect("nothing panics while it is held").get(turn).cloned()
    }

    fn all(&self) -> Vec<TurnId> {
        self.0.lock().expect("nothing panics while it is held").keys().cloned().collect()
    }
}

/// The stage: takes turns until told to stop. What is in the making then goes on at the next start.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let stages = hub.store.stages().clone();
    let mut tasks: JoinSet<()> = JoinSet::new();
    hub.spawn(watch(hub.clone(), stop.clone()));
    while !stop.is_cancelled() {
        let wait = match round(&hub, &mut tasks, &stop).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(error = ?error, "Turns could not be read; trying again.");
                Duration::from_secs(2)
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = stages.of(Stage::Turns).notified() => {}
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
            () = tokio::time::sleep(wait) => {}
        }
        while tasks.try_join_next().is_some() {}
    }
    // The tasks hear of the stop by their own tokens; their writes are whole or not at all.
    while tasks.join_next().await.is_some() {}
}

async fn round(hub: &Arc<Hub>, tasks: &mut JoinSet<()>, stop: &CancellationToken) -> Result<Duration> {
    let room = AT_ONCE.saturating_sub(tasks.len());
    if room == 0 {
        return Ok(Duration::from_secs(60));
    }
    let now = hub.store.clock().now();
    // A look is cheap, a claim is a write: nothing is written when nothing is due.
    let due = hub
        .store
        .read(move |db| {
            let sql = "SELECT (SELECT min(due_at) FROM turn t WHERE status = 'wanted' AND NOT EXISTS (SELECT 1 FROM turn r WHERE r.conversation = t.conversation AND r.status = 'running'))";
            Ok(db.prepare_cached(sql)?.query_row([], |row| row.get::<_, Option<crate::clock::Timestamp>>(0))?)
        })
        .await?;
    let Some(due) = due else { return Ok(Duration::from_secs(3600)) };
    if due > now {
        return Ok(due.since(now).max(Duration::from_millis(1)));
    }
    let (claimed, next) = hub.store.write(move |tx| ledger::claim(tx, room)).await?;
    let full = claimed.len() == room;
    for turn in claimed {
        let token = hub.turns.begin(&turn.id, stop);
        let hub = hub.clone();
        tasks.spawn(async move {
            let id = turn.id.clone();
            answer::take(&hub, turn, token).await;
            hub.turns.end(&id);
        });
    }
    if full {
        return Ok(Duration::from_secs(60));
    }
    Ok(next.map_or(Duration::from_secs(3600), |next| next.since(hub.store.clock().now()).max(Duration::from_millis(1))))
}

/// Cancels tasks whose turn no longer runs.
async fn watch(hub: Arc<Hub>, stop: CancellationToken) {
    let (mut changes, _) = hub.store.changes().listen(None);
    loop {
        let turns = tokio::select! {
            () = stop.cancelled() => return,
            change = changes.recv() => match change {
                Ok(announced) => match announced.change {
                    Change::Turn { id, .. } => vec![id],
                    _ => continue,
                },
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => hub.turns.all(),
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            },
        };
        for turn in turns {
            let Some(token) = hub.turns.token(&turn) else { continue };
            let asked = turn.clone();
            match hub.store.read(move |db| ledger::is_running(db, &asked)).await {
                Ok(true) => {}
                Ok(false) => token.cancel(),
                Err(error) => tracing::warn!(turn.id = %turn, error = ?error, "A turn could not be looked at."),
            }
        }
    }
}
