//! What leaves, and when: the one place where deliveries are claimed for the stage that sends them.
//!
//! A delivery is claimed inside the commit that lets it leave: the one that wrote it, or that settled the one before it. So `Sending` is on
//! disk as early as can be, and nobody waits for another commit. What waits for a time instead (a retry, a pace, a pause) is claimed when that
//! time comes, in a commit of its own, by the same function.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{OptionalExtension, params};
use tokio::sync::watch;

use super::{CHECKS, IN_FLIGHT, IN_FLIGHT_PER_CONNECTION, LOOK_AGAIN, attempt, claim};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::store::{Ring, Tx};

/// The calls that are out, per connection.
#[derive(Default)]
pub struct Out(Mutex<HashMap<ConnectionId, u32>>);

impl Out {
    /// One more.
    fn begin(self: &Arc<Self>, connection: &ConnectionId) -> Call {
        *self.0.lock().expect("nothing panics while it is held").entry(connection.clone()).or_insert(0) += 1;
        Call { out: self.clone(), connection: connection.clone() }
    }

    fn by_connection(&self) -> HashMap<ConnectionId, u32> {
        self.0.lock().expect("nothing panics while it is held").clone()
    }
}

/// One call that is out, until dropped.
pub struct Call {
    out: Arc<Out>,
    connection: ConnectionId,
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut out = self.out.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(count) = out.get_mut(&self.connection) {
            *count -= 1;
            if *count == 0 {
                out.remove(&self.connection);
            }
        }
    }
}

/// What the stage waits for, as the last look found it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// When the next delivery is due: only the first of each conversation counts, the others wait for it.
    due: Option<Timestamp>,
    /// When a connection that had to wait may send again.
    paced: Option<Timestamp>,
    /// When a service is to be asked about a delivery that may have arrived.
    unsure: Option<Timestamp>,
}

impl Waits {
    /// For how long there is nothing to do.
    pub fn idle(&self, now: Timestamp) -> Duration {
        // What is due and did not leave waits for its connection, which may be paused for days; everything else rings.
        let due = self.due.map(|due| if due > now { due.since(now) } else { LOOK_AGAIN });
        let rest = [self.paced, self.unsure].into_iter().flatten().map(|at| at.since(now));
        due.into_iter().chain(rest).min().unwrap_or(Duration::from_secs(3600)).max(Duration::from_millis(1))
    }
}

/// Claims what may leave now and sends it once the write is durable. `known` is told what the stage waits for.
///
/// # Errors
/// When the database cannot be read or written; nothing is claimed then.
pub fn leave(tx: &Tx<'_>, hub: &Arc<Hub>, known: &Arc<watch::Sender<Waits>>) -> Result<Ring> {
    if hub.stopping().is_cancelled() {
        return Ok(Ring::No);
    }
    let now = tx.now();
    let out = hub.out.by_connection();
    let (allowance, paced) = hub.pace.allowance(&hub.connections, now, &out, IN_FLIGHT_PER_CONNECTION);
    let room = IN_FLIGHT.saturating_sub(out.values().map(|count| *count as usize).sum());
    let claimed = if room == 0 || allowance.is_empty() { Vec::new() } else { claim(tx, &allowance, room)? };
    for claimed in claimed {
        hub.pace.spend(&claimed.connection);
        let (hub, call) = (hub.clone(), hub.out.begin(&claimed.connection));
        tx.afterwards(move || hub.clone().spawn(attempt(hub, claimed, call)));
    }
    let waits = Waits { due: next_due(tx)?, paced: paced.map(|wait| now.plus(wait)), unsure: next_unsure(tx)? };
    let known = known.clone();
    tx.afterwards(move || {
        known.send_if_modified(|known| std::mem::replace(known, waits) != waits);
    });
    Ok(Ring::No)
}

fn next_due(tx: &Tx<'_>) -> Result<Option<Timestamp>> {
    Ok(tx
        .prepare_cached(
            "SELECT due_at FROM delivery d WHERE status = 'queued'
               AND NOT EXISTS (SELECT 1 FROM delivery e WHERE e.conversation = d.conversation AND e.status IN ('queued', 'sending') AND e.seq < d.seq)
             ORDER BY due_at, seq LIMIT 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?)
}

fn next_unsure(tx: &Tx<'_>) -> Result<Option<Timestamp>> {
    Ok(tx
        .prepare_cached("SELECT min(due_at) FROM delivery WHERE status = 'unconfirmed' AND checks < ?1")?
        .query_row(params![CHECKS], |row| row.get(0))?)
}
