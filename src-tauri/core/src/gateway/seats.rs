//! How many places somebody may take at the same time: connections of one address, answers that one caller reads.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

/// Places per key. Holds an entry only for those who sit, so it is bounded by what sits.
pub struct Seats<K: Eq + Hash + Clone> {
    most: usize,
    taken: Arc<Mutex<HashMap<K, usize>>>,
}

/// One place; free again when dropped.
pub struct Seat<K: Eq + Hash + Clone> {
    key: K,
    taken: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Eq + Hash + Clone> Seats<K> {
    /// At most `most` for each key.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Arc::default() }
    }

    /// A place for `key`; none when all of its own are taken.
    pub fn take(&self, key: K) -> Option<Seat<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = taken.entry(key.clone()).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Seat { key, taken: self.taken.clone() })
    }
}

impl<K: Eq + Hash + Clone> Drop for Seat<K> {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_places_and_they_are_free_again_when_given_back() {
        let seats = Seats::new(2);
        let (first, _second) = (seats.take("a").unwrap(), seats.take("a").unwrap());
        assert!(seats.take("a").is_none());
        assert!(seats.take("b").is_some(), "another key is not concerned");
        drop(first);
        assert!(seats.take("a").is_some());
        assert_eq!(seats.taken.lock().unwrap().len(), 1, "who does not sit is not remembered");
    }
}
