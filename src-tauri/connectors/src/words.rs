//! The words of the connectors in Portuguese (Brazil) and Spanish: names and help of fields, steps, sentences.
//!
//! The English text is the key. The test reads the list of connectors and the sources, and fails where a language has nothing to say.

#[cfg(test)]
mod tests;

const PORTUGUESE: &str = include_str!("words/pt-BR.json");
const SPANISH: &str = include_str!("words/es.json");

/// Gives the core this crate's translations. Call it once at start, before anything is said.
pub fn register_words() {
    shopbell_core::words::register(PORTUGUESE, SPANISH);
}
