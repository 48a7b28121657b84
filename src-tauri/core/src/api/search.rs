//! Full-text search over what was said and who said it.
//!
//! Newest first by default: that reads the index from its end and stops when the page is full. Ranked only when asked.

use std::sync::Arc;

use rusqlite::{Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{self, Page, QUERY, Wrong};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::{ConnectionId, ContactId, ConversationId};
use crate::model::Address;

/// What to look for.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct Search {
    /// The words; all of them must be there, the last one may be unfinished.
    pub query: String,
    /// Where to look.
    #[serde(default)]
    pub filters: Option<SearchFilters>,
    /// In which order; the newest first when missing.
    #[serde(default)]
    pub order: Option<SearchOrder>,
    /// Where to go on.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many, 200 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Where to look.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct SearchFilters {
    /// Only there.
    #[serde(rename = "type")]
    pub kind: Option<SearchKind>,
    /// Only in one conversation.
    pub conversation: Option<ConversationId>,
    /// Only over one connection.
    pub connection: Option<ConnectionId>,
}

/// In which order finds are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum SearchOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The best match among the newest finds first; one page.
    Best,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum SearchKind {
    /// Something said.
    Message,
    /// A private note.
    Note,
    /// Somebody.
    Contact,
}

/// One find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct SearchHit {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: SearchKind,
    /// The id of the message or contact.
    pub id: String,
    /// Where it was said.
    pub conversation: Option<ConversationId>,
    /// Whose it is.
    pub contact: ContactId,
    /// The contact's name; empty when nobody said one.
    pub title: String,
    /// How a connection reaches the contact.
    pub address: Option<Address>,
    /// The words around; what was found stands between U+E000 and U+E001.
    pub excerpt: String,
    /// When.
    pub at: Option<Timestamp>,
}

/// How many of the newest finds are ranked.
const RANKED: i64 = 3000;
/// How many contacts stand before the messages of the first page.
const CONTACTS: usize = 5;

/// An address of a contact, as JSON.
const ADDRESS: &str =
    "(SELECT json_object('connector', connector, 'scheme', scheme, 'value', value) FROM address WHERE contact = k.id LIMIT 1)";

fn address(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Address>> {
    Ok(row.get::<_, Option<String>>(column)?.and_then(|json| serde_json::from_str(&json).ok()))
}

/// Finds messages, notes and contacts by their words.
pub async fn search(hub: &Arc<Hub>, request: Search) -> Result<Page<SearchHit>> {
    let limit = asked::limit(request.limit, 30)?;
    let place = asked::place::<i64>(request.cursor.as_deref())?;
    let mut wrong = Wrong::default();
    wrong.needed("query", &request.query, QUERY);
    wrong.done()?;
    let Some(words) = asked::Words::of(&request.query) else { return Ok(Page { items: Vec::new(), next: None }) };
    let filters = request.filters.unwrap_or_default();
    let best = request.order.unwrap_or_default() == SearchOrder::Best;

    hub.store
        .read(move |db| {
            let mut contacts = Vec::new();
            let everywhere = filters.conversation.is_none() && filters.connection.is_none();
            if filters.kind == Some(SearchKind::Contact) || (filters.kind.is_none() && everywhere && place.is_none()) {
                let many = if filters.kind.is_some() { limit } else { CONTACTS.min(limit) };
                contacts = find_contacts(db, words.loose(), many)?;
            }
            if filters.kind == Some(SearchKind::Contact) {
                return Ok(Page { items: contacts, next: None });
            }
            let messages = words.search(limit, |words| find_messages(db, words, &filters, best, place, limit))?;
            let mut page = Page::cut(messages, limit, |(seq, _)| *seq).map(|(_, hit)| hit);
            if best {
                page.next = None;
            }
            contacts.append(&mut page.items);
            Ok(Page { items: contacts, next: page.next })
        })
        .await
}

fn find_contacts(db: &rusqlite::Connection, words: &str, many: usize) -> Result<Vec<SearchHit>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT f.contact, k.name, highlight(contact_fts, 0, char(57344), char(57345)),
           (SELECT c.id FROM conversation c WHERE c.contact = f.contact ORDER BY c.last_message_at DESC LIMIT 1), k.created_at, {ADDRESS}
         FROM contact_fts f JOIN contact k ON k.id = f.contact
         WHERE contact_fts MATCH ?1 ORDER BY f.rowid DESC LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![words, i64::try_from(many).unwrap_or(i64::MAX)], |row| {
        Ok(SearchHit {
            kind: SearchKind::Contact,
            id: row.get(0)?,
            contact: row.get(0)?,
            title: row.get(1)?,
            address: address(row, 5)?,
            excerpt: row.get(2)?,
            conversation: row.get(3)?,
            at: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// From where on finds are ranked: weighing every find of a common word would take a second for each million messages.
fn newest(db: &rusqlite::Connection, words: &str) -> Result<i64> {
    let sql = "SELECT min(rowid) FROM (SELECT rowid FROM message_fts WHERE message_fts MATCH ?1 ORDER BY rowid DESC LIMIT ?2)";
    let first: Option<i64> = db.prepare_cached(sql)?.query_row(params![words, RANKED], |row| row.get(0))?;
    Ok(first.unwrap_or(i64::MIN))
}

fn find_messages(
    db: &rusqlite::Connection,
    words: &str,
    filters: &SearchFilters,
    best: bool,
    place: Option<i64>,
    limit: usize,
) -> Result<Vec<(i64, SearchHit)>> {
    let direction = match filters.kind {
        None | Some(SearchKind::Contact) => "",
        Some(SearchKind::Note) => "AND m.direction = 'note'",
        Some(SearchKind::Message) => "AND m.direction <> 'note'",
    };
    let order = if best { "rank" } else { "message_fts.rowid DESC" };
    let among = if best { newest(db, words)? } else { i64::MIN };
    let before = if place.is_some() { "AND message_fts.rowid < ?2" } else { "AND ?2 IS NULL" };
    let inside = if filters.conversation.is_some() { "AND c.id = ?3" } else { "AND ?3 IS NULL" };
    let over = if filters.connection.is_some() { "AND m.connection = ?4" } else { "AND ?4 IS NULL" };
    let sql = format!(
        "SELECT message_fts.rowid, m.id, c.id, k.name, snippet(message_fts, 0, char(57344), char(57345), '…', 16), m.sent_at, m.direction, k.id, {ADDRESS}
         FROM message_fts
         CROSS JOIN message m ON m.seq = message_fts.rowid
         CROSS JOIN conversation c ON c.seq = m.conversation
         CROSS JOIN contact k ON k.id = c.contact
         WHERE message_fts MATCH ?1 AND message_fts.rowid >= ?6 {before} {inside} {over} {direction} AND m.deleted_at IS NULL
         ORDER BY {order} LIMIT ?5"
    );
    let many = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map(params![words, place, filters.conversation, filters.connection, many, among], |row| {
        Ok((
            row.get(0)?,
            SearchHit {
                kind: if row.get_ref(6)?.as_str()? == "note" { SearchKind::Note } else { SearchKind::Message },
                id: row.get(1)?,
                conversation: row.get(2)?,
                contact: row.get(7)?,
                title: row.get(3)?,
                address: address(row, 8)?,
                excerpt: row.get(4)?,
                at: row.get(5)?,
            },
        ))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
