//! One process per data directory.

use std::fs::File;
use std::path::Path;

use crate::error::{Code, Error, Result};
use crate::say;

/// Holds the directory until dropped; the operating system lets go of it when the process dies, however it dies.
pub struct DirectoryLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl DirectoryLock {
    /// Takes `directory` for this process.
    ///
    /// # Errors
    /// [`Code::AlreadyOpen`] when another process has it.
    pub fn take(directory: &Path) -> Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(directory.join("lock"));
        let file = file.map_err(|error| {
            Error::new(
                Code::ReadOnly,
                say!("Shopbell cannot write to its folder. Check that the disk is not write-protected and that the folder is yours."),
            )
            .because(error)
        })?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => Ok(Self(file)),
            Err(fs4::TryLockError::WouldBlock) => Err(Error::new(
                Code::AlreadyOpen,
                say!("Shopbell is already running with this data. Use the window that is open, or start with another profile."),
            )),
            Err(fs4::TryLockError::Error(error)) => Err(Error::from(anyhow::Error::new(error).context("lock the data directory"))),
        }
    }
}
