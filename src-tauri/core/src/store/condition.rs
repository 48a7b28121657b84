//! Whether the database can be trusted, and the way out when it cannot.
//!
//! SQLite notices damage only where it reads. So the first complaint stops all writing, because a write over a damaged page can destroy
//! what could still be saved, and the whole file is looked through beside the work, on a connection of its own. A file that turns out
//! whole is written again; a damaged one is read where it can be, and a sentence says which backup is good and how to go back to it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::Context;
use rusqlite::{Connection, InterruptHandle, OpenFlags};
use tokio::sync::watch;

use super::migrate;
use crate::changes::Changes;
use crate::clock::Timestamp;
use crate::error::{Code, Error, Result, Sentence};
use crate::model::Change;
use crate::say;

/// Stands beside a database that is suspicious or damaged, so that the next start looks through all of it before it writes anything.
pub const MARK: &str = "shopbell.damaged";
/// Lines of findings that are kept; a badly damaged file would have thousands.
const FINDINGS: usize = 20;
/// After the whole file was found sound, further complaints are somebody else's trouble for that long.
const SOUND_FOR: Duration = Duration::from_secs(600);
/// How long to wait before a look that the disk did not allow is tried again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Whether the database can be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It can.
    Sound,
    /// Something in it could not be read; all of it is being looked through. Nothing is written meanwhile.
    Suspect,
    /// It cannot. It is read where that works, and never written again.
    Damaged(Arc<Damage>),
}

/// What is wrong with a database, and what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it lies.
    pub directory: PathBuf,
    /// What SQLite found, in its own words.
    pub found: Vec<String>,
    /// The newest backup that is whole.
    pub backup: Option<Backup>,
}

/// A backup that was looked through and is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// When it was made.
    pub made_at: Timestamp,
}

impl Condition {
    /// Whether it may be written.
    pub fn is_sound(&self) -> bool {
        matches!(self, Self::Sound)
    }

    /// What to say of it; nothing while it is sound.
    pub fn sentence(&self) -> Option<Sentence> {
        match self {
            Self::Sound => None,
            Self::Suspect => Some(say!(
                "A part of the database could not be read. Shopbell is looking through all of it. Until it knows more it writes nothing; new messages wait at the services."
            )),
            Self::Damaged(damage) => Some(damage.way_out()),
        }
    }

    /// Why a write is refused; nothing while it is sound.
    pub fn refusal(&self) -> Option<Error> {
        self.sentence().map(|sentence| Error::new(Code::Corrupt, sentence))
    }
}

impl Damage {
    /// What happened and how to go on, step by step.
    pub fn way_out(&self) -> Sentence {
        match &self.backup {
            Some(backup) => say!(
                "The database is damaged. Shopbell shows what it can still read and writes nothing more. The newest good backup is of {when}; what came later is missing in it. To go back to it: close Shopbell, move shopbell.db, shopbell.db-wal and shopbell.db-shm out of the folder {folder} and keep them, copy {backup} into that folder under the name shopbell.db, and start Shopbell again.",
                when = backup.made_at.to_jiff().to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M"),
                folder = self.directory.display(),
                backup = backup.path.display()
            ),
            None => say!(
                "The database is damaged. Shopbell shows what it can still read and writes nothing more. There is no good backup. Close Shopbell, copy the whole folder {folder} to another disk, and have somebody who knows databases save what is in the copy of shopbell.db.",
                folder = self.directory.display()
            ),
        }
    }
}

/// Looks through the file when something about it is suspicious.
pub struct Inspector {
    directory: PathBuf,
    changes: Arc<Changes>,
    state: watch::Sender<Condition>,
    look: Mutex<Look>,
    /// Rung when the store closes.
    bell: Condvar,
}

#[derive(Default)]
struct Look {
    thread: Option<std::thread::JoinHandle<()>>,
    interrupt: Option<InterruptHandle>,
    sound_at: Option<Instant>,
    closing: bool,
}

impl Inspector {
    /// For the database in `directory`, which nothing is known against.
    pub fn new(directory: &Path, changes: Arc<Changes>) -> Arc<Self> {
        Arc::new(Self {
            directory: directory.to_owned(),
            changes,
            state: watch::channel(Condition::Sound).0,
            look: Mutex::default(),
            bell: Condvar::new(),
        })
    }

    /// Whether the database can be trusted now.
    pub fn condition(&self) -> Condition {
        self.state.borrow().clone()
    }

    /// Why a write is refused now; nothing while the database is sound.
    pub fn refusal(&self) -> Option<Error> {
        self.state.borrow().refusal()
    }

    /// Hears of every change of it.
    pub fn watch(&self) -> watch::Receiver<Condition> {
        self.state.subscribe()
    }

    /// SQLite complained. Stops all writing and looks through the whole file, unless that has just been done.
    pub fn complain(self: &Arc<Self>, complaint: &str) {
        let mut look = self.locked();
        let lately = look.sound_at.is_some_and(|at| at.elapsed() < SOUND_FOR);
        if look.closing || lately || !self.state.borrow().is_sound() {
            return;
        }
        tracing::error!(complaint, "A part of the database could not be read. Nothing is written until all of it was looked through.");
        self.mark(&["not looked through yet".to_owned()]);
        self.turn(Condition::Suspect);
        let inspector = self.clone();
        match std::thread::Builder::new().name("store-inspector".into()).spawn(move || inspector.look_through()) {
            Ok(thread) => look.thread = Some(thread),
            Err(error) => tracing::error!(%error, "The database cannot be looked through now; the next start does it."),
        }
    }

    fn locked(&self) -> MutexGuard<'_, Look> {
        self.look.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn turn(&self, condition: Condition) {
        self.state.send_replace(condition);
        self.changes.announce(vec![Change::Settings]);
    }

    fn look_through(&self) {
        let found = loop {
            match self.findings() {
                Ok(found) => break found,
                Err(error) => {
                    let look = self.locked();
                    if look.closing {
                        return;
                    }
                    tracing::error!(error = ?error, "The database could not be looked through; trying again.");
                    let (look, _) = self.bell.wait_timeout(look, LOOK_AGAIN).unwrap_or_else(std::sync::PoisonError::into_inner);
                    if look.closing {
                        return;
                    }
                }
            }
        };
        if found.is_empty() {
            tracing::warn!("The whole database was looked through and is sound. It is written again.");
            unmark(&self.directory);
            let mut look = self.locked();
            look.sound_at = Some(Instant::now());
            look.interrupt = None;
            drop(look);
            self.turn(Condition::Sound);
            return;
        }
        self.mark(&found);
        let damage = damage(&self.directory, found);
        tracing::error!(found = damage.found.join("; "), "{}", damage.way_out());
        self.turn(Condition::Damaged(Arc::new(damage)));
    }

    /// What is wrong with the file; nothing when it is sound.
    fn findings(&self) -> Result<Vec<String>> {
        let db = super::open_reader(&self.directory.join(super::DATABASE));
        let db = match db {
            Ok(db) => db,
            Err(error) if error.code == Code::Corrupt => return Ok(vec![cause(&error)]),
            Err(error) => return Err(error),
        };
        {
            let mut look = self.locked();
            if look.closing {
                return Err(Error::new(Code::Unavailable, say!("Shopbell is closing.")));
            }
            look.interrupt = Some(db.get_interrupt_handle());
        }
        integrity(&db)
    }

    fn mark(&self, found: &[String]) {
        let mark = self.directory.join(MARK);
        let text = format!("Shopbell looks through the whole database at the next start, because of this:\n{}\n", found.join("\n"));
        if let Err(error) = std::fs::write(&mark, text).and_then(|()| std::fs::File::open(&mark)?.sync_all()) {
            tracing::error!(%error, "The mark beside the damaged database could not be written.");
        }
    }

    /// Ends a look in progress; the mark makes the next start begin it again.
    pub fn close(&self) {
        let mut look = self.locked();
        look.closing = true;
        if let Some(interrupt) = look.interrupt.take() {
            interrupt.interrupt();
        }
        self.bell.notify_all();
        let thread = look.thread.take();
        drop(look);
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("Looking through the database ended badly.");
        }
    }
}

/// Whether an earlier run had reason to suspect the database.
pub fn is_marked(directory: &Path) -> bool {
    directory.join(MARK).exists()
}

/// Takes the mark away: the database is sound, or another one lies in its place.
pub fn unmark(directory: &Path) {
    match std::fs::remove_file(directory.join(MARK)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::error!(%error, "The mark beside the database could not be taken away; the next start looks through all of it again.");
        }
        _ => {}
    }
}

/// What is to be said of a database that cannot even be opened.
pub fn unopened(directory: &Path, error: Error) -> Error {
    if error.code != Code::Corrupt {
        return error;
    }
    let damage = damage(directory, vec![cause(&error)]);
    Error { message: damage.way_out(), ..error }
}

/// What SQLite says after it has read everything; nothing when all is well.
pub fn integrity(db: &Connection) -> Result<Vec<String>> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement = db.prepare(&format!("PRAGMA integrity_check({FINDINGS})"))?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    match read().map_err(Error::from) {
        Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
        Err(error) if error.code == Code::Corrupt => Ok(vec![cause(&error)]),
        Err(error) => Err(error),
    }
}

fn cause(error: &Error) -> String {
    error.source.as_ref().map_or_else(|| error.message.to_string(), |source| format!("{source:#}"))
}

fn damage(directory: &Path, found: Vec<String>) -> Damage {
    let backup = newest_good_backup(&directory.join("backups")).unwrap_or_else(|error| {
        tracing::error!(error = ?error, "The backups could not be looked through.");
        None
    });
    Damage { directory: directory.to_owned(), found, backup }
}

/// The newest backup in `folder` that is whole and that this version can read.
pub fn newest_good_backup(folder: &Path) -> Result<Option<Backup>> {
    let mut backups = backups(folder)?;
    backups.sort_by_key(|backup| std::cmp::Reverse(backup.made_at));
    for backup in backups {
        match is_good(&backup.path) {
            Ok(true) => return Ok(Some(backup)),
            Ok(false) => tracing::warn!(backup = %backup.path.display(), "A backup is damaged too."),
            Err(error) => tracing::warn!(backup = %backup.path.display(), error = ?error, "A backup could not be read."),
        }
    }
    Ok(None)
}

/// Every finished backup in `folder`, in no order.
pub fn backups(folder: &Path) -> Result<Vec<Backup>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::from(anyhow::Error::new(error).context("read the folder of backups"))),
    };
    let mut backups = Vec::new();
    for entry in entries {
        let entry = entry.context("read the folder of backups")?;
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "db") {
            continue;
        }
        let modified = entry.metadata().and_then(|about| about.modified()).context("look at a backup")?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        backups.push(Backup { path, made_at: Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)) });
    }
    Ok(backups)
}

fn is_good(path: &Path) -> Result<bool> {
    // Immutable: a backup is a file that nobody writes, and looking at it must leave nothing beside it.
    let mut address = url::Url::from_file_path(path).map_err(|()| anyhow::anyhow!("a backup has no whole path"))?;
    address.set_query(Some("immutable=1"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(address.as_str(), flags)?;
    Ok(integrity(&db)?.is_empty() && (1..=migrate::MIGRATIONS.len()).contains(&migrate::version(&db)?))
}
