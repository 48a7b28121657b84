use std::sync::Arc;

use rusqlite::params;

use super::condition::{Condition, Damage};
use super::{DATABASE, Store, migrate};
use crate::clock::SystemClock;
use crate::error::{Code, Error};
use crate::model::Change;
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
async fn a_part_that_fails_is_taken_back_with_what_it_announced_and_the_rest_holds() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let (mut heard, _) = store.changes().listen(None);
    let ran = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (first, second) = (ran.clone(), ran.clone());
    store
        .write(move |tx| {
            set("whole", "yes")(tx)?;
            let failed = tx.part(|tx| {
                set("part", "yes")(tx)?;
                tx.changed(Change::Connection { id: "con_part".into() });
                tx.afterwards(move || _ = first.fetch_add(100, std::sync::atomic::Ordering::SeqCst));
                panic!("a bug in this part")
            });
            assert!(matches!(failed, Err::<(), _>(error) if error.code == Code::Internal));
            tx.part(set("another", "yes"))?;
            tx.changed(Change::Settings);
            tx.changed(Change::Settings);
            tx.afterwards(move || _ = second.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
            Ok(())
        })
        .await
        .unwrap();
    let kept: String =
        store.read(|db| Ok(db.query_row("SELECT group_concat(key, ' ' ORDER BY key) FROM setting", [], |row| row.get(0))?)).await.unwrap();
    assert_eq!(kept, "another whole");
    assert!(matches!(heard.recv().await.unwrap().change, Change::Settings));
    assert!(heard.try_recv().is_err(), "told once, and nothing of the part that failed");
    assert_eq!(ran.load(std::sync::atomic::Ordering::SeqCst), 1, "only what held runs afterwards");
}

#[tokio::test]
async fn a_write_of_one_statement_that_fails_leaves_its_neighbours() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let insert = |key: &'static str| store.write_one(move |tx| Ok(tx.execute("INSERT INTO setting (key, value) VALUES (?1, 'x')", [key])?));
    let (a, again, b) = tokio::join!(insert("a"), insert("a"), insert("b"));
    assert_eq!((a.unwrap(), b.unwrap()), (1, 1));
    assert_eq!(again.unwrap_err().code, Code::Internal, "the key is taken");
    // What is said to be one statement and is not would leave half of itself behind: its whole commit is given up.
    let half = store
        .write_one(|tx| {
            tx.execute("INSERT INTO setting (key, value) VALUES ('half', 'x')", [])?;
            Err::<(), _>(Error::new(Code::Conflict, say!("This is needed.")))
        })
        .await;
    assert_eq!(half.unwrap_err().code, Code::Conflict);
    let count: i64 = store.read(|db| Ok(db.query_row("SELECT count(*) FROM setting", [], |row| row.get(0))?)).await.unwrap();
    assert_eq!(count, 2);
}

#[tokio::test]
async fn what_was_written_after_the_database_took_everything_back_is_kept_only_where_that_was_said() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let lost = || {
        // As a full disk may do in the middle of a commit.
        store.write_one(|tx| {
            tx.execute_batch("ROLLBACK")?;
            Err::<(), _>(Error::new(Code::Conflict, say!("This is needed.")))
        })
    };
    for round in 0..20 {
        let one = |n: u32| {
            let key = format!("{round}-{n}");
            store.write_one(move |tx| Ok(tx.execute("INSERT INTO setting (key, value) VALUES (?1, 'x')", [key]).map(|_| ())?))
        };
        let (a, b, lost, c, d) = tokio::join!(
            one(1),
            store.write(set(&format!("{round}-2"), "x")),
            lost(),
            store.write(set(&format!("{round}-3"), "x")),
            one(4)
        );
        assert!(lost.is_err());
        for (n, told) in [(1, a), (2, b), (3, c), (4, d)] {
            let key = format!("{round}-{n}");
            let kept = "SELECT EXISTS (SELECT 1 FROM setting WHERE key = ?1)";
            let kept: bool = store.read(move |db| Ok(db.query_row(kept, [key], |row| row.get(0))?)).await.unwrap();
            assert_eq!(kept, told.is_ok(), "what is said to be kept is, and nothing else");
        }
    }
}

#[test]
fn what_is_checked_at_every_row_costs_no_table_at_every_statement() {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    for sql in migrate::MIGRATIONS {
        db.execute_batch(sql).unwrap();
    }
    for (table, column) in [
        ("arrival", "verdict"),
        ("conversation", "status"),
        ("message", "direction"),
        ("message", "author_kind"),
        ("turn", "status"),
        ("turn_step", "kind"),
        ("delivery", "status"),
    ] {
        let mut statement = db.prepare(&format!("EXPLAIN UPDATE {table} SET {column} = ?1")).unwrap();
        let program: Vec<(String, String)> = statement
            .query_map(["x"], |row| Ok((row.get(1)?, row.get::<_, Option<String>>(5)?.unwrap_or_default())))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        let lists = program.iter().filter(|(opcode, more)| opcode == "OpenEphemeral" && more.starts_with("k(1,")).count();
        assert_eq!(lists, 0, "{table}.{column} is checked against a list that is built at every statement");
        let checked: String =
            db.query_row("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1", [table], |row| row.get(0)).unwrap();
        assert!(checked.contains(&format!("CHECK ({column} = ")), "{table}.{column} is checked");
    }
    let wrong = db.execute(
        "INSERT INTO arrival (id, connection, received_at, method, path, query, headers, body, verdict) VALUES ('a', 'c', 1, '', '', '', '', '', 'lost')",
        [],
    );
    assert!(wrong.unwrap_err().to_string().contains("CHECK"), "a verdict that there is not");
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
fn the_newest_three_backups_before_a_migration_are_kept_and_those_of_a_person_all() {
    let folder = tempfile::tempdir().unwrap();
    for (n, name) in [
        "before-schema-2-1.db",
        "before-schema-3-2.db",
        "mine.db",
        "before-schema-4-3.db",
        "before-schema-5-4.db",
        "before-schema-6-5.part",
    ]
    .iter()
    .enumerate()
    {
        let path = folder.path().join(name);
        std::fs::write(&path, "x").unwrap();
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000 + n as u64);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    }
    migrate::keep_newest_backups(folder.path()).unwrap();
    let mut left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["before-schema-3-2.db", "before-schema-4-3.db", "before-schema-5-4.db", "mine.db"]);
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

/// A closed database with many messages in it, and the first byte of each of their table's pages.
async fn used(directory: &std::path::Path) -> Vec<i64> {
    let store = open(directory).unwrap();
    store
        .write(|tx| {
            for n in 0..400 {
                tx.execute(
                    "INSERT INTO refusal (at, reason, address, size) VALUES (?1, ?2, '127.0.0.1', 1)",
                    params![n, "a long reason, so that there are several pages of it ".repeat(8)],
                )?;
                tx.execute("INSERT INTO setting (key, value) VALUES (?1, 'kept')", [format!("k{n}")])?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let pages = store
        .read(|db| {
            let mut statement = db.prepare("SELECT (pageno - 1) * 4096 FROM dbstat WHERE name = 'refusal' AND pagetype = 'leaf'")?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?)
        })
        .await
        .unwrap();
    store.close().await;
    assert!(pages.len() > 3);
    pages
}

fn spoil(file: &std::path::Path, place: i64) {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = std::fs::File::options().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(u64::try_from(place).unwrap())).unwrap();
    file.write_all(&[0xa5; 4096]).unwrap();
}

async fn refusals(store: &Arc<Store>) -> crate::error::Result<i64> {
    store.read(|db| Ok(db.query_row("SELECT count(*) FROM (SELECT reason FROM refusal)", [], |row| row.get(0))?)).await
}

async fn settings(store: &Arc<Store>) -> i64 {
    store.read(|db| Ok(db.query_row("SELECT count(*) FROM setting", [], |row| row.get(0))?)).await.unwrap()
}

/// Waits until the whole file was looked through.
async fn looked_through(store: &Arc<Store>) -> Condition {
    let mut condition = store.watch_condition();
    let known = condition.wait_for(|condition| !matches!(condition, Condition::Suspect));
    tokio::time::timeout(std::time::Duration::from_secs(20), known).await.expect("it was looked through").unwrap().clone()
}

fn damage(condition: &Condition) -> &Damage {
    match condition {
        Condition::Damaged(damage) => damage,
        Condition::Sound | Condition::Suspect => panic!("it is damaged and not {condition:?}"),
    }
}

#[tokio::test]
async fn damage_that_is_met_while_running_stops_all_writing_and_the_rest_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(DATABASE);
    let pages = used(directory.path()).await;
    spoil(&file, pages[2]);
    let before = std::fs::read(&file).unwrap();
    let store = open(directory.path()).unwrap();
    assert!(store.condition().is_sound(), "nobody has met it yet");
    let (mut changes, _) = store.changes().listen(None);
    assert_eq!(refusals(&store).await.unwrap_err().code, Code::Corrupt);
    let refused = store.write(set("after", "no")).await.unwrap_err();
    assert_eq!(refused.code, Code::Corrupt, "nothing is written from the first complaint on");
    let condition = looked_through(&store).await;
    assert!(!damage(&condition).found.is_empty(), "what SQLite found is kept");
    assert_eq!(changes.recv().await.unwrap().change, Change::Settings, "the screens hear of it");

    assert_eq!(settings(&store).await, 400, "what can be read is read");
    let refused = store.write(set("after", "no")).await.unwrap_err();
    let said = refused.message.to_string();
    assert!(refused.code == Code::Corrupt && said.contains("no good backup") && said.contains("Close Shopbell"), "{said}");
    store.close().await;
    drop(store);
    assert_eq!(std::fs::read(&file).unwrap(), before, "not a byte of the damaged file was written, at the close neither");
}

#[tokio::test]
async fn a_write_that_meets_damage_is_taken_back_with_everything_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let pages = used(directory.path()).await;
    spoil(&directory.path().join(DATABASE), pages[2]);
    let store = open(directory.path()).unwrap();
    let met = store.write(|tx| Ok(tx.execute("UPDATE refusal SET size = 2", [])?)).await;
    assert_eq!(met.unwrap_err().code, Code::Corrupt);
    assert!(matches!(looked_through(&store).await, Condition::Damaged(_)));
    assert_eq!(settings(&store).await, 400);
}

#[tokio::test]
async fn damage_outlives_a_restart_and_a_good_backup_put_back_is_used_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(DATABASE);
    let pages = used(directory.path()).await;
    let (good, broken) = (directory.path().join("backups/good.db"), directory.path().join("backups/newer.db"));
    std::fs::copy(&file, &good).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::copy(&file, &broken).unwrap();
    spoil(&broken, pages[1]);
    spoil(&file, pages[2]);

    let store = open(directory.path()).unwrap();
    assert_eq!(refusals(&store).await.unwrap_err().code, Code::Corrupt);
    let condition = looked_through(&store).await;
    assert_eq!(damage(&condition).backup.as_ref().map(|backup| &backup.path), Some(&good), "the newer one is damaged too");
    let said = condition.sentence().unwrap().to_string();
    assert!(said.contains(good.to_str().unwrap()) && said.contains(directory.path().to_str().unwrap()), "{said}");
    store.close().await;
    drop(store);

    let store = open(directory.path()).unwrap();
    assert!(!store.condition().is_sound(), "a clean end makes no damage good");
    assert!(matches!(looked_through(&store).await, Condition::Damaged(_)));
    store.close().await;
    drop(store);

    // As the sentence says.
    for name in ["shopbell.db", "shopbell.db-wal", "shopbell.db-shm"] {
        let _ = std::fs::rename(directory.path().join(name), directory.path().join(format!("kept-{name}")));
    }
    std::fs::copy(&good, &file).unwrap();
    let store = open(directory.path()).unwrap();
    assert_eq!(looked_through(&store).await, Condition::Sound);
    store.write(set("after", "yes")).await.unwrap();
    assert_eq!(refusals(&store).await.unwrap(), 400);
    assert!(!directory.path().join(super::condition::MARK).exists(), "and the next start need not look again");
}

#[tokio::test]
async fn an_unclean_end_with_damage_is_opened_for_reading_alone() {
    let (directory, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let pages = used(directory.path()).await;
    let store = open(directory.path()).unwrap();
    store.write(set("last", "word")).await.unwrap();
    // As a killed process leaves it: with a log that was not written back.
    for name in ["shopbell.db", "shopbell.db-wal"] {
        std::fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    spoil(&copy.path().join(DATABASE), pages[2]);
    let store = open(copy.path()).unwrap();
    assert!(!store.condition().is_sound());
    assert!(matches!(looked_through(&store).await, Condition::Damaged(_)));
    assert_eq!(settings(&store).await, 401, "what stood in the log is read as well");
    assert_eq!(store.write(set("after", "no")).await.unwrap_err().code, Code::Corrupt);
}

#[tokio::test]
async fn a_complaint_about_a_sound_file_passes() {
    let directory = tempfile::tempdir().unwrap();
    used(directory.path()).await;
    let store = open(directory.path()).unwrap();
    let complaint = || store.read(|_| Err::<(), _>(Error::of_storage(Code::Corrupt)));
    assert!(complaint().await.is_err());
    assert_eq!(looked_through(&store).await, Condition::Sound);
    store.write(set("after", "yes")).await.unwrap();
    assert!(complaint().await.is_err());
    assert!(store.condition().is_sound(), "it has just been looked through: a query that complains again stops nobody");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_at_all_names_the_backup() {
    let directory = tempfile::tempdir().unwrap();
    used(directory.path()).await;
    let good = directory.path().join("backups/good.db");
    std::fs::copy(directory.path().join(DATABASE), &good).unwrap();
    std::fs::write(directory.path().join(DATABASE), vec![7u8; 8192]).unwrap();
    let error = open(directory.path()).err().unwrap();
    assert_eq!(error.code, Code::Corrupt);
    assert!(error.message.to_string().contains(good.to_str().unwrap()), "{error}");
}
