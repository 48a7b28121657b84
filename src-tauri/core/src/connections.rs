//! The configured accounts, ready for use: each with its connector, its settings (secrets included) and its outgoing client.
//!
//! The hot path asks here and never the database: a webhook finds its connection by the key in its address.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use rusqlite::Row;

use crate::clock::Clock;
use crate::connector::{Access, AnyConnector, AnyLink, ChannelRules, MediaSource, Reports, Settings, SharedCallback};
use crate::error::{Result, Sentence};
use crate::http::Client;
use crate::id::ConnectionId;
use crate::model::{Connection, ConnectionStatus};

pub mod secrets;

/// A connection in use.
pub struct Live {
    /// Its row.
    pub connection: Connection,
    /// Its code.
    pub connector: Arc<dyn AnyConnector>,
    /// Its settings with secrets; a sentence where they cannot be read (a locked vault, a field that is missing).
    pub settings: std::result::Result<Settings, Sentence>,
    /// What it may reach.
    pub http: Client,
    /// What its channel can and may do, if it is one; asked once.
    pub rules: Option<ChannelRules>,
    /// The token that its owner's sign-in gave.
    pub access: Arc<dyn Access>,
    /// The callback that it shares with others of the same app.
    pub shared: Option<SharedCallback>,
}

impl Live {
    /// Whether it may be used now.
    pub fn is_active(&self) -> bool {
        self.connection.status == ConnectionStatus::Active && self.settings.is_ok()
    }

    /// Whether it reports to its service's advertising; never while its settings cannot be read.
    pub fn reports(&self) -> Reports {
        let asked = self.connector.channel().zip(self.settings.as_ref().ok());
        asked.map_or_else(Reports::default, |(channel, config)| channel.reports(config))
    }

    /// What a connector works with; `None` while the settings cannot be read.
    pub fn link<'a>(&'a self, media: &'a dyn MediaSource, clock: &'a dyn Clock) -> Option<AnyLink<'a>> {
        let config = self.settings.as_ref().ok()?;
        Some(AnyLink { connection: &self.connection, config, http: &self.http, media, clock, access: self.access.as_ref() })
    }
}

/// Every connection of the hub.
#[derive(Default)]
pub struct Connections {
    by_id: RwLock<HashMap<ConnectionId, Arc<Live>>>,
    by_key: RwLock<HashMap<String, Arc<Live>>>,
}

impl Connections {
    /// One connection.
    pub fn get(&self, id: &ConnectionId) -> Option<Arc<Live>> {
        self.by_id.read().expect("nothing panics while it is held").get(id).cloned()
    }

    /// The connection whose hook has that key.
    pub fn by_key(&self, key: &str) -> Option<Arc<Live>> {
        self.by_key.read().expect("nothing panics while it is held").get(key).cloned()
    }

    /// The connections that share a callback, oldest first.
    pub fn sharing(&self, family: &str, key: &str) -> Vec<Arc<Live>> {
        let shares = |live: &&Arc<Live>| live.shared.as_ref().is_some_and(|shared| shared.family == family && shared.key == key);
        let mut sharing: Vec<_> = self.by_id.read().expect("nothing panics while it is held").values().filter(shares).cloned().collect();
        sharing.sort_by(|a, b| a.connection.id.as_str().cmp(b.connection.id.as_str()));
        sharing
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<Live>> {
        self.by_id.read().expect("nothing panics while it is held").values().cloned().collect()
    }

    /// Puts one in place of what was there.
    pub fn put(&self, live: Live) {
        let live = Arc::new(live);
        self.by_key.write().expect("nothing panics while it is held").insert(live.connection.hook_key.clone(), live.clone());
        self.by_id.write().expect("nothing panics while it is held").insert(live.connection.id.clone(), live);
    }

    /// Takes one out.
    pub fn remove(&self, id: &ConnectionId) {
        if let Some(live) = self.by_id.write().expect("nothing panics while it is held").remove(id) {
            self.by_key.write().expect("nothing panics while it is held").remove(&live.connection.hook_key);
        }
    }
}

/// Columns of [`from_row`], in its order.
pub const COLUMNS: &str = "id, connector, name, status, status_reason, agent, config, hook_key, cursor, account, proven_at, created_at";

/// Reads a row of `connection`.
pub fn from_row(row: &Row<'_>) -> rusqlite::Result<Connection> {
    let reason = row.get::<_, Option<String>>(4)?.unwrap_or_default();
    let status = match row.get_ref(3)?.as_str()? {
        "draft" => ConnectionStatus::Draft,
        "paused" => ConnectionStatus::Paused,
        "needs_sign_in" => ConnectionStatus::NeedsSignIn { reason },
        "failing" => ConnectionStatus::Failing { reason },
        _ => ConnectionStatus::Active,
    };
    Ok(Connection {
        id: row.get(0)?,
        connector: row.get(1)?,
        name: row.get(2)?,
        status,
        agent: row.get(5)?,
        config: row.get(6)?,
        hook_key: row.get(7)?,
        cursor: row.get(8)?,
        account: row.get(9)?,
        proven_at: row.get(10)?,
        created_at: row.get(11)?,
    })
}

/// Every connection that was not deleted, oldest first.
pub fn list(db: &rusqlite::Connection) -> Result<Vec<Connection>> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM connection WHERE deleted_at IS NULL ORDER BY id"))?;
    Ok(statement.query_map([], from_row)?.collect::<rusqlite::Result<_>>()?)
}

/// One connection that was not deleted.
pub fn get(db: &rusqlite::Connection, id: &ConnectionId) -> Result<Option<Connection>> {
    use rusqlite::OptionalExtension;
    Ok(db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM connection WHERE id = ?1 AND deleted_at IS NULL"))?
        .query_row([id], from_row)
        .optional()?)
}

/// Puts secrets back into settings, by their places; see [`secrets`].
pub fn with_secrets(config: &serde_json::Value, secrets: &std::collections::BTreeMap<String, crate::secret::Secret>) -> serde_json::Value {
    let mut config = if config.is_object() { config.clone() } else { serde_json::json!({}) };
    for (place, secret) in secrets {
        self::secrets::put(&mut config, place, secret.reveal().into());
    }
    config
}

/// Makes a connection ready for use.
pub fn assemble(
    connection: Connection,
    connector: Arc<dyn AnyConnector>,
    secrets: std::result::Result<std::collections::BTreeMap<String, crate::secret::Secret>, Sentence>,
    network: &crate::http::Network,
    access: Arc<dyn Access>,
) -> Live {
    let settings = secrets.and_then(|secrets| {
        connector.settings(with_secrets(&connection.config, &secrets)).map_err(|wrong| {
            wrong
                .into_iter()
                .next()
                .map_or_else(|| crate::say!("The settings of this connection are not complete."), |(_, sentence)| sentence)
        })
    });
    let http = network.client(connection.config.get("base_url").and_then(serde_json::Value::as_str));
    let rules = connector.channel().map(crate::connector::Channel::rules);
    let shared = connector.channel().zip(settings.as_ref().ok()).and_then(|(channel, settings)| channel.shared_callback(settings));
    Live { connection, connector, settings, http, rules, access, shared }
}

/// 128 random bits as hex: the public name of a connection.
pub fn new_hook_key() -> Result<String> {
    let mut key = [0u8; 16];
    getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(hex::encode(key))
}
