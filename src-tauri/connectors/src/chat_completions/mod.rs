//! Chat Completions: the one dialect that OpenAI, OpenRouter, Ollama, llama.cpp, LM Studio, vLLM and many others speak.
//!
//! The connectors that use it are thin: they say where the service is, which key and headers it takes, and of which [`Family`] it is.
//! One request is one attempt. It is repeated at once only when the service refused a parameter that can be left out.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use shopbell_core::clock::Clock;
use shopbell_core::connector::{Chunk, ModelRow, Prompt, PromptMessage, ServiceError};
use shopbell_core::http::{Call, Client, read_bytes, read_json, service_error};
use shopbell_core::say;

use self::assemble::Assembler;
use self::refusals::Refusal;
use self::shape::{Names, Shape, is_reasoning};
use self::sse::Decoder;
use self::wire::{ListedModel, ModelList};

mod assemble;
mod prices;
mod refusals;
mod shape;
pub mod simulator;
mod sse;
#[cfg(test)]
mod tests;
mod wire;

/// How long the service may be silent: before its first word, and between two.
const SILENCE: Duration = Duration::from_secs(120);
/// How long an answer may take altogether.
const WHOLE: Duration = Duration::from_secs(600);
/// How often one request may be adapted to what a model refuses.
const ADAPTATIONS: usize = 3;
/// The longest list of models; OpenRouter's is some megabytes.
const LARGEST_LIST: usize = 32 * 1024 * 1024;
/// The longest refusal.
const LARGEST_REFUSAL: usize = 256 * 1024;

/// Whose accent of the dialect it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// OpenAI itself.
    OpenAi,
    /// OpenRouter, which tells what every answer cost.
    OpenRouter,
    /// Any other server, often on the owner's own computer.
    Compatible,
}

/// A service as its connection is set up.
#[derive(Clone, Copy)]
pub struct Service<'a> {
    /// Its name in sentences.
    pub name: &'a str,
    /// Its accent.
    pub family: Family,
    /// Where it is, `/v1` included, without a slash at the end.
    pub base: &'a str,
    /// The key, if it takes one.
    pub key: Option<&'a str>,
    /// Headers that go with every request.
    pub headers: &'static [(&'static str, &'static str)],
    /// The way out.
    pub http: &'a Client,
    /// The time.
    pub clock: &'a dyn Clock,
}

impl Service<'_> {
    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, ServiceError> {
        let mut request = self.http.request(method, &format!("{}{path}", self.base))?;
        if let Some(key) = self.key {
            request = request.bearer_auth(key);
        }
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        Ok(request)
    }

    /// Reads something small.
    ///
    /// # Errors
    /// By what to do about it.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ServiceError> {
        let response = self.request(Method::GET, path)?.send().await.map_err(|error| service_error(&error, Call::Reads))?;
        if !response.status().is_success() {
            return Err(self.refusal(response, "").await.1);
        }
        read_json(response, LARGEST_LIST, Call::Reads).await
    }

    /// The models, those that can chat first.
    ///
    /// # Errors
    /// By what to do about it.
    pub async fn models(&self) -> Result<Vec<ModelRow>, ServiceError> {
        let list: ModelList = self.get("/models").await?;
        let mut models = list.data;
        models.sort_by(|a, b| {
            let rank = |model: &ListedModel| !can_chat(self.family, model);
            let age = |model: &ListedModel| -model.created.unwrap_or(0.0);
            rank(a).cmp(&rank(b)).then(age(a).total_cmp(&age(b))).then_with(|| a.id.cmp(&b.id))
        });
        Ok(models.into_iter().map(row).collect())
    }

    async fn refusal(&self, response: Response, model: &str) -> (Refusal, ServiceError) {
        let (status, headers) = (response.status(), response.headers().clone());
        // A refusal whose words are lost is still a refusal.
        let body = read_bytes(response, LARGEST_REFUSAL, Call::Reads).await.unwrap_or_default();
        let refusal = Refusal::read(status, &body);
        let error = refusal.sorted(self.name, model, Some((&headers, self.clock)));
        (refusal, error)
    }

    /// One answer as it is made.
    ///
    /// # Errors
    /// By what to do about it; what goes wrong after the first word comes in the stream.
    pub async fn respond(&self, model: &str, prompt: &Prompt) -> Result<BoxStream<'static, Result<Chunk, ServiceError>>, ServiceError> {
        let names = Names::of(prompt);
        let mut shape = Shape::of(self.family, model);
        let mut adapted = 0;
        let response = loop {
            let body = shape.body(prompt, model, &names);
            let request = self.request(Method::POST, "/chat/completions")?.timeout(WHOLE).json(&body);
            let sent = tokio::time::timeout(SILENCE, request.send());
            let response = sent.await.map_err(|_| self.silent())?.map_err(|error| service_error(&error, Call::Reads))?;
            if response.status().is_success() {
                break response;
            }
            let (refusal, error) = self.refusal(response, model).await;
            let learned = matches!(refusal.status, 400 | 422) && refusal.parameter.as_deref().is_some_and(|name| shape.learn(name));
            if !learned || adapted == ADAPTATIONS {
                return Err(error);
            }
            adapted += 1;
        };
        let streams = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_none_or(|kind| !kind.starts_with("application/json"));
        let assembler = Assembler::new(self.name, self.family, model, names, size(prompt));
        Ok(if streams { stream(response, assembler, self.name.to_owned()) } else { whole(response, assembler, self.name.to_owned()) })
    }

    fn silent(&self) -> ServiceError {
        silent(self.name)
    }
}

fn silent(service: &str) -> ServiceError {
    ServiceError::Temporary(say!("{service} has said nothing for two minutes.", service = service))
}

/// Where a stream stands.
struct Reading {
    response: Response,
    decoder: Decoder,
    assembler: Assembler,
    service: String,
    ready: std::collections::VecDeque<Result<Chunk, ServiceError>>,
    over: bool,
}

fn stream(response: Response, assembler: Assembler, service: String) -> BoxStream<'static, Result<Chunk, ServiceError>> {
    let reading =
        Reading { response, decoder: Decoder::default(), assembler, service, ready: std::collections::VecDeque::new(), over: false };
    futures::stream::unfold(reading, |mut reading| async move {
        loop {
            if let Some(chunk) = reading.ready.pop_front() {
                return Some((chunk, reading));
            }
            if reading.over {
                return None;
            }
            reading.step().await;
        }
    })
    .boxed()
}

impl Reading {
    /// Reads one piece of the network.
    async fn step(&mut self) {
        let piece = match tokio::time::timeout(SILENCE, self.response.chunk()).await {
            Err(_) => return self.fail(silent(&self.service)),
            Ok(Err(error)) => return self.fail(service_error(&error, Call::Reads)),
            Ok(Ok(piece)) => piece,
        };
        let events = match &piece {
            Some(bytes) => match self.decoder.push(bytes) {
                Ok(events) => events,
                Err(sse::TooLong) => {
                    return self.fail(ServiceError::Permanent(say!("{service} answered with more than we take.", service = self.service)));
                }
            },
            None => self.decoder.finish(),
        };
        for event in events {
            match self.assembler.event(&event) {
                Ok(chunks) => self.ready.extend(chunks.into_iter().map(Ok)),
                Err(error) => return self.fail(error),
            }
        }
        if piece.is_none() || self.assembler.is_done() {
            self.close();
        }
    }

    fn close(&mut self) {
        let (chunks, error) = self.assembler.end();
        self.ready.extend(chunks.into_iter().map(Ok));
        self.ready.extend(error.map(Err));
        self.over = true;
    }

    /// What was written so far has its price too.
    fn fail(&mut self, error: ServiceError) {
        let usage = self.assembler.end().0.into_iter().find(|chunk| matches!(chunk, Chunk::Usage(_)));
        self.ready.extend(usage.map(Ok));
        self.ready.push_back(Err(error));
        self.over = true;
    }
}

/// A server that answers in one piece although it was asked to stream.
fn whole(response: Response, mut assembler: Assembler, service: String) -> BoxStream<'static, Result<Chunk, ServiceError>> {
    futures::stream::once(async move {
        let body = match tokio::time::timeout(WHOLE, read_bytes(response, LARGEST_LIST, Call::Reads)).await {
            Err(_) => return vec![Err(silent(&service))],
            Ok(Err(error)) => return vec![Err(error)],
            Ok(Ok(body)) => body,
        };
        match assembler.event(&String::from_utf8_lossy(&body)) {
            Err(error) => vec![Err(error)],
            Ok(chunks) => {
                let (end, error) = assembler.end();
                chunks.into_iter().chain(end).map(Ok).chain(error.map(Err)).collect()
            }
        }
    })
    .flat_map(futures::stream::iter)
    .boxed()
}

/// The characters of a prompt, for an estimate of its tokens.
fn size(prompt: &Prompt) -> usize {
    let said = prompt.messages.iter().map(|message| match message {
        PromptMessage::User { text } => text.len(),
        PromptMessage::Assistant { text, calls } => text.len() + calls.iter().map(|call| call.arguments.len()).sum::<usize>(),
        PromptMessage::Tool { content, .. } => content.len(),
    });
    let tools = prompt.tools.iter().map(|tool| tool.description.len() + tool.parameters.to_string().len());
    prompt.system.len() + said.sum::<usize>() + tools.sum::<usize>()
}

fn row(model: ListedModel) -> ModelRow {
    let context =
        model.context_length.or(model.max_model_len).or(model.max_context_length).or(model.meta.and_then(|meta| meta.n_ctx_train));
    ModelRow { name: model.name.unwrap_or_else(|| model.id.clone()), id: model.id, context }
}

/// Whether a model is for conversations, as far as its entry tells.
fn can_chat(family: Family, model: &ListedModel) -> bool {
    match family {
        Family::OpenAi => {
            let other = ["audio", "realtime", "tts", "transcribe", "image", "instruct", "embedding", "moderation", "search", "codex"];
            let talks = model.id.starts_with("gpt-") || model.id.starts_with("chatgpt-") || is_reasoning(&model.id);
            talks && !other.iter().any(|word| model.id.contains(word))
        }
        Family::OpenRouter => {
            model.supported_parameters.as_ref().is_none_or(|parameters| parameters.iter().any(|parameter| parameter == "tools"))
        }
        Family::Compatible => !model.id.contains("embed"),
    }
}
