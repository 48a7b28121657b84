//! How fast each connection may send: a bucket of tokens per connection, and a hold when the service asked us to wait.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use super::terms::Terms;
use crate::clock::Timestamp;
use crate::connections::Connections;
use crate::id::ConnectionId;

/// The buckets of all connections.
#[derive(Default)]
pub struct Pace(Mutex<HashMap<ConnectionId, Bucket>>);

struct Bucket {
    tokens: f64,
    filled_at: Timestamp,
    held_until: Timestamp,
}

impl Pace {
    /// How many messages each connection may send now, and how long until one that must wait may go on.
    pub fn allowance(
        &self,
        connections: &Connections,
        now: Timestamp,
        out: &HashMap<ConnectionId, u32>,
        most: u32,
    ) -> (HashMap<ConnectionId, Terms>, Option<Duration>) {
        let mut buckets = self.0.lock().expect("nothing panics while it is held");
        let mut allowance = HashMap::new();
        let mut wait: Option<Duration> = None;
        for live in connections.all() {
            let Some(rules) = live.rules.as_ref().filter(|_| live.is_active()) else { continue };
            let rate = rules.pace_per_second.max(0.01);
            let burst = rate.max(1.0);
            let bucket = buckets.entry(live.connection.id.clone()).or_insert(Bucket {
                tokens: burst,
                filled_at: now,
                held_until: Timestamp::default(),
            });
            bucket.tokens = (bucket.tokens + now.since(bucket.filled_at).as_secs_f64() * rate).min(burst);
            bucket.filled_at = now;
            let until = if bucket.held_until > now {
                bucket.held_until.since(now)
            } else if bucket.tokens < 1.0 {
                Duration::from_secs_f64((1.0 - bucket.tokens) / rate)
            } else {
                let busy = out.get(&live.connection.id).copied().unwrap_or(0);
                let may = (bucket.tokens as u32).min(most.saturating_sub(busy));
                if may > 0 {
                    allowance.insert(live.connection.id.clone(), Terms::of(rules, may));
                }
                continue;
            };
            let until = until.max(Duration::from_millis(2));
            wait = Some(wait.map_or(until, |wait| wait.min(until)));
        }
        (allowance, wait)
    }

    /// One message leaves.
    pub fn spend(&self, connection: &ConnectionId) {
        if let Some(bucket) = self.0.lock().expect("nothing panics while it is held").get_mut(connection) {
            bucket.tokens -= 1.0;
        }
    }

    /// Nothing leaves before `until`.
    pub fn hold(&self, connection: &ConnectionId, until: Timestamp) {
        if let Some(bucket) = self.0.lock().expect("nothing panics while it is held").get_mut(connection) {
            bucket.held_until = bucket.held_until.max(until);
        }
    }

    /// The connection was mended: nothing holds it any more.
    pub fn release(&self, connection: &ConnectionId) {
        self.0.lock().expect("nothing panics while it is held").remove(connection);
    }
}
