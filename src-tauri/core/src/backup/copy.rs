//! A snapshot of the database, taken while it is in use.
//!
//! One read transaction is held from the first page to the last, so that the copy is of one moment and no write in between makes SQLite
//! begin again; the price is a log that grows meanwhile. Pages are copied a few at a time with pauses, so that the disk stays free for
//! the shop. Only a copy that was looked through and is on the disk gets its name.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error, Result};
use crate::say;
use crate::store::{Store, condition, migrate};

/// How many pages are copied at once.
const PAGES: i32 = 200;
/// How long the disk is left to others after that.
const PAUSE: Duration = Duration::from_millis(4);
/// How long to wait where another connection has the file for a moment.
const BUSY: Duration = Duration::from_millis(50);
/// How often that may happen in a row.
const BUSY_TIMES: u32 = 200;
/// How many steps of SQLite's machine pass between two looks whether to stop.
const STEPS: i32 = 100_000;
/// What stays free on the disk, whatever is written.
pub const RESERVE: u64 = 64 << 20;

/// How much is free on the disk of a folder.
pub type Space = fn(&Path) -> std::io::Result<u64>;

/// How much the operating system says is free there.
pub fn free_space(folder: &Path) -> std::io::Result<u64> {
    fs4::available_space(folder)
}

/// Whether `needed` bytes, and the reserve, fit into `folder`.
///
/// # Errors
/// [`Code::DiskFull`] with both figures in the sentence.
pub fn check_space(folder: &Path, needed: u64, space: Space) -> Result<()> {
    let free = space(folder).context("ask how much is free on the disk")?;
    if free >= needed.saturating_add(RESERVE) {
        return Ok(());
    }
    Err(Error::new(
        Code::DiskFull,
        say!(
            "There is too little room on the disk: this takes {needed} MB, and {free} MB are free. Delete something, then try again.",
            needed = megabytes(needed.saturating_add(RESERVE)),
            free = free >> 20
        ),
    ))
}

/// Whole megabytes, rounded up.
pub fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// How large a copy of the database will be, at most.
pub fn size(store: &Store) -> u64 {
    let database = store.directory().join(crate::store::DATABASE);
    let log = database.with_extension("db-wal");
    [database, log].iter().filter_map(|path| path.metadata().ok()).map(|about| about.len()).sum()
}

/// Copies the database to `to`, which gets its name only when the copy is whole and on the disk. Gives back its size.
///
/// # Errors
/// [`Code::DiskFull`], [`Code::Corrupt`] when the copy is not whole; [`Code::Unavailable`] when told to stop.
pub fn take(store: &Store, to: &Path, stop: &CancellationToken) -> Result<u64> {
    take_and(store, to, stop, |_| Ok(()))
}

/// The same, with something done to the copy before it is looked through.
pub fn take_and(store: &Store, to: &Path, stop: &CancellationToken, change: impl FnOnce(&Connection) -> Result<()>) -> Result<u64> {
    let unfinished = to.with_extension("part");
    let taken = copy(store, &unfinished, stop, change);
    if taken.is_err() {
        clear(&unfinished);
    }
    taken?;
    std::fs::File::open(&unfinished).and_then(|file| file.sync_all()).context("flush the backup")?;
    let bytes = unfinished.metadata().context("look at the backup")?.len();
    std::fs::rename(&unfinished, to).context("name the backup")?;
    flush_folder(to)?;
    Ok(bytes)
}

fn copy(store: &Store, unfinished: &Path, stop: &CancellationToken, change: impl FnOnce(&Connection) -> Result<()>) -> Result<()> {
    // What an interrupted copy left would be taken for the beginning of this one.
    clear(unfinished);
    let source = store.own_reader()?;
    let snapshot = source.unchecked_transaction()?;
    let version = migrate::version(&snapshot)?;
    let mut copy = Connection::open(unfinished)?;
    crate::store::private_file(unfinished)?;
    pages(&snapshot, &mut copy, stop)?;
    drop(snapshot);
    // One file and no log beside it, and nothing of the old log's settings.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    change(&copy)?;
    let told = stop.clone();
    copy.progress_handler(STEPS, Some(move || told.is_cancelled()))?;
    let found = condition::integrity(&copy);
    if stop.is_cancelled() {
        return Err(stopped());
    }
    let found = found?;
    if !found.is_empty() || migrate::version(&copy)? != version {
        let found = found.join("; ");
        // Bad bytes come from the original as well as from the disk: it is looked through before anything more is written.
        store.doubt(&format!("a backup was not whole: {found}"));
        return Err(Error::new(
            Code::Corrupt,
            say!("The backup was not whole and was thrown away. Shopbell looks through its database and tries again."),
        )
        .because(anyhow::anyhow!("integrity_check of the copy: {found}")));
    }
    copy.progress_handler(STEPS, None::<fn() -> bool>)?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn pages(source: &Connection, copy: &mut Connection, stop: &CancellationToken) -> Result<()> {
    let backup = Backup::new(source, copy)?;
    let mut busy = 0;
    loop {
        if stop.is_cancelled() {
            return Err(stopped());
        }
        match backup.step(PAGES)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {
                busy = 0;
                std::thread::sleep(PAUSE);
            }
            StepResult::Busy | StepResult::Locked if busy < BUSY_TIMES => {
                busy += 1;
                std::thread::sleep(BUSY);
            }
            other => return Err(anyhow::anyhow!("the copy does not go on: {other:?}").into()),
        }
    }
}

fn stopped() -> Error {
    Error::new(Code::Unavailable, say!("Shopbell is closing."))
}

/// Takes an unfinished copy away, with what SQLite may have put beside it.
pub fn clear(unfinished: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let mut name = unfinished.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "An unfinished copy could not be deleted.");
            }
            _ => {}
        }
    }
}

/// Makes a rename durable where the file system wants to be asked.
pub fn flush_folder(file: &Path) -> Result<()> {
    #[cfg(unix)]
    if let Some(folder) = file.parent() {
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).context("flush the folder of the backup")?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}
