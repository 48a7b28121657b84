//! Noticing that the computer slept.
//!
//! A suspended computer runs nothing, and afterwards everything looks as it did: sockets seem alive for minutes, timers go on where they
//! stood. So the wall clock is held against the monotonic clock every five seconds. Where more time has passed than the program has
//! lived through, it slept; whoever must do something about that subscribes to [`Wakes`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};

/// How often the clocks are compared.
pub const TICK: Duration = Duration::from_secs(5);
/// A tick that is later than that was slept through; a busy computer is late by less.
pub const GAP: Duration = Duration::from_secs(15);
/// Two signs of the same waking (the clocks, and the operating system's own word) are this close together.
const SAME: Duration = Duration::from_secs(20);
/// How many wakings a subscriber may be behind; all that counts is that there was one.
const BEHIND: usize = 8;

/// The computer slept, and is awake again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wake {
    /// The last moment at which it is known to have been awake before.
    pub asleep_since: Timestamp,
    /// When the waking was noticed.
    pub at: Timestamp,
}

impl Wake {
    /// How long it was away, at most.
    pub fn slept(&self) -> Duration {
        self.at.since(self.asleep_since)
    }
}

/// Tells of every waking.
#[derive(Debug)]
pub struct Wakes {
    sender: broadcast::Sender<Wake>,
    last: std::sync::Mutex<Option<Wake>>,
}

impl Default for Wakes {
    fn default() -> Self {
        Self { sender: broadcast::channel(BEHIND).0, last: std::sync::Mutex::new(None) }
    }
}

impl Wakes {
    /// Hears of every waking from now on. A receiver that lagged has missed wakings and treats that as one.
    pub fn subscribe(&self) -> broadcast::Receiver<Wake> {
        self.sender.subscribe()
    }

    /// The latest waking since the start.
    pub fn last(&self) -> Option<Wake> {
        *self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The computer woke. Also for hosts that hear it from the operating system before the clocks show it: the second sign of the same
    /// waking is not told again.
    pub fn woke(&self, wake: Wake) {
        {
            let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if last.is_some_and(|last| wake.at.since(last.at) < SAME && last.at.since(wake.at) < SAME) {
                return;
            }
            *last = Some(wake);
        }
        tracing::info!(slept_ms = wake.slept().as_millis(), "The computer slept for {} s and is awake again.", wake.slept().as_secs());
        // Nobody listens: nobody has to do anything about it.
        drop(self.sender.send(wake));
    }
}

/// Both clocks as they were at the last look.
struct Looked {
    wall: Timestamp,
    lived: Instant,
}

impl Looked {
    /// Whether the computer slept since the last look.
    fn look(&mut self, wall: Timestamp, lived: Instant) -> Option<Wake> {
        let before = std::mem::replace(self, Self { wall, lived });
        let passed = wall.since(before.wall);
        let lived_through = lived.saturating_duration_since(before.lived);
        // On some systems the monotonic clock runs on through a suspend: then it is the tick itself that came far too late.
        let slept = passed.saturating_sub(lived_through) > GAP || lived_through.saturating_sub(TICK) > GAP;
        slept.then_some(Wake { asleep_since: before.wall, at: wall })
    }
}

/// Compares the clocks until told to stop.
pub async fn run(wakes: Arc<Wakes>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    compare(&wakes, clock.as_ref(), TICK, &stop).await;
}

async fn compare(wakes: &Wakes, clock: &dyn Clock, tick: Duration, stop: &CancellationToken) {
    let mut looked = Looked { wall: clock.now(), lived: Instant::now() };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(tick) => {}
        }
        if let Some(wake) = looked.look(clock.now(), Instant::now()) {
            wakes.woke(wake);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const EVENING: Timestamp = Timestamp::from_seconds(1_795_000_000);
    const NIGHT: Duration = Duration::from_secs(8 * 3600);

    #[test]
    fn a_night_is_one_waking_whichever_way_the_monotonic_clock_goes_through_it() {
        let start = Instant::now();
        for lived in [TICK, NIGHT] {
            let mut looked = Looked { wall: EVENING, lived: start };
            let morning = EVENING.plus(NIGHT);
            assert_eq!(looked.look(morning, start + lived), Some(Wake { asleep_since: EVENING, at: morning }));
            assert_eq!(looked.look(morning.plus(TICK), start + lived + TICK), None, "the next tick is an ordinary one");
        }
    }

    #[test]
    fn a_late_tick_and_a_clock_that_was_set_back_are_no_sleep() {
        let start = Instant::now();
        let mut looked = Looked { wall: EVENING, lived: start };
        let late = TICK + GAP - Duration::from_secs(1);
        assert_eq!(looked.look(EVENING.plus(late), start + late), None);
        assert_eq!(looked.look(EVENING.minus(NIGHT), start + late + TICK), None);
    }

    #[test]
    fn the_clocks_and_the_operating_system_tell_of_one_waking_once() {
        let wakes = Wakes::default();
        let mut heard = wakes.subscribe();
        let morning = EVENING.plus(NIGHT);
        wakes.woke(Wake { asleep_since: EVENING, at: morning });
        wakes.woke(Wake { asleep_since: EVENING, at: morning.plus(Duration::from_secs(3)) });
        assert_eq!(heard.try_recv().unwrap().slept(), NIGHT);
        assert!(heard.try_recv().is_err(), "the second sign is of the same waking");
        let noon = morning.plus(Duration::from_secs(3600));
        wakes.woke(Wake { asleep_since: morning, at: noon });
        assert_eq!(heard.try_recv().unwrap().at, noon);
        assert_eq!(wakes.last().unwrap().at, noon);
    }

    #[tokio::test]
    async fn a_clock_that_jumps_by_a_night_is_heard_by_every_subscriber() {
        let (wakes, clock) = (Wakes::default(), ManualClock::new(EVENING));
        let (mut one, mut other) = (wakes.subscribe(), wakes.subscribe());
        let stop = CancellationToken::new();
        let listening = async {
            clock.advance(NIGHT);
            let wake = one.recv().await.unwrap();
            assert_eq!((wake.asleep_since, wake.at), (EVENING, EVENING.plus(NIGHT)));
            assert_eq!(other.recv().await.unwrap(), wake);
            stop.cancel();
        };
        tokio::join!(compare(&wakes, &clock, Duration::from_millis(5), &stop), listening);
    }
}
