//! What a channel has no form for, spelled out in words.

use shopbell_core::model::Card;

/// Cards as lines of a name and its numbers.
pub fn cards(contacts: &[Card]) -> String {
    let lines = contacts.iter().map(|card| format!("{}: {}", card.name, card.phones.join(", ")));
    lines.collect::<Vec<_>>().join("\n")
}
