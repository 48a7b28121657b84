//! WhatsApp through Meta's own Cloud API, by an app of the shop's own and an access token.
//!
//! One callback serves all numbers and accounts of an app (`/hooks/meta/<app id>`); a connection takes out of it what is for its number.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use shopbell_core::connector::{Reports,
    About, Account, Auth, Channel, ChannelRules, Connector, ConnectorType, Conversion, Event, Fetched, Forged, Link, Malformed, Outgoing,
    Receipt, Request, Roles, ServiceError, SharedCallback, StartSimulator, Step, Template, WebhookState,
};
use shopbell_core::error::Sentence;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use crate::meta::whatsapp::{self, Patience, Scope};
use crate::meta::{handshake, signature};
use crate::settings;

mod account;
mod api;
mod conversions;
mod media;
mod sign_in;
pub mod simulator;
mod templates;
mod version;
mod webhook;

/// The kind, in addresses too.
const KIND: &str = "whatsapp-meta";

/// The connector.
pub struct WhatsAppMeta;

/// What the owner fills in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "WhatsApp (Meta)")]
pub struct Config {
    /// With + and the country code. Customers see it.
    #[schemars(title = "Phone number", extend("examples" = ["+5511999990000"]))]
    pub phone_number: String,
    /// The shop's name as customers read it in WhatsApp.
    #[schemars(title = "Display name", extend("examples" = ["Pão Dourado"]))]
    pub display_name: String,
    /// In your app under WhatsApp > API Setup, below the number. It is not the number itself.
    #[schemars(title = "Phone number ID", extend("examples" = ["106540352242922"]))]
    pub phone_number_id: String,
    /// In your app under WhatsApp > API Setup, next to the phone number ID.
    #[schemars(title = "WhatsApp Business account ID", extend("examples" = ["102290129340398"]))]
    pub business_account_id: String,
    /// In Meta Business Suite under Settings > Business info. You may leave it empty.
    #[serde(default)]
    #[schemars(title = "Business ID", extend("examples" = ["2729063490586005"]))]
    pub business_id: Option<String>,
    /// In your app under App settings > Basic, at the top.
    #[schemars(title = "App ID", extend("examples" = ["670843887433847"]))]
    pub app_id: String,
    /// In your app under App settings > Basic: press Show. It proves that messages come from Meta.
    #[schemars(title = "App secret")]
    pub app_secret: Secret,
    /// Of a system user, so that it does not expire. The one under API Setup ends after a day; it is good for a trial.
    #[schemars(title = "Access token")]
    pub access_token: Secret,
    /// Any words of your own. Meta repeats them once to make sure that the web address is yours. One app has one.
    #[schemars(title = "Verify token")]
    pub verify_token: Secret,
    /// Of Facebook Login for Business, in your app under Configurations. It says for what you are asked when you sign in.
    #[serde(default)]
    #[schemars(title = "Login configuration ID", extend("x-advanced" = true, "examples" = ["1234567890123456"]))]
    pub login_config_id: Option<String>,
    /// Six digits. Only for a number that you register here by signing in: it is the PIN for its two-step verification.
    #[serde(default)]
    #[schemars(title = "PIN of the number", extend("x-advanced" = true))]
    pub pin: Option<Secret>,
    /// Which version of Meta's interface is used. Each works for about two years.
    #[serde(default = "version::default")]
    #[schemars(title = "Graph API version", extend("x-advanced" = true, "examples" = ["v25.0"]))]
    pub graph_version: String,
    /// Tell Meta which customers who came through a click-to-WhatsApp advertisement became leads and buyers.
    #[serde(default)]
    #[schemars(title = "Reports to advertising", extend("x-advanced" = true))]
    pub reports: Reports,
    /// Another address of the service, for a server of your own or for tests.
    #[serde(default)]
    #[schemars(title = "Service address", extend("x-advanced" = true, "examples" = ["https://graph.facebook.com"]))]
    pub base_url: Option<String>,
}

impl Config {
    /// Whose messages these settings are for.
    fn scope(&self) -> Scope<'_> {
        Scope {
            connector: KIND,
            phone_number_id: Some(self.phone_number_id.trim()),
            account: Some(self.business_account_id.trim()),
            phone: &self.phone_number,
            flat: false,
        }
    }
}

#[async_trait]
impl Connector for WhatsAppMeta {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: KIND,
            name: "WhatsApp (Meta)",
            connector_type: ConnectorType::Channel,
            auth: Auth::ApiKey,
            summary: "A number of your own, straight from Meta, by access token",
            disabled: None,
            prerequisites: &[
                "A Facebook account with a business in Meta Business Suite",
                "A phone number that is not used in the WhatsApp app, or Meta's free test number",
                "A public web address: Shopbell makes one under Settings",
            ],
            steps: &[
                Step {
                    title: "Make an app",
                    text: "Open developers.facebook.com, choose My Apps > Create App, the use case Connect with customers through WhatsApp, and your business.",
                },
                Step {
                    title: "Add the number",
                    text: "In the app open WhatsApp > API Setup. Add your number there, or take the test number. Copy the Phone number ID and the WhatsApp Business Account ID.",
                },
                Step {
                    title: "Copy the app's ID and secret",
                    text: "Open App settings > Basic. Copy the App ID, press Show beside App secret and copy that too.",
                },
                Step {
                    title: "Make a token that lasts",
                    text: "In Meta Business Suite open Settings > Users > System users, add one with the role Admin, assign the app and the WhatsApp account to it, press Generate token, choose Never, and tick whatsapp_business_messaging and whatsapp_business_management.",
                },
                Step {
                    title: "Choose a verify token",
                    text: "Think of some words of your own and type them here. Save, then press Register: Shopbell gives Meta the web address and reads back whether it is used.",
                },
                Step {
                    title: "Publish the app",
                    text: "In the app open Publish and switch it to Live. Until then only test messages come in.",
                },
                Step {
                    title: "Write to your number",
                    text: "Send a message to the number from another phone. It appears in your inbox.",
                },
            ],
            links: &[
                ("Open your apps at Meta", "https://developers.facebook.com/apps"),
                ("Open WhatsApp Manager", "https://business.facebook.com/wa/manage/home/"),
                ("Get started with the Cloud API", "https://developers.facebook.com/docs/whatsapp/cloud-api/get-started"),
            ],
            icon: include_str!("icon.svg"),
            color: "#1f8a4c",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::channel(WhatsAppChannel::default()).signing_in(sign_in::MetaSignIn)
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        let mut wrong = Vec::new();
        let mut say = |field: &str, sentence: Sentence| wrong.push((field.to_owned(), sentence));
        if config.phone_number.trim().is_empty() {
            say("phone_number", say!("This is needed."));
        } else if !whatsapp::is_international(&config.phone_number) {
            say("phone_number", say!("Write the number with + and the country code, such as +5511999990000."));
        }
        if config.display_name.trim().is_empty() {
            say("display_name", say!("This is needed."));
        }
        let ids = [
            ("phone_number_id", config.phone_number_id.trim()),
            ("business_account_id", config.business_account_id.trim()),
            ("app_id", config.app_id.trim()),
        ];
        for (field, id) in ids {
            if id.is_empty() {
                say(field, say!("This is needed."));
            } else if field == "phone_number_id" && is_the_number(id, &config.phone_number) {
                say(field, say!("This is the phone number. Its ID is another row of digits: copy it from WhatsApp > API Setup."));
            } else if !whatsapp::is_plain_id(id) {
                say(field, say!("An ID is a row of digits. Copy it again."));
            }
        }
        if !version::is_one(&config.graph_version) {
            say("graph_version", say!("A version looks like v25.0."));
        }
        if config.verify_token.reveal().trim().is_empty() {
            say("verify_token", say!("This is needed."));
        }
        wrong.extend(settings::check_key("app_secret", &config.app_secret));
        wrong.extend(settings::check_key("access_token", &config.access_token));
        wrong.extend(settings::check_base_url(config.base_url.as_deref()));
        wrong
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        account::test(link).await
    }

    fn simulator(&self) -> Option<StartSimulator> {
        Some(simulator::start)
    }
}

fn is_the_number(id: &str, number: &str) -> bool {
    let number = whatsapp::digits(number);
    id.starts_with('+') || (!number.is_empty() && whatsapp::digits(id) == number)
}

/// The role.
#[derive(Default)]
struct WhatsAppChannel {
    patience: Patience,
}

#[async_trait]
impl Channel<Config> for WhatsAppChannel {
    fn rules(&self) -> ChannelRules {
        ChannelRules { secret_headers: &[signature::HEADER], ..whatsapp::rules() }
    }

    fn verify(&self, config: &Config, request: &Request) -> Result<(), Forged> {
        signature::verify([config.app_secret.reveal()], request)
    }

    fn parse(&self, config: &Config, request: &Request) -> Result<Vec<Event>, Malformed> {
        whatsapp::updates(&request.body, config.scope())
    }

    fn shared_callback(&self, config: &Config) -> Option<SharedCallback> {
        Some(SharedCallback { family: "meta", key: config.app_id.trim().to_owned() })
    }

    fn concerns(&self, config: &Config, request: &Request) -> bool {
        whatsapp::concerns(&request.body, config.scope())
    }

    fn challenge(&self, config: &Config, request: &Request) -> Option<Result<String, Forged>> {
        handshake::answer(config.verify_token.reveal(), request)
    }

    async fn send(&self, link: Link<'_, Config>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        whatsapp::send(link, &api::door(link)?, &self.patience, message).await
    }

    async fn subscribe(&self, link: Link<'_, Config>, url: &str) -> Result<WebhookState, ServiceError> {
        webhook::subscribe(link, url).await
    }

    async fn webhook_state(&self, link: Link<'_, Config>) -> Result<WebhookState, ServiceError> {
        webhook::state(link).await
    }

    async fn fetch_media(&self, link: Link<'_, Config>, reference: &str) -> Result<Fetched, ServiceError> {
        media::fetch(link, reference).await
    }

    async fn typing(&self, link: Link<'_, Config>, thread: &str, answering: Option<&str>) -> Result<(), ServiceError> {
        whatsapp::typing(link, &api::door(link)?, &self.patience, thread, answering).await
    }

    async fn mark_read(&self, link: Link<'_, Config>, _thread: &str, external_id: &str) -> Result<(), ServiceError> {
        whatsapp::mark_read(&api::door(link)?, external_id).await
    }

    async fn templates(&self, link: Link<'_, Config>) -> Result<Vec<Template>, ServiceError> {
        templates::list(link).await
    }

    fn reports(&self, config: &Config) -> Reports {
        config.reports
    }

    async fn report(&self, link: Link<'_, Config>, conversion: &Conversion) -> Result<(), ServiceError> {
        conversions::report(link, conversion).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_itself_is_not_taken_for_its_id() {
        assert!(is_the_number("+5511999990000", ""));
        assert!(is_the_number("5511999990000", "+55 11 99999-0000"));
        assert!(!is_the_number("106540352242922", "+5511999990000"));
    }
}
