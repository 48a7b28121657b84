//! What the agents know: documents, what they answer, and what nothing answers yet.

use std::sync::Arc;

use anyhow::Context;
use rusqlite::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{self, Empty, Items, NAME, Page, QUERY, Wrong};
use super::files;
use crate::agent::knowledge::{self, Covered, DocumentRow};
use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{ConversationId, DocumentId};
use crate::say;

/// A page of a list.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct ListKnowledge {
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many, 200 at most.
    pub limit: Option<u32>,
}

/// A file to learn from.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct AddKnowledge {
    /// The name of the file; its ending says how it is read.
    pub name: String,
    /// Its type, as the sender sees it. Not believed.
    #[serde(default)]
    pub mime: Option<String>,
    /// Its bytes in base64.
    pub base64: String,
}

/// A document, by its id.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct DeleteKnowledge {
    /// Its id.
    pub id: DocumentId,
}

/// A question to try.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct SearchKnowledge {
    /// The question.
    pub query: String,
    /// How many hits, 8 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// A question that is done with.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct DismissUnanswered {
    /// Its id.
    pub id: String,
}

/// Whether a document can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum KnowledgeStatus {
    /// Read, and in use.
    Ready,
}

/// A document the agents may quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct KnowledgeDocument {
    /// Its id.
    pub id: DocumentId,
    /// The name of its file.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its type.
    pub mime: String,
    /// Its size.
    pub bytes: i64,
    /// Whether it can be used.
    pub status: KnowledgeStatus,
    /// How many passages it has.
    pub passages: u32,
    /// In how many answers it was used.
    pub used: u32,
    /// When it was added.
    pub added_at: Timestamp,
}

impl From<DocumentRow> for KnowledgeDocument {
    fn from(row: DocumentRow) -> Self {
        Self {
            id: row.id,
            name: row.filename,
            title: row.title,
            mime: row.mime,
            bytes: row.bytes,
            status: KnowledgeStatus::Ready,
            passages: row.passages,
            used: row.used,
            added_at: row.created_at,
        }
    }
}

/// A passage that answers a question.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, TS)]
pub struct KnowledgeHit {
    /// Its document.
    pub document: DocumentId,
    /// The document's title.
    pub title: String,
    /// Where in it.
    pub location: String,
    /// The lines that answer, word for word.
    pub excerpt: String,
    /// How much of the question it answers, 0 to 1.
    pub score: f64,
    /// It is good enough to be told a customer.
    pub good: bool,
}

/// A question that nothing in the documents answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[schemars(rename = "Unanswered")]
#[ts(rename = "Unanswered")]
pub struct UnansweredRow {
    /// Its id.
    pub id: String,
    /// The question.
    pub question: String,
    /// Where it was asked.
    pub conversation: ConversationId,
    /// When.
    pub at: Timestamp,
}

/// Every document, newest first.
pub async fn list_knowledge(hub: &Arc<Hub>, request: ListKnowledge) -> Result<Page<KnowledgeDocument>> {
    let limit = asked::limit(request.limit, 100)?;
    let after = asked::place::<(Timestamp, DocumentId)>(request.cursor.as_deref())?;
    let rows = hub.store.read(knowledge::list).await?;
    let later = |row: &DocumentRow| after.as_ref().is_none_or(|(at, id)| (row.created_at, &row.id) < (*at, id));
    let items: Vec<DocumentRow> = rows.into_iter().filter(later).take(limit + 1).collect();
    Ok(Page::cut(items, limit, |row| (row.created_at, row.id.clone())).map(KnowledgeDocument::from))
}

/// Reads a file and keeps what it says.
pub async fn add_knowledge(hub: &Arc<Hub>, request: AddKnowledge) -> Result<KnowledgeDocument> {
    let mut wrong = Wrong::default();
    let name = wrong.needed("name", &request.name, NAME);
    wrong.done()?;
    let bytes = files::decoded("base64", &request.base64, knowledge::MAX_BYTES)?;
    // Reading a large file takes a while; the writer need not wait for it.
    let (name, bytes, passages) = tokio::task::spawn_blocking(move || -> Result<_> {
        let passages = knowledge::read_document(&name, &bytes)?;
        Ok((name, bytes, passages))
    })
    .await
    .context("read a document")??;
    let row = hub.store.write(move |tx| knowledge::keep(tx, &name, &bytes, passages)).await?;
    Ok(row.into())
}

/// Forgets a document.
pub async fn delete_knowledge(hub: &Arc<Hub>, request: DeleteKnowledge) -> Result<Empty> {
    hub.store.write(move |tx| knowledge::delete(tx, &request.id)).await?;
    Ok(Empty {})
}

/// What the documents say to a question.
pub async fn search_knowledge(hub: &Arc<Hub>, request: SearchKnowledge) -> Result<Items<KnowledgeHit>> {
    let mut wrong = Wrong::default();
    let query = wrong.needed("query", &request.query, 5 * QUERY);
    wrong.within("limit", request.limit.unwrap_or(5), 1, 200);
    wrong.done()?;
    let many = request.limit.unwrap_or(5).min(8) as usize;
    let hits = hub.store.read(move |db| knowledge::search(db, &query, many)).await?;
    let items = hits.into_iter().map(|hit| KnowledgeHit {
        good: hit.is_good(),
        document: hit.document,
        title: hit.title,
        location: hit.location,
        excerpt: hit.snippet,
        score: hit.score,
    });
    Ok(Items { items: items.collect() })
}

/// What every shop is asked, and whether the documents speak of it.
pub async fn knowledge_coverage(hub: &Arc<Hub>, _: Empty) -> Result<Items<Covered>> {
    Ok(Items { items: hub.store.read(knowledge::coverage).await? })
}

/// Questions that nothing in the documents answers, newest first.
pub async fn list_unanswered(hub: &Arc<Hub>, request: ListKnowledge) -> Result<Page<UnansweredRow>> {
    let limit = asked::limit(request.limit, 50)?;
    let before = asked::place::<i64>(request.cursor.as_deref())?.unwrap_or(i64::MAX);
    let rows = hub
        .store
        .read(move |db| {
            let sql = "SELECT seq, question, conversation, at FROM unanswered WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map(params![before, i64::try_from(limit + 1).unwrap_or(i64::MAX)], |row| {
                let seq: i64 = row.get(0)?;
                Ok((seq, UnansweredRow { id: format!("una_{seq}"), question: row.get(1)?, conversation: row.get(2)?, at: row.get(3)? }))
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await?;
    Ok(Page::cut(rows, limit, |(seq, _)| *seq).map(|(_, row)| row))
}

/// Takes a question off the list.
pub async fn dismiss_unanswered(hub: &Arc<Hub>, request: DismissUnanswered) -> Result<Empty> {
    let not_found = || Error::new(Code::NotFound, say!("This question is not on the list any more."));
    let seq: i64 = request.id.strip_prefix("una_").and_then(|number| number.parse().ok()).ok_or_else(not_found)?;
    hub.store
        .write(move |tx| {
            if tx.execute("DELETE FROM unanswered WHERE seq = ?1", [seq])? == 0 {
                return Err(not_found());
            }
            Ok(Empty {})
        })
        .await
}
