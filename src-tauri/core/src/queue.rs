//! The shape that arrivals, turns and outbox share: wait longer after each failure, never in step with others.

use std::time::Duration;

/// How long to wait after the `attempts`-th failure (0 = the first): full jitter over a doubling ceiling.
pub fn backoff(attempts: u32, base: Duration, most: Duration) -> Duration {
    let ceiling = base.saturating_mul(1u32.checked_shl(attempts.min(16)).unwrap_or(u32::MAX)).min(most);
    jittered(ceiling)
}

/// Something between a tenth of `ceiling` and all of it, so that a wait is never nothing.
pub fn jittered(ceiling: Duration) -> Duration {
    let mut bytes = [0u8; 4];
    // Without randomness the wait is the whole ceiling: slower, never wrong.
    if getrandom::fill(&mut bytes).is_err() {
        return ceiling;
    }
    let share = 0.1 + 0.9 * f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX);
    ceiling.mul_f64(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit_and_are_never_nothing() {
        for attempts in 0..40 {
            let wait = backoff(attempts, Duration::from_secs(1), Duration::from_secs(600));
            assert!(wait >= Duration::from_millis(100) && wait <= Duration::from_secs(600), "{wait:?} after {attempts}");
        }
    }
}
