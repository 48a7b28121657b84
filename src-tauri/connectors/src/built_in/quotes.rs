//! Choosing what to quote from what was found, and writing it down.

use serde::Deserialize;
use serde_json::Value;
use shopbell_core::id::DocumentId;
use shopbell_core::model::Source;

use super::ear;
use super::phrases::Language;

/// The longest answer to one question, in characters.
const LONGEST: usize = 900;
/// How many passages answer one question, and a question for a list.
const USUAL: usize = 3;
const LISTED: usize = 6;
/// Passages that answer nearly as well as the best one are quoted with it.
const NEARLY: f64 = 0.04;

/// A passage, as the tool gave it.
#[derive(Debug, Deserialize)]
pub struct Hit {
    #[serde(default)]
    document: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    snippet: String,
    #[serde(default)]
    score: f64,
}

/// What a search brought: the passages that answer, best first; none when it does not answer.
pub fn good(result: &Value, question: &str, follows: bool) -> Vec<Hit> {
    if result["good_match"] != Value::Bool(true) {
        return Vec::new();
    }
    let threshold = result["threshold"].as_f64().unwrap_or(0.7);
    let rows = result["results"].as_array().cloned().unwrap_or_default();
    let mut hits: Vec<Hit> = rows.into_iter().filter_map(|row| serde_json::from_value(row).ok()).collect();
    hits.retain(|hit| hit.score >= threshold && !hit.snippet.trim().is_empty());
    if follows {
        narrow(&mut hits, question);
    }
    let best = hits.first().map_or(0.0, |hit| hit.score);
    hits.retain(|hit| hit.score >= best - NEARLY);
    let mut kept: Vec<Hit> = Vec::new();
    let most = if ear::asks_for_list(question) { LISTED } else { USUAL };
    let mut room = LONGEST;
    for hit in hits {
        let size = hit.snippet.chars().count();
        let told = kept.iter().any(|other| other.snippet.contains(hit.snippet.trim()));
        if told || kept.len() >= most || (size > room && !kept.is_empty()) {
            continue;
        }
        room = room.saturating_sub(size);
        kept.push(hit);
    }
    kept
}

/// A question that goes on from the last one names something new ("e o de chocolate?"): passages that name it too come before others.
fn narrow(hits: &mut Vec<Hit>, question: &str) {
    let new: Vec<String> = ear::words(question).into_iter().filter(|word| word.chars().count() >= 4).map(|word| word.chars().take(5).collect()).collect();
    let names = |hit: &Hit| {
        let words = ear::words(&format!("{} {}", hit.snippet, hit.location));
        new.iter().any(|start: &String| words.iter().any(|word| word.starts_with(start.as_str())))
    };
    if hits.iter().any(names) {
        hits.retain(names);
    }
}

/// The quotation, word for word: one line in quotation marks, several as a list.
pub fn written(hits: &[Hit], language: Language) -> String {
    let lines: Vec<&str> = hits.iter().flat_map(|hit| hit.snippet.lines()).map(str::trim).filter(|line| !line.is_empty()).collect();
    match (lines.as_slice(), language) {
        ([one], Language::Spanish) => format!("«{one}»"),
        ([one], _) => format!("“{one}”"),
        (several, _) => several.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n"),
    }
}

/// Where a quotation comes from.
pub fn source(hit: &Hit, language: Language) -> Source {
    Source {
        title: hit.title.clone(),
        location: (!hit.location.is_empty()).then(|| place(&hit.location, language)),
        quote: Some(hit.snippet.clone()),
        document: hit.document.as_deref().map(DocumentId::from),
    }
}

/// "Preços, lines 3–5" in the customer's language.
fn place(location: &str, language: Language) -> String {
    let (heading, last) = location.rsplit_once(", ").map_or(("", location), |(heading, last)| (heading, last));
    let Some((kind, number)) = last.split_once(' ') else { return location.to_owned() };
    let kind = match kind {
        "line" => language.line(),
        "lines" => language.lines(),
        "row" => language.row(),
        _ => return location.to_owned(),
    };
    if heading.is_empty() { format!("{kind} {number}") } else { format!("{heading}, {kind} {number}") }
}
