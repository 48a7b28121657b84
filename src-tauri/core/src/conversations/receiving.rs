//! What a customer said: the conversation it belongs to, the message, and whether it wants an answer.

use rusqlite::{Connection as Db, OptionalExtension, params};
use serde_json::{Map, Value};

use super::rows::{self, New};
use super::{
    Conversation, Effect, Place, by_seq, by_thread, contacts, find, inheriting, message_by_external, owner_columns, ownership, posting,
    preview,
};
use crate::changes::Begun;
use crate::clock::Timestamp;
use crate::connector::{IncomingContent, IncomingMessage};
use crate::error::Result;
use crate::id::{AgentId, ConversationId, MediaId, MessageId};
use crate::model::{Address, Author, Change, Content, Owner};
use crate::store::{Stage, Tx};
use crate::{catching_up, conversions};

pub(super) fn receive(tx: &Tx<'_>, place: &Place<'_>, incoming: &IncomingMessage) -> Result<Effect> {
    if let Some((_, message, _)) = message_by_external(tx, place.connection, &incoming.external_id)? {
        return Ok(Effect::Repeat { message: Some(message) });
    }
    let conversation = match known(tx, place, incoming)? {
        Some(conversation) => conversation,
        None => open(tx, place, incoming)?,
    };
    if let Some(referral) = &incoming.referral {
        // The first one stays, because it is what brought the customer here, until a newer click can be reported on.
        let mut referral = referral.clone();
        referral.at.get_or_insert(if incoming.sent_at == Timestamp::default() { tx.now() } else { incoming.sent_at });
        tx.prepare_cached("UPDATE conversation SET referral = CASE WHEN ?3 THEN ?2 ELSE coalesce(referral, ?2) END WHERE seq = ?1")?
            .execute(params![
                conversation.seq,
                serde_json::to_string(&referral).map_err(anyhow::Error::from)?,
                referral.click_id.is_some()
            ])?;
        conversions::lead(tx, place.reports, &conversation)?;
    }
    let id = MessageId::new();
    let content = incoming.content.iter().map(|part| keep(tx, place, &id, part)).collect::<Result<Vec<_>>>()?;
    let sent_at = placed(tx, &conversation, incoming)?;
    let lateness = catching_up::lateness(tx, &conversation, sent_at)?;
    let new = New {
        position: incoming.position.unwrap_or(0),
        external_id: Some(&incoming.external_id),
        reply_to: incoming.reply_to.as_deref(),
        forwarded: incoming.forwarded,
        caught_up: lateness.is_caught_up(),
        ..New::said(&id, &Author::Contact, "in", &content, sent_at)
    };
    rows::insert(tx, &conversation, &new)?;
    tx.changed(Change::Message { id: id.clone(), conversation: conversation.id.clone() });
    let reopened = conversation.status != "open";
    tx.prepare_cached(
        "UPDATE conversation SET status = 'open', snoozed_until = NULL, unread = unread + 1,
           preview = CASE WHEN ?3 >= last_message_at THEN ?2 ELSE preview END,
           preview_by = CASE WHEN ?3 >= last_message_at THEN 'contact' ELSE preview_by END,
           last_message_at = max(last_message_at, ?3), last_in_at = max(coalesce(last_in_at, 0), ?3),
           language = coalesce(language, ?4)
         WHERE seq = ?1",
    )?
    .execute(params![conversation.seq, preview(&content), sent_at, incoming.language])?;
    if reopened {
        posting::note_event(tx, &conversation, "reopened", Map::new())?;
    }
    tx.changed(Change::Conversation { id: conversation.id.clone() });
    let wants_answer = !incoming.answered && content.iter().any(|part| !matches!(part, Content::Reaction { .. } | Content::Event { .. }));
    if wants_answer && lateness.is_too_late() && matches!(conversation.owner, Owner::Agent { .. }) {
        // The agent keeps the conversation: what the customer says now it may answer, and then this is answered with it.
        ownership::ask_to_look(tx, &conversation)?;
    } else if wants_answer && matches!(conversation.owner, Owner::Agent { .. }) {
        ownership::looked_after(tx, &conversation)?;
        ownership::want_turn(tx, &inheriting::settled(tx, conversation.clone())?, place.gather)?;
    }
    super::amending::take_ahead(tx, place, &incoming.external_id)?;
    Ok(Effect::Message { message: id, conversation: conversation.id })
}

/// The conversation of a thread under any of its names. What the service tells anew about the thread and the person is kept.
pub(super) fn known(tx: &Tx<'_>, place: &Place<'_>, incoming: &IncomingMessage) -> Result<Option<Conversation>> {
    let mut found = by_thread(tx, place.connection, &incoming.thread)?;
    for alias in &incoming.also_threads {
        if found.is_some() {
            break;
        }
        found = by_thread(tx, place.connection, alias)?;
    }
    let Some(mut conversation) = found else { return Ok(None) };
    let names = std::iter::once(&incoming.thread).chain(&incoming.also_threads);
    for name in names.filter(|name| **name != conversation.thread) {
        alias(tx, place, name, conversation.seq)?;
    }
    if !incoming.also.is_empty() || incoming.from.value != conversation.address.1 {
        contacts::of(tx, &incoming.from, &incoming.also, &contacts::About::of(incoming))?;
        // Two contacts may have become one, and the conversation that one's.
        conversation = by_seq(tx, conversation.seq)?;
    }
    let known = |(key, value): (&String, &Value)| conversation.metadata.get(key) == Some(value);
    if !incoming.metadata.iter().all(known) {
        let mut metadata = conversation.metadata.as_object().cloned().unwrap_or_default();
        metadata.extend(incoming.metadata.clone());
        conversation.metadata = Value::Object(metadata);
        tx.prepare_cached("UPDATE conversation SET metadata = ?2 WHERE seq = ?1")?
            .execute(params![conversation.seq, conversation.metadata])?;
    }
    Ok(Some(conversation))
}

fn alias(tx: &Tx<'_>, place: &Place<'_>, thread: &str, conversation: i64) -> Result<()> {
    let taken: bool = tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM conversation WHERE connection = ?1 AND thread = ?2)")?
        .query_row(params![place.connection, thread], |row| row.get(0))?;
    if !taken {
        tx.prepare_cached("INSERT OR IGNORE INTO thread_alias (connection, thread, conversation) VALUES (?1, ?2, ?3)")?
            .execute(params![place.connection, thread, conversation])?;
    }
    Ok(())
}

/// A thread got another name, and perhaps the customer another address. Nothing moves when both are known already: the newer thread has its
/// own conversation.
pub(super) fn moved(tx: &Tx<'_>, place: &Place<'_>, from: &str, to: &str, address: Option<&Address>, beside: bool) -> Result<()> {
    let Some(conversation) = by_thread(tx, place.connection, from)? else { return Ok(()) };
    if let Some(address) = address {
        contacts::add_address(tx, &conversation.contact, address)?;
    }
    if by_thread(tx, place.connection, to)?.is_some_and(|other| other.seq != conversation.seq || other.thread == to) {
        return Ok(());
    }
    if beside || conversation.thread != from {
        // What changed is only one of its other names.
        return alias(tx, place, to, conversation.seq);
    }
    tx.begun(Begun { connection: place.connection.clone(), thread: to.to_owned() });
    tx.prepare_cached("DELETE FROM thread_alias WHERE connection = ?1 AND thread = ?2")?.execute(params![place.connection, to])?;
    tx.prepare_cached("UPDATE conversation SET thread = ?2 WHERE seq = ?1")?.execute(params![conversation.seq, to])?;
    alias(tx, place, from, conversation.seq)?;
    if let Some(address) = address {
        tx.prepare_cached("UPDATE conversation SET address_scheme = ?2, address_value = ?3 WHERE seq = ?1")?.execute(params![
            conversation.seq,
            address.scheme,
            address.value
        ])?;
    }
    tx.changed(Change::Conversation { id: conversation.id });
    Ok(())
}

/// Where in time a message stands. The service's count decides among its own messages; whole seconds are widened to the moment of
/// arrival within that second, so that a quick exchange keeps its order.
fn placed(tx: &Tx<'_>, conversation: &Conversation, incoming: &IncomingMessage) -> Result<Timestamp> {
    // Never later than its arrival: where this computer's clock is behind the service's, answers would stand before what they answer.
    let said = match incoming.sent_at.millis() {
        0 => tx.now().millis(),
        said => said.min(tx.now().millis()),
    };
    let mut at = if said % 1000 == 0 { tx.now().millis().clamp(said, said + 999) } else { said };
    if let Some(position) = incoming.position.filter(|position| *position > 0) {
        // Times never run against the count, so the nearest neighbours stand for all that came before and after.
        let (before, after): (Option<i64>, Option<i64>) = tx
            .prepare_cached(
                "SELECT (SELECT sent_at FROM message WHERE conversation = ?1 AND position > 0 AND position < ?2 ORDER BY position DESC, sent_at DESC LIMIT 1),
                        (SELECT sent_at FROM message WHERE conversation = ?1 AND position > 0 AND position > ?2 ORDER BY position, sent_at LIMIT 1)",
            )?
            .query_row(params![conversation.seq, position], |row| Ok((row.get(0)?, row.get(1)?)))?;
        at = at.min(after.unwrap_or(i64::MAX));
        at = at.max(before.unwrap_or(i64::MIN));
    }
    Ok(Timestamp::from_millis(at))
}

/// A new conversation, and a contact for an address never seen.
pub(super) fn open(tx: &Tx<'_>, place: &Place<'_>, incoming: &IncomingMessage) -> Result<Conversation> {
    let contact = contacts::of(tx, &incoming.from, &incoming.also, &contacts::About::of(incoming))?;
    let agent = match place.agent {
        Some(agent) => Some(agent.clone()),
        None => default_agent(tx)?,
    };
    let owner = agent.map_or(Owner::Person { id: None }, |id| Owner::Agent { id });
    let (kind, owner_id) = owner_columns(&owner);
    let id = ConversationId::new();
    tx.prepare_cached(
        "INSERT INTO conversation (id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id, needs_person,
           last_message_at, language, metadata, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'open', ?7, ?8, ?9, 0, ?10, ?11, ?12)",
    )?
    .execute(params![
        id,
        contact,
        place.connection,
        incoming.thread,
        incoming.from.scheme,
        incoming.from.value,
        kind,
        owner_id,
        kind == "person",
        incoming.language,
        Value::Object(incoming.metadata.clone()),
        tx.now(),
    ])?;
    tx.begun(Begun { connection: place.connection.clone(), thread: incoming.thread.clone() });
    let conversation = find(tx, &id)?;
    for name in incoming.also_threads.iter().filter(|name| **name != incoming.thread) {
        alias(tx, place, name, conversation.seq)?;
    }
    Ok(conversation)
}

/// Who answers where a connection names nobody.
pub fn default_agent(db: &Db) -> Result<Option<AgentId>> {
    Ok(db
        .prepare_cached("SELECT a.id FROM agent a JOIN setting s ON s.key = 'default_agent' AND s.value = a.id")?
        .query_row([], |row| row.get(0))
        .optional()?)
}

/// Content as it is stored: a file still at the service becomes a wanted one.
pub(super) fn keep(tx: &Tx<'_>, place: &Place<'_>, message: &MessageId, part: &IncomingContent) -> Result<Content> {
    let remote = match part {
        IncomingContent::Content(content) => return Ok(content.clone()),
        IncomingContent::Media(remote) => remote,
    };
    let media = MediaId::new();
    tx.prepare_cached(
        "INSERT INTO media (id, status, mime, filename, bytes, connection, message, reference, promised_sha256, created_at) VALUES (?1, 'wanted', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![media, remote.mime, remote.filename, i64::try_from(remote.bytes.unwrap_or(0)).unwrap_or(i64::MAX), place.connection, message, remote.reference, remote.sha256, tx.now()])?;
    tx.wake(Stage::Media);
    Ok(Content::Media {
        kind: remote.kind,
        media,
        caption: remote.caption.clone(),
        filename: remote.filename.clone(),
        mime: remote.mime.clone(),
        bytes: remote.bytes.unwrap_or(0),
        duration_ms: remote.duration_ms,
        wave: None,
    })
}
