//! The secret fields of a form, found by its schema: at any depth, the values of free maps included.

use serde_json::{Map, Value};

/// The name under which a value is planted in a map with free keys.
const FREE_KEY: &str = "X-Planted";

/// Every place of a secret in `schema`.
pub fn secret_places(schema: &Value) -> Vec<Vec<String>> {
    let mut places = Vec::new();
    walk(schema, &mut Vec::new(), &mut places);
    places.sort();
    places.dedup();
    places
}

fn walk(schema: &Value, here: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    if schema["writeOnly"] == true {
        places.push(here.clone());
    }
    for branch in ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| schema[*key].as_array()).flatten() {
        walk(branch, here, places);
    }
    let fields = schema["properties"].as_object().into_iter().flatten().map(|(name, field)| (name.as_str(), field));
    let free = schema.get("additionalProperties").filter(|more| more.is_object()).map(|more| (FREE_KEY, more));
    for (name, field) in fields.chain(free) {
        here.push(name.to_owned());
        walk(field, here, places);
        here.pop();
    }
}

/// Puts `value` at `place`, making the groups on the way there.
pub fn put(config: &mut Value, place: &[String], value: Value) {
    let mut here = config;
    for key in place {
        if !here.is_object() {
            *here = Value::Object(Map::new());
        }
        here = here.as_object_mut().unwrap().entry(key).or_insert(Value::Null);
    }
    *here = value;
}
