//! The app's callback: proving that a call is Instagram's, and switching the account on.
//!
//! Instagram has no callback per account. One address is pasted into the App Dashboard for all accounts of an app; each account is then
//! switched on by `subscribed_apps`, without which nothing ever comes and nothing says why.

use std::sync::atomic::{AtomicU8, Ordering};

use reqwest::Method;
use serde_json::{Map, Value};
use shopbell_core::connector::{Forged, Link, Request, ServiceError, WebhookState};
use shopbell_core::http::Call;
use shopbell_core::say;
use shopbell_core::secret::Secret;

use super::{Config, Flavour, Mode, api};
use crate::meta::{graph, signature};

/// What we want to hear of.
pub const FIELDS: &[&str] =
    &["messages", "messaging_postbacks", "message_reactions", "messaging_seen", "messaging_referral", "message_edit"];

/// Which of the two secrets signed the last message: Meta does not say which one it will be.
#[derive(Debug, Default)]
pub struct SignedBy(AtomicU8);

/// A secret of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one beside the App ID.
    First,
    /// The other one.
    Second,
}

impl SignedBy {
    fn note(&self, which: Which) {
        let number = match which {
            Which::First => 1,
            Which::Second => 2,
        };
        if self.0.swap(number, Ordering::Relaxed) != number {
            tracing::info!(secret = ?which, "Instagram signs its messages with this one of the app's secrets.");
        }
    }

    /// Which it was, if anything has come yet.
    pub fn last(&self) -> Option<Which> {
        match self.0.load(Ordering::Relaxed) {
            1 => Some(Which::First),
            2 => Some(Which::Second),
            _ => None,
        }
    }
}

/// Is it from Instagram?
pub fn verify(config: &Config, request: &Request) -> Result<(), Forged> {
    if request.is_pulled() {
        return Ok(());
    }
    let second = config.second_secret.as_ref().map(Secret::reveal);
    let first = signature::verify([config.app_secret.reveal()], request);
    // Both are tried whatever the first says, so that the time taken does not tell which one was right.
    let by_second = signature::verify(second, request);
    match (&first, &by_second) {
        (Ok(()), _) => config.signed_by.note(Which::First),
        (Err(_), Ok(())) => config.signed_by.note(Which::Second),
        (Err(_), Err(_)) => return first,
    }
    Ok(())
}

/// Switches the account on and reads the state back. The callback itself is the app's and is pasted by hand.
pub async fn subscribe(link: Link<'_, Config>, url: &str) -> Result<WebhookState, ServiceError> {
    if link.config.mode == Mode::Polling {
        return Err(ServiceError::Permanent(say!(
            "This connection fetches its messages by itself and needs no web address. Choose Webhook in its settings first."
        )));
    }
    let fields = FIELDS.join(",");
    let switch_on = async |node: &str| {
        let request = api::request(link, Method::POST, &[node, "subscribed_apps"], &[("subscribed_fields", fields.as_str())])?;
        graph::exchange(request, Call::Acts).await
    };
    // A Page's token knows the Page as "me". An account is named, because some apps are refused "me", and the other way round.
    let done = match link.config.flavour {
        Flavour::FacebookPage => switch_on("me").await,
        Flavour::InstagramLogin => match switch_on(link.config.account()).await {
            Err(failure) if api::is_shape(&failure) => switch_on("me").await,
            done => done,
        },
    };
    done.map_err(api::meaning)?;
    state(link, Some(url)).await
}

/// What the service says: which of our fields are switched on for the account, and where the app's callback leads. `wanted` is the address
/// that should stand there.
pub async fn state(link: Link<'_, Config>, wanted: Option<&str>) -> Result<WebhookState, ServiceError> {
    let fields = subscribed(link).await?;
    let callback = callback(link).await;
    let missing = missing(&fields);
    let mut details = Map::new();
    details.insert("subscribed_fields".into(), fields.clone().into());
    details.insert("missing_fields".into(), missing.clone().into());
    details.insert("callback_known".into(), callback.is_some().into());
    let confirmed_url = callback.flatten();
    let trouble = if fields.is_empty() {
        Some(say!("Instagram sends nothing for this account yet. Press Tell Instagram this address."))
    } else if !missing.is_empty() {
        Some(say!("Instagram does not send everything for this account. Missing: {fields}.", fields = missing.join(", ")))
    } else {
        wanted.filter(|wanted| confirmed_url.as_deref() != Some(wanted)).map(|wanted| {
            say!(
                "The account is switched on. In the App Dashboard open Configure webhooks and paste {url} and your verify token, unless they stand there already.",
                url = wanted
            )
        })
    };
    Ok(WebhookState { confirmed_url, last_error: trouble.map(|trouble| trouble.to_string()), details, ..WebhookState::default() })
}

/// The fields that are switched on for the account.
pub async fn subscribed(link: Link<'_, Config>) -> Result<Vec<String>, ServiceError> {
    let answer = api::get(link, &["me", "subscribed_apps"], &[]).await.map_err(api::meaning)?;
    let apps: Vec<&Value> = answer["data"].as_array().into_iter().flatten().collect();
    // Other programs of the same account have lines of their own. With one line alone there is nothing to choose.
    let ours = apps.iter().find(|app| super::parse::id(&app["id"]).as_deref() == Some(link.config.app()));
    let ours = ours.or(if apps.len() == 1 { apps.first() } else { None });
    let fields = ours.and_then(|app| app["subscribed_fields"].as_array()).into_iter().flatten();
    Ok(fields.filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The fields that we want and that are not switched on.
pub fn missing(fields: &[String]) -> Vec<&'static str> {
    FIELDS.iter().copied().filter(|wanted| !fields.iter().any(|field| field == wanted)).collect()
}

/// Where the app's callback leads: `None` where that cannot be asked (with Instagram Login the App ID may be Instagram's own, which the app's
/// side of the API does not know), `Some(None)` where none is set.
async fn callback(link: Link<'_, Config>) -> Option<Option<String>> {
    let secrets = [Some(&link.config.app_secret), link.config.second_secret.as_ref()];
    for secret in secrets.into_iter().flatten().filter(|secret| !secret.reveal().trim().is_empty()) {
        let request = api::app_request(link, secret.reveal(), &[link.config.app(), "subscriptions"], &[]).ok()?;
        let Ok(answer) = graph::exchange(request, Call::Reads).await else { continue };
        let mut subscriptions = answer["data"].as_array().into_iter().flatten();
        let ours = subscriptions.find(|one| one["object"] == "instagram" && one["active"] != false);
        return Some(ours.and_then(|one| one["callback_url"].as_str()).map(str::to_owned));
    }
    None
}
