//! What a channel has no form for, spelled out in words.

use shopbell_core::model::{Card, Choice};

/// Choices as numbered lines below their text.
pub fn choices(text: &str, options: &[Choice]) -> String {
    let lines = options.iter().enumerate().map(|(index, option)| {
        let description = description(option).map(|text| format!(" – {text}")).unwrap_or_default();
        let url = option.url.as_deref().map(|url| format!(": {url}")).unwrap_or_default();
        format!("{}. {}{description}{url}", index + 1, option.label)
    });
    let head = Some(text.trim()).filter(|text| !text.is_empty()).map(|text| format!("{text}\n"));
    head.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// What stands under a choice, if anything does.
pub fn description(option: &Choice) -> Option<&str> {
    option.description.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// Cards as lines of a name and its numbers.
pub fn cards(contacts: &[Card]) -> String {
    let lines = contacts.iter().map(|card| format!("{}: {}", card.name, card.phones.join(", ")));
    lines.collect::<Vec<_>>().join("\n")
}
