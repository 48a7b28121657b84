//! The data directory: made, and kept from other people's eyes.

use std::path::Path;

use anyhow::Context;

use crate::error::{Code, Error, Result};
use crate::say;

/// Makes the data directory and what lies in it, for this user alone.
pub fn make_private_directory(directory: &Path) -> Result<()> {
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

/// Lets nobody else read a file.
pub fn private_file(path: &Path) -> Result<()> {
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
