//! What can be wrong around the hub: each has a sentence, an exit code where it cannot start, and loses nothing.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test drives the process from outside and stops where something is wrong"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::connector::{Request, Said, Simulator};
use shopbell_tests::server::{Server, program};

#[path = "environment/clock.rs"]
mod clock;
#[path = "environment/damage.rs"]
mod damage;
#[path = "environment/disk.rs"]
mod disk;

const PASSPHRASE: &str = "correct horse of the environment";
/// No desktop session: the keychain of whoever runs the tests is left alone.
const NO_KEYCHAIN: (&str, &str) = ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
const FREE: [&str; 4] = ["--admin", "127.0.0.1:0", "--public", "127.0.0.1:0"];

/// Starts the server where it cannot start; its exit code and its sentence.
fn refused(around: &[&str], directory: &Path, arguments: &[&str], passphrase: &str) -> (Option<i32>, String) {
    let program = program();
    let mut command = Command::new(around.first().map_or(program.as_os_str(), |first| first.as_ref()));
    if !around.is_empty() {
        command.args(&around[1..]).arg(program);
    }
    command.arg("--data-dir").arg(directory).args(arguments).env_remove("SHOPBELL_TOKEN").env("SHOPBELL_PASSPHRASE", passphrase);
    let mut child =
        command.env(NO_KEYCHAIN.0, NO_KEYCHAIN.1).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > Duration::from_secs(20) {
            child.kill().unwrap();
            panic!("it runs where it should end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.stdout.is_empty(), "nothing on standard output: {}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
    let sentence = said.lines().find_map(|line| line.strip_prefix("shopbell-server: ")).unwrap_or_else(|| panic!("no sentence: {said}"));
    assert!(sentence.ends_with('.') && sentence.len() > 20, "a sentence: {sentence}");
    (output.status.code(), sentence.to_owned())
}

fn refused_with(directory: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    refused(&[], directory, &[&FREE, arguments].concat(), PASSPHRASE)
}

/// A message of a customer as a signed call.
fn update(telegram: &TelegramSimulator, text: &str) -> Request {
    telegram.signed(&Said::text("5551", "Ana", text)).remove(0)
}

/// Calls a hook as the service does; the status.
async fn call(server: &Server, hook: &str, request: &Request) -> u16 {
    let mut call = server.client().post(hook).body(request.body.clone());
    for (name, value) in &request.headers {
        call = call.header(name, value);
    }
    call.send().await.unwrap().status().as_u16()
}

/// Calls a hook again and again, as services do; the last status.
async fn called_until_taken(server: &Server, hook: &str, request: &Request) -> u16 {
    for _ in 0..100 {
        if call(server, hook, request).await == 200 {
            return 200;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    call(server, hook, request).await
}

/// A Telegram connection that is called; the address of its hook.
async fn hook(server: &Server, telegram: &TelegramSimulator) -> String {
    let mut config = telegram.config();
    config["mode"] = "webhook".into();
    server.connect("telegram", config).await["webhook_url"].as_str().unwrap().to_owned()
}

#[test]
fn a_taken_port_is_named() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = socket.local_addr().unwrap().to_string();
    for side in [["--admin", &taken, "--public", "127.0.0.1:0"], ["--admin", "127.0.0.1:0", "--public", &taken]] {
        let directory = tempfile::tempdir().unwrap();
        let (code, sentence) = refused(&[], directory.path(), &side, PASSPHRASE);
        assert_eq!(code, Some(5), "{sentence}");
        assert!(sentence.contains(&taken), "{sentence}");
        assert!(!directory.path().join("shopbell.db").exists(), "no data was made on the way");
    }
}

#[test]
fn wrong_arguments_are_named() {
    let directory = tempfile::tempdir().unwrap();
    for (argument, named) in [
        (&["--bogus"][..], "--bogus"),
        (&["--admin", "0.0.0.0:0"], "0.0.0.0"),
        (&["--public-url", "http://shop.example.com"], "shop.example.com"),
        (&["--profile", "../x"], "profile"),
        (&["--public"], "--public"),
        (&["--public", "shop"], "shop"),
        (&["--passphrase-file", "/does/not/exist"], "/does/not/exist"),
    ] {
        let (code, sentence) = refused_with(directory.path(), argument);
        assert_eq!(code, Some(2), "{argument:?}: {sentence}");
        assert!(sentence.contains(named), "{argument:?}: {sentence}");
    }
}

#[tokio::test]
async fn a_folder_in_use_and_a_wrong_passphrase_are_said_and_nothing_is_touched() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::with_environment(directory.path(), PASSPHRASE, &[NO_KEYCHAIN]);
    let (code, sentence) = refused_with(directory.path(), &[]);
    assert_eq!((code, sentence.contains("already running")), (Some(4), true), "{sentence}");
    assert_eq!(server.ask("health", json!({})).await["vault"], "open", "the first one goes on");
    server.stop();
    let before = std::fs::read(directory.path().join("shopbell.db")).unwrap();
    let (code, sentence) = refused(&[], directory.path(), &FREE, "another horse");
    assert_eq!((code, sentence.contains("passphrase")), (Some(3), true), "{sentence}");
    assert!(std::fs::read(directory.path().join("shopbell.db")).unwrap() == before, "the data is as it was");
    server.up();
    server.stop();
}

#[test]
fn a_newer_or_damaged_database_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("shopbell.db");
    Server::with_environment(directory.path(), PASSPHRASE, &[NO_KEYCHAIN]).stop();
    let whole = std::fs::read(&path).unwrap();

    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 999).unwrap();
    drop(db);
    let newer = std::fs::read(&path).unwrap();
    let (code, sentence) = refused_with(directory.path(), &[]);
    assert_eq!((code, sentence.contains("newer Shopbell")), (Some(4), true), "{sentence}");
    assert!(std::fs::read(&path).unwrap() == newer, "a newer database is not touched");

    let mut pages = whole.clone();
    pages[4096..].fill(0x5a);
    for (what, damaged) in
        [("another file", vec![7u8; 9000]), ("pages overwritten", pages), ("cut in the middle", whole[..whole.len() / 2].to_vec())]
    {
        std::fs::write(&path, &damaged).unwrap();
        let (code, sentence) = refused_with(directory.path(), &[]);
        assert_eq!(code, Some(4), "{what}: {sentence}");
        assert!(sentence.contains("damaged") && sentence.contains("backup"), "{what}: what now? {sentence}");
        assert!(std::fs::read(&path).unwrap() == damaged, "{what}: the damaged file is kept");
    }
    std::fs::write(&path, &whole).unwrap();
    let mut server = Server::with_environment(directory.path(), PASSPHRASE, &[NO_KEYCHAIN]);
    server.stop();
}

#[tokio::test]
async fn without_a_keychain_it_starts_locked_and_opens_without_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let telegram = TelegramSimulator::start().await.unwrap();
    let mut server = Server::with_environment(directory.path(), "", &[NO_KEYCHAIN]);
    let health = server.ask("health", json!({})).await;
    assert_eq!((&health["vault"], &health["receiving"]), (&json!("none"), &json!(false)), "{health}");
    assert!(health["receiving_reason"].as_str().is_some_and(|why| why.ends_with('.')), "{health}");
    assert_eq!(call(&server, &server.public("/hooks/0123"), &update(&telegram, "oi")).await, 503);
    let (status, answer) = server.try_ask("list_connections", json!({})).await.unwrap();
    assert_eq!((status, &answer["error"]["code"]), (423, &json!("vault_locked")));

    server.ask("create_vault", json!({ "passphrase": PASSPHRASE })).await;
    let hook = hook(&server, &telegram).await;
    assert_eq!(called_until_taken(&server, &hook, &update(&telegram, "first")).await, 200, "it works without a restart");
    server.stop();

    server.up();
    assert_eq!(server.ask("health", json!({})).await["vault"], "locked");
    let second = update(&telegram, "second");
    assert_eq!(call(&server, &hook, &second).await, 503, "the service comes again");
    let (status, answer) = server.try_ask("unlock_vault", json!({ "passphrase": "another horse" })).await.unwrap();
    assert_eq!((status, &answer["error"]["code"]), (403, &json!("wrong_passphrase")));
    server.ask("unlock_vault", json!({ "passphrase": PASSPHRASE })).await;
    assert_eq!(called_until_taken(&server, &hook, &second).await, 200, "it goes on where it was");
    server.stop();
}
