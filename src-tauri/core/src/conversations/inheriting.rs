//! What becomes of the conversations of an agent that was deleted: they go to who answers there instead, or wait for a person.
//!
//! The agent is unusable from the moment it is gone. Its conversations that are in work are given on a few at a time, so that a shop with
//! thousands of them is not held up; those that are resolved, and any that a crash left in between, are given on when their customer
//! writes again.

use rusqlite::{OptionalExtension, params};
use serde_json::{Map, json};

use super::{Conversation, find, ownership, posting};
use crate::error::Result;
use crate::id::{AgentId, ConversationId};
use crate::model::Owner;
use crate::say;
use crate::store::Tx;
use crate::words::language;

/// How many conversations one write gives on.
const BATCH: i64 = 100;

/// Gives on the conversations in which `gone` is in the middle of an answer: none of its words is committed from now on.
pub fn interrupt(tx: &Tx<'_>, gone: &AgentId) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "SELECT c.id FROM turn t JOIN conversation c ON c.seq = t.conversation WHERE t.status = 'running' AND t.agent = ?1",
    )?;
    let answering: Vec<ConversationId> = statement.query_map([gone], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in &answering {
        settled(tx, find(tx, id)?)?;
    }
    Ok(())
}

/// Gives on some of the conversations in work whose agent is `gone`. `false` when there are none left.
pub fn give_on_some(tx: &Tx<'_>, gone: &AgentId) -> Result<bool> {
    let mut statement = tx.prepare_cached(
        "SELECT id FROM conversation WHERE owner_kind = 'agent' AND owner_id = ?1 AND status <> 'resolved' ORDER BY last_message_at DESC LIMIT ?2",
    )?;
    let left: Vec<ConversationId> = statement.query_map(params![gone, BATCH], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for id in &left {
        give_on(tx, &find(tx, id)?)?;
    }
    Ok(!left.is_empty())
}

/// An agent that is gone and still has conversations in work: the program ended while they were given on.
pub fn gone(db: &rusqlite::Connection) -> Result<Option<AgentId>> {
    Ok(db
        .prepare_cached(
            "SELECT c.owner_id FROM conversation c WHERE c.owner_kind = 'agent' AND c.status <> 'resolved'
               AND NOT EXISTS (SELECT 1 FROM agent a WHERE a.id = c.owner_id) LIMIT 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?)
}

/// The conversation with an owner that is there.
pub fn settled(tx: &Tx<'_>, conversation: Conversation) -> Result<Conversation> {
    let Owner::Agent { id } = &conversation.owner else { return Ok(conversation) };
    let is_there: bool = tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM agent WHERE id = ?1)")?.query_row([id], |row| row.get(0))?;
    if is_there {
        return Ok(conversation);
    }
    give_on(tx, &conversation)?;
    find(tx, &conversation.id)
}

fn give_on(tx: &Tx<'_>, conversation: &Conversation) -> Result<()> {
    // Only where an answer was under way does the next agent make one: nobody is answered out of the blue weeks later.
    let answering: bool = tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM turn WHERE conversation = ?1 AND status IN ('wanted', 'running'))")?
        .query_row([conversation.seq], |row| row.get(0))?;
    ownership::stop_agent(tx, conversation)?;
    match ownership::agent_of(tx, conversation)? {
        Some(heir) => {
            ownership::change_owner(tx, conversation, &Owner::Agent { id: heir.clone() })?;
            let mut details = Map::new();
            details.insert("agent".into(), json!(heir));
            posting::note_event(tx, conversation, "inherited", details)?;
            if answering {
                ownership::want_turn(tx, &find(tx, &conversation.id)?, std::time::Duration::ZERO)?;
            }
        }
        None if conversation.status == "open" => {
            let reason = say!("The agent that answered here was deleted.").in_language(&language(tx)?);
            ownership::call_person(tx, &conversation.id, None, &reason, "normal", "")?;
        }
        None => ownership::change_owner(tx, conversation, &Owner::Person { id: None })?,
    }
    Ok(())
}
