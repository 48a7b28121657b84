//! The labels that conversations carry.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use ts_rs::TS;

use super::asked::{Empty, Items};
use crate::error::Result;
use crate::hub::Hub;

/// Labels are gathered from so many conversations, the newest first: beyond them nobody looks for one.
const LOOKED_AT: i64 = 20_000;
/// The most labels that are given.
const GIVEN: i64 = 200;

/// A label that is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
#[schemars(rename = "Label")]
#[ts(rename = "Label")]
pub struct LabelRow {
    /// Its word.
    pub name: String,
    /// How many conversations carry it.
    pub conversations: i64,
}

/// Every label in use, the most used first.
pub async fn list_labels(hub: &Arc<Hub>, _: Empty) -> Result<Items<LabelRow>> {
    let items = hub
        .store
        .read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT one.value, count(*) FROM (
                   SELECT labels FROM conversation WHERE labels <> '[]' ORDER BY last_message_at DESC, id DESC LIMIT ?1) AS labelled,
                   json_each(labelled.labels) AS one
                 GROUP BY one.value ORDER BY count(*) DESC, one.value LIMIT ?2",
            )?;
            let rows = statement.query_map([LOOKED_AT, GIVEN], |row| Ok(LabelRow { name: row.get(0)?, conversations: row.get(1)? }))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await?;
    Ok(Items { items })
}
