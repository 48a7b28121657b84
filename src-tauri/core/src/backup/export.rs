//! Everything in one sealed file that moves the shop to another computer.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::container::{Sealer, meaning};
use super::contents::{Kind as Part, Manifest, Travelling, write_head};
use super::copy::{self, Space};
use super::{Doing, Kind, Progress, local, note_done, note_trouble};
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::say;
use crate::secret::Secret;
use crate::store::{Store, migrate};
use crate::vault::{Carried, Vault};
use crate::words::language;

/// How a sealed file is called at its end.
pub const EXTENSION: &str = "shopbell";

/// A finished file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Where it is.
    pub file: PathBuf,
    /// How large it is.
    pub bytes: u64,
    /// How many files of conversations it holds.
    pub files: u64,
    /// How many files and secrets were missing or damaged, and are not in it.
    pub left_out: u64,
}

/// Where a sealed file goes when nobody says: the user's own documents.
pub fn usual_folder(store: &Store) -> PathBuf {
    let user = directories::UserDirs::new();
    let documents = user.as_ref().and_then(|user| user.document_dir()).filter(|folder| folder.is_dir());
    documents.or(user.as_ref().map(directories::UserDirs::home_dir)).map_or_else(|| local::folder(store), Path::to_owned)
}

/// Seals everything into a new file in `folder`. What came of it stands in the database, a failure in words.
///
/// # Errors
/// [`Code::VaultLocked`], [`Code::DiskFull`], [`Code::Invalid`] for a folder that cannot be used.
pub async fn into_folder(hub: &Arc<Hub>, passphrase: Secret, folder: &Path, space: Space) -> Result<Exported> {
    if !folder.is_absolute() || !folder.is_dir() {
        return Err(Error::field("folder", say!("There is no folder {folder} on this computer.", folder = folder.display())));
    }
    let zone = jiff::tz::TimeZone::system();
    let day = hub.store.clock().now().to_jiff().to_zoned(zone).strftime("%Y-%m-%d %H.%M.%S").to_string();
    to_file(hub, passphrase, &folder.join(format!("Shopbell {day}.{EXTENSION}")), space).await
}

/// Seals everything into `file`, which must not be there yet.
///
/// # Errors
/// As [`into_folder`].
pub async fn to_file(hub: &Arc<Hub>, passphrase: Secret, file: &Path, space: Space) -> Result<Exported> {
    if file.exists() {
        return Err(Error::new(Code::Conflict, say!("There is a file {file} already. Choose another name.", file = file.display())));
    }
    let making = Making {
        store: hub.store.clone(),
        vault: hub.vault.clone(),
        progress: hub.carrying.clone(),
        passphrase,
        file: file.to_owned(),
        space,
        stop: hub.stopping(),
    };
    let made = tokio::task::spawn_blocking(move || making.make()).await.context("the backup panicked")?;
    hub.carrying.ended();
    match &made {
        Ok(exported) => {
            let (file, bytes) = (exported.file.display().to_string(), exported.bytes);
            hub.store.write(move |tx| note_done(tx, Kind::Portable, &file, bytes)).await?;
        }
        Err(error) => {
            let said = error.message.clone();
            hub.store
                .write(move |tx| {
                    let said = said.in_language(&language(tx)?);
                    note_trouble(tx, Kind::Portable, &said)
                })
                .await?;
        }
    }
    made
}

struct Making {
    store: Arc<Store>,
    vault: Arc<Vault>,
    progress: Arc<Progress>,
    passphrase: Secret,
    file: PathBuf,
    space: Space,
    stop: CancellationToken,
}

impl Making {
    fn make(self) -> Result<Exported> {
        let now = self.store.clock().now();
        let snapshot = local::folder(&self.store).join(format!("moving-{}.db", now.millis()));
        copy::check_space(&local::folder(&self.store), copy::size(&self.store), self.space)?;
        let made = self.seal(&snapshot);
        copy::clear(&snapshot);
        if made.is_err() {
            copy::clear(&self.unfinished());
        }
        made
    }

    fn unfinished(&self) -> PathBuf {
        self.file.with_extension("part")
    }

    fn seal(&self, snapshot: &Path) -> Result<Exported> {
        let now = self.store.clock().now();
        let (mut carried, mut damaged, mut names) = (Vec::new(), 0, Vec::new());
        copy::take_and(&self.store, snapshot, &self.stop, |db| {
            (carried, damaged) = self.vault.take_out(db)?;
            names = files(db)?;
            // What is sealed under this computer's key is of no use elsewhere, and who is signed in here is not signed in there.
            db.execute_batch("PRAGMA secure_delete = ON; DELETE FROM secret; DELETE FROM vault; DELETE FROM backup;")?;
            db.execute("DELETE FROM setting WHERE key = 'browser_sessions'", [])?;
            Ok(())
        })?;
        let media = self.store.directory().join("media");
        let (whole, missing) = self.whole(&media, names)?;
        let database = snapshot.metadata().context("look at the copy")?.len();
        let file_bytes = whole.iter().map(|(_, bytes)| bytes).sum();
        let manifest = Manifest { made_at: now, database, files: whole.len() as u64, file_bytes, left_out: missing + damaged as u64 };
        let folder = self.file.parent().context("a file lies in a folder")?;
        copy::check_space(folder, database + file_bytes, self.space)?;
        self.progress.begun(Doing::Sealing, database + file_bytes);

        let target = private_new(&self.unfinished()).map_err(meaning)?;
        let mut sealer = Sealer::begin(BufWriter::new(target), &self.passphrase, now, migrate::MIGRATIONS.len())?;
        let text = serde_json::to_vec(&manifest).context("write the manifest")?;
        write_head(&mut sealer, Part::Manifest, "", text.len() as u64)?;
        sealer.write_all(&text).map_err(meaning)?;
        write_head(&mut sealer, Part::Database, "", database)?;
        self.stream(snapshot, database, &mut sealer)?;
        let secrets = secrets(&carried)?;
        write_head(&mut sealer, Part::Secrets, "", secrets.len() as u64)?;
        sealer.write_all(&secrets).map_err(meaning)?;
        for (name, bytes) in &whole {
            write_head(&mut sealer, Part::File, name, *bytes)?;
            self.stream(&media.join(name), *bytes, &mut sealer)?;
        }
        write_head(&mut sealer, Part::End, "", 0)?;
        let target = sealer.finish()?.into_inner().map_err(|error| meaning(error.into_error()))?;
        target.sync_all().map_err(meaning)?;
        let bytes = target.metadata().map_err(meaning)?.len();
        drop(target);
        std::fs::rename(self.unfinished(), &self.file).map_err(meaning)?;
        copy::flush_folder(&self.file)?;
        Ok(Exported { file: self.file.clone(), bytes, files: whole.len() as u64, left_out: manifest.left_out })
    }

    /// The files that are what their names say, with their sizes; and how many are not, or not there.
    fn whole(&self, media: &Path, names: Vec<String>) -> Result<(Vec<(String, u64)>, u64)> {
        self.progress.begun(Doing::Checking, names.len() as u64);
        let (mut whole, mut missing) = (Vec::new(), 0);
        for name in names {
            match self.hash(&media.join(&name))? {
                Some((hash, bytes)) if hash == name => whole.push((name, bytes)),
                _ => {
                    tracing::warn!(file.name = name, "A file is missing or damaged and is not in the backup.");
                    missing += 1;
                }
            }
            self.progress.further(1);
        }
        Ok((whole, missing))
    }

    fn hash(&self, path: &Path) -> Result<Option<(String, u64)>> {
        let Ok(mut file) = File::open(path) else { return Ok(None) };
        let (mut hasher, mut buffer, mut bytes) = (Sha256::new(), vec![0u8; 256 << 10], 0);
        loop {
            self.go_on()?;
            match file.read(&mut buffer) {
                Ok(0) => return Ok(Some((hex::encode(hasher.finalize()), bytes))),
                Ok(read) => {
                    hasher.update(&buffer[..read]);
                    bytes += read as u64;
                }
                Err(error) => {
                    tracing::warn!(%error, "A file cannot be read.");
                    return Ok(None);
                }
            }
        }
    }

    fn stream(&self, from: &Path, length: u64, to: &mut impl Write) -> Result<()> {
        let mut file = File::open(from).map_err(meaning)?.take(length);
        let (mut buffer, mut sent) = (vec![0u8; 256 << 10], 0);
        loop {
            self.go_on()?;
            let read = file.read(&mut buffer).map_err(meaning)?;
            if read == 0 {
                break;
            }
            to.write_all(&buffer[..read]).map_err(meaning)?;
            sent += read as u64;
            self.progress.further(read as u64);
        }
        // A file that shrank meanwhile would move everything behind it.
        if sent == length { Ok(()) } else { Err(anyhow::anyhow!("a file changed while it was sealed").into()) }
    }

    fn go_on(&self) -> Result<()> {
        if self.stop.is_cancelled() { Err(Error::new(Code::Unavailable, say!("Shopbell is closing."))) } else { Ok(()) }
    }
}

/// The files that the database points to, by name.
fn files(db: &rusqlite::Connection) -> Result<Vec<String>> {
    let mut statement = db.prepare("SELECT DISTINCT sha256 FROM media WHERE status = 'stored' AND sha256 IS NOT NULL ORDER BY sha256")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(names.into_iter().filter(|name| is_hash(name)).collect())
}

/// Whether `name` is a SHA-256, as files are called: it leads nowhere else.
pub(super) fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn secrets(carried: &[Carried]) -> Result<Zeroizing<Vec<u8>>> {
    let travelling: Vec<Travelling<'_>> = carried
        .iter()
        .map(|one| Travelling { owner: one.owner.as_str().into(), field: one.field.as_str().into(), value: one.secret.reveal().into() })
        .collect();
    Ok(Zeroizing::new(serde_json::to_vec(&travelling).context("write the secrets")?))
}

fn private_new(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
