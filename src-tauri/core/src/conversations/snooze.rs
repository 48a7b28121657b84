//! Snoozed conversations come back when their time has come.

use rusqlite::params;
use serde_json::Map;

use super::{find, posting};
use crate::error::Result;
use crate::id::ConversationId;
use crate::model::Change;
use crate::store::Tx;

/// Opens the conversations whose time has come, `most` of them at once. Each counts as unread, so that it is seen although nobody wrote.
pub fn wake(tx: &Tx<'_>, most: i64) -> Result<()> {
    let mut statement = tx.prepare_cached("SELECT id FROM conversation WHERE status = 'snoozed' AND snoozed_until <= ?1 LIMIT ?2")?;
    let back: Vec<ConversationId> = statement.query_map(params![tx.now(), most], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in back {
        let conversation = find(tx, &id)?;
        tx.prepare_cached("UPDATE conversation SET status = 'open', snoozed_until = NULL, unread = max(unread, 1) WHERE seq = ?1")?
            .execute([conversation.seq])?;
        posting::note_event(tx, &conversation, "woke", Map::new())?;
        tx.changed(Change::Conversation { id });
    }
    Ok(())
}
