//! A model server in the dialect that everybody speaks: echoes the customer's last words, streamed, after a short random pause.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test stops where something is not as it should be")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::dice::Dice;

/// The running server.
pub struct EchoModel {
    address: SocketAddr,
    asked: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    asked: Arc<AtomicU64>,
    longest_pause_ms: u64,
}

impl EchoModel {
    /// One that thinks up to 40 ms.
    pub async fn start() -> Self {
        Self::thinking_up_to(40).await
    }

    /// One that thinks up to so many milliseconds.
    pub async fn thinking_up_to(longest_pause_ms: u64) -> Self {
        let asked = Arc::new(AtomicU64::new(0));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/v1/models", get(async || Json(json!({ "object": "list", "data": [{ "id": "echo", "object": "model" }] }))))
            .route("/v1/chat/completions", post(answer))
            .with_state(Arc::new(Shared { asked: asked.clone(), longest_pause_ms }));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, asked, task }
    }

    /// What a connection's `base_url` must be.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// How often it was asked.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for EchoModel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, Json(request): Json<Value>) -> impl IntoResponse {
    let n = shared.asked.fetch_add(1, Ordering::SeqCst);
    if shared.longest_pause_ms > 0 {
        tokio::time::sleep(Duration::from_millis(Dice::new(n).below(shared.longest_pause_ms))).await;
    }
    let messages = request["messages"].as_array().unwrap();
    let last = messages.iter().rev().find(|message| message["role"] == "user").map(|message| &message["content"]);
    let words = match last {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    };
    let chunk = |delta: Value, finish: Value| json!({ "id": "x", "object": "chat.completion.chunk", "created": 0, "model": "echo", "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
    let usage = json!({ "id": "x", "object": "chat.completion.chunk", "created": 0, "model": "echo", "choices": [], "usage": { "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15 } });
    let body = [
        chunk(json!({ "role": "assistant", "content": "re: " }), Value::Null),
        chunk(json!({ "content": words }), Value::Null),
        chunk(json!({}), json!("stop")),
        usage,
    ]
    .iter()
    .map(|chunk| format!("data: {chunk}\n\n"))
    .collect::<String>();
    ([("content-type", "text/event-stream")], format!("{body}data: [DONE]\n\n"))
}
