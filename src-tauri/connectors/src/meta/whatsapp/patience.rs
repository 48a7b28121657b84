//! What is remembered between two calls: how often a customer or a number had to wait, and when typing was shown last.
//!
//! Meta names no time to wait and suggests 4^n seconds, so somebody has to count. It is forgotten with the program, which costs one refusal.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use shopbell_core::clock::Timestamp;

use super::errors::FIRST_PAUSE;
use crate::loopback::lock;

/// Pauses grow up to 4^4 seconds.
const LONGEST: u32 = 4;
/// How long after a pause the next one counts as a further one.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Typing is shown for 25 seconds; it is told again only near the end.
const TYPING: Duration = Duration::from_secs(20);
/// Entries that are kept; the eldest go first.
const MOST: usize = 10_000;

/// What is remembered between two calls.
#[derive(Default)]
pub struct Patience {
    pauses: Mutex<HashMap<String, (u32, Timestamp)>>,
    typing: Mutex<HashMap<String, Timestamp>>,
}

impl Patience {
    /// How long `whom` waits this time: 4 s, 16 s, 64 s, 256 s, each a little longer by chance so that waiting messages do not come all
    /// at once.
    pub fn pause(&self, whom: &str, now: Timestamp) -> Duration {
        let mut pauses = lock(&self.pauses);
        trim(&mut pauses, |(_, until)| *until);
        let entry = pauses.entry(whom.to_owned()).or_insert((0, now));
        let is_further = now <= entry.1.plus(REMEMBERED);
        entry.0 = if is_further { (entry.0 + 1).min(LONGEST) } else { 1 };
        let pause = FIRST_PAUSE * 4_u32.pow(entry.0 - 1);
        let pause = pause + pause.mul_f64(chance() / 5.0);
        entry.1 = now.plus(pause);
        pause
    }

    /// A message got through.
    pub fn went_well(&self, whom: &str) {
        lock(&self.pauses).remove(whom);
    }

    /// Whether typing is to be told now; it is shown already otherwise.
    pub fn wants_typing(&self, thread: &str, now: Timestamp) -> bool {
        let mut typing = lock(&self.typing);
        trim(&mut typing, |told| *told);
        if typing.get(thread).is_some_and(|told| now.since(*told) < TYPING) {
            return false;
        }
        typing.insert(thread.to_owned(), now);
        true
    }

    /// A message ends the typing that is shown; so does a call that failed.
    pub fn typing_ended(&self, thread: &str) {
        lock(&self.typing).remove(thread);
    }
}

fn trim<T>(entries: &mut HashMap<String, T>, at: impl Fn(&T) -> Timestamp) {
    if entries.len() < MOST {
        return;
    }
    let mut times: Vec<Timestamp> = entries.values().map(&at).collect();
    times.sort_unstable();
    let middle = times[times.len() / 2];
    entries.retain(|_, entry| at(entry) > middle);
}

/// Between 0 and 1.
fn chance() -> f64 {
    let mut byte = [0_u8];
    // Without chance there is no jitter, which is no reason to fail.
    if getrandom::fill(&mut byte).is_err() {
        return 0.5;
    }
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_further_pause_is_four_times_as_long_until_a_message_gets_through() {
        let patience = Patience::default();
        let mut now = Timestamp::from_seconds(1_000_000);
        let mut seconds = Vec::new();
        for _ in 0..5 {
            let pause = patience.pause("a", now);
            seconds.push(pause.as_secs_f64());
            now = now.plus(pause);
        }
        for (pause, least) in seconds.iter().zip([4.0, 16.0, 64.0, 256.0, 256.0]) {
            assert!((least..=least * 1.2).contains(pause), "{seconds:?}");
        }
        assert!(patience.pause("b", now).as_secs_f64() < 5.0, "others do not pay for it");
        patience.went_well("a");
        assert!(patience.pause("a", now).as_secs_f64() < 5.0);
        assert!(patience.pause("a", now.plus(Duration::from_secs(3600))).as_secs_f64() < 5.0, "old troubles are forgotten");
    }

    #[test]
    fn typing_is_told_again_only_near_its_end() {
        let patience = Patience::default();
        let now = Timestamp::from_seconds(1_000_000);
        assert!(patience.wants_typing("a", now));
        assert!(!patience.wants_typing("a", now.plus(Duration::from_secs(19))));
        assert!(patience.wants_typing("a", now.plus(Duration::from_secs(20))));
        patience.typing_ended("a");
        assert!(patience.wants_typing("a", now.plus(Duration::from_secs(21))), "an answer ended it");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let patience = Patience::default();
        for number in 0..30_000 {
            patience.pause(&number.to_string(), Timestamp::from_seconds(number));
        }
        assert!(lock(&patience.pauses).len() <= MOST);
    }
}
