//! Conversations as the inbox lists them.
//!
//! Preview, unread count and last time are columns of the conversation, and every list goes along an index from its place on: a page
//! costs the same with a thousand messages and with a million.

use std::sync::Arc;

use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, Row};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{self, Empty, Page, QUERY, Words, Wrong};
use super::messages::DeliveryMark;
use crate::clock::Timestamp;
use crate::connector::Referral;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{AgentId, ConnectionId, ContactId, ConversationId, PersonId};
use crate::model::{Address, Medium};
use crate::say;

/// Whether a conversation is waiting for anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ConversationStatus")]
#[ts(rename = "ConversationStatus")]
pub enum Status {
    /// In work.
    Open,
    /// Out of sight until `snoozed_until`, or until the customer writes.
    Snoozed,
    /// Done; a new message opens it again.
    Resolved,
}

impl Status {
    /// As the store writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Snoozed => "snoozed",
            Self::Resolved => "resolved",
        }
    }
}

/// The tabs of the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum OwnerFilter {
    /// Somebody asked for a person, or an agent gave up.
    #[serde(alias = "needs")]
    NeedsPerson,
    /// A person has the next word.
    #[serde(alias = "me")]
    Mine,
    /// An agent has the next word.
    Agent,
}

/// Which conversations to list.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct ListConversations {
    /// Only these; all when missing.
    pub status: Option<Status>,
    /// Only those of one connection.
    pub connection: Option<ConnectionId>,
    /// Only one tab.
    pub owner: Option<OwnerFilter>,
    /// Only those with this label.
    pub label: Option<String>,
    /// Words in what was said or in the contact's name.
    pub query: Option<String>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// How many, 200 at most.
    pub limit: Option<u32>,
}

/// Which conversation.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct GetConversation {
    /// Its id.
    pub conversation: ConversationId,
}

/// Who has the next word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(rename = "Owner")]
#[ts(rename = "Owner")]
pub enum OwnerRow {
    /// A program.
    Agent {
        /// Which one.
        id: AgentId,
        /// Its name; null when it was deleted.
        name: Option<String>,
    },
    /// A person; nobody in particular without `id`.
    Person {
        /// Which one.
        id: Option<PersonId>,
        /// Their name.
        name: Option<String>,
    },
}

/// Somebody at the other end, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct ContactRef {
    /// Their id.
    pub id: ContactId,
    /// Their name; empty when nobody said one.
    pub name: String,
    /// How this conversation reaches them.
    pub address: Address,
}

/// A connection, as a mark beside a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct ConnectionRef {
    /// Its id.
    pub id: ConnectionId,
    /// What its owner calls it.
    pub name: String,
    /// Its kind.
    pub connector: String,
    /// The SVG of its mark.
    pub icon: Option<String>,
    /// The colour of its mark.
    pub color: Option<String>,
}

/// Who wrote last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The customer.
    Contact,
    /// An agent.
    Agent,
    /// Somebody of the shop.
    Person,
    /// Shopbell itself.
    System,
}

impl Speaker {
    /// From the store.
    pub fn parse(text: &str) -> Self {
        match text {
            "agent" => Self::Agent,
            "person" => Self::Person,
            "system" => Self::System,
            _ => Self::Contact,
        }
    }
}

/// A conversation in the list.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct ConversationRow {
    /// Its id.
    pub id: ConversationId,
    /// With whom.
    pub contact: ContactRef,
    /// Over which connection.
    pub connection: ConnectionRef,
    /// How people talk there.
    pub medium: Medium,
    /// Whether it waits for anybody.
    pub status: Status,
    /// Until when it is out of sight.
    pub snoozed_until: Option<Timestamp>,
    /// Who has the next word.
    pub owner: OwnerRow,
    /// Grows at every change of owner.
    pub epoch: i64,
    /// Whether somebody asked for a person.
    pub needs_person: bool,
    /// Why, in a sentence.
    pub needs_reason: Option<String>,
    /// How urgent the agent found it.
    pub urgency: Option<String>,
    /// Messages nobody has seen.
    pub unread: i64,
    /// The last line.
    pub preview: String,
    /// Who wrote it.
    pub preview_by: Speaker,
    /// How far it came, when the shop wrote it.
    pub preview_delivery: Option<DeliveryMark>,
    /// Its labels.
    pub labels: Vec<String>,
    /// The customer's language, if known.
    pub language: Option<String>,
    /// When the last message was said.
    pub last_message_at: Timestamp,
    /// Until when the shop may answer freely; null = always.
    pub reply_window_ends_at: Option<Timestamp>,
    /// Until when a person (not an agent) may answer freely; null = always.
    pub person_window_ends_at: Option<Timestamp>,
    /// The advertisement or link through which the customer came.
    pub referral: Option<Referral>,
    /// When it began.
    pub created_at: Timestamp,
}

/// How many open conversations stand under each tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct ConversationCounts {
    /// Somebody asked for a person.
    pub needs_person: i64,
    /// A person has the next word.
    pub mine: i64,
    /// An agent has the next word.
    pub agent: i64,
    /// Open ones.
    pub all: i64,
    /// No number goes beyond this one: it means "so many or more".
    pub most: i64,
}

/// Counting stops here: beyond it a number says nothing more.
const COUNTED: i64 = 1000;

/// Conversations with these words in a message or in the contact's name. The newest finds are enough to fill a page; a common word has a
/// hundred thousand.
const FOUND: &str = "(c.seq IN (SELECT conversation FROM message WHERE seq IN
    (SELECT rowid FROM message_fts WHERE message_fts MATCH ? ORDER BY rowid DESC LIMIT 500))
  OR c.contact IN (SELECT contact FROM contact_fts WHERE contact_fts MATCH ? ORDER BY rowid DESC LIMIT 500))";

const SELECT: &str =
    "SELECT c.id, c.contact, k.name, c.connection, n.name, n.connector, c.status, c.snoozed_until, c.owner_kind, c.owner_id,
    a.name, c.epoch, c.needs_person, c.needs_reason, c.urgency, c.unread, c.preview, c.preview_by, c.labels, c.language,
    c.last_message_at, c.last_in_at, c.created_at, d.id, d.status, d.reason, d.parked, d.attempts,
    d.action, c.referral, c.address_scheme, c.address_value
  FROM conversation c
  CROSS JOIN contact k ON k.id = c.contact
  CROSS JOIN connection n ON n.id = c.connection
  LEFT JOIN agent a ON a.id = c.owner_id AND c.owner_kind = 'agent'
  LEFT JOIN delivery d ON c.preview_by IN ('agent', 'person') AND d.message = (
    SELECT m.seq FROM message m WHERE m.conversation = c.seq AND m.direction = 'out'
    ORDER BY m.sent_at DESC, m.position DESC, m.seq DESC LIMIT 1)";

fn read(hub: &Hub, row: &Row<'_>) -> rusqlite::Result<ConversationRow> {
    let connector: String = row.get(5)?;
    let about = hub.connectors.get(connector.as_str()).map(|connector| connector.about());
    let rules = hub.connectors.get(connector.as_str()).and_then(|connector| Some(connector.channel()?.rules()));
    let last_in: Option<Timestamp> = row.get(21)?;
    let status = match row.get_ref(6)?.as_str()? {
        "snoozed" => Status::Snoozed,
        "resolved" => Status::Resolved,
        _ => Status::Open,
    };
    let owner = if row.get_ref(8)?.as_str()? == "agent" {
        OwnerRow::Agent { id: row.get::<_, Option<AgentId>>(9)?.unwrap_or_else(|| "".into()), name: row.get(10)? }
    } else {
        OwnerRow::Person { id: row.get(9)?, name: None }
    };
    Ok(ConversationRow {
        id: row.get(0)?,
        contact: ContactRef {
            id: row.get(1)?,
            name: row.get(2)?,
            address: Address { connector: connector.clone(), scheme: row.get(30)?, value: row.get(31)? },
        },
        connection: ConnectionRef {
            id: row.get(3)?,
            name: row.get(4)?,
            connector,
            icon: about.as_ref().map(|about| about.icon.to_owned()),
            color: about.as_ref().map(|about| about.color.to_owned()),
        },
        medium: rules.as_ref().map_or(Medium::Chat, |rules| rules.medium),
        status,
        snoozed_until: row.get::<_, Option<Timestamp>>(7)?.filter(|_| status == Status::Snoozed),
        owner,
        epoch: row.get(11)?,
        needs_person: row.get(12)?,
        needs_reason: row.get(13)?,
        urgency: row.get(14)?,
        unread: row.get(15)?,
        preview: row.get(16)?,
        preview_by: Speaker::parse(row.get_ref(17)?.as_str()?),
        preview_delivery: row.get::<_, Option<String>>(23)?.map(|_| DeliveryMark::read(row, 23)).transpose()?,
        labels: serde_json::from_str(row.get_ref(18)?.as_str()?).unwrap_or_default(),
        language: row.get(19)?,
        last_message_at: row.get(20)?,
        reply_window_ends_at: rules.as_ref().and_then(|rules| rules.reply_window).zip(last_in).map(|(window, at)| at.plus(window)),
        person_window_ends_at: rules
            .as_ref()
            .and_then(|rules| rules.person_window.or(rules.reply_window))
            .zip(last_in)
            .map(|(window, at)| at.plus(window)),
        referral: row.get::<_, Option<String>>(29)?.and_then(|text| serde_json::from_str(&text).ok()),
        created_at: row.get(22)?,
    })
}

/// Conversations, newest first.
pub async fn list_conversations(hub: &Arc<Hub>, request: ListConversations) -> Result<Page<ConversationRow>> {
    let limit = asked::limit(request.limit, 50)?;
    let place = asked::place::<(i64, String)>(request.cursor.as_deref())?;
    let mut wrong = Wrong::default();
    wrong.at_most("query", request.query.as_deref().unwrap_or_default(), QUERY);
    wrong.done()?;

    let mut filter: Vec<&'static str> = Vec::new();
    let mut values: Vec<Box<dyn ToSql + Send>> = Vec::new();
    match request.status {
        None => {}
        Some(Status::Open) => filter.push("c.status = 'open'"),
        Some(status) => {
            // The second half is what tells SQLite that the partial index fits.
            filter.push("c.status = ? AND c.status <> 'open'");
            values.push(Box::new(status.as_str()));
        }
    }
    match request.owner {
        None => {}
        Some(OwnerFilter::NeedsPerson) => filter.push("c.needs_person = 1"),
        Some(OwnerFilter::Mine) => filter.push("c.owner_kind = 'person'"),
        Some(OwnerFilter::Agent) => filter.push("c.owner_kind = 'agent'"),
    }
    if let Some(connection) = request.connection {
        filter.push("c.connection = ?");
        values.push(Box::new(connection));
    }
    if let Some(label) = request.label.filter(|label| !label.is_empty()) {
        // The first half is what tells SQLite that the partial index fits.
        filter.push("c.labels <> '[]' AND EXISTS (SELECT 1 FROM json_each(c.labels) WHERE value = ?)");
        values.push(Box::new(label));
    }
    if let Some((at, id)) = place {
        filter.push("(c.last_message_at, c.id) < (?, ?)");
        values.push(Box::new(at));
        values.push(Box::new(id));
    }
    let query = request.query.filter(|query| !query.trim().is_empty());
    let words = query.as_deref().and_then(Words::of);
    if query.is_some() && words.is_none() {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let many = i64::try_from(limit + 1).unwrap_or(i64::MAX);

    let hub = hub.clone();
    let items = hub
        .clone()
        .store
        .read(move |db| {
            let find = |words: Option<&str>| -> Result<Vec<ConversationRow>> {
                let mut filter = filter.clone();
                let mut given: Vec<&dyn ToSql> = values.iter().map(|value| value.as_ref() as &dyn ToSql).collect();
                if let Some(words) = &words {
                    filter.push(FOUND);
                    given.extend([words as &dyn ToSql, words as &dyn ToSql]);
                }
                given.push(&many);
                let filter = if filter.is_empty() { String::new() } else { format!("WHERE {}", filter.join(" AND ")) };
                let order = "ORDER BY c.last_message_at DESC, c.id DESC";
                let sql = match words {
                    None => format!("{SELECT} {filter} {order} LIMIT ?"),
                    // Found conversations come in no order: they are sorted before anything else is read of them.
                    Some(_) => format!("{SELECT} WHERE c.seq IN (SELECT c.seq FROM conversation c {filter} {order} LIMIT ?) {order}"),
                };
                let mut statement = db.prepare_cached(&sql)?;
                let rows = statement.query_map(given.as_slice(), |row| read(&hub, row))?;
                Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
            };
            match &words {
                None => find(None),
                Some(words) => words.search(limit, |words| find(Some(words))),
            }
        })
        .await?;
    Ok(Page::cut(items, limit, |row| (row.last_message_at, row.id.clone())))
}

/// How many open conversations stand under each tab.
pub async fn count_conversations(hub: &Arc<Hub>, _: Empty) -> Result<ConversationCounts> {
    hub.store
        .read(|db| {
            let count = |filter: &str| -> Result<i64> {
                let sql = format!("SELECT count(*) FROM (SELECT 1 FROM conversation WHERE status = 'open' {filter} LIMIT {COUNTED})");
                Ok(db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
            };
            Ok(ConversationCounts {
                needs_person: count("AND needs_person = 1")?,
                mine: count("AND owner_kind = 'person'")?,
                agent: count("AND owner_kind = 'agent'")?,
                all: count("")?,
                most: COUNTED,
            })
        })
        .await
}

/// One conversation.
pub async fn get_conversation(hub: &Arc<Hub>, request: GetConversation) -> Result<ConversationRow> {
    row(hub, request.conversation).await
}

/// The row of one conversation.
///
/// # Errors
/// `not_found` when there is none.
pub async fn row(hub: &Arc<Hub>, id: ConversationId) -> Result<ConversationRow> {
    let hub = hub.clone();
    hub.clone()
        .store
        .read(move |db| {
            let mut statement = db.prepare_cached(&format!("{SELECT} WHERE c.id = ?"))?;
            statement.query_row([&id], |row| read(&hub, row)).optional()?.ok_or_else(not_found)
        })
        .await
}

/// The place of a conversation in the store.
///
/// # Errors
/// `not_found` when there is none.
pub(super) fn seq(db: &rusqlite::Connection, id: &ConversationId) -> Result<i64> {
    let seq = db.prepare_cached("SELECT seq FROM conversation WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
    seq.ok_or_else(not_found)
}

/// What is said of a conversation that is not there.
pub(super) fn not_found() -> Error {
    Error::not_found(say!("This conversation is not there any more."))
}
