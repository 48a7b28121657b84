//! Files that nothing needs any more: of messages that were taken back, and of replies that were never sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rusqlite::params;
use tokio_util::sync::CancellationToken;

use super::Media;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::id::MediaId;

/// A file that belongs to nothing is kept for a day: a reply may be written slowly, and a deletion may be a mistake that somebody mends.
const LOOSE_KEPT: Duration = Duration::from_secs(86_400);
/// How many are looked at or deleted at once.
const BATCH: usize = 200;

/// What belongs to no message, or to one that was taken back: not sent since it was uploaded, or deleted with its message.
const LOOSE: &str = "m.created_at < ?1 AND NOT EXISTS (
    SELECT 1 FROM message t WHERE t.id = m.message AND (t.deleted_at IS NULL OR t.deleted_at >= ?1))";

/// Deletes them, a few at a time.
pub async fn sweep(media: &Arc<Media>, pause: Duration, stop: &CancellationToken) -> Result<()> {
    let before = media.store.clock().now().minus(LOOSE_KEPT);
    let mut after = MediaId::from("");
    while let Some(last) = rows(media, &after, before).await? {
        after = last;
        if rest(pause, stop).await {
            return Ok(());
        }
    }
    let folder = media.store.directory().join("media");
    let mut names = tokio::task::spawn_blocking(move || old_files(&folder, before)).await.context("look at the files")??;
    while !names.is_empty() {
        let some = names.split_off(names.len().saturating_sub(BATCH));
        files(media, some).await?;
        if rest(pause, stop).await {
            return Ok(());
        }
    }
    Ok(())
}

/// `true` = told to stop.
async fn rest(pause: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(pause) => false,
    }
}

/// Forgets some rows of files that belong to nothing; the last of them. Their bytes go afterwards, unless another row has the same.
async fn rows(media: &Arc<Media>, after: &MediaId, before: Timestamp) -> Result<Option<MediaId>> {
    let after = after.clone();
    let ids: Vec<MediaId> = media
        .store
        .read(move |db| {
            let sql = format!("SELECT m.id FROM media m WHERE m.id > ?2 AND {LOOSE} ORDER BY m.id LIMIT ?3");
            let mut statement = db.prepare_cached(&sql)?;
            Ok(statement.query_map(params![before, after, BATCH as i64], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
        })
        .await?;
    let Some(last) = ids.last().cloned() else { return Ok(None) };
    media
        .store
        .write(move |tx| {
            let named = serde_json::to_string(&ids).map_err(anyhow::Error::from)?;
            // Judged once more: a reply may have taken one of them meanwhile.
            let sql = format!(
                "DELETE FROM media WHERE id IN (SELECT m.id FROM media m WHERE m.id IN (SELECT value FROM json_each(?2)) AND {LOOSE})"
            );
            tx.prepare_cached(&sql)?.execute(params![before, named])?;
            Ok(())
        })
        .await?;
    Ok(Some(last))
}

/// Files of the folder that were written before, by name.
fn old_files(folder: &Path, before: Timestamp) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).context("read the folder of files")? {
        let entry = entry.context("read the folder of files")?;
        // One that is gone by now is no concern of ours.
        let Ok(modified) = entry.metadata().and_then(|about| about.modified()) else { continue };
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let is_old = i64::try_from(since.as_millis()).is_ok_and(|millis| millis < before.millis());
        if let Some(name) = entry.file_name().to_str().filter(|_| is_old) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Deletes those of the named files that no row points to; among them what a crash left half written.
async fn files(media: &Arc<Media>, names: Vec<String>) -> Result<()> {
    // Nobody may be between finding its bytes here and writing the row that points to them.
    let _alone = media.keeping.write().await;
    let asked = serde_json::to_string(&names).map_err(anyhow::Error::from)?;
    let needed: std::collections::HashSet<String> = media
        .store
        .read(move |db| {
            let mut statement = db.prepare_cached("SELECT sha256 FROM media WHERE sha256 IN (SELECT value FROM json_each(?1))")?;
            Ok(statement.query_map([asked], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
        })
        .await?;
    let folder = media.store.directory().join("media");
    let gone: Vec<PathBuf> =
        names.into_iter().filter(|name| !needed.contains(name) && is_ours(name)).map(|name| folder.join(name)).collect();
    tokio::task::spawn_blocking(move || {
        for path in gone {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::warn!(%error, "A file that nothing needs could not be deleted.");
                }
                _ => {}
            }
        }
    })
    .await
    .context("delete files")?;
    Ok(())
}

/// A file that we wrote, whole or half; whatever else somebody put there stays.
fn is_ours(name: &str) -> bool {
    let is_content = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_content || (name.starts_with("med_") && name.ends_with(".part"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::store::Store;

    async fn world() -> (Arc<Media>, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Arc::new(SystemClock::new())).unwrap();
        store
            .write(|tx| {
                tx.execute_batch(
                    "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES ('con_1', 't', 'T', 'active', '{}', 'k', 0, 0);
                     INSERT INTO contact (id, name, created_at) VALUES ('ctc_1', 'Ana', 0);
                     INSERT INTO conversation (seq, id, contact, connection, thread, address_scheme, address_value, status, owner_kind, last_message_at, created_at)
                       VALUES (1, 'cnv_1', 'ctc_1', 'con_1', '1', 'user', '1', 'open', 'person', 0, 0);
                     INSERT INTO message (id, conversation, connection, direction, author_kind, content, text, sent_at, deleted_at) VALUES
                       ('msg_here', 1, 'con_1', 'in', 'contact', '[]', '', 0, NULL), ('msg_taken_back', 1, 'con_1', 'in', 'contact', '[]', '', 0, 1),
                       ('msg_just_taken_back', 1, 'con_1', 'in', 'contact', '[]', '', 0, 9999999999999);",
                )?;
                Ok(())
            })
            .await
            .unwrap();
        (Arc::new(Media::new(store)), directory)
    }

    /// A file of so many hours ago that belongs to `message`.
    async fn file(media: &Arc<Media>, bytes: &'static [u8], message: Option<&'static str>, hours: u64) -> String {
        let (id, _) = media.add(bytes.into(), None, "text/plain").await.unwrap();
        let written = media.store.clock().now().minus(Duration::from_secs(hours * 3600));
        let known = id.clone();
        media
            .store
            .write(move |tx| {
                Ok(tx.execute("UPDATE media SET message = ?2, created_at = ?3 WHERE id = ?1", params![known, message, written])?)
            })
            .await
            .unwrap();
        let sha = media.about(&id).await.unwrap().unwrap().sha256.unwrap();
        let time = std::time::UNIX_EPOCH + Duration::from_millis(u64::try_from(written.millis()).unwrap());
        std::fs::File::options().write(true).open(media.path(&sha)).unwrap().set_modified(time).unwrap();
        sha
    }

    fn is_there(media: &Media, sha: &str) -> bool {
        media.path(sha).exists()
    }

    #[tokio::test]
    async fn files_of_nothing_go_after_a_day_and_all_others_stay() {
        let (media, _directory) = world().await;
        let sent = file(&media, b"of a message", Some("msg_here"), 1000).await;
        let back = file(&media, b"taken back", Some("msg_taken_back"), 1000).await;
        let just_back = file(&media, b"just taken back", Some("msg_just_taken_back"), 1000).await;
        let never = file(&media, b"never sent", None, 25).await;
        let fresh = file(&media, b"being written", None, 23).await;
        let shared = file(&media, b"twice", None, 48).await;
        file(&media, b"twice", Some("msg_here"), 48).await;
        sweep(&media, Duration::ZERO, &CancellationToken::new()).await.unwrap();
        for (sha, stays) in [(&sent, true), (&back, false), (&just_back, true), (&never, false), (&fresh, true), (&shared, true)] {
            assert_eq!(is_there(&media, sha), stays, "{sha}");
        }
        let rows: i64 = media.store.read(|db| Ok(db.query_row("SELECT count(*) FROM media", [], |row| row.get(0))?)).await.unwrap();
        assert_eq!(rows, 4, "the rows go with their files, and one of two that share theirs");
    }

    #[tokio::test]
    async fn what_a_crash_left_goes_and_what_is_not_ours_stays() {
        let (media, directory) = world().await;
        let folder = directory.path().join("media");
        let old = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let orphan = "a".repeat(64);
        for name in ["med_0198.part", "somebody-elses.txt", orphan.as_str()] {
            std::fs::write(folder.join(name), "x").unwrap();
            std::fs::File::options().write(true).open(folder.join(name)).unwrap().set_modified(old).unwrap();
        }
        std::fs::write(folder.join("med_0199.part"), "being written").unwrap();
        sweep(&media, Duration::ZERO, &CancellationToken::new()).await.unwrap();
        let mut left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["med_0199.part", "somebody-elses.txt"]);
    }

    #[tokio::test]
    async fn more_than_one_batch_is_swept() {
        let (media, _directory) = world().await;
        let before = media.store.clock().now().minus(LOOSE_KEPT * 2);
        media
            .store
            .write(move |tx| {
                for _ in 0..(BATCH * 2 + 5) {
                    tx.execute("INSERT INTO media (id, status, created_at) VALUES (?1, 'failed', ?2)", params![MediaId::new(), before])?;
                }
                Ok(())
            })
            .await
            .unwrap();
        sweep(&media, Duration::ZERO, &CancellationToken::new()).await.unwrap();
        let rows: i64 = media.store.read(|db| Ok(db.query_row("SELECT count(*) FROM media", [], |row| row.get(0))?)).await.unwrap();
        assert_eq!(rows, 0);
    }
}
