//! One row per connection: where it should be called, where it is, and why not.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use crate::clock::Timestamp;
use crate::error::Result;
use crate::id::ConnectionId;
use crate::store::Tx;

/// Where a registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is to be told.
    Waiting,
    /// It is being told.
    Registering,
    /// It is so, by the service's own word.
    Confirmed,
    /// It came to nothing; `again` = trying again may help.
    Failed {
        /// It is tried again by itself.
        again: bool,
    },
    /// The owner has to do something at the service.
    Manual,
    /// Another program has it.
    Elsewhere,
}

/// The same as the screens see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationState {
    /// It is to be told.
    Waiting,
    /// It is being told.
    Registering,
    /// It is so, by the service's own word.
    Confirmed,
    /// It came to nothing.
    Failed,
    /// The owner has to do something at the service.
    Manual,
    /// Another program has it.
    Elsewhere,
}

impl From<State> for RegistrationState {
    fn from(state: State) -> Self {
        match state {
            State::Waiting => Self::Waiting,
            State::Registering => Self::Registering,
            State::Confirmed => Self::Confirmed,
            State::Failed { .. } => Self::Failed,
            State::Manual => Self::Manual,
            State::Elsewhere => Self::Elsewhere,
        }
    }
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Registering => "registering",
            Self::Confirmed => "confirmed",
            Self::Failed { .. } => "failed",
            Self::Manual => "manual",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// A connection's registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Whose.
    pub connection: ConnectionId,
    /// Where it should be called.
    pub desired_url: String,
    /// Where it stands.
    pub state: State,
    /// Where it is called, by the service's own word.
    pub confirmed_url: Option<String>,
    /// Why not, in a sentence.
    pub error: Option<String>,
    /// When it was last told.
    pub tried_at: Option<Timestamp>,
    /// When it is told again.
    pub next_at: Option<Timestamp>,
    /// When the service last confirmed it.
    pub confirmed_at: Option<Timestamp>,
    /// How often in a row it came to nothing.
    pub attempts: u32,
}

const COLUMNS: &str = "connection, desired_url, state, confirmed_url, error, tried_at, next_at, confirmed_at, attempts";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Registration> {
    let next_at: Option<Timestamp> = row.get(6)?;
    let state = match row.get_ref(2)?.as_str()? {
        "registering" => State::Registering,
        "confirmed" => State::Confirmed,
        "failed" => State::Failed { again: next_at.is_some() },
        "manual" => State::Manual,
        "elsewhere" => State::Elsewhere,
        _ => State::Waiting,
    };
    Ok(Registration {
        connection: row.get(0)?,
        desired_url: row.get(1)?,
        state,
        confirmed_url: row.get(3)?,
        error: row.get(4)?,
        tried_at: row.get(5)?,
        next_at,
        confirmed_at: row.get(7)?,
        attempts: row.get(8)?,
    })
}

/// Every registration.
pub fn all(db: &Connection) -> Result<HashMap<ConnectionId, Registration>> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM registration"))?;
    let rows = statement.query_map([], from_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(rows.into_iter().map(|row| (row.connection.clone(), row)).collect())
}

/// One registration.
pub fn get(db: &Connection, id: &ConnectionId) -> Result<Option<Registration>> {
    Ok(db.prepare_cached(&format!("SELECT {COLUMNS} FROM registration WHERE connection = ?1"))?.query_row([id], from_row).optional()?)
}

/// Notes that a service is being told; gives back what stood there before.
pub fn begin(tx: &Tx<'_>, id: &ConnectionId, url: &str) -> Result<Option<Registration>> {
    let before = get(tx, id)?;
    tx.execute(
        "INSERT INTO registration (connection, desired_url, state, tried_at) VALUES (?1, ?2, 'registering', ?3)
         ON CONFLICT (connection) DO UPDATE SET desired_url = ?2, state = 'registering', tried_at = ?3,
             attempts = CASE WHEN desired_url = ?2 THEN attempts ELSE 0 END",
        params![id, url, tx.now()],
    )?;
    Ok(before)
}

/// Notes what became of it, unless another address is wanted by now.
pub fn finish(
    tx: &Tx<'_>,
    id: &ConnectionId,
    url: &str,
    state: &State,
    confirmed: Option<&str>,
    error: Option<&str>,
    next_at: Option<Timestamp>,
) -> Result<()> {
    let next_at = if matches!(state, State::Failed { again: true }) { next_at } else { None };
    let is_so = *state == State::Confirmed;
    tx.execute(
        "UPDATE registration SET state = ?3, confirmed_url = coalesce(?4, confirmed_url), error = ?5, next_at = ?6,
             confirmed_at = CASE WHEN ?7 THEN ?8 ELSE confirmed_at END, attempts = CASE WHEN ?7 THEN 0 ELSE attempts + 1 END
         WHERE connection = ?1 AND desired_url = ?2",
        params![id, url, state.name(), confirmed, error, next_at, is_so, tx.now()],
    )?;
    Ok(())
}

/// The service still says so, or does not.
pub fn seen(tx: &Tx<'_>, id: &ConnectionId, state: State, confirmed: Option<&str>, error: Option<&str>) -> Result<()> {
    tx.execute(
        "UPDATE registration SET state = ?2, confirmed_url = coalesce(?3, confirmed_url), error = ?4,
             confirmed_at = CASE WHEN ?2 = 'confirmed' THEN ?5 ELSE confirmed_at END WHERE connection = ?1",
        params![id, state.name(), confirmed, error, tx.now()],
    )?;
    Ok(())
}

/// What was being told when the program died is told again.
pub fn recover(tx: &Tx<'_>) -> Result<usize> {
    Ok(tx.execute("UPDATE registration SET state = 'waiting' WHERE state = 'registering'", [])?)
}
