//! The address under which Twilio calls us: how it is written, and whose it is.

use reqwest::Method;
use serde_json::{Map, Value};
use shopbell_core::connector::{Link, ServiceError, WebhookState};
use shopbell_core::http::Call;
use shopbell_core::id::DeliveryId;
use shopbell_core::say;

use super::api::{self, Product};
use super::parse::DELIVERY;
use super::wire::ServiceRow;
use super::{Config, Mode};

/// By itself Twilio tries once more, and only when it could not connect. Behind `#` stands that it is to try three times more, whatever
/// went wrong; it is not a part of the address, and not signed.
/// See <https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>.
const RETRIES: &str = "#rc=3&rp=all";

/// Where messages go.
pub fn inbound(hook: &str) -> String {
    format!("{hook}{RETRIES}")
}

/// Where Twilio tells what became of ours.
pub fn status(hook: &str) -> String {
    format!("{hook}/status{RETRIES}")
}

/// The same for one message.
pub fn status_of_delivery(hook: &str, delivery: &DeliveryId) -> String {
    format!("{hook}/status?{DELIVERY}={delivery}{RETRIES}")
}

/// An address without what is for Twilio alone.
pub fn shown(url: &str) -> &str {
    url.split('#').next().unwrap_or_default()
}

/// A connection that fetches its messages needs no address.
///
/// # Errors
/// Says so.
pub fn wanted(config: &Config) -> Result<(), ServiceError> {
    match config.mode {
        Mode::Webhook => Ok(()),
        Mode::Polling => Err(ServiceError::Permanent(say!(
            "This connection fetches its messages by itself and needs no web address. Choose Webhook in its settings first."
        ))),
    }
}

/// The state as the screens show it.
pub fn state(url: Option<&str>, details: Map<String, Value>) -> WebhookState {
    let url = url.map(shown).filter(|url| !url.is_empty());
    WebhookState { confirmed_url: url.map(str::to_owned), details, ..WebhookState::default() }
}

/// Registers the address with the Messaging Service that the number belongs to: there it counts for all of its numbers.
pub async fn register_service(link: Link<'_, Config>, sid: &str, hook: &str) -> Result<ServiceRow, ServiceError> {
    let fields = [("InboundRequestUrl", inbound(hook)), ("InboundMethod", "POST".to_owned()), ("StatusCallback", status(hook))];
    api::send(api::request(link, Method::POST, Product::Messaging, &format!("/v1/Services/{sid}"))?.form(&fields), Call::Acts).await
}

/// What the Messaging Service says of itself.
pub async fn service(link: Link<'_, Config>, sid: &str) -> Result<ServiceRow, ServiceError> {
    api::send(api::request(link, Method::GET, Product::Messaging, &format!("/v1/Services/{sid}"))?, Call::Reads).await
}
