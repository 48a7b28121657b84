//! Reports to a service's advertising, as somebody of the shop sees and asks for them.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::conversations::GetConversation;
use crate::clock::Timestamp;
use crate::connector::Reports;
use crate::conversations;
use crate::conversions::{self, ConversionEvent, Row, Wanted};
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::{ConnectionId, ConversationId};
use crate::say;

/// Something to report.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct ReportConversion {
    /// About which conversation.
    pub conversation: ConversationId,
    /// What became of the customer.
    pub event: ConversionEvent,
    /// The currency of `amount`, in three letters (ISO 4217).
    pub currency: Option<String>,
    /// What it was worth; a purchase needs it.
    pub amount: Option<f64>,
}

/// What was and what may be reported of a conversation.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[ts(optional_fields = nullable)]
pub struct Conversions {
    /// The last moment at which something may be reported; missing where nothing may.
    pub possible_until: Option<Timestamp>,
    /// What was reported, oldest first.
    pub items: Vec<Row>,
}

fn reports(hub: &Hub, connection: &ConnectionId) -> Reports {
    hub.connections.get(connection).map_or_else(Reports::default, |live| live.reports())
}

/// What was and what may be reported of a conversation to the service's advertising.
pub async fn list_conversions(hub: &Arc<Hub>, request: GetConversation) -> Result<Conversions> {
    let (connection, click, items) = hub
        .store
        .read(move |db| {
            let conversation = conversations::find(db, &request.conversation)?;
            Ok((conversation.connection, conversions::click(db, conversation.seq)?, conversions::of(db, conversation.seq)?))
        })
        .await?;
    let until = click.map(|(_, at)| at.plus(conversions::LATEST)).filter(|until| *until > hub.store.clock().now());
    Ok(Conversions { possible_until: until.filter(|_| reports(hub, &connection) != Reports::Never), items })
}

/// Reports to the service's advertising what became of a customer who came through it: each event once for a click.
pub async fn report_conversion(hub: &Arc<Hub>, request: ReportConversion) -> Result<Conversions> {
    let id = request.conversation.clone();
    let asked = id.clone();
    let connection = hub.store.read(move |db| Ok(conversations::find(db, &asked)?.connection)).await?;
    if reports(hub, &connection) == Reports::Never {
        return Err(Error::new(Code::Conflict, say!("Reports are switched off for this connection. Switch them on in its settings.")));
    }
    hub.store
        .write(move |tx| {
            let conversation = conversations::find(tx, &request.conversation)?;
            conversions::want(tx, &conversation, &Wanted { event: request.event, value: request.currency.zip(request.amount) })
        })
        .await?;
    list_conversions(hub, GetConversation { conversation: id }).await
}
