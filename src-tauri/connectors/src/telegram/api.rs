//! One call of the Bot API, and what its refusals mean.
//!
//! The token is part of every address, so no address and no error of the HTTP client ever leaves this file as text.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shopbell_core::connector::{Link, ServiceError};
use shopbell_core::error::Sentence;
use shopbell_core::http::{Call, read_bytes, service_error};
use shopbell_core::say;

use super::Config;
use super::wire::Envelope;
use crate::settings;

/// Where the service is.
pub const ADDRESS: &str = "https://api.telegram.org";
/// Answers are small; a page of updates is the largest.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
/// How long an upload may take.
pub const UPLOAD: Duration = Duration::from_secs(180);

/// A refusal that the caller can answer, or an error for the core.
#[derive(Debug)]
pub enum Failure {
    /// The chat has a new number; nothing was done.
    Moved(i64),
    /// The marks on the text were not understood; nothing was done.
    Entities,
    /// Two programs fetch the messages of one bot, or a webhook is set.
    Conflict(String),
    /// Everything else.
    Error(ServiceError),
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Error(error)
    }
}

impl From<Failure> for ServiceError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Error(error) => error,
            Failure::Moved(_) => Self::Permanent(say!("This chat no longer exists.")),
            Failure::Entities => Self::Permanent(say!("Telegram could not read the text.")),
            Failure::Conflict(words) => Self::Temporary(conflict(&words)),
        }
    }
}

fn conflict(words: &str) -> Sentence {
    if words.contains("webhook") {
        say!("Telegram sends this bot's messages to a web address, so they cannot be fetched. Shopbell looks into it by itself.")
    } else {
        say!(
            "Another program fetches this bot's messages too, so each gets only some of them. Stop the other one, or get a new token from BotFather with /revoke."
        )
    }
}

/// Calls a method with JSON.
pub async fn call<T: DeserializeOwned>(link: Link<'_, Config>, method: &str, body: &impl Serialize, call: Call) -> Result<T, Failure> {
    send(request(link, method)?.json(body), call).await
}

/// Begins a call, for bodies that are not JSON and for other time limits.
pub fn request(link: Link<'_, Config>, method: &str) -> Result<RequestBuilder, ServiceError> {
    let token = link.config.bot_token.reveal().trim();
    let base = settings::base(link.config.base_url.as_deref(), ADDRESS);
    link.http.request(Method::POST, &format!("{base}/bot{token}/{method}"))
}

/// Sends a call and reads the envelope.
pub async fn send<T: DeserializeOwned>(request: RequestBuilder, call: Call) -> Result<T, Failure> {
    let response = request.send().await.map_err(|error| service_error(&error, call))?;
    let status = response.status().as_u16();
    let waits = response.headers().get("retry-after").and_then(|value| value.to_str().ok()).and_then(|text| text.trim().parse().ok());
    let body = match read_bytes(response, LARGEST_ANSWER, call).await {
        Ok(body) => body,
        // A refusal whose words are lost is still a refusal.
        Err(_) if status >= 400 => bytes::Bytes::new(),
        Err(error) => return Err(error.into()),
    };
    match serde_json::from_slice::<Envelope<T>>(&body) {
        Ok(Envelope { ok: true, result: Some(result), .. }) => Ok(result),
        // A server of the owner's own may say no more than that it is done.
        Ok(Envelope { ok: true, result: None, .. }) => serde_json::from_str("null").map_err(|_| unreadable(call).into()),
        Ok(Envelope { ok: false, error_code, description, parameters, .. }) => {
            if let Some(chat) = parameters.migrate_to_chat_id {
                return Err(Failure::Moved(chat));
            }
            let code = if error_code == 0 { status } else { error_code };
            Err(refusal(code, &description, parameters.retry_after.or(waits)))
        }
        // Not Telegram's own answer: something in between, or a base_url that leads elsewhere.
        _ if status >= 400 => Err(refusal(status, "", waits)),
        _ => Err(unreadable(call).into()),
    }
}

fn unreadable(call: Call) -> ServiceError {
    match call {
        Call::Acts => ServiceError::Ambiguous,
        Call::Reads => ServiceError::Temporary(say!("Telegram answered in a way we do not understand. We try again.")),
    }
}

/// What a refusal means.
fn refusal(code: u16, description: &str, waits: Option<u64>) -> Failure {
    let words = description.strip_prefix("Bad Request: ").or_else(|| description.strip_prefix("Forbidden: ")).unwrap_or(description);
    Failure::Error(match code {
        429 => ServiceError::RateLimited { retry_after: waits.map(Duration::from_secs) },
        401 => unauthorized(),
        404 if matches!(words, "" | "Not Found") => unauthorized(),
        403 => ServiceError::Permanent(match words {
            "bot was blocked by the user" => {
                say!("The customer has blocked this bot. They can write again when they unblock it.")
            }
            "user is deactivated" => say!("This customer's Telegram account no longer exists."),
            "bot can't initiate conversation with a user" => {
                say!("This customer has never written to the bot. Telegram lets a bot answer only, never write first.")
            }
            words if words.contains("kicked") => say!("The bot is no longer in this group."),
            words => refused(words),
        }),
        409 => return Failure::Conflict(words.to_owned()),
        400 if words.starts_with("can't parse entities") || words.contains("ENTITY_") => return Failure::Entities,
        400 if words == "chat not found" => {
            ServiceError::Permanent(say!("Telegram does not know this chat. The customer has to write to the bot first."))
        }
        413 => ServiceError::Permanent(say!("This file is too large for Telegram.")),
        500..=599 => ServiceError::Temporary(say!("Telegram has trouble of its own ({code}). We try again.", code = code)),
        _ => ServiceError::Permanent(refused(if words.is_empty() { "?" } else { words })),
    })
}

fn refused(words: &str) -> Sentence {
    say!("Telegram refused this: {words}", words = words)
}

/// The sentence for a token that is not, or no longer, good.
pub fn unauthorized() -> ServiceError {
    ServiceError::Unauthorized(say!("Telegram does not accept this token. Copy it again from BotFather; it looks like 123456789:ABC…"))
}
