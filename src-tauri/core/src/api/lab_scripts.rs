//! Customers of the Lab that can be played again.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use schemars::JsonSchema;
use serde::Deserialize;
use ts_rs::TS;

use super::asked::{Empty, Items, NAME, TEXT, Wrong};
use super::lab::bearable;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::id::LabScriptId;
use crate::lab;
use crate::lab::scripts::{self, LONGEST_WAIT, LabRun, LabScript, LabStep};
use crate::say;

/// The most steps of a script.
const MOST_STEPS: usize = 100;
/// The most scripts.
const MOST_SCRIPTS: i64 = 200;

/// Which script.
#[derive(Debug, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct GetLabScript {
    /// Its id.
    pub id: LabScriptId,
}

fn not_found() -> Error {
    Error::not_found(say!("This script is not there any more."))
}

fn read(id: LabScriptId, body: &str) -> Result<LabScript> {
    let script: LabScript = serde_json::from_str(body).map_err(anyhow::Error::from)?;
    Ok(LabScript { id: Some(id), ..script })
}

/// Customers that can be played again, by name.
pub async fn lab_list_scripts(hub: &Arc<Hub>, _: Empty) -> Result<Items<LabScript>> {
    lab::of(hub)?;
    let rows = hub
        .store
        .read(|db| {
            let mut statement = db.prepare_cached("SELECT id, body FROM lab_script")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
        .await?;
    let mut items = rows.into_iter().map(|(id, body)| read(id, &body)).collect::<Result<Vec<_>>>()?;
    items.sort_by_cached_key(|script| script.name.to_lowercase());
    Ok(Items { items })
}

/// Keeps a customer that can be played again.
pub async fn lab_save_script(hub: &Arc<Hub>, request: LabScript) -> Result<LabScript> {
    lab::of(hub)?;
    let mut wrong = Wrong::default();
    let name = wrong.needed("name", &request.name, NAME);
    let customer = wrong.needed("customer", &request.customer, NAME);
    if hub.connectors.get(request.connector.as_str()).is_none_or(|connector| connector.channel().is_none()) {
        wrong.add("connector", say!("There is no connector called {kind}.", kind = request.connector.clone()));
    }
    if request.steps.is_empty() {
        wrong.add("steps", say!("This is needed."));
    }
    wrong.within("steps", request.steps.len(), 0, MOST_STEPS);
    for (index, step) in request.steps.iter().enumerate() {
        check(index, step, &mut wrong);
    }
    if let Some(weather) = &request.weather {
        bearable("weather", weather, &mut wrong);
    }
    wrong.done()?;
    let script = LabScript { id: None, name, customer, ..request };
    let body = serde_json::to_string(&script).map_err(anyhow::Error::from)?;
    let given = request.id;
    let id = hub
        .store
        .write(move |tx| {
            if let Some(id) = given {
                let changed = tx.execute("UPDATE lab_script SET body = ?2, updated_at = ?3 WHERE id = ?1", params![id, body, tx.now()])?;
                return if changed == 0 { Err(not_found()) } else { Ok(id) };
            }
            let many: i64 = tx.query_row("SELECT count(*) FROM lab_script", [], |row| row.get(0))?;
            if many >= MOST_SCRIPTS {
                return Err(Error::field("name", say!("There are {most} scripts already. Delete one first.", most = MOST_SCRIPTS)));
            }
            let id = LabScriptId::new();
            tx.execute("INSERT INTO lab_script (id, body, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)", params![id, body, tx.now()])?;
            Ok(id)
        })
        .await?;
    Ok(LabScript { id: Some(id), ..script })
}

fn check(index: usize, step: &LabStep, wrong: &mut Wrong) {
    match step {
        LabStep::Say { text } => {
            wrong.needed(&format!("steps.{index}.text"), text, TEXT);
        }
        LabStep::WaitForAnswer { seconds } => wrong.within(&format!("steps.{index}.seconds"), *seconds, 1, LONGEST_WAIT),
        LabStep::ExpectText { contains } => {
            wrong.needed(&format!("steps.{index}.contains"), contains, TEXT);
        }
        LabStep::ExpectOwner { .. } | LabStep::ExpectNoDouble => {}
    }
}

/// Forgets one.
pub async fn lab_delete_script(hub: &Arc<Hub>, request: GetLabScript) -> Result<Empty> {
    lab::of(hub)?;
    hub.store
        .write(move |tx| {
            let deleted = tx.execute("DELETE FROM lab_script WHERE id = ?1", [&request.id])?;
            if deleted == 0 { Err(not_found()) } else { Ok(Empty {}) }
        })
        .await
}

/// Plays one and says step by step how it went.
pub async fn lab_run_script(hub: &Arc<Hub>, request: GetLabScript) -> Result<LabRun> {
    lab::of(hub)?;
    let id = request.id.clone();
    let body: Option<String> =
        hub.store.read(move |db| Ok(db.query_row("SELECT body FROM lab_script WHERE id = ?1", [id], |row| row.get(0)).optional()?)).await?;
    let script = read(request.id, &body.ok_or_else(not_found)?)?;
    scripts::run(hub, &script).await
}
