//! A connection without a hub: a connector, its settings, and the outgoing client that may reach its simulator.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use shopbell_core::clock::{Clock, SystemClock};
use shopbell_core::connector::{
    AnyConnector, AnyLink, Channel, Event, IncomingMessage, MediaSource, NoAccess, Outgoing, Request, Said, Settings, Simulator, Sink,
    StoredMedia,
};
use shopbell_core::http::Client;
use shopbell_core::id::{ConnectionId, DeliveryId, MediaId};
use shopbell_core::model::{Author, Connection, ConnectionStatus, Content};

/// The key of the hook of every connection made here.
pub const HOOK_KEY: &str = "0123456789abcdef0123456789abcdef";

/// A connection in use.
pub struct Desk {
    pub connector: Arc<dyn AnyConnector>,
    pub settings: Settings,
    connection: Connection,
    http: Client,
    clock: SystemClock,
    files: Files,
}

impl Desk {
    /// With these settings.
    pub fn new(connector: Arc<dyn AnyConnector>, config: Value) -> Self {
        let base_url = config["base_url"].as_str().unwrap_or("https://nowhere.invalid").to_owned();
        let settings = connector.settings(config.clone()).unwrap_or_else(|wrong| panic!("the settings are not accepted: {wrong:?}"));
        let clock = SystemClock::new();
        let connection = Connection {
            id: ConnectionId::new(),
            connector: connector.about().kind.to_owned(),
            name: "Test".into(),
            status: ConnectionStatus::Active,
            agent: None,
            config,
            hook_key: HOOK_KEY.into(),
            cursor: None,
            account: None,
            proven_at: None,
            created_at: clock.now(),
        };
        Self { connector, settings, connection, http: Client::for_tests_allowing(&base_url), clock, files: Files::default() }
    }

    /// A connection that was made long ago.
    pub fn old(connector: Arc<dyn AnyConnector>, config: Value) -> Self {
        let mut desk = Self::new(connector, config);
        desk.connection.created_at = shopbell_core::clock::Timestamp::from_seconds(1);
        desk
    }

    /// The connector as a channel.
    pub fn channel(&self) -> &dyn Channel<Settings> {
        self.connector.channel().expect("a channel")
    }

    /// What the connector works with.
    pub fn link(&self) -> AnyLink<'_> {
        AnyLink {
            connection: &self.connection,
            config: &self.settings,
            http: &self.http,
            media: &self.files,
            clock: &self.clock,
            access: &NoAccess,
        }
    }

    /// Stores a file that can be sent.
    pub fn store(&self, mime: &str, filename: Option<&str>, bytes: impl Into<bytes::Bytes>) -> MediaId {
        let id = MediaId::new();
        let file = StoredMedia { mime: mime.into(), filename: filename.map(str::to_owned), bytes: bytes.into() };
        self.files.stored.lock().unwrap().insert(id.as_str().to_owned(), file);
        id
    }

    /// From now on there is a public side, and services may fetch files there.
    pub fn reached_at(&self, base: &str) {
        *self.files.public.lock().unwrap() = Some(base.to_owned());
    }

    /// The events of a request that its service signed.
    pub fn read(&self, request: &Request) -> Vec<Event> {
        self.channel().verify(&self.settings, request).expect("signed by the simulator");
        self.channel().parse(&self.settings, request).expect("made by the simulator")
    }

    /// Lets somebody write first and gives back how they are answered.
    pub fn first_word(&self, simulator: &dyn Simulator, said: &Said) -> IncomingMessage {
        let requests = simulator.signed(said);
        let events = requests.iter().flat_map(|request| self.read(request));
        events
            .into_iter()
            .find_map(|event| if let Event::Message(message) = event { Some(message) } else { None })
            .expect("a simulated message is a message")
    }
}

/// Somebody who says something.
pub fn said(thread: &str, text: &str) -> Said {
    Said::text(thread, "Ana", text)
}

/// The answer to a message.
pub fn answer(to: &IncomingMessage, content: Content) -> Outgoing {
    Outgoing {
        delivery: DeliveryId::new(),
        thread: to.thread.clone(),
        to: to.from.clone(),
        author: Author::Person { id: None },
        content,
        reply_to: None,
        last_in_at: Some(to.sent_at),
        metadata: to.metadata.clone(),
    }
}

/// Words.
pub fn text(text: &str) -> Content {
    Content::Text { text: text.into() }
}

/// Entries of a journal without what changes from run to run.
pub fn calls(simulator: &dyn Simulator) -> Vec<Value> {
    simulator.journal().into_iter().map(|entry| json!({ "path": entry["path"], "body": entry["body"] })).collect()
}

#[derive(Default)]
struct Files {
    stored: Mutex<HashMap<String, StoredMedia>>,
    public: Mutex<Option<String>>,
}

#[async_trait]
impl MediaSource for Files {
    async fn read(&self, id: &MediaId) -> anyhow::Result<StoredMedia> {
        self.stored.lock().unwrap().get(id.as_str()).cloned().ok_or_else(|| anyhow::anyhow!("there is no file {id}"))
    }

    async fn public_link(&self, id: &MediaId) -> anyhow::Result<Option<String>> {
        Ok(self.public_base().map(|base| format!("{base}/media/{id}")))
    }

    fn public_base(&self) -> Option<String> {
        self.public.lock().unwrap().clone()
    }
}

/// A sink that remembers what it took, or refuses.
#[derive(Default)]
pub struct Basket {
    pub taken: Mutex<Vec<(Vec<Request>, Option<String>)>>,
    pub alive: std::sync::atomic::AtomicUsize,
    pub refuses: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl Sink for Basket {
    async fn accept(&self, requests: Vec<Request>, cursor: Option<String>) -> anyhow::Result<()> {
        if self.refuses.load(std::sync::atomic::Ordering::Acquire) {
            anyhow::bail!("the disk is full");
        }
        self.taken.lock().unwrap().push((requests, cursor));
        Ok(())
    }

    async fn alive(&self) {
        self.alive.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
    }
}
