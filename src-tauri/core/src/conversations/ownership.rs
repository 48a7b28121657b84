//! Who owns the next word. A conversation has one owner and an epoch that grows at every change; an agent's delivery leaves only in
//! the epoch in which it was written (see [`crate::outbox`]).

use std::time::Duration;

use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value, json};

use super::{Conversation, default_agent, find, owner_columns, posting};
use crate::clock::Timestamp;
use crate::error::{Code, Error, Result, Sentence};
use crate::id::{AgentId, ConversationId, PersonId, TurnId};
use crate::model::{Change, Owner};
use crate::say;
use crate::store::{Stage, Tx};
use crate::words::language;

/// How many pauses a burst may stretch a turn's beginning.
const LONGEST_GATHERING: i64 = 5;

/// A person takes the next word: turns in the making are stopped, the agent's words that have not left yet stay here.
pub fn take_over(tx: &Tx<'_>, id: &ConversationId, person: Option<&PersonId>) -> Result<Conversation> {
    take(tx, id, person, Map::new())
}

/// Somebody of the shop answered outside Shopbell: as if they had taken over here. A conversation that is a person's stays that person's.
pub fn taken_outside(tx: &Tx<'_>, id: &ConversationId, details: Map<String, Value>) -> Result<Conversation> {
    let conversation = find(tx, id)?;
    match conversation.owner.clone() {
        Owner::Person { .. } if !conversation.needs_person => Ok(conversation),
        Owner::Person { id: person } => take(tx, id, person.as_ref(), details),
        Owner::Agent { .. } => take(tx, id, None, details),
    }
}

fn take(tx: &Tx<'_>, id: &ConversationId, person: Option<&PersonId>, mut details: Map<String, Value>) -> Result<Conversation> {
    let conversation = find(tx, id)?;
    let owner = Owner::Person { id: person.cloned() };
    if conversation.owner == owner && !conversation.needs_person {
        return Ok(conversation);
    }
    let stopped = stop_agent(tx, &conversation)?;
    change_owner(tx, &conversation, &owner)?;
    details.insert("stopped".into(), stopped.into());
    posting::note_event(tx, &conversation, "took_over", details)?;
    find(tx, id)
}

/// A person gives the next word back to an agent, with a line of context for it. It answers at once when the customer spoke last.
pub fn hand_back(tx: &Tx<'_>, id: &ConversationId, agent: Option<&AgentId>, note: Option<&str>, gather: Duration) -> Result<Conversation> {
    let conversation = find(tx, id)?;
    if matches!(&conversation.owner, Owner::Agent { id } if agent.is_none_or(|agent| agent == id)) {
        return Ok(conversation);
    }
    let agent = match agent {
        Some(agent) => Some(agent.clone()),
        None => agent_of(tx, &conversation)?,
    };
    let Some(agent) = agent else {
        return Err(Error::new(Code::Conflict, say!("There is no agent to hand back to. Make one under Agents first.")));
    };
    // Another agent may be in the middle of an answer, or of its farewell; the conversation's next turn must not wait for it.
    stop_agent(tx, &conversation)?;
    change_owner(tx, &conversation, &Owner::Agent { id: agent.clone() })?;
    let mut details = Map::new();
    details.insert("agent".into(), json!(agent));
    if let Some(note) = note.map(str::trim).filter(|note| !note.is_empty()) {
        details.insert("note".into(), note.into());
    }
    posting::note_event(tx, &conversation, "handed_back", details)?;
    let conversation = find(tx, id)?;
    if customer_spoke_last(tx, &conversation)? {
        want_turn(tx, &conversation, gather)?;
    }
    Ok(conversation)
}

/// Whether the last word is the customer's.
pub(super) fn customer_spoke_last(tx: &Tx<'_>, conversation: &Conversation) -> Result<bool> {
    let theirs: Option<bool> = tx
        .prepare_cached("SELECT direction = 'in' FROM message WHERE conversation = ?1 AND direction <> 'note' ORDER BY seq DESC LIMIT 1")?
        .query_row([conversation.seq], |row| row.get(0))
        .optional()?;
    Ok(theirs == Some(true))
}

/// An agent calls for a person and falls silent. What it says in the same turn still leaves (as a farewell), unless a person has
/// taken over by then.
pub fn call_person(
    tx: &Tx<'_>,
    id: &ConversationId,
    turn: Option<&TurnId>,
    reason: &str,
    urgency: &str,
    summary: &str,
) -> Result<Conversation> {
    let conversation = find(tx, id)?;
    if matches!(conversation.owner, Owner::Agent { .. }) {
        change_owner(tx, &conversation, &Owner::Person { id: None })?;
        tx.prepare_cached("UPDATE turn SET status = 'stopped', finished_at = ?2 WHERE conversation = ?1 AND status = 'wanted'")?
            .execute(params![conversation.seq, tx.now()])?;
        if let Some(turn) = turn {
            tx.prepare_cached("UPDATE turn SET epoch = ?2 WHERE id = ?1")?.execute(params![turn, conversation.epoch + 1])?;
            // Also what is out: when the service asks for it again later, nobody has taken over.
            tx.prepare_cached("UPDATE delivery SET epoch = ?2, farewell = 1 WHERE turn = ?1 AND status IN ('queued', 'sending')")?
                .execute(params![turn, conversation.epoch + 1])?;
        }
    }
    tx.prepare_cached("UPDATE conversation SET needs_person = 1, needs_reason = ?2, urgency = ?3 WHERE seq = ?1")?.execute(params![
        conversation.seq,
        reason,
        urgency
    ])?;
    let mut details: Map<String, Value> =
        [("reason".to_owned(), json!(reason)), ("urgency".to_owned(), json!(urgency)), ("summary".to_owned(), json!(summary))]
            .into_iter()
            .collect();
    if let Owner::Agent { id } = &conversation.owner {
        details.insert("agent".to_owned(), json!(id));
    }
    posting::note_event(tx, &conversation, "transfer", details)?;
    find(tx, id)
}

/// Why a person is asked to look at words that came too late for the agent.
fn too_late() -> Sentence {
    say!("This was said while Shopbell was not receiving, too long ago for the agent to answer by itself. Look at it.")
}

/// Words came too late for the agent: a person is asked to look, and the agent keeps the conversation.
pub(super) fn ask_to_look(tx: &Tx<'_>, conversation: &Conversation) -> Result<()> {
    if conversation.needs_person {
        return Ok(());
    }
    let why = too_late().in_language(&language(tx)?);
    tx.prepare_cached("UPDATE conversation SET needs_person = 1, needs_reason = ?2, urgency = 'medium' WHERE seq = ?1")?
        .execute(params![conversation.seq, why])?;
    tx.changed(Change::Conversation { id: conversation.id.clone() });
    Ok(())
}

/// The agent answers newer words, and so nobody has to look for the sake of the old ones.
pub(super) fn looked_after(tx: &Tx<'_>, conversation: &Conversation) -> Result<()> {
    if conversation.needs_person {
        let why = too_late().in_language(&language(tx)?);
        tx.prepare_cached(
            "UPDATE conversation SET needs_person = 0, needs_reason = NULL, urgency = NULL WHERE seq = ?1 AND needs_reason = ?2",
        )?
        .execute(params![conversation.seq, why])?;
    }
    Ok(())
}

pub(super) fn change_owner(tx: &Tx<'_>, conversation: &Conversation, owner: &Owner) -> Result<()> {
    let (kind, id) = owner_columns(owner);
    tx.prepare_cached(
        "UPDATE conversation SET owner_kind = ?2, owner_id = ?3, epoch = epoch + 1, needs_person = 0, needs_reason = NULL, urgency = NULL, waits_for = NULL
         WHERE seq = ?1",
    )?
    .execute(params![conversation.seq, kind, id])?;
    tx.changed(Change::Conversation { id: conversation.id.clone() });
    Ok(())
}

/// Stops turns that wait or run and keeps back what has not left. Returns whether an answer was under way.
pub(super) fn stop_agent(tx: &Tx<'_>, conversation: &Conversation) -> Result<bool> {
    let mut statement = tx.prepare_cached("SELECT id FROM turn WHERE conversation = ?1 AND status IN ('wanted', 'running')")?;
    let turns: Vec<TurnId> = statement.query_map([conversation.seq], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    tx.prepare_cached("UPDATE turn SET status = 'stopped', finished_at = ?2 WHERE conversation = ?1 AND status IN ('wanted', 'running')")?
        .execute(params![conversation.seq, tx.now()])?;
    for id in &turns {
        tx.changed(Change::Turn { id: id.clone(), conversation: conversation.id.clone() });
    }
    let kept_back = tx
        .prepare_cached("UPDATE delivery SET status = 'failed', reason = 'taken_over', done_at = ?2 WHERE conversation = ?1 AND status = 'queued' AND epoch IS NOT NULL")?
        .execute(params![conversation.seq, tx.now()])?;
    Ok(!turns.is_empty() || kept_back > 0)
}

/// The customer wants no messages in this conversation any more, or wants them again. What an agent was about to say stays here.
pub(super) fn blocked(tx: &Tx<'_>, conversation: &Conversation, blocked: bool) -> Result<()> {
    tx.prepare_cached("UPDATE conversation SET blocked = ?2 WHERE seq = ?1")?.execute(params![conversation.seq, blocked])?;
    tx.prepare_cached("UPDATE contact SET blocked = EXISTS (SELECT 1 FROM conversation WHERE contact = ?1 AND blocked) WHERE id = ?1")?
        .execute([&conversation.contact])?;
    // The customer's STOP and START are themselves messages, and neither asks for an answer.
    stop_agent(tx, conversation)?;
    tx.changed(Change::Conversation { id: conversation.id.clone() });
    tx.changed(Change::Contact { id: conversation.contact.clone() });
    Ok(())
}

/// Who would answer this conversation if it were an agent's: the connection's agent, or the default one.
pub(super) fn agent_of(tx: &Tx<'_>, conversation: &Conversation) -> Result<Option<AgentId>> {
    let own: Option<AgentId> = tx
        .prepare_cached("SELECT agent FROM connection WHERE id = ?1")?
        .query_row([&conversation.connection], |row| row.get(0))
        .optional()?
        .flatten();
    if own.is_some() { Ok(own) } else { default_agent(tx) }
}

/// The customer's words ask for an answer. A burst is gathered; an answer in the making that nobody has seen is given up for a new
/// one; an answer that has begun to leave, or that changed something, is finished first.
pub fn want_turn(tx: &Tx<'_>, conversation: &Conversation, gather: Duration) -> Result<()> {
    let Owner::Agent { id: agent } = &conversation.owner else { return Ok(()) };
    if conversation.blocked {
        return Ok(());
    }
    let running: Option<(TurnId, bool)> = tx
        .prepare_cached("SELECT id, wrote FROM turn WHERE conversation = ?1 AND status = 'running'")?
        .query_row([conversation.seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((turn, wrote)) = running {
        let left: bool = tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM delivery WHERE turn = ?1 AND status <> 'queued')")?
            .query_row([&turn], |row| row.get(0))?;
        if !left && !wrote {
            tx.prepare_cached("UPDATE turn SET status = 'superseded', finished_at = ?2 WHERE id = ?1")?.execute(params![turn, tx.now()])?;
            // Words that nobody has seen are taken back; the new answer says them better.
            let taken_back = tx
                .prepare_cached("DELETE FROM message WHERE seq IN (SELECT message FROM delivery WHERE turn = ?1 AND status = 'queued')")?
                .execute([&turn])?;
            if taken_back > 0 {
                posting::show_last_words(tx, conversation)?;
            }
            tx.changed(Change::Turn { id: turn, conversation: conversation.id.clone() });
        }
    }
    let now = tx.now();
    let pause = i64::try_from(gather.as_millis()).unwrap_or(0);
    tx.prepare_cached(
        "INSERT INTO turn (id, conversation, agent, epoch, status, wanted_at, due_at) VALUES (?1, ?2, ?3, ?4, 'wanted', ?5, ?6)
         ON CONFLICT (conversation) WHERE status = 'wanted'
         DO UPDATE SET due_at = CASE WHEN attempts > 0 OR held = 1 THEN max(due_at, excluded.due_at) ELSE min(excluded.due_at, wanted_at + ?7) END, epoch = excluded.epoch, agent = excluded.agent",
    )?
    .execute(params![
        TurnId::new(),
        conversation.seq,
        agent,
        conversation.epoch,
        now,
        Timestamp::from_millis(now.millis() + pause),
        pause * LONGEST_GATHERING
    ])?;
    tx.wake(Stage::Turns);
    Ok(())
}
