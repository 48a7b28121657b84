//! A port of this computer that stands open for one answer.
//!
//! On 127.0.0.1 alone, under that very name, for GET, for ten minutes, and closed with the first answer that is the right one. Whatever else
//! comes (the browser asking for an icon, a page that tries its luck) is told that there is nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::pages::Page;
use super::{FLOW_LIFE, answer, finish};
use crate::connector::Way;
use crate::error::{Code, Error, Result};
use crate::gateway::serve::{Limits, serve};
use crate::hub::Hub;
use crate::id::FlowId;
use crate::say;

/// A port that is taken, and not answered yet.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    /// Takes a free port.
    ///
    /// # Errors
    /// When this computer gives none.
    pub async fn open() -> Result<Self> {
        let refused = |error| {
            Error::new(Code::Internal, say!("This computer gives no port for the answer of the browser. Restart it, then try again."))
                .because(error)
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(anyhow::Error::from).map_err(refused)?;
        let address = listener.local_addr().map_err(anyhow::Error::from).map_err(refused)?;
        Ok(Self { listener, address })
    }

    /// Where the service sends the browser.
    pub fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.address, answer::PATH)
    }

    /// Answers until the flow has its answer, is called off, or its time is over.
    pub fn wait(self, hub: &Arc<Hub>, flow: FlowId) {
        let closed = hub.stopping().child_token();
        hub.sign_ins.opened(&flow, closed.clone());
        let waiting = Arc::new(Waiting { hub: hub.clone(), flow: flow.clone(), host: self.address.to_string(), closed: closed.clone() });
        let router = Router::new().fallback(hit).with_state(waiting);
        let limits = Limits { connections: 16, per_address: 16, head: Duration::from_secs(5), ..Limits::default() };
        let inner = hub.clone();
        hub.spawn(async move {
            let time_is_over = closed.clone();
            tokio::select! {
                () = serve(self.listener, router, limits, closed) => {}
                () = async move { tokio::time::sleep(FLOW_LIFE).await; time_is_over.cancel(); std::future::pending::<()>().await } => {}
            }
            inner.sign_ins.close(&flow);
        });
    }
}

struct Waiting {
    hub: Arc<Hub>,
    flow: FlowId,
    /// The one name under which the port is asked for: a page that leads its own name here (DNS rebinding) is told nothing.
    host: String,
    closed: CancellationToken,
}

async fn hit(State(waiting): State<Arc<Waiting>>, request: Request) -> Response {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    if host != Some(waiting.host.as_str()) || request.method() != Method::GET || request.uri().path() != answer::PATH {
        return (StatusCode::NOT_FOUND, "Not found.\n").into_response();
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let taken = async {
        let answer = answer::parameters(&query)?;
        finish::take(&waiting.hub, answer, &finish::Came::By(Way::Loopback, Some(waiting.flow.clone()))).await
    };
    match taken.await {
        Ok(_) => {
            // What is being answered is finished first.
            waiting.closed.cancel();
            Page::Taken(None).answer(&waiting.hub)
        }
        Err(error) => {
            tracing::debug!(flow.id = %waiting.flow, error.code = ?error.code, "An answer that nobody waits for was dropped.");
            Page::Unexpected.answer(&waiting.hub)
        }
    }
}
