//! The hub's changes, one after the other, from a number on: the one place that knows what to do when a listener was too slow.

use std::collections::VecDeque;

use serde::Serialize;
use shopbell_core::changes::{Announced, Changes, Missed};
use shopbell_core::hub::Hub;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// One thing a listener hears.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Heard {
    /// A change.
    Change(Announced),
    /// Read everything again, and go on from `seq`.
    Reset {
        /// Always `"reset"`: what the screens tell it by.
        #[serde(rename = "type")]
        kind: &'static str,
        /// The number of the newest change.
        seq: u64,
    },
}

/// A place in the hub's changes.
pub struct Following {
    waiting: VecDeque<Heard>,
    receiver: Receiver<Announced>,
    /// The newest number handed out, so that a listener that fell behind knows where it stands.
    last: u64,
}

impl Following {
    /// Follows `hub` from the change after number `after`, or from now on.
    pub fn from(hub: &Hub, after: Option<u64>) -> Self {
        Self::of(hub.store.changes(), after)
    }

    fn of(changes: &Changes, after: Option<u64>) -> Self {
        let (receiver, missed) = changes.listen(after);
        let last = changes.latest();
        let waiting = match missed {
            Missed::Changes(changes) => changes.into_iter().map(Heard::Change).collect(),
            Missed::Everything => VecDeque::from([Heard::reset(last)]),
        };
        Self { waiting, receiver, last }
    }

    /// The next thing to hear; `None` when the hub is gone.
    pub async fn next(&mut self) -> Option<Heard> {
        if let Some(heard) = self.waiting.pop_front() {
            return Some(heard);
        }
        match self.receiver.recv().await {
            Ok(announced) => {
                self.last = announced.seq;
                Some(Heard::Change(announced))
            }
            Err(RecvError::Lagged(missed)) => {
                self.last += missed;
                Some(Heard::reset(self.last))
            }
            Err(RecvError::Closed) => None,
        }
    }
}

impl Heard {
    fn reset(seq: u64) -> Self {
        Self::Reset { kind: "reset", seq }
    }
}

#[cfg(test)]
mod tests {
    use shopbell_core::clock::Timestamp;
    use shopbell_core::model::Change;

    use super::*;

    async fn heard(following: &mut Following) -> serde_json::Value {
        serde_json::to_value(following.next().await).expect("it is JSON")
    }

    #[tokio::test]
    async fn changes_come_in_order_and_a_slow_listener_is_told_to_read_again() {
        let changes = Changes::starting_at(Timestamp::from_millis(1));
        let first = changes.latest() + 1;
        let mut following = Following::of(&changes, None);
        changes.announce(vec![Change::Settings]);
        assert_eq!(heard(&mut following).await, serde_json::json!({ "seq": first, "kind": "settings" }));

        changes.announce(vec![Change::Settings; 3000]);
        let reset = heard(&mut following).await;
        assert_eq!(reset["type"], "reset");
        // What is still to come follows the number that was named, without a gap.
        assert_eq!(heard(&mut following).await["seq"], reset["seq"].as_u64().expect("a number") + 1);
    }

    #[tokio::test]
    async fn a_listener_of_an_earlier_run_is_told_to_read_again() {
        let changes = Changes::starting_at(Timestamp::from_millis(9));
        let mut following = Following::of(&changes, Some(17));
        assert_eq!(heard(&mut following).await, serde_json::json!({ "type": "reset", "seq": changes.latest() }));
    }
}
