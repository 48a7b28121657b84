//! The sealed file: a header that says how the passphrase makes the key, and then chunks, each sealed for its place.
//!
//! ```text
//! "SHOPBELL" 0x01 · length of the header (4) · header, JSON · chunk · chunk · … · last chunk
//! chunk = last? (1) · length (4) · AES-256-GCM of up to 1 MiB, and its tag
//! ```
//!
//! The key is made from the passphrase and a fresh salt (Argon2id) and used for this file alone, so a chunk's number is its nonce. The
//! associated data of every chunk are the SHA-256 of the whole header, its number, and whether it is the last: a changed header, a chunk
//! in another place, one left out and an end cut off all fail to open. Nothing here is held in memory but one chunk.

use std::io::{self, Read, Write};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};
use crate::say;
use crate::secret::Secret;
use crate::vault::sealing::{Cost, Key, derive};

/// How the file begins; the last byte is the format.
const MAGIC: &[u8; 9] = b"SHOPBELL\x01";
/// How much is sealed at once.
pub const CHUNK: usize = 1 << 20;
const TAG: usize = 16;
/// A longer header is none of ours.
const LONGEST_HEADER: u32 = 64 << 10;
/// What a header may ask of this computer to try a passphrase: memory in KiB, rounds, lanes.
const DEAREST: Cost = Cost { m: 1 << 20, t: 16, p: 16 };
const CHECK_PLACE: &str = "shopbell/backup/1|check";
const CHECK_TEXT: &[u8] = b"the passphrase is the right one";

/// What can be read without the passphrase. A change to it is noticed with the first chunk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    /// When it was made.
    pub made_at: Timestamp,
    /// The version of Shopbell that made it.
    pub version: String,
    /// The schema of its database.
    pub schema: usize,
    salt: String,
    argon2id: Cost,
    check: String,
}

/// What is wrong with a file, as it comes out of [`Read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Its end is missing.
    #[error("the file ends before its last chunk")]
    Cut,
    /// Something in it is not as it was written.
    #[error("a chunk does not open in its place")]
    Changed,
}

impl From<Flaw> for Error {
    fn from(flaw: Flaw) -> Self {
        let message = match flaw {
            Flaw::Cut => {
                say!("This backup is cut off: its end is missing. Copy the file again from where it was made. Nothing was changed here.")
            }
            Flaw::Changed => say!("This backup was damaged or changed after it was made and cannot be trusted. Nothing was changed here."),
        };
        Self::new(Code::Invalid, message).because(flaw)
    }
}

/// What a failure of reading or writing means: a flaw of the file, a full disk, or a disk that does not answer.
pub fn meaning(error: io::Error) -> Error {
    if let Some(flaw) = error.get_ref().and_then(|inner| inner.downcast_ref::<Flaw>()) {
        return (*flaw).into();
    }
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Error::new(Code::DiskFull, say!("The disk is full. Delete something, then try again. Nothing was changed here.")).because(error)
        }
        io::ErrorKind::UnexpectedEof => Flaw::Cut.into(),
        _ => Error::new(Code::ReadOnly, say!("The disk did not answer. Check the disk, then try again.")).because(error),
    }
}

/// Nonce and associated data of a chunk.
fn place(header: &[u8; 32], number: u64, last: bool) -> ([u8; 12], Vec<u8>) {
    let mut nonce = [0u8; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(last);
    let about = [b"shopbell/backup/1|chunk|".as_slice(), header, &number.to_be_bytes(), &[u8::from(last)]].concat();
    (nonce, about)
}

/// Seals what is written into it. Nothing is whole before [`Sealer::finish`].
pub struct Sealer<W: Write> {
    to: W,
    key: Key,
    header: [u8; 32],
    number: u64,
    waiting: Zeroizing<Vec<u8>>,
}

impl<W: Write> Sealer<W> {
    /// Begins a file. Makes the key: takes a good part of a second and 64 MiB.
    ///
    /// # Errors
    /// What writing says.
    pub fn begin(mut to: W, passphrase: &Secret, made_at: Timestamp, schema: usize) -> Result<Self> {
        let mut salt = [0u8; 16];
        getrandom::fill(&mut salt).map_err(|error| anyhow::anyhow!("the computer has no randomness: {error}"))?;
        let cost = Cost::default();
        let key = derive(passphrase.reveal().as_bytes(), &salt, cost)?;
        let header = Header {
            made_at,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            schema,
            salt: hex::encode(salt),
            argon2id: cost,
            check: hex::encode(key.seal(CHECK_PLACE, CHECK_TEXT)?),
        };
        let header = serde_json::to_vec(&header).context("write the header")?;
        let length = u32::try_from(header.len()).context("the header is short")?;
        let mut begin = || {
            to.write_all(MAGIC)?;
            to.write_all(&length.to_be_bytes())?;
            to.write_all(&header)
        };
        begin().map_err(meaning)?;
        Ok(Self { to, key, header: Sha256::digest(&header).into(), number: 0, waiting: Zeroizing::new(Vec::with_capacity(CHUNK)) })
    }

    fn chunk(&mut self, last: bool) -> io::Result<()> {
        let (nonce, about) = place(&self.header, self.number, last);
        let sealed = self.key.seal_at(nonce, &about, &self.waiting).map_err(io::Error::other)?;
        self.to.write_all(&[u8::from(last)])?;
        self.to.write_all(&u32::try_from(sealed.len()).map_err(io::Error::other)?.to_be_bytes())?;
        self.to.write_all(&sealed)?;
        self.number += 1;
        self.waiting.clear();
        Ok(())
    }

    /// Writes the last chunk and gives back what was written to.
    ///
    /// # Errors
    /// What writing says.
    pub fn finish(mut self) -> Result<W> {
        self.chunk(true).and_then(|()| self.to.flush()).map_err(meaning)?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.len() == CHUNK {
            self.chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        // A chunk is sealed when it is full: a shorter one would say that nothing follows.
        Ok(())
    }
}

/// Reads the header, and how long it is in the file.
///
/// # Errors
/// A sentence when it is no backup, or one of a Shopbell to come.
pub fn header(from: &mut impl Read) -> Result<(Header, [u8; 32])> {
    let stranger = || Error::new(Code::Invalid, say!("This file is not a backup of Shopbell."));
    let mut magic = [0u8; 9];
    from.read_exact(&mut magic).map_err(|error| stranger().because(error))?;
    if magic[..8] != MAGIC[..8] {
        return Err(stranger());
    }
    if magic[8] != MAGIC[8] {
        return Err(newer());
    }
    let mut length = [0u8; 4];
    from.read_exact(&mut length).map_err(meaning)?;
    let length = u32::from_be_bytes(length);
    if length > LONGEST_HEADER {
        return Err(Flaw::Changed.into());
    }
    let mut text = vec![0u8; length as usize];
    from.read_exact(&mut text).map_err(meaning)?;
    let header: Header = serde_json::from_slice(&text).map_err(|_| Error::from(Flaw::Changed))?;
    Ok((header, Sha256::digest(&text).into()))
}

/// What is said of a backup that a newer Shopbell made.
pub fn newer() -> Error {
    Error::new(
        Code::NewerDatabase,
        say!("This backup was made by a newer Shopbell. Install the newest version here first, then restore it. Nothing was changed here."),
    )
}

/// Opens what [`Sealer`] sealed.
pub struct Opener<R: Read> {
    from: R,
    key: Key,
    header: [u8; 32],
    number: u64,
    open: Zeroizing<Vec<u8>>,
    at: usize,
    ended: bool,
}

impl<R: Read> std::fmt::Debug for Opener<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").field("number", &self.number).finish_non_exhaustive()
    }
}

impl<R: Read> Opener<R> {
    /// Reads the header and tries the passphrase: takes a good part of a second and 64 MiB.
    ///
    /// # Errors
    /// [`Code::WrongPassphrase`]; [`Code::Invalid`] when it is no backup; [`Code::NewerDatabase`].
    pub fn begin(mut from: R, passphrase: &Secret) -> Result<(Self, Header)> {
        let (header, hash) = header(&mut from)?;
        let cost = header.argon2id;
        let bytes = hex::decode(&header.salt).ok().zip(hex::decode(&header.check).ok());
        let Some((salt, check)) = bytes.filter(|_| cost.m <= DEAREST.m && cost.t <= DEAREST.t && cost.p <= DEAREST.p) else {
            return Err(Flaw::Changed.into());
        };
        let key = derive(passphrase.reveal().as_bytes(), &salt, cost).map_err(|error| Error::from(Flaw::Changed).because(error))?;
        if key.open(CHECK_PLACE, &check).is_none_or(|text| text.as_slice() != CHECK_TEXT) {
            return Err(Error::new(
                Code::WrongPassphrase,
                say!(
                    "The passphrase does not open this backup. Type it as it was chosen when the backup was made. Nothing was changed here."
                ),
            ));
        }
        let opener = Self { from, key, header: hash, number: 0, open: Zeroizing::new(Vec::new()), at: 0, ended: false };
        Ok((opener, header))
    }

    fn next(&mut self) -> io::Result<()> {
        let cut = |error: io::Error| if error.kind() == io::ErrorKind::UnexpectedEof { io::Error::other(Flaw::Cut) } else { error };
        let mut head = [0u8; 5];
        self.from.read_exact(&mut head).map_err(cut)?;
        let [last, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        if last > 1 || !(TAG..=CHUNK + TAG).contains(&length) {
            return Err(io::Error::other(Flaw::Changed));
        }
        let mut sealed = vec![0u8; length];
        self.from.read_exact(&mut sealed).map_err(cut)?;
        let (nonce, about) = place(&self.header, self.number, last == 1);
        self.open = self.key.open_at(nonce, &about, &sealed).ok_or_else(|| io::Error::other(Flaw::Changed))?;
        self.at = 0;
        self.number += 1;
        self.ended = last == 1;
        if self.ended && self.from.read(&mut [0u8; 1])? > 0 {
            // Something was put behind the end.
            return Err(io::Error::other(Flaw::Changed));
        }
        Ok(())
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.open.len() {
            if self.ended {
                return Ok(0);
            }
            self.next()?;
        }
        let given = into.len().min(self.open.len() - self.at);
        into[..given].copy_from_slice(&self.open[self.at..self.at + given]);
        self.at += given;
        Ok(given)
    }
}

#[cfg(test)]
mod tests;
