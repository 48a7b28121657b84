//! Any other server that speaks Chat Completions: Ollama, LM Studio, llama.cpp, vLLM, Groq, … by its address.

use async_trait::async_trait;
use futures::stream::BoxStream;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;
use shopbell_core::connector::{
    About, Account, Auth, Check, Chunk, Connector, ConnectorType, Link, Model, ModelRow, Prompt, Roles, ServiceError, StartSimulator, Step,
};
use shopbell_core::error::Sentence;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use crate::chat_completions::{Family, Service, simulator};
use crate::settings;

/// The connector.
pub struct OpenAiCompatible;

/// What the owner fills in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "OpenAI-compatible server")]
pub struct Config {
    /// Where the server is, usually ending in /v1. Plain http is fine for an address in your own network.
    #[schemars(title = "Service address", extend("examples" = ["http://localhost:11434/v1", "http://localhost:1234/v1", "http://localhost:8080/v1"]))]
    pub base_url: String,
    /// Only if the server asks for one.
    #[serde(default)]
    #[schemars(title = "API key")]
    pub api_key: Option<Secret>,
    /// The model that agents use unless they name another one. Left empty, the first one that the server lists.
    #[serde(default)]
    #[schemars(title = "Default model", extend("examples" = ["llama3.2", "qwen3"]))]
    pub default_model: Option<String>,
}

fn service<'a>(link: &Link<'a, Config>) -> Service<'a> {
    Service {
        // What the owner calls it says more than a word of ours.
        name: &link.connection.name,
        family: Family::Compatible,
        base: link.config.base_url.trim().trim_end_matches('/'),
        key: link.config.api_key.as_ref().map(|key| key.reveal().trim()).filter(|key| !key.is_empty()),
        headers: &[],
        http: link.http,
        clock: link.clock,
    }
}

/// The model to ask: the agent's, the connection's, or the first that the server has.
async fn model(link: &Link<'_, Config>, asked: &str) -> Result<String, ServiceError> {
    if let Some(model) = settings::given(Some(asked)).or_else(|| settings::given(link.config.default_model.as_deref())) {
        return Ok(model.to_owned());
    }
    let first = service(link).models().await?.into_iter().next();
    first.map(|row| row.id).ok_or_else(|| ServiceError::Permanent(say!("The model server has no model yet. Load one there first.")))
}

#[async_trait]
impl Connector for OpenAiCompatible {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "openai-compatible",
            name: "OpenAI-compatible",
            connector_type: ConnectorType::Agent,
            auth: Auth::ApiKey,
            summary: "Ollama, LM Studio, llama.cpp, vLLM and others, by their address",
            disabled: None,
            prerequisites: &["A server that speaks OpenAI's Chat Completions, on this computer or elsewhere"],
            steps: &[
                Step { title: "Start the server", text: "For Ollama: install it, run ollama pull llama3.2, and leave it running." },
                Step {
                    title: "Type its address",
                    text: "Ollama listens at http://localhost:11434/v1, LM Studio at http://localhost:1234/v1, llama.cpp at http://localhost:8080/v1.",
                },
                Step { title: "Test it", text: "The test lists the models that the server has." },
            ],
            links: &[("Ollama", "https://ollama.com/download"), ("LM Studio", "https://lmstudio.ai")],
            icon: include_str!("icon.svg"),
            color: "#35605a",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::model(CompatibleModel)
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        let mut wrong = Vec::new();
        if config.base_url.trim().is_empty() {
            wrong.push(("base_url".into(), say!("This is needed.")));
        }
        wrong.extend(settings::check_base_url(Some(&config.base_url)));
        wrong.extend(config.api_key.as_ref().filter(|key| !key.is_empty()).and_then(|key| settings::check_key("api_key", key)));
        wrong
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        let models = service(&link).models().await?;
        let wanted = settings::given(link.config.default_model.as_deref());
        let known = wanted.is_none_or(|wanted| models.iter().any(|row| row.id == wanted));
        let mut checks = vec![Check { ok: true, text: say!("The server answers.").to_string() }];
        checks.push(match (models.is_empty(), known) {
            (true, _) => Check { ok: false, text: say!("The model server has no model yet. Load one there first.").to_string() },
            (_, true) => Check { ok: true, text: say!("The default model is there.").to_string() },
            (_, false) => Check { ok: false, text: say!("The server does not list the default model.").to_string() },
        });
        let mut details = Map::new();
        details.insert("models".into(), models.iter().map(|row| row.id.clone()).collect::<Vec<_>>().into());
        details.insert("default_model_available".into(), known.into());
        let host = url::Url::parse(link.config.base_url.trim()).ok().and_then(|url| Some((url.host_str()?.to_owned(), url.port())));
        let name = match host {
            Some((host, Some(port))) => format!("{host}:{port}"),
            Some((host, None)) => host,
            None => "OpenAI-compatible".to_owned(),
        };
        Ok(Account { name, checks, details })
    }

    fn simulator(&self) -> Option<StartSimulator> {
        Some(simulator::start_compatible)
    }
}

/// The role.
struct CompatibleModel;

#[async_trait]
impl Model<Config> for CompatibleModel {
    async fn models(&self, link: Link<'_, Config>) -> Result<Vec<ModelRow>, ServiceError> {
        service(&link).models().await
    }

    fn default_model(&self, config: &Config) -> String {
        settings::given(config.default_model.as_deref()).unwrap_or_default().to_owned()
    }

    async fn respond(&self, link: Link<'_, Config>, prompt: &Prompt) -> Result<BoxStream<'static, Result<Chunk, ServiceError>>, ServiceError> {
        let model = model(&link, &prompt.model).await?;
        service(&link).respond(&model, prompt).await
    }
}
