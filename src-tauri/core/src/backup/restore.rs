//! A sealed file becomes a hub: everything is unpacked and proven beside what is there, and takes its place at the next start.
//!
//! No name or path from the file is used: files are stored under the hash of their own bytes, and one that is called otherwise makes the
//! whole file untrustworthy. The secrets are sealed anew under this computer's vault. Until the last step nothing that is here is touched.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::container::{self, Flaw, Opener, meaning};
use super::contents::{Head, Kind as Part, LONGEST_LIST, Manifest, Travelling, read_head};
use super::copy::{self, Space};
use super::export::is_hash;
use super::{Doing, Progress, moved};
use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::say;
use crate::secret::Secret;
use crate::store::{DATABASE, Store, condition, migrate, swap};
use crate::vault::{Carried, Vault, VaultRow};

/// What this computer keeps of its own when another database takes its place: who is signed in, and the name of its entry in the keychain.
const OWN: [&str; 2] = ["browser_sessions", "hub_id"];

/// What was prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// When the backup was made.
    pub made_at: Timestamp,
    /// How many files came with it.
    pub files: u64,
    /// How many files and secrets were missing already when it was made.
    pub left_out: u64,
    /// Where what was here before is kept from the next start on; `None` = there was nothing.
    pub kept_aside: Option<PathBuf>,
}

/// Whether somebody has worked with this hub already.
pub fn is_in_use(db: &Connection) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM message) OR EXISTS (SELECT 1 FROM secret) OR EXISTS (SELECT 1 FROM document)
                 OR EXISTS (SELECT 1 FROM setting WHERE key = 'first_run_done' AND value = 'true')";
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}

/// Unpacks and proves `file`. From the next start on it is this hub; what was here is kept aside. `replace` = also where somebody has
/// worked already.
///
/// # Errors
/// [`Code::WrongPassphrase`], [`Code::NewerDatabase`], [`Code::DiskFull`], [`Code::Invalid`] for a file that cannot be trusted,
/// [`Code::Conflict`] where somebody has worked already: nothing was changed then.
pub async fn prepare(hub: &Arc<Hub>, file: &Path, passphrase: Secret, replace: bool, space: Space) -> Result<Prepared> {
    let in_use = hub.store.read(is_in_use).await?;
    if in_use && !replace {
        return Err(Error::new(
            Code::Conflict,
            say!(
                "There are conversations or keys here already. Restore into a new, empty Shopbell, or say that this one is to be replaced; it is then kept aside."
            ),
        ));
    }
    if hub.lab.is_some() {
        return Err(Error::new(Code::Conflict, say!("The Lab is for trying only. Restore in Shopbell itself.")));
    }
    let own = hub.store.read(own_settings).await?;
    let unpacking = Unpacking {
        store: hub.store.clone(),
        vault: hub.vault.clone(),
        row: hub.vault.own_row().await?,
        own,
        progress: hub.carrying.clone(),
        passphrase,
        file: file.to_owned(),
        space,
        stop: hub.stopping(),
        keep: in_use,
        language: hub.language(),
    };
    let prepared = tokio::task::spawn_blocking(move || unpacking.prepare()).await.context("the restore panicked")?;
    hub.carrying.ended();
    prepared
}

fn own_settings(db: &Connection) -> Result<Vec<(&'static str, String)>> {
    let mut own = Vec::new();
    for key in OWN {
        let value: Option<String> = db.query_row("SELECT value FROM setting WHERE key = ?1", [key], |row| row.get(0)).optional()?;
        own.extend(value.map(|value| (key, value)));
    }
    Ok(own)
}

struct Unpacking {
    store: Arc<Store>,
    vault: Arc<Vault>,
    row: VaultRow,
    own: Vec<(&'static str, String)>,
    progress: Arc<Progress>,
    passphrase: Secret,
    file: PathBuf,
    space: Space,
    stop: CancellationToken,
    keep: bool,
    language: String,
}

impl Unpacking {
    fn prepare(self) -> Result<Prepared> {
        let staging = swap::staging(self.store.directory());
        let prepared = self.unpack(&staging);
        if prepared.is_err() {
            drop(std::fs::remove_dir_all(&staging));
        }
        prepared
    }

    fn unpack(&self, staging: &Path) -> Result<Prepared> {
        let source = File::open(&self.file).map_err(|error| {
            Error::field("file", say!("The file {file} cannot be read. Check where it is.", file = self.file.display())).because(error)
        })?;
        let (mut from, header) = Opener::begin(BufReader::new(source), &self.passphrase)?;
        if header.schema > migrate::MIGRATIONS.len() {
            return Err(container::newer());
        }
        let manifest: Manifest = {
            let text = self.list(&mut from, Part::Manifest)?;
            serde_json::from_slice(&text).map_err(|_| Error::from(Flaw::Changed))?
        };
        let needed = manifest.database.saturating_mul(2).saturating_add(manifest.file_bytes);
        copy::check_space(self.store.directory(), needed, self.space)?;
        self.progress.begun(Doing::Unpacking, manifest.database.saturating_add(manifest.file_bytes));

        swap::clear_staging(self.store.directory())?;
        let media = staging.join("media");
        std::fs::create_dir_all(&media).map_err(meaning)?;
        let database = staging.join(DATABASE);
        let head = expect(read_head(&mut from)?, Part::Database)?;
        if head.length != manifest.database {
            return Err(Flaw::Changed.into());
        }
        self.write(&mut from, head.length, &database)?;
        let carried = carried(&self.list(&mut from, Part::Secrets)?)?;
        let files = self.files(&mut from, &media)?;
        if files != manifest.files {
            return Err(Flaw::Changed.into());
        }
        self.make_ours(&database, &carried, manifest.made_at)?;
        let aside = self.keep.then(|| format!("before-restore-{}", self.store.clock().now().millis()));
        swap::ready(self.store.directory(), aside.as_deref())?;
        Ok(Prepared {
            made_at: manifest.made_at,
            files,
            left_out: manifest.left_out,
            kept_aside: aside.map(|aside| self.store.directory().join(aside)),
        })
    }

    /// A part that is read whole.
    fn list(&self, from: &mut impl Read, kind: Part) -> Result<Zeroizing<Vec<u8>>> {
        let head = expect(read_head(from)?, kind)?;
        if head.length > LONGEST_LIST {
            return Err(Flaw::Changed.into());
        }
        let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(head.length).unwrap_or(0)));
        from.take(head.length).read_to_end(&mut text).map_err(meaning)?;
        if text.len() as u64 == head.length { Ok(text) } else { Err(Flaw::Changed.into()) }
    }

    /// Every file under the hash of its own bytes.
    fn files(&self, from: &mut impl Read, media: &Path) -> Result<u64> {
        let unfinished = media.join("unfinished.part");
        let mut files = 0;
        loop {
            let head = read_head(from)?;
            match head.kind {
                Part::File if is_hash(&head.name) => {}
                Part::End => break,
                Part::File | Part::Manifest | Part::Database | Part::Secrets => return Err(misnamed()),
            }
            let hash = self.write(from, head.length, &unfinished)?;
            if hash != head.name {
                return Err(misnamed());
            }
            std::fs::rename(&unfinished, media.join(hash)).map_err(meaning)?;
            files += 1;
        }
        if from.read(&mut [0u8; 1]).map_err(meaning)? > 0 {
            return Err(Flaw::Changed.into());
        }
        Ok(files)
    }

    /// Writes what follows to `to`, durably; the SHA-256 of it.
    fn write(&self, from: &mut impl Read, length: u64, to: &Path) -> Result<String> {
        let mut target = BufWriter::new(File::create(to).map_err(meaning)?);
        crate::store::private_file(to)?;
        let (mut left, mut buffer, mut hasher) = (length, vec![0u8; 256 << 10], Sha256::new());
        while left > 0 {
            if self.stop.is_cancelled() {
                return Err(Error::new(Code::Unavailable, say!("Shopbell is closing.")));
            }
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let read = from.read(&mut buffer[..most]).map_err(meaning)?;
            if read == 0 {
                return Err(Flaw::Changed.into());
            }
            hasher.update(&buffer[..read]);
            target.write_all(&buffer[..read]).map_err(meaning)?;
            left -= read as u64;
            self.progress.further(read as u64);
        }
        target.into_inner().map_err(|error| meaning(error.into_error()))?.sync_all().map_err(meaning)?;
        Ok(hex::encode(hasher.finalize()))
    }

    /// Proves the database, brings it to our schema, and makes it this computer's: with its vault, and waiting for its owner's word.
    fn make_ours(&self, path: &Path, carried: &[Carried], made_at: Timestamp) -> Result<()> {
        let now = self.store.clock().now();
        let broken = |error: Error| if error.code == Code::Corrupt { Error::from(Flaw::Changed) } else { error };
        let mut db = Connection::open(path)?;
        db.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;")
            .map_err(|error| broken(error.into()))?;
        match migrate::version(&db).map_err(broken)? {
            // SQLite takes almost nothing for an empty database, which would restore as an empty shop.
            0 => return Err(Flaw::Changed.into()),
            version if version > migrate::MIGRATIONS.len() => return Err(container::newer()),
            _ => {}
        }
        let found = condition::integrity(&db).map_err(broken)?;
        if !found.is_empty() {
            return Err(Error::from(Flaw::Changed).because(anyhow::anyhow!("integrity_check: {}", found.join("; "))));
        }
        migrate::raise(&mut db)?;
        if !migrate::acts_as_ours(&db)? {
            return Err(Error::from(Flaw::Changed).because(anyhow::anyhow!("a trigger or view that Shopbell does not make")));
        }
        let tx = db.transaction()?;
        self.vault.move_into(&tx, carried, &self.row, now)?;
        for key in OWN {
            tx.execute("DELETE FROM setting WHERE key = ?1", [key])?;
        }
        for (key, value) in &self.own {
            tx.execute("INSERT INTO setting (key, value) VALUES (?1, ?2)", params![key, value])?;
        }
        moved::hold_back(&tx, made_at, now, &self.language)?;
        tx.commit()?;
        // One file and no log beside it.
        db.pragma_update(None, "journal_mode", "DELETE")?;
        db.close().map_err(|(_, error)| error)?;
        File::open(path).and_then(|file| file.sync_all()).map_err(meaning)?;
        Ok(())
    }
}

fn expect(head: Head, kind: Part) -> Result<Head> {
    if head.kind == kind { Ok(head) } else { Err(Flaw::Changed.into()) }
}

fn misnamed() -> Error {
    Error::from(Flaw::Changed).because(anyhow::anyhow!("a file's name is not the SHA-256 of its bytes"))
}

fn carried(text: &[u8]) -> Result<Vec<Carried>> {
    let travelling: Vec<Travelling<'_>> = serde_json::from_slice(text).map_err(|_| Error::from(Flaw::Changed))?;
    Ok(travelling
        .into_iter()
        .map(|one| Carried { owner: one.owner.into_owned(), field: one.field.into_owned(), secret: Secret::new(one.value.into_owned()) })
        .collect())
}
