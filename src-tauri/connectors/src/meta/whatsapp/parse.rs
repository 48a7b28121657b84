//! WhatsApp's envelope in Shopbell's words. Pure: no network, no clock.
//!
//! One request is a batch of any shape: `entry[] × changes[] × messages[] | statuses[] | …`, in any order, for any number of the account or
//! of the app. Each element is read by itself, so that one that cannot be read costs its neighbours nothing.

use serde_json::Value;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Event, Malformed};

use super::customers::preference;
use super::message::{echo, message};
use super::notices::notices;
use super::status::{status, trouble};
use crate::unread::{of_another_account, of_another_number};

/// Whose connection reads.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The kind of connector, for addresses.
    pub connector: &'static str,
    /// Its number's id; `None` = everything that comes is for it.
    pub phone_number_id: Option<&'a str>,
    /// The id of the WhatsApp Business account.
    pub account: Option<&'a str>,
    /// The number itself, in whatever spelling. News that name a number are only taken for this one.
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
        Value::Array(entries) => {
            // Who shares a callback sees the others' changes beside its own, and that is as it should be.
            let is_shared = scope.phone_number_id.is_some() && concern(entries, scope);
            entries.iter().for_each(|entry| read_entry(entry, scope, is_shared, &mut events));
        }
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
    concern(entries, scope)
}

fn concern(entries: &[Value], scope: Scope<'_>) -> bool {
    entries.iter().any(|entry| match &entry["changes"] {
        Value::Array(changes) => changes.iter().any(|change| whose(entry, &change["value"], scope) == Whose::Ours),
        _ => true,
    })
}

/// Whose a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose<'a> {
    Ours,
    AnotherNumbers(&'a str),
    AnotherAccounts(&'a str),
}

/// A change that names a number is for that number; any other is for the account.
fn whose<'a>(entry: &'a Value, value: &'a Value, scope: Scope<'_>) -> Whose<'a> {
    let metadata = &value["metadata"];
    if let (Some(ours), Some(number)) = (scope.phone_number_id, text(&metadata["phone_number_id"])) {
        return if number == ours { Whose::Ours } else { Whose::AnotherNumbers(text(&metadata["display_phone_number"]).unwrap_or(number)) };
    }
    if let (Some(ours), Some(account)) = (scope.account, text(&entry["id"]))
        && account != ours
    {
        return Whose::AnotherAccounts(account);
    }
    let named = [&metadata["display_phone_number"], &value["display_phone_number"], &value["phone_number"]].into_iter().find_map(text);
    match named {
        Some(named) if !is_same_number(named, scope.phone) => Whose::AnotherNumbers(named),
        _ => Whose::Ours,
    }
}

/// Whether two spellings are of one number. Three countries have mobile numbers with and without a digit of their own; WhatsApp writes some
/// of them as they were before.
fn is_same_number(one: &str, other: &str) -> bool {
    let plain = |number: &str| {
        let number = digits(number);
        let extra = [("55", 4, '9', 13), ("52", 2, '1', 13), ("54", 2, '9', 13)];
        let has_extra = extra.iter().find(|(country, at, digit, length)| {
            number.len() == *length && number.starts_with(country) && number.chars().nth(*at) == Some(*digit)
        });
        match has_extra {
            Some((_, at, ..)) => format!("{}{}", &number[..*at], &number[at + 1..]),
            None => number,
        }
    };
    let one = plain(one);
    !one.is_empty() && one == plain(other)
}

fn is_flat(value: &Value) -> bool {
    ["messages", "statuses", "errors"].iter().any(|name| value[*name].is_array())
}

fn read_entry(entry: &Value, scope: Scope<'_>, is_shared: bool, events: &mut Vec<Event>) {
    let Value::Array(changes) = &entry["changes"] else {
        events.push(not_understood("changes", "is no list"));
        return;
    };
    let at = time(&entry["time"]);
    for change in changes {
        let value = &change["value"];
        let field = text(&change["field"]).unwrap_or("a change without a name");
        let others = match whose(entry, value, scope) {
            Whose::Ours => None,
            Whose::AnotherNumbers(number) => Some(of_another_number(number)),
            Whose::AnotherAccounts(account) => Some(of_another_account(account)),
        };
        if let Some(others) = others {
            let other = if is_shared { Event::Nothing { what: format!("{field} of another number") } } else { others };
            if events.last() != Some(&other) {
                events.push(other);
            }
            continue;
        }
        match field {
            "messages" => messages(value, scope, at, events),
            "smb_message_echoes" => each(value, "message_echoes", events, |one, contacts| echo(one, contacts, scope)),
            "user_preferences" => each(value, "user_preferences", events, |one, contacts| vec![preference(one, contacts, scope, at)]),
            // The past and the address book of a shop's phone, and calls: kept in the arrival, not acted on.
            "history" | "smb_app_state_sync" | "calls" => events.push(Event::Nothing { what: field.to_owned() }),
            _ => events.extend(notices(field, value, at)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_with_and_without_its_countrys_extra_digit() {
        for (one, other) in [("551155500783", "+55 11 5550-0783"), ("5511999990000", "551199990000"), ("5215512345678", "+52 55 1234 5678")]
        {
            assert!(is_same_number(one, other) && is_same_number(other, one), "{one} {other}");
        }
        for (one, other) in [("551155500783", "551155500784"), ("15550783881", "5550783881"), ("", ""), ("551155500783", "")] {
            assert!(!is_same_number(one, other), "{one} {other}");
        }
    }
}
