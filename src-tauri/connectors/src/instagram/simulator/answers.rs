//! The simulator's side of the Graph API.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use shopbell_core::clock::Clock;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::refusals::{Refusal, answer as answered};
use super::{ACCOUNT, APP, Kept, NAME, PAGE, SCOPED, SECOND_SECRET, SECRET, State, World, token};
use crate::instagram::Flavour;
use crate::loopback::lock;

type Answer = Result<Value, Refusal>;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Where files are fetched.
pub const FILES: &str = "/ig_messaging_cdn";
/// Messages of one conversation whose details are told.
const TOLD: usize = 20;

/// A call, taken apart.
struct Call {
    method: Method,
    path: Vec<String>,
    query: HashMap<String, String>,
    bearer: String,
    body: Value,
}

/// Answers a call.
pub async fn answer(Shared((world, stop)): Shared<(Arc<World>, CancellationToken)>, request: Request) -> Response {
    if request.uri().path().starts_with(FILES) {
        return file(&world, &request);
    }
    match read(request).await {
        Ok(call) => match judge(&world, &call, &stop).await {
            Ok(value) => answered(200, &value),
            Err(refusal) => refusal.into_response(),
        },
        Err(refusal) => refusal.into_response(),
    }
}

async fn read(request: Request) -> Result<Call, Refusal> {
    let path: Vec<String> = request.uri().path().split('/').skip(1).map(str::to_owned).collect();
    let is_version = path.first().is_some_and(|part| part.strip_prefix('v').is_some_and(|rest| rest.parse::<f32>().is_ok()));
    if !is_version {
        return Err(Refusal(400, 2500, 0, "Unknown path components".into()));
    }
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let query = url::form_urlencoded::parse(query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default().to_owned();
    let method = request.method().clone();
    let kind = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let body = if kind.starts_with("multipart/form-data") { form(request).await } else { json_of(request).await? };
    Ok(Call { method, path: path.into_iter().skip(1).collect(), query, bearer, body })
}

async fn json_of(request: Request) -> Result<Value, Refusal> {
    let bytes = axum::body::to_bytes(request.into_body(), 3 << 20).await.unwrap_or_default();
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|_| Refusal::parameter("The request body is not JSON"))
}

async fn form(request: Request) -> Value {
    let mut fields = json!({});
    let Ok(mut multipart) = Multipart::from_request(request, &()).await else { return fields };
    while let Ok(Some(field)) = multipart.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let mime = field.content_type().map(str::to_owned);
        let Ok(bytes) = field.bytes().await else { continue };
        fields[name] = match mime {
            Some(mime) => json!({ "mime": mime, "bytes": bytes.len() }),
            None => String::from_utf8_lossy(&bytes).into(),
        };
    }
    fields
}

async fn judge(world: &Arc<World>, call: &Call, stop: &CancellationToken) -> Answer {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    if path == [APP, "subscriptions"] {
        return subscriptions(world, call);
    }
    if call.bearer != token(world.flavour) {
        return Err(Refusal(401, 190, 0, "Invalid OAuth access token - Cannot parse access token".into()));
    }
    let node = match world.flavour {
        Flavour::InstagramLogin => ACCOUNT,
        Flavour::FacebookPage => PAGE,
    };
    let is_own = |part: &str| part == "me" || part == node;
    match (&call.method, path.as_slice()) {
        (&Method::GET, ["me"]) => Ok(me(world, call)),
        (&Method::GET, [own, "subscribed_apps"]) if is_own(own) => Ok(subscribed(&lock(&world.state))),
        (&Method::POST, [own, "subscribed_apps"]) if is_own(own) => subscribe(world, call, own),
        (&Method::POST, [own, "messages"]) if is_own(own) => message(world, call, stop).await,
        (&Method::POST, [own, "message_attachments"]) if is_own(own) && world.flavour == Flavour::FacebookPage => upload(world, call),
        (&Method::GET, [own, "conversations"]) if is_own(own) => conversations(world, call),
        (&Method::GET, [one]) => conversation(world, call, one),
        _ => Err(Refusal::parameter("Unsupported request. Object does not exist, cannot be loaded due to missing permissions")),
    }
}

fn me(world: &World, call: &Call) -> Value {
    let asked = |name: &str| call.query.get("fields").is_some_and(|fields| fields.contains(name));
    match world.flavour {
        Flavour::InstagramLogin => {
            let mut me = json!({ "id": SCOPED, "username": NAME, "name": "Pão Dourado", "account_type": "BUSINESS" });
            if asked("user_id") {
                me["user_id"] = ACCOUNT.into();
            }
            me
        }
        Flavour::FacebookPage => {
            let mut me = json!({ "id": PAGE, "name": "Pão Dourado" });
            if asked("instagram_business_account") {
                me["instagram_business_account"] = json!({ "id": ACCOUNT, "username": NAME });
            }
            me
        }
    }
}

fn subscribed(state: &State) -> Value {
    if state.subscribed.is_empty() {
        return json!({ "data": [] });
    }
    json!({ "data": [{ "id": APP, "name": "Shop", "subscribed_fields": state.subscribed }] })
}

fn subscribe(world: &World, call: &Call, node: &str) -> Answer {
    let mut state = lock(&world.state);
    if state.habits.only_me && node != "me" {
        return Err(Refusal::parameter("Unsupported post request"));
    }
    let known = ["messages", "messaging_postbacks", "message_reactions", "messaging_seen", "messaging_referral", "messaging_optins", "messaging_handover", "standby", "message_edit", "comments", "live_comments"];
    let wanted: Vec<String> = call.query.get("subscribed_fields").map(|fields| fields.split(',').map(str::to_owned).collect()).unwrap_or_default();
    if wanted.is_empty() || wanted.iter().any(|field| !known.contains(&field.as_str())) {
        return Err(Refusal::parameter("Param subscribed_fields must be one of {messages, messaging_postbacks, …}"));
    }
    state.subscribed = wanted;
    Ok(json!({ "success": true }))
}

fn subscriptions(world: &World, call: &Call) -> Answer {
    if ![SECRET, SECOND_SECRET].iter().any(|secret| call.bearer == format!("{APP}|{secret}")) {
        return Err(Refusal(400, 190, 0, "Invalid OAuth access token signature.".into()));
    }
    let data: Vec<Value> = lock(&world.state)
        .callback
        .iter()
        .map(|url| json!({ "object": "instagram", "callback_url": url, "active": true, "fields": [{ "name": "messages", "version": "v25.0" }] }))
        .collect();
    Ok(json!({ "data": data }))
}

/// A message or a sign.
async fn message(world: &Arc<World>, call: &Call, stop: &CancellationToken) -> Answer {
    let Some(thread) = call.body["recipient"]["id"].as_str().map(str::to_owned) else {
        return Err(Refusal::parameter("The parameter recipient is required"));
    };
    reach(world, &call.body, &thread)?;
    if let Some(sign) = call.body["sender_action"].as_str() {
        return show(world, call, &thread, sign);
    }
    let message = &call.body["message"];
    check_message(world, message)?;
    if call.body["reply_to"].is_object() {
        let state = lock(&world.state);
        let known = state.messages.iter().any(|kept| kept.thread == thread && call.body["reply_to"]["mid"] == kept.mid.as_str());
        if state.habits.no_replies || !known {
            return Err(Refusal::parameter("Invalid parameter: reply_to"));
        }
    }
    for url in attachments(message).iter().filter_map(|one| one["payload"]["url"].as_str()) {
        fetch(world, url).await?;
    }
    let (mid, hook) = {
        let mut state = lock(&world.state);
        let mid = state.next_mid();
        let text = message["text"].as_str().or_else(|| message["attachment"]["payload"]["text"].as_str()).unwrap_or_default().to_owned();
        state.received.push((thread.clone(), text));
        (mid, state.hook.clone())
    };
    let echo = world.sent(&thread, message.clone(), &mid);
    lock(&world.state).echoes.push(echo.clone());
    if let Some(hook) = hook {
        let request = world.delivery(json!([world.entry(&echo)]));
        let (world, stop) = (world.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                // A hub that stops listening is part of the play.
                _ = world.push(&hook, &request) => {}
            }
        });
    }
    Ok(json!({ "recipient_id": thread, "message_id": mid }))
}

/// May the shop write to this person now?
fn reach(world: &World, body: &Value, thread: &str) -> Result<(), Refusal> {
    let state = lock(&world.state);
    let Some(person) = state.people.get(thread) else { return Err(Refusal::of_code(2_534_014)) };
    if person.blocked {
        return Err(Refusal::of_code(551));
    }
    let waited = world.clock.now().since(person.last_wrote);
    match body["tag"].as_str() {
        None if waited > DAY => Err(Refusal::of_code(2_534_022)),
        Some("HUMAN_AGENT") if body["messaging_type"] != "MESSAGE_TAG" => Err(Refusal::parameter("messaging_type must be MESSAGE_TAG")),
        Some("HUMAN_AGENT") if !state.habits.human_agent => Err(Refusal::parameter("You do not have the permission to use this message tag")),
        Some("HUMAN_AGENT") if waited > DAY * 7 => Err(Refusal::of_code(2_534_022)),
        None | Some("HUMAN_AGENT") => Ok(()),
        Some(_) => Err(Refusal::parameter("Invalid message tag")),
    }
}

fn show(world: &World, call: &Call, thread: &str, sign: &str) -> Answer {
    let mut state = lock(&world.state);
    let shown = match sign {
        "typing_on" | "typing_off" => sign.to_owned(),
        "mark_seen" if !state.habits.no_seen => sign.to_owned(),
        "react" | "unreact" => {
            let target = call.body["payload"]["message_id"].as_str().unwrap_or_default();
            if !state.messages.iter().any(|kept| kept.thread == thread && kept.mid == target) {
                return Err(Refusal::parameter("Invalid message_id"));
            }
            let known = ["love", "like", "dislike", "smile", "wow", "sad", "angry"];
            match call.body["payload"]["reaction"].as_str() {
                Some(name) if sign == "react" && known.contains(&name) => format!("react {name}"),
                None if sign == "unreact" => sign.to_owned(),
                _ => return Err(Refusal::parameter("Invalid reaction")),
            }
        }
        _ => return Err(Refusal::parameter("Invalid sender_action")),
    };
    state.signs.push((thread.to_owned(), shown));
    Ok(json!({ "recipient_id": thread }))
}

/// The attachments of a message in either shape.
pub fn attachments(message: &Value) -> Vec<Value> {
    let one_or_many = |value: &Value| match value {
        Value::Array(many) => many.clone(),
        Value::Object(_) => vec![value.clone()],
        _ => Vec::new(),
    };
    let mut all = one_or_many(&message["attachment"]);
    all.extend(one_or_many(&message["attachments"]));
    all
}

fn check_message(world: &World, message: &Value) -> Result<(), Refusal> {
    let wrong = |words: &str| Err(Refusal::parameter(words));
    let state = lock(&world.state);
    let (text, files) = (message["text"].as_str(), attachments(message));
    match text {
        Some(text) if text.len() > 1000 => return wrong("Length of param message[text] must be less than or equal to 1000"),
        Some("") => return wrong("The parameter message[text] is empty"),
        None if files.is_empty() => return wrong("Message cannot be empty, must provide valid attachment or text"),
        _ => {}
    }
    let replies = message["quick_replies"].as_array().cloned().unwrap_or_default();
    if replies.len() > 13 {
        return wrong("message[quick_replies] must have at most 13 elements");
    }
    for reply in &replies {
        let title = reply["title"].as_str().unwrap_or_default();
        if reply["content_type"] != "text" || title.is_empty() || title.chars().count() > 20 || reply["payload"].as_str().is_none_or(|payload| payload.len() > 1000) {
            return wrong("Invalid quick reply");
        }
    }
    let is_card = |one: &Value| one["type"] == "template";
    let singular = message["attachment"].is_object();
    let wants_singular = (world.flavour == Flavour::FacebookPage) != state.habits.other_attachments;
    if files.iter().any(|one| !is_card(one)) && singular != wants_singular {
        return wrong("Invalid keys were found in param message");
    }
    for one in &files {
        let payload = &one["payload"];
        let by_id = payload["attachment_id"].as_str().is_some_and(|id| state.uploads.contains(id));
        let by_url = payload["url"].as_str().and_then(|url| Url::parse(url).ok()).is_some_and(|url| url.scheme() == "https" || is_loopback(&url));
        match one["type"].as_str() {
            Some("image" | "audio" | "video" | "file") if by_id || by_url => {}
            Some("like_heart") => {}
            Some("template") if payload["template_type"] == "button" => {
                let buttons = payload["buttons"].as_array().map_or(0, Vec::len);
                if !(1..=3).contains(&buttons) || payload["text"].as_str().is_none_or(|text| text.chars().count() > 640) {
                    return wrong("Invalid button template");
                }
            }
            _ => return wrong("Invalid attachment"),
        }
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "localhost"))
}

/// Instagram fetches what is sent by link. Only links to this computer are really fetched here.
async fn fetch(world: &World, link: &str) -> Result<(), Refusal> {
    let unreachable = || Refusal(400, 100, 2_018_047, "(#100) Upload attachment failure.".into());
    if !Url::parse(link).is_ok_and(|url| is_loopback(&url)) {
        return Ok(());
    }
    let response = world.client.get(link).timeout(Duration::from_secs(20)).send().await.map_err(|_| unreachable())?;
    let ok = response.status().is_success();
    let bytes = response.bytes().await.map_err(|_| unreachable())?;
    if ok && !bytes.is_empty() && bytes.len() <= 25 << 20 { Ok(()) } else { Err(unreachable()) }
}

fn upload(world: &World, call: &Call) -> Answer {
    let about: Value = serde_json::from_str(call.body["message"].as_str().unwrap_or_default()).unwrap_or_default();
    let kind = about["attachment"]["type"].as_str().unwrap_or_default();
    if call.body["platform"] != "instagram" || !["image", "audio", "video", "file"].contains(&kind) || call.body["filedata"]["bytes"].as_u64().unwrap_or(0) == 0 {
        return Err(Refusal::parameter("Invalid attachment upload"));
    }
    let mut state = lock(&world.state);
    state.last += 1;
    let id = format!("{}", 1_857_000_000_000_000 + state.last);
    state.uploads.insert(id.clone());
    Ok(json!({ "attachment_id": id }))
}

fn conversations(world: &World, call: &Call) -> Answer {
    if call.query.get("platform").map(String::as_str) != Some("instagram") {
        return Err(Refusal::parameter("The parameter platform is required"));
    }
    let state = lock(&world.state);
    let mut newest: HashMap<&str, &Kept> = HashMap::new();
    for kept in &state.messages {
        newest.insert(&kept.thread, kept);
    }
    let mut rows: Vec<&Kept> = newest.into_values().filter(|kept| call.query.get("user_id").is_none_or(|user| *user == kept.thread)).collect();
    rows.sort_by(|a, b| b.at.cmp(&a.at).then(b.mid.cmp(&a.mid)));
    let limit = call.query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(25_usize).clamp(1, 50);
    let from = call.query.get("after").and_then(|after| after.strip_prefix("cursor-")?.parse().ok()).unwrap_or(0_usize);
    let data: Vec<Value> = rows.iter().skip(from).take(limit).map(|kept| json!({ "id": conversation_id(&kept.thread), "updated_time": iso(kept) })).collect();
    let next = from + data.len();
    let mut answer = json!({ "data": data, "paging": { "cursors": { "after": format!("cursor-{next}") } } });
    if next < rows.len() {
        // As Meta does it: the address of the next page holds the token.
        answer["paging"]["next"] = format!("{}/v25.0/me/conversations?access_token={}&after=cursor-{next}", state.address, token(world.flavour)).into();
    }
    Ok(answer)
}

fn conversation_id(thread: &str) -> String {
    format!("aWdfZAG06{thread}")
}

/// Whole seconds, as the history counts.
fn iso(kept: &Kept) -> String {
    kept.at.to_jiff().strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

fn conversation(world: &World, call: &Call, id: &str) -> Answer {
    let fields = call.query.get("fields").map(String::as_str).unwrap_or_default();
    let state = lock(&world.state);
    if let Some(person) = state.people.get(id) {
        return Ok(json!({ "id": id, "name": person.name, "username": person.name.to_lowercase() }));
    }
    let Some(thread) = id.strip_prefix("aWdfZAG06").filter(|thread| state.messages.iter().any(|kept| kept.thread == *thread)) else {
        return Err(Refusal::parameter("Unsupported get request. Object does not exist"));
    };
    if state.habits.narrow_fields && ["shares", "story", "is_unsupported"].iter().any(|wide| fields.contains(wide)) {
        return Err(Refusal::parameter("Tried accessing nonexisting field (story)"));
    }
    let shop = json!({ "id": ACCOUNT, "username": NAME });
    let name = state.people.get(thread).map(|person| person.name.to_lowercase()).unwrap_or_default();
    let customer = json!({ "id": thread, "username": name });
    let told = state.messages.iter().rev().filter(|kept| kept.thread == thread && !kept.deleted).take(TOLD).map(|kept| {
        let (from, to) = if kept.by_shop { (&shop, &customer) } else { (&customer, &shop) };
        let text = kept.body["text"].as_str().unwrap_or_default();
        let mut row = json!({ "id": kept.mid, "created_time": iso(kept), "from": from, "to": { "data": [to] }, "message": text });
        let files: Vec<Value> = attachments(&kept.body).iter().filter_map(in_history).collect();
        if !files.is_empty() {
            row["attachments"] = json!({ "data": files });
        }
        if kept.body["is_unsupported"] == true && fields.contains("is_unsupported") {
            row["is_unsupported"] = true.into();
        }
        row
    });
    Ok(json!({ "id": id, "messages": { "data": told.collect::<Vec<_>>() } }))
}

/// An attachment as the history tells it.
fn in_history(one: &Value) -> Option<Value> {
    let url = &one["payload"]["url"];
    Some(match one["type"].as_str()? {
        "image" => json!({ "image_data": { "url": url, "width": 640, "height": 640 } }),
        "video" => json!({ "video_data": { "url": url } }),
        "audio" => json!({ "mime_type": "audio/mp4", "name": "audioclip.mp4", "file_url": url }),
        "file" => json!({ "mime_type": "application/pdf", "name": one["payload"]["title"], "file_url": url }),
        _ => return None,
    })
}

/// A file, by its signed link alone.
fn file(world: &World, request: &Request) -> Response {
    let mut state = lock(&world.state);
    let has_credential = |headers: &HeaderMap| headers.contains_key("authorization") || request.uri().query().is_some_and(|query| query.contains("access_token"));
    if has_credential(request.headers()) {
        state.leaks += 1;
    }
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let asset = query.get("asset_id").and_then(|id| state.assets.get(id)).filter(|_| query.contains_key("signature"));
    let (status, mime, bytes) = match asset {
        Some(asset) if !asset.is_gone => (StatusCode::OK, asset.mime.clone(), asset.bytes.clone()),
        Some(_) => (StatusCode::FORBIDDEN, "text/plain".into(), Bytes::from_static(b"URL signature expired")),
        None => (StatusCode::NOT_FOUND, "text/plain".into(), Bytes::new()),
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    if let Ok(mime) = HeaderValue::from_str(&mime) {
        response.headers_mut().insert("content-type", mime);
    }
    response
}
