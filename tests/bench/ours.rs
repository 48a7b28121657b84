//! The hub as a process of this bench: the real gateway, store and stages, the real connectors of a chat service and of a model.
//!
//! Two things are set apart: no pause to gather a burst, and no pace per connection (a real service allows 30 messages a second; here
//! the hub is measured, not the service's patience).

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::{Value, json};
use shopbell_core::connector::{
    About, Account, AnyConnector, AnyLink, Channel, ChannelRules, Event, Forged, Malformed, Model, Outgoing, Page, Receipt, Request,
    ServiceError, Settings, SignIn, StartSimulator,
};
use shopbell_core::error::Sentence;
use shopbell_core::gateway::hosts::Hosts;
use shopbell_core::gateway::public::Public;
use shopbell_core::gateway::serve::{self, Limits};
use shopbell_core::hub::{Hub, HubOptions, Reach};
use shopbell_core::secret::Secret;
use shopbell_core::vault::keychain::NoKeychain;

use crate::load::{Hook, SECRET};
use crate::pipe::Towards;

/// Runs the hub until the process is ended. With nowhere to send calls nobody answers: only what arrives is measured.
pub async fn serve(towards: Option<Towards>) {
    let directory = tempfile::tempdir().unwrap();
    let connectors: Vec<Arc<dyn AnyConnector>> =
        shopbell_connectors::all().into_iter().map(|connector| Arc::new(Unpaced::new(connector)) as _).collect();
    let mut options = HubOptions::new(directory.path().to_owned(), connectors);
    options.passphrase = Some(Secret::new("bench"));
    options.keychain = Arc::new(NoKeychain);
    options.gather = Some(Duration::ZERO);
    let hub = Hub::open(options).await.unwrap();
    let listener = serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    hub.set_reach(Reach { public: Some(address), ..Reach::default() });

    let ask = async |command: &str, request: Value| hub.call(command, request).await.unwrap_or_else(|error| panic!("{command}: {error:?}"));
    let base_url = if let Some(towards) = &towards {
        let config = json!({ "base_url": towards.model, "default_model": "echo" });
        let brain = ask("create_connection", json!({ "connector": "openai-compatible", "name": "model", "config": config })).await;
        let agent = ask("create_agent", json!({ "name": "Nina", "instructions": "Echo.", "connection": brain["id"], "tools": [] })).await;
        ask("set_default_agent", json!({ "agent": agent["id"] })).await;
        towards.provider.as_str()
    } else {
        for agent in ask("list_agents", json!({})).await["items"].as_array().unwrap() {
            ask("delete_agent", json!({ "id": agent["id"] })).await;
        }
        "http://127.0.0.1:9"
    };
    let config = json!({ "bot_token": "123456789:AAH0benchbenchbenchbenchbenchbench0", "mode": "webhook", "webhook_secret": SECRET, "base_url": base_url });
    let made = ask("create_connection", json!({ "connector": "telegram", "name": "bench", "config": config })).await;
    let hook = made["webhook_url"].as_str().unwrap().to_owned();

    let public = Arc::new(Public::new(hub.clone(), Arc::new(Hosts::of(address))));
    println!("{}", json!({ "hook": hook, "directory": directory.path() }));
    serve::serve(listener, public.router(), Limits::default(), hub.stopping()).await;
}

/// A served process.
pub struct Served {
    child: Child,
    /// Where its hook is.
    pub hook: Hook,
    directory: Option<String>,
}

impl Served {
    /// Starts this program again as that server.
    pub async fn start(kind: &str, argument: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--serve", kind, argument])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{kind} did not start: {line}"));
        let url = ready["hook"].as_str().unwrap().strip_prefix("http://").unwrap();
        let (address, path) = url.split_once('/').unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        Self {
            child,
            hook: Hook { address: address.into(), path: format!("/{path}") },
            directory: ready["directory"].as_str().map(str::to_owned),
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until so many messages can be found by search.
    pub async fn wait_for_messages(&self, count: usize) {
        let path = format!("{}/shopbell.db", self.directory.as_ref().unwrap());
        let deadline = Instant::now() + Duration::from_secs(300);
        let db = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        db.busy_timeout(Duration::from_secs(5)).unwrap();
        loop {
            let stored: i64 = db.query_row("SELECT coalesce(max(seq), 0) FROM message", [], |row| row.get(0)).unwrap();
            if stored >= i64::try_from(count).unwrap() {
                let found: i64 =
                    db.query_row("SELECT count(*) FROM message_fts WHERE message_fts MATCH 'cenoura'", [], |row| row.get(0)).unwrap();
                assert_eq!(found, i64::try_from(count).unwrap(), "every message is found, once");
                return;
            }
            assert!(Instant::now() < deadline, "only {stored} of {count} messages arrived");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends it.
    pub async fn end(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        if let Some(directory) = &self.directory {
            std::fs::remove_dir_all(directory).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A connector as it is, without its pace.
struct Unpaced {
    inner: Arc<dyn AnyConnector>,
    channel: Option<UnpacedChannel>,
}

impl Unpaced {
    fn new(inner: Arc<dyn AnyConnector>) -> Self {
        let channel = inner.channel().is_some().then(|| UnpacedChannel(inner.clone()));
        Self { inner, channel }
    }
}

#[async_trait]
impl AnyConnector for Unpaced {
    fn about(&self) -> About {
        self.inner.about()
    }
    fn schema(&self) -> Value {
        self.inner.schema()
    }
    fn settings(&self, config: Value) -> Result<Settings, Vec<(String, Sentence)>> {
        self.inner.settings(config)
    }
    async fn test(&self, link: AnyLink<'_>) -> Result<Account, ServiceError> {
        self.inner.test(link).await
    }
    fn simulator(&self) -> Option<StartSimulator> {
        None
    }
    fn channel(&self) -> Option<&dyn Channel<Settings>> {
        self.channel.as_ref().map(|channel| channel as _)
    }
    fn model(&self) -> Option<&dyn Model<Settings>> {
        self.inner.model()
    }
    fn page(&self) -> Option<&dyn Page<Settings>> {
        self.inner.page()
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        self.inner.sign_in()
    }
}

struct UnpacedChannel(Arc<dyn AnyConnector>);

impl UnpacedChannel {
    fn inner(&self) -> &dyn Channel<Settings> {
        self.0.channel().expect("it was one when this was made")
    }
}

#[async_trait]
impl Channel<Settings> for UnpacedChannel {
    fn rules(&self) -> ChannelRules {
        ChannelRules { pace_per_second: 1e9, ..self.inner().rules() }
    }
    fn verify(&self, config: &Settings, request: &Request) -> Result<(), Forged> {
        self.inner().verify(config, request)
    }
    fn parse(&self, config: &Settings, request: &Request) -> Result<Vec<Event>, Malformed> {
        self.inner().parse(config, request)
    }
    async fn send(&self, link: AnyLink<'_>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        self.inner().send(link, message).await
    }
    async fn typing(&self, link: AnyLink<'_>, thread: &str, answering: Option<&str>) -> Result<(), ServiceError> {
        self.inner().typing(link, thread, answering).await
    }
}
