//! Calls with the number's key, and the two shapes in which they are refused: 360dialog's own, and Meta's passed on.

use reqwest::header::HeaderName;
use serde_json::Value;
use shopbell_core::connector::{Action, Link, ServiceError};
use shopbell_core::http::Call;
use shopbell_core::say;

use super::Config;
use crate::meta::graph::{self, Answer, Failure, Refusal};
use crate::meta::whatsapp::{self, Door, secret_header};
use crate::settings;

/// Where the service is.
pub const ADDRESS: &str = "https://waba-v2.360dialog.io";
/// The header that holds the key.
const KEY: HeaderName = HeaderName::from_static("d360-api-key");

/// The service's address.
pub fn base(config: &Config) -> &str {
    settings::base(config.base_url.as_deref(), ADDRESS)
}

/// The address of something.
pub fn address(config: &Config, path: &str) -> String {
    format!("{}/{path}", base(config))
}

/// How messages and files are sent. The sandbox keeps them one step lower.
pub fn door<'a>(link: Link<'a, Config>) -> Result<Door<'a>, ServiceError> {
    let is_sandbox = base(link.config).contains("waba-sandbox.");
    let place = |path: &str| if is_sandbox { address(link.config, &format!("v1/{path}")) } else { address(link.config, path) };
    Ok(Door {
        http: link.http,
        key: (KEY, secret_header(link.config.api_key.reveal().trim())?),
        messages: place("messages"),
        media: place("media"),
        language_policy: Some("deterministic"),
        read,
        refused,
    })
}

/// Reads an answer. A refusal in 360dialog's own shape has no code: its words and the HTTP status tell what it means.
pub fn read(answer: &Answer, call: Call) -> Result<Value, Failure> {
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let own = [&value["meta"]["developer_message"], &value["error"], &value["message"], &value["detail"]];
    match own.into_iter().find_map(Value::as_str) {
        Some(words) if answer.status >= 400 => {
            let mut refusal = Refusal::read(answer.status, &answer.headers, &Value::Null, call);
            words.chars().take(300).collect::<String>().clone_into(&mut refusal.words);
            Err(Failure::Refused(refusal))
        }
        _ => graph::read(answer, call),
    }
}

/// What a refusal means.
pub fn refused(refusal: &Refusal) -> ServiceError {
    let error = if refusal.code == 0 { own(refusal) } else { whatsapp::service_error(refusal) };
    match error {
        // There is one secret here, and it is not Meta's.
        ServiceError::Unauthorized(_) => unauthorized(),
        error => error,
    }
}

fn own(refusal: &Refusal) -> ServiceError {
    let words = refusal.words.to_lowercase();
    let refused = |action, sentence| ServiceError::Refused { action, sentence };
    match refusal.status {
        401 => unauthorized(),
        // Too fast is 400 here, and 429 somewhere before it.
        429 => ServiceError::RateLimited { retry_after: refusal.retry_after },
        400 if words.contains("rate limit") => ServiceError::RateLimited { retry_after: refusal.retry_after },
        400..=499 if words.contains("payment") => {
            refused(Action::Pay, say!("360dialog does not send because a payment is missing. Look at Billing in the 360dialog Hub."))
        }
        400..=499 if words.contains("disabled") => {
            refused(Action::FixAccount, say!("360dialog has switched this number off. Look at it in the 360dialog Hub, or ask its support."))
        }
        403 => refused(Action::GrantPermission, say!("360dialog has not opened this function for your number. Ask its support to do so.")),
        500 | 502 | 504 if refusal.words.is_empty() && refusal.acts => ServiceError::Ambiguous,
        500..=599 => ServiceError::Temporary(say!("360dialog has trouble of its own ({code}). We try again.", code = refusal.status)),
        _ => ServiceError::Permanent(say!("360dialog refused this: {words}", words = refusal.said())),
    }
}

/// The sentence for a key that is not, or no longer, good.
pub fn unauthorized() -> ServiceError {
    ServiceError::Unauthorized(say!(
        "360dialog does not accept this key. A new key ends the one before: generate one in the 360dialog Hub and paste it here."
    ))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;

    fn error(status: u16, body: &Value) -> ServiceError {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.to_string().into() };
        match read(&answer, Call::Acts).unwrap_err() {
            Failure::Refused(refusal) => refused(&refusal),
            Failure::Error(error) => error,
        }
    }

    #[test]
    fn both_shapes_of_a_refusal_are_understood() {
        let own = |words: &str| json!({ "meta": { "developer_message": words, "http_code": 400, "success": false } });
        assert!(matches!(error(401, &own("Invalid api key")), ServiceError::Unauthorized(_)));
        assert!(matches!(error(400, &json!({ "error": "You have exceeded the endpoint rate limit" })), ServiceError::RateLimited { .. }));
        assert!(matches!(error(429, &json!({})), ServiceError::RateLimited { .. }));
        assert_eq!(error(400, &own("WhatsApp for Business API has been disabled")).action(), Some(Action::FixAccount));
        assert_eq!(error(400, &own("Messages blocked due to lack of payment")).action(), Some(Action::Pay));
        assert_eq!(error(403, &own("path blocked")).action(), Some(Action::GrantPermission));
        assert!(matches!(error(500, &own("boom")), ServiceError::Temporary(_)));
        assert!(matches!(error(502, &json!("a proxy's page")), ServiceError::Ambiguous));
        let meta = json!({ "error": { "code": 131_047, "message": "Re-engagement message" } });
        assert_eq!(error(400, &meta).action(), Some(Action::UseTemplate));
        assert_eq!(error(555, &meta).action(), Some(Action::UseTemplate));
        let ServiceError::Permanent(sentence) = error(400, &own("the moon is full")) else { panic!() };
        assert_eq!(sentence.to_string(), "360dialog refused this: the moon is full");
    }
}
