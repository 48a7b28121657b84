//! Calls of the Graph API with this connection's keys.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use sha2::Sha256;
use shopbell_core::connector::{Link, ServiceError};
use shopbell_core::http::Call;
use shopbell_core::say;

use super::{Config, version};
use crate::meta::graph::{self, Failure, Refusal};
use crate::meta::whatsapp::{self, Door, secret_header};
use crate::settings;

/// The service's address.
pub fn base(config: &Config) -> &str {
    settings::base(config.base_url.as_deref(), graph::ADDRESS)
}

/// The address of something, with the proof that the caller knows the app's secret beside the token.
pub fn address(config: &Config, path: &str) -> String {
    format!("{}/{}/{path}{}appsecret_proof={}", base(config), version::of(&config.graph_version), if path.contains('?') { '&' } else { '?' }, proof(config))
}

/// HMAC of the token with the app's secret: apps may demand it, and all understand it.
fn proof(config: &Config) -> String {
    proof_of(config.app_secret.reveal().trim(), config.access_token.reveal().trim())
}

/// The same of any secret and token.
pub fn proof_of(secret: &str, token: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do as a key");
    mac.update(token.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// How messages and files are sent.
pub fn door<'a>(link: Link<'a, Config>) -> Result<Door<'a>, ServiceError> {
    let number = link.config.phone_number_id.trim();
    Ok(Door {
        http: link.http,
        key: (AUTHORIZATION, secret_header(&format!("Bearer {}", link.config.access_token.reveal().trim()))?),
        messages: address(link.config, &format!("{number}/messages")),
        media: address(link.config, &format!("{number}/media")),
        language_policy: None,
        read: graph::read,
        refused,
    })
}

/// What a refusal means: WhatsApp's own codes, and the two secrets that stand in the settings.
pub fn refused(refusal: &Refusal) -> ServiceError {
    if refusal.words.contains("appsecret_proof") {
        return wrong_app();
    }
    whatsapp::service_error(refusal)
}

/// The app's ID and secret do not belong together, or the token is another app's.
pub fn wrong_app() -> ServiceError {
    ServiceError::Unauthorized(say!(
        "Meta does not accept this app secret. App ID, App secret and access token must be of the same app: copy them again from App settings > Basic."
    ))
}

/// Asks something with the access token.
pub async fn get(link: Link<'_, Config>, path: &str) -> Result<Value, ServiceError> {
    call(link, Method::GET, path, None).await
}

/// Calls with the access token. What these calls do may be done twice.
pub async fn call(link: Link<'_, Config>, method: Method, path: &str, body: Option<&Value>) -> Result<Value, ServiceError> {
    let door = door(link)?;
    let mut request = door.request(method, &address(link.config, path))?;
    if let Some(body) = body {
        request = request.json(body);
    }
    door.exchange(request, Call::Reads).await
}

/// Asks something as the app itself, with its ID and secret.
pub async fn as_app(link: Link<'_, Config>, method: Method, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
    let config = link.config;
    let token = format!("{}|{}", config.app_id.trim(), config.app_secret.reveal().trim());
    let url = format!("{}/{}/{path}", base(config), version::of(&config.graph_version));
    let request: RequestBuilder = link.http.request(method, &url)?.query(query).query(&[("access_token", token.as_str())]);
    graph::exchange(request, Call::Reads).await
}
