//! What a person does in conversations, with agents, with knowledge, with the vault.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::dispatch;
use super::{ask, bakery, hub, refused};
use crate::conversations::snooze;
use crate::error::Code;
use crate::hub::{Hub, HubOptions};

#[tokio::test]
async fn a_reply_is_sent_once_and_takes_the_conversation_over() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let say = json!({ "conversation": "cnv_0", "content": [{ "type": "text", "text": "Good morning" }], "client_key": "k1" });
    let first = ask(&hub, "send_reply", say.clone()).await;
    let second = ask(&hub, "send_reply", say).await;
    assert_eq!(first["id"], second["id"], "the same key twice sends once");
    assert_eq!((&first["author"]["type"], &first["direction"]), (&json!("person"), &json!("out")));
    assert!(first["delivery"]["id"].is_string());
    let row = ask(&hub, "get_conversation", json!({ "conversation": "cnv_0" })).await;
    assert_eq!((row["owner"]["type"].as_str(), row["preview"].as_str(), &row["unread"]), (Some("person"), Some("Good morning"), &json!(0)));

    let note =
        ask(&hub, "send_reply", json!({ "conversation": "cnv_2", "content": [{ "type": "text", "text": "psst" }], "note": true })).await;
    assert_eq!((&note["direction"], &note["delivery"]), (&json!("note"), &Value::Null));
    let row = ask(&hub, "get_conversation", json!({ "conversation": "cnv_2" })).await;
    assert_eq!(row["owner"]["type"], "agent", "a note takes nothing over");
}

#[tokio::test]
async fn a_reply_that_cannot_be_sent_says_which_part_is_wrong() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    for (content, path) in [
        (json!([]), "content"),
        (json!([{ "type": "text", "text": "  " }]), "content.0.text"),
        (json!([{ "type": "text", "text": "x".repeat(20_001) }]), "content.0.text"),
        (json!([{ "type": "text", "text": "a" }, { "type": "event", "event": "resolved" }]), "content.1"),
        (json!([{ "type": "media", "kind": "image", "media": "med_none" }]), "content.0.media"),
        (json!([{ "type": "location", "latitude": 91, "longitude": 0 }]), "content.0.latitude"),
        (json!([{ "type": "choices", "text": "?", "options": [{ "id": "", "label": "A" }] }]), "content.0.options.0.id"),
    ] {
        let error = refused(&hub, "send_reply", json!({ "conversation": "cnv_0", "content": content })).await;
        assert_eq!((error.code, error.fields[0].0.as_str()), (Code::Invalid, path), "{content}");
    }
    let gone = json!({ "conversation": "cnv_none", "content": [{ "type": "text", "text": "a" }] });
    assert_eq!(refused(&hub, "send_reply", gone).await.code, Code::NotFound);
}

#[tokio::test]
async fn the_next_word_goes_to_a_person_and_back() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let row = ask(&hub, "take_over", json!({ "conversation": "cnv_0", "note": "I know them" })).await;
    assert_eq!((row["owner"]["type"].as_str(), &row["epoch"]), (Some("person"), &json!(2)));
    let row = ask(&hub, "hand_back", json!({ "conversation": "cnv_0", "note": "They want rye" })).await;
    assert_eq!((row["owner"]["name"].as_str(), &row["epoch"]), (Some("Bell"), &json!(3)));
    let row = ask(&hub, "assign", json!({ "conversation": "cnv_0", "owner": { "type": "person" } })).await;
    assert_eq!(row["owner"]["type"], "person");
    let row = ask(&hub, "assign", json!({ "conversation": "cnv_1", "owner": { "type": "agent", "id": "agt_1" } })).await;
    assert_eq!(row["owner"]["id"], "agt_1");
    let nobody = json!({ "conversation": "cnv_1", "owner": { "type": "agent", "id": "agt_none" } });
    assert_eq!(refused(&hub, "assign", nobody).await.code, Code::NotFound);
}

#[tokio::test]
async fn a_conversation_is_snoozed_resolved_opened_labelled_and_read() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let status = |status: &str| json!({ "conversation": "cnv_2", "status": status });
    assert_eq!(refused(&hub, "set_conversation_status", status("snoozed")).await.fields[0].0, "until");
    assert_eq!(refused(&hub, "snooze", json!({ "conversation": "cnv_2", "until": 5 })).await.fields[0].0, "until");
    let until = hub.store.clock().now().millis() + 60_000;
    let row = ask(&hub, "snooze", json!({ "conversation": "cnv_2", "until": until })).await;
    assert_eq!((row["status"].as_str(), &row["snoozed_until"]), (Some("snoozed"), &json!(until)));
    let row = ask(&hub, "set_conversation_status", status("resolved")).await;
    assert_eq!((row["status"].as_str(), &row["needs_person"], &row["snoozed_until"]), (Some("resolved"), &json!(false), &Value::Null));
    assert_eq!(ask(&hub, "set_conversation_status", status("open")).await["status"], "open");

    let row = ask(&hub, "snooze", json!({ "conversation": "cnv_2" })).await;
    assert_eq!((row["status"].as_str(), &row["snoozed_until"]), (Some("snoozed"), &Value::Null), "until the customer writes");
    ask(&hub, "set_conversation_status", status("open")).await;

    let row = ask(&hub, "label", json!({ "conversation": "cnv_2", "add": ["cake", "cake"], "remove": ["vip"] })).await;
    assert_eq!(row["labels"], json!(["cake"]));
    ask(&hub, "mark_read", json!({ "conversation": "cnv_2" })).await;
    assert_eq!(ask(&hub, "get_conversation", json!({ "conversation": "cnv_2" })).await["unread"], 0);
}

#[tokio::test]
async fn a_snoozed_conversation_comes_back_unread_when_its_time_has_come_and_not_before() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let now = hub.store.clock().now().millis();
    ask(&hub, "mark_read", json!({ "conversation": "cnv_1" })).await;
    for (id, until) in [("cnv_0", json!(now + 3_600_000)), ("cnv_1", json!(now + 40)), ("cnv_2", Value::Null)] {
        ask(&hub, "snooze", json!({ "conversation": id, "until": until })).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    hub.store.write(|tx| snooze::wake(tx, 100)).await.unwrap();
    let row = |id: &'static str| {
        let hub = hub.clone();
        async move { ask(&hub, "get_conversation", json!({ "conversation": id })).await }
    };
    assert_eq!(row("cnv_0").await["status"], "snoozed");
    assert_eq!(row("cnv_2").await["status"], "snoozed", "it waits for the customer");
    let back = row("cnv_1").await;
    assert_eq!((back["status"].as_str(), &back["unread"], &back["snoozed_until"]), (Some("open"), &json!(1), &Value::Null));
    let said = ask(&hub, "list_messages", json!({ "conversation": "cnv_1", "limit": 1 })).await;
    assert_eq!(said["items"][0]["content"][0]["event"], "woke");
}

#[tokio::test]
async fn labels_in_use_are_listed_the_most_used_first() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    ask(&hub, "label", json!({ "conversation": "cnv_1", "add": ["cake"] })).await;
    ask(&hub, "label", json!({ "conversation": "cnv_2", "add": ["cake"], "remove": ["vip"] })).await;
    ask(&hub, "label", json!({ "conversation": "cnv_0", "add": ["Ação"], "remove": ["vip"] })).await;
    let labels = ask(&hub, "list_labels", json!({})).await;
    let found: Vec<_> = labels["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["conversations"].as_i64().unwrap()))
        .collect();
    assert_eq!(found, [("cake", 2), ("Ação", 1), ("vip", 1)]);
}

#[tokio::test]
async fn changed_keys_are_kept_and_two_things_on_one_key_are_refused() {
    let (hub, _directory) = hub().await;
    assert_eq!(ask(&hub, "get_settings", json!({})).await["keys"], json!({}));
    let kept = ask(&hub, "update_settings", json!({ "keys": { "snooze": "x", "label": "", "panel": "" } })).await;
    assert_eq!(kept["keys"], json!({ "snooze": "x", "label": "", "panel": "" }));
    assert_eq!(ask(&hub, "update_settings", json!({ "single_keys": false })).await["keys"]["snooze"], "x", "what is not given stays");
    let error = refused(&hub, "update_settings", json!({ "keys": { "snooze": "x", "take": "x" } })).await;
    assert_eq!((error.code, error.fields[0].0.as_str()), (Code::Invalid, "keys.take"));
    let error = refused(&hub, "update_settings", json!({ "keys": { "snooze": "x".repeat(41) } })).await;
    assert_eq!(error.fields[0].0.as_str(), "keys.snooze");
    assert_eq!(ask(&hub, "update_settings", json!({ "keys": {} })).await["keys"], json!({}));
}

#[tokio::test]
async fn an_agent_needs_something_that_can_answer_first() {
    let (hub, _directory) = hub().await;
    let early = refused(&hub, "create_agent", json!({ "name": "Bell" })).await;
    assert_eq!(early.code, Code::Conflict);
    let model = ask(&hub, "create_connection", json!({ "connector": "oracle", "name": "Oracle" })).await;
    let agent = ask(&hub, "create_agent", json!({ "name": "Bell", "settings": { "temperature": 0.2 } })).await;
    assert_eq!((&agent["connection"], &agent["default"]), (&model["id"], &json!(true)));
    assert_eq!((&agent["settings"]["temperature"], &agent["settings"]["max_tokens"]), (&json!(0.2), &json!(4096)));

    for (change, path) in [
        (json!({ "name": "" }), "name"),
        (json!({ "instructions": "x".repeat(20_001) }), "instructions"),
        (json!({ "settings": { "temperature": 2.1 } }), "settings.temperature"),
        (json!({ "settings": { "max_tokens": 0 } }), "settings.max_tokens"),
        (json!({ "tools": ["knowledge_search", "make_coffee"] }), "tools.1"),
        (json!({ "connection": "con_none" }), "connection"),
        (json!({ "channel_instructions": { "owl": "hoot" } }), "channel_instructions.owl"),
        (json!({ "stream_mode": "fast" }), "stream_mode"),
        (json!({ "temperature": 1 }), "temperature"),
    ] {
        let mut body = change.clone();
        body["id"] = agent["id"].clone();
        let error = refused(&hub, "update_agent", body).await;
        assert_eq!((error.code, error.fields[0].0.as_str()), (Code::Invalid, path), "{change}");
    }
    let changed =
        ask(&hub, "update_agent", json!({ "id": agent["id"], "tools": [], "channel_instructions": { "pigeon": "Be short." } })).await;
    assert_eq!((&changed["tools"], &changed["name"]), (&json!([]), &json!("Bell")));
}

#[tokio::test]
async fn a_deleted_agent_leaves_its_conversations_to_the_next_or_to_a_person() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let second = ask(&hub, "create_agent", json!({ "name": "Rye" })).await;
    ask(&hub, "set_default_agent", json!({ "agent": second["id"] })).await;
    ask(&hub, "delete_agent", json!({ "id": "agt_1" })).await;
    let row = ask(&hub, "get_conversation", json!({ "conversation": "cnv_0" })).await;
    assert_eq!(row["owner"]["name"], "Rye");
    ask(&hub, "delete_agent", json!({ "id": second["id"] })).await;
    let row = ask(&hub, "get_conversation", json!({ "conversation": "cnv_0" })).await;
    assert_eq!((row["owner"]["type"].as_str(), &row["needs_person"]), (Some("person"), &json!(true)));
    assert_eq!(ask(&hub, "list_agents", json!({})).await["items"], json!([]));
}

#[tokio::test]
async fn knowledge_is_added_found_and_forgotten() {
    let (hub, _directory) = hub().await;
    let text = STANDARD.encode("# Opening hours\n\nWe are open from 7 to 19 every day.\n");
    let added = ask(&hub, "add_knowledge", json!({ "name": "hours.md", "mime": "text/markdown", "base64": text })).await;
    assert_eq!((&added["name"], &added["status"]), (&json!("hours.md"), &json!("ready")));
    assert_eq!(ask(&hub, "list_knowledge", json!({})).await["items"][0]["id"], added["id"]);
    let found = ask(&hub, "search_knowledge", json!({ "query": "when are you open?" })).await;
    assert_eq!(found["items"][0]["document"], added["id"]);
    assert_eq!(ask(&hub, "knowledge_coverage", json!({})).await["items"].as_array().unwrap().len(), 6);
    ask(&hub, "delete_knowledge", json!({ "id": added["id"] })).await;
    assert_eq!(ask(&hub, "list_knowledge", json!({})).await["items"], json!([]));
    assert_eq!(refused(&hub, "add_knowledge", json!({ "name": "a.md", "base64": "%%" })).await.fields[0].0, "base64");
    assert_eq!(refused(&hub, "dismiss_unanswered", json!({ "id": "una_7" })).await.code, Code::NotFound);
}

#[tokio::test]
async fn a_file_is_kept_by_what_it_is_and_sent_by_its_id() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
    let body = json!({ "name": "../../cake.exe", "mime": "application/x-msdownload", "base64": STANDARD.encode(png) });
    let kept = ask(&hub, "upload_media", body).await;
    assert_eq!((&kept["mime"], &kept["kind"], &kept["filename"]), (&json!("image/png"), &json!("image"), &json!("cake.exe")));
    let note = json!({ "conversation": "cnv_0", "note": true, "content": [{ "type": "media", "kind": "image", "media": kept["id"] }] });
    let note = ask(&hub, "send_reply", note).await;
    assert_eq!((&note["content"][0]["mime"], &note["content"][0]["bytes"]), (&json!("image/png"), &json!(png.len())));
    for bad in ["", "****"] {
        assert_eq!(refused(&hub, "upload_media", json!({ "name": "a", "base64": bad })).await.fields[0].0, "base64");
    }
}

async fn closed(directory: &tempfile::TempDir) -> Arc<Hub> {
    let mut options = HubOptions::new(directory.path().to_owned(), bakery::connectors().into_values().collect());
    options.keychain = Arc::new(crate::vault::keychain::NoKeychain);
    Hub::open(options).await.unwrap()
}

#[tokio::test]
async fn with_the_vault_closed_only_its_opening_can_be_asked() {
    let directory = tempfile::tempdir().unwrap();
    let hub = closed(&directory).await;
    assert_eq!(ask(&hub, "health", json!({})).await["vault"], "none");
    for &command in super::super::COMMANDS {
        let answer = dispatch(&hub, command, json!({})).await;
        let locked = answer.as_ref().is_err_and(|error| error.code == Code::VaultLocked);
        let always = super::super::ALWAYS.contains(&command) || command == "create_vault";
        assert!(locked != always, "{command}: {answer:?}");
    }
    assert_eq!(refused(&hub, "create_vault", json!({ "passphrase": "short" })).await.fields[0].0, "passphrase");
    let health = ask(&hub, "create_vault", json!({ "passphrase": "seven loaves of rye" })).await;
    assert_eq!(health["vault"], "open");
    hub.stop().await;
    drop(hub);

    let hub = closed(&directory).await;
    let health = ask(&hub, "health", json!({})).await;
    assert_eq!((&health["vault"], &health["receiving"]), (&json!("locked"), &json!(false)));
    assert_eq!(refused(&hub, "unlock_vault", json!({ "passphrase": "seven loaves of wry" })).await.code, Code::WrongPassphrase);
    assert_eq!(ask(&hub, "unlock_vault", json!({ "passphrase": "seven loaves of rye" })).await["vault"], "open");
    let change = json!({ "old": "seven loaves of rye", "passphrase": "eight loaves of rye" });
    assert_eq!(ask(&hub, "change_passphrase", change).await, json!({}));
}

#[tokio::test]
async fn an_arrival_is_shown_without_the_secrets_of_its_connection() {
    let (hub, _directory) = hub().await;
    bakery::open(&hub).await;
    hub.store
        .write(|tx| {
            tx.execute(
                "UPDATE arrival SET headers = '[[\"x-key\",\"a feather\"]]', body = 'my a feather', path = '/a feather' WHERE id = 'arr_1'",
                [],
            )?;
            Ok(())
        })
        .await
        .unwrap();
    let arrival = ask(&hub, "get_arrival", json!({ "id": "arr_1" })).await;
    assert!(!arrival.to_string().contains("feather"), "{arrival}");
    let replayed = ask(&hub, "replay_arrival", json!({ "id": "arr_2" })).await;
    assert_eq!(replayed["verdict"], "pending");
    let again = ask(&hub, "retry_delivery", json!({ "id": "dlv_119" })).await;
    assert_eq!((&again["parked"], &again["attempts"]), (&json!(false), &json!(0)));
    assert_eq!(refused(&hub, "retry_delivery", json!({ "id": "dlv_117" })).await.code, Code::Conflict);
}

#[tokio::test]
async fn the_time_zone_is_one_that_there_is() {
    let (hub, _directory) = hub().await;
    assert_eq!(ask(&hub, "get_settings", json!({})).await["time_zone"], "");
    let saved = ask(&hub, "update_settings", json!({ "time_zone": " america/sao_paulo " })).await;
    assert_eq!(saved["time_zone"], "America/Sao_Paulo", "as its list writes it");
    for wrong in ["Nowhere/Land", "GMT+27", "../../etc/passwd", "a\u{0}b", &"x".repeat(5000)] {
        assert_eq!(refused(&hub, "update_settings", json!({ "time_zone": wrong })).await.fields[0].0, "time_zone", "{wrong:.40}");
    }
    assert_eq!(ask(&hub, "get_settings", json!({})).await["time_zone"], "America/Sao_Paulo", "a refused one changes nothing");
    assert_eq!(ask(&hub, "update_settings", json!({ "time_zone": "" })).await["time_zone"], "", "as this computer");
}
