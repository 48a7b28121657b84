//! Totals per connection, how soon customers hear something, what it costs.
//!
//! Messages are counted as they come (`message_tally`), so nothing here reads them one by one. First answers are looked at for the
//! newest conversations of the period alone, and their number says how many.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::first_id_at;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::{AgentId, ConnectionId, ConversationId, TurnId};
use crate::money::MicroUsd;

/// Of which time.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct AskAnalytics {
    /// From this moment on; the last thirty days when missing. Whole days (UTC) are counted.
    pub since: Option<Timestamp>,
}

/// How the shop does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct Analytics {
    /// From when on the figures of the period count.
    pub since: Timestamp,
    /// All messages ever, by kind of connector.
    pub total_messages_by_channel: BTreeMap<String, i64>,
    /// When the last message came or went, by kind of connector.
    pub last_message_by_channel: BTreeMap<String, Timestamp>,
    /// Each connection.
    pub connections: Vec<ConnectionFigures>,
    /// How soon customers heard something.
    pub first_response: FirstResponse,
    /// Each agent.
    pub agents: Vec<AgentFigures>,
    /// What the agents' answers cost in the period.
    pub cost_micro_usd: MicroUsd,
}

/// Figures of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct ConnectionFigures {
    /// Which.
    pub connection: ConnectionId,
    /// What it is called.
    pub name: String,
    /// Its kind.
    pub connector: String,
    /// All messages ever.
    pub total: i64,
    /// From customers, in the period.
    pub from_customers: i64,
    /// From agents, in the period.
    pub from_agents: i64,
    /// From people of the shop, in the period.
    pub from_people: i64,
    /// When the last message came or went.
    pub last_message_at: Option<Timestamp>,
}

/// How soon customers heard something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct FirstResponse {
    /// Half of the conversations had an answer within this.
    pub median_ms: Option<i64>,
    /// Nine of ten had.
    pub slowest_tenth_ms: Option<i64>,
    /// Conversations that were answered.
    pub answered: i64,
    /// Conversations that wait for their first answer.
    pub waiting: i64,
}

/// Figures of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct AgentFigures {
    /// Which.
    pub agent: AgentId,
    /// Its name; null when it was deleted.
    pub name: Option<String>,
    /// Its answers in the period.
    pub turns: i64,
    /// How many of them failed.
    pub failed: i64,
    /// What they cost.
    pub cost_micro_usd: MicroUsd,
}

const DAY: i64 = 86_400_000;
/// How many conversations are looked at for first answers.
const LOOKED_AT: i64 = 2000;

/// Totals per connection, first response time, cost.
pub async fn analytics(hub: &Arc<Hub>, request: AskAnalytics) -> Result<Analytics> {
    let now = hub.store.clock().now();
    let asked = request.since.map_or(now.millis() - 30 * DAY, Timestamp::millis).clamp(0, now.millis());
    let since = Timestamp::from_millis(asked - asked % DAY);
    let channels: Vec<&str> = hub.connectors.iter().filter(|(_, connector)| connector.channel().is_some()).map(|(kind, _)| *kind).collect();
    hub.store
        .read(move |db| {
            let mut connections = connections(db, since)?;
            // Models carry no messages; there is nothing to count.
            connections.retain(|figures| figures.total > 0 || channels.contains(&figures.connector.as_str()));
            let agents = agents(db, since)?;
            let mut totals = BTreeMap::new();
            let mut last = BTreeMap::new();
            for figures in &connections {
                *totals.entry(figures.connector.clone()).or_default() += figures.total;
                if let Some(at) = figures.last_message_at {
                    let entry = last.entry(figures.connector.clone()).or_insert(at);
                    *entry = at.max(*entry);
                }
            }
            Ok(Analytics {
                since,
                total_messages_by_channel: totals,
                last_message_by_channel: last,
                first_response: first_response(db, since)?,
                cost_micro_usd: agents.iter().fold(MicroUsd(0), |sum, agent| sum + agent.cost_micro_usd),
                connections,
                agents,
            })
        })
        .await
}

fn connections(db: &rusqlite::Connection, since: Timestamp) -> Result<Vec<ConnectionFigures>> {
    let mut statement = db.prepare_cached(
        "SELECT n.id, n.name, n.connector, coalesce(sum(t.messages), 0), max(t.last_at),
           coalesce(sum(t.messages) FILTER (WHERE t.day >= ?1 AND t.author = 'contact'), 0),
           coalesce(sum(t.messages) FILTER (WHERE t.day >= ?1 AND t.author = 'agent'), 0),
           coalesce(sum(t.messages) FILTER (WHERE t.day >= ?1 AND t.author = 'person'), 0)
         FROM connection n LEFT JOIN message_tally t ON t.connection = n.id
         GROUP BY n.id HAVING n.deleted_at IS NULL OR sum(t.messages) > 0 ORDER BY n.id",
    )?;
    let rows = statement.query_map([since.millis() / DAY], |row| {
        Ok(ConnectionFigures {
            connection: row.get(0)?,
            name: row.get(1)?,
            connector: row.get(2)?,
            total: row.get(3)?,
            last_message_at: row.get(4)?,
            from_customers: row.get(5)?,
            from_agents: row.get(6)?,
            from_people: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn first_response(db: &rusqlite::Connection, since: Timestamp) -> Result<FirstResponse> {
    let mut statement = db.prepare_cached(
        "SELECT (SELECT m.sent_at FROM message m WHERE m.conversation = c.seq AND m.direction = 'in' ORDER BY m.sent_at LIMIT 1),
                (SELECT m.sent_at FROM message m WHERE m.conversation = c.seq AND m.direction = 'out' ORDER BY m.sent_at LIMIT 1)
         FROM conversation c WHERE c.id >= ?1 ORDER BY c.id DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![first_id_at(ConversationId::PREFIX, since), LOOKED_AT], |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?))
    })?;
    let mut times = Vec::new();
    let mut waiting = 0;
    for row in rows {
        match row? {
            (Some(asked), Some(answered)) => times.push((answered - asked).max(0)),
            (Some(_), None) => waiting += 1,
            (None, _) => {}
        }
    }
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1))).copied();
    Ok(FirstResponse { median_ms: at(50), slowest_tenth_ms: at(90), answered: i64::try_from(times.len()).unwrap_or(i64::MAX), waiting })
}

fn agents(db: &rusqlite::Connection, since: Timestamp) -> Result<Vec<AgentFigures>> {
    let mut statement = db.prepare_cached(
        "SELECT t.agent, a.name, count(*) FILTER (WHERE t.status = 'done'), count(*) FILTER (WHERE t.status = 'failed'), coalesce(sum(t.cost), 0)
         FROM turn t LEFT JOIN agent a ON a.id = t.agent WHERE t.id >= ?1 GROUP BY t.agent ORDER BY t.agent",
    )?;
    let rows = statement.query_map([first_id_at(TurnId::PREFIX, since)], |row| {
        Ok(AgentFigures { agent: row.get(0)?, name: row.get(1)?, turns: row.get(2)?, failed: row.get(3)?, cost_micro_usd: row.get(4)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
