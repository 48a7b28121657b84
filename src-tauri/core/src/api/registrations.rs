//! Where each service was told to call, and whether the way from it is whole.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use super::asked::{Empty, Items};
use crate::canary;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::registrations::rows::{self, RegistrationState};
use crate::registrations::{desired, is_called};
use crate::tunnel::Hop;

/// One connection's way in.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "Registration")]
#[ts(rename = "Registration", optional_fields = nullable)]
pub struct RegistrationRow {
    /// The connection.
    pub connection: ConnectionId,
    /// Its name.
    pub name: String,
    /// The kind of service.
    pub connector: String,
    /// Its service calls us; otherwise we ask it, and no address is needed.
    pub called: bool,
    /// Where the registration stands; null before there is an address to tell.
    pub state: Option<RegistrationState>,
    /// Where it should be called.
    pub desired_url: Option<String>,
    /// Where it is called, by the service's own word.
    pub confirmed_url: Option<String>,
    /// Why it is not as it should be, or what the owner has to do.
    pub error: Option<String>,
    /// When it was last told.
    pub tried_at: Option<Timestamp>,
    /// When the service last confirmed it.
    pub confirmed_at: Option<Timestamp>,
    /// Where on the way in something is wrong.
    pub hop: Option<Hop>,
    /// What, in a sentence.
    pub reason: Option<String>,
    /// When the whole way was last proven.
    pub proven_at: Option<Timestamp>,
}

/// Every connection that customers write to, and its way in.
pub async fn list_registrations(hub: &Arc<Hub>, _: Empty) -> Result<Items<RegistrationRow>> {
    let mut lives = hub.connections.all();
    lives.retain(|live| live.rules.as_ref().is_some_and(|rules| rules.webhook));
    lives.sort_by(|a, b| a.connection.id.as_str().cmp(b.connection.id.as_str()));
    let ids: Vec<ConnectionId> = lives.iter().map(|live| live.connection.id.clone()).collect();
    let (registered, found) =
        hub.store.read(move |db| Ok((rows::all(db)?, ids.iter().map(|id| canary::kept(db, id)).collect::<Result<Vec<_>>>()?))).await?;
    let row = |(live, found): (&Arc<crate::connections::Live>, canary::Kept)| {
        let called = is_called(live);
        let row = registered.get(&live.connection.id).filter(|_| called);
        RegistrationRow {
            connection: live.connection.id.clone(),
            name: live.connection.name.clone(),
            connector: live.connection.connector.clone(),
            called,
            state: row.map(|row| row.state.into()),
            desired_url: called.then(|| desired(hub, live)),
            confirmed_url: row.and_then(|row| row.confirmed_url.clone()),
            error: row.and_then(|row| row.error.clone()),
            tried_at: row.and_then(|row| row.tried_at),
            confirmed_at: row.and_then(|row| row.confirmed_at),
            hop: found.hop,
            reason: found.reason,
            proven_at: if called { found.proven_at } else { live.connection.proven_at.or(found.proven_at) },
        }
    };
    Ok(Items { items: lives.iter().zip(found).map(row).collect() })
}
