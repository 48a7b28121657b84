//! 360dialog's stand-in on loopback: one key in front of WhatsApp, a webhook with headers, files through its own host.
//!
//! Built from the protocol and not from our client.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use shopbell_core::connector::{Fate, Fault, Request, Said, Simulator, Weather};
use url::Url;

use crate::loopback::{Loopback, Manners, lock};
use crate::meta::whatsapp::simulator::{DISPLAY_NUMBER, Refused, World, post};

/// What stands in the key and must be seen nowhere else.
const CANARY: &str = "canaryD360vQp9sXw4nZk1b7hLr2";
/// Where files are fetched.
const FILES: &str = "/whatsapp_business/attachments/";
/// The secret of the webhook in [`Dialog360Simulator::config`].
const SECRET: &str = "whs-canaryD360vQp9sXw4nZk1b7hLr2-5t8y2";
/// Failed questions for files that are put up with.
const PATIENCE: u32 = 5;

/// Starts the simulator.
pub fn start() -> BoxFuture<'static, anyhow::Result<Box<dyn Simulator>>> {
    Box::pin(async { Ok(Box::new(Dialog360Simulator::start().await?) as Box<dyn Simulator>) })
}

/// A running simulator.
pub struct Dialog360Simulator {
    server: Loopback,
    desk: Arc<Desk>,
}

struct Desk {
    world: Arc<World>,
    /// The webhook: address and headers.
    hook: Mutex<Option<Value>>,
    /// Failed questions for files in this hour.
    failed: Mutex<u32>,
}

impl Dialog360Simulator {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start() -> anyhow::Result<Self> {
        let desk = Arc::new(Desk { world: World::new(), hook: Mutex::default(), failed: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(desk.clone());
        let manners = Manners { shown: |text| text.replace(CANARY, "•••"), may_fail: |_| true, fetches: |path| path.starts_with(FILES), refusal };
        Ok(Self { server: Loopback::start(router, manners).await?, desk })
    }

    /// The messages, files and customers.
    pub fn world(&self) -> &World {
        &self.desk.world
    }

    /// Another program's webhook.
    pub fn set_hook(&self, url: &str) {
        *lock(&self.desk.hook) = Some(json!({ "url": url, "headers": { "Authorization": "Basic dGhlaXJz" } }));
    }

    /// How many questions for files failed in this hour.
    pub fn failed_files(&self) -> u32 {
        *lock(&self.desk.failed)
    }

    fn request(&self, change: (&'static str, Value)) -> Request {
        let body = self.desk.world.envelope(vec![change]);
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let hook = lock(&self.desk.hook).clone();
        let given = hook.as_ref().and_then(|hook| hook["headers"].as_object());
        match given {
            Some(given) => headers.extend(given.iter().map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap_or_default().to_owned()))),
            None => headers.push(("x-shopbell-secret".into(), SECRET.into())),
        }
        Request {
            method: "POST".into(),
            path: String::new(),
            query: String::new(),
            headers,
            body: body.to_string().into(),
            url: "https://shop.example/hooks/key".into(),
        }
    }
}

#[async_trait]
impl Simulator for Dialog360Simulator {
    fn config(&self) -> Value {
        json!({
            "api_key": format!("{CANARY}_AK"), "phone_number": DISPLAY_NUMBER, "client_id": "HnXnyHCL", "webhook_secret": SECRET,
            "base_url": self.server.base_url(),
        })
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

    fn signed(&self, said: &Said) -> Vec<Request> {
        vec![self.request(self.desk.world.say(said))]
    }

    async fn say(&self, said: &Said, hook: Option<&str>) -> anyhow::Result<()> {
        let request = self.request(self.desk.world.say(said));
        let registered = lock(&self.desk.hook).as_ref().and_then(|hook| hook["url"].as_str()).map(str::to_owned);
        if let Some(hook) = hook.map(str::to_owned).or(registered) {
            post(&hook, &request).await?;
        }
        Ok(())
    }

    fn fate(&self, external_id: &str, fate: &Fate) -> Vec<Request> {
        self.desk.world.fate(external_id, fate).into_iter().map(|change| self.request(change)).collect()
    }

    fn received(&self) -> Vec<(String, String)> {
        self.desk.world.received()
    }

    fn taken(&self) -> Vec<String> {
        self.desk.world.sent().into_iter().map(|sent| sent.id).collect()
    }
}

/// A refusal in 360dialog's own shape.
fn own(status: u16, words: &str) -> Response {
    let body = json!({ "meta": { "api_status": "stable", "version": "v2", "success": false, "http_code": status, "developer_message": words } });
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), axum::Json(body)).into_response()
}

fn refusal(fault: &Fault) -> Response {
    match fault {
        Fault::RateLimit(_) => {
            (StatusCode::BAD_REQUEST, axum::Json(json!({ "error": "You have exceeded the endpoint rate limit" }))).into_response()
        }
        Fault::Unauthorized => own(401, "Invalid api key"),
        Fault::Refuse(words) => own(400, words),
        Fault::Code(code) => Refused::new(*code, "refused").into_response(),
        Fault::MediaGone => own(404, "Media not found"),
        Fault::ServerError | Fault::CutAfter | Fault::CutBefore | Fault::Slow(_) => own(500, "Internal server error"),
    }
}

fn done(value: Value) -> Response {
    axum::Json(value).into_response()
}

async fn answer(State(desk): State<Arc<Desk>>, request: HttpRequest) -> Response {
    let key = request.headers().get("d360-api-key").and_then(|value| value.to_str().ok());
    if key != Some(format!("{CANARY}_AK").as_str()) {
        return own(401, "Invalid api key");
    }
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let method = request.method().clone();
    if (method.clone(), path.as_str()) == (Method::POST, "media") {
        return desk.world.upload(request, false).await.map_or_else(IntoResponse::into_response, done);
    }
    let body = axum::body::to_bytes(request.into_body(), 4_000_000).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match (method, path.as_str()) {
        (Method::POST, "messages") if body["type"] == "template" && body["template"]["language"]["policy"] != "deterministic" => {
            own(400, "template.language.policy is required")
        }
        (Method::POST, "messages") => desk.world.accept(&body).map_or_else(IntoResponse::into_response, done),
        (Method::GET, "v1/configs/webhook") => match lock(&desk.hook).clone() {
            Some(hook) => done(hook),
            None => own(404, "Webhook not found"),
        },
        (Method::POST, "v1/configs/webhook") => {
            let is_good = body["url"].as_str().and_then(|url| Url::parse(url).ok()).is_some_and(|url| {
                url.scheme() == "https" || matches!(url.host_str(), Some("127.0.0.1" | "localhost"))
            });
            if !is_good {
                return own(400, "Webhook url must be a valid https url");
            }
            *lock(&desk.hook) = Some(body.clone());
            done(body)
        }
        (Method::GET, "v1/configs/templates") => done(templates(&desk, &query)),
        (Method::GET, path) => file(&desk, path, &query),
        _ => own(403, "path blocked"),
    }
}

fn templates(desk: &Desk, query: &str) -> Value {
    let number = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<usize>().ok())
    };
    let all = desk.world.templates();
    let page: Vec<Value> = all
        .iter()
        .skip(number("offset").unwrap_or(0))
        .take(number("limit").unwrap_or(1000))
        .map(|template| {
            let mut template = template.clone();
            template["status"] = template["status"].as_str().unwrap_or_default().to_lowercase().into();
            template["namespace"] = "c8ae5f90_307a".into();
            template
        })
        .collect();
    json!({ "count": page.len(), "total": all.len(), "waba_templates": page })
}

/// A file, or what is told of it. After five failures the number's files are locked.
fn file(desk: &Desk, path: &str, query: &str) -> Response {
    if *lock(&desk.failed) >= PATIENCE {
        return own(429, "Media requests are blocked for one hour");
    }
    let link = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "mid").map(|(_, value)| value.into_owned());
    let found = match (path, link) {
        ("whatsapp_business/attachments/", Some(link)) => {
            desk.world.file(&link).map(|(mime, bytes)| ([(header::CONTENT_TYPE, mime)], Body::from(bytes)).into_response())
        }
        (id, _) => {
            let link = |link: &str| format!("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid={link}&amp;ext=1763650000&amp;hash=ATs");
            desk.world.describe(id, link).ok().map(done)
        }
    };
    found.unwrap_or_else(|| {
        *lock(&desk.failed) += 1;
        own(404, "Media not found")
    })
}
