//! Telegram: a bot of the shop's own, by long polling (no public address needed) or by webhook.
//!
//! Facts and limits are those of the Bot API 10.0, <https://core.telegram.org/bots/api>.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shopbell_core::connector::{History, 
    About, Account, Auth, Channel, ChannelRules, Check, Connector, ConnectorType, Event, Fetched, Forged, Link, Malformed, Outgoing, Receipt,
    Request, Roles, ServiceError, Sink, StartSimulator, Step, TextLimit, TextUnit, WebhookState,
};
use shopbell_core::error::Sentence;
use shopbell_core::http::Call;
use shopbell_core::model::Medium;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use crate::settings;

mod api;
mod listen;
mod markdown;
mod media;
mod parse;
mod send;
pub mod simulator;
mod webhook;
mod wire;

/// The longest text, in UTF-16 code units.
const TEXT: u32 = 4096;
/// The longest caption.
const CAPTION: u32 = 1024;
/// The largest photo a bot may send.
const PHOTO: u64 = 10 * 1024 * 1024;
/// The largest other file a bot may send.
const FILE: u64 = 50 * 1024 * 1024;
/// The largest file a bot may fetch.
const DOWNLOAD: u64 = 20 * 1024 * 1024;

/// The connector.
pub struct Telegram;

/// What the owner fills in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Telegram")]
pub struct Config {
    /// BotFather gives it to you when you make the bot. It looks like 123456789:ABC…
    #[schemars(title = "Bot token", extend("examples" = ["123456789:ABCdefGhIJKlmNoPQRstuVWXyz"]))]
    pub bot_token: Secret,
    /// The name of your bot, to make sure that the token is the right one. You may leave it empty.
    #[serde(default)]
    #[schemars(title = "Bot user name", extend("examples" = ["paodourado_bot"]))]
    pub bot_username: Option<String>,
    /// Polling works anywhere. Webhook needs a public address and is a little quicker.
    #[serde(default)]
    #[schemars(title = "How messages come in")]
    pub mode: Mode,
    /// Telegram repeats it with every message, which proves that it comes from Telegram. Left empty, Shopbell makes one.
    #[serde(default)]
    #[schemars(title = "Webhook secret", extend("x-advanced" = true))]
    pub webhook_secret: Option<Secret>,
    /// Another address of the service, for a server of your own or for tests.
    #[serde(default)]
    #[schemars(title = "Service address", extend("x-advanced" = true, "examples" = ["https://api.telegram.org"]))]
    pub base_url: Option<String>,
}

/// How messages come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Shopbell asks Telegram for them.
    #[default]
    Polling,
    /// Telegram calls Shopbell.
    Webhook,
}

#[async_trait]
impl Connector for Telegram {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "telegram",
            name: "Telegram",
            connector_type: ConnectorType::Channel,
            auth: Auth::ApiKey,
            summary: "Your own bot, in about 2 minutes",
            disabled: None,
            prerequisites: &["A Telegram account on your phone or computer"],
            steps: &[
                Step {
                    title: "Talk to BotFather",
                    text: "Open Telegram, search for @BotFather (with the blue tick) and send /newbot.",
                },
                Step {
                    title: "Name your bot",
                    text: "Give it the name of your shop, then a user name that ends in bot, such as paodourado_bot.",
                },
                Step {
                    title: "Copy the token",
                    text: "BotFather answers with a token that looks like 123456789:ABC… Copy all of it and paste it here.",
                },
                Step {
                    title: "Write to your bot",
                    text: "Save, then open your bot in Telegram, press Start and say hello. It appears in your inbox.",
                },
            ],
            links: &[
                ("Open BotFather", "https://t.me/BotFather"),
                ("What bots can do", "https://core.telegram.org/bots"),
            ],
            icon: include_str!("icon.svg"),
            color: "#2178b8",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::channel(TelegramChannel)
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        let mut wrong = Vec::new();
        let own_server = settings::given(config.base_url.as_deref()).is_some();
        if !is_token(config.bot_token.reveal().trim(), own_server) {
            wrong.push(("bot_token".into(), say!("This is not a bot token. Copy it again from BotFather; it looks like 123456789:ABC…")));
        }
        if let Some(secret) = config.webhook_secret.as_ref().map(|secret| secret.reveal().trim())
            && !secret.is_empty()
            && (secret.len() > 256 || !secret.bytes().all(is_word))
        {
            wrong.push(("webhook_secret".into(), say!("Up to 256 letters, digits, _ and - are allowed here.")));
        }
        wrong.extend(settings::check_base_url(config.base_url.as_deref()));
        wrong
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        let me: wire::Me = api::call(link, "getMe", &json!({}), Call::Reads).await?;
        // The token is good already; a server of the owner's own may not know the second question.
        let hook = webhook::info(link).await.ok();
        Ok(account(link, &me, hook.as_ref()))
    }

    fn simulator(&self) -> Option<StartSimulator> {
        Some(simulator::start)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// A bot's number, a colon, and 35 signs or so. A server of one's own may make shorter ones.
fn is_token(token: &str, own_server: bool) -> bool {
    match token.split_once(':') {
        Some((number, rest)) => {
            !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && !rest.is_empty() && rest.bytes().all(is_word)
        }
        None => own_server && !token.is_empty() && token.bytes().all(is_word),
    }
}

fn account(link: Link<'_, Config>, me: &wire::Me, hook: Option<&wire::WebhookInfo>) -> Account {
    let yes = |text: Sentence| Check { ok: true, text: text.to_string() };
    let not_yet = |text: Sentence| Check { ok: false, text: text.to_string() };
    let mut checks = vec![yes(say!("Telegram accepts the token."))];
    if let Some(expected) = settings::given(link.config.bot_username.as_deref())
        && !expected.trim_start_matches('@').eq_ignore_ascii_case(&me.username)
    {
        checks.push(not_yet(say!("The token belongs to another bot than the user name says.")));
    }
    let set = hook.is_some_and(|hook| !hook.url.is_empty());
    let ours = hook.is_some_and(|hook| link.is_hook(&hook.url));
    checks.push(match (link.config.mode, set, ours) {
        _ if hook.is_none() => not_yet(say!("Telegram did not say where it sends this bot's messages.")),
        (Mode::Polling, false, _) => yes(say!("Shopbell can fetch the messages.")),
        (Mode::Polling, true, true) => yes(say!("The old web address will be switched off.")),
        (_, true, false) => not_yet(say!("Telegram sends this bot's messages to another program.")),
        (Mode::Webhook, true, true) => yes(say!("Telegram sends the messages to this address.")),
        (Mode::Webhook, false, _) => not_yet(say!("The web address is not registered at Telegram yet.")),
    });
    if hook.is_some_and(|hook| hook.last_error_message.is_some()) && link.config.mode == Mode::Webhook {
        checks.push(not_yet(say!("Telegram had trouble reaching this address.")));
    }
    let mut details = Map::new();
    details.insert("bot_id".into(), me.id.into());
    details.insert("bot_username".into(), me.username.clone().into());
    details.insert("bot_name".into(), me.first_name.clone().into());
    details.insert("can_read_all_group_messages".into(), me.can_read_all_group_messages.into());
    details.insert("webhook_set".into(), hook.map(|_| set).into());
    details.insert("webhook_is_ours".into(), ours.into());
    details.insert("pending_update_count".into(), hook.map(|hook| hook.pending_update_count).into());
    Account { name: format!("@{}", me.username), checks, details }
}

/// The role.
struct TelegramChannel;

#[async_trait]
impl Channel<Config> for TelegramChannel {
    fn rules(&self) -> ChannelRules {
        ChannelRules {
            medium: Medium::Chat,
            abilities: &["photos", "video", "voice", "files", "stickers", "location", "ask_location", "contacts", "buttons", "typing", "edits", "replies"],
            text_limit: TextLimit { max: TEXT, unit: TextUnit::Utf16 },
            caption_limit: CAPTION,
            media_limits: BTreeMap::from([
                ("image", FILE),
                ("audio", FILE),
                ("voice", FILE),
                ("video", FILE),
                ("document", FILE),
                ("sticker", FILE),
            ]),
            max_choices: 100,
            reply_window: None,
            // 30 a second is the limit of a bot; a little below it there are no refusals.
            pace_per_second: 25.0,
            gather_ms: Duration::from_millis(1200).as_millis() as u64,
            secret_headers: &[webhook::HEADER],
            body_limit: 3 * 1024 * 1024,
            webhook: true,
            ..ChannelRules::default()
        }
    }

    fn verify(&self, config: &Config, request: &Request) -> Result<(), Forged> {
        webhook::verify(config, request)
    }

    fn parse(&self, _config: &Config, request: &Request) -> Result<Vec<Event>, Malformed> {
        parse::updates(&request.body)
    }

    async fn send(&self, link: Link<'_, Config>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        send::send(link, message).await
    }

    fn self_call(&self, config: &Config, _url: &str) -> Option<Request> {
        let headers = vec![(webhook::HEADER.to_owned(), config.secret())];
        Some(Request { headers, ..Request::pulled("{}") })
    }

    fn progress_within(&self, _config: &Config) -> Option<std::time::Duration> {
        Some(listen::ANSWERED_WITHIN)
    }

    fn history(&self, _config: &Config) -> History {
        // To a webhook it delivers what waits by itself, and it is asked otherwise; either way after a day it is gone.
        History::Listened { kept: Some(std::time::Duration::from_secs(24 * 3600)) }
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
        webhook::state(link).await
    }

    async fn fetch_media(&self, link: Link<'_, Config>, reference: &str) -> Result<Fetched, ServiceError> {
        media::fetch(link, reference).await
    }

    async fn typing(&self, link: Link<'_, Config>, thread: &str, _answering: Option<&str>) -> Result<(), ServiceError> {
        let body = json!({ "chat_id": send::chat(thread), "action": "typing" });
        let _: Value = api::call(link, "sendChatAction", &body, Call::Reads).await?;
        Ok(())
    }

    async fn acknowledge(&self, link: Link<'_, Config>, what: &str) -> Result<(), ServiceError> {
        match api::call::<Value>(link, "answerCallbackQuery", &json!({ "callback_query_id": what }), Call::Reads).await.map_err(ServiceError::from) {
            // Too late: the customer's button has stopped turning by itself.
            Ok(_) | Err(ServiceError::Permanent(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
