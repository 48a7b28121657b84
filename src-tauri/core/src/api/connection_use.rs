//! What can be asked of an outside service for one connection: proof, its models, its webhook.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use super::asked::Items;
use super::connections::{self as shown, GetConnection};
use crate::clock::Timestamp;
use crate::connections::Live;
use crate::connector::{self, Check, ModelRow, ServiceError};
use crate::error::{Code, Error, Result};
use crate::gateway::widget::snippet;
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::model::{Change, ConnectionStatus};
use crate::registrations::{self, By};
use crate::say;

/// How long a service may take to answer a person who waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a test found.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct TestResult {
    /// It works.
    pub ok: bool,
    /// The account as its owner knows it.
    pub account: Option<String>,
    /// What was proven, or not yet, in order.
    pub checks: Vec<Check>,
    /// Particulars for scripts.
    #[ts(type = "Record<string, unknown>")]
    pub details: serde_json::Map<String, Value>,
    /// Why it does not work, in a sentence.
    pub error: Option<String>,
}

/// Where a service calls us, by our word and by its own.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "WebhookState")]
#[ts(rename = "WebhookState", optional_fields = nullable)]
pub struct WebhookRow {
    /// Where it should call.
    pub desired_url: Option<String>,
    /// Where it calls, by its own word; null = nowhere.
    pub confirmed_url: Option<String>,
    /// How many updates wait there.
    pub pending: Option<u64>,
    /// Its last trouble with us.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
    /// When the connection last proved that it works.
    pub last_proven_at: Option<Timestamp>,
    /// What else it told.
    #[ts(type = "Record<string, unknown>")]
    pub details: serde_json::Map<String, Value>,
}

/// The word that a service asks for when it first calls.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct VerifyToken {
    /// To be pasted there.
    pub verify_token: String,
}

/// A website chat, to be pasted.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct WebsiteSnippet {
    /// The line for the shop's pages.
    pub snippet: String,
    /// A page on this computer with that line in it.
    pub test_page_url: String,
}

/// Whose models.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ListModels {
    /// The connection.
    pub connection: ConnectionId,
}

/// The connection, ready for use.
pub(super) async fn live(hub: &Arc<Hub>, id: &ConnectionId) -> Result<Arc<Live>> {
    let stored = id.clone();
    hub.store.read(move |db| crate::connections::get(db, &stored)?.ok_or_else(shown::not_found)).await?;
    hub.connections.get(id).ok_or_else(shown::gone)
}

pub(super) async fn in_time<T>(call: impl Future<Output = std::result::Result<T, ServiceError>>) -> std::result::Result<T, ServiceError> {
    tokio::time::timeout(PATIENCE, call).await.unwrap_or_else(|_| {
        Err(ServiceError::Temporary(say!(
            "The service did not answer within {seconds} seconds. Try again in a moment.",
            seconds = PATIENCE.as_secs()
        )))
    })
}

pub(super) fn refused(error: &ServiceError) -> Error {
    Error::new(Code::Service, error.sentence())
}

/// Proves that a connection works, without a customer noticing.
pub async fn test_connection(hub: &Arc<Hub>, request: GetConnection) -> Result<TestResult> {
    let live = live(hub, &request.id).await?;
    let failed =
        |error: String| TestResult { ok: false, account: None, checks: Vec::new(), details: serde_json::Map::new(), error: Some(error) };
    let link = match &live.settings {
        Err(why) => return Ok(failed(hub.say(why))),
        Ok(_) => live.link(hub.media.as_ref(), hub.store.clock().as_ref()).ok_or_else(shown::gone)?,
    };
    match in_time(live.connector.test(link)).await {
        Ok(account) => {
            proven(hub, &live, account.name.clone()).await?;
            let account_name = Some(account.name).filter(|name| !name.is_empty());
            Ok(TestResult { ok: true, account: account_name, checks: account.checks, details: account.details, error: None })
        }
        Err(error) => {
            let sentence = error.sentence();
            if matches!(error, ServiceError::Unauthorized(_)) {
                hub.needs_sign_in(&request.id, &sentence).await;
            }
            Ok(failed(hub.say(&sentence)))
        }
    }
}

/// Writes down what a test found. A connection that did not work does again; a draft stays one until its owner switches it on.
async fn proven(hub: &Arc<Hub>, live: &Live, account: String) -> Result<()> {
    let id = live.connection.id.clone();
    let mended = matches!(live.connection.status, ConnectionStatus::NeedsSignIn { .. } | ConnectionStatus::Failing { .. });
    hub.store
        .write(move |tx| {
            tx.execute("UPDATE connection SET account = ?2, proven_at = ?3 WHERE id = ?1", params![id, account, tx.now()])?;
            if mended {
                tx.execute("UPDATE connection SET status = 'active', status_reason = NULL WHERE id = ?1", [&id])?;
            }
            Ok(())
        })
        .await?;
    if mended {
        hub.reload(&live.connection.id).await?;
    }
    hub.store.changes().announce(vec![Change::Connection { id: live.connection.id.clone() }]);
    Ok(())
}

/// The models that a connection's account may use.
pub async fn list_models(hub: &Arc<Hub>, request: ListModels) -> Result<Items<ModelRow>> {
    let live = live(hub, &request.connection).await?;
    let model = live.connector.model().ok_or_else(|| Error::field("connection", say!("Choose a connection that can answer.")))?;
    let link = ready(hub, &live)?;
    Ok(Items { items: in_time(model.models(link)).await.map_err(|error| refused(&error))? })
}

pub(super) fn ready<'a>(hub: &'a Arc<Hub>, live: &'a Live) -> Result<connector::AnyLink<'a>> {
    if let Err(why) = &live.settings {
        return Err(Error::new(Code::Conflict, why.clone()));
    }
    live.link(hub.media.as_ref(), hub.store.clock().as_ref()).ok_or_else(shown::gone)
}

/// The address of a connection's hook.
fn hook(hub: &Hub, live: &Live) -> Result<String> {
    let url = shown::webhook_url(hub, &live.connection);
    url.ok_or_else(|| Error::new(Code::Conflict, say!("This service does not call us; there is nothing to register.")))
}

/// Tells the service where to call.
pub async fn register_webhook(hub: &Arc<Hub>, request: GetConnection) -> Result<WebhookRow> {
    let live = live(hub, &request.id).await?;
    let url = hook(hub, &live)?;
    ready(hub, &live)?;
    let state = registrations::register(hub, &live, &url, By::Owner).await?.map_err(|error| refused(&error))?;
    Ok(webhook(url, state, live.connection.proven_at))
}

fn webhook(url: String, state: connector::WebhookState, proven: Option<Timestamp>) -> WebhookRow {
    WebhookRow {
        desired_url: Some(url),
        confirmed_url: state.confirmed_url.filter(|url| !url.is_empty()),
        pending: state.pending,
        last_error: state.last_error,
        last_error_at: state.last_error_at,
        last_proven_at: proven,
        details: state.details,
    }
}

/// Where the service calls, by its own word.
pub async fn webhook_state(hub: &Arc<Hub>, request: GetConnection) -> Result<WebhookRow> {
    let live = live(hub, &request.id).await?;
    let url = hook(hub, &live)?;
    let channel = live.connector.channel().ok_or_else(shown::gone)?;
    let state = in_time(channel.webhook_state(ready(hub, &live)?)).await.map_err(|error| refused(&error))?;
    Ok(webhook(url, state, live.connection.proven_at))
}

/// The verify token of a connection: the one secret that is told again, because it must be pasted elsewhere.
pub async fn reveal_verify_token(hub: &Arc<Hub>, request: GetConnection) -> Result<VerifyToken> {
    let vault = hub.vault.clone();
    let found = hub
        .store
        .read(move |db| {
            crate::connections::get(db, &request.id)?.ok_or_else(shown::not_found)?;
            Ok(vault.open_all(db, request.id.as_str())?.whole()?.remove("verify_token"))
        })
        .await?;
    let token = found.ok_or_else(|| Error::new(Code::Conflict, say!("This connection has no verify token.")))?;
    Ok(VerifyToken { verify_token: token.reveal().to_owned() })
}

/// The line that puts a website chat on a page, and a page on this computer to try it.
pub async fn website_snippet(hub: &Arc<Hub>, request: GetConnection) -> Result<WebsiteSnippet> {
    let live = live(hub, &request.id).await?;
    let page = live.connector.page().ok_or_else(|| Error::field("id", say!("This connection is not a website chat.")))?;
    let settings = live.settings.as_ref().map_err(|why| Error::new(Code::Conflict, why.clone()))?;
    let Some(address) = hub.reach().public else {
        return Err(Error::new(Code::Unavailable, say!("Shopbell is starting.")));
    };
    let key = &live.connection.hook_key;
    let look = page.look(settings);
    let base = look.base_url.clone().unwrap_or_else(|| hub.public_base());
    let line = snippet::line(&base, key, &look);
    let built = || Error::new(Code::Conflict, say!("The website chat was not built into this program. Run make run, which builds it."));
    Ok(WebsiteSnippet { snippet: line.ok_or_else(built)?, test_page_url: format!("http://{address}/widget/v1/test/{key}") })
}
