//! Covers the secrets of a connection in what its service sent: some services repeat them, each in its own writing.

use serde_json::Value;

use crate::secret::Secret;

/// What stands in a secret's place.
const COVER: &str = "•••";
/// Shorter ones are words that may stand anywhere.
const SHORTEST: usize = 6;

/// Secrets, and how programs write them.
pub struct Mask {
    secrets: Vec<Secret>,
    /// The longest first: one writing may be the beginning of another.
    writings: Vec<Secret>,
}

impl Mask {
    /// Covers `secrets`.
    pub fn of(secrets: impl Iterator<Item = Secret>) -> Self {
        let secrets: Vec<Secret> = secrets.filter(|secret| secret.reveal().len() >= SHORTEST).collect();
        let mut writings: Vec<Secret> = secrets.iter().flat_map(|secret| writings(secret.reveal())).collect();
        writings.sort_by_key(|writing| std::cmp::Reverse(writing.reveal().len()));
        Self { secrets, writings }
    }

    /// Covers them in `text`.
    pub fn cover(&self, text: &mut String) {
        for writing in &self.writings {
            if text.contains(writing.reveal()) {
                *text = text.replace(writing.reveal(), COVER);
            }
        }
        // JSON may escape any character it likes: what then still reads as a secret is shown rewritten.
        if let Ok(mut value) = serde_json::from_str::<Value>(text)
            && self.cover_json(&mut value)
        {
            *text = value.to_string();
        }
    }

    /// Whether something had to be covered.
    fn cover_json(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => self.cover_word(text),
            Value::Array(items) => items.iter_mut().fold(false, |covered, item| self.cover_json(item) | covered),
            Value::Object(map) => {
                let mut covered = false;
                *map = std::mem::take(map)
                    .into_iter()
                    .map(|(mut key, mut value)| {
                        covered |= self.cover_word(&mut key) | self.cover_json(&mut value);
                        (key, value)
                    })
                    .collect();
                covered
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn cover_word(&self, text: &mut String) -> bool {
        let before = text.len();
        for secret in &self.secrets {
            if text.contains(secret.reveal()) {
                *text = text.replace(secret.reveal(), COVER);
            }
        }
        text.len() != before
    }
}

/// A secret as it is, in JSON as several programs write it, and in an address.
fn writings(secret: &str) -> Vec<Secret> {
    let json = Value::from(secret).to_string();
    let json = &json[1..json.len() - 1];
    let mut all = vec![secret.to_owned(), json.to_owned()];
    for upper in [false, true] {
        all.push(ascii(json, upper));
        all.push(percent(secret, upper));
        all.push(percent(secret, upper).replace("%20", "+"));
    }
    // PHP writes a slash in JSON with a backslash before it.
    all.extend(all[1..3].iter().chain(&all[5..6]).map(|text| text.replace('/', "\\/")).collect::<Vec<_>>());
    all.sort();
    all.dedup();
    all.into_iter().map(Secret::new).collect()
}

/// JSON with every sign beyond ASCII as its number.
fn ascii(json: &str, upper: bool) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0u16; 2];
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            out.push_str(&if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
        }
    }
    out
}

/// As it stands in an address or a form.
fn percent(text: &str, upper: bool) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ if upper => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "ção \"k\"/+=7\\x";

    fn covered(text: &str) -> String {
        let mut text = text.to_owned();
        Mask::of([Secret::new(SECRET), Secret::new("short")].into_iter()).cover(&mut text);
        text
    }

    #[test]
    fn a_secret_is_covered_in_every_usual_writing() {
        let json = Value::from(SECRET).to_string();
        let json = &json[1..json.len() - 1];
        for written in [
            SECRET.to_owned(),
            json.to_owned(),
            json.replace('/', "\\/"),
            ascii(json, false),
            ascii(json, true),
            ascii(json, false).replace('/', "\\/"),
            percent(SECRET, true),
            percent(SECRET, false),
            percent(SECRET, true).replace("%20", "+"),
        ] {
            assert_eq!(covered(&format!("a={written}&b")), "a=•••&b", "{written}");
        }
        assert_eq!(covered("a short word"), "a short word", "what is too short may stand anywhere");
    }

    #[test]
    fn json_that_escapes_what_it_need_not_shows_nothing_either() {
        let odd: String = SECRET.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let body = format!(r#"{{"a":["x","{odd}"],"{odd}":{{"b":1}}}}"#);
        assert_eq!(covered(&body), r#"{"a":["x","•••"],"•••":{"b":1}}"#);
        let plain = r#"{ "a" : [1, 2],  "b":"text" }"#;
        assert_eq!(covered(plain), plain, "what holds no secret is shown as it came");
    }
}
