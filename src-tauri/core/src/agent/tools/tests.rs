//! The native tools on a real store.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::agent::knowledge;
use crate::clock::SystemClock;
use crate::conversations::ownership;
use crate::id::ConnectionId;
use crate::model::Owner;
use crate::store::Store;

struct World {
    store: Arc<Store>,
    context: ToolContext,
    _directory: tempfile::TempDir,
}

async fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Arc::new(SystemClock::new())).unwrap();
    let context = ToolContext {
        conversation: ConversationId::new(),
        agent: AgentId::new(),
        turn: Some(TurnId::new()),
        connector: "website".into(),
        language: Some("pt-BR".into()),
        now: Timestamp::from_seconds(1_795_176_904),
        reports: true,
        rules: ChannelRules { max_choices: 3, choice_label: 20, ..ChannelRules::default() },
    };
    let own = context.clone();
    store
        .write(move |tx| {
            let connection = ConnectionId::new();
            tx.execute(
                "INSERT INTO connection (id, connector, name, status, config, hook_key, created_at, updated_at) VALUES (?1, 'website', 'W', 'active', '{}', 'k', 0, 0)",
                [&connection],
            )?;
            tx.execute("INSERT INTO agent (id, name, instructions, connection, created_at, updated_at) VALUES (?1, 'Nina', '', ?2, 0, 0)", (&own.agent, &connection))?;
            tx.execute("INSERT INTO contact (id, name, created_at) VALUES ('ctc_1', 'Ana\u{202e}', 0)", [])?;
            tx.execute(
                "INSERT INTO conversation (id, contact, connection, thread, address_scheme, address_value, status, owner_kind, owner_id, last_message_at, created_at)
                 VALUES (?1, 'ctc_1', ?2, 't', 'visitor', 'v', 'open', 'agent', ?3, 0, 0)",
                (&own.conversation, &connection, &own.agent),
            )?;
            let conversation = tx.last_insert_rowid();
            tx.execute(
                "INSERT INTO turn (id, conversation, agent, epoch, status, wanted_at, due_at) VALUES (?1, ?2, ?3, 1, 'running', 0, 0)",
                (&own.turn, conversation, &own.agent),
            )?;
            tx.execute(
                "INSERT INTO message (id, conversation, connection, direction, author_kind, content, text, sent_at) VALUES ('msg_1', ?1, ?2, 'in', 'contact', '[]', 'oi\u{200b}', 5)",
                (conversation, &connection),
            )?;
            knowledge::add(tx, "menu.txt", "Pães:\n- Pão de queijo: R$ 4,50\n- Broa: R$ 12,00\n".as_bytes())?;
            Ok(())
        })
        .await
        .unwrap();
    World { store, context, _directory: directory }
}

impl World {
    async fn call(&self, name: &str, arguments: Value) -> Outcome {
        let context = self.context.clone();
        match find(name).expect("the tool is there").run {
            Run::Read(run) => self.store.read(move |db| Ok(run(db, &context, arguments))).await.unwrap(),
            Run::Write(run) => self.store.write(move |tx| Ok(run(tx, &context, arguments))).await.unwrap(),
        }
    }

    async fn conversation(&self) -> Conversation {
        let id = self.context.conversation.clone();
        self.store.read(move |db| conversations::find(db, &id)).await.unwrap()
    }

    /// What was said to the customer, oldest first.
    async fn said(&self) -> Vec<Value> {
        let sql =
            "SELECT m.content ->> '$[0]' FROM message m JOIN delivery d ON d.message = m.seq WHERE m.direction = 'out' ORDER BY m.seq";
        let read = |db: &Db| -> crate::error::Result<Vec<String>> {
            Ok(db.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
        };
        let rows = self.store.read(read).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
    }

    async fn events(&self) -> Vec<String> {
        let sql = "SELECT content ->> '$[0].event' FROM message WHERE direction = 'note' ORDER BY seq";
        self.store.read(move |db| Ok(db.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)).await.unwrap()
    }
}

fn mend(outcome: Outcome) -> String {
    match outcome {
        Err(ToolError::RespondToModel(sentence)) => sentence,
        other => panic!("the model should have been told what to mend: {other:?}"),
    }
}

#[tokio::test]
async fn a_search_says_whether_it_answers_and_its_use_is_counted() {
    let world = world().await;
    let found = world.call("knowledge_search", json!({ "query": "quanto custa o pão de queijo?" })).await.unwrap();
    assert_eq!((&found["good_match"], &found["results"][0]["snippet"]), (&json!(true), &json!("Pão de queijo: R$ 4,50")));
    let missing = world.call("knowledge_search", json!({ "query": "tem estacionamento?", "top_k": 2 })).await.unwrap();
    assert_eq!(missing["good_match"], json!(false));

    let context = world.context.clone();
    let (used, asked) = world
        .store
        .write(move |tx| {
            recorded(tx, &context, "knowledge_search", &found)?;
            recorded(tx, &context, "knowledge_search", &missing)?;
            Ok((knowledge::list(tx)?[0].used, knowledge::unanswered(tx, 9)?))
        })
        .await
        .unwrap();
    assert_eq!(used, 1);
    assert_eq!(asked.iter().map(|row| row.question.as_str()).collect::<Vec<_>>(), ["tem estacionamento?"]);
}

#[tokio::test]
async fn a_document_is_read_by_its_id() {
    let world = world().await;
    let found = world.call("knowledge_search", json!({ "query": "broa" })).await.unwrap();
    let part = world.call("knowledge_get_document", json!({ "document": found["results"][0]["document"] })).await.unwrap();
    assert!(part["text"].as_str().unwrap().contains("Broa: R$ 12,00"));
    assert_eq!(mend(world.call("knowledge_get_document", json!({ "document": "doc_x" })).await), "This document is no longer there.");
}

#[tokio::test]
async fn wrong_arguments_are_told_to_the_model() {
    let world = world().await;
    assert!(mend(world.call("knowledge_search", json!({})).await).contains("query"));
    assert!(mend(world.call("knowledge_search", json!({ "query": " \u{200b} " })).await).contains("empty"));
    assert!(mend(world.call("knowledge_search", json!({ "query": "x".repeat(2000) })).await).contains("too long"));
    assert!(mend(world.call("knowledge_search", json!({ "query": "x", "sql": "y" })).await).contains("sql"));
    assert!(mend(world.call("transfer_to_human", json!({ "reason": "r", "priority": "now!!" })).await).contains("priority"));
    assert!(mend(world.call("conversation_set_state", json!({ "key": "Bad Key", "value": 1 })).await).contains("lower-case"));
    assert!(mend(world.call("conversation_set_state", json!({ "key": "list", "value": [1] })).await).contains("number"));
    assert!(mend(world.call("conversation_set_state", json!({ "key": "k", "value": "x".repeat(501) })).await).contains("too long"));
    for text in ["{", "[1]", "7", &"x".repeat(20_000)] {
        assert!(matches!(arguments(text), Err(ToolError::RespondToModel(_))), "{text:.20}");
    }
    assert_eq!(arguments("").unwrap(), json!({}));
    assert_eq!(world.events().await, Vec::<String>::new(), "nothing happened");
}

#[tokio::test]
async fn what_is_written_down_is_typed_bounded_and_seen_by_people() {
    let world = world().await;
    world.call("conversation_set_state", json!({ "key": "party_size", "value": 12 })).await.unwrap();
    let again = world.call("conversation_set_state", json!({ "key": "party_size", "value": 12 })).await.unwrap();
    assert_eq!(again["state"], json!({ "party_size": 12 }));
    assert_eq!(world.events().await, ["state_set"], "the same thing twice is written once");
    let told = world.call("conversation_get_context", json!({})).await.unwrap();
    assert_eq!((&told["state"], &told["customer"]["name"]), (&json!({ "party_size": 12 }), &json!("Ana")));
    assert_eq!(told["messages"][0]["text"], json!("oi"), "invisible characters are taken out");
    world.call("conversation_set_state", json!({ "key": "party_size", "value": null })).await.unwrap();
    assert_eq!(world.conversation().await.state, json!({}));
    for n in 0..8 {
        world.call("conversation_set_state", json!({ "key": format!("k{n}"), "value": "x".repeat(480) })).await.unwrap();
    }
    assert!(mend(world.call("conversation_set_state", json!({ "key": "k9", "value": "x".repeat(480) })).await).contains("Remove"));
}

#[tokio::test]
async fn a_person_is_called_once_and_the_turn_may_say_farewell() {
    let world = world().await;
    world
        .call("transfer_to_human", json!({ "reason": "wants a wedding cake", "priority": "high", "summary": "For 80 people." }))
        .await
        .unwrap();
    world.call("transfer_to_human", json!({ "reason": "again" })).await.unwrap();
    let conversation = world.conversation().await;
    assert_eq!((conversation.owner, conversation.epoch, conversation.needs_person), (Owner::Person { id: None }, 2, true));
    assert_eq!(world.events().await, ["transfer"]);
}

#[tokio::test]
async fn after_a_take_over_no_tool_changes_anything() {
    let world = world().await;
    let id = world.context.conversation.clone();
    world.store.write(move |tx| ownership::take_over(tx, &id, None)).await.unwrap();
    for (name, arguments) in [
        ("conversation_set_state", json!({ "key": "k", "value": 1 })),
        ("transfer_to_human", json!({ "reason": "r" })),
        ("escalate", json!({ "reason": "r" })),
        ("end_conversation", json!({ "reason": "r" })),
    ] {
        assert!(mend(world.call(name, arguments).await).contains("taken over"), "{name}");
    }
    assert_eq!(world.events().await, ["took_over"]);
    assert_eq!(world.conversation().await.status, "open");
}

#[tokio::test]
async fn attention_is_asked_for_and_the_conversation_is_ended() {
    let world = world().await;
    world.call("escalate", json!({ "level": "high", "reason": "complains" })).await.unwrap();
    let conversation = world.conversation().await;
    assert!(conversation.needs_person && matches!(conversation.owner, Owner::Agent { .. }), "the agent goes on answering");
    world.call("end_conversation", json!({ "reason": "all answered", "resolution": "Bought bread." })).await.unwrap();
    world.call("end_conversation", json!({ "reason": "all answered" })).await.unwrap();
    assert_eq!(world.conversation().await.status, "resolved");
    assert_eq!(world.events().await, ["escalated", "resolved"]);
}

#[test]
fn the_tools_are_what_models_are_told() {
    let told: Vec<Value> = all().iter().map(|tool| json!({ "tool": tool.spec(), "writes": tool.writes() })).collect();
    insta::assert_json_snapshot!(told);
}

#[test]
fn a_long_result_is_cut_and_invisible_characters_are_gone() {
    let text = shown(&json!({ "a": "x\u{200b}y", "b": "z".repeat(30_000) }));
    assert!(text.starts_with("{\"a\":\"xy\"") && text.ends_with("(cut: the result was longer)"));
}

#[test]
fn every_tool_is_described_in_every_language() {
    for tool in all() {
        for language in ["pt-BR", "es"] {
            assert_ne!(crate::words::translate(tool.summary, language), tool.summary, "{} in {language}", tool.name);
        }
    }
}

#[tokio::test]
async fn choices_and_places_are_sent_in_the_words_of_the_channel() {
    let world = world().await;
    let pick = json!({ "text": "Qual pão?", "choices": [{ "label": "Queijo" }, { "label": "Broa", "description": "R$ 12" }] });
    let done = world.call("offer_choices", pick).await.unwrap();
    assert_eq!(done["done"], true);
    let long =
        json!({ "text": "Qual?", "choices": [{ "label": "Um pão de queijo bem recheado", "description": "R$ 4" }, { "label": "Broa" }] });
    world.call("offer_choices", long).await.unwrap();
    world.call("ask_location", json!({ "text": "Onde entregamos?" })).await.unwrap();
    world.call("send_location", json!({ "latitude": -23.5, "longitude": -46.6, "name": "Padaria", "address": " " })).await.unwrap();
    let said = world.said().await;
    assert_eq!(said[0]["type"], "choices");
    assert_eq!(said[0]["options"][1]["label"], "Broa");
    assert_eq!(said[1], json!({ "type": "text", "text": "Qual?\n\n1. Um pão de queijo bem recheado – R$ 4\n2. Broa" }));
    assert_eq!(said[2], json!({ "type": "text", "text": "Onde entregamos?" }), "this channel has no button for it");
    assert_eq!(said[3], json!({ "type": "location", "latitude": -23.5, "longitude": -46.6, "name": "Padaria" }));
}

#[tokio::test]
async fn what_cannot_be_offered_is_said_to_the_model_and_nothing_is_sent() {
    let world = world().await;
    let one = json!({ "label": "Queijo" });
    for arguments in [
        json!({ "text": "Qual?", "choices": [one] }),
        json!({ "text": "Qual?", "choices": vec![&one; 11] }),
        json!({ "text": "Qual?", "choices": [one, one] }),
        json!({ "text": " ", "choices": [one, { "label": "Broa" }] }),
        json!({ "text": "Qual?", "choices": [one, { "label": "\u{200b}" }] }),
        json!({ "text": "Qual?", "choices": [one, { "label": "x".repeat(61) }] }),
    ] {
        assert!(matches!(world.call("offer_choices", arguments.clone()).await, Err(ToolError::RespondToModel(_))), "{arguments}");
    }
    let nowhere = json!({ "latitude": 91.0, "longitude": 0.0 });
    assert!(matches!(world.call("send_location", nowhere).await, Err(ToolError::RespondToModel(_))));
    let conversation = world.context.conversation.clone();
    world.store.write(move |tx| ownership::take_over(tx, &conversation, None)).await.unwrap();
    let late = world.call("ask_location", json!({ "text": "Onde?" })).await;
    assert!(matches!(late, Err(ToolError::RespondToModel(text)) if text.contains("taken over")), "after a take-over nothing is said");
    assert!(world.said().await.is_empty());
}
