//! How well a passage answers a question, and which of its lines do.
//!
//! The index finds passages that share words with the question; here each is read line by line. A passage's score is the share
//! of the question's concepts that one line covers, with the headings above it and its neighbours counting a little less.
//! So "no good match" can be said: 1 means that everything asked for stands there, 0 that nothing does.

use std::collections::HashSet;

use super::question::Concept;
use super::signs;
use super::terms::{is_slip, stem, words};
use super::topics::TOPICS;

/// The longest quote, in characters.
const QUOTE: usize = 420;
/// What is worth how much.
const HEADING: f64 = 0.95;
const NEIGHBOUR: f64 = 0.75;
const UPPER_HEADING: f64 = 0.7;
const ELSEWHERE: f64 = 0.5;
const DOCUMENT: f64 = 0.5;
const SLIP: f64 = 0.9;
/// Another day is spoken of, with hours: that the day asked for is missing is an answer too.
const OTHER_DAY: f64 = 0.75;

/// A longer question seldom has each of its words in the answer: so much is forgiven for each deciding word beyond three, and at most;
/// beyond two when what is missing is only a side of the thing ("do children pay for breakfast?").
const FORGIVEN: f64 = 0.15;
const MOST_FORGIVEN: f64 = 0.6;

/// What was found in a passage.
#[derive(Clone, Debug, PartialEq)]
pub struct Rank {
    /// From 0 to 1.
    pub score: f64,
    /// The lines that answer.
    pub quote: String,
}

/// A line of a passage, read.
struct Line {
    text: String,
    terms: HashSet<String>,
    words: Vec<String>,
    sentence: bool,
}

impl Line {
    fn new(text: &str, sentence: bool) -> Self {
        let words = words(text);
        Self { text: text.to_owned(), terms: words.iter().map(|word| stem(word)).collect(), words, sentence }
    }

    /// How well this line speaks of `concept` by itself.
    fn speaks_of(&self, concept: &Concept) -> f64 {
        if let Some(day) = concept.weekday {
            let days = signs::weekdays(&self.words);
            return match () {
                () if days[day] => 1.0,
                () if days.contains(&true) && signs::time(&self.text) => OTHER_DAY,
                () if concept.terms.iter().any(|term| self.terms.contains(term)) => 1.0,
                () => 0.0,
            };
        }
        if let Some(topic) = concept.topic.map(|topic| &TOPICS[topic]) {
            let named = concept.terms.iter().any(|term| self.terms.contains(term));
            let shown = topic.sign.is_some_and(|sign| sign(&self.text));
            return match (topic.sign.is_some(), topic.needs_sign && concept.by_phrase) {
                (true, true) => {
                    if shown {
                        1.0
                    } else if named {
                        0.4
                    } else {
                        0.0
                    }
                }
                (true, false) => {
                    if named || shown {
                        1.0
                    } else {
                        0.0
                    }
                }
                (false, _) => {
                    if named {
                        1.0
                    } else {
                        0.0
                    }
                }
            };
        }
        if concept.terms.iter().any(|term| self.terms.contains(term)) {
            return 1.0;
        }
        if self.words.iter().any(|word| concept.spellings.iter().any(|asked| is_slip(asked, word))) { SLIP } else { 0.0 }
    }
}

/// Ranks one passage; `None` when no line of it speaks of anything that was asked.
pub fn rank(concepts: &[Concept], document: &str, title: &str, body: &str) -> Option<Rank> {
    let asked: f64 = concepts.iter().map(|concept| concept.weight).sum();
    if asked <= 0.0 {
        return None;
    }
    let lines = lines(body);
    let headings: Vec<Line> = title.split(" › ").filter(|part| !part.is_empty()).map(|part| Line::new(part, false)).collect();
    let document = Line::new(&document.replace(['_', '-', '.'], " "), false);
    // Of a heading only its words count, never a sign: a time in a heading answers nothing below it.
    let above: Vec<f64> = concepts
        .iter()
        .map(|concept| {
            let named = |line: &Line| concept.terms.iter().any(|term| line.terms.contains(term));
            let own = headings.last().is_some_and(named);
            let upper = headings.iter().rev().skip(1).any(named);
            let sign_needed = concept.by_phrase && concept.topic.is_some_and(|topic| TOPICS[topic].needs_sign);
            match (own, upper) {
                _ if sign_needed => 0.0,
                (true, _) => HEADING,
                (_, true) => UPPER_HEADING,
                _ if named(&document) => DOCUMENT,
                _ => 0.0,
            }
        })
        .collect();
    let direct: Vec<Vec<f64>> = lines.iter().map(|line| concepts.iter().map(|concept| line.speaks_of(concept)).collect()).collect();
    let covered = |at: usize, which: usize| -> (f64, Option<usize>) {
        let mut best = (direct[at][which].max(above[which]), None);
        for (other, row) in direct.iter().enumerate().filter(|(other, _)| *other != at) {
            let worth = row[which] * if other.abs_diff(at) == 1 { NEIGHBOUR } else { ELSEWHERE };
            if worth > best.0 {
                best = (worth, Some(other));
            }
        }
        best
    };
    let deciding = concepts.iter().filter(|concept| concept.decides()).count();
    let forgiven = |beyond: usize| (FORGIVEN * deciding.saturating_sub(beyond) as f64).min(MOST_FORGIVEN);
    let score = |at: usize| {
        let (mut covers, mut things, mut aspects) = (0.0, 0.0, 0.0);
        for (which, concept) in concepts.iter().enumerate() {
            let worth = covered(at, which).0;
            covers += concept.weight * worth;
            let missing = concept.weight * (1.0 - worth);
            // Never forgiven is a word that no document has: it may be the very thing that is asked for.
            if concept.topic.is_some_and(|topic| TOPICS[topic].aspect) {
                aspects += missing;
            } else if concept.decides() && !concept.unknown {
                things += missing;
            }
        }
        covers / (asked - (aspects.min(forgiven(2)) + things.min(forgiven(3))).min(MOST_FORGIVEN))
    };
    let scores: Vec<f64> = (0..lines.len()).map(score).collect();
    // Of lines that cover the same, the one that says more of it itself.
    let own = |at: usize| direct[at].iter().zip(concepts).map(|(covers, concept)| covers * concept.weight).sum::<f64>();
    let best =
        (0..lines.len()).max_by(|a, b| (scores[*a] + own(*a) / 1000.0).total_cmp(&(scores[*b] + own(*b) / 1000.0)).then(b.cmp(a)))?;
    if scores[best] <= 0.0 {
        return None;
    }
    // Most of what was asked stands in one line or heading and only a scrap elsewhere: quote that line too.
    let mut quoted: Vec<usize> = vec![best];
    for which in 0..concepts.len() {
        if let (_, Some(other)) = covered(best, which)
            && !quoted.contains(&other)
            && quoted.len() < 3
        {
            quoted.push(other);
        }
    }
    // Lines that answer as well (all the hours under one heading) belong together.
    for at in 0..lines.len() {
        if !quoted.contains(&at) && (scores[at] - scores[best]).abs() < 1e-6 && (own(at) - own(best)).abs() < 1e-6 {
            quoted.push(at);
        }
    }
    Some(Rank { score: scores[best], quote: quote(&lines, best, quoted) })
}

/// The quoted lines in their order, the best one always among them.
fn quote(lines: &[Line], best: usize, mut quoted: Vec<usize>) -> String {
    let mut room = QUOTE.saturating_sub(lines[best].text.chars().count());
    quoted.retain(|at| {
        let size = lines[*at].text.chars().count();
        *at == best
            || room >= size && {
                room -= size;
                true
            }
    });
    quoted.sort_unstable();
    let mut text = String::new();
    for (index, at) in quoted.iter().enumerate() {
        if index > 0 {
            let follows = quoted[index - 1] + 1 == *at;
            text.push_str(if follows && lines[*at].sentence && lines[quoted[index - 1]].sentence { " " } else { "\n" });
        }
        text.push_str(&lines[*at].text);
    }
    text
}

/// The lines of a body: a list's lines, a paragraph's sentences; a question with its answer; a line that ends in a colon with the next.
fn lines(body: &str) -> Vec<Line> {
    let mut out: Vec<(String, bool)> = Vec::new();
    for line in body.lines().filter(|line| !line.trim().is_empty()) {
        let is_row = line.contains(" · ");
        let sentences = if is_row || line.chars().count() <= 140 { vec![line.trim().to_owned()] } else { sentences(line) };
        let several = sentences.len() > 1;
        for sentence in sentences {
            match out.last_mut() {
                Some((last, _)) if (last.ends_with('?') || last.ends_with(':')) && last.chars().count() < 160 => {
                    last.push(if several { ' ' } else { '\n' });
                    last.push_str(&sentence);
                }
                _ => out.push((sentence, several)),
            }
        }
    }
    out.into_iter().map(|(text, sentence)| Line::new(&text, sentence)).collect()
}

/// Cuts a paragraph into sentences; "R. 12", "St. James" and "9.50" do not end one.
fn sentences(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut start = 0;
    let bytes = line.as_bytes();
    for (at, c) in line.char_indices() {
        if !matches!(c, '.' | '!' | '?') || bytes.get(at + 1) != Some(&b' ') {
            continue;
        }
        let before = line[start..at].rsplit(' ').next().unwrap_or("");
        let after = line[at + 2..].chars().next();
        let short = c == '.' && before.chars().count() <= 3 && !before.chars().all(|c| c.is_ascii_digit());
        if !short && after.is_some_and(|c| c.is_uppercase() || c.is_ascii_digit() || "¿¡“\"(".contains(c)) {
            out.push(line[start..=at].trim().to_owned());
            start = at + 2;
        }
    }
    out.push(line[start..].trim().to_owned());
    out.retain(|sentence| !sentence.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::super::question::understand;
    use super::*;

    fn ranked(question: &str, title: &str, body: &str) -> Rank {
        rank(&understand(question), "menu.txt", title, body).unwrap_or(Rank { score: 0.0, quote: String::new() })
    }

    #[test]
    fn the_line_that_answers_is_quoted() {
        let body = "Pão francês (kg) . . . 18,90\nPão de queijo (un) . . . 4,50\nBolo de cenoura . . . 32,00";
        let found = ranked("quanto custa o pão de queijo?", "Preços", body);
        assert_eq!(found.quote, "Pão de queijo (un) . . . 4,50");
        assert!(found.score > 0.9, "{}", found.score);
    }

    #[test]
    fn a_missing_thing_lowers_the_score() {
        let body = "Bolo de chocolate . . . 38,00\nBolo de fubá . . . 25,00";
        assert!(ranked("quanto custa o bolo de abacaxi?", "Bolos", body).score < 0.7);
        assert!(ranked("quanto custa o bolo de fubá?", "Bolos", body).score > 0.9);
    }

    #[test]
    fn lines_under_the_heading_that_was_asked_for_come_together() {
        let found = ranked("que horas vcs abrem?", "Horário", "Segunda a sexta: 7h às 20h\nSábado: 7h às 14h");
        assert_eq!(found.quote, "Segunda a sexta: 7h às 20h\nSábado: 7h às 14h");
    }

    #[test]
    fn a_day_within_a_range_is_found() {
        let found = ranked("abre quarta-feira?", "Horário", "Segunda a sexta: 7h às 20h\nSábado: 7h às 14h");
        assert_eq!(found.quote, "Segunda a sexta: 7h às 20h");
    }

    #[test]
    fn a_question_comes_with_its_answer() {
        let found = ranked("can I bring my dog?", "FAQ", "Do you have parking?\nYes, behind the shop.\nAre dogs welcome?\nYes, on a lead.");
        assert_eq!(found.quote, "Are dogs welcome?\nYes, on a lead.");
    }
}
