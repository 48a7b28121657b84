//! WhatsApp through 360dialog: Meta's Cloud API behind one key per number.
//!
//! Nothing that comes in is signed for us: 360dialog repeats a header that we give it when we register, and that alone proves where a
//! request comes from. See <https://docs.360dialog.com/docs/messaging-api>.

use async_trait::async_trait;
use reqwest::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;
use shopbell_core::connector::{History, 
    About, Account, Auth, Channel, ChannelRules, Check, Connector, ConnectorType, Event, Fetched, Forged, Link, Malformed, Outgoing, Receipt,
    Request, Roles, ServiceError, StartSimulator, Step, Template, WebhookState,
};
use shopbell_core::error::Sentence;
use shopbell_core::http::Call;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use crate::meta::whatsapp::{self, Patience, Scope, read_template};
use crate::settings;

mod api;
mod media;
pub mod simulator;
mod webhook;

/// The kind, in addresses too.
const KIND: &str = "whatsapp-360dialog";
/// An account has at most 6,000 templates; a hundred stand on a page.
const PAGES: usize = 60;
const PAGE: usize = 100;

/// The connector.
pub struct WhatsApp360Dialog;

/// What the owner fills in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "WhatsApp (360dialog)")]
pub struct Config {
    /// In the 360dialog Hub beside your number: press Generate API Key. It is shown only once, and a new one ends the old one.
    #[schemars(title = "API key")]
    pub api_key: Secret,
    /// With + and the country code. Customers see it.
    #[schemars(title = "Phone number", extend("examples" = ["+5511999990000"]))]
    pub phone_number: String,
    /// From the 360dialog Hub, if you like to keep it here. Messages do not need it.
    #[serde(default)]
    #[schemars(title = "Client ID", extend("examples" = ["HnXnyHCL"]))]
    pub client_id: Option<String>,
    /// Let Shopbell receive this number's messages, although another program receives them now. That one then receives none.
    #[serde(default)]
    #[schemars(title = "Take over from another program", extend("x-advanced" = true))]
    pub take_over: bool,
    /// 360dialog repeats it with every message, which proves that it comes from there. Left empty, Shopbell makes one.
    #[serde(default)]
    #[schemars(title = "Webhook secret", extend("x-advanced" = true))]
    pub webhook_secret: Option<Secret>,
    /// Another address of the service, for a server of your own or for tests.
    #[serde(default)]
    #[schemars(title = "Service address", extend("x-advanced" = true, "examples" = ["https://waba-v2.360dialog.io"]))]
    pub base_url: Option<String>,
}

impl Config {
    /// A key is a number's: whatever comes with the right secret is for it.
    fn scope(&self) -> Scope<'_> {
        Scope { connector: KIND, phone_number_id: None, account: None, phone: &self.phone_number, flat: true }
    }
}

#[async_trait]
impl Connector for WhatsApp360Dialog {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: KIND,
            name: "WhatsApp (360dialog)",
            connector_type: ConnectorType::Channel,
            auth: Auth::ApiKey,
            summary: "A number that 360dialog set up for you, by one key",
            disabled: None,
            prerequisites: &[
                "An account at 360dialog with a number that is connected to WhatsApp",
                "A public web address: Shopbell makes one under Settings",
            ],
            steps: &[
                Step {
                    title: "Get the key of your number",
                    text: "Open hub.360dialog.com, choose WhatsApp Accounts, open Details beside your number, press Generate API Key and copy it.",
                },
                Step {
                    title: "Save and register",
                    text: "Paste the key here, type the number and save. Then press Register: Shopbell gives 360dialog its web address and a secret of its own.",
                },
                Step {
                    title: "Write to your number",
                    text: "Send a message to the number from another phone. It appears in your inbox.",
                },
            ],
            links: &[
                ("Open the 360dialog Hub", "https://hub.360dialog.com"),
                ("What 360dialog writes about its API", "https://docs.360dialog.com/docs/messaging-api"),
            ],
            icon: include_str!("icon.svg"),
            color: "#1d6f5c",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::channel(Dialog360Channel::default())
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        let mut wrong = Vec::new();
        wrong.extend(settings::check_key("api_key", &config.api_key));
        if config.phone_number.trim().is_empty() {
            wrong.push(("phone_number".into(), say!("This is needed.")));
        } else if !whatsapp::is_international(&config.phone_number) {
            wrong.push(("phone_number".into(), say!("Write the number with + and the country code, such as +5511999990000.")));
        }
        if let Some(secret) = config.webhook_secret.as_ref().map(|secret| secret.reveal().trim())
            && !secret.is_empty()
            && !((16..=256).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            wrong.push(("webhook_secret".into(), say!("16 to 256 letters, digits and signs are needed here, without spaces.")));
        }
        wrong.extend(settings::check_base_url(config.base_url.as_deref()));
        wrong
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        let found = webhook::found(link).await?;
        let mut checks = vec![Check { ok: true, text: say!("360dialog accepts the key.").to_string() }];
        let ours = found.url.as_deref().is_some_and(|url| link.is_hook(url));
        let (ok, text) = match (&found.url, ours, found.has_secret) {
            (None, _, _) => (false, say!("The web address is not registered at 360dialog yet.")),
            (Some(_), false, _) => (false, say!("360dialog sends this number's messages to another program.")),
            (Some(_), true, Some(false)) => (false, say!("360dialog does not know the secret of this connection. Register again.")),
            (Some(_), true, _) => (true, say!("360dialog sends this number's messages to Shopbell.")),
        };
        checks.push(Check { ok, text: text.to_string() });
        let mut details = Map::new();
        details.insert("webhook_set".into(), found.url.is_some().into());
        details.insert("webhook_is_ours".into(), ours.into());
        Ok(Account { name: link.config.phone_number.trim().to_owned(), checks, details })
    }

    fn simulator(&self) -> Option<StartSimulator> {
        Some(simulator::start)
    }
}

/// The role.
#[derive(Default)]
struct Dialog360Channel {
    patience: Patience,
    failures: media::Failures,
}

#[async_trait]
impl Channel<Config> for Dialog360Channel {
    fn rules(&self) -> ChannelRules {
        ChannelRules { secret_headers: &[webhook::HEADER], ..whatsapp::rules() }
    }

    fn verify(&self, config: &Config, request: &Request) -> Result<(), Forged> {
        webhook::verify(config, request)
    }

    fn self_call(&self, config: &Config, _url: &str) -> Option<Request> {
        let headers = vec![(webhook::HEADER.to_owned(), config.secret())];
        Some(Request { headers, ..Request::pulled("{}") })
    }

    fn parse(&self, config: &Config, request: &Request) -> Result<Vec<Event>, Malformed> {
        whatsapp::updates(&request.body, config.scope())
    }

    async fn send(&self, link: Link<'_, Config>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        whatsapp::send(link, &api::door(link)?, &self.patience, message).await
    }

    fn history(&self, _config: &Config) -> History {
        History::Redelivered { kept: std::time::Duration::from_secs(7 * 24 * 3600) }
    }

    async fn subscribe(&self, link: Link<'_, Config>, url: &str) -> Result<WebhookState, ServiceError> {
        webhook::subscribe(link, url).await
    }

    async fn webhook_state(&self, link: Link<'_, Config>) -> Result<WebhookState, ServiceError> {
        webhook::state(link).await
    }

    async fn fetch_media(&self, link: Link<'_, Config>, reference: &str) -> Result<Fetched, ServiceError> {
        media::fetch(link, &self.failures, reference).await
    }

    async fn typing(&self, link: Link<'_, Config>, thread: &str, answering: Option<&str>) -> Result<(), ServiceError> {
        whatsapp::typing(link, &api::door(link)?, &self.patience, thread, answering).await
    }

    async fn mark_read(&self, link: Link<'_, Config>, _thread: &str, external_id: &str) -> Result<(), ServiceError> {
        whatsapp::mark_read(&api::door(link)?, external_id).await
    }

    async fn templates(&self, link: Link<'_, Config>) -> Result<Vec<Template>, ServiceError> {
        let door = api::door(link)?;
        let mut templates = Vec::new();
        for page in 0..PAGES {
            let place = api::address(link.config, &format!("v1/configs/templates?limit={PAGE}&offset={}", page * PAGE));
            let answer = door.exchange(door.request(Method::GET, &place)?, Call::Reads).await?;
            let rows = answer["waba_templates"].as_array().map_or(&[][..], Vec::as_slice);
            templates.extend(rows.iter().filter_map(read_template));
            if rows.len() < PAGE {
                break;
            }
        }
        Ok(templates)
    }
}
