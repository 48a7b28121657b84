//! Sending: which method a content takes, and the one attempt.
//!
//! A second call is made only after an answer that proves that nothing was sent: marks that Telegram could not read (then the words go plain)
//! and a group that has a new number.

use reqwest::multipart::{Form, Part};
use serde_json::{Map, Value, json};
use shopbell_core::connector::{Link, Outgoing, Receipt, ServiceError, StoredMedia};
use shopbell_core::error::Sentence;
use shopbell_core::http::Call;
use shopbell_core::model::{Card, Choice, Content, MediaKind};
use shopbell_core::say;
use shopbell_core::text::length;
use shopbell_core::connector::TextUnit;

use super::api::{self, Failure, UPLOAD};
use super::markdown::render;
use super::parse::external_id;
use super::wire::{Entity, Sent};
use super::{CAPTION, Config, FILE, PHOTO, TEXT};
use crate::spelled;

/// The longest id of a button, in bytes.
const BUTTON: usize = 64;

/// A call in the making.
struct Draft {
    method: &'static str,
    fields: Map<String, Value>,
    file: Option<(&'static str, StoredMedia)>,
}

/// One attempt to send one message.
pub async fn send(link: Link<'_, Config>, message: &Outgoing) -> Result<Receipt, ServiceError> {
    if let Content::Reaction { emoji, target } = &message.content {
        return react(link, message, emoji, target).await;
    }
    let mut draft = draft(link, message).await?;
    address(&mut draft.fields, message);
    let mut plain = false;
    let mut moved = false;
    loop {
        match attempt(link, &draft).await {
            Ok(sent) => return Ok(Receipt { external_id: external_id(sent.chat.id, sent.message_id) }),
            Err(Failure::Entities) if !plain => {
                plain = true;
                without_marks(&mut draft, &message.content);
            }
            Err(Failure::Moved(chat)) if !moved => {
                moved = true;
                draft.fields.insert("chat_id".into(), chat.into());
                // The message that was answered is not known under the new number.
                draft.fields.remove("reply_parameters");
            }
            Err(failure) => return Err(failure.into()),
        }
    }
}

async fn attempt(link: Link<'_, Config>, draft: &Draft) -> Result<Sent, Failure> {
    let Some((field, file)) = &draft.file else {
        return api::call(link, draft.method, &draft.fields, Call::Acts).await;
    };
    let mut form = Form::new();
    for (name, value) in &draft.fields {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        form = form.text(name.clone(), text);
    }
    let length = file.bytes.len() as u64;
    let mut part = Part::stream_with_length(file.bytes.clone(), length).file_name(file_name(field, file));
    if let Ok(typed) = Part::stream_with_length(file.bytes.clone(), length).mime_str(&file.mime) {
        part = typed.file_name(file_name(field, file));
    }
    let request = api::request(link, draft.method)?.timeout(UPLOAD).multipart(form.part(*field, part));
    api::send(request, Call::Acts).await
}

fn file_name(field: &str, file: &StoredMedia) -> String {
    file.filename.clone().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| {
        let ending = file.mime.rsplit('/').next().unwrap_or("bin");
        format!("{field}.{}", ending.split(['+', ';']).next().unwrap_or("bin"))
    })
}

/// To whom, in which topic, in answer to what.
fn address(fields: &mut Map<String, Value>, message: &Outgoing) {
    fields.insert("chat_id".into(), chat(&message.thread));
    if let Some(topic) = message.metadata.get("message_thread_id").and_then(Value::as_i64) {
        fields.insert("message_thread_id".into(), topic.into());
    }
    let answered = message.reply_to.as_deref().and_then(|id| id.rsplit_once(':'));
    if let Some((thread, id)) = answered
        && thread == message.thread
        && let Ok(id) = id.parse::<i64>()
    {
        fields.insert("reply_parameters".into(), json!({ "message_id": id, "allow_sending_without_reply": true }));
    }
}

/// A chat's number, or its public name ("@shop").
pub fn chat(thread: &str) -> Value {
    thread.parse::<i64>().map_or_else(|_| thread.into(), Value::from)
}

async fn draft(link: Link<'_, Config>, message: &Outgoing) -> Result<Draft, ServiceError> {
    match &message.content {
        Content::Text { text } => Ok(words(text)?),
        Content::Choices { text, options } => {
            let mut draft = words(if text.trim().is_empty() { "⬇" } else { text })?;
            draft.fields.insert("reply_markup".into(), keyboard(options)?);
            Ok(draft)
        }
        Content::AskLocation { text } => {
            let mut draft = words(text)?;
            // The sign alone, since the customer's language is not known here.
            let button = json!({ "text": "📍", "request_location": true });
            let keyboard = json!({ "keyboard": [[button]], "resize_keyboard": true, "one_time_keyboard": true });
            draft.fields.insert("reply_markup".into(), keyboard);
            Ok(draft)
        }
        Content::Media { kind, media, caption, filename, mime, .. } => {
            let mut file = link.media.read(media).await.map_err(|error| {
                tracing::warn!(error = %error, media.id = %media, "A stored file could not be read for sending.");
                ServiceError::Permanent(say!("The file is no longer there. Attach it again."))
            })?;
            if !mime.is_empty() {
                file.mime.clone_from(mime);
            }
            file.filename = filename.clone().or(file.filename);
            media_draft(*kind, file, caption.as_deref())
        }
        Content::Location { latitude, longitude, name, address } => Ok(place(*latitude, *longitude, name.as_deref(), address.as_deref())),
        Content::Contacts { contacts } => cards(contacts),
        Content::Chosen { .. }
        | Content::Reaction { .. }
        | Content::Template { .. }
        | Content::Order { .. }
        | Content::Form { .. }
        | Content::Shared { .. }
        | Content::Unsupported { .. }
        | Content::Event { .. } => Err(ServiceError::Permanent(say!("Telegram has no such message."))),
    }
}

fn words(text: &str) -> Result<Draft, ServiceError> {
    let (words, entities) = marked(text, TEXT as usize);
    if words.is_empty() {
        return Err(ServiceError::Permanent(say!("There is nothing to send.")));
    }
    if length(&words, TextUnit::Utf16) > TEXT as usize {
        return Err(ServiceError::Permanent(too_long(TEXT)));
    }
    let mut fields = Map::new();
    fields.insert("text".into(), words.into());
    if !entities.is_empty() {
        fields.insert("entities".into(), json!(entities));
    }
    Ok(Draft { method: "sendMessage", fields, file: None })
}

fn too_long(limit: u32) -> Sentence {
    say!("This text is longer than the {limit} characters that Telegram takes.", limit = limit)
}

/// The rendered text; the text as it was written where rendering made it too long.
fn marked(text: &str, limit: usize) -> (String, Vec<Entity>) {
    let (words, entities) = render(text);
    if length(&words, TextUnit::Utf16) > limit { (text.trim().to_owned(), Vec::new()) } else { (words, entities) }
}

/// The same call without marks, in the words as they were written.
fn without_marks(draft: &mut Draft, content: &Content) {
    draft.fields.remove("entities");
    draft.fields.remove("caption_entities");
    match content {
        Content::Text { text } | Content::Choices { text, .. } if !text.trim().is_empty() => {
            draft.fields.insert("text".into(), text.trim().into());
        }
        Content::Media { caption: Some(caption), .. } => {
            draft.fields.insert("caption".into(), caption.trim().into());
        }
        _ => {}
    }
}

fn keyboard(options: &[Choice]) -> Result<Value, ServiceError> {
    let mut rows = Vec::with_capacity(options.len());
    for option in options {
        let button = match &option.url {
            Some(url) => json!({ "text": option.label, "url": url }),
            None if option.id.len() > BUTTON || option.id.is_empty() => {
                return Err(ServiceError::Permanent(say!(
                    "The button {label} cannot be sent: its id must have 1 to 64 bytes.",
                    label = option.label
                )));
            }
            None => json!({ "text": option.label, "callback_data": option.id }),
        };
        rows.push(json!([button]));
    }
    Ok(json!({ "inline_keyboard": rows }))
}

fn media_draft(kind: MediaKind, file: StoredMedia, caption: Option<&str>) -> Result<Draft, ServiceError> {
    let (method, field) = method(kind, &file);
    let largest = if field == "photo" { PHOTO } else { FILE };
    if file.bytes.len() as u64 > largest {
        return Err(ServiceError::Permanent(say!(
            "This file has {size} MB. Telegram takes {limit} MB from a bot.",
            size = file.bytes.len().div_ceil(1024 * 1024),
            limit = largest / (1024 * 1024)
        )));
    }
    if file.bytes.is_empty() {
        return Err(ServiceError::Permanent(say!("This file is empty.")));
    }
    let mut fields = Map::new();
    // A sticker has no caption.
    if let Some(caption) = caption.filter(|caption| !caption.trim().is_empty() && field != "sticker") {
        let (words, entities) = marked(caption, CAPTION as usize);
        if length(&words, TextUnit::Utf16) > CAPTION as usize {
            return Err(ServiceError::Permanent(too_long(CAPTION)));
        }
        fields.insert("caption".into(), words.into());
        if !entities.is_empty() {
            fields.insert("caption_entities".into(), json!(entities));
        }
    }
    Ok(Draft { method, fields, file: Some((field, file)) })
}

/// How a file is sent so that it is shown as what it is; whatever Telegram cannot show goes as a document.
fn method(kind: MediaKind, file: &StoredMedia) -> (&'static str, &'static str) {
    let mime = file.mime.split(';').next().unwrap_or_default().trim();
    match (kind, mime) {
        (MediaKind::Image | MediaKind::Video, "image/gif") => ("sendAnimation", "animation"),
        (MediaKind::Image, "image/jpeg" | "image/png" | "image/webp") if file.bytes.len() as u64 <= PHOTO => ("sendPhoto", "photo"),
        (MediaKind::Video, "video/mp4") => ("sendVideo", "video"),
        (MediaKind::Voice, "audio/ogg" | "audio/opus" | "audio/mpeg" | "audio/mp4" | "audio/x-m4a") => ("sendVoice", "voice"),
        (MediaKind::Audio, "audio/mpeg" | "audio/mp4" | "audio/x-m4a") => ("sendAudio", "audio"),
        (MediaKind::Sticker, "image/webp" | "video/webm" | "application/x-tgsticker") => ("sendSticker", "sticker"),
        _ => ("sendDocument", "document"),
    }
}

fn place(latitude: f64, longitude: f64, name: Option<&str>, address: Option<&str>) -> Draft {
    let mut fields = Map::new();
    fields.insert("latitude".into(), latitude.into());
    fields.insert("longitude".into(), longitude.into());
    let named = name.or(address).filter(|text| !text.trim().is_empty());
    let Some(title) = named else {
        return Draft { method: "sendLocation", fields, file: None };
    };
    fields.insert("title".into(), title.into());
    fields.insert("address".into(), address.unwrap_or(title).into());
    Draft { method: "sendVenue", fields, file: None }
}

fn cards(contacts: &[Card]) -> Result<Draft, ServiceError> {
    if let [Card { name, phones }] = contacts
        && let [phone] = phones.as_slice()
    {
        let mut fields = Map::new();
        fields.insert("phone_number".into(), phone.clone().into());
        fields.insert("first_name".into(), if name.is_empty() { phone.clone() } else { name.clone() }.into());
        return Ok(Draft { method: "sendContact", fields, file: None });
    }
    words(&spelled::cards(contacts))
}

/// Puts a sign on a message, or takes it away.
async fn react(link: Link<'_, Config>, message: &Outgoing, emoji: &str, target: &str) -> Result<Receipt, ServiceError> {
    let id = target.rsplit_once(':').and_then(|(_, id)| id.parse::<i64>().ok());
    let Some(id) = id else {
        return Err(ServiceError::Permanent(say!("The message to react to is not one of Telegram's.")));
    };
    let reaction = if emoji.is_empty() { json!([]) } else { json!([{ "type": "emoji", "emoji": emoji }]) };
    let body = json!({ "chat_id": chat(&message.thread), "message_id": id, "reaction": reaction });
    api::call::<Value>(link, "setMessageReaction", &body, Call::Acts).await?;
    Ok(Receipt { external_id: format!("reaction:{target}:{}", message.delivery) })
}
