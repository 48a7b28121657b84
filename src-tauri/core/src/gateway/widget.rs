//! The website chat's routes, `/widget/v1/…`: sessions, messages, the stream, and the files of the chat itself.
//!
//! A visitor is a random name and a token that only their browser has; the token's hash is kept. What they write is stored as an arrival
//! and applied in the same write, before the answer. What they read comes from the store, by a cursor, so that nothing is lost
//! or doubled over a reload, a cut line or a restart of the hub. An answer stands there once its delivery is sent: a take-over
//! that comes before it keeps it from the visitor, as on every other channel.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;

use self::streams::Streams;
use super::answer;
use super::hosts::Hosts;
use super::pace::Pace;
use super::public::{AskedFor, Public};
use crate::connections::Live;
use crate::connector::PageLook;
use crate::error::{Code, Error};
use crate::id::ConnectionId;

pub mod origin;
pub mod session;
pub mod view;
pub mod posting;
pub mod stream;
pub mod streams;
pub mod pages;
pub mod snippet;

/// What the chat keeps in memory.
pub struct Widget {
    /// New sessions per address.
    sessions: Pace<IpAddr>,
    /// Sessions taken up again per visitor: one with each page that they look at.
    returns: Pace<String>,
    /// Tickets per visitor: one with each stream, and a stream that breaks is opened again a few seconds later.
    tickets_pace: Pace<String>,
    /// Messages per visitor.
    messages: Pace<String>,
    /// Signs of typing per visitor.
    typing: Pace<String>,
    /// One-use words for streams, each with its visitor and its end.
    tickets: Mutex<HashMap<String, (session::Visitor, tokio::time::Instant)>>,
    streams: Streams,
}

impl Default for Widget {
    fn default() -> Self {
        Self {
            sessions: Pace::new(60, Duration::from_secs(2)),
            returns: Pace::new(20, Duration::from_secs(3)),
            tickets_pace: Pace::new(20, Duration::from_secs(2)),
            messages: Pace::new(20, Duration::from_secs(3)),
            typing: Pace::new(2, Duration::from_secs(2)),
            tickets: Mutex::default(),
            streams: Streams::default(),
        }
    }
}

/// The routes below `/widget/v1`.
pub fn router() -> Router<Arc<Public>> {
    Router::new()
        .route("/sessions", post(session::open))
        .route("/session", axum::routing::delete(session::close))
        .route("/messages", get(view::messages).post(posting::message))
        .route("/typing", post(posting::typing))
        .route("/read", post(posting::read))
        .route("/ticket", post(session::ticket))
        .route("/stream", get(stream::stream))
        .route("/loader.js", get(pages::loader))
        .route("/app.html", get(pages::app))
        .route("/assets/{file}", get(pages::asset))
        .route("/test/{key}", get(pages::test))
}

/// Lets the pages that may show the chat read its answers (CORS), and answers their browsers' question beforehand. Stands around the
/// whole public side, because that question is asked with a method that no route has.
pub async fn share(State(public): State<Arc<Public>>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/widget/v1/") {
        return next.run(request).await;
    }
    let origin = origin_of(request.headers()).map(str::to_owned);
    let name = asked_for(&request);
    let allowed = origin.filter(|origin| Hosts::is_own_origin(origin, &name) || any_page_allows(&public, origin));
    let mut response = if request.method() == Method::OPTIONS {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = if allowed.is_some() { StatusCode::NO_CONTENT } else { StatusCode::FORBIDDEN };
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed.and_then(|origin| HeaderValue::from_str(&origin).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("authorization, content-type, last-event-id"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

fn origin_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN)?.to_str().ok()
}

fn asked_for(request: &Request) -> String {
    request.extensions().get::<AskedFor>().map(|AskedFor(name)| name.clone()).unwrap_or_default()
}

/// A connection that serves a page, and how it looks; `None` for every other.
pub(super) fn page_of(live: &Live) -> Option<PageLook> {
    let settings = live.settings.as_ref().ok()?;
    Some(live.connector.page()?.look(settings))
}

fn any_page_allows(public: &Public, origin: &str) -> bool {
    public.hub.connections.all().iter().filter_map(|live| page_of(live)).any(|look| origin::allows(&look.allowed_origins, origin))
}

/// Whether the page that makes this request may use the chat of `look`. Programs that are no browser send no origin and are judged by
/// their token; only a new session must say where it stands.
fn may_ask(headers: &HeaderMap, name: &str, look: &PageLook) -> bool {
    match headers.get(header::ORIGIN) {
        None => true,
        Some(_) => {
            origin_of(headers).is_some_and(|origin| Hosts::is_own_origin(origin, name) || origin::allows(&look.allowed_origins, origin))
        }
    }
}

/// The chat of a connection that is in use.
fn live_page(public: &Public, id: &ConnectionId) -> Option<(Arc<Live>, PageLook)> {
    let live = public.hub.connections.get(id).filter(|live| live.is_active())?;
    let look = page_of(&live)?;
    Some((live, look))
}

/// A refusal, as the chat reads it: `{"error","message","retry_after"?}`.
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    wait: Option<Duration>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, wait: None }
    }

    fn invalid(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    fn too_fast(wait: Duration) -> Self {
        Self { wait: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests.") }
    }

    fn offline() -> Self {
        Self {
            wait: Some(Duration::from_secs(15)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "desk_offline", "The shop cannot be reached at present.")
        }
    }

    fn foreign_origin() -> Self {
        Self::new(StatusCode::FORBIDDEN, "origin_not_allowed", "This website may not show the chat.")
    }

    fn expired() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "session_expired", "The session has ended.")
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        if !matches!(error.code, Code::Unavailable | Code::VaultLocked) {
            tracing::error!(error = ?error.source, "The website chat could not be answered: {error}");
        }
        Self::offline()
    }
}

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let wait = self.wait.map(|wait| wait.as_secs().max(1));
        let mut body = json!({ "error": self.code, "message": self.message });
        if let Some(wait) = wait {
            body["retry_after"] = wait.into();
        }
        let mut response = answer::json(self.status, &body);
        if let Some(wait) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

/// What the routes give back.
type Answer = Result<Response, Refusal>;

/// Reads a small JSON object of the chat.
async fn read_json<T: serde::de::DeserializeOwned>(headers: &HeaderMap, body: axum::body::Body) -> Result<T, Refusal> {
    let body = answer::read_body(headers, body, 64 * 1024, Duration::from_secs(20)).await.map_err(|failure| match failure {
        answer::BodyFailure::TooLarge => Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "This is too long."),
        answer::BodyFailure::Broken => Refusal::invalid("The request broke off."),
    })?;
    serde_json::from_slice(&body).map_err(|_| Refusal::invalid("This request cannot be read."))
}
