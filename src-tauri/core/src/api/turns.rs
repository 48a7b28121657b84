//! The answers of agents, step by step.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::asked::{self, Page};
use super::conversations;
use crate::agent::ledger::Summary;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{AgentId, ConversationId, TurnId};
use crate::model::Usage;
use crate::money::MicroUsd;
use crate::say;

/// What became of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum TurnStatus {
    /// Waiting for its moment.
    Wanted,
    /// In the making.
    Running,
    /// Answered.
    Done,
    /// The customer wrote again before anything left.
    Superseded,
    /// It could not be answered.
    Failed,
    /// A person took over.
    Stopped,
}

impl TurnStatus {
    fn parse(text: &str) -> Self {
        match text {
            "running" => Self::Running,
            "done" => Self::Done,
            "superseded" => Self::Superseded,
            "failed" => Self::Failed,
            "stopped" => Self::Stopped,
            _ => Self::Wanted,
        }
    }
}

/// Which turns to list.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct ListTurns {
    /// Only those of one conversation.
    pub conversation: Option<ConversationId>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many, 200 at most.
    pub limit: Option<u32>,
}

/// Which turn.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct GetTurn {
    /// Its id.
    pub id: TurnId,
}

/// One answer of an agent.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "Turn")]
#[ts(rename = "Turn", optional_fields = nullable)]
pub struct TurnRow {
    /// Its id.
    pub id: TurnId,
    /// Where.
    pub conversation: ConversationId,
    /// Whose.
    pub agent: AgentId,
    /// The agent's name.
    pub agent_name: Option<String>,
    /// What became of it.
    pub status: TurnStatus,
    /// When the customer's message asked for it.
    pub wanted_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How often it was begun.
    pub attempts: i64,
    /// Tokens and cost.
    pub usage: Usage,
    /// What it cost.
    pub cost_micro_usd: MicroUsd,
    /// Why it failed.
    pub error: Option<String>,
}

/// A turn with its steps.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct TurnWhole {
    /// What it is.
    #[serde(flatten)]
    pub turn: TurnRow,
    /// What it did, in order.
    pub steps: Vec<TurnStep>,
    /// What is left where the steps are not kept any more, after a month.
    pub summary: Option<Summary>,
}

/// One step of a turn.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct TurnStep {
    /// "said", "call" (the model wants a tool), "begun" (a tool that changes something was started), "result".
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: i64,
    /// Its particulars.
    #[ts(type = "Record<string, unknown>")]
    pub body: Value,
}

const SELECT: &str = "SELECT t.seq, t.id, c.id, t.agent, a.name, t.status, t.wanted_at, t.started_at, t.finished_at, t.attempts, t.usage,
    t.cost, t.error
  FROM turn t CROSS JOIN conversation c ON c.seq = t.conversation LEFT JOIN agent a ON a.id = t.agent";

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, TurnRow)> {
    let turn = TurnRow {
        id: row.get(1)?,
        conversation: row.get(2)?,
        agent: row.get(3)?,
        agent_name: row.get(4)?,
        status: TurnStatus::parse(row.get_ref(5)?.as_str()?),
        wanted_at: row.get(6)?,
        started_at: row.get(7)?,
        ended_at: row.get(8)?,
        attempts: row.get(9)?,
        usage: serde_json::from_str(row.get_ref(10)?.as_str()?).unwrap_or_default(),
        cost_micro_usd: row.get(11)?,
        error: row.get(12)?,
    };
    Ok((row.get(0)?, turn))
}

/// The answers of agents, newest first.
pub async fn list_turns(hub: &Arc<Hub>, request: ListTurns) -> Result<Page<TurnRow>> {
    let limit = asked::limit(request.limit, 50)?;
    let before = asked::place::<i64>(request.cursor.as_deref())?.unwrap_or(i64::MAX);
    let rows = hub
        .store
        .read(move |db| {
            let conversation = request.conversation.map(|id| conversations::seq(db, &id)).transpose()?;
            let inside = if conversation.is_some() { "t.conversation = ?2" } else { "?2 IS NULL" };
            let sql = format!("{SELECT} WHERE t.seq < ?1 AND {inside} ORDER BY t.seq DESC LIMIT ?3");
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map(params![before, conversation, i64::try_from(limit + 1).unwrap_or(i64::MAX)], read)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await?;
    Ok(Page::cut(rows, limit, |(seq, _)| *seq).map(|(_, row)| row))
}

/// One answer of an agent, step by step.
pub async fn get_turn(hub: &Arc<Hub>, request: GetTurn) -> Result<TurnWhole> {
    hub.store
        .read(move |db| {
            let found = db.prepare_cached(&format!("{SELECT} WHERE t.id = ?1"))?.query_row([&request.id], read).optional()?;
            let (seq, turn) = found.ok_or_else(|| Error::not_found(say!("This answer is not there any more.")))?;
            let mut statement = db.prepare_cached("SELECT kind, at, took_ms, body FROM turn_step WHERE turn = ?1 ORDER BY n")?;
            let steps = statement.query_map([seq], |row| {
                let body = row.get_ref(3)?.as_str()?;
                let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
                Ok(TurnStep { kind: row.get(0)?, at: row.get(1)?, took_ms: row.get(2)?, body })
            })?;
            let steps = steps.collect::<rusqlite::Result<_>>()?;
            let summary: Option<String> =
                db.prepare_cached("SELECT summary FROM turn WHERE seq = ?1")?.query_row([seq], |row| row.get(0))?;
            let summary = summary.and_then(|text| serde_json::from_str(&text).ok());
            Ok(TurnWhole { turn, steps, summary })
        })
        .await
}
