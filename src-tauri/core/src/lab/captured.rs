//! An arrival of a real shop, taken along into the Lab: without its secrets, and with the Lab's account in the place of the shop's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::{add_channel, of};
use crate::arrivals::{self, Verdict};
use crate::clock::Timestamp;
use crate::connector::Request;
use crate::conversations::Effect;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::ArrivalId;
use crate::say;

/// How the file says what it is.
pub const FORMAT: &str = "shopbell-arrival/1";
/// How long replayed arrivals may take to be read.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);
/// An account's number or name that is shorter may stand for anything in a text.
const SHORTEST: usize = 6;

/// An arrival as it is taken along.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct CapturedArrival {
    /// Always "shopbell-arrival/1".
    pub format: String,
    /// The kind of channel it came over.
    pub connector: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Numbers and names of the account that stand in it, by the field of the form they come from. Never a secret.
    pub account: BTreeMap<String, String>,
    /// "POST", "GET", or "PULL" for what was fetched.
    pub method: String,
    /// Below the hook.
    pub path: String,
    /// The query.
    pub query: String,
    /// Its headers, secrets masked.
    pub headers: Vec<(String, String)>,
    /// Its body, secrets masked.
    pub body: String,
}

/// What came of a replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct LabReplayed {
    /// How many arrivals were made.
    pub arrivals: u32,
    /// How many messages are there that were not there before.
    pub new_messages: u32,
    /// How many arrivals ended how.
    pub verdicts: BTreeMap<String, u32>,
}

/// The account's numbers and names in `config` that stand in one of `texts`, in any writing.
pub fn account_in(config: &Value, texts: &[&str]) -> BTreeMap<String, String> {
    let mut account = BTreeMap::new();
    collect("", config, &mut account);
    account.retain(|path, value| {
        let writings: Vec<String> = writers().iter().map(|write| write(value)).filter(|written| written.len() >= SHORTEST).collect();
        path != "base_url" && texts.iter().any(|text| writings.iter().any(|written| text.contains(written)))
    });
    account
}

fn collect(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            into.insert(path.to_owned(), text.clone());
        }
        Value::Object(map) => {
            for (key, value) in map {
                collect(&if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value, into);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {}
    }
}

/// How programs write a text: as it is, in JSON, in JSON with escaped slashes, in a form.
fn writers() -> [fn(&str) -> String; 5] {
    fn json(text: &str) -> String {
        let quoted = Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    }
    [
        str::to_owned,
        json,
        |text| json(text).replace('/', "\\/"),
        |text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        // A number is often written without what people put between its digits.
        |text| text.chars().filter(char::is_ascii_digit).collect(),
    ]
}

/// The same text with the account `to` in the place of `from`.
fn moved(text: &str, from: &BTreeMap<String, String>, to: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (path, old) in from {
        let Some(new) = to.get(path).filter(|new| *new != old) else { continue };
        for write in writers() {
            let (old, new) = (write(old), write(new));
            if old.len() >= SHORTEST && !new.is_empty() {
                text = text.replace(&old, &new);
            }
        }
    }
    text
}

/// Plays `captured` into the Lab so many times, each after the other, and says what came of it. Its channel is added if it is missing.
///
/// # Errors
/// When the file is none of ours, or its kind of channel cannot be played.
pub async fn replay(hub: &Arc<Hub>, captured: &CapturedArrival, times: u32) -> Result<LabReplayed> {
    let lab = of(hub)?;
    if captured.format != FORMAT {
        return Err(Error::field("arrival", say!("This is no arrival that Shopbell has written.")));
    }
    let known = lab.benches().into_iter().find(|bench| bench.kind == captured.connector);
    let bench = match known {
        Some(bench) => bench,
        None => add_channel(hub, &captured.connector).await?,
    };
    let live = hub.connections.get(&bench.connection).ok_or_else(|| Error::not_found(say!("The Lab has no such channel.")))?;
    let mut account = BTreeMap::new();
    collect("", &live.connection.config, &mut account);
    let to_lab = |text: &str| moved(text, &captured.account, &account);
    let request = Request {
        method: captured.method.clone(),
        path: to_lab(&captured.path),
        query: to_lab(&captured.query),
        headers: captured.headers.iter().map(|(name, value)| (name.clone(), to_lab(value))).collect(),
        body: to_lab(&captured.body).into(),
        url: String::new(),
    };
    let connection = bench.connection.clone();
    // It was verified where it came in; its signature was made with a key that the Lab must not have.
    let ids: Vec<ArrivalId> =
        hub.store.write(move |tx| (0..times).map(|_| arrivals::insert(tx, &connection, &request, &[])).collect()).await?;
    outcome(hub, ids).await
}

/// Waits until all are read and counts what became of them.
async fn outcome(hub: &Arc<Hub>, ids: Vec<ArrivalId>) -> Result<LabReplayed> {
    let ids = Arc::new(serde_json::to_string(&ids).map_err(anyhow::Error::from)?);
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let wanted = ids.clone();
        let rows = hub
            .store
            .read(move |db| {
                let mut statement =
                    db.prepare_cached("SELECT verdict, effects FROM arrival WHERE id IN (SELECT value FROM json_each(?1))")?;
                let rows = statement.query_map(params![*wanted], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
                Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
            })
            .await?;
        if rows.iter().all(|(verdict, _)| verdict != Verdict::Pending.as_str()) {
            let mut replayed = LabReplayed { arrivals: 0, new_messages: 0, verdicts: BTreeMap::new() };
            for (verdict, effects) in rows {
                let effects: Vec<Effect> = serde_json::from_str(&effects).map_err(anyhow::Error::from)?;
                let new = effects.iter().filter(|effect| matches!(effect, Effect::Message { .. })).count();
                replayed.arrivals += 1;
                replayed.new_messages += u32::try_from(new).unwrap_or(u32::MAX);
                *replayed.verdicts.entry(verdict).or_default() += 1;
            }
            return Ok(replayed);
        }
        if tokio::time::Instant::now() > until {
            return Err(Error::new(
                Code::Unavailable,
                say!("The arrivals are still being read. Look under Activity what becomes of them."),
            ));
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_is_found_and_replaced_in_every_writing() {
        let shop =
            json!({ "phone_number": "+5511988887777", "name": "Oi", "base_url": "https://graph.example", "deep": { "id": "a/b-123" } });
        let body = r#"{"id":"a\/b-123","to":"5511988887777"}&To=%2B5511988887777"#;
        let account = account_in(&shop, &[body]);
        assert_eq!(account.keys().collect::<Vec<_>>(), ["deep.id", "phone_number"]);
        let lab = BTreeMap::from([("phone_number".to_owned(), "+15550100".to_owned()), ("deep.id".to_owned(), "x/y".to_owned())]);
        assert_eq!(moved(body, &account, &lab), r#"{"id":"x\/y","to":"15550100"}&To=%2B15550100"#);
        assert_eq!(account_in(&shop, &["nothing of it"]), BTreeMap::new());
    }
}
