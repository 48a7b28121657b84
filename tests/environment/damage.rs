//! A database with a damaged page in it: read where it can be, never written over, and the way out is said.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_tests::server::Server;

use super::{NO_KEYCHAIN, PASSPHRASE, call, called_until_taken, hook, update};

/// A page in the middle of the arrivals.
fn page_of_arrivals(file: &Path) -> u64 {
    let db = rusqlite::Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "SELECT pageno FROM dbstat WHERE name = 'arrival' AND pagetype = 'leaf' LIMIT 1 OFFSET 3";
    let page: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
    u64::try_from(page - 1).unwrap() * 4096
}

async fn health_until(server: &Server, right: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..200 {
        let health = server.ask("health", json!({})).await;
        if right(&health) {
            return health;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the health stays {}", server.ask("health", json!({})).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_page_stops_writing_reading_goes_on_and_a_backup_that_is_put_back_works() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shopbell.db");
    let telegram = TelegramSimulator::start().await.unwrap();
    let mut server = Server::with_environment(directory.path(), PASSPHRASE, &[NO_KEYCHAIN]);
    let hook = hook(&server, &telegram).await;
    for number in 0..60 {
        assert_eq!(called_until_taken(&server, &hook, &update(&telegram, &format!("message {number}"))).await, 200);
    }
    server.stop();
    let backup = directory.path().join("backups/by-hand.db");
    std::fs::copy(&file, &backup).unwrap();
    let mut spoilt = std::fs::File::options().write(true).open(&file).unwrap();
    spoilt.seek(SeekFrom::Start(page_of_arrivals(&file))).unwrap();
    spoilt.write_all(&[0xa5; 4096]).unwrap();
    drop(spoilt);
    let before = std::fs::read(&file).unwrap();

    server.up();
    let (status, _) = server.try_ask("list_arrivals", json!({ "limit": 200 })).await.unwrap();
    assert_eq!(status, 500, "this is where the damage lies");
    let health = health_until(&server, |health| health["database"]["checking"] == false).await;
    assert_eq!(health["receiving"], false);
    let way_out = health["database"]["way_out"].as_str().unwrap();
    assert_eq!(health["receiving_reason"], way_out);
    assert!(way_out.contains(backup.to_str().unwrap()) && way_out.contains("close Shopbell"), "{way_out}");
    assert!(!health["database"]["found"].as_array().unwrap().is_empty());

    let talks = server.ask("list_conversations", json!({})).await;
    let messages = server.ask("list_messages", json!({ "conversation": talks["items"][0]["id"], "limit": 200 })).await;
    assert!(messages["items"].as_array().unwrap().len() >= 60, "what can be read is read");
    let late = update(&telegram, "late");
    assert_eq!(call(&server, &hook, &late).await, 503, "the service keeps it and comes again");
    let (status, answer) = server.try_ask("update_settings", json!({ "shop_name": "x" })).await.unwrap();
    assert_eq!((status, &answer["error"]["code"]), (500, &json!("corrupt")));
    server.stop();
    assert!(std::fs::read(&file).unwrap() == before, "the damaged file is as it was");

    server.up();
    health_until(&server, |health| health["database"]["checking"] == false).await;
    assert_eq!(call(&server, &hook, &late).await, 503, "a restart changes nothing of it");
    server.stop();
    for name in ["shopbell.db", "shopbell.db-wal", "shopbell.db-shm"] {
        let _ = std::fs::rename(directory.path().join(name), directory.path().join(format!("kept-{name}")));
    }
    std::fs::copy(&backup, &file).unwrap();
    server.up();
    health_until(&server, |health| health["receiving"] == true).await;
    assert_eq!(called_until_taken(&server, &hook, &late).await, 200, "and it goes on");
    server.stop();
}
