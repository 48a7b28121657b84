//! How an answer ends that could not be made: tried again, held back, given on, or a person is called. The customer hears nothing of it.

use std::sync::Arc;
use std::time::Duration;

use crate::agent::ledger::{self, Turn};
use crate::clock::Timestamp;
use crate::connector::ServiceError;
use crate::error::{Error, Sentence};
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::model::Usage;
use crate::queue::{backoff, jittered};
use crate::say;
use crate::store::Stage;

/// How often a turn is tried when its model fails.
const ATTEMPTS: u32 = 4;

/// Why a turn did not end.
pub enum Trouble {
    /// The model's service.
    Service(ServiceError),
    /// It can never work: a person is needed.
    Hopeless(Sentence),
    /// It works again when the model's owner has done something.
    Waits {
        /// The model.
        connection: ConnectionId,
        /// Why, and what to do.
        why: Sentence,
        /// Whether it is worth waiting a moment before a person is asked for.
        holds: bool,
    },
    /// The agent was deleted.
    AgentGone,
    /// Ours.
    Own(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl From<ServiceError> for Trouble {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

/// What is to be written at the end of a turn that has no answer.
#[derive(Clone)]
pub enum End {
    /// Somebody else has the word.
    Lost,
    /// To be tried again.
    Later {
        /// How much later.
        wait: Duration,
        /// Why.
        reason: String,
        /// Whether it counts as an attempt.
        counts: bool,
    },
    /// A person is needed.
    Failed {
        /// Why.
        reason: String,
    },
    /// To be tried again when the model's owner has done something, and at that moment at the latest.
    Held {
        /// That moment.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// A person is needed until the model works again.
    FailedMeanwhile {
        /// Why.
        reason: String,
        /// The model.
        connection: ConnectionId,
    },
    /// Another agent makes the answer.
    GivenOn,
}

/// Writes it down.
pub async fn write(hub: &Arc<Hub>, turn: &Turn, end: &End, usage: Usage) -> crate::error::Result<()> {
    let (inside, turn, end) = (hub.clone(), turn.clone(), end.clone());
    hub.store
        .write(move |tx| {
            // Its place is free: the same commit may begin the next answer.
            inside.turns.end(&turn.id);
            tx.wake(Stage::Turns);
            match end {
                End::Lost => ledger::lose(tx, &turn, &usage),
                End::Later { wait, reason, counts } => ledger::postpone(tx, &turn, tx.now().plus(wait), &reason, counts, &usage),
                End::Failed { reason } => ledger::fail(tx, &turn, &reason, &usage),
                End::Held { until, reason } => ledger::hold(tx, &turn, until, &reason, &usage),
                End::FailedMeanwhile { reason, connection } => ledger::fail_meanwhile(tx, &turn, &reason, &connection, &usage),
                End::GivenOn => ledger::give_on(tx, &turn, &usage),
            }
        })
        .await
}

/// What becomes of a turn that met `trouble`.
pub fn of(hub: &Arc<Hub>, turn: &Turn, trouble: Trouble) -> End {
    let wait = || backoff(turn.attempts, Duration::from_secs(2), Duration::from_secs(60));
    let (reason, wait, counts) = match trouble {
        Trouble::AgentGone => return End::GivenOn,
        Trouble::Waits { connection, why, holds } => return held(hub, turn, connection, &why, holds),
        Trouble::Service(ServiceError::RateLimited { retry_after }) if turn.attempts < ATTEMPTS * 4 => {
            let wait = retry_after.map_or_else(wait, |wait| wait + jittered(Duration::from_millis(500)));
            (say!("The service asks us to slow down. We go on by ourselves."), Some(wait), true)
        }
        Trouble::Service(error @ (ServiceError::Temporary(_) | ServiceError::Ambiguous)) if turn.attempts + 1 < ATTEMPTS => {
            (error.sentence(), Some(wait()), true)
        }
        Trouble::Service(error) => (error.sentence(), None, true),
        Trouble::Hopeless(sentence) => (sentence, None, true),
        Trouble::Own(error) if turn.attempts + 1 < ATTEMPTS => {
            tracing::error!(turn.id = %turn.id, error = ?error, "An answer failed inside the hub; trying again.");
            (error.message, Some(wait()), true)
        }
        Trouble::Own(error) => {
            tracing::error!(turn.id = %turn.id, error = ?error, "An answer failed inside the hub; a person is called.");
            (error.message, None, true)
        }
    };
    let reason = hub.say(&reason);
    match wait {
        Some(wait) => End::Later { wait, reason, counts },
        None => End::Failed { reason },
    }
}

/// A turn whose model waits for its owner waits too, for a while; then a person is asked for.
fn held(hub: &Hub, turn: &Turn, connection: ConnectionId, why: &Sentence, holds: bool) -> End {
    let (now, last) = (hub.store.clock().now(), turn.wanted_at.plus(hub.hold));
    let reason = hub.say(why);
    if !holds || now >= last {
        return End::FailedMeanwhile { reason, connection };
    }
    let next = hub.trials.next(&connection).filter(|next| *next > now);
    End::Held { until: next.map_or(last, |next| next.min(last)), reason }
}
