//! A service that is no service of ours: its plan is what the test says, its server is the stand-in for Google.

use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use shopbell_core::connector::{
    About, Account, AnyConnector, At, Auth, Connector, ConnectorType, Issuer, Link, OAuthClient, Opened, Plan, Roles, ServiceError,
    ShownBy, SignIn, Unready, Way, erase,
};
use shopbell_core::secret::Secret;

/// The connector.
#[derive(Clone)]
pub struct Other {
    ways: Vec<Way>,
    issuer: Option<&'static str>,
}

impl Other {
    pub fn loopback(issuer: Option<&'static str>) -> Arc<dyn AnyConnector> {
        erase(Self { ways: vec![Way::Loopback], issuer })
    }

    pub fn by_link() -> Arc<dyn AnyConnector> {
        erase(Self { ways: vec![Way::DeepLink], issuer: None })
    }

    pub fn by_public_address() -> Arc<dyn AnyConnector> {
        erase(Self { ways: vec![Way::Public], issuer: None })
    }
}

/// What it needs.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who asks.
    #[schemars(title = "Client")]
    #[allow(dead_code, reason = "the plan reads it")]
    pub client_id: String,
    /// Its secret.
    #[schemars(title = "Secret")]
    #[allow(dead_code, reason = "the plan reads it")]
    pub client_secret: Secret,
    /// Where.
    #[schemars(title = "Address")]
    #[allow(dead_code, reason = "the plan reads it")]
    pub base_url: String,
}

#[async_trait]
impl Connector for Other {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "other",
            name: "Other",
            connector_type: ConnectorType::McpExternal,
            auth: Auth::Oauth,
            summary: "For tests",
            disabled: None,
            prerequisites: &[],
            steps: &[],
            links: &[],
            icon: "<svg/>",
            color: "#123456",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::sign_in(self.clone())
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        link.with_token(None, |_| async { Ok(Account { name: "Other".into(), ..Account::default() }) }).await
    }
}

#[async_trait]
impl SignIn for Other {
    fn provider(&self) -> &'static str {
        "Other"
    }

    async fn plan(&self, at: At<'_>) -> Result<Plan, Unready> {
        let base = at.text("base_url").unwrap();
        let client = OAuthClient::Known {
            id: at.text("client_id").unwrap().to_owned(),
            secret_field: Some("client_secret".into()),
            shown: ShownBy::Body,
        };
        let plan = Plan::standard(format!("{base}/o/oauth2/v2/auth"), format!("{base}/token"), client, &self.ways);
        Ok(Plan { issuer: self.issuer.map(|id| Issuer { id: id.into(), always: true }), ..plan })
    }

    async fn accounts(&self, _: At<'_>, _: &Secret) -> Result<Vec<Opened>, ServiceError> {
        Ok(vec![Opened { id: "1".into(), name: "One".into(), fill: serde_json::Map::new(), token: None }])
    }
}
