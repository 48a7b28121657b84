//! The same connectors against software that others wrote, so that our own simulators are not our only judges.
//!
//! `tests/peers/` holds how each is started. A peer that is not installed (`npm --prefix tests/peers ci`) is named and skipped.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use shopbell_core::connector::{Chunk, Event, IncomingMessage, Prompt, PromptMessage, ServiceError, ToolCall, ToolSpec};
use shopbell_core::http::Client;
use shopbell_core::model::{Choice, Content, Usage};

use self::link::{Basket, Desk, answer, text};

mod link;

/// A running peer; it ends when this is dropped, because its input closes.
struct Peer {
    process: Child,
    url: String,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a peer; `None`, said aloud, when it is not installed.
fn start(script: &str, package: &str) -> Option<Peer> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    if !folder.join("node_modules").join(package).exists() {
        eprintln!("skipped: {package} is not installed; run npm --prefix tests/peers ci");
        return None;
    }
    let command = Command::new("node").arg(script).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut process) = command else {
        eprintln!("skipped: node is not installed");
        return None;
    };
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let url = lines
        .by_ref()
        .map(|line| line.expect("the peer starts"))
        .find_map(|line| serde_json::from_str::<Value>(&line).ok()?["url"].as_str().map(str::to_owned))
        .expect("the peer says where it is");
    // Whatever else it says is read away, so that it never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    Some(Peer { process, url })
}

fn desk(kind: &str, config: Value) -> Desk {
    let connector = shopbell_connectors::all().into_iter().find(|connector| connector.about().kind == kind).unwrap();
    Desk::new(connector, config)
}

const TOKEN: &str = "123456789:AAHpeerToken";

/// What the peer's customer does, by the peer's own interface.
async fn customer(peer: &Peer, path: &str, body: Value) -> Value {
    let request = Client::for_tests_allowing(&peer.url).request(Method::POST, &format!("{}{path}", peer.url)).unwrap();
    request.json(&body).send().await.unwrap().json().await.unwrap()
}

fn words(said: &str) -> Value {
    let chat = json!({ "id": 77, "first_name": "Ana", "username": "ana", "type": "private" });
    let from = json!({ "id": 77, "first_name": "Ana", "username": "ana", "is_bot": false });
    json!({ "botToken": TOKEN, "date": 1_763_650_000, "chat": chat, "from": from, "text": said })
}

async fn next(desk: &Desk) -> IncomingMessage {
    let basket = Basket::default();
    let listening = desk.connector.channel().unwrap().listen(desk.link(), None, &basket);
    let came = async {
        while basket.taken.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        result = listening => panic!("the listening ended: {result:?}"),
        () = came => {}
        () = tokio::time::sleep(Duration::from_secs(10)) => panic!("nothing came"),
    }
    let request = basket.taken.lock().unwrap()[0].0[0].clone();
    match desk.read(&request).remove(0) {
        Event::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn telegram_test_api_and_we_understand_each_other() {
    let Some(peer) = start("telegram.mjs", "telegram-test-api") else { return };
    let desk = desk("telegram", json!({ "bot_token": TOKEN, "base_url": peer.url }));
    let account = desk.connector.test(desk.link()).await.unwrap();
    assert_eq!(account.name, "@TestNameBot");

    customer(&peer, "/sendMessage", words("Tem pão? 🥖")).await;
    let ana = next(&desk).await;
    assert_eq!((ana.thread.as_str(), ana.name.as_deref()), ("77", Some("Ana")));
    assert_eq!(serde_json::to_value(&ana.content).unwrap(), json!([{ "type": "text", "text": "Tem pão? 🥖" }]));

    let channel = desk.connector.channel().unwrap();
    let receipt = channel.send(desk.link(), &answer(&ana, text("Sim, **temos** 🥖"))).await.unwrap();
    assert!(receipt.external_id.starts_with("77:"), "{receipt:?}");
    let options = vec![Choice { id: "two".into(), label: "Dois".into(), url: None, description: None }];
    channel.send(desk.link(), &answer(&ana, Content::Choices { text: "Quantos?".into(), options })).await.unwrap();
    let received = customer(&peer, "/getUpdates", json!({ "token": TOKEN, "chatId": 77 })).await;
    assert_eq!(received["result"][0]["message"]["text"], "Sim, temos 🥖");
    assert_eq!(received["result"][0]["message"]["entities"], json!([{ "type": "bold", "offset": 5, "length": 5 }]));
    assert_eq!(received["result"][1]["message"]["reply_markup"]["inline_keyboard"][0][0]["callback_data"], "two");
}

fn question(said: &str) -> Prompt {
    Prompt {
        model: String::new(),
        system: "You are Nina.".into(),
        messages: vec![PromptMessage::User { text: said.into() }],
        tools: vec![ToolSpec { name: "find".into(), description: "Finds.".into(), parameters: json!({ "type": "object" }) }],
        may_call_tools: true,
        temperature: 0.7,
        max_tokens: 4096,
        language: None,
        end_user: "customer-7".into(),
    }
}

/// An answer: words, calls, count, and what went wrong.
#[derive(Debug, Default)]
struct Answer {
    words: String,
    calls: Vec<ToolCall>,
    usage: Usage,
    done: bool,
    error: Option<ServiceError>,
}

async fn ask(desk: &Desk, prompt: &Prompt) -> Answer {
    let mut answer = Answer::default();
    let mut stream = match desk.connector.model().unwrap().respond(desk.link(), prompt).await {
        Ok(stream) => stream,
        Err(error) => return Answer { error: Some(error), ..answer },
    };
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(Chunk::Text(text)) => answer.words.push_str(&text),
            Ok(Chunk::ToolCall(call)) => answer.calls.push(call),
            Ok(Chunk::Usage(usage)) => answer.usage = usage,
            Ok(Chunk::Done(_)) => answer.done = true,
            Ok(_) => {}
            Err(error) => answer.error = Some(error),
        }
    }
    answer
}

#[tokio::test]
async fn aimock_and_we_understand_each_other() {
    let Some(peer) = start("models.mjs", "@copilotkit/aimock") else { return };
    for (kind, path, model) in
        [("openai", "/v1", "gpt-4o-mini"), ("openrouter", "/api/v1", "openai/gpt-4o-mini"), ("openai-compatible", "/v1", "gpt-4o-mini")]
    {
        let config = json!({ "api_key": "sk-peer", "default_model": model, "base_url": format!("{}{path}", peer.url) });
        let desk = desk(kind, config);
        let answer = ask(&desk, &question("bread")).await;
        assert!(answer.error.is_none(), "{kind}: {answer:?}");
        assert_eq!(answer.words, "Yes, we have 🥖 pão de queijo until six.", "{kind}");
        assert!(answer.done && answer.usage.output_tokens > 0 && !answer.usage.estimated, "{kind}: {answer:?}");

        let mut prompt = question("price");
        let answer = ask(&desk, &prompt).await;
        assert!(answer.error.is_none(), "{kind}: {answer:?}");
        let arguments: Vec<Value> = answer.calls.iter().map(|call| serde_json::from_str(&call.arguments).unwrap()).collect();
        assert_eq!(arguments, [json!({ "what": "pão", "n": 2 }), json!({})], "{kind}");
        let results =
            answer.calls.iter().map(|call| PromptMessage::Tool { call_id: call.id.clone(), name: "find".into(), content: "5".into() });
        let results: Vec<_> = results.collect();
        prompt.messages.push(PromptMessage::Assistant { text: answer.words.clone(), calls: answer.calls.clone() });
        prompt.messages.extend(results);
        assert_eq!(ask(&desk, &prompt).await.words, "It costs 5 reais.", "{kind}");

        let answer = ask(&desk, &question("hurry")).await;
        assert!(matches!(answer.error, Some(ServiceError::RateLimited { .. })), "{kind}: {answer:?}");
        let answer = ask(&desk, &question("broken")).await;
        assert!(matches!(answer.error, Some(ServiceError::Temporary(_))) && !answer.done, "{kind}: {answer:?}");
    }
    let journal = Client::for_tests_allowing(&peer.url).request(Method::GET, &format!("{}/__aimock/journal", peer.url)).unwrap();
    let journal: Value = journal.send().await.unwrap().json().await.unwrap();
    let bodies = journal.to_string();
    assert!(bodies.contains("include_usage"), "it saw what we asked");
}
