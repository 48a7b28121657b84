//! Versions of the Graph API: which one is used, and until when each works.
//!
//! The days are Meta's, <https://developers.facebook.com/docs/graph-api/changelog>.

use std::time::Duration;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use shopbell_core::clock::Timestamp;

/// What every test of this connector runs against.
const TESTED: &str = "v25.0";
/// How long before its end a version is warned about.
const WARNING: Duration = Duration::from_secs(90 * 24 * 3600);

/// The last day of each version that has one.
const ENDS: &[(u32, Date)] = &[
    (20, date(2026, 9, 24)),
    (21, date(2027, 1, 21)),
    (22, date(2027, 5, 20)),
    (23, date(2027, 10, 8)),
    (24, date(2028, 2, 18)),
    (25, date(2028, 7, 29)),
];

/// How much life a version has.
#[derive(Debug, PartialEq, Eq)]
pub enum Life {
    /// Enough, or nobody knows.
    Long,
    /// It ends on that day, soon.
    EndsOn(Date),
    /// It ended on that day.
    Ended(Date),
}

/// The version for who chooses none.
pub fn default() -> String {
    TESTED.to_owned()
}

/// The version as it stands in addresses; blank means the tested one.
pub fn of(typed: &str) -> &str {
    let typed = typed.trim();
    if typed.is_empty() { TESTED } else { typed }
}

/// Whether it is written as a version is.
pub fn is_one(typed: &str) -> bool {
    typed.trim().is_empty() || number(typed).is_some()
}

fn number(typed: &str) -> Option<u32> {
    let (major, minor) = typed.trim().strip_prefix('v')?.split_once('.')?;
    let is_number = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(major) && is_number(minor)).then(|| major.parse().ok()).flatten()
}

/// How much life a version has left. Versions older than the table ended before it begins.
pub fn life(typed: &str, now: Timestamp) -> Life {
    let Some(number) = number(of(typed)) else { return Life::Long };
    let end = match ENDS.iter().find(|(version, _)| *version == number) {
        Some((_, end)) => *end,
        None if number < ENDS[0].0 => ENDS[0].1,
        None => return Life::Long,
    };
    let ends_at = end.to_zoned(TimeZone::UTC).map_or(i64::MAX, |midnight| midnight.timestamp().as_millisecond());
    match Timestamp::from_millis(ends_at) {
        end_at if end_at <= now => Life::Ended(end),
        end_at if end_at.since(now) <= WARNING => Life::EndsOn(end),
        _ => Life::Long,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_warned_about_before_its_end() {
        let on = |year, month, day| Timestamp::from_millis(date(year, month, day).to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond());
        assert_eq!(life("v25.0", on(2026, 11, 21)), Life::Long);
        assert_eq!(life("v25.0", on(2028, 5, 1)), Life::EndsOn(date(2028, 7, 29)));
        assert_eq!(life("v20.0", on(2026, 11, 21)), Life::Ended(date(2026, 9, 24)));
        assert_eq!(life("v3.2", on(2026, 11, 21)), Life::Ended(date(2026, 9, 24)));
        assert_eq!(life("v99.0", on(2026, 11, 21)), Life::Long, "newer than what we know");
        assert_eq!(life("", on(2026, 11, 21)), Life::Long, "the tested one");
    }

    #[test]
    fn a_version_is_a_v_and_two_numbers() {
        assert!(["v25.0", " v26.0 ", ""].into_iter().all(is_one));
        assert!(!["25.0", "v25", "latest", "v2.x", "v25.0/me", "v25.0.1"].into_iter().any(is_one));
    }
}
