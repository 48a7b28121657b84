//! What the shop says: replies of people, answers of agents, private notes, activity lines.

use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value};

use super::rows::{self, New};
use super::{Conversation, find, preview};
use crate::clock::Timestamp;
use crate::connector::ChannelRules;
use crate::error::{Error, Result};
use crate::id::{AgentId, ConversationId, DeliveryId, MessageId, PersonId, TurnId};
use crate::model::{Author, Change, Choice, Content, MediaKind, Owner, Source};
use crate::say;
use crate::store::{Stage, Tx};

/// A person's reply or note.
pub struct Reply<'a> {
    /// Where.
    pub conversation: &'a ConversationId,
    /// What.
    pub content: Vec<Content>,
    /// Only for the team.
    pub note: bool,
    /// The same key twice sends once.
    pub client_key: Option<&'a str>,
    /// Who; the owner of this computer when missing.
    pub person: Option<&'a PersonId>,
    /// The message it answers, as the service names it.
    pub reply_to: Option<&'a str>,
}

/// Stores a person's words. A reply while an agent owns the conversation takes it over first: a person's word always wins.
/// Returns the first message (a long text becomes several).
///
/// # Errors
/// Too long a caption, a file the channel does not take: by field, before anything is stored.
pub fn reply(tx: &Tx<'_>, reply: Reply<'_>, rules: &ChannelRules) -> Result<MessageId> {
    let conversation = find(tx, reply.conversation)?;
    if let Some(key) = reply.client_key {
        let known: Option<MessageId> = tx
            .prepare_cached("SELECT id FROM message WHERE conversation = ?1 AND client_key = ?2")?
            .query_row(params![conversation.seq, key], |row| row.get(0))
            .optional()?;
        if let Some(known) = known {
            return Ok(known);
        }
    }
    let author = Author::Person { id: reply.person.cloned() };
    if reply.note {
        super::waiting::touched(tx, conversation.seq)?;
        let id = MessageId::new();
        insert(tx, &conversation, &New { client_key: reply.client_key, ..New::said(&id, &author, "note", &reply.content, tx.now()) })?;
        return Ok(id);
    }
    let parts = sendable(&reply.content, rules)?;
    let conversation = if matches!(conversation.owner, Owner::Agent { .. }) || conversation.needs_person {
        super::ownership::take_over(tx, reply.conversation, reply.person)?
    } else {
        conversation
    };
    let mut first = None;
    for (n, part) in parts.into_iter().enumerate() {
        let key = reply.client_key.map(|key| if n == 0 { key.to_owned() } else { format!("{key}#{n}") });
        let (id, content) = (MessageId::new(), [part]);
        let new = New {
            client_key: key.as_deref(),
            // A long answer hangs on its question once.
            reply_to: reply.reply_to.filter(|_| n == 0),
            ..New::said(&id, &author, "out", &content, tx.now())
        };
        let seq = insert(tx, &conversation, &new)?;
        queue(tx, &conversation, seq, None)?;
        first.get_or_insert(id);
    }
    tx.prepare_cached("UPDATE conversation SET unread = 0 WHERE seq = ?1")?.execute([conversation.seq])?;
    first.ok_or_else(|| Error::field("content", say!("Write something first.")))
}

/// An agent's words, in the epoch in which they were written. Returns the messages.
pub fn agent_says(
    tx: &Tx<'_>,
    conversation: &Conversation,
    agent: &AgentId,
    turn: &TurnId,
    content: &[Content],
    sources: &[Source],
    rules: &ChannelRules,
) -> Result<Vec<MessageId>> {
    let author = Author::Agent { id: agent.clone() };
    let farewell = !matches!(conversation.owner, Owner::Agent { .. });
    let parts = sendable(content, rules)?;
    let last = parts.len();
    let mut messages = Vec::with_capacity(last);
    for (n, part) in parts.into_iter().enumerate() {
        let sources = if n + 1 == last { sources } else { &[] };
        let (id, content) = (MessageId::new(), [part]);
        let seq = insert(tx, conversation, &New { turn: Some(turn), sources, ..New::said(&id, &author, "out", &content, tx.now()) })?;
        queue(tx, conversation, seq, Some((conversation.epoch, turn, farewell)))?;
        messages.push(id);
    }
    Ok(messages)
}

/// An activity line ("You took over").
pub fn note_event(tx: &Tx<'_>, conversation: &Conversation, event: &str, details: Map<String, Value>) -> Result<MessageId> {
    let content = [Content::Event { event: event.to_owned(), details }];
    let id = MessageId::new();
    insert(tx, conversation, &New::said(&id, &Author::System, "note", &content, tx.now()))?;
    Ok(id)
}

/// Writes what the shop says and shows it on the conversation's row; returns its number.
fn insert(tx: &Tx<'_>, conversation: &Conversation, new: &New<'_>) -> Result<i64> {
    let seq = rows::insert(tx, conversation, new)?;
    for part in new.content {
        if let Content::Media { media, .. } = part {
            // A file that belongs to a message stays as long as the message.
            tx.prepare_cached("UPDATE media SET message = ?2 WHERE id = ?1 AND message IS NULL")?.execute(params![media, new.id])?;
        }
    }
    if new.direction == "out" {
        tx.prepare_cached(
            "UPDATE conversation SET preview = ?2, preview_by = ?3, last_message_at = max(last_message_at, ?4) WHERE seq = ?1",
        )?
        .execute(params![conversation.seq, preview(new.content), rows::author_columns(new.author).0, tx.now()])?;
        tx.changed(Change::Conversation { id: conversation.id.clone() });
    }
    tx.changed(Change::Message { id: new.id.clone(), conversation: conversation.id.clone() });
    Ok(seq)
}

/// Puts the newest words that are there on the conversation's row, after some were taken back.
pub fn show_last_words(tx: &Tx<'_>, conversation: &Conversation) -> Result<()> {
    let last: Option<(String, String, String, Timestamp)> = tx
        .prepare_cached(
            "SELECT content, text, author_kind, sent_at FROM message WHERE conversation = ?1 AND direction <> 'note'
             ORDER BY sent_at DESC, position DESC, seq DESC LIMIT 1",
        )?
        .query_row([conversation.seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((content, text, author, at)) = last else { return Ok(()) };
    // One spoiled message must not stop whoever writes next.
    let content: Vec<Content> = serde_json::from_str(&content).unwrap_or_else(|_| vec![Content::Text { text }]);
    tx.prepare_cached("UPDATE conversation SET preview = ?2, preview_by = ?3, last_message_at = ?4 WHERE seq = ?1")?.execute(params![
        conversation.seq,
        preview(&content),
        author,
        at
    ])?;
    tx.changed(Change::Conversation { id: conversation.id.clone() });
    Ok(())
}

fn queue(tx: &Tx<'_>, conversation: &Conversation, message: i64, agent: Option<(i64, &TurnId, bool)>) -> Result<()> {
    let (epoch, turn, farewell) = agent.map_or((None, None, false), |(epoch, turn, farewell)| (Some(epoch), Some(turn), farewell));
    tx.prepare_cached(
        "INSERT INTO delivery (id, message, conversation, connection, epoch, farewell, turn, status, due_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'queued', ?8)",
    )?
    .execute(params![DeliveryId::new(), message, conversation.seq, conversation.connection, epoch, farewell, turn, tx.now()])?;
    tx.wake(Stage::Outbox);
    Ok(())
}

/// The parts as the channel takes them, one per message: long text cut on borders, buttons that do not fit told as numbers.
pub fn sendable(content: &[Content], rules: &ChannelRules) -> Result<Vec<Content>> {
    let mut parts = Vec::new();
    for (index, part) in content.iter().enumerate() {
        match part {
            Content::Text { text } => parts.extend(cut(text, rules)),
            Content::Choices { text, options } if !fits(options, rules) => {
                parts.extend(cut(&Choice::numbered(text, options), rules));
            }
            Content::Choices { text, options } => {
                let mut texts = crate::text::split(text, rules.text_limit);
                let last = texts.pop().unwrap_or_default();
                parts.extend(texts.into_iter().map(|text| Content::Text { text }));
                parts.push(Content::Choices { text: last, options: options.clone() });
            }
            Content::AskLocation { text } if !rules.abilities.contains(&"ask_location") => parts.extend(cut(text, rules)),
            Content::AskLocation { text } => {
                let mut texts = crate::text::split(text, rules.text_limit);
                let last = texts.pop().unwrap_or_default();
                parts.extend(texts.into_iter().map(|text| Content::Text { text }));
                parts.push(Content::AskLocation { text: last });
            }
            Content::Media { kind, caption, bytes, mime, .. } => {
                let Some(limit) = rules.media_limits.get(kind_name(*kind)) else {
                    return Err(Error::field(format!("content.{index}"), say!("This channel does not take this kind of file.")));
                };
                if let Some(refusal) = crate::media::refusal(*kind, mime, rules) {
                    return Err(Error::field(format!("content.{index}"), refusal));
                }
                if bytes > limit {
                    let mb = |bytes: u64| format!("{:.1}", bytes as f64 / 1_048_576.0);
                    return Err(Error::field(
                        format!("content.{index}"),
                        say!(
                            "The file is {size} MB, this channel takes {limit} MB. Make it smaller.",
                            size = mb(*bytes),
                            limit = mb(*limit)
                        ),
                    ));
                }
                let caption_limit = crate::connector::TextLimit { max: rules.caption_limit, unit: rules.text_limit.unit };
                let is_too_long = |caption: &str| rules.caption_limit == 0 || crate::text::split(caption, caption_limit).len() > 1;
                let too_long = caption.as_deref().filter(|caption| is_too_long(caption));
                if let Some(caption) = too_long {
                    let mut bare = part.clone();
                    if let Content::Media { caption, .. } = &mut bare {
                        *caption = None;
                    }
                    parts.push(bare);
                    parts.extend(cut(caption, rules));
                } else {
                    parts.push(part.clone());
                }
            }
            Content::Location { .. } | Content::Contacts { .. } | Content::Template { .. } | Content::Reaction { .. } => {
                parts.push(part.clone());
            }
            Content::Chosen { .. }
            | Content::Order { .. }
            | Content::Form { .. }
            | Content::Shared { .. }
            | Content::Unsupported { .. }
            | Content::Event { .. } => {
                return Err(Error::field(format!("content.{index}"), say!("This cannot be sent.")));
            }
        }
    }
    Ok(parts)
}

/// Whether the channel has buttons, or a list, for these options; otherwise they are told as numbers.
fn fits(options: &[Choice], rules: &ChannelRules) -> bool {
    let longest = |limit: u32| options.iter().all(|option| option.label.chars().count() <= limit as usize);
    (options.len() <= rules.max_choices as usize && longest(rules.choice_label))
        || (options.len() <= rules.max_rows as usize && longest(rules.row_label))
}

fn cut(text: &str, rules: &ChannelRules) -> Vec<Content> {
    crate::text::split(text, rules.text_limit).into_iter().map(|text| Content::Text { text }).collect()
}

/// A media kind as rules name it.
pub fn kind_name(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Voice => "voice",
        MediaKind::Video => "video",
        MediaKind::Document => "document",
        MediaKind::Sticker => "sticker",
    }
}
