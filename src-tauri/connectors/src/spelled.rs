//! Words of ours on a channel: what has no form of its own is spelled out, and what stands on a button that the channel wants.

use shopbell_core::model::Card;

/// Cards as lines of a name and its numbers.
pub fn cards(contacts: &[Card]) -> String {
    let lines = contacts.iter().map(|card| format!("{}: {}", card.name, card.phones.join(", ")));
    lines.collect::<Vec<_>>().join("\n")
}

/// What stands on the button that opens a list. Customers read it, and WhatsApp does not tell their language: the country of the
/// number ("5511…", "+5511…") or of the user id ("BR.…") does.
pub fn choose(thread: &str) -> &'static str {
    const PORTUGUESE: [&str; 5] = ["55", "351", "244", "258", "238"];
    const SPANISH: [&str; 20] = [
        "34", "51", "52", "53", "54", "56", "57", "58", "502", "503", "504", "505", "506", "507", "591", "593", "595", "598", "1809",
        "1829",
    ];
    let thread = thread.trim_start_matches('+');
    let is_of = |numbers: &[&str]| numbers.iter().any(|number| thread.starts_with(number));
    match thread.split_once('.').map(|(country, _)| country) {
        Some("BR" | "PT" | "AO" | "MZ" | "CV") => "Escolher",
        Some(
            "ES" | "PE" | "MX" | "CU" | "AR" | "CL" | "CO" | "VE" | "GT" | "SV" | "HN" | "NI" | "CR" | "PA" | "BO" | "EC" | "PY" | "UY"
            | "DO",
        ) => "Elegir",
        None if is_of(&PORTUGUESE) => "Escolher",
        None if is_of(&SPANISH) => "Elegir",
        _ => "Choose",
    }
}
