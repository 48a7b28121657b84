//! What became of what the shop said. Only evidence moves a delivery, and only forward; evidence that comes before our own answer is stored
//! waits for it.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{Effect, Place, by_seq, by_thread, clipped};
use crate::clock::Timestamp;
use crate::connector::{Action, Evidence};
use crate::error::Result;
use crate::id::{ConnectionId, DeliveryId, MessageId};
use crate::model::Change;
use crate::store::{Stage, Tx};

/// How long something waits for its message: services repeat themselves for up to seven days.
const LONGEST_AHEAD: Duration = Duration::from_secs(8 * 24 * 3600);

impl Evidence {
    /// As the store writes it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed { .. } => "failed",
        }
    }

    pub(super) fn reason(&self, language: &str) -> Option<String> {
        match self {
            Self::Failed { reason, .. } => Some(reason.in_language(language)),
            Self::Sent | Self::Delivered | Self::Read => None,
        }
    }

    pub(super) fn action(&self) -> Option<Action> {
        match self {
            Self::Failed { action, .. } => *action,
            Self::Sent | Self::Delivered | Self::Read => None,
        }
    }
}

/// What a service told of a message of ours.
pub(super) struct Told<'a> {
    pub status: &'a str,
    pub reason: Option<String>,
    pub action: Option<Action>,
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    status: String,
    reason: Option<String>,
    action: Option<Action>,
}

/// Only forward: sent → delivered → read. What reached the customer cannot fail any more.
fn rank(status: &str) -> u8 {
    match status {
        "sent" => 1,
        "failed" => 2,
        "delivered" => 3,
        "read" => 4,
        _ => 0,
    }
}

struct Row {
    seq: i64,
    id: DeliveryId,
    status: String,
    conversation: i64,
    message: MessageId,
}

const ROW: &str = "SELECT d.seq, d.id, d.status, d.conversation, m.id FROM message m JOIN delivery d ON d.message = m.seq";

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row { seq: row.get(0)?, id: row.get(1)?, status: row.get(2)?, conversation: row.get(3)?, message: row.get(4)? })
}

/// Moves the delivery of a message, found by the service's name of it or by our own.
pub(super) fn moved(
    tx: &Tx<'_>,
    connection: &ConnectionId,
    external_id: &str,
    delivery: Option<&DeliveryId>,
    told: &Told<'_>,
) -> Result<Effect> {
    let mut found = tx
        .prepare_cached(&format!("{ROW} WHERE m.connection = ?1 AND m.external_id = ?2"))?
        .query_row(params![connection, external_id], row)
        .optional()?;
    if let (None, Some(id)) = (&found, delivery) {
        // Our own name came back: this also settles a delivery whose answer never came.
        found = tx
            .prepare_cached(&format!("{ROW} WHERE m.connection = ?1 AND d.id = ?2 AND d.status IN ('sending', 'unconfirmed', 'sent')"))?
            .query_row(params![connection, id], row)
            .optional()?;
        if let Some(found) = &found {
            tx.prepare_cached("UPDATE OR IGNORE message SET external_id = ?2 WHERE id = ?1 AND external_id IS NULL")?
                .execute(params![found.message, external_id])?;
        }
    }
    let Some(found) = found else {
        let known: Option<String> = tx
            .prepare_cached("SELECT body FROM ahead WHERE connection = ?1 AND external_id = ?2 AND kind = 'status'")?
            .query_row(params![connection, external_id], |row| row.get(0))
            .optional()?;
        let known = known.and_then(|body| serde_json::from_str::<Kept>(&body).ok());
        if known.is_none_or(|known| rank(&known.status) < rank(told.status)) {
            let kept = Kept { status: told.status.to_owned(), reason: told.reason.clone(), action: told.action };
            keep_ahead(tx, connection, external_id, "status", &serde_json::to_string(&kept).map_err(anyhow::Error::from)?, told.at)?;
        }
        return Ok(Effect::Nothing { what: "status of a message we do not know yet".into() });
    };
    if rank(told.status) <= rank(&found.status) {
        return Ok(Effect::Nothing { what: format!("{}, known already", told.status) });
    }
    tx.prepare_cached("UPDATE delivery SET status = ?2, reason = ?3, action = ?4, done_at = ?5 WHERE seq = ?1")?.execute(params![
        found.seq,
        told.status,
        told.reason,
        told.action.map(Action::as_str),
        told.at
    ])?;
    let conversation = by_seq(tx, found.conversation)?;
    tx.changed(Change::Delivery { id: found.id.clone(), conversation: conversation.id.clone() });
    tx.changed(Change::Message { id: found.message, conversation: conversation.id });
    // The next message of the conversation may have waited for this one.
    tx.wake(Stage::Outbox);
    Ok(Effect::Status { delivery: found.id, status: told.status.into() })
}

/// Everything that was sent up to then was seen.
pub(super) fn seen_up_to(tx: &Tx<'_>, place: &Place<'_>, thread: &str, external_id: Option<&str>, at: Timestamp) -> Result<Effect> {
    let Some(conversation) = by_thread(tx, place.connection, thread)? else {
        return Ok(Effect::Nothing { what: "seen, in a conversation we do not know".into() });
    };
    // Up to the message that was seen; a message that we do not know (sent elsewhere) was seen at that time.
    let upto: Option<i64> = match external_id {
        Some(external_id) => tx
            .prepare_cached("SELECT seq FROM message WHERE connection = ?1 AND external_id = ?2")?
            .query_row(params![place.connection, external_id], |row| row.get(0))
            .optional()?,
        None => None,
    };
    let mut statement = tx.prepare_cached(
        "SELECT d.seq, d.id, d.status, d.conversation, m.id FROM delivery d JOIN message m ON m.seq = d.message
         WHERE d.conversation = ?1 AND d.status IN ('sent', 'delivered') AND CASE WHEN ?2 IS NULL THEN m.sent_at <= ?3 ELSE m.seq <= ?2 END",
    )?;
    let seen: Vec<Row> = statement.query_map(params![conversation.seq, upto, at], row)?.collect::<rusqlite::Result<_>>()?;
    let mut last = None;
    for delivery in seen {
        tx.prepare_cached("UPDATE delivery SET status = 'read', reason = NULL, action = NULL, done_at = ?2 WHERE seq = ?1")?
            .execute(params![delivery.seq, at])?;
        tx.changed(Change::Delivery { id: delivery.id.clone(), conversation: conversation.id.clone() });
        tx.changed(Change::Message { id: delivery.message, conversation: conversation.id.clone() });
        last = Some(delivery.id);
    }
    Ok(last.map_or(Effect::Nothing { what: "seen, known already".into() }, |delivery| Effect::Status { delivery, status: "read".into() }))
}

/// Keeps what was told of a message that is not known yet.
pub(super) fn keep_ahead(tx: &Tx<'_>, connection: &ConnectionId, external_id: &str, kind: &str, body: &str, at: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO ahead (connection, external_id, kind, body, at, kept_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET body = excluded.body, at = excluded.at, kept_at = excluded.kept_at WHERE excluded.at >= ahead.at",
    )?
    .execute(params![connection, clipped(external_id, 512), kind, body, at, tx.now()])?;
    Ok(())
}

/// Takes what was kept, if anything was.
pub(super) fn take_ahead(tx: &Tx<'_>, connection: &ConnectionId, external_id: &str, kind: &str) -> Result<Option<(String, Timestamp)>> {
    // Nearly always there is nothing, and looking costs less than deleting nothing.
    let kept: Option<(String, Timestamp)> = tx
        .prepare_cached("SELECT body, at FROM ahead WHERE connection = ?1 AND external_id = ?2 AND kind = ?3")?
        .query_row(params![connection, external_id, kind], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if kept.is_some() {
        tx.prepare_cached("DELETE FROM ahead WHERE connection = ?1 AND external_id = ?2 AND kind = ?3")?.execute(params![
            connection,
            external_id,
            kind
        ])?;
    }
    Ok(kept)
}

/// Our own answer is stored now: applies the status that came before it.
pub fn settle_ahead(tx: &Tx<'_>, connection: &ConnectionId, external_id: &str) -> Result<()> {
    let Some((body, at)) = take_ahead(tx, connection, external_id, "status")? else { return Ok(()) };
    let kept: Kept = serde_json::from_str(&body).map_err(anyhow::Error::from)?;
    moved(tx, connection, external_id, None, &Told { status: &kept.status, reason: kept.reason, action: kept.action, at }).map(|_| ())
}

/// Forgets what waited in vain: statuses of messages that another program sent, mostly.
pub fn prune_ahead(tx: &Tx<'_>) -> Result<usize> {
    let before = Timestamp::from_millis(tx.now().millis() - i64::try_from(LONGEST_AHEAD.as_millis()).unwrap_or(i64::MAX));
    Ok(tx.prepare_cached("DELETE FROM ahead WHERE (connection, external_id, kind) IN (SELECT connection, external_id, kind FROM ahead WHERE kept_at < ?1 LIMIT 1000)")?.execute([before])?)
}
