//! How far our messages came, and what went wrong with them.

use serde_json::Value;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Event, Evidence};
use shopbell_core::id::DeliveryId;
use shopbell_core::say;

use super::errors;
use super::parse::{not_understood, text, time};
use crate::meta::graph::Refusal;

/// The longest name of a delivery: prefix and 26 signs.
const DELIVERY: usize = 30;

/// One element of `statuses`.
pub fn status(status: &Value) -> Event {
    let Some(id) = text(&status["id"]) else { return not_understood("statuses", "the message's id is missing") };
    if text(&status["recipient_type"]) == Some("group") {
        return Event::Nothing { what: "a status of a message to a group".into() };
    }
    let evidence = match text(&status["status"]) {
        Some("sent") => Evidence::Sent,
        Some("delivered") => Evidence::Delivered,
        // A voice message that was played was seen.
        Some("read" | "played") => Evidence::Read,
        Some("failed") => failed(&status["errors"]),
        other => return Event::Nothing { what: format!("status {}", other.unwrap_or("unknown").chars().take(40).collect::<String>()) },
    };
    Event::Status {
        external_id: id.to_owned(),
        delivery: text(&status["biz_opaque_callback_data"]).and_then(delivery),
        status: evidence,
        at: time(&status["timestamp"]),
    }
}

/// Our own name of a message. Other programs of the same account may write there what they like.
fn delivery(told: &str) -> Option<DeliveryId> {
    let is_ours =
        told.starts_with(DeliveryId::PREFIX) && told.len() == DELIVERY && told.bytes().skip(4).all(|byte| byte.is_ascii_alphanumeric());
    is_ours.then(|| told.into())
}

fn failed(list: &Value) -> Evidence {
    let error = &list[0];
    if !error.is_object() {
        return Evidence::Failed { reason: say!("WhatsApp did not deliver this message and gave no reason."), action: None };
    }
    let (reason, action) = errors::fate(&Refusal::told(error));
    Evidence::Failed { reason, action }
}

/// An error that stands beside no message: it is the number's or the account's.
pub fn trouble(error: &Value, at: Timestamp) -> Event {
    let refusal = Refusal::told(error);
    if !refusal.readable {
        return not_understood("errors", "is no object");
    }
    let (level, sentence) = errors::about_the_number(&refusal);
    Event::Notice { key: format!("error:{}", refusal.code), level, sentence, at }
}
