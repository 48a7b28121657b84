//! What services told about their accounts: a template was refused, the quality fell, a number was locked.

use std::sync::Arc;

use rusqlite::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::{Empty, Items};
use crate::clock::Timestamp;
use crate::connector::NoticeLevel;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::model::Change;
use crate::say;

/// Which notices.
#[derive(Debug, Default, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(optional_fields = nullable)]
pub struct ListNotices {
    /// Only those of one connection.
    pub connection: Option<ConnectionId>,
}

/// Which notice was seen.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct DismissNotice {
    /// Its connection.
    pub connection: ConnectionId,
    /// Its key.
    pub key: String,
}

/// Something about an account that its owner should know.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
#[schemars(rename = "Notice")]
#[ts(rename = "Notice", optional_fields = nullable)]
pub struct NoticeRow {
    /// Its connection.
    pub connection: ConnectionId,
    /// What it is about.
    pub key: String,
    /// How grave.
    pub level: NoticeLevel,
    /// In words.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// When somebody saw it.
    pub seen_at: Option<Timestamp>,
}

/// What services told about their accounts, newest first; 200 at most.
pub async fn list_notices(hub: &Arc<Hub>, request: ListNotices) -> Result<Items<NoticeRow>> {
    let items = hub
        .store
        .read(move |db| {
            let mut statement = db.prepare_cached(
                "SELECT connection, key, level, text, at, seen_at FROM notice WHERE ?1 IS NULL OR connection = ?1 ORDER BY at DESC LIMIT 200",
            )?;
            let rows = statement.query_map(params![request.connection], |row| {
                Ok(NoticeRow {
                    connection: row.get(0)?,
                    key: row.get(1)?,
                    level: match row.get_ref(2)?.as_str()? {
                        "problem" => NoticeLevel::Problem,
                        "warning" => NoticeLevel::Warning,
                        _ => NoticeLevel::Info,
                    },
                    text: row.get(3)?,
                    at: row.get(4)?,
                    seen_at: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await?;
    Ok(Items { items })
}

/// Says that a notice was seen.
pub async fn dismiss_notice(hub: &Arc<Hub>, request: DismissNotice) -> Result<Empty> {
    hub.store
        .write(move |tx| {
            let changed = tx
                .prepare_cached("UPDATE notice SET seen_at = coalesce(seen_at, ?3) WHERE connection = ?1 AND key = ?2")?
                .execute(params![request.connection, request.key, tx.now()])?;
            if changed == 0 {
                return Err(Error::not_found(say!("This notice is not there any more.")));
            }
            tx.changed(Change::Connection { id: request.connection });
            Ok(Empty {})
        })
        .await
}
