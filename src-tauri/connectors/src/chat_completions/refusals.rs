//! What a model service's refusal means, by status, code and words.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;
use shopbell_core::clock::Clock;
use shopbell_core::connector::ServiceError;
use shopbell_core::say;

/// The most of a service's words that we repeat.
const LONGEST_WORDS: usize = 300;

/// Codes by which services say that the money is gone.
const NO_MONEY: &[&str] = &[
    "insufficient_quota",
    "credit_balance_exhausted",
    "project_spend_limit_exceeded",
    "organization_spend_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
    "payment_required",
];

/// Words by which services say that the prompt is too long.
const TOO_LONG: &[&str] = &[
    "context_length_exceeded",
    "maximum context length",
    "context length",
    "context window",
    "exceed_context_size",
    "exceeds the available context",
    "too many tokens",
    "prompt is too long",
    "string_above_max_length",
];

/// A refusal, read.
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub kind: String,
    pub parameter: Option<String>,
    pub words: String,
}

impl Refusal {
    /// Reads the body of a refusal: `{"error":{…}}`, `{"error":"text"}`, or whatever a proxy says.
    pub fn read(status: StatusCode, body: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = value.get("error").cloned().unwrap_or(value);
        Self::of(status.as_u16(), &error)
    }

    /// Reads the error itself.
    pub fn of(status: u16, error: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let words = if error.is_string() { text(error) } else { text(&error["message"]) };
        let upstream = text(&error["metadata"]["error_type"]);
        let parameter = error["param"].as_str().map(str::to_owned).or_else(|| named_parameter(&words));
        let kind = if upstream.is_empty() { text(&error["type"]) } else { upstream };
        Self { status, code: text(&error["code"]), kind, parameter, words }
    }

    fn is(&self, code: &str) -> bool {
        self.code == code || self.kind == code
    }

    /// Sorts it by what to do about it.
    pub fn sorted(&self, service: &str, model: &str, headers: Option<(&HeaderMap, &dyn Clock)>) -> ServiceError {
        let lower = self.words.to_lowercase();
        let wait = headers.and_then(|(headers, clock)| retry_after(headers, clock));
        let no_money =
            || ServiceError::OutOfCredit(say!("The account at {service} has no credit left. Add some there to go on.", service = service));
        let busy = || ServiceError::Temporary(say!("{service} has trouble of its own. We try again.", service = service));
        let words = || self.shown(service);
        if self.status == 402 || NO_MONEY.iter().any(|code| self.is(code)) || lower.contains("key limit exceeded") {
            return no_money();
        }
        if self.status == 413 || TOO_LONG.iter().any(|text| self.is(text) || lower.contains(text)) {
            return ServiceError::TooLong(say!("The conversation is longer than this model can read."));
        }
        // The service knows best whether another try has sense.
        match headers.and_then(|(headers, _)| headers.get("x-should-retry")?.to_str().ok()) {
            Some("false") if self.status == 429 || self.status >= 500 => return ServiceError::Permanent(words()),
            Some("true") if self.status != 429 => return busy(),
            _ => {}
        }
        match self.status {
            401 => unauthorized(service),
            403 if self.is("authentication") || self.is("invalid_api_key") => unauthorized(service),
            429 => ServiceError::RateLimited { retry_after: wait },
            404 if self.is("model_not_found") || lower.contains("model") || lower.contains("no endpoints") => {
                ServiceError::Permanent(say!(
                    "{service} has no model called {model}, or this account may not use it. Choose another one.",
                    service = service,
                    model = model
                ))
            }
            404 => ServiceError::Permanent(say!("There is no model service at this address. It usually ends in /v1.")),
            408 | 409 | 425 => busy(),
            503 | 529 if wait.is_some() => ServiceError::RateLimited { retry_after: wait },
            500..=599 => busy(),
            _ => ServiceError::Permanent(words()),
        }
    }

    fn shown(&self, service: &str) -> shopbell_core::error::Sentence {
        let words: String = self.words.chars().take(LONGEST_WORDS).collect();
        if words.trim().is_empty() {
            return say!("{service} answered with {code}.", service = service, code = self.status);
        }
        say!("{service} refused this: {words}", service = service, words = without_keys(&words))
    }
}

/// Services like to repeat the key they were given; whatever looks like one is not shown.
fn without_keys(words: &str) -> String {
    let shown =
        |word: &str| if word.contains("sk-") || word.len() > 60 && !word.contains('/') { "•••".to_owned() } else { word.to_owned() };
    words.split(' ').map(shown).collect::<Vec<_>>().join(" ")
}

/// The sentence for a key that is not, or no longer, good.
pub fn unauthorized(service: &str) -> ServiceError {
    ServiceError::Unauthorized(say!("{service} does not accept this key. Copy it again from your account there.", service = service))
}

/// An error that came after the answer had begun, with the status 200.
pub fn refused_midway(service: &str, model: &str, error: &Value) -> ServiceError {
    let mut refusal = Refusal::of(500, error);
    if let Ok(status) = refusal.code.parse::<u16>()
        && (400..600).contains(&status)
    {
        refusal.status = status;
    }
    if refusal.is("rate_limit_exceeded") {
        refusal.status = 429;
    }
    if refusal.is("invalid_api_key") || refusal.is("authentication") {
        refusal.status = 401;
    }
    refusal.sorted(service, model, None)
}

/// "Unsupported parameter: 'max_tokens' is not supported …" names what it does not like.
fn named_parameter(words: &str) -> Option<String> {
    let lower = words.to_lowercase();
    let about = ["unsupported parameter", "unsupported value", "unknown parameter", "unrecognized request argument", "unexpected keyword"];
    if !about.iter().any(|phrase| lower.contains(phrase)) {
        return None;
    }
    let known = ["max_completion_tokens", "max_tokens", "temperature", "stream_options", "tool_choice", "safety_identifier"];
    // The first one named is the one that is wrong; a second is the advice what to use instead.
    known.into_iter().filter_map(|name| Some((lower.find(name)?, name))).min().map(|(_, name)| name.to_owned())
}

/// How long to wait: milliseconds, seconds, or a date.
pub fn retry_after(headers: &HeaderMap, clock: &dyn Clock) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let finite = |number: f64| number.is_finite() && (0.0..=1e9).contains(&number);
    if let Some(millis) = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok()).filter(|millis| finite(*millis)) {
        return Some(Duration::from_secs_f64(millis / 1000.0));
    }
    let text = text("retry-after")?;
    if let Some(seconds) = text.parse::<f64>().ok().filter(|seconds| finite(*seconds)) {
        return Some(Duration::from_secs_f64(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let millis = date.as_millisecond() - clock.now().millis();
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shopbell_core::clock::{ManualClock, Timestamp};

    use super::*;

    fn sort(status: u16, body: Value, headers: &[(&'static str, &str)]) -> String {
        let clock = ManualClock::new(Timestamp::from_seconds(1_800_000_000));
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let refusal = Refusal::read(StatusCode::from_u16(status).unwrap(), body.to_string().as_bytes());
        match refusal.sorted("OpenAI", "gpt-x", Some((&headers, &clock))) {
            ServiceError::RateLimited { retry_after } => format!("wait {retry_after:?}"),
            ServiceError::Temporary(_) => "again".into(),
            ServiceError::Permanent(words) => format!("never: {words}"),
            ServiceError::Unauthorized(_) => "sign in".into(),
            ServiceError::OutOfCredit(_) => "pay".into(),
            ServiceError::TooLong(_) => "shorten".into(),
            ServiceError::Ambiguous => "unknown".into(),
            error @ (ServiceError::ThreadLimited { .. } | ServiceError::Refused { .. }) => unreachable!("no model says {error}"),
        }
    }

    #[test]
    fn every_refusal_has_its_consequence() {
        let error = |code: &str, words: &str| json!({ "error": { "message": words, "type": "t", "param": null, "code": code } });
        assert_eq!(sort(401, error("invalid_api_key", "Incorrect API key provided: sk-abc"), &[]), "sign in");
        assert_eq!(sort(402, json!({ "error": { "code": 402, "message": "Insufficient credits" } }), &[]), "pay");
        assert_eq!(sort(429, error("insufficient_quota", "You exceeded your current quota"), &[]), "pay");
        assert_eq!(sort(429, error("credit_balance_exhausted", "x"), &[]), "pay");
        assert_eq!(sort(429, error("rate_limit_exceeded", "x"), &[("retry-after-ms", "250"), ("retry-after", "9")]), "wait Some(250ms)");
        assert_eq!(sort(429, error("", "x"), &[("retry-after", "3")]), "wait Some(3s)");
        assert_eq!(sort(429, error("", "x"), &[("retry-after", "121")]), "wait Some(121s)");
        assert_eq!(sort(429, error("", "x"), &[("retry-after", "Fri, 15 Jan 2027 08:00:30 GMT")]), "wait Some(30s)");
        assert_eq!(sort(429, error("", "x"), &[("retry-after", "nonsense")]), "wait None");
        assert_eq!(sort(429, error("", "no more"), &[("x-should-retry", "false")]), "never: OpenAI refused this: no more");
        assert_eq!(sort(400, error("", "x"), &[("x-should-retry", "true")]), "again");
        assert_eq!(sort(400, error("context_length_exceeded", "x"), &[]), "shorten");
        assert_eq!(sort(400, json!({ "error": "the prompt exceeds the available context size" }), &[]), "shorten");
        assert_eq!(sort(413, Value::Null, &[]), "shorten");
        assert!(sort(404, error("model_not_found", "x"), &[]).starts_with("never: OpenAI has no model called gpt-x"));
        assert!(sort(404, json!("404 page not found"), &[]).contains("/v1"));
        assert_eq!(sort(400, error("", "bad key sk-secret here"), &[]), "never: OpenAI refused this: bad key ••• here");
        for status in [408, 409, 500, 502, 503, 504, 529] {
            assert_eq!(sort(status, Value::Null, &[]), "again", "{status}");
        }
        assert_eq!(sort(503, Value::Null, &[("retry-after", "7")]), "wait Some(7s)");
        assert_eq!(sort(403, error("", "Country not supported"), &[]), "never: OpenAI refused this: Country not supported");
    }

    #[test]
    fn a_parameter_that_is_not_liked_is_found() {
        let named = |error: Value| Refusal::of(400, &error).parameter;
        assert_eq!(named(json!({ "message": "x", "param": "temperature" })), Some("temperature".into()));
        let words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        assert_eq!(named(json!({ "message": words, "param": "max_tokens" })), Some("max_tokens".into()));
        assert_eq!(named(json!({ "message": "Unsupported value: 'temperature' does not support 0.7" })), Some("temperature".into()));
        assert_eq!(named(json!({ "message": "no" })), None);
    }
}
