//! The people at the other end.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{self, Page, QUERY, Wrong};
use super::conversations::Status;
use crate::clock::Timestamp;
use crate::conversations::contacts::{self, Evidence};
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, ContactId, ConversationId, MergeId};
use crate::model::Address;
use crate::say;

/// Which contacts to list.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct ListContacts {
    /// Words of the name.
    pub query: Option<String>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many, 200 at most.
    pub limit: Option<u32>,
}

/// Which contact.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct GetContact {
    /// Their id.
    pub contact: ContactId,
}

/// Somebody at the other end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct ContactRow {
    /// Their id.
    pub id: ContactId,
    /// Their name.
    pub name: String,
    /// Their language, if known.
    pub language: Option<String>,
    /// They blocked the shop.
    pub blocked: bool,
    /// How connections reach them.
    pub addresses: Vec<Address>,
    /// When they first wrote.
    pub created_at: Timestamp,
}

/// A contact with everything said with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[schemars(rename = "Contact")]
#[ts(rename = "Contact")]
pub struct ContactWhole {
    /// Who.
    #[serde(flatten)]
    pub contact: ContactRow,
    /// Their conversations, newest first, fifty at most.
    pub conversations: Vec<ContactConversation>,
    /// Who may be the same person, and why. Nobody is joined silently.
    pub perhaps: Vec<PerhapsSame>,
    /// Who was joined with this contact, newest first.
    pub merged: Vec<MergedContact>,
}

/// Somebody who may be the same person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct PerhapsSame {
    /// Who.
    pub id: ContactId,
    /// Their name.
    pub name: String,
    /// The number that both have.
    pub phone: String,
    /// Where the other one has it.
    pub connector: String,
}

/// Somebody who was joined with a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct MergedContact {
    /// The joining, for undoing it.
    pub merge: MergeId,
    /// The name that was joined.
    pub name: String,
    /// On what grounds.
    pub evidence: Evidence,
    /// When.
    pub at: Timestamp,
}

/// Which two contacts are one person.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct MergeContacts {
    /// The one that stays.
    pub contact: ContactId,
    /// The one that becomes part of it.
    pub other: ContactId,
}

/// Which joining to undo.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct UndoMerge {
    /// Its id.
    pub merge: MergeId,
}

/// One conversation of a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct ContactConversation {
    /// Its id.
    pub id: ConversationId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// What that connection is called.
    pub connection_name: String,
    /// Whether it waits for anybody.
    pub status: Status,
    /// The last line.
    pub preview: String,
    /// When it was said.
    pub last_message_at: Timestamp,
}

const COLUMNS: &str = "k.id, k.name, k.language, k.blocked, k.created_at";

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<ContactRow> {
    Ok(ContactRow {
        id: row.get(0)?,
        name: row.get(1)?,
        language: row.get(2)?,
        blocked: row.get(3)?,
        created_at: row.get(4)?,
        addresses: Vec::new(),
    })
}

fn addresses(db: &rusqlite::Connection, contact: &ContactId) -> Result<Vec<Address>> {
    let mut statement =
        db.prepare_cached("SELECT connector, scheme, value FROM address WHERE contact = ?1 ORDER BY connector, scheme, value")?;
    let rows = statement.query_map([contact], |row| Ok(Address { connector: row.get(0)?, scheme: row.get(1)?, value: row.get(2)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Contacts, newest first.
pub async fn list_contacts(hub: &Arc<Hub>, request: ListContacts) -> Result<Page<ContactRow>> {
    let limit = asked::limit(request.limit, 50)?;
    let place = asked::place::<String>(request.cursor.as_deref())?;
    let query = request.query.unwrap_or_default();
    let mut wrong = Wrong::default();
    wrong.at_most("query", &query, QUERY);
    wrong.done()?;
    let words = asked::Words::of(&query).map(|words| words.loose().to_owned());
    if words.is_none() && !query.trim().is_empty() {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let items = hub
        .store
        .read(move |db| {
            let found = if words.is_some() { "k.id IN (SELECT contact FROM contact_fts WHERE contact_fts MATCH ?1)" } else { "?1 IS NULL" };
            let before = if place.is_some() { "k.id < ?2" } else { "?2 IS NULL" };
            let sql =
                format!("SELECT {COLUMNS} FROM contact k WHERE k.merged_into IS NULL AND {found} AND {before} ORDER BY k.id DESC LIMIT ?3");
            let mut statement = db.prepare_cached(&sql)?;
            let many = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let mut items = statement.query_map(params![words, place, many], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
            for item in &mut items {
                item.addresses = addresses(db, &item.id)?;
            }
            Ok(items)
        })
        .await?;
    Ok(Page::cut(items, limit, |row| row.id.clone()))
}

/// One contact with its addresses and conversations. Whoever still has the id of a contact that was joined with another gets that one.
pub async fn get_contact(hub: &Arc<Hub>, request: GetContact) -> Result<ContactWhole> {
    hub.store.read(move |db| whole(db, &request.contact)).await
}

/// Makes one person of two contacts, until it is undone.
pub async fn merge_contacts(hub: &Arc<Hub>, request: MergeContacts) -> Result<ContactWhole> {
    hub.store
        .write(move |tx| {
            contacts::merge(tx, &request.contact, &request.other, Evidence::Person)?;
            whole(tx, &request.contact)
        })
        .await
}

/// Makes two persons of one again.
pub async fn undo_merge(hub: &Arc<Hub>, request: UndoMerge) -> Result<ContactWhole> {
    hub.store
        .write(move |tx| {
            let kept = contacts::undo_merge(tx, &request.merge)?;
            whole(tx, &kept)
        })
        .await
}

fn whole(db: &rusqlite::Connection, id: &ContactId) -> Result<ContactWhole> {
    let kept: Option<ContactId> =
        db.prepare_cached("SELECT merged_into FROM contact WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?.flatten();
    let id = kept.as_ref().unwrap_or(id);
    let sql = format!("SELECT {COLUMNS} FROM contact k WHERE k.id = ?1");
    let found = db.prepare_cached(&sql)?.query_row([id], read).optional()?;
    let mut contact = found.ok_or_else(|| Error::not_found(say!("This contact is not there any more.")))?;
    contact.addresses = addresses(db, id)?;
    let mut statement = db.prepare_cached(
        "SELECT c.id, c.connection, n.name, c.status, c.preview, c.last_message_at FROM conversation c
         JOIN connection n ON n.id = c.connection WHERE c.contact = ?1 ORDER BY c.last_message_at DESC LIMIT 50",
    )?;
    let conversations = statement.query_map([id], |row| {
        Ok(ContactConversation {
            id: row.get(0)?,
            connection: row.get(1)?,
            connection_name: row.get(2)?,
            status: match row.get_ref(3)?.as_str()? {
                "snoozed" => Status::Snoozed,
                "resolved" => Status::Resolved,
                _ => Status::Open,
            },
            preview: row.get(4)?,
            last_message_at: row.get(5)?,
        })
    })?;
    let conversations = conversations.collect::<rusqlite::Result<_>>()?;
    Ok(ContactWhole { contact, conversations, perhaps: perhaps(db, id)?, merged: merged(db, id)? })
}

/// Contacts of other channels with the same phone number. Only a number that the channel itself vouches for counts: what somebody typed
/// into a form proves nothing.
fn perhaps(db: &rusqlite::Connection, id: &ContactId) -> Result<Vec<PerhapsSame>> {
    let mut statement = db.prepare_cached(
        "SELECT DISTINCT k.id, k.name, b.value, b.connector FROM address a
         JOIN address b ON b.scheme = 'phone' AND b.value = a.value AND b.contact <> a.contact
         JOIN contact k ON k.id = b.contact
         WHERE a.contact = ?1 AND a.scheme = 'phone' ORDER BY k.id LIMIT 10",
    )?;
    let rows = statement
        .query_map([id], |row| Ok(PerhapsSame { id: row.get(0)?, name: row.get(1)?, phone: row.get(2)?, connector: row.get(3)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn merged(db: &rusqlite::Connection, id: &ContactId) -> Result<Vec<MergedContact>> {
    let mut statement = db.prepare_cached(
        "SELECT g.id, k.name, g.evidence, g.at FROM contact_merge g JOIN contact k ON k.id = g.merged
         WHERE g.kept = ?1 AND g.undone_at IS NULL ORDER BY g.at DESC LIMIT 50",
    )?;
    let rows = statement.query_map([id], |row| {
        Ok(MergedContact { merge: row.get(0)?, name: row.get(1)?, evidence: Evidence::parse(row.get_ref(2)?.as_str()?), at: row.get(3)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
