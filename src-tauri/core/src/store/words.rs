//! The indexes of words, brought up to date once per commit.
//!
//! An index of words writes what it was given as a piece of its own at every statement, and merging pieces later is most of its work. So
//! new rows are handed over together, at the end of the commit that brought them. A message that can be read can be found: both hold in
//! the same commit, or neither does.

use rusqlite::Connection;

/// Hands over what is new. Runs at the end of every commit and costs next to nothing when there is nothing.
///
/// Messages are new when they are newer than everything in the index. Their numbers only grow, and the number of a newest message that was
/// taken back leaves the index with it.
pub fn index(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO message_fts (rowid, text)
         SELECT seq, text FROM message WHERE seq > (SELECT coalesce(max(id), 0) FROM message_fts_docsize) AND text <> '' ORDER BY seq",
    )?
    .execute([])?;
    let names: bool = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM contact_unindexed)")?.query_row([], |row| row.get(0))?;
    if names {
        db.prepare_cached(
            "INSERT INTO contact_fts (name, contact) SELECT k.name, k.id FROM contact_unindexed u CROSS JOIN contact k ON k.rowid = u.row ORDER BY u.row",
        )?
        .execute([])?;
        db.prepare_cached("DELETE FROM contact_unindexed")?.execute([])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use rusqlite::params;

    use crate::clock::{ManualClock, Timestamp};
    use crate::store::{Store, Tx};

    const SHOP: &str =
        "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES ('c', 'x', 'x', 'active', '{}', 'k', 1, 1);
         INSERT INTO contact (id, name, created_at) VALUES ('t', 'José Pão', 1);
         INSERT INTO conversation (id, contact, connection, thread, address_scheme, address_value, status, owner_kind, last_message_at, created_at)
           VALUES ('v', 't', 'c', 'h', 's', 'a', 'open', 'agent', 1, 1);";

    /// What is done to a message.
    #[derive(Clone, Debug)]
    enum Op {
        Write(&'static str),
        /// The so-many-th newest gets other words.
        Edit(u32, &'static str),
        /// The so-many-th newest is taken back.
        TakeBack(u32),
        /// Everything since the last one is one commit.
        Commit,
    }

    fn words() -> impl Strategy<Value = &'static str> {
        prop_oneof![Just(""), Just("bolo de cenoura"), Just("pão"), Just("cenoura ralada")]
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => words().prop_map(Op::Write),
            2 => (0u32..4, words()).prop_map(|(n, words)| Op::Edit(n, words)),
            2 => (0u32..4).prop_map(Op::TakeBack),
            3 => Just(Op::Commit),
        ]
    }

    fn apply(tx: &Tx<'_>, n: usize, op: &Op) -> crate::error::Result<()> {
        let newest = "(SELECT seq FROM message ORDER BY seq DESC LIMIT 1 OFFSET ?1)";
        match op {
            Op::Write(words) => tx.execute(
                "INSERT INTO message (id, conversation, connection, direction, author_kind, content, text, sent_at)
                 VALUES (?1, 1, 'c', 'in', 'contact', '[]', ?2, 1)",
                params![format!("msg_{n}"), words],
            )?,
            Op::Edit(at, words) => tx.execute(&format!("UPDATE message SET text = ?2 WHERE seq = {newest}"), params![at, words])?,
            Op::TakeBack(at) => tx.execute(&format!("DELETE FROM message WHERE seq = {newest}"), [at])?,
            Op::Commit => 0,
        };
        Ok(())
    }

    fn numbers(db: &rusqlite::Connection, sql: &str, word: &str) -> crate::error::Result<Vec<i64>> {
        Ok(db.prepare_cached(sql)?.query_map([word], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    fn found(db: &rusqlite::Connection, word: &str) -> crate::error::Result<Vec<i64>> {
        numbers(db, "SELECT rowid FROM message_fts WHERE message_fts MATCH ?1 ORDER BY rowid", word)
    }

    fn written(db: &rusqlite::Connection, word: &str) -> crate::error::Result<Vec<i64>> {
        numbers(db, "SELECT seq FROM message WHERE ' ' || text || ' ' LIKE '% ' || ?1 || ' %' ORDER BY seq", word)
    }

    async fn store() -> (Arc<Store>, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Arc::new(ManualClock::new(Timestamp::from_seconds(1)))).unwrap();
        store
            .write(|tx| {
                tx.execute_batch(SHOP)?;
                Ok(())
            })
            .await
            .unwrap();
        (store, directory)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

        /// Whatever is written, changed and taken back, in one commit or in many: what can be read can be found, and nothing else.
        #[test]
        fn what_can_be_read_can_be_found(ops in prop::collection::vec(op(), 1..40)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (store, _directory) = store().await;
                let numbered: Vec<(usize, Op)> = ops.into_iter().enumerate().collect();
                for commit in numbered.split(|(_, op)| matches!(op, Op::Commit)).map(<[_]>::to_vec) {
                    store.write(move |tx| commit.iter().try_for_each(|(n, op)| apply(tx, *n, op))).await.unwrap();
                    store
                        .write(|tx| Ok(tx.execute("INSERT INTO message_fts (message_fts) VALUES ('integrity-check')", [])?))
                        .await
                        .unwrap();
                    for word in ["bolo", "de", "cenoura", "pão", "ralada"] {
                        let (found, written) = store.read(move |db| Ok((found(db, word)?, written(db, word)?))).await.unwrap();
                        prop_assert_eq!(found, written, "{}", word);
                    }
                    let sizes = "SELECT (SELECT count(*) FROM message_fts_docsize), (SELECT count(*) FROM message WHERE text <> '')";
                    let (known, said): (i64, i64) =
                        store.read(move |db| Ok(db.query_row(sizes, [], |row| Ok((row.get(0)?, row.get(1)?)))?)).await.unwrap();
                    prop_assert_eq!(known, said, "nothing is in the index but what was said");
                }
                Ok(())
            })?;
        }
    }

    #[tokio::test]
    async fn a_name_is_found_as_soon_as_it_is_there() {
        let (store, _directory) = store().await;
        let found = async || {
            let sql = "SELECT (SELECT count(*) FROM contact_fts WHERE contact_fts MATCH 'pao'), (SELECT count(*) FROM contact_unindexed)";
            store.read(move |db| Ok(db.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?)).await.unwrap()
        };
        assert_eq!(found().await, (1, 0), "with its accent folded, and nothing waits");
        store
            .write(|tx| {
                tx.execute("INSERT INTO contact (id, name, created_at) VALUES ('u', 'Ana Pão', 1)", [])?;
                tx.execute("DELETE FROM contact WHERE id = 'u'", [])?;
                tx.execute("INSERT INTO contact (id, name, created_at) VALUES ('w', 'Ana', 1)", [])?;
                tx.execute("UPDATE contact SET name = 'Rui Pão' WHERE id = 'w'", [])?;
                Ok(())
            })
            .await
            .unwrap();
        assert_eq!(found().await, (2, 0), "the one who left at once is not found, the one who was named anew is");
    }

    #[tokio::test]
    async fn what_was_said_before_this_way_of_indexing_is_found_changed_and_forgotten_as_before() {
        let directory = tempfile::tempdir().unwrap();
        {
            let db = rusqlite::Connection::open(directory.path().join(crate::store::DATABASE)).unwrap();
            for sql in &crate::store::migrate::MIGRATIONS[..8] {
                db.execute_batch(sql).unwrap();
            }
            db.execute_batch(SHOP).unwrap();
            db.execute_batch(
                "INSERT INTO message (id, conversation, connection, direction, author_kind, content, text, sent_at) VALUES
                   ('a', 1, 'c', 'in', 'contact', '[]', 'bolo', 1), ('b', 1, 'c', 'in', 'contact', '[]', '', 1), ('d', 1, 'c', 'in', 'contact', '[]', 'bolo de cenoura', 1);
                 INSERT INTO arrival (id, connection, received_at, method, path, query, headers, body, verdict) VALUES ('r', 'c', 1, '', '', '', '', '', 'handled');
                 PRAGMA user_version = 8;",
            )
            .unwrap();
        }
        let store = Store::open(directory.path(), Arc::new(ManualClock::new(Timestamp::from_seconds(1)))).unwrap();
        let (sound, broken): (String, i64) = store
            .read(|db| {
                let sound = db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
                Ok((sound, db.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?))
            })
            .await
            .unwrap();
        assert_eq!((sound.as_str(), broken), ("ok", 0));
        let here = async |word: &'static str| store.read(move |db| found(db, word)).await.unwrap();
        assert_eq!(here("bolo").await, [1, 3]);
        store
            .write(|tx| {
                tx.execute("UPDATE message SET text = 'bolo frio' WHERE id = 'b'", [])?;
                tx.execute("UPDATE message SET text = 'torta' WHERE id = 'd'", [])?;
                tx.execute("DELETE FROM message WHERE id = 'a'", [])?;
                apply(tx, 9, &Op::Write("bolo de cenoura"))
            })
            .await
            .unwrap();
        assert_eq!((here("bolo").await, here("torta").await, here("cenoura").await), (vec![2, 4], vec![3], vec![4]));
        let forgets =
            "EXPLAIN QUERY PLAN SELECT seq FROM arrival WHERE verdict <> 'pending' AND verdict <> 'not_understood' AND verdict <> 'parked'
                         AND received_at < 5 ORDER BY received_at";
        let plan: String = store.read(move |db| Ok(db.query_row(forgets, [], |row| row.get(3))?)).await.unwrap();
        assert!(plan.contains("arrival_done"), "{plan}");
    }
}
