//! Why the service did not do what we asked, sorted by what to do about it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::Sentence;

/// A service's answer that is not what we asked for, sorted by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Too fast; wait. Never shown as a failure.
    #[error("the service asks to wait")]
    RateLimited {
        /// How long, when the service said so.
        retry_after: Option<Duration>,
    },
    /// Too fast for this customer alone; the others go on.
    #[error("the service asks to wait before writing to this customer again")]
    ThreadLimited {
        /// How long.
        retry_after: Duration,
    },
    /// It did not work this time and nothing was done there: trying again is safe.
    #[error("{0}")]
    Temporary(Sentence),
    /// It will never work like this.
    #[error("{0}")]
    Permanent(Sentence),
    /// It will not work until somebody does something about it.
    #[error("{sentence}")]
    Refused {
        /// What to do.
        action: Action,
        /// Why, and what to do, in words.
        sentence: Sentence,
    },
    /// The credentials are not accepted: the connection needs its owner.
    #[error("{0}")]
    Unauthorized(Sentence),
    /// The account has no money left: trying again is useless until somebody pays.
    #[error("{0}")]
    OutOfCredit(Sentence),
    /// The model cannot read that much: shorten and try once more.
    #[error("{0}")]
    TooLong(Sentence),
    /// The call was cut off after it may have been carried out. Never repeated blindly.
    #[error("the answer never came")]
    Ambiguous,
}

/// What helps after a refusal. The inbox has a button for most of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The connection's owner signs in again or types a new key.
    Reauthorise,
    /// A right is missing at the service; the sentence names it.
    GrantPermission,
    /// The time for free answers is over: choose a template, or wait until the customer writes.
    UseTemplate,
    /// The template is wrong, paused or not approved.
    FixTemplate,
    /// The service does not take this content: shorten it, or send another file.
    FixContent,
    /// Wait: the service counts too many messages.
    SlowDown,
    /// The customer cannot be reached here: not on the service, an old app, a wrong number.
    Unreachable,
    /// The customer does not want messages, or blocked the shop.
    Blocked,
    /// Not again today: the service refuses marketing to this customer for now.
    NotToday,
    /// An invoice at the service must be paid.
    Pay,
    /// The account or number is locked or not registered at the service.
    FixAccount,
}

impl Action {
    /// As the store writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reauthorise => "reauthorise",
            Self::GrantPermission => "grant_permission",
            Self::UseTemplate => "use_template",
            Self::FixTemplate => "fix_template",
            Self::FixContent => "fix_content",
            Self::SlowDown => "slow_down",
            Self::Unreachable => "unreachable",
            Self::Blocked => "blocked",
            Self::NotToday => "not_today",
            Self::Pay => "pay",
            Self::FixAccount => "fix_account",
        }
    }
}

impl ServiceError {
    /// What helps, where it is known.
    pub fn action(&self) -> Option<Action> {
        match self {
            Self::Refused { action, .. } => Some(*action),
            Self::Unauthorized(_) => Some(Action::Reauthorise),
            Self::OutOfCredit(_) => Some(Action::Pay),
            Self::RateLimited { .. } | Self::ThreadLimited { .. } => Some(Action::SlowDown),
            Self::TooLong(_) => Some(Action::FixContent),
            Self::Temporary(_) | Self::Permanent(_) | Self::Ambiguous => None,
        }
    }

    /// What to tell the person.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::RateLimited { .. } | Self::ThreadLimited { .. } => {
                crate::say!("The service asks us to slow down. We go on by ourselves.")
            }
            Self::Temporary(sentence)
            | Self::Permanent(sentence)
            | Self::Unauthorized(sentence)
            | Self::OutOfCredit(sentence)
            | Self::TooLong(sentence) => sentence.clone(),
            Self::Refused { sentence, .. } => sentence.clone(),
            Self::Ambiguous => crate::say!("The connection broke before the service answered. It may have arrived."),
        }
    }
}
