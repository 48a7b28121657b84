//! What a message is made of: words, files, and what Instagram calls shares.

use serde_json::Value;
use shopbell_core::connector::{IncomingContent, RemoteMedia};
use shopbell_core::model::{Choice, Content, MediaKind};

use super::Config;
use super::media::is_media_link;
use crate::unread;

/// The names of reactions and their signs.
const REACTIONS: &[(&str, &str)] =
    &[("love", "❤"), ("like", "👍"), ("dislike", "👎"), ("smile", "😆"), ("wow", "😮"), ("sad", "😢"), ("angry", "😠")];

/// The sign of a named reaction. A name that is not known is shown as the plain heart of Instagram.
pub fn emoji_of(name: &str) -> &'static str {
    REACTIONS.iter().find(|(known, _)| *known == name).map_or("❤", |(_, emoji)| emoji)
}

/// The name under which Instagram takes a sign; `None` where it has no such reaction.
pub fn reaction_of(emoji: &str) -> Option<&'static str> {
    let plain = emoji.trim_end_matches('\u{fe0f}');
    let same = match plain {
        "😂" | "😄" | "😀" | "😁" | "😊" => "😆",
        "😭" => "😢",
        "😡" => "😠",
        "😯" | "😲" => "😮",
        "♥" | "💛" | "💚" | "💙" | "💜" | "🧡" | "💖" | "😍" => "❤",
        plain => plain,
    };
    REACTIONS.iter().find(|(_, known)| *known == same).map(|(name, _)| *name)
}

/// Everything that a message says, in the order in which one reads it: what it answers, files, words.
pub fn of(config: &Config, message: &Value) -> Vec<IncomingContent> {
    let mut content = Vec::new();
    let story = &message["reply_to"]["story"];
    if story.is_object() {
        content.extend(shared(config, "story_reply", story["url"].as_str(), None, MediaKind::Image));
    }
    for attachment in message["attachments"].as_array().into_iter().flatten() {
        content.extend(attached(config, attachment));
    }
    let text = message["text"].as_str().filter(|text| !text.is_empty());
    match (message["quick_reply"]["payload"].as_str(), text) {
        (Some(payload), text) => {
            content.push(known(Content::Chosen { id: payload.to_owned(), label: text.unwrap_or(payload).to_owned() }));
        }
        (None, Some(text)) => content.push(known(Content::Text { text: text.to_owned() })),
        (None, None) => {}
    }
    if content.is_empty() {
        let kind = if message["is_unsupported"] == true { "unsupported" } else { "unknown" };
        content.push(known(unread::unsupported(kind)));
    }
    content
}

fn known(content: Content) -> IncomingContent {
    IncomingContent::Content(content)
}

fn attached(config: &Config, attachment: &Value) -> Vec<IncomingContent> {
    let payload = &attachment["payload"];
    let (url, title) = (payload["url"].as_str().filter(|url| !url.is_empty()), payload["title"].as_str());
    let kind = attachment["type"].as_str().unwrap_or("unknown");
    let unsupported = || vec![known(unread::unsupported(kind))];
    let file = |kind: MediaKind| match url {
        Some(url) => vec![remote(url, kind, title)],
        None => unsupported(),
    };
    match kind {
        "image" if payload["sticker_id"].is_null() => file(MediaKind::Image),
        "image" | "sticker" | "animated_image" => file(MediaKind::Sticker),
        "video" => file(MediaKind::Video),
        // Instagram records sound only as voice messages.
        "audio" => file(MediaKind::Voice),
        "file" => file(MediaKind::Document),
        "like_heart" => vec![known(Content::Text { text: "❤".into() })],
        "story_mention" => shared(config, "story_mention", url, title, MediaKind::Image),
        "ig_reel" | "reel" => shared(config, "reel", url, title, MediaKind::Video),
        "ig_post" => shared(config, "post", url, title, MediaKind::Image),
        "share" => {
            let is_page = url.is_some_and(|url| !is_media_link(config, url));
            let what = match url {
                Some(url) if is_page && url.contains("/reel/") => "reel",
                Some(url) if is_page && !url.contains("instagram.com/p/") => "link",
                _ => "post",
            };
            shared(config, what, url, title, MediaKind::Image)
        }
        "fallback" => shared(config, "link", url, title.or(attachment["title"].as_str()), MediaKind::Image),
        "template" => template(payload).unwrap_or_else(unsupported),
        _ => unsupported(),
    }
}

/// Something of Instagram's own, and the picture or film itself while its link lives.
fn shared(config: &Config, what: &str, url: Option<&str>, title: Option<&str>, kind: MediaKind) -> Vec<IncomingContent> {
    let title = title.filter(|title| !title.is_empty()).map(str::to_owned);
    let mut parts = vec![known(Content::Shared { what: what.to_owned(), url: url.map(str::to_owned), title })];
    parts.extend(url.filter(|url| is_media_link(config, url)).map(|url| remote(url, kind, None)));
    parts
}

fn remote(url: &str, kind: MediaKind, title: Option<&str>) -> IncomingContent {
    let filename = title.filter(|title| kind == MediaKind::Document && !title.is_empty()).map(str::to_owned);
    IncomingContent::Media(RemoteMedia { kind, reference: url.to_owned(), filename, ..RemoteMedia::default() })
}

/// Cards with buttons that the shop or another program of it sent: their words, and what stands on the buttons.
fn template(payload: &Value) -> Option<Vec<IncomingContent>> {
    let elements = payload["generic"]["elements"].as_array().or_else(|| payload["elements"].as_array());
    // A card of words alone is written where the list of cards stands else.
    let single = [payload, &payload["button"]].into_iter().filter(|card| card["text"].is_string());
    let cards: Vec<IncomingContent> = single.chain(elements.into_iter().flatten()).filter_map(card).map(known).collect();
    (!cards.is_empty()).then_some(cards)
}

fn card(card: &Value) -> Option<Content> {
    let lines = [&card["text"], &card["title"], &card["subtitle"]].into_iter().filter_map(Value::as_str);
    let text = lines.filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n");
    let options: Vec<Choice> = card["buttons"].as_array().into_iter().flatten().filter_map(button).collect();
    match (options.is_empty(), text.is_empty()) {
        (true, true) => None,
        (true, false) => Some(Content::Text { text }),
        (false, _) => Some(Content::Choices { text, options }),
    }
}

fn button(button: &Value) -> Option<Choice> {
    let text = |name: &str| button[name].as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let label = text("title")?;
    Some(Choice { id: text("payload").unwrap_or_default(), label, url: text("url"), description: None })
}
