//! Copies agents and what they may quote from another profile into the Lab. Connections and secrets are not even read.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection as Db, OpenFlags, OptionalExtension, params};

use super::{leads_out, of};
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{AgentId, ConnectionId, DocumentId};
use crate::model::Change;
use crate::say;
use crate::store::DATABASE;
use crate::store::migrate::MIGRATIONS;

/// An agent as it stands in the other database; what it says is copied, with whom it thinks is not.
struct CopiedAgent {
    name: String,
    /// Instructions, instructions by channel, settings, tools, mode: as they are written there.
    texts: [String; 5],
    is_default: bool,
}

/// A document with its passages: ordinal, title, body, location.
struct CopiedDocument {
    title: String,
    filename: String,
    mime: String,
    sha256: String,
    bytes: i64,
    passages: Vec<(u32, String, String, String)>,
}

/// How much was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Agents.
    pub agents: u32,
    /// Documents.
    pub documents: u32,
}

struct Shop {
    name: Option<String>,
    agents: Vec<CopiedAgent>,
    documents: Vec<CopiedDocument>,
}

/// Copies from the data in `directory`, which may be open elsewhere. An agent of the same name is replaced; a document that is there
/// already stays.
///
/// # Errors
/// When there is no such data, or it is of another version.
pub async fn copy(hub: &Arc<Hub>, directory: &Path) -> Result<Copied> {
    of(hub)?;
    let path = directory.join(DATABASE);
    let shop = tokio::task::spawn_blocking(move || read(&path)).await.map_err(anyhow::Error::from)??;
    let thinks: Vec<&'static str> = hub
        .connectors
        .values()
        .filter(|connector| connector.model().is_some() && !leads_out(connector.as_ref()))
        .map(|connector| connector.about().kind)
        .collect();
    hub.store
        .write(move |tx| {
            let connection = model(tx, &thinks)?;
            for agent in &shop.agents {
                let [instructions, channel_instructions, settings, tools, stream_mode] = &agent.texts;
                let known: Option<AgentId> =
                    tx.query_row("SELECT id FROM agent WHERE name = ?1 ORDER BY id LIMIT 1", [&agent.name], |row| row.get(0)).optional()?;
                let id = known.unwrap_or_else(AgentId::new);
                tx.execute(
                    "INSERT INTO agent (id, name, instructions, channel_instructions, connection, settings, tools, stream_mode, created_at, updated_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
                     ON CONFLICT (id) DO UPDATE SET instructions = ?3, channel_instructions = ?4, settings = ?6, tools = ?7, stream_mode = ?8, updated_at = ?9",
                    params![id, agent.name, instructions, channel_instructions, connection, settings, tools, stream_mode, tx.now()],
                )?;
                if agent.is_default {
                    tx.execute("INSERT OR REPLACE INTO setting (key, value) VALUES ('default_agent', ?1)", [&id])?;
                }
                tx.changed(Change::Agent { id });
            }
            for document in &shop.documents {
                put(tx, document)?;
            }
            if let Some(name) = &shop.name {
                tx.execute("INSERT OR REPLACE INTO setting (key, value) VALUES ('shop_name', ?1)", [name])?;
                tx.changed(Change::Settings);
            }
            let many = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            Ok(Copied { agents: many(shop.agents.len()), documents: many(shop.documents.len()) })
        })
        .await
}

/// With whom agents think in the Lab: whoever the default agent thinks with, else the first model that stays on this computer.
fn model(db: &Db, thinks: &[&str]) -> Result<ConnectionId> {
    let kinds = serde_json::to_string(thinks).map_err(anyhow::Error::from)?;
    db.query_row(
        "SELECT k.id FROM connection k WHERE k.deleted_at IS NULL AND k.connector IN (SELECT value FROM json_each(?1))
         ORDER BY k.id = (SELECT connection FROM agent WHERE id = (SELECT value FROM setting WHERE key = 'default_agent')) DESC, k.id LIMIT 1",
        [kinds],
        |row| row.get(0),
    )
    .optional()?
    .ok_or_else(|| Error::new(Code::Conflict, say!("The Lab has nothing for agents to think with.")))
}

fn put(tx: &crate::store::Tx<'_>, document: &CopiedDocument) -> Result<()> {
    let known: bool = tx.query_row("SELECT EXISTS (SELECT 1 FROM document WHERE sha256 = ?1)", [&document.sha256], |row| row.get(0))?;
    if known {
        return Ok(());
    }
    let id = DocumentId::new();
    let passages = i64::try_from(document.passages.len()).unwrap_or(i64::MAX);
    tx.execute(
        "INSERT INTO document (id, title, filename, mime, sha256, bytes, passages, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![id, document.title, document.filename, document.mime, document.sha256, document.bytes, passages, tx.now()],
    )?;
    let mut insert = tx.prepare_cached("INSERT INTO chunk (document, ordinal, title, body, location) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (ordinal, title, body, location) in &document.passages {
        insert.execute(params![id, ordinal, title, body, location])?;
    }
    tx.changed(Change::Knowledge { id });
    Ok(())
}

/// Reads what is copied, and nothing else.
fn read(path: &Path) -> Result<Shop> {
    let missing = || Error::not_found(say!("There is no shop of that name on this computer."));
    if !path.is_file() {
        return Err(missing());
    }
    let mut db = Db::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(|_| missing())?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    // One moment of it, whatever the shop writes meanwhile.
    let db = db.transaction()?;
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if usize::try_from(version).ok() != Some(MIGRATIONS.len()) {
        return Err(Error::new(
            Code::Conflict,
            say!("That shop was last opened by another version of Shopbell. Open it once with this one."),
        ));
    }
    let setting = |key: &str| db.query_row("SELECT value FROM setting WHERE key = ?1", [key], |row| row.get::<_, String>(0)).optional();
    let default = setting("default_agent")?;
    let mut statement =
        db.prepare("SELECT id, name, instructions, channel_instructions, settings, tools, stream_mode FROM agent ORDER BY id")?;
    let agents = statement.query_map([], |row| {
        let texts = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?];
        Ok(CopiedAgent { name: row.get(1)?, texts, is_default: Some(row.get::<_, String>(0)?) == default })
    })?;
    let agents = agents.collect::<rusqlite::Result<_>>()?;
    let mut passages = db.prepare("SELECT ordinal, title, body, location FROM chunk WHERE document = ?1 ORDER BY ordinal")?;
    let mut statement = db.prepare("SELECT id, title, filename, mime, sha256, bytes FROM document ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut documents = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let chunks = passages.query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        documents.push(CopiedDocument {
            title: row.get(1)?,
            filename: row.get(2)?,
            mime: row.get(3)?,
            sha256: row.get(4)?,
            bytes: row.get(5)?,
            passages: chunks.collect::<rusqlite::Result<_>>()?,
        });
    }
    Ok(Shop { name: setting("shop_name")?, agents, documents })
}
