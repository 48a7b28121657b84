//! The Lab: a hub of its own in which every service is a stand-in on this computer, and a person plays the customers.
//!
//! ```text
//! lab_say ─▶ simulator signs ─▶ weather ─▶ /hooks/<key> ─▶ the hub as it always is ─▶ simulator ─▶ the customer's phone
//! ```
//!
//! Nothing here knows a service: a channel is played through its connector's [`Simulator`]. Three things keep the Lab apart from a real
//! shop: it refuses a directory that ever held a real connection ([`refuse_real`]), no connection to a service can be made in it but by
//! [`add_channel`], and its network reaches nothing but the stand-ins.
//!
//! A stand-in remembers nothing over a restart, so each start gives every channel a new connection ([`open`]); what was said over the old
//! one stays readable.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use crate::api::connection_edit::{self, CreateConnection};
use crate::api::connections::GetConnection;
use crate::connector::{AnyConnector, Simulator};
use crate::error::{Code, Error, Result};
use crate::hub::{Hub, unknown_connector};
use crate::id::ConnectionId;
use crate::model::Connection;
use crate::{connections, say};

pub mod bench;
pub mod captured;
pub mod copying;
pub mod courier;
pub mod scripts;
pub mod tally;

pub use bench::Bench;

/// What a hub has beside its usual parts when it is a Lab.
#[derive(Default)]
pub struct Lab {
    benches: RwLock<BTreeMap<ConnectionId, Arc<Bench>>>,
    /// Held while a channel is added, so that none is there twice.
    adding: tokio::sync::Mutex<()>,
    courier: courier::Courier,
}

impl Lab {
    /// The stand-in of a connection.
    ///
    /// # Errors
    /// When the connection has none.
    pub fn bench(&self, connection: &ConnectionId) -> Result<Arc<Bench>> {
        let benches = self.benches.read().unwrap_or_else(PoisonError::into_inner);
        benches.get(connection).cloned().ok_or_else(|| Error::not_found(say!("The Lab has no such channel.")))
    }

    /// Every stand-in, the oldest channel first.
    pub fn benches(&self) -> Vec<Arc<Bench>> {
        self.benches.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Carries what services send.
    pub fn courier(&self) -> &courier::Courier {
        &self.courier
    }

    fn put(&self, bench: Arc<Bench>) {
        self.benches.write().unwrap_or_else(PoisonError::into_inner).insert(bench.connection.clone(), bench);
    }

    /// Stops the stand-in of a connection that was deleted.
    pub fn forget(&self, connection: &ConnectionId) {
        self.benches.write().unwrap_or_else(PoisonError::into_inner).remove(connection);
    }
}

/// The Lab of `hub`.
///
/// # Errors
/// When the hub is a real shop.
pub fn of(hub: &Hub) -> Result<&Lab> {
    hub.lab.as_ref().ok_or_else(|| Error::new(Code::Conflict, say!("This is your real shop. Customers can be played in the Lab alone.")))
}

/// Whether connections of that kind lead out of this computer.
pub fn leads_out(connector: &dyn AnyConnector) -> bool {
    connector.simulator().is_some()
}

/// Refuses data in which a real connection is or was.
///
/// # Errors
/// [`Code::Invalid`], with the name of the connection.
pub fn refuse_real(db: &rusqlite::Connection, connectors: &BTreeMap<&'static str, Arc<dyn AnyConnector>>) -> Result<()> {
    let mut statement =
        db.prepare("SELECT connector, name FROM connection WHERE id NOT IN (SELECT connection FROM lab_channel) ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for row in rows {
        let (kind, name) = row?;
        // A kind that this version does not know may lead anywhere.
        if connectors.get(kind.as_str()).is_none_or(|connector| leads_out(connector.as_ref())) {
            let why =
                say!("This folder belongs to a real shop: {name} is connected in it. The Lab needs a folder of its own.", name = name);
            return Err(Error::new(Code::Invalid, why));
        }
    }
    Ok(())
}

/// Gives every channel of an earlier start a new stand-in and a new connection.
///
/// # Errors
/// When a stand-in does not start, or the store says so.
pub async fn open(hub: &Arc<Hub>) -> Result<()> {
    let before = hub.store.read(channels).await?;
    for old in before {
        connection_edit::delete_connection(hub, GetConnection { id: old.id }).await?;
        if hub.connectors.contains_key(old.connector.as_str()) {
            put_up(hub, &old.connector, Some(old.name), old.agent).await?;
        }
    }
    Ok(())
}

fn channels(db: &rusqlite::Connection) -> Result<Vec<Connection>> {
    let all = connections::list(db)?;
    let mut statement = db.prepare("SELECT connection FROM lab_channel")?;
    let ours = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<ConnectionId>>>()?;
    Ok(all.into_iter().filter(|connection| ours.contains(&connection.id)).collect())
}

/// Adds a channel of that kind, with made-up credentials. One of a kind is enough: its stand-in has one account.
///
/// # Errors
/// When there is none of that kind, or it is there already.
pub async fn add_channel(hub: &Arc<Hub>, kind: &str) -> Result<Arc<Bench>> {
    let lab = of(hub)?;
    let _one = lab.adding.lock().await;
    let connector = hub.connectors.get(kind).ok_or_else(|| unknown_connector(kind))?;
    if connector.channel().is_none() || connector.simulator().is_none() {
        return Err(Error::field("connector", say!("{name} cannot be played in the Lab.", name = connector.about().name)));
    }
    if lab.benches().iter().any(|bench| bench.kind == kind) {
        return Err(Error::field("connector", say!("{name} is in the Lab already.", name = connector.about().name)));
    }
    put_up(hub, kind, None, None).await
}

/// Takes a channel out of the Lab; what was said over it stays readable.
///
/// # Errors
/// When it is not there.
pub async fn remove_channel(hub: &Arc<Hub>, connection: &ConnectionId) -> Result<()> {
    let lab = of(hub)?;
    lab.bench(connection)?;
    connection_edit::delete_connection(hub, GetConnection { id: connection.clone() }).await?;
    Ok(())
}

async fn put_up(hub: &Arc<Hub>, kind: &str, name: Option<String>, agent: Option<crate::id::AgentId>) -> Result<Arc<Bench>> {
    let lab = of(hub)?;
    let connector = hub.connectors.get(kind).cloned().ok_or_else(|| unknown_connector(kind))?;
    let start = connector.simulator().ok_or_else(|| unknown_connector(kind))?;
    let simulator: Box<dyn Simulator> = start().await.map_err(Error::from)?;
    let name = name.unwrap_or_else(|| connector.about().name.to_owned());
    let config: Value = simulator.config();
    let made = connection_edit::make(hub, CreateConnection { connector: kind.to_owned(), name, config, agent, draft: false }).await?;
    let bench = Arc::new(Bench::new(made.id, connector.about().kind, simulator));
    lab.put(bench.clone());
    hub.spawn(bench::watch(Arc::downgrade(hub), Arc::downgrade(&bench), hub.stopping()));
    Ok(bench)
}
