//! Event → contact → conversation → message; and who owns the next word.
//!
//! Everything here runs inside a write: the caller's transaction is the unit that holds or does not. [`apply`] is what arrivals
//! do; [`ownership`] is taking over and handing back; [`posting`] is what the shop says.

use std::time::Duration;

use rusqlite::{Connection as Db, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::changes::Begun;
use crate::clock::Timestamp;
use crate::connector::{Event, Evidence, IncomingContent, IncomingMessage};
use crate::error::{Error, Result};
use crate::id::{AgentId, ConnectionId, ContactId, ConversationId, DeliveryId, MediaId, MessageId, PersonId};
use crate::model::{Address, Change, Content, Owner};
use crate::say;
use crate::store::{Stage, Tx};

pub mod ownership;
pub mod posting;

/// A conversation's row, as the stages need it.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Its number in the database.
    pub seq: i64,
    /// Its id.
    pub id: ConversationId,
    /// With whom.
    pub contact: ContactId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// The place at the service.
    pub thread: String,
    /// The customer's address scheme and value.
    pub address: (String, String),
    /// "open", "snoozed" or "resolved".
    pub status: String,
    /// Who has the next word.
    pub owner: Owner,
    /// Grows at every change of owner.
    pub epoch: i64,
    /// Whether a person is wanted.
    pub needs_person: bool,
    /// The customer's language, if known.
    pub language: Option<String>,
    /// What the agents wrote down.
    pub state: Value,
    /// What the connector keeps of the thread.
    pub metadata: Value,
}

const COLUMNS: &str = "seq, id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id, epoch, needs_person, language, state, metadata";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    let owner = match row.get_ref(8)?.as_str()? {
        "agent" => Owner::Agent { id: row.get::<_, Option<AgentId>>(9)?.unwrap_or_else(|| AgentId::from("")) },
        _ => Owner::Person { id: row.get::<_, Option<PersonId>>(9)? },
    };
    Ok(Conversation {
        seq: row.get(0)?,
        id: row.get(1)?,
        contact: row.get(2)?,
        connection: row.get(3)?,
        thread: row.get(4)?,
        address: (row.get(5)?, row.get(6)?),
        status: row.get(7)?,
        owner,
        epoch: row.get(10)?,
        needs_person: row.get(11)?,
        language: row.get(12)?,
        state: row.get(13)?,
        metadata: row.get(14)?,
    })
}

/// The conversation by its id.
///
/// # Errors
/// Not found, with a sentence.
pub fn find(db: &Db, id: &ConversationId) -> Result<Conversation> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM conversation WHERE id = ?1"))?
        .query_row([id], from_row)
        .optional()?
        .ok_or_else(|| Error::not_found(say!("This conversation is not there any more.")))
}

/// The conversation by its number.
pub fn by_seq(db: &Db, seq: i64) -> Result<Conversation> {
    Ok(db.prepare_cached(&format!("SELECT {COLUMNS} FROM conversation WHERE seq = ?1"))?.query_row([seq], from_row)?)
}

fn by_thread(db: &Db, connection: &ConnectionId, thread: &str) -> Result<Option<Conversation>> {
    Ok(db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM conversation WHERE connection = ?1 AND thread = ?2"))?
        .query_row(params![connection, thread], from_row)
        .optional()?)
}

/// What [`apply`] must know of the connection.
pub struct Place<'a> {
    /// The connection.
    pub connection: &'a ConnectionId,
    /// Its connector's kind.
    pub connector: &'a str,
    /// Who answers new conversations; the default agent when empty.
    pub agent: Option<&'a AgentId>,
    /// How long to gather a burst.
    pub gather: Duration,
}

/// What one event did.
#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// A message was stored.
    Message {
        /// Which.
        message: MessageId,
        /// Where.
        conversation: ConversationId,
    },
    /// It was there already.
    Repeat {
        /// As which message, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        message: Option<MessageId>,
    },
    /// A message was changed or taken back.
    Changed {
        /// Which.
        message: MessageId,
    },
    /// A delivery moved.
    Status {
        /// Which.
        delivery: DeliveryId,
        /// To what.
        status: String,
    },
    /// Understood; nothing to do.
    Nothing {
        /// What it was.
        what: String,
    },
    /// Not understood; kept.
    NotUnderstood {
        /// Why.
        why: String,
    },
}

/// Applies one event. Doing it twice is doing it once.
pub fn apply(tx: &Tx<'_>, place: &Place<'_>, event: &Event) -> Result<Effect> {
    match event {
        Event::Message(message) => receive(tx, place, message),
        Event::Edited { external_id, content, at } => edit(tx, place, external_id, content, *at),
        Event::Deleted { external_id, at } => delete(tx, place, external_id, *at),
        Event::Status { external_id, status, at } => status_moved(tx, place, external_id, status, *at),
        Event::Typing { thread, on } => {
            if let Some(conversation) = by_thread(tx, place.connection, thread)? {
                tx.changed(Change::Typing { conversation: conversation.id, who: "contact".into(), on: *on });
            }
            Ok(Effect::Nothing { what: "typing".into() })
        }
        Event::Blocked { thread, blocked } => {
            if let Some(conversation) = by_thread(tx, place.connection, thread)? {
                tx.prepare_cached("UPDATE contact SET blocked = ?2 WHERE id = ?1")?.execute(params![conversation.contact, blocked])?;
                tx.changed(Change::Contact { id: conversation.contact });
            }
            Ok(Effect::Nothing { what: if *blocked { "blocked".into() } else { "unblocked".into() } })
        }
        Event::Moved { from, to } => {
            // Nothing moves when both are known already: the newer thread has its own conversation.
            tx.begun(Begun { connection: place.connection.clone(), thread: to.clone() });
            tx.prepare_cached("UPDATE OR IGNORE conversation SET thread = ?3 WHERE connection = ?1 AND thread = ?2")?.execute(params![
                place.connection,
                from,
                to
            ])?;
            Ok(Effect::Nothing { what: "moved".into() })
        }
        Event::Nothing { what } => Ok(Effect::Nothing { what: what.clone() }),
        Event::NotUnderstood { why } => Ok(Effect::NotUnderstood { why: why.clone() }),
    }
}

fn message_by_external(db: &Db, connection: &ConnectionId, external_id: &str) -> Result<Option<(i64, MessageId, i64)>> {
    Ok(db
        .prepare_cached("SELECT seq, id, conversation FROM message WHERE connection = ?1 AND external_id = ?2")?
        .query_row(params![connection, external_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?)
}

fn receive(tx: &Tx<'_>, place: &Place<'_>, incoming: &IncomingMessage) -> Result<Effect> {
    if let Some((_, message, _)) = message_by_external(tx, place.connection, &incoming.external_id)? {
        return Ok(Effect::Repeat { message: Some(message) });
    }
    let conversation = match by_thread(tx, place.connection, &incoming.thread)? {
        Some(conversation) => conversation,
        None => open(tx, place, incoming)?,
    };
    let id = MessageId::new();
    let content = incoming.content.iter().map(|part| keep(tx, place, &id, part)).collect::<Result<Vec<_>>>()?;
    let text = searchable(&content);
    let sent_at = placed(tx, &conversation, incoming)?;
    tx.prepare_cached(
        "INSERT INTO message (id, conversation, connection, direction, author_kind, content, text, sent_at, position, external_id, reply_to)
         VALUES (?1, ?2, ?3, 'in', 'contact', ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        id,
        conversation.seq,
        place.connection,
        serde_json::to_string(&content).map_err(anyhow::Error::from)?,
        text,
        sent_at,
        incoming.position.unwrap_or(0),
        incoming.external_id,
        incoming.reply_to,
    ])?;
    tx.changed(Change::Message { id: id.clone(), conversation: conversation.id.clone() });
    let reopened = conversation.status != "open";
    tx.prepare_cached(
        "UPDATE conversation SET status = 'open', snoozed_until = NULL, unread = unread + 1,
           preview = CASE WHEN ?3 >= last_message_at THEN ?2 ELSE preview END,
           preview_by = CASE WHEN ?3 >= last_message_at THEN 'contact' ELSE preview_by END,
           last_message_at = max(last_message_at, ?3), last_in_at = max(coalesce(last_in_at, 0), ?3),
           language = coalesce(language, ?4)
         WHERE seq = ?1",
    )?
    .execute(params![conversation.seq, preview(&content), sent_at, incoming.language])?;
    if reopened {
        posting::note_event(tx, &conversation, "reopened", Map::new())?;
    }
    tx.changed(Change::Conversation { id: conversation.id.clone() });
    let wants_answer = content.iter().any(|part| !matches!(part, Content::Reaction { .. } | Content::Event { .. }));
    if wants_answer && matches!(conversation.owner, Owner::Agent { .. }) {
        ownership::want_turn(tx, &conversation, place.gather)?;
    }
    Ok(Effect::Message { message: id, conversation: conversation.id })
}

/// Where in time a message stands. The service's count decides among its own messages; whole seconds are widened to the moment of
/// arrival within that second, so that a quick exchange keeps its order.
fn placed(tx: &Tx<'_>, conversation: &Conversation, incoming: &IncomingMessage) -> Result<Timestamp> {
    // Never later than its arrival: where this computer's clock is behind the service's, answers would stand before what they answer.
    let said = match incoming.sent_at.millis() {
        0 => tx.now().millis(),
        said => said.min(tx.now().millis()),
    };
    let mut at = if said % 1000 == 0 { tx.now().millis().clamp(said, said + 999) } else { said };
    if let Some(position) = incoming.position.filter(|position| *position > 0) {
        let (before, after): (Option<i64>, Option<i64>) = tx
            .prepare_cached(
                "SELECT (SELECT max(sent_at) FROM message WHERE conversation = ?1 AND position > 0 AND position < ?2),
                        (SELECT min(sent_at) FROM message WHERE conversation = ?1 AND position > ?2)",
            )?
            .query_row(params![conversation.seq, position], |row| Ok((row.get(0)?, row.get(1)?)))?;
        at = at.min(after.unwrap_or(i64::MAX));
        at = at.max(before.unwrap_or(i64::MIN));
    }
    Ok(Timestamp::from_millis(at))
}

/// A new conversation, and a contact for an address never seen.
fn open(tx: &Tx<'_>, place: &Place<'_>, incoming: &IncomingMessage) -> Result<Conversation> {
    let contact = contact_of(tx, &incoming.from, incoming.name.as_deref(), incoming.language.as_deref(), &incoming.metadata)?;
    let agent = match place.agent {
        Some(agent) => Some(agent.clone()),
        None => default_agent(tx)?,
    };
    let owner = agent.map_or(Owner::Person { id: None }, |id| Owner::Agent { id });
    let (kind, owner_id) = owner_columns(&owner);
    let id = ConversationId::new();
    tx.prepare_cached(
        "INSERT INTO conversation (id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id, needs_person,
           last_message_at, language, metadata, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?7, ?8, ?9, 0, ?10, ?11, ?12)",
    )?
    .execute(params![
        id,
        contact,
        place.connection,
        incoming.thread,
        incoming.from.scheme,
        incoming.from.value,
        kind,
        owner_id,
        kind == "person",
        incoming.language,
        Value::Object(incoming.metadata.clone()),
        tx.now(),
    ])?;
    tx.begun(Begun { connection: place.connection.clone(), thread: incoming.thread.clone() });
    find(tx, &id)
}

/// Who answers where a connection names nobody.
pub fn default_agent(db: &Db) -> Result<Option<AgentId>> {
    Ok(db
        .prepare_cached("SELECT a.id FROM agent a JOIN setting s ON s.key = 'default_agent' AND s.value = a.id")?
        .query_row([], |row| row.get(0))
        .optional()?)
}

/// An owner as the two columns of its conversation.
pub fn owner_columns(owner: &Owner) -> (&'static str, Option<&str>) {
    match owner {
        Owner::Agent { id } => ("agent", Some(id.as_str())),
        Owner::Person { id } => ("person", id.as_ref().map(PersonId::as_str)),
    }
}

fn contact_of(
    tx: &Tx<'_>,
    address: &Address,
    name: Option<&str>,
    language: Option<&str>,
    metadata: &Map<String, Value>,
) -> Result<ContactId> {
    let known: Option<ContactId> = tx
        .prepare_cached("SELECT contact FROM address WHERE connector = ?1 AND scheme = ?2 AND value = ?3")?
        .query_row(params![address.connector, address.scheme, address.value], |row| row.get(0))
        .optional()?;
    if let Some(contact) = known {
        return Ok(contact);
    }
    let id = ContactId::new();
    let label = metadata.get("username").and_then(Value::as_str).map(|name| format!("@{name}"));
    let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or("");
    tx.prepare_cached("INSERT INTO contact (id, name, language, created_at) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        id,
        clipped(name, 120),
        language,
        tx.now()
    ])?;
    tx.prepare_cached("INSERT INTO address (connector, scheme, value, contact, label) VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        address.connector,
        address.scheme,
        address.value,
        id,
        label
    ])?;
    tx.changed(Change::Contact { id: id.clone() });
    Ok(id)
}

/// Content as it is stored: a file still at the service becomes a wanted one.
fn keep(tx: &Tx<'_>, place: &Place<'_>, message: &MessageId, part: &IncomingContent) -> Result<Content> {
    let remote = match part {
        IncomingContent::Content(content) => return Ok(content.clone()),
        IncomingContent::Media(remote) => remote,
    };
    let media = MediaId::new();
    tx.prepare_cached(
        "INSERT INTO media (id, status, mime, filename, bytes, connection, message, reference, created_at) VALUES (?1, 'wanted', ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![media, remote.mime, remote.filename, i64::try_from(remote.bytes.unwrap_or(0)).unwrap_or(i64::MAX), place.connection, message, remote.reference, tx.now()])?;
    tx.wake(Stage::Media);
    Ok(Content::Media {
        kind: remote.kind,
        media,
        caption: remote.caption.clone(),
        filename: remote.filename.clone(),
        mime: remote.mime.clone(),
        bytes: remote.bytes.unwrap_or(0),
        duration_ms: remote.duration_ms,
    })
}

fn edit(tx: &Tx<'_>, place: &Place<'_>, external_id: &str, content: &[IncomingContent], at: Timestamp) -> Result<Effect> {
    let Some((seq, id, conversation)) = message_by_external(tx, place.connection, external_id)? else {
        return Ok(Effect::Nothing { what: "edit of an unknown message".into() });
    };
    let (old, edited_at): (String, Option<Timestamp>) = tx
        .prepare_cached("SELECT content, edited_at FROM message WHERE seq = ?1")?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if edited_at.is_some_and(|before| before > at) {
        return Ok(Effect::Repeat { message: Some(id) });
    }
    let old: Vec<Content> = serde_json::from_str(&old).map_err(anyhow::Error::from)?;
    // A file stays the file it was: an edit of a photo's caption does not fetch the photo again.
    let mut files = old.iter().filter(|part| matches!(part, Content::Media { .. })).cloned();
    let mut parts = Vec::with_capacity(content.len());
    for part in content {
        parts.push(match part {
            IncomingContent::Content(content) => content.clone(),
            IncomingContent::Media(remote) => match files.next() {
                Some(Content::Media { kind, media, filename, mime, bytes, duration_ms, .. }) => {
                    Content::Media { kind, media, caption: remote.caption.clone(), filename, mime, bytes, duration_ms }
                }
                _ => keep(tx, place, &id, part)?,
            },
        });
    }
    // Services count edits in whole seconds: a second one within the same second counts, the same one again does not.
    if edited_at == Some(at) && parts == old {
        return Ok(Effect::Repeat { message: Some(id) });
    }
    tx.prepare_cached("UPDATE message SET content = ?2, text = ?3, edited_at = ?4 WHERE seq = ?1")?.execute(params![
        seq,
        serde_json::to_string(&parts).map_err(anyhow::Error::from)?,
        searchable(&parts),
        at
    ])?;
    let conversation = by_seq(tx, conversation)?;
    tx.changed(Change::Message { id: id.clone(), conversation: conversation.id });
    Ok(Effect::Changed { message: id })
}

fn delete(tx: &Tx<'_>, place: &Place<'_>, external_id: &str, at: Timestamp) -> Result<Effect> {
    let Some((seq, id, conversation)) = message_by_external(tx, place.connection, external_id)? else {
        return Ok(Effect::Nothing { what: "deletion of an unknown message".into() });
    };
    tx.prepare_cached("UPDATE message SET deleted_at = ?2 WHERE seq = ?1 AND deleted_at IS NULL")?.execute(params![seq, at])?;
    let conversation = by_seq(tx, conversation)?;
    tx.changed(Change::Message { id: id.clone(), conversation: conversation.id });
    Ok(Effect::Changed { message: id })
}

fn status_moved(tx: &Tx<'_>, place: &Place<'_>, external_id: &str, evidence: &Evidence, at: Timestamp) -> Result<Effect> {
    let delivery: Option<(i64, DeliveryId, String, i64, MessageId)> = tx
        .prepare_cached(
            "SELECT d.seq, d.id, d.status, d.conversation, m.id FROM message m JOIN delivery d ON d.message = m.seq WHERE m.connection = ?1 AND m.external_id = ?2",
        )?
        .query_row(params![place.connection, external_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .optional()?;
    let Some((seq, id, before, conversation, message)) = delivery else {
        return Ok(Effect::Nothing { what: "status of a message we do not know".into() });
    };
    let (status, reason) = match evidence {
        Evidence::Sent => ("sent", None),
        Evidence::Delivered => ("delivered", None),
        Evidence::Read => ("read", None),
        Evidence::Failed { reason } => ("failed", Some(reason.as_str())),
    };
    // Only forward: sent → delivered → read. What reached the customer cannot fail any more.
    let rank = |status: &str| match status {
        "sent" => 1,
        "failed" => 2,
        "delivered" => 3,
        "read" => 4,
        _ => 0,
    };
    if rank(status) <= rank(&before) {
        return Ok(Effect::Nothing { what: format!("{status}, known already") });
    }
    tx.prepare_cached("UPDATE delivery SET status = ?2, reason = ?3, done_at = ?4 WHERE seq = ?1")?
        .execute(params![seq, status, reason, at])?;
    let conversation = by_seq(tx, conversation)?;
    tx.changed(Change::Delivery { id: id.clone(), conversation: conversation.id.clone() });
    tx.changed(Change::Message { id: message, conversation: conversation.id });
    Ok(Effect::Status { delivery: id, status: status.into() })
}

/// The words of a message that search finds.
pub fn searchable(content: &[Content]) -> String {
    content.iter().map(Content::text).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The line of a conversation's row. A part without words is named by its kind in brackets; the screens put their own words there.
pub fn preview(content: &[Content]) -> String {
    let line = content.iter().find_map(|part| {
        let text = part.text().trim();
        let kind = match part {
            Content::Media { kind, .. } => serde_json::to_value(kind).ok().and_then(|kind| kind.as_str().map(|kind| format!("[{kind}]"))),
            Content::Location { .. } => Some("[location]".to_owned()),
            Content::Contacts { .. } => Some("[contact]".to_owned()),
            Content::Unsupported { kind } => Some(format!("[{kind}]")),
            _ => None,
        };
        if text.is_empty() { kind } else { Some(text.to_owned()) }
    });
    clipped(&line.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "), 160).to_owned()
}

/// At most `chars` characters of `text`.
pub fn clipped(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests;
