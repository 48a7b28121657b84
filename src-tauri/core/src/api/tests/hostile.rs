//! Every command takes every JSON: a clear sentence or an answer, never a panic, never "our own fault".

use serde_json::{Value, json};

use super::super::{COMMANDS, dispatch};
use super::{bakery, hub, refused};
use crate::error::Code;

fn values() -> Vec<Value> {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!(" \u{0}\u{1F469}\u{200D}\u{1F680}\u{202E}"),
        json!("x".repeat(40_000)),
        json!("'; DROP TABLE message; --"),
        json!("cnv_0"),
        json!("../../etc/passwd"),
        json!([]),
        json!([null, {}]),
        json!({}),
        json!({ "type": "text" }),
        json!({ "set": true }),
        deep,
    ]
}

/// Every field that any command knows, from the OpenAPI document.
fn fields_of(command: &str) -> Vec<String> {
    let document = super::super::openapi::document();
    let schema = &document["paths"][format!("/api/v1/{command}")]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let schema = match schema["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    schema["properties"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
}

#[tokio::test]
async fn every_command_takes_every_json() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    for &command in COMMANDS {
        let fields = fields_of(command);
        let mut bodies = values();
        for value in values() {
            bodies.push(Value::Object(fields.iter().map(|field| (field.clone(), value.clone())).collect()));
            for field in &fields {
                bodies.push(json!({ field.as_str(): value }));
            }
        }
        for body in bodies {
            let shown: String = body.to_string().chars().take(200).collect();
            if let Err(error) = dispatch(&hub, command, body).await {
                assert_ne!(error.code, Code::Internal, "{command} {shown}: {:?}", error.source);
                assert!(!error.message.to_string().is_empty(), "{command} {shown}");
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_field_is_named_by_its_path() {
    let (hub, _directory) = hub().await;
    for (command, body, path) in [
        ("list_conversations", json!({ "colour": 1 }), "colour"),
        ("list_conversations", json!({ "limit": 0 }), "limit"),
        ("list_conversations", json!({ "limit": -5 }), "limit"),
        ("list_conversations", json!({ "cursor": "made up" }), "cursor"),
        ("list_conversations", json!({ "status": "asleep" }), "status"),
        ("list_messages", json!({}), "conversation"),
        ("search", json!({ "query": "a", "filters": { "where": 1 } }), "filters.where"),
        ("search", json!({ "query": "x".repeat(201) }), "query"),
    ] {
        let error = refused(&hub, command, body.clone()).await;
        assert_eq!((error.code, error.fields[0].0.as_str()), (Code::Invalid, path), "{command} {body}");
    }
    assert_eq!(refused(&hub, "make_coffee", json!({})).await.code, Code::NotFound);
}
