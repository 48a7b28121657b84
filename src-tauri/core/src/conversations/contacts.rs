//! Who somebody is: the addresses that are known to be one person's, on what evidence, and how a mistake is undone.

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::clipped;
use crate::connector::IncomingMessage;
use crate::error::{Code, Error, Result};
use crate::id::{ContactId, ConversationId, MergeId};
use crate::model::{Address, Change};
use crate::say;
use crate::store::Tx;

/// What a service tells of a person beside their addresses.
pub struct About<'a> {
    /// Their name.
    pub name: Option<&'a str>,
    /// Their language.
    pub language: Option<&'a str>,
    /// What else; "username" labels the address.
    pub metadata: &'a Map<String, Value>,
}

impl<'a> About<'a> {
    /// As a message tells it.
    pub fn of(message: &'a IncomingMessage) -> Self {
        Self { name: message.name.as_deref(), language: message.language.as_deref(), metadata: &message.metadata }
    }
}

/// The contact of an address; a new one for addresses never seen. `also` are addresses that the service says belong to the same person.
pub fn of(tx: &Tx<'_>, address: &Address, also: &[Address], about: &About<'_>) -> Result<ContactId> {
    let mut known: Option<ContactId> = None;
    for one in std::iter::once(address).chain(also) {
        let Some(holder) = holder(tx, one)? else { continue };
        match &known {
            None => known = Some(holder),
            Some(other) if *other != holder => {
                // The service itself says that both are one person; the older one stays.
                let (kept, merged) = if other.as_str() < holder.as_str() { (other.clone(), holder) } else { (holder, other.clone()) };
                merge(tx, &kept, &merged, Evidence::Service)?;
                known = Some(kept);
            }
            Some(_) => {}
        }
    }
    let label = about.metadata.get("username").and_then(Value::as_str).map(|name| format!("@{name}"));
    let name = about.name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or("");
    let id = match known {
        Some(id) => {
            if !name.is_empty() {
                // A name that comes later fills the gap; a name that somebody gave stays.
                tx.prepare_cached("UPDATE contact SET name = ?2 WHERE id = ?1 AND name = ''")?.execute(params![id, clipped(name, 120)])?;
            }
            id
        }
        None => {
            let id = ContactId::new();
            tx.prepare_cached("INSERT INTO contact (id, name, language, created_at) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                id,
                clipped(name, 120),
                about.language,
                tx.now()
            ])?;
            tx.changed(Change::Contact { id: id.clone() });
            id
        }
    };
    for one in std::iter::once(address).chain(also) {
        if holder(tx, one)?.is_none() {
            let label = label.as_deref().filter(|_| one == address);
            insert(tx, &id, one, label)?;
        }
    }
    Ok(id)
}

/// Whose address it is.
pub fn holder(tx: &Tx<'_>, address: &Address) -> Result<Option<ContactId>> {
    Ok(tx
        .prepare_cached("SELECT contact FROM address WHERE connector = ?1 AND scheme = ?2 AND value = ?3")?
        .query_row(params![address.connector, address.scheme, address.value], |row| row.get(0))
        .optional()?)
}

/// One more address of a contact. An address that is somebody else's stays theirs.
pub fn add_address(tx: &Tx<'_>, contact: &ContactId, address: &Address) -> Result<()> {
    if holder(tx, address)?.is_none() {
        insert(tx, contact, address, None)?;
        tx.changed(Change::Contact { id: contact.clone() });
    }
    Ok(())
}

fn insert(tx: &Tx<'_>, contact: &ContactId, address: &Address, label: Option<&str>) -> Result<()> {
    tx.prepare_cached("INSERT INTO address (connector, scheme, value, contact, label) VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        address.connector,
        address.scheme,
        address.value,
        contact,
        label
    ])?;
    Ok(())
}

/// On what grounds two contacts are one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The service told both addresses in one message.
    Service,
    /// Somebody of the shop decided it.
    Person,
}

impl Evidence {
    fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Person => "person",
        }
    }

    /// From the store.
    pub fn parse(text: &str) -> Self {
        if text == "service" { Self::Service } else { Self::Person }
    }
}

/// What a merge moved: what undoing it moves back.
#[derive(Default, Serialize, Deserialize)]
struct Moved {
    addresses: Vec<Address>,
    conversations: Vec<ConversationId>,
}

/// Makes one person of two contacts: addresses and conversations of `merged` become `kept`'s.
///
/// # Errors
/// The same contact twice, or one that is not there (any more).
pub fn merge(tx: &Tx<'_>, kept: &ContactId, merged: &ContactId, evidence: Evidence) -> Result<MergeId> {
    if kept == merged {
        return Err(Error::field("other", say!("Choose two different contacts.")));
    }
    for (field, id) in [("contact", kept), ("other", merged)] {
        let there: Option<Option<ContactId>> =
            tx.prepare_cached("SELECT merged_into FROM contact WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
        if there != Some(None) {
            return Err(Error::field(field, say!("This contact is not there any more.")));
        }
    }
    let addresses = tx
        .prepare_cached("SELECT connector, scheme, value FROM address WHERE contact = ?1")?
        .query_map([merged], |row| Ok(Address { connector: row.get(0)?, scheme: row.get(1)?, value: row.get(2)? }))?
        .collect::<rusqlite::Result<_>>()?;
    let conversations = tx
        .prepare_cached("SELECT id FROM conversation WHERE contact = ?1")?
        .query_map([merged], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let moved = Moved { addresses, conversations };
    let id = MergeId::new();
    tx.prepare_cached("INSERT INTO contact_merge (id, kept, merged, evidence, moved, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![id, kept, merged, evidence.as_str(), serde_json::to_string(&moved).map_err(anyhow::Error::from)?, tx.now()])?;
    move_all(tx, &moved, merged, kept)?;
    tx.prepare_cached("UPDATE contact SET merged_into = ?2 WHERE id = ?1")?.execute(params![merged, kept])?;
    tx.prepare_cached("UPDATE contact SET name = (SELECT name FROM contact WHERE id = ?2) WHERE id = ?1 AND name = ''")?
        .execute(params![kept, merged])?;
    announce(tx, &moved, kept, merged);
    Ok(id)
}

/// Makes two persons of one again. What was said meanwhile stays where it was said: in its conversation, which goes back to whom it was.
///
/// # Errors
/// Not found; or a conflict when it was undone before.
pub fn undo_merge(tx: &Tx<'_>, id: &MergeId) -> Result<ContactId> {
    let found: Option<(ContactId, ContactId, String, bool)> = tx
        .prepare_cached("SELECT kept, merged, moved, undone_at IS NOT NULL FROM contact_merge WHERE id = ?1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((kept, merged, moved, undone)) = found else {
        return Err(Error::not_found(say!("This contact is not there any more.")));
    };
    if undone {
        return Err(Error::new(Code::Conflict, say!("These contacts are two already.")));
    }
    let moved: Moved = serde_json::from_str(&moved).map_err(anyhow::Error::from)?;
    tx.prepare_cached("UPDATE contact SET merged_into = NULL WHERE id = ?1")?.execute([&merged])?;
    move_all(tx, &moved, &kept, &merged)?;
    tx.prepare_cached("UPDATE contact_merge SET undone_at = ?2 WHERE id = ?1")?.execute(params![id, tx.now()])?;
    announce(tx, &moved, &kept, &merged);
    Ok(kept)
}

fn move_all(tx: &Tx<'_>, moved: &Moved, from: &ContactId, to: &ContactId) -> Result<()> {
    for address in &moved.addresses {
        tx.prepare_cached("UPDATE address SET contact = ?5 WHERE connector = ?1 AND scheme = ?2 AND value = ?3 AND contact = ?4")?
            .execute(params![address.connector, address.scheme, address.value, from, to])?;
    }
    for conversation in &moved.conversations {
        tx.prepare_cached("UPDATE conversation SET contact = ?3 WHERE id = ?1 AND contact = ?2")?.execute(params![
            conversation,
            from,
            to
        ])?;
    }
    Ok(())
}

fn announce(tx: &Tx<'_>, moved: &Moved, kept: &ContactId, merged: &ContactId) {
    tx.changed(Change::Contact { id: kept.clone() });
    tx.changed(Change::Contact { id: merged.clone() });
    for id in &moved.conversations {
        tx.changed(Change::Conversation { id: id.clone() });
    }
}
