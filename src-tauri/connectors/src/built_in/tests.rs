//! The clerk against prompts as the hub makes them.

use serde_json::{Value, json};
use shopbell_core::connector::{Chunk, Finish, Prompt, PromptMessage, ToolCall, ToolSpec};

use super::clerk::respond;

fn user(text: &str) -> PromptMessage {
    PromptMessage::User { text: text.into() }
}

fn agent(text: &str) -> PromptMessage {
    PromptMessage::Assistant { text: text.into(), calls: Vec::new() }
}

fn prompt(messages: Vec<PromptMessage>) -> Prompt {
    let tools = ["knowledge_search", "transfer_to_human"].map(|name| ToolSpec { name: name.into(), description: String::new(), parameters: json!({}) });
    Prompt {
        model: String::new(),
        system: String::new(),
        messages,
        tools: tools.to_vec(),
        may_call_tools: true,
        temperature: 0.7,
        max_tokens: 100,
        language: None,
        end_user: String::new(),
    }
}

fn said(chunks: &[Chunk]) -> String {
    chunks.iter().filter_map(|chunk| if let Chunk::Text(text) = chunk { Some(text.as_str()) } else { None }).collect()
}

fn calls(chunks: &[Chunk]) -> Vec<ToolCall> {
    chunks.iter().filter_map(|chunk| if let Chunk::ToolCall(call) = chunk { Some(call.clone()) } else { None }).collect()
}

fn queries(chunks: &[Chunk]) -> Vec<String> {
    calls(chunks).iter().map(|call| serde_json::from_str::<Value>(&call.arguments).unwrap()["query"].as_str().unwrap().to_owned()).collect()
}

/// Answers every call of `chunks` with `result` and asks again.
fn then(mut asked: Prompt, chunks: &[Chunk], result: impl Fn(&str) -> Value) -> (Prompt, Vec<Chunk>) {
    let calls = calls(chunks);
    asked.messages.push(PromptMessage::Assistant { text: String::new(), calls: calls.clone() });
    for (call, query) in calls.iter().zip(queries(chunks)) {
        asked.messages.push(PromptMessage::Tool { call_id: call.id.clone(), name: call.name.clone(), content: result(&query).to_string() });
    }
    let chunks = respond(&asked);
    (asked, chunks)
}

fn hit(snippet: &str) -> Value {
    json!({ "good_match": true, "threshold": 0.7, "results": [{ "document": "doc_1", "title": "menu.txt", "location": "Bolos, lines 3–4", "snippet": snippet, "score": 1.0 }] })
}

fn nothing() -> Value {
    json!({ "good_match": false, "threshold": 0.7, "results": [] })
}

#[test]
fn a_question_is_looked_up_and_quoted_with_its_source() {
    let asked = prompt(vec![user("oi! quanto custa o bolo de fubá?")]);
    let first = respond(&asked);
    assert_eq!(queries(&first), ["quanto custa o bolo de fubá"]);
    let (_, answer) = then(asked, &first, |_| hit("Bolo de fubá: R$ 25,00"));
    assert_eq!(said(&answer), "Olá! Encontrei isto:\n\n“Bolo de fubá: R$ 25,00”");
    let source = answer.iter().find_map(|chunk| if let Chunk::Source(source) = chunk { Some(source.clone()) } else { None }).unwrap();
    assert_eq!((source.title.as_str(), source.location.as_deref()), ("menu.txt", Some("Bolos, linhas 3–4")));
    assert_eq!(answer.last(), Some(&Chunk::Done(Finish::Stop)));
}

#[test]
fn what_is_not_known_is_said_and_a_person_is_offered_and_called() {
    let asked = prompt(vec![user("do you rent tandems with child seats in winter?")]);
    let first = respond(&asked);
    let (_, answer) = then(asked, &first, |_| nothing());
    assert_eq!(said(&answer), "I don't know that for sure, and I'd rather not guess. Would you like to talk to a person?");
    assert!(answer.iter().any(|chunk| matches!(chunk, Chunk::Choices(choices) if choices[0].id == "person" && choices[0].label == "Talk to a person")));

    let offered = format!("{}\n[buttons: Talk to a person]", said(&answer));
    for yes in ["Talk to a person", "yes please", "1", "person"] {
        let asked = prompt(vec![user("do you rent tandems?"), agent(&offered), user(yes)]);
        let call = calls(&respond(&asked)).remove(0);
        assert_eq!(call.name, "transfer_to_human", "{yes}");
        assert!(call.arguments.contains("do you rent tandems"), "the open question goes with it");
    }
    let asked = prompt(vec![user("do you rent tandems?"), agent(&offered), user("no thanks")]);
    assert_eq!(said(&respond(&asked)), "No problem. I'm here if you need anything.");
}

#[test]
fn a_person_that_was_called_is_announced() {
    let mut asked = prompt(vec![user("quero falar com atendente")]);
    let call = calls(&respond(&asked)).remove(0);
    asked.messages.push(PromptMessage::Assistant { text: String::new(), calls: vec![call.clone()] });
    asked.messages.push(PromptMessage::Tool { call_id: call.id, name: call.name, content: json!({ "done": true }).to_string() });
    assert_eq!(said(&respond(&asked)), "Chamei alguém da equipe. A resposta vem por aqui mesmo.");
}

#[test]
fn small_talk_is_answered_without_looking_anything_up() {
    for (text, answer) in [
        ("Oi, tudo bem?", "Olá! O que você gostaria de saber?"),
        ("hello!", "Hello! What would you like to know?"),
        ("muchas gracias", "¡De nada! Si necesitas algo más, escríbenos."),
        ("tchau, obrigada", "Até logo, e obrigado pela mensagem!"),
        ("[image photo.jpg]", "I can only read text. Would you like to talk to a person?"),
        ("are you a robot?", "I'm an automatic assistant: I answer from the shop's own information. Would you like to talk to a person?"),
        ("???", "Hello! What would you like to know?"),
    ] {
        assert_eq!(said(&respond(&prompt(vec![user(text)]))), answer, "{text}");
    }
}

#[test]
fn several_questions_are_answered_one_by_one() {
    let asked = prompt(vec![user("Qual o endereço? E vocês têm wifi?")]);
    let first = respond(&asked);
    assert_eq!(queries(&first), ["Qual o endereço", "Qual o endereço E vocês têm wifi"]);
    let answers = |query: &str| if query.contains("wifi") { nothing() } else { hit("Rua das Flores, 12") };
    let (asked, second) = then(asked, &first, answers);
    assert_eq!(queries(&second), ["E vocês têm wifi"], "what was asked together is tried by itself");
    let (_, third) = then(asked, &second, answers);
    assert_eq!(
        said(&third),
        "Encontrei isto:\n\n“Rua das Flores, 12”\n\nSobre “E vocês têm wifi”: isso eu não sei dizer com certeza. Quer falar com uma pessoa?"
    );
}

#[test]
fn a_short_question_goes_on_from_the_one_before() {
    let asked = prompt(vec![user("quanto custa o bolo de fubá?"), agent("Encontrei isto: …"), user("e o de chocolate?")]);
    let first = respond(&asked);
    assert_eq!(queries(&first), ["quanto custa o bolo de fubá e o de chocolate"]);
    let (asked, second) = then(asked, &first, |_| nothing());
    assert_eq!(queries(&second), ["e o de chocolate"], "then by itself");
    let (_, third) = then(asked, &second, |_| nothing());
    assert!(said(&third).starts_with("Isso eu não sei dizer"), "and then the truth");
}

#[test]
fn nothing_is_called_that_may_not_be_called() {
    for text in ["quanto custa?", "human please", "oi", ""] {
        let asked = Prompt { may_call_tools: false, ..prompt(vec![user(text)]) };
        assert!(calls(&respond(&asked)).is_empty() && !said(&respond(&asked)).is_empty(), "{text}");
        let asked = Prompt { tools: Vec::new(), ..prompt(vec![user(text)]) };
        assert!(calls(&respond(&asked)).is_empty() && !said(&respond(&asked)).is_empty(), "{text}");
    }
}

#[test]
fn an_interrupted_answer_is_finished_without_repeating_it() {
    let asked = prompt(vec![user("quanto custa o bolo?")]);
    let first = respond(&asked);
    let (mut asked, whole) = then(asked, &first, |_| hit("Bolo de fubá: R$ 25,00"));
    asked.messages.push(agent("Encontrei isto:"));
    asked.messages.push(user("[Your answer was interrupted after these words, which the customer has read. Finish it without repeating them.]"));
    assert_eq!(said(&respond(&asked)), "“Bolo de fubá: R$ 25,00”");
    let at = asked.messages.len() - 2;
    asked.messages[at] = agent(&said(&whole));
    assert_eq!(said(&respond(&asked)), "Posso ajudar em mais alguma coisa?");
}

#[test]
fn any_prompt_is_answered() {
    let texts = [
        "", " ", "[", "[]", "[x", "?", "¿?", "\u{0}", "oi", "e o", "sim", "1", "human", "Quanto custa?", "🥖🥖", "a".repeat(5000).leak(), "\u{202e}x", "{\"a\":1}", "[Your answer was interrupted", "[note of the shop x",
        "pão. bolo! e?\n\n…", "İstanbul ǅ ß",
    ];
    let results = ["", "null", "[]", "{}", "{\"good_match\":true}", "{\"good_match\":true,\"results\":[{}]}", "{\"good_match\":true,\"results\":[{\"snippet\":7}]}", "{\"done\":true}", "{\"error\":\"x\"}", "{\"good_match\":true,\"threshold\":0.1,\"results\":[{\"snippet\":\"a\\nb\",\"score\":0.9,\"location\":\"x, y\"}]}"];
    let mut seed = 11u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for _ in 0..3000 {
        let mut messages = Vec::new();
        for _ in 0..next(7) {
            let text = texts[next(texts.len())].to_owned();
            messages.push(match next(4) {
                0 => PromptMessage::User { text },
                1 => {
                    let name = ["knowledge_search", "transfer_to_human", "other"][next(3)].to_owned();
                    let arguments = ["", "{}", "{\"query\":\"x\"}", "{\"query\":5}"][next(4)].to_owned();
                    PromptMessage::Assistant { text, calls: (0..next(3)).map(|n| ToolCall { id: format!("{n}"), name: name.clone(), arguments: arguments.clone() }).collect() }
                }
                2 => PromptMessage::Tool { call_id: format!("{}", next(3)), name: "knowledge_search".into(), content: results[next(results.len())].into() },
                _ => PromptMessage::Assistant { text, calls: Vec::new() },
            });
        }
        let asked = Prompt { may_call_tools: next(2) == 0, language: [None, Some("pt-BR".into()), Some("é".into()), Some(String::new())][next(4)].clone(), ..prompt(messages) };
        let chunks = respond(&asked);
        assert_eq!(chunks.last(), Some(&Chunk::Done(Finish::Stop)));
        assert!(!said(&chunks).trim().is_empty() || (asked.may_call_tools && !calls(&chunks).is_empty()), "{:?}", asked.messages);
    }
}
