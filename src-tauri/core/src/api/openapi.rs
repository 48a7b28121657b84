//! The OpenAPI 3.1 document, from the same types that read the requests.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Value, json};
use ts_rs::TS;

use super::Describe;
use crate::error::Code;

struct Paths {
    generator: SchemaGenerator,
    paths: serde_json::Map<String, Value>,
}

impl Describe for Paths {
    fn command<Q: TS + JsonSchema + 'static, A: TS + JsonSchema + 'static>(&mut self, name: &'static str, doc: &'static str) {
        let request = self.generator.subschema_for::<Q>();
        let answer = self.generator.subschema_for::<A>();
        let operation = json!({
            "operationId": name,
            "summary": doc,
            "requestBody": { "required": true, "content": { "application/json": { "schema": request } } },
            "responses": {
                "200": { "description": "Done.", "content": { "application/json": { "schema": answer } } },
                "default": { "$ref": "#/components/responses/Refused" },
            },
        });
        self.paths.insert(format!("/api/v1/{name}"), json!({ "post": operation }));
    }
}

/// Every command as an OpenAPI document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut paths = Paths { generator: settings.into_generator(), paths: serde_json::Map::new() };
    super::describe(&mut paths);
    let code = paths.generator.subschema_for::<Code>();
    let error = json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": code,
                "message": { "type": "string", "description": "A sentence for a person, in the hub's language." },
                "fields": {
                    "type": "object",
                    "description": "One sentence per wrong field, by its path.",
                    "additionalProperties": { "type": "string" },
                },
            },
        } },
    });
    let mut schemas = paths.generator.take_definitions(true);
    schemas.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Shopbell",
            "version": "1",
            "description": "Everything that can be asked of a Shopbell hub. Ids sort by time, times are Unix milliseconds, lists take `cursor` and `limit` and give `next`.",
        },
        "security": [{ "token": [] }],
        "paths": paths.paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "responses": { "Refused": { "description": "Refused, with a sentence.", "content": { "application/json": { "schema": error } } } },
            "schemas": schemas,
        },
    })
}
