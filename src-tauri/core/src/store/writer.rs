//! The one thread that writes: whatever waits becomes one transaction, flushed once, and only then is each piece answered.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::{mpsc, oneshot};

use super::condition::Inspector;
use super::{Stage, Stages};
use crate::changes::{Begun, Changes};
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Error, Result};
use crate::model::Change;
use crate::say;

/// How many pieces of work one transaction may hold.
const BATCH: usize = 512;

/// A write in progress: the transaction, the time, and what will be announced after the commit.
pub struct Tx<'a> {
    connection: &'a Connection,
    now: Timestamp,
    noted: &'a Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    changes: Vec<Change>,
    seen: HashSet<Change>,
    begun: Vec<Begun>,
    wake: u8,
}

impl Deref for Tx<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Tx<'_> {
    /// The time of this write.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Announces `change` once the write is durable.
    pub fn changed(&self, change: Change) {
        let mut noted = self.noted.lock().expect("nothing panics while it is held");
        if noted.seen.insert(change.clone()) {
            noted.changes.push(change);
        }
    }

    /// Announces a conversation that begins, once the write is durable.
    pub fn begun(&self, begun: Begun) {
        self.noted.lock().expect("nothing panics while it is held").begun.push(begun);
    }

    /// Wakes `stage` once the write is durable.
    pub fn wake(&self, stage: Stage) {
        self.noted.lock().expect("nothing panics while it is held").wake |= stage as u8;
    }
}

/// How a piece of work ended.
pub enum Ran {
    /// Its changes hold.
    Well,
    /// It is taken back.
    Refused,
    /// It met damage: nothing more may be written.
    Damage(String),
}

/// A piece of work, type-erased: run it, then tell it whether the commit held.
pub trait Job: Send {
    /// Runs it.
    fn run(&mut self, tx: &Tx<'_>) -> Ran;
    /// Answers whoever asked.
    fn answer(self: Box<Self>, commit: std::result::Result<(), CommitFailure>);
}

/// Why a whole commit failed; every piece of work in it gets a copy.
#[derive(Clone)]
pub struct CommitFailure {
    code: Code,
    text: String,
}

/// A piece of work and whoever waits for it.
pub struct Work<T, F> {
    work: Option<F>,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Work<T, F> {
    /// `work`, answered by `reply`.
    pub fn new(work: F, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { work: Some(work), outcome: None, reply }
    }
}

impl<T, F> Job for Work<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
{
    fn run(&mut self, tx: &Tx<'_>) -> Ran {
        let work = self.work.take().expect("a job runs once");
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(tx))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(Error::from(anyhow::anyhow!("a write panicked: {}", text.unwrap_or_default())))
        });
        let ran = match &outcome {
            Ok(_) => Ran::Well,
            Err(error) if error.code == Code::Corrupt => {
                Ran::Damage(error.source.as_ref().map_or_else(String::new, |source| format!("{source:#}")))
            }
            Err(_) => Ran::Refused,
        };
        self.outcome = Some(outcome);
        ran
    }

    fn answer(self: Box<Self>, commit: std::result::Result<(), CommitFailure>) {
        let outcome = match (self.outcome, commit) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(failure)) => Err(failure.error()),
            (Some(outcome), Ok(())) => outcome,
            (None, Ok(())) => Err(Error::new(Code::Unavailable, say!("Shopbell is closing."))),
        };
        // Whoever asked may have stopped waiting; the write stands all the same.
        drop(self.reply.send(outcome));
    }
}

impl CommitFailure {
    fn error(&self) -> Error {
        let cause = anyhow::anyhow!("the commit failed: {}", self.text);
        if self.code == Code::Internal { Error::from(cause) } else { Error::of_storage(self.code).because(cause) }
    }
}

/// What the thread has.
pub struct Writer {
    /// The one connection that writes.
    pub connection: Connection,
    /// What waits.
    pub receiver: mpsc::Receiver<Box<dyn Job>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where commits are announced.
    pub changes: Arc<Changes>,
    /// Who is woken by them.
    pub stages: Arc<Stages>,
    /// Who is told of damage.
    pub inspector: Arc<Inspector>,
}

impl Writer {
    /// Writes until nobody can ask any more.
    pub fn run(mut self) {
        let mut batch: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
        while let Some(first) = self.receiver.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH {
                match self.receiver.try_recv() {
                    Ok(job) => batch.push(job),
                    Err(_) => break,
                }
            }
            let noted = Mutex::new(Noted::default());
            let commit = self.commit(&mut batch, &noted);
            if let Err(failure) = &commit {
                tracing::error!(error = %failure.text, "A commit of {} writes failed; nothing of it was kept.", batch.len());
                if failure.code == Code::Corrupt {
                    self.inspector.complain(&failure.text);
                }
            } else {
                let noted = noted.into_inner().expect("nothing panics while it is held");
                self.changes.announce(noted.changes);
                self.changes.announce_begun(noted.begun);
                for stage in Stage::ALL {
                    if noted.wake & stage as u8 != 0 {
                        self.stages.wake(stage);
                    }
                }
            }
            for job in batch.drain(..) {
                job.answer(commit.clone());
            }
        }
        let closed = if self.inspector.condition().is_sound() {
            self.connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);")
        } else {
            // What is in the log must not be written over a file that may be damaged, not even by the last one who closes it.
            self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(drop)
        };
        if let Err(error) = closed {
            tracing::warn!(%error, "The log could not be written back at the end; the next start does it.");
        }
    }

    fn commit(&self, batch: &mut [Box<dyn Job>], noted: &Mutex<Noted>) -> std::result::Result<(), CommitFailure> {
        let db = &self.connection;
        if let Some(refusal) = self.inspector.refusal() {
            return Err(CommitFailure { code: refusal.code, text: "the database is not sound".to_owned() });
        }
        let mut damage = None;
        let mut run = || -> rusqlite::Result<()> {
            db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let now = self.clock.now();
            for job in batch.iter_mut() {
                db.prepare_cached("SAVEPOINT job")?.execute([])?;
                let own = Mutex::new(Noted::default());
                match job.run(&Tx { connection: db, now, noted: &own }) {
                    Ran::Well => {
                        db.prepare_cached("RELEASE job")?.execute([])?;
                        merge(noted, own);
                    }
                    Ran::Refused => {
                        db.prepare_cached("ROLLBACK TO job")?.execute([])?;
                        db.prepare_cached("RELEASE job")?.execute([])?;
                    }
                    // Its neighbours may have met the same page without noticing: all of it is taken back.
                    Ran::Damage(text) => {
                        damage = Some(text);
                        return Ok(());
                    }
                }
            }
            db.prepare_cached("COMMIT")?.execute([])?;
            Ok(())
        };
        let ran = run();
        if !db.is_autocommit()
            && let Err(error) = db.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "A failed transaction could not be taken back.");
        }
        match (ran, damage) {
            (Err(error), _) => {
                let text = error.to_string();
                Err(CommitFailure { code: Error::from(error).code, text })
            }
            (Ok(()), Some(text)) => Err(CommitFailure { code: Code::Corrupt, text }),
            (Ok(()), None) => Ok(()),
        }
    }
}

fn merge(all: &Mutex<Noted>, own: Mutex<Noted>) {
    let own = own.into_inner().expect("nothing panics while it is held");
    let mut all = all.lock().expect("nothing panics while it is held");
    all.wake |= own.wake;
    all.begun.extend(own.begun);
    for change in own.changes {
        if all.seen.insert(change.clone()) {
            all.changes.push(change);
        }
    }
}
