//! OpenRouter: many makers' models through one key; every answer says what it cost.

use async_trait::async_trait;
use futures::stream::BoxStream;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use shopbell_core::connector::{
    About, Account, Auth, Check, Chunk, Connector, ConnectorType, Link, Model, ModelRow, Prompt, Roles, ServiceError, StartSimulator, Step,
};
use shopbell_core::error::Sentence;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use crate::chat_completions::{Family, Service, simulator};
use crate::settings;

/// Where the service is.
const ADDRESS: &str = "https://openrouter.ai/api/v1";
/// The model of a connection that names none.
const MODEL: &str = "openai/gpt-4o-mini";
/// Who asks, as OpenRouter likes to know: the address is the application's identity there.
const HEADERS: &[(&str, &str)] = &[("HTTP-Referer", "https://localhost/shopbell"), ("X-OpenRouter-Title", "Shopbell"), ("X-Title", "Shopbell")];

/// The connector.
pub struct OpenRouter;

/// What the owner fills in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "OpenRouter")]
pub struct Config {
    /// From your account at openrouter.ai. It begins with sk-or- and is shown only once.
    #[schemars(title = "API key", extend("examples" = ["sk-or-v1-…"]))]
    pub api_key: Secret,
    /// The model that agents use unless they name another one, with its maker in front.
    #[serde(default)]
    #[schemars(title = "Default model", extend("default" = MODEL, "examples" = ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4.5"]))]
    pub default_model: Option<String>,
    /// Another address of the service, for a server of your own or for tests.
    #[serde(default)]
    #[schemars(title = "Service address", extend("x-advanced" = true, "examples" = [ADDRESS]))]
    pub base_url: Option<String>,
}

fn service<'a>(link: &Link<'a, Config>) -> Service<'a> {
    Service {
        name: "OpenRouter",
        family: Family::OpenRouter,
        base: settings::base(link.config.base_url.as_deref(), ADDRESS),
        key: Some(link.config.api_key.reveal().trim()),
        headers: HEADERS,
        http: link.http,
        clock: link.clock,
    }
}

#[async_trait]
impl Connector for OpenRouter {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "openrouter",
            name: "OpenRouter",
            connector_type: ConnectorType::Agent,
            auth: Auth::ApiKey,
            summary: "GPT, Claude, Gemini, Grok and Llama through one key",
            disabled: None,
            prerequisites: &["An account at openrouter.ai with some credit"],
            steps: &[
                Step { title: "Open your keys", text: "Sign in at openrouter.ai and open Keys." },
                Step { title: "Make a key", text: "Choose Create API Key, name it Shopbell, set a credit limit if you like, and copy it." },
                Step { title: "Paste it here", text: "Save and test. The test costs nothing." },
            ],
            links: &[("Open your keys", "https://openrouter.ai/settings/keys"), ("Add credit", "https://openrouter.ai/settings/credits")],
            icon: include_str!("icon.svg"),
            color: "#5b4bd6",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::model(OpenRouterModel)
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        let mut wrong: Vec<_> = settings::check_base_url(config.base_url.as_deref()).into_iter().collect();
        wrong.extend(settings::check_key("api_key", &config.api_key));
        wrong
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        // Anybody may read the list of models; only the key's own page proves the key.
        let key: Value = service(&link).get("/key").await?;
        let remaining = &key["data"]["limit_remaining"];
        let mut details = Map::new();
        details.insert("limit".into(), key["data"]["limit"].clone());
        details.insert("limit_remaining".into(), remaining.clone());
        details.insert("usage".into(), key["data"]["usage"].clone());
        details.insert("default_model".into(), OpenRouterModel.default_model(link.config).into());
        let mut checks = vec![Check { ok: true, text: say!("The key is accepted.").to_string() }];
        if let Some(remaining) = remaining.as_f64() {
            let text = if remaining > 0.0 { say!("There is credit left on this key.") } else { say!("There is no credit left on this key.") };
            checks.push(Check { ok: remaining > 0.0, text: text.to_string() });
        }
        // An unnamed key is labelled with a part of itself, which is not for showing.
        let label = key["data"]["label"].as_str().filter(|label| !label.is_empty() && !label.starts_with("sk-"));
        Ok(Account { name: label.unwrap_or("OpenRouter").to_owned(), checks, details })
    }

    fn simulator(&self) -> Option<StartSimulator> {
        Some(simulator::start_openrouter)
    }
}

/// The role.
struct OpenRouterModel;

#[async_trait]
impl Model<Config> for OpenRouterModel {
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
