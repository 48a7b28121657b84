//! The bare pipe: a webhook comes in, a call goes out, nothing is kept. And the provider at both ends.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::load::{Hook, Line, update};

/// Runs the bare pipe towards `provider` until the process is ended.
pub async fn serve(provider: &str) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{{\"hook\":\"http://{}/hook\"}}", listener.local_addr().unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{provider}/bot1:x/sendMessage");
    let router = Router::new().route("/hook", post(pipe)).with_state((client, url));
    axum::serve(listener, router).await.unwrap();
}

async fn pipe(State((client, url)): State<(reqwest::Client, String)>, body: Bytes) {
    let update: Value = serde_json::from_slice(&body).unwrap();
    let (chat, text) = (update["message"]["chat"]["id"].clone(), update["message"]["text"].as_str().unwrap_or_default().to_owned());
    tokio::spawn(async move { client.post(url).json(&json!({ "chat_id": chat, "text": text })).send().await.unwrap() });
}

/// What a burst came to.
pub struct Burst {
    /// Replies per second, from the first webhook to the last reply.
    pub rate: f64,
    /// How many people got exactly one.
    pub once: usize,
}

/// Takes calls and notes when they came.
pub struct Provider {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    calls: Mutex<Vec<(i64, Instant)>>,
    news: Notify,
}

impl Provider {
    /// Starts it.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let router = Router::new().route("/{bot}/{method}", post(take)).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, seen }
    }

    /// Where it is.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn count(&self) -> usize {
        self.seen.calls.lock().unwrap().len()
    }

    async fn wait_for(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.count() < count {
            assert!(Instant::now() < deadline, "only {} of {count} replies came", self.count());
            tokio::select! {
                () = self.seen.news.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
        }
    }

    /// One person after the other; the time from the webhook's first byte to the reply's arrival, in ms.
    pub async fn one_by_one(&self, hook: &Hook, count: usize) -> Vec<f64> {
        let mut line = Line::open(hook).await;
        let mut latencies = Vec::with_capacity(count);
        for n in 0..count {
            let before = self.count();
            let started = Instant::now();
            line.post(&update(n, 10_000 + n)).await;
            self.wait_for(before + 1).await;
            let arrived = self.seen.calls.lock().unwrap()[before].1;
            latencies.push(arrived.duration_since(started).as_secs_f64() * 1000.0);
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
        latencies
    }

    /// So many people at once.
    pub async fn burst(&self, hook: &Hook, people: usize) -> Burst {
        let before = self.count();
        let started = Instant::now();
        crate::load::Load::new(64).run(hook, (0..people).map(|n| update(100_000 + n, 50_000 + n)).collect()).await;
        self.wait_for(before + people).await;
        let rate = people as f64 / started.elapsed().as_secs_f64();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut times: HashMap<i64, usize> = HashMap::new();
        for (chat, _) in &self.seen.calls.lock().unwrap()[before..] {
            *times.entry(*chat).or_default() += 1;
        }
        Burst { rate, once: times.values().filter(|times| **times == 1).count() }
    }
}

async fn take(State(seen): State<Arc<Seen>>, Path((_, method)): Path<(String, String)>, body: Bytes) -> Json<Value> {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    if !method.eq_ignore_ascii_case("sendMessage") {
        return Json(json!({ "ok": true, "result": true }));
    }
    let chat = request["chat_id"].as_i64().or_else(|| request["chat_id"].as_str().and_then(|id| id.parse().ok())).unwrap_or_default();
    let number = {
        let mut calls = seen.calls.lock().unwrap();
        calls.push((chat, Instant::now()));
        calls.len()
    };
    seen.news.notify_waiters();
    Json(
        json!({ "ok": true, "result": { "message_id": 1_000_000 + number, "date": 1_763_650_000, "chat": { "id": chat, "type": "private" }, "text": request["text"] } }),
    )
}
