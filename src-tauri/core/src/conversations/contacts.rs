//! Who somebody is: the addresses that are known to be one person's.

use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value};

use super::clipped;
use crate::connector::IncomingMessage;
use crate::error::Result;
use crate::id::ContactId;
use crate::model::{Address, Change};
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
        if known.is_none() {
            known = holder(tx, one)?;
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
