//! Copies of everything the shop has: made by themselves every day on this computer, and in one sealed file that moves it to another.
//!
//! [`copy`] takes a snapshot of the database while it is in use. [`local`] keeps a week of them, and four more weeks, beside the database.
//! [`export`] seals everything into one file ([`container`], [`contents`]); [`restore`] makes a hub of it, which stands still until its
//! owner says that the other computer is off ([`moved`]).

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use rusqlite::{OptionalExtension, params};

use crate::clock::Timestamp;
use crate::error::Result;
use crate::model::Change;
use crate::store::Tx;

pub mod copy;
pub mod local;
pub mod container;
pub mod contents;
pub mod export;
pub mod restore;
pub mod moved;

/// What is being done with a sealed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// Looking whether the files are what they should be.
    Checking,
    /// Writing it.
    Sealing,
    /// Unpacking it.
    Unpacking,
}

/// How far the making or unpacking of a sealed file is.
#[derive(Debug, Default)]
pub struct Progress {
    doing: AtomicU8,
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    pub(crate) fn begun(&self, doing: Doing, total: u64) {
        self.done.store(0, Ordering::Release);
        self.total.store(total, Ordering::Release);
        let number = match doing {
            Doing::Checking => 1,
            Doing::Sealing => 2,
            Doing::Unpacking => 3,
        };
        self.doing.store(number, Ordering::Release);
    }

    pub(crate) fn further(&self, by: u64) {
        self.done.fetch_add(by, Ordering::AcqRel);
    }

    pub(crate) fn ended(&self) {
        self.doing.store(0, Ordering::Release);
    }

    /// What is being done, how much of it is done, and how much there is; `None` = nothing.
    pub fn now(&self) -> Option<(Doing, u64, u64)> {
        let doing = match self.doing.load(Ordering::Acquire) {
            1 => Doing::Checking,
            2 => Doing::Sealing,
            3 => Doing::Unpacking,
            _ => return None,
        };
        Some((doing, self.done.load(Ordering::Acquire), self.total.load(Ordering::Acquire)))
    }
}

/// Which copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Made by themselves on this computer.
    Local,
    /// The file that a person carries away.
    Portable,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Portable => "portable",
        }
    }
}

/// How the copies of one kind fare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// When one was last tried.
    pub tried_at: Option<Timestamp>,
    /// When one was last finished.
    pub done_at: Option<Timestamp>,
    /// Where that one is.
    pub file: Option<String>,
    /// How large it is.
    pub bytes: u64,
    /// Why the last attempt came to nothing, in a sentence.
    pub trouble: Option<String>,
}

/// How the copies of that kind fare.
pub fn state(db: &rusqlite::Connection, kind: Kind) -> Result<State> {
    let found = db
        .prepare_cached("SELECT tried_at, done_at, file, bytes, trouble FROM backup WHERE kind = ?1")?
        .query_row([kind.as_str()], |row| {
            Ok(State {
                tried_at: Some(row.get(0)?),
                done_at: row.get(1)?,
                file: row.get(2)?,
                bytes: u64::try_from(row.get::<_, Option<i64>>(3)?.unwrap_or(0)).unwrap_or(0),
                trouble: row.get(4)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Notes a finished copy.
pub(crate) fn note_done(tx: &Tx<'_>, kind: Kind, file: &str, bytes: u64) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO backup (kind, tried_at, done_at, file, bytes) VALUES (?1, ?2, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET tried_at = excluded.tried_at, done_at = excluded.done_at, file = excluded.file, bytes = excluded.bytes, trouble = NULL",
    )?
    .execute(params![kind.as_str(), tx.now(), file, i64::try_from(bytes).unwrap_or(i64::MAX)])?;
    tx.changed(Change::Settings);
    Ok(())
}

/// Notes an attempt that came to nothing; what is known of the last finished copy stays.
pub(crate) fn note_trouble(tx: &Tx<'_>, kind: Kind, trouble: &str) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO backup (kind, tried_at, trouble) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET tried_at = excluded.tried_at, trouble = excluded.trouble",
    )?
    .execute(params![kind.as_str(), tx.now(), trouble])?;
    tx.changed(Change::Settings);
    Ok(())
}

#[cfg(test)]
mod tests;
