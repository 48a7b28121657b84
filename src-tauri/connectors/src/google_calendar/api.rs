//! Calls of the Calendar API, and what a refusal means.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use shopbell_core::connector::{Action, ServiceError};
use shopbell_core::http::{Call, Client, read_json, service_error};
use shopbell_core::say;
use shopbell_core::secret::Secret;

/// Where the service is.
pub const ADDRESS: &str = "https://www.googleapis.com";
/// The largest answer that is read.
const LARGEST: usize = 2 * 1024 * 1024;

/// A calendar of the account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Calendar {
    /// Its id; the main one's is the account's mail address.
    pub id: String,
    /// Its name.
    #[serde(rename = "summary")]
    pub name: String,
    /// Whether it is the account's main one.
    pub primary: bool,
    /// What the account may do in it.
    #[serde(rename = "accessRole")]
    pub role: String,
    /// Its time zone.
    pub time_zone: String,
}

#[derive(Deserialize)]
struct Calendars {
    #[serde(default)]
    items: Vec<Calendar>,
}

/// The account's calendars.
pub async fn calendars(http: &Client, base: &str, token: &Secret) -> Result<Vec<Calendar>, ServiceError> {
    let url = format!("{base}/calendar/v3/users/me/calendarList?maxResults=250&showHidden=false");
    let request = http.request(Method::GET, &url)?.bearer_auth(token.reveal());
    let response = request.send().await.map_err(|error| service_error(&error, Call::Reads))?;
    let status = response.status().as_u16();
    if status < 300 {
        return Ok(read_json::<Calendars>(response, LARGEST, Call::Reads).await?.items);
    }
    let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok()).map(Duration::from_secs);
    // A refusal whose words are lost is still a refusal.
    let body: Value = read_json(response, LARGEST, Call::Reads).await.unwrap_or_default();
    Err(refusal(status, wait, &body))
}

/// The account's own name: the id of its main calendar.
pub fn account(calendars: &[Calendar]) -> Option<&str> {
    calendars.iter().find(|calendar| calendar.primary).map(|calendar| calendar.id.as_str()).filter(|id| !id.is_empty())
}

/// What is said where an account has no main calendar.
pub fn no_calendar() -> ServiceError {
    ServiceError::Permanent(say!("This Google account has no calendar. Open calendar.google.com with it once, then sign in again."))
}

fn refusal(status: u16, retry_after: Option<Duration>, body: &Value) -> ServiceError {
    let reason = body["error"]["errors"][0]["reason"].as_str().unwrap_or_default();
    match (status, reason) {
        (401, _) => ServiceError::Unauthorized(say!("Google does not accept this sign-in any more. Sign in again.")),
        (429, _) | (403, "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded") => ServiceError::RateLimited { retry_after },
        (403, "accessNotConfigured") => ServiceError::Refused {
            action: Action::GrantPermission,
            sentence: say!("The Google Calendar API is not switched on in your project. Open APIs & Services > Library there and press Enable."),
        },
        (403, _) => ServiceError::Refused {
            action: Action::GrantPermission,
            sentence: say!("Google does not allow this with the boxes you ticked. Sign in again and tick every box."),
        },
        (500..=599, _) => ServiceError::Temporary(say!("Google has trouble of its own ({code}). We try again.", code = status)),
        _ => {
            let words: String = body["error"]["message"].as_str().unwrap_or("?").chars().take(300).collect();
            ServiceError::Permanent(say!("Google refused: {words}", words = words))
        }
    }
}
