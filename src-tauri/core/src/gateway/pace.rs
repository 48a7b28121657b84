//! How often somebody may do something: one bucket of tokens per key, filled again with time. Bounded, so that a flood of keys cannot
//! fill the memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Buckets kept at most; when there are more, full ones are forgotten first, then all.
const KEPT: usize = 20_000;

struct Bucket {
    tokens: f64,
    at: Instant,
}

/// A pace per key.
pub struct Pace<K> {
    burst: f64,
    per_second: f64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K: Eq + Hash> Pace<K> {
    /// `burst` at once, then one each `every`.
    pub fn new(burst: u32, every: Duration) -> Self {
        Self { burst: f64::from(burst), per_second: 1.0 / every.as_secs_f64(), buckets: Mutex::default() }
    }

    /// Takes one token of `key`.
    ///
    /// # Errors
    /// How long to wait when there is none.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        self.take_at(key, Instant::now())
    }

    fn take_at(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() >= KEPT && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| bucket.tokens + now.duration_since(bucket.at).as_secs_f64() * self.per_second < self.burst);
            if buckets.len() >= KEPT {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: self.burst, at: now });
        bucket.tokens = (bucket.tokens + now.duration_since(bucket.at).as_secs_f64() * self.per_second).min(self.burst);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.per_second))
    }

    /// Whether `key` still has a token, without taking it.
    pub fn has(&self, key: &K) -> bool {
        let buckets = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        buckets.get(key).is_none_or(|bucket| bucket.tokens + bucket.at.elapsed().as_secs_f64() * self.per_second >= 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_rest_waits_its_turn() {
        let pace = Pace::new(3, Duration::from_secs(2));
        let start = Instant::now();
        let passed = (0..5).filter(|_| pace.take_at("a", start).is_ok()).count();
        assert_eq!(passed, 3);
        assert_eq!(pace.take_at("a", start), Err(Duration::from_secs(2)), "and says how long");
        assert!(pace.take_at("b", start).is_ok(), "another key has its own bucket");
        assert!(pace.take_at("a", start + Duration::from_secs(2)).is_ok());
    }

    #[test]
    fn a_flood_of_keys_does_not_fill_the_memory() {
        let pace = Pace::new(1, Duration::from_secs(1));
        for n in 0..KEPT * 3 {
            assert!(pace.take(n).is_ok());
        }
        assert!(pace.buckets.lock().unwrap().len() <= KEPT);
    }
}
