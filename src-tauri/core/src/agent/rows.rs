//! Agents in the database.

use rusqlite::{Connection as Db, OptionalExtension, Row};

use crate::error::Result;
use crate::id::AgentId;
use crate::model::{Agent, StreamMode};

/// Columns of [`from_row`], in its order.
pub const COLUMNS: &str = "id, name, instructions, channel_instructions, connection, model, settings, tools, stream_mode";

/// Reads a row of `agent`.
pub fn from_row(row: &Row<'_>) -> rusqlite::Result<Agent> {
    let json = |index: usize| -> rusqlite::Result<String> { row.get(index) };
    let bad = |index: usize| {
        move |error: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, Box::new(error))
    };
    Ok(Agent {
        id: row.get(0)?,
        name: row.get(1)?,
        instructions: row.get(2)?,
        channel_instructions: serde_json::from_str(&json(3)?).map_err(bad(3))?,
        connection: row.get(4)?,
        model: row.get(5)?,
        settings: serde_json::from_str(&json(6)?).map_err(bad(6))?,
        tools: serde_json::from_str(&json(7)?).map_err(bad(7))?,
        stream_mode: match row.get_ref(8)?.as_str()? {
            "sentence" => StreamMode::Sentence,
            "direct" => StreamMode::Direct,
            _ => StreamMode::Full,
        },
    })
}

/// One agent.
pub fn get(db: &Db, id: &AgentId) -> Result<Option<Agent>> {
    Ok(db.prepare_cached(&format!("SELECT {COLUMNS} FROM agent WHERE id = ?1"))?.query_row([id], from_row).optional()?)
}
