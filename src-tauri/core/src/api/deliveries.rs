//! The outbox, as Activity shows it.

use std::sync::Arc;

use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, Row, params_from_iter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{self, Page};
use super::messages::DeliveryMark;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, ConversationId, DeliveryId, MessageId};
use crate::say;

/// Which deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryFilter {
    /// Waiting.
    Queued,
    /// On their way.
    Sending,
    /// Cut off: they may have arrived.
    Unconfirmed,
    /// Taken by the service.
    Sent,
    /// On the customer's device.
    Delivered,
    /// Seen.
    Read,
    /// Refused, or given up.
    Failed,
    /// Given up for now; a person decides.
    Parked,
}

impl DeliveryFilter {
    /// The condition, written so that it meets its index.
    fn condition(self) -> &'static str {
        match self {
            Self::Queued => "d.status = 'queued'",
            Self::Sending => "d.status = 'sending'",
            Self::Unconfirmed => "d.status = 'unconfirmed'",
            Self::Sent => "d.status = 'sent'",
            Self::Delivered => "d.status = 'delivered'",
            Self::Read => "d.status = 'read'",
            Self::Failed => "d.status = 'failed'",
            Self::Parked => "d.parked = 1",
        }
    }
}

/// Which deliveries to list.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct ListDeliveries {
    /// Only these.
    pub status: Option<DeliveryFilter>,
    /// Only those of one connection.
    pub connection: Option<ConnectionId>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many, 200 at most.
    pub limit: Option<u32>,
}

/// Which delivery.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct RetryDelivery {
    /// Its id.
    pub id: DeliveryId,
}

/// The sending of one message.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct DeliveryRow {
    /// How far it came.
    #[serde(flatten)]
    pub mark: DeliveryMark,
    /// The message.
    pub message: MessageId,
    /// Where it was said.
    pub conversation: ConversationId,
    /// Over which connection.
    pub connection: ConnectionId,
    /// To whom, by name.
    pub contact: String,
    /// Its words, shortened.
    pub preview: String,
    /// When it is tried next, while it waits.
    pub due_at: Option<Timestamp>,
    /// When it was written.
    pub sent_at: Timestamp,
}

const SELECT: &str = "SELECT d.seq, d.id, d.status, d.reason, d.parked, d.attempts, d.action, m.id, c.id, d.connection, k.name,
    substr(m.text, 1, 160), d.due_at, m.sent_at
  FROM delivery d
  CROSS JOIN message m ON m.seq = d.message
  CROSS JOIN conversation c ON c.seq = d.conversation
  CROSS JOIN contact k ON k.id = c.contact";

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, DeliveryRow)> {
    let mark = DeliveryMark::read(row, 1)?;
    let waits = mark.status == crate::model::DeliveryStatus::Queued && !mark.parked;
    let delivery = DeliveryRow {
        mark,
        message: row.get(7)?,
        conversation: row.get(8)?,
        connection: row.get(9)?,
        contact: row.get(10)?,
        preview: row.get(11)?,
        due_at: row.get::<_, Option<Timestamp>>(12)?.filter(|_| waits),
        sent_at: row.get(13)?,
    };
    Ok((row.get(0)?, delivery))
}

/// What goes out, newest first.
pub async fn list_deliveries(hub: &Arc<Hub>, request: ListDeliveries) -> Result<Page<DeliveryRow>> {
    let limit = asked::limit(request.limit, 50)?;
    let before = asked::place::<i64>(request.cursor.as_deref())?.unwrap_or(i64::MAX);
    let rows = hub
        .store
        .read(move |db| {
            let mut filter = vec!["d.seq < ?"];
            let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(before)];
            filter.extend(request.status.map(DeliveryFilter::condition));
            if let Some(connection) = request.connection {
                filter.push("d.connection = ?");
                values.push(Box::new(connection));
            }
            values.push(Box::new(i64::try_from(limit + 1).unwrap_or(i64::MAX)));
            let sql = format!("{SELECT} WHERE {} ORDER BY d.seq DESC LIMIT ?", filter.join(" AND "));
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(values.iter()), read)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await?;
    Ok(Page::cut(rows, limit, |(seq, _)| *seq).map(|(_, row)| row))
}

/// The row of one delivery.
///
/// # Errors
/// `not_found` when there is none.
pub async fn row(hub: &Arc<Hub>, id: DeliveryId) -> Result<DeliveryRow> {
    hub.store
        .read(move |db| {
            let found = db.prepare_cached(&format!("{SELECT} WHERE d.id = ?"))?.query_row([&id], read).optional()?;
            found.map(|(_, row)| row).ok_or_else(not_found)
        })
        .await
}

/// What is said of a delivery that is not there.
pub(super) fn not_found() -> Error {
    Error::not_found(say!("This delivery is not there any more."))
}

/// Sends a failed, parked or unconfirmed message again.
pub async fn retry_delivery(hub: &Arc<Hub>, request: RetryDelivery) -> Result<DeliveryRow> {
    let id = request.id.clone();
    hub.store.write(move |tx| crate::outbox::retry(tx, &request.id)).await?;
    row(hub, id).await
}
