//! A model that answers as the test says, at the speed the test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use schemars::JsonSchema;
use serde::Deserialize;
use shopbell_core::connector::{
    About, Account, AnyConnector, Auth, Chunk, Connector, ConnectorType, Finish, Link, Model, ModelRow, Prompt, PromptMessage, Roles,
    ServiceError, ToolCall, erase,
};

/// What the model does when it is asked.
pub type Script = dyn Fn(&Prompt) -> Vec<Piece> + Send + Sync;

/// A piece of a scripted answer.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Words.
    Text(String),
    /// A tool call.
    Call(ToolCall),
    /// A pause before what follows.
    Wait(Duration),
    /// The service fails here.
    Fail(fn() -> ServiceError),
    /// The answer breaks off here.
    Break,
}

/// Says `text`.
pub fn says(text: impl Into<String>) -> Vec<Piece> {
    vec![Piece::Text(text.into())]
}

/// Calls a tool.
pub fn calls(id: &str, name: &str, arguments: serde_json::Value) -> Vec<Piece> {
    vec![Piece::Call(ToolCall { id: id.into(), name: name.into(), arguments: arguments.to_string() })]
}

/// The customer's last words in a prompt.
pub fn last_words(prompt: &Prompt) -> String {
    let words =
        prompt.messages.iter().rev().find_map(|message| if let PromptMessage::User { text } = message { Some(text.clone()) } else { None });
    words.unwrap_or_default()
}

/// The connector "scripted", and every prompt it was asked.
pub fn scripted(script: impl Fn(&Prompt) -> Vec<Piece> + Send + Sync + 'static) -> (Arc<dyn AnyConnector>, Arc<Mutex<Vec<Prompt>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    (erase(Scripted { script: Arc::new(script), asked: asked.clone() }), asked)
}

struct Scripted {
    script: Arc<Script>,
    asked: Arc<Mutex<Vec<Prompt>>>,
}

/// It needs nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {}

#[async_trait]
impl Connector for Scripted {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "scripted",
            name: "Scripted model",
            connector_type: ConnectorType::Agent,
            auth: Auth::ApiKey,
            summary: "For tests",
            disabled: None,
            prerequisites: &[],
            steps: &[],
            links: &[],
            icon: "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            color: "#000000",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::model(ScriptedModel { script: self.script.clone(), asked: self.asked.clone() })
    }

    async fn test(&self, _link: Link<'_, Config>) -> Result<Account, ServiceError> {
        Ok(Account::default())
    }
}

struct ScriptedModel {
    script: Arc<Script>,
    asked: Arc<Mutex<Vec<Prompt>>>,
}

#[async_trait]
impl Model<Config> for ScriptedModel {
    async fn models(&self, _link: Link<'_, Config>) -> Result<Vec<ModelRow>, ServiceError> {
        Ok(Vec::new())
    }

    fn default_model(&self, _config: &Config) -> String {
        "scripted".into()
    }

    async fn respond(
        &self,
        _link: Link<'_, Config>,
        prompt: &Prompt,
    ) -> Result<BoxStream<'static, Result<Chunk, ServiceError>>, ServiceError> {
        if let Ok(mut asked) = self.asked.lock() {
            asked.push(prompt.clone());
        }
        let mut pieces = (self.script)(prompt);
        if let Some(Piece::Fail(error)) = pieces.first() {
            return Err(error());
        }
        if !matches!(pieces.last(), Some(Piece::Break)) {
            pieces.push(Piece::Wait(Duration::ZERO));
        }
        let last = pieces.len() - 1;
        let stream = futures::stream::iter(pieces.into_iter().enumerate()).filter_map(move |(n, piece)| async move {
            match piece {
                Piece::Text(text) => Some(Ok(Chunk::Text(text))),
                Piece::Call(call) => Some(Ok(Chunk::ToolCall(call))),
                Piece::Fail(error) => Some(Err(error())),
                Piece::Break => None,
                Piece::Wait(wait) => {
                    if !wait.is_zero() {
                        tokio::time::sleep(wait).await;
                    }
                    (n == last).then_some(Ok(Chunk::Done(Finish::Stop)))
                }
            }
        });
        Ok(stream.boxed())
    }
}
