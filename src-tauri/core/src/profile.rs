//! A profile = one hub = one data directory. `--profile test` is a second Shopbell beside the first.

use std::path::PathBuf;

use crate::error::{Code, Error, Result};
use crate::say;

/// The profile that is used when none is named.
pub const USUAL: &str = "default";

/// The profile of the Lab, where every service is a stand-in.
pub const LAB: &str = "lab";

/// The data directory of `profile` for this user, on Linux `~/.local/share/shopbell/<profile>`.
///
/// # Errors
/// A name that could lead elsewhere on the disk; a user without a home directory.
pub fn directory(profile: &str) -> Result<PathBuf> {
    check(profile)?;
    let directories = directories::ProjectDirs::from("", "", "Shopbell").ok_or_else(|| {
        Error::new(Code::ReadOnly, say!("This user has no home folder. Say where the data is to be kept with --data-dir."))
    })?;
    Ok(directories.data_dir().join(profile))
}

/// Whether `profile` is a name for a profile.
///
/// # Errors
/// A sentence that says what such a name looks like.
pub fn check(profile: &str) -> Result<()> {
    let good = (1..=40).contains(&profile.len())
        && profile.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_')
        && !profile.starts_with('-');
    if good {
        return Ok(());
    }
    Err(Error::field("profile", say!("A profile's name has up to 40 small letters, digits and hyphens.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_never_leads_out_of_the_data_directory() {
        for good in [USUAL, "test", "shop-two", "a_1"] {
            assert!(directory(good).unwrap().ends_with(good), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "../x", "C:\\x", "Shop", "-x", "com1:", "a b", &"x".repeat(41)] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
