//! Telegram's sender of webhooks: one queue per chat, strictly one after the other; chats side by side; repeated with growing pauses.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{HEADER, World, lock};
use crate::loopback::caller;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Requests at the same time.
const CONNECTIONS: usize = 40;

pub struct Courier {
    world: Arc<World>,
    client: reqwest::Client,
    lanes: Mutex<HashMap<i64, VecDeque<Parcel>>>,
    first_pause: Mutex<Duration>,
    attempts: AtomicUsize,
    slots: Semaphore,
    stop: CancellationToken,
    _stop_when_dropped: DropGuard,
}

struct Parcel {
    hook: String,
    secret: Option<String>,
    update: Value,
    taken: oneshot::Sender<()>,
}

impl Courier {
    pub fn new(world: Arc<World>) -> Arc<Self> {
        let stop = CancellationToken::new();
        Arc::new(Self {
            world,
            client: caller(),
            lanes: Mutex::default(),
            first_pause: Mutex::new(Duration::from_secs(1)),
            attempts: AtomicUsize::new(0),
            slots: Semaphore::new(CONNECTIONS),
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
        })
    }

    pub fn set_first_pause(&self, pause: Duration) {
        *lock(&self.first_pause) = pause;
    }

    pub fn attempts(&self) -> usize {
        self.attempts.load(Ordering::Acquire)
    }

    /// Puts an update behind the others of its chat. The future is done when it was taken.
    pub fn enqueue(self: &Arc<Self>, hook: &str, secret: Option<&str>, chat: i64, update: Value) -> impl Future<Output = anyhow::Result<()>> + use<> {
        let (taken, done) = oneshot::channel();
        let parcel = Parcel { hook: hook.to_owned(), secret: secret.map(str::to_owned), update, taken };
        let mut lanes = lock(&self.lanes);
        if let Some(lane) = lanes.get_mut(&chat) {
            lane.push_back(parcel);
        } else {
            lanes.insert(chat, VecDeque::from([parcel]));
            // The task holds the courier weakly enough: it ends when told to stop.
            tokio::spawn(Lane { courier: Arc::downgrade(self), stop: self.stop.clone(), chat }.run());
        }
        async move { Ok(done.await?) }
    }

    fn next(&self, chat: i64) -> Option<Parcel> {
        let mut lanes = lock(&self.lanes);
        let parcel = lanes.get_mut(&chat).and_then(VecDeque::pop_front);
        if parcel.is_none() {
            lanes.remove(&chat);
        }
        parcel
    }

    /// One request; `None` when it was taken, else how long the receiver asks to wait, if it does.
    async fn attempt(&self, parcel: &Parcel) -> Option<Option<Duration>> {
        let _slot = self.slots.acquire().await;
        self.attempts.fetch_add(1, Ordering::AcqRel);
        let mut request = self.client.post(&parcel.hook).json(&parcel.update).timeout(LONGEST_PAUSE);
        if let Some(secret) = &parcel.secret {
            request = request.header(HEADER, secret);
        }
        let problem = match request.send().await {
            Ok(response) if response.status().is_success() => return None,
            Ok(response) => {
                let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
                (format!("Wrong response from the webhook: {}", response.status()), wait)
            }
            Err(_) => ("Webhook connection closed".to_owned(), None),
        };
        if let Some(hook) = &mut lock(&self.world.state).hook {
            hook.last_error = Some(problem.0);
        }
        Some(problem.1)
    }
}

struct Lane {
    courier: std::sync::Weak<Courier>,
    stop: CancellationToken,
    chat: i64,
}

impl Lane {
    async fn run(self) {
        while let Some(parcel) = self.courier.upgrade().and_then(|courier| courier.next(self.chat)) {
            let mut pause = self.courier.upgrade().map_or(LONGEST_PAUSE, |courier| *lock(&courier.first_pause));
            loop {
                let Some(courier) = self.courier.upgrade() else { return };
                let answer = tokio::select! {
                    () = self.stop.cancelled() => return,
                    answer = courier.attempt(&parcel) => answer,
                };
                drop(courier);
                let Some(asked) = answer else { break };
                tokio::select! {
                    () = self.stop.cancelled() => return,
                    () = tokio::time::sleep(asked.unwrap_or(pause)) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            // Nobody may be waiting to hear of it.
            let _ = parcel.taken.send(());
        }
    }
}
