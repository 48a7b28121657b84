//! Calling a person, asking for attention, ending.

use rusqlite::params;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{NativeTool, Outcome, Run, ToolContext, parse, schema, text};
use crate::conversations::{ownership, posting};
use crate::model::{Change, Owner};
use crate::store::Tx;

pub(super) const TRANSFER: NativeTool = NativeTool {
    name: "transfer_to_human",
    description: "Hand this conversation to a person of the shop. Use it when the customer asks for a person, is upset, or needs something that \
                  you cannot do or do not know. You fall silent afterwards: say one short farewell that a person will answer here, and promise \
                  no time.",
    summary: "Calls a person and falls silent",
    parameters: schema::<Transfer>,
    event: None,
    run: Run::Write(transfer),
};

pub(super) const ESCALATE: NativeTool = NativeTool {
    name: "escalate",
    description: "Ask the people of the shop to look at this conversation while you go on answering. The customer sees nothing of it.",
    summary: "Asks you to look while it goes on answering",
    parameters: schema::<Escalate>,
    event: None,
    run: Run::Write(escalate),
};

pub(super) const END: NativeTool = NativeTool {
    name: "end_conversation",
    description: "Mark this conversation as done, when the customer has said that nothing is missing. A new message opens it again. The customer \
                  sees nothing of it: say good-bye yourself.",
    summary: "Marks the conversation as done",
    parameters: schema::<End>,
    event: None,
    run: Run::Write(end),
};

/// How soon a person should look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Urgency {
    // When there is time.
    Low,
    // Today.
    #[default]
    Normal,
    // Before anything else.
    High,
}

impl Urgency {
    fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// Why a person is needed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Transfer {
    /// Why, in a few words for the people of the shop.
    reason: String,
    /// What was said and what is still open, in two or three sentences.
    summary: Option<String>,
    /// How soon: low = when there is time, normal = today, high = before anything else.
    #[serde(default)]
    priority: Urgency,
}

/// What to look at.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Escalate {
    /// How soon: low = when there is time, normal = today, high = before anything else.
    #[serde(default)]
    level: Urgency,
    /// Why, in a few words.
    reason: String,
}

/// How it ended.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct End {
    /// Why it is done, in a few words.
    reason: String,
    /// What was agreed or answered, if anything.
    resolution: Option<String>,
}

fn transfer(tx: &Tx<'_>, context: &ToolContext, arguments: Value) -> Outcome {
    let arguments: Transfer = parse(arguments)?;
    let reason = text("reason", &arguments.reason, 300)?;
    let summary = arguments.summary.as_deref().map(|summary| text("summary", summary, 1000)).transpose()?.unwrap_or_default();
    let conversation = super::may_act(tx, context)?;
    if conversation.needs_person && matches!(conversation.owner, Owner::Person { .. }) {
        return Ok(json!({ "done": true, "note": "A person was called already. Say nothing more but a short farewell." }));
    }
    ownership::call_person(tx, &context.conversation, context.turn.as_ref(), &reason, arguments.priority.as_str(), &summary)?;
    Ok(json!({
        "done": true,
        "customer_sees": "nothing yet",
        "note": "A person of the shop has been called and you fall silent after this answer. Tell the customer in one sentence that a person will answer here.",
    }))
}

fn escalate(tx: &Tx<'_>, context: &ToolContext, arguments: Value) -> Outcome {
    let arguments: Escalate = parse(arguments)?;
    let reason = text("reason", &arguments.reason, 300)?;
    let conversation = super::may_act(tx, context)?;
    tx.prepare_cached("UPDATE conversation SET needs_person = 1, needs_reason = ?2, urgency = ?3 WHERE seq = ?1")?.execute(params![
        conversation.seq,
        reason,
        arguments.level.as_str()
    ])?;
    let details: Map<String, Value> =
        [("agent".to_owned(), json!(context.agent)), ("reason".to_owned(), json!(reason)), ("urgency".to_owned(), json!(arguments.level))]
            .into_iter()
            .collect();
    posting::note_event(tx, &conversation, "escalated", details)?;
    tx.changed(Change::Conversation { id: conversation.id });
    Ok(json!({ "done": true, "customer_sees": "nothing", "note": "The people of the shop were asked to look. Go on answering." }))
}

fn end(tx: &Tx<'_>, context: &ToolContext, arguments: Value) -> Outcome {
    let arguments: End = parse(arguments)?;
    let reason = text("reason", &arguments.reason, 300)?;
    let resolution = arguments.resolution.as_deref().map(|words| text("resolution", words, 1000)).transpose()?.unwrap_or_default();
    let conversation = super::may_act(tx, context)?;
    if conversation.status != "resolved" {
        tx.prepare_cached("UPDATE conversation SET status = 'resolved', snoozed_until = NULL WHERE seq = ?1")?
            .execute([conversation.seq])?;
        let details: Map<String, Value> = [
            ("agent".to_owned(), json!(context.agent)),
            ("reason".to_owned(), json!(reason)),
            ("resolution".to_owned(), json!(resolution)),
        ]
        .into_iter()
        .collect();
        posting::note_event(tx, &conversation, "resolved", details)?;
        tx.changed(Change::Conversation { id: conversation.id });
    }
    Ok(json!({ "done": true, "customer_sees": "nothing", "note": "The conversation is marked as done. Say good-bye in a few words." }))
}
