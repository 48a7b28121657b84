//! What a content becomes at Instagram: one message, in the shapes in which it may be taken, the likeliest first.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use shopbell_core::connector::{Action, Link, Outgoing, ServiceError, StoredMedia};
use shopbell_core::error::Sentence;
use shopbell_core::http::Call;
use shopbell_core::id::MediaId;
use shopbell_core::model::{Choice, Content, MediaKind};
use shopbell_core::say;
use std::time::Duration;

use super::parse::id;
use crate::markdown::plain::plain;
use super::{Config, FILE, Flavour, IMAGE, Mode, QUICK_REPLIES, QUICK_REPLY, TEXT, api};
use crate::meta::graph;
use crate::spelled;

/// The types that Instagram takes, as prefixes.
pub const IMAGES: &[&str] = &["image/jpeg", "image/png", "image/gif"];
pub const SOUNDS: &[&str] = &["audio/wav", "audio/x-wav", "audio/vnd.wave", "audio/aac", "audio/mp4", "audio/m4a", "audio/x-m4a"];
pub const FILMS: &[&str] = &["video/mp4", "video/ogg", "video/x-msvideo", "video/quicktime", "video/webm"];
pub const DOCUMENTS: &[&str] = &["application/pdf"];

/// Buttons that open links fit a card of three, under a text of so many characters.
const CARD_BUTTONS: usize = 3;
const CARD_TEXT: usize = 640;
/// The longest id of a button.
const PAYLOAD: usize = 1000;
/// How long the upload of a file may take.
const UPLOAD: Duration = Duration::from_secs(110);

fn unfit(sentence: Sentence) -> ServiceError {
    ServiceError::Refused { action: Action::FixContent, sentence }
}

/// The `message` of a call, in every shape worth trying.
pub async fn shapes(link: Link<'_, Config>, message: &Outgoing) -> Result<Vec<Value>, ServiceError> {
    match &message.content {
        Content::Text { text } | Content::AskLocation { text } => Ok(vec![words(plain(text))?]),
        Content::Choices { text, options } => Ok(vec![choices(plain(text), options)?]),
        Content::Media { kind, media, caption, .. } => {
            if caption.as_deref().is_some_and(|caption| !caption.trim().is_empty()) {
                return Err(unfit(say!("Instagram shows no words beside a file. Send them as a message of their own.")));
            }
            file(link, *kind, media).await
        }
        Content::Location { latitude, longitude, name, address } => {
            let map = format!("https://www.google.com/maps/search/?api=1&query={latitude:.6},{longitude:.6}");
            let lines = [name.as_deref(), address.as_deref(), Some(map.as_str())];
            Ok(vec![words(lines.into_iter().flatten().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n"))?])
        }
        Content::Contacts { contacts } => {
            Ok(vec![words(spelled::cards(contacts))?])
        }
        Content::Chosen { .. }
        | Content::Reaction { .. }
        | Content::Template { .. }
        | Content::Order { .. }
        | Content::Form { .. }
        | Content::Shared { .. }
        | Content::Unsupported { .. }
        | Content::Event { .. } => Err(ServiceError::Permanent(say!("Instagram has no such message."))),
    }
}

fn words(text: String) -> Result<Value, ServiceError> {
    if text.trim().is_empty() {
        return Err(ServiceError::Permanent(say!("There is nothing to send.")));
    }
    if text.len() > TEXT as usize {
        return Err(unfit(say!("This text is longer than Instagram takes: {limit} bytes, where an emoji counts four.", limit = TEXT)));
    }
    Ok(json!({ "text": text }))
}

/// Quick replies, which vanish when one is chosen; with links among them a card of buttons, or the links as words.
fn choices(text: String, options: &[Choice]) -> Result<Value, ServiceError> {
    let text = if text.trim().is_empty() { "⬇".to_owned() } else { text };
    for option in options {
        if option.id.is_empty() || option.id.len() > PAYLOAD || option.label.trim().is_empty() || option.label.chars().count() > QUICK_REPLY as usize {
            return Err(unfit(say!(
                "The button {label} cannot be sent: up to {limit} characters fit on one.",
                label = option.label,
                limit = QUICK_REPLY
            )));
        }
    }
    let has_links = options.iter().any(|option| option.url.is_some());
    if has_links && options.len() <= CARD_BUTTONS && text.chars().count() <= CARD_TEXT {
        let button = |option: &Choice| match &option.url {
            Some(url) => json!({ "type": "web_url", "url": url, "title": option.label }),
            None => json!({ "type": "postback", "title": option.label, "payload": option.id }),
        };
        let buttons: Vec<Value> = options.iter().map(button).collect();
        let payload = json!({ "template_type": "button", "text": text, "buttons": buttons });
        return Ok(json!({ "attachment": { "type": "template", "payload": payload } }));
    }
    let mut text = text;
    let mut replies = Vec::new();
    for option in options {
        match &option.url {
            Some(url) => text.push_str(&format!("\n{}: {url}", option.label)),
            None => replies.push(json!({ "content_type": "text", "title": option.label, "payload": option.id })),
        }
    }
    if replies.len() > QUICK_REPLIES as usize {
        return Err(unfit(say!("Instagram takes {limit} buttons at most.", limit = QUICK_REPLIES)));
    }
    let mut message = words(text)?;
    if !replies.is_empty() {
        message["quick_replies"] = replies.into();
    }
    Ok(message)
}

async fn file(link: Link<'_, Config>, kind: MediaKind, media: &MediaId) -> Result<Vec<Value>, ServiceError> {
    let missing = |error: anyhow::Error| {
        tracing::warn!(error = %error, media.id = %media, "A stored file could not be read for sending.");
        ServiceError::Permanent(say!("The file is no longer there. Attach it again."))
    };
    let file = link.media.read(media).await.map_err(missing)?;
    let what = fit(kind, &file)?;
    let public = link.public_link(media).await.map_err(missing)?;
    match (public, link.config.flavour) {
        (Some(url), flavour) => {
            let attachment = json!({ "type": what, "payload": { "url": url } });
            let one = json!({ "attachment": attachment });
            // Meta's page for Instagram Login writes it in the plural; accounts have been seen that take only the other form.
            let many = json!({ "attachments": attachment });
            Ok(match flavour {
                Flavour::InstagramLogin => vec![many, one],
                Flavour::FacebookPage => vec![one, many],
            })
        }
        (None, Flavour::FacebookPage) => {
            let attachment_id = upload(link, what, file).await?;
            Ok(vec![json!({ "attachment": { "type": what, "payload": { "attachment_id": attachment_id } } })])
        }
        (None, Flavour::InstagramLogin) => {
            let sentence = say!("Instagram fetches files from a public address, and Shopbell has none now. Switch one on in the settings under Public address.");
            Err(match link.config.mode {
                // A tunnel that is down comes back.
                Mode::Webhook => ServiceError::Temporary(sentence),
                Mode::Polling => ServiceError::Permanent(sentence),
            })
        }
    }
}

/// How Instagram calls this file, if it takes it.
fn fit(kind: MediaKind, file: &StoredMedia) -> Result<&'static str, ServiceError> {
    let (what, limit, types) = match kind {
        MediaKind::Image | MediaKind::Sticker => ("image", IMAGE, IMAGES),
        MediaKind::Audio | MediaKind::Voice => ("audio", FILE, SOUNDS),
        MediaKind::Video => ("video", FILE, FILMS),
        MediaKind::Document => ("file", FILE, DOCUMENTS),
    };
    if !types.iter().any(|known| file.mime.starts_with(known)) {
        return Err(unfit(say!("Instagram does not take files of this type ({mime}).", mime = file.mime)));
    }
    if file.bytes.is_empty() {
        return Err(unfit(say!("This file is empty.")));
    }
    if file.bytes.len() as u64 > limit {
        return Err(unfit(say!(
            "This file has {size} MB. Instagram takes {limit} MB.",
            size = file.bytes.len().div_ceil(1024 * 1024),
            limit = limit / (1024 * 1024)
        )));
    }
    Ok(what)
}

/// Puts a file at the Page, where nobody sees it yet.
async fn upload(link: Link<'_, Config>, what: &str, file: StoredMedia) -> Result<String, ServiceError> {
    let length = file.bytes.len() as u64;
    let name = file.filename.clone().unwrap_or_else(|| format!("{what}.{}", file.mime.rsplit('/').next().unwrap_or("bin")));
    let part = Part::stream_with_length(file.bytes, length)
        .file_name(name)
        .mime_str(&file.mime)
        .map_err(|_| unfit(say!("Instagram does not take files of this type ({mime}).", mime = file.mime)))?;
    let about = json!({ "attachment": { "type": what, "payload": { "is_reusable": false } } });
    let form = Form::new().text("platform", "instagram").text("message", about.to_string()).part("filedata", part);
    let request = api::request(link, Method::POST, &["me", "message_attachments"], &[])?.timeout(UPLOAD).multipart(form);
    // Nothing is seen of it before it is sent: it may be repeated.
    let answer = graph::exchange(request, Call::Reads).await.map_err(api::meaning)?;
    id(&answer["attachment_id"]).ok_or_else(|| graph::unreadable(Call::Reads))
}
