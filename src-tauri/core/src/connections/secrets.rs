//! What of a connection's settings is secret, by its schema: `writeOnly` fields at any depth, values of maps included.
//!
//! Secrets never stand in the connection's row. They are taken out before it is written ([`take`]), kept in the vault by their place
//! (`bot_token`, `smtp/password`, `headers/Authorization`), and put back ([`put`]) when a connector needs its settings whole.

use serde_json::{Map, Value};

use crate::error::Sentence;
use crate::say;
use crate::secret::Secret;

/// The longest secret.
const LONGEST: usize = 20_000;

/// What was given for a secret field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// Leave what is there: `{"set":true}` or null.
    Keep,
    /// Take it away: empty text.
    Clear,
    /// This is the new one.
    New(Secret),
}

/// Secrets and their places, by dotted path.
pub type Taken = Vec<(String, Given)>;

/// Takes every secret out of `config`, each with its place.
///
/// # Errors
/// Fields that are neither text nor `{"set":true}`, by their path.
pub fn take(schema: &Value, config: &mut Value) -> Result<Taken, Vec<(String, Sentence)>> {
    let mut taken = Vec::new();
    let mut wrong = Vec::new();
    walk(schema, config, &mut Vec::new(), &mut taken, &mut wrong);
    if wrong.is_empty() { Ok(taken) } else { Err(wrong) }
}

fn walk(schema: &Value, value: &mut Value, place: &mut Vec<String>, taken: &mut Vec<(String, Given)>, wrong: &mut Vec<(String, Sentence)>) {
    let Value::Object(map) = value else { return };
    let keys: Vec<String> = map.keys().cloned().collect();
    for key in keys {
        let Some(field) = field(schema, &key) else { continue };
        place.push(key.clone());
        if is_secret(field) {
            let given = map.shift_remove(&key).unwrap_or_default();
            match read(given) {
                Ok(given) => taken.push((join(place), given)),
                Err(sentence) => wrong.push((place.join("."), sentence)),
            }
        } else if let Some(inner) = map.get_mut(&key) {
            walk(field, inner, place, taken, wrong);
        }
        place.pop();
    }
}

fn read(value: Value) -> Result<Given, Sentence> {
    match value {
        Value::Null => Ok(Given::Keep),
        Value::String(text) if text.trim().is_empty() => Ok(Given::Clear),
        // A key may have several lines; signs that nobody can type come from a file that was none.
        Value::String(text) if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) => {
            Err(say!("This has signs that no key has. Copy it again."))
        }
        // Keys are pasted, and what is pasted brings blanks and line ends along.
        Value::String(text) if text.len() <= LONGEST => Ok(Given::New(Secret::new(text.trim()))),
        Value::String(_) => Err(say!("This is too long: {most} characters fit.", most = LONGEST)),
        Value::Object(map) if map.len() == 1 && map.get("set").is_some_and(Value::is_boolean) => Ok(Given::Keep),
        _ => Err(say!("This must be text.")),
    }
}

/// The schema of `key` inside an object of `schema`.
pub fn field<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    if let Some(field) = schema.get("properties").and_then(|properties| properties.get(key)) {
        return Some(field);
    }
    branches(schema).find_map(|branch| field(branch, key)).or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()))
}

fn is_secret(schema: &Value) -> bool {
    schema.get("writeOnly") == Some(&Value::Bool(true)) || branches(schema).any(is_secret)
}

fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten()
}

/// Whether an object of `schema` is a map with free keys, replaced as a whole by an update.
fn is_map(schema: &Value) -> bool {
    schema.get("properties").is_none() && schema.get("additionalProperties").is_some_and(Value::is_object) || branches(schema).any(is_map)
}

/// A place as text: `/` between its keys, escaped inside them.
fn join(place: &[String]) -> String {
    place.iter().map(|key| key.replace('~', "~0").replace('/', "~1")).collect::<Vec<_>>().join("/")
}

/// Puts `value` at `place`, making the groups on the way there.
pub fn put(config: &mut Value, place: &str, value: Value) {
    let mut here = config;
    for key in place.split('/') {
        if !here.is_object() {
            *here = Value::Object(Map::new());
        }
        let Value::Object(map) = here else { return };
        here = map.entry(key.replace("~1", "/").replace("~0", "~")).or_insert(Value::Null);
    }
    *here = value;
}

/// `given` over `old`: fields of groups one by one, maps with free keys as a whole; null takes a field away.
pub fn merge(schema: &Value, old: &Value, given: &Value) -> Value {
    let (Value::Object(old), Value::Object(given)) = (old, given) else { return given.clone() };
    let mut merged = old.clone();
    for (key, value) in given {
        let inner = field(schema, key);
        if value.is_null() {
            merged.shift_remove(key);
        } else if value.is_object() && inner.is_some_and(|inner| !is_map(inner)) {
            let before = merged.get(key).cloned().unwrap_or_else(|| Value::Object(Map::new()));
            merged.insert(key.clone(), merge(inner.unwrap_or(&Value::Null), &before, value));
        } else {
            merged.insert(key.clone(), value.clone());
        }
    }
    Value::Object(merged)
}

/// Paths of fields that `schema` does not know.
pub fn unknown(schema: &Value, config: &Value) -> Vec<String> {
    let Value::Object(map) = config else { return Vec::new() };
    let mut paths = Vec::new();
    for (key, value) in map {
        match field(schema, key) {
            Some(inner) if has_fields(inner) => paths.extend(unknown(inner, value).into_iter().map(|path| format!("{key}.{path}"))),
            Some(_) => {}
            None => paths.push(key.clone()),
        }
    }
    paths
}

/// Whether an object of `schema` has fields of its own.
fn has_fields(schema: &Value) -> bool {
    schema.get("properties").is_some() || branches(schema).any(has_fields)
}

/// Whether the secret at `place` belongs to a map that `given` replaces without naming it.
pub fn is_dropped(schema: &Value, given: &Value, place: &str) -> bool {
    let (mut schema, mut given) = (schema, given);
    for key in place.split('/') {
        let key = key.replace("~1", "/").replace("~0", "~");
        let Some(inner) = given.get(&key) else { return is_map(schema) && given.is_object() };
        let Some(next) = field(schema, &key) else { return false };
        (schema, given) = (next, inner);
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        let secret = json!({ "type": "string", "writeOnly": true });
        json!({ "properties": {
            "token": secret, "name": { "type": "string" },
            "maybe": { "anyOf": [secret, { "type": "null" }] },
            "smtp": { "anyOf": [{ "properties": { "host": { "type": "string" }, "password": secret } }, { "type": "null" }] },
            "headers": { "type": "object", "additionalProperties": secret },
        } })
    }

    #[test]
    fn secrets_are_taken_out_at_every_depth_and_put_back_where_they_were() {
        let whole = json!({
            "token": "t", "name": "n", "maybe": "m", "smtp": { "host": "h", "password": "p" }, "headers": { "X/Key": "k" }
        });
        let mut config = whole.clone();
        let taken = take(&schema(), &mut config).unwrap();
        assert_eq!(config, json!({ "name": "n", "smtp": { "host": "h" }, "headers": {} }));
        let places: Vec<&str> = taken.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["token", "maybe", "smtp/password", "headers/X~1Key"]);
        for (place, given) in taken {
            let Given::New(secret) = given else { panic!("{place}") };
            put(&mut config, &place, secret.reveal().into());
        }
        assert_eq!(config, whole);
    }

    #[test]
    fn keep_clear_and_new_are_told_apart() {
        let mut config = json!({ "token": { "set": true }, "maybe": "  ", "smtp": { "password": " new\n" } });
        let taken = take(&schema(), &mut config).unwrap();
        assert_eq!(
            taken,
            [
                ("token".to_owned(), Given::Keep),
                ("maybe".to_owned(), Given::Clear),
                ("smtp/password".to_owned(), Given::New(Secret::new("new")))
            ]
        );
        for bad in [json!(5), json!("a\u{0}b"), json!("\u{1b}[31m"), json!("x\u{7f}")] {
            let wrong = take(&schema(), &mut json!({ "smtp": { "password": bad } })).unwrap_err();
            assert_eq!(wrong[0].0, "smtp.password", "{bad}");
        }
        assert!(take(&schema(), &mut json!({ "token": "-----BEGIN KEY-----\r\nabc\n" })).is_ok(), "keys of several lines");
    }

    #[test]
    fn a_misspelt_field_is_found_at_every_depth() {
        let config = json!({ "tokn": "t", "name": "n", "smtp": { "hots": "h" }, "headers": { "anything": "goes" } });
        assert_eq!(unknown(&schema(), &config), ["tokn", "smtp.hots"]);
    }

    #[test]
    fn an_update_changes_what_it_names_and_replaces_maps_whole() {
        let old = json!({ "name": "old", "smtp": { "host": "a", "port": 1 } });
        let merged = merge(&schema(), &old, &json!({ "smtp": { "host": "b" } }));
        assert_eq!(merged, json!({ "name": "old", "smtp": { "host": "b", "port": 1 } }));
        assert_eq!(merge(&schema(), &old, &json!({ "name": null })), json!({ "smtp": { "host": "a", "port": 1 } }));

        let given = json!({ "headers": { "A": { "set": true } } });
        assert!(is_dropped(&schema(), &given, "headers/B"), "the map was sent without it");
        assert!(!is_dropped(&schema(), &given, "headers/A"));
        assert!(!is_dropped(&schema(), &given, "token"), "a field that is not named stays");
        assert!(!is_dropped(&schema(), &json!({}), "headers/B"), "a map that is not named stays");
    }
}
