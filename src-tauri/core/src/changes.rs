//! "Conversation cnv_… changed" → every listener, with a number.
//!
//! Announced after each commit. A listener that was away asks for what came since its last number; when that is too long ago it
//! is told to read everything again. Numbers start at the hub's start time, so a number of an earlier run is never mistaken.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::broadcast;

use crate::clock::Timestamp;
use crate::id::ConnectionId;
use crate::model::Change;

/// How many changes are remembered.
const KEPT: usize = 4096;
/// How many beginnings a listener may be behind before it looks for itself.
const BEGINNINGS: usize = 256;

/// A change and its number.
#[derive(Clone, Debug, serde::Serialize, ts_rs::TS)]
pub struct Announced {
    /// Grows with every change.
    #[ts(type = "number")]
    pub seq: u64,
    /// What changed.
    #[serde(flatten)]
    pub change: Change,
}

/// A conversation that has begun. Told apart from the changes, because a visitor who has not written yet knows their thread and no id:
/// they need not ask the store at every message of everybody else whether it was theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Over which connection.
    pub connection: ConnectionId,
    /// The place at the service.
    pub thread: String,
}

/// Where listeners stand after a pause.
#[derive(Debug)]
pub enum Missed {
    /// These came meanwhile.
    Changes(Vec<Announced>),
    /// Too many, or another run of the hub: read everything again.
    Everything,
}

/// The announcer.
pub struct Changes {
    sender: broadcast::Sender<Announced>,
    begun: broadcast::Sender<Begun>,
    kept: Mutex<Kept>,
}

struct Kept {
    next: u64,
    recent: VecDeque<Announced>,
}

impl Changes {
    /// An announcer whose numbers start at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        let next = u64::try_from(start.millis()).unwrap_or(0).saturating_mul(1000);
        let kept = Mutex::new(Kept { next, recent: VecDeque::new() });
        Self { sender: broadcast::channel(1024).0, begun: broadcast::channel(BEGINNINGS).0, kept }
    }

    /// Announces conversations that have begun.
    pub fn announce_begun(&self, begun: Vec<Begun>) {
        for one in begun {
            // Nobody waiting is the usual case.
            drop(self.begun.send(one));
        }
    }

    /// Waits in `beginnings` (from [`Changes::beginnings`]) until the conversation of that thread may have begun.
    pub async fn began(beginnings: &mut broadcast::Receiver<Begun>, connection: &ConnectionId, thread: &str) {
        loop {
            match beginnings.recv().await {
                Ok(begun) if begun.connection == *connection && begun.thread == thread => return,
                Ok(_) => {}
                // Too many to be told one by one: whoever waits looks for itself.
                Err(broadcast::error::RecvError::Lagged(_)) => return,
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// Hears of conversations that begin from now on.
    pub fn beginnings(&self) -> broadcast::Receiver<Begun> {
        self.begun.subscribe()
    }

    /// Announces `changes` in order.
    pub fn announce(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut kept = self.kept.lock().expect("nothing panics while it is held");
        for change in changes {
            let announced = Announced { seq: kept.next, change };
            kept.next += 1;
            if kept.recent.len() == KEPT {
                kept.recent.pop_front();
            }
            kept.recent.push_back(announced.clone());
            // Nobody listening is fine: whoever comes later reads the store.
            drop(self.sender.send(announced));
        }
    }

    /// Listens from now on, and learns what was missed since `last` (the number of the last change that was seen).
    pub fn listen(&self, last: Option<u64>) -> (broadcast::Receiver<Announced>, Missed) {
        let kept = self.kept.lock().expect("nothing panics while it is held");
        let receiver = self.sender.subscribe();
        let missed = match last {
            None => Missed::Changes(Vec::new()),
            // A browser may send any number: the largest one has no successor.
            Some(last) if last.checked_add(1) == Some(kept.next) => Missed::Changes(Vec::new()),
            Some(last) if last < kept.next && kept.recent.front().is_some_and(|oldest| oldest.seq <= last + 1) => {
                Missed::Changes(kept.recent.iter().filter(|announced| announced.seq > last).cloned().collect())
            }
            Some(_) => Missed::Everything,
        };
        (receiver, missed)
    }

    /// The number of the newest change.
    pub fn latest(&self) -> u64 {
        self.kept.lock().expect("nothing panics while it is held").next.saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(n: usize) -> Vec<Change> {
        vec![Change::Settings; n]
    }

    #[test]
    fn a_listener_that_was_away_gets_exactly_what_it_missed() {
        let changes = Changes::starting_at(Timestamp::from_millis(5));
        changes.announce(settings(3));
        let last = changes.latest();
        changes.announce(settings(2));
        let (_, missed) = changes.listen(Some(last));
        assert!(matches!(missed, Missed::Changes(list) if list.iter().map(|c| c.seq).collect::<Vec<_>>() == [last + 1, last + 2]));
    }

    #[test]
    fn a_listener_of_an_earlier_run_or_too_long_away_reads_everything_again() {
        let changes = Changes::starting_at(Timestamp::from_millis(5));
        assert!(matches!(changes.listen(Some(17)).1, Missed::Everything), "a number of an earlier run");
        assert!(matches!(changes.listen(Some(u64::MAX)).1, Missed::Everything), "a number that nobody gave");
        changes.announce(settings(KEPT + 10));
        assert!(matches!(changes.listen(Some(5000)).1, Missed::Everything), "more than is remembered");
    }
}
