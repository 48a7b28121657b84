//! One bell per stage: rung by whoever brings work, heard by the stage's loop. A stage may also do its part in the very commit that would
//! wake it, and so needs no commit of its own.

use std::sync::{Arc, RwLock};

use super::Tx;
use crate::error::Result;

/// The stages that a write may wake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// Arrivals to be understood.
    Arrivals = 1,
    /// Turns to be taken.
    Turns = 2,
    /// Deliveries to be sent.
    Outbox = 4,
    /// Files to be fetched.
    Media = 8,
    /// Fetched sounds to be listened to.
    Sounds = 16,
    /// Reports to advertising to be made.
    Reports = 32,
}

impl Stage {
    /// All of them, in the order in which a message passes.
    pub const ALL: [Self; 6] = [Self::Arrivals, Self::Turns, Self::Outbox, Self::Media, Self::Sounds, Self::Reports];

    fn place(self) -> usize {
        (self as u8).trailing_zeros() as usize
    }
}

/// Whether a stage is to be woken although it has done its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// There is nothing more for it to do.
    No,
    /// Something is left.
    Yes,
}

/// What a stage does at the end of a commit that would wake it. It runs on the writer's thread, after every piece of work of the commit: it
/// must be short and wait for nothing. Its failure takes back its own part alone, and wakes the stage.
pub type Join = dyn Fn(&Tx<'_>) -> Result<Ring> + Send + Sync;

/// The bells.
#[derive(Default)]
pub struct Stages {
    joins: RwLock<[Option<Arc<Join>>; Stage::ALL.len()]>,
    arrivals: tokio::sync::Notify,
    turns: tokio::sync::Notify,
    outbox: tokio::sync::Notify,
    media: tokio::sync::Notify,
    sounds: tokio::sync::Notify,
    reports: tokio::sync::Notify,
}

impl Stages {
    /// The bell of one stage.
    pub fn of(&self, stage: Stage) -> &tokio::sync::Notify {
        match stage {
            Stage::Arrivals => &self.arrivals,
            Stage::Turns => &self.turns,
            Stage::Outbox => &self.outbox,
            Stage::Media => &self.media,
            Stage::Sounds => &self.sounds,
            Stage::Reports => &self.reports,
        }
    }

    /// From now on `join` does the stage's part in every commit that would wake it.
    pub fn join(&self, stage: Stage, join: Arc<Join>) {
        self.joins.write().expect("nothing panics while it is held")[stage.place()] = Some(join);
    }

    /// The stage does all of its work by itself again.
    pub fn part(&self, stage: Stage) {
        self.joins.write().expect("nothing panics while it is held")[stage.place()] = None;
    }

    /// What the stage does in a commit.
    pub(super) fn joined(&self, stage: Stage) -> Option<Arc<Join>> {
        self.joins.read().expect("nothing panics while it is held")[stage.place()].clone()
    }

    /// Rings the bell of one stage.
    pub fn wake(&self, stage: Stage) {
        self.of(stage).notify_one();
    }
}
