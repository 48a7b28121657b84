//! A full disk and a write-protected one. Both are mounts that only the server sees; where the system does not let us make one, the
//! test says so and checks nothing.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_tests::server::Server;

use super::{FREE, NO_KEYCHAIN, PASSPHRASE, call, called_until_taken, hook, refused, update};

/// A disk of 24 MB on the folder, then the program.
const SMALL_DISK: &str = r#"mount -t tmpfs -o size=24m tmpfs "$0" && exec "$@""#;
/// The folder write-protected, then the program.
const READ_ONLY: &str = r#"mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@""#;

/// The command to be put around the program; nothing where mounts are not allowed.
fn mounted(script: &'static str, directory: &Path) -> Option<[String; 6]> {
    let around = ["unshare", "-r", "-m", "sh", "-c", script].map(str::to_owned);
    let tried = Command::new("unshare").args(&around[1..]).arg(directory).arg("true").output();
    if tried.as_ref().is_ok_and(|tried| tried.status.success()) {
        return Some(around);
    }
    println!("SKIPPED: this system does not let a test mount anything: {tried:?}");
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_nothing_taken_is_lost_and_it_goes_on_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let Some(around) = mounted(SMALL_DISK, directory.path()) else { return };
    let folder = directory.path().to_str().unwrap();
    let around: Vec<&str> = around.iter().map(String::as_str).chain([folder]).collect();
    let telegram = TelegramSimulator::start().await.unwrap();
    let mut server = Server::inside(&around, directory.path(), PASSPHRASE);
    let hook = hook(&server, &telegram).await;
    let mut taken = Vec::new();
    let first = update(&telegram, "message 0");
    assert_eq!(call(&server, &hook, &first).await, 200);
    taken.push("message 0".to_owned());

    // Fill what is left, inside the server's own view of the folder.
    let seen = Path::new("/proc").join(server.pid().unwrap().to_string()).join("root").join(directory.path().strip_prefix("/").unwrap());
    let filler = seen.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write_all(&[0u8; 4096]).is_ok() {}
    drop(file);

    let mut refused = Vec::new();
    for number in 1..4000 {
        let text = format!("message {number}");
        let request = update(&telegram, &text);
        match call(&server, &hook, &request).await {
            200 => taken.push(text),
            503 => refused.push((text, request)),
            other => panic!("a hook answers {other} when the disk is full"),
        }
        if refused.len() == 5 {
            break;
        }
    }
    assert_eq!(refused.len(), 5, "the disk never became full: {} were taken", taken.len());
    let big = json!({ "connector": "website", "name": "shop", "config": { "theme": { "greeting_message": "Oi".repeat(100) } } });
    let (status, answer) = server.try_ask("create_connection", big).await.unwrap();
    assert_eq!((status, &answer["error"]["code"]), (507, &json!("disk_full")), "{answer}");
    let sentence = answer["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("The disk is full") && sentence.contains("Free"), "what now? {sentence}");
    server.ask("list_conversations", json!({})).await;

    std::fs::remove_file(&filler).unwrap();
    for (text, request) in refused {
        assert_eq!(called_until_taken(&server, &hook, &request).await, 200, "there is room again");
        taken.push(text);
    }
    let texts = all_texts(&server, taken.len()).await;
    for text in &taken {
        assert_eq!(texts.iter().filter(|one| *one == text).count(), 1, "{text} is there once");
    }
    server.stop();
}

/// Every message of the customer, once there are that many.
async fn all_texts(server: &Server, expected: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..200 {
        texts.clear();
        let talks = server.ask("list_conversations", json!({})).await;
        let mut cursor = json!(null);
        loop {
            let page =
                server.ask("list_messages", json!({ "conversation": talks["items"][0]["id"], "limit": 200, "cursor": cursor })).await;
            let items = page["items"].as_array().unwrap().iter().filter(|item| item["direction"] == "in");
            texts.extend(items.map(|item| item["content"][0]["text"].as_str().unwrap_or_default().to_owned()));
            cursor = page["next"].clone();
            if cursor.is_null() {
                break;
            }
        }
        if texts.len() >= expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    texts
}

#[test]
fn a_write_protected_folder_is_said() {
    let used = tempfile::tempdir().unwrap();
    Server::with_environment(used.path(), PASSPHRASE, &[NO_KEYCHAIN]).stop();
    let fresh = tempfile::tempdir().unwrap();
    for directory in [fresh.path(), used.path()] {
        let Some(around) = mounted(READ_ONLY, directory) else { break };
        let around: Vec<&str> = around.iter().map(String::as_str).chain([directory.to_str().unwrap()]).collect();
        let (code, sentence) = refused(&around, directory, &FREE, PASSPHRASE);
        assert_eq!(code, Some(4), "{sentence}");
        assert!(sentence.contains("write"), "{sentence}");
    }
    let file = fresh.path().join("a-file");
    std::fs::write(&file, "x").unwrap();
    for under in [file.clone(), file.join("below"), Path::new("/proc/no-such-folder").to_owned()] {
        let (code, sentence) = refused(&[], &under, &FREE, PASSPHRASE);
        assert_eq!(code, Some(4), "{sentence}");
        assert!(sentence.contains(&under.display().to_string()), "{sentence}");
    }
}
