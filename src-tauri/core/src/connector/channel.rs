//! The role of a channel: customers write to us through it.

use async_trait::async_trait;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::{ChannelRules, Event, Forged, Link, Malformed, Request, ServiceError};
use crate::clock::Timestamp;
use crate::id::DeliveryId;
use crate::model::{Address, Author, Content};

/// The state of a webhook, as the service tells it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, TS)]
pub struct WebhookState {
    /// Where the service calls, by its own word; empty = nowhere.
    pub confirmed_url: Option<String>,
    /// How many updates wait there.
    #[ts(type = "number | null")]
    pub pending: Option<u64>,
    /// The service's last trouble with us.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
    /// What else it told (S1.15: has_custom_certificate, max_connections).
    #[ts(type = "Record<string, unknown>")]
    pub details: serde_json::Map<String, Value>,
}

/// Where `listen` puts what came. Returns when it is durable.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Stores one batch and the cursor after it, in one transaction. `requests` are the raw updates.
    async fn accept(&self, requests: Vec<Request>, cursor: Option<String>) -> anyhow::Result<()>;

    /// The service answered, although it had nothing new: the connection is alive.
    async fn alive(&self);

    /// Which of these messages are not here yet, for services whose list is read again from time to time to find what a webhook missed.
    async fn missing(&self, external_ids: Vec<String>) -> anyhow::Result<Vec<String>> {
        Ok(external_ids)
    }
}

/// What a service keeps of what was said while we were not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// Nothing was said: it only works while we are there.
    Nothing,
    /// Listening goes on from the saved place and brings all of it, for as long as the service keeps it (`None` = for good).
    Listened {
        /// How long that is.
        kept: Option<std::time::Duration>,
    },
    /// It tells when it is asked: see [`Channel::catch_up`].
    Asked {
        /// For how long it keeps things.
        kept: Option<std::time::Duration>,
    },
    /// It tells nothing, and promises to try again for so long.
    Redelivered {
        /// How long that is.
        kept: std::time::Duration,
    },
}

/// The role of a channel: customers write to us through it.
#[async_trait]
pub trait Channel<C: Send + Sync>: Send + Sync {
    /// Abilities, window, limits, pace.
    fn rules(&self) -> ChannelRules;

    /// Is this request really from the service? On the raw bytes, in constant time, before anything is parsed or stored.
    fn verify(&self, config: &C, request: &Request) -> Result<(), Forged>;

    /// What happened. Pure, so that every fixture is a test. `now` is when it arrived.
    fn parse(&self, config: &C, request: &Request) -> Result<Vec<Event>, Malformed>;

    /// The callback that this connection shares with others of the same app at the service; `None` = it has its own alone. A request there
    /// is verified with the settings of a connection that shares it, then offered to each of them; see [`Self::concerns`].
    fn shared_callback(&self, _config: &C) -> Option<SharedCallback> {
        None
    }

    /// Whether anything in a verified request on a shared callback is for this connection.
    fn concerns(&self, _config: &C, _request: &Request) -> bool {
        true
    }

    /// One attempt to send one message: one HTTP call that acts, no retry inside.
    async fn send(&self, link: Link<'_, C>, message: &Outgoing) -> Result<Receipt, ServiceError>;

    /// The answer to a GET with which a service asks whether the hook is ours; `None` = it asks no such thing.
    fn challenge(&self, _config: &C, _request: &Request) -> Option<Result<String, Forged>> {
        None
    }

    /// Whether this connection pulls (polls, holds a socket) rather than being called.
    fn listens(&self, _config: &C) -> bool {
        false
    }

    /// Whether the service calls us on this connection, so that it must be told our address. Some are asked as well, for what a call missed.
    fn is_called(&self, config: &C) -> bool {
        !self.listens(config)
    }

    /// The longest that [`Self::listen`] may be without a sign of progress; after that it is dead, whatever its socket says, and is started
    /// again. `None` = it knows itself.
    fn progress_within(&self, _config: &C) -> Option<std::time::Duration> {
        None
    }

    /// A request to `url` that is signed as the service signs and tells nothing, with which the whole way in is proven.
    fn self_call(&self, _config: &C, _url: &str) -> Option<Request> {
        None
    }

    /// How often the service may be asked about our webhook without being a burden.
    fn look_every(&self) -> std::time::Duration {
        std::time::Duration::from_secs(40)
    }

    /// Pulls until it fails or is dropped, putting everything into `sink` from `cursor` on.
    async fn listen(&self, _link: Link<'_, C>, _cursor: Option<String>, _sink: &dyn Sink) -> Result<(), ServiceError> {
        Err(ServiceError::Permanent(crate::say!("This channel cannot be listened to.")))
    }

    /// What this service keeps of what was said while we were not there.
    fn history(&self, _config: &C) -> History {
        History::Nothing
    }

    /// Puts everything into `sink` that was said since then and is not here yet, oldest first; for channels whose history is
    /// [`History::Asked`]. One look: the core asks again when it fails.
    async fn catch_up(&self, _link: Link<'_, C>, _since: Timestamp, _sink: &dyn Sink) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Registers `url` as the webhook and reads the state back.
    async fn subscribe(&self, _link: Link<'_, C>, _url: &str) -> Result<WebhookState, ServiceError> {
        Err(ServiceError::Permanent(crate::say!("This service has no way to register the address by itself. Paste it there by hand.")))
    }

    /// What the service says of our webhook.
    async fn webhook_state(&self, _link: Link<'_, C>) -> Result<WebhookState, ServiceError> {
        Err(ServiceError::Permanent(crate::say!("This service does not tell about its webhook.")))
    }

    /// Was it sent? `Some` = yes, under that id; `None` = the service cannot tell.
    async fn reconcile(&self, _link: Link<'_, C>, _message: &Outgoing) -> Result<Option<Receipt>, ServiceError> {
        Ok(None)
    }

    /// Gets a file that a customer sent.
    async fn fetch_media(&self, _link: Link<'_, C>, _reference: &str) -> Result<Fetched, ServiceError> {
        Err(ServiceError::Permanent(crate::say!("This channel has no files.")))
    }

    /// Shows the customer that an answer is being written; lasts a few seconds, the core repeats it. `answering` is the service's name of
    /// the customer's last message.
    async fn typing(&self, _link: Link<'_, C>, _thread: &str, _answering: Option<&str>) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Tells the service (and so the customer) that a person or an agent has read up to that message; best effort.
    async fn mark_read(&self, _link: Link<'_, C>, _thread: &str, _external_id: &str) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Who somebody is, for services whose messages do not say; asked once for a customer without a name, best effort.
    async fn profile(&self, _link: Link<'_, C>, _address: &Address) -> Result<Option<Profile>, ServiceError> {
        Ok(None)
    }

    /// The approved (and other) templates of this account.
    async fn templates(&self, _link: Link<'_, C>) -> Result<Vec<Template>, ServiceError> {
        Ok(Vec::new())
    }

    /// Whether this connection reports to the service's advertising.
    fn reports(&self, _config: &C) -> Reports {
        Reports::Never
    }

    /// Reports to the service's advertising what became of a customer who came through an advertisement. One attempt.
    async fn report(&self, _link: Link<'_, C>, _conversion: &Conversion) -> Result<(), ServiceError> {
        Err(ServiceError::Permanent(crate::say!("This channel has no advertising to report to.")))
    }

    /// Tells the service that something was received (a pressed button, a read mark); best effort.
    async fn acknowledge(&self, _link: Link<'_, C>, _what: &str) -> Result<(), ServiceError> {
        Ok(())
    }
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its delivery: the key of idempotency and reconciliation.
    pub delivery: DeliveryId,
    /// The place to send it to.
    pub thread: String,
    /// Who it is for.
    pub to: Address,
    /// Who says it.
    pub author: Author,
    /// What is said. One text, choices, media or location each; the core has split it to the channel's limits.
    pub content: Content,
    /// The service's name of the message it answers.
    pub reply_to: Option<String>,
    /// When the customer last wrote.
    pub last_in_at: Option<Timestamp>,
    /// What the connector kept about the thread.
    pub metadata: serde_json::Map<String, Value>,
}

/// Who somebody is at a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Their name.
    pub name: Option<String>,
    /// The name of their account, without the @.
    pub username: Option<String>,
}

/// A callback that several connections share ("meta", the app id): `/hooks/<family>/<key>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SharedCallback {
    /// Whose callback it is, for ever. Lower-case letters; shorter than a hook key.
    pub family: &'static str,
    /// The app.
    pub key: String,
}

/// A template that the service approved, or did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct Template {
    /// Its id at the service; what [`Content::Template`] names.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its language ("pt_BR").
    pub language: String,
    /// "marketing", "utility", "authentication".
    pub category: String,
    /// Whether it may be sent.
    pub status: TemplateStatus,
    /// What stands above the words, if that is text.
    pub header: Option<String>,
    /// The words, with gaps as `{{1}}` or `{{name}}`.
    pub body: String,
    /// What stands below the words.
    pub footer: Option<String>,
    /// What stands on its buttons.
    pub buttons: Vec<String>,
    /// What must be filled in, in order.
    pub gaps: Vec<TemplateGap>,
}

/// Whether a template may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum TemplateStatus {
    /// It may.
    Approved,
    /// The service has not decided yet.
    Pending,
    /// Refused.
    Rejected,
    /// Customers complained; the service holds it back for a while.
    Paused,
    /// For good.
    Disabled,
}

/// A gap of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct TemplateGap {
    /// Its key in the values of [`Content::Template`] ("body.1", "header.media", "button.0").
    pub key: String,
    /// What it is called in the text ("1", "name").
    pub label: String,
    /// An example, as the template's author gave it.
    pub example: Option<String>,
    /// What goes in: words, or a file of that kind (then the value is a media id).
    pub kind: GapKind,
}

/// What fills a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// Words.
    Text,
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A file.
    Document,
}

/// Whether a connection reports to the service's advertising.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reports {
    /// Never.
    #[default]
    Never,
    /// What an agent or somebody of the shop asks for.
    Asked,
    /// That, and by itself every customer who came through an advertisement and wrote.
    EveryLead,
}

/// What became of a customer who came through an advertisement.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion {
    /// Our name for this report, unique for ever: the service may see it twice but counts it once.
    pub id: String,
    /// "LeadSubmitted", "QualifiedLead", "Purchase".
    pub event: String,
    /// When.
    pub at: Timestamp,
    /// The click.
    pub click_id: String,
    /// The customer.
    pub to: Address,
    /// What it was worth: ISO 4217 currency and amount.
    pub value: Option<(String, f64)>,
}

/// The service took the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The service's name for it.
    pub external_id: String,
}

/// A file fetched from the service.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its type, if the service said.
    pub mime: Option<String>,
}
