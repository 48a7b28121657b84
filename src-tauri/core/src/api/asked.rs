//! What every request has in common: pages, cursors, and the checks of its fields.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::clock::Timestamp;
use crate::error::{Error, Result, Sentence};
use crate::say;

/// The longest name of anything.
pub const NAME: usize = 120;
/// The longest text of a message or a field.
pub const TEXT: usize = 20_000;
/// The longest query.
pub const QUERY: usize = 200;

/// A request or an answer that says nothing.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(type = "Record<string, never>")]
pub struct Empty {}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema, TS)]
pub struct Page<T> {
    /// What stands on it.
    pub items: Vec<T>,
    /// The `cursor` of the next page; null at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of at most `limit` of `items`, which holds one more where there is more; `place` names the place of the last one.
    pub fn cut<P: Serialize>(mut items: Vec<T>, limit: usize, place: impl Fn(&T) -> P) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| cursor(&place(last)));
        Self { items, next }
    }

    /// The same page with every item turned into another.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(turn).collect(), next: self.next }
    }
}

/// A list that fits one answer.
#[derive(Debug, Serialize, JsonSchema, TS)]
pub struct Items<T> {
    /// All of it.
    pub items: Vec<T>,
}

/// A place in a list as callers carry it: opaque.
pub fn cursor(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).expect("places are numbers and text"))
}

/// Reads a `cursor`.
pub fn place<P: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<P>> {
    let Some(cursor) = cursor.filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = || serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok();
    read().map(Some).ok_or_else(|| Error::field("cursor", say!("This place in the list is not known. Start again from the top.")))
}

/// Reads a `limit`.
pub fn limit(limit: Option<u32>, usual: usize) -> Result<usize> {
    match limit {
        None => Ok(usual),
        Some(limit) if (1..=200).contains(&limit) => Ok(limit as usize),
        Some(_) => Err(Error::field("limit", say!("Choose a number from {least} to {most}.", least = 1, most = 200))),
    }
}

/// Collects wrong fields, so that a form learns of all of them at once.
#[derive(Default)]
pub struct Wrong(Vec<(String, Sentence)>);

impl Wrong {
    /// Adds one.
    pub fn add(&mut self, path: impl Into<String>, sentence: Sentence) {
        self.0.push((path.into(), sentence));
    }

    /// Text that must be there, without blanks around it, of at most `most` characters.
    pub fn needed(&mut self, path: &str, text: &str, most: usize) -> String {
        let text = text.trim();
        if text.is_empty() {
            self.add(path, say!("This is needed."));
        }
        self.at_most(path, text, most);
        text.to_owned()
    }

    /// Text of at most `most` characters.
    pub fn at_most(&mut self, path: &str, text: &str, most: usize) {
        if text.chars().nth(most).is_some() {
            self.add(path, say!("This is too long: {most} characters fit.", most = most));
        }
    }

    /// A number in a range.
    pub fn within<N: PartialOrd + std::fmt::Display>(&mut self, path: &str, number: N, least: N, most: N) {
        // Written so that a number that is none (NaN) is outside.
        if !(number >= least && number <= most) {
            self.add(path, say!("Choose a number from {least} to {most}.", least = least, most = most));
        }
    }

    /// Nothing was wrong, or all of it.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::fields(self.0)) }
    }
}

/// The id that sorts before every id of kind `prefix` made at or after `at`: ids carry their time in front.
pub fn first_id_at(prefix: &str, at: Timestamp) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let value = u128::try_from(at.millis().max(0)).unwrap_or(0) << 80;
    let text: String = (0..26).rev().map(|digit| char::from(ALPHABET[usize::try_from((value >> (digit * 5)) & 31).unwrap_or(0)])).collect();
    format!("{prefix}{text}")
}

/// Full-text queries made of what a person typed. Operators of the query language mean nothing in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Every word as it stands. The index gives the newest of these without looking at the others, however common the word.
    whole: String,
    /// The last word may go on; `None` when it is finished. Costs as much as there are finds.
    open: Option<String>,
}

impl Words {
    /// `None` when nothing of it is a word.
    pub fn of(query: &str) -> Option<Self> {
        let words: Vec<&str> = query.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(16).collect();
        let whole = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" ");
        let unfinished = query.chars().last().is_some_and(char::is_alphanumeric);
        (!words.is_empty()).then(|| Self { open: unfinished.then(|| format!("{whole}*")), whole })
    }

    /// Words that may go on, for short lists.
    pub fn loose(&self) -> &str {
        self.open.as_deref().unwrap_or(&self.whole)
    }

    /// What `find` gives for the words as they stand when that fills a page of `limit`, and for words that may go on otherwise.
    pub fn search<T>(&self, limit: usize, find: impl Fn(&str) -> Result<Vec<T>>) -> Result<Vec<T>> {
        let found = find(&self.whole)?;
        match &self.open {
            Some(open) if found.len() <= limit => find(open),
            _ => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_and_a_made_up_one_is_refused() {
        let text = cursor(&(5, "cnv_x"));
        assert_eq!(place::<(i64, String)>(Some(&text)).unwrap(), Some((5, "cnv_x".to_owned())));
        for made_up in ["%%%", "abc", "bnVsbA"] {
            assert!(place::<(i64, String)>(Some(made_up)).is_err(), "{made_up}");
        }
    }

    #[test]
    fn the_first_id_of_a_moment_divides_ids_made_before_and_after() {
        let id = crate::id::TurnId::new();
        let clock = crate::clock::SystemClock::new();
        let now = crate::clock::Clock::now(&clock);
        assert!(first_id_at("trn_", Timestamp::from_millis(now.millis() - 60_000)).as_str() < id.as_str());
        assert!(first_id_at("trn_", Timestamp::from_millis(now.millis() + 60_000)).as_str() > id.as_str());
    }

    #[test]
    fn what_people_type_is_words_and_never_operators() {
        assert_eq!(Words::of("pão de mel").unwrap().loose(), r#""pão" "de" "mel"*"#);
        assert_eq!(Words::of(r#"a" OR NEAR(b*) -c "#).unwrap().loose(), r#""a" "OR" "NEAR" "b" "c""#);
        assert_eq!(Words::of("--- \" *"), None);
    }
}
