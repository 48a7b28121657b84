//! Telling Meta where to call, and reading back where it does.
//!
//! Three places hold an address, the nearest wins: the number, the account, the app. The app's address may be another program's, so it is
//! only set where there is none; the account's takes the callback that all numbers of the app share, the number's takes a callback of this
//! connection alone. See <https://developers.facebook.com/docs/whatsapp/embedded-signup/webhooks/override>.

use reqwest::Method;
use serde_json::{Map, Value, json};
use shopbell_core::connector::{Link, ServiceError, WebhookState};
use shopbell_core::say;

use super::{Config, api};

/// The longest address that Meta takes.
const LONGEST: usize = 200;

/// What we want to hear of. Account and template news always go to the app's own address.
pub const FIELDS: &[&str] = &[
    "messages", "account_update", "account_alerts", "account_review_update", "phone_number_quality_update", "phone_number_name_update",
    "message_template_status_update", "message_template_quality_update", "template_category_update", "business_capability_update", "security",
    "user_preferences", "smb_message_echoes", "smb_app_state_sync", "history",
];

/// Whether a webhook leads to this connection, by its own key or by the app's shared callback, whatever the public address was.
pub fn is_ours(link: Link<'_, Config>, url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| {
        let path = url.path().trim_end_matches('/');
        path.ends_with(&format!("/hooks/{}", link.connection.hook_key)) || path.ends_with(&shared(link.config))
    })
}

fn shared(config: &Config) -> String {
    format!("/hooks/meta/{}", config.app_id.trim())
}

/// Registers `url` and reads the state back.
pub async fn subscribe(link: Link<'_, Config>, url: &str) -> Result<WebhookState, ServiceError> {
    if url.len() > LONGEST {
        return Err(ServiceError::Permanent(say!("This web address is longer than the {limit} characters that Meta takes.", limit = LONGEST)));
    }
    let config = link.config;
    app(link, url).await;
    let (account, number) = (config.business_account_id.trim(), config.phone_number_id.trim());
    let ours = json!({ "override_callback_uri": url, "verify_token": config.verify_token.reveal().trim() });
    let place = format!("{account}/subscribed_apps");
    let nearest = nearest(link).await;
    if url.trim_end_matches('/').ends_with(&shared(config)) {
        api::call(link, Method::POST, &place, Some(&ours)).await.map_err(refused)?;
        // An address at the number itself would win over the account's.
        if nearest["phone_number"].as_str().is_some_and(|there| !there.is_empty() && there != url) {
            let cleared = json!({ "webhook_configuration": { "override_callback_uri": "" } });
            api::call(link, Method::POST, number, Some(&cleared)).await.map_err(refused)?;
        }
    } else {
        // Subscribing without a body would take away an address that another number of the account uses.
        if !subscription(link).await?.is_some_and(|there| there.is_object()) {
            api::call(link, Method::POST, &place, None).await.map_err(refused)?;
        }
        api::call(link, Method::POST, number, Some(&json!({ "webhook_configuration": ours }))).await.map_err(refused)?;
    }
    // It is registered; that its state cannot be read just now proves nothing against it.
    Ok(state(link).await.unwrap_or_default())
}

fn refused(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Permanent(sentence) if sentence.to_string().contains("allback verification failed") => ServiceError::Permanent(say!(
            "Meta called the web address and did not get the answer it wanted. Check that the public address works, then register again."
        )),
        error => error,
    }
}

/// The app's own subscription: made where there is none, completed where it is ours, left alone where it is another program's.
async fn app(link: Link<'_, Config>, url: &str) {
    let place = format!("{}/subscriptions", link.config.app_id.trim());
    let Ok(there) = app_subscription(link).await else { return };
    let is_free = there["callback_url"].as_str().is_none_or(|known| known.is_empty() || is_ours(link, known));
    if !is_free || (there["callback_url"] == url && missing(&there).is_empty()) {
        return;
    }
    let fields = FIELDS.join(",");
    let query = [
        ("object", "whatsapp_business_account"),
        ("callback_url", url),
        ("verify_token", link.config.verify_token.reveal().trim()),
        ("fields", fields.as_str()),
    ];
    if let Err(failure) = api::as_app(link, Method::POST, &place, &query).await {
        // The account's address can be set all the same; what is missing stands in the state that is read back.
        tracing::warn!(connection.id = %link.connection.id, error = %ServiceError::from(failure), "The app's own webhook could not be set.");
    }
}

async fn app_subscription(link: Link<'_, Config>) -> Result<Value, ServiceError> {
    let place = format!("{}/subscriptions", link.config.app_id.trim());
    let answer = api::as_app(link, Method::GET, &place, &[]).await?;
    let found = answer["data"].as_array().into_iter().flatten().find(|one| one["object"] == "whatsapp_business_account");
    Ok(found.cloned().unwrap_or(Value::Null))
}

/// Which of our fields a subscription of the app lacks. A field is written as its name, or with its version.
fn missing(subscription: &Value) -> Vec<&'static str> {
    let has = |wanted: &str| {
        let fields = subscription["fields"].as_array();
        fields.into_iter().flatten().any(|field| field.as_str().or_else(|| field["name"].as_str()) == Some(wanted))
    };
    FIELDS.iter().copied().filter(|field| !has(field)).collect()
}

/// What the account has of our app; `None` = the app is not subscribed.
async fn subscription(link: Link<'_, Config>) -> Result<Option<Value>, ServiceError> {
    let answer = api::get(link, &format!("{}/subscribed_apps", link.config.business_account_id.trim())).await?;
    let app = link.config.app_id.trim();
    let mut apps = answer["data"].as_array().into_iter().flatten();
    Ok(apps.find(|one| one["whatsapp_business_api_data"]["id"].as_str() == Some(app)).cloned())
}

/// The addresses that hold for this number, from near to far; empty where Meta does not tell.
async fn nearest(link: Link<'_, Config>) -> Value {
    let asked = api::get(link, &format!("{}?fields=webhook_configuration", link.config.phone_number_id.trim())).await;
    asked.map(|answer| answer["webhook_configuration"].clone()).unwrap_or_default()
}

/// The state as the screens show it.
pub async fn state(link: Link<'_, Config>) -> Result<WebhookState, ServiceError> {
    let subscribed = subscription(link).await?;
    let nearest = nearest(link).await;
    let app = app_subscription(link).await.unwrap_or_default();
    let given = |value: &Value| value.as_str().filter(|url| !url.is_empty()).map(str::to_owned);
    let places = [
        ("phone_number", given(&nearest["phone_number"])),
        ("whatsapp_business_account", given(&nearest["whatsapp_business_account"])),
        ("whatsapp_business_account", subscribed.as_ref().and_then(|there| given(&there["override_callback_uri"]))),
        ("application", given(&nearest["application"])),
        ("application", given(&app["callback_url"])),
    ];
    // Without a subscription of the account nothing is sent anywhere.
    let held = places.into_iter().filter(|_| subscribed.is_some()).find_map(|(place, url)| Some((place, url?)));
    let mut details = Map::new();
    details.insert("subscribed".into(), subscribed.is_some().into());
    details.insert("level".into(), held.as_ref().map(|(place, _)| *place).into());
    details.insert("app_callback_url".into(), app["callback_url"].clone());
    details.insert("missing_fields".into(), if app.is_object() { missing(&app).into() } else { Value::Null });
    Ok(WebhookState { confirmed_url: held.map(|(_, url)| url), pending: None, last_error: None, last_error_at: None, details })
}
