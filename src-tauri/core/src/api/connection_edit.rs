//! Making, changing and deleting the configured accounts.
//!
//! Secrets go to the vault in the same transaction as the row; the row never holds one. A draft may be incomplete, everything else is
//! read by its connector before it is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::agents;
use super::asked::{Empty, NAME, TEXT, Wrong};
use super::connections::{self as shown, ConnectionRow, GetConnection, State};
use crate::connections::secrets::{self, Given};
use crate::connections::{self, with_secrets};
use crate::connector::AnyConnector;
use crate::error::{Code, Error, Result, Sentence};
use crate::hub::{Hub, unknown_connector};
use crate::id::{AgentId, ConnectionId};
use crate::model::{Change, Connection, ConnectionStatus};
use crate::oauth::{flow, grant};
use crate::secret::Secret;
use crate::store::{Stage, Tx};
use crate::vault::{self, Kept};
use crate::{lab, say};

/// The largest settings, in bytes of JSON.
const LARGEST: usize = 256 << 10;

/// A new account.
#[derive(Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct CreateConnection {
    /// The kind of service.
    pub connector: String,
    /// What its owner calls it.
    pub name: String,
    /// Its settings, secrets included.
    #[serde(default)]
    #[ts(type = "Record<string, unknown>")]
    pub config: Value,
    /// Who answers there; the default agent when missing.
    #[serde(default)]
    pub agent: Option<AgentId>,
    /// Keep it although something is missing; it is not used until it is complete.
    #[serde(default)]
    #[ts(as = "Option<bool>")]
    pub draft: bool,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct CreatedConnection {
    /// Its id.
    pub id: ConnectionId,
    /// Whether it is in use.
    pub status: State,
    /// The address to paste at the service, where it calls us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
}

/// Changes of an account; what is missing stays.
#[derive(Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct UpdateConnection {
    /// Which.
    pub id: ConnectionId,
    /// What its owner calls it.
    #[serde(default)]
    pub name: Option<String>,
    /// Settings to change. A secret that is missing or `{"set":true}` stays, empty text takes it away, null takes any other field away.
    #[serde(default)]
    #[ts(type = "Record<string, unknown> | null", optional)]
    pub config: Option<Value>,
    /// Who answers there; null = the default agent.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<AgentId>")]
    #[ts(type = "string | null", optional)]
    pub agent: Option<Option<AgentId>>,
    /// "active", "paused" or "draft".
    #[serde(default)]
    pub status: Option<State>,
}

/// Tells null from missing.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> std::result::Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Settings as they will be kept: without secrets, and the secrets by their place.
struct Split {
    config: Value,
    secrets: BTreeMap<String, Secret>,
    /// What the connector says to them together.
    wrong: Vec<(String, Sentence)>,
}

impl Split {
    fn judged(connector: &dyn AnyConnector, config: Value, secrets: BTreeMap<String, Secret>) -> Self {
        let wrong = connector.settings(with_secrets(&config, &secrets)).err().unwrap_or_default();
        Self { config, secrets, wrong }
    }

    /// Secrets that do not open any more cannot be kept: each must be typed again, and its field says so.
    fn typed_again(mut self, damaged: &[String]) -> Self {
        for place in damaged {
            let path = place.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect::<Vec<_>>().join(".");
            self.wrong.retain(|(other, _)| *other != path);
            self.wrong.insert(0, (path, vault::damaged()));
        }
        self
    }

    fn error(self) -> Error {
        in_config(self.wrong)
    }
}

fn in_config(wrong: Vec<(String, Sentence)>) -> Error {
    let path = |path: String| if path.is_empty() || path == "." { "config".to_owned() } else { format!("config.{path}") };
    Error::fields(wrong.into_iter().map(|(field, sentence)| (path(field), sentence)).collect())
}

/// Takes the secrets out of what a form sent.
fn taken(connector: &dyn AnyConnector, schema: &Value, config: &mut Value) -> Result<Vec<(String, Given)>> {
    if config.is_null() {
        *config = Value::Object(serde_json::Map::new());
    }
    if !config.is_object() {
        return Err(Error::field("config", say!("This must be a group of fields.")));
    }
    if config.to_string().len() > LARGEST {
        return Err(Error::field("config", say!("This is too long: {most} characters fit.", most = LARGEST)));
    }
    let unknown = secrets::unknown(schema, config);
    if !unknown.is_empty() {
        // A misspelt secret must not be kept as if it were none.
        tracing::debug!(connector.kind = connector.about().kind, "Settings with unknown fields were refused.");
        let sentence = |path: &str| say!("There is no field called {name}.", name = path.rsplit('.').next().unwrap_or(path));
        return Err(in_config(unknown.into_iter().map(|path| (path.clone(), sentence(&path))).collect()));
    }
    let taken = secrets::take(schema, config).map_err(in_config)?;
    let mut wrong = Wrong::default();
    long_texts("config", config, &mut wrong);
    wrong.done()?;
    Ok(taken)
}

fn long_texts(path: &str, value: &Value, wrong: &mut Wrong) {
    match value {
        Value::String(text) => wrong.at_most(path, text, TEXT),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| long_texts(&format!("{path}.{n}"), item, wrong)),
        Value::Object(map) => map.iter().for_each(|(key, value)| long_texts(&format!("{path}.{key}"), value, wrong)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Makes a connection and puts it to use.
pub async fn create_connection(hub: &Arc<Hub>, request: CreateConnection) -> Result<CreatedConnection> {
    let connector = hub.connectors.get(request.connector.as_str());
    if hub.lab.is_some() && connector.is_some_and(|connector| lab::leads_out(connector.as_ref())) {
        return Err(stays_in_the_lab());
    }
    make(hub, request).await
}

/// What is said where the Lab would reach somebody real.
fn stays_in_the_lab() -> Error {
    Error::new(Code::Conflict, say!("This is the Lab: it reaches nobody real. Add a channel on the Lab's own page."))
}

/// Makes a connection, also where only a stand-in may be connected.
pub(crate) async fn make(hub: &Arc<Hub>, request: CreateConnection) -> Result<CreatedConnection> {
    let mut wrong = Wrong::default();
    let name = wrong.needed("name", &request.name, NAME);
    wrong.at_most("connector", &request.connector, NAME);
    wrong.done()?;
    let connector = hub.connectors.get(request.connector.as_str()).cloned().ok_or_else(|| unknown_connector(&request.connector))?;
    if let Some(why) = connector.about().disabled {
        return Err(Error::field("connector", Sentence { template: why.into(), args: Vec::new() }));
    }
    let schema = connector.schema();
    let mut config = request.config;
    let secrets = taken(connector.as_ref(), &schema, &mut config)?
        .into_iter()
        .filter_map(|(place, given)| if let Given::New(secret) = given { Some((place, secret)) } else { None })
        .collect();
    let split = Split::judged(connector.as_ref(), config, secrets);
    if !request.draft && !split.wrong.is_empty() {
        return Err(split.error());
    }
    let status = if request.draft { "draft" } else { "active" };
    let id = ConnectionId::new();
    let (vault, new) = (hub.vault.clone(), id.clone());
    let is_played = hub.lab.is_some() && lab::leads_out(connector.as_ref());
    hub.store
        .write(move |tx| {
            if let Some(agent) = &request.agent {
                agents::must_be(tx, agent).map_err(|_| no_agent())?;
            }
            tx.execute(
                "INSERT INTO connection (id, connector, name, status, agent, config, hook_key, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
                params![new, request.connector, name, status, request.agent, split.config, connections::new_hook_key()?, tx.now()],
            )?;
            for (place, secret) in &split.secrets {
                vault.seal_into(tx, new.as_str(), place, secret)?;
            }
            if is_played {
                tx.execute("INSERT INTO lab_channel (connection) VALUES (?1)", [&new])?;
            }
            Ok(())
        })
        .await?;
    in_use(hub, &id).await?;
    let row = shown::row(hub, id).await?;
    Ok(CreatedConnection { id: row.id, status: row.status, webhook_url: row.webhook_url })
}

fn no_agent() -> Error {
    Error::field("agent", say!("This agent is not there any more."))
}

/// Puts what is stored to use, then says that it changed: whoever hears it finds the new one.
async fn in_use(hub: &Arc<Hub>, id: &ConnectionId) -> Result<()> {
    hub.reload(id).await?;
    hub.store.changes().announce(vec![Change::Connection { id: id.clone() }]);
    // What waited for this connection may leave now.
    hub.store.stages().wake(Stage::Arrivals);
    hub.store.stages().wake(Stage::Outbox);
    Ok(())
}

/// Changes a connection and puts it to use.
pub async fn update_connection(hub: &Arc<Hub>, request: UpdateConnection) -> Result<ConnectionRow> {
    let mut wrong = Wrong::default();
    let name = request.name.as_deref().map(|name| wrong.needed("name", name, NAME));
    if matches!(request.status, Some(State::NeedsSignIn | State::Failing)) {
        wrong.add("status", say!("Choose one of: {allowed}.", allowed = "active, paused, draft"));
    }
    wrong.done()?;
    let (inner, id) = (hub.clone(), request.id.clone());
    hub.store
        .write(move |tx| {
            let old = connections::get(tx, &request.id)?.ok_or_else(shown::not_found)?;
            let agent = match request.agent {
                None => old.agent.clone(),
                Some(agent) => agent.filter(|agent| !agent.as_str().is_empty()),
            };
            if let Some(agent) = &agent {
                agents::must_be(tx, agent).map_err(|_| no_agent())?;
            }
            tx.execute(
                "UPDATE connection SET name = ?2, agent = ?3, updated_at = ?4 WHERE id = ?1",
                params![old.id, name.as_ref().unwrap_or(&old.name), agent, tx.now()],
            )?;
            if request.config.is_some() || request.status.is_some() {
                change(&inner, tx, &old, request.config, request.status)?;
            }
            Ok(())
        })
        .await?;
    in_use(hub, &id).await?;
    shown::row(hub, id).await
}

/// Writes new settings and the status that follows from them.
fn change(hub: &Hub, tx: &Tx<'_>, old: &Connection, config: Option<Value>, status: Option<State>) -> Result<()> {
    let connector = hub.connectors.get(old.connector.as_str()).ok_or_else(|| unknown_connector(&old.connector))?;
    let changed = config.is_some();
    let (split, moved) = merged(hub, tx, connector.as_ref(), old, config)?;
    if moved && hub.lab.is_some() {
        return Err(stays_in_the_lab());
    }
    let was_draft = old.status == ConnectionStatus::Draft;
    let (status, reason) = match status {
        Some(State::Draft) => ("draft", None),
        Some(State::Paused) => ("paused", None),
        None if split.wrong.is_empty() => match &old.status {
            ConnectionStatus::Draft => ("draft", None),
            ConnectionStatus::Paused => ("paused", None),
            ConnectionStatus::NeedsSignIn { reason } if !changed => ("needs_sign_in", Some(reason.clone())),
            ConnectionStatus::Failing { reason } if !changed => ("failing", Some(reason.clone())),
            // New settings deserve a new try.
            ConnectionStatus::Active | ConnectionStatus::NeedsSignIn { .. } | ConnectionStatus::Failing { .. } => ("active", None),
        },
        None if was_draft => ("draft", None),
        _ if split.wrong.is_empty() => ("active", None),
        _ if moved => ("needs_sign_in", Some(hub.say(&say!("The address changed, so its keys were forgotten. Type them again.")))),
        _ => return Err(split.error()),
    };
    tx.execute(
        "UPDATE connection SET config = ?2, status = ?3, status_reason = ?4 WHERE id = ?1",
        params![old.id, split.config, status, reason],
    )?;
    if changed {
        hub.vault.remove(tx, old.id.as_str())?;
        for (place, secret) in &split.secrets {
            hub.vault.seal_into(tx, old.id.as_str(), place, secret)?;
        }
        typed_over(hub, tx, old, &split, moved)?;
    }
    Ok(())
}

/// A token that somebody types takes the place of the one that a sign-in gave; and what was granted for one address is not shown to another.
fn typed_over(hub: &Hub, tx: &Tx<'_>, old: &Connection, split: &Split, moved: bool) -> Result<()> {
    let Some(grant) = grant::get(tx, &old.id)? else { return Ok(()) };
    let granted = grant::tokens(tx, &hub.vault, &old.id)?.map(|tokens| tokens.access);
    let typed = grant.plan.field.as_ref().is_some_and(|field| split.secrets.get(field) != granted.as_ref());
    if moved || typed {
        grant::forget(tx, &hub.vault, &old.id)?;
    }
    Ok(())
}

/// What is stored with what was sent over it, and whether it now leads to another address.
fn merged(hub: &Hub, tx: &Tx<'_>, connector: &dyn AnyConnector, old: &Connection, config: Option<Value>) -> Result<(Split, bool)> {
    let schema = connector.schema();
    let Kept { secrets: mut kept, mut damaged } = hub.vault.open_all(tx, old.id.as_str())?;
    let Some(mut config) = config else {
        return Ok((Split::judged(connector, old.config.clone(), kept).typed_again(&damaged), false));
    };
    let sent = config.clone();
    let given = taken(connector, &schema, &mut config)?;
    let new = secrets::merge(&schema, &old.config, &config);
    let moved = origin(&old.config) != origin(&new);
    if moved {
        // Keys typed for one address are never sent to another.
        kept.clear();
        damaged.clear();
    }
    kept.retain(|place, _| !secrets::is_dropped(&schema, &sent, place));
    damaged.retain(|place| !secrets::is_dropped(&schema, &sent, place));
    for (place, given) in given {
        match given {
            Given::Keep => continue,
            Given::Clear => drop(kept.remove(&place)),
            Given::New(secret) => drop(kept.insert(place.clone(), secret)),
        }
        damaged.retain(|other| *other != place);
    }
    Ok((Split::judged(connector, new, kept).typed_again(&damaged), moved))
}

/// Scheme, host and port of the address that the owner typed.
fn origin(config: &Value) -> Option<(String, Option<String>, Option<u16>)> {
    let text = config.get("base_url")?.as_str()?.trim();
    if text.is_empty() {
        return None;
    }
    // What cannot be read is its own address; the connector refuses it anyway.
    Some(url::Url::parse(text).map_or_else(
        |_| (text.to_owned(), None, None),
        |url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default()),
    ))
}

/// Deletes a connection and its secrets. Its conversations stay readable.
pub async fn delete_connection(hub: &Arc<Hub>, request: GetConnection) -> Result<Empty> {
    let (vault, id) = (hub.vault.clone(), request.id.clone());
    hub.store
        .write(move |tx| {
            let id = request.id;
            connections::get(tx, &id)?.ok_or_else(shown::not_found)?;
            let thinks: Option<String> =
                tx.query_row("SELECT name FROM agent WHERE connection = ?1 LIMIT 1", [&id], |row| row.get(0)).optional()?;
            if let Some(name) = thinks {
                let why = say!("{name} answers with this connection. Give this agent another one first.", name = name);
                return Err(Error::new(Code::Conflict, why));
            }
            vault.remove(tx, id.as_str())?;
            flow::cancel_all(tx, &vault, &id)?;
            grant::forget(tx, &vault, &id)?;
            tx.execute(
                "UPDATE connection SET deleted_at = ?2, updated_at = ?2, status = 'paused', status_reason = NULL, cursor = NULL, webhook = NULL,
                   hook_key = 'deleted ' || id WHERE id = ?1",
                params![id, tx.now()],
            )?;
            tx.execute("DELETE FROM visitor_session WHERE connection = ?1", [&id])?;
            tx.execute(
                "UPDATE turn SET status = 'stopped', finished_at = ?2 WHERE status IN ('wanted', 'running')
                   AND conversation IN (SELECT seq FROM conversation WHERE connection = ?1)",
                params![id, tx.now()],
            )?;
            tx.execute(
                "UPDATE delivery SET status = 'failed', reason = 'connection_deleted', done_at = ?2 WHERE connection = ?1 AND status = 'queued'",
                params![id, tx.now()],
            )?;
            Ok(())
        })
        .await?;
    in_use(hub, &id).await?;
    if let Some(lab) = &hub.lab {
        lab.forget(&id);
    }
    Ok(Empty {})
}
