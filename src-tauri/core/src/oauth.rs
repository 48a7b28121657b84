//! Signing in: one flow for every connector, and the tokens it gives kept fresh.
//!
//! 1. [`begin()`] asks the connector for its [`Plan`](crate::connector::Plan), writes a flow down (its secrets in the vault, so that it survives
//!    a restart) and gives the address of the service's page. One flow per connection: a later one ends the earlier.
//! 2. The answer comes back by one of three ways: a link of our own scheme, a port of this computer that stands open for this one answer
//!    ([`loopback`]), or `/oauth/callback` on the public address. Where none works the owner pastes the address the browser ended on.
//! 3. [`finish`] finds the flow by the answer's `state`, uses it up in one transaction, and only then trades the code. Whoever has the link
//!    alone has nothing: the verifier never left this computer.
//! 4. The connector says whose account it is. The tokens go to the vault ([`grant`]) and the connection is put to use.
//! 5. [`renew`] renews them before they end: one call at a time per connection, written in one transaction before anybody uses them.
//!
//! A grant that has ended makes the connection wait for its owner; what it should send waits with it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::connections::{self, Live};
use crate::connector::SignIn;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, FlowId};
use crate::say;

mod begin;
pub mod answer;
pub mod exchange;
pub mod finish;
pub mod flow;
pub mod grant;
pub mod loopback;
pub mod pages;
pub mod renew;
#[cfg(test)]
mod tests;

pub use begin::{Begun, begin};

/// How long somebody may take at the service's page.
pub const FLOW_LIFE: Duration = Duration::from_secs(600);
/// The longest link or pasted address that is looked at.
pub const LONGEST_LINK: usize = 4096;

/// What is in progress. Everything that must survive a restart stands in the database.
#[derive(Default)]
pub struct SignIns {
    /// One renewal at a time per connection.
    renewing: Mutex<HashMap<ConnectionId, Arc<tokio::sync::Mutex<()>>>>,
    /// Ports that stand open for an answer.
    doors: Mutex<HashMap<FlowId, CancellationToken>>,
    /// Whether links of our own scheme arrive here.
    takes_links: AtomicBool,
}

impl SignIns {
    /// From now on links of our own scheme arrive here (the desktop runs).
    pub fn take_links(&self) {
        self.takes_links.store(true, Ordering::Release);
    }

    /// Whether they do.
    pub fn takes_links(&self) -> bool {
        self.takes_links.load(Ordering::Acquire)
    }

    fn turn_of(&self, connection: &ConnectionId) -> Arc<tokio::sync::Mutex<()>> {
        self.renewing.lock().unwrap_or_else(PoisonError::into_inner).entry(connection.clone()).or_default().clone()
    }

    fn opened(&self, flow: &FlowId, door: CancellationToken) {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner).insert(flow.clone(), door);
    }

    /// Closes the port that stood open for a flow, if there was one.
    fn close(&self, flow: &FlowId) {
        if let Some(door) = self.doors.lock().unwrap_or_else(PoisonError::into_inner).remove(flow) {
            door.cancel();
        }
    }
}

/// A connection at whose service one signs in.
struct Subject {
    live: Arc<Live>,
    /// Its settings as they stand, secrets included.
    settings: Value,
}

impl Subject {
    async fn of(hub: &Arc<Hub>, id: &ConnectionId) -> Result<Self> {
        let live = hub.connections.get(id).ok_or_else(|| Error::not_found(say!("This connection is not there any more.")))?;
        if live.connector.sign_in().is_none() {
            return Err(Error::new(Code::Conflict, say!("Nobody signs in at this service: it takes a key.")));
        }
        let (vault, owner) = (hub.vault.clone(), id.to_string());
        let secrets = hub.store.read(move |db| vault.open_all(db, &owner)).await?.whole()?;
        let settings = connections::with_secrets(&live.connection.config, &secrets);
        Ok(Self { live, settings })
    }

    fn role(&self) -> &dyn SignIn {
        self.live.connector.sign_in().expect("looked at when the subject was made")
    }

    fn at<'a>(&'a self, hub: &'a Hub) -> crate::connector::At<'a> {
        crate::connector::At { settings: &self.settings, http: &self.live.http, clock: hub.store.clock().as_ref() }
    }
}

/// 256 random bits, as a verifier or a state.
fn random() -> Result<crate::secret::Secret> {
    use base64::Engine;
    let mut bytes = zeroize::Zeroizing::new([0u8; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|error| anyhow::anyhow!("the computer has no randomness: {error}"))?;
    Ok(crate::secret::Secret::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes.as_ref())))
}

/// Calls off whatever sign-in of a connection is under way.
pub async fn cancel(hub: &Arc<Hub>, connection: &ConnectionId) -> Result<()> {
    let (vault, id) = (hub.vault.clone(), connection.clone());
    for flow in hub.store.write(move |tx| flow::cancel_all(tx, &vault, &id)).await? {
        hub.sign_ins.close(&flow);
    }
    Ok(())
}
