//! A customer's phone in the Lab, and what the hub did with what was written on it.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{Empty, NAME, TEXT, Wrong};
use crate::clock::Timestamp;
use crate::connector::{MediaSource, Said, SaidWhat};
use crate::conversations::Effect;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, ConversationId};
use crate::lab;
use crate::lab::bench::{Bench, Way, same_thread};
use crate::lab::scripts::{self, LabOwner};
use crate::model::{Content, Owner};
use crate::say;

/// What is told of the hub's work.
const EVENTS: usize = 12;
/// Arrivals that are looked through for it.
const ARRIVALS: i64 = 60;
/// The most parts that are said at once.
const PARTS: usize = 10;

/// What a customer says.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct SayInLab {
    /// Over which channel.
    pub connection: ConnectionId,
    /// In which thread; digits fit every service.
    pub thread: String,
    /// What the customer is called.
    pub name: String,
    /// What: words, an uploaded file, a place, a pressed button; each part is a message of its own.
    pub content: Vec<Content>,
}

/// Which phone.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct GetLabThread {
    /// The channel's connection.
    pub connection: ConnectionId,
    /// The thread.
    pub thread: String,
}

/// Whose message it is on the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum LabSide {
    /// The customer's own.
    Customer,
    /// The shop's.
    Shop,
}

/// How far a customer's message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum LabTick {
    /// It is on its way.
    OnTheWay,
    /// The hub has it.
    Arrived,
    /// The shop has answered since.
    Answered,
    /// It did not arrive.
    Lost,
}

/// A message on the phone.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct LabMessage {
    /// Whose.
    pub side: LabSide,
    /// What.
    pub content: Vec<Content>,
    /// When.
    pub at: Timestamp,
    /// How far it came, for the customer's own.
    pub tick: Option<LabTick>,
    /// How often it was sent; the weather sends some twice.
    pub copies: u32,
}

/// What the hub did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum LabDeed {
    /// A message arrived.
    Arrived,
    /// A copy arrived and was dropped.
    Repeat,
    /// It was not understood.
    NotUnderstood,
    /// An agent is at it.
    Thinking,
    /// An agent has answered.
    Answered,
    /// An agent's answer was given up for a newer one, or a person took over.
    GivenUp,
    /// An agent could not answer.
    Failed,
    /// The service refused and it is tried again.
    TriedAgain,
    /// The service did not say whether it took it.
    Unsure,
    /// The service has taken it.
    Sent,
}

/// Something the hub did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct LabEvent {
    /// What.
    pub deed: LabDeed,
    /// When.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: Option<u32>,
    /// How often it was tried.
    pub attempts: Option<u32>,
}

/// A phone.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct LabThread {
    /// What stands on it, oldest first.
    pub messages: Vec<LabMessage>,
    /// The conversation in the hub, once there is one.
    pub conversation: Option<ConversationId>,
    /// Whose it is.
    pub owner: Option<LabOwner>,
    /// An agent is writing.
    pub writing: bool,
    /// What the hub did last, oldest first.
    pub events: Vec<LabEvent>,
}

/// A customer says something.
pub async fn lab_say(hub: &Arc<Hub>, request: SayInLab) -> Result<Empty> {
    let bench = lab::of(hub)?.bench(&request.connection)?;
    let mut wrong = Wrong::default();
    let thread = wrong.needed("thread", &request.thread, NAME);
    let name = wrong.needed("name", &request.name, NAME);
    if request.content.is_empty() {
        wrong.add("content", say!("This is needed."));
    }
    wrong.within("content", request.content.len(), 0, PARTS);
    for (index, part) in request.content.iter().enumerate() {
        if let Content::Text { text } = part {
            wrong.needed(&format!("content.{index}.text"), text, TEXT);
        }
    }
    wrong.done()?;
    for (index, part) in request.content.into_iter().enumerate() {
        let (text, what) = said(hub, index, &part).await?;
        let said = Said { thread: thread.clone(), name: name.clone(), text, what };
        bench.say(hub, said, vec![part]).await?;
    }
    Ok(Empty {})
}

/// A part of a message as a customer does it.
async fn said(hub: &Hub, index: usize, part: &Content) -> Result<(String, SaidWhat)> {
    match part {
        Content::Text { text } => Ok((text.trim().to_owned(), SaidWhat::Text)),
        Content::Media { kind, media, caption, .. } => {
            let missing = || Error::field(format!("content.{index}.media"), say!("This file is not here."));
            if hub.media.about(media).await?.is_none() {
                return Err(missing());
            }
            let stored = hub.media.read(media).await.map_err(|error| missing().because(error))?;
            let bytes: Bytes = stored.bytes;
            let what = SaidWhat::File { kind: *kind, bytes, mime: stored.mime, filename: stored.filename };
            Ok((caption.clone().unwrap_or_default(), what))
        }
        Content::Location { latitude, longitude, name, .. } => {
            Ok((name.clone().unwrap_or_default(), SaidWhat::Location { latitude: *latitude, longitude: *longitude }))
        }
        Content::Chosen { id, label } => Ok((label.clone(), SaidWhat::Press { id: id.clone() })),
        _ => Err(Error::field(format!("content.{index}"), say!("Customers write words here, send files and places, and press buttons."))),
    }
}

/// What a customer's phone shows, and what the hub did.
pub async fn lab_thread(hub: &Arc<Hub>, request: GetLabThread) -> Result<LabThread> {
    let bench = lab::of(hub)?.bench(&request.connection)?;
    let found = match bench.written().iter().rev().find(|written| written.thread == request.thread) {
        Some(written) => scripts::find(hub, &bench, written.hub_thread.clone()).await?,
        None => None,
    };
    let (conversation, owner) = found.unzip();
    let messages = messages(hub, &bench, &request.thread).await?;
    let (events, writing) = match &conversation {
        Some(conversation) => events(hub, &bench, conversation.clone()).await?,
        None => (Vec::new(), false),
    };
    let owner = owner.map(|owner| match owner {
        Owner::Agent { .. } => LabOwner::Agent,
        Owner::Person { .. } => LabOwner::Person,
    });
    Ok(LabThread { messages, conversation, owner, writing, events })
}

async fn messages(hub: &Hub, bench: &Bench, thread: &str) -> Result<Vec<LabMessage>> {
    let written: Vec<_> = bench.written().into_iter().filter(|written| same_thread(&written.thread, thread)).collect();
    let got = bench.received_in(thread);
    let ids = serde_json::to_string(&written.iter().flat_map(|written| &written.external_ids).collect::<Vec<_>>())
        .map_err(anyhow::Error::from)?;
    let connection = bench.connection.clone();
    let there: std::collections::HashSet<String> = hub
        .store
        .read(move |db| {
            let sql = "SELECT external_id FROM message WHERE connection = ?1 AND external_id IN (SELECT value FROM json_each(?2))";
            let mut statement = db.prepare_cached(sql)?;
            Ok(statement.query_map(params![connection, ids], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
        })
        .await?;
    let answered_at = got.last().map(|got| got.at);
    let mut messages: Vec<LabMessage> = written
        .into_iter()
        .map(|written| {
            let is_there = !written.external_ids.is_empty() && written.external_ids.iter().all(|id| there.contains(id));
            let tick = match written.way {
                _ if is_there && answered_at.is_some_and(|at| at >= written.at) => LabTick::Answered,
                _ if is_there => LabTick::Arrived,
                Way::OnTheWay | Way::Taken => LabTick::OnTheWay,
                Way::GivenUp => LabTick::Lost,
            };
            LabMessage { side: LabSide::Customer, content: written.content, at: written.at, tick: Some(tick), copies: written.copies }
        })
        .collect();
    messages.extend(got.into_iter().map(|got| {
        let content = vec![Content::Text { text: got.text }];
        LabMessage { side: LabSide::Shop, content, at: got.at, tick: None, copies: 1 }
    }));
    messages.sort_by_key(|message| message.at);
    Ok(messages)
}

/// What the hub did with one conversation, and whether an agent is at it.
async fn events(hub: &Hub, bench: &Bench, conversation: ConversationId) -> Result<(Vec<LabEvent>, bool)> {
    let connection = bench.connection.clone();
    let mut events = hub
        .store
        .read(move |db| {
            let mut events = arrived(db, &connection, &conversation)?;
            events.extend(turns(db, &conversation)?);
            events.extend(deliveries(db, &conversation)?);
            Ok(events)
        })
        .await?;
    events.sort_by_key(|event| event.at);
    let writing = events.iter().any(|event| event.deed == LabDeed::Thinking);
    Ok((events.split_off(events.len().saturating_sub(EVENTS)), writing))
}

fn simple(deed: LabDeed, at: Timestamp) -> LabEvent {
    LabEvent { deed, at, took_ms: None, attempts: None }
}

fn arrived(db: &rusqlite::Connection, connection: &ConnectionId, conversation: &ConversationId) -> Result<Vec<LabEvent>> {
    let mut statement = db.prepare_cached(
        "SELECT received_at, effects FROM arrival WHERE connection = ?1 AND verdict <> 'pending' ORDER BY seq DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![connection, ARRIVALS], |row| Ok((row.get::<_, Timestamp>(0)?, row.get::<_, String>(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut belongs = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM message m JOIN conversation c ON c.seq = m.conversation WHERE m.id = ?1 AND c.id = ?2)",
    )?;
    let mut events = Vec::new();
    for (at, effects) in rows {
        let effects: Vec<Effect> = serde_json::from_str(&effects).unwrap_or_default();
        for effect in effects {
            match effect {
                Effect::Message { conversation: there, .. } if there == *conversation => events.push(simple(LabDeed::Arrived, at)),
                Effect::Repeat { message: Some(message) } if belongs.query_row(params![message, conversation], |row| row.get(0))? => {
                    events.push(simple(LabDeed::Repeat, at));
                }
                Effect::NotUnderstood { .. } => events.push(simple(LabDeed::NotUnderstood, at)),
                Effect::Message { .. }
                | Effect::Repeat { .. }
                | Effect::Changed { .. }
                | Effect::Status { .. }
                | Effect::Nothing { .. } => {}
            }
        }
    }
    Ok(events)
}

fn turns(db: &rusqlite::Connection, conversation: &ConversationId) -> Result<Vec<LabEvent>> {
    let mut statement = db.prepare_cached(
        "SELECT t.status, coalesce(t.finished_at, t.started_at, t.wanted_at), t.finished_at - t.started_at
         FROM turn t JOIN conversation c ON c.seq = t.conversation WHERE c.id = ?1 ORDER BY t.seq DESC LIMIT 10",
    )?;
    let rows = statement.query_map(params![conversation], |row| {
        let deed = match row.get_ref(0)?.as_str()? {
            "done" => LabDeed::Answered,
            "superseded" | "stopped" => LabDeed::GivenUp,
            "failed" => LabDeed::Failed,
            _ => LabDeed::Thinking,
        };
        let took = row.get::<_, Option<i64>>(2)?.and_then(|took| u32::try_from(took).ok());
        Ok(LabEvent { took_ms: took, ..simple(deed, row.get(1)?) })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn deliveries(db: &rusqlite::Connection, conversation: &ConversationId) -> Result<Vec<LabEvent>> {
    let mut statement = db.prepare_cached(
        "SELECT d.status, coalesce(d.done_at, d.claimed_at, d.due_at), d.attempts
         FROM delivery d JOIN conversation c ON c.seq = d.conversation WHERE c.id = ?1 ORDER BY d.seq DESC LIMIT 10",
    )?;
    let rows = statement.query_map(params![conversation], |row| {
        let attempts: u32 = row.get(2)?;
        let deed = match row.get_ref(0)?.as_str()? {
            "sent" | "delivered" | "read" => Some(LabDeed::Sent),
            "unconfirmed" => Some(LabDeed::Unsure),
            "failed" => Some(LabDeed::Failed),
            _ if attempts > 1 => Some(LabDeed::TriedAgain),
            _ => None,
        };
        Ok(deed.map(|deed| (deed, row.get::<_, Timestamp>(1), attempts)))
    })?;
    let mut events = Vec::new();
    for (deed, at, attempts) in rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().flatten() {
        events.push(LabEvent { attempts: Some(attempts), ..simple(deed, at?) });
    }
    Ok(events)
}
