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

    /// From now on calls fail like that, every so-manieth of them, until it is told otherwise.
    fn set_weather(&self, weather: &Weather);

    /// A signed request as the service would send it for `said` (channels with webhooks); one per update.
    fn signed(&self, _said: &Said) -> Vec<Request> {
        Vec::new()
    }

    /// The same, made out to `hook`; it differs for services that sign the address they call.
    fn signed_for(&self, said: &Said, _hook: &str) -> Vec<Request> {
        self.signed(said)
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

    /// The service's own ids of what customers received, oldest first; empty where [`Self::fate`] tells nothing.
    fn taken(&self) -> Vec<String> {
        Vec::new()
    }

    /// The next answers of a model, in order (models).
    fn script(&self, _answers: Vec<Scripted>) {}
}

/// How often a service's stand-in fails by itself, in percent of the calls it gets.
///
/// Not by dice: with 20, every fifth call fails, so that whoever looks can count along and a test ends the same each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Refused with "too many", to be tried again a second later.
    pub too_many: u8,
    /// Carried out, but the answer never comes.
    pub timeouts: u8,
    /// Files that are no longer there when they are fetched.
    pub expired_media: u8,
    /// Every answer comes that much later.
    pub delay: Duration,
}

/// Picks so many of a hundred, evenly: 20 picks every fifth.
#[derive(Debug, Default)]
pub struct Share(u32);

impl Share {
    /// Whether the next one is picked.
    pub fn picks(&mut self, percent: u8) -> bool {
        self.0 += u32::from(percent.min(100));
        let picked = self.0 >= 100;
        if picked {
            self.0 -= 100;
        }
        picked
    }
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
