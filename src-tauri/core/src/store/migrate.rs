//! The schema's history: numbered files, each applied once, in one transaction, after a verified backup.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rusqlite::{Connection, TransactionBehavior};

use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};
use crate::say;

/// Every migration, oldest first. Never edit one that has been released; add another.
pub const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_ground_floor.sql"),
    include_str!("migrations/0002_lists.sql"),
    include_str!("migrations/0003_channels.sql"),
    include_str!("migrations/0004_sounds.sql"),
    include_str!("migrations/0005_people.sql"),
    include_str!("migrations/0006_housekeeping.sql"),
    include_str!("migrations/0007_labels.sql"),
    include_str!("migrations/0008_reports.sql"),
    include_str!("migrations/0009_quick.sql"),
    include_str!("migrations/0010_lab.sql"),
    include_str!("migrations/0011_backups.sql"),
    include_str!("migrations/0012_reach.sql"),
    include_str!("migrations/0013_sign_in.sql"),
    include_str!("migrations/0014_absences.sql"),
];

/// Brings the database to the newest schema.
///
/// # Errors
/// [`Code::NewerDatabase`] when it was written by a newer Shopbell; nothing is touched then.
pub fn up(db: &mut Connection, directory: &Path, now: Timestamp) -> Result<()> {
    let version = version(db)?;
    if version > MIGRATIONS.len() {
        return Err(newer());
    }
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    if version > 0 {
        let folder = directory.join("backups");
        backup(db, &folder.join(format!("{BEFORE_SCHEMA}{}-{}.db", MIGRATIONS.len(), now.millis())))?;
        keep_newest_backups(&folder)?;
    }
    raise(db)
}

/// The migrations that are missing, without a backup before them.
///
/// # Errors
/// What SQLite says; those before the one that failed are done.
pub fn raise(db: &mut Connection) -> Result<()> {
    let version = version(db)?;
    for (index, sql) in MIGRATIONS.iter().enumerate().skip(version) {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql).with_context(|| format!("migration {}", index + 1))?;
        tx.pragma_update(None, "user_version", i64::try_from(index + 1).unwrap_or(i64::MAX))?;
        tx.commit()?;
        tracing::info!(schema.version = index + 1, "The database was brought to schema {}.", index + 1);
    }
    Ok(())
}

/// How the backups before a migration are called; backups that a person made have other names and are never deleted.
const BEFORE_SCHEMA: &str = "before-schema-";
/// How many of them are kept: each is as large as everything the shop has.
const KEPT: usize = 3;

/// Deletes all but the newest backups that were made before migrations, and what an interrupted one left.
pub fn keep_newest_backups(folder: &Path) -> Result<()> {
    let ours = |path: &Path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(BEFORE_SCHEMA));
    let mut made: Vec<_> = super::condition::backups(folder)?.into_iter().filter(|backup| ours(&backup.path)).collect();
    made.sort_by_key(|backup| std::cmp::Reverse(backup.made_at));
    let mut gone: Vec<PathBuf> = made.into_iter().skip(KEPT).map(|backup| backup.path).collect();
    for entry in std::fs::read_dir(folder).context("read the folder of backups")? {
        let path = entry.context("read the folder of backups")?.path();
        if ours(&path) && path.extension().is_some_and(|extension| extension == "part") {
            gone.push(path);
        }
    }
    for path in gone {
        std::fs::remove_file(&path).with_context(|| format!("delete the backup {}", path.display()))?;
        tracing::info!(backup = %path.display(), "An old backup was deleted; newer ones are kept.");
    }
    Ok(())
}

/// What is said of a database that a newer Shopbell wrote.
pub fn newer() -> Error {
    Error::new(Code::NewerDatabase, say!("This data was written by a newer Shopbell. Install the newest version; nothing was changed."))
}

/// The schema's version; 0 for an empty file.
pub fn version(db: &Connection) -> Result<usize> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Copies the database while it is in use, checks the copy, and only then gives it its name.
pub fn backup(db: &Connection, to: &Path) -> Result<PathBuf> {
    let unfinished = to.with_extension("part");
    {
        let mut copy = Connection::open(&unfinished)?;
        rusqlite::backup::Backup::new(db, &mut copy)?.run_to_completion(1000, std::time::Duration::ZERO, None)?;
        super::check(&copy)?;
        if version(&copy)? != version(db)? {
            return Err(anyhow::anyhow!("the backup has another schema version than its original").into());
        }
    }
    std::fs::File::open(&unfinished).and_then(|file| file.sync_all()).context("flush the backup")?;
    std::fs::rename(&unfinished, to).context("name the backup")?;
    Ok(to.to_owned())
}

/// Whether everything in `db` that acts by itself (triggers, views) is what our migrations make: a file that comes from elsewhere may
/// hold other things.
///
/// # Errors
/// What SQLite says.
pub fn acts_as_ours(db: &Connection) -> Result<bool> {
    let acting = |db: &Connection| -> Result<Vec<String>> {
        let mut statement = db.prepare("SELECT coalesce(sql, '') FROM sqlite_schema WHERE type IN ('trigger', 'view') ORDER BY name")?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    };
    let ours = Connection::open_in_memory()?;
    for sql in MIGRATIONS {
        ours.execute_batch(sql)?;
    }
    Ok(acting(db)? == acting(&ours)?)
}

/// The schema as SQLite holds it after every migration, for `schema.sql`.
pub fn schema() -> Result<String> {
    let db = Connection::open_in_memory()?;
    for sql in MIGRATIONS {
        db.execute_batch(sql)?;
    }
    let mut statement = db.prepare(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '%\\_fts\\_%' ESCAPE '\\'
         ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, name",
    )?;
    let parts: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let head = "-- The schema after every migration. Written by a test; do not edit.\n\n";
    Ok(format!("{head}{};\n", parts.join(";\n\n")))
}
