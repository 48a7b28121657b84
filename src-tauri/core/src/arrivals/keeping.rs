//! How long arrivals are kept, and how much of them.

use rusqlite::params;

use crate::error::Result;
use crate::store::Tx;
use std::time::Duration;

const DAY: u64 = 86_400;
/// What did what it should is of no use after a month but to look something up.
const DONE_KEPT: Duration = Duration::from_secs(30 * DAY);
/// What could not be read, or not be stored, waits for a mended connector and a person: a quarter of a year after somebody has seen it …
const SEEN_KEPT: Duration = Duration::from_secs(90 * DAY);
/// … and a year where nobody has, because it may be a customer whom nobody has answered.
const UNSEEN_KEPT: Duration = Duration::from_secs(365 * DAY);
/// The bodies of what is in trouble may take that much of the disk together: a broken connector, or somebody who plays with a webhook,
/// must not fill it. What nobody has seen goes last, and of that what is parked, which was understood once.
const TROUBLED_BYTES: i64 = 256 << 20;
/// One batch frees no more than that, so that the writer is not held up by a few very large ones.
const BATCH_BYTES: i64 = 4 << 20;
const BATCH: i64 = 500;

/// Forgets some of what was done with long ago. `true` = there may be more.
pub fn forget_done(tx: &Tx<'_>) -> Result<bool> {
    forget(
        tx,
        "SELECT seq, length(body) FROM arrival WHERE verdict <> 'pending' AND verdict <> 'not_understood' AND verdict <> 'parked'
           AND received_at < ?1 ORDER BY received_at LIMIT ?2",
        params![tx.now().minus(DONE_KEPT), BATCH],
        i64::MAX,
    )
}

/// Forgets some of what is in trouble, when it is too old or too much. `true` = there may be more.
pub fn forget_troubled(tx: &Tx<'_>) -> Result<bool> {
    troubled(tx, TROUBLED_BYTES)
}

fn troubled(tx: &Tx<'_>, most: i64) -> Result<bool> {
    let old = forget(
        tx,
        "SELECT seq, length(body) FROM arrival WHERE verdict IN ('not_understood', 'parked')
           AND received_at < iif(seen_at IS NULL, ?1, ?2) ORDER BY received_at LIMIT ?3",
        params![tx.now().minus(UNSEEN_KEPT), tx.now().minus(SEEN_KEPT), BATCH],
        i64::MAX,
    )?;
    if old {
        return Ok(true);
    }
    let bytes: i64 = tx
        .prepare_cached("SELECT coalesce(sum(length(body)), 0) FROM arrival WHERE verdict IN ('not_understood', 'parked')")?
        .query_row([], |row| row.get(0))?;
    if bytes <= most {
        return Ok(false);
    }
    forget(
        tx,
        "SELECT seq, length(body) FROM arrival WHERE verdict IN ('not_understood', 'parked')
         ORDER BY seen_at IS NULL, verdict = 'parked', received_at LIMIT ?1",
        params![BATCH],
        bytes - most,
    )
}

/// Deletes the chosen arrivals in their order, until `enough` bytes are free or the batch is full. `true` = there may be more.
fn forget(tx: &Tx<'_>, choose: &str, values: &[&dyn rusqlite::ToSql], enough: i64) -> Result<bool> {
    let mut statement = tx.prepare_cached(choose)?;
    let chosen: Vec<(i64, i64)> = statement.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let full = chosen.len() >= BATCH as usize;
    let mut freed = 0;
    for (seq, bytes) in chosen {
        if freed >= enough {
            return Ok(false);
        }
        if freed >= BATCH_BYTES {
            return Ok(true);
        }
        tx.prepare_cached("DELETE FROM arrival WHERE seq = ?1")?.execute([seq])?;
        freed += bytes;
    }
    Ok(full)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::store::Store;

    const START: Timestamp = Timestamp::from_seconds(1_795_000_000);

    struct World {
        store: Arc<Store>,
        clock: Arc<ManualClock>,
        _directory: tempfile::TempDir,
    }

    impl World {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let clock = Arc::new(ManualClock::new(START));
            Self { store: Store::open(directory.path(), clock.clone()).unwrap(), clock, _directory: directory }
        }

        async fn keep(&self, id: &'static str, verdict: &'static str, seen: bool, bytes: i64) {
            self.store
                .write(move |tx| {
                    tx.execute(
                        "INSERT INTO arrival (id, connection, received_at, method, path, query, headers, body, verdict, seen_at)
                         VALUES (?1, 'con_1', ?2, 'POST', '', '', '[]', zeroblob(?3), ?4, ?5)",
                        params![id, tx.now(), bytes, verdict, seen.then_some(tx.now())],
                    )?;
                    Ok(())
                })
                .await
                .unwrap();
            self.clock.advance(Duration::from_secs(1));
        }

        async fn left(&self) -> Vec<String> {
            self.store
                .read(|db| {
                    let mut statement = db.prepare("SELECT id FROM arrival ORDER BY seq")?;
                    Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
                })
                .await
                .unwrap()
        }

        async fn forget(&self, some: fn(&Tx<'_>) -> Result<bool>) -> usize {
            let mut writes = 1;
            while self.store.write(some).await.unwrap() {
                writes += 1;
            }
            writes
        }
    }

    #[tokio::test]
    async fn each_kind_of_arrival_is_kept_for_its_time() {
        let world = World::new();
        world.keep("done", "handled", false, 1).await;
        world.keep("seen", "parked", true, 1).await;
        world.keep("unseen", "not_understood", false, 1).await;
        world.keep("waiting", "pending", false, 1).await;
        for (after, left) in [
            (29, &["done", "seen", "unseen", "waiting"][..]),
            (31, &["seen", "unseen", "waiting"]),
            (91, &["unseen", "waiting"]),
            (366, &["waiting"]),
        ] {
            let passed = world.store.clock().now().since(START);
            world.clock.advance(Duration::from_secs(after * DAY) - passed);
            world.forget(forget_done).await;
            world.forget(forget_troubled).await;
            assert_eq!(world.left().await, left, "after {after} days");
        }
    }

    #[tokio::test]
    async fn too_much_trouble_makes_room_and_what_nobody_has_seen_goes_last() {
        let world = World::new();
        for (id, verdict, seen) in [
            ("a", "parked", false),
            ("b", "not_understood", false),
            ("c", "parked", true),
            ("d", "not_understood", true),
            ("e", "not_understood", false),
        ] {
            world.keep(id, verdict, seen, 1000).await;
        }
        for (most, left) in [(5000, &["a", "b", "c", "d", "e"][..]), (3500, &["a", "b", "e"]), (1999, &["a"]), (0, &[])] {
            while world.store.write(move |tx| troubled(tx, most)).await.unwrap() {}
            assert_eq!(world.left().await, left, "with room for {most} bytes");
        }
    }

    #[tokio::test]
    async fn large_ones_are_deleted_a_few_at_a_time() {
        let world = World::new();
        for _ in 0..6 {
            let id: &'static str = Box::leak(crate::id::ArrivalId::new().to_string().into_boxed_str());
            world.keep(id, "handled", false, 3 << 20).await;
        }
        world.clock.advance(DONE_KEPT + Duration::from_secs(60));
        assert_eq!(world.forget(forget_done).await, 3, "two of three megabytes each in one write, and no more");
        assert!(world.left().await.is_empty());
    }
}
