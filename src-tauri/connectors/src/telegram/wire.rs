//! The shapes of the Bot API, as far as Shopbell uses them. Unknown fields are kept where they tell what a message is, and ignored elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The envelope of every answer.
#[derive(Debug, Deserialize)]
pub struct Envelope<T> {
    pub ok: bool,
    pub result: Option<T>,
    #[serde(default)]
    pub error_code: u16,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub parameters: Parameters,
}

/// What comes with a refusal.
#[derive(Debug, Default, Deserialize)]
pub struct Parameters {
    pub retry_after: Option<u64>,
    pub migrate_to_chat_id: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub struct Me {
    pub id: i64,
    #[serde(default)]
    pub first_name: String,
    #[serde(default)]
    pub username: String,
    #[serde(default)]
    pub can_read_all_group_messages: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WebhookInfo {
    pub url: String,
    pub has_custom_certificate: bool,
    pub pending_update_count: u64,
    pub ip_address: Option<String>,
    pub last_error_date: Option<i64>,
    pub last_error_message: Option<String>,
    pub max_connections: Option<u32>,
    pub allowed_updates: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub struct File {
    pub file_path: Option<String>,
    pub file_size: Option<u64>,
}

/// What we need of a message that we sent.
#[derive(Debug, Deserialize)]
pub struct Sent {
    pub message_id: i64,
    pub chat: Chat,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Chat {
    pub id: i64,
    #[serde(rename = "type", default)]
    pub kind: String,
    pub title: Option<String>,
    pub username: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct User {
    pub id: i64,
    #[serde(default)]
    pub is_bot: bool,
    #[serde(default)]
    pub first_name: String,
    pub last_name: Option<String>,
    pub username: Option<String>,
    pub language_code: Option<String>,
}

/// A message. What it is made of beyond these fields is in `rest`.
#[derive(Debug, Deserialize)]
pub struct Message {
    pub message_id: i64,
    #[serde(default)]
    pub date: i64,
    pub edit_date: Option<i64>,
    pub chat: Chat,
    pub from: Option<User>,
    pub sender_chat: Option<Chat>,
    #[serde(default)]
    pub is_automatic_forward: bool,
    #[serde(default)]
    pub is_topic_message: bool,
    pub message_thread_id: Option<i64>,
    pub media_group_id: Option<String>,
    pub reply_to_message: Option<Box<Reply>>,
    pub text: Option<String>,
    #[serde(default)]
    pub entities: Vec<Entity>,
    pub caption: Option<String>,
    #[serde(default)]
    pub caption_entities: Vec<Entity>,
    #[serde(default)]
    pub photo: Vec<Media>,
    pub video: Option<Media>,
    pub video_note: Option<Media>,
    pub animation: Option<Media>,
    pub voice: Option<Media>,
    pub audio: Option<Media>,
    pub document: Option<Media>,
    pub sticker: Option<Media>,
    pub location: Option<Location>,
    pub venue: Option<Venue>,
    pub contact: Option<Contact>,
    pub migrate_to_chat_id: Option<i64>,
    pub migrate_from_chat_id: Option<i64>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub struct Reply {
    pub message_id: i64,
    pub chat: Option<Chat>,
}

/// Any of the kinds of files; each has some of the fields.
#[derive(Debug, Deserialize)]
pub struct Media {
    pub file_id: String,
    pub file_size: Option<u64>,
    pub mime_type: Option<String>,
    pub file_name: Option<String>,
    pub duration: Option<u64>,
    pub width: Option<u64>,
    pub emoji: Option<String>,
    #[serde(default)]
    pub is_animated: bool,
    #[serde(default)]
    pub is_video: bool,
}

#[derive(Debug, Deserialize)]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
}

#[derive(Debug, Deserialize)]
pub struct Venue {
    pub location: Location,
    pub title: Option<String>,
    pub address: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Contact {
    #[serde(default)]
    pub phone_number: String,
    #[serde(default)]
    pub first_name: String,
    pub last_name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct CallbackQuery {
    pub id: String,
    pub from: User,
    pub message: Option<Pressed>,
    pub data: Option<String>,
    pub game_short_name: Option<String>,
}

/// The message whose button was pressed.
#[derive(Debug, Deserialize)]
pub struct Pressed {
    pub message_id: i64,
    pub chat: Chat,
    pub reply_markup: Option<Keyboard>,
}

#[derive(Debug, Deserialize)]
pub struct Keyboard {
    #[serde(default)]
    pub inline_keyboard: Vec<Vec<Button>>,
}

#[derive(Debug, Deserialize)]
pub struct Button {
    #[serde(default)]
    pub text: String,
    pub callback_data: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct MemberUpdate {
    pub chat: Chat,
    pub new_chat_member: Member,
}

#[derive(Debug, Deserialize)]
pub struct Member {
    pub status: String,
}

#[derive(Debug, Deserialize)]
pub struct ReactionUpdate {
    pub chat: Chat,
    pub message_id: i64,
    pub user: Option<User>,
    pub actor_chat: Option<Chat>,
    #[serde(default)]
    pub date: i64,
    #[serde(default)]
    pub new_reaction: Vec<Reaction>,
}

#[derive(Debug, Deserialize)]
pub struct Reaction {
    pub emoji: Option<String>,
}

/// A mark on a stretch of text; offsets and lengths count UTF-16 code units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: String,
    pub offset: usize,
    pub length: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}
