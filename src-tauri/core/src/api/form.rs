//! The form of a connector as the screens read it: as much of JSON Schema as forms use.
//!
//! The hub sends the schema as its connector makes it. This type is what the screens believe about it; a test reads every
//! connector's schema with it, so that a keyword that no screen knows is noticed before a form draws it wrongly.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use ts_rs::TS;

/// The form of a connector: as much of JSON Schema as forms use.
#[derive(Debug, Deserialize, TS)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[ts(rename = "JsonSchema", optional_fields)]
pub struct FormSchema {
    /// Its type, or its types.
    #[serde(rename = "type")]
    #[ts(optional, type = "string | string[]")]
    pub kind: Option<Value>,
    /// What stands above the field.
    pub title: Option<String>,
    /// What stands below it.
    pub description: Option<String>,
    /// The fields of a group, in order.
    pub properties: Option<BTreeMap<String, FormSchema>>,
    /// The fields that are needed.
    pub required: Option<Vec<String>>,
    /// The values to choose from.
    #[serde(rename = "enum")]
    #[ts(optional, type = "(string | number | null)[]")]
    pub choices: Option<Vec<Value>>,
    /// One of these; with `const` in each they are values to choose from.
    pub one_of: Option<Vec<FormSchema>>,
    /// Any of these; with `null` among them the field is optional.
    pub any_of: Option<Vec<FormSchema>>,
    /// All of these.
    pub all_of: Option<Vec<FormSchema>>,
    /// The only value.
    #[serde(rename = "const")]
    #[ts(optional, type = "string | number")]
    pub only: Option<Value>,
    /// What stands in a list.
    pub items: Option<Box<FormSchema>>,
    /// What the values of a map are; `false`: no other fields.
    #[ts(optional, type = "boolean | JsonSchema")]
    pub additional_properties: Option<OtherFields>,
    /// The value when none is given.
    #[ts(optional, type = "unknown")]
    pub default: Option<Value>,
    /// What the text means ("password", "uri", "color").
    pub format: Option<String>,
    /// It is kept in the vault and never read back.
    pub write_only: Option<bool>,
    /// The least number.
    pub minimum: Option<f64>,
    /// The greatest number.
    pub maximum: Option<f64>,
    /// The longest text.
    #[ts(optional, type = "number")]
    pub max_length: Option<u64>,
    /// The shortest text.
    #[ts(optional, type = "number")]
    pub min_length: Option<u64>,
    /// What such a value looks like.
    #[ts(optional, type = "unknown[]")]
    pub examples: Option<Vec<Value>>,
    /// Stands elsewhere: `#/$defs/Name`.
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    /// What is referred to.
    #[serde(rename = "$defs")]
    pub definitions: Option<BTreeMap<String, FormSchema>>,
    /// Which JSON Schema this is.
    #[serde(rename = "$schema")]
    pub dialect: Option<String>,
    /// It stands under Advanced.
    #[serde(rename = "x-advanced")]
    pub advanced: Option<bool>,
    /// The group it stands in.
    #[serde(rename = "x-group")]
    pub group: Option<String>,
    /// It has several lines.
    #[serde(rename = "x-multiline")]
    pub multiline: Option<bool>,
}

/// Fields beside the named ones.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum OtherFields {
    /// Whether there may be any.
    Allowed(bool),
    /// What each of them is.
    Each(Box<FormSchema>),
}
