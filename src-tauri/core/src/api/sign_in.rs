//! Signing in at services in the browser, and what became of it.

use std::collections::HashMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{Empty, Items, Wrong};
use super::connections::{self as shown, GetConnection};
use crate::clock::Timestamp;
use crate::connections;
use crate::connector::{Auth, ConnectorType, Way};
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, FlowId};
use crate::oauth::answer::{self, Link};
use crate::oauth::finish::{self, Came};
use crate::oauth::flow::{self, Flow, Status};
use crate::oauth::grant::{self, Grant, State};
use crate::oauth::renew::{self, Why};
use crate::oauth::{self, LONGEST_LINK};
use crate::say;
use crate::words::translate;

/// Which connection is to be signed in.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct BeginSignIn {
    /// The connection; a draft will do.
    pub connection: ConnectionId,
    /// Scopes to ask for besides the usual ones.
    #[serde(default)]
    #[ts(as = "Option<Vec<String>>")]
    pub scopes: Vec<String>,
}

/// A sign-in that has begun.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct BegunSignIn {
    /// Its id.
    pub flow: FlowId,
    /// The service's page, to be opened in the system's browser.
    pub authorize_url: String,
    /// How the answer comes back.
    pub way: Way,
    /// Until when the owner may take.
    pub ends_at: Timestamp,
}

/// Which sign-in.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct GetSignIn {
    /// Its id.
    pub flow: FlowId,
}

/// The address on which the browser ended.
#[derive(Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct FinishSignIn {
    /// All of it, as the browser's address line shows it.
    pub address: String,
}

/// The account that was meant.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ChooseAccount {
    /// The sign-in.
    pub flow: FlowId,
    /// The account's id.
    pub account: String,
}

/// A link of our own scheme.
#[derive(Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct OpenLink {
    /// The whole link.
    pub url: String,
}

/// Where a sign-in stands.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct SignInRow {
    /// Its id.
    pub flow: FlowId,
    /// The connection.
    pub connection: ConnectionId,
    /// Where it stands.
    pub status: Status,
    /// How the answer comes back.
    pub way: Way,
    /// Why it came to nothing, or which step failed, in a sentence.
    pub reason: Option<String>,
    /// Whose account it is.
    pub account: Option<String>,
    /// The accounts to choose from.
    pub accounts: Vec<AccountChoice>,
    /// What less works because a box was not ticked.
    pub missing: Vec<String>,
    /// What is being done for the account after the sign-in, in order.
    pub steps: Vec<StepRow>,
    /// Until when the owner may take.
    pub ends_at: Timestamp,
}

/// An account to choose.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct AccountChoice {
    /// Its id.
    pub id: String,
    /// As its owner knows it.
    pub name: String,
}

/// A step after the sign-in.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct StepRow {
    /// What it does.
    pub words: String,
    /// Whether it is done.
    pub done: bool,
    /// Whether it failed; the reason stands above.
    pub failed: bool,
}

/// How one connection is signed in to, and until when.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct AuthRow {
    /// The connection.
    pub connection: ConnectionId,
    /// What its owner calls it.
    pub name: String,
    /// The kind of service.
    pub connector: String,
    /// That kind's type; null when this version no longer knows it.
    #[serde(rename = "type")]
    pub connector_type: Option<ConnectorType>,
    /// How it proves who it is: by the owner's sign-in where there is one, else as its kind does.
    pub auth: Option<Auth>,
    /// The account.
    pub account: Option<String>,
    /// How the sign-in stands; null where nobody signed in.
    pub state: Option<State>,
    /// When the present token ends; null = it does not, or nobody knows.
    pub expires_at: Option<Timestamp>,
    /// When it was given.
    pub refreshed_at: Option<Timestamp>,
    /// When it is renewed next; null = it is not.
    pub refresh_at: Option<Timestamp>,
    /// Why renewing failed last.
    pub error: Option<String>,
    /// What less works because a box was not ticked.
    pub missing: Vec<String>,
}

/// Begins to sign a connection in; gives the service's page to open in the system's browser.
pub async fn begin_sign_in(hub: &Arc<Hub>, request: BeginSignIn) -> Result<BegunSignIn> {
    if hub.lab.is_some() {
        return Err(Error::new(Code::Conflict, say!("This is the Lab: it reaches nobody real. Add a channel on the Lab's own page.")));
    }
    let mut wrong = Wrong::default();
    if request.scopes.len() > 50
        || request.scopes.iter().any(|scope| scope.is_empty() || scope.len() > 200 || scope.contains(char::is_whitespace))
    {
        wrong.add("scopes", say!("Something in this form is not right."));
    }
    wrong.done()?;
    let begun = oauth::begin(hub, &request.connection, &request.scopes).await?;
    Ok(BegunSignIn { flow: begun.flow, authorize_url: begun.authorize_url, way: begun.way, ends_at: begun.ends_at })
}

async fn flow(hub: &Arc<Hub>, id: &FlowId) -> Result<Flow> {
    let id = id.clone();
    hub.store.read(move |db| flow::get(db, &id)).await?.ok_or_else(gone)
}

fn gone() -> Error {
    Error::not_found(say!("This sign-in is not there any more. Start again."))
}

async fn row(hub: &Arc<Hub>, id: &FlowId) -> Result<SignInRow> {
    let flow = flow(hub, id).await?;
    let language = hub.language();
    let role = hub.connections.get(&flow.connection);
    let names = role.as_ref().and_then(|live| live.connector.sign_in()).map_or(&[][..], |role| role.steps());
    let at = names.iter().position(|step| Some(step.name) == flow.step.as_deref());
    let is_late = flow.status == Status::Waiting && flow.ends_at <= hub.store.clock().now();
    let steps = names
        .iter()
        .enumerate()
        .map(|(n, step)| StepRow {
            words: translate(step.words, &language).to_owned(),
            done: flow.status == Status::Done || (flow.status == Status::Settling && at.is_some_and(|at| n < at)),
            failed: flow.status == Status::Settling && at == Some(n) && flow.reason.is_some(),
        })
        .collect();
    Ok(SignInRow {
        flow: flow.id,
        connection: flow.connection,
        status: if is_late { Status::Failed } else { flow.status },
        way: flow.way,
        reason: if is_late { Some(hub.say(&finish::expired())) } else { flow.reason },
        account: flow.account,
        accounts: flow.accounts.into_iter().map(|choice| AccountChoice { id: choice.id, name: choice.name }).collect(),
        missing: flow.missing,
        steps,
        ends_at: flow.ends_at,
    })
}

/// Where a sign-in stands.
pub async fn get_sign_in(hub: &Arc<Hub>, request: GetSignIn) -> Result<SignInRow> {
    row(hub, &request.flow).await
}

/// Takes the answer of a sign-in from the address on which the browser ended.
pub async fn finish_sign_in(hub: &Arc<Hub>, request: FinishSignIn) -> Result<SignInRow> {
    let (answer, place) = answer::pasted(&request.address)?;
    let taken = finish::take(hub, answer, &Came::Pasted(place)).await;
    let flow = taken.map_err(|error| if answer::is_unexpected(&error) { Error::field("address", error.message) } else { error })?;
    row(hub, &flow).await
}

/// Chooses among the accounts that a sign-in opens.
pub async fn choose_sign_in_account(hub: &Arc<Hub>, request: ChooseAccount) -> Result<SignInRow> {
    finish::choose(hub, &request.flow, &request.account).await?;
    row(hub, &request.flow).await
}

/// Does again what failed after a sign-in, from that step on.
pub async fn resume_sign_in(hub: &Arc<Hub>, request: GetSignIn) -> Result<SignInRow> {
    if flow(hub, &request.flow).await?.status != Status::Settling {
        return Err(Error::new(Code::Conflict, say!("There is nothing left to do for this sign-in.")));
    }
    finish::settle(hub, &request.flow).await;
    row(hub, &request.flow).await
}

/// Calls a sign-in off.
pub async fn cancel_sign_in(hub: &Arc<Hub>, request: GetSignIn) -> Result<SignInRow> {
    let flow = flow(hub, &request.flow).await?;
    oauth::cancel(hub, &flow.connection).await?;
    row(hub, &request.flow).await
}

/// Signs a connection out: gives the grant back at the service and forgets its tokens.
pub async fn sign_out(hub: &Arc<Hub>, request: GetConnection) -> Result<Empty> {
    let id = request.id.clone();
    hub.store.read(move |db| connections::get(db, &id)?.ok_or_else(shown::not_found)).await?;
    renew::sign_out(hub, &request.id).await?;
    Ok(Empty {})
}

/// Renews a connection's access token now.
pub async fn refresh_sign_in(hub: &Arc<Hub>, request: GetConnection) -> Result<AuthRow> {
    let renewed = renew::renew(hub, &request.id, &Why::Asked).await;
    renewed.map_err(|error| Error::new(Code::Service, error.sentence()))?;
    let rows = list_sign_ins(hub, Empty {}).await?.items;
    rows.into_iter().find(|row| row.connection == request.id).ok_or_else(shown::not_found)
}

/// How every connection is signed in to, until when, and when that is renewed.
pub async fn list_sign_ins(hub: &Arc<Hub>, _: Empty) -> Result<Items<AuthRow>> {
    let (rows, grants) = hub.store.read(|db| Ok((connections::list(db)?, grant::list(db)?))).await?;
    let mut grants: HashMap<ConnectionId, Grant> = grants.into_iter().map(|grant| (grant.connection.clone(), grant)).collect();
    let items = rows
        .into_iter()
        .map(|connection| {
            let about = hub.connectors.get(connection.connector.as_str()).map(|connector| connector.about());
            let grant = grants.remove(&connection.id);
            let is_signed_in = grant.as_ref().is_some_and(|grant| grant.state != State::SignedOut);
            AuthRow {
                connection: connection.id,
                name: connection.name,
                connector_type: about.as_ref().map(|about| about.connector_type),
                auth: if is_signed_in { Some(Auth::Oauth) } else { about.as_ref().map(|about| about.auth) },
                connector: connection.connector,
                account: grant.as_ref().map(|grant| grant.account.clone()).or(connection.account),
                state: grant.as_ref().map(|grant| grant.state),
                expires_at: grant.as_ref().and_then(|grant| grant.expires_at),
                refreshed_at: grant.as_ref().filter(|_| is_signed_in).map(|grant| grant.obtained_at),
                refresh_at: grant.as_ref().and_then(|grant| grant.renew_at),
                error: grant.as_ref().and_then(|grant| grant.last_error.clone()),
                missing: grant.map(|grant| grant.missing).unwrap_or_default(),
            }
        })
        .collect();
    Ok(Items { items })
}

/// Takes a `shopbell://` link: the answer of a sign-in, or the wish to see the window. Anybody can make one, so it does nothing else.
pub async fn open_link(hub: &Arc<Hub>, request: OpenLink) -> Result<Empty> {
    if request.url.len() > LONGEST_LINK {
        return Err(gone());
    }
    match answer::link(&request.url)? {
        Link::Answer(answer) => {
            finish::take(hub, answer, &Came::By(Way::DeepLink, None)).await?;
        }
        Link::Done(id) => drop(flow(hub, &id).await?),
    }
    Ok(Empty {})
}
