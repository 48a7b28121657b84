//! A shop moves to another computer, with real `shopbell-server` processes and a channel that would notice two of them.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test drives the process from outside and stops where something is wrong"
)]

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::connector::{Said, Simulator};
use shopbell_tests::model::EchoModel;
use shopbell_tests::server::{Server, program};

/// Runs an errand of the program and gives back what it said.
fn errand(directory: &Path, own: &str, backup: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.arg("--data-dir").arg(directory).args(arguments);
    command.env("SHOPBELL_PASSPHRASE", own).env("SHOPBELL_BACKUP_PASSPHRASE", backup);
    command.output().unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(30), "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn said_by(server: &Server, author: &str) -> Vec<String> {
    let mut said = Vec::new();
    let conversations = server.ask("list_conversations", json!({})).await;
    for conversation in conversations["items"].as_array().unwrap() {
        let page = server.ask("list_messages", json!({ "conversation": conversation["id"], "limit": 200 })).await;
        let messages = page["items"].as_array().unwrap().iter().rev();
        let of_author = messages.filter(|message| message["author"]["type"] == author && message["direction"] != "note");
        said.extend(of_author.filter_map(|message| message["content"][0]["text"].as_str().map(str::to_owned)));
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_moves_and_only_the_new_one_answers_and_only_what_is_new() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let telegram = TelegramSimulator::start().await.unwrap();
    let model = EchoModel::start().await;
    let mut server = Server::start(old.path(), "canary-of-the-old-one");
    let brain = server
        .connect("openai-compatible", json!({ "base_url": model.base_url(), "api_key": "canary-model-key", "default_model": "echo" }))
        .await;
    let agent =
        server.ask("create_agent", json!({ "name": "Nina", "instructions": "Echo.", "connection": brain["id"], "tools": [] })).await;
    server.ask("set_default_agent", json!({ "agent": agent["id"] })).await;
    let mut config = telegram.config();
    config["mode"] = "polling".into();
    let channel = server.connect("telegram", config).await;
    telegram.say(&Said::text("7001", "Ana", "before the move"), None).await.unwrap();
    until("the first answer has left", async || telegram.received().len() == 1).await;
    // What is asked while nobody answers: it is in the shop when the backup is made, and waits for a turn.
    server.ask("update_agent", json!({ "id": agent["id"], "name": "Nina" })).await;
    server.stop();
    {
        let db = rusqlite::Connection::open(old.path().join("shopbell.db")).unwrap();
        db.execute_batch(
            "INSERT INTO turn (id, conversation, agent, epoch, status, wanted_at, due_at)
               SELECT 'trn_old', seq, owner_id, epoch, 'wanted', 1, 9999999999999 FROM conversation LIMIT 1",
        )
        .unwrap();
    }

    let file = new.path().join("shop.shopbell");
    let data = new.path().join("data");
    let made = errand(old.path(), "canary-of-the-old-one", "words for the way", &["--export-backup", file.to_str().unwrap()]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let wrong = errand(&data, "canary-of-the-new-one", "other words", &["--restore-backup", file.to_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(3), "a wrong passphrase has its own exit code");
    let restored = errand(&data, "canary-of-the-new-one", "words for the way", &["--restore-backup", file.to_str().unwrap()]);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&restored.stdout).unwrap()["kept_aside"], Value::Null);
    let text = std::fs::read(&file).unwrap();
    for canary in ["canary-model-key", "before the move", &telegram.canary()] {
        assert!(!text.windows(canary.len()).any(|part| part == canary.as_bytes()), "{canary} is to be read in the file");
    }

    let asked_before = telegram.journal().len();
    let server = Server::start(&data, "canary-of-the-new-one");
    let health = server.ask("health", json!({})).await;
    assert_eq!((&health["receiving"], &health["moved"]["confirmed_at"]), (&json!(false), &Value::Null), "{health}");
    assert_eq!(said_by(&server, "contact").await, ["before the move"]);
    telegram.say(&Said::text("7001", "Ana", "while it stands still"), None).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(telegram.journal().len(), asked_before, "it asks the service nothing");
    let hooks = server.client().post(server.public("/hooks/anything")).send().await.unwrap();
    assert_ne!(hooks.status(), 200);

    server.ask("confirm_move", json!({})).await;
    until("what waited is there", async || said_by(&server, "contact").await.len() == 2).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    telegram.say(&Said::text("7002", "Bia", "after the move"), None).await.unwrap();
    until("the new customer is answered", async || telegram.received().iter().any(|(thread, _)| thread == "7002")).await;
    let listed = server.ask("get_connection", json!({ "id": channel["id"] })).await;
    assert_eq!(listed["status"], "active", "its key opens under the new vault");
    let stopped: i64 = rusqlite::Connection::open(data.join("shopbell.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM turn WHERE id = 'trn_old' AND status = 'stopped'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(stopped, 1, "what the old one was asked is not answered here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_restores_opens_again_at_the_same_place_and_keeps_what_was_there_aside() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path(), "canary-of-the-server");
    server.ask("update_settings", json!({ "shop_name": "Before", "first_run_done": true })).await;
    let folder = directory.path().join("stick");
    std::fs::create_dir(&folder).unwrap();
    let made = server.ask("export_backup", json!({ "passphrase": "words for the way", "folder": folder })).await;
    server.ask("update_settings", json!({ "shop_name": "After" })).await;
    let request = json!({ "file": made["file"], "passphrase": "words for the way" });
    let (status, refused) = server.try_ask("restore_backup", request.clone()).await.unwrap();
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("conflict")), "not over a shop in use: {refused}");
    let mut sure = request;
    sure["replace"] = true.into();
    let restored = server.ask("restore_backup", sure).await;
    until("it is opened again", async || {
        let answered = server.try_ask("health", json!({})).await;
        answered.is_ok_and(|(status, health)| status == 200 && health["moved"].is_object())
    })
    .await;
    assert_eq!(server.ask("get_settings", json!({})).await["shop_name"], "Before");
    let aside = Path::new(restored["kept_aside"].as_str().unwrap()).join("shopbell.db");
    let name: String = rusqlite::Connection::open(aside)
        .unwrap()
        .query_row("SELECT value FROM setting WHERE key = 'shop_name'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(name, "After");
}
