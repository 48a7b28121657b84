//! Runs the chosen driver through its states, proves the address, and tries again.
//!
//! ```text
//! off → starting → connected → verifying → public_ok ⇄ degraded → reconnecting → starting …
//!                                        └─────────── failed (fatal: until the owner changes something)
//! ```
//!
//! The proof is repeated every minute, every fifteen seconds while it fails; the second failure in a row builds the tunnel anew. Pauses
//! grow from one second to one minute, with jitter, and begin anew after two minutes of health. Waking up and changing networks rebuild
//! the tunnel at once: what looks open then leads nowhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use super::choosing::Ground;
use super::proof::Proof;
use super::rows::{self, Setting};
use super::{Choose, Driver, DriverKind, Hop, Trouble, network};
use crate::clock::Timestamp;
use crate::hub::Hub;
use crate::model::Change;
use crate::queue::backoff;
use crate::say;
use crate::wake::Wake;

/// Where the tunnel stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TunnelPhase")]
#[ts(rename = "TunnelPhase")]
pub enum Phase {
    /// None is wanted.
    #[default]
    Off,
    /// It is being opened.
    Starting,
    /// It has an address.
    Connected,
    /// The address is being proven.
    Verifying,
    /// The address leads here.
    PublicOk,
    /// It did a moment ago.
    Degraded,
    /// It broke, and is opened again after a pause.
    Reconnecting,
    /// It waits for the owner.
    Failed,
}

/// How the tunnel is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TunnelState {
    /// Where it stands.
    pub phase: Phase,
    /// How the address is made.
    pub driver: DriverKind,
    /// The address it has now.
    pub url: Option<String>,
    /// What is wrong.
    pub trouble: Option<Trouble>,
    /// Since when it stands there.
    pub since_at: Timestamp,
    /// When the address was last proven.
    pub proven_at: Option<Timestamp>,
    /// When it is tried again.
    pub next_try_at: Option<Timestamp>,
}

/// How patient the supervisor is; tests are less so.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a driver may take to say its address.
    pub open: Duration,
    /// How long a new address may take to be proven.
    pub prove: Duration,
    /// How often that is tried.
    pub prove_every: Duration,
    /// How often the address is proven again.
    pub healthy: Duration,
    /// The same after a failure.
    pub degraded: Duration,
    /// The first pause, and the longest.
    pub pause: (Duration, Duration),
    /// After so much health pauses begin anew.
    pub reset: Duration,
    /// How often is looked whether the network is another.
    pub look: Duration,
    /// How many times sooner registrations and looks at connections happen.
    pub hurry: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            open: Duration::from_secs(60),
            prove: Duration::from_secs(90),
            prove_every: Duration::from_secs(3),
            healthy: Duration::from_secs(60),
            degraded: Duration::from_secs(15),
            pause: (Duration::from_secs(1), Duration::from_secs(60)),
            reset: Duration::from_secs(120),
            look: Duration::from_secs(5),
            hurry: 1,
        }
    }
}

/// What came and went by the public address, not yet written down.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Requests.
    pub requests: AtomicU64,
    /// Bytes in.
    pub bytes_in: AtomicU64,
    /// Bytes out.
    pub bytes_out: AtomicU64,
}

/// Keeps the public address.
pub struct Supervisor {
    /// What this run proves itself with.
    pub proof: Proof,
    /// What came and went.
    pub traffic: Traffic,
    state: watch::Sender<TunnelState>,
    /// The setting was changed, or the owner wants another try.
    changed: Notify,
    /// The computer woke, or its network changed.
    disturbed: Notify,
    /// The way that was named at the start, instead of the stored one.
    fixed: std::sync::OnceLock<Setting>,
    choose: std::sync::RwLock<Choose>,
    patience: std::sync::RwLock<Patience>,
}

impl Supervisor {
    /// One that has nothing to do yet.
    ///
    /// # Errors
    /// When the computer has no randomness.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            proof: Proof::new()?,
            traffic: Traffic::default(),
            state: watch::channel(TunnelState::default()).0,
            changed: Notify::new(),
            disturbed: Notify::new(),
            fixed: std::sync::OnceLock::new(),
            choose: std::sync::RwLock::new(Arc::new(super::choosing::choose)),
            patience: std::sync::RwLock::default(),
        })
    }

    /// How the tunnel is.
    pub fn state(&self) -> TunnelState {
        self.state.borrow().clone()
    }

    /// Hears of every change of state.
    pub fn watch(&self) -> watch::Receiver<TunnelState> {
        self.state.subscribe()
    }

    /// The setting was changed, or the owner wants another try now.
    pub fn again(&self) {
        self.changed.notify_one();
    }

    /// The computer woke up, or its network changed: what stands is rebuilt.
    pub fn disturb(&self) {
        self.disturbed.notify_one();
    }

    /// Goes by an address that was named at the start, whatever is stored.
    pub fn fix(&self, url: String) {
        // The first one counts: a hub has one public side.
        drop(self.fixed.set(Setting { driver: DriverKind::Own, url, ..Setting::default() }));
        self.again();
    }

    /// Whether the address was named at the start.
    pub fn is_fixed(&self) -> bool {
        self.fixed.get().is_some()
    }

    /// Other drivers and less patience, for tests.
    pub fn rehearse(&self, choose: Choose, patience: Patience) {
        *self.choose.write().unwrap_or_else(std::sync::PoisonError::into_inner) = choose;
        *self.patience.write().unwrap_or_else(std::sync::PoisonError::into_inner) = patience;
    }

    /// How patient it is.
    pub fn patience(&self) -> Patience {
        *self.patience.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The stage: keeps the public address until told to stop.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    super::child::reap(&super::cloudflared::Cloudflared::note(hub.store.directory()));
    let mut wakes = Watching { hub: hub.clone(), way_out: network::way_out(), wakes: hub.wakes.subscribe() };
    let mut failures = 0;
    loop {
        let patience = hub.tunnel.patience();
        let run = Run { hub: &hub, supervisor: &hub.tunnel, patience };
        let ended = tokio::select! {
            () = stop.cancelled() => break,
            ended = run.once(&mut wakes) => ended,
        };
        match ended {
            Ended::Again => failures = 0,
            Ended::Lost { trouble, healthy } => {
                if healthy >= patience.reset {
                    failures = 0;
                }
                let wait = backoff(failures, patience.pause.0, patience.pause.1);
                failures += 1;
                tracing::warn!(reason = %trouble.sentence, "The public address was lost; trying again in {} ms.", wait.as_millis());
                let next = hub.store.clock().now().plus(wait);
                run.show(|state| {
                    state.phase = Phase::Reconnecting;
                    state.trouble = Some(trouble.clone());
                    state.next_try_at = Some(next);
                });
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(wait) => {}
                    () = hub.tunnel.changed.notified() => failures = 0,
                    () = wakes.disturbed(patience.look) => failures = 0,
                }
            }
            Ended::Failed(trouble) => {
                tracing::error!(reason = %trouble.sentence, "There is no public address until somebody does something about it.");
                run.show(|state| {
                    state.phase = Phase::Failed;
                    state.trouble = Some(trouble.clone());
                    state.next_try_at = None;
                });
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = hub.tunnel.changed.notified() => failures = 0,
                }
            }
            Ended::Off => {
                hub.reach_at(None);
                run.show(|state| *state = TunnelState::default());
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = hub.tunnel.changed.notified() => failures = 0,
                }
            }
        }
    }
    note_traffic(&hub).await;
}

/// How a try ended.
enum Ended {
    /// No address is wanted.
    Off,
    /// Something else is wanted, or what stood is worth nothing any more: at once.
    Again,
    /// It broke.
    Lost { trouble: Trouble, healthy: Duration },
    /// Trying again is of no use.
    Failed(Trouble),
}

/// Notices that the computer woke or changed networks.
struct Watching {
    hub: Arc<Hub>,
    way_out: Option<std::net::IpAddr>,
    wakes: broadcast::Receiver<Wake>,
}

impl Watching {
    /// Returns when what stands should be rebuilt.
    async fn disturbed(&mut self, every: Duration) {
        loop {
            tokio::select! {
                () = self.hub.tunnel.disturbed.notified() => return,
                woken = self.wakes.recv() => match woken {
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    // Nobody tells of wakings any more: the hub stops.
                    Err(RecvError::Closed) => std::future::pending().await,
                },
                () = tokio::time::sleep(every) => {}
            }
            let now = network::way_out();
            let before = std::mem::replace(&mut self.way_out, now);
            // Going offline is no reason to rebuild what cannot be rebuilt; coming back is.
            if now != before && now.is_some() {
                tracing::info!("This computer is in another network now.");
                return;
            }
        }
    }
}

struct Run<'a> {
    hub: &'a Arc<Hub>,
    supervisor: &'a Supervisor,
    patience: Patience,
}

impl Run<'_> {
    /// One tunnel, from its opening to its end.
    async fn once(&self, wakes: &mut Watching) -> Ended {
        let (setting, driver) = match self.driver().await {
            Ok(Some(chosen)) => chosen,
            Ok(None) => return Ended::Off,
            Err(trouble) if trouble.fatal => return Ended::Failed(trouble),
            Err(trouble) => return Ended::Lost { trouble, healthy: Duration::ZERO },
        };
        let now = self.hub.store.clock().now();
        self.show(|state| {
            let proven_at = if state.driver == setting.driver { state.proven_at } else { None };
            *state = TunnelState { phase: Phase::Starting, driver: setting.driver, since_at: now, proven_at, ..TunnelState::default() };
        });
        let Some(door) = self.hub.reach().tunnel else {
            return Ended::Lost { trouble: Trouble::passing(Hop::Tunnel, say!("Shopbell is starting.")), healthy: Duration::ZERO };
        };
        let (told, mut addresses) = mpsc::channel(4);
        let running = driver.run(door, told);
        let mut kept =
            Kept { run: self, driver: driver.as_ref(), kind: setting.driver, url: None, failures: 0, healthy: None, address: None };
        let keeping = kept.keep(&mut addresses);
        let ended = tokio::select! {
            trouble = running => Err(trouble),
            trouble = keeping => Err(trouble),
            () = self.supervisor.changed.notified() => Ok(Ended::Again),
            () = wakes.disturbed(self.patience.look) => Ok(Ended::Again),
        };
        match ended {
            Ok(ended) => ended,
            Err(trouble) if trouble.fatal => Ended::Failed(trouble),
            Err(trouble) => Ended::Lost { trouble, healthy: kept.healthy.map_or(Duration::ZERO, |since| since.elapsed()) },
        }
    }

    async fn driver(&self) -> Result<Option<(Setting, Arc<dyn Driver>)>, Trouble> {
        let stored = |error: crate::error::Error| {
            tracing::error!(error = ?error, "The setting of the public address cannot be read.");
            Trouble::passing(Hop::Store, error.message)
        };
        let vault = self.hub.vault.clone();
        let (stored, secrets) =
            self.hub.store.read(move |db| Ok((rows::setting(db)?, rows::secrets(&vault, db)?))).await.map_err(stored)?;
        let setting = self.supervisor.fixed.get().cloned().unwrap_or(stored);
        if setting.driver == DriverKind::Off {
            return Ok(None);
        }
        let ground = Ground { data: self.hub.store.directory().to_owned(), store: self.hub.store.clone() };
        let needs_program = matches!(setting.driver, DriverKind::CloudflareNamed | DriverKind::CloudflareQuick);
        if needs_program && setting.may_download && setting.program.is_empty() && super::fetching::found("", &ground.data).is_none() {
            super::fetching::fetch(&self.hub.network, &ground.data).await?;
        }
        let choose = self.supervisor.choose.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let driver = choose(&setting, &secrets, &ground)?;
        Ok(Some((setting, driver)))
    }

    fn show(&self, change: impl Fn(&mut TunnelState)) {
        let now = self.hub.store.clock().now();
        let shown = self.supervisor.state.send_if_modified(|state| {
            let before = state.clone();
            change(state);
            if state.phase != before.phase {
                state.since_at = now;
            }
            *state != before
        });
        if shown {
            self.hub.store.changes().announce(vec![Change::Settings]);
        }
    }
}

/// What is kept while one tunnel is open.
struct Kept<'a> {
    run: &'a Run<'a>,
    driver: &'a dyn Driver,
    kind: DriverKind,
    url: Option<String>,
    failures: u32,
    healthy: Option<Instant>,
    address: Option<i64>,
}

impl Kept<'_> {
    /// Proves each address that the driver tells, and then again and again; returns when it is worth nothing any more.
    async fn keep(&mut self, addresses: &mut mpsc::Receiver<String>) -> Trouble {
        let late = || Trouble::passing(Hop::Tunnel, say!("No public address was given in time."));
        let Ok(Some(first)) = tokio::time::timeout(self.run.patience.open, addresses.recv()).await else { return late() };
        let mut url = first;
        loop {
            self.connected(&url);
            if let Err(trouble) = self.first_proof(&url).await {
                return trouble;
            }
            // Until the driver has another address, or the proof fails twice.
            match self.watch(&url, addresses).await {
                Ok(next) => url = next,
                Err(trouble) => return trouble,
            }
        }
    }

    fn connected(&mut self, url: &str) {
        self.url = Some(url.to_owned());
        self.failures = 0;
        self.run.show(|state| {
            state.phase = Phase::Connected;
            state.url = Some(url.to_owned());
            state.trouble = None;
        });
        if self.driver.is_trusted() {
            self.run.hub.reach_at(Some(url));
        }
        self.run.hub.expect_at(url);
    }

    async fn prove(&self, url: &str) -> Result<(), Trouble> {
        let now = self.run.hub.store.clock().now();
        self.run.supervisor.proof.prove(&self.run.hub.network, url, now, self.driver.passes_by()).await
    }

    async fn first_proof(&mut self, url: &str) -> Result<(), Trouble> {
        self.run.show(|state| state.phase = Phase::Verifying);
        let began = Instant::now();
        loop {
            match self.prove(url).await {
                Ok(()) => {
                    self.proven(url).await;
                    return Ok(());
                }
                Err(trouble) if trouble.fatal || began.elapsed() >= self.run.patience.prove => {
                    if !self.driver.is_trusted() || trouble.fatal {
                        return Err(trouble);
                    }
                    // It may be right all the same: some networks do not let us call ourselves by our outer address.
                    self.degraded(trouble);
                    return Ok(());
                }
                Err(trouble) => {
                    self.run.show(|state| state.trouble = Some(trouble.clone()));
                    tokio::time::sleep(self.run.patience.prove_every).await;
                }
            }
        }
    }

    async fn watch(&mut self, url: &str, addresses: &mut mpsc::Receiver<String>) -> Result<String, Trouble> {
        loop {
            let wait = match (self.failures, self.driver.is_counted()) {
                (0, false) => self.run.patience.healthy,
                // Once a minute would use up a free month's 20,000 requests twice over.
                (0, true) => self.run.patience.healthy * 3,
                (_, _) => self.run.patience.degraded,
            };
            tokio::select! {
                next = addresses.recv() => match next {
                    Some(next) if next != url => return Ok(next),
                    Some(_) => continue,
                    // The driver tells no more; it says itself when it ends.
                    None => tokio::time::sleep(wait).await,
                },
                () = tokio::time::sleep(wait) => {}
            }
            match self.prove(url).await {
                Ok(()) => self.proven(url).await,
                Err(trouble) => {
                    self.failures += 1;
                    if self.failures >= 2 && !self.driver.is_trusted() {
                        return Err(trouble);
                    }
                    self.degraded(trouble);
                }
            }
        }
    }

    fn degraded(&mut self, trouble: Trouble) {
        self.failures = self.failures.max(1);
        self.healthy = None;
        self.run.show(|state| {
            state.phase = Phase::Degraded;
            state.trouble = Some(trouble.clone());
        });
    }

    async fn proven(&mut self, url: &str) {
        self.failures = 0;
        self.healthy.get_or_insert_with(Instant::now);
        let now = self.run.hub.store.clock().now();
        if self.address.is_none() || self.url.as_deref() != Some(url) || self.run.supervisor.state().phase != Phase::PublicOk {
            let (kind, address) = (self.kind, url.to_owned());
            match self.run.hub.store.write(move |tx| rows::note_address(tx, kind, &address)).await {
                Ok(id) => self.address = Some(id),
                Err(error) => tracing::error!(error = ?error, "The public address could not be noted."),
            }
        }
        note_traffic(self.run.hub).await;
        self.run.hub.reach_at(Some(url));
        self.run.show(|state| {
            state.phase = Phase::PublicOk;
            state.trouble = None;
            state.next_try_at = None;
            state.proven_at = Some(now);
        });
    }
}

/// Writes down what came and went since the last time.
async fn note_traffic(hub: &Arc<Hub>) {
    let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
    let traffic = &hub.tunnel.traffic;
    let (requests, bytes_in, bytes_out) = (take(&traffic.requests), take(&traffic.bytes_in), take(&traffic.bytes_out));
    if requests == 0 {
        return;
    }
    let noted =
        hub.store.write(move |tx| match tx.query_row("SELECT max(id) FROM tunnel_address", [], |row| row.get::<_, Option<i64>>(0))? {
            Some(address) => rows::add_traffic(tx, address, requests, bytes_in, bytes_out),
            None => Ok(()),
        });
    if let Err(error) = noted.await {
        tracing::warn!(error = ?error, "The traffic of the public address could not be noted.");
    }
}
