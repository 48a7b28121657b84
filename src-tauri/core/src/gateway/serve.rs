//! Takes connections and ends them well: limits on how many, how long a request's head may take and how large it may be, and a stop that
//! lets what is being answered finish.

use std::net::SocketAddr;
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
    /// How long a request's head may take.
    pub head: Duration,
    /// How many header lines.
    pub headers: usize,
    /// How large the head may be, in bytes.
    pub head_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1024, head: Duration::from_secs(10), headers: 100, head_bytes: 64 * 1024 }
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
                let (router, stop, abandon) = (router.clone(), stop.clone(), abandon.clone());
                tasks.spawn(async move {
                    tokio::select! {
                        () = abandon.cancelled() => {}
                        () = converse(stream, Peer(peer), router, limits, stop) => {}
                    }
                    drop(seat);
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
        .serve_connection(TokioIo::new(stream), service);
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
