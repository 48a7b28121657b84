//! Event → contact → conversation → message; and who owns the next word.
//!
//! Everything here runs inside a write: the caller's transaction is the unit that holds or does not. [`apply`] is what arrivals
//! do; [`ownership`] is taking over and handing back; [`posting`] is what the shop says.

use std::time::Duration;

use rusqlite::{Connection as Db, OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::connector::Reports;
use crate::connector::{Event, NoticeLevel};
use crate::error::{Error, Result};
use crate::id::{AgentId, ConnectionId, ContactId, ConversationId, DeliveryId, MessageId, PersonId};
use crate::model::{Change, Content, Owner};
use crate::say;
use crate::store::Tx;

mod rows;
mod receiving;
mod amending;
mod fate;
mod outside;
pub mod contacts;
pub mod ownership;
pub mod inheriting;
pub mod waiting;
pub mod posting;
pub mod snooze;

pub use fate::{prune_ahead, settle_ahead};
pub use receiving::default_agent;

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
    /// Whether the customer wants no messages here: no agent writes any.
    pub blocked: bool,
    /// The customer's language, if known.
    pub language: Option<String>,
    /// What the agents wrote down.
    pub state: Value,
    /// What the connector keeps of the thread.
    pub metadata: Value,
}

/// How many notices of one connection are kept.
const MOST_NOTICES: i64 = 200;

const COLUMNS: &str = "seq, id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id, epoch, needs_person, blocked, language, state, metadata";

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
        blocked: row.get(12)?,
        language: row.get(13)?,
        state: row.get(14)?,
        metadata: row.get(15)?,
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

/// The conversation of a thread, under any name that the thread is known by.
pub fn by_thread(db: &Db, connection: &ConnectionId, thread: &str) -> Result<Option<Conversation>> {
    let own = db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM conversation WHERE connection = ?1 AND thread = ?2"))?
        .query_row(params![connection, thread], from_row)
        .optional()?;
    if own.is_some() {
        return Ok(own);
    }
    let alias: Option<i64> = db
        .prepare_cached("SELECT conversation FROM thread_alias WHERE connection = ?1 AND thread = ?2")?
        .query_row(params![connection, thread], |row| row.get(0))
        .optional()?;
    alias.map(|seq| by_seq(db, seq)).transpose()
}

/// The service's name of the customer's last message in a conversation.
pub fn last_said(db: &Db, conversation: i64) -> Result<Option<String>> {
    Ok(db
        .prepare_cached(
            "SELECT external_id FROM message WHERE conversation = ?1 AND direction = 'in' AND external_id IS NOT NULL ORDER BY sent_at DESC, position DESC, seq DESC LIMIT 1",
        )?
        .query_row([conversation], |row| row.get(0))
        .optional()?)
}

/// Writes down what the owner of a connection should know. The same key again replaces what stood there, and counts as unseen when its words
/// changed.
pub fn notice(tx: &Tx<'_>, place: &Place<'_>, key: &str, level: NoticeLevel, text: &str, at: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO notice (connection, key, level, text, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (connection, key) DO UPDATE SET level = excluded.level, text = excluded.text, at = excluded.at,
           seen_at = CASE WHEN notice.text = excluded.text AND notice.level = excluded.level THEN notice.seen_at END
         WHERE excluded.at >= notice.at",
    )?
    .execute(params![place.connection, clipped(key, 200), level.as_str(), clipped(text, 2000), at])?;
    // The account's notices are a short list; the oldest go when a service names ever new things.
    tx.prepare_cached(
        "DELETE FROM notice WHERE connection = ?1 AND key IN (SELECT key FROM notice WHERE connection = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)",
    )?
    .execute(params![place.connection, MOST_NOTICES])?;
    tx.changed(Change::Connection { id: place.connection.clone() });
    Ok(())
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
    /// The hub's language, for what is stored in words.
    pub language: &'a str,
    /// Whether customers who came through an advertisement are reported by themselves.
    pub reports: Reports,
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
        Event::Message(message) => receiving::receive(tx, place, message),
        Event::Edited { external_id, content, at } => amending::edit(tx, place, external_id, content, *at),
        Event::Deleted { external_id, at } => amending::delete(tx, place, external_id, *at),
        Event::FromShop(message) => outside::said(tx, place, message),
        Event::Status { external_id, delivery, status, at } => {
            let at = if *at == Timestamp::default() { tx.now() } else { *at };
            let told = fate::Told { status: status.as_str(), reason: status.reason(place.language), action: status.action(), at };
            fate::moved(tx, place.connection, external_id, delivery.as_ref(), &told)
        }
        Event::SeenUpTo { thread, external_id, at } => fate::seen_up_to(tx, place, thread, external_id.as_deref(), *at),
        Event::Notice { key, level, sentence, at } => {
            notice(tx, place, key, *level, &sentence.in_language(place.language), *at)?;
            Ok(Effect::Nothing { what: "notice".into() })
        }
        Event::Typing { thread, on } => {
            if let Some(conversation) = by_thread(tx, place.connection, thread)? {
                tx.changed(Change::Typing { conversation: conversation.id, who: "contact".into(), on: *on });
            }
            Ok(Effect::Nothing { what: "typing".into() })
        }
        Event::Blocked { thread, blocked } => {
            if let Some(conversation) = by_thread(tx, place.connection, thread)? {
                ownership::blocked(tx, &conversation, *blocked)?;
            }
            Ok(Effect::Nothing { what: if *blocked { "blocked".into() } else { "unblocked".into() } })
        }
        Event::Moved { from, to, address, beside } => {
            receiving::moved(tx, place, from, to, address.as_ref(), *beside)?;
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

/// An owner as the two columns of its conversation.
pub fn owner_columns(owner: &Owner) -> (&'static str, Option<&str>) {
    match owner {
        Owner::Agent { id } => ("agent", Some(id.as_str())),
        Owner::Person { id } => ("person", id.as_ref().map(PersonId::as_str)),
    }
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
    let mut line = one_line(&line.unwrap_or_default(), 160);
    let end = clipped(&line, 160).len();
    line.truncate(end);
    line
}

/// The beginning of `text` without line ends and doubled blanks: at least `chars` characters of it where there are as many.
fn one_line(text: &str, chars: usize) -> String {
    let mut line = String::with_capacity(text.len().min(chars * 2));
    let mut room = chars;
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        room = room.saturating_sub(word.chars().count() + 1);
        if room == 0 {
            break;
        }
    }
    line
}

/// At most `chars` characters of `text`.
pub fn clipped(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests;
