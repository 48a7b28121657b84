//! What a new hub has from the first moment: a website chat and the built-in answers, so that somebody can try everything before
//! any account is made (S0.2, S1.29).
//!
//! Which connectors those are, the connectors say themselves: the one that serves a page and needs no sign-in, and the model that
//! needs none.

use rusqlite::params;

use crate::connector::{AnyConnector, Auth};
use crate::error::Result;
use crate::hub::Hub;
use crate::id::{AgentId, ConnectionId};
use crate::model::{Change, ModelSettings};
use crate::store::Tx;
use crate::words::{LANGUAGES, translate};

/// The name of the first agent.
const FIRST_AGENT: &str = "Nina";
const INSTRUCTIONS: &str = "You answer customers of {{shop.name}} in their own language, in a few friendly sentences. \
Answer from the knowledge of the shop alone. When you do not find the answer there, say so and offer to call a person.";

/// Makes what a new hub has; an old one is left alone.
pub async fn prepare(hub: &Hub) -> Result<()> {
    let without_account =
        |connector: &&std::sync::Arc<dyn AnyConnector>| connector.about().auth == Auth::None && connector.about().disabled.is_none();
    let page =
        hub.connectors.values().filter(without_account).find(|connector| connector.page().is_some()).map(|connector| connector.about());
    let model =
        hub.connectors.values().filter(without_account).find(|connector| connector.model().is_some()).map(|connector| connector.about());
    let (page, model) = (page.map(|about| (about.kind, about.name)), model.map(|about| (about.kind, about.name)));
    hub.store
        .write(move |tx| {
            let known: bool = tx.query_row("SELECT EXISTS (SELECT 1 FROM setting WHERE key = 'made_at')", [], |row| row.get(0))?;
            if known {
                return Ok(());
            }
            tx.execute("INSERT INTO setting (key, value) VALUES ('made_at', ?1)", [tx.now().millis().to_string()])?;
            if let Some((kind, name)) = model {
                let connection = connect(tx, kind, name)?;
                let agent = AgentId::new();
                let settings = serde_json::to_string(&ModelSettings::default()).map_err(anyhow::Error::from)?;
                let tools = serde_json::to_string(crate::agent::tools::FIRST).map_err(anyhow::Error::from)?;
                tx.execute(
                    "INSERT INTO agent (id, name, instructions, connection, settings, tools, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                    params![agent, FIRST_AGENT, INSTRUCTIONS, connection, settings, tools, tx.now()],
                )?;
                tx.execute("INSERT INTO setting (key, value) VALUES ('default_agent', ?1)", [&agent])?;
                tx.changed(Change::Agent { id: agent });
            }
            if let Some((kind, name)) = page {
                connect(tx, kind, name)?;
            }
            Ok(())
        })
        .await
}

/// Says what a new hub has in the language that its owner has chosen. What somebody has renamed or rewritten stays as it is.
///
/// # Errors
/// When the database cannot be written.
pub fn speak(tx: &Tx<'_>, names: &[&str], language: &str) -> Result<()> {
    for name in names {
        for before in LANGUAGES.map(|other| translate(name, other)) {
            let mut renamed = tx.prepare_cached("UPDATE connection SET name = ?1 WHERE name = ?2 AND name <> ?1 RETURNING id")?;
            for id in renamed.query_map([translate(name, language), before], |row| row.get(0))? {
                tx.changed(Change::Connection { id: id? });
            }
        }
    }
    for before in LANGUAGES.map(|other| translate(INSTRUCTIONS, other)) {
        let mut told =
            tx.prepare_cached("UPDATE agent SET instructions = ?1 WHERE instructions = ?2 AND instructions <> ?1 RETURNING id")?;
        for id in told.query_map([translate(INSTRUCTIONS, language), before], |row| row.get(0))? {
            tx.changed(Change::Agent { id: id? });
        }
    }
    Ok(())
}

fn connect(tx: &Tx<'_>, kind: &str, name: &str) -> Result<ConnectionId> {
    let id = ConnectionId::new();
    tx.execute(
        "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES (?1, ?2, ?3, 'active', '{}', ?4, ?5, ?5)",
        params![id, kind, name, crate::connections::new_hook_key()?, tx.now()],
    )?;
    tx.changed(Change::Connection { id: id.clone() });
    Ok(id)
}
