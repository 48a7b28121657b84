//! OpenAI, by an API key, over Chat Completions.

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

/// Where the service is.
const ADDRESS: &str = "https://api.openai.com/v1";
/// The model of a connection that names none.
const MODEL: &str = "gpt-4o-mini";

/// The connector.
pub struct OpenAi;

/// What the owner fills in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "OpenAI")]
pub struct Config {
    /// From your account at platform.openai.com. It begins with sk- and is shown only once.
    #[schemars(title = "API key", extend("examples" = ["sk-proj-…"]))]
    pub api_key: Secret,
    /// The model that agents use unless they name another one.
    #[serde(default)]
    #[schemars(title = "Default model", extend("default" = MODEL, "examples" = ["gpt-4o-mini", "gpt-4o", "o3-mini"]))]
    pub default_model: Option<String>,
    /// Another address of the service, for a server of your own or for tests.
    #[serde(default)]
    #[schemars(title = "Service address", extend("x-advanced" = true, "examples" = [ADDRESS]))]
    pub base_url: Option<String>,
}

fn service<'a>(link: &Link<'a, Config>) -> Service<'a> {
    Service {
        name: "OpenAI",
        family: Family::OpenAi,
        base: settings::base(link.config.base_url.as_deref(), ADDRESS),
        key: Some(link.config.api_key.reveal().trim()),
        headers: &[],
        http: link.http,
        clock: link.clock,
    }
}

#[async_trait]
impl Connector for OpenAi {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "openai",
            name: "OpenAI",
            connector_type: ConnectorType::Agent,
            auth: Auth::ApiKey,
            summary: "GPT models, paid by use",
            disabled: None,
            prerequisites: &["An account at platform.openai.com with some credit"],
            steps: &[
                Step { title: "Open your API keys", text: "Sign in at platform.openai.com and open API keys." },
                Step { title: "Make a key", text: "Choose Create new secret key, name it Shopbell and copy it. It is shown only once." },
                Step { title: "Paste it here", text: "Save and test. The test costs nothing." },
            ],
            links: &[
                ("Open your API keys", "https://platform.openai.com/api-keys"),
                ("Add credit", "https://platform.openai.com/settings/organization/billing"),
            ],
            icon: include_str!("icon.svg"),
            color: "#1a1a1a",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::model(OpenAiModel)
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        let mut wrong: Vec<_> = settings::check_base_url(config.base_url.as_deref()).into_iter().collect();
        wrong.extend(settings::check_key("api_key", &config.api_key));
        wrong
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        let models = service(&link).models().await?;
        let model = settings::given(link.config.default_model.as_deref()).unwrap_or(MODEL);
        let known = models.iter().any(|row| row.id == model);
        let mut details = Map::new();
        details.insert("models".into(), models.len().into());
        details.insert("default_model".into(), model.into());
        details.insert("default_model_available".into(), known.into());
        let model_check = if known { say!("The default model is there.") } else { say!("This account does not list the default model.") };
        Ok(Account {
            name: "OpenAI".into(),
            checks: vec![
                Check { ok: true, text: say!("The key is accepted.").to_string() },
                Check { ok: known, text: model_check.to_string() },
            ],
            details,
        })
    }

    fn simulator(&self) -> Option<StartSimulator> {
        Some(simulator::start_openai)
    }
}

/// The role.
struct OpenAiModel;

#[async_trait]
impl Model<Config> for OpenAiModel {
    async fn models(&self, link: Link<'_, Config>) -> Result<Vec<ModelRow>, ServiceError> {
        service(&link).models().await
    }

    fn default_model(&self, config: &Config) -> String {
        settings::given(config.default_model.as_deref()).unwrap_or(MODEL).to_owned()
    }

    async fn respond(&self, link: Link<'_, Config>, prompt: &Prompt) -> Result<BoxStream<'static, Result<Chunk, ServiceError>>, ServiceError> {
        let model = settings::given(Some(&prompt.model)).map_or_else(|| self.default_model(link.config), str::to_owned);
        service(&link).respond(&model, prompt).await
    }
}
