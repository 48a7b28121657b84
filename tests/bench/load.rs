//! A client that costs little: keep-alive connections, hand-written requests, answers read by their length.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The secret of the webhook that every server here checks.
pub const SECRET: &str = "bench-webhook-secret-0123456789";

/// One update of some 750 bytes, unique by `n`, from chat `chat`.
pub fn update(n: usize, chat: usize) -> Vec<u8> {
    let chat = 1_000_000 + chat;
    json!({
        "update_id": 870_000_000 + n,
        "message": {
            "message_id": 10 + n,
            "from": { "id": chat, "is_bot": false, "first_name": format!("Customer {chat}"), "username": format!("customer{chat}"), "language_code": "pt-br" },
            "chat": { "id": chat, "type": "private", "first_name": format!("Customer {chat}"), "username": format!("customer{chat}") },
            "date": 1_763_650_000 + n / 200,
            "text": format!("Bom dia! Mensagem {n}: vocês fazem bolo de cenoura sem lactose para sábado de manhã? É para o aniversário da minha filha, umas quinze pessoas. Queria saber o preço, se dá tempo de encomendar hoje, se entregam na zona oeste e se posso pagar na retirada. Obrigada desde já, aguardo o retorno de vocês!"),
        }
    })
    .to_string()
    .into_bytes()
}

/// Where a hook is.
#[derive(Clone, Debug)]
pub struct Hook {
    /// "127.0.0.1:port".
    pub address: String,
    /// The path.
    pub path: String,
}

/// A number of connections.
pub struct Load(usize);

impl Load {
    /// With so many connections.
    pub fn new(connections: usize) -> Self {
        Self(connections)
    }

    /// As fast as it goes; every request must be answered 200. How long it took.
    pub async fn run(&self, hook: &Hook, bodies: Vec<Vec<u8>>) -> Duration {
        let bodies = Arc::new(bodies);
        let next = Arc::new(AtomicUsize::new(0));
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..self.0 {
            let (hook, bodies, next) = (hook.clone(), bodies.clone(), next.clone());
            tasks.spawn(async move {
                let mut line = Line::open(&hook).await;
                while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    line.post(body).await;
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        started.elapsed()
    }

    /// One every `pace`, whatever the answers take. Each one's latency in ms, from the moment it was due.
    pub async fn paced(&self, hook: &Hook, bodies: Vec<Vec<u8>>, pace: Duration) -> Vec<f64> {
        let bodies = Arc::new(bodies);
        let next = Arc::new(AtomicUsize::new(0));
        let started = Instant::now() + Duration::from_millis(50);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..self.0 {
            let (hook, bodies, next) = (hook.clone(), bodies.clone(), next.clone());
            tasks.spawn(async move {
                let mut line = Line::open(&hook).await;
                let mut latencies = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(body) = bodies.get(n) else { return latencies };
                    let due = started + pace * u32::try_from(n).unwrap();
                    tokio::time::sleep_until(due.into()).await;
                    line.post(body).await;
                    latencies.push(due.elapsed().as_secs_f64() * 1000.0);
                }
            });
        }
        let mut all = Vec::new();
        while let Some(done) = tasks.join_next().await {
            all.extend(done.unwrap());
        }
        all
    }
}

/// The `p`-th percentile.
pub fn percentile(values: &[f64], p: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() * p / 100).min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// One keep-alive connection.
pub struct Line {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Line {
    /// Opens it.
    pub async fn open(hook: &Hook) -> Self {
        let stream = TcpStream::connect(&hook.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nx-telegram-bot-api-secret-token: {SECRET}\r\ncontent-length: ",
            hook.path, hook.address
        );
        Self { stream, head, buffer: Vec::with_capacity(4096) }
    }

    /// One request; panics unless it is answered 200.
    pub async fn post(&mut self, body: &[u8]) {
        let mut request = Vec::with_capacity(self.head.len() + body.len() + 16);
        request.extend_from_slice(self.head.as_bytes());
        request.extend_from_slice(format!("{}\r\n\r\n", body.len()).as_bytes());
        request.extend_from_slice(body);
        self.stream.write_all(&request).await.unwrap();
        self.buffer.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "the server hung up");
            let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.buffer[..end]).unwrap().to_ascii_lowercase();
            let length: usize =
                head.lines().find_map(|line| line.strip_prefix("content-length:")).map_or(0, |length| length.trim().parse().unwrap());
            while self.buffer.len() < end + 4 + length {
                assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "the server hung up");
            }
            assert!(head.starts_with("http/1.1 200"), "not accepted: {head}");
            return;
        }
    }
}
