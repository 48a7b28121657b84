//! Files: stored once by their content, fetched from services as they come.
//!
//! A file lies in `media/` under its SHA-256; the table says which ids point to it. What a customer sent is fetched at once,
//! because a service's links die; one that cannot be fetched stays visible with its reason.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::connector::{Fetched, MediaSource, ServiceError, StoredMedia};
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, ConversationId, MediaId, MessageId};
use crate::model::{Change, Content, MediaKind};
use crate::queue::backoff;
use crate::say;
use crate::store::{Stage, Store, Tx};

mod signed;
pub mod sweeping;
mod types;
mod voice;
mod fitting;
pub mod hearing;

pub use signed::Signer;
pub use types::{refusal, sniffed};

/// How often a file is tried before a person is asked to decide: for some minutes, as long as services usually stumble.
const ATTEMPTS: i64 = 8;
const AT_ONCE: usize = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(300);
const LONGEST_FETCH: Duration = Duration::from_secs(120);
/// How long to wait, about, before a file is fetched again that was not the promised one.
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// How long to wait after a file could not be stored.
const TROUBLE: Duration = Duration::from_secs(5);

/// The files of one hub.
pub struct Media {
    store: Arc<Store>,
    signer: Signer,
    /// Held for reading by whoever keeps a file and writes the row that points to it, for writing by who deletes files without a row.
    keeping: tokio::sync::RwLock<()>,
    /// The public side's address, as [`Hub::public_base`] says.
    public_base: RwLock<String>,
    /// Places for sounds being decoded.
    ears: Arc<tokio::sync::Semaphore>,
}

/// What is known of a file.
pub struct AboutFile {
    /// Its content's name; missing until it was fetched.
    pub sha256: Option<String>,
    /// Its type.
    pub mime: String,
    /// Its name.
    pub filename: Option<String>,
    /// How it looks, if it is a sound that was listened to.
    pub wave: Option<Vec<u8>>,
}

impl Media {
    /// The files that `store` knows.
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            signer: Signer::new(),
            keeping: tokio::sync::RwLock::default(),
            public_base: RwLock::default(),
            ears: Arc::new(tokio::sync::Semaphore::new(fitting::AT_ONCE)),
        }
    }

    /// Makes and reads the addresses of files on the public side.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Notes where the public side can be reached.
    pub fn reached_at(&self, public_base: String) {
        *self.public_base.write().expect("nothing panics while it is held") = public_base;
    }

    /// Where the file of that content lies.
    pub fn path(&self, sha256: &str) -> PathBuf {
        self.store.directory().join("media").join(sha256)
    }

    /// Stores `bytes` as a new id. The type is what the bytes are, not what anybody says; `claimed` decides only among plain text kinds.
    pub async fn add(&self, bytes: Bytes, filename: Option<String>, claimed: &str) -> Result<(MediaId, String)> {
        let mime = sniffed(&bytes, claimed);
        let _keeping = self.keeping.read().await;
        let sha256 = self.keep(bytes.clone()).await?;
        let id = MediaId::new();
        let (new, kind, size) = (id.clone(), mime.clone(), i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        self.store
            .write(move |tx| {
                tx.prepare_cached(
                    "INSERT INTO media (id, status, sha256, mime, filename, bytes, created_at) VALUES (?1, 'stored', ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![new, sha256, kind, filename, size, tx.now()])?;
                Ok(())
            })
            .await?;
        Ok((id, mime))
    }

    /// Writes the bytes under their own name, durably, before anything points to them.
    async fn keep(&self, bytes: Bytes) -> Result<String> {
        let directory = self.store.directory().join("media");
        tokio::task::spawn_blocking(move || {
            let name = hex::encode(Sha256::digest(&bytes));
            let path = directory.join(&name);
            if !path.exists() {
                write_durably(&directory, &path, &bytes)?;
            }
            Ok(name)
        })
        .await
        .context("store a file")?
    }

    /// What is known of a file.
    pub async fn about(&self, id: &MediaId) -> Result<Option<AboutFile>> {
        let id = id.clone();
        self.store
            .read(move |db| {
                Ok(db
                    .prepare_cached("SELECT sha256, mime, filename, wave FROM media WHERE id = ?1")?
                    .query_row([id], |row| {
                        Ok(AboutFile { sha256: row.get(0)?, mime: row.get(1)?, filename: row.get(2)?, wave: row.get(3)? })
                    })
                    .optional()?)
            })
            .await
    }
}

fn write_durably(directory: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    let write = || -> std::io::Result<()> {
        let unfinished = directory.join(format!("{}.part", crate::id::MediaId::new()));
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)?;
        std::fs::File::open(directory)?.sync_all()
    };
    write().map_err(|error| match error.kind() {
        std::io::ErrorKind::StorageFull => Error::of_storage(crate::error::Code::DiskFull).because(error),
        _ => Error::from(anyhow::Error::new(error).context("write a file")),
    })
}

#[async_trait]
impl MediaSource for Media {
    async fn read(&self, id: &MediaId) -> anyhow::Result<StoredMedia> {
        let AboutFile { sha256, mime, filename, .. } = self.about(id).await?.context("this file is not known")?;
        let sha256 = sha256.context("this file has not been fetched yet")?;
        let bytes = tokio::fs::read(self.path(&sha256)).await.context("read a stored file")?;
        Ok(StoredMedia { mime, filename, bytes: bytes.into() })
    }

    async fn public_link(&self, id: &MediaId) -> anyhow::Result<Option<String>> {
        let now = self.store.clock().now();
        Ok(self.public_base().map(|base| format!("{base}/media/{}", self.signer.sign(id, now))))
    }

    fn public_base(&self) -> Option<String> {
        let base = self.public_base.read().expect("nothing panics while it is held").clone();
        Some(base).filter(|base| !base.is_empty())
    }
}

struct Wanted {
    id: MediaId,
    connection: ConnectionId,
    message: MessageId,
    reference: String,
    mime: String,
    attempts: i64,
    /// What the service says the file's SHA-256 is, in hex.
    promised: Option<String>,
}

/// After a start: heals due times of a clock that ran ahead.
pub fn recover(tx: &Tx<'_>) -> Result<()> {
    tx.execute("UPDATE media SET due_at = ?1 WHERE status = 'wanted' AND due_at > ?2", params![tx.now(), tx.now().plus(LONGEST_WAIT)])?;
    Ok(())
}

/// The stage: fetches what customers sent until told to stop.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let stages = hub.store.stages().clone();
    loop {
        let wait = match round(&hub).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(error = ?error, "Files could not be fetched; trying again.");
                Duration::from_secs(5)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = stages.of(Stage::Media).notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn round(hub: &Arc<Hub>) -> Result<Duration> {
    loop {
        let now = hub.store.clock().now();
        let waiting = waiting(hub);
        let (wanted, next) = hub.store.read(move |db| wanted(db, now, &waiting)).await?;
        if wanted.is_empty() {
            return Ok(next.map_or(Duration::from_secs(3600), |next| next.since(now).max(Duration::from_millis(100))));
        }
        let mut fetching = JoinSet::new();
        for one in wanted {
            fetching.spawn(fetch(hub.clone(), one));
        }
        let mut troubled = false;
        while let Some(done) = fetching.join_next().await {
            // One that cannot be stored holds up none of the others.
            if let Err(error) = done.context("fetch a file").map_err(Error::from).flatten() {
                tracing::error!(error = ?error, "A file could not be stored; trying again.");
                troubled = true;
            }
        }
        if troubled {
            return Ok(TROUBLE);
        }
    }
}

/// The connections that cannot be asked now, as JSON: paused, failing, or waiting for their owner. Their files wait too, and that is no
/// attempt; whoever mends the connection wakes this stage.
fn waiting(hub: &Hub) -> String {
    let ids: Vec<ConnectionId> =
        hub.connections.all().into_iter().filter(|live| !live.is_active()).map(|live| live.connection.id.clone()).collect();
    serde_json::to_string(&ids).unwrap_or_else(|_| "[]".to_owned())
}

fn wanted(db: &rusqlite::Connection, now: Timestamp, waiting: &str) -> Result<(Vec<Wanted>, Option<Timestamp>)> {
    let mut statement = db.prepare_cached(
        "SELECT id, connection, message, reference, mime, attempts, promised_sha256 FROM media
         WHERE status = 'wanted' AND due_at <= ?1 AND connection NOT IN (SELECT value FROM json_each(?3)) ORDER BY due_at LIMIT ?2",
    )?;
    let rows = statement.query_map(params![now, AT_ONCE as i64, waiting], |row| {
        Ok(Wanted {
            id: row.get(0)?,
            connection: row.get(1)?,
            message: row.get(2)?,
            reference: row.get(3)?,
            mime: row.get(4)?,
            attempts: row.get(5)?,
            promised: row.get(6)?,
        })
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let sql = "SELECT min(due_at) FROM media WHERE status = 'wanted' AND connection NOT IN (SELECT value FROM json_each(?1))";
    let next = db.prepare_cached(sql)?.query_row([waiting], |row| row.get(0))?;
    Ok((rows, next))
}

async fn fetch(hub: Arc<Hub>, wanted: Wanted) -> Result<()> {
    let Some(mut outcome) = attempt(&hub, &wanted).await else { return Ok(()) };
    if outcome.as_ref().is_ok_and(|fetched| !as_promised(fetched, &wanted)) {
        tracing::warn!(connection.id = %wanted.connection, media.id = %wanted.id, "A file is not the one that was promised; fetching it once more.");
        tokio::time::sleep(backoff(0, SECOND_LOOK, 2 * SECOND_LOOK)).await;
        let Some(again) = attempt(&hub, &wanted).await else { return Ok(()) };
        outcome = again.and_then(|fetched| {
            if as_promised(&fetched, &wanted) {
                Ok(fetched)
            } else {
                Err(ServiceError::Permanent(say!("This file was damaged on its way and was not kept. Ask for it to be sent again.")))
            }
        });
    }
    match outcome {
        Ok(fetched) => {
            let mime = sniffed(&fetched.bytes, fetched.mime.as_deref().unwrap_or(&wanted.mime));
            let size = i64::try_from(fetched.bytes.len()).unwrap_or(i64::MAX);
            let _keeping = hub.media.keeping.read().await;
            let sha256 = hub.media.keep(fetched.bytes).await?;
            hub.store.write(move |tx| stored(tx, &wanted, &sha256, &mime, size)).await
        }
        Err(error) => {
            if let ServiceError::Unauthorized(sentence) = &error {
                hub.needs_sign_in(&wanted.connection, sentence).await;
            }
            let (reason, refusal) = (hub.say(&error.sentence()), Refusal::of(&error, wanted.attempts));
            hub.store.write(move |tx| refused(tx, &wanted, &reason, &refusal)).await
        }
    }
}

/// A picture that is a film, or a film that is a picture: some services do not say which of the two they share.
fn seen_as(kind: MediaKind, sniffed: &str) -> MediaKind {
    match kind {
        MediaKind::Image if sniffed.starts_with("video/") => MediaKind::Video,
        MediaKind::Video if sniffed.starts_with("image/") => MediaKind::Image,
        kind => kind,
    }
}

/// What becomes of a file that was not given.
enum Refusal {
    /// Tried again then; whether it counts as an attempt.
    Later(Duration, bool),
    /// Given up, until a person asks for it again.
    GivenUp,
}

impl Refusal {
    fn of(error: &ServiceError, attempts: i64) -> Self {
        let backoff = || backoff(u32::try_from(attempts).unwrap_or(0), Duration::from_secs(2), LONGEST_WAIT);
        match error {
            ServiceError::Permanent(_) | ServiceError::Refused { .. } | ServiceError::TooLong(_) => Self::GivenUp,
            // A named wait is no failure, and neither is a connection that waits for its owner.
            ServiceError::RateLimited { retry_after: Some(wait) } | ServiceError::ThreadLimited { retry_after: wait } => {
                Self::Later(*wait, false)
            }
            ServiceError::Unauthorized(_) => Self::Later(backoff(), false),
            ServiceError::Temporary(_)
            | ServiceError::Ambiguous
            | ServiceError::OutOfCredit(_)
            | ServiceError::RateLimited { retry_after: None } => {
                if attempts + 1 >= ATTEMPTS {
                    Self::GivenUp
                } else {
                    Self::Later(backoff(), true)
                }
            }
        }
    }
}

fn refused(tx: &Tx<'_>, wanted: &Wanted, reason: &str, refusal: &Refusal) -> Result<()> {
    let (status, wait, counts) = match refusal {
        Refusal::Later(wait, counts) => ("wanted", *wait, *counts),
        Refusal::GivenUp => ("failed", Duration::ZERO, true),
    };
    tx.prepare_cached("UPDATE media SET status = ?2, attempts = attempts + ?3, due_at = ?4, reason = ?5 WHERE id = ?1")?
        .execute(params![wanted.id, status, counts, tx.now().plus(wait), reason])?;
    tx.changed(Change::Media { id: wanted.id.clone() });
    message_changed(tx, &wanted.message)
}

fn message_changed(tx: &Tx<'_>, message: &MessageId) -> Result<()> {
    let conversation: Option<ConversationId> = tx
        .prepare_cached("SELECT c.id FROM message m JOIN conversation c ON c.seq = m.conversation WHERE m.id = ?1")?
        .query_row([message], |row| row.get(0))
        .optional()?;
    if let Some(conversation) = conversation {
        tx.changed(Change::Message { id: message.clone(), conversation });
    }
    Ok(())
}

/// A person wants a file that was given up.
///
/// # Errors
/// Not found; a conflict when it is here already.
pub fn retry(tx: &Tx<'_>, id: &MediaId) -> Result<()> {
    let row: Option<(String, Option<MessageId>)> = tx
        .prepare_cached("SELECT status, message FROM media WHERE id = ?1 AND reference IS NOT NULL")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((status, message)) = row else { return Err(Error::not_found(say!("This file is not there any more."))) };
    if status == "stored" {
        return Err(Error::new(crate::error::Code::Conflict, say!("This file is here already.")));
    }
    tx.prepare_cached("UPDATE media SET status = 'wanted', attempts = 0, due_at = ?2, reason = NULL WHERE id = ?1")?
        .execute(params![id, tx.now()])?;
    tx.changed(Change::Media { id: id.clone() });
    tx.wake(Stage::Media);
    message.map_or(Ok(()), |message| message_changed(tx, &message))
}

/// One try at the service; `None` = the connection was switched off a moment ago, and its files wait with it.
async fn attempt(hub: &Arc<Hub>, wanted: &Wanted) -> Option<std::result::Result<Fetched, ServiceError>> {
    let Some(live) = hub.connections.get(&wanted.connection) else {
        return Some(Err(ServiceError::Permanent(say!("The connection is not there any more."))));
    };
    let Some(channel) = live.connector.channel() else {
        return Some(Err(ServiceError::Permanent(say!("This connection does not receive messages."))));
    };
    let link = live.link(hub.media.as_ref(), hub.store.clock().as_ref())?;
    // A bug in one connector must not be met again and again.
    let fetched = std::panic::AssertUnwindSafe(channel.fetch_media(link, &wanted.reference)).catch_unwind();
    Some(match tokio::time::timeout(LONGEST_FETCH, fetched).await {
        Ok(Ok(fetched)) => fetched,
        Ok(Err(_)) => {
            tracing::error!(connection.id = %wanted.connection, media.id = %wanted.id, "A connector panicked while fetching a file.");
            Err(ServiceError::Permanent(say!("Shopbell made a mistake. Nothing was lost. Try again, and look at the log if it stays.")))
        }
        Err(_) => Err(ServiceError::Ambiguous),
    })
}

/// Whether the bytes are those that the service promised; one that promises nothing is believed.
fn as_promised(fetched: &Fetched, wanted: &Wanted) -> bool {
    wanted.promised.as_deref().is_none_or(|promised| hex::encode(Sha256::digest(&fetched.bytes)).eq_ignore_ascii_case(promised.trim()))
}

fn stored(tx: &Tx<'_>, wanted: &Wanted, sha256: &str, sniffed: &str, size: i64) -> Result<()> {
    tx.prepare_cached("UPDATE media SET status = 'stored', sha256 = ?2, mime = ?3, bytes = ?4, reason = NULL WHERE id = ?1")?
        .execute(params![wanted.id, sha256, sniffed, size])?;
    tx.changed(Change::Media { id: wanted.id.clone() });
    let mut sound = false;
    in_message(tx, &wanted.message, &wanted.id, |part| {
        if let Content::Media { kind, mime, bytes, .. } = part {
            *kind = seen_as(*kind, sniffed);
            sniffed.clone_into(mime);
            *bytes = u64::try_from(size).unwrap_or(0);
            sound = matches!(kind, MediaKind::Voice | MediaKind::Audio);
        }
    })?;
    if sound && types::is_sound(sniffed) {
        tx.prepare_cached("UPDATE media SET unheard = 1 WHERE id = ?1")?.execute([&wanted.id])?;
        tx.wake(Stage::Sounds);
    }
    Ok(())
}

/// Changes what a message says of one of its files.
fn in_message(tx: &Tx<'_>, message: &MessageId, file: &MediaId, mut change: impl FnMut(&mut Content)) -> Result<()> {
    let row: Option<(i64, String, ConversationId)> = tx
        .prepare_cached("SELECT m.seq, m.content, c.id FROM message m JOIN conversation c ON c.seq = m.conversation WHERE m.id = ?1")?
        .query_row([message], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((seq, content, conversation)) = row else { return Ok(()) };
    let mut content: Vec<Content> = serde_json::from_str(&content).map_err(anyhow::Error::from)?;
    for part in &mut content {
        if matches!(part, Content::Media { media, .. } if media == file) {
            change(part);
        }
    }
    tx.prepare_cached("UPDATE message SET content = ?2 WHERE seq = ?1")?
        .execute(params![seq, serde_json::to_string(&content).map_err(anyhow::Error::from)?])?;
    tx.changed(Change::Message { id: message.clone(), conversation });
    Ok(())
}

#[cfg(test)]
mod tests;
