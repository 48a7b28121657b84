//! The chat on the shop's own website. There is no outside service: the hub serves the page, and the visitor's browser reads the
//! answers from the store. So a message is "sent" as soon as it stands there, and a cut-off sending is never in doubt.

use std::collections::BTreeMap;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shopbell_core::connector::{
    About, Account, Auth, Channel, ChannelRules, Check, Connector, ConnectorType, Event, Forged, IncomingContent, IncomingMessage, Link,
    Malformed, Outgoing, Page, PageLook, Posted, Receipt, Request, Roles, ServiceError, Step, TextLimit, TextUnit,
};
use shopbell_core::error::Sentence;
use shopbell_core::model::{Address, Content, Medium};
use shopbell_core::say;
use shopbell_core::secret::Secret;
use url::Url;

use crate::settings;

/// The longest text, in characters, either way.
const TEXT: u32 = 4000;
const GREETING: usize = 500;
const FILE: u64 = 25 * 1024 * 1024;

/// The connector.
pub struct Website;

/// What the owner fills in. Nothing of it is needed to begin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Website chat")]
pub struct Config {
    /// How the chat looks on your website.
    #[schemars(title = "Look")]
    pub theme: Theme,
    /// The addresses of your website, one per line. With none, the chat works only on this computer, to try it.
    #[schemars(title = "Allowed websites", extend("examples" = ["https://www.paodourado.com.br"]))]
    pub allowed_origins: Vec<String>,
    /// Lets your website say who the visitor is, signed with this secret. Not used yet.
    #[schemars(title = "Identity secret", extend("x-advanced" = true))]
    pub identity_secret: Option<Secret>,
    /// Where visitors reach this Shopbell, when this chat goes through a web address of its own. Usually empty.
    #[schemars(title = "Address", extend("x-advanced" = true))]
    pub base_url: Option<String>,
}

/// How the chat looks.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Theme {
    /// Your colour, as # and six digits.
    #[schemars(title = "Colour", extend("format" = "color", "examples" = ["#225b43"]))]
    pub primary_color: String,
    /// Where the button stands.
    #[schemars(title = "Corner")]
    pub position: Position,
    /// What visitors read before they write.
    #[schemars(title = "Greeting", extend("examples" = ["Hello! How can we help?"]))]
    pub greeting_message: String,
}

impl Default for Theme {
    fn default() -> Self {
        Self { primary_color: "#225b43".into(), position: Position::default(), greeting_message: String::new() }
    }
}

/// A corner of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// Below, at the right.
    #[default]
    #[serde(alias = "right")]
    BottomRight,
    /// Below, at the left.
    #[serde(alias = "left")]
    BottomLeft,
}

#[async_trait]
impl Connector for Website {
    type Config = Config;

    fn about(&self) -> About {
        About {
            kind: "website",
            name: "Website chat",
            connector_type: ConnectorType::Channel,
            auth: Auth::None,
            summary: "A chat on your own website, no account needed",
            disabled: None,
            prerequisites: &["A website whose pages you may change (not needed to try it)"],
            steps: &[
                Step { title: "Choose the look", text: "Pick your colour, the corner and a greeting." },
                Step {
                    title: "Name your website",
                    text: "Write the address of your website under Allowed websites, such as https://www.paodourado.com.br.",
                },
                Step {
                    title: "Paste one line",
                    text: "Copy the line that Shopbell shows and paste it into your pages, just before </body>.",
                },
            ],
            links: &[],
            icon: include_str!("icon.svg"),
            color: "#225b43",
        }
    }

    fn roles(&self) -> Roles<Config> {
        Roles { channel: Some(Box::new(WebsiteChannel)), model: None, page: Some(Box::new(WebsitePage)), sign_in: None }
    }

    fn check(&self, config: &Config) -> Vec<(String, Sentence)> {
        let mut wrong: Vec<_> = settings::check_base_url(config.base_url.as_deref()).into_iter().collect();
        if config.identity_secret.as_ref().is_some_and(|secret| secret.reveal().chars().any(char::is_control)) {
            wrong.push(("identity_secret".into(), say!("A key has no line breaks or invisible signs. Copy it again.")));
        }
        if !is_color(&config.theme.primary_color) {
            wrong.push(("theme.primary_color".into(), say!("A colour is written as # and six digits, such as #225b43.")));
        }
        if config.theme.greeting_message.chars().count() > GREETING {
            wrong.push(("theme.greeting_message".into(), say!("Keep the greeting under 500 characters.")));
        }
        for origin in config.allowed_origins.iter().filter(|origin| !origin.trim().is_empty()) {
            if normal_origin(origin).is_none() {
                wrong.push((
                    "allowed_origins".into(),
                    say!("{origin} is not the address of a website. It looks like https://www.example.com.", origin = origin),
                ));
                break;
            }
        }
        wrong
    }

    async fn test(&self, link: Link<'_, Config>) -> Result<Account, ServiceError> {
        let origins = WebsitePage.look(link.config).allowed_origins;
        let mut checks = vec![Check { ok: true, text: say!("The chat is ready.").to_string() }];
        checks.push(if origins.is_empty() {
            Check {
                ok: false,
                text: say!("Only pages on this computer may show it. Write your website's address under Allowed websites.").to_string(),
            }
        } else {
            Check { ok: true, text: say!("These websites may show it: {origins}.", origins = origins.join(", ")).to_string() }
        });
        let mut details = Map::new();
        details.insert("allowed_origins".into(), origins.into());
        Ok(Account { name: link.connection.name.clone(), checks, details })
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Scheme, host and port as a browser writes them; `https://*.example.com` stands for every name below.
fn normal_origin(text: &str) -> Option<String> {
    let text = text.trim();
    let (plain, any_below) = match text.split_once("://*.") {
        Some((scheme, rest)) => (format!("{scheme}://{rest}"), true),
        None => (text.to_owned(), false),
    };
    let url = Url::parse(&plain).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    if !url.username().is_empty() || url.password().is_some() || url.host_str().is_none_or(|host| host.contains('*')) {
        return None;
    }
    let origin = url.origin().ascii_serialization();
    // A star over a whole top-level domain would be everybody.
    if any_below && !url.domain().is_some_and(|domain| domain.contains('.')) {
        return None;
    }
    Some(if any_below { origin.replacen("://", "://*.", 1) } else { origin })
}

struct WebsitePage;

impl Page<Config> for WebsitePage {
    fn look(&self, config: &Config) -> PageLook {
        let position = match config.theme.position {
            Position::BottomRight => "bottom-right",
            Position::BottomLeft => "bottom-left",
        };
        PageLook {
            primary_color: config.theme.primary_color.clone(),
            position: position.into(),
            greeting_message: config.theme.greeting_message.trim().to_owned(),
            allowed_origins: config.allowed_origins.iter().filter_map(|origin| normal_origin(origin)).collect(),
            base_url: settings::given(config.base_url.as_deref()).map(|base| base.trim_end_matches('/').to_owned()),
        }
    }
}

struct WebsiteChannel;

/// The name of our own message for ever: one per delivery.
fn receipt(message: &Outgoing) -> Receipt {
    Receipt { external_id: format!("out:{}", message.delivery) }
}

#[async_trait]
impl Channel<Config> for WebsiteChannel {
    fn rules(&self) -> ChannelRules {
        ChannelRules {
            medium: Medium::Chat,
            abilities: &["photos", "files", "buttons", "read_ticks", "typing"],
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
            max_choices: 10,
            reply_window: None,
            pace_per_second: 1000.0,
            gather_ms: 700,
            secret_headers: &[],
            body_limit: 64 * 1024,
            webhook: false,
            ..ChannelRules::default()
        }
    }

    /// Visitors write through the hub's own routes, which have checked their session; nothing may come by a hook.
    fn verify(&self, _config: &Config, request: &Request) -> Result<(), Forged> {
        if request.is_pulled() { Ok(()) } else { Err(Forged("the website chat has no webhook")) }
    }

    fn parse(&self, _config: &Config, request: &Request) -> Result<Vec<Event>, Malformed> {
        let posted: Posted = serde_json::from_slice(&request.body).map_err(|error| Malformed(error.to_string()))?;
        let content = match &posted.choice {
            Some(choice) => Content::Chosen { id: choice.id.clone(), label: choice.label.clone() },
            None => Content::Text { text: posted.text.clone() },
        };
        let mut metadata = Map::new();
        if let Some(page) = &posted.page {
            metadata.insert("page_url".into(), Value::String(page.url.clone()));
            metadata.insert("page_title".into(), Value::String(page.title.clone()));
        }
        Ok(vec![Event::Message(IncomingMessage {
            content: vec![IncomingContent::Content(content)],
            language: posted.locale.clone(),
            metadata,
            ..IncomingMessage::new(
                posted.external_id(),
                posted.visitor.clone(),
                Address { connector: "website".into(), scheme: "visitor".into(), value: posted.visitor },
                posted.at,
            )
        })])
    }

    async fn send(&self, _link: Link<'_, Config>, message: &Outgoing) -> Result<Receipt, ServiceError> {
        Ok(receipt(message))
    }

    /// Sending is standing in the store, and there it stands.
    async fn reconcile(&self, _link: Link<'_, Config>, message: &Outgoing) -> Result<Option<Receipt>, ServiceError> {
        Ok(Some(receipt(message)))
    }
}

#[cfg(test)]
mod tests {
    use shopbell_core::connector::erase;

    use super::*;

    fn wrong(config: Value) -> Vec<String> {
        erase(Website).settings(config).err().unwrap_or_default().into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn an_empty_form_is_a_working_chat() {
        let website = erase(Website);
        let settings = website.settings(serde_json::json!({})).unwrap();
        let look = website.page().unwrap().look(&settings);
        assert_eq!((look.position.as_str(), look.primary_color.as_str()), ("bottom-right", "#225b43"));
        assert!(look.allowed_origins.is_empty());
    }

    #[test]
    fn a_wrong_field_is_named() {
        assert_eq!(wrong(serde_json::json!({"theme": {"primary_color": "red"}})), ["theme.primary_color"]);
        assert_eq!(wrong(serde_json::json!({"theme": {"position": "top"}})), ["theme.position"]);
        assert_eq!(wrong(serde_json::json!({"theme": {"greeting_message": "x".repeat(501)}})), ["theme.greeting_message"]);
        for origin in [
            "shop.example",
            "ftp://shop.example",
            "https://",
            "https://a:b@shop.example",
            "https://*.com",
            "*",
            "null",
            "javascript:alert(1)",
            "https://*",
        ] {
            assert_eq!(wrong(serde_json::json!({"allowed_origins": [origin]})), ["allowed_origins"], "{origin}");
        }
        assert_eq!(wrong(serde_json::json!({"colour": "x"})), ["colour"]);
        for secret in ["a\u{0}b", "two\nlines", "\u{7f}"] {
            assert_eq!(wrong(serde_json::json!({"identity_secret": secret})), ["identity_secret"], "{secret:?}");
        }
        for address in ["chat.shop.example", "http://chat.shop.example", "https://a:b@shop.example", "https://shop.example/?a"] {
            assert_eq!(wrong(serde_json::json!({"base_url": address})), ["base_url"], "{address}");
        }
    }

    #[test]
    fn a_chat_with_an_address_of_its_own_is_reached_there() {
        let website = erase(Website);
        let look = |config| website.page().unwrap().look(&website.settings(config).unwrap());
        assert_eq!(look(serde_json::json!({"base_url": " https://chat.shop.example/bell/ "})).base_url.as_deref(), Some("https://chat.shop.example/bell"));
        assert_eq!(look(serde_json::json!({"base_url": " "})).base_url, None);
    }

    #[test]
    fn addresses_are_kept_as_browsers_write_them() {
        for (typed, kept) in [
            ("https://Shop.Example/", "https://shop.example"),
            (" https://shop.example/pages/index.html?x=1 ", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("http://shop.example:8080", "http://shop.example:8080"),
            ("https://*.shop.example", "https://*.shop.example"),
        ] {
            assert_eq!(normal_origin(typed).as_deref(), Some(kept), "{typed}");
        }
    }

    #[test]
    fn a_visitor_cannot_take_another_visitors_message_name() {
        let parse = |body: &str| WebsiteChannel.parse(&Config::default(), &Request::pulled(body.to_owned()));
        let id = |visitor: &str| match &parse(&format!(r#"{{"visitor":"{visitor}","client_id":"1","text":"hi","at":1}}"#)).unwrap()[0] {
            Event::Message(message) => message.external_id.clone(),
            other => panic!("{other:?}"),
        };
        assert_ne!(id("v_a"), id("v_b"));
        assert!(parse("{}").is_err() && parse("").is_err());
        let hook = Request { method: "POST".into(), ..Request::pulled("{}") };
        assert!(WebsiteChannel.verify(&Config::default(), &hook).is_err(), "nothing comes by a hook");
    }
}
