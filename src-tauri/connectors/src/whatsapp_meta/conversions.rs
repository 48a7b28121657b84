//! What became of customers who came through an advertisement, told to Meta's Conversions API.
//!
//! See <https://developers.facebook.com/docs/marketing-api/conversions-api/business-messaging>. Meta does not recognise a report that
//! comes twice: the caller sends each once.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use shopbell_core::connector::{Action, Conversion, Link, ServiceError};
use shopbell_core::http::Call;
use shopbell_core::say;

use super::{Config, api};
use crate::meta::whatsapp::is_plain_id;

/// How old an event may be.
const OLDEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// The events that Meta takes for messages; any other name is refused.
const EVENTS: &[&str] = &[
    "Purchase", "LeadSubmitted", "QualifiedLead", "InitiateCheckout", "AddToCart", "ViewContent", "OrderCreated", "OrderShipped", "OrderDelivered",
    "OrderCanceled", "OrderReturned", "CartAbandoned", "RatingProvided", "ReviewProvided",
];

/// Reports one conversion.
pub async fn report(link: Link<'_, Config>, conversion: &Conversion) -> Result<(), ServiceError> {
    let refuse = |sentence| Err(ServiceError::Permanent(sentence));
    if conversion.click_id.trim().is_empty() {
        return refuse(say!("This customer did not come through an advertisement, so there is nothing to report."));
    }
    if !EVENTS.contains(&conversion.event.as_str()) {
        return refuse(say!("Meta takes no event called {event}.", event = conversion.event));
    }
    if link.clock.now().since(conversion.at) > OLDEST {
        return refuse(say!("Meta takes events of the last seven days only."));
    }
    let body = body(link.config, conversion);
    let dataset = dataset(link).await?;
    let door = api::door(link)?;
    let request = door.request(Method::POST, &api::address(link.config, &format!("{dataset}/events")))?.json(&body);
    let answer = door.exchange(request, Call::Acts).await?;
    match answer["events_received"].as_i64() {
        Some(0) => refuse(say!("Meta did not count this event.")),
        Some(_) => Ok(()),
        None => Err(ServiceError::Ambiguous),
    }
}

fn body(config: &Config, conversion: &Conversion) -> Value {
    let mut event = json!({
        "event_name": conversion.event,
        "event_time": conversion.at.millis().div_euclid(1000),
        "event_id": conversion.id,
        "action_source": "business_messaging",
        "messaging_channel": "whatsapp",
        "user_data": { "whatsapp_business_account_id": config.business_account_id.trim(), "ctwa_clid": conversion.click_id.trim() },
    });
    if let Some((currency, value)) = &conversion.value {
        event["custom_data"] = json!({ "currency": currency, "value": value });
    }
    json!({ "data": [event], "partner_agent": "shopbell" })
}

/// Where the account's events are kept; made where there is none yet.
async fn dataset(link: Link<'_, Config>) -> Result<String, ServiceError> {
    let path = format!("{}/dataset", link.config.business_account_id.trim());
    let id = |answer: &Value| {
        let id = answer["id"].as_str().or_else(|| answer["data"][0]["id"].as_str());
        id.filter(|id| is_plain_id(id)).map(str::to_owned)
    };
    if let Some(id) = api::get(link, &path).await.ok().as_ref().and_then(id) {
        return Ok(id);
    }
    let made = api::call(link, Method::POST, &path, None).await.map_err(missing_right)?;
    id(&made).ok_or_else(|| ServiceError::Temporary(say!("Meta answered in a way we do not understand. We try again.")))
}

/// Most tokens may send messages and nothing else.
fn missing_right(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Refused { action: Action::GrantPermission, .. } => ServiceError::Refused {
            action: Action::GrantPermission,
            sentence: say!("To report to advertising the access token needs the permission {permission}. Make a new token that has it.", permission = "whatsapp_business_manage_events"),
        },
        error => error,
    }
}
