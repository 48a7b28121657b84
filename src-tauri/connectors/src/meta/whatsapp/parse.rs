//! WhatsApp's envelope in Shopbell's words. Pure: no network, no clock.
//!
//! One request is a batch of any shape: `entry[] × changes[] × messages[] | statuses[] | …`, in any order, for any number of the account or
//! of the app. Each element is read by itself, so that one that cannot be read costs its neighbours nothing.

use serde_json::Value;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Event, Malformed};

use super::message::{echo, message};
use super::notices::notice;
use super::status::{status, trouble};

/// Whose connection reads.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The kind of connector, for addresses.
    pub connector: &'static str,
    /// Its number's id; `None` = everything that comes is for it.
    pub phone_number_id: Option<&'a str>,
    /// The id of the WhatsApp Business account.
    pub account: Option<&'a str>,
    /// The number itself, in whatever spelling; empty = not known.
    pub phone: &'a str,
    /// Whether the old flat form (`{"contacts":[],"messages":[]}`) is read too.
    pub flat: bool,
}

/// Reads the body of a webhook.
pub fn updates(body: &[u8], scope: Scope<'_>) -> Result<Vec<Event>, Malformed> {
    let value: Value = serde_json::from_slice(body).map_err(|error| Malformed(format!("This is not JSON: {error}.")))?;
    if !value.is_object() {
        return Err(Malformed("This is no update: not an object.".into()));
    }
    let mut events = Vec::new();
    match &value["entry"] {
        Value::Array(entries) => entries.iter().for_each(|entry| read_entry(entry, scope, &mut events)),
        _ if scope.flat && is_flat(&value) => messages(&value, scope, Timestamp::default(), &mut events),
        _ => events.push(not_understood("entry", "is no list")),
    }
    if events.is_empty() {
        events.push(Event::Nothing { what: "an empty batch".into() });
    }
    Ok(events)
}

/// Whether anything in a request is for this connection. What cannot be read is everybody's: it is signed, so somebody should see it.
pub fn concerns(body: &[u8], scope: Scope<'_>) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return true };
    if value["object"].is_string() && value["object"] != "whatsapp_business_account" {
        return false;
    }
    let Value::Array(entries) = &value["entry"] else { return true };
    entries.iter().any(|entry| match &entry["changes"] {
        Value::Array(changes) => changes.iter().any(|change| is_ours(entry, &change["value"], scope)),
        _ => true,
    })
}

/// A change that names a number is for that number; any other is for the account.
fn is_ours(entry: &Value, value: &Value, scope: Scope<'_>) -> bool {
    let Some(ours) = scope.phone_number_id else { return true };
    if let Some(number) = text(&value["metadata"]["phone_number_id"]) {
        return number == ours;
    }
    let same_account = text(&entry["id"]).is_none_or(|id| scope.account.is_none_or(|account| id == account));
    let named = text(&value["display_phone_number"]).or_else(|| text(&value["phone_number"])).map(digits);
    let ours = digits(scope.phone);
    same_account && named.is_none_or(|named| ours.is_empty() || named == ours)
}

fn is_flat(value: &Value) -> bool {
    ["messages", "statuses", "errors"].iter().any(|name| value[*name].is_array())
}

fn read_entry(entry: &Value, scope: Scope<'_>, events: &mut Vec<Event>) {
    let Value::Array(changes) = &entry["changes"] else {
        events.push(not_understood("changes", "is no list"));
        return;
    };
    let at = time(&entry["time"]);
    for change in changes {
        let value = &change["value"];
        let field = text(&change["field"]).unwrap_or("a change without a name");
        if !is_ours(entry, value, scope) {
            events.push(Event::Nothing { what: format!("{field} of another number") });
            continue;
        }
        match field {
            "messages" => messages(value, scope, at, events),
            "smb_message_echoes" => each(value, "message_echoes", events, |one, contacts| echo(one, contacts, scope)),
            // The past and the address book of a shop's phone, calls, and wishes of single customers: kept in the arrival, not acted on.
            "history" | "smb_app_state_sync" | "calls" | "user_preferences" => events.push(Event::Nothing { what: field.to_owned() }),
            _ => events.push(notice(field, value, at)),
        }
    }
}

fn messages(value: &Value, scope: Scope<'_>, at: Timestamp, events: &mut Vec<Event>) {
    let before = events.len();
    for name in ["messages", "statuses", "errors"] {
        if value[name].is_null() {
            continue;
        }
        each(value, name, events, |one, contacts| match name {
            "messages" => message(one, contacts, scope),
            "statuses" => vec![status(one)],
            _ => vec![trouble(one, at)],
        });
    }
    if events.len() == before {
        events.push(Event::Nothing { what: "messages without any".into() });
    }
}

fn each(value: &Value, name: &str, events: &mut Vec<Event>, read: impl Fn(&Value, &[Value]) -> Vec<Event>) {
    let contacts = value["contacts"].as_array().map_or(&[][..], Vec::as_slice);
    match &value[name] {
        Value::Array(elements) => elements.iter().for_each(|element| events.extend(read(element, contacts))),
        _ => events.push(not_understood(name, "is no list")),
    }
}

/// An element that cannot be read, and why.
pub fn not_understood(what: &str, why: &str) -> Event {
    Event::NotUnderstood { why: format!("{what}: {why}") }
}

/// A text that is there and not blank.
pub fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The digits of a number, without plus, spaces and dashes.
pub fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// Seconds, as text or as a number; what is too large for seconds is milliseconds.
pub fn time(value: &Value) -> Timestamp {
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok()).unwrap_or(0);
    if number > 100_000_000_000 { Timestamp::from_millis(number) } else { Timestamp::from_seconds(number.max(0)) }
}
