//! Model services beyond the contract: streams in every accent, limits, costs, against their simulators.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use shopbell_connectors::chat_completions::Family;
use shopbell_connectors::chat_completions::simulator::ModelSimulator;
use shopbell_core::connector::{Chunk, Fault, Finish, Prompt, PromptMessage, Scripted, ServiceError, Simulator, ToolCall, ToolSpec};
use shopbell_core::model::Usage;
use shopbell_core::money::MicroUsd;

use self::link::{Desk, calls};

mod link;

async fn start(family: Family) -> (ModelSimulator, Desk) {
    let simulator = ModelSimulator::start(family).await.unwrap();
    let kind = match family {
        Family::OpenAi => "openai",
        Family::OpenRouter => "openrouter",
        Family::Compatible => "openai-compatible",
    };
    let connector = shopbell_connectors::all().into_iter().find(|connector| connector.about().kind == kind).unwrap();
    let desk = Desk::new(connector, simulator.config());
    (simulator, desk)
}

fn prompt(words: &str) -> Prompt {
    Prompt {
        model: String::new(),
        system: "You are Nina.".into(),
        messages: vec![PromptMessage::User { text: words.into() }],
        tools: vec![ToolSpec { name: "find".into(), description: "Finds.".into(), parameters: json!({ "type": "object" }) }],
        may_call_tools: true,
        temperature: 0.7,
        max_tokens: 4096,
        language: None,
        end_user: "customer-7".into(),
    }
}

/// The whole answer: chunks, and the error that ended it.
async fn ask(desk: &Desk, prompt: &Prompt) -> (Vec<Chunk>, Option<ServiceError>) {
    let model = desk.connector.model().unwrap();
    let mut stream = match model.respond(desk.link(), prompt).await {
        Ok(stream) => stream,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let mut chunks = Vec::new();
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => chunks.push(chunk),
            Err(error) => return (chunks, Some(error)),
        }
    }
    (chunks, None)
}

fn words(chunks: &[Chunk]) -> String {
    chunks.iter().map(|chunk| if let Chunk::Text(text) = chunk { text.as_str() } else { "" }).collect()
}

/// Id, name, arguments.
type Called = (String, String, String);

fn called(chunks: &[Chunk]) -> Vec<Called> {
    let call = |chunk: &Chunk| match chunk {
        Chunk::ToolCall(ToolCall { id, name, arguments }) => Some((id.clone(), name.clone(), arguments.clone())),
        _ => None,
    };
    chunks.iter().filter_map(call).collect()
}

fn usage(chunks: &[Chunk]) -> Usage {
    chunks.iter().find_map(|chunk| if let Chunk::Usage(usage) = chunk { Some(*usage) } else { None }).expect("a count")
}

fn triple(id: &str, name: &str, arguments: &str) -> Called {
    (id.into(), name.into(), arguments.into())
}

/// Frames as a server writes them.
fn frame(delta: &Value, finish: Option<&str>) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] }))
}

async fn raw(blocks: &[&str]) -> (Vec<Chunk>, Option<ServiceError>) {
    let (simulator, desk) = start(Family::Compatible).await;
    simulator.script_raw(blocks);
    ask(&desk, &prompt("Oi")).await
}

#[tokio::test]
async fn an_answer_comes_in_pieces_and_ends_with_its_count() {
    for family in [Family::OpenAi, Family::OpenRouter, Family::Compatible] {
        let (simulator, desk) = start(family).await;
        simulator.script(vec![Scripted::Text(vec!["Pão ".into(), "🥖 às ".into(), "7h".into()])]);
        let (chunks, error) = ask(&desk, &prompt("Oi")).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(words(&chunks), "Pão 🥖 às 7h");
        assert_eq!(chunks.last(), Some(&Chunk::Done(Finish::Stop)));
        let usage = usage(&chunks);
        assert!(!usage.estimated && usage.input_tokens > 0);
        match family {
            Family::OpenRouter => assert_eq!(usage.cost, MicroUsd(123), "its own bill, to the last digit"),
            Family::OpenAi => assert!(usage.cost > MicroUsd(0)),
            Family::Compatible => assert_eq!(usage.cost, MicroUsd(0)),
        }
    }
}

#[tokio::test]
async fn a_tool_call_is_whole_and_its_result_goes_back() {
    let (simulator, desk) = start(Family::OpenAi).await;
    simulator.script(vec![Scripted::Call { name: "find".into(), arguments: json!({ "what": "pão de queijo" }) }]);
    let mut prompt = prompt("Tem pão de queijo?");
    let (chunks, error) = ask(&desk, &prompt).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(called(&chunks), [triple("call_1", "find", r#"{"what":"pão de queijo"}"#)]);
    let calls: Vec<ToolCall> = called(&chunks).into_iter().map(|(id, name, arguments)| ToolCall { id, name, arguments }).collect();
    prompt.messages.push(PromptMessage::Assistant { text: String::new(), calls });
    prompt.messages.push(PromptMessage::Tool { call_id: "call_1".into(), name: "find".into(), content: "yes".into() });
    let (chunks, error) = ask(&desk, &prompt).await;
    assert!(error.is_none(), "the service is content with the history: {error:?}");
    assert_eq!(words(&chunks), "You said: Tem pão de queijo?");
}

#[tokio::test]
async fn calls_are_put_together_whatever_the_accent() {
    let call = |value: Value| frame(&json!({ "tool_calls": [value] }), None);
    let end = [frame(&json!({}), Some("stop")), "data: [DONE]\n\n".to_owned()].concat();
    let cases: Vec<(&str, Vec<String>, Vec<Called>)> = vec![
        (
            "two that interleave",
            vec![
                call(json!({ "index": 0, "id": "a", "function": { "name": "find", "arguments": "" } })),
                call(json!({ "index": 1, "id": "b", "function": { "name": "sell", "arguments": "{\"n\"" } })),
                call(json!({ "index": 0, "function": { "arguments": "{\"q\":1}" } })),
                call(json!({ "index": 1, "function": { "arguments": ":2}" } })),
            ],
            vec![triple("a", "find", "{\"q\":1}"), triple("b", "sell", "{\"n\":2}")],
        ),
        (
            "no index",
            vec![
                call(json!({ "id": "a", "function": { "name": "find", "arguments": "{" } })),
                call(json!({ "function": { "arguments": "}" } })),
                call(json!({ "id": "b", "function": { "name": "sell", "arguments": "{}" } })),
            ],
            vec![triple("a", "find", "{}"), triple("b", "sell", "{}")],
        ),
        (
            "always index 0, each with its own id",
            vec![
                call(json!({ "index": 0, "id": "a", "function": { "name": "find", "arguments": "{}" } })),
                call(json!({ "index": 0, "id": "b", "function": { "name": "sell", "arguments": "{\"n\":" } })),
                call(json!({ "index": 0, "function": { "arguments": "3}" } })),
            ],
            vec![triple("a", "find", "{}"), triple("b", "sell", "{\"n\":3}")],
        ),
        (
            "arguments as an object, and none at all",
            vec![
                call(json!({ "index": 0, "id": "a", "function": { "name": "find", "arguments": { "q": "x" } } })),
                call(json!({ "index": 1, "id": "b", "function": { "name": "sell" } })),
            ],
            vec![triple("a", "find", "{\"q\":\"x\"}"), triple("b", "sell", "{}")],
        ),
        (
            "a name in pieces, a name said again, no ids",
            vec![
                call(json!({ "index": 0, "function": { "name": "fi", "arguments": "" } })),
                call(json!({ "index": 0, "function": { "name": "nd", "arguments": "{}" } })),
                call(json!({ "index": 1, "function": { "name": "sell", "arguments": "{" } })),
                call(json!({ "index": 1, "function": { "name": "sell", "arguments": "}" } })),
            ],
            vec![triple("call_1", "find", "{}"), triple("call_2", "sell", "{}")],
        ),
    ];
    for (what, blocks, expected) in cases {
        let blocks = [blocks.concat(), end.clone()].concat();
        let (chunks, error) = raw(&[&blocks]).await;
        assert!(error.is_none(), "{what}: {error:?}");
        assert_eq!(called(&chunks), expected, "{what}");
    }
}

#[tokio::test]
async fn errors_in_the_middle_are_errors_in_all_their_shapes() {
    let begun = frame(&json!({ "content": "Vou " }), None);
    let shapes = [
        (r#"{"error":{"message":"The server had an error","type":"server_error","param":null,"code":null}}"#, "again"),
        (
            r#"{"id":"x","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":429,"message":"slow","metadata":{"error_type":"rate_limit_exceeded"}}}"#,
            "wait",
        ),
        (r#"{"object":"error","message":"maximum context length is 4096 tokens","code":400}"#, "shorten"),
        (r#"{"error":"llama runner process has terminated"}"#, "again"),
        (r#"{"error":{"code":402,"message":"Insufficient credits"}}"#, "pay"),
        ("{\"choices\":[{\"delta\":", "again"),
    ];
    for (shape, expected) in shapes {
        for before in ["", begun.as_str()] {
            let (chunks, error) = raw(&[before, &format!("data: {shape}\n\n")]).await;
            let kind = match error {
                Some(ServiceError::Temporary(_)) => "again",
                Some(ServiceError::RateLimited { .. }) => "wait",
                Some(ServiceError::TooLong(_)) => "shorten",
                Some(ServiceError::OutOfCredit(_)) => "pay",
                other => panic!("{shape}: {other:?}"),
            };
            assert_eq!(kind, expected, "{shape}");
            assert!(usage(&chunks).estimated, "what was written is counted");
            assert!(!chunks.iter().any(|chunk| matches!(chunk, Chunk::Done(_))), "{shape}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_whole() {
    let (simulator, desk) = start(Family::OpenAi).await;
    simulator.script(vec![Scripted::Broken("The price is 1".into())]);
    let (chunks, error) = ask(&desk, &prompt("Oi")).await;
    assert!(matches!(error, Some(ServiceError::Temporary(_))), "{error:?}");
    assert_eq!(words(&chunks), "The price is 1");
    assert!(usage(&chunks).estimated);

    let (chunks, error) = raw(&[&frame(&json!({ "content": "Pronto." }), Some("stop"))]).await;
    assert!(error.is_none(), "a finish reason without [DONE] is an end: {error:?}");
    assert_eq!(chunks.last(), Some(&Chunk::Done(Finish::Stop)));
    let (chunks, error) = raw(&["data: [DONE]"]).await;
    assert!(error.is_none() && chunks.last() == Some(&Chunk::Done(Finish::Stop)), "{error:?}");
}

#[tokio::test]
async fn thoughts_are_kept_apart_and_reasons_to_stop_are_told() {
    for field in ["reasoning", "reasoning_content"] {
        let blocks =
            [frame(&json!({ field: "hmm" }), None), frame(&json!({ "content": "Sim" }), Some("length")), "data: [DONE]\n\n".into()]
                .concat();
        let (chunks, _) = raw(&[&blocks]).await;
        assert_eq!(chunks[0], Chunk::Reasoning("hmm".into()));
        assert_eq!(words(&chunks), "Sim");
        assert_eq!(chunks.last(), Some(&Chunk::Done(Finish::Length)));
    }
    let (chunks, _) = raw(&[&frame(&json!({ "refusal": "Não posso." }), Some("content_filter"))]).await;
    assert_eq!((words(&chunks).as_str(), chunks.last()), ("Não posso.", Some(&Chunk::Done(Finish::Filtered))));
}

#[tokio::test]
async fn a_bill_is_read_to_the_last_digit() {
    let (simulator, desk) = start(Family::OpenRouter).await;
    let usage_frame = r#"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":5},"cost":1.2345675e-2}}"#;
    simulator.script_raw(&[&frame(&json!({ "content": "a" }), Some("stop")), usage_frame, "\n\ndata: [DONE]\n\n"]);
    let (chunks, _) = ask(&desk, &prompt("Oi")).await;
    let expected = Usage { input_tokens: 7, cached_tokens: 5, output_tokens: 3, cost: MicroUsd(12_346), estimated: false };
    assert_eq!(usage(&chunks), expected);
}

#[tokio::test]
async fn each_family_of_models_is_asked_in_its_way() {
    for (model, requests) in [("gpt-4o", 1), ("o1", 1), ("o1-mini", 1), ("o3-mini", 1), ("gpt-5-mini", 1)] {
        let (simulator, desk) = start(Family::OpenAi).await;
        let mut prompt = prompt("Oi");
        prompt.model = model.into();
        let (_, error) = ask(&desk, &prompt).await;
        assert!(error.is_none(), "{model}: {error:?}");
        assert_eq!(calls(&simulator).len(), requests, "{model} needed no second try");
    }
}

#[tokio::test]
async fn a_parameter_that_is_refused_is_left_out_at_once() {
    let (simulator, desk) = start(Family::OpenAi).await;
    simulator.fault(Fault::Refuse("Unsupported value: 'temperature' does not support 0.7 with this model.".into()), 1);
    simulator.fault(Fault::Refuse("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.".into()), 1);
    let (chunks, error) = ask(&desk, &prompt("Oi")).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(words(&chunks), "You said: Oi");
    let last = calls(&simulator).pop().unwrap();
    assert_eq!(last["body"].get("temperature"), None);
    assert_eq!(last["body"]["max_completion_tokens"], 4096);
}

#[tokio::test]
async fn money_and_haste_are_told_apart() {
    let (simulator, desk) = start(Family::OpenAi).await;
    simulator.fault(Fault::Refuse("insufficient_quota".into()), 1);
    let (_, error) = ask(&desk, &prompt("Oi")).await;
    assert!(matches!(error, Some(ServiceError::OutOfCredit(_))), "{error:?}");
    simulator.fault(Fault::RateLimit(Duration::from_secs(3)), 1);
    let (_, error) = ask(&desk, &prompt("Oi")).await;
    assert!(matches!(error, Some(ServiceError::RateLimited { retry_after: Some(wait) }) if wait.as_secs() == 3), "{error:?}");
    simulator.fault(Fault::Refuse("context_length_exceeded".into()), 1);
    let (_, error) = ask(&desk, &prompt("Oi")).await;
    assert!(matches!(error, Some(ServiceError::TooLong(_))), "{error:?}");
    let mut unknown = prompt("Oi");
    unknown.model = "no-such-model".into();
    let (_, error) = ask(&desk, &unknown).await;
    assert!(matches!(&error, Some(ServiceError::Permanent(words)) if words.to_string().contains("no-such-model")), "{error:?}");
}

#[tokio::test]
async fn models_that_can_chat_come_first() {
    for (family, first) in [(Family::OpenAi, "o3-mini"), (Family::OpenRouter, "openai/gpt-4o-mini"), (Family::Compatible, "llama3.2")] {
        let (_simulator, desk) = start(family).await;
        let models = desk.connector.model().unwrap().models(desk.link()).await.unwrap();
        assert_eq!(models[0].id, first);
    }
}

#[tokio::test]
async fn a_server_without_a_key_and_without_a_default_is_asked_for_its_first_model() {
    let (simulator, _) = start(Family::Compatible).await;
    let mut config = simulator.config();
    config.as_object_mut().unwrap().remove("default_model");
    let connector = shopbell_connectors::all().into_iter().find(|connector| connector.about().kind == "openai-compatible").unwrap();
    let desk = Desk::new(connector.clone(), config);
    let (chunks, error) = ask(&desk, &prompt("Oi")).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(words(&chunks), "You said: Oi");
    assert_eq!(calls(&simulator).last().unwrap()["body"]["model"], "llama3.2");
    let error = connector.settings(json!({})).expect_err("base_url is needed");
    assert_eq!(error[0].0, "base_url");
    assert!(connector.settings(json!({ "base_url": "http://localhost:11434/v1" })).is_ok());
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood_too() {
    let app = axum::Router::new().fallback(|| async {
        axum::Json(json!({ "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Oi!", "tool_calls": null }, "finish_reason": "stop" }],
            "usage": { "prompt_tokens": 3, "completion_tokens": 1 } }))
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let connector = shopbell_connectors::all().into_iter().find(|connector| connector.about().kind == "openai-compatible").unwrap();
    let desk = Desk::new(connector, json!({ "base_url": base, "default_model": "x" }));
    let (chunks, error) = ask(&desk, &prompt("Oi")).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(words(&chunks), "Oi!");
    assert_eq!(usage(&chunks).input_tokens, 3);
}
