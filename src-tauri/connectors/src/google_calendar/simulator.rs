//! The stand-in for Google: the page where one says yes, the token endpoint, and the list of calendars; each as strict as Google's, with
//! knobs for everything that an authorization server may do to a client.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shopbell_core::clock::{Clock, SystemClock, Timestamp};
use shopbell_core::connector::{Fault, Simulator, Weather};

use crate::loopback::{Loopback, Manners, lock};

/// The client that is known.
pub const CLIENT_ID: &str = "1234567890-shopbell.apps.googleusercontent.com";
/// The secret in it; every secret that is handed out has the same word in it.
pub const CLIENT_SECRET: &str = "GOCSPX-canaryGoogle-8Rt5yU2iO9p";
/// An access token that works from the start.
const TOKEN: &str = "ya29.canaryGoogle-8Rt5yU2iO9p-first";
const CANARY: &str = "canaryGoogle-8Rt5yU2iO9p";

/// What the server does differently from usual.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// What stands in `expires_in`; null = nothing.
    pub expires_in: Value,
    /// Every refresh token is good once; a second use ends the whole grant.
    pub rotates: bool,
    /// A code gives no refresh token.
    pub gives_no_refresh_token: bool,
    /// What was ticked; `None` = everything.
    pub ticked: Option<Vec<String>>,
    /// Pressed "no".
    pub denies: bool,
    /// The name under which the answer comes.
    pub issuer: Option<String>,
    /// Every call of the token endpoint takes that long.
    pub slow: Duration,
    /// What the token endpoint answers instead: status and body.
    pub instead: Option<(u16, String)>,
    /// The token endpoint does its work, and the answer never comes.
    pub swallows: bool,
    /// The server's clock is ahead by so many seconds.
    pub ahead: i64,
    /// Whose account it is.
    pub account: String,
    /// Where else a client may come back to.
    pub also_back_to: String,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            expires_in: 3599.into(),
            rotates: false,
            gives_no_refresh_token: false,
            ticked: None,
            denies: false,
            issuer: None,
            slow: Duration::ZERO,
            instead: None,
            swallows: false,
            ahead: 0,
            account: "pao.dourado@example.com".into(),
            also_back_to: String::new(),
        }
    }
}

struct Code {
    challenge: String,
    redirect_uri: String,
    scopes: Vec<String>,
}

#[derive(Default)]
struct Books {
    knobs: Knobs,
    codes: HashMap<String, Code>,
    /// Refresh tokens that work, and what they are for.
    refresh: HashMap<String, Vec<String>>,
    spent: HashSet<String>,
    access: HashSet<String>,
    count: u64,
    /// How often tokens were asked for, by grant type.
    asked: HashMap<String, u32>,
    revoked: Vec<String>,
    /// The refresh token that was used last, and the one it gave.
    last: Option<(String, String)>,
}

impl Books {
    fn fresh(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}{CANARY}-{}", self.count)
    }
}

/// A running simulator.
pub struct GoogleSimulator {
    server: Loopback,
    books: Arc<Mutex<Books>>,
}

/// Starts it.
pub fn start() -> BoxFuture<'static, anyhow::Result<Box<dyn Simulator>>> {
    Box::pin(async { Ok(Box::new(GoogleSimulator::start().await?) as Box<dyn Simulator>) })
}

impl GoogleSimulator {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start() -> anyhow::Result<Self> {
        let books = Arc::new(Mutex::new(Books { access: HashSet::from([TOKEN.to_owned()]), ..Books::default() }));
        let router = Router::new()
            .route("/o/oauth2/v2/auth", get(consent))
            .route("/token", post(token))
            .route("/revoke", post(revoke))
            .route("/calendar/v3/users/me/calendarList", get(calendars))
            .with_state(books.clone());
        let manners = Manners {
            shown: |text| if text.contains("state=") { "•••".to_owned() } else { text.to_owned() },
            may_fail: |path| path.starts_with("/calendar/"),
            fetches: |_| false,
            refusal,
        };
        Ok(Self { server: Loopback::start(router, manners).await?, books })
    }

    /// Settings without a token: somebody must sign in.
    pub fn unsigned(&self) -> Value {
        json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "base_url": self.server.base_url() })
    }

    /// Turns knobs.
    pub fn turn(&self, change: impl FnOnce(&mut Knobs)) {
        change(&mut lock(&self.books).knobs);
    }

    /// How often tokens were asked for with that grant type.
    pub fn asked(&self, grant_type: &str) -> u32 {
        lock(&self.books).asked.get(grant_type).copied().unwrap_or_default()
    }

    /// Access tokens stop working (they ended, or somebody changed the password).
    pub fn end_access(&self) {
        lock(&self.books).access.clear();
    }

    /// The owner revokes the grant on Google's pages.
    pub fn end_grants(&self) {
        let mut books = lock(&self.books);
        books.access.clear();
        books.refresh.clear();
    }

    /// The server comes back from a backup: it never heard of the newest refresh token, and takes the one before it.
    pub fn forget_newest(&self) {
        let mut books = lock(&self.books);
        if let Some((before, newest)) = books.last.take() {
            let scopes = books.refresh.remove(&newest).unwrap_or_default();
            books.spent.remove(&before);
            books.refresh.insert(before, scopes);
        }
    }

    /// Tokens that were given back, as they were shown.
    pub fn revoked(&self) -> Vec<String> {
        lock(&self.books).revoked.clone()
    }

    /// Every secret that was handed out has this in it.
    pub const CANARY: &'static str = CANARY;
}

#[async_trait]
impl Simulator for GoogleSimulator {
    fn config(&self) -> Value {
        json!({ "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "access_token": TOKEN, "base_url": self.server.base_url() })
    }

    fn canary(&self) -> String {
        CANARY.to_owned()
    }

    fn journal(&self) -> Vec<Value> {
        self.server.journal()
    }

    fn fault(&self, fault: Fault, times: u32) {
        self.server.fault(&fault, times);
    }

    fn set_weather(&self, weather: &Weather) {
        self.server.set_weather(weather);
    }
}

/// A refusal of the Calendar API.
fn refused(status: u16, reason: &str, words: &str) -> Response {
    let body = json!({ "error": { "code": status, "message": words, "errors": [{ "domain": "global", "reason": reason, "message": words }] } });
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
}

fn refusal(fault: &Fault) -> Response {
    match fault {
        Fault::RateLimit(wait) => {
            let mut response = refused(403, "userRateLimitExceeded", "User Rate Limit Exceeded");
            response.headers_mut().insert(header::RETRY_AFTER, wait.as_secs().into());
            response
        }
        Fault::Unauthorized => refused(401, "authError", "Invalid Credentials"),
        Fault::Refuse(words) => refused(400, "invalid", words),
        Fault::Code(code) => refused(u16::try_from(*code).unwrap_or(400), "forbidden", "Forbidden"),
        Fault::ServerError | Fault::MediaGone | Fault::CutAfter | Fault::CutBefore | Fault::Slow(_) => refused(500, "backendError", "Backend Error"),
    }
}

fn pairs(text: &str) -> HashMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// The page where the owner says yes (or no): at once.
async fn consent(State(books): State<Arc<Mutex<Books>>>, RawQuery(query): RawQuery) -> Response {
    let asked = pairs(&query.unwrap_or_default());
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let redirect = of("redirect_uri");
    let mut books = lock(&books);
    // A desktop client may come back to any port of this computer, and nowhere else.
    let known = redirect.starts_with("http://127.0.0.1:") || redirect == books.knobs.also_back_to;
    if of("client_id") != CLIENT_ID || !known {
        return (StatusCode::BAD_REQUEST, "Error 400: redirect_uri_mismatch").into_response();
    }
    let right = of("response_type") == "code" && of("code_challenge_method") == "S256" && of("code_challenge").len() == 43 && of("state").len() >= 22;
    if !right {
        return (StatusCode::BAD_REQUEST, "Error 400: invalid_request").into_response();
    }
    let mut answer: Vec<(&str, String)> = vec![("state", of("state"))];
    if let Some(issuer) = &books.knobs.issuer {
        answer.push(("iss", issuer.clone()));
    }
    if books.knobs.denies {
        answer.push(("error", "access_denied".into()));
    } else {
        let scopes: Vec<String> = of("scope").split(' ').map(str::to_owned).collect();
        let scopes = books.knobs.ticked.clone().unwrap_or(scopes);
        let code = format!("4/0{}", books.fresh("A+/"));
        answer.push(("code", code.clone()));
        answer.push(("scope", scopes.join(" ")));
        books.codes.insert(code, Code { challenge: of("code_challenge"), redirect_uri: redirect.clone(), scopes });
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
    (StatusCode::FOUND, [(header::LOCATION, format!("{redirect}?{query}"))]).into_response()
}

fn denied(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error, "error_description": "Bad Request" }))).into_response()
}

async fn token(State(books): State<Arc<Mutex<Books>>>, body: Bytes) -> Response {
    let asked = pairs(&String::from_utf8_lossy(&body));
    let (slow, instead, swallows, ahead) = {
        let mut books = lock(&books);
        *books.asked.entry(asked.get("grant_type").cloned().unwrap_or_default()).or_default() += 1;
        (books.knobs.slow, books.knobs.instead.clone(), books.knobs.swallows, books.knobs.ahead)
    };
    tokio::time::sleep(slow).await;
    if let Some((status, body)) = instead {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        if (300..400).contains(&status) {
            response.headers_mut().insert(header::LOCATION, header::HeaderValue::from_static("http://127.0.0.1:9/elsewhere"));
        }
        return response;
    }
    let mut response = granted(&mut lock(&books), &asked);
    if swallows {
        // The server has done its part; the client never learns of it.
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    let now = Timestamp::from_millis(SystemClock::new().now().millis() + ahead * 1000);
    let date = now.to_jiff().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = date.parse() {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

fn granted(books: &mut Books, asked: &HashMap<String, String>) -> Response {
    let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    if of("client_id") != CLIENT_ID || of("client_secret") != CLIENT_SECRET {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client", "error_description": "Unauthorized" }))).into_response();
    }
    let (scopes, gives_refresh) = match of("grant_type") {
        "authorization_code" => {
            // A code is good once, whatever comes of it.
            let Some(code) = books.codes.remove(of("code")) else { return denied("invalid_grant") };
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier").as_bytes()));
            if challenge != code.challenge || of("redirect_uri") != code.redirect_uri {
                return denied("invalid_grant");
            }
            (code.scopes, !books.knobs.gives_no_refresh_token)
        }
        "refresh_token" => {
            let shown = of("refresh_token").to_owned();
            if books.knobs.rotates && books.spent.contains(&shown) {
                // Used twice: somebody has a copy. The whole family is ended.
                books.refresh.clear();
                books.access.clear();
                return denied("invalid_grant");
            }
            let Some(scopes) = books.refresh.get(&shown).cloned() else { return denied("invalid_grant") };
            if books.knobs.rotates {
                books.refresh.remove(&shown);
                books.spent.insert(shown.clone());
                books.last = Some((shown, String::new()));
            }
            (scopes, books.knobs.rotates)
        }
        _ => return denied("unsupported_grant_type"),
    };
    let access = books.fresh("ya29.");
    books.access.insert(access.clone());
    let mut answer = json!({ "access_token": access, "token_type": "Bearer", "scope": scopes.join(" ") });
    if !books.knobs.expires_in.is_null() {
        answer["expires_in"] = books.knobs.expires_in.clone();
    }
    if gives_refresh {
        let refresh = books.fresh("1//0");
        books.refresh.insert(refresh.clone(), scopes);
        if let Some((_, newest)) = &mut books.last {
            newest.clone_from(&refresh);
        }
        answer["refresh_token"] = refresh.into();
    }
    Json(answer).into_response()
}

async fn revoke(State(books): State<Arc<Mutex<Books>>>, body: Bytes) -> Response {
    let asked = pairs(&String::from_utf8_lossy(&body));
    let token = asked.get("token").cloned().unwrap_or_default();
    let mut books = lock(&books);
    let known = books.refresh.remove(&token).is_some() | books.access.remove(&token);
    if !known {
        return denied("invalid_token");
    }
    books.revoked.push(token);
    Json(json!({})).into_response()
}

async fn calendars(State(books): State<Arc<Mutex<Books>>>, headers: HeaderMap) -> Response {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default();
    let books = lock(&books);
    if !books.access.contains(token) {
        return refused(401, "authError", "Invalid Credentials");
    }
    let account = &books.knobs.account;
    Json(json!({ "kind": "calendar#calendarList", "items": [
        { "id": account, "summary": account, "primary": true, "accessRole": "owner", "timeZone": "America/Sao_Paulo" },
        { "id": "pt.brazilian#holiday@group.v.calendar.google.com", "summary": "Feriados no Brasil", "accessRole": "reader", "timeZone": "America/Sao_Paulo" },
    ] }))
    .into_response()
}
