//! The open streams: how many in all, and how many of one visitor. Tabs share one, so a visitor needs few; who opens more than that gets
//! the newest ones, because the oldest are most likely lines that broke without our hearing of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::session::Visitor;
use crate::id::ConnectionId;

/// Streams at the same time; the other connections stay free for hooks.
const ALL: usize = 600;
/// Streams of one visitor at the same time.
pub const PER_VISITOR: usize = 6;

type Key = (ConnectionId, String);
/// Each visitor's streams by their numbers, oldest first.
type Open = HashMap<Key, VecDeque<(u64, CancellationToken)>>;

/// The streams that are open.
pub struct Streams {
    all: Arc<Semaphore>,
    of: Arc<Mutex<Open>>,
    next: std::sync::atomic::AtomicU64,
}

/// An open stream's place; free again when dropped.
pub struct Place {
    number: u64,
    key: Key,
    /// Told when a newer stream of the same visitor takes its place.
    pub ended: CancellationToken,
    of: Arc<Mutex<Open>>,
    _permit: OwnedSemaphorePermit,
}

impl Default for Streams {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(ALL)), of: Arc::default(), next: std::sync::atomic::AtomicU64::new(0) }
    }
}

impl Streams {
    /// A place for one more stream of `visitor`; none when all are taken. A visitor's oldest one ends for it where they have too many.
    pub fn begin(&self, visitor: &Visitor) -> Option<Place> {
        let permit = self.all.clone().try_acquire_owned().ok()?;
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (key, ended) = ((visitor.connection.clone(), visitor.name.clone()), CancellationToken::new());
        let mut of = self.of.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let own = of.entry(key.clone()).or_default();
        own.push_back((number, ended.clone()));
        while own.len() > PER_VISITOR
            && let Some((_, oldest)) = own.pop_front()
        {
            oldest.cancel();
        }
        drop(of);
        Some(Place { number, key, ended, of: self.of.clone(), _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of = self.of.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(own) = of.get_mut(&self.key) {
            own.retain(|(number, _)| *number != self.number);
            if own.is_empty() {
                of.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::PostedPage;

    fn visitor(name: &str) -> Visitor {
        Visitor { connection: "con_1".into(), name: name.into(), locale: None, page: PostedPage::default() }
    }

    #[test]
    fn the_oldest_of_too_many_streams_ends_and_nobody_elses() {
        let streams = Streams::default();
        let other = streams.begin(&visitor("b")).unwrap();
        let own: Vec<Place> = (0..=PER_VISITOR).map(|_| streams.begin(&visitor("a")).unwrap()).collect();
        let ended: Vec<bool> = own.iter().map(|place| place.ended.is_cancelled()).collect();
        assert_eq!(ended, [vec![true], vec![false; PER_VISITOR]].concat());
        assert!(!other.ended.is_cancelled());
        drop((own, other));
        assert!(streams.of.lock().unwrap().is_empty(), "who has gone is forgotten");
    }

    #[test]
    fn there_is_an_end_to_all_of_them_together() {
        let streams = Streams::default();
        let open: Vec<_> = (0..ALL).map(|n| streams.begin(&visitor(&n.to_string())).unwrap()).collect();
        assert!(streams.begin(&visitor("one more")).is_none());
        drop(open);
        assert!(streams.begin(&visitor("one more")).is_some());
    }
}
