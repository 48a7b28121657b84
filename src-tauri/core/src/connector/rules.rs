//! What a channel can do and may do, as data: the composer, the splitter and the outbox ask here and never for a service's name.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use crate::model::Medium;

/// What a channel can do and may do.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct ChannelRules {
    /// How people talk here.
    pub medium: Medium,
    /// What it can carry ("photos", "voice", "files", "location", "buttons", "read_ticks", "typing", "edits", "ask_location").
    pub abilities: &'static [&'static str],
    /// The longest text of one message.
    pub text_limit: TextLimit,
    /// The longest caption, in the same unit.
    pub caption_limit: u32,
    /// Largest file that may be sent, in bytes, by kind; missing = not possible.
    pub media_limits: BTreeMap<&'static str, u64>,
    /// The types that are taken, by kind, as prefixes ("image/jpeg"); a kind that is missing takes any. A voice message or sound of another
    /// type is converted to the first sound type that we can make.
    pub media_types: BTreeMap<&'static str, &'static [&'static str]>,
    /// Whether the service fetches files from a public address of ours instead of taking them.
    pub files_by_link: bool,
    /// How many buttons fit one message; 0 = none (degrade to numbered text).
    pub max_choices: u32,
    /// The longest words on a button, in characters; longer ones make the choices a list or numbered text.
    pub choice_label: u32,
    /// How many rows fit a list that opens by a button; 0 = no lists.
    pub max_rows: u32,
    /// The longest words on a row, in characters.
    pub row_label: u32,
    /// Whether approved templates may be sent, also while the reply window is closed.
    pub templates: bool,
    /// How long after a customer's message we may answer freely; `None` = always.
    #[ts(type = "number | null")]
    #[serde(serialize_with = "seconds")]
    #[schemars(with = "Option<u64>")]
    pub reply_window: Option<Duration>,
    /// How long after a customer's message a person (never an agent) may still answer; `None` = not longer than the reply window.
    #[ts(type = "number | null")]
    #[serde(serialize_with = "seconds")]
    #[schemars(with = "Option<u64>")]
    pub person_window: Option<Duration>,
    /// Messages per second of the whole connection.
    pub pace_per_second: f64,
    /// The pace towards one customer, where the service has one.
    pub thread_pace: Option<ThreadPace>,
    /// How long to wait for more of a burst before an agent answers, in milliseconds.
    pub gather_ms: u64,
    /// Headers of a webhook that hold a secret and are masked before they are stored (lower case).
    pub secret_headers: &'static [&'static str],
    /// The largest webhook body, in bytes.
    pub body_limit: usize,
    /// Whether a service calls us (a hook), so that the form shows a webhook address.
    pub webhook: bool,
}

fn seconds<S: serde::Serializer>(window: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    window.map(|window| window.as_secs()).serialize(serializer)
}

impl Default for ChannelRules {
    /// A chat without limits, files or buttons: what a channel does not say.
    fn default() -> Self {
        Self {
            medium: Medium::Chat,
            abilities: &[],
            text_limit: TextLimit { max: 4096, unit: TextUnit::Chars },
            caption_limit: 1024,
            media_limits: BTreeMap::new(),
            media_types: BTreeMap::new(),
            files_by_link: false,
            max_choices: 0,
            choice_label: 64,
            max_rows: 0,
            row_label: 64,
            templates: false,
            reply_window: None,
            person_window: None,
            pace_per_second: 20.0,
            thread_pace: None,
            gather_ms: 1000,
            secret_headers: &[],
            body_limit: 3 * 1024 * 1024,
            webhook: false,
        }
    }
}

/// How fast one customer may be written to: one message per `every_ms`, with `burst` of them at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct ThreadPace {
    /// One message per so many milliseconds.
    pub every_ms: u32,
    /// So many at once.
    pub burst: u32,
}

/// A length and what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct TextLimit {
    /// How many.
    pub max: u32,
    /// Of what.
    pub unit: TextUnit,
}

/// What a text limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum TextUnit {
    /// UTF-16 code units.
    Utf16,
    /// Unicode scalar values.
    Chars,
    /// UTF-8 bytes.
    Bytes,
}
