//! Answers without any outside service: a small careful clerk who looks things up and quotes them.
//!
//! It is a model like any other, with the same prompt, tools and stream, so a hub answers on its first day with no account and
//! no key. It never composes facts: what it says of the shop is quoted from the documents with its source, and when they do not
//! answer it says so and offers a person. It keeps nothing and needs no network.
//!
//! [`desk`] reads the prompt, [`ear`] understands small talk and requests, [`clerk`] decides what to do, [`phrases`] are its words
//! in English, Portuguese and Spanish.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use schemars::JsonSchema;
use serde::Deserialize;
use shopbell_core::connector::{
    About, Account, Auth, Check, Chunk, Connector, ConnectorType, Link, Model, ModelRow, Prompt, Roles, ServiceError, Step,
};
use shopbell_core::say;

mod clerk;
mod desk;
mod ear;
mod phrases;
mod quotes;
#[cfg(test)]
mod tests;

/// The connector.
pub struct BuiltIn;

/// Nothing to fill in.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Built-in answers")]
pub struct Config {
    /// Not used: these answers are made on this computer.
    #[schemars(title = "Address", extend("x-advanced" = true))]
    pub base_url: Option<String>,
}

/// The name of its one model.
const MODEL: &str = "built-in";

#[async_trait]
impl Connector for BuiltIn {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "built-in",
            name: "Built-in answers",
            connector_type: ConnectorType::Agent,
            auth: Auth::None,
            summary: "Quotes your documents, no key needed",
            disabled: None,
            prerequisites: &[],
            steps: &[Step {
                title: "Drop in what it may know",
                text: "Add a menu, a price list or your opening hours under Knowledge. It answers from these and nothing else.",
            }],
            links: &[],
            icon: include_str!("icon.svg"),
            color: "#225b43",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::model(Clerk)
    }

    async fn test(&self, _: Link<'_, Config>) -> Result<Account, ServiceError> {
        let checks = vec![Check { ok: true, text: say!("It answers on this computer. Nothing leaves it.").to_string() }];
        Ok(Account { name: "Built-in answers".into(), checks, ..Account::default() })
    }
}

/// The model.
struct Clerk;

#[async_trait]
impl Model<Config> for Clerk {
    async fn models(&self, _: Link<'_, Config>) -> Result<Vec<ModelRow>, ServiceError> {
        Ok(vec![ModelRow { id: MODEL.into(), name: "Built-in answers".into(), context: None }])
    }

    fn default_model(&self, _: &Config) -> String {
        MODEL.into()
    }

    async fn respond(&self, _: Link<'_, Config>, prompt: &Prompt) -> Result<BoxStream<'static, Result<Chunk, ServiceError>>, ServiceError> {
        Ok(stream::iter(clerk::respond(prompt)).map(Ok).boxed())
    }
}
