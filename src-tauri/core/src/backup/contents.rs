//! What lies in a sealed file, in this order: a manifest, the database without its secrets, the secrets, the files, an end.
//!
//! ```text
//! part = kind (1) · length of the name (1) · name · length (8) · bytes
//! ```

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};

use super::container::{Flaw, meaning};
use crate::clock::Timestamp;
use crate::error::Result;

/// The most that a manifest or the secrets may take.
pub const LONGEST_LIST: u64 = 64 << 20;

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What follows, in numbers.
    Manifest,
    /// The database.
    Database,
    /// The secrets.
    Secrets,
    /// A file; its name is the SHA-256 of its bytes.
    File,
    /// There is nothing more.
    End,
}

impl Kind {
    fn letter(self) -> u8 {
        match self {
            Self::Manifest => b'm',
            Self::Database => b'd',
            Self::Secrets => b's',
            Self::File => b'f',
            Self::End => b'e',
        }
    }

    fn of(letter: u8) -> Option<Self> {
        [Self::Manifest, Self::Database, Self::Secrets, Self::File, Self::End].into_iter().find(|kind| kind.letter() == letter)
    }
}

/// What follows it, in numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// When the snapshot was taken.
    pub made_at: Timestamp,
    /// The size of the database.
    pub database: u64,
    /// How many files.
    pub files: u64,
    /// Their sizes together.
    pub file_bytes: u64,
    /// How many files and secrets were missing or damaged when it was made.
    pub left_out: u64,
}

/// A secret as it travels, inside of what is sealed.
#[derive(Serialize, Deserialize)]
pub struct Travelling<'a> {
    /// Whose it is.
    pub owner: std::borrow::Cow<'a, str>,
    /// Which.
    pub field: std::borrow::Cow<'a, str>,
    /// The value.
    pub value: std::borrow::Cow<'a, str>,
}

/// The head of a part.
#[derive(Debug)]
pub struct Head {
    /// What it is.
    pub kind: Kind,
    /// Its name; only files have one.
    pub name: String,
    /// How many bytes follow.
    pub length: u64,
}

/// Writes the head of a part.
///
/// # Errors
/// What writing says.
pub fn write_head(to: &mut impl Write, kind: Kind, name: &str, length: u64) -> Result<()> {
    let short = u8::try_from(name.len()).map_err(anyhow::Error::from)?;
    let mut head = vec![kind.letter(), short];
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(&length.to_be_bytes());
    to.write_all(&head).map_err(meaning)
}

/// Reads the head of a part.
///
/// # Errors
/// What reading says; [`Flaw::Changed`] when it is none.
pub fn read_head(from: &mut impl Read) -> Result<Head> {
    let mut two = [0u8; 2];
    from.read_exact(&mut two).map_err(meaning)?;
    let mut name = vec![0u8; usize::from(two[1])];
    from.read_exact(&mut name).map_err(meaning)?;
    let mut length = [0u8; 8];
    from.read_exact(&mut length).map_err(meaning)?;
    let (Some(kind), Ok(name)) = (Kind::of(two[0]), String::from_utf8(name)) else { return Err(Flaw::Changed.into()) };
    Ok(Head { kind, name, length: u64::from_be_bytes(length) })
}
