//! One SQLite file: opened, read, written.
//!
//! Writing goes through one thread. It takes whatever is waiting, runs each piece in a savepoint of one transaction, flushes
//! once, and only then answers each of them (group commit, no lingering): durability costs one flush per batch. Reading goes
//! through a small pool of read-only connections. `synchronous=FULL`: what was answered survives a power cut.
//!
//! SQL lives in the files of the nouns it is about; this module knows no table but its own version.

use std::collections::HashSet;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::changes::{Begun, Changes};
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Error, Result};
use crate::model::Change;
use crate::say;

mod lock;
pub mod migrate;

pub use lock::DirectoryLock;

/// The name of the database in the data directory.
pub const DATABASE: &str = "shopbell.db";
/// How many pieces of work one transaction may hold.
const BATCH: usize = 512;
/// How many may wait before writers are held back.
const QUEUE: usize = 4096;
const READERS: usize = 3;
/// The largest file, in bytes, that is looked through after an unclean end before the hub is ready.
const QUICK_CHECK_UP_TO: u64 = 64 << 20;

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
}

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

/// A piece of work, type-erased: run it, then tell it whether the commit held.
trait Job: Send {
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    fn answer(self: Box<Self>, commit: std::result::Result<(), CommitFailure>);
}

/// Why a whole commit failed; every piece of work in it gets a copy.
#[derive(Clone)]
struct CommitFailure {
    code: Code,
    text: String,
}

struct Work<T, F> {
    work: Option<F>,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send + 'static,
    F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
{
    fn run(&mut self, tx: &Tx<'_>) -> bool {
        let work = self.work.take().expect("a job runs once");
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(tx))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Err(Error::from(anyhow::anyhow!("a write panicked: {}", text.unwrap_or_default())))
        });
        let held = outcome.is_ok();
        self.outcome = Some(outcome);
        held
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

/// The database of one hub.
pub struct Store {
    directory: PathBuf,
    writer: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    readers: Mutex<Vec<Connection>>,
    reading: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
    changes: Arc<Changes>,
    stages: Arc<Stages>,
    suspicion: Arc<AtomicU8>,
    _lock: DirectoryLock,
}

/// One bell per stage.
#[derive(Default)]
pub struct Stages {
    arrivals: tokio::sync::Notify,
    turns: tokio::sync::Notify,
    outbox: tokio::sync::Notify,
    media: tokio::sync::Notify,
}

impl Stages {
    /// The bell of one stage.
    pub fn of(&self, stage: Stage) -> &tokio::sync::Notify {
        match stage {
            Stage::Arrivals => &self.arrivals,
            Stage::Turns => &self.turns,
            Stage::Outbox => &self.outbox,
            Stage::Media => &self.media,
        }
    }

    /// Rings the bell of one stage.
    pub fn wake(&self, stage: Stage) {
        self.of(stage).notify_one();
    }
}

impl Store {
    /// Opens (or makes) the database in `directory`, locks the directory against a second process, brings the schema up to date.
    ///
    /// # Errors
    /// [`Code::AlreadyOpen`], [`Code::NewerDatabase`], [`Code::Corrupt`], [`Code::ReadOnly`], [`Code::DiskFull`]: each with a sentence.
    pub fn open(directory: &Path, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        make_private_directory(directory)?;
        let lock = DirectoryLock::take(directory)?;
        let path = directory.join(DATABASE);
        // A log that was not written back: the last run did not end by itself. Larger files are looked at only when SQLite complains.
        let unclean = directory.join(format!("{DATABASE}-wal")).metadata().is_ok_and(|wal| wal.len() > 0)
            && path.metadata().is_ok_and(|file| file.len() < QUICK_CHECK_UP_TO);
        let mut connection = Connection::open(&path)?;
        prepare(&connection)?;
        private_file(&path)?;
        if unclean {
            check(&connection)?;
        }
        migrate::up(&mut connection, directory, clock.now())?;

        let changes = Arc::new(Changes::starting_at(clock.now()));
        let stages = Arc::new(Stages::default());
        let suspicion = Arc::new(AtomicU8::new(0));
        let readers = (0..READERS).map(|_| open_reader(&path)).collect::<Result<Vec<_>>>()?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let writer = Writer {
            connection,
            receiver,
            clock: clock.clone(),
            changes: changes.clone(),
            stages: stages.clone(),
            suspicion: suspicion.clone(),
        };
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || writer.run()).context("start the writer")?;
        Ok(Arc::new(Self {
            directory: directory.to_owned(),
            writer: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
            reading: Arc::new(Semaphore::new(readers.len())),
            readers: Mutex::new(readers),
            clock,
            changes,
            stages,
            suspicion,
            _lock: lock,
        }))
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What was committed, as it is committed.
    pub fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }

    /// The bells of the stages.
    pub fn stages(&self) -> &Arc<Stages> {
        &self.stages
    }

    /// Runs `work` in the next transaction and answers after its commit. An error takes back this piece of work alone.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(Work { work: Some(work), outcome: None, reply });
        let closing = || Error::new(Code::Unavailable, say!("Shopbell is closing."));
        let sender = self.writer.lock().expect("nothing panics while it is held").clone().ok_or_else(closing)?;
        sender.send(job).await.map_err(|_| closing())?;
        drop(sender);
        answer.await.map_err(|_| closing())?
    }

    /// Runs `work` on a read-only connection, off the async threads.
    pub async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let closing = |_| Error::new(Code::Unavailable, say!("Shopbell is closing."));
        let permit = self.reading.clone().acquire_owned().await.map_err(closing)?;
        let reader = self.readers.lock().expect("nothing panics while it is held").pop().context("a permit is a reader")?;
        let reader = Lent { reader: Some(reader), store: self.clone(), _permit: permit };
        tokio::task::spawn_blocking(move || {
            let reader = reader;
            let result = work(&reader);
            if let Err(Error { code: Code::Corrupt, .. }) = &result {
                reader.store.suspicion.store(1, Ordering::Release);
            }
            result
        })
        .await
        .context("a read panicked")?
    }

    /// Whether SQLite has reported damage since the start.
    pub fn is_suspect(&self) -> bool {
        self.suspicion.load(Ordering::Acquire) != 0
    }

    /// Finishes what waits, writes the log back into the file and closes it. Later writes are refused.
    pub async fn close(&self) {
        drop(self.writer.lock().expect("nothing panics while it is held").take());
        let thread = self.thread.lock().expect("nothing panics while it is held").take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("The store's writer ended badly.");
            }
        }
    }
}

/// A reader out of the pool; goes back when dropped, also when the work panicked. The permit goes back after it and never before: whoever
/// asked may have stopped waiting while the work still runs.
struct Lent {
    reader: Option<Connection>,
    store: Arc<Store>,
    _permit: OwnedSemaphorePermit,
}

impl Deref for Lent {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.reader.as_ref().expect("it is there until dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.store.readers.lock().expect("nothing panics while it is held").push(reader);
        }
    }
}

struct Writer {
    connection: Connection,
    receiver: mpsc::Receiver<Box<dyn Job>>,
    clock: Arc<dyn Clock>,
    changes: Arc<Changes>,
    stages: Arc<Stages>,
    suspicion: Arc<AtomicU8>,
}

impl Writer {
    fn run(mut self) {
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
                    self.suspicion.store(1, Ordering::Release);
                }
            } else {
                let noted = noted.into_inner().expect("nothing panics while it is held");
                self.changes.announce(noted.changes);
                self.changes.announce_begun(noted.begun);
                for stage in [Stage::Arrivals, Stage::Turns, Stage::Outbox, Stage::Media] {
                    if noted.wake & stage as u8 != 0 {
                        self.stages.wake(stage);
                    }
                }
            }
            for job in batch.drain(..) {
                job.answer(commit.clone());
            }
        }
        if let Err(error) = self.connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);") {
            tracing::warn!(%error, "The log could not be written back at the end; the next start does it.");
        }
    }

    fn commit(&self, batch: &mut [Box<dyn Job>], noted: &Mutex<Noted>) -> std::result::Result<(), CommitFailure> {
        let db = &self.connection;
        let mut run = || -> rusqlite::Result<()> {
            db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let now = self.clock.now();
            for job in batch.iter_mut() {
                db.prepare_cached("SAVEPOINT job")?.execute([])?;
                let own = Mutex::new(Noted::default());
                let held = job.run(&Tx { connection: db, now, noted: &own });
                if held {
                    db.prepare_cached("RELEASE job")?.execute([])?;
                    merge(noted, own);
                } else {
                    db.prepare_cached("ROLLBACK TO job")?.execute([])?;
                    db.prepare_cached("RELEASE job")?.execute([])?;
                }
            }
            db.prepare_cached("COMMIT")?.execute([])?;
            Ok(())
        };
        run().map_err(|error| {
            if !db.is_autocommit()
                && let Err(error) = db.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "A failed transaction could not be taken back.");
            }
            let text = error.to_string();
            CommitFailure { code: Error::from(error).code, text }
        })
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

/// The settings of every connection, before its first statement.
fn prepare(db: &Connection) -> Result<()> {
    db.busy_timeout(Duration::from_secs(5))?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8000; PRAGMA mmap_size = 0; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000;
         PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(())
}

fn open_reader(path: &Path) -> Result<Connection> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.execute_batch("PRAGMA query_only = ON; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000; PRAGMA trusted_schema = OFF;")?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// Looks for damage; after an unclean end and when SQLite complains.
pub fn check(db: &Connection) -> Result<()> {
    let verdict: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(Error::of_storage(Code::Corrupt).because(anyhow::anyhow!("quick_check: {verdict}")))
}

fn make_private_directory(directory: &Path) -> Result<()> {
    let wrong = |error: std::io::Error| {
        Error::new(
            Code::ReadOnly,
            say!(
                "The folder {folder} cannot be used: {why}. Choose another folder or give yourself the right to write there.",
                folder = directory.display(),
                why = plain(&error)
            ),
        )
        .because(error)
    };
    for folder in [directory.to_owned(), directory.join("media"), directory.join("backups"), directory.join("logs")] {
        std::fs::create_dir_all(&folder).map_err(wrong)?;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700)).map_err(wrong)?;
    }
    Ok(())
}

fn private_file(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).context("make the database private")?;
    }
    Ok(())
}

/// An operating system's complaint in a few words.
fn plain(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "it is not yours to write",
        std::io::ErrorKind::ReadOnlyFilesystem => "the disk is write-protected",
        std::io::ErrorKind::StorageFull => "the disk is full",
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::AlreadyExists => "there is a file of that name",
        _ => "the disk refused it",
    }
}

#[cfg(test)]
mod tests;
