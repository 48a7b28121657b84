//! One SQLite file: opened, read, written.
//!
//! Writing goes through one thread. It takes whatever is waiting, runs each piece in a savepoint of one transaction, flushes
//! once, and only then answers each of them (group commit, no lingering): durability costs one flush per batch. Reading goes
//! through a small pool of read-only connections. `synchronous=FULL`: what was answered survives a power cut.
//!
//! SQL lives in the files of the nouns it is about; this module knows no table but its own version and the indexes of words.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use self::condition::{Condition, Inspector};
use self::writer::{Job, Shape, Work, Writer};
use crate::changes::Changes;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::say;

mod folder;
mod lock;
mod stages;
mod words;
mod writer;
pub mod condition;
pub mod migrate;
pub mod swap;

pub use folder::private_file;
pub use lock::DirectoryLock;
pub use stages::{Join, Ring, Stage, Stages};
pub use writer::Tx;

/// The name of the database in the data directory.
pub const DATABASE: &str = "shopbell.db";
/// How many may wait before writers are held back.
const QUEUE: usize = 4096;
const READERS: usize = 3;
/// The largest file, in bytes, that is looked through after an unclean end before the hub is ready.
const QUICK_CHECK_UP_TO: u64 = 64 << 20;
/// How long a start that failed waits for the whole file to be looked through, to say more than that it failed.
const LONGEST_LOOK: Duration = Duration::from_secs(60);

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
    inspector: Arc<Inspector>,
    lock: Mutex<Option<DirectoryLock>>,
}

impl Store {
    /// Opens (or makes) the database in `directory`, locks the directory against a second process, brings the schema up to date.
    ///
    /// # Errors
    /// [`Code::AlreadyOpen`], [`Code::NewerDatabase`], [`Code::Corrupt`], [`Code::ReadOnly`], [`Code::DiskFull`]: each with a sentence.
    pub fn open(directory: &Path, clock: Arc<dyn Clock>) -> Result<Arc<Self>> {
        folder::make_private_directory(directory)?;
        let lock = DirectoryLock::take(directory)?;
        swap::take_place(directory)?;
        let path = directory.join(DATABASE);
        // A log that was not written back: the last run did not end by itself. Larger files are looked at only when SQLite complains.
        let unclean = directory.join(format!("{DATABASE}-wal")).metadata().is_ok_and(|wal| wal.len() > 0)
            && path.metadata().is_ok_and(|file| file.len() < QUICK_CHECK_UP_TO);
        let (connection, doubt) = connect(directory, &path, unclean, &clock).map_err(|error| condition::unopened(directory, error))?;

        let changes = Arc::new(Changes::starting_at(clock.now()));
        let stages = Arc::new(Stages::default());
        let inspector = Inspector::new(directory, changes.clone());
        if let Some(doubt) = doubt {
            inspector.complain(&doubt);
        }
        let readers = (0..READERS).map(|_| open_reader(&path)).collect::<Result<Vec<_>>>()?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let writer = Writer {
            connection,
            receiver,
            clock: clock.clone(),
            changes: changes.clone(),
            stages: stages.clone(),
            inspector: inspector.clone(),
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
            inspector,
            lock: Mutex::new(Some(lock)),
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
    ///
    /// # Errors
    /// What `work` says; [`Code::Corrupt`], with the way out, while the file is not to be trusted.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.ask(Shape::Many, work).await
    }

    /// The same for `work` that is one statement, which is whole or nothing by itself: it needs no savepoint, for which SQLite sets aside a
    /// copy of every page that is touched.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_one<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.ask(Shape::One, work).await
    }

    async fn ask<T, F>(&self, shape: Shape, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    {
        if let Some(refusal) = self.inspector.refusal() {
            return Err(refusal);
        }
        let (reply, answer) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(Work::new(shape, work, reply));
        let closing = || Error::new(Code::Unavailable, say!("Shopbell is closing."));
        let sender = self.writer.lock().expect("nothing panics while it is held").clone().ok_or_else(closing)?;
        sender.send(job).await.map_err(|_| closing())?;
        drop(sender);
        answer.await.map_err(|_| closing())?
    }

    /// Runs `work` on a read-only connection, off the async threads. It sees one moment, however many statements it makes.
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
            // One look at the log for all statements; it ends with this block.
            let result = reader.unchecked_transaction().map_err(Error::from).and_then(|moment| work(&moment));
            if let Err(Error { code: Code::Corrupt, source, .. }) = &result {
                let complaint = source.as_ref().map_or_else(String::new, |source| format!("{source:#}"));
                reader.store.inspector.complain(&complaint);
            }
            result
        })
        .await
        .context("a read panicked")?
    }

    /// A read-only connection of its own, outside the pool, for work that reads for minutes.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn own_reader(&self) -> Result<Connection> {
        open_reader(&self.directory.join(DATABASE))
    }

    /// Something speaks against trusting the file: all of it is looked through before anything more is written.
    pub fn doubt(&self, complaint: &str) {
        self.inspector.complain(complaint);
    }

    /// Whether the file can be trusted now.
    pub fn condition(&self) -> Condition {
        self.inspector.condition()
    }

    /// Hears whether the file can be trusted.
    pub fn watch_condition(&self) -> watch::Receiver<Condition> {
        self.inspector.watch()
    }

    /// `error` with the way out in its words, when it came from damage: waits until the whole file was looked through.
    pub async fn explained(&self, error: Error) -> Error {
        if error.code != Code::Corrupt {
            return error;
        }
        let mut condition = self.inspector.watch();
        let known = tokio::time::timeout(LONGEST_LOOK, condition.wait_for(|condition| !matches!(condition, Condition::Suspect))).await;
        if !matches!(known, Ok(Ok(_))) {
            tracing::warn!("The database is still being looked through.");
        }
        match self.condition().sentence() {
            Some(message) => Error { message, ..error },
            None => error,
        }
    }

    /// Finishes what waits, writes the log back into the file and closes it. Later writes are refused.
    pub async fn close(&self) {
        let inspector = self.inspector.clone();
        if tokio::task::spawn_blocking(move || inspector.close()).await.is_err() {
            tracing::error!("Looking through the database could not be ended.");
        }
        drop(self.writer.lock().expect("nothing panics while it is held").take());
        let thread = self.thread.lock().expect("nothing panics while it is held").take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("The store's writer ended badly.");
            }
        }
        // Nothing is written any more, whoever still holds the store: the directory may be opened again.
        drop(self.lock.lock().expect("nothing panics while it is held").take());
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

/// The connection that will write, with the schema brought up to date, and what speaks against trusting the file.
fn connect(directory: &Path, path: &Path, unclean: bool, clock: &Arc<dyn Clock>) -> Result<(Connection, Option<String>)> {
    let mut connection = Connection::open(path)?;
    prepare(&connection)?;
    folder::private_file(path)?;
    let mut doubt = condition::is_marked(directory).then(|| "an earlier run suspected the database".to_owned());
    if doubt.is_none() && unclean {
        doubt = quick_check(&connection)?;
    }
    if doubt.is_some() && migrate::version(&connection)? < migrate::MIGRATIONS.len() {
        // An older backup that was put back, most likely. It cannot be used as it is, and nothing is written before it is known to be whole.
        let found = condition::integrity(&connection)?;
        if !found.is_empty() {
            return Err(Error::of_storage(Code::Corrupt).because(anyhow::anyhow!("integrity_check: {}", found.join("; "))));
        }
        condition::unmark(directory);
        doubt = None;
    }
    if doubt.is_none() {
        migrate::up(&mut connection, directory, clock.now())?;
    } else if migrate::version(&connection)? > migrate::MIGRATIONS.len() {
        return Err(migrate::newer());
    }
    Ok((connection, doubt))
}

/// The settings of every connection, before its first statement.
fn prepare(db: &Connection) -> Result<()> {
    db.busy_timeout(Duration::from_secs(5))?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8000; PRAGMA mmap_size = 0; PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000;
         PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )?;
    db.set_prepared_statement_cache_capacity(256);
    Ok(())
}

fn open_reader(path: &Path) -> Result<Connection> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(5))?;
    db.execute_batch("PRAGMA query_only = ON; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2000; PRAGMA trusted_schema = OFF;")?;
    db.set_prepared_statement_cache_capacity(64);
    // The writer writes the log back at the end, and only where the file can be trusted.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(db)
}

/// What a short look at the file finds; nothing when all is well.
fn quick_check(db: &Connection) -> Result<Option<String>> {
    match db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)).map_err(Error::from) {
        Ok(verdict) if verdict == "ok" => Ok(None),
        Ok(verdict) => Ok(Some(verdict)),
        Err(error) if error.code == Code::Corrupt => Ok(Some("the file cannot be read".to_owned())),
        Err(error) => Err(error),
    }
}

/// Refuses a file that a short look finds damaged.
pub fn check(db: &Connection) -> Result<()> {
    match quick_check(db)? {
        None => Ok(()),
        Some(verdict) => Err(Error::of_storage(Code::Corrupt).because(anyhow::anyhow!("quick_check: {verdict}"))),
    }
}

#[cfg(test)]
mod tests;
