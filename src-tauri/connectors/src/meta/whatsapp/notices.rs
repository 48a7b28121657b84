//! What Meta tells of the account, its numbers and its templates: lines that the owner sees until something newer replaces them.

use serde_json::Value;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::Event;
use shopbell_core::connector::NoticeLevel::{self, Info, Problem, Warning};
use shopbell_core::error::Sentence;
use shopbell_core::say;

use super::parse::{text, time};

/// One change that is not about messages. Fields that say nothing to an owner are nothing to do.
pub fn notices(field: &str, value: &Value, at: Timestamp) -> Vec<Event> {
    if field == "account_update" && value["event"] == "ACCOUNT_RESTRICTION" {
        return restrictions(value, at);
    }
    vec![notice(field, value, at)]
}

fn notice(field: &str, value: &Value, at: Timestamp) -> Event {
    let told = match field {
        "message_template_status_update" => template_status(value),
        "message_template_quality_update" => template_quality(value),
        "template_category_update" => template_category(value),
        "account_update" => account(value),
        "account_alerts" => alert(value),
        "account_review_update" => review(value),
        "phone_number_quality_update" => quality(value),
        "phone_number_name_update" => name(value),
        "business_capability_update" => capability(value),
        "security" => security(value),
        _ => None,
    };
    match told {
        Some((key, level, sentence)) => Event::Notice { key, level, sentence, at },
        None => {
            let event = text(&value["event"]).map(|event| format!(" {event}")).unwrap_or_default();
            Event::Nothing { what: format!("{field}{event}").chars().take(120).collect() }
        }
    }
}

type Told = Option<(String, NoticeLevel, Sentence)>;

fn template(value: &Value) -> Option<(&str, &str)> {
    let name = text(&value["message_template_name"])?;
    Some((name, text(&value["message_template_language"]).unwrap_or("?")))
}

fn template_status(value: &Value) -> Told {
    let (name, language) = template(value)?;
    let event = text(&value["event"])?;
    let reason = text(&value["reason"]).filter(|reason| *reason != "NONE").map(plain);
    let (level, sentence) = match event {
        "APPROVED" | "REINSTATED" => {
            (Info, say!("The template {name} ({language}) is approved and can be sent.", name = name, language = language))
        }
        "REJECTED" => (
            Problem,
            match reason {
                Some(reason) => say!(
                    "Meta refused the template {name} ({language}): {reason}. Change it in WhatsApp Manager and hand it in again.",
                    name = name,
                    language = language,
                    reason = reason
                ),
                None => say!(
                    "Meta refused the template {name} ({language}) and gave no reason. Change it in WhatsApp Manager and hand it in again.",
                    name = name,
                    language = language
                ),
            },
        ),
        "PAUSED" => (
            Warning,
            say!(
                "The template {name} ({language}) is paused because customers complained of it. It cannot be sent for now.",
                name = name,
                language = language
            ),
        ),
        "DISABLED" => (
            Problem,
            say!(
                "The template {name} ({language}) was switched off because customers complained of it. Use another one.",
                name = name,
                language = language
            ),
        ),
        "FLAGGED" => (
            Warning,
            say!(
                "Customers complain of the template {name} ({language}). If that goes on, Meta pauses it.",
                name = name,
                language = language
            ),
        ),
        "PENDING_DELETION" => {
            (Warning, say!("The template {name} ({language}) is being deleted at Meta. Use another one.", name = name, language = language))
        }
        "DELETED" => (Info, say!("The template {name} ({language}) was deleted at Meta.", name = name, language = language)),
        "ARCHIVED" => (
            Warning,
            say!(
                "The template {name} ({language}) was put into the archive at Meta. Take it out in WhatsApp Manager to send it again.",
                name = name,
                language = language
            ),
        ),
        "PENDING" | "IN_APPEAL" => (Info, say!("Meta looks at the template {name} ({language}).", name = name, language = language)),
        other => (Info, say!("The template {name} ({language}) is now: {state}.", name = name, language = language, state = plain(other))),
    };
    Some((format!("template:{name}:{language}"), level, sentence))
}

fn template_quality(value: &Value) -> Told {
    let (name, language) = template(value)?;
    let (level, sentence) = match text(&value["new_quality_score"])? {
        "RED" => (
            Warning,
            say!(
                "Customers complain of the template {name} ({language}). If that goes on, Meta pauses it.",
                name = name,
                language = language
            ),
        ),
        "YELLOW" => {
            (Warning, say!("The template {name} ({language}) is received less well than before.", name = name, language = language))
        }
        _ => (Info, say!("The template {name} ({language}) is received well.", name = name, language = language)),
    };
    Some((format!("template_quality:{name}:{language}"), level, sentence))
}

fn template_category(value: &Value) -> Told {
    let (name, language) = template(value)?;
    let new = text(&value["new_category"]).or_else(|| text(&value["correct_category"]))?;
    let sentence = say!(
        "Meta counts the template {name} ({language}) as {category}. What it costs may change.",
        name = name,
        language = language,
        category = plain(new)
    );
    Some((format!("template_category:{name}:{language}"), Info, sentence))
}

fn account(value: &Value) -> Told {
    let event = text(&value["event"])?;
    let (key, level, sentence) = match event {
        "ACCOUNT_DELETED" => ("state", Problem, say!("This WhatsApp account was deleted at Meta. No message comes or goes any more.")),
        "DISABLED_UPDATE" => match text(&value["ban_info"]["waba_ban_state"]) {
            Some("REINSTATE") => ("state", Info, say!("Meta has unlocked this WhatsApp account again.")),
            Some("SCHEDULE_FOR_DISABLE") => {
                ("state", Problem, say!("Meta is about to lock this WhatsApp account. Look at Account Quality in Meta Business Suite."))
            }
            _ => ("state", Problem, say!("Meta has locked this WhatsApp account. Look at Account Quality in Meta Business Suite.")),
        },
        "ACCOUNT_VIOLATION" => {
            let sentence = match text(&value["violation_info"]["violation_type"]) {
                Some(what) => say!(
                    "Meta says that this WhatsApp account broke its rules: {what}. Look at Account Quality in Meta Business Suite.",
                    what = plain(what)
                ),
                None => say!("Meta says that this WhatsApp account broke its rules. Look at Account Quality in Meta Business Suite."),
            };
            ("violation", Problem, sentence)
        }
        "ACCOUNT_OFFBOARDED" | "PARTNER_REMOVED" | "PARTNER_APP_UNINSTALLED" => (
            "link",
            Problem,
            say!("This WhatsApp account is no longer linked with the app. Connect it again, or no message comes or goes."),
        ),
        "ACCOUNT_RECONNECTED" | "PARTNER_ADDED" | "PARTNER_APP_INSTALLED" => {
            ("link", Info, say!("This WhatsApp account is linked with the app."))
        }
        "VERIFIED_ACCOUNT" => ("verified", Info, say!("Meta has verified the business behind this WhatsApp account.")),
        _ => return None,
    };
    Some((format!("account:{key}"), level, sentence))
}

/// What Meta does not let the account do any more, each with its own end: one is often over before another.
fn restrictions(value: &Value, at: Timestamp) -> Vec<Event> {
    let listed = value["restriction_info"].as_array().into_iter().flatten();
    let mut told: Vec<Event> = listed
        .map(|one| {
            let kind = text(&one["restriction_type"]).unwrap_or_default();
            let sentence = restriction(kind, text_date(&one["expiration"]));
            Event::Notice {
                key: format!("account:restriction:{}", kind.chars().take(60).collect::<String>()),
                level: Problem,
                sentence,
                at,
            }
        })
        .collect();
    if told.is_empty() {
        told.push(Event::Notice { key: "account:restriction".into(), level: Problem, sentence: restriction("", None), at });
    }
    told
}

fn restriction(kind: &str, until: Option<String>) -> Sentence {
    match (kind, until) {
        ("RESTRICTED_BIZ_INITIATED_MESSAGING", Some(date)) => {
            say!(
                "Until {date} Meta lets this WhatsApp account only answer customers, not write first. Look at Account Quality in Meta Business Suite.",
                date = date
            )
        }
        ("RESTRICTED_BIZ_INITIATED_MESSAGING", None) => {
            say!("Meta lets this WhatsApp account only answer customers, not write first. Look at Account Quality in Meta Business Suite.")
        }
        ("RESTRICTED_CUSTOMER_INITIATED_MESSAGING", Some(date)) => {
            say!(
                "Until {date} Meta does not let this WhatsApp account answer customers. Look at Account Quality in Meta Business Suite.",
                date = date
            )
        }
        ("RESTRICTED_CUSTOMER_INITIATED_MESSAGING", None) => {
            say!("Meta does not let this WhatsApp account answer customers. Look at Account Quality in Meta Business Suite.")
        }
        ("RESTRICTED_ADD_PHONE_NUMBER_ACTION", Some(date)) => {
            say!(
                "Until {date} Meta does not let this WhatsApp account add phone numbers. Look at Account Quality in Meta Business Suite.",
                date = date
            )
        }
        ("RESTRICTED_ADD_PHONE_NUMBER_ACTION", None) => {
            say!("Meta does not let this WhatsApp account add phone numbers. Look at Account Quality in Meta Business Suite.")
        }
        ("", _) => say!("Meta restricts this WhatsApp account. Look at Account Quality in Meta Business Suite."),
        (other, Some(date)) => say!(
            "Until {date} Meta restricts this WhatsApp account: {what}. Look at Account Quality in Meta Business Suite.",
            date = date,
            what = plain(other)
        ),
        (other, None) => {
            say!("Meta restricts this WhatsApp account: {what}. Look at Account Quality in Meta Business Suite.", what = plain(other))
        }
    }
}

/// A day as everybody reads it: "2022-01-04".
fn text_date(value: &Value) -> Option<String> {
    let at = time(value);
    (at != Timestamp::default()).then(|| at.to_jiff().strftime("%Y-%m-%d").to_string())
}

fn alert(value: &Value) -> Told {
    let info = if value["alert_info"].is_object() { &value["alert_info"] } else { value };
    let kind = text(&info["alert_type"])?;
    let words = text(&info["alert_description"]).map_or_else(|| plain(kind), |words| words.chars().take(300).collect());
    let level = match text(&info["alert_severity"]) {
        Some("CRITICAL") => Problem,
        Some("WARNING") => Warning,
        _ => Info,
    };
    let sentence = say!("Meta about this WhatsApp account: {words}", words = words);
    Some((format!("alert:{}", kind.chars().take(60).collect::<String>()), level, sentence))
}

fn review(value: &Value) -> Told {
    let (level, sentence) = match text(&value["decision"])? {
        "APPROVED" => (Info, say!("Meta has approved this WhatsApp account.")),
        "REJECTED" => (Problem, say!("Meta has not approved this WhatsApp account. Look at Account Quality in Meta Business Suite.")),
        _ => return None,
    };
    Some(("account:review".into(), level, sentence))
}

fn number(value: &Value) -> String {
    text(&value["display_phone_number"]).map_or_else(|| "?".into(), |number| number.chars().take(30).collect())
}

fn quality(value: &Value) -> Told {
    let limit = text(&value["current_limit"]).map(limit);
    let told = match (text(&value["event"])?, limit) {
        ("DOWNGRADE" | "UPGRADE" | "ONBOARDING", Some(None)) => {
            let sentence =
                say!("With the number {number} the shop may write first to as many customers a day as it likes.", number = number(value));
            ("limit", Info, sentence)
        }
        ("FLAGGED", _) => {
            let sentence = say!(
                "Customers block or report the number {number}. Write less and only what is expected, or Meta lowers its limit.",
                number = number(value)
            );
            ("quality", Warning, sentence)
        }
        ("UNFLAGGED", _) => ("quality", Info, say!("The quality of the number {number} is good again.", number = number(value))),
        ("DOWNGRADE", Some(Some(limit))) => {
            let sentence = say!(
                "Meta lowered the limit of the number {number}: the shop may write first to {limit} customers a day.",
                number = number(value),
                limit = limit
            );
            ("limit", Warning, sentence)
        }
        ("UPGRADE" | "ONBOARDING", Some(Some(limit))) => {
            let sentence = say!(
                "With the number {number} the shop may write first to {limit} customers a day.",
                number = number(value),
                limit = limit
            );
            ("limit", Info, sentence)
        }
        ("THROUGHPUT_UPGRADE", _) => {
            ("throughput", Info, say!("The number {number} may send more messages a second now.", number = number(value)))
        }
        _ => return None,
    };
    Some((told.0.to_owned(), told.1, told.2))
}

/// "TIER_10K" as a person writes it: "10000"; `None` = there is no limit.
fn limit(tier: &str) -> Option<String> {
    let tier = tier.trim_start_matches("TIER_");
    match tier.strip_suffix('K') {
        Some(thousands) => Some(format!("{thousands}000")),
        None if tier == "UNLIMITED" => None,
        None => Some(plain(tier)),
    }
}

fn name(value: &Value) -> Told {
    let asked = text(&value["requested_verified_name"]).unwrap_or("?");
    let (level, sentence) = match text(&value["decision"])? {
        "APPROVED" => (Info, say!("Meta approved the display name {name}.", name = asked)),
        "REJECTED" => {
            let sentence = match text(&value["rejection_reason"]).filter(|reason| *reason != "NONE") {
                Some(reason) => say!(
                    "Meta refused the display name {name}: {reason}. Choose another one in WhatsApp Manager.",
                    name = asked,
                    reason = plain(reason)
                ),
                None => {
                    say!("Meta refused the display name {name} and gave no reason. Choose another one in WhatsApp Manager.", name = asked)
                }
            };
            (Problem, sentence)
        }
        _ => return None,
    };
    Some(("name".into(), level, sentence))
}

fn capability(value: &Value) -> Told {
    let told = ["max_daily_conversations_per_business", "max_daily_conversation_per_phone"].into_iter().find_map(|name| {
        let limited = &value[name];
        text(limited).map(limit).or_else(|| limited.as_i64().map(|limit| (limit >= 0).then(|| limit.to_string())))
    })?;
    let sentence = match told {
        Some(limit) => say!("The shop may write first to {limit} customers a day.", limit = limit),
        None => say!("The shop may write first to as many customers a day as it likes."),
    };
    Some(("limit".into(), Info, sentence))
}

fn security(value: &Value) -> Told {
    let event = text(&value["event"])?;
    let sentence = match event {
        "PIN_CHANGED" => say!(
            "The PIN of the number {number} was changed. If nobody of the shop did that, change it in WhatsApp Manager.",
            number = number(value)
        ),
        "PIN_RESET_REQUEST" => say!(
            "Somebody asked to reset the PIN of the number {number}. If nobody of the shop did that, look at WhatsApp Manager.",
            number = number(value)
        ),
        "PIN_RESET_SUCCESS" => {
            say!("The PIN of the number {number} was switched off. Set a new one in WhatsApp Manager.", number = number(value))
        }
        _ => return None,
    };
    Some((format!("security:{event}"), Warning, sentence))
}

/// "INCORRECT_CATEGORY" as words: "incorrect category".
fn plain(code: &str) -> String {
    code.chars().take(120).collect::<String>().to_lowercase().replace('_', " ")
}
