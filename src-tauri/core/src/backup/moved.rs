//! A hub that came from another computer: it stands still until its owner says that the other one is off.
//!
//! Two hubs with the same keys would take each other's messages and answer every customer twice. So a restored hub shows everything and
//! does nothing: what waited to be sent is parked, answers in the making are stopped, and neither listening nor webhooks begin.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::connector::Auth;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::model::Change;
use crate::say;
use crate::store::Tx;

const SETTING: &str = "moved";

/// That, and when, this hub came from another computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// When the backup was made.
    pub made_at: Timestamp,
    /// When it was restored here.
    pub restored_at: Timestamp,
    /// When its owner said that the other computer is off; missing = it still waits for that.
    pub confirmed_at: Option<Timestamp>,
    /// How many messages were waiting to be sent there, and are parked here.
    pub parked: u64,
}

/// A sign-in that may have to be done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInAgain {
    /// The connection.
    pub connection: ConnectionId,
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// Where this hub came from; `None` = it has always been here.
pub fn read(db: &Connection) -> Result<Option<Moved>> {
    let text: Option<String> = db.query_row("SELECT value FROM setting WHERE key = ?1", [SETTING], |row| row.get(0)).optional()?;
    Ok(text.as_deref().map(serde_json::from_str).transpose().map_err(anyhow::Error::from)?)
}

/// Whether it still waits for its owner's word.
pub fn waits(db: &Connection) -> Result<bool> {
    Ok(read(db)?.is_some_and(|moved| moved.confirmed_at.is_none()))
}

/// Customers' words from before this moment were, or will be, somebody else's to answer: the hub came here then.
pub fn since(db: &Connection) -> Result<Option<Timestamp>> {
    Ok(read(db)?.map(|moved| moved.confirmed_at.unwrap_or(moved.restored_at)))
}

/// Makes a database that comes from elsewhere one that does nothing by itself.
pub(super) fn hold_back(db: &Connection, made_at: Timestamp, now: Timestamp, language: &str) -> Result<()> {
    let why = say!("It was waiting on the other computer when the backup was made. If it has not left there, send it again.");
    let parked = db.execute(
        "UPDATE delivery SET status = 'failed', parked = 1, reason = ?1, done_at = ?2 WHERE status IN ('queued', 'sending')",
        params![why.in_language(language), now],
    )?;
    db.execute("UPDATE turn SET status = 'stopped', held = 0, finished_at = ?1 WHERE status IN ('wanted', 'running')", [now])?;
    db.execute("UPDATE conversion SET status = 'unconfirmed' WHERE status = 'sending'", [])?;
    // Where services call is proven anew from here.
    db.execute("UPDATE connection SET webhook = NULL, proven_at = NULL", [])?;
    let moved = Moved { made_at, restored_at: now, confirmed_at: None, parked: parked as u64 };
    write(db, &moved)
}

fn write(db: &Connection, moved: &Moved) -> Result<()> {
    let text = serde_json::to_string(moved).map_err(anyhow::Error::from)?;
    db.execute(
        "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
        [SETTING, text.as_str()],
    )?;
    Ok(())
}

/// The owner's word that the other computer is off: work begins here.
pub async fn confirm(hub: &Arc<Hub>) -> Result<()> {
    hub.store
        .write(|tx: &Tx<'_>| {
            let Some(moved) = read(tx)?.filter(|moved| moved.confirmed_at.is_none()) else { return Ok(()) };
            write(tx, &Moved { confirmed_at: Some(tx.now()), ..moved })?;
            tx.changed(Change::Settings);
            Ok(())
        })
        .await?;
    hub.holds_back.send_replace(false);
    Ok(())
}

/// The sign-ins that do not move along for certain: those a browser gave, and those that do not work.
pub fn sign_ins(hub: &Hub) -> Vec<SignInAgain> {
    use crate::model::ConnectionStatus as Status;
    let mut again = Vec::new();
    for live in hub.connections.all() {
        let why = match (&live.connection.status, &live.settings) {
            (Status::Draft, _) => continue,
            (Status::NeedsSignIn { reason }, _) => reason.clone(),
            (_, Err(sentence)) => hub.say(sentence),
            (_, Ok(_)) if live.connector.about().auth == Auth::Oauth => {
                hub.say(&say!("Signed in through a browser. The service may ask for that again on this computer."))
            }
            (_, Ok(_)) => continue,
        };
        again.push(SignInAgain { connection: live.connection.id.clone(), name: live.connection.name.clone(), why });
    }
    again
}
