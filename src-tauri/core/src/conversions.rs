//! What became of customers who came through an advertisement, told to the service's advertising: each event once for a click.
//!
//! A rule of the connection, an agent's tool or a person of the shop asks for a report ([`want`]); [`run`] makes the call within seconds.
//! The service cannot tell a repeated report from a second one, so a call whose answer was lost is never made again.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection as Db, OptionalExtension, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use ts_rs::TS;

use crate::clock::Timestamp;
use crate::connector::{Conversion, Referral, Reports, ServiceError};
use crate::conversations::Conversation;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, ConversationId, ConversionId};
use crate::model::{Address, Change};
use crate::queue::backoff;
use crate::say;
use crate::store::{Stage, Tx};

/// How long after a click something may be reported.
pub const LATEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often a report is tried before it is given up.
const ATTEMPTS: i64 = 10;
/// No call takes longer.
const LONGEST: Duration = Duration::from_secs(30);
/// How long to wait after trouble of our own, and how often to look when nothing rings.
const TROUBLE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_secs(60);

/// What became of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConversionEvent {
    /// They wrote.
    LeadSubmitted,
    /// They are likely to buy.
    QualifiedLead,
    /// They bought.
    Purchase,
}

impl ConversionEvent {
    /// As it is stored and as services know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeadSubmitted => "LeadSubmitted",
            Self::QualifiedLead => "QualifiedLead",
            Self::Purchase => "Purchase",
        }
    }
}

impl FromSql for ConversionEvent {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        let all = [Self::LeadSubmitted, Self::QualifiedLead, Self::Purchase];
        all.into_iter().find(|event| event.as_str() == text).ok_or(FromSqlError::InvalidType)
    }
}

/// Something to report.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What.
    pub event: ConversionEvent,
    /// What it was worth: ISO 4217 currency and amount.
    pub value: Option<(String, f64)>,
}

/// The click that brought the customer, if there was one that can be reported on.
pub fn click(db: &Db, conversation: i64) -> Result<Option<(String, Timestamp)>> {
    let referral: Option<String> =
        db.prepare_cached("SELECT referral FROM conversation WHERE seq = ?1")?.query_row([conversation], |row| row.get(0))?;
    let Some(referral) = referral else { return Ok(None) };
    let referral: Referral = serde_json::from_str(&referral).map_err(anyhow::Error::from)?;
    Ok(referral.click_id.filter(|id| !id.trim().is_empty()).zip(referral.at))
}

/// Queues a report. `false` = the same was asked for already.
///
/// # Errors
/// A sentence when there is no click, it is too old, or a purchase has no amount.
pub fn want(tx: &Tx<'_>, conversation: &Conversation, wanted: &Wanted) -> Result<bool> {
    let Some((click, at)) = click(tx, conversation.seq)? else {
        return Err(Error::new(
            Code::Conflict,
            say!("This customer did not come through an advertisement, so there is nothing to report."),
        ));
    };
    if tx.now().since(at) > LATEST {
        return Err(Error::new(
            Code::Conflict,
            say!("The click was more than seven days ago. After that the advertising takes no reports."),
        ));
    }
    if let Some((currency, amount)) = &wanted.value {
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(Error::field("currency", say!("Write the currency with three letters, such as BRL.")));
        }
        if !amount.is_finite() || *amount < 0.0 {
            return Err(Error::field("amount", say!("Write an amount of zero or more.")));
        }
    } else if wanted.event == ConversionEvent::Purchase {
        return Err(Error::field("amount", say!("A purchase is reported with its amount.")));
    }
    let (currency, amount) = wanted.value.clone().unzip();
    let added = tx
        .prepare_cached(
            "INSERT OR IGNORE INTO conversion (id, conversation, connection, click_id, event, currency, amount, at, status, due_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'queued', ?8)",
        )?
        .execute(params![
            ConversionId::new(),
            conversation.seq,
            conversation.connection,
            click,
            wanted.event.as_str(),
            currency,
            amount,
            tx.now()
        ])?;
    tx.changed(Change::Conversation { id: conversation.id.clone() });
    tx.wake(Stage::Reports);
    Ok(added > 0)
}

/// A customer came through an advertisement and wrote: where the owner wants every lead reported, this one is.
pub fn lead(tx: &Tx<'_>, reports: Reports, conversation: &Conversation) -> Result<()> {
    if reports != Reports::EveryLead {
        return Ok(());
    }
    if click(tx, conversation.seq)?.is_some_and(|(_, at)| tx.now().since(at) <= LATEST) {
        want(tx, conversation, &Wanted { event: ConversionEvent::LeadSubmitted, value: None })?;
    }
    Ok(())
}

/// Reports whose call was out when the program ended: nobody knows whether they arrived.
pub fn recover(tx: &Tx<'_>) -> Result<()> {
    tx.execute("UPDATE conversion SET status = 'unconfirmed' WHERE status = 'sending'", [])?;
    Ok(())
}

struct Claimed {
    id: ConversionId,
    connection: ConnectionId,
    conversation: ConversationId,
    attempts: i64,
    report: Conversion,
}

/// Makes the calls until `stop`.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let stages = hub.store.stages().clone();
    loop {
        let wait = match round(&hub).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(error = ?error, "Reports to advertising could not be made; trying again.");
                TROUBLE
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = stages.of(Stage::Reports).notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Makes every call that is due; how long until the next one is.
async fn round(hub: &Arc<Hub>) -> Result<Duration> {
    while let Some(one) = hub.store.write(claim).await? {
        let (outcome, language) = (call(hub, &one).await, hub.language());
        hub.store.write(move |tx| settle(tx, &one, outcome, &language)).await?;
    }
    let next: Option<Timestamp> =
        hub.store.read(|db| Ok(db.query_row("SELECT min(due_at) FROM conversion WHERE status = 'queued'", [], |row| row.get(0))?)).await?;
    Ok(next.map_or(LOOK, |at| at.since(hub.store.clock().now()).clamp(Duration::from_millis(100), LOOK)))
}

/// The next report that is due. Never more than one: what is marked as under way and was not is lost when the program dies.
fn claim(tx: &Tx<'_>) -> Result<Option<Claimed>> {
    let mut statement = tx.prepare_cached(
        "SELECT r.id, r.connection, c.id, r.attempts, r.event, r.at, r.click_id, r.currency, r.amount, n.connector, c.address_scheme, c.address_value
         FROM conversion r JOIN conversation c ON c.seq = r.conversation JOIN connection n ON n.id = r.connection
         WHERE r.status = 'queued' AND r.due_at <= ?1 ORDER BY r.due_at LIMIT 1",
    )?;
    let claimed = statement.query_row([tx.now()], |row| {
        let id: ConversionId = row.get(0)?;
        Ok(Claimed {
            connection: row.get(1)?,
            conversation: row.get(2)?,
            attempts: row.get(3)?,
            report: Conversion {
                id: id.as_str().to_owned(),
                event: row.get(4)?,
                at: row.get(5)?,
                click_id: row.get(6)?,
                value: row.get::<_, Option<String>>(7)?.zip(row.get(8)?),
                to: Address { connector: row.get(9)?, scheme: row.get(10)?, value: row.get(11)? },
            },
            id,
        })
    });
    let claimed = claimed.optional()?;
    if let Some(one) = &claimed {
        tx.prepare_cached("UPDATE conversion SET status = 'sending', attempts = attempts + 1 WHERE id = ?1")?.execute([&one.id])?;
    }
    Ok(claimed)
}

async fn call(hub: &Arc<Hub>, claimed: &Claimed) -> std::result::Result<(), ServiceError> {
    let live = hub.connections.get(&claimed.connection);
    let off = || ServiceError::Permanent(say!("Reports are switched off for this connection."));
    let live = live.filter(|live| live.reports() != Reports::Never).ok_or_else(off)?;
    let (channel, link) = live.connector.channel().zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref())).ok_or_else(off)?;
    tokio::time::timeout(LONGEST, channel.report(link, &claimed.report)).await.unwrap_or(Err(ServiceError::Ambiguous))
}

fn settle(tx: &Tx<'_>, claimed: &Claimed, outcome: std::result::Result<(), ServiceError>, language: &str) -> Result<()> {
    let (status, reason, due_at) = match outcome {
        Ok(()) => ("sent", None, tx.now()),
        Err(ServiceError::Ambiguous) => ("unconfirmed", None, tx.now()),
        Err(error @ (ServiceError::Permanent(_) | ServiceError::Refused { .. } | ServiceError::TooLong(_))) => {
            ("failed", Some(error.sentence()), tx.now())
        }
        Err(error) if claimed.attempts + 1 >= ATTEMPTS => ("failed", Some(error.sentence()), tx.now()),
        Err(error) => {
            let asked = match &error {
                ServiceError::RateLimited { retry_after } => *retry_after,
                ServiceError::ThreadLimited { retry_after } => Some(*retry_after),
                _ => None,
            };
            let attempts = u32::try_from(claimed.attempts).unwrap_or(u32::MAX);
            let wait = asked.unwrap_or_else(|| backoff(attempts, Duration::from_secs(2), Duration::from_secs(600)));
            ("queued", Some(error.sentence()), tx.now().plus(wait))
        }
    };
    let reason = reason.map(|sentence| sentence.in_language(language));
    tx.prepare_cached("UPDATE conversion SET status = ?2, reason = ?3, due_at = ?4 WHERE id = ?1")?
        .execute(params![claimed.id, status, reason, due_at])?;
    tx.changed(Change::Conversation { id: claimed.conversation.clone() });
    Ok(())
}

/// A report, as it is shown.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "ConversionReport")]
#[ts(rename = "ConversionReport", optional_fields = nullable)]
pub struct Row {
    /// Its id.
    pub id: ConversionId,
    /// What was reported.
    pub event: ConversionEvent,
    /// ISO 4217.
    pub currency: Option<String>,
    /// What it was worth.
    pub amount: Option<f64>,
    /// When it happened.
    pub at: Timestamp,
    /// "queued", "sending", "sent", "failed" or "unconfirmed".
    pub status: String,
    /// Why it failed or waits, in words.
    pub reason: Option<String>,
}

/// The reports of a conversation, oldest first.
pub fn of(db: &Db, conversation: i64) -> Result<Vec<Row>> {
    let mut statement = db
        .prepare_cached("SELECT id, event, currency, amount, at, status, reason FROM conversion WHERE conversation = ?1 ORDER BY at, id")?;
    let rows = statement.query_map([conversation], |row| {
        Ok(Row {
            id: row.get(0)?,
            event: row.get(1)?,
            currency: row.get(2)?,
            amount: row.get(3)?,
            at: row.get(4)?,
            status: row.get(5)?,
            reason: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
