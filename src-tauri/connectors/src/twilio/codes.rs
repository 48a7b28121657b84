//! Twilio's error codes, sorted by what to do about them: <https://www.twilio.com/docs/api/errors>.
//!
//! The same code may come as the answer to a call or, later, with a status. [`meaning`] says it once for both.

use std::time::Duration;

use shopbell_core::connector::{Action, Evidence, ServiceError};
use shopbell_core::error::Sentence;
use shopbell_core::say;

/// How long WhatsApp's own limits of a number are waited for before the next try.
const LIMIT_WAIT: Duration = Duration::from_secs(60);

/// What a code means.
#[derive(Debug)]
enum Meaning {
    /// The credentials are not accepted.
    Unauthorized,
    /// Too fast.
    Slow,
    /// Trouble of the provider's own; it passes.
    Passing,
    /// Somebody has to do something.
    Act(Action, Sentence),
    /// Not in the list.
    Unknown,
}

/// The refusal of a call.
pub fn refusal(code: i64, words: &str, retry_after: Option<Duration>) -> ServiceError {
    match meaning(code) {
        Meaning::Unauthorized => unauthorized(),
        Meaning::Slow => ServiceError::RateLimited { retry_after: retry_after.or((code == 63018).then_some(LIMIT_WAIT)) },
        Meaning::Passing => trouble(code),
        Meaning::Act(action, sentence) => ServiceError::Refused { action, sentence },
        Meaning::Unknown => ServiceError::Permanent(refused(code, words)),
    }
}

/// What a status says of a message that did not arrive.
pub fn failure(code: Option<i64>, words: Option<&str>) -> Evidence {
    let words = words.map(str::trim).filter(|words| !words.is_empty());
    let (reason, action) = match (code.map(|code| (code, meaning(code))), words) {
        (None, None) => (say!("Twilio could not deliver this and does not say why."), None),
        (None, Some(words)) => (refused(0, words), None),
        (Some((_, Meaning::Act(action, sentence))), _) => (sentence, Some(action)),
        (Some((_, Meaning::Unauthorized)), _) => (unauthorized().sentence(), Some(Action::Reauthorise)),
        (Some((_, Meaning::Slow)), _) => {
            (say!("WhatsApp takes no more messages from this number for now. Send it again later."), Some(Action::SlowDown))
        }
        (Some((code, Meaning::Passing)), _) => {
            (say!("The message got lost on its way at Twilio or the carrier ({code}). Send it again.", code = code), None)
        }
        (Some((code, Meaning::Unknown)), words) => (refused(code, words.unwrap_or_default()), None),
    };
    Evidence::Failed { reason, action }
}

/// Trouble of Twilio's own.
pub fn trouble(code: i64) -> ServiceError {
    ServiceError::Temporary(say!("Twilio has trouble of its own ({code}). We try again.", code = code))
}

/// The sentence for credentials that are not, or no longer, good.
pub fn unauthorized() -> ServiceError {
    ServiceError::Unauthorized(say!(
        "Twilio does not accept the Account SID with this Auth Token. Copy both again from the first page of the Twilio Console."
    ))
}

fn refused(code: i64, words: &str) -> Sentence {
    match (code, words) {
        (code, "") => say!("Twilio refused this with code {code}.", code = code),
        (0, words) => say!("Twilio refused this: {words}", words = words),
        (code, words) => say!("Twilio refused this ({code}): {words}", code = code, words = words),
    }
}

fn meaning(code: i64) -> Meaning {
    use Action::{Blocked, FixAccount, FixContent, FixTemplate, GrantPermission, NotToday, Unreachable, UseTemplate};
    use Meaning::{Act, Passing, Slow, Unauthorized, Unknown};
    match code {
        20003 | 20006 => Unauthorized,
        20429 | 14107 | 63018 | 63017 => Slow,
        // The provider's own trouble, a full queue, an unknown error of a carrier or of WhatsApp.
        20500 | 20503 | 30001 | 30008 | 30017 | 63012 | 63002 => Passing,
        63016 => Act(
            UseTemplate,
            say!(
                "The customer last wrote more than 24 hours ago. Until they write again, WhatsApp lets only an approved template through."
            ),
        ),
        63003 | 63024 | 30003 | 30005 | 30006 | 30004 => {
            Act(Unreachable, say!("This number cannot be reached here. It may be switched off, wrong, or not on this service."))
        }
        21211 | 21214 | 21217 | 21614 | 21421 => Act(Unreachable, say!("This is not a number that messages can be sent to.")),
        63015 => Act(
            Unreachable,
            say!("This customer has not joined your WhatsApp sandbox. They first send join and your two words to +1 415 523 8886."),
        ),
        63032 => Act(NotToday, say!("WhatsApp is making a test with this customer and holds messages back. Do not send it again today.")),
        63049 => Act(NotToday, say!("WhatsApp does not show this customer more advertising for now. Wait a day before the next one.")),
        63019 | 11751 | 63005 | 63021 | 21620 | 21623 | 30019 => {
            Act(FixContent, say!("WhatsApp or the carrier does not take this file or text. Send another kind of file, or a smaller one."))
        }
        21617 | 21605 => {
            Act(FixContent, say!("This text is longer than the {limit} characters that Twilio takes.", limit = super::LONGEST))
        }
        30007 => Act(FixContent, say!("The carrier took this message for spam. Use other words and leave out shortened links.")),
        63027 | 63028 | 63030 | 21655 | 21656 => {
            Act(FixTemplate, say!("The template does not fit: it is not there in this language, or not all of its gaps are filled in."))
        }
        63040..=63042 => Act(FixTemplate, say!("WhatsApp refused, paused or switched off this template. Choose another one.")),
        21610 | 63033 => Act(Blocked, say!("This customer does not want messages any more. They can write START to get them again.")),
        21408 => Act(
            GrantPermission,
            say!(
                "Your Twilio account may not write to this country. Switch it on in the Twilio Console under Messaging, Settings, Geo permissions."
            ),
        ),
        21608 => Act(
            FixAccount,
            say!(
                "A trial account writes only to numbers that were verified. Verify this number in the Twilio Console, or upgrade the account."
            ),
        ),
        30032 | 30034 => Act(
            FixAccount,
            say!(
                "Carriers in the USA refuse messages from a number that is not registered. Register it in the Twilio Console under Messaging, Regulatory compliance."
            ),
        ),
        63007 | 21212 | 21603 | 21606 | 21659 | 21660 | 21611 => Act(
            FixAccount,
            say!("Twilio does not know this connection's number as one of yours for this service. Check the phone number in the settings."),
        ),
        20005 | 10001 | 30002 | 63020 | 63051 | 90010 => {
            Act(FixAccount, say!("The account is locked at Twilio or at Meta. Open the Twilio Console; it says what is missing there."))
        }
        63038 => Act(
            FixAccount,
            say!("The account has sent as many messages as it may in a day. Upgrade it in the Twilio Console, or wait until tomorrow."),
        ),
        _ => Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_sheet_ends_in_what_to_do() {
        let actions = [
            (63016, Action::UseTemplate),
            (63003, Action::Unreachable),
            (63024, Action::Unreachable),
            (63015, Action::Unreachable),
            (21211, Action::Unreachable),
            (21614, Action::Unreachable),
            (63032, Action::NotToday),
            (63049, Action::NotToday),
            (63019, Action::FixContent),
            (63021, Action::FixContent),
            (11751, Action::FixContent),
            (63005, Action::FixContent),
            (21617, Action::FixContent),
            (63007, Action::FixAccount),
            (21610, Action::Blocked),
        ];
        for (code, action) in actions {
            let error = refusal(code, "words", None);
            assert!(matches!(&error, ServiceError::Refused { .. }), "{code}: {error:?}");
            assert_eq!(error.action(), Some(action), "{code}");
            let Evidence::Failed { reason, action: told } = failure(Some(code), Some("words")) else { panic!("{code}") };
            assert_eq!((told, reason.to_string()), (Some(action), error.sentence().to_string()), "{code}: both ways say the same");
        }
        assert!(matches!(refusal(20003, "", None), ServiceError::Unauthorized(_)));
        let wait = Some(Duration::from_secs(7));
        assert!(matches!(refusal(20429, "", wait), ServiceError::RateLimited { retry_after } if retry_after == wait));
        assert!(matches!(refusal(63018, "", None), ServiceError::RateLimited { retry_after: Some(LIMIT_WAIT) }));
        assert!(matches!(failure(Some(63018), None), Evidence::Failed { action: Some(Action::SlowDown), .. }));
        for code in [63012, 30008] {
            assert!(matches!(refusal(code, "", None), ServiceError::Temporary(_)), "{code}");
        }
    }

    #[test]
    fn a_code_that_nobody_knows_keeps_twilios_words() {
        let said = |evidence| match evidence {
            Evidence::Failed { reason, action: None } => reason.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(said(failure(Some(99_999), Some("The moon {x}"))), "Twilio refused this (99999): The moon {x}");
        assert_eq!(said(failure(Some(99_999), None)), "Twilio refused this with code 99999.");
        assert_eq!(said(failure(None, Some("Why"))), "Twilio refused this: Why");
        assert_eq!(said(failure(None, Some(" "))), "Twilio could not deliver this and does not say why.");
        assert!(matches!(refusal(99_999, "words", None), ServiceError::Permanent(words) if words.to_string().contains("words")));
    }
}
