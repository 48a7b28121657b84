//! Counts what was written, what arrived, and what was lost or doubled on the way, on both sides of the Lab.

use std::collections::BTreeMap;

use rusqlite::params;
use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use super::bench::{Bench, Way, same_thread};
use crate::error::Result;
use crate::hub::Hub;

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct LabTally {
    /// What was written.
    pub written: u32,
    /// What arrived at the other side.
    pub arrived: u32,
    /// What is nowhere, although nobody carries it any more.
    pub lost: u32,
    /// What arrived more often than it was written.
    pub doubled: u32,
}

impl LabTally {
    /// Both together.
    pub fn with(self, other: Self) -> Self {
        Self {
            written: self.written + other.written,
            arrived: self.arrived + other.arrived,
            lost: self.lost + other.lost,
            doubled: self.doubled + other.doubled,
        }
    }
}

/// Both directions of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct LabCounts {
    /// From the customers to the shop.
    pub customers: LabTally,
    /// From the shop to the customers.
    pub shop: LabTally,
}

/// What the hub knows of one channel.
struct Known {
    /// Messages of customers by the service's name.
    inbound: BTreeMap<String, String>,
    /// Arrivals that nobody has read yet.
    pending: i64,
    outbound: Vec<Outbound>,
}

/// Deliveries in one thread.
struct Outbound {
    thread: String,
    /// All that were not given up.
    written: u32,
    /// Those that the service has certainly taken.
    certain: u32,
    /// Those that it may have taken.
    possible: u32,
}

fn known(db: &rusqlite::Connection, connection: &crate::id::ConnectionId) -> Result<Known> {
    let mut statement = db.prepare_cached(
        "SELECT m.external_id, c.thread FROM message m JOIN conversation c ON c.seq = m.conversation
         WHERE m.connection = ?1 AND m.direction = 'in' AND m.external_id IS NOT NULL",
    )?;
    let inbound = statement.query_map(params![connection], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    let pending = db
        .prepare_cached("SELECT count(*) FROM arrival WHERE connection = ?1 AND verdict = 'pending'")?
        .query_row(params![connection], |row| row.get(0))?;
    let mut statement = db.prepare_cached(
        "SELECT c.thread, sum(d.status IN ('sent', 'delivered', 'read')), sum(d.status IN ('sending', 'unconfirmed', 'sent', 'delivered', 'read')),
                sum(d.status <> 'failed')
         FROM delivery d JOIN conversation c ON c.seq = d.conversation WHERE d.connection = ?1 GROUP BY c.thread",
    )?;
    let read =
        |row: &rusqlite::Row<'_>| Ok(Outbound { thread: row.get(0)?, certain: row.get(1)?, possible: row.get(2)?, written: row.get(3)? });
    let outbound = statement.query_map(params![connection], read)?.collect::<rusqlite::Result<_>>()?;
    Ok(Known { inbound, pending, outbound })
}

/// Counts one channel, or one thread of it.
///
/// # Errors
/// When the store cannot be read.
pub async fn count(hub: &Hub, bench: &Bench, thread: Option<&str>) -> Result<LabCounts> {
    // The phones first: what the hub learns in between is never counted as lost.
    let wanted = |other: &str| thread.is_none_or(|thread| same_thread(thread, other));
    let written: Vec<_> = bench.written().into_iter().filter(|written| wanted(&written.thread)).collect();
    let got: Vec<_> = bench.got().into_iter().filter(|got| wanted(&got.thread)).collect();
    let connection = bench.connection.clone();
    let known = hub.store.read(move |db| known(db, &connection)).await?;
    let mut customers = LabTally { written: number(written.len()), ..LabTally::default() };
    for message in &written {
        let is_there = message.external_ids.iter().all(|id| known.inbound.contains_key(id));
        match message.way {
            Way::Taken if is_there => customers.arrived += 1,
            Way::OnTheWay if is_there && !message.external_ids.is_empty() => customers.arrived += 1,
            Way::OnTheWay => {}
            Way::Taken => customers.lost += u32::from(known.pending == 0),
            Way::GivenUp => customers.lost += 1,
        }
    }
    // More messages in a customer's conversation than they wrote: something came in twice under two names.
    let threads: std::collections::BTreeSet<&str> = written.iter().map(|written| written.hub_thread.as_str()).collect();
    let stored = known.inbound.values().filter(|thread| threads.contains(thread.as_str())).count();
    let named: usize = written.iter().map(|written| written.external_ids.iter().filter(|id| known.inbound.contains_key(*id)).count()).sum();
    customers.doubled = number(stored.saturating_sub(named));
    let mut shop = LabTally { arrived: number(got.len()), ..LabTally::default() };
    for out in known.outbound.iter().filter(|out| wanted(&out.thread)) {
        let received = number(got.iter().filter(|got| same_thread(&got.thread, &out.thread)).count());
        shop.written += out.written;
        shop.lost += out.certain.saturating_sub(received);
        shop.doubled += received.saturating_sub(out.possible);
    }
    Ok(LabCounts { customers, shop })
}

fn number(many: usize) -> u32 {
    u32::try_from(many).unwrap_or(u32::MAX)
}
