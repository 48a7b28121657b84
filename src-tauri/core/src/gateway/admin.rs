//! The admin side: every command over HTTP, the changes as they happen, stored files, and the screens for a browser.
//!
//! Stands on loopback only. Everything under `/api/` asks who is there (a token or a signed-in browser) and from which page; the screens
//! themselves hold nothing and are given to whoever asks. Answers are JSON everywhere, mistakes included.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use futures::Stream;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::answer::{self, read_body};
use super::files::{self, Pages};
use super::hosts::Hosts;
use super::sign_in::{COOKIE, SignIn};
use crate::changes::{Announced, Changes, Missed};
use crate::error::{ApiError, Code, Error, Result};
use crate::say;
use crate::store::Store;

#[cfg(test)]
mod tests;

/// What a command's request may hold.
const BODY: usize = 1 << 20;
/// The same for commands that bring a file as base64 (25 MB of it, a third more in base64, and some room).
const FILE_BODY: usize = 35 << 20;
/// How long a request's body may take.
const BODY_TIME: Duration = Duration::from_secs(120);
/// How often a quiet stream of changes says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// What a browser may do with the screens: their own scripts and styles, their own answers, nothing else.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; frame-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the admin side asks of the hub.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// Runs a command; a refusal is in the hub's language already.
    async fn call(&self, command: &str, request: Value) -> std::result::Result<Value, ApiError>;
    /// The document that describes every command.
    fn openapi(&self) -> Value;
    /// The language of its sentences.
    fn language(&self) -> String;
}

/// The admin side of one hub.
pub struct Admin {
    /// The commands.
    pub desk: Arc<dyn Desk>,
    /// The database, for files and changes.
    pub store: Arc<Store>,
    /// Who is let in.
    pub sign_in: Arc<SignIn>,
    /// The screens.
    pub pages: Arc<dyn Pages>,
    /// Its names.
    pub hosts: Hosts,
    /// Ends the streams of changes when the hub stops.
    pub stop: CancellationToken,
}

/// Refuses an address that others could reach: there is no encryption on this side.
///
/// # Errors
/// [`Code::Invalid`], with what to do instead.
pub fn only_loopback(address: SocketAddr) -> Result<()> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    Err(Error::new(
        Code::Invalid,
        say!(
            "The admin side answers on this computer only: {address} could be read by others on the way. Use 127.0.0.1 and reach it through ssh or a proxy with https.",
            address = address
        ),
    ))
}

impl Admin {
    /// The routes.
    pub fn router(self: Arc<Self>) -> Router {
        let api = Router::new()
            .route("/openapi.json", get(openapi))
            .route("/changes", get(changes))
            .route("/media/{id}", get(media))
            .route("/logout", post(logout))
            .route("/login_link", post(login_link))
            .route("/{command}", post(command))
            .fallback(no_such_route)
            .method_not_allowed_fallback(other_method)
            .layer(middleware::from_fn_with_state(self.clone(), let_in));
        Router::new()
            .route("/api/v1/login", post(login))
            .nest("/api/v1", api)
            .route("/api", any(no_such_route))
            .route("/api/{*rest}", any(no_such_route))
            .fallback(page)
            .method_not_allowed_fallback(other_method)
            .layer(middleware::from_fn_with_state(self.clone(), own_names))
            .with_state(self)
    }

    fn fail(&self, error: &Error) -> Response {
        answer::error(error, &self.desk.language())
    }
}

/// The first gate: our own name, and no foreign page.
async fn own_names(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let Some(name) = admin.hosts.admit(request.headers(), request.uri()) else {
        let error = Error::new(
            Code::Forbidden,
            say!("Shopbell does not answer under this name. Open the address that it printed when it started."),
        );
        return admin.fail(&error);
    };
    if !from_own_page(request.headers(), &name) {
        let error = Error::new(Code::Forbidden, say!("Another website tried to use Shopbell. It was refused."));
        return admin.fail(&error);
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// Whether no page, or our own, makes the request. Cookies know no ports: another program's page on this computer counts as the same
/// site, so the browser's own word about who asks is heard as well.
fn from_own_page(headers: &HeaderMap, name: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    // Following a link from elsewhere to the front page is not using it.
    let visit = text("sec-fetch-mode") == Some("navigate") && text("sec-fetch-dest") == Some("document") && text("origin").is_none();
    let origin = text("origin").is_none_or(|origin| Hosts::is_own_origin(origin, name));
    origin && (site || visit)
}

/// The second gate, for the API: somebody who is let in.
async fn let_in(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    if !admin.sign_in.admits(request.headers()) {
        let error = Error::new(Code::Unauthorized, say!("Sign in first: open the link that Shopbell printed when it started."));
        return admin.fail(&error);
    }
    next.run(request).await
}

async fn read_json(request: Request, limit: usize) -> std::result::Result<Value, (StatusCode, Error)> {
    let mime = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = mime.split(';').next().is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"));
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, limit, BODY_TIME).await.map_err(|failure| {
        let error = failure.error();
        (StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST), error)
    })?;
    if !is_json && !body.is_empty() {
        return Err((
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Error::new(Code::Invalid, say!("Send JSON, with Content-Type: application/json.")),
        ));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(json!({}));
    }
    match serde_json::from_slice(&body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err((StatusCode::BAD_REQUEST, Error::new(Code::Invalid, say!("A request is a JSON object.")))),
        Err(_) => Err((StatusCode::BAD_REQUEST, Error::new(Code::Invalid, say!("This is not JSON.")))),
    }
}

async fn command(State(admin): State<Arc<Admin>>, Path(command): Path<String>, request: Request) -> Response {
    let limit = if matches!(command.as_str(), "upload_media" | "add_knowledge" | "restore_backup") { FILE_BODY } else { BODY };
    let request = match read_json(request, limit).await {
        Ok(request) => request,
        Err((status, error)) => return answer::refusal(status, error.code, &error.message, &admin.desk.language()),
    };
    match admin.desk.call(&command, request).await {
        Ok(value) => answer::json(StatusCode::OK, &value),
        Err(error) => answer::failure(&error),
    }
}

async fn login(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let asked = match read_json(request, 4096).await {
        Ok(asked) => asked,
        Err((status, error)) => return answer::refusal(status, error.code, &error.message, &admin.desk.language()),
    };
    let nonce = asked.get("nonce").and_then(Value::as_str).unwrap_or_default();
    match admin.sign_in.redeem(nonce).await {
        Ok(Some(session)) => {
            let mut response = answer::json(StatusCode::OK, &json!({}));
            let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000");
            match HeaderValue::from_str(&cookie) {
                Ok(cookie) => response.headers_mut().insert(header::SET_COOKIE, cookie),
                Err(error) => return admin.fail(&Error::from(anyhow::Error::new(error))),
            };
            response
        }
        Ok(None) => {
            let why = say!("This sign-in link was used already or is older than ten minutes. Start Shopbell again, or ask for a new link.");
            admin.fail(&Error::new(Code::Unauthorized, why))
        }
        Err(error) => admin.fail(&error),
    }
}

/// A link for one more browser, for whoever is let in already.
async fn login_link(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    answer::json(StatusCode::OK, &json!({ "link": format!("http://{host}/#login={}", admin.sign_in.nonce()) }))
}

async fn logout(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    match admin.sign_in.sign_out(&headers).await {
        Ok(()) => {
            let mut response = answer::json(StatusCode::OK, &json!({}));
            let gone = HeaderValue::from_static("shopbell_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
            response.headers_mut().insert(header::SET_COOKIE, gone);
            response
        }
        Err(error) => admin.fail(&error),
    }
}

async fn openapi(State(admin): State<Arc<Admin>>) -> Response {
    answer::json(StatusCode::OK, &admin.desk.openapi())
}

async fn media(State(admin): State<Arc<Admin>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match files::media(&admin.store, &id, &headers).await {
        Ok(response) => response,
        Err(error) => admin.fail(&error),
    }
}

/// Server-Sent Events: `change` with the change as JSON, its number as the id; `reset` when too much was missed.
async fn changes(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let query = request.uri().query().unwrap_or_default();
    let query = query.split('&').find_map(|pair| pair.strip_prefix("last_event_id=")).map(str::to_owned);
    // A number that cannot be read is a listener that is lost: it reads everything again.
    let last = header.or(query).filter(|text| !text.is_empty()).map(|text| text.parse().unwrap_or(0));
    let stream = changes_since(admin.store.changes().clone(), last, admin.stop.clone());
    let mut response = Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("")).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn changes_since(
    changes: Arc<Changes>,
    last: Option<u64>,
    stop: CancellationToken,
) -> impl Stream<Item = std::result::Result<SseEvent, Infallible>> {
    let (mut receiver, missed) = changes.listen(last);
    let (sender, stream) = tokio::sync::mpsc::channel(256);
    tokio::spawn(async move {
        let reset = || SseEvent::default().event("reset").id(changes.latest().to_string()).data("{}");
        let begin = match missed {
            Missed::Changes(list) => list.iter().filter_map(event).collect(),
            Missed::Everything => vec![reset()],
        };
        // The first bytes say that the line stands, before anything has changed.
        let hello = SseEvent::default().comment("here").retry(Duration::from_secs(2));
        for event in std::iter::once(hello).chain(begin) {
            if sender.send(Ok(event)).await.is_err() {
                return;
            }
        }
        loop {
            let heard = tokio::select! {
                () = stop.cancelled() => return,
                () = sender.closed() => return,
                heard = receiver.recv() => heard,
            };
            let event = match heard {
                Ok(announced) => event(&announced),
                Err(RecvError::Lagged(_)) => Some(reset()),
                Err(RecvError::Closed) => return,
            };
            if let Some(event) = event
                && sender.send(Ok(event)).await.is_err()
            {
                return;
            }
        }
    });
    tokio_stream::wrappers::ReceiverStream::new(stream)
}

fn event(announced: &Announced) -> Option<SseEvent> {
    let json = serde_json::to_string(announced).ok()?;
    Some(SseEvent::default().event("change").id(announced.seq.to_string()).data(json))
}

async fn no_such_route(State(admin): State<Arc<Admin>>) -> Response {
    admin.fail(&Error::not_found(say!("There is nothing at this address.")))
}

async fn other_method(State(admin): State<Arc<Admin>>) -> Response {
    let message = say!("Commands are sent with POST, files and streams are read with GET.");
    answer::refusal(StatusCode::METHOD_NOT_ALLOWED, Code::Invalid, &message, &admin.desk.language())
}

/// The screens. Every path that is no file is a place inside them.
async fn page(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return other_method(State(admin)).await;
    }
    let path = request.uri().path().trim_start_matches('/');
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let found = if path.is_empty() || !is_file { admin.pages.get("index.html") } else { admin.pages.get(path) };
    let Some((bytes, mime)) = found else {
        if is_file {
            return no_such_route(State(admin)).await;
        }
        return answer::typed(
            StatusCode::OK,
            "text/plain; charset=utf-8",
            "The screens were not built into this program. Run `make run`, which builds them.\n",
        );
    };
    let mut response = Response::new(Body::from(bytes.into_owned()));
    let headers = response.headers_mut();
    if let Ok(mime) = HeaderValue::from_str(&mime) {
        headers.insert(header::CONTENT_TYPE, mime);
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    // Files with a hash in their name never change; the page that names them is asked for each time.
    let hashed = path.starts_with("assets/");
    headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(if hashed { "public, max-age=31536000, immutable" } else { "no-cache" }));
    response
}
