//! Who a visitor is: a token that only their browser has.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Answer, Refusal, asked_for, live_page, may_ask, origin_of, page_of, read_json, view};
use crate::connections::Live;
use crate::connector::{PageLook, PostedPage};
use crate::conversations::clipped;
use crate::gateway::answer;
use crate::gateway::public::{Public, caller};
use crate::id::ConnectionId;

/// How long a ticket for a stream is good.
const TICKET_LIFE: Duration = Duration::from_secs(60);
/// Tickets that wait at most; more are a flood.
const TICKETS: usize = 10_000;

/// A visitor whose token was shown.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Their connection.
    pub connection: ConnectionId,
    /// Their name.
    pub name: String,
    /// Their language.
    pub locale: Option<String>,
    /// The page on which they opened the chat.
    pub page: PostedPage,
}

#[derive(Deserialize)]
struct Opening {
    key: String,
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    page: Option<Value>,
    #[serde(default)]
    locale: Option<String>,
}

fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn random() -> Result<String, Refusal> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::offline())?;
    Ok(hex::encode(bytes))
}

/// `POST sessions`: a new visitor, or one who comes back.
pub async fn open(State(public): State<Arc<Public>>, request: Request) -> Answer {
    let (name, from) = (asked_for(&request), caller(&request));
    let (parts, body) = request.into_parts();
    let opening: Opening = read_json(&parts.headers, body).await?;
    if !public.hub.is_open_for_business() {
        return Err(Refusal::offline());
    }
    let live = public.hub.connections.by_key(&opening.key).filter(|live| live.connector.page().is_some());
    let Some(live) = live else {
        public.widget.sessions.take(from).map_err(Refusal::too_fast)?;
        return Err(Refusal::new(StatusCode::NOT_FOUND, "unknown_key", "There is no chat with this key."));
    };
    let Some(look) = page_of(&live).filter(|_| live.is_active()) else { return Err(Refusal::offline()) };
    // A browser always says where it stands; the check keeps other sites from showing the chat, it is no proof of who asks.
    if origin_of(&parts.headers).is_none() || !may_ask(&parts.headers, &name, &look) {
        return Err(Refusal::foreign_origin());
    }
    let known = match &opening.session {
        Some(token) => find(&public, token).await?.filter(|visitor| visitor.connection == live.connection.id),
        None => None,
    };
    let page = page(opening.page.as_ref());
    let locale = opening.locale.as_deref().map(str::trim).filter(|locale| is_locale(locale)).map(str::to_owned);
    let (token, visitor) = match (opening.session, known) {
        (Some(token), Some(mut visitor)) => {
            public.widget.returns.take(visitor.name.clone()).map_err(Refusal::too_fast)?;
            (visitor.page, visitor.locale) = (page, locale);
            (token, visitor)
        }
        _ => {
            public.widget.sessions.take(from).map_err(Refusal::too_fast)?;
            let name = format!("v_{}", &random()?[..32]);
            (random()?, Visitor { connection: live.connection.id.clone(), name, locale, page })
        }
    };
    keep(&public, &token, &visitor).await?;
    let (hub, shown) = (&public.hub, visitor.clone());
    let (conversation, cursor) = hub
        .store
        .read(move |db| {
            let Some(conversation) = view::conversation_of(db, &shown)? else { return Ok((None, None)) };
            let cursor = view::latest(db, &conversation)?;
            Ok((Some(conversation.id), cursor))
        })
        .await?;
    let answer = json!({
        "session": token,
        "visitor_id": visitor.name,
        "conversation_id": conversation,
        "config": config(&public, &live, &look).await?,
        "cursor": cursor,
    });
    Ok(answer::json(StatusCode::OK, &answer))
}

/// How the chat looks and what it can do.
pub async fn config(public: &Public, _live: &Live, look: &PageLook) -> Result<Value, Refusal> {
    let shop: Option<String> = public
        .hub
        .store
        .read(|db| Ok(db.query_row("SELECT value FROM setting WHERE key = 'shop_name'", [], |row| row.get(0)).optional()?))
        .await?;
    Ok(json!({
        "name": shop.filter(|name| !name.trim().is_empty()),
        "theme": { "primary_color": look.primary_color, "position": look.position, "greeting_message": look.greeting_message },
        "greeting": look.greeting_message,
        "prechat": [],
        "upload": null,
        "features": {},
        "online": true,
    }))
}

fn page(given: Option<&Value>) -> PostedPage {
    let text = |name: &str, limit| {
        given.and_then(|page| page.get(name)).and_then(Value::as_str).map(|text| clipped(text, limit).to_owned()).unwrap_or_default()
    };
    let url = text("url", 500);
    // Queries and fragments may hold other people's tokens.
    PostedPage { url: url.split(['?', '#']).next().unwrap_or_default().to_owned(), title: text("title", 200) }
}

fn is_locale(text: &str) -> bool {
    (2..=35).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

async fn keep(public: &Public, token: &str, visitor: &Visitor) -> Result<(), Refusal> {
    let (hash, visitor) = (token_hash(token), visitor.clone());
    public
        .hub
        .store
        .write(move |tx| {
            let page = serde_json::to_string(&visitor.page).map_err(anyhow::Error::from)?;
            tx.prepare_cached(
                "INSERT INTO visitor_session (token_sha256, connection, visitor, page, locale, created_at, seen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
                 ON CONFLICT (token_sha256) DO UPDATE SET page = excluded.page, locale = excluded.locale, seen_at = excluded.seen_at",
            )?
            .execute(params![hash, visitor.connection, visitor.name, page, visitor.locale, tx.now()])?;
            Ok(())
        })
        .await?;
    Ok(())
}

async fn find(public: &Public, token: &str) -> Result<Option<Visitor>, Refusal> {
    if token.is_empty() || token.len() > 128 {
        return Ok(None);
    }
    let hash = token_hash(token);
    let found = public
        .hub
        .store
        .read(move |db| {
            let mut statement =
                db.prepare_cached("SELECT connection, visitor, locale, page FROM visitor_session WHERE token_sha256 = ?1")?;
            Ok(statement
                .query_row([hash], |row| {
                    let page: String = row.get(3)?;
                    let page = serde_json::from_str(&page).unwrap_or_default();
                    Ok(Visitor { connection: row.get(0)?, name: row.get(1)?, locale: row.get(2)?, page })
                })
                .optional()?)
        })
        .await?;
    Ok(found)
}

/// The visitor whose token stands in the request, their connection, and how their chat looks.
pub async fn visitor(public: &Public, headers: &HeaderMap, name: &str) -> Result<(Visitor, Arc<Live>, PageLook), Refusal> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let visitor = match token {
        Some(token) => find(public, token).await?.ok_or_else(Refusal::expired)?,
        None => return Err(Refusal::expired()),
    };
    allowed(public, visitor, headers, name)
}

fn allowed(public: &Public, visitor: Visitor, headers: &HeaderMap, name: &str) -> Result<(Visitor, Arc<Live>, PageLook), Refusal> {
    let Some((live, look)) = live_page(public, &visitor.connection) else { return Err(Refusal::offline()) };
    if !may_ask(headers, name, &look) {
        return Err(Refusal::foreign_origin());
    }
    Ok((visitor, live, look))
}

/// `POST ticket`: a word for one stream, since browsers' own streams send no token.
pub async fn ticket(State(public): State<Arc<Public>>, request: Request) -> Answer {
    let name = asked_for(&request);
    let (visitor, _, _) = visitor(&public, request.headers(), &name).await?;
    public.widget.tickets_pace.take(visitor.name.clone()).map_err(Refusal::too_fast)?;
    let ticket = random()?;
    let now = tokio::time::Instant::now();
    let mut tickets = public.widget.tickets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    tickets.retain(|_, (_, until)| *until > now);
    if tickets.len() >= TICKETS {
        return Err(Refusal::too_fast(TICKET_LIFE));
    }
    tickets.insert(token_hash(&ticket), (visitor, now + TICKET_LIFE));
    drop(tickets);
    Ok(answer::json(StatusCode::OK, &json!({ "ticket": ticket, "expires_in": TICKET_LIFE.as_secs() })))
}

/// The visitor who may open a stream: by a ticket, which is used up, or by the token.
pub async fn streaming(
    public: &Public,
    headers: &HeaderMap,
    name: &str,
    ticket: Option<&str>,
) -> Result<(Visitor, Arc<Live>, PageLook), Refusal> {
    let Some(ticket) = ticket else { return visitor(public, headers, name).await };
    let known = public.widget.tickets.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&token_hash(ticket));
    let (visitor, _) = known.filter(|(_, until)| *until > tokio::time::Instant::now()).ok_or_else(Refusal::expired)?;
    allowed(public, visitor, headers, name)
}

/// `DELETE session`: forget this browser. What was said stays with the shop.
pub async fn close(State(public): State<Arc<Public>>, request: Request) -> Answer {
    let name = asked_for(&request);
    visitor(&public, request.headers(), &name).await?;
    let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.split_once(' '));
    let hash = token_hash(token.map(|(_, token)| token.trim()).unwrap_or_default());
    public.hub.store.write(move |tx| Ok(tx.execute("DELETE FROM visitor_session WHERE token_sha256 = ?1", [hash])?)).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
