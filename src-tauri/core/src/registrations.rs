//! Tells every service where to call, by itself, as often as the public address changes.
//!
//! What is wanted and what is so stand in one row per connection, written before the service is told: a run that dies in between finds
//! `registering` and begins again, which is harmless. All connections are told at once, each by itself; one that fails is named and tried
//! again while the others are done. Nobody is told more than once a minute and twenty times an hour, however a tunnel flaps: the last
//! address counts. An address that leads to another Shopbell, or to another program, is never taken away unasked. On the way out nothing
//! is taken back: services keep what comes meanwhile and send it again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::connections::Live;
use crate::connector::{ServiceError, WebhookState};
use crate::error::{Result, Sentence};
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::model::{Change, ConnectionStatus};
use crate::queue::backoff;
use crate::say;

pub mod rows;

use rows::{Registration, State};

/// How long a service may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often is looked whether something is left to do.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A connection is told an address at most once in this time …
const APART: Duration = Duration::from_secs(60);
/// … and so often in an hour.
const PER_HOUR: usize = 20;
/// How many are told at the same time.
const AT_ONCE: usize = 16;

/// When each connection was told an address, within the last hour. In memory: after a restart the limits of the services begin anew as well.
#[derive(Debug, Default)]
pub struct Paces(std::sync::Mutex<HashMap<ConnectionId, Vec<Instant>>>);

impl Paces {
    /// Whether that connection may be told now; notes that it is.
    fn take(&self, id: &ConnectionId, now: Instant, apart: Duration) -> bool {
        let mut told = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let times = told.entry(id.clone()).or_default();
        times.retain(|time| now.duration_since(*time) < Duration::from_secs(3600));
        let soon = times.last().is_some_and(|last| now.duration_since(*last) < apart);
        if soon || times.len() >= PER_HOUR {
            return false;
        }
        times.push(now);
        true
    }
}

/// Where a connection should be called.
pub fn desired(hub: &Hub, live: &Live) -> String {
    format!("{}/hooks/{}", hub.public_base(), live.connection.hook_key)
}

/// Whether its service calls us at all, and it is in use.
pub fn is_called(live: &Live) -> bool {
    let in_use = matches!(live.connection.status, ConnectionStatus::Active | ConnectionStatus::Failing { .. });
    in_use
        && live.rules.as_ref().is_some_and(|rules| rules.webhook)
        && live.settings.as_ref().is_ok_and(|settings| live.connector.channel().is_some_and(|channel| channel.is_called(settings)))
}

/// The stage: keeps every registration as it should be.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    if let Err(error) = hub.store.write(rows::recover).await {
        tracing::error!(error = ?error, "The registrations of an earlier run cannot be read.");
    }
    let mut reach = hub.tunnel.watch();
    let paces = Paces::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            done = round(&hub, &paces) => if let Err(error) = done {
                tracing::error!(error = ?error, "The registrations could not be looked through.");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = reach.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK_EVERY / hub.tunnel.patience().hurry) => {}
        }
    }
}

/// Tells every service that has another address than it should, all at once.
async fn round(hub: &Arc<Hub>, paces: &Paces) -> Result<()> {
    // Without a public address there is nothing to be told; what was told stays.
    if hub.reach().public_url.is_none() || hub.lab.is_some() {
        return Ok(());
    }
    let known = hub.store.read(rows::all).await?;
    let now = hub.store.clock().now();
    let mut told = JoinSet::new();
    for live in hub.connections.all().into_iter().filter(|live| is_called(live)) {
        let wanted = desired(hub, &live);
        let due = match known.get(&live.connection.id) {
            None => true,
            Some(row) if row.desired_url != wanted => true,
            Some(row) => match row.state {
                State::Waiting => true,
                // It is being told at this moment, or was when an earlier run died: then `recover` made it wait.
                State::Registering => false,
                State::Failed { again } => again && row.next_at.is_none_or(|next| next <= now),
                State::Confirmed | State::Manual | State::Elsewhere => false,
            },
        };
        if !due || !paces.take(&live.connection.id, Instant::now(), APART / hub.tunnel.patience().hurry) {
            continue;
        }
        while told.len() >= AT_ONCE {
            drop(told.join_next().await);
        }
        let hub = hub.clone();
        told.spawn(async move { register(&hub, &live, &wanted, By::Itself).await });
    }
    while let Some(done) = told.join_next().await {
        match done {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(error = ?error, "A registration could not be written down."),
            Err(error) => tracing::error!(%error, "A registration ended by a bug."),
        }
    }
    Ok(())
}

/// Who wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Nobody: what another program has is left alone.
    Itself,
    /// The owner, by a button.
    Owner,
}

/// Tells one service where to call, and reads back whether it does.
///
/// # Errors
/// What the store says; what the service says stands in the row, and is the second half of the answer.
pub async fn register(hub: &Arc<Hub>, live: &Live, url: &str, by: By) -> Result<std::result::Result<WebhookState, ServiceError>> {
    let id = live.connection.id.clone();
    let before = {
        let (id, url) = (id.clone(), url.to_owned());
        hub.store.write(move |tx| rows::begin(tx, &id, &url)).await?
    };
    let outcome = tell(hub, live, url, by, before.as_ref()).await;
    if let Err(ServiceError::Unauthorized(sentence)) = &outcome {
        hub.needs_sign_in(&id, sentence).await;
    }
    let attempts = before.as_ref().map_or(0, |row| row.attempts) + 1;
    let now = hub.store.clock().now();
    let (state, next_at, sentence, confirmed) = match &outcome {
        Ok(Told::Confirmed(state)) => (State::Confirmed, None, None, state.confirmed_url.clone()),
        Ok(Told::ByHand(state, sentence)) => (State::Manual, None, Some(sentence.clone()), state.confirmed_url.clone()),
        Ok(Told::Elsewhere(there, sentence)) => (State::Elsewhere, None, Some(sentence.clone()), Some(there.clone())),
        Err(error) => {
            let again = !matches!(error, ServiceError::Permanent(_) | ServiceError::Unauthorized(_) | ServiceError::Refused { .. });
            let wait = match error {
                ServiceError::RateLimited { retry_after: Some(wait) } => (*wait).max(APART),
                _ => (APART + backoff(attempts.min(8), Duration::from_secs(30), Duration::from_secs(900))) / hub.tunnel.patience().hurry,
            };
            (State::Failed { again }, Some(now.plus(wait)), Some(error.sentence()), None)
        }
    };
    let words = sentence.as_ref().map(|sentence| hub.say(sentence));
    let kept = match &outcome {
        Ok(Told::Confirmed(state) | Told::ByHand(state, _)) => Some(serde_json::to_string(state).map_err(anyhow::Error::from)?),
        Ok(Told::Elsewhere(..)) | Err(_) => None,
    };
    let wanted = url.to_owned();
    hub.store
        .write(move |tx| {
            if let Some(text) = &kept {
                tx.execute("UPDATE connection SET webhook = ?2 WHERE id = ?1", rusqlite::params![id, text])?;
            }
            rows::finish(tx, &id, &wanted, &state, confirmed.as_deref(), words.as_deref(), next_at)?;
            tx.changed(Change::Connection { id });
            Ok(())
        })
        .await?;
    Ok(match outcome {
        Ok(Told::Confirmed(state) | Told::ByHand(state, _)) => Ok(state),
        Ok(Told::Elsewhere(_, sentence)) => Err(ServiceError::Permanent(sentence)),
        Err(error) => Err(error),
    })
}

/// What became of it.
enum Told {
    /// The service calls us there, by its own word.
    Confirmed(WebhookState),
    /// The rest is for the owner to do.
    ByHand(WebhookState, Sentence),
    /// Another program has it.
    Elsewhere(String, Sentence),
}

async fn tell(hub: &Arc<Hub>, live: &Live, url: &str, by: By, before: Option<&Registration>) -> std::result::Result<Told, ServiceError> {
    let gone = || ServiceError::Permanent(say!("The settings of this connection are not complete."));
    let channel = live.connector.channel().ok_or_else(gone)?;
    let link = live.link(hub.media.as_ref(), hub.store.clock().as_ref()).ok_or_else(gone)?;
    if by == By::Itself {
        if !url.starts_with("https://") && link.hook_url().is_none() {
            return Err(ServiceError::Permanent(say!("Services call only addresses that begin with https://.")));
        }
        // A service that does not tell is told all the same: then there is nothing to be taken away knowingly.
        let there = in_time(channel.webhook_state(link)).await.ok().and_then(|state| state.confirmed_url).filter(|there| !there.is_empty());
        if let Some(there) = there.filter(|there| there != url)
            && !is_ours(hub, live, &there, before).await
        {
            let sentence = taken(&there, live);
            return Ok(Told::Elsewhere(there, sentence));
        }
    }
    let state = in_time(channel.subscribe(link, url)).await?;
    // What was registered a moment ago may not be readable yet; one more look settles it.
    let state = match &state.confirmed_url {
        None if state.last_error.is_none() => in_time(channel.webhook_state(link)).await.unwrap_or(state),
        _ => state,
    };
    let is_there = state.confirmed_url.as_deref() == Some(url) || is_shared(live, hub, state.confirmed_url.as_deref());
    Ok(match (&state.confirmed_url, &state.last_error) {
        _ if is_there => Told::Confirmed(state),
        (_, Some(words)) => {
            let sentence = Sentence::verbatim(words.clone());
            Told::ByHand(state, sentence)
        }
        (Some(there), None) => {
            let (there, sentence) = (there.clone(), taken(there, live));
            Told::Elsewhere(there, sentence)
        }
        (None, None) => {
            let sentence =
                say!("The service does not tell where it calls. Paste {url} there by hand, then send a message to try it.", url = url);
            Told::ByHand(state, sentence)
        }
    })
}

/// Whether an address is the callback that this connection shares with others of its app.
fn is_shared(live: &Live, hub: &Hub, there: Option<&str>) -> bool {
    let shared = live.shared.as_ref().map(|shared| format!("{}/hooks/{}/{}", hub.public_base(), shared.family, shared.key));
    shared.is_some() && shared.as_deref() == there
}

/// Whether an address was ever ours: the one that was told last, or one of the public addresses there were, with our own key behind it.
async fn is_ours(hub: &Arc<Hub>, live: &Live, there: &str, before: Option<&Registration>) -> bool {
    if before.is_some_and(|row| row.confirmed_url.as_deref() == Some(there)) {
        return true;
    }
    let Ok(url) = url::Url::parse(there) else { return false };
    let local = hub.reach().public.is_some_and(|public| there.starts_with(&format!("http://{public}/")));
    let ends = |path: String| url.path().trim_end_matches('/').ends_with(&path);
    let key = ends(format!("/hooks/{}", live.connection.hook_key))
        || live.shared.as_ref().is_some_and(|shared| ends(format!("/hooks/{}/{}", shared.family, shared.key)));
    if !key {
        return false;
    }
    let bases = hub.store.read(crate::tunnel::rows::addresses).await.unwrap_or_default();
    local || bases.iter().any(|address| there.starts_with(&format!("{}/", address.url)))
}

/// What is said where somebody else has it.
fn taken(there: &str, live: &Live) -> Sentence {
    let parsed = url::Url::parse(there).ok();
    let host = parsed.as_ref().and_then(url::Url::host_str).unwrap_or("?").to_owned();
    let another_shopbell = parsed.is_some_and(|url| url.path().contains("/hooks/"));
    let service = live.connector.about().name;
    if another_shopbell {
        say!(
            "{service} delivers to another Shopbell, at {host}. Close it on the other computer or delete the connection there, then press Register here.",
            service = service,
            host = host
        )
    } else {
        say!(
            "{service} delivers to another program, at {host}. If Shopbell should receive instead, press Register here.",
            service = service,
            host = host
        )
    }
}

/// The service says where it calls: somebody else may have taken it since, or it may have forgotten.
pub async fn read_back(hub: &Arc<Hub>, live: &Live, url: &str, there: Option<&str>) {
    let id = live.connection.id.clone();
    let Ok(Some(row)) = hub.store.read(move |db| rows::get(db, &id)).await else { return };
    if row.state != State::Confirmed || row.desired_url != url {
        return;
    }
    let id = live.connection.id.clone();
    let (state, error) = match there {
        Some(there) if there == url || is_shared(live, hub, Some(there)) => (State::Confirmed, None),
        Some(there) if !is_ours(hub, live, there, None).await => (State::Elsewhere, Some(hub.say(&taken(there, live)))),
        // It was forgotten, or an old address of ours came back: it is told again.
        Some(_) | None => (State::Waiting, None),
    };
    let there = there.map(str::to_owned);
    let seen = hub.store.write(move |tx| rows::seen(tx, &id, state, there.as_deref(), error.as_deref()));
    if let Err(error) = seen.await {
        tracing::error!(error = ?error, "What a service says of its webhook could not be written down.");
    }
}

async fn in_time<T>(call: impl Future<Output = std::result::Result<T, ServiceError>>) -> std::result::Result<T, ServiceError> {
    tokio::time::timeout(PATIENCE, call).await.unwrap_or_else(|_| {
        Err(ServiceError::Temporary(say!(
            "The service did not answer within {seconds} seconds. Try again in a moment.",
            seconds = PATIENCE.as_secs()
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flapping_tunnel_uses_up_nobodys_patience() {
        let (paces, id, start) = (Paces::default(), ConnectionId::new(), Instant::now());
        let told = (0..7200).filter(|second| paces.take(&id, start + Duration::from_secs(*second), APART)).count();
        assert_eq!(told, 2 * PER_HOUR, "twenty in each hour, a minute apart");
        assert!(paces.take(&ConnectionId::new(), start, APART), "others are not held back by it");
    }
}
