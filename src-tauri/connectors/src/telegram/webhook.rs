//! The webhook: registering it, its secret, what Telegram says of it.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Forged, Link, Request, ServiceError, WebhookState};
use shopbell_core::http::Call;
use shopbell_core::say;
use subtle::ConstantTimeEq;

use super::wire::WebhookInfo;
use super::{Config, Mode, api};

/// The header in which Telegram repeats the secret.
pub const HEADER: &str = "x-telegram-bot-api-secret-token";

/// What we want to hear of; Telegram remembers it until it is told otherwise.
pub const ALLOWED_UPDATES: &[&str] = &["message", "edited_message", "callback_query", "message_reaction", "my_chat_member"];

impl Config {
    /// The secret that Telegram repeats with every update: the owner's, or one made from the token, so that there always is one.
    pub fn secret(&self) -> String {
        match &self.webhook_secret {
            Some(secret) if !secret.reveal().trim().is_empty() => secret.reveal().trim().to_owned(),
            _ => {
                let mut mac = Hmac::<Sha256>::new_from_slice(self.bot_token.reveal().trim().as_bytes()).expect("any length will do as a key");
                mac.update(b"shopbell webhook secret");
                hex::encode(mac.finalize().into_bytes())
            }
        }
    }
}

/// Is it from Telegram? The body is not signed; the secret alone proves it.
pub fn verify(config: &Config, request: &Request) -> Result<(), Forged> {
    if request.is_pulled() {
        return Ok(());
    }
    let Some(given) = request.header(HEADER) else {
        return Err(Forged("The secret token is missing."));
    };
    if bool::from(given.as_bytes().ct_eq(config.secret().as_bytes())) { Ok(()) } else { Err(Forged("The secret token is wrong.")) }
}

/// What Telegram knows of the webhook.
pub async fn info(link: Link<'_, Config>) -> Result<WebhookInfo, ServiceError> {
    Ok(api::call(link, "getWebhookInfo", &json!({}), Call::Reads).await?)
}

/// Registers `url` and reads the state back.
pub async fn subscribe(link: Link<'_, Config>, url: &str) -> Result<WebhookState, ServiceError> {
    if link.config.mode == Mode::Polling {
        return Err(ServiceError::Permanent(say!(
            "This connection fetches its messages by itself and needs no web address. Choose Webhook in its settings first."
        )));
    }
    let body = json!({
        "url": url,
        "secret_token": link.config.secret(),
        "allowed_updates": ALLOWED_UPDATES,
        "max_connections": 40,
        "drop_pending_updates": false,
    });
    let _: Value = api::call(link, "setWebhook", &body, Call::Acts).await?;
    // It is registered; that its state cannot be read just now proves nothing against it.
    Ok(state(link).await.unwrap_or_default())
}

/// The state as the screens show it.
pub async fn state(link: Link<'_, Config>) -> Result<WebhookState, ServiceError> {
    let info = info(link).await?;
    let mut details = Map::new();
    details.insert("has_custom_certificate".into(), info.has_custom_certificate.into());
    details.insert("max_connections".into(), info.max_connections.into());
    details.insert("ip_address".into(), info.ip_address.into());
    details.insert("allowed_updates".into(), info.allowed_updates.into());
    Ok(WebhookState {
        confirmed_url: (!info.url.is_empty()).then_some(info.url),
        pending: Some(info.pending_update_count),
        last_error: info.last_error_message,
        last_error_at: info.last_error_date.map(Timestamp::from_seconds),
        details,
    })
}
