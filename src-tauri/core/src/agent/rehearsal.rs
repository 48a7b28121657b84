//! Trying an agent in a side chat: the same model, prompt and tools, and nothing is kept.
//!
//! Reading tools run for real. Writing tools are only shown: the model is told that it is a rehearsal and that they worked.

use std::sync::Arc;

use futures::StreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::agent::answer::{setting, specs};
use crate::agent::tools::{self, Run, ToolContext};
use crate::agent::{ledger, prompt};
use crate::connector::{ChannelRules, Chunk, PromptMessage, ServiceError};
use crate::error::{Code, Error, Result};
use crate::hub::Hub;
use crate::id::ConversationId;
use crate::model::{Agent, Choice, Source, Usage};
use crate::say;

/// A line of the side chat.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// "customer" or "agent".
    pub role: String,
    /// What was said.
    pub text: String,
}

/// A tool that was used on the way.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct Used {
    /// Which.
    pub tool: String,
    /// Its arguments, as the model wrote them.
    pub arguments: String,
    /// What it gave back.
    pub result: String,
    /// Whether it would have changed something.
    pub pretended: bool,
}

/// What the agent would have said.
#[derive(Clone, Debug, Serialize, JsonSchema, TS)]
pub struct Rehearsed {
    /// Its words.
    pub text: String,
    /// Buttons under them.
    pub choices: Vec<Choice>,
    /// Where they come from.
    pub sources: Vec<Source>,
    /// The tools used.
    pub steps: Vec<Used>,
    /// What it took.
    pub usage: Usage,
}

/// Lets `agent` answer the last of `lines`.
///
/// # Errors
/// The model's own trouble, in words.
pub async fn rehearse(hub: &Arc<Hub>, agent: &Agent, connector: &str, lines: &[Line]) -> Result<Rehearsed> {
    let live = hub.connections.get(&agent.connection).filter(|live| live.is_active());
    let live = live.ok_or_else(|| {
        Error::new(Code::Conflict, say!("The model of this agent does not work at present. Look at it under Connections."))
    })?;
    let (model, link) = live
        .connector
        .model()
        .zip(live.link(hub.media.as_ref(), hub.store.clock().as_ref()))
        .ok_or_else(|| Error::new(Code::Conflict, say!("Choose a model first. Built-in answers needs no key.")))?;
    let (shop, time_zone) = hub.store.read(|db| Ok((setting(db, "shop_name")?, setting(db, "time_zone")?))).await?;
    let language = Some(hub.language());
    let channel = hub.connectors.get(connector).map_or(String::new(), |connector| connector.about().name.to_owned());
    let now = hub.store.clock().now();
    let system =
        prompt::system(agent, connector, &prompt::Scene { shop, channel, language: None, time_zone, now, ..prompt::Scene::default() });
    let mut messages: Vec<PromptMessage> = lines
        .iter()
        .map(|line| {
            let text = prompt::cleaned(&line.text, 8_000);
            if line.role == "agent" { PromptMessage::Assistant { text, calls: Vec::new() } } else { PromptMessage::User { text } }
        })
        .collect();
    let mut done = Rehearsed { text: String::new(), choices: Vec::new(), sources: Vec::new(), steps: Vec::new(), usage: Usage::default() };
    let limit = std::time::Duration::from_secs(u64::from(agent.settings.max_seconds.clamp(1, 600)));
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        let may_call = done.steps.len() < agent.settings.max_tool_calls as usize;
        let prompt = prompt::build(agent, system.clone(), messages.clone(), specs(agent), may_call, language.clone(), "rehearsal");
        let mut stream = tokio::time::timeout_at(deadline, model.respond(link, &prompt)).await.map_err(|_| slow())?.map_err(failed)?;
        let (mut text, mut calls, mut whole) = (String::new(), Vec::new(), false);
        while let Some(chunk) = tokio::time::timeout_at(deadline, stream.next()).await.map_err(|_| slow())? {
            match chunk.map_err(failed)? {
                Chunk::Text(more) => text.push_str(&more),
                Chunk::Reasoning(_) => {}
                Chunk::ToolCall(call) => calls.push(call),
                Chunk::Source(source) => done.sources.push(source),
                Chunk::Choices(choices) => done.choices.extend(choices),
                Chunk::Usage(usage) => done.usage += usage,
                Chunk::Done(_) => whole = true,
            }
        }
        if !whole {
            return Err(failed(ServiceError::Temporary(say!("The model's answer broke off."))));
        }
        if calls.is_empty() || !may_call {
            done.text = text;
            return Ok(done);
        }
        messages.push(PromptMessage::Assistant { text, calls: calls.clone() });
        for call in calls {
            let (result, pretended) = run(hub, agent, connector, &call.name, &call.arguments).await?;
            messages.push(PromptMessage::Tool { call_id: call.id.clone(), name: call.name.clone(), content: result.clone() });
            done.steps.push(Used { tool: call.name, arguments: call.arguments, result, pretended });
        }
    }
}

async fn run(hub: &Arc<Hub>, agent: &Agent, connector: &str, name: &str, text: &str) -> Result<(String, bool)> {
    let Some(tool) = agent.tools.iter().find(|tool| *tool == name).and_then(|name| tools::find(name)) else {
        return Ok((ledger::refusal("There is no such tool."), false));
    };
    let arguments = match tools::arguments(text) {
        Ok(arguments) => arguments,
        Err(error) => return Ok((ledger::told(error)?, false)),
    };
    let Run::Read(run) = tool.run else {
        return Ok((serde_json::json!({ "ok": true, "rehearsal": "Nothing was changed: this is a rehearsal." }).to_string(), true));
    };
    let context = ToolContext {
        conversation: ConversationId::from("rehearsal"),
        agent: agent.id.clone(),
        turn: None,
        connector: connector.to_owned(),
        language: Some(hub.language()),
        now: hub.store.clock().now(),
        reports: false,
        rules: ChannelRules::default(),
    };
    let result = hub.store.read(move |db| run(db, &context, arguments).map_or_else(ledger::told, |value| Ok(tools::shown(&value)))).await?;
    Ok((result, false))
}

fn slow() -> Error {
    Error::new(Code::Service, say!("The answer took too long."))
}

fn failed(error: ServiceError) -> Error {
    Error::new(Code::Service, error.sentence())
}
