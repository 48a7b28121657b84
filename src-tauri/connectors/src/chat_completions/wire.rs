//! The shapes of Chat Completions that we read. Lenient: many servers speak this dialect, each with its own accent.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// One event of the stream; or the whole answer, of a server that does not stream.
#[derive(Debug, Deserialize)]
pub struct Frame {
    #[serde(default)]
    pub choices: Vec<Choice>,
    pub usage: Option<Usage>,
    pub error: Option<Value>,
    pub object: Option<String>,
    pub message: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub struct Choice {
    #[serde(alias = "message")]
    pub delta: Option<Delta>,
    pub finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Delta {
    pub content: Value,
    pub refusal: Value,
    /// Thoughts, as llama.cpp, DeepSeek and vLLM call them.
    pub reasoning_content: Value,
    /// Thoughts, as OpenRouter and Ollama call them.
    pub reasoning: Value,
    pub tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CallDelta {
    pub index: Option<i64>,
    pub id: Option<String>,
    pub function: FunctionDelta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FunctionDelta {
    pub name: Option<String>,
    pub arguments: Value,
}

#[derive(Debug, Deserialize)]
pub struct Usage {
    #[serde(default)]
    pub prompt_tokens: Option<u64>,
    #[serde(default)]
    pub completion_tokens: Option<u64>,
    pub prompt_tokens_details: Option<PromptDetails>,
    /// Dollars, as a decimal that must not pass through a float.
    pub cost: Option<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
pub struct PromptDetails {
    pub cached_tokens: Option<u64>,
}

/// An entry of the list of models, with the names by which servers tell how much a model can read.
#[derive(Debug, Deserialize)]
pub struct ListedModel {
    pub id: String,
    pub name: Option<String>,
    #[serde(default)]
    pub created: Option<f64>,
    pub context_length: Option<u64>,
    pub max_model_len: Option<u64>,
    pub max_context_length: Option<u64>,
    pub meta: Option<ModelMeta>,
    #[serde(default)]
    pub supported_parameters: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub struct ModelMeta {
    pub n_ctx_train: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub struct ModelList {
    #[serde(default)]
    pub data: Vec<ListedModel>,
}
