//! Turns: one answer of an agent at a time per conversation.
//!
//! This is the stage: it claims turns that are due ([`take_up`]), lets each run as a task ([`crate::agent::answer`]), and cancels a task whose
//! turn has lost the word (a newer message superseded it, a person took over). Losing the word is decided in the database; the
//! cancelling only saves the model's time.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::agent::answer::{self, Brief};
use crate::agent::ledger;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::TurnId;
use crate::model::Change;
use crate::store::{Ring, Stage, Tx};

/// How many answers may be in the making at once.
const AT_ONCE: usize = 48;
/// How many answers' material is read inside the commit that claims them, at most: everybody else's writes wait meanwhile.
const FEW: usize = 4;
/// How long changes of turns are gathered before they are looked at.
const A_MOMENT: Duration = Duration::from_millis(50);

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

/// Claims turns that are due, inside the commit that made them due or made room for them, and begins them once it is durable. `next` is told
/// when the next one is due.
fn take_up(tx: &Tx<'_>, hub: &Arc<Hub>, next: &Arc<watch::Sender<Option<Timestamp>>>) -> Result<Ring> {
    if hub.stopping().is_cancelled() {
        return Ok(Ring::No);
    }
    // Where there is no room, the answer that ends next makes some in the commit that writes its end.
    let room = AT_ONCE.saturating_sub(hub.turns.count());
    let (claimed, due) = if room == 0 { (Vec::new(), None) } else { ledger::claim(tx, room)? };
    let few = claimed.len() <= FEW;
    for turn in claimed {
        let seat = Seat::take(hub, &turn.id);
        // Everything it needs was just written: it is read here, and not on another thread in a moment. What cannot be read is read again
        // there, where its trouble is dealt with.
        let brief = if few { Brief::read(tx, &turn).ok() } else { None };
        tx.afterwards(move || {
            let hub = seat.hub.clone();
            hub.clone().spawn(async move {
                answer::take(&hub, turn, brief, seat.cancelled.clone()).await;
                drop(seat);
            });
        });
    }
    let next = next.clone();
    tx.afterwards(move || {
        next.send_if_modified(|known| std::mem::replace(known, due) != due);
    });
    Ok(Ring::No)
}

/// The stage: takes turns until told to stop. What is in the making then hears of it by its own token, and goes on at the next start.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let stages = hub.store.stages().clone();
    let (next, mut known) = watch::channel(None);
    let next = Arc::new(next);
    let (weak, told) = (Arc::downgrade(&hub), next.clone());
    stages.join(
        Stage::Turns,
        Arc::new(move |tx| {
            let Some(hub) = weak.upgrade() else { return Ok(Ring::No) };
            take_up(tx, &hub, &told)
        }),
    );
    hub.spawn(watch_words(hub.clone(), stop.clone()));
    // What waits since before the start.
    let mut pause = look(&hub, &next).await;
    while !stop.is_cancelled() {
        let due = *known.borrow_and_update();
        let idle = due.map_or(Duration::from_secs(3600), |due| due.since(hub.store.clock().now()).max(Duration::from_millis(1)));
        let wait = if pause.is_zero() { idle } else { pause };
        tokio::select! {
            () = stop.cancelled() => break,
            // Nothing that was told before this loop looked is missed: the value itself is read above.
            Ok(()) = known.changed() => {}
            () = stages.of(Stage::Turns).notified() => pause = look(&hub, &next).await,
            () = tokio::time::sleep(wait) => pause = look(&hub, &next).await,
        }
    }
    stages.part(Stage::Turns);
}

/// Claims what is due in a commit of its own. How long to leave the database alone after a failure.
async fn look(hub: &Arc<Hub>, next: &Arc<watch::Sender<Option<Timestamp>>>) -> Duration {
    let (inside, next) = (hub.clone(), next.clone());
    match hub.store.write(move |tx| take_up(tx, &inside, &next)).await {
        Ok(_) => Duration::ZERO,
        Err(error) => {
            tracing::error!(error = ?error, "Turns could not be read; trying again.");
            Duration::from_secs(2)
        }
    }
}

/// Cancels tasks whose turn no longer runs. What changes within a moment is looked at together: an answer that is there at once is gone by
/// then, and a model that thinks for seconds is stopped early enough.
async fn watch_words(hub: Arc<Hub>, stop: CancellationToken) {
    let (mut changes, _) = hub.store.changes().listen(None);
    loop {
        let mut doubtful = HashSet::new();
        tokio::select! {
            () = stop.cancelled() => return,
            change = changes.recv() => match change {
                Ok(announced) => doubtful.extend(of_a_turn(announced.change)),
                Err(RecvError::Lagged(_)) => doubtful.extend(hub.turns.all()),
                Err(RecvError::Closed) => return,
            },
        }
        if !doubtful.iter().any(|turn| hub.turns.token(turn).is_some()) {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(A_MOMENT) => {}
        }
        loop {
            match changes.try_recv() {
                Ok(announced) => doubtful.extend(of_a_turn(announced.change)),
                Err(TryRecvError::Lagged(_)) => doubtful.extend(hub.turns.all()),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        stop_lost(&hub, doubtful).await;
    }
}

fn of_a_turn(change: Change) -> Option<TurnId> {
    if let Change::Turn { id, .. } = change { Some(id) } else { None }
}

/// Cancels those of `doubtful` that do not run any more.
async fn stop_lost(hub: &Arc<Hub>, doubtful: HashSet<TurnId>) {
    let tokens: Vec<_> = doubtful.into_iter().filter_map(|turn| Some((hub.turns.token(&turn)?, turn))).collect();
    if tokens.is_empty() {
        return;
    }
    let looked = hub
        .store
        .read(move |db| {
            for (token, turn) in &tokens {
                if !ledger::is_running(db, turn)? {
                    token.cancel();
                }
            }
            Ok(())
        })
        .await;
    if let Err(error) = looked {
        tracing::warn!(error = ?error, "Whether answers still have the word could not be looked at.");
    }
}
