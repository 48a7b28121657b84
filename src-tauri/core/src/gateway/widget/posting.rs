//! What a visitor does: writes, types, reads.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::json;

use super::session::visitor;
use super::{Answer, Refusal, asked_for, read_json, view};
use crate::arrivals;
use crate::clock::Timestamp;
use crate::connector::Reports;
use crate::connector::{Evidence, Posted, PostedChoice, Request as Raw};
use crate::conversations::{self, Effect, Place};
use crate::error::Error;
use crate::gateway::answer;
use crate::gateway::public::Public;
use crate::id::MessageId;
use crate::model::Content;
use crate::say;

/// The longest text, in characters.
const TEXT: usize = 4000;

#[derive(Deserialize)]
struct Draft {
    client_id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    choice: Option<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message_id: String,
    option_id: String,
}

/// `POST messages`: stored and applied in one write before the answer. The same `client_id` twice is one message.
pub async fn message(State(public): State<Arc<Public>>, request: Request) -> Answer {
    let name = asked_for(&request);
    let (parts, body) = request.into_parts();
    let (visitor, live, _) = visitor(&public, &parts.headers, &name).await?;
    let draft: Draft = read_json(&parts.headers, body).await?;
    let good_id = (1..=64).contains(&draft.client_id.len())
        && draft.client_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !good_id {
        return Err(Refusal::invalid("A message needs a client_id of letters, digits and hyphens."));
    }
    if draft.text.chars().count() > TEXT {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "A message has up to 4000 characters."));
    }
    let text = draft.text.trim().to_owned();
    let choice = match &draft.choice {
        Some(choice) => Some(pressed(&public, &visitor, choice).await?),
        None if text.is_empty() => return Err(Refusal::invalid("Write something first.")),
        None => None,
    };
    let hub = public.hub.clone();
    let posted = Posted {
        client_id: draft.client_id.clone(),
        text: if choice.is_some() { String::new() } else { text },
        choice,
        at: hub.store.clock().now(),
        locale: visitor.locale.clone(),
        page: Some(visitor.page.clone()).filter(|page| !page.url.is_empty()),
        visitor: visitor.name.clone(),
    };
    // A message that is there already is answered whatever the pace: its sender only did not hear of it.
    if let Some((id, at)) = known(&public, &live.connection.id, posted.external_id()).await? {
        return Ok(answer::json(StatusCode::OK, &json!({ "id": id, "client_id": draft.client_id, "created_at": at })));
    }
    public.widget.messages.take(visitor.name.clone()).map_err(Refusal::too_fast)?;
    let raw = Raw::pulled(serde_json::to_vec(&posted).map_err(|error| Refusal::from(Error::from(anyhow::Error::new(error))))?);
    let (Some(channel), Ok(settings)) = (live.connector.channel(), &live.settings) else { return Err(Refusal::offline()) };
    let events = channel.parse(settings, &raw).map_err(|error| Refusal::from(Error::from(anyhow::anyhow!("a posted message: {error}"))))?;
    let (gather, language) = (hub.gather(&live), hub.language());
    let connection = live.connection.clone();
    let at = posted.at;
    let effects = hub
        .store
        .write(move |tx| {
            let arrival = arrivals::insert(tx, &connection.id, &raw, &[])?;
            let seq = tx.last_insert_rowid();
            let place = Place {
                connection: &connection.id,
                connector: &connection.connector,
                agent: connection.agent.as_ref(),
                gather,
                language: &language,
                reports: Reports::Never,
            };
            let effects = events.iter().map(|event| conversations::apply(tx, &place, event)).collect::<crate::error::Result<Vec<_>>>()?;
            arrivals::finish(tx, seq, &arrival, arrivals::verdict_of(&effects), None, &effects)?;
            Ok(effects)
        })
        .await?;
    let answered = |status, id: &MessageId| answer::json(status, &json!({ "id": id, "client_id": draft.client_id, "created_at": at }));
    match effects.first() {
        Some(Effect::Message { message, .. }) => Ok(answered(StatusCode::CREATED, message)),
        Some(Effect::Repeat { message: Some(message) }) => Ok(answered(StatusCode::OK, message)),
        _ => Err(Refusal::from(Error::new(
            crate::error::Code::Internal,
            say!("Shopbell could not read this. It is kept whole and can be replayed."),
        ))),
    }
}

async fn known(
    public: &Public,
    connection: &crate::id::ConnectionId,
    external_id: String,
) -> Result<Option<(MessageId, Timestamp)>, Refusal> {
    let connection = connection.clone();
    let found = public
        .hub
        .store
        .read(move |db| {
            let mut statement = db.prepare_cached("SELECT id, sent_at FROM message WHERE connection = ?1 AND external_id = ?2")?;
            Ok(statement.query_row(params![connection, external_id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
        })
        .await?;
    Ok(found)
}

/// The button that a visitor pressed: only one that was shown to them counts, by the words that stood on it.
async fn pressed(public: &Public, visitor: &super::session::Visitor, choice: &Choice) -> Result<PostedChoice, Refusal> {
    let (visitor, message) = (visitor.clone(), choice.message_id.clone());
    let content: Option<String> = public
        .hub
        .store
        .read(move |db| {
            let Some(conversation) = view::conversation_of(db, &visitor)? else { return Ok(None) };
            let mut statement =
                db.prepare_cached("SELECT content FROM message WHERE id = ?1 AND conversation = ?2 AND direction = 'out'")?;
            Ok(statement.query_row(params![message, conversation.seq], |row| row.get(0)).optional()?)
        })
        .await?;
    let content: Vec<Content> = content.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let option = content.iter().find_map(|part| match part {
        Content::Choices { options, .. } => options.iter().find(|option| option.id == choice.option_id),
        _ => None,
    });
    let option = option.ok_or_else(|| Refusal::invalid("There is no such button."))?;
    Ok(PostedChoice { id: option.id.clone(), label: option.label.clone() })
}

#[derive(Deserialize)]
struct Typing {
    state: String,
}

fn nothing_to_say() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// `POST typing`: shown to the shop, kept nowhere.
pub async fn typing(State(public): State<Arc<Public>>, request: Request) -> Answer {
    let name = asked_for(&request);
    let (parts, body) = request.into_parts();
    let (visitor, _, _) = visitor(&public, &parts.headers, &name).await?;
    let typing: Typing = read_json(&parts.headers, body).await?;
    if !matches!(typing.state.as_str(), "on" | "off") {
        return Err(Refusal::invalid("state is on or off."));
    }
    // Too many signs are dropped, not refused: nobody waits for them.
    if public.widget.typing.take(visitor.name.clone()).is_ok() {
        let conversation = public.hub.store.read(move |db| view::conversation_of(db, &visitor)).await?;
        if let Some(conversation) = conversation {
            public.hub.typing(&conversation.id, "contact", typing.state == "on");
        }
    }
    Ok(nothing_to_say())
}

#[derive(Deserialize)]
struct Read {
    up_to: String,
}

/// `POST read`: the visitor has seen everything up to here.
pub async fn read(State(public): State<Arc<Public>>, request: Request) -> Answer {
    let name = asked_for(&request);
    let (parts, body) = request.into_parts();
    let (visitor, live, _) = visitor(&public, &parts.headers, &name).await?;
    let read: Read = read_json(&parts.headers, body).await?;
    let unread = public
        .hub
        .store
        .read(move |db| {
            let Some(conversation) = view::conversation_of(db, &visitor)? else { return Ok(None) };
            let Some(position) = view::position(db, &conversation, &read.up_to)? else { return Ok(None) };
            Ok(Some(view::unread_up_to(db, &conversation, &position)?))
        })
        .await?;
    match unread {
        Some(external_ids) => {
            view::tick(&public.hub, &live, external_ids, Evidence::Read).await;
            Ok(nothing_to_say())
        }
        None => Err(view::lost()),
    }
}
