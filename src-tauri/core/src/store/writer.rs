//! The one thread that writes: whatever waits becomes one transaction, flushed once, and only then is each piece answered.

use std::cell::RefCell;
use std::collections::{HashSet, VecDeque};
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::{mpsc, oneshot};

use super::condition::Inspector;
use super::{Ring, Stage, Stages, words};
use crate::changes::{Begun, Changes};
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Error, Result};
use crate::model::Change;
use crate::say;

/// How many pieces of work one transaction may hold.
const BATCH: usize = 512;
/// How often stages are asked again within one commit because what one of them did woke another.
const JOINS: usize = 3;
/// How long pieces of work are added to a transaction before it is committed: nobody waits for a long list of others.
const LONGEST: Duration = Duration::from_millis(10);

/// A write in progress: the transaction, the time, and what will happen after the commit.
pub struct Tx<'a> {
    connection: &'a Connection,
    now: Timestamp,
    noted: &'a RefCell<Noted>,
}

#[derive(Default)]
struct Noted {
    changes: Vec<Change>,
    begun: Vec<Begun>,
    afterwards: Vec<Box<dyn FnOnce() + Send>>,
    wake: u8,
    /// How many pieces of work the commit holds so far.
    pieces: usize,
}

/// How much was noted at some moment, to go back to.
struct Mark {
    changes: usize,
    begun: usize,
    afterwards: usize,
    wake: u8,
}

impl Noted {
    fn mark(&self) -> Mark {
        Mark { changes: self.changes.len(), begun: self.begun.len(), afterwards: self.afterwards.len(), wake: self.wake }
    }

    fn back_to(&mut self, mark: &Mark) {
        self.changes.truncate(mark.changes);
        self.begun.truncate(mark.begun);
        self.afterwards.truncate(mark.afterwards);
        self.wake = mark.wake;
    }
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

    /// How many pieces of work wait for this commit; at the end of a commit, how many do in all.
    pub fn pieces(&self) -> usize {
        self.noted.borrow().pieces
    }

    /// Announces `change` once the write is durable.
    pub fn changed(&self, change: Change) {
        self.noted.borrow_mut().changes.push(change);
    }

    /// Announces a conversation that begins, once the write is durable.
    pub fn begun(&self, begun: Begun) {
        self.noted.borrow_mut().begun.push(begun);
    }

    /// Wakes `stage` once the write is durable.
    pub fn wake(&self, stage: Stage) {
        self.noted.borrow_mut().wake |= stage as u8;
    }

    /// Runs `work` on the writer's thread once the write is durable, and never if it is not. It must be short and wait for nothing; what
    /// it holds is dropped where the write comes to nothing.
    pub fn afterwards(&self, work: impl FnOnce() + Send + 'static) {
        self.noted.borrow_mut().afterwards.push(Box::new(work));
    }

    /// A part of this write that holds or is taken back by itself, with everything that it noted.
    ///
    /// # Errors
    /// What `work` says; a panic in it is an error too.
    pub fn part<T>(&self, work: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.prepare_cached("SAVEPOINT part")?.execute([])?;
        let mark = self.noted.borrow().mark();
        let outcome = caught(|| work(self));
        if outcome.is_err() {
            self.noted.borrow_mut().back_to(&mark);
            self.prepare_cached("ROLLBACK TO part")?.execute([])?;
        }
        self.prepare_cached("RELEASE part")?.execute([])?;
        outcome
    }
}

fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Error::from(anyhow::anyhow!("a write panicked: {}", text.unwrap_or_default())))
    })
}

/// How a piece of work comes to be whole or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// It may write several things: a savepoint takes all of them back.
    Many,
    /// It is one statement, which is whole or nothing by itself.
    One,
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
    /// How it is whole or nothing.
    fn shape(&self) -> Shape;
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
    shape: Shape,
    work: Option<F>,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Work<T, F> {
    /// `work`, answered by `reply`.
    pub fn new(shape: Shape, work: F, reply: oneshot::Sender<Result<T>>) -> Self {
        Self { shape, work: Some(work), outcome: None, reply }
    }
}

impl<T, F> Job for Work<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
{
    fn shape(&self) -> Shape {
        self.shape
    }

    fn run(&mut self, tx: &Tx<'_>) -> Ran {
        let work = self.work.take().expect("a job runs once");
        let outcome = caught(|| work(tx));
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

impl From<Error> for CommitFailure {
    fn from(error: Error) -> Self {
        let text = error.source.as_ref().map_or_else(|| error.to_string(), |source| format!("{source:#}"));
        Self { code: error.code, text }
    }
}

impl From<rusqlite::Error> for CommitFailure {
    fn from(error: rusqlite::Error) -> Self {
        Error::from(error).into()
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
        let mut waiting: VecDeque<Box<dyn Job>> = VecDeque::with_capacity(BATCH);
        let mut taken: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
        loop {
            if waiting.is_empty() {
                let Some(first) = self.receiver.blocking_recv() else { break };
                waiting.push_back(first);
            }
            while waiting.len() < BATCH {
                match self.receiver.try_recv() {
                    Ok(job) => waiting.push_back(job),
                    Err(_) => break,
                }
            }
            let noted = RefCell::default();
            let commit = self.commit(&mut waiting, &mut taken, &noted);
            match &commit {
                Ok(()) => self.announce(noted.into_inner()),
                Err(failure) => {
                    tracing::error!(error = %failure.text, "A commit of {} writes failed; nothing of it was kept.", taken.len());
                    if failure.code == Code::Corrupt {
                        self.inspector.complain(&failure.text);
                    }
                }
            }
            for job in taken.drain(..) {
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

    /// One commit of what waits, in order; what does not fit into its time waits for the next one.
    fn commit(
        &self,
        waiting: &mut VecDeque<Box<dyn Job>>,
        taken: &mut Vec<Box<dyn Job>>,
        noted: &RefCell<Noted>,
    ) -> Result<(), CommitFailure> {
        let begun = match self.inspector.refusal() {
            Some(refusal) => Err(CommitFailure { code: refusal.code, text: "the database is not sound".to_owned() }),
            None => self.begin(),
        };
        if let Err(failure) = begun {
            // Where not even the beginning succeeds, everybody hears of it.
            taken.extend(waiting.drain(..));
            return Err(failure);
        }
        let tx = Tx { connection: &self.connection, now: self.clock.now(), noted };
        let written = write(&tx, waiting, taken).and_then(|()| self.end(&tx));
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "A failed transaction could not be taken back.");
        }
        written
    }

    fn begin(&self) -> Result<(), CommitFailure> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    fn end(&self, tx: &Tx<'_>) -> Result<(), CommitFailure> {
        self.join(tx)?;
        still_open(tx)?;
        words::index(tx)?;
        tx.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Lets the stages that this commit would wake do their part in it.
    fn join(&self, tx: &Tx<'_>) -> Result<(), CommitFailure> {
        let mut ring = 0;
        for _ in 0..JOINS {
            let mut joined = false;
            for stage in Stage::ALL {
                if tx.noted.borrow().wake & stage as u8 == 0 {
                    continue;
                }
                let Some(join) = self.stages.joined(stage) else { continue };
                tx.noted.borrow_mut().wake &= !(stage as u8);
                joined = true;
                match tx.part(|tx| join(tx)) {
                    Ok(Ring::No) => {}
                    Ok(Ring::Yes) => ring |= stage as u8,
                    Err(error) if error.code == Code::Corrupt => return Err(error.into()),
                    Err(error) => {
                        tracing::warn!(error = ?error, "{stage:?} could not do its part in a commit; it is woken instead.");
                        ring |= stage as u8;
                    }
                }
            }
            if !joined {
                break;
            }
        }
        tx.noted.borrow_mut().wake |= ring;
        Ok(())
    }

    fn announce(&self, noted: Noted) {
        self.changes.announce(each_once(noted.changes));
        self.changes.announce_begun(noted.begun);
        for stage in Stage::ALL {
            if noted.wake & stage as u8 != 0 {
                self.stages.wake(stage);
            }
        }
        for work in noted.afterwards {
            work();
        }
    }
}

fn write(tx: &Tx<'_>, waiting: &mut VecDeque<Box<dyn Job>>, taken: &mut Vec<Box<dyn Job>>) -> Result<(), CommitFailure> {
    let began = Instant::now();
    while let Some(mut job) = waiting.pop_front() {
        let held = hold_or_take_back(tx, job.as_mut());
        taken.push(job);
        tx.noted.borrow_mut().pieces += 1;
        held?;
        if began.elapsed() > LONGEST {
            break;
        }
    }
    Ok(())
}

/// Where the disk is full, SQLite may have taken back the whole transaction: what followed would be kept although its commit fails.
fn still_open(tx: &Tx<'_>) -> Result<(), CommitFailure> {
    if tx.is_autocommit() {
        return Err(Error::from(anyhow::anyhow!("the transaction was taken back by the database")).into());
    }
    Ok(())
}

/// Runs one piece of work. An error of its own takes back this piece alone.
fn hold_or_take_back(tx: &Tx<'_>, job: &mut dyn Job) -> Result<(), CommitFailure> {
    let mark = tx.noted.borrow().mark();
    let before = tx.total_changes();
    let shape = job.shape();
    if shape == Shape::Many {
        tx.prepare_cached("SAVEPOINT job")?.execute([])?;
    }
    match job.run(tx) {
        Ran::Well => {}
        Ran::Refused => {
            tx.noted.borrow_mut().back_to(&mark);
            still_open(tx)?;
            match shape {
                Shape::Many => drop(tx.prepare_cached("ROLLBACK TO job")?.execute([])?),
                Shape::One if tx.total_changes() == before => {}
                Shape::One => return Err(Error::from(anyhow::anyhow!("a write of one statement failed after it had written")).into()),
            }
        }
        // Its neighbours may have met the same page without noticing: all of it is taken back.
        Ran::Damage(text) => return Err(CommitFailure { code: Code::Corrupt, text }),
    }
    if shape == Shape::Many {
        tx.prepare_cached("RELEASE job")?.execute([])?;
    }
    Ok(())
}

/// What several pieces of one commit noted is announced once, where it was noted first.
fn each_once(changes: Vec<Change>) -> Vec<Change> {
    let first: Vec<bool> = {
        let mut seen = HashSet::with_capacity(changes.len());
        changes.iter().map(|change| seen.insert(change)).collect()
    };
    changes.into_iter().zip(first).filter_map(|(change, first)| first.then_some(change)).collect()
}
