//! Tokens kept fresh, and what happens when a grant has ended.
//!
//! One renewal at a time per connection: whoever comes second finds the new token. It is written, with its dates, in one transaction before
//! anybody uses it. Only the service's own word ends a grant; a network that is away never does.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use rusqlite::params;
use tokio_util::sync::CancellationToken;

use super::exchange::{Endpoint, Given, Known, Trouble, why_over};
use super::flow::{self, Status};
use super::grant::{self, Grant, State, Tokens};
use super::{Subject, begin, finish};
use crate::connector::{Access, NoticeLevel, Renewal, Reports, ServiceError};
use crate::conversations::{self, Place};
use crate::error::{Error, Result, Sentence};
use crate::hub::Hub;
use crate::id::{ConnectionId, FlowId};
use crate::say;
use crate::secret::Secret;

/// How often is looked whether a token is due. By the wall clock in the database: a computer that slept finds out at once.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// How many connections are renewed at once.
const AT_ONCE: usize = 4;
/// A token that is younger is not renewed because a service refuses it: it would refuse the next one too.
const YOUNG: Duration = Duration::from_secs(30);
/// The key of the notice that somebody must sign in again.
pub(super) const NOTICE: &str = "sign-in";

/// Why a token is renewed.
#[derive(Clone, Debug)]
pub enum Why {
    /// It is due.
    Due,
    /// Its owner wants it.
    Asked,
    /// The service refused it.
    Refused(Secret),
}

/// Renews the token of a connection, unless somebody has just done it, and gives the one to use.
///
/// # Errors
/// [`ServiceError::Unauthorized`] when the grant has ended; else what stands in the way now.
pub async fn renew(hub: &Arc<Hub>, connection: &ConnectionId, why: &Why) -> Result<Secret, ServiceError> {
    if !hub.is_open_for_business() {
        // A hub that came from another computer stands still: a token renewed here would end the one there.
        return Err(ServiceError::Temporary(say!("Shopbell is starting.")));
    }
    let turn = hub.sign_ins.turn_of(connection);
    let _turn = turn.lock().await;
    // Read again under the lock: who waited for it finds what the first one wrote.
    let (grant, tokens) = read(hub, connection).await?;
    let now = hub.store.clock().now();
    let needed = match why {
        Why::Due => grant.is_due(now),
        Why::Asked => true,
        Why::Refused(refused) => *refused == tokens.access && now.since(grant.obtained_at) > YOUNG,
    };
    if !needed {
        return match why {
            Why::Refused(refused) if *refused == tokens.access => Err(ServiceError::Unauthorized(again())),
            Why::Due | Why::Asked | Why::Refused(_) => Ok(tokens.access),
        };
    }
    let subject = Subject::of(hub, connection).await.map_err(ours)?;
    let secret = tokens.client_secret.clone().or_else(|| begin::secret_of(&grant.plan, &subject.settings));
    let endpoint = Endpoint::new(&grant.plan, &grant.client_id, secret, &subject.live.http, hub.store.clock().as_ref());
    match fetch(&endpoint, &grant, &tokens).await {
        Ok((given, used)) => {
            let fresh = Tokens {
                access: given.access.clone(),
                refresh: given.refresh.clone().or_else(|| used.clone()),
                // Kept until the new one has worked, should this answer be the last thing that happens.
                previous: given.refresh.as_ref().and(used),
                client_secret: tokens.client_secret,
            };
            let lifetime = given.lifetime.or(grant.plan.unsaid.map(Duration::from_secs));
            let (vault, connection) = (hub.vault.clone(), connection.clone());
            let scopes = given.scopes.clone();
            let written = {
                let fresh = fresh.clone();
                hub.store.write(move |tx| grant::renewed(tx, &vault, &grant, &fresh, lifetime, scopes.as_deref())).await
            };
            written.map_err(ours)?;
            tracing::info!(connection.id = %connection, "An access token was renewed.");
            if let Err(error) = hub.reload(&connection).await {
                tracing::error!(connection.id = %connection, error = ?error, "A connection could not be read again.");
            }
            Ok(fresh.access)
        }
        Err(Trouble::Over) => {
            let sentence = why_over(endpoint.clock_is_off(), subject.role().why_over(now.since(grant.signed_in_at)));
            over(hub, &subject, &sentence).await;
            Err(ServiceError::Unauthorized(sentence))
        }
        Err(Trouble::Service(error)) => {
            let said = hub.say(&error.sentence());
            tracing::warn!(connection.id = %connection, attempts = grant.attempts + 1, "An access token could not be renewed; we try again: {error}");
            let expired = grant.has_expired(now);
            let postponed = grant.clone();
            hub.store.write(move |tx| grant::postponed(tx, &postponed, &said)).await.map_err(ours)?;
            // The present one is used until it really fails.
            match why {
                Why::Due if !expired => Ok(tokens.access),
                Why::Due | Why::Asked | Why::Refused(_) => Err(error),
            }
        }
    }
}

/// Asks for the next token. Gives also the refresh token that bought it.
async fn fetch(endpoint: &Endpoint<'_>, grant: &Grant, tokens: &Tokens) -> Result<(Given, Option<Secret>), Trouble> {
    match &grant.plan.renewal {
        Renewal::Never => Err(Trouble::Over),
        Renewal::Call(call) => {
            let given = endpoint.call(call, Known { access: Some(&tokens.access), ..Known::default() }).await?;
            Ok((given, None))
        }
        Renewal::RefreshToken => {
            let Some(refresh) = &tokens.refresh else { return Err(Trouble::Over) };
            match (endpoint.refresh(refresh).await, &tokens.previous) {
                // Perhaps the service never heard that we got this one: the one before it is tried, once.
                (Err(Trouble::Over), Some(previous)) => Ok((endpoint.refresh(previous).await?, Some(previous.clone()))),
                (answer, _) => Ok((answer?, Some(refresh.clone()))),
            }
        }
    }
}

fn again() -> Sentence {
    say!("The service does not accept this sign-in any more. Sign in again.")
}

fn ours(error: Error) -> ServiceError {
    ServiceError::Temporary(error.message)
}

async fn read(hub: &Hub, connection: &ConnectionId) -> Result<(Grant, Tokens), ServiceError> {
    let (vault, id) = (hub.vault.clone(), connection.clone());
    let found = hub.store.read(move |db| Ok(grant::get(db, &id)?.zip(grant::tokens(db, &vault, &id)?))).await.map_err(ours)?;
    let nobody = || ServiceError::Unauthorized(say!("Nobody has signed in yet. Press the button to sign in."));
    let (grant, tokens) = found.ok_or_else(nobody)?;
    match grant.state {
        State::Active | State::Degraded => Ok((grant, tokens)),
        State::NeedsSignIn => Err(ServiceError::Unauthorized(grant.last_error.map_or_else(again, Sentence::verbatim))),
        State::SignedOut => Err(nobody()),
    }
}

/// The grant has ended: the connection waits for its owner, what it should send waits with it, and a notice says so.
async fn over(hub: &Arc<Hub>, subject: &Subject, sentence: &Sentence) {
    let connection = subject.live.connection.id.clone();
    let text = hub.say(sentence);
    let id = connection.clone();
    let written = hub.store.write(move |tx| {
        grant::ended(tx, &id, &text)?;
        let place =
            Place { connection: &id, connector: "", agent: None, gather: Duration::ZERO, language: "", reports: Reports::default() };
        conversations::notice(tx, &place, NOTICE, NoticeLevel::Problem, &text, tx.now())
    });
    if let Err(error) = written.await {
        tracing::error!(connection.id = %connection, error = ?error, "The end of a sign-in could not be written.");
    }
    hub.needs_sign_in(&connection, sentence).await;
    tracing::warn!(connection.id = %connection, "A sign-in has ended; its owner is asked to sign in again.");
}

/// Signs out: gives the grant back at the service, whatever comes of that, and forgets every token.
pub async fn sign_out(hub: &Arc<Hub>, connection: &ConnectionId) -> Result<()> {
    let turn = hub.sign_ins.turn_of(connection);
    let _turn = turn.lock().await;
    let (vault, id) = (hub.vault.clone(), connection.clone());
    let found = hub.store.read(move |db| Ok(grant::get(db, &id)?.zip(grant::tokens(db, &vault, &id)?))).await?;
    if let (Some((grant, tokens)), Ok(subject)) = (found, Subject::of(hub, connection).await)
        && let Some(revocation) = &grant.plan.revoke
    {
        let secret = tokens.client_secret.clone().or_else(|| begin::secret_of(&grant.plan, &subject.settings));
        let endpoint = Endpoint::new(&grant.plan, &grant.client_id, secret, &subject.live.http, hub.store.clock().as_ref());
        if let Err(error) = endpoint.revoke(revocation, tokens.refresh.as_ref(), &tokens.access).await {
            tracing::info!(connection.id = %connection, ?error, "The service did not take a grant back; it is forgotten here all the same.");
        }
    }
    let (vault, id) = (hub.vault.clone(), connection.clone());
    let why = hub.say(&say!("You signed out. Sign in again to use this connection."));
    let flows = hub
        .store
        .write(move |tx| {
            let flows = flow::cancel_all(tx, &vault, &id)?;
            if let Some(field) = grant::get(tx, &id)?.and_then(|grant| grant.plan.field) {
                vault.remove_field(tx, id.as_str(), &field)?;
            }
            vault.remove(tx, &grant::owner(&id))?;
            tx.execute("UPDATE sign_in SET state = 'signed_out', expires_at = NULL, renew_at = NULL, last_error = NULL WHERE connection = ?1", [&id])?;
            tx.execute(
                "UPDATE connection SET status = 'needs_sign_in', status_reason = ?2 WHERE id = ?1 AND status IN ('active', 'failing', 'needs_sign_in')",
                params![id, why],
            )?;
            tx.changed(crate::model::Change::Connection { id });
            Ok(flows)
        })
        .await?;
    for flow in &flows {
        hub.sign_ins.close(flow);
    }
    hub.reload(connection).await?;
    Ok(())
}

/// Renews what is due until told to stop, and ends flows that waited too long.
pub async fn run(hub: Arc<Hub>, stop: CancellationToken) {
    loop {
        if let Err(error) = round(&hub).await {
            tracing::error!(error = ?error, "Sign-ins could not be looked through; trying again.");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// One look.
///
/// # Errors
/// What the store says.
pub async fn round(hub: &Arc<Hub>) -> Result<()> {
    let now = hub.store.clock().now();
    let due: Vec<ConnectionId> = hub
        .store
        .read(move |db| {
            let usable = |grant: &Grant| matches!(grant.state, State::Active | State::Degraded) && grant.is_due(now);
            Ok(grant::list(db)?.into_iter().filter(usable).map(|grant| grant.connection).collect())
        })
        .await?;
    futures::stream::iter(due)
        .for_each_concurrent(AT_ONCE, |connection| async move {
            // What went wrong is written down with the grant.
            drop(renew(hub, &connection, &Why::Due).await);
        })
        .await;
    expire(hub).await
}

/// Ends flows that waited too long.
async fn expire(hub: &Arc<Hub>) -> Result<()> {
    let now = hub.store.clock().now();
    let sql = "SELECT id, connection FROM sign_in_flow WHERE status = 'waiting' AND ends_at <= ?1 LIMIT 50";
    let late: Vec<(FlowId, ConnectionId)> = hub
        .store
        .read(move |db| {
            let mut statement = db.prepare_cached(sql)?;
            Ok(statement.query_map([now], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
        })
        .await?;
    for (id, connection) in late {
        let (vault, reason, flow) = (hub.vault.clone(), hub.say(&finish::expired()), id.clone());
        hub.store.write(move |tx| flow::end(tx, &vault, &flow, &connection, Status::Failed, Some(&reason))).await?;
        hub.sign_ins.close(&id);
    }
    Ok(())
}

/// After a crash: a code that was being traded is lost. What waits in the browser goes on.
pub async fn recover(hub: &Arc<Hub>) -> Result<()> {
    let reason = hub.say(&say!("Shopbell was closed while the sign-in was being finished. Start again."));
    let vault = hub.vault.clone();
    hub.store
        .write(move |tx| {
            let mut statement = tx.prepare_cached("SELECT id, connection FROM sign_in_flow WHERE status = 'trading'")?;
            let cut: Vec<(FlowId, ConnectionId)> =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
            for (id, connection) in cut {
                flow::end(tx, &vault, &id, &connection, Status::Failed, Some(&reason))?;
            }
            Ok(())
        })
        .await
}

/// The access of one connection, for its connector.
pub struct GrantedAccess {
    hub: Weak<Hub>,
    connection: ConnectionId,
}

impl GrantedAccess {
    /// Of that connection.
    pub fn of(hub: Weak<Hub>, connection: ConnectionId) -> Self {
        Self { hub, connection }
    }

    fn hub(&self) -> Result<Arc<Hub>, ServiceError> {
        self.hub.upgrade().ok_or_else(|| ServiceError::Temporary(say!("Shopbell is stopping.")))
    }
}

#[async_trait]
impl Access for GrantedAccess {
    async fn token(&self) -> Result<Option<Secret>, ServiceError> {
        let hub = self.hub()?;
        let id = self.connection.clone();
        let Some(grant) =
            hub.store.read(move |db| grant::get(db, &id)).await.map_err(ours)?.filter(|grant| grant.state != State::SignedOut)
        else {
            return Ok(None);
        };
        let now = hub.store.clock().now();
        if grant.is_due(now) {
            return renew(&hub, &self.connection, &Why::Due).await.map(Some);
        }
        let (grant, tokens) = read(&hub, &self.connection).await?;
        if grant.has_expired(now) {
            // Renewing is being waited for after a failure: nobody asks in between.
            let why = grant.last_error.map_or_else(|| say!("The sign-in is being renewed. We try again."), Sentence::verbatim);
            return Err(ServiceError::Temporary(why));
        }
        Ok(Some(tokens.access))
    }

    async fn instead_of(&self, token: &Secret) -> Result<Option<Secret>, ServiceError> {
        renew(&self.hub()?, &self.connection, &Why::Refused(token.clone())).await.map(Some)
    }

    async fn wants(&self, scopes: &[String]) {
        let Ok(hub) = self.hub() else { return };
        let (id, text) = (self.connection.clone(), serde_json::to_string(scopes).unwrap_or_else(|_| "[]".into()));
        let written = hub.store.write(move |tx| {
            tx.execute("UPDATE sign_in SET wanted = ?2 WHERE connection = ?1", params![id, text])?;
            Ok(())
        });
        if let Err(error) = written.await {
            tracing::error!(connection.id = %self.connection, error = ?error, "What a service asks for could not be written.");
        }
        hub.needs_sign_in(&self.connection, &say!("The service asks you to allow more than before. Sign in again.")).await;
    }
}
