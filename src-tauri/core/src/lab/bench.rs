//! One channel of the Lab: its stand-in, its weather, and what the customers' phones have written and received.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use crate::api::connection_use;
use crate::api::connections::GetConnection;
use crate::clock::Timestamp;
use crate::connections::Live;
use crate::connector::{Event, Fate, Request, Said, Share, Simulator, Weather};
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::model::Content;
use crate::say;

/// Messages kept of each side; older ones are forgotten.
const KEPT: usize = 10_000;
/// How often the phones look for something new.
const LOOK: Duration = Duration::from_millis(100);
/// How long a message is held back that is to be overtaken.
const HELD: Duration = Duration::from_millis(400);
/// How long a customer takes to read.
const READING: Duration = Duration::from_millis(300);

/// What real life does to the messages of one channel. Shares are in percent: 33 is every third.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
pub struct LabWeather {
    /// Messages of customers that come twice.
    pub duplicates: u8,
    /// Messages overtake each other.
    pub reorder: bool,
    /// Everything takes that much longer, either way.
    pub delay_ms: u32,
    /// Calls of ours that the service refuses as too many.
    pub too_many: u8,
    /// Calls of ours that the service carries out without an answer.
    pub timeouts: u8,
    /// Files that are gone when they are fetched.
    pub expired_media: u8,
}

/// One channel of the Lab.
pub struct Bench {
    /// Its connection.
    pub connection: ConnectionId,
    /// Its kind.
    pub kind: &'static str,
    simulator: Box<dyn Simulator>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    weather: LabWeather,
    twice: Share,
    /// Whether the next message is held back, when messages overtake each other.
    holds: bool,
    is_registered: bool,
    next: u64,
    written: VecDeque<Written>,
    got: VecDeque<Got>,
    /// How much of what the stand-in received and took was looked at.
    seen: usize,
    told: usize,
}

/// Where a customer's message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Between phone and hub.
    OnTheWay,
    /// The hub has taken it.
    Taken,
    /// The hub did not take it.
    GivenUp,
}

/// What a customer wrote.
#[derive(Clone, Debug)]
pub struct Written {
    /// Its number.
    pub number: u64,
    /// In which thread, as the customer's side names it.
    pub thread: String,
    /// In which thread, as the hub names it.
    pub hub_thread: String,
    /// What.
    pub content: Vec<Content>,
    /// When.
    pub at: Timestamp,
    /// The service's names of the messages in it.
    pub external_ids: Vec<String>,
    /// How often it was sent.
    pub copies: u32,
    /// Where it is.
    pub way: Way,
}

/// What a customer received.
#[derive(Clone, Debug)]
pub struct Got {
    /// In which thread.
    pub thread: String,
    /// The words.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// Whether two names mean the same thread: services write a number with a plus or with their own name in front.
pub fn same_thread(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.rsplit(':').next().unwrap_or(text).trim_start_matches('+').to_owned();
    bare(a) == bare(b)
}

impl Bench {
    pub(super) fn new(connection: ConnectionId, kind: &'static str, simulator: Box<dyn Simulator>) -> Self {
        Self { connection, kind, simulator, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The weather.
    pub fn weather(&self) -> LabWeather {
        self.lock().weather
    }

    /// Makes other weather.
    pub fn set_weather(&self, weather: LabWeather) {
        self.lock().weather = weather;
        let LabWeather { too_many, timeouts, expired_media, delay_ms, .. } = weather;
        let delay = Duration::from_millis(delay_ms.into());
        self.simulator.set_weather(&Weather { too_many, timeouts, expired_media, delay });
    }

    /// What customers wrote, oldest first.
    pub fn written(&self) -> Vec<Written> {
        self.lock().written.iter().cloned().collect()
    }

    /// What customers received, oldest first.
    pub fn got(&self) -> Vec<Got> {
        self.lock().got.iter().cloned().collect()
    }

    /// What one customer received, oldest first.
    pub fn received_in(&self, thread: &str) -> Vec<Got> {
        self.lock().got.iter().filter(|got| same_thread(&got.thread, thread)).cloned().collect()
    }

    /// A customer says something; it is on its way when this returns.
    ///
    /// # Errors
    /// When the channel has no such thing, or the hub has no door yet.
    pub async fn say(self: &Arc<Self>, hub: &Arc<Hub>, said: Said, content: Vec<Content>) -> Result<()> {
        let live = hub.connections.get(&self.connection).ok_or_else(|| Error::not_found(say!("The Lab has no such channel.")))?;
        let hook = hook(hub, &live)?;
        self.register(hub).await;
        let requests = self.simulator.signed_for(&said, &hook);
        if requests.is_empty() {
            return Err(Error::field("content", say!("Customers cannot send this over {name}.", name = live.connection.name)));
        }
        let (hub_thread, external_ids) = named(&live, &requests);
        let number = {
            let mut inner = self.lock();
            inner.next += 1;
            let number = inner.next;
            let thread = said.thread.clone();
            let hub_thread = hub_thread.unwrap_or_else(|| thread.clone());
            let at = hub.store.clock().now();
            let way = Way::OnTheWay;
            inner.written.push_back(Written { number, thread, hub_thread, content, at, external_ids, copies: 1, way });
            while inner.written.len() > KEPT {
                inner.written.pop_front();
            }
            number
        };
        self.send(hub, hook, requests, Some(number));
        Ok(())
    }

    /// Lets the service know where to call, as an owner would by pressing the button. A channel that fetches its messages has no such
    /// thing, and is called all the same: its stand-in signs with the secret that both know.
    async fn register(&self, hub: &Arc<Hub>) {
        if self.lock().is_registered {
            return;
        }
        match connection_use::register_webhook(hub, GetConnection { id: self.connection.clone() }).await {
            Ok(_) => self.lock().is_registered = true,
            Err(error) => tracing::debug!(connection.id = %self.connection, "A stand-in was not told where to call: {error}"),
        }
    }

    /// Sends signed requests through the weather.
    fn send(self: &Arc<Self>, hub: &Arc<Hub>, hook: String, requests: Vec<Request>, number: Option<u64>) {
        let (twice, held, delay) = {
            let mut inner = self.lock();
            let weather = inner.weather;
            let twice = inner.twice.picks(weather.duplicates);
            inner.holds = weather.reorder && !inner.holds;
            let held = if inner.holds { HELD } else { Duration::ZERO };
            if twice && let Some(written) = number.and_then(|number| inner.find(number)) {
                written.copies += 1;
            }
            (twice, held, Duration::from_millis(weather.delay_ms.into()))
        };
        let (bench, inner) = (self.clone(), hub.clone());
        hub.spawn(async move {
            let Some(lab) = &inner.lab else { return };
            let all = async {
                tokio::time::sleep(delay + held).await;
                let mut taken = true;
                for request in &requests {
                    let again = async { !twice || lab.courier().carry(&hook, request).await };
                    let (first, second) = tokio::join!(lab.courier().carry(&hook, request), again);
                    taken &= first && second;
                }
                bench.arrived(number, taken);
            };
            // A stop need not wait for a slow service.
            inner.stopping().run_until_cancelled(all).await;
        });
    }

    fn arrived(&self, number: Option<u64>, taken: bool) {
        let mut inner = self.lock();
        if let Some(written) = number.and_then(|number| inner.find(number)) {
            written.way = if taken { Way::Taken } else { Way::GivenUp };
        }
    }

    /// Looks what the stand-in got since the last time: it lands on the phones, and the service tells the hub how far it came.
    fn look(self: &Arc<Self>, hub: &Arc<Hub>) {
        let (received, taken) = (self.simulator.received(), self.simulator.taken());
        let now = hub.store.clock().now();
        let news: Vec<String> = {
            let mut inner = self.lock();
            for (thread, text) in received.into_iter().skip(inner.seen) {
                inner.seen += 1;
                inner.got.push_back(Got { thread, text, at: now });
            }
            while inner.got.len() > KEPT {
                inner.got.pop_front();
            }
            let news = taken.iter().skip(inner.told).cloned().collect();
            inner.told = taken.len();
            news
        };
        let Some(hook) = hub.connections.get(&self.connection).and_then(|live| hook(hub, &live).ok()) else { return };
        for id in news {
            let (bench, hub, hook) = (self.clone(), hub.clone(), hook.clone());
            let stopping = hub.stopping();
            hub.clone().spawn(async move {
                let mut fates = [Fate::Delivered, Fate::Read];
                if bench.weather().reorder {
                    fates.reverse();
                }
                for fate in fates {
                    let requests = bench.simulator.fate(&id, &fate);
                    for request in requests {
                        let to = if same_door(&request.url, &hook) { request.url.clone() } else { hook.clone() };
                        bench.send(&hub, to, vec![request], None);
                    }
                    if stopping.run_until_cancelled(tokio::time::sleep(READING)).await.is_none() {
                        return;
                    }
                }
            });
        }
    }
}

impl Inner {
    fn find(&mut self, number: u64) -> Option<&mut Written> {
        self.written.iter_mut().rev().find(|written| written.number == number)
    }
}

/// Where the services of a Lab call: the public side on this computer.
fn hook(hub: &Hub, live: &Live) -> Result<String> {
    let address =
        hub.reach().public.ok_or_else(|| Error::new(Code::Unavailable, say!("The Lab is not open yet. Try again in a moment.")))?;
    let path = live.shared.as_ref().map_or_else(|| live.connection.hook_key.clone(), |shared| format!("{}/{}", shared.family, shared.key));
    Ok(format!("http://{address}/hooks/{path}"))
}

/// Whether an address that a service was told is one of this hub's own.
fn same_door(told: &str, hook: &str) -> bool {
    let door = |text: &str| url::Url::parse(text).ok().map(|url| url.origin());
    door(told).is_some_and(|told| Some(told) == door(hook))
}

/// How the hub will name what is in `requests`: the thread, and the messages.
fn named(live: &Live, requests: &[Request]) -> (Option<String>, Vec<String>) {
    let (Some(channel), Ok(settings)) = (live.connector.channel(), &live.settings) else { return (None, Vec::new()) };
    let mut thread = None;
    let mut ids = Vec::new();
    for event in requests.iter().filter_map(|request| channel.parse(settings, request).ok()).flatten() {
        if let Event::Message(message) = event {
            thread = Some(message.thread);
            ids.push(message.external_id);
        }
    }
    (thread, ids)
}

/// Watches a channel's stand-in until the hub stops or the channel is taken out.
pub(super) async fn watch(hub: Weak<Hub>, bench: Weak<Bench>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let (Some(hub), Some(bench)) = (hub.upgrade(), bench.upgrade()) else { return };
        bench.look(&hub);
    }
}
