//! An inbox with a million messages, asked through the admin API of the running server.
//!
//! The messages are written straight into the file, as a few years of a busy shop would have left them: half of them a customer's, half an
//! agent's answer with its turn and its delivery. What a shop asks of it then is timed from the request's first byte to the answer's last.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use shopbell_core::id::{ContactId, ConversationId, DeliveryId, MessageId, TurnId};
use shopbell_core::store::DATABASE;
use shopbell_tests::dice::Dice;
use shopbell_tests::server::Server;

use crate::report::Report;

const CONVERSATIONS: usize = 50_000;
/// How many messages came between two commits, on average: the index of words is left in as many pieces as that makes.
const COMMITTED_TOGETHER: i64 = 40;
/// How often each kind of question is asked.
const TIMES: usize = 200;
const FIRST_DAY: i64 = 1_700_000_000_000;

/// Measures it.
pub async fn inbox(report: &mut Report, messages: usize) {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::start(directory.path(), "bench");
    server.stop();
    let began = Instant::now();
    let seeded = seed(directory.path(), messages);
    report.line("inbox: seconds to seed a million messages", began.elapsed().as_secs_f64(), "s", None);
    server.up();

    let page = asked(&server, TIMES, |_| ("list_conversations", json!({}))).await;
    report.limit("inbox: a page of conversations", &page, 5.0);
    let page = deep(&server).await;
    report.limit("inbox: the twentieth page", &page, 5.0);
    let mut dice = Dice::new(1);
    let talk = asked(&server, TIMES, |_| {
        let conversation = &seeded.conversations[usize::try_from(dice.below(CONVERSATIONS as u64)).unwrap()];
        ("list_messages", json!({ "conversation": conversation }))
    })
    .await;
    report.limit("inbox: one conversation", &talk, 5.0);
    for (kind, rank) in [("a common word", 0), ("a usual word", 200), ("a rare word", 4_000)] {
        for (order, most) in [("newest", 10.0), ("best", 30.0)] {
            let found = asked(&server, TIMES, |n| ("search", json!({ "query": format!("{} ", word(rank + n % 5)), "order": order }))).await;
            report.limit(&format!("inbox: search {kind}, {order}"), &found, most);
        }
    }
    let two = asked(&server, TIMES, |n| ("search", json!({ "query": format!("{} {}", word(n % 7), word(300 + n % 11)) }))).await;
    report.limit("inbox: search two words, newest", &two, 10.0);
    let begun = asked(&server, TIMES, |n| ("search", json!({ "query": &word(40 + n % 9)[..2] }))).await;
    report.limit("inbox: search a word as it is typed, newest", &begun, 10.0);
    server.stop();
    let bytes = size(directory.path()) / messages as f64;
    report.goal("inbox: bytes a message", bytes, "B", bytes, "B", 400.0, false);
}

/// Asks so often, one after the other; how long each took, in ms.
async fn asked<'a>(server: &Server, times: usize, mut question: impl FnMut(usize) -> (&'a str, Value)) -> Vec<f64> {
    let mut took = Vec::with_capacity(times);
    for n in 0..times {
        let (command, request) = question(n);
        let began = Instant::now();
        let answer = server.ask(command, request).await;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
        assert!(answer["items"].is_array(), "{command}: {answer}");
    }
    took
}

/// Turns twenty pages, ten times; how long each of the last ones took.
async fn deep(server: &Server) -> Vec<f64> {
    let mut took = Vec::new();
    for _ in 0..10 {
        let mut cursor = Value::Null;
        for page in 0..20 {
            let began = Instant::now();
            let answer = server.ask("list_conversations", json!({ "cursor": cursor })).await;
            if page == 19 {
                took.push(began.elapsed().as_secs_f64() * 1000.0);
            }
            cursor = answer["next"].clone();
        }
    }
    took
}

struct Seeded {
    conversations: Vec<ConversationId>,
}

/// Everything in the file but raw arrivals and what SQLite keeps free, in bytes.
fn size(directory: &Path) -> f64 {
    let db = Connection::open(directory.join(DATABASE)).unwrap();
    let sql = "SELECT sum(pgsize) FROM dbstat WHERE name NOT IN (SELECT name FROM sqlite_schema WHERE tbl_name IN ('arrival', 'media'))";
    if std::env::var_os("SHOPBELL_BENCH_TABLES").is_some() {
        let mut statement = db.prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 24").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
        for row in rows {
            let (name, bytes) = row.unwrap();
            println!("  {name:<40}{bytes:>14}");
        }
    }
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn seed(directory: &Path, messages: usize) -> Seeded {
    let mut db = Connection::open(directory.join(DATABASE)).unwrap();
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; PRAGMA wal_autocheckpoint = 100000;").unwrap();
    let (connection, agent): (String, String) = db
        .query_row("SELECT (SELECT id FROM connection WHERE connector = 'website'), (SELECT id FROM agent LIMIT 1)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let mut dice = Dice::new(20_261_121);
    let seeded = people(&mut db, &connection, &agent, &mut dice);
    let mut written = 0;
    while written < messages {
        let tx = db.transaction().unwrap();
        for _ in 0..20_000.min(messages - written) / 2 {
            exchange(&tx, &connection, &agent, written, messages, &mut dice);
            written += 2;
        }
        tx.commit().unwrap();
    }
    index_words(&mut db);
    finish_conversations(&mut db);
    let (): () = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    seeded
}

fn people(db: &mut Connection, connection: &str, agent: &str, dice: &mut Dice) -> Seeded {
    let tx = db.transaction().unwrap();
    let mut conversations = Vec::with_capacity(CONVERSATIONS);
    for n in 0..CONVERSATIONS {
        let (contact, conversation) = (ContactId::new(), ConversationId::new());
        let name = format!(
            "{} {}",
            capital(&word(usize::try_from(dice.below(800)).unwrap())),
            capital(&word(usize::try_from(dice.below(4000)).unwrap()))
        );
        let visitor = format!("vis{n:08}");
        tx.prepare_cached("INSERT INTO contact (id, name, language, created_at) VALUES (?1, ?2, 'pt-BR', ?3)")
            .unwrap()
            .execute(params![contact, name, FIRST_DAY])
            .unwrap();
        tx.prepare_cached("INSERT INTO address (connector, scheme, value, contact) VALUES ('website', 'visitor', ?1, ?2)")
            .unwrap()
            .execute(params![visitor, contact])
            .unwrap();
        tx.prepare_cached(
            "INSERT INTO conversation (id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id, last_message_at, created_at)
             VALUES (?1, ?2, ?3, ?4, 'visitor', ?4, ?5, 'agent', ?6, 0, ?7)",
        )
        .unwrap()
        .execute(params![conversation, contact, connection, visitor, if n % 10 == 0 { "open" } else { "resolved" }, agent, FIRST_DAY])
        .unwrap();
        conversations.push(conversation);
    }
    tx.commit().unwrap();
    Seeded { conversations }
}

/// One question of a customer and an agent's answer, as the hub would have left them.
fn exchange(tx: &rusqlite::Transaction<'_>, connection: &str, agent: &str, n: usize, of: usize, dice: &mut Dice) {
    // The later, the more likely one of the newer conversations: people come, ask a few things, and stay away.
    let newest = CONVERSATIONS * (n + of / 50) / (of + of / 50);
    let conversation = i64::try_from(newest.saturating_sub(usize::try_from(dice.below(2_500)).unwrap())).unwrap().max(1);
    let at = FIRST_DAY + i64::try_from(n).unwrap() * 60_000;
    let (question, answer) = (sentence(dice, 18), sentence(dice, 26));
    let content = |text: &str| json!([{ "type": "text", "text": text }]).to_string();
    let (asked, said, turn) = (MessageId::new(), MessageId::new(), TurnId::new());
    tx.prepare_cached(
        "INSERT INTO message (id, conversation, connection, direction, author_kind, content, text, sent_at, position, external_id)
         VALUES (?1, ?2, ?3, 'in', 'contact', ?4, ?5, ?6, ?7, ?8)",
    )
    .unwrap()
    .execute(params![
        asked,
        conversation,
        connection,
        content(&question),
        question,
        at,
        i64::try_from(n).unwrap() + 1,
        format!("{}:{}", 1_000_000 + conversation, n)
    ])
    .unwrap();
    let usage = json!({ "input_tokens": 900, "output_tokens": 40, "cost": 210 }).to_string();
    tx.prepare_cached(
        "INSERT INTO turn (id, conversation, agent, epoch, status, wanted_at, due_at, started_at, finished_at, usage, cost)
         VALUES (?1, ?2, ?3, 1, 'done', ?4, ?5, ?5, ?6, ?7, 210)",
    )
    .unwrap()
    .execute(params![turn, conversation, agent, at, at + 1200, at + 2900, usage])
    .unwrap();
    let step = json!({ "step": "said", "text": answer }).to_string();
    tx.prepare_cached("INSERT INTO turn_step (turn, n, kind, at, body) VALUES (?1, 1, 'said', ?2, ?3)")
        .unwrap()
        .execute(params![tx.last_insert_rowid(), at + 2900, step])
        .unwrap();
    tx.prepare_cached(
        "INSERT INTO message (id, conversation, connection, direction, author_kind, author_id, content, text, sent_at, external_id, turn)
         VALUES (?1, ?2, ?3, 'out', 'agent', ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .unwrap()
    .execute(params![
        said,
        conversation,
        connection,
        agent,
        content(&answer),
        answer,
        at + 2900,
        format!("{}:{}", 1_000_000 + conversation, n + 1),
        turn
    ])
    .unwrap();
    tx.prepare_cached(
        "INSERT INTO delivery (id, message, conversation, connection, epoch, turn, status, attempts, due_at, claimed_at, done_at)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, 'read', 1, ?6, ?6, ?7)",
    )
    .unwrap()
    .execute(params![DeliveryId::new(), tx.last_insert_rowid(), conversation, connection, turn, at + 2900, at + 3100])
    .unwrap();
}

/// The words in as many pieces as commits would have brought, merged as the index merges them.
fn index_words(db: &mut Connection) {
    let tx = db.transaction().unwrap();
    tx.execute_batch(
        "INSERT INTO contact_fts (name, contact) SELECT k.name, k.id FROM contact_unindexed u JOIN contact k ON k.rowid = u.row;
         DELETE FROM contact_unindexed;",
    )
    .unwrap();
    let last: i64 = tx.query_row("SELECT max(seq) FROM message", [], |row| row.get(0)).unwrap();
    let mut from = 0;
    while from < last {
        tx.prepare_cached("INSERT INTO message_fts (rowid, text) SELECT seq, text FROM message WHERE seq > ?1 AND seq <= ?2")
            .unwrap()
            .execute([from, from + COMMITTED_TOGETHER])
            .unwrap();
        from += COMMITTED_TOGETHER;
    }
    tx.commit().unwrap();
}

/// The lines of the list.
fn finish_conversations(db: &mut Connection) {
    db.execute_batch(
        "UPDATE conversation AS c SET (preview, last_message_at, preview_by, last_in_at, language) =
           (SELECT substr(m.text, 1, 160), m.sent_at, m.author_kind, m.sent_at, 'pt-BR' FROM message m WHERE m.conversation = c.seq
            ORDER BY m.sent_at DESC, m.position DESC, m.seq DESC LIMIT 1)
         WHERE EXISTS (SELECT 1 FROM message m WHERE m.conversation = c.seq);",
    )
    .unwrap();
}

/// The word of that rank, made of syllables: the same one every time.
fn word(rank: usize) -> String {
    const SYLLABLES: [&str; 40] = [
        "ba", "co", "da", "e", "fi", "ga", "lo", "ma", "ne", "o", "pa", "que", "ra", "so", "ta", "u", "va", "xi", "za", "nha", "lhe",
        "ção", "cha", "pre", "tra", "bo", "car", "des", "en", "for", "gran", "is", "jar", "lim", "men", "nos", "por", "qual", "res", "tem",
    ];
    let mut text = String::new();
    let mut rest = rank + 1;
    while rest > 0 {
        text.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
    }
    if rank < 40 { text } else { text + SYLLABLES[(rank * 7) % SYLLABLES.len()] }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Up to `most` words of twenty thousand, few of them often and most of them seldom, as in any language.
fn sentence(dice: &mut Dice, most: u64) -> String {
    let words = 1 + dice.below(most);
    let text: Vec<String> = (0..words)
        .map(|_| {
            // The rank of a word by Zipf's law: evenly spread on a logarithmic scale.
            let share = dice.below(1 << 20) as f64 / f64::from(1 << 20);
            word(20_000f64.powf(share) as usize - 1)
        })
        .collect();
    text.join(" ")
}
