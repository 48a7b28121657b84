//! The hub: wires the stages together and runs them until told to stop.
//!
//! ```text
//! service ─▶ gateway ─▶ arrivals ─▶ conversations ─▶ agent ─▶ outbox ─▶ connector.send ─▶ service
//! ```
//!
//! Opening takes two steps. [`Hub::open`] opens the database and looks at the vault; with the vault shut the hub can be asked only
//! to open it. Once it is open the connections are made ready and the stages run.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, RwLock, Weak};
use std::time::Duration;

use rusqlite::{OptionalExtension, params};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::agent::standby::{self, Trials};
use crate::agent::turn::Turns;
use crate::clock::{Clock, SystemClock};
use crate::connections::{self, Connections, Live};
use crate::connector::AnyConnector;
use crate::conversions;
use crate::error::{ApiError, Code, Error, Result, Sentence};
use crate::gateway::hosts::Hosts;
use crate::gateway::sign_in::SignIn;
use crate::http::Network;
use crate::id::{ConnectionId, ConversationId};
use crate::introductions::Introductions;
use crate::lab::{self, Lab};
use crate::media::Media;
use crate::model::{Change, ConnectionStatus};
use crate::oauth::SignIns;
use crate::oauth::renew::GrantedAccess;
use crate::outbox::{Out, Pace};
use crate::secret::Secret;
use crate::store::{Stage, Store};
use crate::tunnel::{self, Supervisor};
use crate::vault::keychain::{Keychain, SystemKeychain};
use crate::vault::{self, Vault, VaultState};
use crate::wake::{self, Wakes};
use crate::{agent, arrivals, backup, canary, catching_up, first_run, housekeeping, listening, media, oauth, outbox, registrations, say};

/// How a hub is opened.
pub struct HubOptions {
    /// The data directory.
    pub directory: PathBuf,
    /// The profile's name; names the entry in the keychain and is shown on the rail when it is not the usual one.
    pub profile: String,
    /// The code of every kind of service.
    pub connectors: Vec<Arc<dyn AnyConnector>>,
    /// Opens (or makes) the vault instead of the keychain.
    pub passphrase: Option<Secret>,
    /// Where the master key is kept.
    pub keychain: Arc<dyn Keychain>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How long a burst is gathered, instead of the channel's own pause (tests, benches).
    pub gather: Option<Duration>,
    /// How long a turn waits for its model's owner before a person is asked for.
    pub hold: Duration,
    /// Whether it is a Lab: every service is a stand-in on this computer.
    pub lab: bool,
    /// Whether it only stands there to be looked at: nothing is sent, asked or taken in.
    pub standing: bool,
}

impl HubOptions {
    /// The usual hub in `directory`.
    pub fn new(directory: PathBuf, connectors: Vec<Arc<dyn AnyConnector>>) -> Self {
        Self {
            directory,
            profile: crate::profile::USUAL.to_owned(),
            connectors,
            passphrase: None,
            keychain: Arc::new(SystemKeychain),
            clock: Arc::new(SystemClock::new()),
            gather: None,
            hold: agent::standby::HOLD,
            lab: false,
            standing: false,
        }
    }
}

/// Where the hub can be reached from outside.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// The address that services call, when one is known (a reverse proxy, a tunnel).
    pub public_url: Option<String>,
    /// Where the public side listens on this computer.
    pub public: Option<SocketAddr>,
    /// Where the admin side listens on this computer.
    pub admin: Option<SocketAddr>,
    /// Where a tunnel ends on this computer: the public side again, at a door that nobody else knows.
    pub tunnel: Option<SocketAddr>,
}

/// One profile's hub.
pub struct Hub {
    /// The database.
    pub store: Arc<Store>,
    /// The secrets.
    pub vault: Arc<Vault>,
    /// The outgoing network.
    pub network: Network,
    /// The code of every kind of service, by kind.
    pub connectors: BTreeMap<&'static str, Arc<dyn AnyConnector>>,
    /// The configured accounts.
    pub connections: Arc<Connections>,
    /// The files.
    pub media: Arc<Media>,
    /// How fast each connection may send.
    pub pace: Pace,
    /// The calls that are out.
    pub out: Arc<Out>,
    /// The answers in the making.
    pub turns: Turns,
    /// The models that wait for their owner.
    pub trials: Trials,
    /// How long a turn waits for that before a person is asked for.
    pub hold: Duration,
    /// Whom the services were asked about.
    pub introductions: Introductions,
    /// Held while a copy of the database is made: one at a time.
    pub copying: tokio::sync::Mutex<()>,
    /// How far the making or unpacking of a sealed file is.
    pub carrying: Arc<backup::Progress>,
    /// Whether a hub that came from another computer still waits for its owner's word that the other one is off.
    pub holds_back: tokio::sync::watch::Sender<bool>,
    /// Asked for when another database is to take this one's place: the host stops this hub and opens it again.
    pub again: CancellationToken,
    /// Rung when everything that listens is to begin anew from its saved place.
    pub listen_anew: tokio::sync::Notify,
    /// Tells when the computer slept and is awake again.
    pub wakes: Arc<Wakes>,
    /// How many webhooks were taken in since the start.
    pub intake: AtomicU64,
    /// Keeps the public address.
    pub tunnel: Supervisor,
    /// Sign-ins at services, in progress.
    pub sign_ins: SignIns,
    /// What a Lab has more than a shop; `None` in a shop.
    pub lab: Option<Lab>,
    /// The profile's name.
    pub profile: String,
    /// Itself, for what a connection hands on to its connector.
    me: Weak<Hub>,
    gather: Option<Duration>,
    language: RwLock<String>,
    reach: RwLock<Reach>,
    hosts: OnceLock<Arc<Hosts>>,
    sign_in: OnceLock<Arc<SignIn>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    runtime: tokio::runtime::Handle,
    /// Held while the work begins, so that it begins once.
    beginning: tokio::sync::Mutex<()>,
    working: AtomicBool,
}

impl Hub {
    /// Opens the database, opens the vault where that needs nobody, and starts the stages as soon as the vault is open.
    ///
    /// # Errors
    /// What [`Store::open`] says; [`Code::WrongPassphrase`] when a passphrase was given and is wrong.
    pub async fn open(options: HubOptions) -> Result<Arc<Self>> {
        let HubOptions { directory, profile, connectors, passphrase, keychain, clock, gather, hold, lab, standing } = options;
        let store = tokio::task::spawn_blocking(move || Store::open(&directory, clock)).await.map_err(anyhow::Error::from)??;
        let connectors: BTreeMap<&'static str, Arc<dyn AnyConnector>> =
            connectors.into_iter().map(|connector| (connector.about().kind, connector)).collect();
        if lab {
            let known = connectors.clone();
            store.read(move |db| lab::refuse_real(db, &known)).await?;
        }
        let opened = async {
            let vault = Vault::load(store.clone(), keychain, &profile).await?;
            Ok((vault, store.read(crate::words::language).await?, store.read(backup::moved::waits).await?))
        };
        // Where the damage lies in what is needed to begin, at least the way out is said.
        let (vault, language, holds_back) = match opened.await {
            Ok(opened) => opened,
            Err(error) => return Err(store.explained(error).await),
        };
        let tunnel = Supervisor::new()?;
        let hub = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            sign_ins: SignIns::default(),
            media: Arc::new(Media::new(store.clone())),
            store,
            vault,
            network: if lab { Network::within_this_computer() } else { Network::new() },
            connectors,
            connections: Arc::default(),
            pace: Pace::default(),
            out: Arc::default(),
            turns: Turns::default(),
            trials: Trials::default(),
            hold,
            introductions: Introductions::default(),
            wakes: Arc::default(),
            listen_anew: tokio::sync::Notify::new(),
            copying: tokio::sync::Mutex::default(),
            carrying: Arc::default(),
            holds_back: tokio::sync::watch::channel(holds_back || standing).0,
            again: CancellationToken::new(),
            intake: AtomicU64::new(0),
            tunnel,
            lab: lab.then(Lab::default),
            profile,
            gather,
            language: RwLock::new(language),
            reach: RwLock::default(),
            hosts: OnceLock::new(),
            sign_in: OnceLock::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            runtime: tokio::runtime::Handle::current(),
            beginning: tokio::sync::Mutex::new(()),
            working: AtomicBool::new(false),
        });
        hub.open_vault(passphrase).await?;
        hub.tasks.spawn(wake::run(hub.wakes.clone(), hub.store.clock().clone(), hub.stop.clone()));
        hub.tasks.spawn(wait_to_open(hub.clone()));
        if hub.may_open() {
            hub.open_for_business().await?;
        }
        Ok(hub)
    }

    async fn open_vault(&self, passphrase: Option<Secret>) -> Result<()> {
        match (self.vault.state(), passphrase) {
            (VaultState::Open, _) => {}
            (VaultState::None, Some(passphrase)) => self.vault.create(Some(passphrase)).await?,
            (VaultState::None, None) => {
                // A keychain needs no question; where there is none the first screen asks for a passphrase.
                if self.vault.keychain_works().await {
                    self.vault.create(None).await?;
                }
            }
            (_, Some(passphrase)) => match self.vault.unlock(passphrase).await {
                // A vault that only the keychain opens: a passphrase that somebody left in the environment is no reason to stay shut.
                Err(error) if error.code == Code::Conflict => {
                    self.vault.open_from_keychain().await?;
                }
                unlocked => unlocked?,
            },
            (_, None) => {
                self.vault.open_from_keychain().await?;
            }
        }
        Ok(())
    }

    /// Whether work may begin: secrets can be read, the database can be trusted, and no other computer does this hub's work.
    fn may_open(&self) -> bool {
        self.vault.state().is_open() && self.store.condition().is_sound() && !*self.holds_back.borrow()
    }

    /// Makes the connections ready and starts the stages, once.
    async fn open_for_business(self: &Arc<Self>) -> Result<()> {
        let _once = self.beginning.lock().await;
        if self.is_open_for_business() {
            return Ok(());
        }
        first_run::prepare(self).await?;
        self.use_proxy().await?;
        self.reload_all().await?;
        if self.lab.is_some() {
            lab::open(self).await?;
        }
        self.store.write(arrivals::recover).await?;
        self.store.write(media::recover).await?;
        self.store.write(conversions::recover).await?;
        oauth::renew::recover(self).await?;
        let unsure = self.store.write(outbox::recover).await?;
        let resumed = self.store.write(agent::turn::recover).await?;
        if unsure + resumed > 0 {
            tracing::info!(
                deliveries = unsure,
                turns = resumed,
                "Going on after an interruption: {unsure} deliveries are unconfirmed, {resumed} answers go on."
            );
        }
        // Before anything comes in: what comes now may have been said while nobody was here.
        catching_up::begin(self).await?;
        self.tasks.spawn(arrivals::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(agent::turn::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(outbox::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(media::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(conversions::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(oauth::renew::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(media::hearing::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(listening::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(catching_up::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(standby::give_on_rest(self.store.clone()));
        self.tasks.spawn(housekeeping::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(backup::local::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(tunnel::supervisor::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(registrations::run(self.clone(), self.stop.clone()));
        self.tasks.spawn(canary::run(self.clone(), self.stop.clone()));
        self.working.store(true, Ordering::Release);
        self.store.changes().announce(vec![Change::Settings]);
        Ok(())
    }

    /// Sends outgoing calls through the proxy that the owner set, before the first of them.
    async fn use_proxy(&self) -> Result<()> {
        let proxy = self.store.read(|db| agent::answer::setting(db, "proxy")).await?;
        if let Err(sentence) = self.network.set_proxy(Some(&proxy)) {
            tracing::error!("The proxy in the settings cannot be used: {sentence}");
        }
        Ok(())
    }

    /// Whether the stages run.
    pub fn is_open_for_business(&self) -> bool {
        self.working.load(Ordering::Acquire)
    }

    /// Finishes what is in hand and closes the database. Takes at most ten seconds.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(Duration::from_secs(9), self.tasks.wait()).await.is_err() {
            tracing::warn!("Some work did not end in time; it is taken up at the next start.");
        }
        self.store.close().await;
    }

    /// Told when the hub stops.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// One command, as the API answers it: refusals in the hub's language.
    pub async fn call(self: &Arc<Self>, name: &str, request: serde_json::Value) -> std::result::Result<serde_json::Value, ApiError> {
        crate::api::dispatch(self, name, request).await.map_err(|error| error.in_language(&self.language()))
    }

    /// The hub's language ("en", "pt-BR", "es").
    pub fn language(&self) -> String {
        self.language.read().expect("nothing panics while it is held").clone()
    }

    /// Changes the hub's language; the setting itself is stored by whoever asks.
    pub fn set_language(&self, language: &str) {
        language.clone_into(&mut self.language.write().expect("nothing panics while it is held"));
    }

    /// A sentence in the hub's language.
    pub fn say(&self, sentence: &Sentence) -> String {
        sentence.in_language(&self.language())
    }

    /// Where the hub can be reached.
    pub fn reach(&self) -> Reach {
        self.reach.read().expect("nothing panics while it is held").clone()
    }

    /// Notes where the hub can be reached, and closes our own doors to outgoing calls.
    pub fn set_reach(&self, reach: Reach) {
        for own in [reach.public, reach.admin, reach.tunnel].into_iter().flatten() {
            self.network.add_own(own);
        }
        *self.reach.write().expect("nothing panics while it is held") = reach;
        self.media.reached_at(self.public_base());
    }

    /// Notes who keeps the names of the public side, once.
    pub fn set_hosts(&self, hosts: Arc<Hosts>) {
        // A second public side of the same hub would answer to names of its own; the tunnel leads to the first one.
        drop(self.hosts.set(hosts));
    }

    /// The public side answers to the host of `url` from now on: somebody is about to call it by that name.
    pub fn expect_at(&self, url: &str) {
        if let Some(hosts) = self.hosts.get() {
            hosts.add(url);
        }
    }

    /// Services reach the hub at `url` from now on (`None` = not at all): links, hooks and signatures follow.
    pub fn reach_at(&self, url: Option<&str>) {
        let url = url.map(|url| url.trim_end_matches('/').to_owned());
        let before = {
            let mut reach = self.reach.write().expect("nothing panics while it is held");
            if reach.public_url == url {
                return;
            }
            std::mem::replace(&mut reach.public_url, url.clone())
        };
        if let Some(hosts) = self.hosts.get() {
            if let Some(before) = &before {
                hosts.remove(before);
            }
            if let Some(url) = &url {
                hosts.add(url);
            }
        }
        self.media.reached_at(self.public_base());
        tracing::info!(url, "The public address is another one.");
        self.store.changes().announce(vec![Change::Settings]);
    }

    /// Whether a proxy of the owner's own brings callers to the public side.
    pub fn is_behind_proxy(&self) -> bool {
        self.tunnel.is_fixed() || self.tunnel.state().driver == tunnel::DriverKind::Own
    }

    /// Notes who lets browsers in, once, where there is an admin side.
    pub fn set_sign_in(&self, sign_in: Arc<SignIn>) {
        // A second admin side of the same hub would be another door to the same sessions; the first one goes on making the links.
        drop(self.sign_in.set(sign_in));
    }

    /// A link that signs one browser in, within ten minutes; `None` without an admin side.
    pub fn sign_in_link(&self) -> Option<String> {
        let (address, sign_in) = (self.reach().admin?, self.sign_in.get()?);
        Some(format!("http://{address}/#login={}", sign_in.nonce()))
    }

    /// The base of public addresses: the public URL when one is known, else the public side on this computer.
    pub fn public_base(&self) -> String {
        let reach = self.reach();
        match (reach.public_url, reach.public) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(address)) => format!("http://{address}"),
            (None, None) => String::new(),
        }
    }

    /// How long a burst of that connection is gathered.
    pub fn gather(&self, live: &Live) -> Duration {
        self.gather.unwrap_or_else(|| live.rules.as_ref().map_or(Duration::ZERO, |rules| Duration::from_millis(rules.gather_ms)))
    }

    /// Reads one connection again from the database and puts it to use.
    pub async fn reload(&self, id: &ConnectionId) -> Result<Option<Arc<Live>>> {
        let row = {
            let id = id.clone();
            self.store.read(move |db| connections::get(db, &id)).await?
        };
        match row {
            None => self.connections.remove(id),
            Some(row) => self.put(row).await?,
        }
        Ok(self.connections.get(id))
    }

    /// Reads every connection again.
    pub async fn reload_all(&self) -> Result<()> {
        for row in self.store.read(connections::list).await? {
            self.put(row).await?;
        }
        Ok(())
    }

    async fn put(&self, mut row: crate::model::Connection) -> Result<()> {
        let Some(connector) = self.connectors.get(row.connector.as_str()).cloned() else {
            tracing::warn!(connection.id = %row.id, connector.kind = row.connector, "No code for this kind of connection; it stays as it is.");
            return Ok(());
        };
        let (vault, owner) = (self.vault.clone(), row.id.to_string());
        let kept = self.store.read(move |db| vault.open_all(db, &owner)).await;
        let secrets = match kept {
            Ok(kept) if !kept.damaged.is_empty() => {
                self.must_be_typed_again(&mut row).await;
                Err(vault::damaged())
            }
            kept => kept.map(|kept| kept.secrets).map_err(|error| error.message),
        };
        let access = Arc::new(GrantedAccess::of(self.me.clone(), row.id.clone()));
        let live = connections::assemble(row, connector, secrets, &self.network, access);
        let (id, works) = (live.connection.id.clone(), live.is_active());
        let thinks = live.connector.model().is_some();
        self.connections.put(live);
        if works {
            // Files that waited for it are fetched.
            self.store.stages().wake(Stage::Media);
        }
        if works && thinks {
            self.trials.mended(&id);
            self.tasks.spawn(standby::resume(self.store.clone(), id, self.stop.clone()));
        }
        Ok(())
    }

    /// A connection with a damaged secret waits for its owner, and says so; all others work on.
    async fn must_be_typed_again(&self, row: &mut crate::model::Connection) {
        if !matches!(row.status, ConnectionStatus::Active | ConnectionStatus::Failing { .. }) {
            return;
        }
        let reason = self.say(&vault::damaged());
        let (id, why) = (row.id.clone(), reason.clone());
        let written = self.store.write(move |tx| {
            tx.execute("UPDATE connection SET status = 'needs_sign_in', status_reason = ?2 WHERE id = ?1", params![id, why])?;
            tx.changed(Change::Connection { id });
            Ok(())
        });
        if let Err(error) = written.await {
            tracing::error!(connection.id = %row.id, error = ?error, "A connection's state could not be written.");
        }
        row.status = ConnectionStatus::NeedsSignIn { reason };
    }

    /// Where a pull of that connection left off.
    pub async fn cursor(&self, id: &ConnectionId) -> Result<Option<String>> {
        let id = id.clone();
        self.store
            .read(move |db| Ok(db.query_row("SELECT cursor FROM connection WHERE id = ?1", [id], |row| row.get(0)).optional()?.flatten()))
            .await
    }

    /// The service refuses the credentials: the connection waits for its owner, and so does what it should send.
    pub async fn needs_sign_in(&self, id: &ConnectionId, why: &Sentence) {
        self.set_status(id, "needs_sign_in", Some(self.say(why)), "active, failing").await;
    }

    /// A service that waited for its owner does what it is asked again.
    pub async fn mended(&self, id: &ConnectionId) {
        self.set_status(id, "active", None, "needs_sign_in").await;
    }

    /// The connection does not work at present.
    pub async fn failing(&self, id: &ConnectionId, why: &Sentence) {
        self.set_status(id, "failing", Some(self.say(why)), "active, failing").await;
    }

    /// The service answered: the connection works.
    pub async fn proven(&self, id: &ConnectionId) {
        let changed = {
            let id = id.clone();
            self.store
                .write(move |tx| {
                    let was_failing = tx
                        .prepare_cached(
                            "UPDATE connection SET status = 'active', status_reason = NULL WHERE id = ?1 AND status = 'failing'",
                        )?
                        .execute([&id])?;
                    tx.prepare_cached("UPDATE connection SET proven_at = ?2 WHERE id = ?1")?.execute(params![id, tx.now()])?;
                    if was_failing > 0 {
                        tx.changed(Change::Connection { id });
                    }
                    Ok(was_failing > 0)
                })
                .await
        };
        self.after_status(id, changed).await;
    }

    async fn set_status(&self, id: &ConnectionId, status: &'static str, reason: Option<String>, from: &'static str) {
        let changed = {
            let id = id.clone();
            self.store
                .write(move |tx| {
                    let changed = tx
                        .prepare_cached(
                            "UPDATE connection SET status = ?2, status_reason = ?3 WHERE id = ?1 AND instr(?4, status) > 0
                             AND (status <> ?2 OR coalesce(status_reason, '') <> coalesce(?3, ''))",
                        )?
                        .execute(params![id, status, reason, from])?;
                    if changed > 0 {
                        tx.changed(Change::Connection { id });
                    }
                    Ok(changed > 0)
                })
                .await
        };
        self.after_status(id, changed).await;
    }

    async fn after_status(&self, id: &ConnectionId, changed: Result<bool>) {
        let reloaded = match changed {
            Ok(true) => self.reload(id).await.map(|_| ()),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = reloaded {
            tracing::error!(connection.id = %id, error = ?error, "A connection's state could not be written.");
        }
    }

    /// Tells the service, beside the main work, that something was received (a pressed button). Best effort by nature.
    pub fn acknowledge(self: &Arc<Self>, live: Arc<Live>, what: Vec<String>) {
        let hub = self.clone();
        self.spawn(async move {
            let Some((channel, link)) = live.connector.channel().zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref())) else {
                return;
            };
            for what in what {
                let told = tokio::time::timeout(Duration::from_secs(15), channel.acknowledge(link, &what)).await;
                if let Ok(Err(error)) = told {
                    tracing::debug!(connection.id = %live.connection.id, %error, "The service did not take an acknowledgement.");
                }
            }
        });
    }

    /// Lets the customer see, where the service can show it, that the shop has read up to that message; best effort.
    pub fn mark_read(self: &Arc<Self>, connection: &ConnectionId, thread: String, external_id: String) {
        let Some(live) = self.connections.get(connection).filter(|live| live.is_active()) else { return };
        let hub = self.clone();
        self.tasks.spawn(async move {
            let Some((channel, link)) = live.connector.channel().zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref())) else {
                return;
            };
            let told = tokio::time::timeout(Duration::from_secs(15), channel.mark_read(link, &thread, &external_id)).await;
            if let Ok(Err(error)) = told {
                tracing::debug!(connection.id = %live.connection.id, %error, "The service did not take a read mark.");
            }
        });
    }

    /// Announces that somebody is typing. Not stored.
    pub fn typing(&self, conversation: &ConversationId, who: &str, on: bool) {
        self.store.changes().announce(vec![Change::Typing { conversation: conversation.clone(), who: who.to_owned(), on }]);
    }

    /// Runs `task` until the hub stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // Also asked for on the writer's thread, which is none of the runtime's.
        self.tasks.spawn_on(task, &self.runtime);
    }
}

/// Opens for business when somebody opens the vault, and when a database that was suspected turns out to be sound.
async fn wait_to_open(hub: Arc<Hub>) {
    let mut state = hub.vault.watch();
    let mut condition = hub.store.watch_condition();
    let mut held = hub.holds_back.subscribe();
    let mut shown = false;
    loop {
        if hub.may_open() {
            match hub.open_for_business().await {
                Ok(()) => return,
                Err(error) => tracing::error!(error = ?error, "The hub could not start its work; trying again."),
            }
            tokio::select! {
                () = hub.stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(5)) => {}
            }
            continue;
        }
        // A damaged database is read where it can be: its connections are shown, and nothing is sent or taken in.
        if hub.vault.state().is_open() && !shown {
            shown = true;
            if let Err(error) = hub.reload_all().await {
                tracing::error!(error = ?error, "The connections cannot be read.");
            }
        }
        tokio::select! {
            () = hub.stop.cancelled() => return,
            changed = state.changed() => if changed.is_err() { return },
            changed = condition.changed() => if changed.is_err() { return },
            changed = held.changed() => if changed.is_err() { return },
        }
    }
}

/// Used where a hub without code for a kind is asked for it.
pub fn unknown_connector(kind: &str) -> Error {
    Error::field("connector", say!("There is no connector called {kind}.", kind = kind))
}
