//! The ground under every simulator: a small HTTP server on loopback that keeps a journal, fails on demand and stops when dropped.
//!
//! It speaks through hyper directly, because a service that hangs up without an answer cannot be played on top of a framework that always
//! answers.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use shopbell_core::connector::{Fault, Share, Weather};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The largest request a simulator reads.
const LARGEST: usize = 100 * 1024 * 1024;
/// Calls kept in a journal; older ones are forgotten.
const JOURNAL: usize = 20_000;

/// How a service is when it fails, and what of its calls may be shown.
#[derive(Clone, Copy)]
pub struct Manners {
    /// The path, and the query, as the journal shows them: without secrets.
    pub shown: fn(&str) -> String,
    /// Whether a fault may hit a call to this path. Calls that wait (long polls) are usually spared.
    pub may_fail: fn(&str) -> bool,
    /// Whether a call to this path fetches a customer's file.
    pub fetches: fn(&str) -> bool,
    /// The service's own way to say a fault that has an answer.
    pub refusal: fn(&Fault) -> Response,
}

/// A running server.
pub struct Loopback {
    address: SocketAddr,
    state: Arc<State>,
    _stop: DropGuard,
}

struct State {
    manners: Manners,
    journal: Mutex<VecDeque<Value>>,
    faults: Mutex<VecDeque<Fault>>,
    weather: Mutex<Sky>,
}

/// The weather, and how far each of its kinds has come to its next stroke.
#[derive(Default)]
struct Sky {
    weather: Weather,
    too_many: Share,
    timeouts: Share,
    expired: Share,
}

impl Sky {
    fn strikes(&mut self, fetches: bool) -> Option<Fault> {
        let Weather { too_many, timeouts, expired_media, delay } = self.weather;
        if fetches && self.expired.picks(expired_media) {
            return Some(Fault::MediaGone);
        }
        if self.too_many.picks(too_many) {
            return Some(Fault::RateLimit(Duration::from_secs(1)));
        }
        if self.timeouts.picks(timeouts) {
            return Some(Fault::CutAfter);
        }
        (!delay.is_zero()).then_some(Fault::Slow(delay))
    }
}

/// Locks, whatever happened to a thread that held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Loopback {
    /// Starts serving `router` on a free port.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(router: Router, manners: Manners) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State { manners, journal: Mutex::default(), faults: Mutex::default(), weather: Mutex::default() });
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, router, state.clone(), stop.clone()));
        Ok(Self { address, state, _stop: stop.drop_guard() })
    }

    /// `http://127.0.0.1:port`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call that came, oldest first.
    pub fn journal(&self) -> Vec<Value> {
        lock(&self.state.journal).iter().cloned().collect()
    }

    /// Puts `fault` before the next answers.
    pub fn fault(&self, fault: &Fault, times: u32) {
        lock(&self.state.faults).extend((0..times).map(|_| fault.clone()));
    }

    /// From now on calls fail like that; what [`Self::fault`] has put before them comes first.
    pub fn set_weather(&self, weather: &Weather) {
        lock(&self.state.weather).weather = *weather;
    }
}

async fn serve(listener: TcpListener, router: Router, state: Arc<State>, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
        };
        let (router, state, stop) = (router.clone(), state.clone(), stop.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, router.clone(), state.clone()));
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = stop.cancelled() => {}
                // A caller that hangs up, or is hung up on, is part of the play.
                _ = connection => {}
            }
        });
    }
}

/// Hangs up without an answer.
#[derive(Debug, thiserror::Error)]
#[error("hung up")]
struct HungUp;

async fn answer(request: hyper::Request<Incoming>, router: Router, state: Arc<State>) -> Result<Response, HungUp> {
    let path = request.uri().path().to_owned();
    let fault = if (state.manners.may_fail)(&path) {
        let asked_for = lock(&state.faults).pop_front();
        asked_for.or_else(|| lock(&state.weather).strikes((state.manners.fetches)(&path)))
    } else {
        None
    };
    if fault == Some(Fault::CutBefore) {
        return Err(HungUp);
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), LARGEST).await.map_err(|_| HungUp)?;
    let request = Request::from_parts(parts.clone(), Body::from(body.clone()));
    write_down(&state, request, &body).await;
    let request = Request::from_parts(parts, Body::from(body));
    match fault {
        Some(Fault::CutAfter) => {
            call(router, request).await;
            Err(HungUp)
        }
        Some(Fault::Slow(pause)) => {
            tokio::time::sleep(pause).await;
            Ok(call(router, request).await)
        }
        Some(fault) => Ok((state.manners.refusal)(&fault)),
        None => Ok(call(router, request).await),
    }
}

async fn call(router: Router, request: Request) -> Response {
    use tower::ServiceExt;
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn write_down(state: &State, request: Request, body: &Bytes) {
    let mut entry = Map::new();
    entry.insert("method".into(), request.method().as_str().into());
    entry.insert("path".into(), (state.manners.shown)(request.uri().path()).into());
    if let Some(query) = request.uri().query() {
        entry.insert("query".into(), (state.manners.shown)(query).into());
    }
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        let name = name.as_str();
        let value = value.to_str().unwrap_or_default();
        match name {
            "host" | "content-length" | "accept" | "accept-encoding" | "user-agent" | "connection" => continue,
            name if name == "authorization" || name.ends_with("-key") => headers.insert(name.into(), "•••".into()),
            "content-type" => headers.insert(name.into(), value.split(';').next().unwrap_or_default().into()),
            _ => headers.insert(name.into(), value.into()),
        };
    }
    let kind = headers.get("content-type").and_then(Value::as_str).unwrap_or_default().to_owned();
    entry.insert("headers".into(), Value::Object(headers));
    let content = if kind == "multipart/form-data" {
        form(request).await
    } else {
        serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into())
    };
    entry.insert("body".into(), content);
    let mut journal = lock(&state.journal);
    journal.push_back(Value::Object(entry));
    while journal.len() > JOURNAL {
        journal.pop_front();
    }
}

/// A form with files: texts as they are, files as their name, type and size.
async fn form(request: Request) -> Value {
    let mut fields = Map::new();
    let Ok(mut multipart) = Multipart::from_request(request, &()).await else { return Value::Null };
    while let Ok(Some(field)) = multipart.next_field().await {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(|file| (file.to_owned(), field.content_type().unwrap_or_default().to_owned()));
        let Ok(bytes) = field.bytes().await else { continue };
        let value = match file {
            Some((filename, mime)) => json!({ "filename": filename, "mime": mime, "bytes": bytes.len() }),
            None => String::from_utf8_lossy(&bytes).into(),
        };
        fields.insert(name, value);
    }
    Value::Object(fields)
}

/// A client with which a simulator calls our hooks, as the service would: it goes where it is told.
#[expect(clippy::disallowed_methods, reason = "it plays the service, which is outside of our gate")]
pub(crate) fn caller() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client without certificates needs nothing of this computer")
}
