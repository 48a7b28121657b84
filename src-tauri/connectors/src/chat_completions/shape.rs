//! What a model can be asked, by its name, and how a prompt becomes a request for it.
//!
//! Families differ in what they refuse: the reasoning models take no temperature and count their limit in another field, the oldest of
//! them take neither instructions nor tools. What the table does not know is learned from the service's refusal, see [`Shape::learn`].

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use shopbell_core::connector::{Prompt, PromptMessage, ToolCall};

use super::Family;

/// What a request to one model holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Who gives the instructions; `None` = they stand before the customer's first words.
    pub instructor: Option<&'static str>,
    pub temperature: bool,
    /// The field of the limit of tokens.
    pub limit: &'static str,
    pub tools: bool,
    pub stream_options: bool,
    pub end_user: Option<&'static str>,
    pub tool_choice: bool,
}

impl Shape {
    /// The shape for `model` at a service of `family`.
    pub fn of(family: Family, model: &str) -> Self {
        let plain = Self {
            instructor: Some("system"),
            temperature: true,
            limit: "max_tokens",
            tools: true,
            stream_options: true,
            end_user: None,
            tool_choice: true,
        };
        // OpenRouter names them "openai/o3".
        let name = model.rsplit('/').next().unwrap_or(model);
        let reasons = is_reasoning(name);
        match family {
            Family::OpenAi if name.starts_with("o1-mini") || name.starts_with("o1-preview") => {
                Self { instructor: None, temperature: false, limit: "max_completion_tokens", tools: false, ..plain }
            }
            Family::OpenAi if reasons => Self {
                instructor: Some("developer"),
                temperature: false,
                limit: "max_completion_tokens",
                end_user: Some("safety_identifier"),
                ..plain
            },
            Family::OpenAi => Self { end_user: Some("safety_identifier"), ..plain },
            Family::OpenRouter => Self { temperature: !reasons, end_user: Some("user"), ..plain },
            // Ollama knows no tool_choice.
            Family::Compatible => Self { tool_choice: false, ..plain },
        }
    }

    /// Adapts to a refusal that names `parameter`; `false` when there is nothing to adapt.
    pub fn learn(&mut self, parameter: &str) -> bool {
        let before = self.clone();
        match parameter {
            "temperature" => self.temperature = false,
            "max_tokens" => self.limit = "max_completion_tokens",
            "max_completion_tokens" => self.limit = "max_tokens",
            "stream_options" => self.stream_options = false,
            "safety_identifier" | "user" => self.end_user = None,
            "tool_choice" => self.tool_choice = false,
            "tools" => self.tools = false,
            "messages[0].role" => {
                self.instructor = match self.instructor {
                    Some("developer") => Some("system"),
                    Some("system") | None => None,
                    Some(_) => Some("system"),
                };
            }
            _ => {}
        }
        *self != before
    }

    /// The request's body.
    pub fn body(&self, prompt: &Prompt, model: &str, names: &Names) -> Value {
        let mut body = Map::new();
        body.insert("model".into(), model.into());
        body.insert("messages".into(), self.messages(prompt, names).into());
        body.insert("stream".into(), true.into());
        if self.stream_options {
            body.insert("stream_options".into(), json!({ "include_usage": true }));
        }
        if self.temperature {
            body.insert("temperature".into(), json!(prompt.temperature));
        }
        body.insert(self.limit.into(), prompt.max_tokens.into());
        let shows_tools = self.tools && !prompt.tools.is_empty() && (prompt.may_call_tools || self.tool_choice);
        if shows_tools {
            let tools: Vec<Value> = prompt
                .tools
                .iter()
                .map(|tool| {
                    let function =
                        json!({ "name": names.safe(&tool.name), "description": tool.description, "parameters": tool.parameters });
                    json!({ "type": "function", "function": function })
                })
                .collect();
            body.insert("tools".into(), tools.into());
            if self.tool_choice {
                body.insert("tool_choice".into(), if prompt.may_call_tools { "auto" } else { "none" }.into());
            }
        }
        if let Some(field) = self.end_user.filter(|_| !prompt.end_user.is_empty()) {
            body.insert(field.into(), prompt.end_user.chars().take(64).collect::<String>().into());
        }
        Value::Object(body)
    }

    fn messages(&self, prompt: &Prompt, names: &Names) -> Vec<Value> {
        let mut messages = Vec::with_capacity(prompt.messages.len() + 1);
        if let Some(role) = self.instructor.filter(|_| !prompt.system.is_empty()) {
            messages.push(json!({ "role": role, "content": prompt.system }));
        } else if !prompt.system.is_empty() {
            messages.push(json!({ "role": "user", "content": prompt.system }));
        }
        let mut open: Vec<&str> = Vec::new();
        for message in &prompt.messages {
            if !matches!(message, PromptMessage::Tool { .. }) {
                close_calls(&mut messages, &mut open);
            }
            match message {
                PromptMessage::User { text } => messages.push(json!({ "role": "user", "content": text })),
                PromptMessage::Assistant { text, calls } if calls.is_empty() || !self.tools => {
                    if !text.is_empty() {
                        messages.push(json!({ "role": "assistant", "content": text }));
                    }
                }
                PromptMessage::Assistant { text, calls } => {
                    let content = if text.is_empty() { Value::Null } else { text.clone().into() };
                    let tool_calls: Vec<Value> = calls.iter().map(|call| past_call(call, names)).collect();
                    messages.push(json!({ "role": "assistant", "content": content, "tool_calls": tool_calls }));
                    open.extend(calls.iter().map(|call| call.id.as_str()));
                }
                PromptMessage::Tool { name, content, .. } if !self.tools => {
                    messages.push(json!({ "role": "user", "content": format!("Result of {name}:\n{content}") }));
                }
                PromptMessage::Tool { call_id, content, .. } => {
                    // Every call has exactly one result; anything else is refused.
                    if let Some(index) = open.iter().position(|id| id == call_id) {
                        open.remove(index);
                        messages.push(json!({ "role": "tool", "tool_call_id": call_id, "content": content }));
                    }
                }
            }
        }
        close_calls(&mut messages, &mut open);
        messages
    }
}

/// A call without a result (it was interrupted) gets one that says so.
fn close_calls(messages: &mut Vec<Value>, open: &mut Vec<&str>) {
    for id in open.drain(..) {
        messages.push(json!({ "role": "tool", "tool_call_id": id, "content": "The call was interrupted; its outcome is not known." }));
    }
}

fn past_call(call: &ToolCall, names: &Names) -> Value {
    let is_object = serde_json::from_str::<Value>(&call.arguments).is_ok_and(|value| value.is_object());
    let arguments = if is_object { call.arguments.as_str() } else { "{}" };
    json!({ "id": call.id, "type": "function", "function": { "name": names.safe(&call.name), "arguments": arguments } })
}

/// o1, o3, o4-mini, gpt-5 and what follows them.
pub fn is_reasoning(name: &str) -> bool {
    let digit_after = |prefix: &str| name.strip_prefix(prefix).and_then(|rest| rest.chars().next()).and_then(|c| c.to_digit(10));
    digit_after("o").is_some() || digit_after("gpt-").is_some_and(|generation| generation >= 5)
}

/// Names of tools as every service takes them (`[A-Za-z0-9_-]{1,64}`), and the way back.
#[derive(Clone, Debug, Default)]
pub struct Names {
    safe: BTreeMap<String, String>,
    real: BTreeMap<String, String>,
}

impl Names {
    /// The names of a prompt's tools and past calls.
    pub fn of(prompt: &Prompt) -> Self {
        let mut names = Self::default();
        let past = prompt.messages.iter().filter_map(|message| match message {
            PromptMessage::Assistant { calls, .. } => Some(calls),
            _ => None,
        });
        let all = prompt.tools.iter().map(|tool| tool.name.as_str()).chain(past.flatten().map(|call| call.name.as_str()));
        for name in all {
            names.add(name);
        }
        names
    }

    fn add(&mut self, name: &str) {
        if self.safe.contains_key(name) {
            return;
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let mut safe: String = name.chars().map(|c| if is_word(c) { c } else { '_' }).take(64).collect();
        let mut count = 2;
        while safe.is_empty() || self.real.contains_key(&safe) {
            let end = format!("_{count}");
            safe.truncate(64 - end.len());
            safe.push_str(&end);
            count += 1;
        }
        self.real.insert(safe.clone(), name.to_owned());
        self.safe.insert(name.to_owned(), safe);
    }

    fn safe<'a>(&'a self, name: &'a str) -> &'a str {
        self.safe.get(name).map_or(name, String::as_str)
    }

    /// The name that we know a called tool by.
    pub fn real<'a>(&'a self, name: &'a str) -> &'a str {
        self.real.get(name).map_or(name, String::as_str)
    }
}
