//! What comes in: the raw request, and what happened in Shopbell's words.

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::clock::Timestamp;
use crate::connector::Action;
use crate::error::Sentence;
use crate::id::DeliveryId;
use crate::model::{Address, Content, MediaKind};

/// An HTTP request to one of our hooks, as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// "POST", "GET"; "PULL" for what a poll or socket brought.
    pub method: String,
    /// The path below the hook and the query, if any.
    pub path: String,
    /// The query, undecoded.
    pub query: String,
    /// Header names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The raw bytes.
    pub body: Bytes,
    /// The public address the service called, for signatures over the URL.
    pub url: String,
}

impl Request {
    /// What stands for the method of what a poll or socket brought.
    const PULLED: &str = "PULL";

    /// What a poll or socket brought: verified by where it came from.
    pub fn pulled(body: impl Into<Bytes>) -> Self {
        Self {
            method: Self::PULLED.into(),
            path: String::new(),
            query: String::new(),
            headers: Vec::new(),
            body: body.into(),
            url: String::new(),
        }
    }

    /// Whether a poll or socket brought it, so that nobody has signed it.
    pub fn is_pulled(&self) -> bool {
        self.method == Self::PULLED
    }

    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Not from the service, or changed on the way. Says what was wrong, for the list of refusals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Forged(pub &'static str);

/// The whole payload cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// What happened, in Shopbell's words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly every event is a message; boxing it would cost the usual case")]
pub enum Event {
    /// The customer said something.
    Message(IncomingMessage),
    /// The customer changed what was said.
    Edited {
        /// The service's name of the message.
        external_id: String,
        /// What it says now.
        content: Vec<IncomingContent>,
        /// When.
        at: Timestamp,
    },
    /// The customer took it back.
    Deleted {
        /// The service's name of the message.
        external_id: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody of the shop said something outside Shopbell: on the phone, in the service's own app, in another program. It is recorded,
    /// and the conversation is a person's from then on. The echo of a message of our own is recognised and changes nothing.
    FromShop(ShopMessage),
    /// The fate of something we sent.
    Status {
        /// The service's name of our message.
        external_id: String,
        /// Our own name of it, where the service gives it back: settles a delivery whose answer never came.
        delivery: Option<DeliveryId>,
        /// How far it came.
        status: Evidence,
        /// When. Zero means that the service does not say, and counts as "when it arrived".
        at: Timestamp,
    },
    /// The customer is typing.
    Typing {
        /// In which thread.
        thread: String,
        /// Began or stopped.
        on: bool,
    },
    /// The customer blocked us (or let us in again).
    Blocked {
        /// In which thread.
        thread: String,
        /// Blocked or not.
        blocked: bool,
    },
    /// The thread got another name (a group that became a supergroup, a customer with a new number).
    Moved {
        /// The old thread.
        from: String,
        /// The new one.
        to: String,
        /// The customer's new address, where that is what moved.
        address: Option<Address>,
        /// The new name is one more, and the old one stays good.
        beside: bool,
    },
    /// The customer saw everything of ours up to a moment.
    SeenUpTo {
        /// In which thread.
        thread: String,
        /// The service's name of the last message that was seen, if it tells.
        external_id: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// Something about the account that its owner should know: a template was refused, the quality fell, a number was locked.
    Notice {
        /// What it is about, for ever: the same `key` again replaces what stood there ("template:order_ready:pt_BR").
        key: String,
        /// How grave.
        level: NoticeLevel,
        /// In words, with what to do.
        sentence: Sentence,
        /// When.
        at: Timestamp,
    },
    /// Understood, and nothing to do.
    Nothing {
        /// What it was.
        what: String,
    },
    /// One element that could not be read; its neighbours go on.
    NotUnderstood {
        /// Why.
        why: String,
    },
}

/// What a status update proves.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Evidence {
    /// The service took it.
    Sent,
    /// It reached the device.
    Delivered,
    /// It was seen.
    Read,
    /// It was refused.
    Failed {
        /// Why, in words.
        reason: Sentence,
        /// What helps.
        action: Option<Action>,
    },
}

/// How grave a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum NoticeLevel {
    /// Good to know, or good news.
    Info,
    /// Something gets worse.
    Warning,
    /// Something does not work until somebody acts.
    Problem,
}

impl NoticeLevel {
    /// As the store writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// Something that the shop said outside Shopbell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShopMessage {
    /// The service's own name for it.
    pub external_id: String,
    /// The place where it was said.
    pub thread: String,
    /// Other names that the service has for the same place, as in [`IncomingMessage`].
    pub also_threads: Vec<String>,
    /// The customer.
    pub to: Address,
    /// Other addresses of the same customer, told by the service itself.
    pub also: Vec<Address>,
    /// What was said.
    pub content: Vec<IncomingContent>,
    /// When.
    pub sent_at: Timestamp,
    /// Whether the service says that our own program sent it; `None` = it does not say.
    pub ours: Option<bool>,
    /// What else is worth keeping of the thread.
    pub metadata: serde_json::Map<String, Value>,
}

/// Something a customer said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IncomingMessage {
    /// The service's own name for it, unique within the connection for ever.
    pub external_id: String,
    /// The place where it was said (a chat, a visitor): one conversation per thread.
    pub thread: String,
    /// Other names that the service has for the same place: the conversation is found under any of them.
    pub also_threads: Vec<String>,
    /// Who said it.
    pub from: Address,
    /// Other addresses that the service says belong to the same person (a number beside a user id).
    pub also: Vec<Address>,
    /// Their name, if the service tells.
    pub name: Option<String>,
    /// What was said.
    pub content: Vec<IncomingContent>,
    /// When it was said. Whole seconds are taken to be the service's resolution; zero means that the service does not say, and counts as
    /// "when it arrived".
    pub sent_at: Timestamp,
    /// The service's own count within the thread, where it has one; keeps order when updates come out of order.
    pub position: Option<i64>,
    /// The service's name of the message it answers.
    pub reply_to: Option<String>,
    /// Whether it was passed on from somewhere else.
    pub forwarded: bool,
    /// The advertisement or link through which the customer came.
    pub referral: Option<Referral>,
    /// The customer's language, if the service tells.
    pub language: Option<String>,
    /// What else is worth keeping of the thread (S1.18: chat id, user name).
    pub metadata: serde_json::Map<String, Value>,
    /// Something to tell the service about it at once (an id for `acknowledge`), such as a button press that waits for an answer.
    pub acknowledge: Option<String>,
    /// Whether somebody else answers it: the service itself, or another program that holds the thread. It is kept and shown, and no agent
    /// is asked for an answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub answered: bool,
}

impl IncomingMessage {
    /// A message with what every service tells, and nothing else.
    pub fn new(external_id: impl Into<String>, thread: impl Into<String>, from: Address, sent_at: Timestamp) -> Self {
        Self {
            external_id: external_id.into(),
            thread: thread.into(),
            also_threads: Vec::new(),
            from,
            also: Vec::new(),
            name: None,
            content: Vec::new(),
            sent_at,
            position: None,
            reply_to: None,
            forwarded: false,
            referral: None,
            language: None,
            metadata: serde_json::Map::new(),
            acknowledge: None,
            answered: false,
        }
    }
}

/// How a customer came: an advertisement, a link. Kept with the conversation; the first one stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct Referral {
    /// "ad", "post", "link".
    pub kind: String,
    /// The advertisement's id at the service.
    pub source_id: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// Its headline.
    pub headline: Option<String>,
    /// Its words.
    pub body: Option<String>,
    /// The click's own id, needed to report what became of it.
    pub click_id: Option<String>,
    /// When the customer came.
    pub at: Option<Timestamp>,
}

/// A part of what a customer said: content, or a file that is still at the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IncomingContent {
    /// Content as it is.
    Content(Content),
    /// A file to be fetched.
    Media(RemoteMedia),
}

/// A file that is still at the service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RemoteMedia {
    /// What kind.
    pub kind: MediaKind,
    /// What `fetch_media` needs to get it.
    pub reference: String,
    /// Its type, as the service says.
    pub mime: String,
    /// Its name.
    pub filename: Option<String>,
    /// Its size, if the service says.
    pub bytes: Option<u64>,
    /// The SHA-256 of its bytes as lower-case hex, if the service says: what is fetched must match.
    pub sha256: Option<String>,
    /// Words beside it.
    pub caption: Option<String>,
    /// Its length.
    pub duration_ms: Option<u64>,
}
