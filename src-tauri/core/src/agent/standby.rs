//! Agents that cannot answer: their model waits for its owner, or they were deleted.
//!
//! A model without credit is tried again now and then by a turn that waits for it, because nobody tells us when somebody has paid. A key
//! that was refused is not: only its owner can mend that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::conversations::{inheriting, waiting};
use crate::error::Result;
use crate::id::{AgentId, ConnectionId};
use crate::store::Store;

/// How long a turn waits for its model's owner before a person is asked for.
pub const HOLD: Duration = Duration::from_secs(300);
/// How often a model without credit is tried by itself.
const TRY_EVERY: Duration = Duration::from_secs(60);

/// Why a model refuses to work until its owner does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its key is not taken any more.
    Key,
    /// The account has no money left.
    Credit,
}

/// When each model that waits for its owner may be tried next by itself; never, where nothing is said.
#[derive(Default)]
pub struct Trials(Mutex<HashMap<ConnectionId, Option<Timestamp>>>);

impl Trials {
    /// The model refused.
    pub fn refused(&self, id: &ConnectionId, why: Refusal, now: Timestamp) {
        let next = match why {
            Refusal::Key => None,
            Refusal::Credit => Some(now.plus(TRY_EVERY)),
        };
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id.clone(), next);
    }

    /// Whether a turn may try it now. Only one does; the others wait for what comes of it. After a start each is tried once.
    pub fn may_try(&self, id: &ConnectionId, now: Timestamp) -> bool {
        let mut trials = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match trials.get(id) {
            Some(None) => false,
            Some(Some(next)) if *next > now => false,
            Some(Some(_)) | None => {
                trials.insert(id.clone(), Some(now.plus(TRY_EVERY)));
                true
            }
        }
    }

    /// When it may be tried next.
    pub fn next(&self, id: &ConnectionId) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(id).copied().flatten()
    }

    /// It works.
    pub fn mended(&self, id: &ConnectionId) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(id);
    }
}

/// The model at `connection` works: what waited for it goes on.
pub async fn resume(store: Arc<Store>, connection: ConnectionId, stop: CancellationToken) {
    if let Err(error) = resumed(&store, &connection, &stop).await {
        tracing::error!(connection.id = %connection, error = ?error, "Conversations that waited for a model could not all be handed back.");
    }
}

async fn resumed(store: &Arc<Store>, connection: &ConnectionId, stop: &CancellationToken) -> Result<()> {
    let id = connection.clone();
    let waits: bool = store
        .read(move |db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM conversation WHERE waits_for = ?1)
                OR EXISTS (SELECT 1 FROM turn WHERE held = 1 AND agent IN (SELECT id FROM agent WHERE connection = ?1))";
            Ok(db.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
        })
        .await?;
    if !waits {
        return Ok(());
    }
    let id = connection.clone();
    store.write(move |tx| waiting::release_turns(tx, &id)).await?;
    while !stop.is_cancelled() {
        let id = connection.clone();
        if !store.write(move |tx| waiting::hand_back_some(tx, &id)).await? {
            break;
        }
    }
    Ok(())
}

/// Gives on all conversations in work of an agent that is gone.
pub async fn give_on(store: &Arc<Store>, gone: &AgentId) -> Result<()> {
    loop {
        let id = gone.clone();
        if !store.write(move |tx| inheriting::give_on_some(tx, &id)).await? {
            return Ok(());
        }
    }
}

/// After a start: what an earlier run began to give on.
pub async fn give_on_rest(store: Arc<Store>) {
    let given = async {
        while let Some(gone) = store.read(inheriting::gone).await? {
            give_on(&store, &gone).await?;
        }
        Ok::<(), crate::error::Error>(())
    };
    if let Err(error) = given.await {
        tracing::error!(error = ?error, "Conversations of a deleted agent could not all be given on; the next start goes on.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_turn_tries_a_model_without_credit_now_and_then_and_nobody_tries_a_refused_key() {
        let (trials, id) = (Trials::default(), ConnectionId::from("con_1"));
        let now = Timestamp::from_seconds(1000);
        assert!(trials.may_try(&id, now), "after a start nobody knows");
        assert!(!trials.may_try(&id, now), "one is enough");
        trials.refused(&id, Refusal::Credit, now);
        assert!(!trials.may_try(&id, now.plus(TRY_EVERY / 2)));
        let later = now.plus(TRY_EVERY);
        assert_eq!(trials.next(&id), Some(later));
        assert!(trials.may_try(&id, later) && !trials.may_try(&id, later));
        trials.refused(&id, Refusal::Key, later);
        assert!(!trials.may_try(&id, later.plus(TRY_EVERY * 1000)));
        assert_eq!(trials.next(&id), None);
        trials.mended(&id);
        assert!(trials.may_try(&id, later));
    }
}
