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
use crate::connector::{MediaSource, ServiceError, StoredMedia};
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, ConversationId, MediaId, MessageId};
use crate::model::{Change, Content};
use crate::queue::backoff;
use crate::say;
use crate::store::{Stage, Store, Tx};

mod signed;

pub use signed::Signer;

const ATTEMPTS: i64 = 5;
const AT_ONCE: usize = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(300);
const LONGEST_FETCH: Duration = Duration::from_secs(120);
/// How long to wait after a file could not be stored.
const TROUBLE: Duration = Duration::from_secs(5);

/// The files of one hub.
pub struct Media {
    store: Arc<Store>,
    signer: Signer,
    /// The public side's address, as [`Hub::public_base`] says.
    public_base: RwLock<String>,
}

impl Media {
    /// The files that `store` knows.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, signer: Signer::new(), public_base: RwLock::default() }
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

    /// What is known of a file: its content's name, type, filename, size.
    pub async fn about(&self, id: &MediaId) -> Result<Option<(Option<String>, String, Option<String>, i64)>> {
        let id = id.clone();
        self.store
            .read(move |db| {
                Ok(db
                    .prepare_cached("SELECT sha256, mime, filename, bytes FROM media WHERE id = ?1")?
                    .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
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
        let (sha256, mime, filename, _) = self.about(id).await?.context("this file is not known")?;
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

/// What the bytes are. Text has no signature, so a claimed text type is believed as plain text only.
pub fn sniffed(bytes: &[u8], claimed: &str) -> String {
    if let Some(kind) = infer::get(bytes) {
        return kind.mime_type().to_owned();
    }
    let claimed = claimed.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match claimed.as_str() {
        "text/csv" | "text/markdown" | "application/json" => claimed,
        _ if std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0) => "text/plain".to_owned(),
        _ => "application/octet-stream".to_owned(),
    }
}

struct Wanted {
    id: MediaId,
    connection: ConnectionId,
    message: MessageId,
    reference: String,
    mime: String,
    attempts: i64,
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
        let (wanted, next) = hub.store.read(move |db| wanted(db, now)).await?;
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

fn wanted(db: &rusqlite::Connection, now: Timestamp) -> Result<(Vec<Wanted>, Option<Timestamp>)> {
    let mut statement =
        db.prepare_cached("SELECT id, connection, message, reference, mime, attempts FROM media WHERE status = 'wanted' AND due_at <= ?1 ORDER BY due_at LIMIT ?2")?;
    let rows = statement.query_map(params![now, AT_ONCE as i64], |row| {
        Ok(Wanted {
            id: row.get(0)?,
            connection: row.get(1)?,
            message: row.get(2)?,
            reference: row.get(3)?,
            mime: row.get(4)?,
            attempts: row.get(5)?,
        })
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let next = db.prepare_cached("SELECT min(due_at) FROM media WHERE status = 'wanted'")?.query_row([], |row| row.get(0))?;
    Ok((rows, next))
}

async fn fetch(hub: Arc<Hub>, wanted: Wanted) -> Result<()> {
    let outcome = match hub.connections.get(&wanted.connection) {
        None => Err(ServiceError::Permanent(say!("The connection is not there any more."))),
        Some(live) => match live.connector.channel().zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref())) {
            None => Err(ServiceError::Temporary(say!("The connection is not ready."))),
            Some((channel, link)) => {
                // A bug in one connector must not be met again and again.
                let fetched = std::panic::AssertUnwindSafe(channel.fetch_media(link, &wanted.reference)).catch_unwind();
                match tokio::time::timeout(LONGEST_FETCH, fetched).await {
                    Ok(Ok(fetched)) => fetched,
                    Ok(Err(_)) => {
                        tracing::error!(connection.id = %wanted.connection, media.id = %wanted.id, "A connector panicked while fetching a file.");
                        Err(ServiceError::Permanent(say!(
                            "Shopbell made a mistake. Nothing was lost. Try again, and look at the log if it stays."
                        )))
                    }
                    Err(_) => Err(ServiceError::Ambiguous),
                }
            }
        },
    };
    match outcome {
        Ok(fetched) => {
            let mime = sniffed(&fetched.bytes, fetched.mime.as_deref().unwrap_or(&wanted.mime));
            let size = i64::try_from(fetched.bytes.len()).unwrap_or(i64::MAX);
            let sha256 = hub.media.keep(fetched.bytes).await?;
            hub.store.write(move |tx| stored(tx, &wanted, &sha256, &mime, size)).await
        }
        Err(error) => {
            let last = wanted.attempts + 1 >= ATTEMPTS || matches!(error, ServiceError::Permanent(_));
            let reason = hub.say(&error.sentence());
            let wait = match error {
                ServiceError::RateLimited { retry_after: Some(wait) } => wait,
                _ => backoff(u32::try_from(wanted.attempts).unwrap_or(0), Duration::from_secs(2), LONGEST_WAIT),
            };
            hub.store
                .write(move |tx| {
                    tx.prepare_cached("UPDATE media SET status = ?2, attempts = attempts + 1, due_at = ?3, reason = ?4 WHERE id = ?1")?
                        .execute(params![wanted.id, if last { "failed" } else { "wanted" }, tx.now().plus(wait), reason])?;
                    tx.changed(Change::Media { id: wanted.id });
                    Ok(())
                })
                .await
        }
    }
}

fn stored(tx: &Tx<'_>, wanted: &Wanted, sha256: &str, sniffed: &str, size: i64) -> Result<()> {
    tx.prepare_cached("UPDATE media SET status = 'stored', sha256 = ?2, mime = ?3, bytes = ?4, reason = NULL WHERE id = ?1")?
        .execute(params![wanted.id, sha256, sniffed, size])?;
    tx.changed(Change::Media { id: wanted.id.clone() });
    let row: Option<(i64, String, ConversationId)> = tx
        .prepare_cached("SELECT m.seq, m.content, c.id FROM message m JOIN conversation c ON c.seq = m.conversation WHERE m.id = ?1")?
        .query_row([&wanted.message], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((seq, content, conversation)) = row else { return Ok(()) };
    let mut content: Vec<Content> = serde_json::from_str(&content).map_err(anyhow::Error::from)?;
    for part in &mut content {
        if let Content::Media { media, mime, bytes, .. } = part
            && *media == wanted.id
        {
            sniffed.clone_into(mime);
            *bytes = u64::try_from(size).unwrap_or(0);
        }
    }
    tx.prepare_cached("UPDATE message SET content = ?2 WHERE seq = ?1")?
        .execute(params![seq, serde_json::to_string(&content).map_err(anyhow::Error::from)?])?;
    tx.changed(Change::Message { id: wanted.message.clone(), conversation });
    Ok(())
}
