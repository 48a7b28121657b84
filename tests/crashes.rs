//! The machine dies in the middle, again and again, and nothing is lost and nothing said twice.
//!
//! A real `shopbell-server` is killed with SIGKILL at random moments while a provider-like sender delivers 2,000 updates with
//! retries, repeats and reordering, and while agents answer. Afterwards every message is there once, each conversation reads in
//! order, and no customer got an answer twice.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test drives the process from outside and stops where something is wrong"
)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::connector::{Request, Said, Simulator};
use shopbell_tests::dice::Dice;
use shopbell_tests::model::EchoModel;
use shopbell_tests::server::Server;
use tokio::sync::{Mutex, Semaphore};

const CHATS: usize = 40;
const EACH: usize = 50;

/// What a chat's `n`-th message says.
fn words(chat: usize, n: usize) -> String {
    format!("chat {chat} message {n}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_said_twice_when_the_process_is_killed() {
    let seed = std::env::var("SHOPBELL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    println!("seed {seed}");
    let directory = tempfile::tempdir().unwrap();
    let telegram = Arc::new(TelegramSimulator::start().await.unwrap());
    let model = EchoModel::start().await;
    let server = Server::start(directory.path(), "canary-passphrase");
    let brain = server
        .connect("openai-compatible", json!({ "base_url": model.base_url(), "api_key": "canary-model-key", "default_model": "echo" }))
        .await;
    let agent =
        server.ask("create_agent", json!({ "name": "Nina", "instructions": "Echo.", "connection": brain["id"], "tools": [] })).await;
    server.ask("set_default_agent", json!({ "agent": agent["id"] })).await;
    let mut config = telegram.config();
    config["mode"] = "webhook".into();
    let channel = server.connect("telegram", config).await;
    let hook = channel["webhook_url"].as_str().unwrap().to_owned();

    let mut dice = Dice::new(seed);
    let updates = updates(&telegram, &mut dice);
    let server = Arc::new(Mutex::new(server));
    let accepted = Arc::new(AtomicUsize::new(0));
    let total = updates.len();
    let sender = tokio::spawn(deliver(updates, hook, accepted.clone(), seed));
    let mut kills = 0;
    while accepted.load(Ordering::SeqCst) < total || kills < 8 {
        tokio::time::sleep(Duration::from_millis(120 + dice.below(900))).await;
        let mut server = server.lock().await;
        server.kill();
        kills += 1;
        server.up();
    }
    sender.await.unwrap();
    println!("{total} requests accepted over {kills} kills");

    let mut server = Arc::into_inner(server).unwrap().into_inner();
    wait_until_settled(directory.path()).await;
    server.stop();
    let db = rusqlite::Connection::open(directory.path().join("shopbell.db")).unwrap();
    let damage: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(damage, "ok");
    check_messages(&db);
    check_answers(&db, &telegram);
}

/// Every message of every chat as a signed update: shuffled within a window, one in twenty repeated.
fn updates(telegram: &TelegramSimulator, dice: &mut Dice) -> Vec<Request> {
    let mut updates = Vec::new();
    for n in 1..=EACH {
        for chat in 1..=CHATS {
            let said = Said::text((9000 + chat).to_string(), format!("Customer {chat}"), words(chat, n));
            updates.extend(telegram.signed(&said));
        }
    }
    let repeats: Vec<Request> = updates.iter().filter(|_| dice.one_in(20)).cloned().collect();
    for repeat in repeats {
        let at = usize::try_from(dice.below(updates.len() as u64)).unwrap();
        updates.insert(at, repeat);
    }
    for at in 0..updates.len() {
        let other = (at + usize::try_from(dice.below(120)).unwrap()).min(updates.len() - 1);
        updates.swap(at, other);
    }
    updates
}

/// Delivers as a provider does: many at once, each again and again until it is answered 200.
async fn deliver(updates: Vec<Request>, hook: String, accepted: Arc<AtomicUsize>, seed: u64) {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    let room = Arc::new(Semaphore::new(12));
    let mut sending = tokio::task::JoinSet::new();
    for (n, update) in updates.into_iter().enumerate() {
        let permit = room.clone().acquire_owned().await.unwrap();
        let (client, hook, accepted) = (client.clone(), hook.clone(), accepted.clone());
        sending.spawn(async move {
            let mut dice = Dice::new(seed ^ n as u64);
            loop {
                let mut request = client.post(&hook).body(update.body.clone());
                for (name, value) in &update.headers {
                    request = request.header(name, value);
                }
                if request.send().await.is_ok_and(|answer| answer.status() == 200) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20 + dice.below(200))).await;
            }
            // The sender spreads its work over the kills.
            tokio::time::sleep(Duration::from_millis(dice.below(120))).await;
            accepted.fetch_add(1, Ordering::SeqCst);
            drop(permit);
        });
    }
    while let Some(done) = sending.join_next().await {
        done.unwrap();
    }
}

async fn wait_until_settled(directory: &std::path::Path) {
    let path = directory.join("shopbell.db");
    for _ in 0..600 {
        let open = {
            let db = rusqlite::Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
            db.busy_timeout(Duration::from_secs(5)).unwrap();
            db.query_row(
                "SELECT (SELECT count(*) FROM arrival WHERE verdict = 'pending') + (SELECT count(*) FROM turn WHERE status IN ('wanted', 'running'))
                      + (SELECT count(*) FROM delivery WHERE status IN ('queued', 'sending'))",
                [],
                |row| row.get::<_, i64>(0),
            )
            .unwrap()
        };
        if open == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the hub did not come to rest within a minute");
}

fn check_messages(db: &rusqlite::Connection) {
    let mut statement = db
        .prepare("SELECT c.thread, m.text FROM message m JOIN conversation c ON c.seq = m.conversation WHERE m.direction = 'in' ORDER BY m.sent_at, m.position, m.seq")
        .unwrap();
    let mut talks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap() {
        let (thread, text) = row.unwrap();
        talks.entry(thread).or_default().push(text);
    }
    for chat in 1..=CHATS {
        let expected: Vec<String> = (1..=EACH).map(|n| words(chat, n)).collect();
        assert_eq!(talks.remove(&(9000 + chat).to_string()), Some(expected), "chat {chat}: every message once and in order");
    }
    assert!(talks.is_empty(), "and nothing else: {talks:?}");
}

fn check_answers(db: &rusqlite::Connection, telegram: &TelegramSimulator) {
    let mut received: HashMap<(String, String), usize> = HashMap::new();
    for answer in telegram.received() {
        *received.entry(answer).or_default() += 1;
    }
    let twice: Vec<_> = received.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "said twice: {twice:?}");
    let mut statement = db
        .prepare("SELECT c.thread, m.text, d.status FROM delivery d JOIN message m ON m.seq = d.message JOIN conversation c ON c.seq = d.conversation")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))).unwrap();
    let (mut sent, mut unconfirmed) = (0, 0);
    for row in rows {
        let (thread, text, status) = row.unwrap();
        let arrived = received.remove(&(thread.clone(), text.clone())).is_some();
        match status.as_str() {
            "sent" => {
                sent += 1;
                assert!(arrived, "{thread}: marked as sent and never arrived: {text}");
            }
            "unconfirmed" => unconfirmed += 1,
            other => panic!("{thread}: {text} is {other}"),
        }
    }
    assert!(received.is_empty(), "customers heard what the inbox does not know: {received:?}");
    println!("{sent} answers sent, {unconfirmed} unconfirmed");
    assert!(sent >= CHATS, "agents answered while the process died");
    let unanswered: i64 = db
        .query_row(
            "SELECT count(*) FROM conversation c WHERE (SELECT max(seq) FROM message WHERE conversation = c.seq AND direction = 'in')
                > (SELECT coalesce(max(seq), 0) FROM message WHERE conversation = c.seq AND direction = 'out')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(unanswered, 0, "every customer's last word was answered");
}
