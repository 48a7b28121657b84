//! A connector with secrets where the others have none yet: in a group of fields and in a map with free keys. Its test sends both.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use shopbell_core::connector::{About, Account, AnyConnector, Auth, Connector, ConnectorType, Link, Roles, ServiceError, erase};
use shopbell_core::error::Sentence;
use shopbell_core::http::{Call, read_bytes, service_error};
use shopbell_core::secret::Secret;

/// The connector.
pub fn probe() -> Arc<dyn AnyConnector> {
    erase(Probe)
}

struct Probe;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    base_url: String,
    smtp: Option<Mailbox>,
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Mailbox {
    #[serde(default)]
    username: String,
    password: Secret,
}

#[async_trait]
impl Connector for Probe {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "probe",
            name: "Probe",
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
        Roles { channel: None, model: None, page: None, sign_in: None }
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        shopbell_connectors::settings::check_base_url(Some(&config.base_url)).into_iter().collect()
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        let mut request = link.http.request(reqwest::Method::GET, &format!("{}/models", link.config.base_url))?;
        for (name, value) in &link.config.headers {
            request = request.header(name, value.reveal());
        }
        if let Some(mailbox) = &link.config.smtp {
            request = request.basic_auth(&mailbox.username, Some(mailbox.password.reveal()));
        }
        let answer = request.send().await.map_err(|error| service_error(&error, Call::Reads))?;
        let told = read_bytes(answer, 1 << 20, Call::Reads).await?;
        Ok(Account { name: format!("{} bytes", told.len()), ..Account::default() })
    }
}
