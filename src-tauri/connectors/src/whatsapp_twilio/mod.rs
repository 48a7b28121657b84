//! WhatsApp through Twilio: the sandbox, or a number that is registered as a sender.
//!
//! Facts and limits are those of <https://www.twilio.com/docs/whatsapp/api>. Buttons and lists exist at Twilio only as templates that
//! must be made one by one beforehand, so choices go as numbered text.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Map, Value};
use shopbell_core::connector::{
    About, Account, Auth, Channel, ChannelRules, Connector, ConnectorType, Event, Fetched, Forged, Link, Malformed, Outgoing, Receipt,
    Request, Roles, ServiceError, Sink, StartSimulator, Step, Template, TextLimit, TextUnit, WebhookState,
};
use shopbell_core::error::Sentence;
use shopbell_core::http::Call;
use shopbell_core::model::Medium;
use shopbell_core::say;

use crate::markdown;
use crate::twilio::api::{self, Product};
use crate::twilio::{self, Config, HEADER, Line, TEXT, is_sandbox, listen, media, not_yet, parse, proven, send, webhook};

mod senders;
mod templates;

/// The largest file on WhatsApp through Twilio.
const FILE: u64 = 16 * 1024 * 1024;

/// The channel among those of an account.
pub const LINE: Line = Line {
    connector: "whatsapp-twilio",
    prefix: "whatsapp:",
    // Twilio leaves consent on WhatsApp to WhatsApp, unless the owner's Messaging Service says otherwise.
    keywords: false,
    mute_sounds: true,
    marked: markdown::whatsapp::render,
    places: true,
    templates: true,
    largest: FILE,
};

/// The connector.
pub struct WhatsAppTwilio;

#[async_trait]
impl Connector for WhatsAppTwilio {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "whatsapp-twilio",
            name: "WhatsApp (Twilio)",
            connector_type: ConnectorType::Channel,
            auth: Auth::Basic,
            summary: "Try it in the sandbox in 5 minutes, then use your own number",
            disabled: None,
            prerequisites: &["A Twilio account; a trial account is enough for the sandbox", "A public web address, or polling"],
            steps: &[
                Step {
                    title: "Copy your account's keys",
                    text: "Open console.twilio.com. Under Account Info, copy Account SID and Auth Token (press Show) and paste both here.",
                },
                Step {
                    title: "Choose the number",
                    text: "To try it, open Messaging, Try it out, Send a WhatsApp message, and use the sandbox number +14155238886. Your own number stands under Messaging, Senders, WhatsApp senders.",
                },
                Step {
                    title: "Let messages come in",
                    text: "Press Register here. For your own number that is all; for the sandbox it shows what to paste in the Twilio Console, and where.",
                },
                Step {
                    title: "Write to your number",
                    text: "In the sandbox, send join and your two words from WhatsApp first. Then say hello: it appears in your inbox.",
                },
            ],
            links: &[
                ("Open the Twilio Console", "https://console.twilio.com"),
                ("Open the sandbox", "https://console.twilio.com/us1/develop/sms/try-it-out/whatsapp-learn"),
                ("How WhatsApp works at Twilio", "https://www.twilio.com/docs/whatsapp"),
            ],
            icon: include_str!("icon.svg"),
            color: "#1a7f4b",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::channel(WhatsAppChannel)
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        twilio::check(config, false)
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        let row = api::account(link).await?;
        let mut account = twilio::described(link.config, &row);
        if is_sandbox(link.config) {
            account.details.insert("sandbox".into(), true.into());
            account.checks.push(not_yet(say!(
                "This is the sandbox. It has no way to tell where its messages go: paste the addresses there by hand, and write to it."
            )));
            return Ok(account);
        }
        match senders::find(link).await {
            Ok(sender) => {
                let online = sender.status.as_deref().is_some_and(|status| status.starts_with("ONLINE"));
                account.checks.push(if online {
                    proven(say!("The number is online at WhatsApp."))
                } else {
                    not_yet(say!("The number is not online at WhatsApp: {state}.", state = sender.status.as_deref().unwrap_or("?")))
                });
                account.details.insert("sender_status".into(), sender.status.clone().into());
                account.details.insert("quality".into(), sender.properties.clone().unwrap_or(Value::Null));
                twilio::note_webhook(&mut account, link, senders::address(&sender));
            }
            Err(ServiceError::Refused { sentence, .. } | ServiceError::Permanent(sentence)) => account.checks.push(not_yet(sentence)),
            Err(error) => return Err(error),
        }
        Ok(account)
    }

    fn simulator(&self) -> Option<StartSimulator> {
        Some(|| twilio::simulator::start(LINE))
    }
}

/// The role.
struct WhatsAppChannel;

#[async_trait]
impl Channel<Config> for WhatsAppChannel {
    fn rules(&self) -> ChannelRules {
        ChannelRules {
            medium: Medium::Chat,
            abilities: &["photos", "video", "voice", "files", "location", "templates", "read_ticks", "typing"],
            text_limit: TextLimit { max: TEXT, unit: TextUnit::Chars },
            caption_limit: TEXT,
            media_limits: BTreeMap::from([
                ("image", FILE),
                ("audio", FILE),
                ("voice", FILE),
                ("video", FILE),
                ("document", FILE),
                ("sticker", FILE),
            ]),
            media_types: BTreeMap::from([
                ("image", &["image/jpeg", "image/png"] as &[&str]),
                ("audio", &["audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr"]),
                ("voice", &["audio/ogg"]),
                ("video", &["video/mp4", "video/3gpp"]),
                ("sticker", &["image/webp"]),
            ]),
            files_by_link: true,
            max_choices: 0,
            templates: true,
            reply_window: Some(Duration::from_secs(24 * 3600)),
            // Ten texts a second is the least that a number has.
            pace_per_second: 9.0,
            gather_ms: 1200,
            secret_headers: &[HEADER],
            webhook: true,
            ..ChannelRules::default()
        }
    }

    fn verify(&self, config: &Config, request: &Request) -> Result<(), Forged> {
        twilio::verify(config, request)
    }

    fn parse(&self, config: &Config, request: &Request) -> Result<Vec<Event>, Malformed> {
        parse::events(&LINE, config, request)
    }

    async fn send(&self, link: Link<'_, Config>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        send::send(&LINE, link, message).await
    }

    /// Both kinds read Twilio's list: one lives on it, the other finds there what its webhook missed.
    fn listens(&self, _config: &Config) -> bool {
        true
    }

    async fn listen(&self, link: Link<'_, Config>, cursor: Option<String>, sink: &dyn Sink) -> Result<(), ServiceError> {
        listen::listen(&LINE, link, cursor, sink).await
    }

    async fn subscribe(&self, link: Link<'_, Config>, url: &str) -> Result<WebhookState, ServiceError> {
        webhook::wanted(link.config)?;
        if is_sandbox(link.config) {
            return Err(ServiceError::Permanent(say!(
                "The sandbox must be told by hand. In the Twilio Console open Messaging, Try it out, Send a WhatsApp message, Sandbox settings. Paste {inbound} under When a message comes in, and {status} under Status callback URL, both with POST, and press Save.",
                inbound = webhook::inbound(url),
                status = webhook::status(url)
            )));
        }
        let sender = senders::find(link).await?;
        if let Some(service) = link.config.service() {
            webhook::register_service(link, service, url).await?;
        }
        senders::register(link, &sender.sid, url).await?;
        // It is registered; that its state cannot be read just now proves nothing against it.
        Ok(self.webhook_state(link).await.unwrap_or_default())
    }

    async fn webhook_state(&self, link: Link<'_, Config>) -> Result<WebhookState, ServiceError> {
        let mut details = Map::new();
        if is_sandbox(link.config) {
            details.insert("sandbox".into(), true.into());
            return Ok(webhook::state(None, details));
        }
        let sender = senders::find(link).await?;
        details.insert("sender_status".into(), sender.status.clone().into());
        let reported = sender.webhook.as_ref().and_then(|hook| hook.status_callback_url.as_deref()).map(webhook::shown);
        details.insert("status_callback".into(), reported.into());
        let Some(service) = link.config.service() else {
            return Ok(webhook::state(senders::address(&sender), details));
        };
        let row = webhook::service(link, service).await?;
        details.insert("messaging_service".into(), service.into());
        let on_number = row.use_inbound_webhook_on_number.unwrap_or(false);
        Ok(webhook::state(if on_number { senders::address(&sender) } else { row.inbound_request_url.as_deref() }, details))
    }

    async fn reconcile(&self, link: Link<'_, Config>, message: &Outgoing) -> Result<Option<Receipt>, ServiceError> {
        send::reconcile(&LINE, link, message).await
    }

    async fn fetch_media(&self, link: Link<'_, Config>, reference: &str) -> Result<Fetched, ServiceError> {
        media::fetch(&LINE, link, reference).await
    }

    /// Shows that an answer is being written, for up to 25 seconds, and marks what the customer wrote as read.
    async fn typing(&self, link: Link<'_, Config>, _thread: &str, answering: Option<&str>) -> Result<(), ServiceError> {
        let Some(answering) = answering else { return Ok(()) };
        let fields = [("messageId", answering), ("channel", "whatsapp")];
        let request = api::request(link, Method::POST, Product::Messaging, "/v2/Indicators/Typing.json")?.form(&fields);
        api::send::<Value>(request, Call::Reads).await?;
        Ok(())
    }

    async fn templates(&self, link: Link<'_, Config>) -> Result<Vec<Template>, ServiceError> {
        templates::list(link).await
    }
}

