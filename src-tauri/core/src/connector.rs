//! What a connector is, and the roles it may play.
//!
//! Channels, models, speech services and tool servers are all connectors: code for one kind of outside service. A
//! [`Connection`] is one configured use of it. What differs is the [`Roles`] they declare. The core knows roles only and never
//! the name of a service; a connector knows nothing of the core but this module and the types it names.
//!
//! Authors write against typed settings (`Connector::Config`); the registry holds [`AnyConnector`], made by [`erase`].

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::clock::{Clock, Timestamp};
use crate::error::Sentence;
use crate::http::Client;
use crate::id::{DeliveryId, MediaId};
use crate::model::{Address, Author, Choice, Connection, Content, MediaKind, Medium, Usage};

/// The code for one kind of outside service.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// What the user fills in. Its JSON schema draws the form (title, description, examples, order); [`Secret`](crate::secret::Secret)
    /// fields go to the vault; `base_url` and fields marked `"x-advanced": true` stand under Advanced.
    type Config: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// Name, kind, type, icon, prerequisites, steps, links.
    fn about(&self) -> About;

    /// What it can do: any of channel, model, page.
    fn roles(&self) -> Roles<Self::Config>;

    /// What is wrong with these settings beyond what the schema can say, by field path. No network.
    fn check(&self, _config: &Self::Config) -> Vec<(String, Sentence)> {
        Vec::new()
    }

    /// Proves that the credentials work, without a customer noticing.
    async fn test(&self, link: Link<'_, Self::Config>) -> Result<Account, ServiceError>;

    /// The service's stand-in on loopback: signs, retries, repeats, refuses as the real one does. `None` only for a connector without an
    /// outside service (the built-in answers, the website chat).
    fn simulator(&self) -> Option<StartSimulator> {
        None
    }
}

/// What the catalogue shows of a connector. All words in English; translations are in the connector crate's `words/`.
#[derive(Clone, Debug)]
pub struct About {
    /// The kind, for ever ("telegram").
    pub kind: &'static str,
    /// Its name ("Telegram").
    pub name: &'static str,
    /// One of the six types of the catalogue.
    pub connector_type: ConnectorType,
    /// How it is signed in to.
    pub auth: Auth,
    /// One line of what it is and what it takes ("Your bot, about 2 minutes").
    pub summary: &'static str,
    /// Why it is shown but cannot be used; `None` = available.
    pub disabled: Option<&'static str>,
    /// What the owner needs before starting.
    pub prerequisites: &'static [&'static str],
    /// What to do, in order, with the exact names on the service's screens.
    pub steps: &'static [Step],
    /// Where to read more: (words, https address).
    pub links: &'static [(&'static str, &'static str)],
    /// The SVG of its mark, white on transparent, 24 × 24.
    pub icon: &'static str,
    /// The colour of its mark ("#2178b8").
    pub color: &'static str,
}

/// One step of a set-up.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema, TS)]
pub struct Step {
    /// What to do.
    pub title: &'static str,
    /// How, in a sentence or two.
    pub text: &'static str,
}

/// The six types of S0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub enum ConnectorType {
    /// A model that agents ask.
    Agent,
    /// Where customers write.
    Channel,
    /// A tool that Shopbell brings.
    #[serde(rename = "Tool - Native")]
    ToolNative,
    /// A tool of the shop's own.
    #[serde(rename = "Tool - User")]
    ToolUser,
    /// An MCP server.
    #[serde(rename = "MCP - External")]
    McpExternal,
    /// Speech to text and text to speech.
    #[serde(rename = "STT & TTS")]
    Speech,
}

/// How a connection proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// Nothing needed.
    None,
    /// A key or token pasted in.
    ApiKey,
    /// User name and password.
    Basic,
    /// Sign-in in the browser.
    Oauth,
}

/// The roles a connector plays.
pub struct Roles<C: Send + Sync> {
    /// Customers write to us through it.
    pub channel: Option<Box<dyn Channel<C>>>,
    /// Agents think with it.
    pub model: Option<Box<dyn Model<C>>>,
    /// The hub itself serves the page on which customers write (the website chat).
    pub page: Option<Box<dyn Page<C>>>,
}

impl<C: Send + Sync> Roles<C> {
    /// A channel and nothing else.
    pub fn channel(channel: impl Channel<C> + 'static) -> Self {
        Self { channel: Some(Box::new(channel)), model: None, page: None }
    }

    /// A model and nothing else.
    pub fn model(model: impl Model<C> + 'static) -> Self {
        Self { channel: None, model: Some(Box::new(model)), page: None }
    }
}

/// One connection in use: its settings (with secrets) and what it may use to reach its service.
pub struct Link<'a, C: ?Sized> {
    /// The connection.
    pub connection: &'a Connection,
    /// Its settings, secrets included.
    pub config: &'a C,
    /// The outgoing client, limited to what this connection may reach.
    pub http: &'a Client,
    /// Stored files, for sending.
    pub media: &'a dyn MediaSource,
    /// The time.
    pub clock: &'a dyn Clock,
}

impl<C: ?Sized> Clone for Link<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: ?Sized> Copy for Link<'_, C> {}

/// Reads stored files.
#[async_trait]
pub trait MediaSource: Send + Sync {
    /// The whole file.
    async fn read(&self, id: &MediaId) -> anyhow::Result<StoredMedia>;
}

/// A stored file.
#[derive(Clone, Debug)]
pub struct StoredMedia {
    /// Its type, as sniffed.
    pub mime: String,
    /// Its name.
    pub filename: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}

/// What a successful test found.
#[derive(Clone, Debug, Default, Serialize, JsonSchema, TS)]
pub struct Account {
    /// The account as its owner knows it ("@paodourado_bot").
    pub name: String,
    /// More that was proven or not yet, in order; each is a line of the result card.
    pub checks: Vec<Check>,
    /// Particulars for scripts (S1.13: bot_username, webhook_set, …).
    #[ts(type = "Record<string, unknown>")]
    pub details: serde_json::Map<String, Value>,
}

/// One line of a test's result.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct Check {
    /// Whether it was proven; `false` is "not yet", never an error.
    pub ok: bool,
    /// What was proven.
    pub text: String,
}

/// A service's answer that is not what we asked for, sorted by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Too fast; wait. Never shown as a failure.
    #[error("the service asks to wait")]
    RateLimited {
        /// How long, when the service said so.
        retry_after: Option<Duration>,
    },
    /// It did not work this time and nothing was done there: trying again is safe.
    #[error("{0}")]
    Temporary(Sentence),
    /// It will never work like this.
    #[error("{0}")]
    Permanent(Sentence),
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

impl ServiceError {
    /// What to tell the person.
    pub fn sentence(&self) -> Sentence {
        match self {
            Self::RateLimited { .. } => {
                crate::say!("The service asks us to slow down. We go on by ourselves.")
            }
            Self::Temporary(sentence)
            | Self::Permanent(sentence)
            | Self::Unauthorized(sentence)
            | Self::OutOfCredit(sentence)
            | Self::TooLong(sentence) => sentence.clone(),
            Self::Ambiguous => crate::say!("The connection broke before the service answered. It may have arrived."),
        }
    }
}

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
    /// What a poll or socket brought: verified by where it came from.
    pub fn pulled(body: impl Into<Bytes>) -> Self {
        Self {
            method: "PULL".into(),
            path: String::new(),
            query: String::new(),
            headers: Vec::new(),
            body: body.into(),
            url: String::new(),
        }
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
    /// The fate of something we sent.
    Status {
        /// The service's name of our message.
        external_id: String,
        /// How far it came.
        status: Evidence,
        /// When.
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
    /// The thread got another name (a group that became a supergroup).
    Moved {
        /// The old thread.
        from: String,
        /// The new one.
        to: String,
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
        /// Why.
        reason: String,
    },
}

/// Something a customer said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IncomingMessage {
    /// The service's own name for it, unique within the connection for ever.
    pub external_id: String,
    /// The place where it was said (a chat, a visitor): one conversation per thread.
    pub thread: String,
    /// Who said it.
    pub from: Address,
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
    /// The customer's language, if the service tells.
    pub language: Option<String>,
    /// What else is worth keeping of the thread (S1.18: chat id, user name).
    pub metadata: serde_json::Map<String, Value>,
    /// Something to tell the service about it at once (an id for `acknowledge`), such as a button press that waits for an answer.
    pub acknowledge: Option<String>,
}

/// A part of what a customer said: content, or a file that is still at the service.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum IncomingContent {
    /// Content as it is.
    Content(Content),
    /// A file to be fetched.
    Media(RemoteMedia),
}

/// A file that is still at the service.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// Words beside it.
    pub caption: Option<String>,
    /// Its length.
    pub duration_ms: Option<u64>,
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
    /// What the connector kept about the thread.
    pub metadata: serde_json::Map<String, Value>,
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

/// What a channel can do and may do.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct ChannelRules {
    /// How people talk here.
    pub medium: Medium,
    /// What it can carry ("photos", "voice", "files", "location", "buttons", "read_ticks", "typing", "edits").
    pub abilities: &'static [&'static str],
    /// The longest text of one message.
    pub text_limit: TextLimit,
    /// The longest caption, in the same unit.
    pub caption_limit: u32,
    /// Largest file that may be sent, in bytes, by kind; missing = not possible.
    pub media_limits: BTreeMap<&'static str, u64>,
    /// How many buttons fit one message; 0 = none (degrade to numbered text).
    pub max_choices: u32,
    /// How long after a customer's message we may answer freely; `None` = always.
    #[ts(type = "number | null")]
    #[serde(serialize_with = "seconds")]
    #[schemars(with = "Option<u64>")]
    pub reply_window: Option<Duration>,
    /// Messages per second of the whole connection.
    pub pace_per_second: f64,
    /// How long to wait for more of a burst before an agent answers, in milliseconds.
    pub gather_ms: u64,
    /// Headers of a webhook that hold a secret and are masked before they are stored (lower case).
    pub secret_headers: &'static [&'static str],
    /// The largest webhook body, in bytes.
    pub body_limit: usize,
    /// Whether a service calls us (a hook), so that the form shows a webhook address.
    pub webhook: bool,
}

fn seconds<S: serde::Serializer>(window: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    window.map(|window| window.as_secs()).serialize(serializer)
}

/// A length and what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct TextLimit {
    /// How many.
    pub max: u32,
    /// Of what.
    pub unit: TextUnit,
}

/// What a text limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum TextUnit {
    /// UTF-16 code units.
    Utf16,
    /// Unicode scalar values.
    Chars,
    /// UTF-8 bytes.
    Bytes,
}

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

    /// Pulls until it fails or is dropped, putting everything into `sink` from `cursor` on.
    async fn listen(&self, _link: Link<'_, C>, _cursor: Option<String>, _sink: &dyn Sink) -> Result<(), ServiceError> {
        Err(ServiceError::Permanent(crate::say!("This channel cannot be listened to.")))
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

    /// Shows the customer that an answer is being written; lasts a few seconds, the core repeats it.
    async fn typing(&self, _link: Link<'_, C>, _thread: &str) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Tells the service that something was received (a pressed button, a read mark); best effort.
    async fn acknowledge(&self, _link: Link<'_, C>, _what: &str) -> Result<(), ServiceError> {
        Ok(())
    }
}

/// The role of a model: agents think with it.
#[async_trait]
pub trait Model<C: Send + Sync>: Send + Sync {
    /// The models that this account may use.
    async fn models(&self, link: Link<'_, C>) -> Result<Vec<ModelRow>, ServiceError>;

    /// The model to use when the agent names none.
    fn default_model(&self, config: &C) -> String;

    /// One answer as it is made. Errors before the first chunk are returned; later ones come in the stream.
    async fn respond(&self, link: Link<'_, C>, prompt: &Prompt) -> Result<BoxStream<'static, Result<Chunk, ServiceError>>, ServiceError>;
}

/// The role of a page: the hub itself serves the place where customers write.
pub trait Page<C: Send + Sync>: Send + Sync {
    /// Colours, position, greeting, origins.
    fn look(&self, config: &C) -> PageLook;
}

/// How a page looks and who may show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PageLook {
    /// The shop's colour ("#0084ff").
    pub primary_color: String,
    /// "bottom-right" or "bottom-left".
    pub position: String,
    /// Said before the visitor writes; makes no conversation.
    pub greeting_message: String,
    /// Web origins that may show it; empty = loopback pages only.
    pub allowed_origins: Vec<String>,
}

/// A model in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct ModelRow {
    /// Its id at the service.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How much it can read, in tokens.
    #[ts(type = "number | null")]
    pub context: Option<u64>,
}

/// What a model is asked.
#[derive(Clone, Debug, Serialize)]
pub struct Prompt {
    /// Which model; empty = the connection's default.
    pub model: String,
    /// The instructions.
    pub system: String,
    /// What was said, oldest first.
    pub messages: Vec<PromptMessage>,
    /// What it may call.
    pub tools: Vec<ToolSpec>,
    /// Whether it may call tools now (false = it must answer in words).
    pub may_call_tools: bool,
    /// 0 to 2.
    pub temperature: f64,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// The conversation's language, if known ("pt-BR").
    pub language: Option<String>,
    /// A stable, meaningless name of the customer, for services that ask for one.
    pub end_user: String,
}

/// One message of a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum PromptMessage {
    /// The customer.
    User {
        /// Their words.
        text: String,
    },
    /// The agent (or a person of the shop, named in the text).
    Assistant {
        /// The words.
        text: String,
        /// What it called.
        #[serde(default)]
        calls: Vec<ToolCall>,
    },
    /// What a tool gave back.
    Tool {
        /// The call it answers.
        call_id: String,
        /// The tool.
        name: String,
        /// Its result, JSON or text. Untrusted.
        content: String,
    },
}

/// A tool as a model sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolSpec {
    /// `[A-Za-z0-9_-]{1,64}`.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// A model wants a tool to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ToolCall {
    /// The call's id, unique within the turn.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments as the model wrote them: JSON, hopefully.
    pub arguments: String,
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    /// Words.
    Text(String),
    /// Thoughts; never sent to a customer.
    Reasoning(String),
    /// A whole tool call, assembled by the connector.
    ToolCall(ToolCall),
    /// Where the answer's facts come from, shown with the message.
    Source(crate::model::Source),
    /// Buttons to offer with the answer.
    Choices(Vec<Choice>),
    /// What it took so far.
    Usage(Usage),
    /// The answer is whole. A stream that ends without it was cut off.
    Done(Finish),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It was finished, or wants its tool calls run.
    Stop,
    /// It reached the limit of tokens.
    Length,
    /// The service's filter stopped it.
    Filtered,
}

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
    /// What.
    pub text: String,
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

/// Settings of one connection, parsed; erased for the registry.
pub type Settings = Arc<dyn Any + Send + Sync>;

/// A connection in use with its settings erased; see [`Link`].
pub type AnyLink<'a> = Link<'a, Settings>;

/// A connector in the registry.
#[async_trait]
pub trait AnyConnector: Send + Sync {
    /// See [`Connector::about`].
    fn about(&self) -> About;
    /// The form's JSON schema.
    fn schema(&self) -> Value;
    /// Reads settings; errors by field path.
    fn settings(&self, config: Value) -> Result<Settings, Vec<(String, Sentence)>>;
    /// See [`Connector::test`].
    async fn test(&self, link: AnyLink<'_>) -> Result<Account, ServiceError>;
    /// See [`Connector::simulator`].
    fn simulator(&self) -> Option<StartSimulator>;
    /// The channel role.
    fn channel(&self) -> Option<&dyn Channel<Settings>>;
    /// The model role.
    fn model(&self) -> Option<&dyn Model<Settings>>;
    /// The page role.
    fn page(&self) -> Option<&dyn Page<Settings>>;
}

pub use erased::{erase, field_error};
mod erased;
pub use posted::{Posted, PostedChoice, PostedPage};
mod posted;
