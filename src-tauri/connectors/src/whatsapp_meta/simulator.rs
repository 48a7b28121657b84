//! Meta's stand-in on loopback: the Graph API in front of WhatsApp, with an app, a token and its rights, and three places for a callback.
//!
//! Built from the protocol and not from our client. One liberty: a callback on loopback may be plain http, and only such a one is asked
//! whether it is ours.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use shopbell_core::connector::{Fate, Fault, Request, Said, Simulator, Weather};

use crate::loopback::{Loopback, Manners};
use crate::meta::signature;
use crate::meta::whatsapp::simulator::{ACCOUNT, DISPLAY_NUMBER, NAME, PHONE_NUMBER_ID, Refused, World, post};

mod graph;

/// What stands in every secret and must be seen nowhere else.
const CANARY: &str = "canaryMeta7hLr2vQp9sXw4nZk1b";
/// Where files are fetched.
const FILES: &str = "/whatsapp_business/attachments/";
/// The app.
pub const APP: &str = "670843887433847";

/// Starts the simulator.
pub fn start() -> BoxFuture<'static, anyhow::Result<Box<dyn Simulator>>> {
    Box::pin(async { Ok(Box::new(MetaSimulator::start().await?) as Box<dyn Simulator>) })
}

/// A running simulator.
pub struct MetaSimulator {
    server: Loopback,
    graph: Arc<Graph>,
}

/// What Meta knows beside the messages.
struct Graph {
    world: Arc<World>,
    state: Mutex<State>,
    /// `http://127.0.0.1:port`, once it is known.
    base: Mutex<String>,
}

struct State {
    token: Value,
    app: Option<Value>,
    is_subscribed: bool,
    account_callback: Option<String>,
    number_callback: Option<String>,
    dataset: bool,
    events: Vec<Value>,
}

fn secret() -> String {
    format!("{CANARY}5ec2e7")
}

fn token() -> String {
    format!("EAAG{CANARY}ZDZD")
}

fn verify_token() -> String {
    format!("pao-{CANARY}")
}

impl MetaSimulator {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start() -> anyhow::Result<Self> {
        let graph = Arc::new(Graph { world: World::new(), state: Mutex::new(State::new()), base: Mutex::default() });
        let router = Router::new().fallback(graph::answer).with_state(graph.clone());
        let manners = Manners { shown: |text| text.replace(CANARY, "•••"), may_fail: |_| true, fetches: |path| path == FILES, refusal };
        let server = Loopback::start(router, manners).await?;
        *crate::loopback::lock(&graph.base) = server.base_url();
        Ok(Self { server, graph })
    }

    /// The messages, files and customers.
    pub fn world(&self) -> &World {
        &self.graph.world
    }

    /// What `debug_token` tells of the token: fields that are given replace those that were there.
    pub fn set_token(&self, fields: &Value) {
        let mut state = crate::loopback::lock(&self.graph.state);
        for (name, value) in fields.as_object().into_iter().flatten() {
            state.token[name] = value.clone();
        }
    }

    /// The events that were reported to advertising.
    pub fn events(&self) -> Vec<Value> {
        crate::loopback::lock(&self.graph.state).events.clone()
    }

    /// Another program's callback: at the app, the account or the number.
    pub fn set_callback(&self, place: &str, url: &str) {
        let mut state = crate::loopback::lock(&self.graph.state);
        match place {
            "application" => state.app = Some(json!({ "object": "whatsapp_business_account", "callback_url": url, "fields": [{ "name": "messages", "version": "v25.0" }], "active": true })),
            "whatsapp_business_account" => {
                state.is_subscribed = true;
                state.account_callback = Some(url.to_owned());
            }
            _ => state.number_callback = Some(url.to_owned()),
        }
    }

    /// One request for many changes, as a batch.
    pub fn batch(&self, changes: Vec<(&str, Value)>) -> Request {
        signed(&self.graph.world.envelope(changes))
    }

    /// Sends all of `said` to `hook` as Meta does: in batches of up to nine, several at a time, each until it is taken, and every `twice`-th
    /// batch once more (0 = none). Gives how many requests it took.
    ///
    /// # Errors
    /// When one of them is not taken within a minute.
    pub async fn deliver(&self, hook: &str, said: &[Said], twice: usize) -> anyhow::Result<usize> {
        let batches = said.chunks(9).map(|part| self.batch(part.iter().map(|said| self.graph.world.say(said)).collect()));
        let batches: Vec<Request> = batches.collect();
        let again = batches.iter().enumerate().filter(|(index, _)| twice > 0 && index % twice == twice - 1).map(|(_, batch)| batch.clone());
        let all: Vec<Request> = batches.iter().cloned().chain(again).collect();
        let sent = futures::stream::iter(all).map(|batch| async move { post(hook, &batch).await }).buffer_unordered(8);
        sent.try_fold(0, |sum, attempts| async move { Ok(sum + attempts) }).await
    }
}

/// A request as Meta signs it: with everything beyond ASCII and every slash escaped.
fn signed(envelope: &Value) -> Request {
    let body = escaped(&envelope.to_string());
    Request {
        method: "POST".into(),
        path: String::new(),
        query: String::new(),
        headers: vec![
            ("content-type".into(), "application/json".into()),
            (signature::HEADER.into(), signature::sign(&secret(), body.as_bytes())),
        ],
        body: body.into(),
        url: format!("https://shop.example/hooks/meta/{APP}"),
    }
}

fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    let mut units = [0; 2];
    for c in json.chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            c if c.is_ascii() => escaped.push(c),
            c => c.encode_utf16(&mut units).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    escaped
}

#[async_trait]
impl Simulator for MetaSimulator {
    fn config(&self) -> Value {
        json!({
            "phone_number": DISPLAY_NUMBER, "display_name": NAME, "phone_number_id": PHONE_NUMBER_ID, "business_account_id": ACCOUNT,
            "app_id": APP, "app_secret": secret(), "access_token": token(), "verify_token": verify_token(), "base_url": self.server.base_url(),
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
        vec![self.batch(vec![self.graph.world.say(said)])]
    }

    async fn say(&self, said: &Said, hook: Option<&str>) -> anyhow::Result<()> {
        let request = self.batch(vec![self.graph.world.say(said)]);
        let registered = crate::loopback::lock(&self.graph.state).callback();
        if let Some(hook) = hook.map(str::to_owned).or(registered) {
            post(&hook, &request).await?;
        }
        Ok(())
    }

    fn fate(&self, external_id: &str, fate: &Fate) -> Vec<Request> {
        self.graph.world.fate(external_id, fate).into_iter().map(|change| self.batch(vec![change])).collect()
    }

    fn received(&self) -> Vec<(String, String)> {
        self.graph.world.received()
    }

    fn taken(&self) -> Vec<String> {
        self.graph.world.sent().into_iter().map(|sent| sent.id).collect()
    }
}

impl State {
    fn new() -> Self {
        let scopes = json!(["whatsapp_business_messaging", "whatsapp_business_management", "whatsapp_business_manage_events"]);
        let granular = json!([{ "scope": "whatsapp_business_messaging", "target_ids": [ACCOUNT] }, { "scope": "whatsapp_business_management" }]);
        Self {
            token: json!({ "app_id": APP, "type": "SYSTEM_USER", "application": "Shopbell", "expires_at": 0, "is_valid": true,
                "scopes": scopes, "granular_scopes": granular }),
            app: None,
            is_subscribed: false,
            account_callback: None,
            number_callback: None,
            dataset: false,
            events: Vec::new(),
        }
    }

    /// Where messages of the number are sent: the nearest address, while the account is subscribed.
    fn callback(&self) -> Option<String> {
        let app = || self.app.as_ref().and_then(|app| app["callback_url"].as_str()).map(str::to_owned);
        let nearest = self.number_callback.clone().or_else(|| self.account_callback.clone()).or_else(app);
        nearest.filter(|_| self.is_subscribed)
    }
}

fn refusal(fault: &Fault) -> Response {
    let refused = match fault {
        Fault::RateLimit(_) => Refused::new(130_429, "Rate limit hit"),
        Fault::Unauthorized => Refused { subcode: 463, ..Refused::new(190, "Error validating access token: Session has expired") },
        Fault::Refuse(words) => Refused::new(100, words.clone()),
        Fault::Code(code) => Refused::new(*code, "refused"),
        Fault::MediaGone => Refused { status: 404, ..Refused::unknown("1") },
        Fault::ServerError | Fault::CutAfter | Fault::CutBefore | Fault::Slow(_) => Refused::new(1, "An unknown error has occurred."),
    };
    refused.into_response()
}
