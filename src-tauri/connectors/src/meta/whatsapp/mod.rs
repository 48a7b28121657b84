//! WhatsApp's Cloud API as everybody speaks it who sells it: envelope, messages, files, templates, codes, limits.
//!
//! A connector brings its [`Door`]: the addresses, how a call proves itself, and what a refusal means there.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use shopbell_core::connector::{ChannelRules, ServiceError, TextLimit, TextUnit, ThreadPace};
use shopbell_core::http::{Call, Client};
use shopbell_core::model::Medium;
use shopbell_core::say;

use super::graph::{self, Answer, Failure, Refusal};

mod compose;
mod customers;
mod errors;
mod files;
mod message;
mod notices;
mod parse;
mod patience;
mod send;
pub mod simulator;
mod status;
mod templates;

pub use errors::service_error;
pub use files::{Allowed, download, inspect};
pub use parse::{Scope, concerns, digits, updates};
pub use patience::Patience;
pub use send::{mark_read, send, typing};
pub use templates::read as read_template;

/// The longest text.
const TEXT: u32 = 4096;
/// The longest caption, and the longest text over buttons.
const CAPTION: u32 = 1024;
/// Buttons of one message, and the longest words on one.
const BUTTONS: u32 = 3;
const BUTTON: u32 = 20;
/// Rows of a list, and the longest words on one and under one.
const ROWS: u32 = 10;
const ROW: u32 = 24;
const DESCRIPTION: usize = 72;
/// The largest files.
const IMAGE: u64 = 5 * 1024 * 1024;
const SOUND: u64 = 16 * 1024 * 1024;
const VIDEO: u64 = 16 * 1024 * 1024;
const DOCUMENT: u64 = 100 * 1024 * 1024;
const STICKER: u64 = 500 * 1024;

/// What WhatsApp can do and allows. `secret_headers` and the pace are the connector's own matter.
pub fn rules() -> ChannelRules {
    ChannelRules {
        medium: Medium::Chat,
        abilities: &[
            "photos",
            "video",
            "voice",
            "files",
            "stickers",
            "location",
            "ask_location",
            "contacts",
            "buttons",
            "lists",
            "reactions",
            "replies",
            "templates",
            "typing",
            "read_ticks",
        ],
        text_limit: TextLimit { max: TEXT, unit: TextUnit::Chars },
        caption_limit: CAPTION,
        media_limits: BTreeMap::from([
            // A larger picture or film goes as a document.
            ("image", DOCUMENT),
            ("audio", SOUND),
            ("voice", SOUND),
            ("video", DOCUMENT),
            ("document", DOCUMENT),
            ("sticker", STICKER),
        ]),
        media_types: BTreeMap::from([
            ("audio", &["audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr"][..]),
            ("voice", &["audio/ogg"][..]),
            ("sticker", &["image/webp"][..]),
        ]),
        max_choices: BUTTONS,
        choice_label: BUTTON,
        max_rows: ROWS,
        row_label: ROW,
        templates: true,
        reply_window: Some(Duration::from_secs(24 * 3600)),
        pace_per_second: 80.0,
        thread_pace: Some(ThreadPace { every_ms: 6000, burst: 45 }),
        gather_ms: 1200,
        body_limit: 3 * 1024 * 1024,
        webhook: true,
        ..ChannelRules::default()
    }
}

/// How one seller's API is called.
pub struct Door<'a> {
    /// What the connection may reach.
    pub http: &'a Client,
    /// The name and value of the header that proves who calls.
    pub key: (HeaderName, HeaderValue),
    /// Where messages are sent to.
    pub messages: String,
    /// Where files are put.
    pub media: String,
    /// What must stand in a template's language beside the code.
    pub language_policy: Option<&'static str>,
    /// Reads an answer; sellers wrap refusals of their own around Meta's.
    pub read: fn(&Answer, Call) -> Result<Value, Failure>,
    /// What a refusal means.
    pub refused: fn(&Refusal) -> ServiceError,
}

impl Door<'_> {
    /// Begins a call.
    pub fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, ServiceError> {
        let (name, value) = &self.key;
        Ok(self.http.request(method, url)?.header(name, value))
    }

    /// Sends a call and reads its JSON.
    pub async fn exchange(&self, request: RequestBuilder, call: Call) -> Result<Value, ServiceError> {
        let answer = graph::answer(request, call).await?;
        (self.read)(&answer, call).map_err(|failure| self.error(failure))
    }

    /// What a failure means here.
    pub fn error(&self, failure: Failure) -> ServiceError {
        match failure {
            Failure::Error(error) => error,
            Failure::Refused(refusal) => (self.refused)(&refusal),
        }
    }
}

/// The value of a header that holds a secret: never shown by anything that prints headers.
///
/// # Errors
/// [`ServiceError::Permanent`] when it holds what no header may.
pub fn secret_header(value: &str) -> Result<HeaderValue, ServiceError> {
    let mut value =
        HeaderValue::from_str(value).map_err(|_| ServiceError::Permanent(say!("A key has no spaces or accents. Copy it again.")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether a name may stand in the path of an address as it is.
pub fn is_plain_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// A number with country code, in any usual spelling; an empty one is left out.
pub fn is_international(number: &str) -> bool {
    let number = number.trim();
    let digits = digits(number);
    let is_spelled = number.strip_prefix('+').is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || " -.()".contains(c)));
    number.is_empty() || (is_spelled && (8..=15).contains(&digits.len()) && !digits.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_helped_and_not_guessed() {
        for good in ["+5511999990000", "+55 (11) 99999-0000", " +49 151 23456789 ", ""] {
            assert!(is_international(good), "{good}");
        }
        for bad in ["11999990000", "011 99999-0000", "+0551199", "+55 11 9x", "005511999990000", "+1"] {
            assert!(!is_international(bad), "{bad}");
        }
    }
}
