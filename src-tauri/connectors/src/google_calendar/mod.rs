//! Google Calendar: the owner signs in with Google; no key is pasted.
//!
//! Google wants each open program to have a client of its owner's ("Desktop app"), and sends the browser back to a port of this computer.
//! See <https://developers.google.com/identity/protocols/oauth2/native-app>.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use shopbell_core::connector::{
    About, Account, Auth, Check, Connector, ConnectorType, Link, Roles, ServiceError, StartSimulator, Step,
};
use shopbell_core::error::Sentence;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use crate::settings;

mod api;
mod sign_in;
pub mod simulator;

/// The connector.
pub struct GoogleCalendar;

/// What the owner fills in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Google Calendar")]
pub struct Config {
    /// In the Google Cloud console under Clients, of the type Desktop app. It ends in .apps.googleusercontent.com.
    #[schemars(title = "Client ID", extend("examples" = ["1234567890-abc.apps.googleusercontent.com"]))]
    pub client_id: String,
    /// It stands beside the Client ID and begins with GOCSPX-.
    #[schemars(title = "Client secret")]
    pub client_secret: Secret,
    /// Signing in fills it, and keeps it fresh. Leave it as it is.
    #[serde(default)]
    #[schemars(title = "Access token", extend("x-advanced" = true))]
    pub access_token: Option<Secret>,
    /// Another address of the service, for a server of your own or for tests.
    #[serde(default)]
    #[schemars(title = "Service address", extend("x-advanced" = true, "examples" = ["https://www.googleapis.com"]))]
    pub base_url: Option<String>,
}

#[async_trait]
impl Connector for GoogleCalendar {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "google-calendar",
            name: "Google Calendar",
            connector_type: ConnectorType::ToolNative,
            auth: Auth::Oauth,
            summary: "Your shop's calendar, by signing in with Google",
            disabled: None,
            prerequisites: &["A Google account whose calendar the shop uses", "About 10 minutes in the Google Cloud console, once"],
            steps: &[
                Step {
                    title: "Make a project",
                    text: "Open console.cloud.google.com, choose New project and name it Shopbell. Then open APIs & Services > Library, find Google Calendar API and press Enable.",
                },
                Step {
                    title: "Say who may sign in",
                    text: "Open Google Auth Platform > Branding and fill in the name and your mail address. Under Audience choose External, then press Publish app: while it is in Testing, Google ends every sign-in after 7 days.",
                },
                Step {
                    title: "Make a client",
                    text: "Open Clients > Create client, choose the type Desktop app, and copy the Client ID and the Client secret into the form.",
                },
                Step {
                    title: "Sign in",
                    text: "Press the button. Google may warn that it has not verified the app: it is your own, so choose Advanced and go on. Tick every box.",
                },
            ],
            links: &[
                ("Open the Google Cloud console", "https://console.cloud.google.com/auth/clients"),
                ("See what you have allowed", "https://myaccount.google.com/connections"),
            ],
            icon: include_str!("icon.svg"),
            color: "#2f6bd0",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::sign_in(sign_in::Google)
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        let mut wrong = Vec::new();
        let id = config.client_id.trim();
        if id.is_empty() {
            wrong.push(("client_id".to_owned(), say!("This is needed.")));
        } else if !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            wrong.push(("client_id".to_owned(), say!("A key has no spaces or accents. Copy it again.")));
        }
        wrong.extend(settings::check_key("client_secret", &config.client_secret));
        wrong.extend(settings::check_base_url(config.base_url.as_deref()));
        wrong
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        let base = settings::base(link.config.base_url.as_deref(), api::ADDRESS);
        let list = link.with_token(link.config.access_token.as_ref(), |token| async move { api::calendars(link.http, base, &token).await }).await?;
        let mut checks = vec![Check { ok: true, text: say!("Google accepts the sign-in.").to_string() }];
        let writable = list.iter().filter(|calendar| matches!(calendar.role.as_str(), "owner" | "writer")).count();
        checks.push(match writable {
            0 => Check { ok: false, text: say!("This account may change none of its calendars.").to_string() },
            count => Check { ok: true, text: say!("{count} calendars can be read and changed.", count = count).to_string() },
        });
        let mut details = Map::new();
        details.insert("calendars".into(), list.iter().map(|calendar| Value::from(calendar.name.clone())).collect());
        details.insert("time_zone".into(), list.iter().find(|calendar| calendar.primary).map(|calendar| calendar.time_zone.clone()).into());
        let name = api::account(&list).ok_or_else(api::no_calendar)?;
        Ok(Account { name: name.to_owned(), checks, details })
    }

    fn simulator(&self) -> Option<StartSimulator> {
        Some(simulator::start)
    }
}
