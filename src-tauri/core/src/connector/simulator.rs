//! A service's stand-in on loopback, for the contract test, the flow tests and the Lab.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::Value;

use super::Request;
use crate::model::MediaKind;

/// Starts a simulator.
pub type StartSimulator = fn() -> BoxFuture<'static, anyhow::Result<Box<dyn Simulator>>>;

/// A service's stand-in on loopback, for the contract test, the flow tests and the Lab. Stops when dropped.
#[async_trait]
pub trait Simulator: Send + Sync {
    /// Settings that work with this simulator, secrets included: `base_url` points to it.
    fn config(&self) -> Value;

    /// A secret planted in [`Self::config`], to be searched for where it must not be.
    fn canary(&self) -> String;

    /// Every call that came, as JSON: `{method, path, body, …}`, oldest first, with the token taken out of paths.
    fn journal(&self) -> Vec<Value>;

    /// Puts `fault` before the next answers.
    fn fault(&self, fault: Fault, times: u32);

    /// A signed request as the service would send it for `said` (channels with webhooks); one per update.
    fn signed(&self, _said: &Said) -> Vec<Request> {
        Vec::new()
    }

    /// The customer says something: pushed to `hook` if the service calls, kept for the next poll otherwise.
    async fn say(&self, _said: &Said, _hook: Option<&str>) -> anyhow::Result<()> {
        Ok(())
    }

    /// The signed request with which the service tells how far a message of ours came (`external_id` as we got it when we sent it).
    fn fate(&self, _external_id: &str, _fate: &Fate) -> Vec<Request> {
        Vec::new()
    }

    /// What customers received, oldest first: (thread, text).
    fn received(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The next answers of a model, in order (models).
    fn script(&self, _answers: Vec<Scripted>) {}
}

/// What a simulated customer says.
#[derive(Clone, Debug)]
pub struct Said {
    /// In which thread (a number for services that count chats).
    pub thread: String,
    /// Who.
    pub name: String,
    /// What, in words; a caption beside a file.
    pub text: String,
    /// What else.
    pub what: SaidWhat,
}

impl Said {
    /// Plain words.
    pub fn text(thread: impl Into<String>, name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { thread: thread.into(), name: name.into(), text: text.into(), what: SaidWhat::Text }
    }
}

/// What a simulated customer does. A simulator whose service has no such thing gives no request for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SaidWhat {
    /// Words.
    #[default]
    Text,
    /// A file of that kind.
    File {
        /// What kind.
        kind: MediaKind,
        /// Its bytes.
        bytes: Bytes,
        /// Its type.
        mime: String,
        /// Its name.
        filename: Option<String>,
    },
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
    },
    /// A visiting card.
    Card {
        /// The name on it.
        name: String,
        /// The number on it.
        phone: String,
    },
    /// A sign on a message; empty takes it away.
    Reaction {
        /// On which, as the service names it.
        target: String,
        /// The sign.
        emoji: String,
    },
    /// An answer to a certain message.
    Reply {
        /// To which.
        target: String,
    },
    /// A pressed button or row.
    Press {
        /// Its id.
        id: String,
    },
    /// Other words for a message of theirs.
    Edit {
        /// Which.
        target: String,
    },
    /// A message of theirs taken back.
    Delete {
        /// Which.
        target: String,
    },
    /// Words passed on from elsewhere.
    Forwarded,
    /// First words after an advertisement.
    FromAd {
        /// The click.
        click_id: String,
    },
    /// Something that the service itself cannot show.
    Unsupported,
    /// The shop answers on its own phone.
    Echo,
}

/// What became of a message at the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Taken.
    Sent,
    /// On the device.
    Delivered,
    /// Seen.
    Read,
    /// Refused, with the service's own code.
    Failed(i64),
}

/// A way in which a service fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429 and "wait so long".
    RateLimit(Duration),
    /// 500.
    ServerError,
    /// 401.
    Unauthorized,
    /// 400 with the service's words.
    Refuse(String),
    /// Refused with the service's own code, as it answers then.
    Code(i64),
    /// The file is no longer there.
    MediaGone,
    /// The request is carried out, the answer never comes.
    CutAfter,
    /// The connection is closed before anything is read.
    CutBefore,
    /// The answer comes that much later.
    Slow(Duration),
}

/// A scripted answer of a model.
#[derive(Clone, Debug)]
pub enum Scripted {
    /// Words, in these pieces.
    Text(Vec<String>),
    /// A tool call.
    Call {
        /// The tool.
        name: String,
        /// Its arguments.
        arguments: Value,
    },
    /// The stream breaks after these words.
    Broken(String),
}
