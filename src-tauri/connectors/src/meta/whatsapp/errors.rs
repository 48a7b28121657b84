//! WhatsApp's own codes, and what an owner can do about each.
//!
//! See <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>.

use std::time::Duration;

use shopbell_core::connector::{Action, NoticeLevel, ServiceError};
use shopbell_core::error::Sentence;
use shopbell_core::say;

use crate::meta::graph::Refusal;

/// The first pause towards one customer; each further one is four times as long.
pub const FIRST_PAUSE: Duration = Duration::from_secs(4);

/// What a refusal of a call means.
pub fn service_error(refusal: &Refusal) -> ServiceError {
    known(refusal).unwrap_or_else(|| refusal.general())
}

/// What a failure means that comes when the call is long over: nothing is tried again by itself then.
pub fn fate(refusal: &Refusal) -> (Sentence, Option<Action>) {
    let error = service_error(refusal);
    let action = error.action();
    let sentence = match error {
        ServiceError::RateLimited { .. } | ServiceError::ThreadLimited { .. } => {
            say!("WhatsApp held this message back: too many were sent in a short time. Send it again later.")
        }
        ServiceError::Temporary(_) | ServiceError::Ambiguous => {
            say!("WhatsApp could not deliver this message: {words}. Send it again.", words = refusal.said().trim_end_matches('.'))
        }
        error => error.sentence(),
    };
    (sentence, action)
}

/// What an error means that stands beside no message: it is the number's or the account's.
pub fn about_the_number(refusal: &Refusal) -> (NoticeLevel, Sentence) {
    let words = refusal.said();
    let words = words.trim_end_matches('.');
    let error = service_error(refusal);
    match (&error, error.action()) {
        (ServiceError::RateLimited { .. } | ServiceError::ThreadLimited { .. }, _) => (
            NoticeLevel::Warning,
            say!("WhatsApp holds back what this number sends, because it sent too much in a short time. That passes by itself."),
        ),
        (ServiceError::Temporary(_) | ServiceError::Ambiguous, _) => {
            (NoticeLevel::Warning, say!("WhatsApp has trouble with this number: {words}. That passes by itself.", words = words))
        }
        // These speak of the number and the account, not of a message.
        (_, Some(Action::Reauthorise | Action::GrantPermission | Action::FixAccount | Action::Pay)) => {
            (NoticeLevel::Problem, error.sentence())
        }
        (_, Some(Action::SlowDown)) => (NoticeLevel::Warning, error.sentence()),
        (_, _) => (
            NoticeLevel::Warning,
            say!("WhatsApp reports trouble with this number: {words}. Look at it in WhatsApp Manager under Phone numbers.", words = words),
        ),
    }
}

fn known(refusal: &Refusal) -> Option<ServiceError> {
    let words = refusal.said();
    let words = words.trim_end_matches('.');
    let (action, sentence) = match refusal.code {
        131_056 => return Some(ServiceError::ThreadLimited { retry_after: refusal.retry_after.unwrap_or(FIRST_PAUSE) }),
        130_429 | 133_016 | 131_064 => return Some(ServiceError::RateLimited { retry_after: refusal.retry_after }),
        131_000 | 131_016 | 131_057 | 135_000 => return Some(refusal.trouble()),
        131_047 => (
            Action::UseTemplate,
            say!("More than 24 hours have passed since the customer wrote. Only an approved template can be sent now."),
        ),
        131_026 => (
            Action::Unreachable,
            say!("This customer cannot be reached on WhatsApp: not registered there, an old version of the app, or the shop is blocked."),
        ),
        131_062 => (Action::Unreachable, say!("This kind of message needs the customer's phone number, which WhatsApp has not told.")),
        131_021 => (Action::Unreachable, say!("This is the shop's own number. WhatsApp does not send to itself.")),
        131_030 => (
            Action::FixAccount,
            say!(
                "A test number may write to five numbers only. Add the customer's number to its list under API Setup, or use a number of your own."
            ),
        ),
        131_048 => (
            Action::SlowDown,
            say!(
                "WhatsApp holds this number's messages back because customers blocked or reported it. Write less for some days; see its quality in WhatsApp Manager."
            ),
        ),
        131_049 | 130_472 => (
            Action::NotToday,
            say!("WhatsApp does not show this customer more marketing today. Try again in a day, or wait until the customer writes."),
        ),
        131_050 => (Action::NotToday, say!("This customer does not want marketing messages from the shop. Other messages still arrive.")),
        131_052 => (Action::FixContent, say!("WhatsApp could not get the customer's file.")),
        131_051 | 131_053 | 131_008 | 131_009 => {
            (Action::FixContent, say!("WhatsApp does not take this message: {words}. Change it and send it again.", words = words))
        }
        132_000 => (Action::FixTemplate, say!("The template has another number of gaps than were filled in. Fill in all of them.")),
        132_001 => (Action::FixTemplate, say!("WhatsApp has no approved template of this name in this language. Choose another one.")),
        132_005 => (Action::FixTemplate, say!("The template is too long with these words in it. Shorten them.")),
        132_007 => (Action::FixTemplate, say!("WhatsApp's rules do not allow this template. Change it in WhatsApp Manager.")),
        132_015 => (
            Action::FixTemplate,
            say!("This template is paused because customers complained of it. Change it in WhatsApp Manager, or use another one."),
        ),
        132_016 => {
            (Action::FixTemplate, say!("This template was switched off for good because customers complained of it. Use another one."))
        }
        132_008 | 132_012 | 132_068 | 132_069 => {
            (Action::FixTemplate, say!("WhatsApp does not take this template as it was filled in: {words}.", words = words))
        }
        131_042 => (Action::Pay, say!("WhatsApp does not send because a payment is missing. Look at Billing in Meta Business Suite.")),
        131_031 | 130_497 => (
            Action::FixAccount,
            say!(
                "Meta has locked this WhatsApp account, or does not let it write to this country: {words}. Look at Account Quality in Meta Business Suite.",
                words = words
            ),
        ),
        131_037 => {
            (Action::FixAccount, say!("This number has no approved display name yet. Look at it in WhatsApp Manager under Phone numbers."))
        }
        131_045 | 133_010 => (
            Action::FixAccount,
            say!("This number is not registered for WhatsApp's Cloud API. Register it in WhatsApp Manager under Phone numbers."),
        ),
        131_005 => (
            Action::GrantPermission,
            say!("The access token lacks a permission at Meta: {words}. Make a new token that has it.", words = words),
        ),
        100 if refusal.subcode == 33 => {
            let sentence = say!("Meta knows nothing under this id, or the token may not see it. Check the ids in the settings.");
            return Some(ServiceError::Permanent(sentence));
        }
        _ => return None,
    };
    Some(ServiceError::Refused { action, sentence })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn action(code: i64) -> Option<Action> {
        service_error(&Refusal::told(&json!({ "code": code, "message": "x" }))).action()
    }

    #[test]
    fn every_code_of_the_table_has_its_way_out() {
        let table: &[(&[i64], Option<Action>)] = &[
            (&[190, 0], Some(Action::Reauthorise)),
            (&[3, 10, 200, 299], Some(Action::GrantPermission)),
            (&[131_047], Some(Action::UseTemplate)),
            (&[131_026, 131_021, 131_062], Some(Action::Unreachable)),
            (&[4, 80_007, 130_429, 131_056, 131_048, 133_016, 131_064], Some(Action::SlowDown)),
            (&[131_049, 130_472, 131_050], Some(Action::NotToday)),
            (&[131_051, 131_052, 131_053, 131_008, 131_009], Some(Action::FixContent)),
            (&[132_000, 132_001, 132_005, 132_007, 132_008, 132_012, 132_015, 132_016, 132_068, 132_069], Some(Action::FixTemplate)),
            (&[131_042], Some(Action::Pay)),
            (&[131_031, 368, 130_497, 131_037, 131_045, 133_010, 131_030], Some(Action::FixAccount)),
            (&[131_000, 131_016, 131_057, 135_000, 1, 2], None),
            (&[100, 999_999], None),
        ];
        for (codes, right) in table {
            for code in *codes {
                assert_eq!(action(*code), *right, "{code}");
            }
        }
        for code in [131_000, 131_016, 131_057, 135_000, 1, 2] {
            let error = service_error(&Refusal::told(&json!({ "code": code })));
            assert!(matches!(error, ServiceError::Temporary(_)), "{code}: {error:?}");
        }
    }

    #[test]
    fn what_failed_afterwards_is_not_said_to_be_tried_again() {
        for code in [131_000, 131_056, 130_429] {
            let (sentence, _) = fate(&Refusal::told(&json!({ "code": code, "title": "Something went wrong" })));
            assert!(sentence.to_string().contains("Send it again"), "{code}: {sentence}");
        }
    }

    #[test]
    fn an_error_beside_no_message_speaks_of_the_number() {
        for code in [130_429, 131_056, 131_000, 131_047, 131_026, 132_001, 131_031, 131_042, 190, 999_999] {
            let (_, sentence) = about_the_number(&Refusal::told(&json!({ "code": code, "title": "Something went wrong" })));
            let words = sentence.to_string();
            assert!(
                !words.contains("this message") && !words.contains("this customer") && !words.contains("end it again"),
                "{code}: {words}"
            );
        }
    }
}
