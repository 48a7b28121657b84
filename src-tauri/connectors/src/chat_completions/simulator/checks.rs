//! What these services check before they answer.

use serde_json::Value;

use super::super::shape::is_reasoning;
use super::Family;

/// A refusal: the parameter and the words.
type Wrong = (String, String);

pub fn check(family: Family, request: &Value) -> Result<(), Wrong> {
    let wrong = |parameter: &str, words: &str| Err((parameter.to_owned(), words.to_owned()));
    let Some(model) = request["model"].as_str().filter(|model| !model.is_empty()) else {
        return wrong("model", "you must provide a model parameter");
    };
    if request.get("stream_options").is_some() && request["stream"] != true {
        return wrong("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
    }
    if request["temperature"].as_f64().is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
        return wrong("temperature", "Invalid 'temperature': expected a value between 0 and 2.");
    }
    let messages = request["messages"].as_array().filter(|messages| !messages.is_empty());
    let Some(messages) = messages else { return wrong("messages", "'messages' must not be empty.") };
    if family == Family::OpenAi && is_reasoning(model) {
        particular(model, request, messages)?;
    }
    if request["tools"].as_array().is_some_and(Vec::is_empty) {
        return wrong("tools", "[] is too short - 'tools'");
    }
    for tool in request["tools"].as_array().into_iter().flatten() {
        let name = tool["function"]["name"].as_str().unwrap_or_default();
        if name.is_empty() || name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
            return wrong("tools[0].function.name", "string does not match pattern '^[a-zA-Z0-9_-]+$'");
        }
    }
    if request.get("tool_choice").is_some() && request.get("tools").is_none() {
        return wrong("tool_choice", "'tool_choice' is only allowed when 'tools' are specified.");
    }
    calls(messages)
}

/// What o1, o3, gpt-5 and their like refuse.
fn particular(model: &str, request: &Value, messages: &[Value]) -> Result<(), Wrong> {
    let wrong = |parameter: &str, words: String| Err((parameter.to_owned(), words));
    for parameter in ["temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs"] {
        if request.get(parameter).is_some() {
            return wrong(parameter, format!("Unsupported parameter: '{parameter}' is not supported with this model."));
        }
    }
    if request.get("max_tokens").is_some() {
        let words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        return wrong("max_tokens", words.to_owned());
    }
    let oldest = model.starts_with("o1-mini") || model.starts_with("o1-preview");
    if oldest && messages.iter().any(|message| matches!(message["role"].as_str(), Some("system" | "developer"))) {
        return wrong("messages[0].role", "Unsupported value: 'messages[0].role' does not support 'system' with this model.".into());
    }
    if oldest && request.get("tools").is_some() {
        return wrong("tools", "Unsupported parameter: 'tools' is not supported with this model.".into());
    }
    Ok(())
}

/// Every call has exactly one result, right after it.
fn calls(messages: &[Value]) -> Result<(), Wrong> {
    let mut open: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let wrong = |words: String| Err((format!("messages.[{index}].role"), words));
        let role = message["role"].as_str().unwrap_or_default();
        if role != "tool" && !open.is_empty() {
            let words = "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.";
            return wrong(format!("{words} The following tool_call_ids did not have response messages: {}", open.join(", ")));
        }
        match role {
            "system" | "developer" | "user" => {}
            "assistant" => {
                for call in message["tool_calls"].as_array().into_iter().flatten() {
                    open.push(call["id"].as_str().unwrap_or_default());
                    let arguments = call["function"]["arguments"].as_str().unwrap_or("not text");
                    if serde_json::from_str::<Value>(arguments).is_err() {
                        return wrong("Invalid 'arguments': not JSON.".into());
                    }
                }
            }
            "tool" => match open.iter().position(|id| Some(*id) == message["tool_call_id"].as_str()) {
                Some(position) => {
                    open.remove(position);
                }
                None => return wrong("messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.".into()),
            },
            other => return wrong(format!("'{other}' is not one of ['system', 'assistant', 'user', 'tool', 'developer']")),
        }
    }
    if open.is_empty() { Ok(()) } else { Err(("messages".into(), "tool calls without results at the end".into())) }
}
