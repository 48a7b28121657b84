//! Deliveries: order per conversation, pace per connection, retry, unconfirmed, give up.
//!
//! One claim = one HTTP attempt: `Sending` is written before the call and its outcome after it. What is found in `Sending` after
//! a crash may have arrived: it becomes `Unconfirmed`, the service is asked about it where it can tell, and it is never sent again
//! blindly. The claim is where ownership is enforced: see [`may_leave`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, params};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::connector::{Action, Outgoing, Receipt, ServiceError};
use crate::conversations;
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, ConversationId, DeliveryId, MessageId};
use crate::model::{Address, Author, Change, Content};
use crate::queue::{backoff, jittered};
use crate::say;
use crate::store::{Ring, Stage, Tx};
use crate::words::language;

mod leaving;
mod pace;
mod terms;
pub use leaving::Out;
pub use pace::Pace;
pub use terms::{Paced, Terms};

use leaving::{Call, Waits, leave};

/// How many calls may be out at once, in all and per connection.
const IN_FLIGHT: usize = 64;
const IN_FLIGHT_PER_CONNECTION: u32 = 24;
/// How often a delivery is tried before it is parked.
const ATTEMPTS: u32 = 9;
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// No call takes longer than this, whatever the connector's own limits.
const LONGEST_CALL: Duration = Duration::from_secs(120);
/// How long to wait before an outcome that could not be written is written again.
const WRITE_AGAIN: Duration = Duration::from_secs(2);
/// How often is looked whether a delivery that is due may leave, when nothing rings: its connection may be paused for days.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often the service is asked about an unconfirmed delivery.
const CHECKS: i64 = 4;

/// A claimed delivery: one attempt.
#[derive(Debug)]
pub struct Claimed {
    /// Its number.
    pub seq: i64,
    /// Which connection sends it.
    pub connection: ConnectionId,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// Its message.
    pub message: MessageId,
    /// How many attempts, this one included.
    pub attempts: u32,
    /// What the connector gets.
    pub outgoing: Outgoing,
}

/// Who wrote a delivery, and in which state of ownership.
struct Claim {
    /// The epoch in which an agent wrote it; `None` for a person's.
    written_in: Option<i64>,
    /// Whether it is an agent's last word after calling for a person.
    farewell: bool,
    /// The conversation's epoch now.
    epoch: i64,
    /// Whether the conversation is an agent's now.
    agents: bool,
}

/// The guard of ownership: an agent's words leave only while the conversation is still the agent's, in the epoch in which they were written.
fn may_leave(claim: &Claim) -> bool {
    match claim.written_in {
        None => true,
        Some(written_in) => written_in == claim.epoch && (claim.agents || claim.farewell),
    }
}

/// Claims up to `room` deliveries that may leave now: the first open one of each conversation, within each connection's allowance
/// (a connection that is not in `allowance` may send nothing).
pub fn claim(tx: &Tx<'_>, allowance: &HashMap<ConnectionId, Terms>, room: usize) -> Result<Vec<Claimed>> {
    let mut allowance = allowance.clone();
    let allowed = serde_json::to_string(&allowance.keys().collect::<Vec<_>>()).map_err(anyhow::Error::from)?;
    let mut statement = tx.prepare_cached(
        "SELECT d.seq, d.id, d.connection, d.attempts, d.epoch, d.farewell, c.epoch, c.owner_kind = 'agent', c.id, m.id, m.author_kind, m.author_id, m.content,
                c.thread, c.address_scheme, c.address_value, c.metadata, m.reply_to, k.connector, c.last_in_at,
                c.paced_until
         FROM delivery d
         JOIN conversation c ON c.seq = d.conversation
         JOIN message m ON m.seq = d.message
         JOIN connection k ON k.id = d.connection
         WHERE d.status = 'queued' AND d.due_at <= ?1 AND d.connection IN (SELECT value FROM json_each(?2))
           AND NOT EXISTS (SELECT 1 FROM delivery e WHERE e.conversation = d.conversation AND e.status IN ('queued', 'sending') AND e.seq < d.seq)
         ORDER BY d.due_at, d.seq LIMIT ?3",
    )?;
    let mut rows = statement.query(params![tx.now(), allowed, i64::try_from(room * 2).unwrap_or(i64::MAX)])?;
    let mut claimed = Vec::new();
    while let Some(row) = rows.next()? {
        if claimed.len() == room {
            break;
        }
        let (seq, id, connection): (i64, DeliveryId, ConnectionId) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (conversation, message): (ConversationId, MessageId) = (row.get(8)?, row.get(9)?);
        let ownership = Claim { written_in: row.get(4)?, farewell: row.get(5)?, epoch: row.get(6)?, agents: row.get(7)? };
        if !may_leave(&ownership) {
            settle(tx, seq, &conversation, &message, &id, "failed", Some("taken_over"))?;
            continue;
        }
        // A row that a crash of the disk or another program has spoiled waits for a person; every other one leaves all the same.
        let Some((content, metadata)) = readable(row.get_ref(12)?, row.get_ref(16)?) else {
            tracing::error!(delivery.id = %id, "A message cannot be read as it was stored; it is parked.");
            let why = say!("This message cannot be read as it was stored. Write it again.");
            tx.prepare_cached("UPDATE delivery SET parked = 1 WHERE seq = ?1")?.execute([seq])?;
            settle(tx, seq, &conversation, &message, &id, "failed", Some(&why.in_language(&language(tx)?)))?;
            continue;
        };
        let Some(terms) = allowance.get_mut(&connection).filter(|terms| terms.left > 0) else { continue };
        let author_id: Option<String> = row.get(11)?;
        let author = match row.get_ref(10)?.as_str()? {
            "agent" => Author::Agent { id: author_id.unwrap_or_default().into() },
            _ => Author::Person { id: author_id.map(Into::into) },
        };
        if terms.too_late(&author, &content, row.get(19)?, tx.now()) {
            keep_back(tx, seq, &conversation, &message, &id, &author)?;
            continue;
        }
        match terms.paced(row.get(20)?, tx.now()) {
            Paced::Later { at } => {
                tx.prepare_cached("UPDATE delivery SET due_at = ?2 WHERE seq = ?1")?.execute(params![seq, at])?;
                continue;
            }
            Paced::Now { empty_at } if terms.thread_pace.is_some() => {
                tx.prepare_cached("UPDATE conversation SET paced_until = ?2 WHERE id = ?1")?.execute(params![conversation, empty_at])?;
            }
            Paced::Now { .. } => {}
        }
        terms.left -= 1;
        let attempts: u32 = row.get::<_, u32>(3)? + 1;
        tx.prepare_cached("UPDATE delivery SET status = 'sending', attempts = ?2, claimed_at = ?3 WHERE seq = ?1 AND status = 'queued'")?
            .execute(params![seq, attempts, tx.now()])?;
        tx.changed(Change::Delivery { id: id.clone(), conversation: conversation.clone() });
        claimed.push(Claimed {
            seq,
            connection,
            conversation,
            message,
            attempts,
            outgoing: Outgoing {
                delivery: id,
                thread: row.get(13)?,
                to: Address { connector: row.get(18)?, scheme: row.get(14)?, value: row.get(15)? },
                author,
                content,
                reply_to: row.get(17)?,
                last_in_at: row.get(19)?,
                metadata,
            },
        });
    }
    Ok(claimed)
}

/// The one part of a message that is to be sent, and what the connector keeps of the thread; `None` where either is spoiled.
fn readable(content: ValueRef<'_>, metadata: ValueRef<'_>) -> Option<(Content, serde_json::Map<String, serde_json::Value>)> {
    let content: Vec<Content> = serde_json::from_str(content.as_str().ok()?).ok()?;
    let metadata: serde_json::Value = serde_json::from_str(metadata.as_str().ok()?).ok()?;
    Some((content.into_iter().next()?, metadata.as_object().cloned().unwrap_or_default()))
}

/// The customer's last word is too long ago for a free answer: the message stays here. An agent's is handed to a person, who may send a
/// template.
fn keep_back(tx: &Tx<'_>, seq: i64, conversation: &ConversationId, message: &MessageId, id: &DeliveryId, author: &Author) -> Result<()> {
    let why = say!("The customer's last message is too long ago for a free answer here. Send a template, or wait until they write.");
    let why = why.in_language(&language(tx)?);
    tx.prepare_cached("UPDATE delivery SET action = ?2 WHERE seq = ?1")?.execute(params![seq, Action::UseTemplate.as_str()])?;
    settle(tx, seq, conversation, message, id, "failed", Some(&why))?;
    if matches!(author, Author::Agent { .. }) {
        conversations::ownership::call_person(tx, conversation, None, &why, "medium", "")?;
    }
    Ok(())
}

fn settle(
    tx: &Tx<'_>,
    seq: i64,
    conversation: &ConversationId,
    message: &MessageId,
    id: &DeliveryId,
    status: &str,
    reason: Option<&str>,
) -> Result<()> {
    tx.prepare_cached("UPDATE delivery SET status = ?2, reason = ?3, done_at = ?4 WHERE seq = ?1")?.execute(params![
        seq,
        status,
        reason,
        tx.now()
    ])?;
    tx.changed(Change::Delivery { id: id.clone(), conversation: conversation.clone() });
    tx.changed(Change::Message { id: message.clone(), conversation: conversation.clone() });
    tx.wake(Stage::Outbox);
    Ok(())
}

/// What one attempt came to.
#[derive(Debug)]
pub enum Outcome {
    /// The service took it.
    Sent(Receipt),
    /// Try again then.
    Later(Duration),
    /// The service named a wait: try again then, as if this attempt had not been.
    Slowed(Duration),
    /// Give up, for a reason a person can read; `parked` = trying again by hand may help.
    Failed {
        /// Why.
        reason: String,
        /// What helps, where the service's answer tells.
        action: Option<Action>,
        /// Whether it waits in the parked list.
        parked: bool,
    },
    /// It may have arrived.
    Unconfirmed,
    /// The connection's credentials are refused: wait until its owner mends it.
    Held,
}

/// Writes the outcome of one attempt.
pub fn finish(tx: &Tx<'_>, claimed: &Claimed, outcome: &Outcome) -> Result<()> {
    let settle =
        |status, reason| settle(tx, claimed.seq, &claimed.conversation, &claimed.message, &claimed.outgoing.delivery, status, reason);
    // The service may have told more already than its own answer: that it was delivered, or that it failed after all. A broken
    // connection is no proof against that, and nothing of it is sent again.
    let status: String = tx.prepare_cached("SELECT status FROM delivery WHERE seq = ?1")?.query_row([claimed.seq], |row| row.get(0))?;
    let open = status == "sending";
    match outcome {
        Outcome::Sent(receipt) => {
            // A service that hands out one id twice must not make the delivery fail: the id is then left out.
            tx.prepare_cached("UPDATE OR IGNORE message SET external_id = ?2 WHERE id = ?1")?
                .execute(params![claimed.message, receipt.external_id])?;
            if open {
                settle("sent", None)?;
            }
            conversations::settle_ahead(tx, &claimed.connection, &receipt.external_id)
        }
        _ if !open => Ok(()),
        Outcome::Later(wait) => {
            tx.prepare_cached("UPDATE delivery SET due_at = ?2 WHERE seq = ?1")?.execute(params![claimed.seq, tx.now().plus(*wait)])?;
            settle("queued", None)
        }
        Outcome::Slowed(wait) => {
            tx.prepare_cached("UPDATE delivery SET attempts = attempts - 1, due_at = ?2 WHERE seq = ?1")?
                .execute(params![claimed.seq, tx.now().plus(*wait)])?;
            settle("queued", None)
        }
        Outcome::Held => {
            tx.prepare_cached("UPDATE delivery SET attempts = attempts - 1 WHERE seq = ?1")?.execute([claimed.seq])?;
            settle("queued", None)
        }
        Outcome::Failed { reason, action, parked } => {
            tx.prepare_cached("UPDATE delivery SET parked = ?2, action = ?3 WHERE seq = ?1")?.execute(params![
                claimed.seq,
                parked,
                action.map(Action::as_str)
            ])?;
            settle("failed", Some(reason))
        }
        Outcome::Unconfirmed => {
            tx.prepare_cached("UPDATE delivery SET due_at = ?2, checks = 0 WHERE seq = ?1")?
                .execute(params![claimed.seq, tx.now().plus(Duration::from_secs(3))])?;
            settle("unconfirmed", None)
        }
    }
}

/// After a crash: what was out may have arrived. Also heals due times of a clock that ran ahead.
pub fn recover(tx: &Tx<'_>) -> Result<usize> {
    // Nothing waits longer than that by itself; a service that asked for more says so again.
    tx.execute(
        "UPDATE delivery SET due_at = ?1 WHERE status IN ('queued', 'unconfirmed') AND due_at > ?2",
        params![tx.now(), tx.now().plus(LONGEST_WAIT)],
    )?;
    Ok(tx.execute("UPDATE delivery SET status = 'unconfirmed', due_at = ?1, checks = 0 WHERE status = 'sending'", [tx.now()])?)
}

/// A person wants it tried again.
///
/// # Errors
/// Not found; or a conflict when it is not in a state to be tried.
pub fn retry(tx: &Tx<'_>, id: &DeliveryId) -> Result<()> {
    let row: Option<(i64, String, ConversationId, MessageId)> = tx
        .prepare_cached(
            "SELECT d.seq, d.status, c.id, m.id FROM delivery d JOIN conversation c ON c.seq = d.conversation JOIN message m ON m.seq = d.message WHERE d.id = ?1",
        )?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((seq, status, conversation, message)) = row else {
        return Err(Error::not_found(say!("This message is not waiting to be sent.")));
    };
    if status != "failed" && status != "unconfirmed" {
        return Err(Error::new(Code::Conflict, say!("This message is on its way or has arrived already.")));
    }
    // It is a person's decision now, whoever wrote it: ownership no longer holds it back.
    tx.prepare_cached("UPDATE delivery SET epoch = NULL, attempts = 0, parked = 0, due_at = ?2 WHERE seq = ?1")?
        .execute(params![seq, tx.now()])?;
    settle(tx, seq, &conversation, &message, id, "queued", None)
}

/// The stage: lets leave what may until told to stop. What is out then is waited for by whoever stops the hub: cutting it off would leave it
/// unconfirmed.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let stages = hub.store.stages().clone();
    let (known, mut waits) = watch::channel(Waits::default());
    let known = Arc::new(known);
    let (weak, told) = (Arc::downgrade(&hub), known.clone());
    stages.join(
        Stage::Outbox,
        Arc::new(move |tx| {
            let Some(hub) = weak.upgrade() else { return Ok(Ring::No) };
            leave(tx, &hub, &told)
        }),
    );
    // What waits since before the start.
    let mut pause = look(&hub, &known).await;
    while !stop.is_cancelled() {
        let idle = waits.borrow_and_update().idle(hub.store.clock().now());
        let wait = if pause.is_zero() { idle } else { pause };
        tokio::select! {
            () = stop.cancelled() => break,
            // Nothing that was told before this loop looked is missed: the value itself is read above.
            Ok(()) = waits.changed() => {}
            () = stages.of(Stage::Outbox).notified() => pause = look(&hub, &known).await,
            () = tokio::time::sleep(wait) => pause = look(&hub, &known).await,
        }
    }
    stages.part(Stage::Outbox);
    // Every commit that still claimed something has ended when this one has: its calls are out, and are waited for.
    if let Err(error) = hub.store.write(|_| Ok(())).await {
        tracing::warn!(error = ?error, "The outbox could not see to its end.");
    }
}

/// Asks about what may have arrived, and claims what may leave now in a commit of its own. How long to leave the database alone after a
/// failure.
async fn look(hub: &Arc<Hub>, known: &Arc<watch::Sender<Waits>>) -> Duration {
    let looked = async {
        reconcile_due(hub).await?;
        let (inside, known) = (hub.clone(), known.clone());
        hub.store.write(move |tx| leave(tx, &inside, &known)).await
    };
    match looked.await {
        Ok(_) => Duration::ZERO,
        Err(error) => {
            tracing::error!(error = ?error, "The outbox could not be read; trying again.");
            Duration::from_secs(2)
        }
    }
}

async fn attempt(hub: Arc<Hub>, claimed: Claimed, call: Call) {
    // A panic in a connector says nothing about whether the message left.
    let outcome = std::panic::AssertUnwindSafe(send(&hub, &claimed)).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(connection.id = %claimed.connection, delivery.id = %claimed.outgoing.delivery, "A connector panicked while sending.");
        Outcome::Unconfirmed
    });
    // The call has ended: the commit that writes what it came to may begin the next one.
    drop(call);
    let connection = claimed.connection.clone();
    if let Outcome::Held = outcome {
        hub.pace.hold(&connection, hub.store.clock().now().plus(Duration::from_secs(30)));
    }
    // While it is not written (the disk may be full) the conversation's next message waits for this one. If the program ends
    // meanwhile, the next start finds it in Sending and says "not sure". Nothing is sent twice.
    let result = Arc::new((claimed, outcome));
    loop {
        let result = result.clone();
        let Err(error) = hub.store.write(move |tx| finish(tx, &result.0, &result.1)).await else { break };
        tracing::error!(error = ?error, connection.id = %connection, "The outcome of a delivery could not be written; trying again.");
        if hub.stopping().is_cancelled() {
            break;
        }
        tokio::time::sleep(WRITE_AGAIN).await;
    }
}

async fn send(hub: &Arc<Hub>, claimed: &Claimed) -> Outcome {
    let Some(live) = hub.connections.get(&claimed.connection) else {
        return Outcome::Failed { reason: say!("The connection is not there any more.").to_string(), action: None, parked: true };
    };
    let Some((channel, link)) = live.connector.channel().zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref())) else {
        return Outcome::Held;
    };
    let answer = tokio::time::timeout(LONGEST_CALL, channel.send(link, &claimed.outgoing)).await.unwrap_or(Err(ServiceError::Ambiguous));
    let again = || backoff(claimed.attempts.saturating_sub(1), FIRST_WAIT, LONGEST_WAIT);
    match answer {
        Ok(receipt) => Outcome::Sent(receipt),
        Err(ServiceError::Ambiguous) => Outcome::Unconfirmed,
        Err(ServiceError::RateLimited { retry_after }) => {
            // Obeyed for the whole connection. A wait that the service named is never counted as a failed attempt.
            let wait = retry_after.map_or_else(again, |wait| wait + jittered(Duration::from_millis(500)));
            hub.pace.hold(&claimed.connection, hub.store.clock().now().plus(wait));
            if retry_after.is_some() { Outcome::Slowed(wait) } else { Outcome::Later(wait) }
        }
        Err(ServiceError::ThreadLimited { retry_after }) => Outcome::Slowed(retry_after + jittered(Duration::from_millis(500))),
        Err(ServiceError::Unauthorized(sentence)) => {
            hub.needs_sign_in(&claimed.connection, &sentence).await;
            Outcome::Held
        }
        Err(ServiceError::Permanent(sentence) | ServiceError::TooLong(sentence)) => {
            Outcome::Failed { reason: hub.say(&sentence), action: None, parked: false }
        }
        Err(ServiceError::Refused { action, sentence }) => {
            // What somebody can mend waits in the parked list; the rest would only be refused again.
            let parked = matches!(action, Action::Pay | Action::FixAccount | Action::GrantPermission | Action::SlowDown);
            Outcome::Failed { reason: hub.say(&sentence), action: Some(action), parked }
        }
        Err(ServiceError::OutOfCredit(sentence)) => Outcome::Failed { reason: hub.say(&sentence), action: Some(Action::Pay), parked: true },
        Err(ServiceError::Temporary(sentence)) if claimed.attempts >= ATTEMPTS => {
            Outcome::Failed { reason: hub.say(&sentence), action: None, parked: true }
        }
        Err(ServiceError::Temporary(_)) => Outcome::Later(again()),
    }
}

/// Asks services about deliveries that may have arrived, beside the main work: one that does not answer holds up nobody.
async fn reconcile_due(hub: &Arc<Hub>) -> Result<()> {
    let now = hub.store.clock().now();
    let is_due: bool = hub
        .store
        .read(move |db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM delivery WHERE status = 'unconfirmed' AND checks < ?1 AND due_at <= ?2)";
            Ok(db.prepare_cached(sql)?.query_row(params![CHECKS, now], |row| row.get(0))?)
        })
        .await?;
    if !is_due {
        return Ok(());
    }
    for (id, connection) in hub.store.write(checked).await? {
        let (inner, stop) = (hub.clone(), hub.stopping());
        hub.spawn(async move {
            let told = tokio::select! {
                () = stop.cancelled() => return,
                told = reconcile(&inner, &id, &connection) => told,
            };
            if let Err(error) = told {
                tracing::error!(error = ?error, delivery.id = %id, "What a service said of a delivery could not be written; it is asked again.");
            }
        });
    }
    Ok(())
}

/// Notes for deliveries whose fate is to be asked now when they are to be asked again, should the answer be of no help.
fn checked(tx: &Tx<'_>) -> Result<Vec<(DeliveryId, ConnectionId)>> {
    let mut statement = tx.prepare_cached(
        "SELECT id, connection, checks FROM delivery WHERE status = 'unconfirmed' AND checks < ?1 AND due_at <= ?2 ORDER BY seq LIMIT 16",
    )?;
    let rows = statement.query_map(params![CHECKS, tx.now()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let due: Vec<(DeliveryId, ConnectionId, i64)> = rows.collect::<rusqlite::Result<_>>()?;
    for (id, _, checks) in &due {
        // Longer than the question itself may take, so that nobody is asked twice at once.
        let next = tx.now().plus(Duration::from_secs(45 << (2 * checks).clamp(0, 8)));
        tx.prepare_cached("UPDATE delivery SET checks = checks + 1, due_at = ?2 WHERE id = ?1")?.execute(params![id, next])?;
    }
    Ok(due.into_iter().map(|(id, connection, _)| (id, connection)).collect())
}

async fn reconcile(hub: &Arc<Hub>, id: &DeliveryId, connection: &ConnectionId) -> Result<()> {
    let Some(receipt) = ask(hub, id, connection).await? else { return Ok(()) };
    let id = id.clone();
    hub.store
        .write(move |tx| {
            let open: Option<(i64, ConversationId, MessageId)> = tx
                .prepare_cached(
                    "SELECT d.seq, c.id, m.id FROM delivery d JOIN conversation c ON c.seq = d.conversation JOIN message m ON m.seq = d.message WHERE d.id = ?1 AND d.status = 'unconfirmed'",
                )?
                .query_row([&id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            // Meanwhile the service may have told by itself, or a person may have sent it again.
            let Some((seq, conversation, message)) = open else { return Ok(()) };
            tx.prepare_cached("UPDATE OR IGNORE message SET external_id = ?2 WHERE id = ?1")?.execute(params![message, receipt.external_id])?;
            settle(tx, seq, &conversation, &message, &id, "sent", None)
        })
        .await
}

async fn ask(hub: &Arc<Hub>, id: &DeliveryId, connection: &ConnectionId) -> Result<Option<Receipt>> {
    let Some(live) = hub.connections.get(connection) else { return Ok(None) };
    let Some((channel, link)) = live.connector.channel().zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref())) else {
        return Ok(None);
    };
    let id = id.clone();
    let outgoing = hub.store.read(move |db| outgoing(db, &id)).await?;
    match tokio::time::timeout(Duration::from_secs(30), channel.reconcile(link, &outgoing)).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => {
            tracing::debug!(%error, connection.id = %connection, "The service could not be asked about a delivery.");
            Ok(None)
        }
        Err(_) => Ok(None),
    }
}

fn outgoing(db: &rusqlite::Connection, id: &DeliveryId) -> Result<Outgoing> {
    let row = db
        .prepare_cached(
            "SELECT m.content, c.thread, c.address_scheme, c.address_value, c.metadata, m.reply_to, k.connector, m.author_kind, m.author_id, c.last_in_at FROM delivery d
             JOIN message m ON m.seq = d.message JOIN conversation c ON c.seq = d.conversation JOIN connection k ON k.id = d.connection WHERE d.id = ?1",
        )?
        .query_row([id], |row| {
            let author_id: Option<String> = row.get(8)?;
            let author = if row.get_ref(7)?.as_str()? == "agent" {
                Author::Agent { id: author_id.unwrap_or_default().into() }
            } else {
                Author::Person { id: author_id.map(Into::into) }
            };
            let metadata: serde_json::Value = row.get(4)?;
            Ok((
                row.get::<_, String>(0)?,
                Outgoing {
                    delivery: id.clone(),
                    thread: row.get(1)?,
                    to: Address { connector: row.get(6)?, scheme: row.get(2)?, value: row.get(3)? },
                    author,
                    content: Content::Text { text: String::new() },
                    reply_to: row.get(5)?,
                    last_in_at: row.get(9)?,
                    metadata: metadata.as_object().cloned().unwrap_or_default(),
                },
            ))
        })?;
    let content: Vec<Content> = serde_json::from_str(&row.0).map_err(anyhow::Error::from)?;
    Ok(Outgoing { content: content.into_iter().next().unwrap_or(Content::Text { text: String::new() }), ..row.1 })
}

#[cfg(test)]
mod tests;
