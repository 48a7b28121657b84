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
use shopbell_connectors::twilio::simulator::TwilioSimulator;
use shopbell_core::connector::{
    Chunk, Event, IncomingMessage, Prompt, PromptMessage, Request, ServiceError, Simulator, ToolCall, ToolSpec,
};
use shopbell_core::http::Client;
use shopbell_core::model::{Choice, Content, Usage};

use self::link::{Basket, Desk, answer, said, text};

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

const AUTH_TOKEN: &str = "12345678901234567890123456789012";

/// A form as the peer takes it: a name that is there more than once has a list.
fn params(pairs: &[(&str, &str)]) -> Value {
    let mut params = serde_json::Map::new();
    for (name, value) in pairs {
        match params.get_mut(*name) {
            Some(Value::Array(values)) => values.push((*value).into()),
            Some(first) => *first = json!([first, value]),
            None => {
                params.insert((*name).to_owned(), (*value).into());
            }
        }
    }
    params.into()
}

fn call(url: &str, kind: &str, signature: &str, body: String) -> Request {
    Request {
        method: "POST".into(),
        path: String::new(),
        query: String::new(),
        headers: vec![("content-type".into(), kind.into()), ("x-twilio-signature".into(), signature.into())],
        body: body.into(),
        url: url.into(),
    }
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[tokio::test]
async fn twilios_own_validator_and_we_believe_the_same_calls() {
    let Some(peer) = start("twilio.mjs", "twilio") else { return };
    let account = json!({ "account_sid": "AC0123456789abcdef0123456789abcdef", "auth_token": AUTH_TOKEN, "phone_number": "+14155238886" });
    let desk = desk("whatsapp-twilio", account);
    let channel = desk.connector.channel().unwrap();
    let form = "application/x-www-form-urlencoded; charset=UTF-8";
    let calls: &[(&str, &[(&str, &str)])] = &[
        (
            "https://desk.example.com/hooks/k",
            &[("From", "whatsapp:+5511999990000"), ("Body", "Olá 😀 + a&b = c%20d\r\n"), ("ProfileName", "")],
        ),
        ("https://desk.example.com/hooks/k?k=v%20x&q='a'&r=%C3%A9", &[("Body", "x"), ("body", "y"), ("B", "z"), ("ZZ", ""), ("_", "1")]),
        ("https://desk.example.com:443/hooks/k", &[("b", "2"), ("a", "1"), ("b", "1"), ("b", "2"), ("b", "")]),
        ("http://desk.example.com:80/hooks/k/status?delivery=dlv_01", &[("MessageStatus", "read")]),
        ("https://desk.example.com:8443/hooks/k", &[]),
    ];
    for (url, pairs) in calls {
        let asked = json!({ "token": AUTH_TOKEN, "url": url, "params": params(pairs) });
        let signature = customer(&peer, "/sign", asked).await["signature"].as_str().unwrap().to_owned();
        let ours = call(url, form, &signature, encoded(pairs));
        assert_eq!(channel.verify(&desk.settings, &ours), Ok(()), "{url}");
        for (other_url, other_pairs) in [(format!("{url}x"), encoded(pairs)), ((*url).to_owned(), format!("{}&new=", encoded(pairs)))] {
            let fields: Vec<(String, String)> = url::form_urlencoded::parse(other_pairs.as_bytes()).into_owned().collect();
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let asked = json!({ "token": AUTH_TOKEN, "signature": signature, "url": other_url, "params": params(&fields) });
            assert_eq!(customer(&peer, "/validate", asked).await["valid"], false, "{other_url} {other_pairs}");
            assert!(channel.verify(&desk.settings, &call(&other_url, form, &signature, other_pairs)).is_err(), "{other_url}");
        }
    }

    let body = "{\"a\":1,\"b\":\"é 😀\"}";
    let hash = customer(&peer, "/hash", json!({ "body": body })).await["hash"].as_str().unwrap().to_owned();
    let url = format!("https://desk.example.com/hooks/k?x=1&bodySHA256={hash}");
    let signature =
        customer(&peer, "/sign", json!({ "token": AUTH_TOKEN, "url": url, "params": {} })).await["signature"].as_str().unwrap().to_owned();
    for (body, valid) in [(body.to_owned(), true), (body.replace('1', "2"), false)] {
        let asked = json!({ "token": AUTH_TOKEN, "signature": signature, "url": url, "body": body });
        assert_eq!(customer(&peer, "/validate-body", asked).await["valid"], valid, "{body}");
        assert_eq!(channel.verify(&desk.settings, &call(&url, "application/json", &signature, body)).is_ok(), valid);
    }

    // What our simulator signs is good enough for Twilio's library too.
    for line in [shopbell_connectors::whatsapp_twilio::LINE, shopbell_connectors::sms_twilio::LINE] {
        let simulator = TwilioSimulator::start(line).await.unwrap();
        let request = simulator.signed(&said("5511999990000", "Tem pão às 7? 🥖 100% & mais +")).remove(0);
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let signature = request.header("x-twilio-signature").unwrap();
        for (url, valid) in [(request.url.clone(), true), (format!("{}/", request.url), false)] {
            let asked = json!({ "token": simulator.canary(), "signature": signature, "url": url, "params": params(&fields) });
            assert_eq!(customer(&peer, "/validate", asked).await["valid"], valid, "{url}");
        }
    }
}
