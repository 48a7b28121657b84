//! `GET stream`: what happens in a visitor's conversation, as it happens (Server-Sent Events).
//!
//! Begins with everything after the cursor, then follows the hub's changes and reads the store at each that concerns the visitor. An
//! event's id is the cursor after it, so that a cut line goes on where it was.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use rusqlite::params;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::mpsc;

use super::session::{Visitor, streaming};
use super::view::{self, From, Position, Seen, Shown, concerns, news, query, tick};
use super::{Answer, Refusal, asked_for};
use crate::changes::{Begun, Changes};
use crate::connections::Live;
use crate::connector::Evidence;
use crate::gateway::public::Public;
use crate::model::Change;

/// How often a quiet stream says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(20);

type Line = Result<Event, Infallible>;

/// The route.
pub async fn stream(State(public): State<Arc<Public>>, request: Request) -> Answer {
    let name = asked_for(&request);
    let ticket = query(&request, "ticket");
    let (visitor, live, _) = streaming(&public, request.headers(), &name, ticket.as_deref()).await?;
    let place = public.widget.streams.begin(&visitor).ok_or_else(|| Refusal::too_fast(Duration::from_secs(30)))?;
    let resumed = request.headers().get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let from = From::given(resumed.or_else(|| query(&request, "cursor")).as_deref());
    // Listening begins before reading, so that nothing falls between the two.
    let beginnings = public.hub.store.changes().beginnings();
    let (changes, _) = public.hub.store.changes().listen(None);
    let (conversation, here, shown) = news(&public, &visitor, from).await?.ok_or_else(view::lost)?;
    let (sender, lines) = mpsc::channel(64);
    let follower = Follower { public: public.clone(), visitor, live, conversation, beginnings, here, sender, status: Value::Null };
    public.hub.spawn(async move {
        tokio::select! {
            // A newer stream of this visitor took the place, also while this one waits for its reader.
            () = place.ended.cancelled() => {}
            () = follower.run(shown, changes) => {}
        }
        drop(place);
    });
    let lines = tokio_stream::wrappers::ReceiverStream::new(lines);
    let mut response = Sse::new(lines).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("here")).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

struct Follower {
    public: Arc<Public>,
    visitor: Visitor,
    live: Arc<Live>,
    conversation: Option<Seen>,
    /// Where the beginning of theirs is told, while there is none.
    beginnings: Receiver<Begun>,
    here: Position,
    sender: mpsc::Sender<Line>,
    /// Who has the next word, as last told.
    status: Value,
}

/// The visitor has gone.
struct Gone;

/// What a few changes mean for one visitor.
#[derive(Default)]
struct Heard {
    news: bool,
    status: bool,
    typing: Option<(String, bool)>,
}

impl Heard {
    fn note(&mut self, change: &Change, seen: Option<&Seen>) {
        self.news |= concerns(change, seen);
        let Some(seen) = seen else { return };
        match change {
            Change::Conversation { id } if *id == seen.id => self.status = true,
            Change::Typing { conversation, who, on } if *conversation == seen.id && who != "contact" => {
                self.typing = Some((who.clone(), *on));
            }
            _ => {}
        }
    }

    /// Too much happened to be told one by one: read everything.
    fn everything(&mut self) {
        (self.news, self.status) = (true, true);
    }
}

impl Follower {
    async fn run(mut self, first: Vec<Shown>, changes: tokio::sync::broadcast::Receiver<crate::changes::Announced>) {
        if self.follow(first, changes).await.is_err() {
            tracing::debug!("A visitor's stream ended.");
        }
    }

    async fn follow(
        &mut self,
        first: Vec<Shown>,
        mut changes: tokio::sync::broadcast::Receiver<crate::changes::Announced>,
    ) -> Result<(), Gone> {
        self.say(Event::default().comment("here").retry(Duration::from_secs(3))).await?;
        self.tell_status().await?;
        let full = first.len() == view::PAGE;
        self.show(first).await?;
        if full {
            self.read_on().await?;
        }
        let stop = self.public.hub.stopping();
        loop {
            let mut heard = Heard::default();
            let waiting = self.conversation.is_none();
            let change = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.sender.closed() => return Err(Gone),
                () = Changes::began(&mut self.beginnings, &self.visitor.connection, &self.visitor.name), if waiting => None,
                change = changes.recv() => Some(change),
            };
            match change {
                None => heard.news = true,
                Some(Ok(announced)) => heard.note(&announced.change, self.conversation.as_ref()),
                Some(Err(RecvError::Lagged(_))) => heard.everything(),
                Some(Err(RecvError::Closed)) => return Ok(()),
            }
            // What came meanwhile is read in one go.
            loop {
                match changes.try_recv() {
                    Ok(announced) => heard.note(&announced.change, self.conversation.as_ref()),
                    Err(TryRecvError::Lagged(_)) => heard.everything(),
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            if let Some((who, on)) = heard.typing.take() {
                let role = if who == "agent" { "bot" } else { "agent" };
                self.event("typing", None, &json!({ "role": role, "on": on })).await?;
            }
            if heard.news {
                let began = self.conversation.is_none();
                self.read_on().await?;
                heard.status |= began && self.conversation.is_some();
            }
            if heard.status {
                self.tell_status().await?;
            }
        }
    }

    /// Reads the store from here on until there is nothing new.
    async fn read_on(&mut self) -> Result<(), Gone> {
        loop {
            let from = From::Position(std::mem::take(&mut self.here));
            match news(&self.public, &self.visitor, from).await {
                Ok(Some((conversation, here, shown))) => {
                    self.conversation = conversation;
                    self.here = here;
                    let more = shown.len() == view::PAGE;
                    self.show(shown).await?;
                    if !more {
                        return Ok(());
                    }
                }
                // The hub is closing, or the store has trouble: the browser comes again with its cursor.
                Ok(None) | Err(_) => return Err(Gone),
            }
        }
    }

    async fn show(&self, shown: Vec<Shown>) -> Result<(), Gone> {
        let mut reached = Vec::new();
        for message in shown {
            self.event("message", Some(&message.cursor), &message.json).await?;
            reached.extend(message.fresh);
        }
        tick(&self.public.hub, &self.live, reached, Evidence::Delivered).await;
        Ok(())
    }

    /// Tells who has the next word, when that changed.
    async fn tell_status(&mut self) -> Result<(), Gone> {
        let handoff = match &self.conversation {
            None => "bot",
            Some(conversation) => {
                let seq = conversation.seq;
                let row = self.public.hub.store.read(move |db| {
                    let mut statement = db.prepare_cached("SELECT owner_kind, needs_person FROM conversation WHERE seq = ?1")?;
                    Ok(statement.query_row(params![seq], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?)
                });
                match row.await {
                    Ok((kind, _)) if kind == "agent" => "bot",
                    Ok((_, true)) => "queued",
                    Ok(_) => "human",
                    Err(_) => return Err(Gone),
                }
            }
        };
        let status = json!({ "online": true, "handoff": handoff });
        if self.status != status {
            self.event("status", None, &status).await?;
            self.status = status;
        }
        Ok(())
    }

    async fn event(&self, name: &str, cursor: Option<&str>, data: &Value) -> Result<(), Gone> {
        let event = Event::default().event(name).data(data.to_string());
        self.say(match cursor {
            Some(cursor) => event.id(cursor),
            None => event,
        })
        .await
    }

    async fn say(&self, event: Event) -> Result<(), Gone> {
        self.sender.send(Ok(event)).await.map_err(|_| Gone)
    }
}
