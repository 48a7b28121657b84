//! The webhook: a header of our own is its only proof, and another program's address is not taken away unasked.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use shopbell_core::connector::{Action, Forged, Link, Request, ServiceError, WebhookState};
use shopbell_core::http::Call;
use shopbell_core::say;
use subtle::ConstantTimeEq;

use super::{Config, api};
use crate::meta::graph::{self, Failure};

/// The header in which 360dialog repeats the secret.
pub const HEADER: &str = "x-shopbell-secret";
/// The same, as it is registered.
const REGISTERED: &str = "X-Shopbell-Secret";
/// Where the number's webhook is set.
const PLACE: &str = "v1/configs/webhook";

impl Config {
    /// The secret that 360dialog repeats with every request: the owner's, or one made from the key, so that there always is one.
    pub(super) fn secret(&self) -> String {
        match &self.webhook_secret {
            Some(secret) if !secret.reveal().trim().is_empty() => secret.reveal().trim().to_owned(),
            _ => {
                let mut mac = Hmac::<Sha256>::new_from_slice(self.api_key.reveal().trim().as_bytes()).expect("any length will do as a key");
                mac.update(b"shopbell webhook secret");
                hex::encode(mac.finalize().into_bytes())
            }
        }
    }
}

/// Is it from 360dialog? Meta signs the body with a secret that 360dialog keeps; ours alone proves it.
pub fn verify(config: &Config, request: &Request) -> Result<(), Forged> {
    let Some(given) = request.header(HEADER) else {
        return Err(Forged("The secret is missing."));
    };
    if bool::from(given.as_bytes().ct_eq(config.secret().as_bytes())) { Ok(()) } else { Err(Forged("The secret is wrong.")) }
}

/// What 360dialog knows of the webhook.
pub struct Found {
    /// Where it calls.
    pub url: Option<String>,
    /// Whether it knows our secret; `None` = it does not tell.
    pub has_secret: Option<bool>,
}

/// Asks for it. A number that never had one has nothing there.
pub async fn found(link: Link<'_, Config>) -> Result<Found, ServiceError> {
    let door = api::door(link)?;
    let request = door.request(Method::GET, &api::address(link.config, PLACE))?;
    let answer = match api::read(&graph::answer(request, Call::Reads).await?, Call::Reads) {
        Ok(answer) => answer,
        Err(Failure::Refused(refusal)) if refusal.status == 404 => Value::Null,
        Err(failure) => return Err(door.error(failure)),
    };
    let headers = answer["headers"].as_object();
    let secret = headers.and_then(|headers| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(HEADER)));
    Ok(Found {
        url: answer["url"].as_str().map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned),
        has_secret: headers.map(|_| secret.is_some_and(|(_, value)| *value == link.config.secret().as_str())),
    })
}

/// Registers `url` with our secret and reads the state back.
pub async fn subscribe(link: Link<'_, Config>, url: &str) -> Result<WebhookState, ServiceError> {
    let before = found(link).await?;
    if let Some(there) = before.url.as_deref().filter(|there| *there != url && !link.is_hook(there))
        && !link.config.take_over
    {
        let host = url::Url::parse(there).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "?".into());
        return Err(ServiceError::Refused {
            action: Action::FixAccount,
            sentence: say!(
                "Another program at {host} receives this number's messages. If Shopbell should receive them instead, switch on Take over from another program in the settings, then register again.",
                host = host
            ),
        });
    }
    let door = api::door(link)?;
    let body = json!({ "url": url, "headers": { REGISTERED: link.config.secret() } });
    door.exchange(door.request(Method::POST, &api::address(link.config, PLACE))?.json(&body), Call::Reads).await?;
    let mut state = state(link).await.unwrap_or_default();
    // So that the owner can put it back.
    if let Some(there) = before.url.filter(|there| there != url) {
        state.details.insert("previous_url".into(), there.into());
    }
    Ok(state)
}

/// The state as the screens show it.
pub async fn state(link: Link<'_, Config>) -> Result<WebhookState, ServiceError> {
    let found = found(link).await?;
    let ours = found.url.as_deref().is_some_and(|url| link.is_hook(url));
    let mut details = Map::new();
    details.insert("is_ours".into(), ours.into());
    details.insert("secret_set".into(), found.has_secret.into());
    let last_error = (ours && found.has_secret == Some(false)).then(|| {
        say!("360dialog does not know the secret of this connection. Register again.").to_string()
    });
    Ok(WebhookState { confirmed_url: found.url, pending: None, last_error, last_error_at: None, details })
}
