//! The nouns of Shopbell, as the store keeps them and the API shows them.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::clock::Timestamp;
use crate::id::{
    AgentId, ArrivalId, ConnectionId, ContactId, ConversationId, DeliveryId, DocumentId, MediaId, MessageId, PersonId, TurnId,
};
use crate::money::MicroUsd;

/// A configured account at an outside service: one Telegram bot, one mailbox, one number.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// The kind of connector that serves it ("telegram").
    pub connector: String,
    /// What its owner calls it.
    pub name: String,
    /// Whether it works.
    pub status: ConnectionStatus,
    /// Who answers here; the default agent when empty.
    pub agent: Option<AgentId>,
    /// Its settings, without secrets (those are in the vault).
    pub config: Value,
    /// 128 random bits: the public name of this connection in `/hooks/<key>` and in a website's snippet.
    pub hook_key: String,
    /// Where a pull left off, in the connector's own words.
    pub cursor: Option<String>,
    /// The account that the last successful test named.
    pub account: Option<String>,
    /// When the last successful test or arrival proved it.
    pub proven_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whether a connection works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// Not finished yet.
    Draft,
    /// In use.
    Active,
    /// Switched off by its owner.
    Paused,
    /// The service no longer takes the credentials.
    NeedsSignIn {
        /// Why, in a sentence.
        reason: String,
    },
    /// It does not work at present.
    Failing {
        /// Why, in a sentence.
        reason: String,
    },
}

/// How people talk on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// Messages to and fro.
    Chat,
    /// Letters with a subject.
    Email,
    /// Short messages, paid by the piece.
    Sms,
    /// Spoken.
    Voice,
}

/// How a connection reaches a contact. Never a phone column: (connector, scheme, value).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, TS)]
pub struct Address {
    /// The connector in whose world it means something.
    pub connector: String,
    /// What kind of value it is ("chat", "phone", "visitor").
    pub scheme: String,
    /// The value itself.
    pub value: String,
}

/// Whether a conversation is waiting for anybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ConversationStatus {
    /// In work.
    Open,
    /// Out of sight until then, or until the customer writes.
    Snoozed {
        /// When it comes back.
        until: Timestamp,
    },
    /// Done; a new message opens it again.
    Resolved,
}

/// Who has the next word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Owner {
    /// A program answers.
    Agent {
        /// Which one.
        id: AgentId,
    },
    /// A person answers; nobody in particular when `id` is missing.
    Person {
        /// Which one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        id: Option<PersonId>,
    },
}

/// Whose word it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Author {
    /// The customer.
    Contact,
    /// An agent.
    Agent {
        /// Which one.
        id: AgentId,
    },
    /// Somebody of the shop.
    Person {
        /// Which one; the owner of this computer when missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        id: Option<PersonId>,
    },
    /// Shopbell itself: an activity line.
    System,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the customer.
    In,
    /// To the customer.
    Out,
    /// Neither: a private note or an activity line.
    Note,
}

/// What kind of file a media part is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Music or another sound file.
    Audio,
    /// A voice message.
    Voice,
    /// A film.
    Video,
    /// Any other file.
    #[default]
    Document,
    /// A sticker.
    Sticker,
}

/// One button or row that a customer may press.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Choice {
    /// What comes back when it is pressed; 64 bytes at most.
    pub id: String,
    /// What stands on it.
    pub label: String,
    /// A link that opens instead, where the channel has such buttons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub url: Option<String>,
    /// A line under it, where the channel has lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
}

impl Choice {
    /// The line under it, if there is one.
    pub fn described(&self) -> Option<&str> {
        self.description.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// Choices as numbered lines below their text, for channels without a form for them.
    pub fn numbered(text: &str, options: &[Self]) -> String {
        let lines = options.iter().enumerate().map(|(index, option)| {
            let description = option.described().map(|text| format!(" – {text}")).unwrap_or_default();
            let url = option.url.as_deref().map(|url| format!(": {url}")).unwrap_or_default();
            format!("{}. {}{description}{url}", index + 1, option.label)
        });
        let head = Some(text.trim()).filter(|text| !text.is_empty()).map(|text| format!("{text}\n"));
        head.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
    }
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct OrderLine {
    /// The product, as the catalogue names it.
    pub product: String,
    /// How many.
    pub quantity: f64,
    /// The price of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub price: Option<f64>,
    /// In which currency (ISO 4217).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub currency: Option<String>,
}

/// Somebody's visiting card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Card {
    /// The name on it.
    pub name: String,
    /// Its phone numbers.
    #[serde(default)]
    pub phones: Vec<String>,
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Words. An agent's and a person's may hold Markdown.
    Text {
        /// The words.
        text: String,
    },
    /// A file.
    Media {
        /// What kind of file.
        kind: MediaKind,
        /// The stored file.
        media: MediaId,
        /// Words beside it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        caption: Option<String>,
        /// Its name, if it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        filename: Option<String>,
        /// Its type ("image/jpeg").
        #[serde(default)]
        mime: String,
        /// Its size; 0 while unknown.
        #[serde(default)]
        bytes: u64,
        /// Its length in milliseconds, for sound and film.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        duration_ms: Option<u64>,
        /// How loud a sound is along its length, in 64 equal steps, 255 the loudest; missing until it was listened to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        wave: Option<Vec<u8>>,
    },
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// Its name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        name: Option<String>,
        /// Its address in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        address: Option<String>,
    },
    /// Visiting cards.
    Contacts {
        /// The cards.
        contacts: Vec<Card>,
    },
    /// Words with buttons under them.
    Choices {
        /// The words.
        text: String,
        /// The buttons.
        options: Vec<Choice>,
    },
    /// Words that ask for the customer's place, with a button that sends it where the channel has one.
    AskLocation {
        /// The words.
        text: String,
    },
    /// A button that the customer pressed.
    Chosen {
        /// The button's id.
        id: String,
        /// What stood on it.
        label: String,
    },
    /// A sign put on another message; an empty emoji takes it away.
    Reaction {
        /// The sign.
        emoji: String,
        /// The message it was put on, as the service names it.
        target: String,
    },
    /// An approved template of the channel.
    Template {
        /// Its id at the service.
        #[serde(default)]
        id: String,
        /// Its name at the service.
        name: String,
        /// Its language.
        language: String,
        /// What fills its gaps, by the gap's key.
        #[serde(default)]
        values: std::collections::BTreeMap<String, String>,
        /// How it reads with its gaps filled: what the inbox and search see.
        #[serde(default)]
        text: String,
    },
    /// An order from the channel's own catalogue.
    Order {
        /// What the customer wrote beside it.
        #[serde(default)]
        text: String,
        /// What was ordered.
        lines: Vec<OrderLine>,
    },
    /// A form that the customer filled in inside the channel.
    Form {
        /// Its name.
        name: String,
        /// What was filled in.
        #[ts(type = "Record<string, unknown>")]
        answers: serde_json::Map<String, Value>,
    },
    /// Something of the service's own that was shared or answered: a story, a post, a reel.
    Shared {
        /// "story_reply", "story_mention", "post", "reel", "link".
        what: String,
        /// Where it can be seen, while it can.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        url: Option<String>,
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        title: Option<String>,
    },
    /// Something this version cannot show; kept whole in the arrival.
    Unsupported {
        /// What the service calls it.
        kind: String,
    },
    /// An activity line: took over, handed back, asked for a person, resolved, …
    Event {
        /// Which ("took_over", "handed_back", "transfer", "escalated", "resolved", "reopened", "state_set", "searched", "turn_failed").
        event: String,
        /// Its particulars.
        #[serde(default)]
        #[ts(type = "Record<string, unknown>")]
        details: serde_json::Map<String, Value>,
    },
}

impl Content {
    /// The words of this part, as search and previews see it.
    pub fn text(&self) -> &str {
        match self {
            Self::Text { text } | Self::Choices { text, .. } | Self::AskLocation { text } => text,
            Self::Media { caption, filename, .. } => caption.as_deref().or(filename.as_deref()).unwrap_or(""),
            Self::Location { name, address, .. } => name.as_deref().or(address.as_deref()).unwrap_or(""),
            Self::Chosen { label, .. } => label,
            Self::Contacts { contacts } => contacts.first().map_or("", |card| card.name.as_str()),
            Self::Reaction { emoji, .. } => emoji,
            Self::Template { name, text, .. } => {
                if text.is_empty() {
                    name
                } else {
                    text
                }
            }
            Self::Order { text, lines } => {
                if text.is_empty() {
                    lines.first().map_or("", |line| line.product.as_str())
                } else {
                    text
                }
            }
            Self::Form { name, .. } => name,
            Self::Shared { title, .. } => title.as_deref().unwrap_or(""),
            Self::Unsupported { .. } | Self::Event { .. } => "",
        }
    }
}

/// Where an agent's words come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Source {
    /// The document's title.
    pub title: String,
    /// Where in it ("line 31", a heading).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub location: Option<String>,
    /// The words themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub quote: Option<String>,
    /// The document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub document: Option<DocumentId>,
}

/// One thing that was said.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Where it was said.
    pub conversation: ConversationId,
    /// Who said it.
    pub author: Author,
    /// Which way it went.
    pub direction: Direction,
    /// What was said.
    pub content: Vec<Content>,
    /// When, as far as is known.
    pub sent_at: Timestamp,
    /// The service's own name for it.
    pub external_id: Option<String>,
}

/// How far the sending of a message came. Only evidence moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Waiting for its turn.
    Queued,
    /// The call is out.
    Sending,
    /// The call was cut off: it may have arrived.
    Unconfirmed,
    /// The service took it.
    Sent,
    /// It reached the customer's device.
    Delivered,
    /// The customer saw it.
    Read,
    /// It will not be sent, for a reason.
    Failed,
}

impl DeliveryStatus {
    /// As the store writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Unconfirmed => "unconfirmed",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }

    /// From the store.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "queued" => Self::Queued,
            "sending" => Self::Sending,
            "unconfirmed" => Self::Unconfirmed,
            "sent" => Self::Sent,
            "delivered" => Self::Delivered,
            "read" => Self::Read,
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

/// How a streamed answer is cut into messages (S4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum StreamMode {
    /// One message, when the whole answer is there.
    #[default]
    Full,
    /// A message per sentence or short group of sentences, as they come.
    Sentence,
    /// A message per piece as the model hands it over (paragraphs, or what came before a tool ran).
    Direct,
}

/// How an agent's model is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct ModelSettings {
    /// 0 to 2; higher is freer. Left out for models that refuse it.
    pub temperature: f64,
    /// How long an answer may be, in tokens.
    pub max_tokens: u32,
    /// How many of the last messages the model sees.
    pub history: u32,
    /// How many tool calls one answer may take.
    pub max_tool_calls: u32,
    /// How long one answer may take, in seconds.
    pub max_seconds: u32,
    /// How old a customer's words may be, in hours, for it to answer them by itself; older ones wait for a person.
    pub answer_within_hours: u32,
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self { temperature: 0.7, max_tokens: 4096, history: 30, max_tool_calls: 8, max_seconds: 120, answer_within_hours: 12 }
    }
}

/// Somebody (a program) who answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Its name, as customers may read it.
    pub name: String,
    /// What it is told. May hold `{{variables}}`.
    pub instructions: String,
    /// What it is told besides on one kind of channel, by connector (S1.25).
    pub channel_instructions: std::collections::BTreeMap<String, String>,
    /// The model connection it asks.
    pub connection: ConnectionId,
    /// The model there; the connection's default when empty.
    pub model: String,
    /// How the model is asked.
    pub settings: ModelSettings,
    /// The tools it may use, by name.
    pub tools: Vec<String>,
    /// How its answers are cut.
    pub stream_mode: StreamMode,
}

/// What a model call took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct Usage {
    /// Tokens read.
    #[ts(type = "number")]
    pub input_tokens: u64,
    /// Of these, tokens that the service had cached.
    #[ts(type = "number")]
    pub cached_tokens: u64,
    /// Tokens written.
    #[ts(type = "number")]
    pub output_tokens: u64,
    /// What it cost; 0 where the price is not known.
    pub cost: MicroUsd,
    /// Whether these figures are our own estimate because the service sent none.
    pub estimated: bool,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.cached_tokens += other.cached_tokens;
        self.output_tokens += other.output_tokens;
        self.cost = self.cost + other.cost;
        self.estimated |= other.estimated;
    }
}

/// A reply window: how long after a customer's message the shop may answer freely.
pub type ReplyWindow = Option<Duration>;

/// Everything that can change, as listeners hear of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A conversation's row: owner, status, preview, unread.
    Conversation {
        /// Which.
        id: ConversationId,
    },
    /// A message was said, edited, or its delivery moved.
    Message {
        /// Which.
        id: MessageId,
        /// Where.
        conversation: ConversationId,
    },
    /// A delivery's status.
    Delivery {
        /// Which.
        id: DeliveryId,
        /// Where.
        conversation: ConversationId,
    },
    /// A connection's settings or state.
    Connection {
        /// Which.
        id: ConnectionId,
    },
    /// An agent.
    Agent {
        /// Which.
        id: AgentId,
    },
    /// A contact.
    Contact {
        /// Which.
        id: ContactId,
    },
    /// A document of the knowledge.
    Knowledge {
        /// Which.
        id: DocumentId,
    },
    /// Something arrived, or was judged.
    Arrival {
        /// Which.
        id: ArrivalId,
    },
    /// An agent's answer in the making.
    Turn {
        /// Which.
        id: TurnId,
        /// Where.
        conversation: ConversationId,
    },
    /// Somebody is typing. Not stored.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Who: "contact", "agent".
        who: String,
        /// Began (true) or stopped.
        on: bool,
    },
    /// A file arrived whole.
    Media {
        /// Which.
        id: MediaId,
    },
    /// The hub's settings or the vault's state.
    Settings,
}
