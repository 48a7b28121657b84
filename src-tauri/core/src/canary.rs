//! "Last proven two minutes ago": proves each connection's whole way instead of assuming it, and names the hop where it ends.
//!
//! For a service that calls us: our settings, the public address, what the service itself says of our webhook, and a call of our own by the
//! public address, signed as the service signs, which is verified and leaves nothing behind. For a service that we ask: that its answers
//! keep coming. A free tunnel counts every request, so the own call is made after every change and every failure, and otherwise hourly.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use rusqlite::params;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Timestamp;
use crate::connections::Live;
use crate::connector::ServiceError;
use crate::error::{Result, Sentence};
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::model::{Change, ConnectionStatus};
use crate::registrations::{self, rows};
use crate::say;
use crate::store::Tx;
use crate::tunnel::{Hop, Phase};

/// How often every connection is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// How often the own call is made while nothing changes.
const CALL_EVERY: Duration = Duration::from_secs(3600);
/// How long a service or the own call may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many are looked at at the same time.
const AT_ONCE: usize = 8;
/// Trouble that a service told longer ago is settled.
const RECENT: Duration = Duration::from_secs(600);
/// A signed call of our own carries this header.
pub const HEADER: &str = "x-shopbell-canary";

/// What a look found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Where the way ends; `None` = it is whole.
    pub hop: Option<Hop>,
    /// Why, in words for the owner.
    pub reason: Option<Sentence>,
    /// How many messages wait at the service.
    pub pending: Option<u64>,
    /// The whole way was gone.
    pub proven: bool,
}

impl Found {
    fn broken(hop: Hop, reason: Sentence) -> Self {
        Self { hop: Some(hop), reason: Some(reason), ..Self::default() }
    }
}

/// What is remembered of a connection from one look to the next.
struct Seen {
    live: Arc<Live>,
    url: String,
    called: Option<Instant>,
    asked: Option<Instant>,
    /// What the service and the own call said then.
    told: Found,
    call: Found,
}

/// The stage: looks at every connection until told to stop.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let mut reach = hub.tunnel.watch();
    let mut seen: HashMap<ConnectionId, Seen> = HashMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = reach.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK_EVERY / hub.tunnel.patience().hurry) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = round(&hub, &mut seen) => {}
        }
    }
}

async fn round(hub: &Arc<Hub>, seen: &mut HashMap<ConnectionId, Seen>) {
    let lives: Vec<Arc<Live>> = hub.connections.all().into_iter().filter(|live| is_watched(live)).collect();
    seen.retain(|id, _| lives.iter().any(|live| live.connection.id == *id));
    let mut looking = JoinSet::new();
    let mut looked = Vec::new();
    for live in lives {
        while looking.len() >= AT_ONCE {
            looked.extend(looking.join_next().await);
        }
        let (hub, url) = (hub.clone(), registrations::desired(hub, &live));
        let before = seen
            .remove(&live.connection.id)
            .filter(|before| Arc::ptr_eq(&before.live, &live) && before.url == url)
            .unwrap_or_else(|| Seen { live, url, called: None, asked: None, told: Found::default(), call: Found::default() });
        looking.spawn(async move {
            let mut seen = before;
            let found = look(&hub, &mut seen).await;
            let noted = note(&hub, &seen.live, &found).await;
            (seen, noted)
        });
    }
    while let Some(done) = looking.join_next().await {
        looked.push(done);
    }
    for done in looked {
        match done {
            Ok((one, noted)) => {
                if let Err(error) = noted {
                    tracing::error!(error = ?error, "What the canary found could not be written down.");
                }
                seen.insert(one.live.connection.id.clone(), one);
            }
            Err(error) => tracing::error!(%error, "A look at a connection ended by a bug."),
        }
    }
}

fn is_watched(live: &Live) -> bool {
    let wanted = !matches!(live.connection.status, ConnectionStatus::Draft | ConnectionStatus::Paused);
    wanted && live.rules.as_ref().is_some_and(|rules| rules.webhook) && live.connector.channel().is_some()
}

/// Looks along the way, from the owner's side to the service's, and stops where it ends.
async fn look(hub: &Arc<Hub>, seen: &mut Seen) -> Found {
    let live = seen.live.clone();
    let condition = hub.store.condition();
    if let Some(sentence) = condition.sentence().filter(|_| !condition.is_sound()) {
        return Found::broken(Hop::Store, sentence);
    }
    if let Err(sentence) = &live.settings {
        return Found::broken(Hop::Token, sentence.clone());
    }
    match &live.connection.status {
        ConnectionStatus::NeedsSignIn { reason } => return Found::broken(Hop::Token, Sentence::verbatim(reason.clone())),
        ConnectionStatus::Failing { reason } => return Found::broken(Hop::Provider, Sentence::verbatim(reason.clone())),
        ConnectionStatus::Draft | ConnectionStatus::Active | ConnectionStatus::Paused => {}
    }
    if !registrations::is_called(&live) || hub.public_base().is_empty() {
        // The listener itself proves it, and is restarted where its answers stay out.
        return Found::default();
    }
    if let Some(found) = address(hub, &live) {
        return found;
    }
    let hurry = hub.tunnel.patience().hurry;
    let call_due = seen.called.is_none_or(|at| at.elapsed() >= CALL_EVERY / hurry) || seen.call.hop.is_some();
    if call_due {
        seen.call = call(hub, &live, &seen.url).await;
        seen.called = Some(Instant::now());
    }
    if seen.call.hop.is_some() {
        return seen.call.clone();
    }
    if let Some(found) = registered(hub, &live).await {
        return found;
    }
    let patience = live.connector.channel().map_or(LOOK_EVERY, crate::connector::Channel::look_every) / hurry;
    if seen.asked.is_none_or(|at| at.elapsed() >= patience) || seen.told.hop.is_some() {
        seen.told = ask(hub, &live, &seen.url).await;
        seen.asked = Some(Instant::now());
    }
    seen.told.clone()
}

/// What is wrong with the public address, as far as this connection needs one.
fn address(hub: &Hub, live: &Live) -> Option<Found> {
    let state = hub.tunnel.state();
    if let Some(trouble) = &state.trouble {
        return Some(Found::broken(trouble.hop, trouble.sentence.clone()));
    }
    match state.phase {
        Phase::PublicOk => None,
        // A simulator or a server in the house comes to this computer itself.
        Phase::Off if is_at_home(live) => None,
        Phase::Off => Some(Found::broken(Hop::Tunnel, no_address())),
        Phase::Starting | Phase::Connected | Phase::Verifying | Phase::Degraded | Phase::Reconnecting | Phase::Failed => {
            Some(Found::broken(Hop::Tunnel, say!("The public address is being opened.")))
        }
    }
}

/// Whether the owner typed where the service is.
pub fn is_at_home(live: &Live) -> bool {
    live.connection.config.get("base_url").and_then(serde_json::Value::as_str).is_some_and(|url| !url.is_empty())
}

/// What is said where services cannot call.
pub fn no_address() -> Sentence {
    say!("This computer has no public address, so services that call cannot reach it. Choose one under Public address.")
}

/// Calls our own hook by the public address, signed as the service signs.
async fn call(hub: &Arc<Hub>, live: &Live, url: &str) -> Found {
    let signed = live.connector.channel().zip(live.settings.as_ref().ok()).and_then(|(channel, settings)| channel.self_call(settings, url));
    let (Some(signed), Some(mark)) = (signed, hub.tunnel.proof.mark()) else { return Found::default() };
    let client = hub.network.apart().client(Some(url));
    let request = match client.request(Method::POST, url) {
        Ok(request) => request,
        Err(error) => return Found::broken(Hop::Setting, error.sentence()),
    };
    let mut request = request.timeout(PATIENCE).header(HEADER, mark).body(signed.body);
    for (name, value) in signed.headers {
        request = request.header(name, value);
    }
    match request.send().await.map(|answer| answer.status().as_u16()) {
        Ok(204) => Found::default(),
        Ok(401) => Found::broken(
            Hop::Signature,
            say!("A call with this connection's own secret is not taken for genuine. Type its secrets again, as the service shows them."),
        ),
        Ok(503) => Found::broken(Hop::Store, say!("What arrives cannot be stored at the moment. The service sends it again.")),
        Ok(status) => Found::broken(
            Hop::Http,
            say!(
                "The public address answers a call to this connection with {status}. Check that everything is passed on to Shopbell.",
                status = status
            ),
        ),
        Err(_) => Found::broken(Hop::Tunnel, say!("A call by the public address to this connection did not arrive.")),
    }
}

/// What the registration stands at, where it is not as it should be.
async fn registered(hub: &Arc<Hub>, live: &Live) -> Option<Found> {
    let id = live.connection.id.clone();
    let row = hub.store.read(move |db| rows::get(db, &id)).await.ok().flatten()?;
    match row.state {
        rows::State::Failed { .. } | rows::State::Manual | rows::State::Elsewhere => {
            let reason = row.error.unwrap_or_default();
            Some(Found::broken(Hop::Provider, Sentence::verbatim(reason)))
        }
        rows::State::Waiting | rows::State::Registering | rows::State::Confirmed => None,
    }
}

/// What the service says of our webhook.
async fn ask(hub: &Arc<Hub>, live: &Live, url: &str) -> Found {
    let Some((channel, link)) = live.connector.channel().zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref())) else {
        return Found::default();
    };
    let state = match tokio::time::timeout(PATIENCE, channel.webhook_state(link)).await {
        Ok(Ok(state)) => state,
        Ok(Err(ServiceError::Unauthorized(sentence))) => {
            hub.needs_sign_in(&live.connection.id, &sentence).await;
            return Found::broken(Hop::Token, sentence);
        }
        // It does not tell, or not now because we asked too often.
        Ok(Err(ServiceError::Permanent(_) | ServiceError::RateLimited { .. })) => return Found { proven: true, ..Found::default() },
        Ok(Err(error)) => return Found::broken(Hop::Provider, error.sentence()),
        Err(_) => {
            return Found::broken(
                Hop::Provider,
                say!("The service did not answer in time. Check the address and your internet connection."),
            );
        }
    };
    registrations::read_back(hub, live, url, state.confirmed_url.as_deref()).await;
    if let Some(found) = registered(hub, live).await {
        return found;
    }
    let now = hub.store.clock().now();
    let recent = state.last_error_at.is_some_and(|at| now.since(at) < RECENT);
    match (&state.last_error, state.pending) {
        (Some(words), Some(pending)) if recent && pending > 0 => Found {
            pending: Some(pending),
            ..Found::broken(
                Hop::Provider,
                say!("{pending} messages wait at the service, which says: {words}", pending = pending, words = words),
            )
        },
        (_, pending) => Found { pending, proven: true, ..Found::default() },
    }
}

/// Writes down what was found; says so where it is news.
async fn note(hub: &Arc<Hub>, live: &Live, found: &Found) -> Result<()> {
    let reason = found.reason.as_ref().map(|reason| hub.say(reason));
    let (id, found) = (live.connection.id.clone(), found.clone());
    hub.store.write(move |tx| keep(tx, &id, &found, reason.as_deref())).await
}

fn keep(tx: &Tx<'_>, id: &ConnectionId, found: &Found, reason: Option<&str>) -> Result<()> {
    let name = found.hop.map(Hop::name);
    let pending = found.pending.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let mut statement = tx.prepare_cached("SELECT 1 FROM canary WHERE connection = ?1 AND hop IS ?2 AND reason IS ?3")?;
    let news = !statement.exists(params![id, name, reason])?;
    tx.prepare_cached(
        "INSERT INTO canary (connection, looked_at, proven_at, hop, reason, pending)
         SELECT id, ?2, CASE WHEN ?6 THEN ?2 END, ?3, ?4, ?5 FROM connection WHERE id = ?1
         ON CONFLICT (connection) DO UPDATE SET looked_at = ?2, hop = ?3, reason = ?4, pending = ?5,
             proven_at = CASE WHEN ?6 THEN ?2 ELSE proven_at END",
    )?
    .execute(params![id, tx.now(), name, reason, pending, found.proven])?;
    if news {
        tx.changed(Change::Connection { id: id.clone() });
    }
    Ok(())
}

/// What the last look found, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Where the way ends.
    pub hop: Option<Hop>,
    /// Why, in the hub's language at the time.
    pub reason: Option<String>,
    /// When it was last whole.
    pub proven_at: Option<Timestamp>,
}

/// What the last look at a connection found.
pub fn kept(db: &rusqlite::Connection, id: &ConnectionId) -> Result<Kept> {
    use rusqlite::OptionalExtension;
    let row = db
        .prepare_cached("SELECT hop, reason, proven_at FROM canary WHERE connection = ?1")?
        .query_row([id], |row| Ok((row.get::<_, Option<String>>(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    Ok(row.map_or_else(Kept::default, |(hop, reason, proven_at)| Kept { hop: hop.as_deref().and_then(Hop::named), reason, proven_at }))
}
