//! Calls of a service's token endpoint: a code for tokens, a refresh token for the next ones, and the calls that are none of the standard's.
//!
//! Every call goes through the connection's own outgoing client, which follows no redirect. What comes back is read generously (a lifetime
//! as text, no lifetime, no refresh token) and sorted by what it means: only the service's own word that a grant is over ends it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AccessToken, AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken, TokenResponse,
    TokenUrl,
};
use reqwest::Method;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::clock::{Clock, Timestamp};
use crate::connector::{CallBy, Numbers, OAuthClient, Part, Plan, Revocation, ServiceError, ShownBy, TokenCall};
use crate::error::Sentence;
use crate::http::{Call, Client, read_bytes, service_error};
use crate::say;
use crate::secret::Secret;

/// The longest answer that is read.
const LONGEST: usize = 256 * 1024;
/// How long a token endpoint may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// A clock that is off by more makes grants fail.
const SKEW: Duration = Duration::from_secs(300);
/// The longest words of a service that are passed on.
const LONGEST_WORDS: usize = 200;

/// Why no tokens came.
#[derive(Debug)]
pub enum Trouble {
    /// The service says that the code, or the grant, is good no longer.
    Over,
    /// Everything else, by what to do about it.
    Service(ServiceError),
}

impl From<ServiceError> for Trouble {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

/// Tokens as a service gave them.
#[derive(Clone, Debug)]
pub struct Given {
    /// The access token.
    pub access: Secret,
    /// The refresh token; `None` = the old one goes on.
    pub refresh: Option<Secret>,
    /// How long the access token lives, when it was said.
    pub lifetime: Option<Duration>,
    /// What was granted, when it was said.
    pub scopes: Option<Vec<String>>,
}

/// The parameters that a call may need beside the client's own.
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    /// The code.
    pub code: Option<&'a Secret>,
    /// Where the answer came back to.
    pub redirect_uri: Option<&'a str>,
    /// The present access token.
    pub access: Option<&'a Secret>,
    /// The present refresh token.
    pub refresh: Option<&'a Secret>,
}

/// One service's token endpoint, as one client asks it.
pub struct Endpoint<'a> {
    plan: &'a Plan,
    client_id: &'a str,
    client_secret: Option<Secret>,
    http: &'a Client,
    clock: &'a dyn Clock,
    /// The service's time less ours, in milliseconds, by its last answer.
    skew: Arc<Mutex<Option<i64>>>,
}

type Door = oauth2::Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    oauth2::EndpointSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

/// The token endpoint's answer, read generously.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    access_token: AccessToken,
    #[serde(skip, default = "bearer")]
    token_type: BasicTokenType,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<RefreshToken>,
    #[serde(default, rename = "scope", alias = "permissions", deserialize_with = "scopes")]
    scopes: Option<Vec<Scope>>,
}

fn bearer() -> BasicTokenType {
    BasicTokenType::Bearer
}

/// Seconds as a number, or as text; anything else counts as not said.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// Scopes with blanks or commas between them, or as a list.
fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Scope>>, D::Error> {
    let split = |text: &str| -> Vec<Scope> {
        text.split([' ', ',']).filter(|scope| !scope.is_empty()).map(|scope| Scope::new(scope.to_owned())).collect()
    };
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(split(&text)),
        Value::Array(items) => Some(items.iter().filter_map(Value::as_str).flat_map(split).collect()),
        _ => None,
    })
}

impl TokenResponse for Answer {
    type TokenType = BasicTokenType;
    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }
    fn token_type(&self) -> &BasicTokenType {
        &self.token_type
    }
    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }
    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }
    fn scopes(&self) -> Option<&Vec<Scope>> {
        self.scopes.as_ref()
    }
}

impl From<Answer> for Given {
    fn from(answer: Answer) -> Self {
        Self {
            access: Secret::new(answer.access_token.secret()),
            refresh: answer.refresh_token.as_ref().map(|token| Secret::new(token.secret())).filter(|token| !token.is_empty()),
            // A token that lives for no time at all is one of which it was not said.
            lifetime: answer.expires_in().filter(|lifetime| !lifetime.is_zero()),
            scopes: answer.scopes.map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect()),
        }
    }
}

impl<'a> Endpoint<'a> {
    /// The endpoint of `plan`, asked as `client_id`.
    pub fn new(plan: &'a Plan, client_id: &'a str, client_secret: Option<Secret>, http: &'a Client, clock: &'a dyn Clock) -> Self {
        Self { plan, client_id, client_secret: client_secret.filter(|secret| !secret.is_empty()), http, clock, skew: Arc::default() }
    }

    /// How far this computer's clock is off, where that is enough to make grants fail: by so many minutes.
    pub fn clock_is_off(&self) -> Option<i64> {
        let skew = (*self.skew.lock().unwrap_or_else(PoisonError::into_inner))?;
        (skew.unsigned_abs() > u64::try_from(SKEW.as_millis()).unwrap_or(u64::MAX)).then_some(skew / 60_000)
    }

    fn door(&self) -> Result<Door, ServiceError> {
        let wrong = |_| ServiceError::Permanent(say!("This is not a web address. It begins with https://."));
        let mut door = oauth2::Client::new(ClientId::new(self.client_id.to_owned()))
            .set_auth_uri(AuthUrl::new(self.plan.authorize.clone()).map_err(wrong)?)
            .set_token_uri(TokenUrl::new(self.plan.token.clone()).map_err(wrong)?);
        door = door.set_auth_type(match &self.plan.client {
            OAuthClient::Known { shown: ShownBy::Header, .. } => AuthType::BasicAuth,
            OAuthClient::Known { shown: ShownBy::Body, .. } | OAuthClient::Registered { .. } => AuthType::RequestBody,
        });
        if let Some(secret) = &self.client_secret {
            door = door.set_client_secret(ClientSecret::new(secret.reveal().to_owned()));
        }
        Ok(door)
    }

    /// The page where the owner says yes.
    pub fn authorize_url(&self, state: &Secret, verifier: &Secret, redirect_uri: &str, scopes: &[String]) -> Result<String, ServiceError> {
        let wrong = |_| ServiceError::Permanent(say!("This is not a web address. It begins with https://."));
        let door = self.door()?.set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).map_err(wrong)?);
        let state = state.reveal().to_owned();
        let mut request = door.authorize_url(|| CsrfToken::new(state));
        if !scopes.is_empty() {
            request = request.add_extra_param("scope", scopes.join(&self.plan.separator.to_string()));
        }
        if self.plan.pkce {
            let verifier = PkceCodeVerifier::new(verifier.reveal().to_owned());
            request = request.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        }
        if let Some(resource) = &self.plan.resource {
            request = request.add_extra_param("resource", resource.clone());
        }
        for (name, value) in &self.plan.more {
            request = request.add_extra_param(name.clone(), value.clone());
        }
        Ok(request.url().0.into())
    }

    /// Trades a code.
    pub async fn code(&self, code: &Secret, verifier: &Secret, redirect_uri: &str) -> Result<Given, Trouble> {
        let wrong = |_| ServiceError::Permanent(say!("This is not a web address. It begins with https://."));
        let door = self.door()?.set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).map_err(wrong)?);
        let mut request = door.exchange_code(AuthorizationCode::new(code.reveal().to_owned()));
        if self.plan.pkce {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.reveal().to_owned()));
        }
        if let Some(resource) = &self.plan.resource {
            request = request.add_extra_param("resource", resource.clone());
        }
        request.request_async(self).await.map(Given::from).map_err(sorted)
    }

    /// Trades a refresh token.
    pub async fn refresh(&self, token: &Secret) -> Result<Given, Trouble> {
        let door = self.door()?;
        let token = RefreshToken::new(token.reveal().to_owned());
        let mut request = door.exchange_refresh_token(&token);
        if let Some(resource) = &self.plan.resource {
            request = request.add_extra_param("resource", resource.clone());
        }
        request.request_async(self).await.map(Given::from).map_err(sorted)
    }

    /// Gives a grant back.
    pub async fn revoke(&self, way: &Revocation, refresh: Option<&Secret>, access: &Secret) -> Result<(), Trouble> {
        let known = Known { access: Some(access), refresh, ..Known::default() };
        let body = match way {
            // Not by the `oauth2` crate: it refuses plain http, which is right for the internet and wrong for a server in the house.
            Revocation::Standard { url } => {
                let parts = [("token", Part::BestToken), ("client_id", Part::ClientId), ("client_secret", Part::ClientSecret)];
                let parameters = parts.map(|(name, part)| (name.to_owned(), part)).to_vec();
                let call = TokenCall { method: CallBy::Post, url: url.clone(), parameters, numbers: Numbers::default() };
                self.exchange(self.request(&call, known)?).await?
            }
            Revocation::Call(call) => self.exchange(self.request(call, known)?).await?,
        };
        // A grant that is gone there already is as good as given back.
        if body.0 < 400 { Ok(()) } else { Err(Trouble::Over) }
    }

    /// Makes a call that is none of the standard's and gives tokens.
    pub async fn call(&self, call: &TokenCall, known: Known<'_>) -> Result<Given, Trouble> {
        let value = self.ask(call, known).await?;
        // Some wrap their answer in a list of one.
        let answer = value.get("data").and_then(|data| data.get(0)).unwrap_or(&value);
        serde_json::from_value::<Answer>(answer.clone()).map(Given::from).map_err(|_| Trouble::Service(strange()))
    }

    fn request(&self, call: &TokenCall, known: Known<'_>) -> Result<reqwest::RequestBuilder, ServiceError> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for (name, part) in &call.parameters {
            let value = match part {
                Part::Fixed(text) => Some(text.as_str()),
                Part::ClientId => Some(self.client_id),
                Part::ClientSecret => self.client_secret.as_ref().map(Secret::reveal),
                Part::RedirectUri => known.redirect_uri,
                Part::Code => known.code.map(Secret::reveal),
                Part::AccessToken => known.access.map(Secret::reveal),
                Part::BestToken => known.refresh.or(known.access).map(Secret::reveal),
            };
            pairs.extend(value.map(|value| (name.as_str(), value)));
        }
        let method = match call.method {
            CallBy::Get => Method::GET,
            CallBy::Post => Method::POST,
            CallBy::Delete => Method::DELETE,
        };
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        Ok(match call.method {
            CallBy::Post => {
                self.http.request(method, &call.url)?.header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)
            }
            CallBy::Get | CallBy::Delete => self.http.request(method, &format!("{}?{form}", call.url))?,
        })
    }

    async fn ask(&self, call: &TokenCall, known: Known<'_>) -> Result<Value, Trouble> {
        let (status, body) = self.exchange(self.request(call, known)?).await?;
        let value: Value = serde_json::from_slice(&body).map_err(|_| Trouble::Service(strange()))?;
        if status < 400 && value.get("error").is_none_or(Value::is_null) && value.get("error_type").is_none() {
            return Ok(value);
        }
        Err(refused(&value, &call.numbers))
    }

    /// One exchange for the `oauth2` crate.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ServiceError> {
        let (parts, body) = request.into_parts();
        let outgoing = self.http.request(parts.method, &parts.uri.to_string())?.headers(parts.headers).body(body);
        let (status, body) = self.exchange(outgoing).await?;
        let mut response = HttpResponse::new(body.to_vec());
        // Whatever it is called: what is no JSON is found out when it is read.
        let ok = if (200..300).contains(&status) { 200 } else { 400 };
        *response.status_mut() = http::StatusCode::from_u16(ok).expect("200 and 400 are statuses");
        Ok(response)
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<(u16, bytes::Bytes), ServiceError> {
        // Asking for tokens changes nothing that a customer sees: a call that broke off may be made again.
        let response = request.timeout(PATIENCE).send().await.map_err(|error| service_error(&error, Call::Reads))?;
        let status = response.status().as_u16();
        self.note_time(response.headers());
        let retry_after = response.headers().get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = read_bytes(response, LONGEST, Call::Reads).await?;
        match status {
            429 => Err(ServiceError::RateLimited { retry_after: retry_after.map(Duration::from_secs) }),
            500..=599 => Err(ServiceError::Temporary(say!("The service has trouble of its own ({code}). We try again.", code = status))),
            // A redirect of a token endpoint leads nowhere good.
            300..=399 => Err(strange()),
            _ => Ok((status, body)),
        }
    }

    fn note_time(&self, headers: &http::HeaderMap) {
        let told = headers
            .get(http::header::DATE)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| jiff::fmt::rfc2822::parse(text).ok())
            .map(|time| Timestamp::from_millis(time.timestamp().as_millisecond()));
        if let Some(told) = told {
            *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = Some(told.millis() - self.clock.now().millis());
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Endpoint<'_> {
    type Error = ServiceError;
    type Future = BoxFuture<'c, Result<HttpResponse, ServiceError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Asks a service for an id of our own (RFC 7591). Gives the id, and a secret where it gave one.
pub async fn register(http: &Client, endpoint: &str, name: &str, redirect_uri: &str) -> Result<(String, Option<Secret>), ServiceError> {
    let body = json!({
        "client_name": name,
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    });
    let request = http.request(Method::POST, endpoint)?.timeout(PATIENCE).json(&body);
    let response = request.send().await.map_err(|error| service_error(&error, Call::Reads))?;
    let status = response.status().as_u16();
    let body = read_bytes(response, LONGEST, Call::Reads).await?;
    if status >= 500 {
        return Err(ServiceError::Temporary(say!("The service has trouble of its own ({code}). We try again.", code = status)));
    }
    let answer: Value = serde_json::from_slice(&body).map_err(|_| strange())?;
    match answer["client_id"].as_str().filter(|id| !id.is_empty() && (200..300).contains(&status)) {
        Some(id) => Ok((id.to_owned(), answer["client_secret"].as_str().filter(|secret| !secret.is_empty()).map(Secret::new))),
        None => Err(ServiceError::Permanent(say!("The service does not let Shopbell introduce itself: {words}", words = words(&answer)))),
    }
}

fn strange() -> ServiceError {
    ServiceError::Temporary(say!("The service answered in a way we do not understand. Check the address."))
}

/// What a failure of the `oauth2` crate means.
fn sorted(error: RequestTokenError<ServiceError, BasicErrorResponse>) -> Trouble {
    match error {
        RequestTokenError::Request(error) => Trouble::Service(error),
        RequestTokenError::ServerResponse(told) => match told.error() {
            BasicErrorResponseType::InvalidGrant => Trouble::Over,
            BasicErrorResponseType::InvalidClient | BasicErrorResponseType::UnauthorizedClient => Trouble::Service(wrong_client()),
            other => {
                let mut value = json!({ "error": other.as_ref() });
                if let Some(words) = told.error_description() {
                    value["error_description"] = words.as_str().into();
                }
                refused(&value, &Numbers::default())
            }
        },
        // The body may hold tokens: neither it nor the parser's words go any further.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Trouble::Service(strange()),
    }
}

fn wrong_client() -> ServiceError {
    ServiceError::Permanent(say!("The service does not know this client ID, or its secret is another one. Copy both again."))
}

/// What a refusal means, in either of the two shapes in which services say it.
fn refused(value: &Value, numbers: &Numbers) -> Trouble {
    let error = &value["error"];
    let code = error.get("code").or_else(|| value.get("code")).and_then(Value::as_i64).unwrap_or_default();
    let name = error.as_str().unwrap_or_default();
    let transient = error["is_transient"] == true || matches!(name, "temporarily_unavailable" | "server_error");
    if transient {
        return Trouble::Service(ServiceError::Temporary(say!("The service has trouble of its own ({code}). We try again.", code = name)));
    }
    match name {
        "invalid_grant" => Trouble::Over,
        "invalid_client" | "unauthorized_client" => Trouble::Service(wrong_client()),
        _ if numbers.over.contains(&code) => Trouble::Over,
        _ if numbers.slower.contains(&code) => Trouble::Service(ServiceError::RateLimited { retry_after: None }),
        _ if numbers.again.contains(&code) => {
            Trouble::Service(ServiceError::Temporary(say!("The service has trouble of its own ({code}). We try again.", code = code)))
        }
        _ => Trouble::Service(ServiceError::Permanent(say!("The service refused: {words}", words = words(value)))),
    }
}

/// The service's own words, fit to be shown.
fn words(value: &Value) -> String {
    let places = [&value["error"]["message"], &value["error_description"], &value["error_message"], &value["error"]];
    let text = places.into_iter().find_map(Value::as_str).unwrap_or("?");
    plain(text)
}

/// Words from outside: short, in one line.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_WORDS).collect::<String>().trim().to_owned()
}

/// Why a grant is over, in words.
pub fn why_over(off_by: Option<i64>, known: Option<Sentence>) -> Sentence {
    match (off_by, known) {
        (Some(minutes), _) => say!(
            "The clock of this computer is off by {minutes} minutes, so the service does not accept the sign-in. Set the clock right, then sign in again.",
            minutes = minutes.abs()
        ),
        (None, Some(known)) => known,
        (None, None) => say!(
            "The service has ended this sign-in: it was revoked, the password was changed, or it was not used for long. Sign in again."
        ),
    }
}
