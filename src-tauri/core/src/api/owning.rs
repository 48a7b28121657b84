//! Who has the next word in a conversation, and whether it waits for anybody.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::params;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use ts_rs::TS;

use super::asked::{TEXT, Wrong};
use super::conversations::{self, ConversationRow, Status};
use super::{agents, connections, replies};
use crate::clock::Timestamp;
use crate::conversations::posting::Reply;
use crate::conversations::{self as stage, ownership, posting, waiting};
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{AgentId, ConversationId};
use crate::model::{Change, Content, Owner};
use crate::say;
use crate::store::Tx;

/// The most labels of a conversation.
const LABELS: usize = 20;
/// The longest label.
const LABEL: usize = 40;
/// The longest snooze.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// A person takes the next word.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct TakeOver {
    /// Where.
    pub conversation: ConversationId,
    /// A private note to leave.
    #[serde(default)]
    pub note: Option<String>,
}

/// A person gives the next word back.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct HandBack {
    /// Where.
    pub conversation: ConversationId,
    /// A line of context for the agent.
    #[serde(default)]
    pub note: Option<String>,
    /// To which agent; the connection's own when missing.
    #[serde(default)]
    pub agent: Option<AgentId>,
}

/// Another status.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct SetConversationStatus {
    /// Where.
    pub conversation: ConversationId,
    /// Which.
    pub status: Status,
    /// Until when, for "snoozed".
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// Out of sight for a while.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct Snooze {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Until when; until the customer writes when missing.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// Another owner.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Who has the next word from now on.
    #[ts(type = "{ type: \"agent\"; id: string } | { type: \"person\" }")]
    pub owner: Owner,
}

/// Labels to put on and to take off.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct ChangeLabels {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Labels to put on.
    #[serde(default)]
    #[ts(as = "Option<Vec<String>>")]
    pub add: Vec<String>,
    /// Labels to take off.
    #[serde(default)]
    #[ts(as = "Option<Vec<String>>")]
    pub remove: Vec<String>,
}

fn check_note(note: Option<&str>) -> Result<()> {
    let mut wrong = Wrong::default();
    wrong.at_most("note", note.unwrap_or_default(), TEXT);
    wrong.done()
}

/// A person takes the next word; the agent falls silent at once.
pub async fn take_over(hub: &Arc<Hub>, request: TakeOver) -> Result<ConversationRow> {
    check_note(request.note.as_deref())?;
    let id = request.conversation.clone();
    let inner = hub.clone();
    hub.store
        .write(move |tx| {
            ownership::take_over(tx, &request.conversation, None)?;
            if let Some(text) = request.note.as_deref().map(str::trim).filter(|note| !note.is_empty()) {
                let rules = replies::rules_of(&inner, tx, &request.conversation)?;
                let content = vec![Content::Text { text: text.to_owned() }];
                let note =
                    Reply { conversation: &request.conversation, content, note: true, client_key: None, person: None, reply_to: None };
                posting::reply(tx, note, &rules)?;
            }
            Ok(())
        })
        .await?;
    conversations::row(hub, id).await
}

/// A person gives the next word back to an agent.
pub async fn hand_back(hub: &Arc<Hub>, request: HandBack) -> Result<ConversationRow> {
    check_note(request.note.as_deref())?;
    give(hub, request.conversation, request.agent, request.note).await
}

async fn give(hub: &Arc<Hub>, id: ConversationId, agent: Option<AgentId>, note: Option<String>) -> Result<ConversationRow> {
    let inner = hub.clone();
    let conversation = id.clone();
    hub.store
        .write(move |tx| {
            if let Some(agent) = &agent {
                agents::must_be(tx, agent)?;
            }
            let found = stage::find(tx, &conversation)?;
            let live = inner.connections.get(&found.connection).ok_or_else(connections::gone)?;
            ownership::hand_back(tx, &conversation, agent.as_ref(), note.as_deref(), inner.gather(&live))?;
            Ok(())
        })
        .await?;
    conversations::row(hub, id).await
}

/// Gives a conversation to an agent or to a person.
pub async fn assign(hub: &Arc<Hub>, request: Assign) -> Result<ConversationRow> {
    match request.owner {
        Owner::Agent { id } => give(hub, request.conversation, Some(id), None).await,
        Owner::Person { id: None } => take_over(hub, TakeOver { conversation: request.conversation, note: None }).await,
        Owner::Person { id: Some(_) } => Err(Error::field("owner.id", say!("There is nobody of that name in this shop."))),
    }
}

/// Opens, snoozes or resolves a conversation.
pub async fn set_conversation_status(hub: &Arc<Hub>, request: SetConversationStatus) -> Result<ConversationRow> {
    match (request.status, request.until) {
        (Status::Snoozed, None) => return Err(Error::field("until", say!("Say until when."))),
        (Status::Snoozed, Some(until)) => return snooze(hub, Snooze { conversation: request.conversation, until: Some(until) }).await,
        (_, Some(_)) => return Err(Error::field("until", say!("Only a snoozed conversation comes back by itself."))),
        (Status::Open | Status::Resolved, None) => {}
    }
    put(hub, request.conversation, request.status, None).await
}

/// Puts a conversation out of sight until a moment, or until the customer writes.
pub async fn snooze(hub: &Arc<Hub>, request: Snooze) -> Result<ConversationRow> {
    let now = hub.store.clock().now();
    if request.until.is_some_and(|until| until <= now || until > now.plus(LONGEST)) {
        return Err(Error::field("until", say!("Choose a moment within the next year.")));
    }
    put(hub, request.conversation, Status::Snoozed, request.until).await
}

async fn put(hub: &Arc<Hub>, id: ConversationId, status: Status, until: Option<Timestamp>) -> Result<ConversationRow> {
    let conversation = id.clone();
    hub.store.write(move |tx| write_status(tx, &conversation, status, until)).await?;
    conversations::row(hub, id).await
}

fn write_status(tx: &Tx<'_>, id: &ConversationId, status: Status, until: Option<Timestamp>) -> Result<()> {
    let conversation = stage::find(tx, id)?;
    if conversation.status == status.as_str() && status != Status::Snoozed {
        return Ok(());
    }
    tx.prepare_cached("UPDATE conversation SET status = ?2, snoozed_until = ?3 WHERE seq = ?1")?.execute(params![
        conversation.seq,
        status.as_str(),
        until
    ])?;
    waiting::touched(tx, conversation.seq)?;
    let mut details = Map::new();
    let event = match status {
        Status::Open => "reopened",
        Status::Resolved => {
            // Whoever resolves it has answered the call for a person.
            tx.prepare_cached("UPDATE conversation SET needs_person = 0, needs_reason = NULL, urgency = NULL, unread = 0 WHERE seq = ?1")?
                .execute([conversation.seq])?;
            "resolved"
        }
        Status::Snoozed => {
            details.insert("until".into(), until.map_or(Value::Null, |until| until.millis().into()));
            "snoozed"
        }
    };
    posting::note_event(tx, &conversation, event, details)?;
    tx.changed(Change::Conversation { id: id.clone() });
    Ok(())
}

/// Puts labels on a conversation and takes others off.
pub async fn label(hub: &Arc<Hub>, request: ChangeLabels) -> Result<ConversationRow> {
    let mut wrong = Wrong::default();
    let clean = |path: &str, labels: &[String], wrong: &mut Wrong| -> Vec<String> {
        labels.iter().take(2 * LABELS).enumerate().map(|(n, label)| wrong.needed(&format!("{path}.{n}"), label, LABEL)).collect()
    };
    let add = clean("add", &request.add, &mut wrong);
    let remove = clean("remove", &request.remove, &mut wrong);
    wrong.done()?;
    let id = request.conversation.clone();
    hub.store
        .write(move |tx| {
            let seq = conversations::seq(tx, &request.conversation)?;
            let old: String = tx.prepare_cached("SELECT labels FROM conversation WHERE seq = ?1")?.query_row([seq], |row| row.get(0))?;
            let mut labels: Vec<String> = serde_json::from_str(&old).unwrap_or_default();
            labels.retain(|label| !remove.contains(label));
            for label in add {
                if !labels.contains(&label) {
                    labels.push(label);
                }
            }
            if labels.len() > LABELS {
                return Err(Error::field("add", say!("This is too much at once: {most} parts fit.", most = LABELS)));
            }
            let new = serde_json::to_string(&labels).map_err(anyhow::Error::from)?;
            if new != old {
                tx.prepare_cached("UPDATE conversation SET labels = ?2 WHERE seq = ?1")?.execute(params![seq, new])?;
                waiting::touched(tx, seq)?;
                tx.changed(Change::Conversation { id: request.conversation });
            }
            Ok(())
        })
        .await?;
    conversations::row(hub, id).await
}
