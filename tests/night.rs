//! A night: the computer sleeps for eight hours while customers write, and in the morning everything is there once and in order.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test drives the process from outside and stops where something is wrong"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::clock::{Clock, ManualClock, SystemClock};
use shopbell_core::connector::{Said, Simulator};
use shopbell_core::hub::{Hub, HubOptions};
use shopbell_core::secret::Secret;
use shopbell_core::vault::NoKeychain;
use shopbell_tests::dice::Dice;
use shopbell_tests::server::Server;

const NIGHT: Duration = Duration::from_secs(8 * 3600);

/// How many messages wait at each service; `SHOPBELL_NIGHT=1000` is the night of the targets.
fn waiting() -> usize {
    std::env::var("SHOPBELL_NIGHT").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}

/// In how many chats: one service tells only the newest twenty messages of each.
fn chats(many: usize) -> usize {
    (many / 10).max(20)
}

fn customer(chat: usize) -> String {
    format!("55119{:08}", 10_000 + chat)
}

async fn say_all(simulator: &dyn Simulator, many: usize) {
    for n in 0..many {
        let (chat, n) = (n % chats(many), n / chats(many));
        let said = Said::text(customer(chat), format!("Customer {chat}"), format!("chat {chat} message {n}"));
        simulator.say(&said, None).await.unwrap();
    }
}

async fn open(directory: &Path, clock: Arc<dyn Clock>) -> Arc<Hub> {
    let mut options = HubOptions::new(directory.to_owned(), shopbell_connectors::all());
    options.passphrase = Some(Secret::new("canary-of-the-night"));
    options.keychain = Arc::new(NoKeychain);
    options.clock = clock;
    Hub::open(options).await.unwrap()
}

async fn count(hub: &Arc<Hub>, sql: &'static str) -> usize {
    let count: i64 = hub.store.read(move |db| Ok(db.query_row(sql, [], |row| row.get(0))?)).await.unwrap();
    usize::try_from(count).unwrap()
}

/// What each chat says, as the inbox shows it.
fn inbox(db: &rusqlite::Connection) -> BTreeMap<String, Vec<String>> {
    let sql = "SELECT c.id, m.text FROM message m JOIN conversation c ON c.seq = m.conversation WHERE m.direction = 'in'
               ORDER BY c.id, m.sent_at, m.position, m.seq";
    let mut chats: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut statement = db.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        chats.entry(row.get(0).unwrap()).or_default().push(row.get(1).unwrap());
    }
    chats
}

fn check_chats(db: &rusqlite::Connection, many: usize) {
    let inbox = inbox(db);
    assert_eq!(inbox.len(), chats(many));
    for said in inbox.values() {
        let chat = said[0].split(' ').nth(1).unwrap();
        let expected: Vec<String> = (0..said.len()).map(|n| format!("chat {chat} message {n}")).collect();
        assert_eq!(said, &expected, "each once, and in order");
    }
    assert_eq!(inbox.values().map(Vec::len).sum::<usize>(), many);
}

/// One connector through a night. `hours` = how old a message its agent answers.
async fn a_night(kind: &str, mode: &str, hours: u32) {
    let directory = tempfile::tempdir().unwrap();
    let connector = shopbell_connectors::all().into_iter().find(|connector| connector.about().kind == kind).unwrap();
    let simulator = (connector.simulator().unwrap())().await.unwrap();
    let evening = SystemClock::new().now();
    let hub = open(directory.path(), Arc::new(ManualClock::new(evening))).await;
    let mut config = simulator.config();
    config["mode"] = mode.into();
    let made = hub.call("create_connection", json!({ "connector": kind, "name": kind, "config": config })).await.unwrap();
    assert_eq!(made["status"], "active", "{made}");
    let agent = hub.call("list_agents", json!({})).await.unwrap()["items"][0]["id"].clone();
    hub.call("update_agent", json!({ "id": agent, "settings": { "answer_within_hours": hours } })).await.unwrap();
    hub.stop().await;
    drop(hub);

    let many = waiting();
    say_all(simulator.as_ref(), many).await;
    let morning = ManualClock::new(evening.plus(NIGHT));
    let started = Instant::now();
    let hub = open(directory.path(), Arc::new(morning)).await;
    while count(&hub, "SELECT count(*) FROM message WHERE direction = 'in'").await < many {
        assert!(started.elapsed() < Duration::from_secs(300), "{kind} {mode}: not everything comes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{kind} {mode}: {many} messages after {NIGHT:?} of sleep were complete in {:?}", started.elapsed());
    assert_eq!(count(&hub, "SELECT count(*) FROM message WHERE direction = 'in' AND caught_up = 0").await, 0, "{kind}: each is marked");
    let (turns, asked) = (
        count(&hub, "SELECT count(DISTINCT conversation) FROM turn WHERE status = 'wanted'").await,
        count(&hub, "SELECT count(*) FROM conversation WHERE needs_person = 1 AND owner_kind = 'agent'").await,
    );
    let answered = if hours >= 8 { (chats(many), 0) } else { (0, chats(many)) };
    assert_eq!((turns, asked), answered, "{kind}: an agent answers what is younger than {hours} h, a person is asked for the rest");
    hub.stop().await;
    drop(hub);
    // Once more: nothing comes a second time.
    let hub = open(directory.path(), Arc::new(ManualClock::new(evening.plus(NIGHT * 2)))).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    hub.stop().await;
    drop(hub);
    check_chats(&rusqlite::Connection::open(directory.path().join("shopbell.db")).unwrap(), many);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_of_telegram_is_complete_once_and_in_order() {
    a_night("telegram", "polling", 12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_of_twilio_is_complete_once_and_in_order() {
    a_night("whatsapp-twilio", "polling", 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_of_instagram_is_complete_once_and_in_order() {
    a_night("instagram", "polling", 12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_behind_instagrams_webhook_is_asked_for_in_the_morning() {
    a_night("instagram", "webhook", 12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catch_up_that_is_killed_again_and_again_loses_nothing_and_repeats_nothing() {
    let seed = std::env::var("SHOPBELL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    println!("seed {seed}");
    let mut dice = Dice::new(seed);
    let directory = tempfile::tempdir().unwrap();
    let telegram = TelegramSimulator::start().await.unwrap();
    let mut server = Server::start(directory.path(), "canary-of-the-night");
    let mut config = telegram.config();
    config["mode"] = "polling".into();
    let channel = server.connect("telegram", config).await;
    server.ask("update_connection", json!({ "id": channel["id"], "status": "paused" })).await;
    let many = waiting().max(400);
    say_all(&telegram, many).await;
    server.ask("update_connection", json!({ "id": channel["id"], "status": "active" })).await;
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(20 + dice.below(250))).await;
        server.kill();
        server.up();
    }
    let path = directory.path().join("shopbell.db");
    let complete = |path: &Path| {
        let db = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        db.query_row("SELECT count(*) FROM message WHERE direction = 'in'", [], |row| row.get::<_, i64>(0)).unwrap_or(0) as usize >= many
    };
    let started = Instant::now();
    while !complete(&path) {
        assert!(started.elapsed() < Duration::from_secs(120), "not everything comes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    server.stop();
    check_chats(&rusqlite::Connection::open(&path).unwrap(), many);
}
