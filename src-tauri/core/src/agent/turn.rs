//! Turns: one answer of an agent at a time per conversation.
//!
//! This is the stage: it claims turns that are due ([`take_up`]), lets each run as a task ([`crate::agent::answer`]), and cancels a task whose
//! turn has lost the word (a newer message superseded it, a person took over). Losing the word is decided in the database; the
//! cancelling only saves the model's time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::agent::ledger::Turn;
use crate::agent::{answer, ledger};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::TurnId;
use crate::model::Change;
use crate::store::{Ring, Stage, Tx};

/// How many answers may be in the making at once.
const AT_ONCE: usize = 48;

pub use ledger::recover;

/// The answers in the making.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<TurnId, (u64, CancellationToken)>>);

impl Turns {
    /// This answer is made, or given up: another one may begin.
    pub fn end(&self, turn: &TurnId) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(turn);
    }

    fn count(&self) -> usize {
        self.0.lock().expect("nothing panics while it is held").len()
    }

    fn token(&self, turn: &TurnId) -> Option<CancellationToken> {
        self.0.lock().expect("nothing panics while it is held").get(turn).map(|(_, token)| token.clone())
    }

    fn all(&self) -> Vec<TurnId> {
        self.0.lock().expect("nothing panics while it is held").keys().cloned().collect()
    }
}

/// A claimed turn's place among the answers in the making, until dropped.
struct Seat {
    hub: Arc<Hub>,
    turn: TurnId,
    /// Tells it from a later attempt of the same turn.
    number: u64,
    cancelled: CancellationToken,
}

impl Seat {
    fn take(hub: &Arc<Hub>, turn: &TurnId) -> Self {
        static TAKEN: AtomicU64 = AtomicU64::new(0);
        let number = TAKEN.fetch_add(1, Ordering::Relaxed);
        let cancelled = hub.stopping().child_token();
        hub.turns.0.lock().expect("nothing panics while it is held").insert(turn.clone(), (number, cancelled.clone()));
        Self { hub: hub.clone(), turn: turn.clone(), number, cancelled }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut turns = self.hub.turns.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if turns.get(&self.turn).is_some_and(|(number, _)| *number == self.number) {
            turns.remove(&self.turn);
        }
    }
}

/// What the stage waits for, as the last look found it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Waits {
    /// When the next turn is due.
    due: Option<Timestamp>,
    /// Whether more may be due than there was room for.
    full: bool,
}

/// Where claimed turns go.
struct Door {
    claimed: mpsc::Sender<(Turn, Seat)>,
    waits: watch::Sender<Waits>,
}

/// Claims turns that are due and hands them to the stage once the write is durable: inside the commit that made them due, or that made room
/// for them.
fn take_up(tx: &Tx<'_>, hub: &Arc<Hub>, door: &Arc<Door>) -> Result<Ring> {
    if hub.stopping().is_cancelled() {
        return Ok(Ring::No);
    }
    let room = AT_ONCE.saturating_sub(hub.turns.count());
    let (claimed, due) = if room == 0 { (Vec::new(), None) } else { ledger::claim(tx, room)? };
    let waits = Waits { due, full: claimed.len() == room };
    for turn in claimed {
        let (seat, door) = (Seat::take(hub, &turn.id), door.clone());
        // Where the stage has ended meanwhile, the turn goes on at the next start.
        tx.afterwards(move || drop(door.claimed.try_send((turn, seat))));
    }
    let door = door.clone();
    tx.afterwards(move || {
        door.waits.send_if_modified(|known| std::mem::replace(known, waits) != waits);
    });
    Ok(Ring::No)
}

/// The stage: takes turns until told to stop. What is in the making then goes on at the next start.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let stages = hub.store.stages().clone();
    // No more answers are in the making than there are places.
    let (sender, mut claimed) = mpsc::channel(AT_ONCE);
    let (notes, mut waits) = watch::channel(Waits::default());
    let door = Arc::new(Door { claimed: sender, waits: notes });
    let (weak, joined) = (Arc::downgrade(&hub), door.clone());
    stages.join(
        Stage::Turns,
        Arc::new(move |tx| {
            let Some(hub) = weak.upgrade() else { return Ok(Ring::No) };
            take_up(tx, &hub, &joined)
        }),
    );
    hub.spawn(watch_words(hub.clone(), stop.clone()));
    let mut tasks: JoinSet<()> = JoinSet::new();
    // What waits since before the start.
    let mut pause = look(&hub, &door).await;
    while !stop.is_cancelled() {
        let Waits { due, full } = *waits.borrow_and_update();
        let idle = due.map_or(Duration::from_secs(3600), |due| due.since(hub.store.clock().now()).max(Duration::from_millis(1)));
        let wait = if pause.is_zero() { idle } else { pause };
        tokio::select! {
            () = stop.cancelled() => break,
            Some((turn, seat)) = claimed.recv() => {
                let hub = hub.clone();
                tasks.spawn(async move {
                    answer::take(&hub, turn, seat.cancelled.clone()).await;
                    drop(seat);
                });
            }
            // Nothing that was announced before this loop looked is missed: the value itself is read above.
            Ok(()) = waits.changed() => {}
            () = stages.of(Stage::Turns).notified() => pause = look(&hub, &door).await,
            () = tokio::time::sleep(wait) => pause = look(&hub, &door).await,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => if full { pause = look(&hub, &door).await },
        }
    }
    stages.part(Stage::Turns);
    // The tasks hear of the stop by their own tokens; their writes are whole or not at all.
    while tasks.join_next().await.is_some() {}
}

/// Claims what is due in a commit of its own. How long to leave the database alone after a failure.
async fn look(hub: &Arc<Hub>, door: &Arc<Door>) -> Duration {
    let (inside, door) = (hub.clone(), door.clone());
    match hub.store.write(move |tx| take_up(tx, &inside, &door)).await {
        Ok(_) => Duration::ZERO,
        Err(error) => {
            tracing::error!(error = ?error, "Turns could not be read; trying again.");
            Duration::from_secs(2)
        }
    }
}

/// Cancels tasks whose turn no longer runs.
async fn watch_words(hub: Arc<Hub>, stop: CancellationToken) {
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
