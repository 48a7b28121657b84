//! Copies of everything: those made by themselves, and the file that a person carries away.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{Empty, Items, TEXT, Wrong};
use super::vault::check_new;
use crate::backup::{self, Doing, Kind, State, container, copy, export, local, moved, restore};
use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::say;
use crate::secret::Secret;

/// The most sealed files that are named.
const MOST_FOUND: usize = 40;
/// How long the answer to a restore has to leave before the hub is opened again.
const LAST_WORDS: Duration = Duration::from_millis(700);

/// How the copies of one kind fare.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct BackupState {
    /// When the last good one was finished.
    pub done_at: Option<Timestamp>,
    /// Where it is.
    pub file: Option<String>,
    /// How large it is.
    #[ts(type = "number")]
    pub bytes: u64,
    /// When one was last tried.
    pub tried_at: Option<Timestamp>,
    /// Why that came to nothing, in a sentence; null when it did not.
    pub trouble: Option<String>,
}

impl From<State> for BackupState {
    fn from(state: State) -> Self {
        let State { tried_at, done_at, file, bytes, trouble } = state;
        Self { done_at, file, bytes, tried_at, trouble }
    }
}

/// The copies of this shop.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct Backups {
    /// Where the daily copies are.
    pub folder: String,
    /// How the daily copies fare.
    pub local: BackupState,
    /// When each daily copy that is still there was made, newest first.
    pub copies: Vec<Timestamp>,
    /// How the sealed file fares.
    pub portable: BackupState,
    /// Where a sealed file goes when nobody says otherwise.
    pub export_folder: String,
    /// A sealed file being made or unpacked.
    pub progress: Option<BackupProgress>,
}

/// How far the making or unpacking of a sealed file is.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema, TS)]
pub struct BackupProgress {
    /// What is being done.
    pub doing: Doing,
    /// How much of it is done.
    #[ts(type = "number")]
    pub done: u64,
    /// How much there is.
    #[ts(type = "number")]
    pub total: u64,
}

/// A sealed file to be made.
#[derive(Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct ExportBackup {
    /// What opens it on the other computer. Nobody can open it without.
    #[ts(type = "string")]
    pub passphrase: Secret,
    /// A folder on this computer; without one it goes to the documents.
    #[serde(default)]
    pub folder: Option<String>,
}

/// A sealed file.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct ExportedBackup {
    /// Where it is.
    pub file: String,
    /// How large it is.
    #[ts(type = "number")]
    pub bytes: u64,
    /// How many files of conversations it holds.
    #[ts(type = "number")]
    pub files: u64,
    /// How many files and keys were missing or damaged, and are not in it.
    #[ts(type = "number")]
    pub left_out: u64,
}

/// A sealed file to be restored here.
#[derive(Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct RestoreBackup {
    /// Where it is on this computer.
    pub file: String,
    /// What was chosen when it was made.
    #[ts(type = "string")]
    pub passphrase: Secret,
    /// Also where somebody has worked already; what is here is then kept aside.
    #[serde(default)]
    pub replace: bool,
}

/// What was restored. The hub is opened again in a moment, and stands still until `confirm_move`.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct RestoredBackup {
    /// When the backup was made.
    pub made_at: Timestamp,
    /// How many files of conversations came with it.
    #[ts(type = "number")]
    pub files: u64,
    /// How many files and keys were missing already when it was made.
    #[ts(type = "number")]
    pub left_out: u64,
    /// Where what was here before is kept.
    pub kept_aside: Option<String>,
}

/// A sealed file on this computer.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct FoundBackup {
    /// Where it is.
    pub file: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// How large it is.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The version of Shopbell that made it.
    pub version: String,
}

/// A sign-in that may have to be done again.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct SignInAgain {
    /// The connection.
    pub connection: ConnectionId,
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// This hub came from another computer.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct MovedHub {
    /// When the backup was made.
    pub made_at: Timestamp,
    /// When it was restored here.
    pub restored_at: Timestamp,
    /// When its owner said that the other computer is off; null = it still waits for that.
    pub confirmed_at: Option<Timestamp>,
    /// How many messages were waiting to be sent there, and are parked here.
    #[ts(type = "number")]
    pub parked: u64,
    /// The sign-ins that may have to be done again.
    pub sign_ins: Vec<SignInAgain>,
}

/// The copies of this shop.
pub async fn get_backups(hub: &Arc<Hub>, _: Empty) -> Result<Backups> {
    let folder = local::folder(&hub.store);
    let (local, portable) = hub.store.read(|db| Ok((backup::state(db, Kind::Local)?, backup::state(db, Kind::Portable)?))).await?;
    let listed = folder.clone();
    let copies = tokio::task::spawn_blocking(move || local::copies(&listed)).await.map_err(anyhow::Error::from)??;
    Ok(Backups {
        folder: folder.display().to_string(),
        local: local.into(),
        copies: copies.into_iter().map(|copy| copy.made_at).collect(),
        portable: portable.into(),
        export_folder: export::usual_folder(&hub.store).display().to_string(),
        progress: hub.carrying.now().map(|(doing, done, total)| BackupProgress { doing, done, total }),
    })
}

/// Makes a copy of the database now.
pub async fn back_up_now(hub: &Arc<Hub>, _: Empty) -> Result<Backups> {
    let _one_at_a_time = hub.copying.try_lock().map_err(|_| busy())?;
    local::make(&hub.store, &TimeZone::system(), copy::free_space, &hub.stopping()).await?;
    get_backups(hub, Empty {}).await
}

fn busy() -> Error {
    Error::new(Code::Conflict, say!("A backup is being made already. Wait until it is finished."))
}

/// Seals everything into one file, to be restored on another computer.
pub async fn export_backup(hub: &Arc<Hub>, request: ExportBackup) -> Result<ExportedBackup> {
    check_new(&request.passphrase)?;
    let _one_at_a_time = hub.copying.try_lock().map_err(|_| busy())?;
    let folder = match request.folder.as_deref().map(str::trim).filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => export::usual_folder(&hub.store),
    };
    let made = export::into_folder(hub, request.passphrase, &folder, copy::free_space).await?;
    Ok(ExportedBackup { file: made.file.display().to_string(), bytes: made.bytes, files: made.files, left_out: made.left_out })
}

/// Unpacks a sealed file and puts it in the place of what is here; the hub is opened again in a moment.
pub async fn restore_backup(hub: &Arc<Hub>, request: RestoreBackup) -> Result<RestoredBackup> {
    let mut wrong = Wrong::default();
    wrong.at_most("passphrase", request.passphrase.reveal(), TEXT);
    wrong.done()?;
    let _one_at_a_time = hub.copying.try_lock().map_err(|_| busy())?;
    let prepared = restore::prepare(hub, Path::new(request.file.trim()), request.passphrase, request.replace, copy::free_space).await?;
    let again = hub.again.clone();
    hub.spawn(async move {
        tokio::time::sleep(LAST_WORDS).await;
        again.cancel();
    });
    Ok(RestoredBackup {
        made_at: prepared.made_at,
        files: prepared.files,
        left_out: prepared.left_out,
        kept_aside: prepared.kept_aside.map(|folder| folder.display().to_string()),
    })
}

/// The sealed files that lie where people keep such things, newest first.
pub async fn find_backups(hub: &Arc<Hub>, _: Empty) -> Result<Items<FoundBackup>> {
    let beside = local::folder(&hub.store);
    let found = tokio::task::spawn_blocking(move || {
        let mut found: Vec<FoundBackup> = places(beside).iter().flat_map(|folder| sealed_files(folder)).collect();
        found.sort_by_key(|one| std::cmp::Reverse(one.made_at));
        found.truncate(MOST_FOUND);
        found
    });
    Ok(Items { items: found.await.map_err(anyhow::Error::from)? })
}

/// Documents, downloads, desktop, home, and whatever is plugged in.
fn places(beside: PathBuf) -> Vec<PathBuf> {
    let mut places = vec![beside];
    if let Some(user) = directories::UserDirs::new() {
        let own = [user.document_dir(), user.download_dir(), user.desktop_dir(), Some(user.home_dir())];
        places.extend(own.into_iter().flatten().map(Path::to_owned));
        let name = user.home_dir().file_name().unwrap_or_default().to_owned();
        for plugged in [Path::new("/media").join(&name), Path::new("/run/media").join(&name), PathBuf::from("/Volumes")] {
            let drives = std::fs::read_dir(plugged).into_iter().flatten().flatten();
            places.extend(drives.take(MOST_FOUND).map(|drive| drive.path()));
        }
    }
    places.sort();
    places.dedup();
    places
}

fn sealed_files(folder: &Path) -> Vec<FoundBackup> {
    // A folder that cannot be read has none to offer; the path of one can still be typed.
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let sealed = entries.filter(|path| path.extension().is_some_and(|extension| extension == export::EXTENSION));
    let read = |path: PathBuf| {
        let mut file = std::fs::File::open(&path).ok()?;
        let bytes = file.metadata().ok()?.len();
        let (header, _) = container::header(&mut file).ok()?;
        Some(FoundBackup { file: path.display().to_string(), made_at: header.made_at, bytes, version: header.version })
    };
    sealed.take(MOST_FOUND).filter_map(read).collect()
}

/// The owner's word that the other computer is off: this hub begins to work.
pub async fn confirm_move(hub: &Arc<Hub>, _: Empty) -> Result<Empty> {
    moved::confirm(hub).await?;
    Ok(Empty {})
}

/// Where this hub came from; null = it has always been here.
pub(super) async fn moved_hub(hub: &Arc<Hub>) -> Result<Option<MovedHub>> {
    let Some(moved) = hub.store.read(moved::read).await? else { return Ok(None) };
    let sign_ins = moved::sign_ins(hub);
    Ok(Some(MovedHub {
        made_at: moved.made_at,
        restored_at: moved.restored_at,
        confirmed_at: moved.confirmed_at,
        parked: moved.parked,
        sign_ins: sign_ins.into_iter().map(|one| SignInAgain { connection: one.connection, name: one.name, why: one.why }).collect(),
    }))
}
