//! What the lists and rows answer.

use serde_json::{Value, json};

use super::{ask, bakery, hub, refused};
use crate::error::Code;

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn conversations_are_listed_newest_first_by_tab_status_label_and_words() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let list = |body: Value| {
        let hub = hub.clone();
        async move { ids(&ask(&hub, "list_conversations", body).await).join(" ").replace("cnv_", "") }
    };
    assert_eq!(list(json!({})).await, "2 1 0");
    assert_eq!(list(json!({ "owner": "mine" })).await, "1");
    assert_eq!(list(json!({ "owner": "agent" })).await, "2 0");
    assert_eq!(list(json!({ "owner": "needs_person" })).await, "2");
    assert_eq!(list(json!({ "status": "open" })).await, "2 1 0");
    assert_eq!(list(json!({ "status": "resolved" })).await, "");
    assert_eq!(list(json!({ "connection": "con_model" })).await, "");
    assert_eq!(list(json!({ "label": "vip", "connection": "con_post" })).await, "2 1 0");
    assert_eq!(list(json!({ "label": "other" })).await, "");
    assert_eq!(list(json!({ "query": "jose" })).await, "0", "a name without its accent");
    assert_eq!(list(json!({ "query": "canel" })).await, "0", "an unfinished word of a note");
    assert_eq!(list(json!({ "query": "---" })).await, "");
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_or_a_repeat() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = ask(&hub, "list_messages", json!({ "conversation": "cnv_0", "cursor": cursor, "limit": 50 })).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        cursor = page["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 121);
    assert_eq!((seen[0].as_str(), seen[119].as_str(), seen[120].as_str()), ("msg_119", "msg_note", "msg_000"));

    let first = ask(&hub, "list_conversations", json!({ "limit": 2 })).await;
    let second = ask(&hub, "list_conversations", json!({ "limit": 2, "cursor": first["next"] })).await;
    assert_eq!((ids(&first), ids(&second)), (vec!["cnv_2", "cnv_1"], vec!["cnv_0"]));
    assert_eq!(second["next"], Value::Null);
}

#[tokio::test]
async fn a_row_says_everything_the_list_draws() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let row = ask(&hub, "get_conversation", json!({ "conversation": "cnv_0" })).await;
    insta::assert_json_snapshot!("conversation_row", row);
    let messages = ask(&hub, "list_messages", json!({ "conversation": "cnv_0", "limit": 1 })).await;
    insta::assert_json_snapshot!("message_row", messages["items"][0]);
    let contact = ask(&hub, "get_contact", json!({ "contact": "ctc_0" })).await;
    insta::assert_json_snapshot!("contact", contact);
    let counts = ask(&hub, "count_conversations", json!({})).await;
    assert_eq!(counts, json!({ "needs_person": 1, "mine": 1, "agent": 2, "all": 3, "most": 1000 }));
}

#[tokio::test]
async fn search_finds_messages_notes_and_contacts_with_the_words_marked() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let found = ask(&hub, "search", json!({ "query": "pao", "limit": 3 })).await;
    let kinds: Vec<&str> = found["items"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["contact", "message", "message", "message"]);
    assert_eq!(found["items"][0]["excerpt"], "José \u{e000}Pão\u{e001}");
    assert_eq!(found["items"][1]["id"], "msg_119");
    let next = ask(&hub, "search", json!({ "query": "pao", "limit": 3, "cursor": found["next"] })).await;
    assert_eq!(ids(&next)[0], "msg_116", "the page goes on where the last one ended, without the contacts");

    let notes = ask(&hub, "search", json!({ "query": "canela", "filters": { "type": "note" } })).await;
    assert_eq!(ids(&notes), ["msg_note"]);
    let best = ask(&hub, "search", json!({ "query": "numero 77", "order": "best" })).await;
    assert_eq!(ids(&best), ["msg_077"]);
    let none = ask(&hub, "search", json!({ "query": "\" OR *" })).await;
    assert_eq!(ids(&none), Vec::<&str>::new(), "operators are words, and there is no message with them");
    assert_eq!(refused(&hub, "search", json!({ "query": " " })).await.code, Code::Invalid);
}

#[tokio::test]
async fn connections_read_back_without_their_secrets() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let row = ask(&hub, "get_connection", json!({ "id": "con_post" })).await;
    assert_eq!(row["config"], json!({ "pigeons": 3, "token": { "set": true }, "headers": { "X-Key": { "set": true } } }));
    assert_eq!(ids(&ask(&hub, "list_connections", json!({})).await), ["con_model", "con_post"]);
    assert_eq!(refused(&hub, "get_connection", json!({ "id": "con_none" })).await.code, Code::NotFound);
    let catalogue = ask(&hub, "list_connectors", json!({})).await;
    insta::assert_json_snapshot!("connector_row", catalogue["items"][1]);
}

#[tokio::test]
async fn activity_shows_what_came_went_and_was_answered() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    assert_eq!(ids(&ask(&hub, "list_arrivals", json!({})).await), ["arr_2", "arr_1"]);
    assert_eq!(ids(&ask(&hub, "list_arrivals", json!({ "verdict": "not_understood", "connection": "con_post" })).await), ["arr_2"]);
    let arrival = ask(&hub, "get_arrival", json!({ "id": "arr_1" })).await;
    assert_eq!(arrival["raw"]["headers"], json!([{ "name": "x-roof", "value": "7" }]));
    assert_eq!(arrival["raw"]["body"], "{}");
    assert_eq!(ask(&hub, "list_refusals", json!({})).await["items"][0]["reason"], "forged");

    let parked = ask(&hub, "list_deliveries", json!({ "status": "parked" })).await;
    assert_eq!(ids(&parked), ["dlv_119"]);
    assert_eq!(parked["items"][0]["reason"], "The roof is gone.");
    assert_eq!(ids(&ask(&hub, "list_deliveries", json!({ "limit": 2 })).await), ["dlv_119", "dlv_117"]);

    assert_eq!(ids(&ask(&hub, "list_turns", json!({ "conversation": "cnv_0" })).await), ["trn_z"]);
    let turn = ask(&hub, "get_turn", json!({ "id": "trn_z" })).await;
    assert_eq!(turn["steps"][0]["body"]["text"], "hi");

    let figures = ask(&hub, "analytics", json!({ "since": 0 })).await;
    assert_eq!(figures["total_messages_by_channel"], json!({ "pigeon": 120 }));
    assert_eq!(figures["connections"][0]["from_agents"], 60);
    let agents = ask(&hub, "list_agents", json!({})).await;
    assert_eq!(agents["items"][0]["default"], true);
}

#[tokio::test]
async fn settings_change_one_by_one_and_say_what_is_wrong() {
    let (hub, _directory) = hub().await;
    let changed = ask(&hub, "update_settings", json!({ "language": "pt-BR", "theme": "dark" })).await;
    assert_eq!((changed["language"].as_str(), changed["theme"].as_str()), (Some("pt-BR"), Some("dark")));
    assert_eq!(changed["single_keys"], true);
    let wrong = refused(&hub, "update_settings", json!({ "language": "tlh", "proxy": "nonsense", "shop_name": "x".repeat(121) })).await;
    let paths: Vec<&str> = wrong.fields.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["shop_name", "language", "proxy"]);
    assert_eq!(ask(&hub, "get_settings", Value::Null).await, changed, "nothing of a wrong form is kept");
}
