//! What lies on the clerk's desk: the prompt, read back into who said what and what was looked up.

use serde_json::Value;
use shopbell_core::connector::{Prompt, PromptMessage, ToolCall};

/// How an interrupted answer is told of.
const INTERRUPTED: &str = "[Your answer was interrupted";
/// How a note of the shop is told of.
const NOTE: &str = "[note of the shop";

/// A tool call of this turn and what it gave back.
#[derive(Debug)]
pub struct Looked<'a> {
    /// The call.
    pub call: &'a ToolCall,
    /// Its result; none while it runs, null when it is no JSON.
    pub result: Option<Value>,
}

/// One turn, as the clerk sees it.
#[derive(Debug, Default)]
pub struct Desk<'a> {
    /// What the customer has just said, message by message.
    pub said: Vec<&'a str>,
    /// What the customer said in the turn before.
    pub before: Vec<&'a str>,
    /// What the customer heard last.
    pub heard: Option<&'a str>,
    /// What was looked up in this turn.
    pub looked: Vec<Looked<'a>>,
    /// Words of this very answer that the customer has read already.
    pub spoken: Option<&'a str>,
    /// Everything the customer ever said here, the newest first.
    pub customer: Vec<&'a str>,
}

impl<'a> Desk<'a> {
    /// Reads a prompt. Any order of messages is read; what makes no sense is passed over.
    pub fn read(prompt: &'a Prompt) -> Self {
        let mut desk = Self::default();
        let mut messages = prompt.messages.as_slice();
        if let [rest @ .., PromptMessage::Assistant { text: spoken, calls }, PromptMessage::User { text }] = messages
            && text.starts_with(INTERRUPTED)
            && calls.is_empty()
        {
            desk.spoken = Some(spoken);
            messages = rest;
        }
        let seen = |message: &&PromptMessage| !matches!(message, PromptMessage::Assistant { text, .. } if text.starts_with(NOTE));
        desk.customer = messages.iter().rev().filter_map(|message| if let PromptMessage::User { text } = message { Some(text.as_str()) } else { None }).collect();

        // This turn's calls stand at the end, after the customer's words.
        let turn = messages.iter().rposition(|message| matches!(message, PromptMessage::User { .. })).map_or(0, |last| last + 1);
        let results: Vec<(&str, &str)> = messages[turn..]
            .iter()
            .filter_map(|message| if let PromptMessage::Tool { call_id, content, .. } = message { Some((call_id.as_str(), content.as_str())) } else { None })
            .collect();
        let calls = messages[turn..].iter().filter_map(|message| if let PromptMessage::Assistant { calls, .. } = message { Some(calls) } else { None }).flatten();
        desk.looked = calls
            .map(|call| {
                let result = results.iter().find(|(id, _)| *id == call.id).map(|(_, content)| serde_json::from_str(content).unwrap_or(Value::Null));
                Looked { call, result }
            })
            .collect();

        let mut earlier = messages[..turn].iter().rev().filter(seen).peekable();
        while let Some(PromptMessage::User { text }) = earlier.peek() {
            desk.said.insert(0, text);
            earlier.next();
        }
        while let Some(message) = earlier.next() {
            match message {
                PromptMessage::Assistant { text, .. } if desk.heard.is_none() && !text.trim().is_empty() => desk.heard = Some(text),
                PromptMessage::User { text } => {
                    desk.before.insert(0, text);
                    if !matches!(earlier.peek(), Some(PromptMessage::User { .. })) {
                        break;
                    }
                }
                PromptMessage::Assistant { .. } | PromptMessage::Tool { .. } => {}
            }
        }
        desk
    }

    /// The result of the last call of `tool`.
    pub fn result_of(&self, tool: &str) -> Option<&Value> {
        self.looked.iter().rev().find(|looked| looked.call.name == tool)?.result.as_ref()
    }
}
