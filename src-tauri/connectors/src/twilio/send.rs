//! Sending: one call that makes one message, and the question afterwards whether it was made.

use reqwest::Method;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Action, Link, Outgoing, Receipt, ServiceError};
use shopbell_core::error::Sentence;
use shopbell_core::http::Call;
use shopbell_core::model::{Choice, Content, MediaKind};
use shopbell_core::say;

use super::api::{self, Product};
use super::listen::messages;
use super::wire::{Created, Listed};
use super::{Config, LONGEST, Line, Mode, never, number, webhook};
use crate::spelled;

/// How far the two clocks may be apart after the difference was taken out: an answer takes its time.
const SLACK_MS: i64 = 10_000;

/// The fields of a call.
type Fields = Vec<(&'static str, String)>;

/// One attempt to send one message.
pub async fn send(line: &Line, link: Link<'_, Config>, message: &Outgoing) -> Result<Receipt, ServiceError> {
    let mut fields = draft(line, link, &message.content).await?;
    fields.push(("To", line.full(&message.thread)));
    fields.push(("From", line.full(&number(&link.config.phone_number))));
    if let Some(service) = link.config.service() {
        fields.push(("MessagingServiceSid", service.to_owned()));
    }
    // Every message says by itself where its fate is to be told, under our own name for it: so even the fate of a call whose answer was
    // lost finds its message.
    if link.config.mode == Mode::Webhook
        && let Some(hook) = link.hook_url()
    {
        fields.push(("StatusCallback", webhook::status_of_delivery(&hook, &message.delivery)));
    }
    let path = api::of_account(link.config, "Messages.json");
    let request = api::request(link, Method::POST, Product::Api, &path)?.form(&fields);
    let created: Created = api::send(request, Call::Acts).await?;
    Ok(Receipt { external_id: created.sid })
}

/// Whether the message is in Twilio's list. Twilio takes no name of ours, so the words tell: same customer, same words, not older than our
/// own message.
pub async fn reconcile(line: &Line, link: Link<'_, Config>, message: &Outgoing) -> Result<Option<Receipt>, ServiceError> {
    let (Some(made), Some((words, files))) = (message.delivery.made_at(), traces(line, &message.content)) else { return Ok(None) };
    // Not by DateSent: a message that still waits at Twilio has none.
    let query = [("To", line.full(&message.thread)), ("From", line.full(&number(&link.config.phone_number))), ("PageSize", "50".into())];
    let (rows, twilios_now) = messages(link, &query, None, 1).await?;
    let ahead = twilios_now.map_or(0, |now| now.millis() - link.clock.now().millis());
    let earliest = Timestamp::from_millis(made.millis() + ahead - SLACK_MS);
    let is_it = |row: &Listed| {
        let at = row.date_created.as_deref().and_then(api::moment);
        row.direction.as_deref().is_some_and(|direction| direction.starts_with("outbound"))
            && at.is_some_and(|at| at >= earliest)
            && row.body.as_deref().unwrap_or_default().trim() == words.trim()
            && (row.files() > 0) == files
    };
    let found = rows.into_iter().filter_map(|row| serde_json::from_value::<Listed>(row).ok()).find(is_it);
    Ok(found.map(|row| Receipt { external_id: row.sid }))
}

/// By what a message is known in the list: its words, and whether it has a file. `None` where the list cannot tell.
fn traces(line: &Line, content: &Content) -> Option<(String, bool)> {
    match content {
        Content::Media { caption, .. } => Some((caption.as_deref().map(line.marked).unwrap_or_default(), true)),
        Content::Template { text, .. } => (!text.trim().is_empty()).then(|| (text.clone(), false)),
        other => words(line, other).ok().map(|words| (words, false)),
    }
}

async fn draft(line: &Line, link: Link<'_, Config>, content: &Content) -> Result<Fields, ServiceError> {
    match content {
        Content::Media { kind, media, caption, bytes, .. } => {
            let caption = caption.as_deref().map(str::trim).filter(|caption| !caption.is_empty());
            if line.mute_sounds && caption.is_some() && matches!(kind, MediaKind::Audio | MediaKind::Voice | MediaKind::Sticker) {
                return Err(fix(say!("A sound or sticker carries no words here. Send the words as a message of their own.")));
            }
            if *bytes > line.largest {
                return Err(fix(say!(
                    "This file has {size} MB. Twilio takes {limit} MB here.",
                    size = bytes.div_ceil(1024 * 1024),
                    limit = line.largest / (1024 * 1024)
                )));
            }
            let address = link.public_link(media).await.map_err(|error| {
                tracing::warn!(error = %error, media.id = %media, "A stored file could not be offered for sending.");
                never(say!("The file is no longer there. Attach it again."))
            })?;
            let Some(address) = address else {
                return Err(fix(say!(
                    "Twilio fetches files from a public web address, and Shopbell has none at the moment. Set one up under Settings, or send words."
                )));
            };
            let mut fields = vec![("MediaUrl", address)];
            if let Some(caption) = caption {
                fields.push(("Body", within(&(line.marked)(caption))?));
            }
            Ok(fields)
        }
        Content::Location { latitude, longitude, name, .. } if line.places => {
            let label = name.as_deref().map(|name| format!("|{}", name.replace(['|', '\n'], " "))).unwrap_or_default();
            Ok(vec![("Body", words(line, content)?), ("PersistentAction", format!("geo:{latitude},{longitude}{label}"))])
        }
        Content::Template { id, values, .. } if line.templates => {
            if id.trim().is_empty() {
                return Err(ServiceError::Refused {
                    action: Action::FixTemplate,
                    sentence: say!("This template has no Content SID. Choose it again from the list."),
                });
            }
            let mut fields = vec![("ContentSid", id.clone())];
            if !values.is_empty() {
                let values = serde_json::to_string(values).map_err(|_| never(say!("There is nothing to send.")))?;
                fields.push(("ContentVariables", values));
            }
            Ok(fields)
        }
        other => Ok(vec![("Body", words(line, other)?)]),
    }
}

/// What a content is in words, on channels that have no better way.
fn words(line: &Line, content: &Content) -> Result<String, ServiceError> {
    match content {
        Content::Text { text } | Content::AskLocation { text } => within(&(line.marked)(text)),
        Content::Choices { text, options } => within(&Choice::numbered(&(line.marked)(text), options)),
        Content::Location { latitude, longitude, name, address } => {
            let mut lines: Vec<String> = [name, address].into_iter().flatten().filter(|text| !text.trim().is_empty()).cloned().collect();
            if !line.places || lines.is_empty() {
                lines.push(if line.places { "📍".to_owned() } else { format!("https://maps.google.com/?q={latitude},{longitude}") });
            }
            within(&lines.join("\n"))
        }
        Content::Contacts { contacts } => within(&spelled::cards(contacts)),
        Content::Media { .. }
        | Content::Chosen { .. }
        | Content::Reaction { .. }
        | Content::Template { .. }
        | Content::Order { .. }
        | Content::Form { .. }
        | Content::Shared { .. }
        | Content::Unsupported { .. }
        | Content::Event { .. } => Err(never(say!("Twilio has no such message."))),
    }
}

fn within(text: &str) -> Result<String, ServiceError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(never(say!("There is nothing to send.")));
    }
    if text.chars().count() > LONGEST as usize {
        return Err(fix(say!("This text is longer than the {limit} characters that Twilio takes.", limit = LONGEST)));
    }
    Ok(text.to_owned())
}

fn fix(sentence: Sentence) -> ServiceError {
    ServiceError::Refused { action: Action::FixContent, sentence }
}
