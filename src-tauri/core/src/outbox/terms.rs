//! On which terms a message may leave now: how many of its connection's, within which time after the customer's last word, and how soon after
//! the one before it.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::connector::{ChannelRules, ThreadPace};
use crate::model::{Author, Content};

/// What a connection may send now, and on which terms.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// How many messages.
    pub left: u32,
    /// See [`ChannelRules::reply_window`].
    pub reply_window: Option<Duration>,
    /// See [`ChannelRules::person_window`].
    pub person_window: Option<Duration>,
    /// See [`ChannelRules::thread_pace`].
    pub thread_pace: Option<ThreadPace>,
}

impl Terms {
    /// The terms of a channel, for `left` messages.
    pub fn of(rules: &ChannelRules, left: u32) -> Self {
        Self { left, reply_window: rules.reply_window, person_window: rules.person_window, thread_pace: rules.thread_pace }
    }

    /// Whether the time for free answers is over. The service would only refuse, and count the refusal against the shop.
    pub fn too_late(&self, author: &Author, content: &Content, last_in_at: Option<Timestamp>, now: Timestamp) -> bool {
        let Some(window) = self.reply_window else { return false };
        if matches!(content, Content::Template { .. }) {
            return false;
        }
        let window = match author {
            Author::Person { .. } => self.person_window.unwrap_or(window).max(window),
            Author::Agent { .. } | Author::Contact | Author::System => window,
        };
        last_in_at.is_none_or(|at| at.plus(window) <= now)
    }

    /// When the next message to one customer may leave, and what is noted of it when it leaves now (a leaky bucket, kept as the moment at
    /// which it would be empty again).
    pub fn paced(&self, empty_at: Timestamp, now: Timestamp) -> Paced {
        let Some(pace) = self.thread_pace else { return Paced::Now { empty_at } };
        let every = Duration::from_millis(pace.every_ms.into());
        let most = every * pace.burst.saturating_sub(1);
        let empty_at = empty_at.max(now);
        let wait = empty_at.since(now).saturating_sub(most);
        if wait.is_zero() { Paced::Now { empty_at: empty_at.plus(every) } } else { Paced::Later { at: now.plus(wait) } }
    }
}

/// See [`Terms::paced`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paced {
    /// It may leave.
    Now {
        /// What to note.
        empty_at: Timestamp,
    },
    /// Not before that.
    Later {
        /// When.
        at: Timestamp,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::AgentId;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn terms() -> Terms {
        Terms {
            left: 1,
            reply_window: Some(Duration::from_secs(24 * 3600)),
            person_window: Some(Duration::from_secs(7 * 24 * 3600)),
            thread_pace: Some(ThreadPace { every_ms: 6000, burst: 3 }),
        }
    }

    fn ago(seconds: i64) -> Option<Timestamp> {
        Some(Timestamp::from_millis(NOW.millis() - seconds * 1000))
    }

    #[test]
    fn the_window_closes_at_the_second_for_agents_and_later_for_persons() {
        let words = Content::Text { text: "oi".into() };
        let (agent, person) = (Author::Agent { id: AgentId::from("agt_1") }, Author::Person { id: None });
        assert!(!terms().too_late(&agent, &words, ago(24 * 3600 - 1), NOW));
        assert!(terms().too_late(&agent, &words, ago(24 * 3600), NOW));
        assert!(!terms().too_late(&person, &words, ago(24 * 3600), NOW));
        assert!(terms().too_late(&person, &words, ago(7 * 24 * 3600), NOW));
        assert!(terms().too_late(&person, &words, None, NOW), "who never wrote cannot be written to freely");
        assert!(!Terms { reply_window: None, ..terms() }.too_late(&agent, &words, None, NOW));
    }

    #[test]
    fn a_template_may_always_leave() {
        let template = Content::Template {
            id: "1".into(),
            name: "ready".into(),
            language: "pt_BR".into(),
            values: Default::default(),
            text: String::new(),
        };
        assert!(!terms().too_late(&Author::Person { id: None }, &template, None, NOW));
    }

    #[test]
    fn one_customer_gets_a_burst_and_then_one_message_per_interval() {
        let mut empty_at = Timestamp::default();
        for n in 0..3 {
            let Paced::Now { empty_at: next } = terms().paced(empty_at, NOW) else { panic!("message {n} had to wait") };
            empty_at = next;
        }
        let at = NOW.plus(Duration::from_secs(6));
        assert_eq!(terms().paced(empty_at, NOW), Paced::Later { at });
        assert!(matches!(terms().paced(empty_at, at), Paced::Now { .. }));
    }
}
