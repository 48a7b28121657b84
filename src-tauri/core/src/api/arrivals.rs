//! What came in, raw, with its verdict.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::asked::{self, Page};
use super::masking::Mask;
use crate::clock::Timestamp;
use crate::conversations::Effect;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{ArrivalId, ConnectionId};
use crate::lab::captured::{self, CapturedArrival};
use crate::say;

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not looked at yet.
    Pending,
    /// Everything in it was done.
    Handled,
    /// Everything in it was known already.
    Repeat,
    /// Understood, and nothing to do.
    Nothing,
    /// It could not be read; kept, and can be replayed.
    NotUnderstood,
    /// It failed too often and waits for a person.
    Parked,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Handled => "handled",
            Self::Repeat => "repeat",
            Self::Nothing => "nothing",
            Self::NotUnderstood => "not_understood",
            Self::Parked => "parked",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "handled" => Self::Handled,
            "repeat" => Self::Repeat,
            "nothing" => Self::Nothing,
            "not_understood" => Self::NotUnderstood,
            "parked" => Self::Parked,
            _ => Self::Pending,
        }
    }
}

/// Which arrivals to list.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct ListArrivals {
    /// Only those of one connection.
    pub connection: Option<ConnectionId>,
    /// Only those with this verdict.
    pub verdict: Option<Verdict>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many, 200 at most.
    pub limit: Option<u32>,
}

/// Which arrival.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct GetArrival {
    /// Its id.
    pub id: ArrivalId,
}

/// Something that came in.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "Arrival")]
#[ts(rename = "Arrival", optional_fields = nullable)]
pub struct ArrivalRow {
    /// Its id.
    pub id: ArrivalId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// When.
    pub received_at: Timestamp,
    /// How: "POST", "GET", or "PULL" for what was fetched.
    pub method: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: Option<String>,
    /// Its size.
    pub bytes: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// What it did.
    pub effects: Vec<Effect>,
}

/// An arrival, raw.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct ArrivalWhole {
    /// What it is.
    #[serde(flatten)]
    pub arrival: ArrivalRow,
    /// As it came, secrets masked.
    pub raw: Raw,
}

/// A request as it came.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct Raw {
    /// "POST", "GET", "PULL".
    pub method: String,
    /// Below the hook.
    pub path: String,
    /// The query.
    pub query: String,
    /// Its headers, in order.
    pub headers: Vec<Header>,
    /// Its body as text; bytes that are no text show as �.
    pub body: String,
}

/// One header.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// Which refusals to list.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct ListRefusals {
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many, 200 at most.
    pub limit: Option<u32>,
}

/// A request that was refused.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "Refusal")]
#[ts(rename = "Refusal", optional_fields = nullable)]
pub struct RefusalRow {
    /// When.
    pub at: Timestamp,
    /// For which connection, if any.
    pub connection: Option<ConnectionId>,
    /// Why.
    pub reason: String,
    /// Where it came from.
    pub address: String,
    /// Its size.
    pub bytes: i64,
}

const COLUMNS: &str = "seq, id, connection, received_at, method, verdict, reason, length(body), attempts, effects";

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, ArrivalRow)> {
    let arrival = ArrivalRow {
        id: row.get(1)?,
        connection: row.get(2)?,
        received_at: row.get(3)?,
        method: row.get(4)?,
        verdict: Verdict::parse(row.get_ref(5)?.as_str()?),
        reason: row.get(6)?,
        bytes: row.get(7)?,
        attempts: row.get(8)?,
        effects: effects(row.get_ref(9)?.as_str()?),
    };
    Ok((row.get(0)?, arrival))
}

/// What an arrival did, as it was written down; what this version does not know is left out.
fn effects(text: &str) -> Vec<Effect> {
    let list: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    list.into_iter().filter_map(|effect| serde_json::from_value(effect).ok()).collect()
}

/// What came in, newest first.
pub async fn list_arrivals(hub: &Arc<Hub>, request: ListArrivals) -> Result<Page<ArrivalRow>> {
    let limit = asked::limit(request.limit, 50)?;
    let before = asked::place::<i64>(request.cursor.as_deref())?.unwrap_or(i64::MAX);
    let rows = hub
        .store
        .read(move |db| {
            let over = if request.connection.is_some() { "connection = ?2" } else { "?2 IS NULL" };
            let judged = match request.verdict {
                None => "?3 IS NULL",
                Some(Verdict::Pending) => "verdict = ?3 AND verdict = 'pending'",
                Some(_) => "verdict = ?3",
            };
            let sql = format!("SELECT {COLUMNS} FROM arrival WHERE seq < ?1 AND {over} AND {judged} ORDER BY seq DESC LIMIT ?4");
            let many = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map(params![before, request.connection, request.verdict.map(Verdict::as_str), many], read)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await?;
    Ok(Page::cut(rows, limit, |(seq, _)| *seq).map(|(_, row)| row))
}

/// One arrival, raw. Whatever is a secret of its connection is masked, wherever it stands.
pub async fn get_arrival(hub: &Arc<Hub>, request: GetArrival) -> Result<ArrivalWhole> {
    let vault = hub.vault.clone();
    let (whole, unseen) = hub
        .store
        .read(move |db| {
            let sql = format!("SELECT {COLUMNS}, path, query, headers, body, seen_at IS NULL FROM arrival WHERE id = ?1");
            let found = db.prepare_cached(&sql)?.query_row([&request.id], |row| {
                let (_, arrival) = read(row)?;
                let headers: Vec<(String, String)> = serde_json::from_str(row.get_ref(12)?.as_str()?).unwrap_or_default();
                let raw = Raw {
                    method: arrival.method.clone(),
                    path: row.get(10)?,
                    query: row.get(11)?,
                    headers: headers.into_iter().map(|(name, value)| Header { name, value }).collect(),
                    body: String::from_utf8_lossy(row.get_ref(13)?.as_bytes()?).into_owned(),
                };
                Ok((ArrivalWhole { arrival, raw }, row.get::<_, bool>(14)?))
            });
            let (mut whole, unseen) = found.optional()?.ok_or_else(not_found)?;
            let mask = Mask::of(vault.open_all(db, whole.arrival.connection.as_str())?.secrets.into_values());
            let Raw { path, query, headers, body, .. } = &mut whole.raw;
            for text in [path, query, body].into_iter().chain(headers.iter_mut().map(|header| &mut header.value)) {
                mask.cover(text);
            }
            Ok((whole, unseen))
        })
        .await?;
    if unseen && matches!(whole.arrival.verdict, Verdict::NotUnderstood | Verdict::Parked) {
        seen(hub, whole.arrival.id.clone()).await;
    }
    Ok(whole)
}

/// An arrival to be taken along into a Lab. Whatever is a secret of its connection is masked; of the settings only those come along that
/// stand in it, so that the Lab can put its own account in their place.
pub async fn export_arrival(hub: &Arc<Hub>, request: GetArrival) -> Result<CapturedArrival> {
    let ArrivalWhole { arrival, raw } = get_arrival(hub, request).await?;
    let Raw { method, path, query, headers, body } = raw;
    let connection = arrival.connection.clone();
    let connection = hub.store.read(move |db| crate::connections::get(db, &connection)?.ok_or_else(super::connections::gone)).await?;
    let headers: Vec<(String, String)> = headers.into_iter().map(|header| (header.name, header.value)).collect();
    let texts: Vec<&str> = [&path, &query, &body].into_iter().chain(headers.iter().map(|(_, value)| value)).map(String::as_str).collect();
    let account = captured::account_in(&connection.config, &texts);
    let (connector, received_at) = (connection.connector, arrival.received_at);
    Ok(CapturedArrival { format: captured::FORMAT.to_owned(), connector, received_at, account, method, path, query, headers, body })
}

/// Notes that a person has looked: what nobody has seen is kept longest. Not worth failing the look for.
async fn seen(hub: &Arc<Hub>, id: ArrivalId) {
    let noted = hub.store.write(move |tx| {
        tx.prepare_cached("UPDATE arrival SET seen_at = ?2 WHERE id = ?1 AND seen_at IS NULL")?.execute(params![id, tx.now()])?;
        Ok(())
    });
    if let Err(error) = noted.await {
        tracing::warn!(error = ?error, "That an arrival was looked at could not be noted.");
    }
}

/// Reads an arrival again; what it did before is not done twice.
pub async fn replay_arrival(hub: &Arc<Hub>, request: GetArrival) -> Result<ArrivalRow> {
    hub.store
        .write(move |tx| {
            crate::arrivals::replay(tx, &request.id)?;
            let sql = format!("SELECT {COLUMNS} FROM arrival WHERE id = ?1");
            Ok(tx.prepare_cached(&sql)?.query_row([&request.id], read)?.1)
        })
        .await
}

/// What is said of an arrival that is not there.
pub(super) fn not_found() -> Error {
    Error::not_found(say!("This arrival is not there any more."))
}

/// Requests that were refused, newest first.
pub async fn list_refusals(hub: &Arc<Hub>, request: ListRefusals) -> Result<Page<RefusalRow>> {
    let limit = asked::limit(request.limit, 50)?;
    let before = asked::place::<i64>(request.cursor.as_deref())?.unwrap_or(i64::MAX);
    let rows = hub
        .store
        .read(move |db| {
            let sql = "SELECT seq, at, connection, reason, address, size FROM refusal WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map(params![before, i64::try_from(limit + 1).unwrap_or(i64::MAX)], |row| {
                let refusal =
                    RefusalRow { at: row.get(1)?, connection: row.get(2)?, reason: row.get(3)?, address: row.get(4)?, bytes: row.get(5)? };
                Ok((row.get::<_, i64>(0)?, refusal))
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await?;
    Ok(Page::cut(rows, limit, |(seq, _)| *seq).map(|(_, row)| row))
}
