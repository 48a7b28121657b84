//! Twilio's stand-in on loopback, built from the protocol and not from our client.
//!
//! It keeps every message in a list, in and out, as Twilio does; signs what it sends; tries a webhook as often as the address says behind
//! its `#`; fetches the files that it is to send; and refuses what Twilio refuses. One liberty: a webhook on loopback may be plain http.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use shopbell_core::clock::{Clock, SystemClock, Timestamp};
use shopbell_core::connector::{Fate, Fault, Request, Said, SaidWhat, Simulator, Weather};

use self::calls::{Call, Form};
use super::Line;
use crate::loopback::{Loopback, Manners, caller, lock};

mod answers;
mod calls;

/// What stands in the Auth Token and must be seen nowhere else.
const CANARY: &str = "9f1ecanaryTwilio4b7d2a6c8e0f3b5d";
/// The account.
const ACCOUNT: &str = "ACa1b2c3d4e5f60718293a4b5c6d7e8f90";
/// Its number, and its name at Twilio on either channel.
const NUMBER: &str = "+5511988887777";
const NUMBER_SID: &str = "PN00000000000000000000000000000001";
const SENDER_SID: &str = "XE00000000000000000000000000000001";
/// The number that everybody shares who tries WhatsApp.
const SANDBOX: &str = "+14155238886";
/// Where calls go that were not told where to go.
const HOOK: &str = "https://shop.example/hooks/key";

/// Starts the simulator of one channel.
pub fn start(line: Line) -> BoxFuture<'static, anyhow::Result<Box<dyn Simulator>>> {
    Box::pin(async move { Ok(Box::new(TwilioSimulator::start(line).await?) as Box<dyn Simulator>) })
}

/// A running simulator.
pub struct TwilioSimulator {
    server: Loopback,
    world: Arc<World>,
    client: reqwest::Client,
}

/// What Twilio knows.
struct World {
    line: Line,
    clock: SystemClock,
    state: Mutex<State>,
    /// With what it fetches the files that it is to send.
    client: reqwest::Client,
}

#[derive(Default)]
struct State {
    last: u64,
    /// Every message, oldest first, as the list shows it.
    messages: Vec<Value>,
    /// Where the fate of a message is to be told.
    callbacks: HashMap<String, String>,
    files: HashMap<String, File>,
    last_in: HashMap<String, Timestamp>,
    unsubscribed: HashSet<String>,
    inbound: Option<String>,
    status: Option<String>,
    service: Option<Value>,
    contents: Vec<Value>,
    received: Vec<(String, String)>,
    fetched: Vec<(String, Bytes)>,
    typed: Vec<String>,
}

#[derive(Clone)]
struct File {
    message: String,
    mime: String,
    bytes: Bytes,
}

impl World {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A moment as Twilio's lists write it.
    fn date(at: Timestamp) -> String {
        at.to_jiff().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
    }
}

impl State {
    fn sid(&mut self, kind: &str) -> String {
        self.last += 1;
        format!("{kind}{:032x}", self.last)
    }
}

impl TwilioSimulator {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(line: Line) -> anyhow::Result<Self> {
        let world = Arc::new(World { line, clock: SystemClock::new(), state: Mutex::default(), client: caller() });
        let router = Router::new().fallback(answers::answer).with_state(world.clone());
        let manners =
            Manners { shown: str::to_owned, may_fail: |_| true, fetches: |path| path.contains("/Media/"), refusal: answers::fault };
        Ok(Self { server: Loopback::start(router, manners).await?, world, client: caller() })
    }

    /// Every message as Twilio's list shows it, oldest first.
    pub fn messages(&self) -> Vec<Value> {
        lock(&self.world.state).messages.clone()
    }

    /// The files that were fetched from us for customers: type and bytes.
    pub fn fetched(&self) -> Vec<(String, Bytes)> {
        lock(&self.world.state).fetched.clone()
    }

    /// The messages under which an answer was shown to be in the making.
    pub fn typed(&self) -> Vec<String> {
        lock(&self.world.state).typed.clone()
    }

    /// Where the number's messages go.
    pub fn registered(&self) -> Option<String> {
        lock(&self.world.state).inbound.clone()
    }

    /// Puts templates ("contents" with their approvals) into the account.
    pub fn set_contents(&self, contents: Vec<Value>) {
        lock(&self.world.state).contents = contents;
    }

    /// Makes a message older than it is.
    pub fn age(&self, sid: &str, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let at = World::date(Timestamp::from_millis(self.world.now().millis() - by));
        let mut state = lock(&self.world.state);
        for message in state.messages.iter_mut().filter(|message| message["sid"] == sid) {
            for name in ["date_created", "date_sent"] {
                message[name] = at.clone().into();
            }
        }
    }

    /// The customer wrote so long ago that the time for free answers is over.
    pub fn close_window(&self, thread: &str) {
        lock(&self.world.state).last_in.insert(calls::bare(thread), Timestamp::from_millis(0));
    }

    /// The request of a call, signed for `hook`.
    pub fn call(&self, form: Form, hook: &str) -> Request {
        Call::new(form, hook).request(CANARY)
    }

    /// Tells where it was asked to tell it how far a message of ours came.
    ///
    /// # Errors
    /// When nobody takes it.
    pub async fn tell(&self, external_id: &str, fate: &Fate) -> anyhow::Result<()> {
        let Some((form, hook)) = self.told(external_id, fate) else { anyhow::bail!("there is no message {external_id}") };
        Call::new(form, &hook).deliver(&self.client, CANARY).await
    }

    fn told(&self, external_id: &str, fate: &Fate) -> Option<(Form, String)> {
        let mut state = lock(&self.world.state);
        let hook = state.callbacks.get(external_id).or(state.status.as_ref()).cloned().unwrap_or_else(|| format!("{HOOK}/status"));
        let message = state.messages.iter_mut().find(|message| message["sid"] == external_id)?;
        let (status, code) = match fate {
            Fate::Sent => ("sent", None),
            Fate::Delivered => ("delivered", None),
            Fate::Read => ("read", None),
            Fate::Failed(code) => ("undelivered", Some(*code)),
        };
        message["status"] = status.into();
        message["error_code"] = code.into();
        Some((calls::status(self.world.line, message), hook))
    }
}

#[async_trait]
impl Simulator for TwilioSimulator {
    fn config(&self) -> Value {
        json!({
            "account_sid": ACCOUNT,
            "auth_token": CANARY,
            "phone_number": NUMBER,
            "shared_key_id": "webhooks_sharedkey_lab",
            "shared_key_secret": format!("{CANARY}-shared"),
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
        self.signed_for(said, HOOK)
    }

    fn signed_for(&self, said: &Said, hook: &str) -> Vec<Request> {
        let form = calls::compose(&self.world, &self.server.base_url(), said);
        form.into_iter().map(|form| Call::new(form, hook).request(CANARY)).collect()
    }

    async fn say(&self, said: &Said, hook: Option<&str>) -> anyhow::Result<()> {
        let Some(form) = calls::compose(&self.world, &self.server.base_url(), said) else { return Ok(()) };
        let registered = lock(&self.world.state).inbound.clone();
        // Nobody to call: it is in the list, for whoever asks.
        let Some(hook) = hook.map(str::to_owned).or(registered) else { return Ok(()) };
        Call::new(form, &hook).deliver(&self.client, CANARY).await
    }

    fn fate(&self, external_id: &str, fate: &Fate) -> Vec<Request> {
        self.told(external_id, fate).into_iter().map(|(form, hook)| Call::new(form, &hook).request(CANARY)).collect()
    }

    fn received(&self) -> Vec<(String, String)> {
        lock(&self.world.state).received.clone()
    }

    fn taken(&self) -> Vec<String> {
        let state = lock(&self.world.state);
        let ours = state.messages.iter().filter(|message| message["direction"] == "outbound-api" && message["status"] != "undelivered");
        ours.filter_map(|message| message["sid"].as_str()).map(str::to_owned).collect()
    }
}

/// Whether a channel has what a customer does.
fn can(line: Line, what: &SaidWhat) -> bool {
    let on_whatsapp = line.prefix == "whatsapp:";
    match what {
        SaidWhat::Text | SaidWhat::File { .. } | SaidWhat::Card { .. } => true,
        SaidWhat::Location { .. }
        | SaidWhat::Reply { .. }
        | SaidWhat::Press { .. }
        | SaidWhat::Forwarded
        | SaidWhat::FromAd { .. }
        | SaidWhat::Unsupported => on_whatsapp,
        // Twilio does not pass these on.
        SaidWhat::Reaction { .. } | SaidWhat::Edit { .. } | SaidWhat::Delete { .. } | SaidWhat::Echo => false,
    }
}
