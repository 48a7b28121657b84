//! The calls of the Graph API as the simulator answers them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use super::{APP, FILES, Graph, secret, token, verify_token};
use crate::loopback::{caller, lock};
use crate::meta::whatsapp::simulator::{ACCOUNT, DISPLAY_NUMBER, NAME, PHONE_NUMBER_ID, Refused};

type Query = HashMap<String, String>;

pub async fn answer(State(graph): State<Arc<Graph>>, request: Request) -> Response {
    match run(&graph, request).await {
        Ok(response) => response,
        Err(refused) => refused.into_response(),
    }
}

fn unauthorized() -> Refused {
    Refused::new(190, "Invalid OAuth access token - Cannot parse access token")
}

async fn run(graph: &Graph, request: Request) -> Result<Response, Refused> {
    let path = request.uri().path().to_owned();
    let query: Query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    let is_user = bearer == Some(token().as_str());
    let is_app = query.get("access_token").is_some_and(|given| *given == format!("{APP}|{}", secret()));
    if path == FILES {
        return if is_user { file(graph, &query) } else { Err(unauthorized()) };
    }
    let Some((version, rest)) = path.trim_start_matches('/').split_once('/') else { return Err(Refused::unknown(&path)) };
    if !version.starts_with('v') || !version.contains('.') {
        return Err(Refused::new(2500, "Unknown path components"));
    }
    let (node, edge) = rest.split_once('/').unwrap_or((rest, ""));
    let method = request.method().clone();
    if node == "debug_token" || node == APP {
        if !is_app {
            return Err(Refused::new(190, "Invalid OAuth access token signature."));
        }
        return as_app(graph, &method, node, edge, &query).await.map(json_answer);
    }
    if !is_user {
        return Err(unauthorized());
    }
    if query.get("appsecret_proof").is_some_and(|given| *given != proof()) {
        return Err(Refused::new(100, "Invalid appsecret_proof provided in the API argument"));
    }
    if (node, edge, &method) == (PHONE_NUMBER_ID, "media", &Method::POST) {
        return graph.world.upload(request, true).await.map(json_answer);
    }
    let body = axum::body::to_bytes(request.into_body(), 4_000_000).await.unwrap_or_default();
    let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).map_err(|_| Refused::new(100, "The body is no JSON"))? };
    as_user(graph, &method, node, edge, &query, &body).await.map(json_answer)
}

fn json_answer(value: Value) -> Response {
    axum::Json(value).into_response()
}

fn proof() -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret().as_bytes()).expect("any length will do as a key");
    mac.update(token().as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn file(graph: &Graph, query: &Query) -> Result<Response, Refused> {
    let link = query.get("mid").map(String::as_str).unwrap_or_default();
    match graph.world.file(link) {
        Some((mime, bytes)) => Ok(([(header::CONTENT_TYPE, mime)], Body::from(bytes)).into_response()),
        None => Err(Refused { status: 404, ..Refused::new(0, "URL signature expired") }),
    }
}

async fn as_app(graph: &Graph, method: &Method, node: &str, edge: &str, query: &Query) -> Result<Value, Refused> {
    let get = |name: &str| query.get(name).cloned().unwrap_or_default();
    match (node, edge, method) {
        ("debug_token", "", &Method::GET) if get("input_token") == token() => Ok(json!({ "data": lock(&graph.state).token })),
        ("debug_token", "", &Method::GET) => {
            Ok(json!({ "data": { "is_valid": false, "error": { "code": 190, "message": "Malformed access token" }, "scopes": [] } }))
        }
        (_, "subscriptions", &Method::GET) => Ok(json!({ "data": lock(&graph.state).app.iter().collect::<Vec<_>>() })),
        (_, "subscriptions", &Method::POST) => {
            let url = get("callback_url");
            if get("object") != "whatsapp_business_account" || get("fields").is_empty() {
                return Err(Refused::new(100, "The parameter object is required"));
            }
            handshake(&url, &get("verify_token")).await?;
            let fields: Vec<Value> = get("fields").split(',').map(|field| json!({ "name": field, "version": "v25.0" })).collect();
            lock(&graph.state).app =
                Some(json!({ "object": "whatsapp_business_account", "callback_url": url, "fields": fields, "active": true }));
            Ok(json!({ "success": true }))
        }
        _ => Err(Refused::unknown(node)),
    }
}

async fn as_user(graph: &Graph, method: &Method, node: &str, edge: &str, query: &Query, body: &Value) -> Result<Value, Refused> {
    match (node, edge, method) {
        (PHONE_NUMBER_ID, "messages", &Method::POST) => graph.world.accept(body),
        (PHONE_NUMBER_ID, "", &Method::GET) => Ok(number(graph)),
        (PHONE_NUMBER_ID, "", &Method::POST) => {
            let wanted = &body["webhook_configuration"];
            let url = wanted["override_callback_uri"].as_str().ok_or_else(|| Refused::new(100, "webhook_configuration is required"))?;
            if !url.is_empty() {
                handshake(url, wanted["verify_token"].as_str().unwrap_or_default()).await?;
            }
            lock(&graph.state).number_callback = (!url.is_empty()).then(|| url.to_owned());
            Ok(json!({ "success": true }))
        }
        (ACCOUNT, "phone_numbers", &Method::GET) => Ok(json!({ "data": [{ "id": PHONE_NUMBER_ID, "display_phone_number": DISPLAY_NUMBER }] })),
        (ACCOUNT, "subscribed_apps", &Method::GET) => {
            let state = lock(&graph.state);
            let mut app = json!({ "whatsapp_business_api_data": { "id": APP, "name": "Shopbell", "link": "https://www.facebook.com/games/?app_id=1" } });
            if let Some(url) = &state.account_callback {
                app["override_callback_uri"] = url.clone().into();
            }
            Ok(json!({ "data": if state.is_subscribed { vec![app] } else { Vec::new() } }))
        }
        (ACCOUNT, "subscribed_apps", &Method::POST) => {
            let url = body["override_callback_uri"].as_str();
            if let Some(url) = url {
                handshake(url, body["verify_token"].as_str().unwrap_or_default()).await?;
            }
            let mut state = lock(&graph.state);
            state.is_subscribed = true;
            // Without a body the address is taken away.
            state.account_callback = url.map(str::to_owned);
            Ok(json!({ "success": true }))
        }
        (ACCOUNT, "message_templates", &Method::GET) => Ok(templates(graph, query)),
        (ACCOUNT, "dataset", &Method::GET) if !lock(&graph.state).dataset => Ok(json!({})),
        (ACCOUNT, "dataset", _) => {
            lock(&graph.state).dataset = true;
            Ok(json!({ "id": "784512369" }))
        }
        ("784512369", "events", &Method::POST) => events(graph, body),
        (id, "", &Method::GET) => {
            let base = lock(&graph.base).clone();
            graph.world.describe(id, |link| format!("{base}/whatsapp_business/attachments/?mid={link}&ext=1763650000&hash=ATs"))
        }
        _ => Err(Refused::unknown(node)),
    }
}

fn number(graph: &Graph) -> Value {
    let state = lock(&graph.state);
    let mut places = json!({});
    if let Some(app) = &state.app {
        places["application"] = app["callback_url"].clone();
    }
    if let Some(url) = &state.account_callback {
        places["whatsapp_business_account"] = url.clone().into();
    }
    if let Some(url) = &state.number_callback {
        places["phone_number"] = url.clone().into();
    }
    json!({
        "id": PHONE_NUMBER_ID, "display_phone_number": DISPLAY_NUMBER, "verified_name": NAME, "quality_rating": "GREEN",
        "throughput": { "level": "STANDARD" }, "code_verification_status": "VERIFIED", "platform_type": "CLOUD_API",
        "webhook_configuration": places,
    })
}

/// Two on a page, so that there are several.
fn templates(graph: &Graph, query: &Query) -> Value {
    let all = graph.world.templates();
    let from: usize = query.get("after").and_then(|after| after.strip_prefix('c')?.parse().ok()).unwrap_or(0);
    let page: Vec<&Value> = all.iter().skip(from).take(2).collect();
    let mut answer = json!({ "data": page, "paging": { "cursors": { "before": "b", "after": format!("c{}", from + 2) } } });
    if from + 2 < all.len() {
        answer["paging"]["next"] = format!("https://graph.facebook.com/next?access_token={}", token()).into();
    }
    answer
}

fn events(graph: &Graph, body: &Value) -> Result<Value, Refused> {
    let reported = body["data"].as_array().cloned().unwrap_or_default();
    for event in &reported {
        let seconds = event["event_time"].as_i64().unwrap_or(0);
        let known = ["Purchase", "LeadSubmitted", "QualifiedLead"].iter().any(|name| event["event_name"] == *name);
        if !known {
            return Err(Refused { subcode: 2_804_066, ..Refused::new(100, "Unsupported event name") });
        }
        if !(1_000_000_000..10_000_000_000).contains(&seconds) || event["user_data"]["ctwa_clid"].as_str().is_none_or(str::is_empty) {
            return Err(Refused::new(100, "Invalid parameter"));
        }
        if event["action_source"] != "business_messaging" || event["messaging_channel"] != "whatsapp" {
            return Err(Refused::new(100, "Invalid parameter"));
        }
    }
    lock(&graph.state).events.extend(reported.iter().cloned());
    Ok(json!({ "events_received": reported.len(), "messages": [], "fbtrace_id": "A2shopbell" }))
}

/// Asks a callback whether it is ours. One that is not on loopback is taken at its word.
async fn handshake(url: &str, verify: &str) -> Result<(), Refused> {
    let failed = |why: &str| Refused::new(2200, format!("Callback verification failed with the following errors: {why}"));
    let parsed = Url::parse(url).map_err(|_| failed("URL is invalid"))?;
    if !matches!(parsed.host_str(), Some("127.0.0.1" | "localhost")) {
        if parsed.scheme() != "https" || verify != verify_token() {
            return Err(failed("HTTP Status Code = 403"));
        }
        return Ok(());
    }
    let question = [("hub.mode", "subscribe"), ("hub.challenge", "1158201444"), ("hub.verify_token", verify)];
    let response = caller().get(parsed).query(&question).timeout(std::time::Duration::from_secs(10)).send().await.map_err(|_| failed("no answer"))?;
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    if status != 200 || text != "1158201444" {
        return Err(failed(&format!("HTTP Status Code = {}; the challenge was not repeated", status.as_u16())));
    }
    Ok(())
}
