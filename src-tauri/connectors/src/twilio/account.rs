//! The form of an account, the same on every channel.

use schemars::JsonSchema;
use serde::Deserialize;
use shopbell_core::error::Sentence;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use crate::settings;

/// The number that everybody shares who tries WhatsApp at Twilio.
const SANDBOX: &str = "+14155238886";

// The words are WhatsApp's; another channel puts its own in their place where they differ.
/// What the owner fills in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "WhatsApp (Twilio)")]
pub struct Config {
    /// It begins with AC and stands on the first page of the Twilio Console, under Account Info.
    #[schemars(title = "Account SID", extend("examples" = ["AC0123456789abcdef0123456789abcdef"]))]
    pub account_sid: String,
    /// It stands below the Account SID. Press Show, then copy it. It also proves that a message comes from Twilio.
    #[schemars(title = "Auth Token")]
    pub auth_token: Secret,
    /// The number that your customers write to, with + and the country code.
    #[schemars(title = "Phone number", extend("examples" = ["+14155238886"]))]
    pub phone_number: String,
    /// Webhook is at once and complete, and needs a public address. Polling works anywhere, a little later and without places.
    #[serde(default)]
    #[schemars(title = "How messages come in")]
    pub mode: Mode,
    /// Only if your number belongs to a Messaging Service: then that service says where messages go. It begins with MG.
    #[serde(default)]
    #[schemars(title = "Messaging Service SID", extend("x-advanced" = true, "examples" = ["MG0123456789abcdef0123456789abcdef"]))]
    pub messaging_service_sid: Option<String>,
    /// While you change the Auth Token at Twilio, both are good: put the secondary one here.
    #[serde(default)]
    #[schemars(title = "Secondary Auth Token", extend("x-advanced" = true))]
    pub secondary_auth_token: Option<Secret>,
    /// Only if you let Twilio sign its calls with a shared key: the name of that key.
    #[serde(default)]
    #[schemars(title = "Shared key", extend("x-advanced" = true, "examples" = ["webhooks_sharedkey_0123456789"]))]
    pub shared_key_id: Option<String>,
    /// The secret of that shared key.
    #[serde(default)]
    #[schemars(title = "Shared key secret", extend("x-advanced" = true))]
    pub shared_key_secret: Option<Secret>,
    /// Another address of the service, for a server of your own or for tests.
    #[serde(default)]
    #[schemars(title = "Service address", extend("x-advanced" = true, "examples" = ["https://api.twilio.com"]))]
    pub base_url: Option<String>,
}

/// How messages come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Twilio calls Shopbell.
    #[default]
    Webhook,
    /// Shopbell asks Twilio for them every few seconds.
    Polling,
}

impl Config {
    /// The account, without stray blanks.
    pub fn account(&self) -> &str {
        self.account_sid.trim()
    }

    /// The Messaging Service, if the number belongs to one.
    pub fn service(&self) -> Option<&str> {
        settings::given(self.messaging_service_sid.as_deref())
    }
}

/// The owner's number as the world writes it: a plus and digits. Blanks, brackets and dashes that people put in are left out; nothing is
/// guessed.
pub fn number(typed: &str) -> String {
    let typed = typed.trim();
    let typed = typed.strip_prefix("whatsapp:").unwrap_or(typed);
    typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '(' | ')' | '/' | '\u{a0}')).collect()
}

/// Whether it is the shared number for trying things out.
pub fn is_sandbox(config: &Config) -> bool {
    number(&config.phone_number) == SANDBOX
}

/// What is wrong with the settings.
pub fn check(config: &Config, short_codes: bool) -> Vec<(String, Sentence)> {
    let mut wrong = Vec::new();
    if !is_sid(config.account(), "AC") {
        wrong.push(("account_sid".into(), say!("An Account SID begins with AC and has 34 signs. Copy it again from the Twilio Console.")));
    }
    wrong.extend(settings::check_key("auth_token", &config.auth_token));
    let token = config.auth_token.reveal().trim();
    if is_sid(token, "SK") || is_sid(token, "AC") {
        wrong.push(("auth_token".into(), say!("This is a name, not the Auth Token. The token stands below the Account SID; press Show.")));
    }
    let number = number(&config.phone_number);
    if !(is_number(&number) || short_codes && is_short_code(&number)) {
        wrong.push(("phone_number".into(), say!("Write the number with + and the country code, such as +5511999990000.")));
    }
    if config.service().is_some_and(|sid| !is_sid(sid, "MG")) {
        wrong.push((
            "messaging_service_sid".into(),
            say!("A Messaging Service SID begins with MG and has 34 signs. Leave it empty if you have none."),
        ));
    }
    let key = settings::given(config.shared_key_id.as_deref());
    let secret = config.shared_key_secret.as_ref().map(|secret| secret.reveal().trim()).filter(|secret| !secret.is_empty());
    if key.is_some() != secret.is_some() {
        let missing = if key.is_some() { "shared_key_secret" } else { "shared_key_id" };
        wrong.push((missing.into(), say!("A shared key needs both its name and its secret.")));
    }
    wrong.extend(settings::check_base_url(config.base_url.as_deref()));
    wrong
}

fn is_sid(text: &str, kind: &str) -> bool {
    text.strip_prefix(kind).is_some_and(|rest| rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// E.164: a plus, no zero in front, at most 15 digits.
fn is_number(number: &str) -> bool {
    let Some(digits) = number.strip_prefix('+') else { return false };
    (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
}

fn is_short_code(number: &str) -> bool {
    (5..=6).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}
