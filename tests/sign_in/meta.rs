//! Signing in at Meta's services, against a stand-in for its login dialog and the calls around it, as strict as they are.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};

use super::*;

const APP: &str = "670843887433847";
const SECRET: &str = "canaryMeta-app-secret-0123456789";
const DAY: Duration = Duration::from_secs(86_400);

#[derive(Default)]
struct Books {
    codes: Vec<String>,
    redirect_uri: String,
    count: u32,
    /// Long tokens that work.
    long: Vec<String>,
    renewed: u32,
    pages: Value,
    numbers: Value,
    granular: Value,
    subscribed: bool,
    registered: Option<Value>,
    expired: bool,
}

type Shared = State<Arc<Mutex<Books>>>;

/// A stand-in for the three hosts of Meta.
struct Meta {
    base: String,
    books: Arc<Mutex<Books>>,
}

fn pairs(query: Option<String>) -> HashMap<String, String> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

fn refused(code: i64, words: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": { "message": words, "type": "OAuthException", "code": code, "fbtrace_id": "A" } })))
        .into_response()
}

async fn dialog(State(books): Shared, RawQuery(query): RawQuery) -> Response {
    let asked = pairs(query);
    let mut books = books.lock().unwrap();
    if asked["client_id"] != APP
        || asked["redirect_uri"] != books.redirect_uri
        || asked["response_type"] != "code"
        || asked["scope"].contains(' ')
    {
        return (StatusCode::BAD_REQUEST, "URL blocked").into_response();
    }
    books.count += 1;
    let code = format!("AQB{}", books.count);
    books.codes.push(code.clone());
    // As Instagram does it: with a fragment that is no part of the code.
    let location = format!("{}?code={code}&state={}#_", asked["redirect_uri"], asked["state"]);
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

fn short(books: &mut Books, asked: &HashMap<String, String>) -> Option<String> {
    let right =
        asked.get("client_id")? == APP && asked.get("client_secret")? == SECRET && *asked.get("redirect_uri")? == books.redirect_uri;
    let at = books.codes.iter().position(|code| Some(code) == asked.get("code"))?;
    books.codes.remove(at);
    right.then(|| format!("short-canaryMeta-{}", books.count))
}

fn long(books: &mut Books, from: &str) -> Response {
    if books.expired || !(from.starts_with("short-canaryMeta") || books.long.iter().any(|token| token == from)) {
        return refused(190, "Error validating access token: Session has expired");
    }
    books.count += 1;
    let token = format!("long-canaryMeta-{}", books.count);
    books.long.push(token.clone());
    Json(json!({ "access_token": token, "token_type": "bearer", "expires_in": 5_183_944 })).into_response()
}

/// Facebook's: a code, or a token that works, for another.
async fn facebook_token(State(books): Shared, RawQuery(query): RawQuery) -> Response {
    let (asked, mut books) = (pairs(query), books.lock().unwrap());
    if asked.get("grant_type").is_some_and(|kind| kind == "fb_exchange_token") {
        books.renewed += 1;
        return long(&mut books, &asked["fb_exchange_token"]);
    }
    match short(&mut books, &asked) {
        Some(token) => Json(json!({ "access_token": token, "token_type": "bearer", "expires_in": 5000 })).into_response(),
        None => refused(100, "Invalid verification code format."),
    }
}

/// Instagram's: wrapped in a list of one, without a lifetime.
async fn instagram_token(State(books): Shared, Form(asked): Form<HashMap<String, String>>) -> Response {
    let mut books = books.lock().unwrap();
    match short(&mut books, &asked) {
        Some(token) => {
            let permissions = ["instagram_business_basic", "instagram_business_manage_messages"];
            Json(json!({ "data": [{ "access_token": token, "user_id": 17841400000000000_u64, "permissions": permissions }] }))
                .into_response()
        }
        None => (
            StatusCode::BAD_REQUEST,
            Json(json!({ "error_type": "OAuthException", "code": 400, "error_message": "Matching code was not found" })),
        )
            .into_response(),
    }
}

async fn instagram_long(State(books): Shared, RawQuery(query): RawQuery) -> Response {
    let (asked, mut books) = (pairs(query), books.lock().unwrap());
    if asked["grant_type"] == "ig_refresh_token" {
        books.renewed += 1;
    }
    long(&mut books, &asked["access_token"])
}

fn bearer(headers: &HeaderMap) -> String {
    headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default().to_owned()
}

async fn node(
    State(books): Shared,
    Path(path): Path<String>,
    method: axum::http::Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: String,
) -> Response {
    let (asked, mut books) = (pairs(query), books.lock().unwrap());
    let token = bearer(&headers);
    let known = books.long.contains(&token) || token.starts_with("page-canaryMeta") || token == format!("{APP}|{SECRET}");
    if !known {
        return refused(190, "Invalid OAuth access token.");
    }
    match (method.as_str(), path.as_str()) {
        ("GET", "me") => {
            Json(json!({ "user_id": "17841400000000000", "id": "999", "username": "pao.dourado", "account_type": "BUSINESS" }))
                .into_response()
        }
        ("GET", "me/accounts") => Json(json!({ "data": books.pages })).into_response(),
        ("GET", "me/businesses") => Json(json!({ "data": [] })).into_response(),
        ("GET", "debug_token") => {
            assert!(books.long.contains(&asked["input_token"]));
            Json(json!({ "data": { "is_valid": true, "granular_scopes": books.granular } })).into_response()
        }
        ("GET", "102290129340398/phone_numbers") => Json(json!({ "data": books.numbers })).into_response(),
        ("GET", "102290129340398/subscribed_apps") => {
            let apps = if books.subscribed { json!([{ "whatsapp_business_api_data": { "id": APP } }]) } else { json!([]) };
            Json(json!({ "data": apps })).into_response()
        }
        ("POST", "102290129340398/subscribed_apps") => {
            books.subscribed = true;
            Json(json!({ "success": true })).into_response()
        }
        ("GET", "106540352242922") => {
            let platform = if books.registered.is_some() { "CLOUD_API" } else { "NOT_APPLICABLE" };
            Json(json!({ "id": path, "platform_type": platform, "status": if books.registered.is_some() { "CONNECTED" } else { "PENDING" } })).into_response()
        }
        ("POST", "106540352242922/register") => {
            let asked: Value = serde_json::from_str(&body).unwrap();
            if asked["pin"] != "123456" {
                return refused(133_005, "Two step verification PIN Mismatch");
            }
            books.registered = Some(asked);
            Json(json!({ "success": true })).into_response()
        }
        _ => refused(803, "Some of the aliases you requested do not exist"),
    }
}

impl Meta {
    async fn start() -> Self {
        let books = Arc::new(Mutex::new(Books::default()));
        let router = Router::new()
            .route("/oauth/authorize", get(dialog))
            .route("/v25.0/dialog/oauth", get(dialog))
            .route("/oauth/access_token", post(instagram_token))
            .route("/access_token", get(instagram_long))
            .route("/refresh_access_token", get(instagram_long))
            .route("/v25.0/oauth/access_token", get(facebook_token))
            .route("/v25.0/{*path}", get(node).post(node))
            .with_state(books.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, books }
    }

    fn books(&self) -> std::sync::MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// A shop with a public side, and one unfinished connection to this service.
    async fn shop(&self, kind: &str, more: Value) -> Shop {
        let google = GoogleSimulator::start().await.unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
        let hub = TestHub::by_clock(Arc::new(tempfile::tempdir().unwrap()), clock.clone(), Vec::new()).await;
        let ports = Ports::take(&Places { admin: None, public: ([127, 0, 0, 1], 0).into() }).await.unwrap();
        let doors = doors::open(&hub.hub, ports, None, None).await.unwrap();
        self.books().redirect_uri = format!("http://{}/oauth/callback", doors.public);
        let mut config = json!({ "app_id": APP, "app_secret": SECRET, "verify_token": "words", "base_url": self.base });
        for (field, value) in more.as_object().unwrap() {
            config[field] = value.clone();
        }
        let made = hub.ask("create_connection", json!({ "connector": kind, "name": "Shop", "config": config, "draft": true })).await;
        Shop { hub, google, clock, connection: made["id"].as_str().unwrap().to_owned() }
    }
}

/// The access token as the connector sees it.
async fn token_in_use(shop: &Shop) -> String {
    let (id, vault) = (shop.connection.clone(), shop.hub.hub.vault.clone());
    let secrets = shop.hub.hub.store.read(move |db| vault.open_all(db, &id)?.whole()).await.unwrap();
    secrets["access_token"].reveal().to_owned()
}

#[tokio::test]
async fn an_instagram_account_signs_in_and_its_token_is_renewed_in_the_last_week() {
    let meta = Meta::start().await;
    let shop = meta.shop("instagram", json!({ "mode": "polling" })).await;
    let begun = shop.begin().await;
    assert_eq!(begun["way"], "public");
    let page = begun["authorize_url"].as_str().unwrap();
    assert!(
        page.contains("scope=instagram_business_basic%2Cinstagram_business_manage_messages") && !page.contains("code_challenge"),
        "{page}"
    );
    let back = shop.consent(&begun).await;
    browser().get(back).send().await.unwrap();
    let ended = shop.ended(&begun).await;
    assert_eq!((&ended["status"], &ended["account"]), (&json!("done"), &json!("@pao.dourado")), "{ended}");
    let connection = shop.connection().await;
    assert_eq!(connection["config"]["account_id"], "17841400000000000", "the id that webhooks use, not the app's own");
    shop.hub.ask("update_connection", json!({ "id": shop.connection, "status": "active" })).await;
    let first = token_in_use(&shop).await;
    assert!(first.starts_with("long-"), "the short one was traded at once");

    // Sixty days: nothing for 52 of them, then once, whenever the computer is on again.
    shop.clock.advance(DAY * 52);
    renew::round(&shop.hub.hub).await.unwrap();
    assert_eq!(meta.books().renewed, 0);
    shop.clock.advance(DAY + DAY / 4);
    renew::round(&shop.hub.hub).await.unwrap();
    renew::round(&shop.hub.hub).await.unwrap();
    assert_eq!(meta.books().renewed, 1);
    assert_ne!(token_in_use(&shop).await, first);
    let row = shop.row().await;
    assert_eq!((&row["state"], &row["auth"]), (&json!("active"), &json!("oauth")));
    assert_eq!(row["expires_at"], shop.clock.now().millis() + 5_183_944_000);

    // Away for 61 days: there is nothing left to renew with.
    shop.clock.advance(DAY * 61);
    meta.books().expired = true;
    renew::round(&shop.hub.hub).await.unwrap();
    assert_eq!(shop.connection().await["status"], "needs_sign_in");
}

#[tokio::test]
async fn a_page_is_chosen_and_its_own_token_is_used() {
    let meta = Meta::start().await;
    let shop = meta.shop("instagram", json!({ "flavour": "facebook_page", "mode": "polling" })).await;
    meta.books().pages = json!([]);
    let ended = come_back(&shop).await;
    assert!(ended["reason"].as_str().unwrap().contains("keeps no Page"), "{ended}");
    meta.books().pages = json!([{ "id": "1", "name": "Padaria", "access_token": "page-canaryMeta-1" }]);
    let ended = come_back(&shop).await;
    assert!(ended["reason"].as_str().unwrap().contains("has an Instagram account"), "{ended}");
    meta.books().pages = json!([
        { "id": "1", "name": "Padaria", "access_token": "page-canaryMeta-1", "instagram_business_account": { "id": "17841400000000001", "username": "padaria" } },
        { "id": "2", "name": "Confeitaria", "access_token": "page-canaryMeta-2", "instagram_business_account": { "id": "17841400000000002", "username": "doces" } },
    ]);
    let choosing = come_back(&shop).await;
    assert_eq!(choosing["status"], "choosing");
    assert!(!choosing.to_string().contains("canaryMeta"));
    let flow = &choosing["flow"];
    let stranger = shop.hub.refused("choose_sign_in_account", json!({ "flow": flow, "account": "17841499999999999" })).await;
    assert_eq!(stranger.code, shopbell_core::error::Code::NotFound);
    let done = shop.hub.ask("choose_sign_in_account", json!({ "flow": flow, "account": "17841400000000002" })).await;
    assert_eq!((&done["status"], &done["account"]), (&json!("done"), &json!("@doces (Confeitaria)")));
    assert_eq!(token_in_use(&shop).await, "page-canaryMeta-2");
    let row = shop.row().await;
    assert_eq!((&row["expires_at"], &row["refresh_at"]), (&Value::Null, &Value::Null), "a Page's token does not end");
    assert_eq!(shop.hub.count("SELECT count(*) FROM secret WHERE owner LIKE 'flw_%'").await, 0, "the other Page's token is forgotten");
    // Signing in again finds the same one without asking.
    assert_eq!(come_back(&shop).await["account"], "@doces (Confeitaria)");
}

/// The whole way, by the public address.
async fn come_back(shop: &Shop) -> Value {
    let begun = shop.begin().await;
    let back = shop.consent(&begun).await;
    browser().get(back).send().await.unwrap();
    shop.ended(&begun).await
}

#[tokio::test]
async fn a_whatsapp_number_is_chosen_subscribed_and_registered_and_a_failed_step_is_done_again() {
    let meta = Meta::start().await;
    let shop = meta.shop("whatsapp-meta", json!({})).await;
    let ended = come_back(&shop).await;
    assert!(ended["reason"].as_str().unwrap().contains("no WhatsApp Business account"), "{ended}");
    meta.books().granular = json!([{ "scope": "whatsapp_business_management", "target_ids": ["102290129340398"] }]);
    meta.books().numbers = json!([]);
    let ended = come_back(&shop).await;
    assert!(ended["reason"].as_str().unwrap().contains("no number yet"), "{ended}");
    meta.books().numbers =
        json!([{ "id": "106540352242922", "display_phone_number": "+55 11 99999-0000", "verified_name": "Pão Dourado" }]);

    let begun = shop.begin().await;
    let back = shop.consent(&begun).await;
    browser().get(back).send().await.unwrap();
    shop.hub.until("a step has failed", async |_| shop.state(&begun).await["reason"].is_string()).await;
    let stuck = shop.state(&begun).await;
    assert_eq!(stuck["status"], "settling");
    assert!(stuck["reason"].as_str().unwrap().contains("PIN"), "{stuck}");
    let marks: Vec<(&Value, &Value)> = stuck["steps"].as_array().unwrap().iter().map(|step| (&step["done"], &step["failed"])).collect();
    assert_eq!(marks, [(&json!(true), &json!(false)), (&json!(false), &json!(true))]);
    assert!(meta.books().subscribed);

    shop.hub.ask("update_connection", json!({ "id": shop.connection, "config": { "pin": "000000" } })).await;
    let wrong = shop.hub.ask("resume_sign_in", json!({ "flow": begun["flow"] })).await;
    assert!(wrong["reason"].as_str().unwrap().contains("not the number's PIN"), "{wrong}");
    shop.hub.ask("update_connection", json!({ "id": shop.connection, "config": { "pin": "123456" } })).await;
    let done = shop.hub.ask("resume_sign_in", json!({ "flow": begun["flow"] })).await;
    assert_eq!((&done["status"], &done["account"]), (&json!("done"), &json!("Pão Dourado (+55 11 99999-0000)")));
    assert!(meta.books().registered.is_some());
    let config = shop.connection().await["config"].clone();
    for (field, value) in [
        ("phone_number", "+5511999990000"),
        ("phone_number_id", "106540352242922"),
        ("business_account_id", "102290129340398"),
        ("display_name", "Pão Dourado"),
    ] {
        assert_eq!(config[field], value, "{field}");
    }
    shop.hub.ask("update_connection", json!({ "id": shop.connection, "status": "active" })).await;
    assert_eq!(shop.row().await["state"], "active");
}
