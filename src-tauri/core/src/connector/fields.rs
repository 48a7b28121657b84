//! Reading what a form or a caller sent, and saying of every field that cannot be read what is wrong with it.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::Segment;

use crate::error::Sentence;
use crate::say;

/// The most wrong fields that are told at once.
const MOST: usize = 50;

/// `value` as `T`, or what is wrong with each of its fields, by path ("settings.temperature").
///
/// # Errors
/// Serde stops at the first wrong field. To find the next one, something that can be read is put in its place; what is read so is never
/// used.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, Vec<(String, Sentence)>> {
    let mut value = value;
    let mut wrong: Vec<(String, Sentence)> = Vec::new();
    let mut tried = 0;
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(value.clone()) {
            Ok(read) if wrong.is_empty() => return Ok(read),
            Ok(_) => return Err(wrong),
            Err(error) => error,
        };
        let (path, sentence) = field_error(&error);
        if wrong.last().is_some_and(|(last, _)| *last == path) {
            tried += 1;
        } else if wrong.iter().any(|(known, _)| *known == path) {
            return Err(wrong);
        } else {
            wrong.push((path.clone(), sentence));
            tried = 0;
        }
        if wrong.len() >= MOST || !mended(&mut value, &error, tried) {
            return Err(wrong);
        }
    }
}

/// Puts the next thing that may be readable where the error is. `false` = there is nothing more to try.
fn mended(value: &mut Value, error: &serde_path_to_error::Error<serde_json::Error>, tried: usize) -> bool {
    let text = error.inner().to_string();
    let named = text.split('`').nth(1).unwrap_or_default();
    let mut place = value;
    for segment in error.path() {
        let next = match segment {
            Segment::Seq { index } => place.get_mut(*index),
            Segment::Map { key } => {
                // An unknown field is named by the path, and is not there for whoever reads.
                if text.starts_with("unknown field") && key == named {
                    break;
                }
                place.get_mut(key.as_str())
            }
            Segment::Enum { .. } | Segment::Unknown => return false,
        };
        let Some(next) = next else { return false };
        place = next;
    }
    if text.starts_with("unknown field") {
        return place.as_object_mut().is_some_and(|fields| fields.shift_remove(named).is_some());
    }
    let stand_ins = [json!(""), json!(1), json!(false), json!([]), json!({})];
    let stand_in = if text.starts_with("unknown variant") {
        text.split("expected ").nth(1).and_then(|allowed| allowed.split('`').nth(1)).filter(|known| place != known).map(Value::from)
    } else {
        stand_ins.get(tried).cloned()
    };
    let Some(stand_in) = stand_in else { return false };
    if text.starts_with("missing field") {
        return place.as_object_mut().is_some_and(|fields| fields.insert(named.to_owned(), stand_in).is_none());
    }
    // What is no form at all has no fields to name.
    if error.path().iter().next().is_none() {
        return false;
    }
    *place = stand_in;
    true
}

/// A wrong field, by path, in words a person can use. Serde's own text is for programmers.
fn field_error(error: &serde_path_to_error::Error<serde_json::Error>) -> (String, Sentence) {
    let path = error.path().to_string();
    let text = error.inner().to_string();
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    if text.starts_with("missing field") {
        let name = quoted(&text);
        let path = if path == "." { name } else { format!("{path}.{name}") };
        return (path, say!("This is needed."));
    }
    if text.starts_with("unknown field") {
        let name = quoted(&text);
        let path = if path == "." { name.clone() } else { path };
        return (path, say!("There is no field called {name}.", name = name));
    }
    if text.starts_with("unknown variant") {
        let allowed = text.split("expected ").nth(1).unwrap_or_default().replace('`', "").replace("one of ", "");
        return (path, say!("Choose one of: {allowed}.", allowed = allowed.split(" at line").next().unwrap_or_default()));
    }
    let sentence = if text.contains("expected a string") {
        say!("This must be text.")
    } else if text.contains("expected a boolean") {
        say!("This must be yes or no.")
    } else if text.contains("expected a sequence") {
        say!("This must be a list.")
    } else if text.contains("expected struct") || text.contains("expected a map") {
        say!("This must be a group of fields.")
    } else if text.contains("expected u") || text.contains("expected i") || text.contains("expected f") {
        say!("This must be a number in the right range.")
    } else {
        say!("This cannot be read. Check it and try again.")
    };
    (path, sentence)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read, and never looked at")]
    struct Form {
        number: String,
        token: String,
        port: u16,
        mode: Mode,
        more: Vec<Row>,
        note: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        Polling,
        Webhook,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read, and never looked at")]
    struct Row {
        label: String,
    }

    fn wrong(value: Value) -> Vec<String> {
        let wrong = read::<Form>(value).unwrap_err();
        wrong.into_iter().map(|(path, sentence)| format!("{path}: {sentence}")).collect()
    }

    #[test]
    fn every_wrong_field_is_told_and_not_only_the_first() {
        let all = wrong(json!({}));
        let needed = ["number", "token", "port", "mode", "more"].map(|name| format!("{name}: This is needed."));
        assert_eq!(all, needed);
        let all =
            wrong(json!({ "number": 7, "token": "t", "port": -1, "mode": "pigeon", "more": [{}, { "label": [] }], "note": {}, "x": 1 }));
        let paths: Vec<&str> = all.iter().map(|line| line.split(':').next().unwrap()).collect();
        for path in ["number", "port", "mode", "more[0].label", "more[1].label", "note", "x"] {
            assert!(paths.contains(&path), "{path} in {all:?}");
        }
        assert!(all.contains(&"mode: Choose one of: polling or webhook.".to_owned()), "{all:?}");
    }

    #[test]
    fn what_is_right_is_read() {
        let form = read::<Form>(json!({ "number": "1", "token": "t", "port": 80, "mode": "webhook", "more": [], "note": null })).unwrap();
        assert_eq!((form.port, form.note), (80, None));
        assert!(matches!(form.mode, Mode::Webhook));
    }

    #[test]
    fn a_flood_of_wrong_fields_is_cut() {
        let rows = vec![json!({}); 5000];
        assert_eq!(wrong(json!({ "number": "1", "token": "t", "port": 80, "mode": "polling", "more": rows })).len(), MOST);
        assert_eq!(wrong(json!(7)).len(), 1, "what is no form at all is told once");
    }
}
