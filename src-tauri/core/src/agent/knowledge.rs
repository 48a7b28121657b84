//! What agents may quote: documents the owner dropped in, cut into passages, found by their words.
//!
//! [`read_document`] turns a file into passages, [`add`] keeps them once (a second copy of the same file is the same document),
//! [`search`] finds those that answer a question and says how well. Nothing here guesses: what is found is quoted word for
//! word, and what is not found is said to be missing.

use rusqlite::{Connection, OptionalExtension, Row};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use ts_rs::TS;

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::id::{ConversationId, DocumentId};
use crate::model::Change;
use crate::say;
use crate::store::Tx;

mod read;
mod markdown;
mod table;
pub mod terms;
mod topics;
mod signs;
mod question;
mod rank;
mod search;
mod coverage;
#[cfg(test)]
mod tests;

pub use coverage::{Covered, Topic, coverage};
pub use read::{Format, MAX_BYTES, Passage, read_document};
pub use search::{GOOD, Hit, search};

/// The longest part of a document that is given at once, in bytes.
pub const WINDOW: usize = 8 << 10;
/// How many questions without an answer are kept.
const UNANSWERED_KEPT: i64 = 1000;

/// A document in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct DocumentRow {
    /// Its id.
    pub id: DocumentId,
    /// Its title.
    pub title: String,
    /// The name of the file it came in.
    pub filename: String,
    /// Its media type.
    pub mime: String,
    /// The file's size.
    #[ts(type = "number")]
    pub bytes: i64,
    /// How many passages it has.
    pub passages: u32,
    /// In how many answers it was used.
    pub used: u32,
    /// When it was added.
    pub created_at: Timestamp,
}

impl DocumentRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            title: row.get("title")?,
            filename: row.get("filename")?,
            mime: row.get("mime")?,
            bytes: row.get("bytes")?,
            passages: row.get("passages")?,
            used: row.get("used")?,
            created_at: row.get("created_at")?,
        })
    }
}

/// A question that nothing in the documents answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct Unanswered {
    /// Where it was asked.
    pub conversation: ConversationId,
    /// The question as it was searched for.
    pub question: String,
    /// When.
    pub at: Timestamp,
}

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Part {
    /// The document.
    pub document: DocumentId,
    /// Its title.
    pub title: String,
    /// The first passage given, counted from 1.
    pub from: u32,
    /// The last passage given.
    pub to: u32,
    /// How many passages there are.
    pub passages: u32,
    /// The words, 8 KiB at most.
    pub text: String,
}

/// Reads a file and keeps it. The same bytes again give the document that is there already.
///
/// # Errors
/// See [`read_document`].
pub fn add(tx: &Tx<'_>, filename: &str, bytes: &[u8]) -> Result<DocumentRow> {
    keep(tx, filename, bytes, read_document(filename, bytes)?)
}

/// Keeps a file whose passages were read before: reading takes a while and need not hold the writer.
///
/// # Errors
/// When the database cannot be written.
pub fn keep(tx: &Tx<'_>, filename: &str, bytes: &[u8], passages: Vec<Passage>) -> Result<DocumentRow> {
    let digest = hex::encode(Sha256::digest(bytes));
    let same = tx.query_row("SELECT * FROM document WHERE sha256 = ?1", [&digest], DocumentRow::read).optional()?;
    if let Some(same) = same {
        return Ok(same);
    }
    let filename = short_name(filename);
    let document = DocumentRow {
        id: DocumentId::new(),
        title: filename.clone(),
        mime: Format::of(&filename).mime().to_owned(),
        filename,
        bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        passages: u32::try_from(passages.len()).unwrap_or(u32::MAX),
        used: 0,
        created_at: tx.now(),
    };
    tx.execute(
        "INSERT INTO document (id, title, filename, mime, sha256, bytes, passages, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            &document.id,
            &document.title,
            &document.filename,
            &document.mime,
            &digest,
            document.bytes,
            document.passages,
            document.created_at,
        ),
    )?;
    let mut insert = tx.prepare_cached("INSERT INTO chunk (document, ordinal, title, body, location) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (ordinal, passage) in (1u32..).zip(&passages) {
        insert.execute((&document.id, ordinal, &passage.title, &passage.body, &passage.location))?;
    }
    tx.changed(Change::Knowledge { id: document.id.clone() });
    Ok(document)
}

/// The last part of a path, without what could mislead, of bearable length.
fn short_name(filename: &str) -> String {
    let name = filename.rsplit(['/', '\\']).next().unwrap_or(filename);
    let name: String = terms::visible(name).replace(['\n', '\t'], " ").trim().chars().take(120).collect();
    if name.is_empty() { "document.txt".to_owned() } else { name }
}

/// Every document, the newest first.
///
/// # Errors
/// When the database cannot be read.
pub fn list(db: &Connection) -> Result<Vec<DocumentRow>> {
    let mut statement = db.prepare_cached("SELECT * FROM document ORDER BY created_at DESC, id DESC")?;
    let rows = statement.query_map([], DocumentRow::read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Forgets a document and its passages.
///
/// # Errors
/// [`Code::NotFound`](crate::error::Code::NotFound) when there is none by that id.
pub fn delete(tx: &Tx<'_>, id: &DocumentId) -> Result<()> {
    // Passages go first: their triggers take them out of the index.
    tx.execute("DELETE FROM chunk WHERE document = ?1", [id])?;
    if tx.execute("DELETE FROM document WHERE id = ?1", [id])? == 0 {
        return Err(no_such_document());
    }
    tx.changed(Change::Knowledge { id: id.clone() });
    Ok(())
}

fn no_such_document() -> Error {
    Error::not_found(say!("This document is no longer there."))
}

/// The passages `from..=to` of a document (counted from 1), as many whole ones as fit into [`WINDOW`].
///
/// # Errors
/// [`Code::NotFound`](crate::error::Code::NotFound) when there is no such document or no such passage.
pub fn get_document(db: &Connection, id: &DocumentId, from: u32, to: Option<u32>) -> Result<Part> {
    let found =
        db.query_row("SELECT title, passages FROM document WHERE id = ?1", [id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((title, passages)) = found else { return Err(no_such_document()) };
    let from = from.max(1);
    let mut part = Part { document: id.clone(), title, from, to: from, passages, text: String::new() };
    let mut statement =
        db.prepare_cached("SELECT ordinal, title, body FROM chunk WHERE document = ?1 AND ordinal BETWEEN ?2 AND ?3 ORDER BY ordinal")?;
    let mut rows = statement.query((id, from, to.unwrap_or(u32::MAX)))?;
    let mut heading = String::new();
    while let Some(row) = rows.next()? {
        let (title, body): (String, String) = (row.get(1)?, row.get(2)?);
        let piece = if title.is_empty() || title == heading { format!("{body}\n") } else { format!("## {title}\n{body}\n") };
        if !part.text.is_empty() && part.text.len() + piece.len() > WINDOW {
            break;
        }
        heading = title;
        part.to = row.get(0)?;
        part.text.push_str(&piece);
    }
    if part.text.is_empty() {
        return Err(no_such_document());
    }
    while part.text.len() > WINDOW {
        part.text.pop();
    }
    Ok(part)
}

/// Counts that documents were used in an answer.
///
/// # Errors
/// When the database cannot be written.
pub fn count_use(tx: &Tx<'_>, documents: &[DocumentId]) -> Result<()> {
    for id in documents {
        if tx.execute("UPDATE document SET used = used + 1 WHERE id = ?1", [id])? > 0 {
            tx.changed(Change::Knowledge { id: id.clone() });
        }
    }
    Ok(())
}

/// Notes a question that nothing answers, so that its owner sees what is missing. The list is bounded.
///
/// # Errors
/// When the database cannot be written.
pub fn note_unanswered(tx: &Tx<'_>, conversation: &ConversationId, question: &str) -> Result<()> {
    let question: String = terms::visible(question).trim().chars().take(300).collect();
    if question.is_empty() {
        return Ok(());
    }
    tx.execute("INSERT INTO unanswered (conversation, question, at) VALUES (?1, ?2, ?3)", (conversation, question, tx.now()))?;
    tx.execute("DELETE FROM unanswered WHERE seq <= (SELECT max(seq) FROM unanswered) - ?1", [UNANSWERED_KEPT])?;
    Ok(())
}

/// A question that nobody has taken up for half a year is of another season; the list is the shop's work, not its past.
const UNANSWERED_FOR: std::time::Duration = std::time::Duration::from_secs(180 * 86_400);

/// Forgets questions of long ago. The list is short, so that one batch is all of them.
///
/// # Errors
/// When the database cannot be written.
pub fn forget_unanswered(tx: &Tx<'_>) -> Result<bool> {
    tx.execute("DELETE FROM unanswered WHERE at < ?1", [tx.now().minus(UNANSWERED_FOR)])?;
    Ok(false)
}

/// The questions that nothing answered, the newest first.
///
/// # Errors
/// When the database cannot be read.
pub fn unanswered(db: &Connection, limit: u32) -> Result<Vec<Unanswered>> {
    let mut statement = db.prepare_cached("SELECT conversation, question, at FROM unanswered ORDER BY seq DESC LIMIT ?1")?;
    let rows = statement.query_map([limit], |row| Ok(Unanswered { conversation: row.get(0)?, question: row.get(1)?, at: row.get(2)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
