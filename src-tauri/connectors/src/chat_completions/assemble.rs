//! From the events of a stream to whole pieces: words as they come, tool calls put together, the count at the end.

use serde_json::Value;
use shopbell_core::connector::{Chunk, Finish, ServiceError, ToolCall};
use shopbell_core::model::Usage;
use shopbell_core::money::MicroUsd;
use shopbell_core::say;

use super::refusals::refused_midway;
use super::shape::Names;
use super::wire::{self, CallDelta, Delta, Frame};
use super::{Family, prices};

/// An answer longer than this is no answer.
const LONGEST: usize = 2 * 1024 * 1024;
/// More calls than this in one answer are none.
const MOST_CALLS: usize = 64;

/// Puts an answer together.
pub struct Assembler {
    service: String,
    family: Family,
    model: String,
    names: Names,
    /// Characters of the prompt, for an estimate where the service counts nothing.
    asked: usize,
    said: usize,
    calls: Vec<Call>,
    usage: Option<wire::Usage>,
    finish: Option<String>,
    done: bool,
}

#[derive(Default)]
struct Call {
    index: Option<i64>,
    id: String,
    name: String,
    arguments: String,
}

impl Assembler {
    pub fn new(service: &str, family: Family, model: &str, names: Names, asked: usize) -> Self {
        Self {
            service: service.to_owned(),
            family,
            model: model.to_owned(),
            names,
            asked,
            said: 0,
            calls: Vec::new(),
            usage: None,
            finish: None,
            done: false,
        }
    }

    /// Whether the service has said that it is done.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Takes the data of one event.
    pub fn event(&mut self, data: &str) -> Result<Vec<Chunk>, ServiceError> {
        let data = data.trim();
        if data == "[DONE]" {
            self.done = true;
            return Ok(Vec::new());
        }
        if data.is_empty() {
            return Ok(Vec::new());
        }
        let frame: Frame = serde_json::from_str(data).map_err(|error| {
            tracing::debug!(error = %error, "A piece of a model's answer could not be read.");
            ServiceError::Temporary(say!("{service} answered in a way we do not understand.", service = self.service))
        })?;
        // vLLM says {"object":"error","message":…}; everybody else has an "error".
        let error = frame.error.or_else(|| frame.message.filter(|_| frame.object.as_deref() == Some("error")));
        if let Some(error) = error.filter(|error| !error.is_null()) {
            return Err(refused_midway(&self.service, &self.model, &error));
        }
        if let Some(usage) = frame.usage {
            self.usage = Some(usage);
        }
        let mut chunks = Vec::new();
        // We ask for one choice; a second would be another answer to the same question.
        if let Some(choice) = frame.choices.into_iter().next() {
            if let Some(delta) = choice.delta {
                self.delta(delta, &mut chunks)?;
            }
            if choice.finish_reason.as_deref() == Some("error") {
                return Err(ServiceError::Temporary(say!("{service} broke off the answer.", service = self.service)));
            }
            self.finish = choice.finish_reason.or(self.finish.take());
        }
        Ok(chunks)
    }

    fn delta(&mut self, delta: Delta, chunks: &mut Vec<Chunk>) -> Result<(), ServiceError> {
        for value in [&delta.reasoning_content, &delta.reasoning] {
            if let Some(text) = words(value) {
                self.said += text.len();
                chunks.push(Chunk::Reasoning(text));
                break;
            }
        }
        for value in [&delta.content, &delta.refusal] {
            if let Some(text) = words(value) {
                self.said += text.len();
                chunks.push(Chunk::Text(text));
            }
        }
        for call in delta.tool_calls.into_iter().flatten() {
            self.call(call);
        }
        if self.said > LONGEST || self.calls.len() > MOST_CALLS {
            return Err(ServiceError::Permanent(say!("{service} answered with more than we take.", service = self.service)));
        }
        Ok(())
    }

    fn call(&mut self, delta: CallDelta) {
        let id = delta.id.filter(|id| !id.is_empty());
        let name = delta.function.name.filter(|name| !name.is_empty());
        let position = self.position(delta.index, id.as_deref(), name.as_deref());
        let call = match position {
            Some(position) => &mut self.calls[position],
            None => {
                self.calls.push(Call { index: delta.index, ..Call::default() });
                self.calls.last_mut().expect("one was just pushed")
            }
        };
        if let Some(id) = id.filter(|_| call.id.is_empty()) {
            call.id = id;
        }
        if let Some(name) = name {
            // Whole, in pieces, or whole again with every piece of the arguments.
            if call.name.is_empty() {
                call.name = name;
            } else if call.name != name && call.arguments.is_empty() {
                call.name.push_str(&name);
            }
        }
        match delta.function.arguments {
            Value::String(piece) => {
                self.said += piece.len();
                call.arguments.push_str(&piece);
            }
            Value::Null => {}
            whole => call.arguments = whole.to_string(),
        }
    }

    /// Which call a piece belongs to; `None` = a new one.
    fn position(&self, index: Option<i64>, id: Option<&str>, name: Option<&str>) -> Option<usize> {
        let is_other = |call: &Call| id.is_some_and(|id| !call.id.is_empty() && call.id != id);
        if let Some(index) = index {
            // Some servers number every call 0: a new id is a new call.
            let found = self.calls.iter().rposition(|call| call.index == Some(index))?;
            return (!is_other(&self.calls[found])).then_some(found);
        }
        if let Some(id) = id
            && let Some(found) = self.calls.iter().position(|call| call.id == id)
        {
            return Some(found);
        }
        let last = self.calls.len().checked_sub(1)?;
        let begins_another = is_other(&self.calls[last]) || name.is_some() && !self.calls[last].arguments.is_empty();
        (!begins_another).then_some(last)
    }

    /// The stream is over. `Err` when it ended before the answer did.
    pub fn end(&mut self) -> (Vec<Chunk>, Option<ServiceError>) {
        let whole = self.done || self.finish.is_some();
        if !whole {
            let usage = Chunk::Usage(self.count());
            return (vec![usage], Some(ServiceError::Temporary(say!("{service} broke off the answer.", service = self.service))));
        }
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for (number, call) in std::mem::take(&mut self.calls).into_iter().enumerate() {
            if call.name.is_empty() {
                continue;
            }
            let mut id = if call.id.is_empty() { format!("call_{}", number + 1) } else { call.id };
            if seen.contains(&id) {
                id = format!("{id}_{}", number + 1);
            }
            seen.push(id.clone());
            let arguments = if call.arguments.trim().is_empty() { "{}".to_owned() } else { call.arguments };
            chunks.push(Chunk::ToolCall(ToolCall { id, name: self.names.real(&call.name).to_owned(), arguments }));
        }
        chunks.push(Chunk::Usage(self.count()));
        chunks.push(Chunk::Done(match self.finish.as_deref() {
            Some("length") => Finish::Length,
            Some("content_filter") => Finish::Filtered,
            _ => Finish::Stop,
        }));
        (chunks, None)
    }

    /// What it took: by the service's count, else by our estimate.
    fn count(&self) -> Usage {
        let counted = self.usage.as_ref().filter(|usage| usage.prompt_tokens.is_some() || usage.completion_tokens.is_some());
        let (input, output) = match counted {
            Some(usage) => (usage.prompt_tokens.unwrap_or(0), usage.completion_tokens.unwrap_or(0)),
            // About four characters make a token.
            None => (self.asked.div_ceil(4) as u64, self.said.div_ceil(4) as u64),
        };
        let cached = counted.and_then(|usage| usage.prompt_tokens_details.as_ref()?.cached_tokens).unwrap_or(0);
        let billed = counted.and_then(|usage| MicroUsd::from_decimal_dollars(usage.cost.as_ref()?.get()));
        let cost = match self.family {
            Family::OpenRouter => billed,
            Family::OpenAi => prices::cost(&self.model, input, cached, output),
            Family::Compatible => billed,
        };
        Usage {
            input_tokens: input,
            cached_tokens: cached,
            output_tokens: output,
            cost: cost.unwrap_or_default(),
            estimated: counted.is_none(),
        }
    }
}

/// The words of a field: a text, or a list of parts with texts.
fn words(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}
