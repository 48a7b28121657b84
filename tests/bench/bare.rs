//! The least that a durable webhook server can do: check the secret, parse, store the raw bytes under a unique id, answer.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use rusqlite::{Connection, params};
use tokio::sync::{mpsc, oneshot};

use crate::load::SECRET;

/// How it commits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// What waits, at once.
    Grouped,
    /// One by one.
    Each,
}

type Job = (i64, Bytes, oneshot::Sender<bool>);

/// Runs until the process is ended.
pub async fn serve(commit: Commit) {
    let directory = tempfile::tempdir().unwrap();
    let db = Connection::open(directory.path().join("bare.db")).unwrap();
    db.busy_timeout(Duration::from_secs(5)).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE hook (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, body BLOB NOT NULL);").unwrap();
    let (sender, receiver) = mpsc::channel(4096);
    std::thread::spawn(move || write(&db, receiver, commit));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{{\"hook\":\"http://{}/hook\"}}", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(hook)).with_state(sender);
    axum::serve(listener, router).await.unwrap();
}

async fn hook(State(sender): State<mpsc::Sender<Job>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !is_ours(&headers) {
        return StatusCode::FORBIDDEN;
    }
    let Ok(update) = serde_json::from_slice::<serde_json::Value>(&body) else { return StatusCode::BAD_REQUEST };
    let id = update["update_id"].as_i64().unwrap_or_default();
    let (reply, answer) = oneshot::channel();
    sender.send((id, body, reply)).await.unwrap();
    if answer.await.unwrap_or(false) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Whether a webhook brings the secret, compared without telling by the time it takes where it differs.
pub fn is_ours(headers: &HeaderMap) -> bool {
    let secret = headers.get("x-telegram-bot-api-secret-token").map(axum::http::HeaderValue::as_bytes).unwrap_or_default();
    secret.len() == SECRET.len() && secret.iter().zip(SECRET.as_bytes()).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

fn write(db: &Connection, mut receiver: mpsc::Receiver<Job>, commit: Commit) {
    let most = if commit == Commit::Grouped { 512 } else { 1 };
    while let Some(first) = receiver.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < most {
            match receiver.try_recv() {
                Ok(job) => batch.push(job),
                Err(_) => break,
            }
        }
        db.prepare_cached("BEGIN IMMEDIATE").unwrap().execute([]).unwrap();
        for (id, body, _) in &batch {
            db.prepare_cached("INSERT OR IGNORE INTO hook (id, at, body) VALUES (?1, ?2, ?3)")
                .unwrap()
                .execute(params![id, 0, body.as_ref()])
                .unwrap();
        }
        db.prepare_cached("COMMIT").unwrap().execute([]).unwrap();
        for (_, _, reply) in batch {
            // Nobody waits any more: it is stored all the same.
            let _waiting = reply.send(true);
        }
    }
}
