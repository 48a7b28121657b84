//! What the channels of one Twilio account have in common: the account's form, the signature of its calls, its REST API, its codes.
//!
//! The connectors that use it are thin: they say which addresses they own ([`Line`]), what they can carry, and where their webhook is
//! registered. Facts are those of the API 2010-04-01, <https://www.twilio.com/docs/messaging/api/message-resource>.

use shopbell_core::connector::{Account, Check, Forged, Link, Request, ServiceError};
use shopbell_core::error::Sentence;
use shopbell_core::say;

pub mod api;
mod account;
pub mod codes;
mod form;
pub mod listen;
pub mod media;
pub mod parse;
pub mod send;
mod signature;
pub mod simulator;
pub mod webhook;
pub mod wire;

pub use account::{Config, Mode, check, is_sandbox, number};
pub use signature::HEADER;

/// The longest text that Twilio takes.
pub const LONGEST: u32 = 1600;
/// Where a longer one is cut: what Twilio adds by itself must fit too.
pub const TEXT: u32 = 1500;

/// What differs between the channels of one account.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// The connector: the world in which its addresses mean something.
    pub connector: &'static str,
    /// What stands before a number on this channel ("whatsapp:"), if anything does.
    pub prefix: &'static str,
    /// Whether Twilio itself stops writing to whoever says STOP.
    pub keywords: bool,
    /// Whether words beside a sound are dropped on the way.
    pub mute_sounds: bool,
    /// Markdown in this channel's own marks.
    pub marked: fn(&str) -> String,
    /// Whether a place can be sent as a place.
    pub places: bool,
    /// Whether there are approved templates.
    pub templates: bool,
    /// The largest file, in bytes, both ways.
    pub largest: u64,
}

impl Line {
    /// The bare number or user id, if `address` is of this channel.
    pub fn bare<'a>(&self, address: &'a str) -> Option<&'a str> {
        let bare = address.strip_prefix(self.prefix)?;
        // Without a prefix of its own a channel has plain numbers; another channel's name before one is not its own.
        (!bare.is_empty() && !bare.contains(':')).then_some(bare)
    }

    /// The address as Twilio writes it.
    pub fn full(&self, bare: &str) -> String {
        format!("{}{bare}", self.prefix)
    }
}

/// Whether a request is from Twilio.
///
/// # Errors
/// [`Forged`] says what was wrong.
pub fn verify(config: &Config, request: &Request) -> Result<(), Forged> {
    signature::verify(config, request)
}

/// A line of a test's result that is proven.
pub fn proven(sentence: Sentence) -> Check {
    Check { ok: true, text: sentence.to_string() }
}

/// A line of a test's result that is still to be done.
pub fn not_yet(sentence: Sentence) -> Check {
    Check { ok: false, text: sentence.to_string() }
}

/// What the account itself says of how it is.
pub fn described(config: &Config, row: &wire::AccountRow) -> Account {
    let number = number(&config.phone_number);
    let name = match row.friendly_name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => format!("{number} ({name})"),
        None => number,
    };
    let mut account = Account { name, ..Account::default() };
    account.checks.push(proven(say!("Twilio accepts the account's keys.")));
    if row.status.as_deref().is_some_and(|status| status != "active") {
        account
            .checks
            .push(not_yet(say!("The account is locked at Twilio or at Meta. Open the Twilio Console; it says what is missing there.")));
    }
    if row.kind.as_deref() == Some("Trial") {
        account.checks.push(not_yet(say!("It is a trial account: outside of the sandbox it writes only to numbers that were verified.")));
    }
    account.details.insert("account_status".into(), row.status.clone().into());
    account.details.insert("account_type".into(), row.kind.clone().into());
    account
}

/// Whether messages come here, as the number's settings say.
fn webhook_check(mode: Mode, is_set: bool, is_ours: bool) -> Check {
    match (mode, is_set, is_ours) {
        (Mode::Polling, ..) => proven(say!("Shopbell can fetch the messages.")),
        (Mode::Webhook, _, true) => proven(say!("Twilio sends the messages to this address.")),
        (Mode::Webhook, true, false) => not_yet(say!("Twilio sends this number's messages to another program.")),
        (Mode::Webhook, false, false) => not_yet(say!("The web address is not registered at Twilio yet.")),
    }
}

/// Notes where the number's messages go by its own settings.
pub fn note_webhook(account: &mut Account, link: Link<'_, Config>, url: Option<&str>) {
    let ours = url.is_some_and(|url| link.is_hook(url));
    account.details.insert("webhook_is_ours".into(), ours.into());
    account.checks.push(webhook_check(link.config.mode, url.is_some(), ours));
}

/// An error for something that will never work like this.
pub(crate) fn never(sentence: Sentence) -> ServiceError {
    ServiceError::Permanent(sentence)
}
