//! Takes connections and ends them well: limits on how many, how many of one address, how long a request's head may take and how large it
//! may be, how long somebody may leave their answer unread, and a stop that lets what is being answered finish.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::patience::Patient;
use super::seats::{Seat, Seats};
use crate::error::{Code, Error, Result};
use crate::say;

/// How long answers in progress may take after the stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What a door takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at the same time; more wait in the system's queue.
    pub connections: usize,
    /// Of these, connections from one other computer. This computer has no such limit: a tunnel or proxy of our own brings everybody.
    pub per_address: usize,
    /// How long a request's head may take.
    pub head: Duration,
    /// How many header lines.
    pub headers: usize,
    /// How large the head may be, in bytes.
    pub head_bytes: usize,
    /// How long somebody may leave what we answer unread.
    pub unread: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            per_address: 128,
            head: Duration::from_secs(10),
            headers: 100,
            head_bytes: 64 * 1024,
            unread: Duration::from_secs(30),
        }
    }
}

/// Takes the port.
///
/// # Errors
/// [`Code::PortTaken`] when somebody else has it, with what to do.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let sentence = match error.kind() {
            std::io::ErrorKind::AddrInUse => say!(
                "The address {address} is taken by another program. Close that program, or start with another port.",
                address = address
            ),
            std::io::ErrorKind::PermissionDenied => {
                say!("The system does not allow the address {address}. Use a port from 1024 up.", address = address)
            }
            _ => say!("The address {address} cannot be used on this computer.", address = address),
        };
        Error::new(Code::PortTaken, sentence).because(error)
    })
}

/// Answers with `router` until `stop`, then lets what is in progress finish.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let seats = Arc::new(Semaphore::new(limits.connections));
    let addresses = Seats::new(limits.per_address);
    let tasks = TaskTracker::new();
    let abandon = CancellationToken::new();
    loop {
        let seat = tokio::select! {
            () = stop.cancelled() => break,
            seat = seats.clone().acquire_owned() => seat.expect("the semaphore is never closed"),
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Ok(place) = place(&addresses, peer.ip()) else {
                    tracing::debug!("One address has too many connections; another one was turned away.");
                    continue;
                };
                let (router, stop, abandon) = (router.clone(), stop.clone(), abandon.clone());
                tasks.spawn(async move {
                    tokio::select! {
                        () = abandon.cancelled() => {}
                        () = converse(stream, Peer(peer), router, limits, stop) => {}
                    }
                    drop((seat, place));
                });
            }
            Err(error) => {
                // Out of file descriptors, or a caller that was gone already: neither is a reason to stop listening.
                tracing::warn!(%error, "A connection could not be taken.");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(FAREWELL, tasks.wait()).await.is_err() {
        abandon.cancel();
        tasks.wait().await;
    }
}

/// More connections than one address may have.
struct TooMany;

/// The place of a connection among those of its address; none is needed on this computer.
fn place(addresses: &Seats<IpAddr>, peer: IpAddr) -> std::result::Result<Option<Seat<IpAddr>>, TooMany> {
    let peer = peer.to_canonical();
    if peer.is_loopback() {
        return Ok(None);
    }
    addresses.take(peer).map(Some).ok_or(TooMany)
}

async fn converse(stream: TcpStream, peer: Peer, router: Router, limits: Limits, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "A connection keeps small packets together.");
    }
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(limits.headers)
        .max_buf_size(limits.head_bytes)
        .half_close(false)
        .serve_connection(TokioIo::new(Patient::new(stream, limits.unread)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Callers break off all the time: worth a line only to somebody who looks for it.
        tracing::debug!(%error, "A connection ended early.");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn served(limits: Limits) -> (SocketAddr, CancellationToken) {
        let listener = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route("/large", get(|| async { vec![b'x'; 32 << 20] })).route("/small", get(|| async { "here" }));
        tokio::spawn(serve(listener, router, limits, stop.clone()));
        (address, stop)
    }

    async fn ask(address: SocketAddr, path: &str) -> TcpStream {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
        socket
    }

    #[tokio::test]
    async fn a_caller_that_does_not_read_its_answer_is_let_go_and_the_next_one_is_served() {
        let limits = Limits { connections: 1, unread: Duration::from_millis(500), ..Limits::default() };
        let (address, stop) = served(limits).await;
        let _silent = ask(address, "/large").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut next = ask(address, "/small").await;
        let mut answer = String::new();
        let read = tokio::time::timeout(Duration::from_secs(5), next.read_to_string(&mut answer)).await;
        assert!(read.is_ok(), "the only place is held by somebody who does not read");
        assert!(answer.ends_with("here"), "{answer}");
        stop.cancel();
    }

    #[tokio::test]
    async fn a_large_answer_that_is_read_comes_whole() {
        let (address, stop) = served(Limits { unread: Duration::from_millis(500), ..Limits::default() }).await;
        let mut socket = ask(address, "/large").await;
        let mut answer = Vec::new();
        let mut piece = vec![0; 1 << 20];
        loop {
            tokio::time::sleep(Duration::from_millis(30)).await;
            match socket.read(&mut piece).await.unwrap() {
                0 => break,
                read => answer.extend_from_slice(&piece[..read]),
            }
        }
        assert!(answer.len() > 32 << 20);
        stop.cancel();
    }

    #[test]
    fn one_other_computer_cannot_take_every_connection_and_a_proxy_on_this_one_may() {
        let addresses = Seats::new(2);
        let there = |text: &str| place(&addresses, text.parse().unwrap());
        let held: Vec<_> = (0..2).map(|_| there("203.0.113.7").map_err(|_| ()).unwrap()).collect();
        assert!(there("203.0.113.7").is_err() && there("::ffff:203.0.113.7").is_err(), "however its address is written");
        assert!(there("203.0.113.8").is_ok() && there("127.0.0.1").is_ok() && there("::1").is_ok());
        drop(held);
        assert!(there("203.0.113.7").is_ok());
    }
}
