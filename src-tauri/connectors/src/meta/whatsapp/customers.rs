//! What WhatsApp tells of a customer beside what they say: lines for the owner, because there is nothing to answer.

use serde_json::Value;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::Event;
use shopbell_core::connector::NoticeLevel::{Info, Warning};
use shopbell_core::say;

use super::message::Person;
use super::parse::{Scope, not_understood, text, time};

/// What a customer wishes to get, told when they changed it. It is about advertising: answers and other messages still reach them, so
/// nobody is blocked.
pub fn preference(told: &Value, contacts: &[Value], scope: Scope<'_>, at: Timestamp) -> Event {
    let Some(person) = Person::of(&told["wa_id"], &told["user_id"], contacts, scope) else {
        return not_understood("user_preferences", "whose wish it is is missing");
    };
    let category = text(&told["category"]).unwrap_or("unknown");
    let sentence = match (category, text(&told["value"])) {
        ("marketing_messages", Some("stop")) => {
            say!(
                "{customer} wants no more advertising from the shop on WhatsApp. Answers and other messages still arrive.",
                customer = person.called()
            )
        }
        ("marketing_messages", Some("resume")) => {
            say!("{customer} wants the shop's advertising on WhatsApp again.", customer = person.called())
        }
        _ => return Event::Nothing { what: format!("user_preferences {}", category.chars().take(60).collect::<String>()) },
    };
    let at = if told["timestamp"].is_null() { at } else { time(&told["timestamp"]) };
    Event::Notice { key: format!("customer:{}:marketing", person.thread()), level: Info, sentence, at }
}

/// A customer's WhatsApp was set up anew: the same number, perhaps in other hands.
pub fn identity_changed(person: &Person<'_>, at: Timestamp) -> Event {
    let sentence = say!(
        "{customer} has set WhatsApp up anew or has another phone. Make sure who it is before you speak of payments or addresses.",
        customer = person.called()
    );
    Event::Notice { key: format!("customer:{}:identity", person.thread()), level: Warning, sentence, at }
}
