//! Services that we ask instead of being called: polls and sockets, one task per connection.
//!
//! What they bring enters at the same place as a webhook, and the cursor is saved in the same transaction as what it brought. A
//! listener that fails is started again with growing pauses; one whose credentials are refused waits for its owner.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rusqlite::params;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::arrivals;
use crate::connections::Live;
use crate::connector::{Request, ServiceError, Sink};
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::model::Change;
use crate::queue::backoff;
use crate::say;

/// How often "it answers" is written down while nothing new comes.
const PROOF_EVERY: Duration = Duration::from_secs(60);

/// How often is looked whether every listener still listens.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The stage: keeps one listener per connection that listens, following changes of the connections.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    let mut running: HashMap<ConnectionId, (Arc<Live>, CancellationToken, JoinHandle<()>)> = HashMap::new();
    let (mut changes, _) = hub.store.changes().listen(None);
    loop {
        let wanted: HashMap<ConnectionId, Arc<Live>> =
            hub.connections.all().into_iter().filter(|live| listens(live)).map(|live| (live.connection.id.clone(), live)).collect();
        let gone: Vec<ConnectionId> = running
            .iter()
            .filter(|(id, (live, _, task))| task.is_finished() || wanted.get(*id).is_none_or(|now| !Arc::ptr_eq(now, live)))
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            if let Some((_, token, task)) = running.remove(&id) {
                token.cancel();
                // The old listener is gone before the new one asks: two pollers of one account disturb each other.
                drop(task.await);
            }
        }
        for (id, live) in wanted {
            running.entry(id).or_insert_with(|| {
                let token = stop.child_token();
                let task = tokio::spawn(listen(hub.clone(), live.clone(), token.clone()));
                (live, token, task)
            });
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    for (_, (_, token, task)) in running {
                        token.cancel();
                        drop(task.await);
                    }
                    return;
                }
                change = changes.recv() => match change {
                    Ok(announced) if !matches!(announced.change, Change::Connection { .. } | Change::Settings) => {}
                    Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => break,
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                },
                // After a sleep a poll or socket looks alive for minutes, and is not: all of them begin anew from their saved place.
                () = hub.listen_anew.notified() => {
                    for (_, (_, token, task)) in running.drain() {
                        token.cancel();
                        drop(task.await);
                    }
                    break;
                }
                // A listener that ended by a bug announces nothing.
                () = tokio::time::sleep(LOOK_EVERY) => break,
            }
        }
    }
}

fn listens(live: &Live) -> bool {
    use crate::model::ConnectionStatus as Status;
    let in_use = matches!(live.connection.status, Status::Active | Status::Failing { .. });
    in_use && live.settings.as_ref().is_ok_and(|settings| live.connector.channel().is_some_and(|channel| channel.listens(settings)))
}

/// Listens until told to stop, starting again after each failure.
async fn listen(hub: Arc<Hub>, live: Arc<Live>, stop: CancellationToken) {
    let mut failures = 0;
    while !stop.is_cancelled() {
        let sink = Intake {
            hub: hub.clone(),
            live: live.clone(),
            proven: std::sync::Mutex::new(None),
            progress: std::sync::Mutex::new(Instant::now()),
            listens: true,
        };
        let patience =
            live.settings.as_ref().ok().zip(live.connector.channel()).and_then(|(settings, channel)| channel.progress_within(settings));
        let Some((channel, link)) = live.connector.channel().zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref())) else { return };
        let cursor = match hub.cursor(&live.connection.id).await {
            Ok(cursor) => cursor,
            Err(error) => {
                // Never without it: some services would bring everything again.
                tracing::error!(error = ?error, "A cursor could not be read; trying again.");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_secs(2)) => continue,
                }
            }
        };
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = channel.listen(link, cursor, &sink) => ended,
            () = sink.is_silent(patience) => {
                tracing::warn!(connection.id = %live.connection.id, "A listener got no answer for too long; it is started again.");
                Err(ServiceError::Temporary(say!("The service's answer stayed away for too long. We ask again.")))
            }
        };
        if sink.proven.lock().expect("nothing panics while it is held").is_some() {
            failures = 0;
        }
        let wait = match ended {
            Ok(()) => Duration::from_millis(500),
            Err(ServiceError::Unauthorized(sentence)) => {
                hub.needs_sign_in(&live.connection.id, &sentence).await;
                return;
            }
            Err(ServiceError::RateLimited { retry_after: Some(wait) }) => wait,
            Err(error) => {
                failures += 1;
                if failures >= 2 || matches!(error, ServiceError::Permanent(_)) {
                    hub.failing(&live.connection.id, &error.sentence()).await;
                }
                backoff(failures, Duration::from_secs(1), Duration::from_secs(60))
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Where a listener puts what came.
pub(crate) struct Intake {
    hub: Arc<Hub>,
    live: Arc<Live>,
    proven: std::sync::Mutex<Option<Instant>>,
    /// When the listener last got anywhere.
    progress: std::sync::Mutex<Instant>,
    /// Whether its place is the connection's; what is fetched behind a webhook has none.
    listens: bool,
}

impl Intake {
    /// For what a channel fetches that is called otherwise.
    pub(crate) fn behind_a_webhook(hub: Arc<Hub>, live: Arc<Live>) -> Self {
        Self { hub, live, proven: std::sync::Mutex::new(None), progress: std::sync::Mutex::new(Instant::now()), listens: false }
    }

    fn progresses(&self) {
        *self.progress.lock().expect("nothing panics while it is held") = Instant::now();
    }

    /// Returns when the listener got nowhere for `patience`: a connection may look open for ever while nobody is at its other end.
    async fn is_silent(&self, patience: Option<Duration>) {
        let Some(patience) = patience else { return std::future::pending().await };
        loop {
            let since = self.progress.lock().expect("nothing panics while it is held").elapsed();
            match patience.checked_sub(since) {
                Some(left) if !left.is_zero() => tokio::time::sleep(left).await,
                Some(_) | None => return,
            }
        }
    }

    /// The service answered: the connection works. Written down now and then.
    async fn works(&self) {
        {
            let mut proven = self.proven.lock().expect("nothing panics while it is held");
            if proven.is_some_and(|at| at.elapsed() < PROOF_EVERY) {
                return;
            }
            *proven = Some(Instant::now());
        }
        self.hub.proven(&self.live.connection.id).await;
    }
}

#[async_trait]
impl Sink for Intake {
    async fn accept(&self, requests: Vec<Request>, cursor: Option<String>) -> anyhow::Result<()> {
        self.progresses();
        let (id, listens) = (self.live.connection.id.clone(), self.listens);
        self.hub
            .store
            .write(move |tx| {
                for request in &requests {
                    arrivals::insert(tx, &id, request, &[])?;
                }
                if listens {
                    tx.prepare_cached("UPDATE connection SET cursor = ?2 WHERE id = ?1")?.execute(params![id, cursor])?;
                }
                Ok(())
            })
            .await?;
        self.progresses();
        self.works().await;
        Ok(())
    }

    async fn alive(&self) {
        self.progresses();
        self.works().await;
    }

    async fn missing(&self, external_ids: Vec<String>) -> anyhow::Result<Vec<String>> {
        let id = self.live.connection.id.clone();
        let missing = self.hub.store.read(move |db| {
            let mut known = db.prepare_cached("SELECT 1 FROM message WHERE connection = ?1 AND external_id = ?2")?;
            let mut missing = Vec::new();
            for external_id in external_ids {
                if !known.exists(params![id, external_id])? {
                    missing.push(external_id);
                }
            }
            Ok(missing)
        });
        Ok(missing.await?)
    }
}
