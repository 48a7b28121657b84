//! What the catalogue shows of a connector, and what a test found out about an account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// What the catalogue shows of a connector. All words in English; translations are in the connector crate's `words/`.
#[derive(Clone, Debug)]
pub struct About {
    /// The kind, for ever ("telegram").
    pub kind: &'static str,
    /// Its name ("Telegram").
    pub name: &'static str,
    /// One of the six types of the catalogue.
    pub connector_type: ConnectorType,
    /// How it is signed in to.
    pub auth: Auth,
    /// One line of what it is and what it takes ("Your bot, about 2 minutes").
    pub summary: &'static str,
    /// Why it is shown but cannot be used; `None` = available.
    pub disabled: Option<&'static str>,
    /// What the owner needs before starting.
    pub prerequisites: &'static [&'static str],
    /// What to do, in order, with the exact names on the service's screens.
    pub steps: &'static [Step],
    /// Where to read more: (words, https address).
    pub links: &'static [(&'static str, &'static str)],
    /// The SVG of its mark, white on transparent, 24 × 24.
    pub icon: &'static str,
    /// The colour of its mark ("#2178b8").
    pub color: &'static str,
}

/// One step of a set-up.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema, TS)]
pub struct Step {
    /// What to do.
    pub title: &'static str,
    /// How, in a sentence or two.
    pub text: &'static str,
}

/// The six types of S0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub enum ConnectorType {
    /// A model that agents ask.
    Agent,
    /// Where customers write.
    Channel,
    /// A tool that Shopbell brings.
    #[serde(rename = "Tool - Native")]
    ToolNative,
    /// A tool of the shop's own.
    #[serde(rename = "Tool - User")]
    ToolUser,
    /// An MCP server.
    #[serde(rename = "MCP - External")]
    McpExternal,
    /// Speech to text and text to speech.
    #[serde(rename = "STT & TTS")]
    Speech,
}

/// How a connection proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// Nothing needed.
    None,
    /// A key or token pasted in.
    ApiKey,
    /// User name and password.
    Basic,
    /// Sign-in in the browser.
    Oauth,
}

/// What a successful test found.
#[derive(Clone, Debug, Default, Serialize, JsonSchema, TS)]
pub struct Account {
    /// The account as its owner knows it ("@paodourado_bot").
    pub name: String,
    /// More that was proven or not yet, in order; each is a line of the result card.
    pub checks: Vec<Check>,
    /// Particulars for scripts (S1.13: bot_username, webhook_set, …).
    #[ts(type = "Record<string, unknown>")]
    pub details: serde_json::Map<String, Value>,
}

/// One line of a test's result.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct Check {
    /// Whether it was proven; `false` is "not yet", never an error.
    pub ok: bool,
    /// What was proven.
    pub text: String,
}
