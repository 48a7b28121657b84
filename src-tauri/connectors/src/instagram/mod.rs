//! Instagram: the direct messages of a professional account, by a pasted token.
//!
//! There are two ways in. With Instagram Login the account itself gives the token (graph.instagram.com, no Facebook Page); through a
//! Facebook Page the Page does (graph.facebook.com). Both receive by the callback of the app, which all accounts of that app share, or by
//! polling where there is no public address. See <https://developers.facebook.com/docs/instagram-platform>.
//!
//! Signing in with a button instead of a pasted token takes the place of `access_token` and `account_id`; nothing else here changes by it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use shopbell_core::connector::{
    About, Account, Auth, Channel, ChannelRules, Connector, ConnectorType, Event, Fetched, Forged, Link, Malformed, Outgoing, Profile, Receipt,
    Request, Roles, ServiceError, SharedCallback, Sink, StartSimulator, Step, TextLimit, TextUnit, WebhookState,
};
use shopbell_core::error::Sentence;
use shopbell_core::model::{Address, Medium};
use shopbell_core::say;
use shopbell_core::secret::Secret;

use crate::meta::signature;
use crate::settings;

mod account;
mod api;
mod content;
mod draft;
mod history;
mod listen;
mod media;
mod parse;
mod send;
mod sign_in;
pub mod simulator;
mod webhook;

/// The longest text, in bytes of UTF-8.
const TEXT: u32 = 1000;
/// The largest picture.
const IMAGE: u64 = 8 * 1024 * 1024;
/// The largest other file, either way.
const FILE: u64 = 25 * 1024 * 1024;
/// How many quick replies fit one message, and the longest words on one.
const QUICK_REPLIES: u32 = 13;
const QUICK_REPLY: u32 = 20;
/// How long after a customer's message anybody may answer, and how long a person may.
const WINDOW: Duration = Duration::from_secs(24 * 3600);
const PERSON_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);
/// The version of the Graph API that this was tested with.
const GRAPH_VERSION: &str = "v25.0";

/// The connector.
pub struct Instagram;

/// What the owner fills in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Instagram")]
pub struct Config {
    /// Instagram Login is the simple way. Choose Facebook Page only when your token comes from a Page.
    #[serde(default)]
    #[schemars(title = "How the account is connected")]
    pub flavour: Flavour,
    /// The long number under your account's name at Generate access tokens. It begins with 17841. The test tells you when it is another one.
    #[schemars(title = "Account ID", extend("examples" = ["17841400000000000"]))]
    pub account_id: String,
    /// With Instagram Login it is the Instagram app ID, with a Facebook Page the app ID at the top of the App Dashboard.
    #[schemars(title = "App ID", extend("examples" = ["1234567890123456"]))]
    pub app_id: String,
    /// It stands beside the App ID. It proves that messages come from Instagram.
    #[schemars(title = "App secret")]
    pub app_secret: Secret,
    /// Paste all of it. Generate token in the App Dashboard makes one.
    #[schemars(title = "Access token")]
    pub access_token: Secret,
    /// Make up a word of your own. You paste the same word into the App Dashboard beside the callback address.
    #[schemars(title = "Verify token")]
    pub verify_token: Secret,
    /// Webhook brings everything at once and needs a public address. Polling works anywhere, looks every 20 seconds, and sees no reactions, edits or read marks.
    #[serde(default)]
    #[schemars(title = "How messages come in")]
    pub mode: Mode,
    /// An app has two secrets, Meta's and Instagram's, and either may sign the messages. Paste the other one here, and both are accepted.
    #[serde(default)]
    #[schemars(title = "Second app secret", extend("x-advanced" = true))]
    pub second_secret: Option<Secret>,
    /// The version of Meta's interface. Leave it as it is unless Meta has switched this one off.
    #[serde(default)]
    #[schemars(title = "Graph version", extend("x-advanced" = true, "examples" = ["v25.0"]))]
    pub graph_version: Option<String>,
    /// Another address of the service, for a server of your own or for tests.
    #[serde(default)]
    #[schemars(title = "Service address", extend("x-advanced" = true, "examples" = ["https://graph.instagram.com"]))]
    pub base_url: Option<String>,
    /// Which secret signed the last message.
    #[serde(skip)]
    signed_by: webhook::SignedBy,
}

impl Config {
    /// The account's number as webhooks name it.
    fn account(&self) -> &str {
        self.account_id.trim()
    }

    /// The app's number.
    fn app(&self) -> &str {
        self.app_id.trim()
    }
}

/// How the account is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flavour {
    /// The account itself signed in. No Facebook Page is needed.
    #[default]
    InstagramLogin,
    /// Through the Facebook Page that the account is linked to.
    FacebookPage,
}

/// How messages come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Instagram calls Shopbell.
    #[default]
    Webhook,
    /// Shopbell asks Instagram for them.
    Polling,
}

#[async_trait]
impl Connector for Instagram {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "instagram",
            name: "Instagram",
            connector_type: ConnectorType::Channel,
            auth: Auth::ApiKey,
            summary: "Direct messages of your account, in about 15 minutes",
            disabled: None,
            prerequisites: &[
                "An Instagram professional account (Business or Creator)",
                "A Meta developer account, free at developers.facebook.com",
                "A public address for Shopbell, or polling",
            ],
            steps: &[
                Step {
                    title: "Let programs read your messages",
                    text: "In the Instagram app open Settings, Messages and story replies, Message controls, and switch on Allow access to messages under Connected tools. While it is off, nothing arrives and nothing says why.",
                },
                Step {
                    title: "Make an app at Meta",
                    text: "In the App Dashboard press Create App, choose the use case Manage messaging & content on Instagram, and open API setup with Instagram login. Copy the Instagram app ID and the Instagram app secret.",
                },
                Step {
                    title: "Generate a token",
                    text: "Under Generate access tokens press Add account, sign in with your shop's account, then press Generate token. Copy the token, and the number that stands under the account's name.",
                },
                Step {
                    title: "Tell Instagram where to call",
                    text: "Save here first. Then open Configure webhooks, paste the webhook address of this connection and your verify token, press Verify and save, and switch on messages, messaging_postbacks, message_reactions, messaging_seen, messaging_referral and message_edit.",
                },
                Step {
                    title: "Switch the account on",
                    text: "Press Tell Instagram this address here. Until Meta has published your app, only messages from people with a role in the app arrive.",
                },
                Step {
                    title: "Write to yourself",
                    text: "Send your shop a message from another Instagram account. It appears in your inbox.",
                },
            ],
            links: &[
                ("Open the App Dashboard", "https://developers.facebook.com/apps"),
                ("Meta's guide to Instagram messages", "https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api"),
            ],
            icon: include_str!("icon.svg"),
            color: "#b8306f",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::channel(InstagramChannel).signing_in(sign_in::InstagramSignIn)
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        let mut wrong = Vec::new();
        for (field, id) in [("account_id", config.account()), ("app_id", config.app())] {
            if !(5..=25).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_digit()) {
                wrong.push((field.into(), say!("This is a long number, without letters and spaces. Copy it again.")));
            }
        }
        wrong.extend(settings::check_key("app_secret", &config.app_secret));
        wrong.extend(settings::check_key("access_token", &config.access_token));
        if config.verify_token.reveal().trim().is_empty() {
            wrong.push(("verify_token".into(), say!("This is needed.")));
        }
        if let Some(second) = config.second_secret.as_ref().filter(|second| !second.reveal().trim().is_empty()) {
            wrong.extend(settings::check_key("second_secret", second));
        }
        if let Some(version) = settings::given(config.graph_version.as_deref()).filter(|version| !is_version(version)) {
            wrong.push(("graph_version".into(), say!("{version} is no version. It looks like v25.0.", version = version)));
        }
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

fn is_version(text: &str) -> bool {
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('v').and_then(|rest| rest.split_once('.')).is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

/// The role.
struct InstagramChannel;

#[async_trait]
impl Channel<Config> for InstagramChannel {
    fn rules(&self) -> ChannelRules {
        ChannelRules {
            medium: Medium::Chat,
            abilities: &["photos", "video", "voice", "files", "buttons", "reactions", "replies", "read_ticks", "typing"],
            text_limit: TextLimit { max: TEXT, unit: TextUnit::Bytes },
            // A file stands alone: words beside it are a message of their own.
            caption_limit: 0,
            media_limits: BTreeMap::from([("image", IMAGE), ("audio", FILE), ("voice", FILE), ("video", FILE), ("document", FILE)]),
            media_types: BTreeMap::from([
                ("image", draft::IMAGES),
                ("audio", draft::SOUNDS),
                ("voice", draft::SOUNDS),
                ("video", draft::FILMS),
                ("document", draft::DOCUMENTS),
            ]),
            files_by_link: true,
            max_choices: QUICK_REPLIES,
            choice_label: QUICK_REPLY,
            reply_window: Some(WINDOW),
            person_window: Some(PERSON_WINDOW),
            // Ten files a second is the lower of Instagram's two limits.
            pace_per_second: 10.0,
            gather_ms: 1500,
            secret_headers: &[signature::HEADER],
            webhook: true,
            ..ChannelRules::default()
        }
    }

    fn verify(&self, config: &Config, request: &Request) -> Result<(), Forged> {
        webhook::verify(config, request)
    }

    fn parse(&self, config: &Config, request: &Request) -> Result<Vec<Event>, Malformed> {
        parse::events(config, &request.body)
    }

    fn shared_callback(&self, config: &Config) -> Option<SharedCallback> {
        Some(SharedCallback { family: "meta", key: config.app().to_owned() })
    }

    fn concerns(&self, config: &Config, request: &Request) -> bool {
        parse::accounts(&request.body).iter().any(|account| account == config.account())
    }

    async fn send(&self, link: Link<'_, Config>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        send::send(link, message).await
    }

    fn challenge(&self, config: &Config, request: &Request) -> Option<Result<String, Forged>> {
        crate::meta::handshake::answer(config.verify_token.reveal(), request)
    }

    fn listens(&self, config: &Config) -> bool {
        config.mode == Mode::Polling
    }

    async fn listen(&self, link: Link<'_, Config>, cursor: Option<String>, sink: &dyn Sink) -> Result<(), ServiceError> {
        listen::listen(link, cursor, sink).await
    }

    async fn subscribe(&self, link: Link<'_, Config>, url: &str) -> Result<WebhookState, ServiceError> {
        webhook::subscribe(link, url).await
    }

    async fn webhook_state(&self, link: Link<'_, Config>) -> Result<WebhookState, ServiceError> {
        webhook::state(link, None).await
    }

    async fn reconcile(&self, link: Link<'_, Config>, message: &Outgoing) -> Result<Option<Receipt>, ServiceError> {
        history::reconcile(link, message).await
    }

    async fn fetch_media(&self, link: Link<'_, Config>, reference: &str) -> Result<Fetched, ServiceError> {
        media::fetch(link, reference).await
    }

    async fn typing(&self, link: Link<'_, Config>, thread: &str, _answering: Option<&str>) -> Result<(), ServiceError> {
        send::show(link, thread, "typing_on").await
    }

    async fn profile(&self, link: Link<'_, Config>, address: &Address) -> Result<Option<Profile>, ServiceError> {
        account::profile(link, address).await
    }

    async fn mark_read(&self, link: Link<'_, Config>, thread: &str, _external_id: &str) -> Result<(), ServiceError> {
        send::show(link, thread, "mark_seen").await
    }
}
