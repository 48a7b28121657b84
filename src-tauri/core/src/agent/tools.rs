//! The tools that every agent has: the shop's knowledge, the conversation, calling a person, ending.
//!
//! A reading tool may run twice without harm and runs on a reader. A writing tool runs inside the write that also records its
//! result as a step of the turn: both hold or neither does, so a crash never leaves an effect without its record.
//!
//! What a model writes is checked like any other input ([`ToolError::RespondToModel`] says what to mend), and what a tool gives
//! back is material for the model, never an instruction: invisible characters are taken out and lengths are bounded.

use rusqlite::{Connection as Db, OptionalExtension};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::knowledge::terms;
use crate::clock::Timestamp;
use crate::connector::{ChannelRules, ToolSpec};
use crate::conversations::{self, Conversation};
use crate::error::{Code, Error};
use crate::id::{AgentId, ConversationId, TurnId};
use crate::store::Tx;

mod knowledge;
mod conversation;
mod conversion;
mod handover;
mod saying;
#[cfg(test)]
mod tests;

/// The longest result a model is shown, in characters.
pub const LONGEST_RESULT: usize = 16_000;
/// The longest arguments that are read, in bytes.
const LONGEST_ARGUMENTS: usize = 16 << 10;

/// For whom a tool runs.
#[derive(Clone, Debug)]
pub struct ToolContext {
    /// The conversation.
    pub conversation: ConversationId,
    /// The agent.
    pub agent: AgentId,
    /// The turn; none in a rehearsal.
    pub turn: Option<TurnId>,
    /// The kind of connector the customer writes on ("telegram").
    pub connector: String,
    /// The customer's language, if known.
    pub language: Option<String>,
    /// The time.
    pub now: Timestamp,
    /// Whether something may be reported to the service's advertising.
    pub reports: bool,
    /// What the customer's channel can carry.
    pub rules: ChannelRules,
}

/// Why a tool did not do it.
#[derive(Debug)]
pub enum ToolError {
    /// The model can mend it: a sentence for it. In English, as models are told everything.
    RespondToModel(String),
    /// The hub cannot go on with this turn now.
    Fatal(Error),
}

impl From<Error> for ToolError {
    fn from(error: Error) -> Self {
        match error.code {
            Code::Invalid | Code::NotFound | Code::Conflict | Code::TooLarge => Self::RespondToModel(error.message.to_string()),
            _ => Self::Fatal(error),
        }
    }
}

impl From<rusqlite::Error> for ToolError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fatal(error.into())
    }
}

/// The result of a tool.
pub type Outcome = Result<Value, ToolError>;

/// How a tool runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// It looks, and changes nothing.
    Read(fn(&Db, &ToolContext, Value) -> Outcome),
    /// It changes something; runs in the write that records its result.
    Write(fn(&Tx<'_>, &ToolContext, Value) -> Outcome),
}

/// A tool that Shopbell brings.
pub struct NativeTool {
    /// Its name, for ever.
    pub name: &'static str,
    /// What it does and when to use it, for the model.
    pub description: &'static str,
    /// What it does, for shopkeepers. Translated in `ui/src/locales`.
    pub summary: &'static str,
    /// The JSON schema of its arguments.
    pub parameters: fn() -> Value,
    /// The activity line that its use leaves in the conversation, where it leaves none of its own.
    pub event: Option<&'static str>,
    /// What it does.
    pub run: Run,
}

impl NativeTool {
    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        matches!(self.run, Run::Write(_))
    }

    /// As a model sees it.
    pub fn spec(&self) -> ToolSpec {
        ToolSpec { name: self.name.to_owned(), description: self.description.to_owned(), parameters: (self.parameters)() }
    }
}

/// The tools a new agent has.
pub const FIRST: &[&str] =
    &["knowledge_search", "knowledge_get_document", "conversation_get_context", "offer_choices", "ask_location", "transfer_to_human"];

static NATIVE: &[NativeTool] = &[
    knowledge::SEARCH,
    knowledge::GET_DOCUMENT,
    conversation::GET_CONTEXT,
    conversation::SET_STATE,
    saying::OFFER_CHOICES,
    saying::ASK_LOCATION,
    saying::SEND_LOCATION,
    handover::TRANSFER,
    handover::ESCALATE,
    handover::END,
    conversion::REPORT,
];

/// Every native tool, in the order in which models see them.
pub fn all() -> &'static [NativeTool] {
    NATIVE
}

/// The tool of that name.
pub fn find(name: &str) -> Option<&'static NativeTool> {
    NATIVE.iter().find(|tool| tool.name == name)
}

/// Whether the customer has heard something through that tool, so that an answer may end without more words.
pub fn speaks(name: &str) -> bool {
    [saying::OFFER_CHOICES, saying::ASK_LOCATION, saying::SEND_LOCATION].iter().any(|tool| tool.name == name)
}

/// Reads a model's arguments as JSON.
///
/// # Errors
/// A sentence for the model when they are no JSON object or far too long.
pub fn arguments(text: &str) -> Result<Value, ToolError> {
    if text.len() > LONGEST_ARGUMENTS {
        return Err(ToolError::RespondToModel("The arguments are too long. Send at most 16 KiB.".into()));
    }
    let text = if text.trim().is_empty() { "{}" } else { text };
    match serde_json::from_str::<Value>(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(ToolError::RespondToModel("The arguments must be one JSON object.".into())),
        Err(error) => Err(ToolError::RespondToModel(format!("The arguments are not JSON: {error}. Send one JSON object."))),
    }
}

/// What must happen beside a result, in the write that records it: a document's use is counted, a question that nothing answers is
/// noted for the owner. Writing tools have done their part already.
///
/// # Errors
/// When the database cannot be written.
pub fn recorded(tx: &Tx<'_>, context: &ToolContext, tool: &str, result: &Value) -> crate::error::Result<()> {
    match tool {
        "knowledge_search" => knowledge::searched(tx, context, result),
        "knowledge_get_document" => knowledge::opened(tx, result),
        _ => Ok(()),
    }
}

/// A result as the model is shown it: JSON without invisible characters, of bounded length.
pub fn shown(result: &Value) -> String {
    let text = terms::visible(&result.to_string());
    if text.chars().count() <= LONGEST_RESULT {
        return text;
    }
    let mut text: String = text.chars().take(LONGEST_RESULT).collect();
    text.push_str(" … (cut: the result was longer)");
    text
}

/// The conversation, if this turn may still change something in it: nobody has taken over since the turn began.
fn may_act(tx: &Tx<'_>, context: &ToolContext) -> Result<Conversation, ToolError> {
    let conversation = conversations::find(tx, &context.conversation)?;
    let Some(turn) = &context.turn else { return Ok(conversation) };
    // A turn that called a person goes on in the new epoch until its farewell is said.
    let own: Option<i64> = tx.prepare_cached("SELECT epoch FROM turn WHERE id = ?1")?.query_row([turn], |row| row.get(0)).optional()?;
    if own == Some(conversation.epoch) {
        return Ok(conversation);
    }
    Err(ToolError::RespondToModel("A person of the shop has taken over this conversation. Do nothing more and say nothing more.".into()))
}

/// The schema of a tool's arguments, as models like it: inlined, without a title.
fn schema<A: JsonSchema>() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().root_schema_for::<A>().to_value();
    if let Some(object) = schema.as_object_mut() {
        for key in ["$schema", "title", "description"] {
            object.shift_remove(key);
        }
        object.entry("properties").or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    schema
}

/// Arguments as the tool wants them, or what is wrong with them.
fn parse<A: DeserializeOwned>(arguments: Value) -> Result<A, ToolError> {
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let what = error.inner().to_string();
        let field = if path == "." { String::new() } else { format!("`{path}`: ") };
        ToolError::RespondToModel(format!("The arguments do not fit: {field}{what}."))
    })
}

/// A text argument: visible characters only, not empty, not too long.
fn text(name: &str, value: &str, longest: usize) -> Result<String, ToolError> {
    let value = terms::visible(value).trim().to_owned();
    if value.is_empty() {
        return Err(ToolError::RespondToModel(format!("`{name}` is empty. Say it in a few words.")));
    }
    if value.chars().count() > longest {
        return Err(ToolError::RespondToModel(format!("`{name}` is too long. Say it in at most {longest} characters.")));
    }
    Ok(value)
}
