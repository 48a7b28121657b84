//! Connections and their secrets, made, changed, proven and deleted through the API.

use serde_json::{Value, json};

use super::{ask, bakery, hub, refused};
use crate::error::Code;
use crate::hub::Hub;

async fn make(hub: &std::sync::Arc<Hub>, config: Value) -> String {
    let made = ask(hub, "create_connection", json!({ "connector": "pigeon", "name": " Roof ", "config": config })).await;
    assert_eq!(made["status"], "active");
    made["id"].as_str().unwrap().to_owned()
}

/// The rows of the database that mention `text`.
async fn mentions(hub: &Hub, text: &'static str) -> i64 {
    hub.store
        .read(move |db| Ok(db.query_row("SELECT count(*) FROM connection WHERE instr(config, ?1) > 0", [text], |row| row.get(0))?))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_connection_is_made_without_a_secret_in_its_row_and_proves_itself() {
    let (hub, _directory) = hub().await;
    let id = make(&hub, json!({ "token": "coo", "pigeons": 2, "headers": { "X-Key": "a feather" } })).await;
    assert_eq!(mentions(&hub, "coo").await + mentions(&hub, "feather").await, 0);
    let row = ask(&hub, "get_connection", json!({ "id": id })).await;
    assert_eq!(row["name"], "Roof");
    assert_eq!(row["config"], json!({ "pigeons": 2, "headers": { "X-Key": { "set": true } }, "token": { "set": true } }));
    let tested = ask(&hub, "test_connection", json!({ "id": id })).await;
    assert_eq!((&tested["ok"], &tested["account"]), (&json!(true), &json!("2 pigeons")));
    assert_eq!(tested["checks"][0]["text"], "The loft is open");
    let row = ask(&hub, "get_connection", json!({ "id": id })).await;
    assert_eq!(row["account"], "2 pigeons");
    assert!(row["last_proven_at"].is_i64());
}

#[tokio::test]
async fn a_form_learns_of_its_wrong_fields_by_their_path() {
    let (hub, _directory) = hub().await;
    for (body, path) in [
        (json!({ "connector": "pigeon", "name": "x", "config": {} }), "config.token"),
        (json!({ "connector": "pigeon", "name": "x", "config": { "token": "a", "pigeons": "many" } }), "config.pigeons"),
        (json!({ "connector": "pigeon", "name": "x", "config": { "token": 7 } }), "config.token"),
        (json!({ "connector": "pigeon", "name": "x", "config": { "token": "a", "tokne": "b" } }), "config.tokne"),
        (json!({ "connector": "pigeon", "name": "x", "config": [] }), "config"),
        (json!({ "connector": "pigeon", "name": " ", "config": { "token": "a" } }), "name"),
        (json!({ "connector": "pigeon", "name": "x".repeat(121), "config": { "token": "a" } }), "name"),
        (json!({ "connector": "owl", "name": "x", "config": {} }), "connector"),
        (json!({ "connector": "pigeon", "name": "x", "config": { "token": "a" }, "agent": "agt_none" }), "agent"),
        (json!({ "connector": "pigeon", "name": "x", "config": { "token": "a", "headers": { "A": {} } } }), "config.headers.A"),
    ] {
        let error = refused(&hub, "create_connection", body.clone()).await;
        assert_eq!((error.code, error.fields[0].0.as_str()), (Code::Invalid, path), "{body}");
    }
    let misspelt = json!({ "connector": "pigeon", "name": "x", "config": { "tokne": "b" }, "draft": true });
    assert_eq!(refused(&hub, "create_connection", misspelt).await.fields[0].0, "config.tokne", "no secret is kept under a wrong name");
}

#[tokio::test]
async fn a_draft_may_be_incomplete_and_is_switched_on_when_it_is_whole() {
    let (hub, _directory) = hub().await;
    let made = ask(&hub, "create_connection", json!({ "connector": "pigeon", "name": "Roof", "draft": true })).await;
    assert_eq!(made["status"], "draft");
    let id = &made["id"];
    assert_eq!(ask(&hub, "test_connection", json!({ "id": id })).await["ok"], false);
    let early = refused(&hub, "update_connection", json!({ "id": id, "status": "active" })).await;
    assert_eq!(early.fields[0].0, "config.token");
    let row = ask(&hub, "update_connection", json!({ "id": id, "config": { "token": "coo" } })).await;
    assert_eq!(row["status"], "draft");
    let row = ask(&hub, "update_connection", json!({ "id": id, "status": "active" })).await;
    assert_eq!(row["status"], "active");
}

#[tokio::test]
async fn secrets_stay_until_they_are_replaced_cleared_or_their_address_changes() {
    let (hub, _directory) = hub().await;
    let id = make(&hub, json!({ "token": "coo", "verify_token": "v1", "headers": { "A": "one", "B": "two" } })).await;
    let update = |config: Value| json!({ "id": id, "config": config });
    let set = json!({ "set": true });

    let row = ask(&hub, "update_connection", update(json!({ "token": set, "pigeons": 5 }))).await;
    assert_eq!(row["config"]["verify_token"], set, "what is not named stays");
    let revealed = ask(&hub, "reveal_verify_token", json!({ "id": id })).await;
    assert_eq!(revealed["verify_token"], "v1");
    let row = ask(&hub, "update_connection", update(json!({ "verify_token": "", "headers": { "B": set } }))).await;
    assert_eq!(row["config"], json!({ "pigeons": 5, "headers": { "B": set }, "token": set }));
    assert_eq!(refused(&hub, "update_connection", update(json!({ "token": "" }))).await.fields[0].0, "config.token");
    assert_eq!(ask(&hub, "test_connection", json!({ "id": id })).await["ok"], true, "nothing of a refused change is kept");

    let row = ask(&hub, "update_connection", update(json!({ "base_url": "https://elsewhere.example/a" }))).await;
    assert_eq!((row["status"].as_str(), &row["config"]["token"]), (Some("needs_sign_in"), &Value::Null));
    assert!(row["reason"].as_str().unwrap().contains("keys"));
    let row = ask(&hub, "update_connection", update(json!({ "token": "coo" }))).await;
    assert_eq!(row["status"], "active", "typed again for the new address");
    let row = ask(&hub, "update_connection", update(json!({ "base_url": "https://elsewhere.example/b" }))).await;
    assert_eq!(row["config"]["token"], set, "another path at the same address keeps them");
}

#[tokio::test]
async fn a_wrong_key_makes_a_connection_wait_for_its_owner() {
    let (hub, _directory) = hub().await;
    let id = make(&hub, json!({ "token": "moo" })).await;
    assert_eq!(ask(&hub, "test_connection", json!({ "id": id })).await["ok"], false);
    assert_eq!(ask(&hub, "get_connection", json!({ "id": id })).await["status"], "needs_sign_in");
    assert_eq!(ask(&hub, "update_connection", json!({ "id": id, "config": { "token": "coo" } })).await["status"], "active");
}

#[tokio::test]
async fn a_damaged_secret_stops_its_own_connection_until_it_is_typed_again() {
    let (hub, _directory) = hub().await;
    let id = make(&hub, json!({ "token": "coo", "headers": { "X-Key": "a feather" } })).await;
    let other = make(&hub, json!({ "token": "coo" })).await;
    let owner = id.clone();
    hub.store
        .write(move |tx| Ok(tx.execute("UPDATE secret SET sealed = zeroblob(40) WHERE owner = ?1 AND field = 'token'", [owner])?))
        .await
        .unwrap();
    hub.reload_all().await.unwrap();
    let row = ask(&hub, "get_connection", json!({ "id": id })).await;
    assert_eq!(row["status"], "needs_sign_in");
    assert!(row["reason"].as_str().unwrap().contains("Type it again"), "{row}");
    assert_eq!(ask(&hub, "test_connection", json!({ "id": other })).await["ok"], true, "the others work on");
    let health = ask(&hub, "health", json!({})).await;
    assert_eq!(health["database"], Value::Null, "the database is not damaged by it");
    assert!(ask(&hub, "test_connection", json!({ "id": id })).await["error"].as_str().unwrap().contains("Type it again"));

    let kept = json!({ "id": id, "config": { "token": { "set": true }, "pigeons": 2 } });
    let refused = refused(&hub, "update_connection", kept).await;
    assert_eq!((refused.code, refused.fields[0].0.as_str()), (Code::Invalid, "config.token"), "it cannot be kept");
    let row = ask(&hub, "update_connection", json!({ "id": id, "config": { "token": "coo" } })).await;
    assert_eq!((&row["status"], &row["config"]["headers"]["X-Key"]), (&json!("active"), &json!({ "set": true })));
    assert_eq!(ask(&hub, "test_connection", json!({ "id": id })).await["ok"], true);
}

#[tokio::test]
async fn a_deleted_connection_is_gone_but_its_conversations_are_not() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let why = refused(&hub, "delete_connection", json!({ "id": "con_model" })).await;
    assert_eq!(why.code, Code::Conflict, "{why}: an agent answers with it");
    ask(&hub, "delete_connection", json!({ "id": "con_post" })).await;
    assert_eq!(refused(&hub, "get_connection", json!({ "id": "con_post" })).await.code, Code::NotFound);
    assert_eq!(refused(&hub, "test_connection", json!({ "id": "con_post" })).await.code, Code::NotFound);
    assert!(hub.connections.get(&"con_post".into()).is_none());
    let row = ask(&hub, "get_conversation", json!({ "conversation": "cnv_0" })).await;
    assert_eq!(row["connection"]["name"], "Post");
    let late = json!({ "conversation": "cnv_0", "content": [{ "type": "text", "text": "hi" }] });
    assert_eq!(refused(&hub, "send_reply", late).await.code, Code::Conflict);
    let secrets: i64 = hub.store.read(|db| Ok(db.query_row("SELECT count(*) FROM secret", [], |row| row.get(0))?)).await.unwrap();
    assert_eq!(secrets, 0);
}

#[tokio::test]
async fn the_address_of_a_hook_is_given_once_we_can_be_reached() {
    let (hub, _directory) = hub().await;
    let id = make(&hub, json!({ "token": "coo" })).await;
    assert_eq!(ask(&hub, "get_connection", json!({ "id": id })).await["webhook_url"], Value::Null);
    hub.set_reach(crate::hub::Reach { public_url: Some("https://shop.example/".into()), ..Default::default() });
    let url = ask(&hub, "get_connection", json!({ "id": id })).await["webhook_url"].as_str().unwrap().to_owned();
    let key = url.strip_prefix("https://shop.example/hooks/").unwrap();
    assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}: 128 random bits");
    assert!(hub.connections.by_key(key).is_some());
    assert_eq!(refused(&hub, "register_webhook", json!({ "id": id })).await.code, Code::Service, "this one cannot register by itself");
}

#[tokio::test]
async fn models_are_listed_and_only_where_there_are_some() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    assert_eq!(ask(&hub, "list_models", json!({ "connection": "con_model" })).await["items"][0]["id"], "delphi");
    assert_eq!(refused(&hub, "list_models", json!({ "connection": "con_post" })).await.code, Code::Invalid);
}
