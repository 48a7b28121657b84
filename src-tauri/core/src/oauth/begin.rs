//! The beginning of a flow: a plan, a state, a verifier, and the address of the service's page.

use std::sync::Arc;
use std::time::Duration;

use super::exchange::{self, Endpoint};
use super::flow::{self, Flow, Status};
use super::loopback::Door;
use super::{FLOW_LIFE, Subject, answer, grant, random};
use crate::clock::Timestamp;
use crate::connector::{OAuthClient, Plan, ServiceError, Unready, Wanted, Way};
use crate::error::{Code, Error, Result, Sentence};
use crate::hub::Hub;
use crate::id::{ConnectionId, FlowId};
use crate::say;
use crate::secret::Secret;

/// How long the service may be asked about itself before somebody can sign in.
const PATIENCE: Duration = Duration::from_secs(30);

/// A flow that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Its id.
    pub flow: FlowId,
    /// The page to open in the browser.
    pub authorize_url: String,
    /// How the answer comes back.
    pub way: Way,
    /// Until when the owner may take.
    pub ends_at: Timestamp,
}

/// Begins to sign a connection in. An earlier flow of it is called off. `more` scopes are asked for besides the plan's.
///
/// # Errors
/// [`Code::Invalid`] with the fields that come first; a sentence when no answer could come back, or the service cannot be asked.
pub async fn begin(hub: &Arc<Hub>, connection: &ConnectionId, more: &[String]) -> Result<Begun> {
    if !hub.is_open_for_business() {
        return Err(Error::new(Code::Unavailable, say!("Shopbell is starting.")));
    }
    let subject = Subject::of(hub, connection).await?;
    let at = subject.at(hub);
    let empty = subject.role().needs().iter().filter(|field| at.text(field).is_none());
    let wrong: Vec<(String, Sentence)> = empty.map(|field| (format!("config.{field}"), say!("This is needed."))).collect();
    if !wrong.is_empty() {
        return Err(Error::fields(wrong));
    }
    let planned = tokio::time::timeout(PATIENCE, subject.role().plan(at)).await.map_err(|_| late())?;
    let mut plan = planned.map_err(|unready| match unready {
        Unready::Fields(fields) => {
            Error::fields(fields.into_iter().map(|(field, sentence)| (format!("config.{field}"), sentence)).collect())
        }
        Unready::Service(error) => Error::new(Code::Service, error.sentence()),
    })?;
    let (vault, id) = (hub.vault.clone(), connection.clone());
    let (older, tokens) = hub.store.read(move |db| Ok((grant::get(db, &id)?, grant::tokens(db, &vault, &id)?))).await?;
    let stepped_up = older.iter().flat_map(|grant| &grant.wanted);
    for scope in more.iter().chain(stepped_up) {
        if !plan.scopes.iter().any(|wanted| wanted.scope == *scope) {
            plan.scopes.push(Wanted { scope: scope.clone(), needed: false });
        }
    }

    let way = way(hub, &subject, &plan)?;
    let door = match way {
        Way::Loopback => Some(Door::open().await?),
        Way::DeepLink | Way::Public => None,
    };
    let redirect_uri = match (&door, way) {
        (Some(door), _) => door.redirect_uri(),
        (None, Way::Public) => format!("{}{}", hub.public_base(), answer::PATH),
        (None, Way::DeepLink | Way::Loopback) => answer::LINK.to_owned(),
    };
    let older_secret = tokens.and_then(|tokens| tokens.client_secret);
    let (client_id, registered) = match &plan.client {
        OAuthClient::Known { id, .. } => (id.clone(), None),
        // An id that was given for this very address is used again.
        OAuthClient::Registered { .. } => {
            match older.filter(|grant| grant.plan.client == plan.client && grant.redirect_uri == redirect_uri) {
                Some(grant) => (grant.client_id, older_secret),
                None => registered(&subject, &plan, &redirect_uri).await?,
            }
        }
    };
    let secret = registered.clone().or_else(|| secret_of(&plan, &subject.settings));

    let (state, verifier) = (random()?, random()?);
    let scopes: Vec<String> = plan.scopes.iter().map(|wanted| wanted.scope.clone()).collect();
    let endpoint = Endpoint::new(&plan, &client_id, secret, &subject.live.http, hub.store.clock().as_ref());
    let authorize_url =
        endpoint.authorize_url(&state, &verifier, &redirect_uri, &scopes).map_err(|error| Error::new(Code::Service, error.sentence()))?;

    let now = hub.store.clock().now();
    let flow = Flow {
        id: FlowId::new(),
        connection: connection.clone(),
        state_sha256: flow::hash(state.reveal()).to_vec(),
        way,
        redirect_uri,
        client_id,
        plan,
        status: Status::Waiting,
        reason: None,
        account: None,
        accounts: Vec::new(),
        missing: Vec::new(),
        granted: None,
        step: None,
        created_at: now,
        ends_at: now.plus(FLOW_LIFE),
    };
    let begun = Begun { flow: flow.id.clone(), authorize_url, way, ends_at: flow.ends_at };
    let vault = hub.vault.clone();
    let earlier = hub
        .store
        .write(move |tx| {
            let earlier = flow::cancel_all(tx, &vault, &flow.connection)?;
            flow::insert(tx, &vault, &flow, &verifier, registered.as_ref())?;
            Ok(earlier)
        })
        .await?;
    for flow in &earlier {
        hub.sign_ins.close(flow);
    }
    if let Some(door) = door {
        door.wait(hub, begun.flow.clone());
    }
    tracing::info!(connection.id = %connection, flow.id = %begun.flow, "A sign-in has begun.");
    Ok(begun)
}

fn late() -> Error {
    Error::new(Code::Service, say!("The service did not answer in time. Check the address and your internet connection."))
}

/// The first way that works here.
fn way(hub: &Hub, subject: &Subject, plan: &Plan) -> Result<Way> {
    let base = hub.public_base();
    let at_home = subject.at(hub).text("base_url").is_some();
    let reached = base.starts_with("https://") || (at_home && !base.is_empty());
    let works = |way: &&Way| match way {
        Way::DeepLink => hub.sign_ins.takes_links(),
        Way::Loopback => true,
        Way::Public => reached,
    };
    plan.ways.iter().find(works).copied().ok_or_else(|| Error::new(Code::Conflict, no_way()))
}

fn no_way() -> Sentence {
    say!("This service answers only to a public web address. Switch one on under Settings first, then sign in.")
}

async fn registered(subject: &Subject, plan: &Plan, redirect_uri: &str) -> Result<(String, Option<Secret>)> {
    let OAuthClient::Registered { endpoint, name } = &plan.client else {
        return Err(Error::new(Code::Service, ServiceError::Ambiguous.sentence()));
    };
    let asked = exchange::register(&subject.live.http, endpoint, name, redirect_uri).await;
    asked.map_err(|error| Error::new(Code::Service, error.sentence()))
}

/// The client's secret as it stands in the settings.
pub(super) fn secret_of(plan: &Plan, settings: &serde_json::Value) -> Option<Secret> {
    let OAuthClient::Known { secret_field: Some(field), .. } = &plan.client else { return None };
    let secret = settings.get(field)?.as_str()?.trim();
    (!secret.is_empty()).then(|| Secret::new(secret))
}
