//! Who answers.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{Empty, Items, first_id_at};
use super::settings;
use crate::agent::rows;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{AgentId, ConnectionId, TurnId};
use crate::model::{Agent, ModelSettings, StreamMode};
use crate::money::MicroUsd;
use crate::say;

/// Which agent.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct GetAgent {
    /// Its id.
    pub id: AgentId,
}

/// Somebody (a program) who answers.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, TS)]
#[schemars(rename = "Agent")]
#[ts(rename = "Agent")]
pub struct AgentRow {
    /// Its id.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// What it is told. May hold `{{variables}}`.
    pub instructions: String,
    /// What it is told besides on one kind of channel, by connector.
    pub channel_instructions: std::collections::BTreeMap<String, String>,
    /// The model connection it asks.
    pub connection: ConnectionId,
    /// The model there; the connection's default when empty.
    pub model: String,
    /// How the model is asked.
    pub settings: ModelSettings,
    /// The tools it may use.
    pub tools: Vec<String>,
    /// How its answers are cut.
    pub stream_mode: StreamMode,
    /// It answers where no other agent is named.
    pub default: bool,
    /// Its answers in the last 24 hours.
    pub turns_today: i64,
    /// What they cost.
    pub cost_today_micro_usd: MicroUsd,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

fn read(row: &Row<'_>) -> rusqlite::Result<(Agent, Timestamp, Timestamp)> {
    Ok((rows::from_row(row)?, row.get(9)?, row.get(10)?))
}

fn show(db: &rusqlite::Connection, read: (Agent, Timestamp, Timestamp), default: Option<&str>, now: Timestamp) -> Result<AgentRow> {
    let (agent, created_at, updated_at) = read;
    let since = first_id_at(TurnId::PREFIX, Timestamp::from_millis(now.millis() - 86_400_000));
    let (turns_today, cost) = db
        .prepare_cached("SELECT count(*), coalesce(sum(cost), 0) FROM turn WHERE id >= ?1 AND agent = ?2 AND status = 'done'")?
        .query_row(rusqlite::params![since, agent.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(AgentRow {
        default: default == Some(agent.id.as_str()),
        turns_today,
        cost_today_micro_usd: cost,
        id: agent.id,
        name: agent.name,
        instructions: agent.instructions,
        channel_instructions: agent.channel_instructions,
        connection: agent.connection,
        model: agent.model,
        settings: agent.settings,
        tools: agent.tools,
        stream_mode: agent.stream_mode,
        created_at,
        updated_at,
    })
}

/// Every agent, oldest first.
pub async fn list_agents(hub: &Arc<Hub>, _: Empty) -> Result<Items<AgentRow>> {
    let now = hub.store.clock().now();
    let items = hub
        .store
        .read(move |db| {
            let default = settings::text(db, settings::DEFAULT_AGENT)?;
            let mut statement =
                db.prepare_cached(&format!("SELECT {}, created_at, updated_at FROM agent ORDER BY id LIMIT 200", rows::COLUMNS))?;
            let rows = statement.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
            rows.into_iter().map(|row| show(db, row, default.as_deref(), now)).collect()
        })
        .await?;
    Ok(Items { items })
}

/// One agent.
pub async fn get_agent(hub: &Arc<Hub>, request: GetAgent) -> Result<AgentRow> {
    row(hub, request.id).await
}

/// The row of one agent.
///
/// # Errors
/// `not_found` when there is none.
pub async fn row(hub: &Arc<Hub>, id: AgentId) -> Result<AgentRow> {
    let now = hub.store.clock().now();
    hub.store
        .read(move |db| {
            let default = settings::text(db, settings::DEFAULT_AGENT)?;
            let sql = format!("SELECT {}, created_at, updated_at FROM agent WHERE id = ?1", rows::COLUMNS);
            let found = db.prepare_cached(&sql)?.query_row([&id], read).optional()?.ok_or_else(not_found)?;
            show(db, found, default.as_deref(), now)
        })
        .await
}

/// What is said of an agent that is not there.
pub(super) fn not_found() -> Error {
    Error::not_found(say!("This agent is not there any more."))
}

/// Whether there is such an agent.
///
/// # Errors
/// `not_found` when there is none.
pub(super) fn must_be(db: &rusqlite::Connection, id: &AgentId) -> Result<()> {
    let there: bool = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM agent WHERE id = ?1)")?.query_row([id], |row| row.get(0))?;
    if there { Ok(()) } else { Err(not_found()) }
}
