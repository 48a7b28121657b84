//! Another database takes the place of the one that is here, at a start and before anything is opened.
//!
//! What was unpacked lies in `restoring/`; a mark in it says that it is whole. Every step is one rename and is skipped when it was done
//! already, so a computer that dies in between goes on at its next start, and at no moment is there neither the old nor the new.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::{DATABASE, condition};
use crate::error::Result;

const STAGING: &str = "restoring";
const READY: &str = "ready.json";
/// What the old one is moved to when nobody needs it.
const NOT_NEEDED: &str = "restoring-old";

#[derive(Serialize, Deserialize)]
struct Ready {
    /// The folder in which what was here is kept; `None` = it is not needed.
    aside: Option<String>,
}

/// Where what is to take the place is put together.
pub fn staging(directory: &Path) -> PathBuf {
    directory.join(STAGING)
}

/// Takes away what an interrupted unpacking left.
///
/// # Errors
/// When it cannot be deleted.
pub fn clear_staging(directory: &Path) -> Result<()> {
    match std::fs::remove_dir_all(staging(directory)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("clear the folder to restore into")?,
        _ => Ok(()),
    }
}

/// Says that what lies there is whole, and takes the place at the next start.
///
/// # Errors
/// When it cannot be written.
pub fn ready(directory: &Path, aside: Option<&str>) -> Result<()> {
    let staging = staging(directory);
    flush(&staging.join("media"))?;
    flush(&staging)?;
    let text = serde_json::to_vec(&Ready { aside: aside.map(str::to_owned) }).context("write the mark")?;
    let unfinished = staging.join("ready.part");
    std::fs::write(&unfinished, text).and_then(|()| std::fs::File::open(&unfinished)?.sync_all()).context("write the mark")?;
    std::fs::rename(&unfinished, staging.join(READY)).context("write the mark")?;
    flush(&staging)
}

/// Lets what was prepared take its place. Does nothing where nothing was.
///
/// # Errors
/// When something cannot be moved; the next start goes on.
pub fn take_place(directory: &Path) -> Result<()> {
    let staging = staging(directory);
    let text = match std::fs::read(staging.join(READY)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => Err(error).context("read the mark")?,
    };
    let ready: Ready = serde_json::from_slice(&text).context("read the mark")?;
    // A name of our own making: anything else in it is none of ours.
    let aside = ready.aside.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    let old = directory.join(aside.as_deref().unwrap_or(NOT_NEEDED));
    std::fs::create_dir_all(&old).context("make a folder for what was here")?;
    let new = staging.join(DATABASE);
    if new.exists() {
        let beside = |suffix: &str| format!("{DATABASE}{suffix}");
        for name in [DATABASE.to_owned(), beside("-wal"), beside("-shm"), "backups".to_owned()] {
            step(&directory.join(&name), &old.join(&name))?;
        }
        if staging.join("media").exists() {
            step(&directory.join("media"), &old.join("media"))?;
            step(&staging.join("media"), &directory.join("media"))?;
        }
        flush(&old)?;
        flush(directory)?;
        step(&new, &directory.join(DATABASE))?;
        flush(directory)?;
    }
    for folder in ["media", "backups"] {
        std::fs::create_dir_all(directory.join(folder)).context("make the folders of the data directory")?;
    }
    condition::unmark(directory);
    if aside.is_none() {
        std::fs::remove_dir_all(&old).context("clear what is not needed")?;
    }
    clear_staging(directory)?;
    flush(directory)?;
    tracing::info!("What was restored from a backup is now the database.");
    Ok(())
}

/// One move, unless it was made already.
fn step(from: &Path, to: &Path) -> Result<()> {
    if from.exists() && !to.exists() {
        std::fs::rename(from, to).with_context(|| format!("move {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

fn flush(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).context("flush a folder")?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
