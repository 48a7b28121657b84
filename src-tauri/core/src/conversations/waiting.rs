//! Conversations that wait for a model's owner: no credit left, a key that is no longer taken.
//!
//! A person is asked for them with that reason. When the model works again, those that nobody has touched meanwhile go back to their agent
//! by themselves; whatever a person took in hand stays with that person.

use rusqlite::{OptionalExtension, params};
use serde_json::{Map, json};

use super::{Conversation, find, ownership, posting};
use crate::error::Result;
use crate::id::{AgentId, ConnectionId, ConversationId};
use crate::model::Owner;
use crate::store::{Stage, Tx};

/// How many conversations one write hands back.
const BATCH: i64 = 100;

/// Asks for a person because the model at `connection` cannot be used.
pub fn call_person_meanwhile(tx: &Tx<'_>, id: &ConversationId, connection: &ConnectionId, reason: &str) -> Result<()> {
    let conversation = ownership::call_person(tx, id, None, reason, "high", "")?;
    tx.prepare_cached("UPDATE conversation SET waits_for = ?2 WHERE seq = ?1")?.execute(params![conversation.seq, connection])?;
    Ok(())
}

/// A person did something in the conversation: it is theirs now, whatever it waited for.
pub fn touched(tx: &Tx<'_>, conversation: i64) -> Result<()> {
    tx.prepare_cached("UPDATE conversation SET waits_for = NULL WHERE seq = ?1 AND waits_for IS NOT NULL")?.execute([conversation])?;
    Ok(())
}

/// Turns that are held back for the model at `connection` are due at once.
pub fn release_turns(tx: &Tx<'_>, connection: &ConnectionId) -> Result<()> {
    let released = tx
        .prepare_cached(
            "UPDATE turn SET due_at = ?2, held = 0 WHERE held = 1 AND status = 'wanted' AND agent IN (SELECT id FROM agent WHERE connection = ?1)",
        )?
        .execute(params![connection, tx.now()])?;
    if released > 0 {
        tx.wake(Stage::Turns);
    }
    Ok(())
}

/// Hands some of the conversations that waited for `connection` back to their agents. `false` when there are none left.
pub fn hand_back_some(tx: &Tx<'_>, connection: &ConnectionId) -> Result<bool> {
    let mut statement = tx.prepare_cached("SELECT id FROM conversation WHERE waits_for = ?1 ORDER BY last_message_at DESC LIMIT ?2")?;
    let waiting: Vec<ConversationId> =
        statement.query_map(params![connection, BATCH], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in &waiting {
        hand_back(tx, &find(tx, id)?)?;
    }
    Ok(!waiting.is_empty())
}

fn hand_back(tx: &Tx<'_>, conversation: &Conversation) -> Result<()> {
    touched(tx, conversation.seq)?;
    let nobodys = conversation.needs_person && conversation.owner == Owner::Person { id: None };
    let Some(agent) = agent_before(tx, conversation)?.filter(|_| nobodys && conversation.status == "open") else { return Ok(()) };
    ownership::stop_agent(tx, conversation)?;
    ownership::change_owner(tx, conversation, &Owner::Agent { id: agent.clone() })?;
    let mut details = Map::new();
    details.insert("agent".into(), json!(agent));
    posting::note_event(tx, conversation, "answers_again", details)?;
    let conversation = find(tx, &conversation.id)?;
    if ownership::customer_spoke_last(tx, &conversation)? {
        ownership::want_turn(tx, &conversation, std::time::Duration::ZERO)?;
    }
    Ok(())
}

/// The agent that answered here last, if it is still there; else who answers on this connection.
fn agent_before(tx: &Tx<'_>, conversation: &Conversation) -> Result<Option<AgentId>> {
    let last: Option<AgentId> = tx
        .prepare_cached("SELECT a.id FROM turn t JOIN agent a ON a.id = t.agent WHERE t.conversation = ?1 ORDER BY t.seq DESC LIMIT 1")?
        .query_row([conversation.seq], |row| row.get(0))
        .optional()?;
    if last.is_some() { Ok(last) } else { ownership::agent_of(tx, conversation) }
}
