//! A whole hub in a temporary directory, asked through its commands, with services that are simulators.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test stops where something is not as it should be")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shopbell_core::arrivals;
use shopbell_core::clock::Clock;
use shopbell_core::connector::{AnyConnector, Request};
use shopbell_core::error::ApiError;
use shopbell_core::gateway::doors::{self, Places, Ports};
use shopbell_core::hub::{Hub, HubOptions};
use shopbell_core::id::ConnectionId;
use shopbell_core::secret::Secret;
use shopbell_core::store::Tx;
use shopbell_core::vault::keychain::NoKeychain;

/// The passphrase of every test hub.
pub const PASSPHRASE: &str = "canary-passphrase-of-the-tests";

/// A hub and its directory.
pub struct TestHub {
    /// The hub.
    pub hub: Arc<Hub>,
    /// Its directory; removed at the end.
    pub directory: Arc<tempfile::TempDir>,
}

impl TestHub {
    /// A new hub with every connector of the product and those in `more`.
    pub async fn with(more: Vec<Arc<dyn AnyConnector>>) -> Self {
        Self::in_directory(Arc::new(tempfile::tempdir().unwrap()), more).await
    }

    /// The same, where a turn waits for its model's owner no longer than `hold`.
    pub async fn holding(hold: Duration, more: Vec<Arc<dyn AnyConnector>>) -> Self {
        Self::opened(Arc::new(tempfile::tempdir().unwrap()), more, |options| options.hold = hold).await
    }

    /// The hub of a directory, by that clock.
    pub async fn by_clock(directory: Arc<tempfile::TempDir>, clock: Arc<dyn Clock>, more: Vec<Arc<dyn AnyConnector>>) -> Self {
        Self::opened(directory, more, |options| options.clock = clock).await
    }

    /// The hub of a directory that may have been used before.
    pub async fn in_directory(directory: Arc<tempfile::TempDir>, more: Vec<Arc<dyn AnyConnector>>) -> Self {
        Self::opened(directory, more, |_| {}).await
    }

    /// A Lab of a directory.
    ///
    /// # Errors
    /// As [`Hub::open`].
    pub async fn lab(directory: Arc<tempfile::TempDir>, more: Vec<Arc<dyn AnyConnector>>) -> Result<Self, shopbell_core::error::Error> {
        let hub = Hub::open(Self::options(&directory, more, |options| options.lab = true)).await?;
        let ports = Ports::take(&Places { admin: None, public: SocketAddr::from(([127, 0, 0, 1], 0)) }).await?;
        doors::open(&hub, ports, None, None).await?;
        Ok(Self { hub, directory })
    }

    async fn opened(directory: Arc<tempfile::TempDir>, more: Vec<Arc<dyn AnyConnector>>, change: impl FnOnce(&mut HubOptions)) -> Self {
        Self { hub: Hub::open(Self::options(&directory, more, change)).await.unwrap(), directory }
    }

    fn options(directory: &tempfile::TempDir, more: Vec<Arc<dyn AnyConnector>>, change: impl FnOnce(&mut HubOptions)) -> HubOptions {
        let mut connectors = shopbell_connectors::all();
        connectors.extend(more);
        let mut options = HubOptions::new(directory.path().to_owned(), connectors);
        options.passphrase = Some(Secret::new(PASSPHRASE));
        options.keychain = Arc::new(NoKeychain);
        options.gather = Some(Duration::from_millis(20));
        change(&mut options);
        options
    }

    /// Stops the hub and opens it again.
    pub async fn restart(self, more: Vec<Arc<dyn AnyConnector>>) -> Self {
        self.hub.stop().await;
        drop(self.hub);
        Self::in_directory(self.directory, more).await
    }

    /// Asks, and expects an answer.
    pub async fn ask(&self, command: &str, request: Value) -> Value {
        self.hub.call(command, request).await.unwrap_or_else(|error| panic!("{command} was refused: {error:?}"))
    }

    /// Asks, and expects a refusal.
    pub async fn refused(&self, command: &str, request: Value) -> ApiError {
        self.hub.call(command, request).await.expect_err("it should have been refused")
    }

    /// Stores requests for the one connection of that kind as the gateway does after it has verified them.
    pub async fn take(&self, connector: &'static str, requests: Vec<Request>) {
        let insert = move |tx: &Tx<'_>| {
            let connection: ConnectionId = tx.query_row("SELECT id FROM connection WHERE connector = ?1", [connector], |row| row.get(0))?;
            requests.iter().try_for_each(|request| arrivals::insert(tx, &connection, request, &[]).map(drop))
        };
        self.hub.store.write(insert).await.unwrap();
    }

    /// A new connection; its id.
    pub async fn connect(&self, connector: &str, config: Value) -> String {
        let made = self.ask("create_connection", json!({ "connector": connector, "name": connector, "config": config })).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// An agent on that model connection, made the default; its id.
    pub async fn agent(&self, connection: &str, more: Value) -> String {
        let mut request = json!({ "name": "Nina", "instructions": "Answer.", "connection": connection });
        for (key, value) in more.as_object().unwrap() {
            request[key] = value.clone();
        }
        let id = self.ask("create_agent", request).await["id"].as_str().unwrap().to_owned();
        self.ask("set_default_agent", json!({ "agent": id })).await;
        id
    }

    /// Every message of the one conversation, oldest first, as `(direction, author, text)`.
    pub async fn talk(&self) -> Vec<(String, String, String)> {
        let Some(conversation) = self.conversation().await else { return Vec::new() };
        let page = self.ask("list_messages", json!({ "conversation": conversation["id"], "limit": 200 })).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut messages: Vec<_> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| {
                let part = &message["content"][0];
                let words = if part["type"] == "event" { text(&part["event"]) } else { text(&part["text"]) };
                (text(&message["direction"]), text(&message["author"]["type"]), words)
            })
            .collect();
        messages.reverse();
        messages
    }

    /// The newest conversation.
    pub async fn conversation(&self) -> Option<Value> {
        let page = self.ask("list_conversations", json!({})).await;
        page["items"].as_array().unwrap().first().cloned()
    }

    /// One number from the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        self.hub.store.read(move |db| Ok(db.query_row(sql, [], |row| row.get(0))?)).await.unwrap()
    }

    /// Waits until nothing is left to do: no arrival, no turn, no delivery.
    pub async fn settled(&self) {
        self.until("nothing is left to do", async |hub| {
            hub.count(
                "SELECT (SELECT count(*) FROM arrival WHERE verdict = 'pending') + (SELECT count(*) FROM turn WHERE status IN ('wanted', 'running'))
                      + (SELECT count(*) FROM delivery WHERE status IN ('queued', 'sending'))",
            )
            .await
                == 0
        })
        .await;
    }

    /// Waits for something; panics after twenty seconds.
    pub async fn until(&self, what: &str, holds: impl AsyncFn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self).await {
            assert!(started.elapsed() < Duration::from_secs(20), "waited too long until {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
