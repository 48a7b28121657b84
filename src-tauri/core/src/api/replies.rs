//! What a person of the shop says and does in a conversation.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use schemars::JsonSchema;
use serde::Deserialize;
use ts_rs::TS;

use super::asked::{Empty, NAME, TEXT, Wrong};
use super::messages::{self, MessageRow};
use super::{connections, conversations, templates};
use crate::connector::ChannelRules;
use crate::conversations::posting::{self, Reply};
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::{ConversationId, MediaId, MessageId};
use crate::model::{Change, Content};
use crate::say;

/// The most parts of one reply.
const PARTS: usize = 20;

/// What to say.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct SendReply {
    /// Where.
    pub conversation: ConversationId,
    /// What. A file needs no more than its `kind` and its id in `media`.
    pub content: Vec<Content>,
    /// Only for the team; the customer never sees it.
    #[serde(default)]
    #[ts(as = "Option<bool>")]
    pub note: bool,
    /// The caller's own name for this reply: the same one twice sends once.
    #[serde(default)]
    pub client_key: Option<String>,
    /// The message of this conversation that it answers; shown there where the channel can.
    #[serde(default)]
    pub reply_to: Option<MessageId>,
}

/// Which conversation was seen.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// Its id.
    pub conversation: ConversationId,
}

/// Sends a reply, or keeps a private note. A reply takes the conversation over from its agent.
pub async fn send_reply(hub: &Arc<Hub>, request: SendReply) -> Result<MessageRow> {
    let SendReply { conversation, content, note, client_key, reply_to } = request;
    let mut wrong = Wrong::default();
    check(&content, note, &mut wrong);
    if let Some(key) = &client_key {
        wrong.needed("client_key", key, NAME);
    }
    wrong.done()?;
    let content = templates::filled(hub, &conversation, content).await?;
    let content = if note { content } else { fitted(hub, &conversation, client_key.as_deref(), content).await? };
    let inner = hub.clone();
    let id = hub
        .store
        .write(move |tx| {
            let content = with_files(tx, content)?;
            let rules = rules_of(&inner, tx, &conversation)?;
            let answered = reply_to.map(|message| named(tx, &conversation, &message)).transpose()?.flatten();
            let reply = Reply {
                conversation: &conversation,
                content,
                note,
                client_key: client_key.as_deref(),
                person: None,
                reply_to: answered.as_deref(),
            };
            posting::reply(tx, reply, &rules)
        })
        .await?;
    messages::row(hub, id).await
}

/// The same content with its sounds as the channel takes them. A reply that was sent before is not converted again.
async fn fitted(hub: &Arc<Hub>, conversation: &ConversationId, key: Option<&str>, content: Vec<Content>) -> Result<Vec<Content>> {
    if !content.iter().any(|part| matches!(part, Content::Media { .. })) {
        return Ok(content);
    }
    let (inner, place, key) = (hub.clone(), conversation.clone(), key.map(str::to_owned));
    let rules = hub
        .store
        .read(move |db| {
            let sql = "SELECT 1 FROM message m JOIN conversation c ON c.seq = m.conversation WHERE c.id = ?1 AND m.client_key = ?2";
            let sent = db.prepare_cached(sql)?.exists(params![place, key])?;
            if sent { Ok(None) } else { rules_of(&inner, db, &place).map(Some) }
        })
        .await?;
    match rules {
        Some(rules) => hub.media.fit(content, &rules).await,
        None => Ok(content),
    }
}

/// Whether a person may say this at all; what a channel takes is looked at by [`posting::sendable`].
fn check(content: &[Content], note: bool, wrong: &mut Wrong) {
    if content.is_empty() {
        wrong.add("content", say!("Write something first."));
    }
    if content.len() > PARTS {
        wrong.add("content", say!("This is too much at once: {most} parts fit.", most = PARTS));
    }
    for (index, part) in content.iter().enumerate().take(PARTS) {
        let path = |field: &str| format!("content.{index}.{field}");
        match part {
            Content::Text { text } => {
                wrong.needed(&path("text"), text, TEXT);
            }
            Content::AskLocation { text } if !note => {
                wrong.needed(&path("text"), text, TEXT);
            }
            Content::Media { caption, filename, .. } => {
                wrong.at_most(&path("caption"), caption.as_deref().unwrap_or_default(), TEXT);
                wrong.at_most(&path("filename"), filename.as_deref().unwrap_or_default(), NAME);
            }
            Content::Choices { text, options } if !note => {
                wrong.needed(&path("text"), text, TEXT);
                if options.is_empty() || options.len() > 20 {
                    wrong.add(path("options"), say!("Choose a number from {least} to {most}.", least = 1, most = 20));
                }
                for (n, option) in options.iter().enumerate().take(20) {
                    wrong.needed(&format!("content.{index}.options.{n}.label"), &option.label, NAME);
                    if option.id.is_empty() || option.id.len() > 64 {
                        wrong.add(format!("content.{index}.options.{n}.id"), say!("An id has 1 to 64 characters."));
                    }
                }
            }
            Content::Location { latitude, longitude, .. } if !note => {
                wrong.within(&path("latitude"), *latitude, -90.0, 90.0);
                wrong.within(&path("longitude"), *longitude, -180.0, 180.0);
            }
            Content::Contacts { contacts } if !note && !contacts.is_empty() && contacts.len() <= PARTS => {
                for (n, card) in contacts.iter().enumerate() {
                    wrong.needed(&format!("content.{index}.contacts.{n}.name"), &card.name, NAME);
                }
            }
            Content::Template { id, values, .. } if !note => {
                wrong.needed(&path("id"), id, NAME);
                for (key, value) in values.iter().take(100) {
                    wrong.needed(&format!("content.{index}.values.{key}"), value, TEXT);
                }
            }
            Content::Reaction { emoji, target } if !note => {
                wrong.at_most(&path("emoji"), emoji, 32);
                wrong.needed(&path("target"), target, NAME);
            }
            _ => wrong.add(format!("content.{index}"), say!("This cannot be sent.")),
        }
    }
}

/// The service's name of a message of the conversation; `None` where it has none yet.
fn named(db: &rusqlite::Connection, conversation: &ConversationId, message: &MessageId) -> Result<Option<String>> {
    let found: Option<Option<String>> = db
        .prepare_cached("SELECT m.external_id FROM message m JOIN conversation c ON c.seq = m.conversation WHERE m.id = ?1 AND c.id = ?2")?
        .query_row(params![message, conversation], |row| row.get(0))
        .optional()?;
    found.ok_or_else(|| Error::field("reply_to", say!("The message you answer is not in this conversation.")))
}

/// The same content with what is known of its files, whatever the caller said of them.
fn with_files(db: &rusqlite::Connection, mut content: Vec<Content>) -> Result<Vec<Content>> {
    for (index, part) in content.iter_mut().enumerate() {
        if let Content::Media { media, filename, mime, bytes, duration_ms, wave, .. } = part {
            let known = stored(db, media)?
                .ok_or_else(|| Error::field(format!("content.{index}.media"), say!("This file is not there. Choose it again.")))?;
            (*mime, *bytes, *wave) = (known.mime, known.bytes, known.wave);
            *filename = filename.take().or(known.filename);
            *duration_ms = known.duration_ms.or(*duration_ms);
        }
    }
    Ok(content)
}

struct Stored {
    mime: String,
    filename: Option<String>,
    bytes: u64,
    duration_ms: Option<u64>,
    wave: Option<Vec<u8>>,
}

fn stored(db: &rusqlite::Connection, id: &MediaId) -> Result<Option<Stored>> {
    let positive = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(db
        .prepare_cached("SELECT mime, filename, bytes, duration_ms, wave FROM media WHERE id = ?1 AND status = 'stored'")?
        .query_row([id], |row| {
            Ok(Stored {
                mime: row.get(0)?,
                filename: row.get(1)?,
                bytes: positive(row.get(2)?),
                duration_ms: row.get::<_, Option<i64>>(3)?.map(positive),
                wave: row.get(4)?,
            })
        })
        .optional()?)
}

/// What the channel of a conversation takes.
///
/// # Errors
/// `not_found`; `conflict` when its connection was deleted or its code is gone: the conversation can only be read.
pub(super) fn rules_of(hub: &Hub, db: &rusqlite::Connection, id: &ConversationId) -> Result<ChannelRules> {
    let sql = "SELECT n.connector, n.deleted_at IS NOT NULL FROM conversation c JOIN connection n ON n.id = c.connection WHERE c.id = ?1";
    let found: Option<(String, bool)> = db.prepare_cached(sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (kind, deleted) = found.ok_or_else(conversations::not_found)?;
    let rules = hub.connectors.get(kind.as_str()).and_then(|connector| Some(connector.channel()?.rules()));
    rules.filter(|_| !deleted).ok_or_else(connections::gone)
}

/// Says that everything in a conversation was seen.
pub async fn mark_read(hub: &Arc<Hub>, request: MarkRead) -> Result<Empty> {
    let seen = hub
        .store
        .write(move |tx| {
            let seq = conversations::seq(tx, &request.conversation)?;
            let changed = tx.prepare_cached("UPDATE conversation SET unread = 0 WHERE seq = ?1 AND unread > 0")?.execute(params![seq])?;
            if changed == 0 {
                return Ok(None);
            }
            let conversation = crate::conversations::by_seq(tx, seq)?;
            tx.changed(Change::Conversation { id: request.conversation });
            Ok(crate::conversations::last_said(tx, seq)?.map(|said| (conversation.connection, conversation.thread, said)))
        })
        .await?;
    if let Some((connection, thread, said)) = seen {
        hub.mark_read(&connection, thread, said);
    }
    Ok(Empty {})
}
