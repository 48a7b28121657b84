//! What each family of models is sent.

use serde_json::{Value, json};
use shopbell_core::connector::{Prompt, PromptMessage, ToolCall, ToolSpec};

use super::Family;
use super::shape::{Names, Shape};

fn prompt() -> Prompt {
    Prompt {
        model: String::new(),
        system: "You are Nina.".into(),
        messages: vec![PromptMessage::User { text: "Oi".into() }],
        tools: vec![ToolSpec {
            name: "shop/find.bread".into(),
            description: "Finds bread.".into(),
            parameters: json!({ "type": "object" }),
        }],
        may_call_tools: true,
        temperature: 0.7,
        max_tokens: 4096,
        language: None,
        end_user: "customer-7".into(),
    }
}

fn body(family: Family, model: &str, prompt: &Prompt) -> Value {
    Shape::of(family, model).body(prompt, model, &Names::of(prompt))
}

#[test]
fn plain_models_take_temperature_and_max_tokens() {
    let body = body(Family::OpenAi, "gpt-4o", &prompt());
    assert_eq!((&body["temperature"], &body["max_tokens"]), (&json!(0.7), &json!(4096)));
    assert_eq!(body["messages"][0], json!({ "role": "system", "content": "You are Nina." }));
    assert_eq!(body["stream_options"], json!({ "include_usage": true }));
    assert_eq!(body["safety_identifier"], "customer-7");
}

#[test]
fn reasoning_models_take_neither() {
    for model in ["o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5.6-sol", "gpt-6"] {
        let body = body(Family::OpenAi, model, &prompt());
        assert_eq!(body.get("temperature"), None, "{model}");
        assert_eq!(body.get("max_tokens"), None, "{model}");
        assert_eq!(body["max_completion_tokens"], 4096, "{model}");
        assert_eq!(body["messages"][0]["role"], "developer", "{model}");
    }
}

#[test]
fn the_oldest_reasoning_models_take_no_instructions_and_no_tools() {
    let mut prompt = prompt();
    prompt.messages.push(PromptMessage::Assistant {
        text: String::new(),
        calls: vec![ToolCall { id: "1".into(), name: "shop/find.bread".into(), arguments: "{}".into() }],
    });
    prompt.messages.push(PromptMessage::Tool { call_id: "1".into(), name: "shop/find.bread".into(), content: "rye".into() });
    let body = body(Family::OpenAi, "o1-mini", &prompt);
    assert_eq!(body.get("tools"), None);
    assert_eq!(
        body["messages"],
        json!([
            { "role": "user", "content": "You are Nina." },
            { "role": "user", "content": "Oi" },
            { "role": "user", "content": "Result of shop/find.bread:\nrye" },
        ])
    );
}

#[test]
fn names_of_tools_are_made_safe_and_found_again() {
    let mut prompt = prompt();
    let long = "x".repeat(100);
    for name in ["shop.find/bread", "shop_find_bread", long.as_str(), &long[..70]] {
        prompt.tools.push(ToolSpec { name: name.into(), ..prompt.tools[0].clone() });
    }
    let names = Names::of(&prompt);
    let body = body(Family::Compatible, "llama3.2", &prompt);
    let sent: Vec<&str> = body["tools"].as_array().unwrap().iter().map(|tool| tool["function"]["name"].as_str().unwrap()).collect();
    for (safe, tool) in sent.iter().zip(&prompt.tools) {
        assert!(safe.len() <= 64 && safe.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')), "{safe}");
        assert_eq!(names.real(safe), tool.name);
    }
    let mut unique = sent.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), sent.len());
}

#[test]
fn every_call_has_exactly_one_result() {
    let mut prompt = prompt();
    let call = |id: &str, arguments: &str| ToolCall { id: id.into(), name: "find".into(), arguments: arguments.into() };
    let result = |id: &str| PromptMessage::Tool { call_id: id.into(), name: "find".into(), content: format!("of {id}") };
    prompt.messages = vec![
        PromptMessage::Assistant { text: "Let me look.".into(), calls: vec![call("a", "{\"x\":1}"), call("b", "not json")] },
        result("b"),
        result("b"),
        result("stranger"),
        PromptMessage::User { text: "And?".into() },
    ];
    let body = body(Family::OpenAi, "gpt-4o", &prompt);
    let roles: Vec<String> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| format!("{}{}", m["role"].as_str().unwrap(), m["tool_call_id"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(roles, ["system", "assistant", "toolb", "toola", "user"]);
    assert_eq!(body["messages"][1]["tool_calls"][1]["function"]["arguments"], "{}", "what is not JSON is not repeated");
}

#[test]
fn tools_that_may_not_be_called_are_forbidden_or_left_out() {
    let mut prompt = prompt();
    prompt.may_call_tools = false;
    assert_eq!(body(Family::OpenAi, "gpt-4o", &prompt)["tool_choice"], "none");
    assert_eq!(body(Family::Compatible, "llama3.2", &prompt).get("tools"), None);
}

#[test]
fn a_refused_parameter_is_left_out_and_nothing_else_is_learned() {
    let mut shape = Shape::of(Family::Compatible, "gpt-7-next");
    assert!(shape.learn("temperature"));
    assert!(!shape.learn("temperature"), "a second time it cannot help");
    assert!(shape.learn("max_tokens"));
    assert!(!shape.learn("messages"));
    let body = shape.body(&prompt(), "m", &Names::default());
    assert_eq!((body.get("temperature"), &body["max_completion_tokens"]), (None, &json!(4096)));
}
