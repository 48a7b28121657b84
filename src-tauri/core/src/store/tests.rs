use std::sync::Arc;

use rusqlite::params;

use super::{DATABASE, Store, migrate};
use crate::clock::SystemClock;
use crate::error::{Code, Error};
use crate::say;

fn open(directory: &std::path::Path) -> crate::error::Result<Arc<Store>> {
    Store::open(directory, Arc::new(SystemClock::new()))
}

fn set(key: &str, value: &str) -> impl FnOnce(&super::Tx<'_>) -> crate::error::Result<()> + Send + 'static {
    let (key, value) = (key.to_owned(), value.to_owned());
    move |tx| {
        tx.execute("INSERT OR REPLACE INTO setting (key, value) VALUES (?1, ?2)", params![key, value])?;
        Ok(())
    }
}

#[tokio::test]
async fn concurrent_writes_are_all_kept_and_a_failing_one_takes_back_only_itself() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let writes = (0..200).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .write(move |tx| {
                    tx.execute("INSERT INTO setting (key, value) VALUES (?1, 'x')", [format!("k{n}")])?;
                    if n % 10 == 0 { Err(Error::new(Code::Conflict, say!("This is needed."))) } else { Ok(()) }
                })
                .await
        })
    });
    for write in writes.collect::<Vec<_>>() {
        drop(write.await.unwrap());
    }
    let count: i64 = store.read(|db| Ok(db.query_row("SELECT count(*) FROM setting", [], |row| row.get(0))?)).await.unwrap();
    assert_eq!(count, 180, "every tenth was taken back, its neighbours in the same commit stand");
}

#[tokio::test]
async fn a_panicking_write_answers_an_error_and_the_store_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let result = store.write(|_| -> crate::error::Result<()> { panic!("a bug") }).await;
    assert_eq!(result.unwrap_err().code, Code::Internal);
    store.write(set("after", "yes")).await.unwrap();
}

#[tokio::test]
async fn a_second_process_is_refused_and_a_closed_directory_can_be_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    assert_eq!(open(directory.path()).err().unwrap().code, Code::AlreadyOpen);
    store.write(set("kept", "yes")).await.unwrap();
    store.close().await;
    drop(store);
    let store = open(directory.path()).unwrap();
    let kept: String =
        store.read(|db| Ok(db.query_row("SELECT value FROM setting WHERE key = 'kept'", [], |row| row.get(0))?)).await.unwrap();
    assert_eq!(kept, "yes");
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.close().await;
    drop(store);
    let db = rusqlite::Connection::open(directory.path().join(DATABASE)).unwrap();
    db.pragma_update(None, "user_version", 9999).unwrap();
    drop(db);
    assert_eq!(open(directory.path()).err().unwrap().code, Code::NewerDatabase);
}

#[tokio::test]
async fn a_damaged_database_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(DATABASE), vec![7u8; 8192]).unwrap();
    assert_eq!(open(directory.path()).err().unwrap().code, Code::Corrupt);
}

#[test]
fn the_sqlite_inside_is_free_of_the_wal_reset_bug() {
    let version = rusqlite::version_number();
    assert!(version >= 3_053_000, "SQLite {version} may corrupt a database in WAL mode; 3.53.0 is the least allowed");
}

#[test]
fn every_connection_flushes_fully() {
    let directory = tempfile::tempdir().unwrap();
    let db = rusqlite::Connection::open(directory.path().join("x.db")).unwrap();
    super::prepare(&db).unwrap();
    let synchronous: i64 = db.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
    let journal: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"), "FULL and WAL: a power cut loses nothing that was answered");
}

#[test]
fn the_committed_schema_is_the_one_the_migrations_make() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/schema.sql");
    let made = migrate::schema().unwrap();
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed != made {
        std::fs::write(&path, &made).unwrap();
        panic!("schema.sql was out of date and has been written again: look at it and commit it");
    }
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_any_more_keeps_its_place_until_it_has_ended() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    for _ in 0..super::READERS {
        let slow = store.read(|_| {
            std::thread::sleep(std::time::Duration::from_millis(200));
            Ok(())
        });
        assert!(tokio::time::timeout(std::time::Duration::from_millis(10), slow).await.is_err(), "given up");
    }
    let count = store.read(|db| Ok(db.query_row("SELECT count(*) FROM setting", [], |row| row.get::<_, i64>(0))?)).await;
    assert_eq!(count.unwrap(), 0, "the next one waits for its turn and is not refused");
}

#[test]
fn a_backup_is_a_whole_database() {
    let directory = tempfile::tempdir().unwrap();
    let mut db = rusqlite::Connection::open(directory.path().join("x.db")).unwrap();
    super::prepare(&db).unwrap();
    std::fs::create_dir(directory.path().join("backups")).unwrap();
    migrate::up(&mut db, directory.path(), crate::clock::Timestamp::from_millis(1)).unwrap();
    db.execute("INSERT INTO setting (key, value) VALUES ('a', 'b')", []).unwrap();
    let copy = migrate::backup(&db, &directory.path().join("backups/copy.db")).unwrap();
    let copy = rusqlite::Connection::open(copy).unwrap();
    let value: String = copy.query_row("SELECT value FROM setting", [], |row| row.get(0)).unwrap();
    assert_eq!(value, "b");
}
