//! The configured accounts, as the screens see them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::asked::{self, Page};
use crate::canary;
use crate::clock::Timestamp;
use crate::connections::{self, secrets};
use crate::connector::ConnectorType;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{AgentId, ConnectionId};
use crate::model::{Connection, ConnectionStatus};
use crate::say;
use crate::tunnel::Hop;

/// Which connections to list.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct ListConnections {
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many, 200 at most.
    pub limit: Option<u32>,
}

/// Which connection.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct GetConnection {
    /// Its id.
    pub id: ConnectionId,
}

/// Whether a connection works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ConnectionStatus")]
#[ts(rename = "ConnectionStatus")]
pub enum State {
    /// Not finished yet.
    Draft,
    /// In use.
    Active,
    /// Switched off by its owner.
    Paused,
    /// The service no longer takes the credentials; `reason` says why.
    NeedsSignIn,
    /// It does not work at present; `reason` says why.
    Failing,
}

impl From<&ConnectionStatus> for State {
    fn from(status: &ConnectionStatus) -> Self {
        match status {
            ConnectionStatus::Draft => Self::Draft,
            ConnectionStatus::Active => Self::Active,
            ConnectionStatus::Paused => Self::Paused,
            ConnectionStatus::NeedsSignIn { .. } => Self::NeedsSignIn,
            ConnectionStatus::Failing { .. } => Self::Failing,
        }
    }
}

/// A configured account.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "Connection")]
#[ts(rename = "Connection", optional_fields = nullable)]
pub struct ConnectionRow {
    /// Its id.
    pub id: ConnectionId,
    /// What its owner calls it.
    pub name: String,
    /// The kind of service.
    pub connector: String,
    /// That kind's type; null when this version no longer knows it.
    #[serde(rename = "type")]
    pub connector_type: Option<ConnectorType>,
    /// The SVG of its mark.
    pub icon: Option<String>,
    /// The colour of its mark.
    pub color: Option<String>,
    /// Whether it works.
    pub status: State,
    /// Why not, in a sentence.
    pub reason: Option<String>,
    /// Who answers here; the default agent when null.
    pub agent: Option<AgentId>,
    /// The account that the last test named.
    pub account: Option<String>,
    /// Its settings; a secret is `{"set":true}`.
    #[ts(type = "Record<string, unknown>")]
    pub config: Value,
    /// The address to paste at the service, where it calls us.
    pub webhook_url: Option<String>,
    /// When it last proved that it works.
    pub last_proven_at: Option<Timestamp>,
    /// Where on the way in something is wrong, as the last look found.
    pub hop: Option<Hop>,
    /// What is wrong there, in a sentence.
    pub hop_reason: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What the screens see of `connection`. `fields` are the secrets that are set.
pub(super) fn show(hub: &Hub, connection: Connection, fields: &[String], found: canary::Kept) -> ConnectionRow {
    let about = hub.connectors.get(connection.connector.as_str()).map(|connector| connector.about());
    let status = State::from(&connection.status);
    let webhook_url = webhook_url(hub, &connection);
    let reason = match connection.status {
        ConnectionStatus::NeedsSignIn { reason } | ConnectionStatus::Failing { reason } => Some(reason).filter(|reason| !reason.is_empty()),
        _ => None,
    };
    let mut config = connection.config;
    for field in fields {
        secrets::put(&mut config, field, serde_json::json!({ "set": true }));
    }
    ConnectionRow {
        id: connection.id,
        name: connection.name,
        connector_type: about.as_ref().map(|about| about.connector_type),
        icon: about.as_ref().map(|about| about.icon.to_owned()),
        color: about.as_ref().map(|about| about.color.to_owned()),
        connector: connection.connector,
        status,
        reason,
        agent: connection.agent,
        account: connection.account,
        config,
        webhook_url,
        last_proven_at: connection.proven_at.max(found.proven_at),
        hop: found.hop,
        hop_reason: found.reason,
        created_at: connection.created_at,
    }
}

/// Every configured account, oldest first.
pub async fn list_connections(hub: &Arc<Hub>, request: ListConnections) -> Result<Page<ConnectionRow>> {
    let limit = asked::limit(request.limit, 200)?;
    let after = asked::place::<String>(request.cursor.as_deref())?.unwrap_or_default();
    let hub = hub.clone();
    let items = hub
        .clone()
        .store
        .read(move |db| {
            let sql = format!("SELECT {} FROM connection WHERE deleted_at IS NULL AND id > ?1 ORDER BY id LIMIT ?2", connections::COLUMNS);
            let mut statement = db.prepare_cached(&sql)?;
            let many = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let rows = statement.query_map(rusqlite::params![after, many], connections::from_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
            rows.into_iter()
                .map(|row| {
                    let fields = fields_of(db, &row.id)?;
                    let found = canary::kept(db, &row.id)?;
                    Ok(show(&hub, row, &fields, found))
                })
                .collect::<Result<Vec<_>>>()
        })
        .await?;
    Ok(Page::cut(items, limit, |row: &ConnectionRow| row.id.clone()))
}

/// One configured account.
pub async fn get_connection(hub: &Arc<Hub>, request: GetConnection) -> Result<ConnectionRow> {
    row(hub, request.id).await
}

/// The row of one connection.
///
/// # Errors
/// `not_found` when there is none, or it was deleted.
pub async fn row(hub: &Arc<Hub>, id: ConnectionId) -> Result<ConnectionRow> {
    let hub = hub.clone();
    hub.clone()
        .store
        .read(move |db| {
            let connection = connections::get(db, &id)?.ok_or_else(not_found)?;
            let fields = fields_of(db, &id)?;
            let found = canary::kept(db, &connection.id)?;
            Ok(show(&hub, connection, &fields, found))
        })
        .await
}

/// The address that the service of `connection` calls; `None` where it does not call, or where we cannot be reached yet.
pub(super) fn webhook_url(hub: &Hub, connection: &Connection) -> Option<String> {
    let calls = hub.connectors.get(connection.connector.as_str())?.channel()?.rules().webhook;
    let base = hub.public_base();
    let shared = hub.connections.get(&connection.id).and_then(|live| live.shared.clone());
    let path = shared.map_or_else(|| connection.hook_key.clone(), |shared| format!("{}/{}", shared.family, shared.key));
    (calls && !base.is_empty()).then(|| format!("{base}/hooks/{path}"))
}

/// What is said where a connection was deleted, or its code is gone: what was said over it can only be read.
pub(super) fn gone() -> Error {
    Error::new(Code::Conflict, say!("This connection was deleted. What was said over it can still be read."))
}

/// What is said of a connection that is not there.
pub(super) fn not_found() -> Error {
    Error::not_found(say!("This connection is not there any more."))
}

fn fields_of(db: &rusqlite::Connection, id: &ConnectionId) -> Result<Vec<String>> {
    let mut statement = db.prepare_cached("SELECT field FROM secret WHERE owner = ?1 ORDER BY field")?;
    Ok(statement.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}
