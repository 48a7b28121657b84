//! The rows of flows: somebody on the way to a service's page, and back.

use rusqlite::{Connection as Db, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::clock::Timestamp;
use crate::connector::{Plan, Way};
use crate::error::Result;
use crate::id::{ConnectionId, FlowId};
use crate::model::Change;
use crate::secret::Secret;
use crate::store::Tx;
use crate::vault::Vault;

/// Where a flow stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "SignInStatus")]
#[schemars(rename = "SignInStatus")]
pub enum Status {
    /// The owner is at the service's page.
    Waiting,
    /// The code is being traded.
    Trading,
    /// The owner chooses among several accounts.
    Choosing,
    /// What the account needs is being done at the service, or one of it failed.
    Settling,
    /// Signed in.
    Done,
    /// It came to nothing; the reason says why.
    Failed,
    /// Called off, by its owner or by a later one.
    Cancelled,
}

impl Status {
    /// As the store writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Trading => "trading",
            Self::Choosing => "choosing",
            Self::Settling => "settling",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn read(text: &str) -> Option<Self> {
        use Status::{Cancelled, Choosing, Done, Failed, Settling, Trading, Waiting};
        [Waiting, Trading, Choosing, Settling, Done, Failed, Cancelled].into_iter().find(|status| status.as_str() == text)
    }

    /// Whether nothing more happens to it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}

fn way_text(way: Way) -> &'static str {
    match way {
        Way::DeepLink => "deep_link",
        Way::Loopback => "loopback",
        Way::Public => "public",
    }
}

/// An account to choose, without secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The service's name of it.
    pub id: String,
    /// As its owner knows it.
    pub name: String,
    /// Settings that follow from it.
    pub fill: Map<String, Value>,
    /// It has a token of its own, in the vault at `account/<id>`.
    pub own_token: bool,
    /// How long that lives, in seconds; `None` = it does not end.
    pub lifetime: Option<u64>,
}

/// What was granted besides the tokens, kept while the owner chooses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Granted {
    /// How long the access token lives, in seconds; `None` = it does not end.
    pub lifetime: Option<u64>,
    /// What was granted, when the service said so.
    pub scopes: Vec<String>,
    /// When.
    pub at: Timestamp,
}

/// A flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// Which connection is to be signed in.
    pub connection: ConnectionId,
    /// The SHA-256 of its state.
    pub state_sha256: Vec<u8>,
    /// How the answer comes back.
    pub way: Way,
    /// Where to.
    pub redirect_uri: String,
    /// As whom we ask.
    pub client_id: String,
    /// The plan it began with.
    pub plan: Plan,
    /// Where it stands.
    pub status: Status,
    /// Why it came to nothing.
    pub reason: Option<String>,
    /// The account, as soon as it is known.
    pub account: Option<String>,
    /// The accounts to choose from.
    pub accounts: Vec<Choice>,
    /// What less works, in words.
    pub missing: Vec<String>,
    /// What was granted.
    pub granted: Option<Granted>,
    /// The step that is being done, or failed.
    pub step: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// Until when the owner may take.
    pub ends_at: Timestamp,
}

const COLUMNS: &str = "id, connection, state_sha256, way, redirect_uri, client_id, plan, status, reason, account, accounts, missing, granted, step, created_at, ends_at";

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error)))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Flow> {
    let way = match row.get_ref(3)?.as_str()? {
        "deep_link" => Way::DeepLink,
        "loopback" => Way::Loopback,
        _ => Way::Public,
    };
    let granted: Option<String> = row.get(12)?;
    Ok(Flow {
        id: row.get(0)?,
        connection: row.get(1)?,
        state_sha256: row.get(2)?,
        way,
        redirect_uri: row.get(4)?,
        client_id: row.get(5)?,
        plan: json(row, 6)?,
        status: Status::read(row.get_ref(7)?.as_str()?).unwrap_or(Status::Failed),
        reason: row.get(8)?,
        account: row.get(9)?,
        accounts: json(row, 10)?,
        missing: json(row, 11)?,
        granted: granted.and_then(|text| serde_json::from_str(&text).ok()),
        step: row.get(13)?,
        created_at: row.get(14)?,
        ends_at: row.get(15)?,
    })
}

/// The SHA-256 of a state.
pub fn hash(state: &str) -> [u8; 32] {
    Sha256::digest(state.as_bytes()).into()
}

/// One flow.
pub fn get(db: &Db, id: &FlowId) -> Result<Option<Flow>> {
    Ok(db.prepare_cached(&format!("SELECT {COLUMNS} FROM sign_in_flow WHERE id = ?1"))?.query_row([id], from_row).optional()?)
}

/// The flow of a state. Compared by hash and in constant time, so that no timing tells a part of one.
pub fn by_state(db: &Db, state: &str) -> Result<Option<Flow>> {
    let hash = hash(state);
    let found = db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM sign_in_flow WHERE state_sha256 = ?1"))?
        .query_row([hash.as_slice()], from_row)
        .optional()?;
    Ok(found.filter(|flow| bool::from(flow.state_sha256.as_slice().ct_eq(hash.as_slice()))))
}

/// The newest flow of a connection.
pub fn newest(db: &Db, connection: &ConnectionId) -> Result<Option<Flow>> {
    let sql = format!("SELECT {COLUMNS} FROM sign_in_flow WHERE connection = ?1 ORDER BY created_at DESC, id DESC LIMIT 1");
    Ok(db.prepare_cached(&sql)?.query_row([connection], from_row).optional()?)
}

/// Calls off every flow of a connection that is still under way. Gives back which.
pub fn cancel_all(tx: &Tx<'_>, vault: &Vault, connection: &ConnectionId) -> Result<Vec<FlowId>> {
    let mut statement = tx
        .prepare_cached("SELECT id FROM sign_in_flow WHERE connection = ?1 AND status IN ('waiting', 'trading', 'choosing', 'settling')")?;
    let open: Vec<FlowId> = statement.query_map([connection], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in &open {
        end(tx, vault, id, connection, Status::Cancelled, None)?;
    }
    Ok(open)
}

/// Writes a new flow down, with its verifier and its client's secret in the vault. Old ones of the same connection are forgotten.
pub fn insert(tx: &Tx<'_>, vault: &Vault, flow: &Flow, verifier: &Secret, client_secret: Option<&Secret>) -> Result<()> {
    tx.prepare_cached("DELETE FROM sign_in_flow WHERE connection = ?1 AND status IN ('done', 'failed', 'cancelled') AND created_at < ?2")?
        .execute(params![flow.connection, tx.now().minus(super::FLOW_LIFE)])?;
    tx.prepare_cached(
        "INSERT INTO sign_in_flow (id, connection, state_sha256, way, redirect_uri, client_id, plan, status, created_at, ends_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?8, ?9)",
    )?
    .execute(params![
        flow.id,
        flow.connection,
        flow.state_sha256,
        way_text(flow.way),
        flow.redirect_uri,
        flow.client_id,
        serde_json::to_string(&flow.plan).map_err(anyhow::Error::from)?,
        flow.created_at,
        flow.ends_at
    ])?;
    vault.seal_into(tx, flow.id.as_str(), "verifier", verifier)?;
    if let Some(secret) = client_secret {
        vault.seal_into(tx, flow.id.as_str(), "client_secret", secret)?;
    }
    tx.changed(Change::Connection { id: flow.connection.clone() });
    Ok(())
}

/// Moves a flow on.
pub fn set(tx: &Tx<'_>, id: &FlowId, connection: &ConnectionId, status: Status) -> Result<()> {
    tx.prepare_cached("UPDATE sign_in_flow SET status = ?2 WHERE id = ?1")?.execute(params![id, status.as_str()])?;
    tx.changed(Change::Connection { id: connection.clone() });
    Ok(())
}

/// Ends a flow and forgets its secrets.
pub fn end(tx: &Tx<'_>, vault: &Vault, id: &FlowId, connection: &ConnectionId, status: Status, reason: Option<&str>) -> Result<()> {
    tx.prepare_cached("UPDATE sign_in_flow SET status = ?2, reason = ?3 WHERE id = ?1")?.execute(params![id, status.as_str(), reason])?;
    vault.remove(tx, id.as_str())?;
    tx.changed(Change::Connection { id: connection.clone() });
    Ok(())
}
