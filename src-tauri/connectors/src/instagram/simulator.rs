//! Instagram's stand-in on loopback, both ways in, built from the protocol and not from our client.
//!
//! It knows people only after they wrote, keeps the 24 hours and the 7 days, counts bytes, checks every call's token, shape and limits and
//! refuses in Meta's own bodies. Its webhooks are signed over bytes that are escaped as Meta escapes them, repeated until they are taken,
//! and its links to files run out.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use shopbell_core::clock::{Clock, SystemClock, Timestamp};
use shopbell_core::connector::{Fate, Fault, Request, Said, Simulator, Weather};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Flavour;
use crate::loopback::{Loopback, Manners, caller, lock};
use crate::meta::signature;

mod answers;
mod refusals;
mod says;

/// What stands in the tokens and must be seen nowhere else.
const CANARY: &str = "canaryInstagram7hLr2vQp9sXw4nZk1bT6";
/// The account: the number of webhooks, the one that only the app sees, its name.
const ACCOUNT: &str = "17841400000000000";
const SCOPED: &str = "9876543210987654";
const NAME: &str = "paodourado";
/// The Page that the account is linked to.
const PAGE: &str = "102030405060708";
/// The app and its two secrets.
const APP: &str = "1234567890123456";
const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const SECOND_SECRET: &str = "8c7b6a59483726150413f2e1d0cfbead";
const VERIFY_TOKEN: &str = "pao-dourado-verify";

/// Starts the simulator.
pub fn start() -> BoxFuture<'static, anyhow::Result<Box<dyn Simulator>>> {
    Box::pin(async { Ok(Box::new(InstagramSimulator::start(Flavour::InstagramLogin).await?) as Box<dyn Simulator>) })
}

/// A running simulator.
pub struct InstagramSimulator {
    server: Loopback,
    world: Arc<World>,
    stop: CancellationToken,
    _stop_when_dropped: DropGuard,
}

/// What Instagram knows.
struct World {
    flavour: Flavour,
    clock: SystemClock,
    state: Mutex<State>,
    client: reqwest::Client,
}

/// How this account differs from the usual one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// It takes attachments only in the shape of the other way in.
    pub other_attachments: bool,
    /// It does not take `reply_to`.
    pub no_replies: bool,
    /// It does not know `mark_seen`.
    pub no_seen: bool,
    /// It refuses the wider fields of a message.
    pub narrow_fields: bool,
    /// `subscribed_apps` of the account's number is refused; only `me` works.
    pub only_me: bool,
    /// Its app may answer as a person after 24 hours.
    pub human_agent: bool,
    /// Messages are signed with the other secret.
    pub second_secret: bool,
}

#[derive(Default)]
struct State {
    habits: Habits,
    address: String,
    last: u64,
    people: HashMap<String, Person>,
    messages: Vec<Kept>,
    assets: HashMap<String, Asset>,
    uploads: HashSet<String>,
    subscribed: Vec<String>,
    callback: Option<String>,
    received: Vec<(String, String)>,
    echoes: Vec<Value>,
    signs: Vec<(String, String)>,
    leaks: usize,
    hook: Option<String>,
}

struct Person {
    name: String,
    last_wrote: Timestamp,
    blocked: bool,
}

/// A message of either side, as Instagram keeps it.
struct Kept {
    mid: String,
    thread: String,
    by_shop: bool,
    at: Timestamp,
    /// As in a webhook: text, attachments, reply_to, quick_replies.
    body: Value,
    deleted: bool,
}

struct Asset {
    bytes: Bytes,
    mime: String,
    is_gone: bool,
}

/// How a storm of webhooks is sent.
#[derive(Clone, Copy, Debug)]
pub struct Storm {
    /// So many events in one delivery.
    pub batch: usize,
    /// Every so-manieth delivery is sent twice (0 = none).
    pub twice: usize,
    /// Neighbouring deliveries change places.
    pub reorder: bool,
}

impl InstagramSimulator {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(flavour: Flavour) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let world = Arc::new(World { flavour, clock: SystemClock::new(), state: Mutex::default(), client: caller() });
        let router = Router::new().fallback(answers::answer).with_state((world.clone(), stop.clone()));
        let manners = Manners { shown: |text| text.replace(CANARY, "•••"), may_fail: |_| true, fetches: |path| path.starts_with(answers::FILES), refusal: refusals::of_fault };
        let server = Loopback::start(router, manners).await?;
        lock(&world.state).address = server.base_url();
        Ok(Self { server, world, _stop_when_dropped: stop.clone().drop_guard(), stop })
    }

    /// From now on the account is like that.
    pub fn set_habits(&self, habits: Habits) {
        lock(&self.world.state).habits = habits;
    }

    /// As if everything in this conversation had been said that much earlier. Gives back when the customer last wrote.
    pub fn age(&self, thread: &str, by: Duration) -> Timestamp {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let earlier = |at: Timestamp| Timestamp::from_millis(at.millis() - by);
        let mut state = lock(&self.world.state);
        state.messages.iter_mut().filter(|kept| kept.thread == thread).for_each(|kept| kept.at = earlier(kept.at));
        let Some(person) = state.people.get_mut(thread) else { return Timestamp::default() };
        person.last_wrote = earlier(person.last_wrote);
        person.last_wrote
    }

    /// The customer blocks the shop (or lets it in again).
    pub fn block(&self, thread: &str, blocked: bool) {
        if let Some(person) = lock(&self.world.state).people.get_mut(thread) {
            person.blocked = blocked;
        }
    }

    /// All links to files run out.
    pub fn expire_links(&self) {
        lock(&self.world.state).assets.values_mut().for_each(|asset| asset.is_gone = true);
    }

    /// What the owner pasted into the App Dashboard as callback.
    pub fn paste_callback(&self, url: &str) {
        lock(&self.world.state).callback = Some(url.to_owned());
    }

    /// Which fields are switched on for the account.
    pub fn subscribed(&self) -> Vec<String> {
        lock(&self.world.state).subscribed.clone()
    }

    /// The signs shown to customers (typing, seen, reactions), as (thread, sign).
    pub fn signs(&self) -> Vec<(String, String)> {
        lock(&self.world.state).signs.clone()
    }

    /// How many requests for files brought a credential that the file servers must never see.
    pub fn leaks(&self) -> usize {
        lock(&self.world.state).leaks
    }

    /// The same event as the App Dashboard's test button sends it: in `changes[]`.
    pub fn signed_as_change(&self, said: &Said) -> Option<Request> {
        let (event, field) = self.world.compose(said)?;
        let change = json!({ "field": field, "value": event });
        Some(self.world.delivery(json!([{ "id": ACCOUNT, "time": self.world.now(), "changes": [change] }])))
    }

    /// Several events in one delivery, another account's among them.
    pub fn signed_together(&self, all: &[Said]) -> Request {
        let stranger = json!({ "id": "17841499999999999", "time": self.world.now(), "messaging": [{
            "sender": { "id": "1" }, "recipient": { "id": "17841499999999999" }, "timestamp": self.world.now(),
            "message": { "mid": "aWdfstranger", "text": "not for you" } }] });
        let mut entries = vec![stranger];
        entries.extend(all.iter().filter_map(|said| Some(self.world.entry(&self.world.compose(said)?.0))));
        self.world.delivery(entries.into())
    }

    /// Sends all of `said` to `hook` as Meta would, each delivery repeated until there is a 2xx. Gives back how many requests it took.
    ///
    /// # Errors
    /// When a delivery is still refused after many attempts.
    pub async fn deliver(&self, hook: &str, said: &[Said], storm: Storm) -> anyhow::Result<usize> {
        let events: Vec<Value> = said.iter().filter_map(|said| Some(self.world.compose(said)?.0)).collect();
        let mut deliveries: Vec<Request> = events
            .chunks(storm.batch.max(1))
            .map(|events| self.world.delivery(json!([{ "id": ACCOUNT, "time": self.world.now(), "messaging": events }])))
            .collect();
        if storm.reorder {
            deliveries.chunks_mut(2).for_each(<[Request]>::reverse);
        }
        let mut attempts = 0;
        for (index, request) in deliveries.iter().enumerate() {
            attempts += self.world.push(hook, request).await?;
            if storm.twice > 0 && index % storm.twice == storm.twice - 1 {
                attempts += self.world.push(hook, request).await?;
            }
        }
        Ok(attempts)
    }

    /// The signed echoes of everything that was sent through the API, oldest first.
    pub fn echoes(&self) -> Vec<Request> {
        let events = lock(&self.world.state).echoes.clone();
        events.iter().map(|event| self.world.delivery(json!([self.world.entry(event)]))).collect()
    }

    /// The GET with which Meta asks whether a callback is ours.
    pub fn handshake(&self, challenge: &str) -> Request {
        let query = format!("hub.mode=subscribe&hub.challenge={challenge}&hub.verify_token={VERIFY_TOKEN}");
        let url = format!("https://shop.example/hooks/meta/{APP}?{query}");
        Request { method: "GET".into(), query, url, ..Request::pulled("") }
    }
}

#[async_trait]
impl Simulator for InstagramSimulator {
    fn config(&self) -> Value {
        let flavour = match self.world.flavour {
            Flavour::InstagramLogin => "instagram_login",
            Flavour::FacebookPage => "facebook_page",
        };
        json!({
            "flavour": flavour, "account_id": ACCOUNT, "app_id": APP, "app_secret": SECRET, "second_secret": SECOND_SECRET,
            "access_token": token(self.world.flavour), "verify_token": VERIFY_TOKEN, "base_url": self.server.base_url(),
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
        self.world.compose(said).map(|(event, _)| self.world.delivery(json!([self.world.entry(&event)]))).into_iter().collect()
    }

    async fn say(&self, said: &Said, hook: Option<&str>) -> anyhow::Result<()> {
        let requests = self.signed(said);
        let Some(hook) = hook else { return Ok(()) };
        lock(&self.world.state).hook = Some(hook.to_owned());
        for request in requests {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                pushed = self.world.push(hook, &request) => pushed?,
            };
        }
        Ok(())
    }

    fn fate(&self, external_id: &str, fate: &Fate) -> Vec<Request> {
        match fate {
            Fate::Read => self.world.seen(external_id).map(|event| self.world.delivery(json!([self.world.entry(&event)]))).into_iter().collect(),
            // Instagram tells of no other fate.
            Fate::Sent | Fate::Delivered | Fate::Failed(_) => Vec::new(),
        }
    }

    fn received(&self) -> Vec<(String, String)> {
        lock(&self.world.state).received.clone()
    }

    fn taken(&self) -> Vec<String> {
        lock(&self.world.state).messages.iter().filter(|kept| kept.by_shop).map(|kept| kept.mid.clone()).collect()
    }
}

fn token(flavour: Flavour) -> String {
    match flavour {
        Flavour::InstagramLogin => format!("IGAA{CANARY}"),
        Flavour::FacebookPage => format!("EAAG{CANARY}"),
    }
}

impl World {
    fn now(&self) -> i64 {
        self.clock.now().millis()
    }

    fn entry(&self, event: &Value) -> Value {
        json!({ "id": ACCOUNT, "time": self.now(), "messaging": [event] })
    }

    /// A signed delivery.
    fn delivery(&self, entries: Value) -> Request {
        let body = escaped(&json!({ "object": "instagram", "entry": entries }).to_string());
        let secret = if lock(&self.state).habits.second_secret { SECOND_SECRET } else { SECRET };
        let header = signature::sign(secret, body.as_bytes());
        Request {
            method: "POST".into(),
            path: String::new(),
            query: String::new(),
            headers: vec![("content-type".into(), "application/json".into()), (signature::HEADER.into(), header)],
            body: body.into(),
            url: format!("https://shop.example/hooks/meta/{APP}"),
        }
    }

    /// Posts a delivery until it is taken. Gives back the number of attempts.
    async fn push(&self, hook: &str, request: &Request) -> anyhow::Result<usize> {
        let mut pause = Duration::from_millis(50);
        for attempt in 1..=12 {
            let mut post = self.client.post(hook).body(request.body.clone()).timeout(Duration::from_secs(20));
            for (name, value) in &request.headers {
                post = post.header(name, value);
            }
            if post.send().await.is_ok_and(|response| response.status().is_success()) {
                return Ok(attempt);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
        anyhow::bail!("the webhook was refused twelve times")
    }
}

/// JSON as Meta writes it: only ASCII, slashes escaped.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '/' => out.push_str("\\/"),
            c if c.is_ascii() => out.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    out
}
