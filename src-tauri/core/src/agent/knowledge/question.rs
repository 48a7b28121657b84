//! What a question asks: its concepts, and how much each one weighs.

use std::collections::{BTreeSet, HashSet};

use super::signs;
use super::terms::{as_pair, is_empty, is_soft, stem, words};
use super::topics::{self, TOPICS};

/// The longest question that is read, in characters.
const LONGEST: usize = 1000;
/// The most concepts that count.
const MOST: usize = 16;

/// One thing that an answer must speak of.
#[derive(Clone, Debug)]
pub struct Concept {
    /// The folded word as it was asked; a topic's name for a phrase.
    pub word: String,
    /// The terms that satisfy it.
    pub terms: HashSet<String>,
    /// The folded words to look up, as people write them.
    pub spellings: BTreeSet<String>,
    /// Its topic, if it has one.
    pub topic: Option<usize>,
    /// The day of the week that it names, Monday = 0.
    pub weekday: Option<usize>,
    /// Whether it was asked for by a phrase ("how much") and not by a word.
    pub by_phrase: bool,
    /// Whether no document has the word; told by the search.
    pub unknown: bool,
    /// How much it weighs.
    pub weight: f64,
}

impl Concept {
    /// Whether it decides what is asked, rather than colouring it.
    pub fn decides(&self) -> bool {
        self.weight >= 0.5
    }
}

/// Whether the concepts only say what kind of answer is wanted ("how much is it?") and not about what.
pub fn is_about_nothing(concepts: &[Concept]) -> bool {
    let kind_only = |topic: usize| TOPICS[topic].needs_sign || TOPICS[topic].name == "when";
    concepts.iter().all(|concept| !concept.decides() || concept.topic.is_some_and(kind_only))
}

/// The concepts of a question, in its order; empty when it says nothing.
pub fn understand(question: &str) -> Vec<Concept> {
    let question: String = question.chars().take(LONGEST).collect();
    let words = words(&question);
    let phrases = topics::asked(&words);
    let mut concepts: Vec<Concept> = Vec::new();
    for (topic, _) in &phrases {
        concepts.push(of_topic(*topic, TOPICS[*topic].name.to_owned(), true));
    }
    for (at, word) in words.iter().enumerate() {
        if phrases.iter().any(|(_, place)| place.contains(&at)) || concepts.len() >= MOST {
            continue;
        }
        let term = stem(word);
        if let Some(weekday) = signs::weekday(word).filter(|_| word.len() > 3) {
            concepts.push(day(word, weekday));
            continue;
        }
        if let Some(topic) = topics::of(&term) {
            match concepts.iter_mut().find(|concept| concept.topic == Some(topic)) {
                Some(known) => known.by_phrase = false,
                None => concepts.push(of_topic(topic, word.clone(), false)),
            }
            continue;
        }
        if is_empty(word) || concepts.iter().any(|concept| concept.terms.contains(&term)) {
            continue;
        }
        concepts.push(of_word(word, term));
    }
    // "When do you open" asks for hours; "how long" already says what kind of moment.
    let has =
        |concepts: &[Concept], name: &str| concepts.iter().any(|concept| concept.topic.is_some_and(|topic| TOPICS[topic].name == name));
    if has(&concepts, "hours") || has(&concepts, "duration") {
        concepts.retain(|concept| concept.topic.is_none_or(|topic| TOPICS[topic].name != "when"));
    }
    concepts
}

fn of_topic(topic: usize, word: String, by_phrase: bool) -> Concept {
    let mut spellings: BTreeSet<String> = topics::spellings(topic).map(str::to_owned).collect();
    if TOPICS[topic].name == "hours" || TOPICS[topic].name == "when" {
        spellings.extend(signs::weekday_names().map(str::to_owned));
    }
    Concept {
        word,
        terms: topics::answers(topic).clone(),
        spellings,
        topic: Some(topic),
        weekday: None,
        by_phrase,
        unknown: false,
        weight: TOPICS[topic].weight,
    }
}

fn day(word: &str, weekday: usize) -> Concept {
    let spellings: BTreeSet<String> = signs::weekday_names().map(str::to_owned).collect();
    let terms = spellings.iter().filter(|name| signs::weekday(name) == Some(weekday)).map(|name| stem(name)).chain([stem(word)]).collect();
    Concept { word: word.to_owned(), terms, spellings, topic: None, weekday: Some(weekday), by_phrase: false, unknown: false, weight: 0.9 }
}

fn of_word(word: &str, term: String) -> Concept {
    let number = word.starts_with(|c: char| c.is_numeric());
    let weight = if number {
        0.4
    } else if is_soft(word) {
        0.25
    } else {
        1.0
    };
    Concept {
        word: word.to_owned(),
        terms: HashSet::from([term]),
        spellings: BTreeSet::from([word.to_owned()]),
        topic: None,
        weekday: None,
        by_phrase: false,
        unknown: false,
        weight,
    }
}

/// What to look up in the index for a folded word: every word quoted, so that nothing in it is an operator.
pub fn lookups(word: &str) -> Vec<String> {
    let quoted = |word: &str| format!("\"{}\"", word.replace('"', ""));
    if let Some((first, second)) = as_pair(word) {
        return vec![quoted(word), quoted(&format!("{first} {second}"))];
    }
    let term = stem(word);
    let common: String = word.chars().zip(term.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    if let Some(base) = term.strip_suffix('~') {
        return ["ao", "oes", "aes", "aos"].iter().map(|ending| quoted(&format!("{base}{ending}"))).chain([quoted(word)]).collect();
    }
    if common.chars().count() >= 4 {
        return vec![format!("{}*", quoted(&common))];
    }
    let mut variants = vec![quoted(word)];
    if word.chars().all(char::is_alphabetic) {
        variants.extend(["s", "es"].iter().map(|ending| quoted(&format!("{word}{ending}"))));
        if let Some(one) = word.strip_suffix('s') {
            variants.push(quoted(one));
        }
    }
    variants
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: &str) -> Vec<String> {
        understand(question).into_iter().map(|concept| concept.word).collect()
    }

    #[test]
    fn chatter_is_left_out() {
        assert_eq!(asked("oi, tudo bem? vcs tem pão de queijo?"), ["pao", "queijo"]);
        assert_eq!(asked("Hi there! How much is a puncture repair please?"), ["price", "puncture", "repair"]);
        assert_eq!(asked("hola buenas, a qué hora abren los domingos?"), ["hours", "domingos"]);
        assert_eq!(asked("olá, bom dia!"), Vec::<String>::new());
    }

    #[test]
    fn the_same_thing_is_asked_once() {
        assert_eq!(asked("qual o preço? quanto custa o bolo?"), ["price", "bolo"]);
        assert_eq!(asked("when do you open"), ["open"]);
    }

    #[test]
    fn lookups_hold_no_operators() {
        for word in ["near", "or", "not", "a\"b", "pao", "luz", "wifi", "bolo"] {
            for lookup in lookups(word) {
                let inner = lookup.trim_end_matches('*');
                assert!(inner.starts_with('"') && inner.ends_with('"') && inner[1..inner.len() - 1].find('"').is_none(), "{lookup}");
            }
        }
    }
}
