//! The test: the number, the token, and what stands between a customer and the inbox, each proven by asking.

use reqwest::Method;
use serde_json::{Map, Value};
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Account, Check, Link, ServiceError};
use shopbell_core::error::Sentence;
use shopbell_core::say;

use super::version::{self, Life};
use super::{Config, api, webhook};
use crate::meta::graph::Failure;
use crate::meta::whatsapp::digits;
use crate::settings;

/// What a token must be allowed.
const NEEDED: [&str; 2] = ["whatsapp_business_messaging", "whatsapp_business_management"];
/// A token that ends within that time is warned about.
const SOON_SECONDS: i64 = 7 * 24 * 3600;
/// Tokens made under API Setup live for a day.
const TRIAL_SECONDS: i64 = 25 * 3600;

/// Proves the settings.
pub async fn test(link: Link<'_, Config>) -> Result<Account, ServiceError> {
    let number_id = link.config.phone_number_id.trim();
    let fields = "display_phone_number,verified_name,quality_rating,throughput,code_verification_status,platform_type";
    let number = api::get(link, &format!("{number_id}?fields={fields}")).await?;
    let token = match api::as_app(link, Method::GET, "debug_token", &[("input_token", link.config.access_token.reveal().trim())]).await {
        Ok(answer) => Some(answer["data"].clone()),
        // App ID and secret do not open the app: nothing that comes in could be verified with them.
        Err(Failure::Refused(refusal)) if matches!(refusal.status, 400 | 401 | 403) && !refusal.transient => return Err(api::wrong_app()),
        // The token is good already: it has just answered for the number.
        Err(_) => None,
    };
    let mut checks = Checks::default();
    let mut details = Map::new();
    named(link.config, &number, &mut checks, &mut details);
    kept(link, token.as_ref(), &mut checks, &mut details);
    belongs(link, &mut checks).await;
    called(link, &mut checks, &mut details).await;
    lives(link, &mut checks);
    let shown = number["display_phone_number"].as_str().unwrap_or(number_id);
    let name = match number["verified_name"].as_str() {
        Some(name) if !name.is_empty() => format!("{name} ({shown})"),
        _ => shown.to_owned(),
    };
    Ok(Account { name, checks: checks.0, details })
}

#[derive(Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, ok: bool, text: Sentence) {
        self.0.push(Check { ok, text: text.to_string() });
    }
}

/// The number itself, its name, its quality.
fn named(config: &Config, number: &Value, checks: &mut Checks, details: &mut Map<String, Value>) {
    checks.add(true, say!("Meta accepts the access token for this number."));
    let shown = number["display_phone_number"].as_str().unwrap_or_default();
    let typed = digits(&config.phone_number);
    if !typed.is_empty() && typed != digits(shown) {
        checks.add(false, say!("The phone number ID belongs to {number}, not to the number that you typed.", number = shown));
    }
    let verified = number["verified_name"].as_str().unwrap_or_default();
    if settings::given(Some(&config.display_name)).is_some_and(|typed| !verified.is_empty() && typed != verified) {
        checks.add(false, say!("Customers read the name {name} at Meta, not the one that you typed.", name = verified));
    }
    match number["code_verification_status"].as_str() {
        Some("VERIFIED") => checks.add(true, say!("The number is verified.")),
        Some("EXPIRED" | "NOT_VERIFIED") => checks.add(false, say!("The number is not verified yet. Do it in WhatsApp Manager under Phone numbers.")),
        _ => {}
    }
    match number["quality_rating"].as_str() {
        Some("RED") => checks.add(false, say!("The number's quality is low: customers block or report it.")),
        Some("YELLOW") => checks.add(false, say!("The number's quality is medium: some customers block or report it.")),
        _ => {}
    }
    for (name, value) in [
        ("display_phone_number", &number["display_phone_number"]),
        ("verified_name", &number["verified_name"]),
        ("quality_rating", &number["quality_rating"]),
        ("throughput", &number["throughput"]["level"]),
        ("code_verification_status", &number["code_verification_status"]),
        ("platform_type", &number["platform_type"]),
    ] {
        details.insert(name.into(), value.clone());
    }
}

/// What kind of token it is, how long it lives, and what it may do.
fn kept(link: Link<'_, Config>, token: Option<&Value>, checks: &mut Checks, details: &mut Map<String, Value>) {
    let Some(token) = token else {
        checks.add(false, say!("Meta did not say how long the access token lives."));
        return;
    };
    let expires = token["expires_at"].as_i64().unwrap_or(0);
    let left = expires - link.clock.now().millis().div_euclid(1000);
    let is_system = token["type"] == "SYSTEM_USER";
    let ends = || Timestamp::from_seconds(expires).to_jiff().strftime("%Y-%m-%d %H:%M UTC").to_string();
    let kind = match (is_system, expires) {
        (true, _) => "system_user",
        (false, 0) => "permanent",
        (false, _) if left <= TRIAL_SECONDS => "temporary",
        (false, _) => "user",
    };
    match (kind, expires) {
        ("system_user", 0) => checks.add(true, say!("The access token is a system user's and does not expire.")),
        ("permanent", _) => checks.add(true, say!("The access token does not expire.")),
        ("temporary", _) => {
            checks.add(false, say!("The access token is a temporary one and ends on {day}. Make a system user's token before that.", day = ends()));
        }
        _ if left <= SOON_SECONDS => checks.add(false, say!("The access token ends on {day}. Make a new one before that.", day = ends())),
        _ => checks.add(true, say!("The access token works until {day}.", day = ends())),
    }
    let scopes: Vec<&str> = token["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let missing: Vec<&str> = NEEDED.into_iter().filter(|needed| !scopes.contains(needed)).collect();
    if missing.is_empty() {
        checks.add(true, say!("The access token has the permissions it needs."));
    } else {
        checks.add(false, say!("The access token lacks {permissions}. Make a new one and tick it.", permissions = missing.join(", ")));
    }
    let account = link.config.business_account_id.trim();
    let shut = NEEDED.into_iter().any(|needed| {
        let granted = token["granular_scopes"].as_array().into_iter().flatten().find(|scope| scope["scope"] == needed);
        // Without a list it holds for every account.
        let targets = granted.and_then(|scope| scope["target_ids"].as_array());
        targets.is_some_and(|targets| !targets.iter().any(|target| target.as_str() == Some(account)))
    });
    if shut {
        checks.add(false, say!("The access token may not use this WhatsApp Business account. Assign the account to the system user and make a new token."));
    }
    if token["app_id"].as_str().is_some_and(|app| app != link.config.app_id.trim()) {
        checks.add(false, say!("The access token was made for another app than the App ID says."));
    }
    details.insert("token_kind".into(), kind.into());
    details.insert("token_expires_at".into(), if expires == 0 { Value::Null } else { expires.saturating_mul(1000).into() });
    details.insert("token_scopes".into(), scopes.into());
    details.insert("missing_permissions".into(), missing.into());
}

/// Whether the number is the account's.
async fn belongs(link: Link<'_, Config>, checks: &mut Checks) {
    let (account, number) = (link.config.business_account_id.trim(), link.config.phone_number_id.trim());
    match api::get(link, &format!("{account}/phone_numbers?fields=id&limit=200")).await {
        Ok(answer) => {
            let is_there = answer["data"].as_array().into_iter().flatten().any(|one| one["id"].as_str() == Some(number));
            if is_there {
                checks.add(true, say!("The number belongs to this WhatsApp Business account."));
            } else {
                checks.add(false, say!("The number does not belong to this WhatsApp Business account. Copy both IDs from the same page, WhatsApp > API Setup."));
            }
        }
        Err(error) => checks.add(false, error.sentence()),
    }
}

/// Whether Meta would call us.
async fn called(link: Link<'_, Config>, checks: &mut Checks, details: &mut Map<String, Value>) {
    match webhook::state(link).await {
        Ok(state) => {
            let ours = state.confirmed_url.as_deref().is_some_and(|url| webhook::is_ours(link, url));
            match (&state.confirmed_url, ours) {
                (Some(_), true) => checks.add(true, say!("Meta sends this number's messages to Shopbell.")),
                (Some(_), false) => checks.add(false, say!("Meta sends this number's messages to another program.")),
                (None, _) => checks.add(false, say!("The web address is not registered at Meta yet.")),
            }
            details.insert("webhook_set".into(), state.confirmed_url.is_some().into());
            details.insert("webhook_is_ours".into(), ours.into());
        }
        Err(error) => checks.add(false, error.sentence()),
    }
}

fn lives(link: Link<'_, Config>, checks: &mut Checks) {
    let version = version::of(&link.config.graph_version);
    match version::life(version, link.clock.now()) {
        Life::Long => {}
        Life::EndsOn(day) => {
            checks.add(false, say!("Version {version} of Meta's interface ends on {day}. Choose a newer one under Advanced.", version = version, day = day));
        }
        Life::Ended(day) => {
            checks.add(false, say!("Version {version} of Meta's interface ended on {day}. Choose a newer one under Advanced.", version = version, day = day));
        }
    }
}
