//! What Twilio's REST answers look like. Everything may be missing: an answer that lacks a field is still an answer.

use serde::Deserialize;
use serde_json::Value;

/// A refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Trouble {
    /// Twilio's own code.
    pub code: Option<i64>,
    /// In words.
    pub message: Option<String>,
}

/// The account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct AccountRow {
    /// As its owner named it.
    pub friendly_name: Option<String>,
    /// "active", "suspended", "closed".
    pub status: Option<String>,
    /// "Trial" or "Full".
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// A message that was made.
#[derive(Debug, Deserialize)]
pub struct Created {
    /// Its name.
    pub sid: String,
}

/// A page of messages, newest first.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MessagePage {
    /// The messages, as they came.
    pub messages: Vec<Value>,
    /// Where the next page is, below the host.
    pub next_page_uri: Option<String>,
}

/// A message as a list has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    /// Its name.
    pub sid: String,
    /// Who said it.
    pub from: Option<String>,
    /// To whom.
    pub to: Option<String>,
    /// The words.
    pub body: Option<String>,
    /// How many files, as a text.
    pub num_media: Option<Value>,
    /// How many pieces it was cut into, as a text.
    pub num_segments: Option<Value>,
    /// "inbound", "outbound-api", "outbound-reply", "outbound-call".
    pub direction: Option<String>,
    /// How far it came.
    pub status: Option<String>,
    /// Why it failed.
    pub error_code: Option<i64>,
    /// The same in words.
    pub error_message: Option<String>,
    /// When, as in an e-mail ("Fri, 20 Nov 2026 12:00:00 +0000"); nothing while it waits.
    pub date_sent: Option<String>,
    /// When it was made.
    pub date_created: Option<String>,
    /// When it was changed last: for one of ours, when it came as far as its status says.
    pub date_updated: Option<String>,
    /// The account.
    pub account_sid: Option<String>,
    /// The service that sent or took it.
    pub messaging_service_sid: Option<String>,
    /// Its files; put in by us, because Twilio keeps them in a list of their own.
    pub media: Vec<ListedMedia>,
}

impl Listed {
    /// How many files there are.
    pub fn files(&self) -> u64 {
        count(self.num_media.as_ref())
    }
}

/// A number that may be written as a text.
pub fn count(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::Number(number)) => number.as_u64().unwrap_or(0),
        Some(Value::String(text)) => text.trim().parse().unwrap_or(0),
        _ => 0,
    }
}

/// The files of one message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct MediaPage {
    /// The files, as they came.
    pub media_list: Vec<Value>,
}

/// A file as a list has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListedMedia {
    /// Its type.
    pub content_type: Option<String>,
    /// Where its description is; the file itself stands there without the ending ".json".
    pub uri: Option<String>,
}

/// Numbers of the account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NumberPage {
    /// The numbers.
    pub incoming_phone_numbers: Vec<NumberRow>,
}

/// A number of the account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NumberRow {
    /// Its name at Twilio.
    pub sid: String,
    /// The number.
    pub phone_number: Option<String>,
    /// Where its messages go.
    pub sms_url: Option<String>,
    /// What it can do: `{"sms": true, "mms": false}`.
    pub capabilities: serde_json::Map<String, Value>,
}

/// WhatsApp senders of the account.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SenderPage {
    /// The senders.
    pub senders: Vec<SenderRow>,
    /// Where the next page is.
    pub meta: PageMeta,
}

/// What the newer lists say of themselves.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PageMeta {
    /// The whole address of the next page.
    pub next_page_url: Option<String>,
}

/// A WhatsApp sender.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SenderRow {
    /// Its name at Twilio.
    pub sid: String,
    /// "ONLINE", "OFFLINE", …
    pub status: Option<String>,
    /// "whatsapp:+14155238886".
    pub sender_id: Option<String>,
    /// Where its messages go.
    pub webhook: Option<SenderHook>,
    /// Quality and limits.
    pub properties: Option<Value>,
}

/// Where a sender's messages go.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SenderHook {
    /// Messages.
    pub callback_url: Option<String>,
    /// What becomes of ours.
    pub status_callback_url: Option<String>,
}

/// A Messaging Service.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServiceRow {
    /// Where its messages go.
    pub inbound_request_url: Option<String>,
    /// Whether each number's own address counts instead.
    pub use_inbound_webhook_on_number: Option<bool>,
}
