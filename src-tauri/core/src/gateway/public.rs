//! The public side: the only thing a tunnel may expose. Hooks, the website chat, files with a signed address, the way back of a sign-in; nothing else, and
//! everything else is the same 404.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get};
use hyper::body::{Frame, SizeHint};

use super::answer;
use super::hooks;
use super::hosts::Hosts;
use super::oauth;
use super::pace::Pace;
use super::seats::{Seat, Seats};
use super::serve::Peer;
use super::widget::{self, Widget};
use crate::hub::Hub;
use crate::id::ConnectionId;

/// Verified requests that one connection may bring at once, and how often one more: 2,000 a second.
pub const HOOKS: u32 = 50_000;
const HOOKS_EVERY: Duration = Duration::from_micros(500);
/// Answers that one caller may be reading at the same time: a whole office behind one address, each with a chat open.
pub const READING: usize = 64;

/// The public side of one hub.
pub struct Public {
    /// The hub behind it.
    pub hub: Arc<Hub>,
    /// Its names; a tunnel adds its own.
    pub hosts: Arc<Hosts>,
    /// How often one address may be refused before it is told to wait. What is verified is never held back.
    pub refusals: Pace<IpAddr>,
    /// How many verified requests one connection may bring: far above what a service sends to a shop, and below what fills a disk
    /// unnoticed. Who is over it is told to come again.
    pub hooks: Pace<ConnectionId>,
    /// How long the body of a verified request may take.
    pub body_time: Duration,
    /// How many answers one caller may be reading at the same time: somebody who opens many and reads none takes no place of the others.
    pub reading: Seats<IpAddr>,
    /// The website chat.
    pub widget: Widget,
}

/// A request that came by the tunnel's own door.
#[derive(Clone, Copy, Debug)]
pub struct Tunnelled;

/// A request whose `X-Forwarded-For` is the word of a tunnel or proxy of our own.
#[derive(Clone, Copy, Debug)]
struct Brought;

/// The name under which a request asked for us.
#[derive(Clone, Debug)]
pub struct AskedFor(pub String);

impl Public {
    /// The public side of `hub`.
    pub fn new(hub: Arc<Hub>, hosts: Arc<Hosts>) -> Self {
        Self {
            hub,
            hosts,
            refusals: Pace::new(120, Duration::from_millis(500)),
            hooks: Pace::new(HOOKS, HOOKS_EVERY),
            body_time: Duration::from_secs(20),
            reading: Seats::new(READING),
            widget: Widget::default(),
        }
    }

    /// The routes.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/hooks/{key}", any(hooks::hook))
            .route("/hooks/{key}/{*rest}", any(hooks::hook))
            .route("/media/{signed}", get(media))
            .route("/.well-known/shopbell/{nonce}", get(proof))
            .route("/oauth/callback", any(oauth::callback))
            .nest("/widget/v1", widget::router())
            .fallback(nothing)
            .method_not_allowed_fallback(nothing)
            .layer(middleware::from_fn_with_state(self.clone(), widget::share))
            .layer(middleware::from_fn_with_state(self.clone(), a_few_at_once))
            .layer(middleware::from_fn_with_state(self.clone(), own_names))
            .with_state(self)
    }
}

/// Answers under our own names alone.
async fn own_names(State(public): State<Arc<Public>>, mut request: Request, next: Next) -> Response {
    // A chat may have an address of its own, which its owner typed.
    let of_a_page = |name: &str| {
        let pages = public.hub.connections.all();
        pages.iter().filter_map(|live| widget::page_of(live)?.base_url).any(|base| Hosts::leads_to(&base, name))
    };
    let Some(name) = public.hosts.admit_or(request.headers(), request.uri(), of_a_page) else { return nothing().await };
    let hub = &public.hub;
    if request.extensions().get::<Tunnelled>().is_some() || hub.is_behind_proxy() {
        request.extensions_mut().insert(Brought);
    }
    let outside = hub.reach().public_url.is_some_and(|url| Hosts::leads_to(&url, &name));
    request.extensions_mut().insert(AskedFor(name));
    if !outside || request.uri().path().starts_with("/.well-known/") {
        return next.run(request).await;
    }
    let traffic = &hub.tunnel.traffic;
    traffic.requests.fetch_add(1, Ordering::Relaxed);
    traffic.bytes_in.fetch_add(request.body().size_hint().lower(), Ordering::Relaxed);
    let hub = hub.clone();
    next.run(request).await.map(|body| Body::new(Counted { body, hub }))
}

/// A body whose bytes are counted as they leave by the public address.
struct Counted {
    body: Body,
    hub: Arc<Hub>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(bytes) = frame.data_ref()
        {
            self.hub.tunnel.traffic.bytes_out.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What a challenge is sent with.
#[derive(serde::Deserialize)]
struct Challenge {
    #[serde(default)]
    challenge: String,
}

/// The proof that the public address leads to this run; everything else is the same 404 as everywhere.
async fn proof(
    State(public): State<Arc<Public>>,
    axum::extract::Path(nonce): axum::extract::Path<String>,
    asked: Result<axum::extract::Query<Challenge>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let challenge = asked.map(|axum::extract::Query(asked)| asked.challenge).unwrap_or_default();
    match public.hub.tunnel.proof.answer(&nonce, &challenge) {
        Some(answer) => answer::typed(StatusCode::OK, "text/plain; charset=utf-8", answer),
        None => nothing().await,
    }
}

/// Keeps one caller from holding more answers than [`READING`]. A service is not counted: it signs what it sends, and our answers to it are
/// empty. Neither is a caller on this computer whom no proxy of ours has brought.
async fn a_few_at_once(State(public): State<Arc<Public>>, request: Request, next: Next) -> Response {
    let caller = caller(&request).to_canonical();
    if caller.is_loopback() || request.uri().path().starts_with("/hooks/") {
        return next.run(request).await;
    }
    let Some(seat) = public.reading.take(caller) else { return slower(Duration::from_secs(5)) };
    next.run(request).await.map(|body| Body::new(Seated { body, _seat: seat }))
}

/// A body that keeps a place until it was read, or given up.
struct Seated {
    body: Body,
    _seat: Seat<IpAddr>,
}

impl HttpBody for Seated {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The answer to everything that is not there, always the same.
pub async fn nothing() -> Response {
    answer::typed(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "Not found.\n")
}

/// Come again: we cannot keep it now.
pub fn come_again(seconds: u64) -> Response {
    let mut response = answer::typed(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", "Try again later.\n");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Slower.
pub fn slower(wait: Duration) -> Response {
    let mut response = answer::typed(StatusCode::TOO_MANY_REQUESTS, "text/plain; charset=utf-8", "Too many requests.\n");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    response
}

/// Who calls. Behind a tunnel or proxy of our own, which calls from this computer, it is the last address that was noted on the way;
/// from anywhere else, other programs on this computer included, that header is only a claim.
pub fn caller(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |Peer(peer)| peer.ip());
    if !peer.is_loopback() || request.extensions().get::<Brought>().is_none() {
        return peer;
    }
    forwarded(request.headers()).unwrap_or(peer)
}

fn forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

/// A file that the shop sent, at the address that only its customer was given.
async fn media(
    State(public): State<Arc<Public>>,
    axum::extract::Path(signed): axum::extract::Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(id) = public.hub.media.signer().open(&signed, public.hub.store.clock().now()) else { return nothing().await };
    match super::files::media(&public.hub.store, &id, &headers).await {
        Ok(mut response) => {
            // A page of the shop may show it; its type and the sandbox stay as they are.
            response.headers_mut().insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
            response
        }
        Err(_) => nothing().await,
    }
}
