//! What could not be read as it was meant, and what was meant for somebody else: said alike on every channel.

use shopbell_core::connector::Event;
use shopbell_core::model::Content;

/// The longest word of a service that is kept.
const LONGEST: usize = 60;

/// The service's own plain word for a kind of message, such as "poll"; anything that is no such word is "unknown".
pub fn kind(word: &str) -> String {
    let is_plain =
        (1..=LONGEST).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_plain { word.to_owned() } else { "unknown".to_owned() }
}

/// A part of a message that this version cannot show.
pub fn unsupported(word: &str) -> Content {
    Content::Unsupported { kind: kind(word) }
}

/// Something that was written to another number than the connection's. It is kept, so that it can be read again once that is set right.
pub fn of_another_number(number: &str) -> Event {
    let number: String = number.chars().take(LONGEST).collect();
    Event::NotUnderstood { why: format!("It is for another number, {number}. Check the phone number in the settings of this connection.") }
}

/// The same for another account at the service.
pub fn of_another_account(account: &str) -> Event {
    let account: String = account.chars().take(LONGEST).collect();
    Event::NotUnderstood { why: format!("It is for another account, {account}. Check the account in the settings of this connection.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_of_the_service_is_no_kind_of_message() {
        assert_eq!(
            ["poll", "call_permission_reply", "Message type unknown", "", "ação"].map(kind),
            ["poll", "call_permission_reply", "unknown", "unknown", "unknown"]
        );
    }
}
