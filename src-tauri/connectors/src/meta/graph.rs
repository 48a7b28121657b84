//! One call of the Graph API, and what a refusal means wherever it comes from.
//!
//! Each channel has codes of its own beside these; it looks at them first and asks [`Refusal::general`] for the rest.

use std::time::Duration;

use bytes::Bytes;
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;
use shopbell_core::connector::{Action, ServiceError};
use shopbell_core::error::Sentence;
use shopbell_core::http::{Call, read_bytes, service_error};
use shopbell_core::say;

/// Where the service is.
pub const ADDRESS: &str = "https://graph.facebook.com";
/// Answers are small; a page of templates is the largest.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
/// The longest words of the service that are passed on to a person.
const LONGEST_WORDS: usize = 300;

/// Why a call came to nothing: a refusal that the caller may know better, or an error for the core.
#[derive(Debug)]
pub enum Failure {
    /// The service answered, and refused.
    Refused(Refusal),
    /// Everything else.
    Error(ServiceError),
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Error(error)
    }
}

impl From<Failure> for ServiceError {
    /// As everywhere at Meta, for calls that have no codes of their own.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Error(error) => error,
            Failure::Refused(refusal) => refusal.general(),
        }
    }
}

/// A refusal: `{"error":{"message","type","code","error_subcode","error_data":{"details"},"is_transient"}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The service's code; 0 where it gave none.
    pub code: i64,
    /// Its finer code; 0 where it gave none.
    pub subcode: i64,
    /// In its words, fit to be shown: short, and without tokens.
    pub words: String,
    /// Whether it says itself that trying again helps.
    pub transient: bool,
    /// How long to wait, when it says so.
    pub retry_after: Option<Duration>,
    /// Whether the refusal was the service's own, not a page of something in between.
    pub readable: bool,
    /// Whether the call that was refused would have changed something.
    pub acts: bool,
}

/// The body of an answer and what came around it.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Sends a call and reads what comes back, whatever it is.
pub async fn answer(request: RequestBuilder, call: Call) -> Result<Answer, ServiceError> {
    let response = request.send().await.map_err(|error| service_error(&error, call))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = match read_bytes(response, LARGEST_ANSWER, call).await {
        Ok(body) => body,
        // A refusal whose words are lost is still a refusal.
        Err(_) if status >= 400 => Bytes::new(),
        Err(error) => return Err(error),
    };
    Ok(Answer { status, headers, body })
}

/// Sends a call and reads its JSON.
pub async fn exchange(request: RequestBuilder, call: Call) -> Result<Value, Failure> {
    read(&answer(request, call).await?, call)
}

/// Reads the JSON of an answer.
pub fn read(answer: &Answer, call: Call) -> Result<Value, Failure> {
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    match value {
        // Some calls refuse with 200.
        Some(value) if answer.status < 400 && value["error"].is_null() => Ok(value),
        None if answer.status < 400 => Err(unreadable(call).into()),
        value => Err(Failure::Refused(Refusal::read(answer.status, &answer.headers, &value.unwrap_or(Value::Null), call))),
    }
}

/// The answer to a call was not what the service writes.
pub fn unreadable(call: Call) -> ServiceError {
    match call {
        Call::Acts => ServiceError::Ambiguous,
        Call::Reads => ServiceError::Temporary(say!("Meta answered in a way we do not understand. We try again.")),
    }
}

impl Refusal {
    /// Reads a refusal; a body that is none of Meta's leaves the HTTP status to decide.
    pub fn read(status: u16, headers: &HeaderMap, body: &Value, call: Call) -> Self {
        let error = &body["error"];
        Self { status, retry_after: waits(headers), acts: call == Call::Acts, ..Self::told(error) }
    }

    /// Reads the error itself, as it stands in answers and in webhooks.
    pub fn told(error: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let words = [&error["error_data"]["details"], &error["error_user_msg"], &error["message"], &error["title"]];
        Self {
            code: whole(&error["code"]),
            subcode: whole(&error["error_subcode"]),
            words: words.into_iter().find_map(text).map(|words| shown(&words)).unwrap_or_default(),
            transient: error["is_transient"] == true,
            readable: error.is_object(),
            ..Self::default()
        }
    }

    /// What it means wherever it comes from, and for codes that nobody knows.
    pub fn general(&self) -> ServiceError {
        match self.code {
            190 | 102 | 463 | 467 => return unauthorized(),
            0 if self.status == 401 || self.readable && self.status < 500 => return unauthorized(),
            4 | 17 | 32 | 341 | 613 | 80_000..=80_014 => return ServiceError::RateLimited { retry_after: self.retry_after },
            3 | 10 | 200..=299 => return ServiceError::Refused { action: Action::GrantPermission, sentence: self.permission() },
            368 => {
                let sentence =
                    say!("Meta has locked this account for a while because of its rules. Look at Account Quality in Meta Business Suite.");
                return ServiceError::Refused { action: Action::FixAccount, sentence };
            }
            1 | 2 => return self.trouble(),
            _ => {}
        }
        match self.status {
            401 => unauthorized(),
            429 => ServiceError::RateLimited { retry_after: self.retry_after },
            _ if self.transient => self.trouble(),
            // Something between us and the service gave up waiting: the service may have done it all the same.
            500 | 502 | 504 if !self.readable && self.acts => ServiceError::Ambiguous,
            500..=599 => self.trouble(),
            _ => ServiceError::Permanent(self.sentence()),
        }
    }

    /// It is the service's own trouble and passes.
    pub fn trouble(&self) -> ServiceError {
        let code = if self.code == 0 { i64::from(self.status) } else { self.code };
        ServiceError::Temporary(say!("Meta has trouble of its own ({code}). We try again.", code = code))
    }

    fn permission(&self) -> Sentence {
        say!(
            "The access token lacks a permission at Meta: {words}. Make a new token that has it.",
            words = self.said().trim_end_matches('.')
        )
    }

    /// That it was refused, in the service's words.
    pub fn sentence(&self) -> Sentence {
        say!("Meta refused this: {words}", words = self.said())
    }

    /// The service's words, or at least its code.
    pub fn said(&self) -> String {
        match (self.words.as_str(), self.code) {
            ("", 0) => self.status.to_string(),
            ("", code) => code.to_string(),
            (words, _) => words.to_owned(),
        }
    }
}

/// The sentence for a token that is not, or no longer, good.
pub fn unauthorized() -> ServiceError {
    ServiceError::Unauthorized(say!(
        "Meta does not accept this access token. It may have expired or been withdrawn. Make a new one and paste it here."
    ))
}

/// A number that may be written as text.
fn whole(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok()).unwrap_or(0)
}

/// How long to wait: `Retry-After`, or what `X-Business-Use-Case-Usage` says of the time until calls are taken again (in minutes).
fn waits(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(seconds) = text("retry-after").and_then(|text| text.trim().parse().ok()) {
        return Some(Duration::from_secs(seconds));
    }
    let usage: Value = serde_json::from_str(text("x-business-use-case-usage")?).ok()?;
    let uses = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    let minutes = uses.filter_map(|one| one["estimated_time_to_regain_access"].as_u64()).max().filter(|minutes| *minutes > 0)?;
    Some(Duration::from_secs(minutes.saturating_mul(60)))
}

/// The service's words, cut to what fits a screen, without anything that looks like a token ("Malformed access token EAAG…").
fn shown(words: &str) -> String {
    let is_token =
        |word: &str| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'|' | b'_' | b'-' | b'.'));
    let words: Vec<&str> = words.split_whitespace().map(|word| if is_token(word) { "•••" } else { word }).collect();
    let words = words.join(" ");
    // "(#131009) Parameter value is not valid": the number helps nobody who reads it.
    let words = match words.strip_prefix("(#").and_then(|rest| rest.split_once(") ")) {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest.to_owned(),
        _ => words,
    };
    words.chars().take(LONGEST_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(status: u16, error: Value) -> Refusal {
        Refusal::read(status, &HeaderMap::new(), &json!({ "error": error }), Call::Acts)
    }

    #[test]
    fn a_refusal_is_sorted_by_what_to_do_about_it() {
        let general = |status, error| refusal(status, error).general();
        assert!(matches!(general(401, json!({ "code": 190, "error_subcode": 463 })), ServiceError::Unauthorized(_)));
        assert!(matches!(general(400, json!({ "code": 190 })), ServiceError::Unauthorized(_)));
        assert!(matches!(general(401, json!({ "code": 0, "message": "x" })), ServiceError::Unauthorized(_)));
        assert!(matches!(
            general(403, json!({ "code": 10, "message": "Needs y." })),
            ServiceError::Refused { action: Action::GrantPermission, .. }
        ));
        assert!(matches!(general(400, json!({ "code": 80007 })), ServiceError::RateLimited { retry_after: None }));
        assert!(matches!(general(500, json!({ "code": 2 })), ServiceError::Temporary(_)));
        assert!(matches!(general(400, json!({ "code": 123, "is_transient": true })), ServiceError::Temporary(_)));
        assert!(matches!(general(502, Value::Null), ServiceError::Ambiguous), "a proxy gave up: it may have been carried out");
        assert!(matches!(general(503, Value::Null), ServiceError::Temporary(_)));
        let ServiceError::Permanent(sentence) = general(400, json!({ "code": 100, "message": "(#100) Invalid parameter" })) else {
            panic!()
        };
        assert_eq!(sentence.to_string(), "Meta refused this: Invalid parameter");
    }

    #[test]
    fn the_wait_is_read_where_the_service_tells_it() {
        let mut headers = HeaderMap::new();
        let usage = r#"{"102290129340398":[{"type":"whatsapp","call_count":100,"estimated_time_to_regain_access":19}]}"#;
        headers.insert("x-business-use-case-usage", usage.parse().unwrap());
        let refusal = Refusal::read(400, &headers, &json!({ "error": { "code": 80007 } }), Call::Reads);
        assert_eq!(refusal.retry_after, Some(Duration::from_secs(19 * 60)));
    }

    #[test]
    fn a_token_in_the_services_words_is_not_passed_on() {
        let token = format!("EAAG{}", "canary".repeat(10));
        let refusal = refusal(400, json!({ "code": 1234, "message": format!("Malformed access token {token}") }));
        assert_eq!(refusal.words, "Malformed access token •••");
    }
}
