//! The stand-in for services that speak Chat Completions, as strict as they are: unknown roles, tool calls without results, parameters that
//! a model does not take are refused with the service's own words. Answers are scripted, and streamed in pieces of odd sizes.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use shopbell_core::connector::{Fault, Scripted, Simulator, Weather};

use super::Family;
use crate::loopback::{Loopback, Manners, lock};

mod checks;

/// The key that works.
const KEY: &str = "sk-canaryModel-9Qw3eR5tY7uI1oP2aS4dF6gH8";
/// Sizes of the pieces in which an answer is sent, over and over.
const PIECES: &[usize] = &[1, 7, 2, 61, 3, 19, 1, 1, 130];

/// A running simulator.
pub struct ModelSimulator {
    server: Loopback,
    family: Family,
    state: Arc<Answers>,
}

struct Answers {
    family: Family,
    script: Mutex<VecDeque<Next>>,
    count: AtomicUsize,
}

enum Next {
    Scripted(Scripted),
    /// A body as it is to be sent, event by event.
    Raw(Vec<String>),
}

/// Starts OpenAI's.
pub fn start_openai() -> BoxFuture<'static, anyhow::Result<Box<dyn Simulator>>> {
    Box::pin(async { Ok(Box::new(ModelSimulator::start(Family::OpenAi).await?) as Box<dyn Simulator>) })
}

/// Starts OpenRouter's.
pub fn start_openrouter() -> BoxFuture<'static, anyhow::Result<Box<dyn Simulator>>> {
    Box::pin(async { Ok(Box::new(ModelSimulator::start(Family::OpenRouter).await?) as Box<dyn Simulator>) })
}

/// Starts that of a server in the owner's network.
pub fn start_compatible() -> BoxFuture<'static, anyhow::Result<Box<dyn Simulator>>> {
    Box::pin(async { Ok(Box::new(ModelSimulator::start(Family::Compatible).await?) as Box<dyn Simulator>) })
}

impl ModelSimulator {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(family: Family) -> anyhow::Result<Self> {
        let state = Arc::new(Answers { family, script: Mutex::default(), count: AtomicUsize::new(0) });
        let router = Router::new().fallback(answer).with_state(state.clone());
        let manners = Manners { shown: str::to_owned, may_fail: |_| true, fetches: |_| false, refusal };
        Ok(Self { server: Loopback::start(router, manners).await?, family, state })
    }

    /// The next answer, event by event, as raw as it comes; each text is a whole block of lines.
    pub fn script_raw(&self, blocks: &[&str]) {
        lock(&self.state.script).push_back(Next::Raw(blocks.iter().map(|block| (*block).to_owned()).collect()));
    }
}

#[async_trait]
impl Simulator for ModelSimulator {
    fn config(&self) -> Value {
        let model = match self.family {
            Family::OpenAi => "gpt-4o-mini",
            Family::OpenRouter => "openai/gpt-4o-mini",
            Family::Compatible => "llama3.2",
        };
        json!({ "api_key": KEY, "default_model": model, "base_url": format!("{}/v1", self.server.base_url()) })
    }

    fn canary(&self) -> String {
        KEY.to_owned()
    }

    fn journal(&self) -> Vec<Value> {
        self.server.journal()
    }

    fn fault(&self, fault: Fault, times: u32) {
        self.server.fault(&fault, times);
    }

    fn set_weather(&self, weather: &Weather) {
        self.server.set_weather(weather);
    }

    fn script(&self, answers: Vec<Scripted>) {
        lock(&self.state.script).extend(answers.into_iter().map(Next::Scripted));
    }
}

/// An error as these services write it.
fn error(status: u16, kind: &str, code: &str, parameter: Option<&str>, words: &str) -> Response {
    let code = if code.is_empty() { Value::Null } else { code.into() };
    let body = json!({ "error": { "message": words, "type": kind, "param": parameter, "code": code } });
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), Json(body)).into_response()
}

fn refusal(fault: &Fault) -> Response {
    match fault {
        Fault::RateLimit(pause) => {
            let mut response = error(429, "requests", "rate_limit_exceeded", None, "Rate limit reached for requests");
            response.headers_mut().insert(header::RETRY_AFTER, pause.as_secs().max(1).into());
            response
        }
        Fault::Unauthorized => error(401, "invalid_request_error", "invalid_api_key", None, "Incorrect API key provided."),
        Fault::Refuse(words) if words == "insufficient_quota" => error(
            429,
            "insufficient_quota",
            "insufficient_quota",
            None,
            "You exceeded your current quota, please check your plan and billing details.",
        ),
        Fault::Refuse(words) if words == "context_length_exceeded" => error(
            400,
            "invalid_request_error",
            "context_length_exceeded",
            Some("messages"),
            "This model's maximum context length is 128000 tokens.",
        ),
        Fault::Refuse(words) => error(400, "invalid_request_error", "", None, words),
        Fault::Code(code) => error(u16::try_from(*code).unwrap_or(400), "invalid_request_error", "", None, "Refused."),
        Fault::ServerError | Fault::CutAfter | Fault::CutBefore | Fault::Slow(_) | Fault::MediaGone => {
            error(500, "server_error", "", None, "The server had an error while processing your request.")
        }
    }
}

async fn answer(State(state): State<Arc<Answers>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let authorized = request.headers().get(header::AUTHORIZATION).is_some_and(|value| value == format!("Bearer {KEY}").as_str());
    let open = state.family == Family::OpenRouter && path == "/v1/models";
    if !authorized && !open {
        // The services repeat a part of the key they were given.
        return error(
            401,
            "invalid_request_error",
            "invalid_api_key",
            None,
            "Incorrect API key provided: sk-ca****gH8. You can find it elsewhere.",
        );
    }
    let Ok(body) = axum::body::to_bytes(request.into_body(), 50_000_000).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match path.as_str() {
        "/v1/models" => Json(models(state.family)).into_response(),
        "/v1/key" if state.family == Family::OpenRouter => {
            Json(json!({ "data": { "label": "sk-or-v1-abc...123", "limit": 10.0, "limit_remaining": 7.25, "usage": 2.75 } }))
                .into_response()
        }
        "/v1/chat/completions" => complete(&state, &body),
        _ => error(404, "invalid_request_error", "unknown_url", None, "Unknown request URL"),
    }
}

fn models(family: Family) -> Value {
    let entry = |id: &str, created: u64| json!({ "id": id, "object": "model", "created": created, "owned_by": "system" });
    let data = match family {
        Family::OpenAi => json!([
            entry("text-embedding-3-small", 1_705_948_997),
            entry("gpt-4o-mini", 1_721_172_741),
            entry("whisper-1", 1_677_532_384),
            entry("o3-mini", 1_737_146_383),
            entry("gpt-4o-audio-preview", 1_727_460_443),
            entry("gpt-4o", 1_715_367_049),
        ]),
        Family::OpenRouter => json!([
            { "id": "vendor/old-story-teller", "name": "Vendor: Story Teller", "created": 1_700_000_000, "context_length": 4096,
              "pricing": { "prompt": "0.000001", "completion": "0.000002" }, "supported_parameters": ["temperature"] },
            { "id": "openai/gpt-4o-mini", "name": "OpenAI: GPT-4o-mini", "created": 1_721_172_741, "context_length": 128_000,
              "pricing": { "prompt": "0.00000015", "completion": "0.0000006" }, "supported_parameters": ["tools", "temperature"] },
        ]),
        Family::Compatible => json!([
            { "id": "nomic-embed-text", "object": "model", "created": 1_700_000_001, "owned_by": "library" },
            { "id": "llama3.2", "object": "model", "created": 1_700_000_000, "owned_by": "library", "meta": { "n_ctx_train": 131_072 } },
        ]),
    };
    json!({ "object": "list", "data": data })
}

fn complete(state: &Answers, body: &[u8]) -> Response {
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return error(400, "invalid_request_error", "", None, "We could not parse the JSON body of your request.");
    };
    if let Err((parameter, words)) = checks::check(state.family, &request) {
        return error(400, "invalid_request_error", "unsupported_parameter", Some(&parameter), &words);
    }
    let model = request["model"].as_str().unwrap_or_default();
    if model.starts_with("no-such") {
        return error(404, "invalid_request_error", "model_not_found", None, "The model does not exist or you do not have access to it.");
    }
    let next = lock(&state.script).pop_front();
    let number = state.count.fetch_add(1, Ordering::AcqRel) + 1;
    let blocks = match next {
        Some(Next::Raw(blocks)) => blocks,
        Some(Next::Scripted(scripted)) => events(state.family, &request, number, scripted),
        None => {
            let heard = request["messages"].as_array().and_then(|messages| messages.iter().rev().find(|message| message["role"] == "user"));
            let heard = heard.and_then(|message| message["content"].as_str()).unwrap_or_default().to_owned();
            events(state.family, &request, number, Scripted::Text(vec!["You said: ".into(), heard]))
        }
    };
    let stream = blocks.concat();
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(pieces(stream.into_bytes()))).into_response()
}

/// The bytes in pieces that respect neither lines nor characters.
fn pieces(bytes: Vec<u8>) -> impl futures::Stream<Item = Result<Bytes, std::convert::Infallible>> {
    let mut rest = Bytes::from(bytes);
    let mut pieces = Vec::new();
    for size in PIECES.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        pieces.push(rest.split_to((*size).min(rest.len())));
    }
    // A pause after each lets the piece travel alone.
    futures::stream::unfold(pieces.into_iter(), |mut pieces| async move {
        tokio::task::yield_now().await;
        pieces.next().map(|piece| (Ok(piece), pieces))
    })
}

/// The events of a scripted answer.
fn events(family: Family, request: &Value, number: usize, scripted: Scripted) -> Vec<String> {
    let mut blocks = Vec::new();
    if family == Family::OpenRouter {
        blocks.push(": OPENROUTER PROCESSING\n\n".to_owned());
    }
    let chunk = |delta: Value, finish: Option<&str>| {
        let frame = json!({ "id": format!("chatcmpl-{number}"), "object": "chat.completion.chunk", "created": 1_763_650_000, "model": request["model"],
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }], "usage": null });
        format!("data: {frame}\r\n\r\n")
    };
    blocks.push(chunk(json!({ "role": "assistant", "content": "" }), None));
    let mut written = 0;
    let finish = match scripted {
        Scripted::Text(pieces) => {
            for piece in pieces {
                written += piece.len();
                blocks.push(chunk(json!({ "content": piece }), None));
            }
            "stop"
        }
        Scripted::Call { name, arguments } => {
            let arguments = arguments.to_string();
            written += arguments.len();
            let head =
                json!({ "index": 0, "id": format!("call_{number}"), "type": "function", "function": { "name": name, "arguments": "" } });
            blocks.push(chunk(json!({ "tool_calls": [head] }), None));
            let middle = arguments.char_indices().map(|(index, _)| index).nth(arguments.chars().count() / 2).unwrap_or(0);
            let (first, second) = arguments.split_at(middle);
            for piece in [first, second] {
                blocks.push(chunk(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": piece } }] }), None));
            }
            "tool_calls"
        }
        Scripted::Broken(words) => {
            blocks.push(chunk(json!({ "content": words }), None));
            return blocks;
        }
    };
    blocks.push(chunk(json!({}), Some(finish)));
    if request["stream_options"]["include_usage"] == true {
        let read = request["messages"].to_string().len();
        let mut usage = json!({ "prompt_tokens": read / 4, "completion_tokens": written / 4, "total_tokens": (read + written) / 4,
            "prompt_tokens_details": { "cached_tokens": 0 } });
        if family == Family::OpenRouter {
            usage["cost"] = json!(0.000_123);
        }
        blocks.push(format!(
            "data: {}\n\n",
            json!({ "id": format!("chatcmpl-{number}"), "object": "chat.completion.chunk", "choices": [], "usage": usage })
        ));
    }
    blocks.push("data: [DONE]\n\n".to_owned());
    blocks
}
