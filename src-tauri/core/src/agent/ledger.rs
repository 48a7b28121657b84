//! What a turn has done, written step by step, so that it goes on after a crash and can be read afterwards.
//!
//! Every write here first looks whether the turn is still the conversation's own ([`owned`]): running, and in the conversation's
//! present epoch. A turn that was superseded or stopped writes nothing more.

use rusqlite::{Connection as Db, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::agent::tools::{self, NativeTool, Run, ToolContext, ToolError};
use crate::clock::Timestamp;
use crate::connector::{ChannelRules, ToolCall};
use crate::conversations::{self, Conversation, inheriting, ownership, posting, waiting};
use crate::error::{Error, Result};
use crate::id::{AgentId, ConnectionId, ConversationId, TurnId};
use crate::model::{Change, Content, Source, Usage};
use crate::store::{Stage, Tx};

/// A turn that was claimed.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Its number.
    pub seq: i64,
    /// Its id.
    pub id: TurnId,
    /// Its conversation's number.
    pub conversation: i64,
    /// Its conversation's id.
    pub conversation_id: ConversationId,
    /// Who answers.
    pub agent: AgentId,
    /// When the customer's message asked for it.
    pub wanted_at: Timestamp,
    /// How often it failed before.
    pub attempts: u32,
    /// What those attempts took.
    pub usage: Usage,
}

/// One thing that a turn did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// A piece of the answer was committed as a message.
    Said {
        /// Its words.
        text: String,
    },
    /// The model asked for tools.
    Call {
        /// What it said beside.
        text: String,
        /// The calls.
        calls: Vec<ToolCall>,
    },
    /// A tool outside the database was begun; without a result after it, nobody knows whether it worked.
    Begun {
        /// The call.
        call_id: String,
    },
    /// What a tool gave back.
    Result {
        /// The call.
        call_id: String,
        /// The tool.
        name: String,
        /// Its result.
        content: String,
    },
}

impl Step {
    fn kind(&self) -> &'static str {
        match self {
            Self::Said { .. } => "said",
            Self::Call { .. } => "call",
            Self::Begun { .. } => "begun",
            Self::Result { .. } => "result",
        }
    }
}

/// The turn's steps so far.
pub fn steps(db: &Db, turn: i64) -> Result<Vec<Step>> {
    let mut statement = db.prepare_cached("SELECT body FROM turn_step WHERE turn = ?1 ORDER BY n")?;
    let bodies = statement.query_map([turn], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    bodies.iter().map(|body| serde_json::from_str(body).map_err(|error| anyhow::Error::from(error).into())).collect()
}

/// Whether the customer has been told something by this turn, in words or through a tool.
pub fn has_spoken(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Said { .. } => true,
        Step::Result { name, content, .. } => tools::speaks(name) && !is_refusal(content),
        Step::Call { .. } | Step::Begun { .. } => false,
    })
}

/// What is left of a turn whose steps are not kept any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, ts_rs::TS)]
#[schemars(rename = "TurnSummary")]
#[ts(rename = "TurnSummary")]
pub struct Summary {
    /// In how many pieces it spoke.
    pub said: u32,
    /// The tools that it ran, in order.
    pub tools: Vec<String>,
}

/// The steps of a turn hold what customers wrote and what documents say, at length: after a month one line of each turn is left.
const STEPS_KEPT: std::time::Duration = std::time::Duration::from_secs(30 * 86_400);
/// How many turns one batch takes.
const OLD_TURNS: i64 = 100;

/// Makes one line of the steps of some turns of long ago. `true` = there may be more.
pub fn summarise_old(tx: &Tx<'_>) -> Result<bool> {
    let mut statement =
        tx.prepare_cached("SELECT seq FROM turn WHERE finished_at < ?1 AND summary IS NULL ORDER BY finished_at LIMIT ?2")?;
    let old: Vec<i64> =
        statement.query_map(params![tx.now().minus(STEPS_KEPT), OLD_TURNS], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for turn in &old {
        let mut summary = Summary::default();
        let mut bodies = tx.prepare_cached("SELECT body FROM turn_step WHERE turn = ?1 ORDER BY n")?;
        for body in bodies.query_map([turn], |row| row.get::<_, String>(0))? {
            // A step that this version cannot read goes without a trace; it is gone for good in any case.
            match serde_json::from_str(&body?) {
                Ok(Step::Said { .. }) => summary.said += 1,
                Ok(Step::Result { name, .. }) => summary.tools.push(name),
                Ok(Step::Call { .. } | Step::Begun { .. }) | Err(_) => {}
            }
        }
        tx.prepare_cached("UPDATE turn SET summary = ?2 WHERE seq = ?1")?
            .execute(params![turn, serde_json::to_string(&summary).map_err(anyhow::Error::from)?])?;
        tx.prepare_cached("DELETE FROM turn_step WHERE turn = ?1")?.execute([turn])?;
    }
    Ok(old.len() >= OLD_TURNS as usize)
}

/// The conversation, if the turn still has its word.
fn owned(tx: &Tx<'_>, turn: &Turn) -> Result<Option<Conversation>> {
    let state: Option<(String, i64)> = tx
        .prepare_cached("SELECT status, epoch FROM turn WHERE seq = ?1")?
        .query_row([turn.seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((status, epoch)) = state else { return Ok(None) };
    let conversation = conversations::by_seq(tx, turn.conversation)?;
    Ok((status == "running" && conversation.epoch == epoch).then_some(conversation))
}

fn add(tx: &Tx<'_>, turn: &Turn, step: &Step, took_ms: i64) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO turn_step (turn, n, kind, at, took_ms, body) VALUES (?1, (SELECT coalesce(max(n), 0) + 1 FROM turn_step WHERE turn = ?1), ?2, ?3, ?4, ?5)",
    )?
    .execute(params![turn.seq, step.kind(), tx.now(), took_ms, serde_json::to_string(step).map_err(anyhow::Error::from)?])?;
    tx.changed(Change::Turn { id: turn.id.clone(), conversation: turn.conversation_id.clone() });
    Ok(())
}

/// Writes one step. `false` = the turn has lost the word; stop.
pub fn save(tx: &Tx<'_>, turn: &Turn, step: &Step, took_ms: i64) -> Result<bool> {
    if owned(tx, turn)?.is_none() {
        return Ok(false);
    }
    add(tx, turn, step, took_ms)?;
    Ok(true)
}

/// Writes what a reading tool found, or why it was refused. `false` = the turn has lost the word.
pub fn save_result(
    tx: &Tx<'_>,
    turn: &Turn,
    tool: Option<&NativeTool>,
    context: &ToolContext,
    call: &ToolCall,
    found: &std::result::Result<Value, String>,
    took_ms: i64,
) -> Result<bool> {
    let Some(conversation) = owned(tx, turn)? else { return Ok(false) };
    let content = match found {
        Ok(value) => {
            tools::recorded(tx, context, &call.name, value)?;
            activity(tx, &conversation, tool, call, &turn.agent)?;
            tools::shown(value)
        }
        Err(refusal) => refusal.clone(),
    };
    let step = Step::Result { call_id: call.id.clone(), name: call.name.clone(), content };
    add(tx, turn, &step, took_ms)?;
    Ok(true)
}

fn activity(tx: &Tx<'_>, conversation: &Conversation, tool: Option<&NativeTool>, call: &ToolCall, agent: &AgentId) -> Result<()> {
    let Some(event) = tool.and_then(|tool| tool.event) else { return Ok(()) };
    let mut details =
        serde_json::from_str::<Value>(&call.arguments).ok().and_then(|arguments| arguments.as_object().cloned()).unwrap_or_default();
    details.insert("agent".to_owned(), json!(agent));
    posting::note_event(tx, conversation, event, details)?;
    Ok(())
}

/// Runs a writing tool and records its result, in one transaction. `None` = the turn has lost the word; nothing was done.
pub fn run_writing(
    tx: &Tx<'_>,
    turn: &Turn,
    tool: &NativeTool,
    context: &ToolContext,
    call: &ToolCall,
    arguments: Value,
) -> Result<Option<String>> {
    let Some(conversation) = owned(tx, turn)? else { return Ok(None) };
    let Run::Write(run) = tool.run else { return Err(anyhow::anyhow!("{} does not write", tool.name).into()) };
    // What a refused call touched is taken back, its refusal is kept.
    tx.execute_batch("SAVEPOINT tool")?;
    let content = match run(tx, context, arguments) {
        Ok(value) => {
            tx.execute_batch("RELEASE tool")?;
            tx.prepare_cached("UPDATE turn SET wrote = 1 WHERE seq = ?1")?.execute([turn.seq])?;
            activity(tx, &conversation, Some(tool), call, &turn.agent)?;
            tools::shown(&value)
        }
        Err(ToolError::RespondToModel(text)) => {
            tx.execute_batch("ROLLBACK TO tool; RELEASE tool")?;
            refusal(&text)
        }
        Err(ToolError::Fatal(error)) => return Err(error),
    };
    add(tx, turn, &Step::Result { call_id: call.id.clone(), name: call.name.clone(), content: content.clone() }, 0)?;
    Ok(Some(content))
}

fn is_refusal(result: &str) -> bool {
    serde_json::from_str::<Value>(result).is_ok_and(|result| result.get("error").is_some())
}

/// What a model reads when a tool refuses.
pub fn refusal(text: &str) -> String {
    serde_json::json!({ "error": text }).to_string()
}

/// Commits a piece of the answer as a message of its own. `false` = the turn has lost the word.
pub fn say(tx: &Tx<'_>, turn: &Turn, text: &str, rules: &ChannelRules) -> Result<bool> {
    let Some(conversation) = owned(tx, turn)? else { return Ok(false) };
    posting::agent_says(tx, &conversation, &turn.agent, &turn.id, &[Content::Text { text: text.to_owned() }], &[], rules)?;
    add(tx, turn, &Step::Said { text: text.to_owned() }, 0)?;
    Ok(true)
}

/// Closes the turn with what is left of the answer. `false` = the turn has lost the word.
pub fn close(tx: &Tx<'_>, turn: &Turn, rest: &[Content], sources: &[Source], usage: &Usage, rules: &ChannelRules) -> Result<bool> {
    let Some(conversation) = owned(tx, turn)? else { return Ok(false) };
    if !rest.is_empty() {
        posting::agent_says(tx, &conversation, &turn.agent, &turn.id, rest, sources, rules)?;
        add(tx, turn, &Step::Said { text: conversations::searchable(rest) }, 0)?;
    }
    end(tx, turn, "done", usage, None)?;
    Ok(true)
}

/// Notes what was spent in all, also by a turn that came to nothing.
pub fn spend(tx: &Tx<'_>, turn: &Turn, usage: &Usage) -> Result<()> {
    tx.prepare_cached("UPDATE turn SET usage = ?2, cost = ?3 WHERE seq = ?1")?.execute(params![
        turn.seq,
        serde_json::to_string(usage).map_err(anyhow::Error::from)?,
        usage.cost
    ])?;
    Ok(())
}

/// Ends a turn that has lost the word, so that the conversation's next one need not wait for it. One that only the end of the program
/// interrupted still has the word: it stays as it is and goes on at the next start.
pub fn lose(tx: &Tx<'_>, turn: &Turn, usage: &Usage) -> Result<()> {
    spend(tx, turn, usage)?;
    let stopped = tx
        .prepare_cached(
            "UPDATE turn SET status = 'stopped', finished_at = ?2
             WHERE seq = ?1 AND status = 'running' AND epoch <> (SELECT epoch FROM conversation WHERE seq = turn.conversation)",
        )?
        .execute(params![turn.seq, tx.now()])?;
    if stopped > 0 {
        tx.changed(Change::Turn { id: turn.id.clone(), conversation: turn.conversation_id.clone() });
        tx.wake(Stage::Turns);
    }
    Ok(())
}

fn end(tx: &Tx<'_>, turn: &Turn, status: &str, usage: &Usage, error: Option<&str>) -> Result<()> {
    spend(tx, turn, usage)?;
    tx.prepare_cached("UPDATE turn SET status = ?2, finished_at = ?3, error = ?4 WHERE seq = ?1")?.execute(params![
        turn.seq,
        status,
        tx.now(),
        error
    ])?;
    tx.changed(Change::Turn { id: turn.id.clone(), conversation: turn.conversation_id.clone() });
    tx.changed(Change::Conversation { id: turn.conversation_id.clone() });
    // The next turn of this conversation may wait for this one.
    tx.wake(Stage::Turns);
    Ok(())
}

/// Gives up: the customer hears nothing of it, a person is called.
pub fn fail(tx: &Tx<'_>, turn: &Turn, reason: &str, usage: &Usage) -> Result<()> {
    if owned(tx, turn)?.is_none() {
        return lose(tx, turn, usage);
    }
    end(tx, turn, "failed", usage, Some(reason))?;
    ownership::call_person(tx, &turn.conversation_id, None, reason, "high", "")?;
    Ok(())
}

/// Puts the turn back, to go on after its last saved step at `due`. Newer words of the customer are answered by it as well.
pub fn postpone(tx: &Tx<'_>, turn: &Turn, due: Timestamp, reason: &str, counts: bool, usage: &Usage) -> Result<()> {
    if owned(tx, turn)?.is_none() {
        return lose(tx, turn, usage);
    }
    spend(tx, turn, usage)?;
    tx.prepare_cached("DELETE FROM turn WHERE conversation = ?1 AND status = 'wanted'")?.execute([turn.conversation])?;
    tx.prepare_cached("UPDATE turn SET status = 'wanted', due_at = ?2, attempts = attempts + ?3, error = ?4 WHERE seq = ?1")?
        .execute(params![turn.seq, due, counts, reason])?;
    tx.changed(Change::Turn { id: turn.id.clone(), conversation: turn.conversation_id.clone() });
    tx.wake(Stage::Turns);
    Ok(())
}

/// Holds the turn back until its model's owner has done something, or until `due`; what it has done so far stays.
pub fn hold(tx: &Tx<'_>, turn: &Turn, due: Timestamp, reason: &str, usage: &Usage) -> Result<()> {
    postpone(tx, turn, due, reason, false, usage)?;
    tx.prepare_cached("UPDATE turn SET held = 1 WHERE seq = ?1 AND status = 'wanted'")?.execute([turn.seq])?;
    Ok(())
}

/// Gives up waiting for its model's owner: a person is asked for, until somebody touches the conversation or the model works again.
pub fn fail_meanwhile(tx: &Tx<'_>, turn: &Turn, reason: &str, connection: &ConnectionId, usage: &Usage) -> Result<()> {
    if owned(tx, turn)?.is_none() {
        return lose(tx, turn, usage);
    }
    end(tx, turn, "failed", usage, Some(reason))?;
    waiting::call_person_meanwhile(tx, &turn.conversation_id, connection, reason)
}

/// The agent was deleted while its turn waited: whoever answers there now makes the answer.
pub fn give_on(tx: &Tx<'_>, turn: &Turn, usage: &Usage) -> Result<()> {
    let Some(conversation) = owned(tx, turn)? else { return lose(tx, turn, usage) };
    spend(tx, turn, usage)?;
    inheriting::settled(tx, conversation).map(|_| ())
}

/// Whether a turn still runs, for its task to stop early when it does not.
pub fn is_running(db: &Db, turn: &TurnId) -> Result<bool> {
    Ok(db.prepare_cached("SELECT EXISTS (SELECT 1 FROM turn WHERE id = ?1 AND status = 'running')")?.query_row([turn], |row| row.get(0))?)
}

/// Turns ready to be taken: claimed, one per conversation. Also tells when the next one is due.
pub fn claim(tx: &Tx<'_>, room: usize) -> Result<(Vec<Turn>, Option<Timestamp>)> {
    let mut statement = tx.prepare_cached(
        "SELECT t.seq, t.id, t.conversation, c.id, t.agent, t.attempts, c.epoch, c.owner_kind, c.owner_id, t.usage, t.wanted_at FROM turn t JOIN conversation c ON c.seq = t.conversation
         WHERE t.status = 'wanted' AND t.due_at <= ?1 AND NOT EXISTS (SELECT 1 FROM turn r WHERE r.conversation = t.conversation AND r.status = 'running')
         ORDER BY t.due_at LIMIT ?2",
    )?;
    let mut rows = statement.query(params![tx.now(), i64::try_from(room).unwrap_or(0)])?;
    let mut claimed = Vec::new();
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        seen += 1;
        let mut turn = Turn {
            seq: row.get(0)?,
            id: row.get(1)?,
            conversation: row.get(2)?,
            conversation_id: row.get(3)?,
            agent: row.get(4)?,
            attempts: row.get(5)?,
            usage: serde_json::from_str(row.get_ref(9)?.as_str()?).map_err(anyhow::Error::from)?,
            wanted_at: row.get(10)?,
        };
        let (epoch, kind, owner): (i64, String, Option<AgentId>) = (row.get(6)?, row.get(7)?, row.get(8)?);
        tx.changed(Change::Turn { id: turn.id.clone(), conversation: turn.conversation_id.clone() });
        let Some(owner) = owner.filter(|_| kind == "agent") else {
            tx.prepare_cached("UPDATE turn SET status = 'stopped', finished_at = ?2 WHERE seq = ?1")?
                .execute(params![turn.seq, tx.now()])?;
            continue;
        };
        turn.agent = owner;
        tx.prepare_cached(
            "UPDATE turn SET status = 'running', held = 0, started_at = coalesce(started_at, ?2), epoch = ?3, agent = ?4 WHERE seq = ?1",
        )?
        .execute(params![turn.seq, tx.now(), epoch, turn.agent])?;
        claimed.push(turn);
    }
    if seen == room {
        // More may be due at once, also where these came to nothing.
        return Ok((claimed, Some(tx.now())));
    }
    let next = tx
        .prepare_cached("SELECT min(due_at) FROM turn WHERE status = 'wanted' AND due_at > ?1")?
        .query_row([tx.now()], |row| row.get(0))?;
    Ok((claimed, next))
}

/// No turn waits longer than that by itself; what is due later was written by a clock that ran ahead.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// After a crash: what ran goes on after its last saved step. Also heals due times of a clock that ran ahead.
pub fn recover(tx: &Tx<'_>) -> Result<usize> {
    tx.execute(
        "DELETE FROM turn WHERE status = 'wanted' AND conversation IN (SELECT conversation FROM turn WHERE status = 'running')",
        [],
    )?;
    tx.execute("UPDATE turn SET due_at = ?1 WHERE status = 'wanted' AND due_at > ?2", params![tx.now(), tx.now().plus(LONGEST_WAIT)])?;
    Ok(tx.execute("UPDATE turn SET status = 'wanted', due_at = ?1 WHERE status = 'running'", [tx.now()])?)
}

/// What a model reads instead of a result, unless the hub itself is in trouble.
pub fn told(error: ToolError) -> std::result::Result<String, Error> {
    match error {
        ToolError::RespondToModel(text) => Ok(refusal(&text)),
        ToolError::Fatal(error) => Err(error),
    }
}
