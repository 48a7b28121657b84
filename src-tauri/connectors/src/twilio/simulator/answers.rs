//! Twilio's REST API as the simulator answers it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::Fault;

use super::calls::{keep, listed};
use super::{ACCOUNT, CANARY, NUMBER, NUMBER_SID, SANDBOX, SENDER_SID, State, World, lock};

/// How long after a customer's message WhatsApp lets free words through.
const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// A refusal: status, Twilio's code, words.
type Refusal = (u16, i64, String);

/// A call's parameters, those that may be there more than once included.
struct Asked {
    method: String,
    path: String,
    query: HashMap<String, String>,
    form: Vec<(String, String)>,
    json: Value,
}

impl Asked {
    fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

pub async fn answer(Shared(world): Shared<Arc<World>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if let Some(name) = path.strip_prefix("/mcs/") {
        return stored(&world, name);
    }
    if !is_known(&request) {
        return refuse((401, 20003, "Authenticate".into()));
    }
    let asked = read(request).await;
    match route(&world, &asked).await {
        Ok(response) => response,
        Err(refusal) => refuse(refusal),
    }
}

/// Twilio's shape of a refusal.
fn refuse((status, code, words): Refusal) -> Response {
    let body =
        json!({ "code": code, "message": words, "more_info": format!("https://www.twilio.com/docs/errors/{code}"), "status": status });
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), axum::Json(body)).into_response()
}

/// How Twilio says a fault.
pub fn fault(fault: &Fault) -> Response {
    match fault {
        Fault::RateLimit(pause) => {
            let mut response = refuse((429, 20429, "Too Many Requests".into()));
            response.headers_mut().insert(header::RETRY_AFTER, pause.as_secs().max(1).into());
            response
        }
        Fault::Unauthorized => refuse((401, 20003, "Authenticate".into())),
        Fault::Refuse(words) => refuse((400, 20422, words.clone())),
        Fault::Code(code) => refuse((if *code == 20429 { 429 } else { 400 }, *code, "refused".into())),
        Fault::MediaGone => refuse(missing()),
        Fault::ServerError | Fault::CutAfter | Fault::CutBefore | Fault::Slow(_) => {
            refuse((500, 20500, "An internal server error has occurred".into()))
        }
    }
}

fn missing() -> Refusal {
    (404, 20404, "The requested resource was not found".into())
}

fn bad(code: i64, words: &str) -> Refusal {
    (400, code, words.to_owned())
}

/// Account and Auth Token, in the way of a browser's sign-in.
fn is_known(request: &Request) -> bool {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.strip_prefix("Basic ").is_some_and(|given| given == STANDARD.encode(format!("{ACCOUNT}:{CANARY}")))
}

async fn read(request: Request) -> Asked {
    let pairs = |text: &[u8]| url::form_urlencoded::parse(text).into_owned().collect::<Vec<_>>();
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let query = pairs(request.uri().query().unwrap_or_default().as_bytes()).into_iter().collect();
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1_000_000).await.unwrap_or_default();
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    let form = if is_form { pairs(&body) } else { Vec::new() };
    Asked { method, path, query, form, json: serde_json::from_slice(&body).unwrap_or_default() }
}

async fn route(world: &Arc<World>, asked: &Asked) -> Result<Response, Refusal> {
    if asked.path == format!("/2010-04-01/Accounts/{ACCOUNT}.json") {
        return Ok(ok(json!({ "sid": ACCOUNT, "friendly_name": "Padaria Pão Dourado", "status": "active", "type": "Full" })));
    }
    if let Some(rest) = asked.path.strip_prefix(&format!("/2010-04-01/Accounts/{ACCOUNT}/")) {
        return in_account(world, asked, rest).await;
    }
    match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/v2/Channels/Senders") => senders(world, asked),
        ("POST", path) if path == format!("/v2/Channels/Senders/{SENDER_SID}") => set_sender(world, asked),
        ("POST", "/v2/Indicators/Typing.json") => typing(world, asked),
        ("GET", "/v1/ContentAndApprovals") => {
            let contents = lock(&world.state).contents.clone();
            Ok(ok(json!({ "meta": { "page": 0, "page_size": 100, "next_page_url": null, "key": "contents" }, "contents": contents })))
        }
        ("GET" | "POST", path) if path.starts_with("/v1/Services/MG") => Ok(service(world, asked)),
        _ => Err(missing()),
    }
}

fn ok(body: Value) -> Response {
    axum::Json(body).into_response()
}

async fn in_account(world: &Arc<World>, asked: &Asked, rest: &str) -> Result<Response, Refusal> {
    let parts: Vec<&str> = rest.split('/').collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["Messages.json"]) => create(world, asked).await,
        ("GET", ["Messages.json"]) => Ok(list(world, asked)),
        ("GET", ["Messages", sid, "Media.json"]) => Ok(media_list(world, sid)),
        ("GET", ["Messages", _, "Media", name]) => {
            // The file itself is elsewhere, and needs no credentials there.
            if !lock(&world.state).files.contains_key(*name) {
                return Err(missing());
            }
            Ok((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, format!("/mcs/{name}"))]).into_response())
        }
        ("GET", ["IncomingPhoneNumbers.json"]) => Ok(numbers(world, asked)),
        ("POST", ["IncomingPhoneNumbers", name]) if *name == format!("{NUMBER_SID}.json") => {
            let url = asked.field("SmsUrl").filter(|url| url::Url::parse(url).is_ok()).ok_or_else(|| bad(21502, "Invalid SmsUrl"))?;
            lock(&world.state).inbound = Some(url.to_owned());
            Ok(ok(number_row(world)))
        }
        _ => Err(missing()),
    }
}

fn stored(world: &World, name: &str) -> Response {
    match lock(&world.state).files.get(name) {
        Some(file) => ([(header::CONTENT_TYPE, file.mime.clone())], Body::from(file.bytes.clone())).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn create(world: &Arc<World>, asked: &Asked) -> Result<Response, Refusal> {
    let to = asked.field("To").ok_or_else(|| bad(21604, "A 'To' phone number is required."))?.to_owned();
    let from =
        asked.field("From").or(asked.field("MessagingServiceSid")).ok_or_else(|| bad(21603, "A 'From' phone number is required."))?;
    let bare = reachable(world, &to, from)?;
    let media: Vec<&str> = asked.form.iter().filter(|(name, _)| name == "MediaUrl").map(|(_, value)| value.as_str()).collect();
    let body = words(world, asked, !media.is_empty())?;
    if let Some(callback) = asked.field("StatusCallback")
        && url::Url::parse(callback).is_err()
    {
        return Err(bad(21609, "The 'StatusCallback' URL is not a valid URL."));
    }
    if media.iter().any(|url| url::Url::parse(url).is_err()) {
        return Err(bad(21620, "Invalid media URL(s)"));
    }
    let mut files = Vec::new();
    for url in &media {
        files.push(fetch(&world.client, url).await);
    }
    let now = world.now();
    let mut state = lock(&world.state);
    let sid = state.sid(if media.is_empty() { "SM" } else { "MM" });
    let open = state.last_in.get(&bare).is_some_and(|at| now.since(*at) <= WINDOW);
    let trouble = if world.line.prefix == "whatsapp:" && !open && asked.field("ContentSid").is_none() {
        Some(if from.ends_with(SANDBOX) { 63015 } else { 63016 })
    } else if files.iter().any(Option::is_none) {
        Some(63019)
    } else {
        None
    };
    let mut row = listed(world, &sid, (from, &to), &body, media.len(), "outbound-api", "queued");
    let answer = row.clone();
    row["status"] = if trouble.is_some() { "undelivered" } else { "sent" }.into();
    row["error_code"] = trouble.into();
    keep(&mut state, row);
    if let Some(callback) = asked.field("StatusCallback") {
        state.callbacks.insert(sid, callback.to_owned());
    }
    if trouble.is_none() {
        state.received.push((bare, body));
        state.fetched.extend(files.into_iter().flatten());
    }
    Ok((StatusCode::CREATED, axum::Json(answer)).into_response())
}

/// The bare address of the customer, if this account may write there from this number.
fn reachable(world: &World, to: &str, from: &str) -> Result<String, Refusal> {
    let line = world.line;
    let Some(bare) = to.strip_prefix(line.prefix) else {
        return Err(bad(63024, "Invalid message recipient"));
    };
    let is_number = bare.strip_prefix('+').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let is_user = !line.prefix.is_empty() && bare.split_once('.').is_some_and(|(country, rest)| country.len() == 2 && !rest.is_empty());
    if !is_number && !is_user {
        return Err(bad(21211, &format!("The 'To' number {to} is not a valid phone number.")));
    }
    let ours = from.strip_prefix(line.prefix).is_some_and(|from| from == NUMBER || (from == SANDBOX && !line.prefix.is_empty()));
    if !ours && !from.starts_with("MG") {
        return Err(match line.prefix {
            "" => bad(21606, &format!("The 'From' phone number {from} is not a valid, SMS-capable inbound phone number for your account.")),
            _ => bad(63007, "Twilio could not find a Channel with the specified From address"),
        });
    }
    if lock(&world.state).unsubscribed.contains(bare) {
        return Err(bad(21610, "Attempt to send to unsubscribed recipient"));
    }
    Ok(bare.to_owned())
}

/// The words of a message, those of a template filled in.
fn words(world: &World, asked: &Asked, has_media: bool) -> Result<String, Refusal> {
    if let Some(sid) = asked.field("ContentSid") {
        let state = lock(&world.state);
        let content = state.contents.iter().find(|content| content["sid"] == sid).ok_or_else(|| bad(21655, "The ContentSid is invalid"))?;
        let values: HashMap<String, String> = serde_json::from_str(asked.field("ContentVariables").unwrap_or("{}"))
            .map_err(|_| bad(21656, "The ContentVariables parameter is invalid"))?;
        let shape =
            content["types"].as_object().and_then(|types| types.values().next()).ok_or_else(|| bad(21655, "The ContentSid is invalid"))?;
        let body = shape["body"].as_str().unwrap_or_default().to_owned();
        let filled = values.iter().fold(body, |body, (name, value)| body.replace(&format!("{{{{{name}}}}}"), value));
        return if filled.contains("{{") { Err(bad(63028, "Number of parameters provided does not match")) } else { Ok(filled) };
    }
    let body = asked.field("Body").unwrap_or_default();
    if body.is_empty() && !has_media {
        return Err(bad(21602, "Message body is required."));
    }
    if body.chars().count() > 1600 {
        return Err(bad(21617, "The concatenated message body exceeds the 1600 character limit"));
    }
    if let Some(action) = asked.field("PersistentAction") {
        let place = action.strip_prefix("geo:").map(|place| place.split('|').next().unwrap_or_default());
        let degrees: Vec<f64> = place.unwrap_or_default().split(',').filter_map(|text| text.parse().ok()).collect();
        if degrees.len() != 2 {
            return Err(bad(63021, "Channel invalid content error"));
        }
    }
    Ok(body.to_owned())
}

/// Twilio fetches by itself what it is to send; it cannot sign in anywhere.
async fn fetch(client: &reqwest::Client, url: &str) -> Option<(String, bytes::Bytes)> {
    let response = client.get(url).timeout(Duration::from_secs(5)).send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let mime = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let bytes = response.bytes().await.ok()?;
    Some((mime, bytes))
}

/// The list, newest first, page by page.
fn list(world: &World, asked: &Asked) -> Response {
    let given = |name: &str| asked.query.get(name).map(String::as_str);
    let after = given("DateSent>").and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(|at| Timestamp::from_seconds(at.as_second()));
    let size: usize = given("PageSize").and_then(|size| size.parse().ok()).unwrap_or(50).clamp(1, 1000);
    let page: usize = given("Page").and_then(|page| page.parse().ok()).unwrap_or(0);
    let state = lock(&world.state);
    let fits = |message: &&Value| {
        let is = |name: &str, field: &str| given(name).is_none_or(|wanted| message[field] == wanted);
        let sent = message["date_sent"].as_str().and_then(crate::twilio::api::moment);
        is("To", "to") && is("From", "from") && after.is_none_or(|after| sent.is_some_and(|sent| sent >= after))
    };
    let found: Vec<&Value> = state.messages.iter().rev().filter(fits).collect();
    let more = found.len() > (page + 1) * size;
    let rows: Vec<&Value> = found.into_iter().skip(page * size).take(size).collect();
    let mut next = url::form_urlencoded::Serializer::new(String::new());
    for name in ["To", "From", "DateSent>", "PageSize"] {
        if let Some(value) = given(name) {
            next.append_pair(name, value);
        }
    }
    let next = format!("{}?{}&Page={}&PageToken=PA{page}", asked.path, next.finish(), page + 1);
    ok(json!({ "messages": rows, "page": page, "page_size": size, "next_page_uri": more.then_some(next) }))
}

fn media_list(world: &World, sid: &str) -> Response {
    let state = lock(&world.state);
    let rows: Vec<Value> = state.files.iter().filter(|(_, file)| file.message == sid).map(|(name, file)| media_row(name, file)).collect();
    ok(json!({ "media_list": rows, "page": 0 }))
}

fn media_row(name: &str, file: &super::File) -> Value {
    let uri = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{}/Media/{name}.json", file.message);
    json!({ "sid": name, "account_sid": ACCOUNT, "parent_sid": file.message, "content_type": file.mime, "uri": uri })
}

fn number_row(world: &World) -> Value {
    let url = lock(&world.state).inbound.clone().unwrap_or_default();
    json!({ "sid": NUMBER_SID, "phone_number": NUMBER, "sms_url": url, "sms_method": "POST", "status_callback": "",
        "capabilities": { "sms": true, "mms": true, "voice": true, "fax": false } })
}

fn numbers(world: &World, asked: &Asked) -> Response {
    let asked_for = asked.query.get("PhoneNumber").is_none_or(|number| NUMBER.contains(number.as_str()));
    let rows = if asked_for && world.line.prefix.is_empty() { vec![number_row(world)] } else { Vec::new() };
    ok(json!({ "incoming_phone_numbers": rows, "page": 0, "next_page_uri": null }))
}

fn sender_row(state: &State) -> Value {
    json!({ "sid": SENDER_SID, "sender_id": format!("whatsapp:{NUMBER}"), "status": "ONLINE",
        "webhook": { "callback_url": state.inbound, "callback_method": "POST", "status_callback_url": state.status, "status_callback_method": "POST" },
        "properties": { "quality_rating": "HIGH", "messaging_limit": "1K Customers/24hr" } })
}

/// Two pages: on the first one is somebody else's number.
fn senders(world: &World, asked: &Asked) -> Result<Response, Refusal> {
    if asked.query.get("Channel").map(String::as_str) != Some("whatsapp") {
        return Err(bad(20001, "Missing required parameter Channel in the query string"));
    }
    let second = asked.query.contains_key("PageToken");
    let other =
        json!({ "sid": "XE00000000000000000000000000000009", "sender_id": "whatsapp:+15005550006", "status": "OFFLINE", "webhook": null });
    let rows = if second { vec![sender_row(&lock(&world.state))] } else { vec![other] };
    let next = "https://messaging.twilio.com/v2/Channels/Senders?Channel=whatsapp&PageSize=100&Page=1&PageToken=PT1";
    Ok(ok(json!({ "meta": { "key": "senders", "next_page_url": (!second).then_some(next) }, "senders": rows })))
}

fn set_sender(world: &World, asked: &Asked) -> Result<Response, Refusal> {
    let url = |name: &str| asked.json["webhook"][name].as_str().filter(|url| url::Url::parse(url).is_ok()).map(str::to_owned);
    let Some(inbound) = url("callback_url") else { return Err(bad(63100, "Validation error: webhook.callback_url")) };
    let mut state = lock(&world.state);
    state.inbound = Some(inbound);
    state.status = url("status_callback_url");
    Ok((StatusCode::ACCEPTED, axum::Json(sender_row(&state))).into_response())
}

fn service(world: &World, asked: &Asked) -> Response {
    let mut state = lock(&world.state);
    let mut row = state.service.clone().unwrap_or_else(|| json!({ "inbound_request_url": null, "use_inbound_webhook_on_number": false }));
    for (name, field) in [("InboundRequestUrl", "inbound_request_url"), ("StatusCallback", "status_callback")] {
        if let Some(value) = asked.field(name) {
            row[field] = value.into();
        }
    }
    state.service = Some(row.clone());
    ok(row)
}

fn typing(world: &World, asked: &Asked) -> Result<Response, Refusal> {
    let sid = asked.field("messageId").unwrap_or_default();
    let mut state = lock(&world.state);
    let known = state.messages.iter().any(|message| message["sid"] == sid && message["direction"] == "inbound");
    if asked.field("channel") != Some("whatsapp") || !known {
        return Err(bad(20422, "Invalid parameter: messageId"));
    }
    state.typed.push(sid.to_owned());
    Ok(ok(json!({ "success": true })))
}
