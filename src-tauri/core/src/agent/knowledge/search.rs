//! Finding the passages that answer a question.
//!
//! The full-text index (FTS5, bm25, accents folded) proposes; [`rank`](super::rank) reads what it proposes and says how much of
//! the question is answered. Words that stand nowhere are looked for under a slip of the finger, and weigh more: a question
//! about something that no document names is one to answer honestly.

use rusqlite::Connection;
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use super::question::{self, Concept};
use super::rank;
use super::terms::{is_slip, stem, visible};
use super::topics::TOPICS;
use crate::error::Result;
use crate::id::DocumentId;

/// From this score on a passage is an answer; below it, it only shares words with the question.
pub const GOOD: f64 = 0.64;
/// The most hits one search gives.
pub const MOST: usize = 8;
/// The best score of a question that does not say what it is about ("how much is it?").
const VAGUE: f64 = 0.5;
/// The most that words which only colour a question weigh together.
const COLOUR: f64 = 0.4;
/// How many passages the index may propose.
const PROPOSED: u32 = 200;

/// A passage that was found.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, TS)]
pub struct Hit {
    /// Its document.
    pub document: DocumentId,
    /// The passage.
    #[ts(type = "number")]
    pub chunk: i64,
    /// The document's title.
    pub title: String,
    /// Where in it: the headings and the lines.
    pub location: String,
    /// The lines that answer, word for word.
    pub snippet: String,
    /// The whole passage.
    pub body: String,
    /// How much of the question it answers, 0 to 1; see [`GOOD`].
    pub score: f64,
}

impl Hit {
    /// Whether it answers the question.
    pub fn is_good(&self) -> bool {
        self.score >= GOOD
    }
}

/// The passages that answer `query` best, the best first; none for a query without meaning.
///
/// # Errors
/// When the database cannot be read. No query is an error.
pub fn search(db: &Connection, query: &str, top_k: usize) -> Result<Vec<Hit>> {
    let mut concepts = question::understand(&visible(query));
    if concepts.is_empty() {
        return Ok(Vec::new());
    }
    weigh(db, &mut concepts)?;
    let most = if question::is_about_nothing(&concepts) { VAGUE } else { 1.0 };
    let wanted: Vec<String> = concepts.iter().flat_map(lookups).collect();
    let mut statement = db.prepare_cached(
        "SELECT chunk.id, chunk.document, chunk.title, chunk.body, chunk.location, document.title
         FROM chunk_fts JOIN chunk ON chunk.id = chunk_fts.rowid JOIN document ON document.id = chunk.document
         WHERE chunk_fts MATCH ?1 ORDER BY bm25(chunk_fts, 4.0, 1.0), chunk.id LIMIT ?2",
    )?;
    let mut rows = statement.query((wanted.join(" OR "), PROPOSED))?;
    let mut hits = Vec::new();
    while let Some(row) = rows.next()? {
        let (heading, body, place): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let title: String = row.get(5)?;
        if let Some(rank::Rank { score, quote }) = rank::rank(&concepts, &title, &heading, &body) {
            let location = if heading.is_empty() { place } else { format!("{heading}, {place}") };
            hits.push(Hit {
                document: row.get(1)?,
                chunk: row.get(0)?,
                title,
                location,
                snippet: quote,
                body,
                score: round(score.min(most)),
            });
        }
    }
    // The sort is stable: among equals the index's own order stays.
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(top_k.clamp(1, MOST));
    Ok(hits)
}

fn round(score: f64) -> f64 {
    (score * 1000.0).round() / 1000.0
}

fn lookups(concept: &Concept) -> Vec<String> {
    concept.spellings.iter().flat_map(|word| question::lookups(word)).collect()
}

/// Weighs the question's words by how rare they are in the documents, after mending slips of the finger.
fn weigh(db: &Connection, concepts: &mut Vec<Concept>) -> Result<()> {
    let total: f64 = db.query_row("SELECT count(*) FROM chunk", [], |row| row.get(0))?;
    let mut count = db.prepare_cached("SELECT count(*) FROM chunk_fts WHERE chunk_fts MATCH ?1")?;
    let mut mended: Vec<(usize, String)> = Vec::new();
    for (at, concept) in concepts.iter_mut().enumerate().filter(|(_, concept)| concept.topic.is_none() && concept.weekday.is_none()) {
        let found: f64 = count.query_row([lookups(concept).join(" OR ")], |row| row.get(0))?;
        if found > 0.0 {
            // From 0.8 for a word that stands everywhere to 1.2 for one that stands once.
            concept.weight *= 0.8 + 0.4 * (1.0 - (1.0 + found).ln() / (2.0 + total).ln()).clamp(0.0, 1.0);
            continue;
        }
        if !concept.decides() {
            continue;
        }
        let word = concept.word.clone();
        if let Some(meant) =
            TOPICS.iter().enumerate().find_map(|(topic, _)| super::topics::spellings(topic).find(|known| is_slip(&word, known)))
        {
            mended.push((at, meant.to_owned()));
        } else if let Some(meant) = slip(db, &word)? {
            concept.terms.insert(stem(&meant));
            concept.spellings.insert(meant);
        } else {
            // Named nowhere: whatever else matches, this is not answered.
            concept.weight = 1.3;
            concept.unknown = true;
        }
    }
    // A mended word that names a topic is asked anew, as it was meant.
    for (at, meant) in mended.into_iter().rev() {
        let known = question::understand(&meant);
        concepts.remove(at);
        concepts.extend(known.into_iter().filter(|new| new.topic.is_some()));
    }
    // A rule of the house holds for whatever is asked about, named in it or not.
    if concepts.iter().any(|concept| concept.topic.is_some_and(|topic| TOPICS[topic].rule)) {
        for concept in concepts.iter_mut().filter(|concept| concept.unknown) {
            concept.weight = 0.4;
        }
    }
    // Many colouring words together weigh no more than half a deciding one.
    let colour: f64 = concepts.iter().filter(|concept| !concept.decides()).map(|concept| concept.weight).sum();
    if colour > COLOUR {
        for concept in concepts.iter_mut().filter(|concept| !concept.decides()) {
            concept.weight *= COLOUR / colour;
        }
    }
    let mut seen: Vec<Option<usize>> = Vec::new();
    concepts.retain(|concept| {
        concept.topic.is_none()
            || (!seen.contains(&concept.topic) && {
                seen.push(concept.topic);
                true
            })
    });
    Ok(())
}

/// The word of the documents that `word` is a slip of the finger for, the commonest of them.
fn slip(db: &Connection, word: &str) -> Result<Option<String>> {
    if word.chars().count() < 5 {
        return Ok(None);
    }
    let length = i64::try_from(word.chars().count()).unwrap_or(i64::MAX);
    let mut statement =
        db.prepare_cached("SELECT term FROM chunk_word WHERE length(term) BETWEEN ?1 AND ?2 ORDER BY doc DESC LIMIT 50000")?;
    let mut rows = statement.query((length - 2, length + 2))?;
    while let Some(row) = rows.next()? {
        let term: String = row.get(0)?;
        if is_slip(word, &term) {
            return Ok(Some(term));
        }
    }
    Ok(None)
}
