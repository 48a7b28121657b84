//! The role of a model: agents think with it.

use async_trait::async_trait;
use futures::stream::BoxStream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::{Link, ServiceError};
use crate::model::{Choice, Usage};

/// The role of a model: agents think with it.
#[async_trait]
pub trait Model<C: Send + Sync>: Send + Sync {
    /// The models that this account may use.
    async fn models(&self, link: Link<'_, C>) -> Result<Vec<ModelRow>, ServiceError>;

    /// The model to use when the agent names none.
    fn default_model(&self, config: &C) -> String;

    /// One answer as it is made. Errors before the first chunk are returned; later ones come in the stream.
    async fn respond(&self, link: Link<'_, C>, prompt: &Prompt) -> Result<BoxStream<'static, Result<Chunk, ServiceError>>, ServiceError>;
}

/// A model in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct ModelRow {
    /// Its id at the service.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How much it can read, in tokens.
    #[ts(type = "number | null")]
    pub context: Option<u64>,
}

/// What a model is asked.
#[derive(Clone, Debug, Serialize)]
pub struct Prompt {
    /// Which model; empty = the connection's default.
    pub model: String,
    /// The instructions.
    pub system: String,
    /// What was said, oldest first.
    pub messages: Vec<PromptMessage>,
    /// What it may call.
    pub tools: Vec<ToolSpec>,
    /// Whether it may call tools now (false = it must answer in words).
    pub may_call_tools: bool,
    /// 0 to 2.
    pub temperature: f64,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    /// The conversation's language, if known ("pt-BR").
    pub language: Option<String>,
    /// A stable, meaningless name of the customer, for services that ask for one.
    pub end_user: String,
}

/// One message of a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum PromptMessage {
    /// The customer.
    User {
        /// Their words.
        text: String,
    },
    /// The agent (or a person of the shop, named in the text).
    Assistant {
        /// The words.
        text: String,
        /// What it called.
        #[serde(default)]
        calls: Vec<ToolCall>,
    },
    /// What a tool gave back.
    Tool {
        /// The call it answers.
        call_id: String,
        /// The tool.
        name: String,
        /// Its result, JSON or text. Untrusted.
        content: String,
    },
}

/// A tool as a model sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolSpec {
    /// `[A-Za-z0-9_-]{1,64}`.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// A model wants a tool to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ToolCall {
    /// The call's id, unique within the turn.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments as the model wrote them: JSON, hopefully.
    pub arguments: String,
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    /// Words.
    Text(String),
    /// Thoughts; never sent to a customer.
    Reasoning(String),
    /// A whole tool call, assembled by the connector.
    ToolCall(ToolCall),
    /// Where the answer's facts come from, shown with the message.
    Source(crate::model::Source),
    /// Buttons to offer with the answer.
    Choices(Vec<Choice>),
    /// What it took so far.
    Usage(Usage),
    /// The answer is whole. A stream that ends without it was cut off.
    Done(Finish),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It was finished, or wants its tool calls run.
    Stop,
    /// It reached the limit of tokens.
    Length,
    /// The service's filter stopped it.
    Filtered,
}
