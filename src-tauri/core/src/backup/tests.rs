//! A shop moves to another computer, and what must not move along does not.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::container::Sealer;
use super::contents::{Kind as Part, Manifest, write_head};
use super::copy::Space;
use super::{export, moved, restore};
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::hub::{Hub, HubOptions};
use crate::secret::Secret;
use crate::store::{DATABASE, migrate, swap};
use crate::vault::NoKeychain;

const PLENTY: Space = |_| Ok(1 << 40);
const PHOTO: &[u8] = b"a photo of a cake";

fn words() -> Secret {
    Secret::new("words for the journey")
}

async fn open(directory: &Path, passphrase: &str) -> Arc<Hub> {
    let mut options = HubOptions::new(directory.to_owned(), Vec::new());
    options.keychain = Arc::new(NoKeychain);
    options.passphrase = Some(Secret::new(passphrase));
    Hub::open(options).await.unwrap()
}

fn photo() -> String {
    hex::encode(Sha256::digest(PHOTO))
}

/// A hub with a customer, a question that waits for its answer, an answer that waits to leave, a file and a key.
async fn shop(directory: &Path) -> Arc<Hub> {
    let hub = open(directory, "the old computer").await;
    std::fs::write(directory.join("media").join(photo()), PHOTO).unwrap();
    let vault = hub.vault.clone();
    hub.store
        .write(move |tx| {
            tx.execute_batch(
                "INSERT INTO connection (id, connector, name, status, config, hook_key, cursor, proven_at, webhook, created_at, updated_at)
                   VALUES ('con_1', 'gone', 'Shop', 'active', '{}', 'k', '42', 1, '{}', 1, 1);
                 INSERT INTO agent (id, name, instructions, connection, created_at, updated_at) VALUES ('agt_1', 'Nina', '', 'con_1', 1, 1);
                 INSERT INTO contact (id, name, created_at) VALUES ('ctc_1', 'Ana', 1);
                 INSERT INTO conversation (seq, id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id, last_message_at, created_at)
                   VALUES (1, 'cnv_1', 'ctc_1', 'con_1', 't', 's', 'v', 'open', 'agent', 'agt_1', 2, 1);
                 INSERT INTO message (seq, id, conversation, connection, direction, author_kind, content, text, sent_at)
                   VALUES (1, 'msg_1', 1, 'con_1', 'in', 'contact', '[]', 'Is there cake?', 1), (2, 'msg_2', 1, 'con_1', 'out', 'person', '[]', 'Yes', 2);
                 INSERT INTO delivery (seq, id, message, conversation, connection, status, due_at) VALUES (1, 'dlv_1', 2, 1, 'con_1', 'queued', 1);
                 INSERT INTO turn (id, conversation, agent, epoch, status, wanted_at, due_at) VALUES ('trn_1', 1, 'agt_1', 1, 'wanted', 1, 9999999999999);
                 INSERT INTO setting (key, value) VALUES ('browser_sessions', 'of the old computer'), ('shop_name', 'Pão Dourado');",
            )?;
            tx.execute(
                "INSERT INTO media (id, status, sha256, mime, bytes, message, created_at) VALUES ('med_1', 'stored', ?1, 'image/png', 17, 'msg_1', 1)",
                [photo()],
            )?;
            vault.seal_into(tx, "con_1", "bot_token", &Secret::new("123:canary"))
        })
        .await
        .unwrap();
    hub
}

async fn sealed(hub: &Arc<Hub>, to: &Path) -> PathBuf {
    let made = export::to_file(hub, words(), to, PLENTY).await.unwrap();
    assert_eq!((made.files, made.left_out), (1, 0));
    assert_eq!(made.bytes, to.metadata().unwrap().len());
    to.to_owned()
}

async fn prepare(hub: &Arc<Hub>, file: &Path) -> Result<restore::Prepared, Error> {
    restore::prepare(hub, file, words(), false, PLENTY).await
}

/// Every row of every table, in words, but for what belongs to a computer and not to a shop.
fn everything(database: &Path) -> Vec<String> {
    let db = Connection::open(database).unwrap();
    let tables: Vec<String> = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('vault', 'secret', 'backup', 'chore', 'heartbeat') ORDER BY name")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut all = Vec::new();
    for table in tables {
        let mut statement = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<String> = (0..columns).map(|n| format!("{:?}", row.get_ref(n).unwrap())).collect();
            all.push(format!("{table}: {}", cells.join(" ")));
        }
    }
    all
}

#[tokio::test]
async fn a_shop_moves_whole_to_another_computer_and_stands_still_there_until_its_owner_speaks() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let hub = shop(old.path()).await;
    let file = sealed(&hub, &new.path().join("moving.shopbell")).await;
    hub.stop().await;
    let text = std::fs::read(&file).unwrap();
    for inside in [b"canary".as_slice(), b"Is there cake?", PHOTO, b"SQLite format"] {
        assert!(!text.windows(inside.len()).any(|part| part == inside), "nothing is to be read in the file");
    }
    let left: Vec<_> = std::fs::read_dir(old.path().join("backups")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "no copy stays behind: {left:?}");

    let hub = open(new.path(), "the new computer").await;
    hub.store
        .write(|tx| Ok(tx.execute("INSERT INTO setting (key, value) VALUES ('browser_sessions', 'of the new one')", [])?))
        .await
        .unwrap();
    let prepared = prepare(&hub, &file).await.unwrap();
    assert_eq!((prepared.files, prepared.left_out, &prepared.kept_aside), (1, 0, &None));
    assert!(!hub.store.read(restore::is_in_use).await.unwrap(), "until the next start everything is as it was");
    hub.stop().await;

    let hub = open(new.path(), "the new computer").await;
    assert!(!new.path().join("restoring").exists() && !new.path().join("restoring-old").exists(), "nothing is left of the way");
    assert!(!hub.is_open_for_business(), "it stands still");
    let health = crate::api::dispatch(&hub, "health", serde_json::json!({})).await.unwrap();
    assert_eq!((&health["receiving"], &health["moved"]["parked"]), (&serde_json::json!(false), &serde_json::json!(1)));
    assert!(health["receiving_reason"].as_str().unwrap().contains("another computer"), "{health}");
    let kept = hub.store.read({
        let vault = hub.vault.clone();
        move |db| vault.open_all(db, "con_1")
    });
    assert_eq!(kept.await.unwrap().whole().unwrap()["bot_token"], Secret::new("123:canary"), "the key opens under the new vault");
    assert_eq!(std::fs::read(new.path().join("media").join(photo())).unwrap(), PHOTO);
    let states = hub.store.read(|db| {
        Ok((
            db.query_row("SELECT status || parked || reason FROM delivery", [], |row| row.get::<_, String>(0))?,
            db.query_row("SELECT status FROM turn", [], |row| row.get::<_, String>(0))?,
            db.query_row("SELECT cursor || coalesce(webhook, '-') || coalesce(proven_at, '-') FROM connection", [], |row| {
                row.get::<_, String>(0)
            })?,
            db.query_row("SELECT value FROM setting WHERE key = 'browser_sessions'", [], |row| row.get::<_, String>(0))?,
        ))
    });
    let (delivery, turn, connection, sessions) = states.await.unwrap();
    assert!(delivery.starts_with("failed1It was waiting on the other computer"), "{delivery}");
    assert_eq!((turn.as_str(), connection.as_str(), sessions.as_str()), ("stopped", "42--", "of the new one"));

    moved::confirm(&hub).await.unwrap();
    let started = std::time::Instant::now();
    while !hub.is_open_for_business() {
        assert!(started.elapsed().as_secs() < 10, "the owner's word starts the work");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(
        hub.store
            .read(|db| Ok(db.query_row("SELECT count(*) FROM turn WHERE status <> 'stopped'", [], |row| row.get::<_, i64>(0))?))
            .await
            .unwrap(),
        0
    );
    hub.stop().await;
    let hub = open(new.path(), "the new computer").await;
    assert!(hub.is_open_for_business(), "and it is asked once");
    hub.stop().await;

    // Put back what a move changes on purpose, and the two are the same.
    let (ours, theirs) = (new.path().join(DATABASE), old.path().join(DATABASE));
    let db = Connection::open(&ours).unwrap();
    db.execute_batch(&format!(
        "ATTACH '{}' AS old;
         UPDATE delivery SET (status, parked, reason, done_at) = (SELECT status, parked, reason, done_at FROM old.delivery o WHERE o.id = delivery.id);
         UPDATE turn SET (status, finished_at) = (SELECT status, finished_at FROM old.turn o WHERE o.id = turn.id);
         UPDATE connection SET (webhook, proven_at) = (SELECT webhook, proven_at FROM old.connection o WHERE o.id = connection.id);
         DELETE FROM setting WHERE key = 'moved'; UPDATE setting SET value = 'of the old computer' WHERE key = 'browser_sessions';",
        theirs.display()
    ))
    .unwrap();
    drop(db);
    assert_eq!(everything(&ours), everything(&theirs));
}

#[tokio::test]
async fn a_hub_in_use_is_replaced_only_when_somebody_says_so_and_is_kept_aside() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let hub = shop(old.path()).await;
    let file = sealed(&hub, &new.path().join("moving.shopbell")).await;
    hub.stop().await;
    let hub = shop(new.path()).await;
    hub.store.write(|tx| Ok(tx.execute("UPDATE contact SET name = 'Bia'", [])?)).await.unwrap();
    assert_eq!(prepare(&hub, &file).await.unwrap_err().code, Code::Conflict);
    assert!(!swap::staging(new.path()).exists());
    let prepared = restore::prepare(&hub, &file, words(), true, PLENTY).await.unwrap();
    hub.stop().await;
    let hub = open(new.path(), "the old computer").await;
    let name = |db: &Connection| db.query_row("SELECT name FROM contact", [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(hub.store.read(move |db| Ok(name(db))).await.unwrap(), "Ana");
    let aside = prepared.kept_aside.unwrap();
    assert_eq!(name(&Connection::open(aside.join(DATABASE)).unwrap()), "Bia");
    assert_eq!(std::fs::read(aside.join("media").join(photo())).unwrap(), PHOTO, "its files are with it");
    hub.stop().await;
}

#[tokio::test]
async fn a_refused_file_changes_nothing_and_leaves_nothing() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let hub = shop(old.path()).await;
    let file = sealed(&hub, &new.path().join("moving.shopbell")).await;
    hub.stop().await;
    let hub = open(new.path(), "the new computer").await;
    let whole = std::fs::read(&file).unwrap();

    let wrong = restore::prepare(&hub, &file, Secret::new("other words"), false, PLENTY).await.unwrap_err();
    assert_eq!(wrong.code, Code::WrongPassphrase);
    let full = restore::prepare(&hub, &file, words(), false, |_| Ok(10 << 20)).await.unwrap_err();
    assert_eq!(full.code, Code::DiskFull);
    assert!(full.message.to_string().contains("10 MB are free"), "{}", full.message);
    let missing = prepare(&hub, &new.path().join("not there")).await.unwrap_err();
    assert_eq!((missing.code, missing.fields[0].0.as_str()), (Code::Invalid, "file"));

    std::fs::write(&file, &whole[..whole.len() - 20]).unwrap();
    let cut = prepare(&hub, &file).await.unwrap_err();
    assert!(cut.message.to_string().contains("its end is missing"), "{}", cut.message);

    let ours = rusqlite_bytes(old.path());
    let newer = {
        let copy = new.path().join("newer.db");
        std::fs::write(&copy, &ours).unwrap();
        Connection::open(&copy).unwrap().pragma_update(None, "user_version", 9999).unwrap();
        std::fs::read(&copy).unwrap()
    };
    let triggered = {
        let copy = new.path().join("triggered.db");
        std::fs::write(&copy, &ours).unwrap();
        Connection::open(&copy)
            .unwrap()
            .execute_batch("CREATE TRIGGER spy AFTER INSERT ON message BEGIN UPDATE contact SET name = new.text; END")
            .unwrap();
        std::fs::read(&copy).unwrap()
    };
    let mut torn = ours.clone();
    let middle = torn.len() / 2;
    torn[middle..middle + 8192].fill(0xa5);
    let good = (photo(), PHOTO.to_vec());
    let cases: [(&str, Code, Vec<u8>); 9] = [
        ("a name that is not its hash", Code::Invalid, forged(&ours, &[("0".repeat(64), PHOTO.to_vec())], 1)),
        ("a name that leads elsewhere", Code::Invalid, forged(&ours, &[("../../shopbell.db".to_owned(), PHOTO.to_vec())], 1)),
        ("a name that is no hash", Code::Invalid, forged(&ours, &[(photo().to_uppercase(), PHOTO.to_vec())], 1)),
        ("fewer files than promised", Code::Invalid, forged(&ours, std::slice::from_ref(&good), 2)),
        ("a database of a newer Shopbell", Code::NewerDatabase, forged(&newer, std::slice::from_ref(&good), 1)),
        ("a database that acts by itself", Code::Invalid, forged(&triggered, std::slice::from_ref(&good), 1)),
        ("a torn database", Code::Invalid, forged(&torn, std::slice::from_ref(&good), 1)),
        ("no database at all", Code::Invalid, forged(b"x", std::slice::from_ref(&good), 1)),
        ("not a backup", Code::Invalid, b"GIF89a".to_vec()),
    ];
    for (what, code, bytes) in cases {
        std::fs::write(&file, bytes).unwrap();
        let refused = prepare(&hub, &file).await.expect_err(what);
        assert_eq!(refused.code, code, "{what}: {} {:?}", refused.message, refused.source);
        assert!(!swap::staging(new.path()).exists(), "{what}: nothing is left");
    }
    let forged_well = forged(&ours, std::slice::from_ref(&good), 1);
    std::fs::write(&file, forged_well).unwrap();
    prepare(&hub, &file).await.expect("what the test writes is a backup but for what it spoils");
    hub.stop().await;
}

/// The database of a stopped hub.
fn rusqlite_bytes(directory: &Path) -> Vec<u8> {
    std::fs::read(directory.join(DATABASE)).unwrap()
}

/// A file sealed with the right passphrase by somebody who means harm.
fn forged(database: &[u8], files: &[(String, Vec<u8>)], promised: u64) -> Vec<u8> {
    let mut sealer = Sealer::begin(Vec::new(), &words(), Timestamp::from_seconds(1), migrate::MIGRATIONS.len()).unwrap();
    let manifest =
        Manifest { made_at: Timestamp::from_seconds(1), database: database.len() as u64, files: promised, file_bytes: 0, left_out: 0 };
    let text = serde_json::to_vec(&manifest).unwrap();
    for (kind, bytes) in [(Part::Manifest, text.as_slice()), (Part::Database, database), (Part::Secrets, b"[]")] {
        write_head(&mut sealer, kind, "", bytes.len() as u64).unwrap();
        sealer.write_all(bytes).unwrap();
    }
    for (name, bytes) in files {
        write_head(&mut sealer, Part::File, name, bytes.len() as u64).unwrap();
        sealer.write_all(bytes).unwrap();
    }
    write_head(&mut sealer, Part::End, "", 0).unwrap();
    sealer.finish().unwrap()
}

#[tokio::test]
async fn a_computer_that_dies_while_the_new_takes_the_place_goes_on_at_the_next_start() {
    // After each of the steps, as if the power had gone: what was moved so far is moved, the rest is not.
    for steps in 0..5 {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::create_dir_all(at("media")).unwrap();
        std::fs::create_dir_all(at("backups")).unwrap();
        std::fs::create_dir_all(at("restoring/media")).unwrap();
        for (file, text) in [
            (DATABASE, "old"),
            ("shopbell.db-wal", "old log"),
            ("media/a", "old file"),
            ("restoring/shopbell.db", "new"),
            ("restoring/media/b", "new file"),
        ] {
            std::fs::write(at(file), text).unwrap();
        }
        swap::ready(directory.path(), Some("before-restore-1")).unwrap();
        std::fs::create_dir_all(at("before-restore-1")).unwrap();
        let moves = [
            (at(DATABASE), at("before-restore-1/shopbell.db")),
            (at("shopbell.db-wal"), at("before-restore-1/shopbell.db-wal")),
            (at("backups"), at("before-restore-1/backups")),
            (at("media"), at("before-restore-1/media")),
            (at("restoring/media"), at("media")),
        ];
        for (from, to) in &moves[..steps] {
            std::fs::rename(from, to).unwrap();
        }
        for _ in 0..2 {
            swap::take_place(directory.path()).unwrap();
            let read = |name: &str| std::fs::read_to_string(at(name)).unwrap();
            assert_eq!((read(DATABASE), read("media/b")), ("new".into(), "new file".into()), "after {steps} steps");
            assert_eq!(
                (read("before-restore-1/shopbell.db"), read("before-restore-1/shopbell.db-wal"), read("before-restore-1/media/a")),
                ("old".into(), "old log".into(), "old file".into())
            );
            assert!(!at("shopbell.db-wal").exists() && !at("restoring").exists() && at("backups").is_dir());
        }
    }
}

#[tokio::test]
async fn a_file_that_is_missing_or_spoiled_is_left_out_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let hub = shop(directory.path()).await;
    hub.store
        .write(|tx| {
            let sql = "INSERT INTO media (id, status, sha256, mime, bytes, created_at) VALUES (?1, 'stored', ?2, '', 1, 1)";
            tx.execute(sql, params!["med_2", "1".repeat(64)])?;
            tx.execute(sql, params!["med_3", "2".repeat(64)])?;
            Ok(tx.execute("UPDATE secret SET sealed = x'00'", [])?)
        })
        .await
        .unwrap();
    std::fs::write(directory.path().join("media").join("2".repeat(64)), b"spoiled").unwrap();
    let made = export::to_file(&hub, words(), &directory.path().join("x.shopbell"), PLENTY).await.unwrap();
    assert_eq!((made.files, made.left_out), (1, 3));
    let again = export::to_file(&hub, words(), &directory.path().join("x.shopbell"), PLENTY).await.unwrap_err();
    assert_eq!(again.code, Code::Conflict, "a file that is there is never written over");
    let full = export::to_file(&hub, words(), &directory.path().join("y.shopbell"), |_| Ok(1 << 20)).await.unwrap_err();
    assert_eq!(full.code, Code::DiskFull);
    let known = hub.store.read(|db| super::state(db, super::Kind::Portable)).await.unwrap();
    assert!(known.file.is_some() && known.trouble.unwrap().contains("1 MB are free"));
    assert!(!directory.path().join("y.shopbell").exists());
    hub.stop().await;
}
