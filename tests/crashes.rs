//! The machine dies in the middle, again and again, and nothing is lost and nothing said twice.
//!
//! A real `shopbell-server` is killed with SIGKILL at random moments while provider-like senders deliver, with retries, repeats and
//! reordering, and while agents answer. Afterwards every message is there once, each conversation reads in order, and no customer got an
//! answer twice.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test drives the process from outside and stops where something is wrong"
)]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::connector::{Request, Said, Simulator};
use shopbell_tests::dice::Dice;
use shopbell_tests::model::EchoModel;
use shopbell_tests::server::Server;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What a chat's `n`-th message says.
fn words(kind: &str, chat: usize, n: usize) -> String {
    format!("{kind} chat {chat} message {n}")
}

fn said(kind: &str, chat: usize, n: usize) -> Said {
    Said::text((9000 + chat).to_string(), format!("Customer {chat}"), words(kind, chat, n))
}

fn seed() -> u64 {
    let seed = std::env::var("SHOPBELL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121);
    println!("seed {seed}");
    seed
}

/// So many people who write so often over one channel.
struct Crowd {
    kind: &'static str,
    simulator: Arc<dyn Simulator>,
    connection: String,
    hook: String,
    chats: usize,
    each: usize,
}

impl Crowd {
    fn new(kind: &'static str, simulator: Arc<dyn Simulator>, connection: &Value, chats: usize, each: usize) -> Self {
        let text = |name: &str| connection[name].as_str().unwrap().to_owned();
        Self { kind, simulator, connection: text("id"), hook: text("webhook_url"), chats, each }
    }
}

/// A server whose agent echoes.
async fn echoing(directory: &Path, model: &EchoModel) -> Server {
    let server = Server::start(directory, "canary-passphrase");
    let brain = server
        .connect("openai-compatible", json!({ "base_url": model.base_url(), "api_key": "canary-model-key", "default_model": "echo" }))
        .await;
    let agent =
        server.ask("create_agent", json!({ "name": "Nina", "instructions": "Echo.", "connection": brain["id"], "tools": [] })).await;
    server.ask("set_default_agent", json!({ "agent": agent["id"] })).await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_said_twice_when_the_process_is_killed() {
    let seed = seed();
    let directory = tempfile::tempdir().unwrap();
    let model = EchoModel::start().await;
    let server = echoing(directory.path(), &model).await;
    let telegram = Arc::new(TelegramSimulator::start().await.unwrap());
    let mut config = telegram.config();
    config["mode"] = "webhook".into();
    let crowd = Crowd::new("telegram", telegram, &server.connect("telegram", config).await, 40, 50);
    let mut dice = Dice::new(seed);
    let updates = updates(&crowd, &mut dice);
    let accepted = Arc::new(AtomicUsize::new(0));
    let total = updates.len();
    let senders = deliver(updates, &crowd.hook, &accepted, seed);
    survives(server, directory.path(), senders, (&accepted, total), &[crowd], &mut dice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_over_any_channel_whose_service_signs() {
    let seed = seed();
    let directory = tempfile::tempdir().unwrap();
    let model = EchoModel::start().await;
    let server = echoing(directory.path(), &model).await;
    let (mut crowds, mut senders) = (Vec::new(), JoinSet::new());
    let accepted = Arc::new(AtomicUsize::new(0));
    for connector in shopbell_connectors::all() {
        let kind = connector.about().kind;
        if !["whatsapp-meta", "whatsapp-360dialog", "whatsapp-twilio", "sms-twilio", "instagram"].contains(&kind) {
            continue;
        }
        let simulator: Arc<dyn Simulator> = connector.simulator().unwrap()().await.unwrap().into();
        let connection = server.connect(kind, simulator.config()).await;
        let crowd = Crowd::new(kind, simulator, &connection, 6, 15);
        talk(&mut senders, &crowd, &accepted, seed);
        crowds.push(crowd);
    }
    assert_eq!(crowds.len(), 5);
    let total = crowds.iter().map(|crowd| crowd.chats * crowd.each).sum();
    survives(server, directory.path(), senders, (&accepted, total), &crowds, &mut Dice::new(seed)).await;
}

/// Kills the server again and again until everything is accepted, lets it come to rest, and looks at what is there.
async fn survives(
    mut server: Server,
    directory: &Path,
    mut senders: JoinSet<()>,
    (accepted, total): (&AtomicUsize, usize),
    crowds: &[Crowd],
    dice: &mut Dice,
) {
    let mut kills = 0;
    while accepted.load(Ordering::SeqCst) < total || kills < 8 {
        tokio::time::sleep(Duration::from_millis(120 + dice.below(900))).await;
        server.kill();
        kills += 1;
        server.up();
    }
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    println!("{total} requests accepted over {kills} kills");
    wait_until_settled(directory).await;
    server.stop();
    let db = rusqlite::Connection::open(directory.join("shopbell.db")).unwrap();
    let damage: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(damage, "ok");
    for crowd in crowds {
        check_messages(&db, crowd);
        check_answers(&db, crowd);
    }
}

/// Every message of every chat as a signed update: shuffled within a window, one in twenty repeated.
fn updates(crowd: &Crowd, dice: &mut Dice) -> Vec<Request> {
    let mut updates = Vec::new();
    for n in 1..=crowd.each {
        for chat in 1..=crowd.chats {
            updates.extend(crowd.simulator.signed(&said(crowd.kind, chat, n)));
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

fn caller() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
}

/// Delivers as a provider does: again and again until it is answered 200.
async fn push(client: &reqwest::Client, hook: &str, update: &Request, dice: &mut Dice) {
    loop {
        let mut request = client.post(hook).body(update.body.clone());
        for (name, value) in &update.headers {
            request = request.header(name, value);
        }
        if request.send().await.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20 + dice.below(200))).await;
    }
}

/// Many at once, in any order: the service numbers its messages.
fn deliver(updates: Vec<Request>, hook: &str, accepted: &Arc<AtomicUsize>, seed: u64) -> JoinSet<()> {
    let (client, hook, room) = (caller(), hook.to_owned(), Arc::new(Semaphore::new(12)));
    let accepted = accepted.clone();
    let mut senders = JoinSet::new();
    senders.spawn(async move {
        let mut sending = JoinSet::new();
        for (n, update) in updates.into_iter().enumerate() {
            let permit = room.clone().acquire_owned().await.unwrap();
            let (client, hook, accepted) = (client.clone(), hook.clone(), accepted.clone());
            sending.spawn(async move {
                let mut dice = Dice::new(seed ^ n as u64);
                push(&client, &hook, &update, &mut dice).await;
                // The sender spreads its work over the kills.
                tokio::time::sleep(Duration::from_millis(dice.below(120))).await;
                accepted.fetch_add(1, Ordering::SeqCst);
                drop(permit);
            });
        }
        while let Some(done) = sending.join_next().await {
            done.unwrap();
        }
    });
    senders
}

/// Everybody of a crowd at once, each a message at a time: these services tell whole seconds or no time at all, so that nobody could say
/// afterwards which of two came first. One in ten comes twice.
fn talk(senders: &mut JoinSet<()>, crowd: &Crowd, accepted: &Arc<AtomicUsize>, seed: u64) {
    for chat in 1..=crowd.chats {
        let (kind, each, simulator, hook) = (crowd.kind, crowd.each, crowd.simulator.clone(), crowd.hook.clone());
        let (client, accepted) = (caller(), accepted.clone());
        senders.spawn(async move {
            let mut dice = Dice::new(seed ^ (chat * 31 + kind.len()) as u64);
            for n in 1..=each {
                let updates = simulator.signed_for(&said(kind, chat, n), &hook);
                assert!(!updates.is_empty(), "{kind} says nothing");
                for update in &updates {
                    push(&client, &hook, update, &mut dice).await;
                    if dice.one_in(10) {
                        push(&client, &hook, update, &mut dice).await;
                    }
                }
                accepted.fetch_add(1, Ordering::SeqCst);
                // Now and then there is time for an answer before the next word.
                let pause = if dice.one_in(4) { 2500 } else { 50 };
                tokio::time::sleep(Duration::from_millis(pause + dice.below(400))).await;
            }
        });
    }
}

async fn wait_until_settled(directory: &Path) {
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

fn check_messages(db: &rusqlite::Connection, crowd: &Crowd) {
    let mut statement = db
        .prepare(
            "SELECT c.thread, m.text FROM message m JOIN conversation c ON c.seq = m.conversation
             WHERE m.direction = 'in' AND m.connection = ?1 ORDER BY m.sent_at, m.position, m.seq",
        )
        .unwrap();
    let mut talks: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in statement.query_map([&crowd.connection], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap() {
        let (thread, text) = row.unwrap();
        talks.entry(thread).or_default().push(text);
    }
    let mut talks: Vec<Vec<String>> = talks.into_values().collect();
    talks.sort();
    let mut expected: Vec<Vec<String>> =
        (1..=crowd.chats).map(|chat| (1..=crowd.each).map(|n| words(crowd.kind, chat, n)).collect()).collect();
    expected.sort();
    assert_eq!(talks, expected, "{}: every message once and in order, and nothing else", crowd.kind);
}

fn check_answers(db: &rusqlite::Connection, crowd: &Crowd) {
    let kind = crowd.kind;
    let mut received: HashMap<String, usize> = HashMap::new();
    let mut threads: HashMap<String, String> = HashMap::new();
    for (thread, text) in crowd.simulator.received() {
        let whose = text.split(" message ").next().unwrap().to_owned();
        assert_eq!(*threads.entry(whose).or_insert_with(|| thread.clone()), thread, "{kind}: somebody else's answer: {text}");
        *received.entry(text).or_default() += 1;
    }
    let twice: Vec<_> = received.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{kind}: said twice: {twice:?}");
    let mut statement =
        db.prepare("SELECT m.text, d.status FROM delivery d JOIN message m ON m.seq = d.message WHERE d.connection = ?1").unwrap();
    let rows = statement.query_map([&crowd.connection], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    let (mut sent, mut unconfirmed) = (0, 0);
    for row in rows {
        let (text, status) = row.unwrap();
        let arrived = received.remove(&text).is_some();
        match status.as_str() {
            "sent" | "delivered" | "read" => {
                sent += 1;
                assert!(arrived, "{kind}: marked as {status} and never arrived: {text}");
            }
            "unconfirmed" => unconfirmed += 1,
            other => panic!("{kind}: {text} is {other}"),
        }
    }
    assert!(received.is_empty(), "{kind}: customers heard what the inbox does not know: {received:?}");
    println!("{kind}: {sent} answers sent, {unconfirmed} unconfirmed");
    assert!(sent > 0 && sent + unconfirmed >= crowd.chats, "{kind}: agents answered while the process died");
    let unanswered: i64 = db
        .query_row(
            "SELECT count(*) FROM conversation c WHERE connection = ?1
               AND (SELECT max(seq) FROM message WHERE conversation = c.seq AND direction = 'in')
                 > (SELECT coalesce(max(seq), 0) FROM message WHERE conversation = c.seq AND direction = 'out')",
            [&crowd.connection],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(unanswered, 0, "{kind}: every customer's last word was answered");
}
