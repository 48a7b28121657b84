//! What a visitor sees of their conversation, and the cursor that says how far.
//!
//! Messages stand in the order in which they were stored. An answer is seen once its delivery is sent, which may be after a later message
//! was seen; so a cursor names the newest message seen and those before it that were still on their way. Reading on from a
//! cursor gives every message exactly once, whatever happened in between.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use rusqlite::{Connection as Db, OptionalExtension, params};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::session::{Visitor, visitor};
use super::{Answer, Refusal, asked_for};
use crate::changes::Changes;
use crate::clock::Timestamp;
use crate::connections::Live;
use crate::connector::Reports;
use crate::connector::{Evidence, Posted};
use crate::conversations::{self, Place};
use crate::error::Result;
use crate::gateway::answer;
use crate::gateway::public::Public;
use crate::hub::Hub;
use crate::id::{ConversationId, MessageId};
use crate::media::Signer;
use crate::model::{Change, Content, MediaKind, Source};

/// Messages in one answer at most.
pub const PAGE: usize = 50;
/// Messages on their way that a cursor names at most. An answer said sentence by sentence is many.
const PENDING: usize = 32;
/// The longest wait of a long poll.
const LONGEST_WAIT: u64 = 25;

/// A visitor's conversation.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its number.
    pub seq: i64,
    /// Its id.
    pub id: ConversationId,
}

/// How far somebody has read.
#[derive(Clone, Debug, Default)]
pub struct Position {
    after: i64,
    pending: Vec<i64>,
}

/// A message as the chat shows it.
pub struct Shown {
    /// As JSON.
    pub json: Value,
    /// The cursor after it.
    pub cursor: String,
    /// Our own message's name, while it counts as sent only.
    pub fresh: Option<String>,
}

/// The conversation of a visitor, once they have written.
pub fn conversation_of(db: &Db, visitor: &Visitor) -> Result<Option<Seen>> {
    Ok(db
        .prepare_cached("SELECT seq, id FROM conversation WHERE connection = ?1 AND thread = ?2")?
        .query_row(params![visitor.connection, visitor.name], |row| Ok(Seen { seq: row.get(0)?, id: row.get(1)? }))
        .optional()?)
}

/// Reads a cursor; `None` when it is not one of this conversation. One of those on their way may have been taken back since: nobody saw
/// it, and nobody will.
pub fn position(db: &Db, conversation: &Seen, cursor: &str) -> Result<Option<Position>> {
    let mut seqs = Vec::new();
    for id in cursor.split('.').take(PENDING + 1) {
        let seq: Option<i64> = db
            .prepare_cached("SELECT seq FROM message WHERE id = ?1 AND conversation = ?2")?
            .query_row(params![id, conversation.seq], |row| row.get(0))
            .optional()?;
        match seq {
            Some(seq) => seqs.push(seq),
            None if seqs.is_empty() => return Ok(None),
            None => {}
        }
    }
    let mut seqs = seqs.into_iter();
    Ok(seqs.next().map(|after| Position { after, pending: seqs.collect() }))
}

/// Our own messages that the visitor does not see yet, newest first.
fn on_their_way(db: &Db, conversation: &Seen) -> Result<Vec<(i64, MessageId)>> {
    let mut statement = db.prepare_cached(
        "SELECT m.seq, m.id FROM message m JOIN delivery d ON d.message = m.seq
         WHERE m.conversation = ?1 AND m.direction = 'out' AND d.status IN ('queued', 'sending', 'unconfirmed', 'failed') AND coalesce(d.reason, '') <> 'taken_over'
         ORDER BY m.seq DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![conversation.seq, PENDING as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn cursor(seq: i64, id: &str, pending: &[(i64, MessageId)]) -> String {
    let before = pending.iter().filter(|(other, _)| *other < seq).map(|(_, id)| id.as_str());
    std::iter::once(id).chain(before).collect::<Vec<_>>().join(".")
}

/// What the visitor has not seen after `from`, oldest first, at most [`PAGE`]; moves `from` on.
pub fn after(db: &Db, conversation: &Seen, from: &mut Position, signer: &Signer, now: Timestamp) -> Result<Vec<Shown>> {
    let pending = on_their_way(db, conversation)?;
    let mut statement = db.prepare_cached(
        "SELECT m.seq, m.id, m.author_kind, m.content, m.sources, m.sent_at, m.external_id, d.status, a.name
         FROM message m LEFT JOIN delivery d ON d.message = m.seq LEFT JOIN agent a ON m.author_kind = 'agent' AND a.id = m.author_id
         WHERE m.conversation = ?1 AND (m.seq > ?2 OR m.seq IN (SELECT value FROM json_each(?3))) AND m.deleted_at IS NULL
           AND (m.direction = 'in' OR (m.direction = 'out' AND d.status IN ('sent', 'delivered', 'read')))
         ORDER BY m.seq LIMIT ?4",
    )?;
    let named = serde_json::to_string(&from.pending).map_err(anyhow::Error::from)?;
    let mut rows = statement.query(params![conversation.seq, from.after, named, PAGE as i64])?;
    let mut shown = Vec::new();
    let mut newest = from.after;
    while let Some(row) = rows.next()? {
        let (seq, id): (i64, MessageId) = (row.get(0)?, row.get(1)?);
        let author: String = row.get(2)?;
        let content: Vec<Content> = serde_json::from_str(row.get_ref(3)?.as_str()?).map_err(anyhow::Error::from)?;
        let sources: Vec<Source> = row
            .get::<_, Option<String>>(4)?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(anyhow::Error::from)?
            .unwrap_or_default();
        let external_id: Option<String> = row.get(6)?;
        let status: Option<String> = row.get(7)?;
        newest = newest.max(seq);
        // A message that was on its way does not take the cursor back.
        let here = if seq > from.after { cursor(seq, id.as_str(), &pending) } else { String::new() };
        let (role, name) = match author.as_str() {
            "contact" => ("visitor", None),
            "agent" => ("bot", row.get::<_, Option<String>>(8)?),
            "person" => ("agent", None),
            _ => ("system", None),
        };
        let client_id = external_id.as_deref().filter(|_| role == "visitor").and_then(Posted::client_id_of);
        shown.push(Shown {
            json: json!({
                "id": id,
                "role": role,
                "author": name.map(|name| json!({ "name": name })),
                "parts": parts(&content, &sources, signer, now),
                "created_at": row.get::<_, Timestamp>(5)?,
                "client_id": client_id,
            }),
            cursor: here,
            fresh: external_id.filter(|_| status.as_deref() == Some("sent")),
        });
    }
    drop(rows);
    from.pending.retain(|seq| pending.iter().any(|(open, _)| open == seq));
    from.pending.extend(pending.iter().map(|(seq, _)| *seq).filter(|seq| *seq > from.after && *seq < newest));
    from.after = newest;
    // Those that came late carry the cursor of the newest one seen, so that it never goes back.
    let current = write(db, from)?;
    for message in &mut shown {
        if message.cursor.is_empty() {
            message.cursor.clone_from(&current);
        }
        message.json["cursor"] = Value::String(message.cursor.clone());
    }
    Ok(shown)
}

/// A position as a cursor.
fn write(db: &Db, position: &Position) -> Result<String> {
    let mut ids = Vec::new();
    for seq in std::iter::once(&position.after).chain(position.pending.iter().take(PENDING)) {
        let id: Option<String> =
            db.prepare_cached("SELECT id FROM message WHERE seq = ?1")?.query_row([seq], |row| row.get(0)).optional()?;
        ids.extend(id);
    }
    Ok(ids.join("."))
}

/// The cursor after everything that can be seen now.
pub fn latest(db: &Db, conversation: &Seen) -> Result<Option<String>> {
    let newest: Option<(i64, MessageId)> = db
        .prepare_cached(
            "SELECT m.seq, m.id FROM message m LEFT JOIN delivery d ON d.message = m.seq
             WHERE m.conversation = ?1 AND (m.direction = 'in' OR (m.direction = 'out' AND d.status IN ('sent', 'delivered', 'read'))) ORDER BY m.seq DESC LIMIT 1",
        )?
        .query_row([conversation.seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((seq, id)) = newest else { return Ok(None) };
    Ok(Some(cursor(seq, id.as_str(), &on_their_way(db, conversation)?)))
}

/// Our messages up to `position` that do not count as read yet, by their names.
pub fn unread_up_to(db: &Db, conversation: &Seen, position: &Position) -> Result<Vec<String>> {
    let mut statement = db.prepare_cached(
        "SELECT m.external_id FROM message m JOIN delivery d ON d.message = m.seq
         WHERE m.conversation = ?1 AND m.seq <= ?2 AND m.direction = 'out' AND d.status IN ('sent', 'delivered') AND m.external_id IS NOT NULL
         ORDER BY m.seq DESC LIMIT 200",
    )?;
    Ok(statement.query_map(params![conversation.seq, position.after], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
}

/// Content as the chat's parts.
fn parts(content: &[Content], sources: &[Source], signer: &Signer, now: Timestamp) -> Vec<Value> {
    let mut parts = Vec::new();
    for part in content {
        match part {
            Content::Text { text } | Content::AskLocation { text } => parts.push(json!({ "type": "markdown", "text": text })),
            Content::Choices { text, options } => {
                parts.push(json!({ "type": "markdown", "text": text }));
                let options: Vec<Value> = options.iter().map(|option| json!({ "id": option.id, "label": option.label })).collect();
                parts.push(json!({ "type": "buttons", "options": options }));
            }
            Content::Chosen { label, .. } => parts.push(json!({ "type": "markdown", "text": label })),
            Content::Media { kind, media, caption, filename, mime, bytes, .. } => {
                // Below the chat's own page: `<base>/widget/v1/app.html` → `<base>/media/…`.
                let url = format!("../../media/{}", signer.sign(media, now));
                if matches!(kind, MediaKind::Image | MediaKind::Sticker) && mime != "image/svg+xml" {
                    parts.push(json!({ "type": "image", "url": url, "alt": caption.clone().or_else(|| filename.clone()) }));
                } else {
                    parts.push(json!({ "type": "file", "url": url, "name": filename.clone().unwrap_or_default(), "bytes": bytes }));
                }
                if let Some(caption) = caption {
                    parts.push(json!({ "type": "markdown", "text": caption }));
                }
            }
            Content::Location { latitude, longitude, name, address } => {
                parts.push(json!({ "type": "location", "latitude": latitude, "longitude": longitude, "name": name, "address": address }));
            }
            Content::Contacts { contacts } => {
                let text = contacts.iter().map(|card| format!("{} {}", card.name, card.phones.join(", "))).collect::<Vec<_>>().join("\n");
                parts.push(json!({ "type": "markdown", "text": text }));
            }
            Content::Reaction { emoji, .. } => parts.push(json!({ "type": "markdown", "text": emoji })),
            Content::Template { text, .. } => parts.push(json!({ "type": "markdown", "text": text })),
            Content::Order { .. } | Content::Form { .. } | Content::Shared { .. } | Content::Unsupported { .. } | Content::Event { .. } => {
            }
        }
    }
    let said = letters(&content.iter().map(Content::text).collect::<Vec<_>>().join(" "));
    for source in sources {
        // What the answer says word for word need not stand below it once more.
        let quote = source.quote.as_deref().filter(|quote| !said.contains(&letters(quote))).unwrap_or_default();
        parts.push(json!({ "type": "source", "title": source.title, "quote": quote }));
    }
    parts
}

/// Letters and digits alone, to compare words whatever marks stand between them.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Notes that our messages reached the visitor, or were read. A tick is not worth failing anything else for.
pub async fn tick(hub: &Arc<Hub>, live: &Arc<Live>, external_ids: Vec<String>, evidence: Evidence) {
    if external_ids.is_empty() {
        return;
    }
    let (live, language) = (live.clone(), hub.language());
    let ticked = hub
        .store
        .write(move |tx| {
            let connection = &live.connection;
            let place = Place {
                connection: &connection.id,
                connector: &connection.connector,
                agent: connection.agent.as_ref(),
                gather: Duration::ZERO,
                language: &language,
                reports: Reports::Never,
            };
            for external_id in external_ids {
                let event = crate::connector::Event::Status { external_id, delivery: None, status: evidence.clone(), at: tx.now() };
                conversations::apply(tx, &place, &event)?;
            }
            Ok(())
        })
        .await;
    if let Err(error) = ticked {
        tracing::warn!(error = ?error, "A tick of the website chat could not be noted.");
    }
}

/// What is new for a visitor from `from` on, and where that leads; `None` for a cursor that is not theirs.
pub async fn news(public: &Public, visitor: &Visitor, from: From) -> Result<Option<(Option<Seen>, Position, Vec<Shown>)>> {
    let (visitor, hub, signer) = (visitor.clone(), public.hub.clone(), public.hub.media.signer().clone());
    let now = hub.store.clock().now();
    hub.store
        .read(move |db| {
            let Some(conversation) = conversation_of(db, &visitor)? else {
                // Nothing was said yet; a cursor then is somebody else's, or of a hub that was set up anew.
                return Ok(match from {
                    From::Start | From::Position(_) => Some((None, Position::default(), Vec::new())),
                    From::Cursor(_) => None,
                });
            };
            let mut here = match from {
                From::Start => Position::default(),
                From::Position(position) => position,
                From::Cursor(text) => match position(db, &conversation, &text)? {
                    Some(position) => position,
                    None => return Ok(None),
                },
            };
            let shown = after(db, &conversation, &mut here, &signer, now)?;
            Ok(Some((Some(conversation), here, shown)))
        })
        .await
}

/// From where to read.
pub enum From {
    /// Everything.
    Start,
    /// As the visitor's browser says.
    Cursor(String),
    /// As we know ourselves.
    Position(Position),
}

impl From {
    /// From a query's value.
    pub fn given(cursor: Option<&str>) -> Self {
        match cursor.filter(|text| !text.is_empty()) {
            None => Self::Start,
            Some(text) => Self::Cursor(text.to_owned()),
        }
    }
}

/// The value of `name` in a query, percent-decoded.
pub fn query(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// What a browser whose cursor we do not know is told: read everything again.
pub fn lost() -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "cursor_too_old", "Read everything again.")
}

/// `GET messages?after=…&wait=…`: what is new, at once or within `wait` seconds.
pub async fn messages(State(public): State<Arc<Public>>, request: Request) -> Answer {
    let name = asked_for(&request);
    let (visitor, live, _) = visitor(&public, request.headers(), &name).await?;
    let given = query(&request, "after");
    let wait = query(&request, "wait").and_then(|text| text.parse::<u64>().ok()).unwrap_or(0).min(LONGEST_WAIT);
    // Listening begins before reading, so that nothing falls between the two.
    let mut beginnings = public.hub.store.changes().beginnings();
    let (mut changes, _) = public.hub.store.changes().listen(None);
    let stop = public.hub.stopping();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(wait);
    loop {
        let (conversation, here, shown) = news(&public, &visitor, From::given(given.as_deref())).await?.ok_or_else(lost)?;
        if !shown.is_empty() || tokio::time::Instant::now() >= deadline || stop.is_cancelled() {
            let cursor = shown.last().map(|message| message.cursor.clone()).or(given);
            let fresh = shown.iter().filter_map(|message| message.fresh.clone()).collect();
            let list: Vec<Value> = shown.into_iter().map(|message| message.json).collect();
            tick(&public.hub, &live, fresh, Evidence::Delivered).await;
            drop(here);
            return Ok(answer::json(StatusCode::OK, &json!({ "messages": list, "cursor": cursor })));
        }
        loop {
            let change = tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(deadline) => break,
                () = Changes::began(&mut beginnings, &visitor.connection, &visitor.name), if conversation.is_none() => break,
                change = changes.recv() => change,
            };
            match change {
                Ok(announced) if concerns(&announced.change, conversation.as_ref()) => break,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return Err(Refusal::offline()),
            }
        }
    }
}

/// Whether a change may bring something new for a visitor. One without a conversation hears of its beginning apart ([`Changes::began`]):
/// no message of anybody else makes them ask the store.
pub fn concerns(change: &Change, conversation: Option<&Seen>) -> bool {
    match (change, conversation) {
        (Change::Message { conversation, .. } | Change::Delivery { conversation, .. }, Some(seen)) => *conversation == seen.id,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_who_has_not_written_is_not_woken_by_what_others_say() {
        let (mine, theirs) = (ConversationId::new(), ConversationId::new());
        let said = |conversation: &ConversationId| Change::Message { id: MessageId::new(), conversation: conversation.clone() };
        let seen = Seen { seq: 1, id: mine.clone() };
        assert!(concerns(&said(&mine), Some(&seen)));
        assert!(!concerns(&said(&theirs), Some(&seen)));
        assert!(!concerns(&said(&theirs), None), "six hundred idle streams would ask the store at every message of the shop");
    }
}
