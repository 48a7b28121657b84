//! One call of Twilio's REST API, and what its refusals mean.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Link, ServiceError};
use shopbell_core::http::{Call, read_bytes, service_error};
use shopbell_core::say;

use super::wire::{AccountRow, Trouble};
use super::{Config, codes};
use crate::settings;

/// Answers are small; a page of messages is the largest.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// Which of Twilio's services: each has its own name in front of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Accounts, messages, numbers, files.
    Api,
    /// WhatsApp senders, Messaging Services, typing.
    Messaging,
    /// Templates.
    Content,
}

impl Product {
    fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Messaging => "messaging",
            Self::Content => "content",
        }
    }
}

/// Where a service is: at Twilio, in the owner's region of Twilio, or wherever the owner typed.
pub fn base(config: &Config, product: Product) -> String {
    match settings::given(config.base_url.as_deref()) {
        None => format!("https://{}.twilio.com", product.name()),
        Some(typed) => {
            let typed = typed.trim_end_matches('/');
            match typed.strip_prefix("https://api.").filter(|rest| rest.ends_with("twilio.com")) {
                Some(region) => format!("https://{}.{region}", product.name()),
                None => typed.to_owned(),
            }
        }
    }
}

/// Begins a call with the account's credentials. `path` begins with a slash.
pub fn request(link: Link<'_, Config>, method: Method, product: Product, path: &str) -> Result<RequestBuilder, ServiceError> {
    let config = link.config;
    let request = link.http.request(method, &format!("{}{path}", base(config, product)))?;
    Ok(request.basic_auth(config.account(), Some(config.auth_token.reveal().trim())))
}

/// The path of something that belongs to the account.
pub fn of_account(config: &Config, rest: &str) -> String {
    format!("/2010-04-01/Accounts/{}/{rest}", config.account())
}

/// Sends a call and reads the answer.
pub async fn send<T: DeserializeOwned>(request: RequestBuilder, call: Call) -> Result<T, ServiceError> {
    Ok(send_timed(request, call).await?.0)
}

/// The same, with Twilio's own time of the answer.
pub async fn send_timed<T: DeserializeOwned>(request: RequestBuilder, call: Call) -> Result<(T, Option<Timestamp>), ServiceError> {
    let response = request.send().await.map_err(|error| service_error(&error, call))?;
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let at = header("date").and_then(|date| moment(&date));
    let waits = header("retry-after").and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let body = match read_bytes(response, LARGEST_ANSWER, call).await {
        Ok(body) => body,
        // A refusal whose words are lost is still a refusal.
        Err(_) if status >= 400 => bytes::Bytes::new(),
        Err(error) => return Err(error),
    };
    if (200..300).contains(&status) {
        let read = serde_json::from_slice(&body).map(|read| (read, at));
        return read.map_err(|_| match call {
            Call::Acts => ServiceError::Ambiguous,
            Call::Reads => ServiceError::Temporary(say!("Twilio answered in a way we do not understand. We try again.")),
        });
    }
    Err(refused(status, serde_json::from_slice(&body).ok(), waits, call))
}

/// What an answer other than 2xx means. `trouble` is missing where something in between answered for Twilio.
fn refused(status: u16, trouble: Option<Trouble>, waits: Option<Duration>, call: Call) -> ServiceError {
    let known = trouble.as_ref().and_then(|trouble| trouble.code);
    match (status, known) {
        (429, _) => ServiceError::RateLimited { retry_after: waits },
        (401, _) => codes::unauthorized(),
        // Twilio itself says that it failed: then nothing was made. A gateway in front of it cannot know.
        (503, _) | (500..=599, Some(_)) => codes::trouble(i64::from(status)),
        (500..=599, None) if call == Call::Acts => ServiceError::Ambiguous,
        (500..=599, None) => codes::trouble(i64::from(status)),
        (_, code) => {
            let words = trouble.and_then(|trouble| trouble.message).unwrap_or_default();
            codes::refusal(code.unwrap_or_else(|| i64::from(status)), &words, waits)
        }
    }
}

/// A moment as e-mails write it.
pub fn moment(text: &str) -> Option<Timestamp> {
    // The zone is written "+0000", "GMT" or "UTC"; the last one is no zone of RFC 2822, though everybody knows what is meant.
    let text = text.trim().replace("UTC", "+0000").replace("GMT", "+0000");
    let zoned = jiff::fmt::rfc2822::parse(&text).ok()?;
    Some(Timestamp::from_seconds(zoned.timestamp().as_second()))
}

/// The account: proves that the credentials work.
pub async fn account(link: Link<'_, Config>) -> Result<AccountRow, ServiceError> {
    let path = format!("/2010-04-01/Accounts/{}.json", link.config.account());
    send(request(link, Method::GET, Product::Api, &path)?, Call::Reads).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(base_url: Option<&str>) -> Config {
        let config = json!({ "account_sid": "AC", "auth_token": "t", "phone_number": "+14155238886", "base_url": base_url });
        serde_json::from_value(config).unwrap()
    }

    #[test]
    fn every_service_has_its_own_address_unless_the_owner_typed_one() {
        assert_eq!(base(&at(None), Product::Content), "https://content.twilio.com");
        let region = at(Some("https://api.dublin.ie1.twilio.com/"));
        assert_eq!(base(&region, Product::Api), "https://api.dublin.ie1.twilio.com");
        assert_eq!(base(&region, Product::Messaging), "https://messaging.dublin.ie1.twilio.com");
        assert_eq!(base(&at(Some("http://127.0.0.1:9/v1")), Product::Messaging), "http://127.0.0.1:9/v1");
    }

    #[test]
    fn dates_are_read_as_twilio_writes_them() {
        let at = Some(Timestamp::from_seconds(1_795_176_000));
        for text in ["Fri, 20 Nov 2026 12:00:00 +0000", "Fri, 20 Nov 2026 12:00:00 GMT", "Fri, 20 Nov 2026 09:00:00 -0300"] {
            assert_eq!(moment(text), at, "{text}");
        }
        assert_eq!(moment("2026-11-20"), None);
    }

    #[test]
    fn only_twilio_itself_can_say_that_nothing_was_made() {
        let said = |code| Some(Trouble { code: Some(code), message: Some("words".into()) });
        assert!(matches!(refused(500, said(20500), None, Call::Acts), ServiceError::Temporary(_)));
        assert!(matches!(refused(502, None, None, Call::Acts), ServiceError::Ambiguous));
        assert!(matches!(refused(502, None, None, Call::Reads), ServiceError::Temporary(_)));
        assert!(matches!(refused(503, None, None, Call::Acts), ServiceError::Temporary(_)));
        assert!(matches!(refused(400, said(21610), None, Call::Acts), ServiceError::Refused { .. }));
        assert!(matches!(refused(403, None, None, Call::Acts), ServiceError::Permanent(_)));
    }
}
