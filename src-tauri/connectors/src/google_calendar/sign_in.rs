//! How one signs in with Google: an installed app with a client of the owner's own, the answer on a port of this computer.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Map;
use shopbell_core::connector::{
    At, CallBy, Issuer, Numbers, OAuthClient, Opened, Part, Plan, Revocation, ServiceError, ShownBy, SignIn, TokenCall, Unready, Wanted, Way,
};
use shopbell_core::error::Sentence;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use super::api;
use crate::settings;

/// What is asked for. See <https://developers.google.com/workspace/calendar/api/auth>.
const EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
const LIST: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
const BUSY: &str = "https://www.googleapis.com/auth/calendar.freebusy";
/// While an app is in Testing, Google ends a grant after seven days: within these hours of that it is the likely reason.
const TESTING: std::ops::Range<u64> = 6 * 24 + 12..7 * 24 + 24;

/// The role.
pub struct Google;

#[async_trait]
impl SignIn for Google {
    fn provider(&self) -> &'static str {
        "Google"
    }

    fn needs(&self) -> &'static [&'static str] {
        &["client_id", "client_secret"]
    }

    async fn plan(&self, at: At<'_>) -> Result<Plan, Unready> {
        let base = at.text("base_url");
        if let Some(wrong) = settings::check_base_url(base) {
            return Err(Unready::Fields(vec![wrong]));
        }
        let id = at.text("client_id").unwrap_or_default();
        let typed = |usual: &str, path: &str| format!("{}{path}", settings::base(base, usual));
        let client = OAuthClient::Known { id: id.to_owned(), secret_field: Some("client_secret".into()), shown: ShownBy::Body };
        Ok(Plan {
            // Google knows its clients by the token alone here.
            revoke: Some(Revocation::Call(TokenCall {
                method: CallBy::Post,
                url: typed("https://oauth2.googleapis.com", "/revoke"),
                parameters: vec![("token".to_owned(), Part::BestToken)],
                numbers: Numbers::default(),
            })),
            issuer: base.is_none().then(|| Issuer { id: "https://accounts.google.com".into(), always: false }),
            scopes: vec![Wanted::needed(EVENTS), Wanted::needed(LIST), Wanted::useful(BUSY)],
            // Only a fresh consent brings a refresh token again.
            more: [("access_type", "offline"), ("prompt", "consent"), ("include_granted_scopes", "true")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            field: Some("access_token".into()),
            ..Plan::standard(
                typed("https://accounts.google.com", "/o/oauth2/v2/auth"),
                typed("https://oauth2.googleapis.com", "/token"),
                client,
                &[Way::Loopback],
            )
        })
    }

    async fn accounts(&self, at: At<'_>, access: &Secret) -> Result<Vec<Opened>, ServiceError> {
        let calendars = api::calendars(at.http, settings::base(at.text("base_url"), api::ADDRESS), access).await?;
        let name = api::account(&calendars).ok_or_else(api::no_calendar)?.to_owned();
        Ok(vec![Opened { id: name.clone(), name, fill: Map::new(), token: None }])
    }

    fn why_over(&self, after: Duration) -> Option<Sentence> {
        TESTING.contains(&(after.as_secs() / 3600)).then(|| {
            say!(
                "Google ended the sign-in after 7 days because your app there is in Testing. Open Google Auth Platform > Audience, press Publish app, then sign in again."
            )
        })
    }

    fn meaning(&self, scope: &str) -> Sentence {
        match scope {
            EVENTS => say!("to see and change the events of your calendars"),
            LIST => say!("to see the list of your calendars"),
            BUSY => say!("to see when you are busy"),
            other => Sentence::verbatim(other),
        }
    }
}
