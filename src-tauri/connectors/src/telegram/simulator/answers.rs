//! The methods of the Bot API as the simulator answers them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use url::Url;

use super::{BOT, BOT_NAME, Hook, StoredFile, World, lock, token};

/// A method's parameters, and the file that came with them.
struct Asked {
    fields: Map<String, Value>,
    file: Option<(String, Bytes)>,
}

/// A refusal in the making: code, words, parameters.
type Refusal = (u16, String, Value);

pub async fn answer(State(world): State<Arc<World>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let token = token();
    if let Some(file) = path.strip_prefix(&format!("/file/bot{token}/")) {
        return download(&world, file);
    }
    let Some(method) = path.strip_prefix(&format!("/bot{token}/")).map(str::to_lowercase) else {
        return if path.starts_with("/bot") { refuse(401, "Unauthorized", Value::Null) } else { refuse(404, "Not Found", Value::Null) };
    };
    let asked = match read(request).await {
        Ok(asked) => asked,
        Err(words) => return refuse(400, &format!("Bad Request: {words}"), Value::Null),
    };
    let result = if method == "getupdates" { get_updates(&world, &asked).await } else { run(&world, &method, &asked) };
    match result {
        Ok(result) => axum::Json(json!({ "ok": true, "result": result })).into_response(),
        Err((code, words, parameters)) => refuse(code, &words, parameters),
    }
}

/// Telegram's envelope of a refusal.
pub fn refuse(code: u16, words: &str, parameters: Value) -> Response {
    let mut body = json!({ "ok": false, "error_code": code, "description": words });
    let wait = parameters["retry_after"].as_u64();
    if parameters.is_object() {
        body["parameters"] = parameters;
    }
    let status = axum::http::StatusCode::from_u16(code).unwrap_or(axum::http::StatusCode::BAD_REQUEST);
    let mut response = (status, axum::Json(body)).into_response();
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, wait.into());
    }
    response
}

fn bad(words: &str) -> Refusal {
    (400, format!("Bad Request: {words}"), Value::Null)
}

async fn read(request: Request) -> Result<Asked, String> {
    let mut asked = Asked { fields: Map::new(), file: None };
    for (name, value) in url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        asked.fields.insert(name.into_owned(), value.into_owned().into());
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if kind.starts_with("multipart/form-data") {
        let mut form = Multipart::from_request(request, &()).await.map_err(|error| error.body_text())?;
        while let Some(field) = form.next_field().await.map_err(|error| error.body_text())? {
            let name = field.name().unwrap_or_default().to_owned();
            let is_file = field.file_name().is_some();
            let bytes = field.bytes().await.map_err(|error| error.body_text())?;
            if is_file {
                asked.file = Some((name, bytes));
            } else {
                asked.fields.insert(name, String::from_utf8_lossy(&bytes).into());
            }
        }
        return Ok(asked);
    }
    let body = axum::body::to_bytes(request.into_body(), 10_000_000).await.map_err(|error| error.to_string())?;
    if kind.starts_with("application/json") && !body.is_empty() {
        let value: Map<String, Value> = serde_json::from_slice(&body).map_err(|_| "can't parse JSON object".to_owned())?;
        asked.fields.extend(value.into_iter().filter(|(_, value)| !value.is_null()));
    } else {
        for (name, value) in url::form_urlencoded::parse(&body) {
            asked.fields.insert(name.into_owned(), value.into_owned().into());
        }
    }
    Ok(asked)
}

impl Asked {
    fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    fn number(&self, name: &str) -> Option<i64> {
        let value = self.fields.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    fn is_true(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| value == true || value == "true")
    }

    /// A field that holds JSON, also where a form made it text.
    fn json(&self, name: &str) -> Option<Value> {
        match self.fields.get(name)? {
            Value::String(text) => serde_json::from_str(text).ok(),
            value => Some(value.clone()),
        }
    }
}

fn run(world: &World, method: &str, asked: &Asked) -> Result<Value, Refusal> {
    match method {
        "getme" => Ok(json!({ "id": BOT, "is_bot": true, "first_name": "Pão Dourado", "username": BOT_NAME,
            "can_join_groups": true, "can_read_all_group_messages": false, "supports_inline_queries": false })),
        "setwebhook" => set_webhook(world, asked),
        "deletewebhook" => {
            lock(&world.state).hook = None;
            Ok(true.into())
        }
        "getwebhookinfo" => Ok(webhook_info(world)),
        "sendmessage" => {
            let text = asked.text("text").unwrap_or_default();
            check_words(text, 4096, asked.json("entities").as_ref(), "message text is empty", "message is too long")?;
            put(world, asked, text, json!({ "text": text, "entities": asked.json("entities") }))
        }
        "sendphoto" => put_file(world, asked, "photo", 10),
        "sendvideo" => put_file(world, asked, "video", 50),
        "sendanimation" => put_file(world, asked, "animation", 50),
        "sendvoice" => put_file(world, asked, "voice", 50),
        "sendaudio" => put_file(world, asked, "audio", 50),
        "senddocument" => put_file(world, asked, "document", 50),
        "sendsticker" => put_file(world, asked, "sticker", 50),
        "sendlocation" | "sendvenue" => {
            let (Some(latitude), Some(longitude)) = (asked.json("latitude"), asked.json("longitude")) else {
                return Err(bad("wrong location"));
            };
            let title = asked.text("title").unwrap_or_default();
            if method == "sendvenue" && (title.is_empty() || asked.text("address").is_none()) {
                return Err(bad("venue title and address must be non-empty"));
            }
            put(world, asked, title, json!({ "location": { "latitude": latitude, "longitude": longitude }, "title": title }))
        }
        "sendcontact" => {
            let phone = asked.text("phone_number").filter(|phone| !phone.is_empty()).ok_or_else(|| bad("phone number is empty"))?;
            put(world, asked, phone, json!({ "contact": { "phone_number": phone, "first_name": asked.text("first_name") } }))
        }
        "sendchataction" | "setmessagereaction" => reach(world, asked).map(|_| true.into()),
        "answercallbackquery" => {
            let id = asked.text("callback_query_id").unwrap_or_default().to_owned();
            let mut state = lock(&world.state);
            if !state.open_presses.remove(&id) {
                return Err(bad("query is too old and response timeout expired or query ID is invalid"));
            }
            state.answered_presses.push(id);
            Ok(true.into())
        }
        "getfile" => {
            let id = asked.text("file_id").unwrap_or_default();
            let state = lock(&world.state);
            let file = state.files.get(id).ok_or_else(|| bad("wrong file_id or the file is temporarily unavailable"))?;
            if file.bytes.len() > 20 << 20 {
                return Err(bad("file is too big"));
            }
            Ok(json!({ "file_id": id, "file_unique_id": format!("u-{id}"), "file_size": file.bytes.len(), "file_path": file.path }))
        }
        _ => Err((404, "Not Found".into(), Value::Null)),
    }
}

fn download(world: &World, path: &str) -> Response {
    let state = lock(&world.state);
    match state.files.values().find(|file| file.path == path) {
        Some(file) => ([(header::CONTENT_TYPE, "application/octet-stream")], Body::from(file.bytes.clone())).into_response(),
        None => refuse(404, "Not Found", Value::Null),
    }
}

async fn get_updates(world: &World, asked: &Asked) -> Result<Value, Refusal> {
    let limit = usize::try_from(asked.number("limit").unwrap_or(100).clamp(1, 100)).unwrap_or(100);
    let held = Duration::from_secs(asked.number("timeout").unwrap_or(0).clamp(0, 50).unsigned_abs());
    let until = tokio::time::Instant::now() + held;
    let mine = {
        let mut state = lock(&world.state);
        if let Some(offset) = asked.number("offset") {
            state.waiting.retain(|(id, _)| *id >= offset);
        }
        state.poll += 1;
        state.poll
    };
    world.news.notify_waiters();
    loop {
        let news = world.news.notified();
        tokio::pin!(news);
        news.as_mut().enable();
        {
            let mut state = lock(&world.state);
            if let Some((code, words, wait)) = state.poll_refusals.pop_front() {
                return Err((code, words, wait.map_or(Value::Null, |wait| json!({ "retry_after": wait }))));
            }
            if state.hook.is_some() {
                let words = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
                return Err((409, words.into(), Value::Null));
            }
            if state.poll != mine {
                let words = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
                return Err((409, words.into(), Value::Null));
            }
            if !state.waiting.is_empty() {
                return Ok(state.waiting.iter().take(limit).map(|(_, update)| update.clone()).collect());
            }
        }
        if tokio::time::timeout_at(until, news).await.is_err() {
            return Ok(json!([]));
        }
    }
}

fn set_webhook(world: &World, asked: &Asked) -> Result<Value, Refusal> {
    let text = asked.text("url").unwrap_or_default();
    if text.is_empty() {
        lock(&world.state).hook = None;
        return Ok(true.into());
    }
    let url = Url::parse(text).map_err(|_| bad("bad webhook: invalid webhook URL specified"))?;
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost"));
    if url.scheme() != "https" && !loopback {
        return Err(bad("bad webhook: An HTTPS URL must be provided for webhook"));
    }
    if !loopback && !matches!(url.port_or_known_default(), Some(443 | 80 | 88 | 8443)) {
        return Err(bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"));
    }
    let secret = asked.text("secret_token").map(str::to_owned);
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if secret.as_ref().is_some_and(|secret| secret.len() > 256 || !secret.chars().all(is_word)) {
        return Err(bad("secret token contains unallowed characters"));
    }
    let max_connections = asked.number("max_connections").unwrap_or(40).clamp(1, 100).unsigned_abs();
    let mut state = lock(&world.state);
    if asked.is_true("drop_pending_updates") {
        state.waiting.clear();
    }
    state.hook = Some(Hook { url: text.into(), secret, max_connections, allowed_updates: asked.json("allowed_updates"), last_error: None });
    drop(state);
    world.news.notify_waiters();
    Ok(true.into())
}

fn webhook_info(world: &World) -> Value {
    let state = lock(&world.state);
    let pending = state.waiting.len();
    let Some(hook) = &state.hook else {
        return json!({ "url": "", "has_custom_certificate": false, "pending_update_count": pending });
    };
    let mut info = json!({ "url": hook.url, "has_custom_certificate": false, "pending_update_count": pending,
        "max_connections": hook.max_connections, "ip_address": "127.0.0.1" });
    if let Some(allowed) = &hook.allowed_updates {
        info["allowed_updates"] = allowed.clone();
    }
    if let Some(error) = &hook.last_error {
        info["last_error_message"] = error.clone().into();
        info["last_error_date"] = state.date().into();
    }
    info
}

/// The chat that a call is about, if the bot may write there.
fn reach(world: &World, asked: &Asked) -> Result<i64, Refusal> {
    let state = lock(&world.state);
    let chat = asked.number("chat_id").ok_or_else(|| bad("chat_id is empty"))?;
    if let Some(to) = state.moved.get(&chat) {
        let words = "Bad Request: group chat was upgraded to a supergroup chat".to_owned();
        return Err((400, words, json!({ "migrate_to_chat_id": to })));
    }
    if !state.chats.contains_key(&chat) {
        return Err(bad("chat not found"));
    }
    if state.blocked.contains(&chat) {
        return Err((403, "Forbidden: bot was blocked by the user".into(), Value::Null));
    }
    Ok(chat)
}

fn put_file(world: &World, asked: &Asked, field: &str, megabytes: usize) -> Result<Value, Refusal> {
    let caption = asked.text("caption").unwrap_or_default();
    if !caption.is_empty() {
        check_words(caption, 1024, asked.json("caption_entities").as_ref(), "", "message caption is too long")?;
    }
    let file_id = match (&asked.file, asked.text(field)) {
        (Some((name, bytes)), _) if name == field => {
            if bytes.len() > megabytes << 20 {
                return Err((413, "Request Entity Too Large".into(), Value::Null));
            }
            if bytes.is_empty() {
                return Err(bad("file must be non-empty"));
            }
            let mut state = lock(&world.state);
            let id = format!("sent-{}", state.files.len() + 1);
            let path = format!("{field}s/{id}");
            state.files.insert(id.clone(), StoredFile { path, bytes: bytes.clone() });
            id
        }
        (_, Some(known)) => known.to_owned(),
        _ => return Err(bad(&format!("there is no {field} in the request"))),
    };
    let file = json!({ "file_id": file_id, "file_unique_id": format!("u-{file_id}") });
    let file = if field == "photo" { json!([file]) } else { file };
    put(world, asked, caption, json!({ field: file, "caption": caption }))
}

/// Puts the bot's message into the chat.
fn put(world: &World, asked: &Asked, words: &str, content: Value) -> Result<Value, Refusal> {
    let chat = reach(world, asked)?;
    let markup = asked.json("reply_markup");
    check_keyboard(markup.as_ref())?;
    let mut state = lock(&world.state);
    if let Some(reply) = asked.json("reply_parameters") {
        let known = state.messages.iter().any(|message| message["chat"]["id"] == chat && message["message_id"] == reply["message_id"]);
        if !known && reply["allow_sending_without_reply"] != true {
            return Err(bad("message to be replied not found"));
        }
    }
    let id = state.next_message(chat);
    let mut message = json!({ "message_id": id, "from": { "id": BOT, "is_bot": true, "first_name": "Pão Dourado", "username": BOT_NAME },
        "chat": state.chat(chat), "date": state.date() });
    for (name, value) in content.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null() && *value != "") {
        message[name] = value.clone();
    }
    if let Some(markup) = markup {
        message["reply_markup"] = markup;
    }
    state.messages.push(message.clone());
    state.received.push((chat.to_string(), words.to_owned()));
    Ok(message)
}

fn check_words(text: &str, limit: usize, entities: Option<&Value>, empty: &str, too_long: &str) -> Result<(), Refusal> {
    let units: Vec<u16> = text.encode_utf16().collect();
    if text.trim().is_empty() {
        return Err(bad(empty));
    }
    if units.len() > limit {
        return Err(bad(too_long));
    }
    let half = |at: usize| at > 0 && at < units.len() && (0xDC00..0xE000).contains(&units[at]);
    for entity in entities.and_then(Value::as_array).into_iter().flatten() {
        let number = |name: &str| entity[name].as_u64().and_then(|number| usize::try_from(number).ok());
        let (Some(offset), Some(length), Some(kind)) = (number("offset"), number("length"), entity["type"].as_str()) else {
            return Err(bad("can't parse entities: field is missing"));
        };
        if length == 0 || offset + length > units.len() || half(offset) || half(offset + length) {
            return Err(bad("can't parse entities: ENTITY_BOUNDS_INVALID"));
        }
        if kind == "text_link" && entity["url"].as_str().is_none_or(|url| Url::parse(url).is_err()) {
            return Err(bad("can't parse entities: entity URL is invalid"));
        }
    }
    Ok(())
}

fn check_keyboard(markup: Option<&Value>) -> Result<(), Refusal> {
    let rows = markup.and_then(|markup| markup["inline_keyboard"].as_array());
    let buttons: Vec<&Value> = rows.into_iter().flatten().filter_map(Value::as_array).flatten().collect();
    if buttons.len() > 100 {
        return Err(bad("reply markup is too long"));
    }
    for button in buttons {
        if button["text"].as_str().is_none_or(str::is_empty) {
            return Err(bad("text buttons are unallowed in the inline keyboard"));
        }
        match (button["callback_data"].as_str(), button["url"].as_str()) {
            (Some(data), None) if (1..=64).contains(&data.len()) => {}
            (None, Some(url)) if Url::parse(url).is_ok() => {}
            (None, Some(_)) => return Err(bad("BUTTON_URL_INVALID")),
            _ => return Err(bad("BUTTON_DATA_INVALID")),
        }
    }
    Ok(())
}
