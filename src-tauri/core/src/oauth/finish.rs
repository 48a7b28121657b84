//! The end of a flow: the answer is used up, the code traded, the account named, and the connection put to use.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::params;
use serde_json::Value;

use super::answer::{Answer, Outcome};
use super::exchange::{Endpoint, Given, Known, Trouble, plain, why_over};
use super::flow::{self, Choice, Flow, Status};
use super::{Subject, begin, grant};
use crate::connections;
use crate::connector::{Exchange, Opened, Renewal, ServiceError, Way};
use crate::error::{Code, Error, Result, Sentence};
use crate::hub::Hub;
use crate::id::{ConnectionId, FlowId};
use crate::model::{Change, ConnectionStatus};
use crate::say;
use crate::secret::Secret;
use crate::store::{Stage, Tx};

/// How long the service may take to say whose account it is, and for each step after that.
const PATIENCE: Duration = Duration::from_secs(40);

/// How an answer came.
#[derive(Debug)]
pub enum Came {
    /// By one of the ways, for that flow where the way belongs to one.
    By(Way, Option<FlowId>),
    /// Pasted by the owner, from that address.
    Pasted(String),
}

fn unexpected() -> Error {
    Error::not_found(say!("Nobody is signing in with this answer (any more). Start again in Shopbell."))
}

/// Uses an answer up and trades its code, beside the caller. Gives the flow.
///
/// # Errors
/// [`Code::NotFound`] for a state that nobody waits for; [`Code::Conflict`] for one that was used, called off or waited for too long.
pub async fn take(hub: &Arc<Hub>, answer: Answer, came: &Came) -> Result<FlowId> {
    let vault = hub.vault.clone();
    let state = answer.state.clone();
    let (way, place) = match came {
        Came::By(way, of) => (Some((*way, of.clone())), None),
        Came::Pasted(place) => (None, Some(place.clone())),
    };
    let consumed = hub
        .store
        .write(move |tx| {
            let flow = flow::by_state(tx, state.reveal())?.ok_or_else(unexpected)?;
            let fits = match (&way, &place) {
                (Some((way, of)), _) => flow.way == *way && of.as_ref().is_none_or(|of| *of == flow.id),
                (None, place) => place.as_deref() == Some(flow.redirect_uri.as_str()),
            };
            if !fits {
                return Err(unexpected());
            }
            match flow.status {
                Status::Waiting if flow.ends_at > tx.now() => {}
                Status::Waiting => {
                    return Err(Error::new(Code::Conflict, expired()));
                }
                Status::Trading | Status::Choosing | Status::Settling | Status::Done | Status::Failed | Status::Cancelled => {
                    return Err(Error::new(Code::Conflict, say!("This answer was used already, or called off. Start again in Shopbell.")));
                }
            }
            let mut secrets = vault.open_all(tx, flow.id.as_str())?.whole()?;
            let verifier = secrets.remove("verifier").ok_or_else(unexpected)?;
            // Used up before anything is asked with it: a second copy of the answer finds nothing.
            flow::set(tx, &flow.id, &flow.connection, Status::Trading)?;
            vault.remove_field(tx, flow.id.as_str(), "verifier")?;
            Ok((flow, verifier, secrets.remove("client_secret")))
        })
        .await?;
    let (flow, verifier, registered) = consumed;
    let id = flow.id.clone();
    let inner = hub.clone();
    hub.spawn(async move {
        inner.sign_ins.close(&flow.id);
        let (id, connection) = (flow.id.clone(), flow.connection.clone());
        if let Err(sentence) = trade(&inner, flow, answer, verifier, registered).await {
            tracing::info!(flow.id = %id, connection.id = %connection, "A sign-in came to nothing: {sentence}");
            fail(&inner, &id, &connection, &sentence).await;
        }
    });
    Ok(id)
}

/// What is said of a flow that waited too long.
pub fn expired() -> Sentence {
    say!("Ten minutes have passed without an answer. Start again: the page in the browser may have been closed half-way.")
}

async fn fail(hub: &Arc<Hub>, id: &FlowId, connection: &ConnectionId, sentence: &Sentence) {
    let (vault, id, connection, reason) = (hub.vault.clone(), id.clone(), connection.clone(), hub.say(sentence));
    let written = hub.store.write(move |tx| flow::end(tx, &vault, &id, &connection, Status::Failed, Some(&reason))).await;
    if let Err(error) = written {
        tracing::error!(error = ?error, "The end of a sign-in could not be written.");
    }
}

fn internal(error: Error) -> Sentence {
    if error.code == Code::Internal {
        tracing::error!(error = ?error.source, "A sign-in failed by our own fault.");
    }
    error.message
}

async fn trade(hub: &Arc<Hub>, flow: Flow, answer: Answer, verifier: Secret, registered: Option<Secret>) -> Result<(), Sentence> {
    if let Some(issuer) = &flow.plan.issuer {
        let named = answer.issuer.as_deref();
        if named.is_some_and(|named| named != issuer.id) || (issuer.always && named.is_none()) {
            return Err(say!("The answer came from another server than the one that was asked. Nothing was signed in."));
        }
    }
    let code = match answer.outcome {
        Outcome::Code(code) => code,
        Outcome::Error(name, words) => return Err(refused(&name, &words)),
    };
    let subject = Subject::of(hub, &flow.connection).await.map_err(internal)?;
    let secret = registered.clone().or_else(|| begin::secret_of(&flow.plan, &subject.settings));
    let endpoint = Endpoint::new(&flow.plan, &flow.client_id, secret, &subject.live.http, hub.store.clock().as_ref());
    let traded = async {
        let known = Known { code: Some(&code), redirect_uri: Some(&flow.redirect_uri), ..Known::default() };
        let mut given = match &flow.plan.exchange {
            Exchange::Standard => endpoint.code(&code, &verifier, &flow.redirect_uri).await?,
            Exchange::Call(call) => endpoint.call(call, known).await?,
        };
        if let Some(call) = &flow.plan.lengthen {
            let short = given.access.clone();
            let long = endpoint.call(call, Known { access: Some(&short), ..Known::default() }).await?;
            given = Given { scopes: long.scopes.or(given.scopes), refresh: long.refresh.or(given.refresh), ..long };
        }
        Ok::<Given, Trouble>(given)
    };
    let given = traded.await.map_err(|trouble| match trouble {
        Trouble::Over => match endpoint.clock_is_off() {
            Some(minutes) => why_over(Some(minutes), None),
            None => say!("The service does not accept its own answer any more: it was too old, or used before. Sign in again."),
        },
        Trouble::Service(error) => error.sentence(),
    })?;
    let outcome = granted(hub, &flow, &subject, &given, registered).await;
    if outcome.is_err() {
        // What is not used is given back.
        if let Some(revocation) = &flow.plan.revoke
            && let Err(error) = endpoint.revoke(revocation, given.refresh.as_ref(), &given.access).await
        {
            tracing::debug!(?error, flow.id = %flow.id, "A grant that is not used could not be given back.");
        }
    }
    outcome
}

fn refused(name: &str, words: &str) -> Sentence {
    match name {
        "access_denied" | "consent_required" | "interaction_required" => {
            say!("You did not allow it on the service's page, so nothing was signed in. Start again and press Allow.")
        }
        "temporarily_unavailable" | "server_error" => {
            say!("The service has trouble of its own at the moment. Sign in again a little later.")
        }
        "invalid_scope" => say!(
            "The service does not let this client ask for what Shopbell needs. Look at the set-up steps again: a permission is missing there."
        ),
        "redirect_uri_mismatch" | "invalid_client" | "unauthorized_client" => {
            say!("The service does not know this client ID, or not this computer's address for the answer. Look at the set-up steps again.")
        }
        _ => say!("The service did not sign you in: {words}", words = plain(if words.is_empty() { name } else { words })),
    }
}

/// Tokens are here: are they enough, and whose are they?
async fn granted(hub: &Arc<Hub>, flow: &Flow, subject: &Subject, given: &Given, registered: Option<Secret>) -> Result<(), Sentence> {
    let role = subject.role();
    // Where a service does not say what it granted, it granted what was asked.
    let asked: Vec<String> = flow.plan.scopes.iter().map(|wanted| wanted.scope.clone()).collect();
    let scopes = given.scopes.clone().unwrap_or(asked);
    let mut missing = Vec::new();
    for wanted in flow.plan.scopes.iter().filter(|wanted| !scopes.contains(&wanted.scope)) {
        let meaning = hub.say(&role.meaning(&wanted.scope));
        if wanted.needed {
            return Err(say!("You did not tick the box that allows {what}. Sign in again and tick every box.", what = meaning));
        }
        missing.push(meaning);
    }
    let asked = tokio::time::timeout(PATIENCE, role.accounts(subject.at(hub), &given.access)).await;
    let mut accounts = asked.unwrap_or_else(|_| Err(ServiceError::Ambiguous)).map_err(|error| error.sentence())?;

    let id = flow.connection.clone();
    let before = hub.store.read(move |db| grant::get(db, &id)).await.map_err(internal)?;
    if let Some(before) = before.filter(|before| before.state != grant::State::SignedOut) {
        // Signed in again: it must be the account whose conversations these are.
        let other = accounts.first().map_or_else(String::new, |account| account.name.clone());
        accounts.retain(|account| account.id == before.account_id);
        if accounts.is_empty() {
            return Err(say!(
                "You signed in as {other}, but this connection belongs to {account}. Sign in again as {account}, or make a new connection for {other}.",
                other = other,
                account = before.account
            ));
        }
    }
    if accounts.is_empty() {
        return Err(say!("The service names no account for this sign-in. Sign in again with another account."));
    }
    let next = if accounts.len() == 1 { Status::Trading } else { Status::Choosing };
    let kept = Kept { given, scopes: &scopes, missing: &missing, accounts: &accounts, registered, next };
    keep(hub, flow, kept).await.map_err(internal)?;
    match accounts.as_slice() {
        [only] => {
            choose(hub, &flow.id, &only.id).await.map_err(internal)?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What is kept until an account is chosen.
struct Kept<'a> {
    given: &'a Given,
    scopes: &'a [String],
    missing: &'a [String],
    accounts: &'a [Opened],
    registered: Option<Secret>,
    /// Whether there is anything to choose.
    next: Status,
}

/// Keeps what was granted with its flow, until an account is chosen.
async fn keep(hub: &Arc<Hub>, flow: &Flow, kept: Kept<'_>) -> Result<()> {
    let Kept { given, scopes, missing, accounts, registered, next } = kept;
    let lifetime = given.lifetime.or(flow.plan.unsaid.map(Duration::from_secs));
    let granted =
        flow::Granted { lifetime: lifetime.map(|lifetime| lifetime.as_secs()), scopes: scopes.to_vec(), at: hub.store.clock().now() };
    let choices: Vec<Choice> = accounts
        .iter()
        .map(|account| Choice {
            id: account.id.clone(),
            name: plain(&account.name),
            fill: account.fill.clone(),
            own_token: account.token.is_some(),
            lifetime: account.token.as_ref().and_then(|token| token.lifetime).map(|lifetime| lifetime.as_secs()),
        })
        .collect();
    let own: Vec<(String, Secret)> =
        accounts.iter().filter_map(|account| Some((format!("account/{}", account.id), account.token.as_ref()?.access.clone()))).collect();
    let text = |value: Value| value.to_string();
    let (granted, choices, missing) = (
        text(serde_json::to_value(&granted).map_err(anyhow::Error::from)?),
        text(serde_json::to_value(&choices).map_err(anyhow::Error::from)?),
        text(serde_json::to_value(missing).map_err(anyhow::Error::from)?),
    );
    let secrets = [("access_token", Some(given.access.clone())), ("refresh_token", given.refresh.clone()), ("client_secret", registered)];
    let (vault, id, connection) = (hub.vault.clone(), flow.id.clone(), flow.connection.clone());
    hub.store
        .write(move |tx| {
            let open = flow::get(tx, &id)?.is_some_and(|flow| flow.status == Status::Trading);
            if !open {
                return Err(Error::new(Code::Conflict, say!("This sign-in was called off.")));
            }
            for (field, secret) in secrets {
                if let Some(secret) = secret {
                    vault.seal_into(tx, id.as_str(), field, &secret)?;
                }
            }
            for (field, secret) in &own {
                vault.seal_into(tx, id.as_str(), field, secret)?;
            }
            tx.prepare_cached("UPDATE sign_in_flow SET granted = ?2, accounts = ?3, missing = ?4 WHERE id = ?1")?
                .execute(params![id, granted, choices, missing])?;
            flow::set(tx, &id, &connection, next)
        })
        .await
}

/// An account is chosen: tokens, dates and settings change together, then the steps are done that it needs.
///
/// # Errors
/// [`Code::NotFound`] when there is no such flow or account to choose.
pub async fn choose(hub: &Arc<Hub>, id: &FlowId, account: &str) -> Result<()> {
    let (vault, flow_id, account) = (hub.vault.clone(), id.clone(), account.to_owned());
    let has_steps = |hub: &Hub, connection: &ConnectionId| {
        let live = hub.connections.get(connection);
        live.and_then(|live| live.connector.sign_in().map(|role| !role.steps().is_empty())).unwrap_or(false)
    };
    let flow = hub.store.read(move |db| flow::get(db, &flow_id)).await?.ok_or_else(unexpected)?;
    let goes_on = has_steps(hub, &flow.connection);
    let connection = flow.connection.clone();
    let flow_id = id.clone();
    hub.store
        .write(move |tx| {
            let flow =
                flow::get(tx, &flow_id)?.filter(|flow| matches!(flow.status, Status::Trading | Status::Choosing)).ok_or_else(unexpected)?;
            let choice = flow.accounts.iter().find(|choice| choice.id == account).cloned().ok_or_else(unexpected)?;
            adopt(tx, &vault, &flow, &choice, goes_on)
        })
        .await?;
    hub.reload(&connection).await?;
    hub.store.stages().wake(Stage::Outbox);
    hub.store.stages().wake(Stage::Arrivals);
    if goes_on {
        let (inner, id) = (hub.clone(), id.clone());
        hub.spawn(async move { settle(&inner, &id).await });
    }
    Ok(())
}

fn adopt(tx: &Tx<'_>, vault: &crate::vault::Vault, flow: &Flow, choice: &Choice, goes_on: bool) -> Result<()> {
    let connection = connections::get(tx, &flow.connection)?.ok_or_else(unexpected)?;
    let granted = flow.granted.clone().ok_or_else(unexpected)?;
    let mut secrets = vault.open_all(tx, flow.id.as_str())?.whole()?;
    let mut access = secrets.remove("access_token").ok_or_else(unexpected)?;
    let mut lifetime = granted.lifetime;
    if choice.own_token {
        access = secrets.remove(&format!("account/{}", choice.id)).ok_or_else(unexpected)?;
        lifetime = choice.lifetime;
    }
    let refresh = secrets.remove("refresh_token");
    let renewable = match &flow.plan.renewal {
        Renewal::RefreshToken => refresh.is_some(),
        Renewal::Call(_) => !choice.own_token,
        Renewal::Never => false,
    };
    let tokens = grant::Tokens { access, refresh, previous: None, client_secret: secrets.remove("client_secret") };
    grant::put(
        tx,
        &grant::New {
            flow,
            account_id: &choice.id,
            account: &choice.name,
            scopes: &granted.scopes,
            missing: &flow.missing,
            lifetime: lifetime.map(Duration::from_secs),
            at: granted.at,
            renewable,
        },
    )?;
    grant::seal(tx, vault, &flow.connection, &flow.plan, &tokens)?;
    let mut config = connection.config;
    if let Value::Object(config) = &mut config {
        config.extend(choice.fill.clone());
    }
    // A connection that waited for this works again; a draft stays one until its owner has seen whose account it is.
    let status = match connection.status {
        ConnectionStatus::NeedsSignIn { .. } | ConnectionStatus::Failing { .. } | ConnectionStatus::Active => "active",
        ConnectionStatus::Draft => "draft",
        ConnectionStatus::Paused => "paused",
    };
    tx.execute(
        "UPDATE connection SET config = ?2, account = ?3, status = ?4, status_reason = NULL, updated_at = ?5 WHERE id = ?1",
        params![flow.connection, config, choice.name, status, tx.now()],
    )?;
    tx.execute("DELETE FROM notice WHERE connection = ?1 AND key = ?2", params![flow.connection, super::renew::NOTICE])?;
    tx.execute("UPDATE sign_in_flow SET account = ?2 WHERE id = ?1", params![flow.id, choice.name])?;
    let status = if goes_on { Status::Settling } else { Status::Done };
    flow::end(tx, vault, &flow.id, &flow.connection, status, None)?;
    tx.changed(Change::Connection { id: flow.connection.clone() });
    Ok(())
}

/// Does what the chosen account needs at the service, from the step that failed last on.
pub async fn settle(hub: &Arc<Hub>, id: &FlowId) {
    let outcome = steps(hub, id).await;
    if let Err(error) = outcome {
        tracing::error!(error = ?error.source, flow.id = %id, "What a sign-in needs could not be done: {error}");
    }
}

async fn steps(hub: &Arc<Hub>, id: &FlowId) -> Result<()> {
    let flow_id = id.clone();
    let flow =
        hub.store.read(move |db| flow::get(db, &flow_id)).await?.filter(|flow| flow.status == Status::Settling).ok_or_else(unexpected)?;
    let mut done = flow.step.clone();
    let subject = Subject::of(hub, &flow.connection).await?;
    let (vault, connection) = (hub.vault.clone(), flow.connection.clone());
    let tokens = hub.store.read(move |db| grant::tokens(db, &vault, &connection)).await?.ok_or_else(unexpected)?;
    for step in subject.role().steps() {
        // `step` names the first one that is not done yet.
        if done.as_deref().is_some_and(|at| at != step.name) {
            continue;
        }
        done = None;
        write_step(hub, &flow, Some(step.name), None).await?;
        let work = tokio::time::timeout(PATIENCE, subject.role().step(step.name, subject.at(hub), &tokens.access)).await;
        if let Err(error) = work.unwrap_or(Err(ServiceError::Ambiguous)) {
            let sentence = error.sentence();
            tracing::info!(flow.id = %id, step = step.name, "A step after a sign-in failed: {sentence}");
            return write_step(hub, &flow, Some(step.name), Some(hub.say(&sentence))).await;
        }
    }
    write_step(hub, &flow, None, None).await?;
    let (vault, id, connection) = (hub.vault.clone(), flow.id.clone(), flow.connection.clone());
    hub.store.write(move |tx| flow::end(tx, &vault, &id, &connection, Status::Done, None)).await
}

async fn write_step(hub: &Arc<Hub>, flow: &Flow, step: Option<&'static str>, reason: Option<String>) -> Result<()> {
    let (id, connection) = (flow.id.clone(), flow.connection.clone());
    hub.store
        .write(move |tx| {
            tx.execute("UPDATE sign_in_flow SET step = ?2, reason = ?3 WHERE id = ?1", params![id, step, reason])?;
            tx.changed(Change::Connection { id: connection });
            Ok(())
        })
        .await
}
