//! SMS (and MMS, where the country has it) through a number at Twilio.
//!
//! Facts and limits are those of <https://www.twilio.com/docs/messaging>.

use std::borrow::Cow;
use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shopbell_core::connector::{History, 
    About, Account, Auth, Channel, ChannelRules, Connector, ConnectorType, Event, Fetched, Forged, IncomingContent, Link, Malformed, Outgoing,
    Receipt, Request, Roles, ServiceError, Sink, StartSimulator, Step, TextLimit, TextUnit, WebhookState,
};
use shopbell_core::error::Sentence;
use shopbell_core::model::{Content, Medium};
use shopbell_core::say;

use crate::markdown;
use crate::twilio::{self, HEADER, Line, Mode, TEXT, api, listen, media, not_yet, parse, proven, send, webhook};

mod numbers;
pub mod segments;

/// The largest file of an MMS.
const FILE: u64 = 5 * 1024 * 1024;

/// The channel among those of an account.
pub const LINE: Line = Line {
    connector: "sms-twilio",
    prefix: "",
    keywords: true,
    mute_sounds: false,
    marked: markdown::plain::plain,
    places: false,
    templates: false,
    largest: FILE,
};

/// The connector.
pub struct SmsTwilio;

/// What the owner fills in: the account's form, with the words of a text message where they differ from WhatsApp's.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Config(twilio::Config);

impl JsonSchema for Config {
    fn schema_name() -> Cow<'static, str> {
        "SmsTwilioConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = twilio::Config::json_schema(generator);
        schema.insert("title".into(), "SMS (Twilio)".into());
        if let Some(fields) = schema.get_mut("properties") {
            fields["phone_number"]["description"] =
                "The number that your customers text, with + and the country code, or a short code as it is.".into();
            fields["phone_number"]["examples"] = json!(["+5511988887777"]);
            fields["mode"]["description"] =
                "Webhook brings everything at once and needs a public address. Polling works anywhere, a few seconds later.".into();
        }
        schema
    }
}

/// The same connection, as what all channels of an account share knows it.
fn account(link: Link<'_, Config>) -> Link<'_, twilio::Config> {
    Link { connection: link.connection, config: &link.config.0, http: link.http, media: link.media, clock: link.clock, access: link.access }
}

#[async_trait]
impl Connector for SmsTwilio {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "sms-twilio",
            name: "SMS (Twilio)",
            connector_type: ConnectorType::Channel,
            auth: Auth::Basic,
            summary: "Text messages over a number that you rent at Twilio",
            disabled: None,
            prerequisites: &["A Twilio account with a number that can send and receive SMS", "A public web address, or polling"],
            steps: &[
                Step {
                    title: "Copy your account's keys",
                    text: "Open console.twilio.com. Under Account Info, copy Account SID and Auth Token (press Show) and paste both here.",
                },
                Step {
                    title: "Choose the number",
                    text: "Your numbers stand under Phone Numbers, Manage, Active numbers. The sign for SMS must be lit. Copy the number with + and the country code.",
                },
                Step {
                    title: "Register where it is asked for",
                    text: "In the USA and some other countries carriers refuse texts of shops that are not registered. The Console asks for it under Messaging, Regulatory compliance.",
                },
                Step {
                    title: "Let messages come in",
                    text: "Press Register here: Shopbell tells Twilio where your messages go. Then send a text to your number.",
                },
            ],
            links: &[
                ("Open the Twilio Console", "https://console.twilio.com"),
                ("Numbers of your account", "https://console.twilio.com/us1/develop/phone-numbers/manage/incoming"),
                ("What an SMS costs", "https://www.twilio.com/en-us/sms/pricing"),
            ],
            icon: include_str!("icon.svg"),
            color: "#c4314b",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles::channel(SmsChannel)
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        twilio::check(&config.0, true)
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        let link = account(link);
        let row = api::account(link).await?;
        let mut account = twilio::described(link.config, &row);
        match numbers::find(link).await {
            Ok(number) => {
                let can = |what: &str| number.capabilities.get(what).and_then(Value::as_bool).unwrap_or(false);
                account.checks.push(if can("sms") {
                    proven(say!("The number can send and receive SMS."))
                } else {
                    not_yet(say!("This number cannot send SMS. Choose one with the sign for SMS in the Twilio Console."))
                });
                account.details.insert("mms".into(), can("mms").into());
                twilio::note_webhook(&mut account, link, numbers::address(&number));
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
struct SmsChannel;

#[async_trait]
impl Channel<Config> for SmsChannel {
    fn rules(&self) -> ChannelRules {
        ChannelRules {
            medium: Medium::Sms,
            abilities: &["photos", "video", "files"],
            text_limit: TextLimit { max: TEXT, unit: TextUnit::Chars },
            caption_limit: TEXT,
            media_limits: BTreeMap::from([("image", FILE), ("audio", FILE), ("voice", FILE), ("video", FILE), ("document", FILE)]),
            media_types: BTreeMap::from([
                ("image", &["image/jpeg", "image/png", "image/gif"] as &[&str]),
                ("audio", &["audio/mpeg", "audio/mp4", "audio/ogg", "audio/amr", "audio/3gpp"]),
                ("voice", &["audio/mpeg", "audio/mp4", "audio/ogg", "audio/amr", "audio/3gpp"]),
                ("video", &["video/mp4", "video/3gpp", "video/quicktime"]),
                ("document", &["application/pdf", "text/vcard", "text/csv", "text/calendar"]),
            ]),
            files_by_link: true,
            max_choices: 0,
            // Twilio queues what the carriers are too slow for; a plain number in the USA sends one a second.
            pace_per_second: 3.0,
            gather_ms: 2000,
            secret_headers: &[HEADER],
            webhook: true,
            ..ChannelRules::default()
        }
    }

    fn verify(&self, config: &Config, request: &Request) -> Result<(), Forged> {
        twilio::verify(&config.0, request)
    }

    fn parse(&self, config: &Config, request: &Request) -> Result<Vec<Event>, Malformed> {
        let mut events = parse::events(&LINE, &config.0, request)?;
        events.iter_mut().for_each(count);
        Ok(events)
    }

    async fn send(&self, link: Link<'_, Config>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        send::send(&LINE, account(link), message).await
    }

    fn is_called(&self, config: &Config) -> bool {
        config.0.mode == Mode::Webhook
    }

    fn self_call(&self, config: &Config, url: &str) -> Option<Request> {
        twilio::self_call(&config.0, url)
    }

    fn progress_within(&self, _config: &Config) -> Option<std::time::Duration> {
        Some(twilio::PROGRESS_WITHIN)
    }

    fn history(&self, _config: &Config) -> History {
        History::Listened { kept: None }
    }

    /// Both kinds read Twilio's list: one lives on it, the other finds there what its webhook missed.
    fn listens(&self, _config: &Config) -> bool {
        true
    }

    async fn listen(&self, link: Link<'_, Config>, cursor: Option<String>, sink: &dyn Sink) -> Result<(), ServiceError> {
        listen::listen(&LINE, account(link), cursor, sink).await
    }

    async fn subscribe(&self, link: Link<'_, Config>, url: &str) -> Result<WebhookState, ServiceError> {
        let ours = account(link);
        webhook::wanted(ours.config)?;
        let number = numbers::find(ours).await?;
        if let Some(service) = ours.config.service() {
            webhook::register_service(ours, service, url).await?;
        }
        numbers::register(ours, &number.sid, url).await?;
        // It is registered; that its state cannot be read just now proves nothing against it.
        Ok(self.webhook_state(link).await.unwrap_or_default())
    }

    async fn webhook_state(&self, link: Link<'_, Config>) -> Result<WebhookState, ServiceError> {
        let link = account(link);
        let number = numbers::find(link).await?;
        let mut details = Map::new();
        details.insert("capabilities".into(), number.capabilities.clone().into());
        let Some(service) = link.config.service() else {
            return Ok(webhook::state(numbers::address(&number), details));
        };
        let row = webhook::service(link, service).await?;
        details.insert("messaging_service".into(), service.into());
        let on_number = row.use_inbound_webhook_on_number.unwrap_or(false);
        Ok(webhook::state(if on_number { numbers::address(&number) } else { row.inbound_request_url.as_deref() }, details))
    }

    async fn reconcile(&self, link: Link<'_, Config>, message: &Outgoing) -> Result<Option<Receipt>, ServiceError> {
        send::reconcile(&LINE, account(link), message).await
    }

    async fn fetch_media(&self, link: Link<'_, Config>, reference: &str) -> Result<Fetched, ServiceError> {
        media::fetch(&LINE, account(link), reference).await
    }
}

/// Notes into how many pieces a text was cut, where Twilio did not say: each is paid for.
fn count(event: &mut Event) {
    let Event::Message(message) = event else { return };
    let text = message.content.iter().find_map(|part| match part {
        IncomingContent::Content(Content::Text { text }) => Some(text.as_str()),
        _ => None,
    });
    let Some(pieces) = text.map(segments::count) else { return };
    message.metadata.entry("segments").or_insert(pieces.pieces.into());
    message.metadata.insert("encoding".into(), pieces.encoding.name().into());
}
