//! Making, changing and trying agents.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agents::{self, AgentRow};
use super::asked::{Empty, Items, NAME, TEXT, Wrong};
use super::settings;
use crate::agent::rehearsal::{self, Line, Rehearsed};
use crate::agent::{rows, standby, tools};
use crate::conversations::inheriting;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{AgentId, ConnectionId};
use crate::model::{Agent, Change, ModelSettings, StreamMode};
use crate::say;
use crate::store::Tx;

/// How the model is asked; what is missing stays, or is as usual for a new agent.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct AgentSettings {
    /// 0 to 2; higher is freer.
    pub temperature: Option<f64>,
    /// How long an answer may be, in tokens.
    pub max_tokens: Option<u32>,
    /// How many of the last messages the model sees.
    pub history: Option<u32>,
    /// How many tool calls one answer may take.
    pub max_tool_calls: Option<u32>,
    /// How long one answer may take, in seconds.
    pub max_seconds: Option<u32>,
    /// How old a customer's words may be, in hours, for it to answer them by itself.
    pub answer_within_hours: Option<u32>,
}

/// What an agent is to be; what is missing stays, or is as usual for a new agent.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct AgentDraft {
    /// Its name, as customers may read it.
    pub name: Option<String>,
    /// What it is told. May hold `{{variables}}`.
    pub instructions: Option<String>,
    /// What it is told besides on one kind of channel, by connector.
    pub channel_instructions: Option<BTreeMap<String, String>>,
    /// The model connection it asks; the first one when missing.
    pub connection: Option<ConnectionId>,
    /// The model there; empty = the connection's default.
    pub model: Option<String>,
    /// How the model is asked.
    pub settings: Option<AgentSettings>,
    /// The tools it may use.
    pub tools: Option<Vec<String>>,
    /// How its answers are cut.
    pub stream_mode: Option<StreamMode>,
}

macro_rules! with_draft {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, JsonSchema, TS)]
        #[serde(deny_unknown_fields)]
        #[ts(optional_fields = nullable)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// What it is told. May hold `{{variables}}`.
            #[serde(default)]
            pub instructions: Option<String>,
            /// What it is told besides on one kind of channel, by connector.
            #[serde(default)]
            pub channel_instructions: Option<BTreeMap<String, String>>,
            /// The model connection it asks; the first one when missing.
            #[serde(default)]
            pub connection: Option<ConnectionId>,
            /// The model there; empty = the connection's default.
            #[serde(default)]
            pub model: Option<String>,
            /// How the model is asked.
            #[serde(default)]
            pub settings: Option<AgentSettings>,
            /// The tools it may use.
            #[serde(default)]
            pub tools: Option<Vec<String>>,
            /// How its answers are cut.
            #[serde(default)]
            pub stream_mode: Option<StreamMode>,
        }

        impl $name {
            fn draft(self, name: Option<String>) -> AgentDraft {
                AgentDraft {
                    name,
                    instructions: self.instructions,
                    channel_instructions: self.channel_instructions,
                    connection: self.connection,
                    model: self.model,
                    settings: self.settings,
                    tools: self.tools,
                    stream_mode: self.stream_mode,
                }
            }
        }
    };
}

with_draft! {
    /// A new agent.
    CreateAgent {
        /// Its name, as customers may read it.
        name: String,
    }
}

with_draft! {
    /// Changes of an agent; what is missing stays.
    UpdateAgent {
        /// Which.
        id: AgentId,
        /// Its name, as customers may read it.
        #[serde(default)]
        name: Option<String>,
    }
}

/// Which agent to make the default.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct SetDefaultAgent {
    /// Its id.
    pub agent: AgentId,
}

/// A side chat with an agent, saved or not.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct TryAgent {
    /// The agent; a new one when missing.
    #[serde(default)]
    pub agent: Option<AgentId>,
    /// What would be changed about it.
    #[serde(default)]
    pub draft: Option<AgentDraft>,
    /// The kind of channel to pretend.
    #[serde(default)]
    pub connector: Option<String>,
    /// What was said so far, the customer's words last.
    pub messages: Vec<TryLine>,
}

/// A line of the side chat.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct TryLine {
    /// Who said it.
    pub role: TryRole,
    /// What was said.
    pub text: String,
}

/// Who speaks in a side chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum TryRole {
    /// The customer.
    #[serde(alias = "customer")]
    User,
    /// The agent.
    #[serde(alias = "agent")]
    Assistant,
}

/// Something an agent may do besides writing.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct Tool {
    /// Its name, for ever.
    pub name: String,
    /// What it does, for shopkeepers.
    pub description: String,
    /// It changes something.
    pub changes: bool,
    /// A new agent has it.
    pub usual: bool,
}

/// Every tool an agent may have.
pub async fn list_tools(hub: &Arc<Hub>, _: Empty) -> Result<Items<Tool>> {
    let language = hub.language();
    let items = tools::all().iter().map(|tool| Tool {
        name: tool.name.to_owned(),
        description: crate::words::translate(tool.summary, &language).to_owned(),
        changes: tool.writes(),
        usual: tools::FIRST.contains(&tool.name),
    });
    Ok(Items { items: items.collect() })
}

/// Makes an agent. The first one answers everywhere.
pub async fn create_agent(hub: &Arc<Hub>, request: CreateAgent) -> Result<AgentRow> {
    let name = request.name.clone();
    let draft = request.draft(Some(name));
    let inner = hub.clone();
    let id = hub
        .store
        .write(move |tx| {
            let agent = apply(&inner, tx, blank(&inner, tx)?, draft)?;
            insert(tx, &agent)?;
            tx.execute(
                "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![settings::DEFAULT_AGENT, agent.id],
            )?;
            tx.changed(Change::Agent { id: agent.id.clone() });
            Ok(agent.id)
        })
        .await?;
    agents::row(hub, id).await
}

/// Changes an agent; its next answer is made with what is new.
pub async fn update_agent(hub: &Arc<Hub>, mut request: UpdateAgent) -> Result<AgentRow> {
    let (id, name) = (request.id.clone(), request.name.take());
    let draft = request.draft(name);
    let (inner, agent) = (hub.clone(), id.clone());
    hub.store
        .write(move |tx| {
            let old = rows::get(tx, &agent)?.ok_or_else(agents::not_found)?;
            let new = apply(&inner, tx, old, draft)?;
            tx.execute(
                "UPDATE agent SET name = ?2, instructions = ?3, channel_instructions = ?4, connection = ?5, model = ?6, settings = ?7, tools = ?8,
                   stream_mode = ?9, updated_at = ?10 WHERE id = ?1",
                params![
                    new.id,
                    new.name,
                    new.instructions,
                    json(&new.channel_instructions)?,
                    new.connection,
                    new.model,
                    json(&new.settings)?,
                    json(&new.tools)?,
                    mode(new.stream_mode),
                    tx.now()
                ],
            )?;
            tx.changed(Change::Agent { id: agent });
            Ok(())
        })
        .await?;
    agents::row(hub, id).await
}

/// Deletes an agent: it answers nobody from now on. Its conversations go to who answers there instead, or wait for a person where there is
/// nobody, a few at a time.
pub async fn delete_agent(hub: &Arc<Hub>, request: agents::GetAgent) -> Result<Empty> {
    let gone = request.id.clone();
    hub.store
        .write(move |tx| {
            let id = request.id;
            agents::must_be(tx, &id)?;
            // Connections that name it fall back to the default one by their foreign key.
            let heir = heir(tx, &id)?;
            settings::set_or_remove(tx, settings::DEFAULT_AGENT, heir.as_ref().map(AgentId::as_str))?;
            tx.execute("DELETE FROM agent WHERE id = ?1", [&id])?;
            inheriting::interrupt(tx, &id)?;
            tx.changed(Change::Agent { id });
            Ok(())
        })
        .await?;
    hub.reload_all().await?;
    standby::give_on(&hub.store, &gone).await?;
    Ok(Empty {})
}

/// Who answers instead of an agent that goes: the default one, or else the oldest that stays.
fn heir(tx: &Tx<'_>, gone: &AgentId) -> Result<Option<AgentId>> {
    let sql = "SELECT a.id FROM agent a LEFT JOIN setting s ON s.key = ?2 AND s.value = a.id WHERE a.id <> ?1 ORDER BY s.key IS NULL, a.id LIMIT 1";
    Ok(tx.prepare_cached(sql)?.query_row(params![gone, settings::DEFAULT_AGENT], |row| row.get(0)).optional()?)
}

/// Makes an agent the one that answers where no other is named.
pub async fn set_default_agent(hub: &Arc<Hub>, request: SetDefaultAgent) -> Result<Empty> {
    hub.store
        .write(move |tx| {
            agents::must_be(tx, &request.agent)?;
            settings::set(tx, settings::DEFAULT_AGENT, request.agent.as_str())?;
            tx.changed(Change::Agent { id: request.agent });
            Ok(Empty {})
        })
        .await
}

/// Lets an agent answer in a side chat; nothing is kept.
pub async fn try_agent(hub: &Arc<Hub>, request: TryAgent) -> Result<Rehearsed> {
    let mut wrong = Wrong::default();
    if request.messages.is_empty() || request.messages.len() > 100 {
        wrong.add("messages", say!("Choose a number from {least} to {most}.", least = 1, most = 100));
    }
    for (n, line) in request.messages.iter().enumerate().take(100) {
        wrong.needed(&format!("messages.{n}.text"), &line.text, TEXT);
    }
    wrong.done()?;
    let lines: Vec<Line> = request
        .messages
        .into_iter()
        .map(|line| Line { role: if line.role == TryRole::User { "customer".into() } else { "agent".into() }, text: line.text })
        .collect();
    let inner = hub.clone();
    let agent = hub
        .store
        .read(move |db| {
            let base = match &request.agent {
                Some(id) => rows::get(db, id)?.ok_or_else(agents::not_found)?,
                None => blank(&inner, db)?,
            };
            match request.draft {
                Some(draft) => apply(&inner, db, base, draft),
                None => Ok(base),
            }
        })
        .await?;
    let connector = request.connector.filter(|kind| hub.connectors.contains_key(kind.as_str()));
    rehearsal::rehearse(hub, &agent, connector.as_deref().unwrap_or("website"), &lines).await
}

/// A new agent before anything is said of it, with the first model there is.
///
/// # Errors
/// `conflict` where no model is connected yet (S0.2).
fn blank(hub: &Hub, db: &rusqlite::Connection) -> Result<Agent> {
    let mut statement =
        db.prepare_cached("SELECT id, connector FROM connection WHERE deleted_at IS NULL ORDER BY status <> 'active', id")?;
    let found = statement.query_map([], |row| Ok((row.get::<_, ConnectionId>(0)?, row.get::<_, String>(1)?)))?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let model = found.into_iter().find(|(_, kind)| hub.connectors.get(kind.as_str()).is_some_and(|connector| connector.model().is_some()));
    let (connection, _) = model.ok_or_else(|| {
        Error::new(Code::Conflict, say!("Connect something that can answer first, under Connections. Built-in answers needs no key."))
    })?;
    Ok(Agent {
        id: AgentId::new(),
        name: String::new(),
        instructions: String::new(),
        channel_instructions: BTreeMap::new(),
        connection,
        model: String::new(),
        settings: ModelSettings::default(),
        tools: tools::FIRST.iter().map(|name| (*name).to_owned()).collect(),
        stream_mode: StreamMode::default(),
    })
}

/// `agent` with what `draft` says, checked.
fn apply(hub: &Hub, db: &rusqlite::Connection, mut agent: Agent, draft: AgentDraft) -> Result<Agent> {
    let mut wrong = Wrong::default();
    if let Some(name) = draft.name {
        agent.name = wrong.needed("name", &name, NAME);
    }
    if let Some(text) = draft.instructions {
        wrong.at_most("instructions", &text, TEXT);
        agent.instructions = text;
    }
    if let Some(by_channel) = draft.channel_instructions {
        for (kind, text) in &by_channel {
            let path = format!("channel_instructions.{kind}");
            if hub.connectors.get(kind.as_str()).is_none_or(|connector| connector.channel().is_none()) {
                wrong.add(path.clone(), say!("There is no channel of this kind."));
            }
            wrong.at_most(&path, text, TEXT);
        }
        agent.channel_instructions = by_channel.into_iter().filter(|(_, text)| !text.trim().is_empty()).collect();
    }
    if let Some(connection) = draft.connection {
        let sql = "SELECT connector FROM connection WHERE id = ?1 AND deleted_at IS NULL";
        let kind: Option<String> = db.prepare_cached(sql)?.query_row([&connection], |row| row.get(0)).optional()?;
        let thinks = kind.is_some_and(|kind| hub.connectors.get(kind.as_str()).is_some_and(|connector| connector.model().is_some()));
        if !thinks {
            wrong.add("connection", say!("Choose a connection that can answer."));
        }
        if connection != agent.connection && draft.model.is_none() {
            // Another service does not know the old one's models.
            agent.model.clear();
        }
        agent.connection = connection;
    }
    if let Some(model) = draft.model {
        wrong.at_most("model", &model, 2 * NAME);
        agent.model = model.trim().to_owned();
    }
    if let Some(new) = draft.settings {
        apply_settings(&mut agent.settings, &new, &mut wrong);
    }
    if let Some(names) = draft.tools {
        for (n, name) in names.iter().enumerate() {
            if !tools::all().iter().any(|tool| tool.name == name) {
                wrong.add(format!("tools.{n}"), say!("There is no such tool."));
            }
        }
        agent.tools = tools::all().iter().map(|tool| tool.name.to_owned()).filter(|name| names.contains(name)).collect();
    }
    if let Some(mode) = draft.stream_mode {
        agent.stream_mode = mode;
    }
    wrong.done()?;
    Ok(agent)
}

fn apply_settings(settings: &mut ModelSettings, new: &AgentSettings, wrong: &mut Wrong) {
    if let Some(temperature) = new.temperature {
        wrong.within("settings.temperature", temperature, 0.0, 2.0);
        settings.temperature = temperature;
    }
    for (path, given, place, least, most) in [
        ("settings.max_tokens", new.max_tokens, &mut settings.max_tokens, 1, 1_000_000),
        ("settings.history", new.history, &mut settings.history, 1, 200),
        ("settings.max_tool_calls", new.max_tool_calls, &mut settings.max_tool_calls, 0, 50),
        ("settings.max_seconds", new.max_seconds, &mut settings.max_seconds, 5, 600),
        ("settings.answer_within_hours", new.answer_within_hours, &mut settings.answer_within_hours, 0, 720),
    ] {
        if let Some(given) = given {
            wrong.within(path, given, least, most);
            *place = given;
        }
    }
}

fn insert(tx: &Tx<'_>, agent: &Agent) -> Result<()> {
    tx.execute(
        "INSERT INTO agent (id, name, instructions, channel_instructions, connection, model, settings, tools, stream_mode, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
        params![
            agent.id,
            agent.name,
            agent.instructions,
            json(&agent.channel_instructions)?,
            agent.connection,
            agent.model,
            json(&agent.settings)?,
            json(&agent.tools)?,
            mode(agent.stream_mode),
            tx.now()
        ],
    )?;
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value).map_err(anyhow::Error::from)?)
}

fn mode(mode: StreamMode) -> &'static str {
    match mode {
        StreamMode::Full => "full",
        StreamMode::Sentence => "sentence",
        StreamMode::Direct => "direct",
    }
}
