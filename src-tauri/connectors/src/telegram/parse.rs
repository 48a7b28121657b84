//! Updates of the Bot API in Shopbell's words. Pure: no network, no clock.
//!
//! One update is one arrival. What cannot be read is said ([`Event::NotUnderstood`]) and never an error, because Telegram holds back a
//! whole chat for a day while an update is refused.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Event, IncomingContent, IncomingMessage, Malformed, RemoteMedia};
use shopbell_core::model::{Address, Card, Content, MediaKind};

use super::markdown::with_links;
use super::wire::{CallbackQuery, Chat, Media, MemberUpdate, Message, ReactionUpdate, User};

/// Reads the body of a webhook, or one element of a poll.
pub fn updates(body: &[u8]) -> Result<Vec<Event>, Malformed> {
    let value: Value = serde_json::from_slice(body).map_err(|error| Malformed(format!("This is not JSON: {error}.")))?;
    match value {
        Value::Array(updates) => Ok(updates.into_iter().map(update).collect()),
        Value::Object(_) => Ok(vec![update(value)]),
        _ => Err(Malformed("This is no update: neither an object nor a list.".into())),
    }
}

fn update(update: Value) -> Event {
    let Value::Object(mut fields) = update else {
        return Event::NotUnderstood { why: "This is no update: not an object.".into() };
    };
    let mut take = |name: &str| fields.remove(name).filter(|value| !value.is_null());
    if let Some(value) = take("message") {
        return read(value, "message", message);
    }
    if let Some(value) = take("edited_message") {
        return read(value, "edited_message", edited);
    }
    if let Some(value) = take("callback_query") {
        return read(value, "callback_query", pressed);
    }
    if let Some(value) = take("my_chat_member") {
        return read(value, "my_chat_member", membership);
    }
    if let Some(value) = take("message_reaction") {
        return read(value, "message_reaction", reaction);
    }
    let kind = fields.keys().find(|key| *key != "update_id").cloned().unwrap_or_else(|| "an empty update".into());
    Event::Nothing { what: kind }
}

fn read<T: DeserializeOwned>(value: Value, name: &str, then: fn(T) -> Event) -> Event {
    match serde_path_to_error::deserialize(value) {
        Ok(value) => then(value),
        Err(error) => Event::NotUnderstood { why: format!("{name}.{}: {}", error.path(), error.inner()) },
    }
}

/// The name by which a message is known for ever: its number is unique only within its chat.
pub fn external_id(chat: i64, message: i64) -> String {
    format!("{chat}:{message}")
}

fn message(message: Message) -> Event {
    let chat = message.chat.id;
    if let Some(to) = message.migrate_to_chat_id {
        return Event::Moved { from: chat.to_string(), to: to.to_string(), address: None, beside: false };
    }
    if let Some(from) = message.migrate_from_chat_id {
        return Event::Moved { from: from.to_string(), to: chat.to_string(), address: None, beside: false };
    }
    if message.is_automatic_forward {
        return Event::Nothing { what: "a channel's post, forwarded by Telegram itself".into() };
    }
    let Some(sender) = Sender::of(&message) else {
        return Event::Nothing { what: "a message of a bot".into() };
    };
    let content = content(&message);
    if content.is_empty() {
        return Event::Nothing { what: service_kind(&message.rest) };
    }
    let mut metadata = chat_metadata(&message.chat, sender.username.as_deref());
    if message.is_topic_message
        && let Some(topic) = message.message_thread_id
    {
        metadata.insert("message_thread_id".into(), topic.into());
    }
    if let Some(album) = &message.media_group_id {
        metadata.insert("media_group_id".into(), album.clone().into());
    }
    if let Some(payload) = message.text.as_deref().and_then(|text| text.strip_prefix("/start ")) {
        metadata.insert("start".into(), payload.trim().into());
    }
    let reply_to = message.reply_to_message.as_ref().map(|reply| {
        let chat = reply.chat.as_ref().map_or(chat, |chat| chat.id);
        external_id(chat, reply.message_id)
    });
    Event::Message(IncomingMessage {
        content,
        position: Some(message.message_id),
        reply_to,
        forwarded: message.rest.contains_key("forward_origin"),
        metadata,
        ..sender.says(external_id(chat, message.message_id), chat, Timestamp::from_seconds(message.date))
    })
}

fn edited(message: Message) -> Event {
    if message.location.is_some() || message.venue.is_some() {
        return Event::Nothing { what: "a live location that moves".into() };
    }
    if Sender::of(&message).is_none() {
        return Event::Nothing { what: "an edit of a bot".into() };
    }
    let content = content(&message);
    if content.is_empty() {
        return Event::Nothing { what: service_kind(&message.rest) };
    }
    Event::Edited {
        external_id: external_id(message.chat.id, message.message_id),
        content,
        at: Timestamp::from_seconds(message.edit_date.unwrap_or(message.date)),
    }
}

/// A button was pressed. Telegram does not say when: the time is left at zero, which the core reads as "when it arrived".
fn pressed(query: CallbackQuery) -> Event {
    let id = match (query.data, query.game_short_name) {
        (Some(data), _) => data,
        (None, Some(_)) => return Event::Nothing { what: "a game".into() },
        (None, None) => return Event::NotUnderstood { why: "callback_query: neither data nor a game".into() },
    };
    let label = query
        .message
        .iter()
        .filter_map(|message| message.reply_markup.as_ref())
        .flat_map(|keyboard| keyboard.inline_keyboard.iter().flatten())
        .find(|button| button.callback_data.as_deref() == Some(id.as_str()))
        .map_or_else(|| id.clone(), |button| button.text.clone());
    let sender = Sender::from(&query.from);
    let (thread, metadata, reply_to) = match &query.message {
        Some(message) => (
            message.chat.id,
            chat_metadata(&message.chat, sender.username.as_deref()),
            Some(external_id(message.chat.id, message.message_id)),
        ),
        None => (query.from.id, Map::new(), None),
    };
    Event::Message(IncomingMessage {
        content: vec![IncomingContent::Content(Content::Chosen { id, label })],
        reply_to,
        metadata,
        acknowledge: Some(query.id.clone()),
        ..sender.says(format!("press:{}", query.id), thread, Timestamp::default())
    })
}

fn membership(update: MemberUpdate) -> Event {
    let thread = update.chat.id.to_string();
    match update.new_chat_member.status.as_str() {
        "kicked" | "left" => Event::Blocked { thread, blocked: true },
        "member" | "administrator" | "restricted" => Event::Blocked { thread, blocked: false },
        other => Event::Nothing { what: format!("my_chat_member {other}") },
    }
}

fn reaction(update: ReactionUpdate) -> Event {
    let sender = match (&update.user, &update.actor_chat) {
        (Some(user), _) if !user.is_bot => Sender::from(user),
        (None, Some(chat)) => Sender::from_chat(chat),
        _ => return Event::Nothing { what: "a reaction of a bot".into() },
    };
    let emoji = update.new_reaction.iter().find_map(|reaction| reaction.emoji.clone());
    let emoji = match (emoji, update.new_reaction.is_empty()) {
        (Some(emoji), _) => emoji,
        (None, true) => String::new(),
        (None, false) => return Event::Nothing { what: "a reaction that is a picture".into() },
    };
    let target = external_id(update.chat.id, update.message_id);
    let name = format!("reaction:{target}:{}:{}:{emoji}", sender.id, update.date);
    Event::Message(IncomingMessage {
        metadata: chat_metadata(&update.chat, sender.username.as_deref()),
        content: vec![IncomingContent::Content(Content::Reaction { emoji, target: target.clone() })],
        reply_to: Some(target.clone()),
        ..sender.says(name, update.chat.id, Timestamp::from_seconds(update.date))
    })
}

/// Who speaks: a person, or a group or channel in whose name a person speaks.
struct Sender {
    id: i64,
    name: Option<String>,
    username: Option<String>,
    language: Option<String>,
}

impl Sender {
    fn of(message: &Message) -> Option<Self> {
        match (&message.sender_chat, &message.from) {
            (Some(chat), _) => Some(Self::from_chat(chat)),
            (None, Some(user)) if user.is_bot => None,
            (None, Some(user)) => Some(Self::from(user)),
            (None, None) => Some(Self::from_chat(&message.chat)),
        }
    }

    fn from_chat(chat: &Chat) -> Self {
        Self { id: chat.id, name: chat.title.clone(), username: chat.username.clone(), language: None }
    }

    fn address(&self) -> Address {
        Address { connector: "telegram".into(), scheme: "user".into(), value: self.id.to_string() }
    }

    /// A message of theirs, still without what it says.
    fn says(self, external_id: String, chat: i64, at: Timestamp) -> IncomingMessage {
        let address = self.address();
        IncomingMessage { name: self.name, language: self.language, ..IncomingMessage::new(external_id, chat.to_string(), address, at) }
    }
}

impl From<&User> for Sender {
    fn from(user: &User) -> Self {
        let name = format!("{} {}", user.first_name, user.last_name.as_deref().unwrap_or_default());
        let name = name.trim();
        Self {
            id: user.id,
            name: (!name.is_empty()).then(|| name.to_owned()),
            username: user.username.clone(),
            language: user.language_code.as_deref().map(language_tag),
        }
    }
}

/// "pt-br" as the rest of the world writes it: "pt-BR".
fn language_tag(code: &str) -> String {
    match code.split_once('-') {
        Some((language, region)) if region.len() == 2 => format!("{}-{}", language.to_lowercase(), region.to_uppercase()),
        _ => code.to_owned(),
    }
}

fn chat_metadata(chat: &Chat, username: Option<&str>) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("chat_id".into(), chat.id.into());
    metadata.insert("chat_type".into(), chat.kind.clone().into());
    if let Some(username) = username {
        metadata.insert("username".into(), username.into());
    }
    if let Some(title) = &chat.title {
        metadata.insert("title".into(), title.clone().into());
    }
    metadata
}

/// What was said; empty for messages that only report something (a pinned message, a new member).
fn content(message: &Message) -> Vec<IncomingContent> {
    if let Some(text) = &message.text {
        return vec![IncomingContent::Content(Content::Text { text: with_links(text, &message.entities) })];
    }
    let caption = message.caption.as_deref().map(|caption| with_links(caption, &message.caption_entities));
    if let Some(media) = media(message, caption) {
        return vec![IncomingContent::Media(media)];
    }
    if let Some(content) = place_or_card(message) {
        return vec![IncomingContent::Content(content)];
    }
    match message.rest.keys().find(|key| SPOKEN.contains(&key.as_str())) {
        Some(kind) => vec![IncomingContent::Content(Content::Unsupported { kind: kind.clone() })],
        None if is_service(&message.rest) => Vec::new(),
        None => vec![IncomingContent::Content(Content::Unsupported { kind: service_kind(&message.rest) })],
    }
}

fn media(message: &Message, caption: Option<String>) -> Option<RemoteMedia> {
    // An animation repeats itself as a document, so it is looked for first.
    let (kind, file, mime) = if let Some(largest) = message.photo.iter().max_by_key(|size| size.width) {
        (MediaKind::Image, largest, "image/jpeg")
    } else if let Some(file) = &message.animation {
        (MediaKind::Video, file, "video/mp4")
    } else if let Some(file) = &message.video {
        (MediaKind::Video, file, "video/mp4")
    } else if let Some(file) = &message.video_note {
        (MediaKind::Video, file, "video/mp4")
    } else if let Some(file) = &message.voice {
        (MediaKind::Voice, file, "audio/ogg")
    } else if let Some(file) = &message.audio {
        (MediaKind::Audio, file, "audio/mpeg")
    } else if let Some(file) = &message.sticker {
        (MediaKind::Sticker, file, sticker_type(file))
    } else {
        (MediaKind::Document, message.document.as_ref()?, "application/octet-stream")
    };
    let caption = caption.or_else(|| file.emoji.clone().filter(|_| kind == MediaKind::Sticker));
    Some(RemoteMedia {
        kind,
        reference: file.file_id.clone(),
        mime: file.mime_type.clone().unwrap_or_else(|| mime.to_owned()),
        filename: file.file_name.clone(),
        bytes: file.file_size,
        sha256: None,
        caption,
        duration_ms: file.duration.map(|seconds| seconds.saturating_mul(1000)),
    })
}

fn sticker_type(file: &Media) -> &'static str {
    match (file.is_animated, file.is_video) {
        (true, _) => "application/x-tgsticker",
        (_, true) => "video/webm",
        _ => "image/webp",
    }
}

fn place_or_card(message: &Message) -> Option<Content> {
    if let Some(venue) = &message.venue {
        return Some(Content::Location {
            latitude: venue.location.latitude,
            longitude: venue.location.longitude,
            name: venue.title.clone(),
            address: venue.address.clone(),
        });
    }
    if let Some(place) = &message.location {
        return Some(Content::Location { latitude: place.latitude, longitude: place.longitude, name: None, address: None });
    }
    let card = message.contact.as_ref()?;
    let name = format!("{} {}", card.first_name, card.last_name.as_deref().unwrap_or_default()).trim().to_owned();
    Some(Content::Contacts { contacts: vec![Card { name, phones: vec![card.phone_number.clone()] }] })
}

/// Things that a customer says and this version cannot show.
const SPOKEN: &[&str] = &["poll", "dice", "game", "story", "invoice", "paid_media", "checklist", "giveaway", "rich_message"];

/// Fields that only describe a message.
const DESCRIBING: &[&str] = &[
    "via_bot", "forward_origin", "external_reply", "quote", "reply_to_story", "reply_markup", "link_preview_options", "has_protected_content",
    "author_signature", "show_caption_above_media", "has_media_spoiler", "effect_id", "sender_boost_count", "sender_business_bot",
    "business_connection_id", "is_from_offline", "sender_tag", "direct_messages_topic", "suggested_post_info",
];

/// Whether what is left of a message is the report of an event of the chat (all of their names end or begin alike).
fn is_service(rest: &Map<String, Value>) -> bool {
    rest.keys().filter(|key| !DESCRIBING.contains(&key.as_str())).any(|key| {
        key.starts_with("new_chat_")
            || key.starts_with("left_chat_")
            || key.starts_with("delete_chat_")
            || key.starts_with("chat_")
            || key.starts_with("forum_topic_")
            || key.starts_with("general_forum_topic_")
            || key.starts_with("video_chat_")
            || key.starts_with("giveaway_")
            || key.ends_with("_created")
            || key.ends_with("_changed")
            || key.ends_with("_shared")
            || matches!(
                key.as_str(),
                "pinned_message" | "successful_payment" | "refunded_payment" | "write_access_allowed" | "connected_website" | "boost_added"
                    | "proximity_alert_triggered" | "web_app_data" | "passport_data" | "users_shared" | "gift" | "unique_gift"
            )
    })
}

fn service_kind(rest: &Map<String, Value>) -> String {
    rest.keys().find(|key| !DESCRIBING.contains(&key.as_str())).cloned().unwrap_or_else(|| "an empty message".into())
}
