//! What customers say, and what the shop says on its own phone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Event, IncomingContent, IncomingMessage, Referral, RemoteMedia, ShopMessage};
use shopbell_core::model::{Address, Card, Content, MediaKind, OrderLine};

use super::customers::identity_changed;
use super::parse::{Scope, digits, not_understood, text, time};
use crate::unread;

/// A customer: the number, WhatsApp's own id of the person, or both. Either may be missing.
pub struct Person<'a> {
    wa_id: Option<String>,
    user_id: Option<&'a str>,
    name: Option<&'a str>,
    username: Option<&'a str>,
    connector: &'static str,
}

impl<'a> Person<'a> {
    /// Out of the fields of a message and what `contacts` tells of the same person.
    pub fn of(number: &'a Value, user_id: &'a Value, contacts: &'a [Value], scope: Scope<'_>) -> Option<Self> {
        let (number, user_id) = (text(number), text(user_id));
        let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'+');
        let wa_id = number.filter(is_number);
        // Where no number may be told, the field may hold the other id.
        let user_id = user_id.or(number.filter(|text| !is_number(text)));
        let same = |contact: &&Value| {
            let is = |name: &str, wanted: Option<&str>| wanted.is_some_and(|wanted| text(&contact[name]) == Some(wanted));
            is("wa_id", wa_id) || is("user_id", user_id)
        };
        let named = contacts.iter().find(same).or(match contacts {
            // One person speaks in nearly every change; somebody else's card is not taken for theirs.
            [one] if wa_id.is_none() && user_id.is_none() => Some(one),
            _ => None,
        });
        let told = |name: &str| named.and_then(|contact| text(&contact[name]));
        let wa_id = wa_id.or_else(|| told("wa_id")).map(digits).filter(|number| !number.is_empty());
        let user_id = user_id.or_else(|| told("user_id"));
        if wa_id.is_none() && user_id.is_none() {
            return None;
        }
        let profile = |name: &str| named.and_then(|contact| text(&contact["profile"][name]));
        Some(Self { wa_id, user_id, name: profile("name"), username: profile("username"), connector: scope.connector })
    }

    /// The thread: the number where it is known, because it is what an older message had; else the id.
    pub fn thread(&self) -> String {
        self.wa_id.clone().or_else(|| self.user_id.map(str::to_owned)).unwrap_or_default()
    }

    /// What the shop knows the person by.
    pub fn called(&self) -> String {
        let number = self.wa_id.as_ref().map(|number| format!("+{number}"));
        let name = self.name.or(self.username).map(|name| name.chars().take(60).collect::<String>());
        match (name, number) {
            (Some(name), Some(number)) => format!("{name} ({number})"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => self.user_id.unwrap_or("?").chars().take(60).collect(),
        }
    }

    fn also_threads(&self) -> Vec<String> {
        self.wa_id.is_some().then(|| self.user_id.map(str::to_owned)).flatten().into_iter().collect()
    }

    fn addresses(&self) -> (Address, Vec<Address>) {
        let address = |scheme: &str, value: String| Address { connector: self.connector.into(), scheme: scheme.into(), value };
        let phone = self.wa_id.as_ref().map(|number| address("phone", format!("+{number}")));
        let bsuid = self.user_id.map(|id| address("bsuid", id.to_owned()));
        match (phone, bsuid) {
            (Some(phone), bsuid) => (phone, bsuid.into_iter().collect()),
            (None, bsuid) => (bsuid.unwrap_or_else(|| address("bsuid", String::new())), Vec::new()),
        }
    }

    fn metadata(&self) -> Map<String, Value> {
        let pairs = [("wa_id", self.wa_id.as_deref()), ("user_id", self.user_id), ("username", self.username)];
        pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
    }
}

/// One element of `messages`.
pub fn message(message: &Value, contacts: &[Value], scope: Scope<'_>) -> Vec<Event> {
    let kind = text(&message["type"]).unwrap_or("unknown");
    if !message["group_id"].is_null() {
        return vec![Event::Nothing { what: "a message in a group".into() }];
    }
    if kind == "system" {
        return system(message, contacts, scope);
    }
    let Some(id) = text(&message["id"]) else { return vec![not_understood("messages", "a message without an id")] };
    let at = time(&message["timestamp"]);
    if let Some(change) = change(kind, message, at) {
        return vec![change];
    }
    let Some(person) = Person::of(&message["from"], &message["from_user_id"], contacts, scope) else {
        return vec![not_understood(kind, "who wrote it is missing")];
    };
    if kind == "request_welcome" {
        return vec![Event::Nothing { what: "a chat was opened".into() }];
    }
    let content = said(kind, message);
    let context = &message["context"];
    let (from, also) = person.addresses();
    let reply_to = match content.first() {
        Some(IncomingContent::Content(Content::Reaction { target, .. })) => Some(target.clone()),
        _ => text(&context["id"]).map(str::to_owned),
    };
    vec![Event::Message(IncomingMessage {
        also_threads: person.also_threads(),
        also,
        name: person.name.map(str::to_owned),
        content,
        reply_to,
        forwarded: context["forwarded"] == true || context["frequently_forwarded"] == true,
        referral: referral(&message["referral"], at),
        metadata: person.metadata(),
        ..IncomingMessage::new(id, person.thread(), from, at)
    })]
}

/// One element of `message_echoes`: the shop answered on its own phone.
pub fn echo(message: &Value, contacts: &[Value], scope: Scope<'_>) -> Vec<Event> {
    let kind = text(&message["type"]).unwrap_or("unknown");
    let Some(id) = text(&message["id"]) else { return vec![not_understood("message_echoes", "a message without an id")] };
    let at = time(&message["timestamp"]);
    if let Some(change) = change(kind, message, at) {
        return vec![change];
    }
    let Some(person) = Person::of(&message["to"], &message["to_user_id"], contacts, scope) else {
        return vec![not_understood(kind, "to whom it was written is missing")];
    };
    let (to, also) = person.addresses();
    vec![Event::FromShop(ShopMessage {
        external_id: id.to_owned(),
        thread: person.thread(),
        also_threads: person.also_threads(),
        to,
        also,
        content: said(kind, message),
        sent_at: at,
        // Only what was typed on the phone is echoed, never what came through the API.
        ours: Some(false),
        metadata: person.metadata(),
    })]
}

/// What somebody says who is known. A part that is not as it should be is still a message of theirs, with the words that are left of it.
fn said(kind: &str, message: &Value) -> Vec<IncomingContent> {
    content(kind, message).map_or_else(
        |_| {
            let words = text(&message[kind]["caption"]).map(|words| Content::Text { text: words.to_owned() });
            [unread::unsupported(kind)].into_iter().chain(words).map(IncomingContent::Content).collect()
        },
        |content| vec![content],
    )
}

/// Other words for a message, or none at all.
fn change(kind: &str, message: &Value, at: Timestamp) -> Option<Event> {
    let original = text(&message[kind]["original_message_id"]);
    match (kind, original) {
        ("revoke", Some(original)) => Some(Event::Deleted { external_id: original.to_owned(), at }),
        ("edit", Some(original)) => {
            let edited = &message["edit"]["message"];
            Some(match content(text(&edited["type"]).unwrap_or("unknown"), edited) {
                Ok(content) => Event::Edited { external_id: original.to_owned(), content: vec![content], at },
                Err(why) => not_understood("edit", &why),
            })
        }
        ("revoke" | "edit", None) => Some(not_understood(kind, "which message is missing")),
        _ => None,
    }
}

/// What a message says, by its type. What this version does not know is kept as such.
fn content(kind: &str, message: &Value) -> Result<IncomingContent, String> {
    let body = &message[kind];
    let content = match kind {
        "text" => Content::Text { text: body["body"].as_str().ok_or("the words are missing")?.to_owned() },
        "image" | "video" | "audio" | "document" | "sticker" => return media(kind, body).map(IncomingContent::Media),
        "location" => match (body["latitude"].as_f64(), body["longitude"].as_f64()) {
            (Some(latitude), Some(longitude)) => Content::Location {
                latitude,
                longitude,
                name: text(&body["name"]).map(str::to_owned),
                address: text(&body["address"]).map(str::to_owned),
            },
            _ => return Err("the degrees are missing".into()),
        },
        "contacts" => Content::Contacts { contacts: body.as_array().ok_or("is no list")?.iter().map(card).collect() },
        "reaction" => Content::Reaction {
            emoji: body["emoji"].as_str().unwrap_or_default().to_owned(),
            target: text(&body["message_id"]).ok_or("the message it was put on is missing")?.to_owned(),
        },
        "button" => {
            let label = body["text"].as_str().or(body["payload"].as_str()).ok_or("the button is missing")?;
            Content::Chosen { id: body["payload"].as_str().unwrap_or(label).to_owned(), label: label.to_owned() }
        }
        "interactive" => interactive(body)?,
        "order" => Content::Order {
            text: body["text"].as_str().unwrap_or_default().to_owned(),
            lines: body["product_items"].as_array().ok_or("the products are missing")?.iter().map(order_line).collect(),
        },
        // Beside it stands an error with a title of Meta's own; that is no kind of message.
        "unsupported" => unread::unsupported(text(&body["type"]).unwrap_or("unknown")),
        other => unread::unsupported(other),
    };
    Ok(IncomingContent::Content(content))
}

fn interactive(body: &Value) -> Result<Content, String> {
    let kind = text(&body["type"]).unwrap_or("unknown");
    let reply = &body[kind];
    Ok(match kind {
        "button_reply" | "list_reply" => {
            let title = reply["title"].as_str();
            let id = reply["id"].as_str().or(title).ok_or("the choice is missing")?;
            Content::Chosen { id: id.to_owned(), label: title.unwrap_or(id).to_owned() }
        }
        "nfm_reply" => {
            let filled = reply["response_json"].as_str().unwrap_or_default();
            let answers = match serde_json::from_str(filled) {
                Ok(Value::Object(mut answers)) => {
                    // Which run of the form it was: nothing that the customer filled in.
                    answers.shift_remove("flow_token");
                    answers
                }
                // Not the JSON that was promised: what there is is kept.
                _ => Map::from_iter([("response".to_owned(), filled.into())]),
            };
            Content::Form { name: text(&reply["name"]).unwrap_or("flow").to_owned(), answers }
        }
        other => unread::unsupported(other),
    })
}

fn media(kind: &str, body: &Value) -> Result<RemoteMedia, String> {
    let reference = text(&body["id"]).ok_or("the file's id is missing")?.to_owned();
    let (kind, usual) = match kind {
        "image" => (MediaKind::Image, "image/jpeg"),
        "video" => (MediaKind::Video, "video/mp4"),
        "audio" if body["voice"] == true => (MediaKind::Voice, "audio/ogg"),
        "audio" => (MediaKind::Audio, "audio/mpeg"),
        "sticker" => (MediaKind::Sticker, "image/webp"),
        _ => (MediaKind::Document, "application/octet-stream"),
    };
    Ok(RemoteMedia {
        kind,
        reference,
        mime: text(&body["mime_type"]).unwrap_or(usual).to_owned(),
        filename: text(&body["filename"]).map(str::to_owned),
        bytes: body["file_size"].as_u64(),
        sha256: text(&body["sha256"]).and_then(hex_hash),
        caption: text(&body["caption"]).map(str::to_owned),
        duration_ms: None,
    })
}

/// A SHA-256 as lower-case hex. Webhooks write base64, the answer to a question about the file writes hex.
pub fn hex_hash(hash: &str) -> Option<String> {
    let bytes = if hash.len() == 64 { hex::decode(hash).ok()? } else { STANDARD.decode(hash).ok()? };
    (bytes.len() == 32).then(|| hex::encode(bytes))
}

fn card(contact: &Value) -> Card {
    let name = &contact["name"];
    let parts = ["first_name", "last_name"].into_iter().filter_map(|part| text(&name[part])).collect::<Vec<_>>().join(" ");
    let phones = contact["phones"].as_array().into_iter().flatten();
    Card {
        name: text(&name["formatted_name"]).map_or(parts, str::to_owned),
        phones: phones
            .filter_map(|phone| {
                let number = || text(&phone["wa_id"]).map(digits).filter(|number| !number.is_empty()).map(|number| format!("+{number}"));
                text(&phone["phone"]).map(str::to_owned).or_else(number)
            })
            .collect(),
    }
}

fn order_line(item: &Value) -> OrderLine {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    OrderLine {
        product: text(&item["product_retailer_id"]).unwrap_or("?").to_owned(),
        quantity: number(&item["quantity"]).unwrap_or(1.0),
        price: number(&item["item_price"]),
        currency: text(&item["currency"]).map(str::to_owned),
    }
}

/// The advertisement that was pressed; only the first message of a conversation has it.
fn referral(referral: &Value, at: Timestamp) -> Option<Referral> {
    let get = |name: &str| text(&referral[name]).map(str::to_owned);
    referral.is_object().then(|| Referral {
        kind: get("source_type").unwrap_or_else(|| "ad".into()),
        source_id: get("source_id"),
        url: get("source_url"),
        headline: get("headline"),
        body: get("body"),
        click_id: get("ctwa_clid"),
        at: Some(at),
    })
}

/// What WhatsApp itself says of a customer: a new number, a new id, another phone.
fn system(message: &Value, contacts: &[Value], scope: Scope<'_>) -> Vec<Event> {
    let system = &message["system"];
    let kind = text(&system["type"]).unwrap_or("unknown");
    if kind == "customer_identity_changed"
        && let Some(person) = Person::of(&message["from"], &message["from_user_id"], contacts, scope)
    {
        return vec![identity_changed(&person, time(&message["timestamp"]))];
    }
    if !matches!(kind, "user_changed_number" | "user_changed_user_id" | "customer_changed_number") {
        return vec![Event::Nothing { what: format!("system {}", kind.chars().take(60).collect::<String>()) }];
    }
    let address = |scheme: &str, value: String| Address { connector: scope.connector.into(), scheme: scheme.into(), value };
    let number = text(&system["wa_id"]).or_else(|| text(&system["new_wa_id"])).map(digits).filter(|number| !number.is_empty());
    let (to, address) = match (number, text(&system["user_id"])) {
        (Some(number), _) => (number.clone(), address("phone", format!("+{number}"))),
        (None, Some(id)) => (id.to_owned(), address("bsuid", id.to_owned())),
        (None, None) => return vec![not_understood(kind, "the new number is missing")],
    };
    // The conversation may be known under either of the old names; the second is nothing new then.
    let old = [
        text(&message["from"]).map(digits),
        text(&message["from_user_id"]).map(str::to_owned),
        text(&system["previous_user_id"]).map(str::to_owned),
    ];
    let mut moves: Vec<Event> = old
        .into_iter()
        .flatten()
        .filter(|from| !from.is_empty() && *from != to)
        .map(|from| Event::Moved { from, to: to.clone(), address: Some(address.clone()), beside: false })
        .collect();
    // A new number comes with a new id; both are the customer's from now on.
    if let Some(id) = text(&system["user_id"]).filter(|id| *id != to) {
        let address = Address { connector: scope.connector.into(), scheme: "bsuid".into(), value: id.to_owned() };
        moves.push(Event::Moved { from: to, to: id.to_owned(), address: Some(address), beside: true });
    }
    if moves.is_empty() { vec![not_understood(kind, "the old number is missing")] } else { moves }
}
