//! The hub's own sentences in Portuguese (Brazil) and Spanish, by their English template.
//!
//! The screens have their own words in `ui/src/locales`; these are the ones that the hub says itself: errors, the fields and
//! steps of a connector, activity lines. A test reads the sources and fails when a `say!` has no translation.

use std::collections::HashMap;
use std::sync::OnceLock;

/// The languages the hub speaks, the default first.
pub const LANGUAGES: [&str; 3] = ["en", "pt-BR", "es"];

type Words = HashMap<String, String>;

static TABLES: OnceLock<[Words; 2]> = OnceLock::new();
/// Words that connectors bring, registered once at start.
static MORE: OnceLock<[Words; 2]> = OnceLock::new();

fn tables() -> &'static [Words; 2] {
    TABLES.get_or_init(|| [parse(include_str!("words/pt-BR.json")), parse(include_str!("words/es.json"))])
}

fn parse(json: &str) -> Words {
    serde_json::from_str(json).expect("the word lists are JSON objects of strings; a test reads them")
}

/// Adds the connectors' words (Portuguese, Spanish), once; a second call changes nothing.
pub fn register(portuguese: &str, spanish: &str) {
    MORE.get_or_init(|| [parse(portuguese), parse(spanish)]);
}

/// `template` in `language`; the English template itself where there is no translation.
pub fn translate<'a>(template: &'a str, language: &str) -> &'a str {
    let index = match language {
        "pt-BR" | "pt" => 0,
        "es" => 1,
        _ => return template,
    };
    tables()[index].get(template).or_else(|| MORE.get().and_then(|more| more[index].get(template))).map_or(template, |text| text.as_str())
}

/// The language the hub is set to, for a sentence that is written down where no hub is at hand.
///
/// # Errors
/// When the database cannot be read.
pub fn language(db: &rusqlite::Connection) -> crate::error::Result<String> {
    use rusqlite::OptionalExtension;
    let chosen = db.prepare_cached("SELECT value FROM setting WHERE key = 'language'")?.query_row([], |row| row.get(0)).optional()?;
    Ok(chosen.unwrap_or_else(|| LANGUAGES[0].to_owned()))
}

#[cfg(test)]
mod tests;
