//! Where a message comes to be: the one statement that writes its row.

use rusqlite::params;

use super::{Conversation, searchable};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::id::{MessageId, PersonId, TurnId};
use crate::model::{Author, Content, Source};
use crate::store::Tx;

/// A message that is to be.
pub struct New<'a> {
    /// Its id.
    pub id: &'a MessageId,
    /// Whose word it is.
    pub author: &'a Author,
    /// "in", "out" or "note".
    pub direction: &'static str,
    /// What is said.
    pub content: &'a [Content],
    /// When.
    pub sent_at: Timestamp,
    /// Its place in the service's own count; 0 where it has none.
    pub position: i64,
    /// The service's name for it.
    pub external_id: Option<&'a str>,
    /// The caller's name for it.
    pub client_key: Option<&'a str>,
    /// The service's name of what it answers.
    pub reply_to: Option<&'a str>,
    /// The answer of an agent it belongs to.
    pub turn: Option<&'a TurnId>,
    /// Where an agent's words come from.
    pub sources: &'a [Source],
    /// Whether the customer passed on somebody else's words.
    pub forwarded: bool,
    /// Whether it was said while the hub was not there.
    pub caught_up: bool,
}

impl<'a> New<'a> {
    /// What somebody of the shop says now.
    pub fn said(id: &'a MessageId, author: &'a Author, direction: &'static str, content: &'a [Content], now: Timestamp) -> Self {
        let (external_id, client_key, reply_to, turn) = (None, None, None, None);
        Self {
            id,
            author,
            direction,
            content,
            sent_at: now,
            position: 0,
            external_id,
            client_key,
            reply_to,
            turn,
            sources: &[],
            forwarded: false,
            caught_up: false,
        }
    }
}

/// Writes it; returns its number.
pub fn insert(tx: &Tx<'_>, conversation: &Conversation, new: &New<'_>) -> Result<i64> {
    let (kind, author_id) = author_columns(new.author);
    let sources = if new.sources.is_empty() { None } else { Some(serde_json::to_string(new.sources).map_err(anyhow::Error::from)?) };
    tx.prepare_cached(
        "INSERT INTO message (id, conversation, connection, direction, author_kind, author_id, content, text, sent_at, position, external_id,
           client_key, reply_to, turn, sources, forwarded, caught_up)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    )?
    .execute(params![
        new.id,
        conversation.seq,
        conversation.connection,
        new.direction,
        kind,
        author_id,
        serde_json::to_string(new.content).map_err(anyhow::Error::from)?,
        searchable(new.content),
        new.sent_at,
        new.position,
        new.external_id,
        new.client_key,
        new.reply_to,
        new.turn,
        sources,
        new.forwarded,
        new.caught_up,
    ])?;
    Ok(tx.last_insert_rowid())
}

/// An author as the two columns of a message.
pub fn author_columns(author: &Author) -> (&'static str, Option<&str>) {
    match author {
        Author::Contact => ("contact", None),
        Author::Agent { id } => ("agent", Some(id.as_str())),
        Author::Person { id } => ("person", id.as_ref().map(PersonId::as_str)),
        Author::System => ("system", None),
    }
}
