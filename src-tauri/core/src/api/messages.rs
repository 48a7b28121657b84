//! What was said in a conversation.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{self, Page};
use super::conversations;
use crate::clock::Timestamp;
use crate::connector::Action;
use crate::error::Result;
use crate::hub::Hub;
use crate::id::{AgentId, ConversationId, DeliveryId, MediaId, MessageId, PersonId, TurnId};
use crate::model::{Content, DeliveryStatus, Direction, Source};

/// Whose messages, and where to go on.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct ListMessages {
    /// The conversation.
    pub conversation: ConversationId,
    /// Where to go on.
    #[serde(default)]
    pub cursor: Option<String>,
    /// How many, 200 at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Whose word it is, with their name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "Author")]
#[ts(rename = "Author")]
pub enum AuthorRow {
    /// The customer.
    Contact {
        /// Their name.
        name: Option<String>,
    },
    /// An agent.
    Agent {
        /// Which one.
        id: AgentId,
        /// Its name; null when it was deleted.
        name: Option<String>,
    },
    /// Somebody of the shop; the owner of this computer without `id`.
    Person {
        /// Which one.
        id: Option<PersonId>,
        /// Their name.
        name: Option<String>,
    },
    /// Shopbell itself: an activity line.
    System {},
}

/// How far the sending of a message came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[schemars(rename = "Delivery")]
#[ts(rename = "Delivery", optional_fields = nullable)]
pub struct DeliveryMark {
    /// Its id, for a retry.
    pub id: DeliveryId,
    /// How far.
    pub status: DeliveryStatus,
    /// Why it did not get farther, in words.
    pub reason: Option<String>,
    /// It was given up for now and waits for a person.
    pub parked: bool,
    /// How often it was tried.
    pub attempts: i64,
    /// What helps, where the service's answer tells: the screens have a button for it.
    pub action: Option<Action>,
}

impl DeliveryMark {
    /// From six columns of a row: id, status, reason, parked, attempts, action.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(first)?,
            status: DeliveryStatus::parse(row.get_ref(first + 1)?.as_str()?).unwrap_or(DeliveryStatus::Queued),
            reason: row.get(first + 2)?,
            parked: row.get(first + 3)?,
            attempts: row.get(first + 4)?,
            action: row.get::<_, Option<String>>(first + 5)?.and_then(|action| serde_json::from_value(action.into()).ok()),
        })
    }
}

/// A file that is not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct FileMark {
    /// Which.
    pub media: MediaId,
    /// It was given up; `retry_media` tries again. Else it is on its way, or waits for its connection.
    pub failed: bool,
    /// What keeps it, in words.
    pub reason: Option<String>,
}

/// One thing that was said.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "Message")]
#[ts(rename = "Message", optional_fields = nullable)]
pub struct MessageRow {
    /// Its id.
    pub id: MessageId,
    /// Where it was said.
    pub conversation: ConversationId,
    /// Who said it.
    pub author: AuthorRow,
    /// Which way it went.
    pub direction: Direction,
    /// What was said.
    pub content: Vec<Content>,
    /// When.
    pub sent_at: Timestamp,
    /// The service's own name for it.
    pub external_id: Option<String>,
    /// How far its sending came.
    pub delivery: Option<DeliveryMark>,
    /// It had left already when a person took over.
    pub late: bool,
    /// Its files that are not here, or not yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<FileMark>>")]
    pub files: Vec<FileMark>,
    /// Where an agent's words come from.
    pub sources: Vec<Source>,
    /// The answer of an agent it belongs to.
    pub turn: Option<TurnId>,
    /// When it was changed.
    pub edited_at: Option<Timestamp>,
    /// When it was taken back.
    pub deleted_at: Option<Timestamp>,
    /// The message it answers, as the service names it.
    pub reply_to: Option<String>,
    /// It was passed on from somewhere else.
    pub forwarded: bool,
    /// It was said while the hub was not there.
    pub caught_up: bool,
    /// The caller's own name for it.
    pub client_key: Option<String>,
}

/// An agent's delivery of an earlier epoch that was on its way while somebody took over.
const LATE: &str = "(d.epoch IS NOT NULL AND d.epoch < c.epoch AND d.claimed_at IS NOT NULL AND d.status <> 'queued' AND EXISTS (
    SELECT 1 FROM message t WHERE t.conversation = m.conversation AND t.author_kind = 'system' AND t.sent_at >= d.claimed_at
      AND (d.done_at IS NULL OR t.sent_at <= d.done_at) AND t.content LIKE '%\"took_over\"%'))";

fn select(filter: &str) -> String {
    format!(
        "SELECT m.id, c.id, m.author_kind, m.author_id, CASE m.author_kind WHEN 'contact' THEN k.name WHEN 'agent' THEN a.name END,
           m.direction, m.content, m.sent_at, m.external_id, m.sources, m.turn, m.edited_at, m.deleted_at, m.reply_to, m.client_key,
           {LATE}, d.id, d.status, d.reason, d.parked, d.attempts, d.action,
           m.position, m.seq, m.forwarded, m.caught_up
         FROM message m
         CROSS JOIN conversation c ON c.seq = m.conversation
         CROSS JOIN contact k ON k.id = c.contact
         LEFT JOIN agent a ON a.id = m.author_id AND m.author_kind = 'agent'
         LEFT JOIN delivery d ON d.message = m.seq
         WHERE {filter}"
    )
}

fn read(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    let id: MessageId = row.get(0)?;
    let name = row.get(4)?;
    let author = match row.get_ref(2)?.as_str()? {
        "agent" => AuthorRow::Agent { id: row.get::<_, Option<AgentId>>(3)?.unwrap_or_else(|| "".into()), name },
        "person" => AuthorRow::Person { id: row.get(3)?, name },
        "system" => AuthorRow::System {},
        _ => AuthorRow::Contact { name },
    };
    let content = serde_json::from_str(row.get_ref(6)?.as_str()?).unwrap_or_else(|error| {
        tracing::warn!(message.id = %id, %error, "A message cannot be shown as it was stored.");
        vec![Content::Unsupported { kind: "unreadable".into() }]
    });
    Ok(MessageRow {
        id,
        conversation: row.get(1)?,
        author,
        direction: match row.get_ref(5)?.as_str()? {
            "in" => Direction::In,
            "out" => Direction::Out,
            _ => Direction::Note,
        },
        content,
        sent_at: row.get(7)?,
        external_id: row.get(8)?,
        delivery: row.get::<_, Option<String>>(16)?.map(|_| DeliveryMark::read(row, 16)).transpose()?,
        late: row.get::<_, Option<bool>>(15)?.unwrap_or_default(),
        files: Vec::new(),
        sources: row.get::<_, Option<String>>(9)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        turn: row.get(10)?,
        edited_at: row.get(11)?,
        deleted_at: row.get(12)?,
        reply_to: row.get(13)?,
        client_key: row.get(14)?,
        forwarded: row.get(24)?,
        caught_up: row.get(25)?,
    })
}

/// What was said in a conversation, newest first.
pub async fn list_messages(hub: &Arc<Hub>, request: ListMessages) -> Result<Page<MessageRow>> {
    let limit = asked::limit(request.limit, 50)?;
    let (at, position, seq) = asked::place::<(i64, i64, i64)>(request.cursor.as_deref())?.unwrap_or((i64::MAX, i64::MAX, i64::MAX));
    let rows = hub
        .store
        .read(move |db| {
            let conversation = conversations::seq(db, &request.conversation)?;
            let sql = select(
                "m.conversation = ?1 AND (m.sent_at, m.position, m.seq) < (?2, ?3, ?4)
                 ORDER BY m.sent_at DESC, m.position DESC, m.seq DESC LIMIT ?5",
            );
            let mut statement = db.prepare_cached(&sql)?;
            let many = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let rows = statement.query_map(params![conversation, at, position, seq, many], |row| {
                Ok((read(row)?, row.get::<_, i64>(22)?, row.get::<_, i64>(23)?))
            })?;
            let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            mark_files(db, rows.iter_mut().map(|(row, ..)| row))?;
            Ok(rows)
        })
        .await?;
    Ok(Page::cut(rows, limit, |(row, position, seq)| (row.sent_at, *position, *seq)).map(|(row, ..)| row))
}

/// Says of each message which of its files are not here.
fn mark_files<'a>(db: &rusqlite::Connection, rows: impl Iterator<Item = &'a mut MessageRow>) -> Result<()> {
    let mut statement = db.prepare_cached("SELECT status = 'failed', reason FROM media WHERE id = ?1 AND status <> 'stored'")?;
    for row in rows {
        for part in &row.content {
            let Content::Media { media, .. } = part else { continue };
            let mark = statement
                .query_row([media], |found| Ok(FileMark { media: media.clone(), failed: found.get(0)?, reason: found.get(1)? }))
                .optional()?;
            row.files.extend(mark);
        }
    }
    Ok(())
}

/// One message.
pub async fn row(hub: &Arc<Hub>, id: MessageId) -> Result<MessageRow> {
    hub.store
        .read(move |db| {
            let mut row = db.prepare_cached(&select("m.id = ?1"))?.query_row([&id], read)?;
            mark_files(db, std::iter::once(&mut row))?;
            Ok(row)
        })
        .await
}
