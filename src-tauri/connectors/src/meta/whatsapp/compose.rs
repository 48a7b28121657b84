//! The body of a message: which type a content takes, within the limits of each.
//!
//! Choices that fit no buttons and no list become numbered lines, because words always arrive.

use serde_json::{Map, Value, json};
use shopbell_core::connector::{Action, MediaSource, Outgoing, ServiceError, TextUnit};
use shopbell_core::error::Sentence;
use shopbell_core::model::{Card, Choice, Content};
use shopbell_core::say;
use shopbell_core::text::length;

use super::files::{self, Uploaded};
use super::{BUTTON, BUTTONS, CAPTION, DESCRIPTION, Door, ROW, ROWS, TEXT, templates};
use crate::markdown::whatsapp::render;

/// The longest id of a button, and of a row.
const BUTTON_ID: usize = 256;
const ROW_ID: usize = 200;

/// The type of a message and what stands under its name.
pub type Part = (&'static str, Value);

/// The whole body of a message.
pub async fn body(door: &Door<'_>, media: &dyn MediaSource, message: &Outgoing) -> Result<Value, ServiceError> {
    let (kind, part) = part(door, media, message).await?;
    let mut body = Map::new();
    body.insert("messaging_product".into(), "whatsapp".into());
    body.insert("recipient_type".into(), "individual".into());
    let (name, who) = recipient(&message.thread);
    body.insert(name.into(), who.into());
    body.insert("type".into(), kind.into());
    body.insert(kind.into(), part);
    if let Some(answered) = message.reply_to.as_deref().filter(|_| kind != "reaction") {
        body.insert("context".into(), json!({ "message_id": answered }));
    }
    // It comes back with every status: the proof that something was sent when the answer to this call never came.
    body.insert("biz_opaque_callback_data".into(), message.delivery.as_str().into());
    Ok(Value::Object(body))
}

/// A number in `to`, WhatsApp's own id of a person in `recipient`.
fn recipient(thread: &str) -> (&'static str, &str) {
    if thread.bytes().all(|byte| byte.is_ascii_digit()) { ("to", thread) } else { ("recipient", thread) }
}

async fn part(door: &Door<'_>, media: &dyn MediaSource, message: &Outgoing) -> Result<Part, ServiceError> {
    match &message.content {
        Content::Text { text } => words(text),
        Content::Media { kind, media: id, caption, filename, mime, .. } => {
            let file = files::stored(media, id, mime, filename.as_deref()).await?;
            let slot = files::slot(*kind, &file.mime, &file.bytes)?;
            let caption = caption.as_deref().map(str::trim).filter(|caption| !caption.is_empty());
            // Looked at before the upload: what cannot be sent is not put there either.
            let caption = caption.map(|caption| captioned(slot.kind, caption)).transpose()?;
            let uploaded = files::upload(door, file, slot).await?;
            Ok(media_part(&uploaded, caption.as_deref()))
        }
        Content::Location { latitude, longitude, name, address } => {
            let mut place = json!({ "latitude": latitude, "longitude": longitude });
            for (field, value) in [("name", name), ("address", address)] {
                if let Some(value) = value.as_deref().filter(|value| !value.trim().is_empty()) {
                    place[field] = value.into();
                }
            }
            Ok(("location", place))
        }
        Content::Contacts { contacts } => cards(contacts),
        Content::Choices { text, options } => choices(text, options, &message.thread),
        Content::AskLocation { text } => ask_location(text),
        Content::Reaction { emoji, target } => Ok(("reaction", json!({ "message_id": target, "emoji": emoji }))),
        Content::Template { name, language, values, .. } => {
            templates::compose(door, media, name, language, values).await.map(|template| ("template", template))
        }
        Content::Chosen { .. }
        | Content::Order { .. }
        | Content::Form { .. }
        | Content::Shared { .. }
        | Content::Unsupported { .. }
        | Content::Event { .. } => Err(ServiceError::Permanent(say!("WhatsApp has no such message."))),
    }
}

fn refused(sentence: Sentence) -> ServiceError {
    ServiceError::Refused { action: Action::FixContent, sentence }
}

fn too_long(limit: u32) -> ServiceError {
    refused(say!("This text is longer than the {limit} characters that WhatsApp takes.", limit = limit))
}

/// The text with WhatsApp's marks; as it was written where they made it too long.
fn marked(text: &str, limit: u32) -> Result<String, ServiceError> {
    let is_short = |text: &str| length(text, TextUnit::Chars) <= limit as usize;
    let rendered = render(text);
    if is_short(&rendered) {
        return Ok(rendered);
    }
    if is_short(text) { Ok(text.to_owned()) } else { Err(too_long(limit)) }
}

fn words(text: &str) -> Result<Part, ServiceError> {
    if text.trim().is_empty() {
        return Err(refused(say!("There is nothing to send.")));
    }
    let text = marked(text, TEXT)?;
    let has_link = text.contains("https://") || text.contains("http://");
    Ok(("text", json!({ "body": text, "preview_url": has_link })))
}

fn captioned(kind: &str, caption: &str) -> Result<String, ServiceError> {
    if matches!(kind, "audio" | "sticker") {
        return Err(refused(say!("WhatsApp shows no words beside a sound or a sticker. Send them as a message of their own.")));
    }
    marked(caption, CAPTION)
}

fn media_part(uploaded: &Uploaded, caption: Option<&str>) -> Part {
    let mut file = json!({ "id": uploaded.id });
    if let Some(caption) = caption {
        file["caption"] = caption.into();
    }
    if uploaded.kind == "document" {
        file["filename"] = uploaded.filename.clone().into();
    }
    if uploaded.voice {
        file["voice"] = true.into();
    }
    (uploaded.kind, file)
}

fn cards(contacts: &[Card]) -> Result<Part, ServiceError> {
    if contacts.is_empty() {
        return Err(refused(say!("There is nothing to send.")));
    }
    let cards = contacts.iter().map(|card| {
        let name = if card.name.trim().is_empty() { card.phones.first().map_or("?", String::as_str) } else { card.name.trim() };
        // Without a WhatsApp id: whether a number is on WhatsApp, and under which spelling, is not known here.
        let phones = card.phones.iter().map(|phone| json!({ "phone": phone, "type": "CELL" }));
        json!({ "name": { "formatted_name": name, "first_name": name }, "phones": phones.collect::<Vec<_>>() })
    });
    Ok(("contacts", cards.collect()))
}

/// Words with the button that opens the customer's map.
fn ask_location(text: &str) -> Result<Part, ServiceError> {
    if text.trim().is_empty() {
        return Err(refused(say!("There is nothing to send.")));
    }
    let body = json!({ "text": marked(text, CAPTION)? });
    Ok(("interactive", json!({ "type": "location_request_message", "body": body, "action": { "name": "send_location" } })))
}

fn choices(text: &str, options: &[Choice], thread: &str) -> Result<Part, ServiceError> {
    if options.is_empty() {
        return words(text);
    }
    let body = marked(text, CAPTION).ok().filter(|body| !body.trim().is_empty());
    let fits = body.and_then(|body| match options {
        [Choice { label, url: Some(url), .. }] => opens(&body, label, url),
        _ if options.iter().any(|option| option.url.is_some()) => None,
        _ => buttons(&body, options).or_else(|| list(&body, options, thread)),
    });
    match fits {
        Some(interactive) => Ok(("interactive", interactive)),
        None => words(&Choice::numbered(text, options)),
    }
}

/// Whether labels are short enough, ids too, and none is there twice, which WhatsApp refuses.
fn fit(options: &[Choice], most: u32, label: u32, id: usize) -> bool {
    let is_alone =
        |index: usize, option: &Choice| options[..index].iter().all(|other| other.label != option.label && other.id != option.id);
    options.len() <= most as usize
        && options.iter().enumerate().all(|(index, option)| {
            let size = length(&option.label, TextUnit::Chars);
            (1..=label as usize).contains(&size) && (1..=id).contains(&option.id.len()) && is_alone(index, option)
        })
}

fn opens(body: &str, label: &str, url: &str) -> Option<Value> {
    let is_short = (1..=BUTTON as usize).contains(&length(label, TextUnit::Chars));
    is_short.then(|| {
        let parameters = json!({ "display_text": label, "url": url });
        json!({ "type": "cta_url", "body": { "text": body }, "action": { "name": "cta_url", "parameters": parameters } })
    })
}

fn buttons(body: &str, options: &[Choice]) -> Option<Value> {
    let plain = options.iter().all(|option| option.described().is_none());
    (plain && fit(options, BUTTONS, BUTTON, BUTTON_ID)).then(|| {
        let buttons = options.iter().map(|option| json!({ "type": "reply", "reply": { "id": option.id, "title": option.label } }));
        json!({ "type": "button", "body": { "text": body }, "action": { "buttons": buttons.collect::<Vec<_>>() } })
    })
}

fn list(body: &str, options: &[Choice], thread: &str) -> Option<Value> {
    // A description that is cut may lose the price: longer ones go as words.
    let is_told = options.iter().filter_map(Choice::described).all(|text| length(text, TextUnit::Chars) <= DESCRIPTION);
    (is_told && fit(options, ROWS, ROW, ROW_ID)).then(|| {
        let rows = options.iter().map(|option| {
            let mut row = json!({ "id": option.id, "title": option.label });
            if let Some(description) = option.described() {
                row["description"] = description.into();
            }
            row
        });
        let action = json!({ "button": choose(thread), "sections": [{ "rows": rows.collect::<Vec<_>>() }] });
        json!({ "type": "list", "body": { "text": body }, "action": action })
    })
}

/// What stands on the button that opens a list. Customers read it, and WhatsApp does not tell their language: the country does.
fn choose(thread: &str) -> &'static str {
    const PORTUGUESE: [&str; 5] = ["55", "351", "244", "258", "238"];
    const SPANISH: [&str; 20] = [
        "34", "51", "52", "53", "54", "56", "57", "58", "502", "503", "504", "505", "506", "507", "591", "593", "595", "598", "1809",
        "1829",
    ];
    let is_of = |numbers: &[&str]| numbers.iter().any(|number| thread.starts_with(number));
    match thread.split_once('.').map(|(country, _)| country) {
        Some("BR" | "PT" | "AO" | "MZ" | "CV") => "Escolher",
        Some(
            "ES" | "PE" | "MX" | "CU" | "AR" | "CL" | "CO" | "VE" | "GT" | "SV" | "HN" | "NI" | "CR" | "PA" | "BO" | "EC" | "PY" | "UY"
            | "DO",
        ) => "Elegir",
        None if is_of(&PORTUGUESE) => "Escolher",
        None if is_of(&SPANISH) => "Elegir",
        _ => "Choose",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(number: usize, label: &str) -> Choice {
        Choice { id: format!("o{number}"), label: label.into(), url: None, description: None }
    }

    fn kind(text: &str, options: &[Choice]) -> String {
        let (kind, part) = choices(text, options, "5511999990000").unwrap();
        if kind == "interactive" { part["type"].as_str().unwrap().to_owned() } else { part["body"].as_str().unwrap().to_owned() }
    }

    #[test]
    fn choices_take_the_best_form_that_they_fit() {
        let many = |count: usize, label: &str| (0..count).map(|number| option(number, &format!("{label}{number}"))).collect::<Vec<_>>();
        assert_eq!(kind("?", &many(3, "Sim ")), "button");
        assert_eq!(kind("?", &many(4, "Sim ")), "list");
        assert_eq!(kind("?", &many(3, "Pão de queijo mineiro ")), "list", "longer than a button");
        assert_eq!(kind("?", &many(2, &"x".repeat(24))), format!("?\n\n1. {0}0\n2. {0}1", "x".repeat(24)), "longer than a row");
        assert!(kind("?", &many(11, "Sim ")).ends_with("11. Sim 10"), "more than a list holds");
        assert_eq!(kind("?", &[option(1, "Sim"), option(2, "Sim")]), "?\n\n1. Sim\n2. Sim", "WhatsApp refuses two of one name");
        assert_eq!(kind(&"x".repeat(1025), &many(2, "Sim ")).lines().last(), Some("2. Sim 1"), "a longer text than buttons may have");
        let told = |signs: usize| vec![Choice { description: Some("d".repeat(signs)), ..option(1, "Pão") }];
        assert_eq!(kind("?", &told(72)), "list");
        assert_eq!(kind("?", &told(73)), format!("?\n\n1. Pão – {}", "d".repeat(73)), "nothing is cut off");
        let link = Choice { url: Some("https://shop.example".into()), ..option(1, "Menu") };
        assert_eq!(kind("?", std::slice::from_ref(&link)), "cta_url");
        assert_eq!(kind("?", &[link, option(2, "Sim")]), "?\n\n1. Menu: https://shop.example\n2. Sim");
    }

    #[test]
    fn the_button_of_a_list_speaks_the_customers_language_as_far_as_the_country_tells() {
        let said = ["5511999990000", "34600000000", "BR.13491208655302741918", "MX.1", "4915100000000", "15550000000"].map(choose);
        assert_eq!(said, ["Escolher", "Elegir", "Escolher", "Elegir", "Choose", "Choose"]);
    }

    #[test]
    fn somebody_without_a_number_is_addressed_by_their_id() {
        assert_eq!(recipient("5511999990000"), ("to", "5511999990000"));
        assert_eq!(recipient("BR.13491208655302741918"), ("recipient", "BR.13491208655302741918"));
    }
}
