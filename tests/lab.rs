//! The Lab: nobody real is reached, nothing is lost or doubled in any weather, and what was captured can be played again.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::connector::{AnyConnector, Said, Simulator};
use shopbell_core::error::Code;
use shopbell_core::lab::copying;
use shopbell_tests::hub::TestHub;
use shopbell_tests::scripted::{last_words, says, scripted};

fn directory() -> Arc<tempfile::TempDir> {
    Arc::new(tempfile::tempdir().unwrap())
}

/// Every kind of channel that has a stand-in.
fn kinds() -> Vec<&'static str> {
    let all: Vec<Arc<dyn AnyConnector>> = shopbell_connectors::all();
    all.iter().filter(|one| one.channel().is_some() && one.simulator().is_some()).map(|one| one.about().kind).collect()
}

/// A Lab whose agent says what it was told.
async fn lab() -> TestHub {
    let (connector, _) = scripted(|prompt| says(format!("You said: {}", last_words(prompt))));
    let desk = TestHub::lab(directory(), vec![connector]).await.unwrap();
    let model = desk.connect("scripted", json!({})).await;
    desk.agent(&model, json!({ "tools": [] })).await;
    desk
}

async fn add(desk: &TestHub, kind: &str) -> String {
    desk.ask("lab_add_channel", json!({ "connector": kind })).await["connection"].as_str().unwrap().to_owned()
}

async fn says_in(desk: &TestHub, connection: &str, thread: &str, text: &str) {
    let content = json!([{ "type": "text", "text": text }]);
    desk.ask("lab_say", json!({ "connection": connection, "thread": thread, "name": "Ana", "content": content })).await;
}

async fn phone(desk: &TestHub, connection: &str, thread: &str) -> Value {
    desk.ask("lab_thread", json!({ "connection": connection, "thread": thread })).await
}

fn texts(phone: &Value, side: &str) -> Vec<String> {
    let of_side = phone["messages"].as_array().unwrap().iter().filter(|message| message["side"] == side);
    of_side.map(|message| message["content"][0]["text"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn answered(desk: &TestHub, connection: &str, thread: &str, answers: usize) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let phone = phone(desk, connection, thread).await;
        if texts(&phone, "shop").len() >= answers {
            return;
        }
        if Instant::now() > until {
            let deliveries = desk.ask("list_deliveries", json!({ "connection": connection })).await;
            let connection = desk.ask("get_connection", json!({ "id": connection })).await;
            panic!("no answer {answers} over {}: {phone:#} {deliveries:#}", connection["connector"]);
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test]
async fn a_customer_of_every_channel_writes_and_reads_the_answer_on_the_phone() {
    let desk = lab().await;
    for kind in kinds() {
        let connection = add(&desk, kind).await;
        says_in(&desk, &connection, "5511987650001", "Tem bolo?").await;
        answered(&desk, &connection, "5511987650001", 1).await;
        let phone = phone(&desk, &connection, "5511987650001").await;
        assert_eq!(texts(&phone, "customer"), ["Tem bolo?"], "{kind}");
        assert_eq!(texts(&phone, "shop"), ["You said: Tem bolo?"], "{kind}");
        assert_eq!(phone["messages"][0]["tick"], "answered", "{kind}: {phone:#}");
        assert_eq!(phone["owner"], "agent", "{kind}");
        let deeds: Vec<&str> = phone["events"].as_array().unwrap().iter().map(|event| event["deed"].as_str().unwrap()).collect();
        assert!(deeds.contains(&"arrived") && deeds.contains(&"answered"), "{kind}: {deeds:?}");
    }
    let counts = desk.ask("lab_counts", json!({})).await;
    let many = kinds().len();
    assert_eq!(counts["customers"], json!({ "written": many, "arrived": many, "lost": 0, "doubled": 0 }));
    assert_eq!(counts["shop"], json!({ "written": many, "arrived": many, "lost": 0, "doubled": 0 }));
    let state = desk.ask("lab_state", json!({})).await;
    assert_eq!((state["channels"].as_array().unwrap().len(), state["available"].as_array().unwrap().len()), (many, 0));
}

#[tokio::test]
async fn in_the_worst_weather_every_message_is_answered_once_on_every_channel() {
    const CUSTOMERS: usize = 6;
    const MESSAGES: usize = 2;
    let desk = lab().await;
    let weather = json!({ "duplicates": 50, "reorder": true, "delay_ms": 5, "too_many": 20, "timeouts": 15, "expired_media": 0 });
    let mut channels = Vec::new();
    for kind in kinds() {
        let connection = add(&desk, kind).await;
        // One quiet word first, so that its service knows where to call.
        says_in(&desk, &connection, "5511900000000", "first").await;
        answered(&desk, &connection, "5511900000000", 1).await;
        desk.ask("lab_set_weather", json!({ "connection": connection, "weather": weather })).await;
        channels.push(connection);
    }
    let one = async |connection: &str, customer: usize| {
        let thread = format!("55119876{customer:05}");
        for message in 0..MESSAGES {
            says_in(&desk, connection, &thread, &format!("question {customer} {message}")).await;
            answered(&desk, connection, &thread, message + 1).await;
        }
    };
    let all = channels.iter().flat_map(|connection| (0..CUSTOMERS).map(|customer| one(connection, customer)).collect::<Vec<_>>());
    futures::future::join_all(all).await;
    // What was sent twice comes a moment later; what was not confirmed is asked for.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (mut written, mut copies) = (0, 0);
    for connection in &channels {
        for customer in 0..CUSTOMERS {
            let phone = phone(&desk, connection, &format!("55119876{customer:05}")).await;
            let expected: Vec<String> = (0..MESSAGES).map(|message| format!("You said: question {customer} {message}")).collect();
            assert_eq!(texts(&phone, "shop"), expected, "{connection}: {phone:#}");
            written += texts(&phone, "customer").len();
            copies += phone["messages"].as_array().unwrap().iter().filter(|message| message["copies"] == 2).count();
        }
        let counts = desk.ask("lab_counts", json!({ "connection": connection })).await;
        for side in ["customers", "shop"] {
            assert_eq!((counts[side]["lost"].as_u64(), counts[side]["doubled"].as_u64()), (Some(0), Some(0)), "{connection}: {counts:#}");
            assert_eq!(counts[side]["written"], counts[side]["arrived"], "{connection}: {counts:#}");
        }
    }
    assert_eq!(written, channels.len() * CUSTOMERS * MESSAGES);
    assert!(copies >= written / 3, "the weather did send copies: {copies} of {written}");
    let retried = desk.count("SELECT count(*) FROM delivery WHERE attempts > 1 OR checks > 0").await;
    assert!(retried > 0, "the weather did refuse calls");
}

#[tokio::test]
async fn files_of_customers_come_in_and_gone_ones_are_said_to_be_gone() {
    let desk = lab().await;
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    for kind in ["telegram", "whatsapp-meta", "whatsapp-twilio"] {
        let connection = add(&desk, kind).await;
        let uploaded = desk.ask("upload_media", json!({ "name": "bolo.png", "base64": png })).await;
        let part = json!({ "type": "media", "kind": "image", "media": uploaded["id"], "mime": "image/png", "bytes": uploaded["bytes"] });
        let say = json!({ "connection": connection, "thread": "5511987650001", "name": "Ana", "content": [part] });
        desk.ask("lab_say", say.clone()).await;
        let stored = || async {
            let connection = connection.clone();
            let sql = "SELECT count(*) FROM media WHERE connection = ?1 AND status = ?2";
            desk.hub
                .store
                .read(move |db| {
                    let count = |status: &str| db.query_row(sql, [connection.as_str(), status], |row| row.get::<_, i64>(0));
                    Ok((count("stored")?, count("failed")?))
                })
                .await
                .unwrap()
        };
        desk.until("the file is stored", async |_| stored().await == (1, 0)).await;
        let gone = json!({ "expired_media": 100 });
        desk.ask("lab_set_weather", json!({ "connection": connection, "weather": gone })).await;
        desk.ask("lab_say", say).await;
        desk.until("the second is given up", async |_| stored().await == (1, 1)).await;
    }
}

/// What every arrival is and did, byte by byte.
async fn verdicts(desk: &TestHub) -> BTreeMap<String, String> {
    let sql = "SELECT id, verdict || ' ' || effects FROM arrival";
    let read = desk.hub.store.read(move |db| {
        let mut statement = db.prepare(sql)?;
        Ok(statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
    });
    read.await.unwrap()
}

#[tokio::test]
async fn a_thousand_arrivals_delivered_again_change_nothing() {
    let desk = lab().await;
    let kinds = kinds();
    let each = 1000_usize.div_ceil(kinds.len());
    for kind in &kinds {
        let connection = add(&desk, kind).await;
        for index in 0..each {
            says_in(&desk, &connection, &format!("5511987{:06}", index % 40), &format!("message {index}")).await;
        }
    }
    let wanted = i64::try_from(each * kinds.len()).unwrap();
    let started = Instant::now();
    while desk.count("SELECT count(*) FROM message WHERE direction = 'in'").await < wanted {
        assert!(started.elapsed() < Duration::from_secs(90), "they come in");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let quiet = async || {
        let started = Instant::now();
        let sql = "SELECT (SELECT count(*) FROM arrival WHERE verdict = 'pending') + (SELECT count(*) FROM turn WHERE status IN ('wanted', 'running'))
                        + (SELECT count(*) FROM delivery WHERE status IN ('queued', 'sending'))";
        while desk.count(sql).await > 0 {
            assert!(started.elapsed() < Duration::from_secs(120), "it becomes quiet");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    quiet().await;
    // The services also tell how far answers came; those are arrivals too, and the last of them are still on their way.
    tokio::time::sleep(Duration::from_secs(2)).await;
    quiet().await;
    let messages = desk.count("SELECT count(*) FROM message").await;
    let deliveries = desk.count("SELECT count(*) FROM delivery").await;
    let before = verdicts(&desk).await;
    assert!(before.len() >= 1000, "{}", before.len());
    for id in before.keys() {
        desk.ask("replay_arrival", json!({ "id": id })).await;
    }
    quiet().await;
    assert_eq!(desk.count("SELECT count(*) FROM message").await, messages, "no new message");
    assert_eq!(desk.count("SELECT count(*) FROM delivery").await, deliveries, "nothing new is sent");
    let after = verdicts(&desk).await;
    assert_eq!(after.len(), before.len());
    for (id, verdict) in before {
        assert_eq!(after[&id], verdict, "byte by byte the same verdict");
    }
}

#[tokio::test]
async fn a_script_is_kept_and_run_again_as_a_test() {
    let desk = lab().await;
    add(&desk, "whatsapp-meta").await;
    let mut script = json!({
        "name": "A cake for Sunday", "connector": "whatsapp-meta", "customer": "Clara", "weather": { "duplicates": 100 },
        "steps": [
            { "do": "say", "text": "Tem bolo?" },
            { "do": "wait_for_answer", "seconds": 20 },
            { "do": "expect_text", "contains": "tem BOLO" },
            { "do": "expect_owner", "owner": "agent" },
            { "do": "expect_no_double" },
        ],
    });
    let kept = desk.ask("lab_save_script", script.clone()).await;
    let id = kept["id"].clone();
    for _ in 0..2 {
        let run = desk.ask("lab_run_script", json!({ "id": id })).await;
        assert_eq!(run["ok"], true, "{run:#}");
        assert_eq!(run["steps"].as_array().unwrap().len(), 5);
    }
    // Changed so that it must fail: it says where, and what was there instead.
    script["id"] = id.clone();
    script["steps"][2]["contains"] = "panetone".into();
    script["steps"][3]["owner"] = "person".into();
    desk.ask("lab_save_script", script.clone()).await;
    let run = desk.ask("lab_run_script", json!({ "id": id })).await;
    let ok: Vec<bool> = run["steps"].as_array().unwrap().iter().map(|step| step["ok"].as_bool().unwrap()).collect();
    assert_eq!((run["ok"].as_bool(), ok), (Some(false), vec![true, true, false, false, true]), "{run:#}");
    assert!(run["steps"][2]["found"].as_str().unwrap().contains("You said: Tem bolo?"), "{run:#}");
    let list = desk.ask("lab_list_scripts", json!({})).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    script["steps"] = json!([{ "do": "say", "text": " " }, { "do": "wait_for_answer", "seconds": 0 }]);
    let wrong = desk.refused("lab_save_script", script).await;
    let fields: Vec<&str> = wrong.fields.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["steps.0.text", "steps.1.seconds"]);
    desk.ask("lab_delete_script", json!({ "id": id })).await;
    assert_eq!(desk.refused("lab_run_script", json!({ "id": id })).await.code, Code::NotFound);
}

#[tokio::test]
async fn a_directory_with_real_connections_is_no_lab() {
    let directory = directory();
    let desk = TestHub::in_directory(directory.clone(), vec![]).await;
    assert_eq!(desk.ask("health", json!({})).await["lab"], false);
    let simulator = TelegramSimulator::start().await.unwrap();
    let id = desk.connect("telegram", simulator.config()).await;
    for command in ["lab_state", "lab_list_scripts", "lab_counts"] {
        assert_eq!(desk.refused(command, json!({})).await.code, Code::Conflict, "{command} is not for a real shop");
    }
    // A deleted connection leaves real conversations behind.
    desk.ask("delete_connection", json!({ "id": id })).await;
    desk.hub.stop().await;
    drop(desk);
    let error = TestHub::lab(directory, vec![]).await.err().expect("it must be refused");
    assert_eq!(error.code, Code::Invalid);
    assert!(error.message.to_string().contains("telegram"), "{}", error.message);
}

#[tokio::test]
async fn a_lab_reaches_nothing_but_its_stand_ins_and_opens_again() {
    let directory = directory();
    let desk = TestHub::lab(directory.clone(), vec![]).await.unwrap();
    assert_eq!(desk.ask("health", json!({})).await["lab"], true);
    let simulator = TelegramSimulator::start().await.unwrap();
    let real = json!({ "connector": "telegram", "name": "Real", "config": simulator.config() });
    assert_eq!(desk.refused("create_connection", real).await.code, Code::Conflict);
    let connection = add(&desk, "telegram").await;
    assert_eq!(desk.refused("lab_add_channel", json!({ "connector": "telegram" })).await.code, Code::Invalid);
    assert_eq!(desk.refused("lab_add_channel", json!({ "connector": "built-in" })).await.code, Code::Invalid);
    let elsewhere = json!({ "id": connection, "config": { "base_url": "https://api.telegram.org" } });
    assert_eq!(desk.refused("update_connection", elsewhere).await.code, Code::Conflict);
    for (base_url, url) in [
        (None, "https://example.com/"),
        (Some("https://example.com"), "https://example.com/"),
        (Some("http://192.168.1.2:80"), "http://192.168.1.2:80/"),
    ] {
        let refused = desk.hub.network.client(base_url).request(reqwest::Method::GET, url);
        assert!(refused.is_err(), "{url} must not be called");
    }
    says_in(&desk, &connection, "5511987650001", "oi").await;
    desk.until("it arrived", async |desk| desk.conversation().await.is_some()).await;
    desk.hub.stop().await;
    drop(desk);
    // Its stand-ins begin anew; the old words stay readable.
    let desk = TestHub::lab(directory, vec![]).await.unwrap();
    let state = desk.ask("lab_state", json!({})).await;
    let again = state["channels"][0]["connection"].as_str().unwrap().to_owned();
    assert_ne!(again, connection);
    says_in(&desk, &again, "5511987650001", "oi de novo").await;
    desk.until("it arrived", async |desk| desk.count("SELECT count(*) FROM conversation").await == 2).await;
    desk.ask("lab_remove_channel", json!({ "connection": again })).await;
    assert_eq!(desk.ask("lab_state", json!({})).await["channels"], json!([]));
}

#[tokio::test]
async fn an_arrival_taken_along_has_no_secret_and_plays_in_the_lab_once() {
    for kind in kinds() {
        let connector = shopbell_connectors::all().into_iter().find(|one| one.about().kind == kind).unwrap();
        let simulator = connector.simulator().unwrap()().await.unwrap();
        let shop = TestHub::with(vec![]).await;
        let id = shop.connect(kind, simulator.config()).await;
        let secrets: Vec<String> = leaves(&simulator.config())
            .into_iter()
            .filter(|(path, _)| {
                connector
                    .schema()
                    .pointer(&format!("/properties/{path}"))
                    .is_some_and(|field| field.to_string().contains("\"writeOnly\":true"))
            })
            .map(|(_, value)| value)
            .collect();
        assert!(!secrets.is_empty(), "{kind} has secrets");
        // A service that repeats every one of them, in a header, in the address and in the body.
        let live = shop.hub.connections.get(&id.as_str().into()).unwrap();
        let mut request = simulator.signed(&Said::text("5511987650001", "Ana", "Tem bolo?")).remove(0);
        let spoken = secrets.join(" ");
        request.headers.push(("x-echo".into(), spoken.clone()));
        request.query = format!("echo={}", spoken.replace(' ', "+"));
        let mut talkative = simulator.signed(&Said::text("5511987650001", "Ana", format!("my keys: {spoken}"))).remove(0);
        talkative.headers.clear();
        shopbell_core::arrivals::accept(&shop.hub, std::slice::from_ref(&live), request).await.unwrap();
        shopbell_core::arrivals::accept(&shop.hub, &[live], talkative).await.unwrap();
        shop.settled().await;
        let arrivals = shop.ask("list_arrivals", json!({})).await;
        let mut captured = Vec::new();
        for arrival in arrivals["items"].as_array().unwrap() {
            captured.push(shop.ask("export_arrival", json!({ "id": arrival["id"] })).await);
        }
        assert_eq!(captured.len(), 2, "{kind}");
        for one in &captured {
            let text = one.to_string();
            assert!(!text.contains(&simulator.canary()), "{kind}: {text}");
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{kind}: a secret in {text}");
            }
        }
        shop.hub.stop().await;

        let desk = lab().await;
        let is_first = |one: &&Value| one["headers"].as_array().unwrap().iter().any(|header| header[0] == "x-echo");
        let first = captured.iter().find(is_first).unwrap();
        let played = desk.ask("lab_replay_arrival", json!({ "arrival": first, "times": 1000 })).await;
        assert_eq!((played["arrivals"].as_u64(), played["new_messages"].as_u64()), (Some(1000), Some(1)), "{kind}: {played:#}");
        assert_eq!(played["verdicts"], json!({ "handled": 1, "repeat": 999 }), "{kind}");
        assert_eq!(desk.talk().await[0].2, "Tem bolo?", "{kind}");
        let mut other = first.clone();
        other["format"] = "something else".into();
        assert_eq!(desk.refused("lab_replay_arrival", json!({ "arrival": other })).await.code, Code::Invalid);
        desk.hub.stop().await;
    }
}

/// Texts of an object by their field.
fn leaves(config: &Value) -> Vec<(String, String)> {
    config.as_object().unwrap().iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[tokio::test]
async fn agents_and_what_they_know_come_along_and_secrets_stay() {
    let shop = TestHub::with(vec![]).await;
    let simulator = TelegramSimulator::start().await.unwrap();
    shop.connect("telegram", simulator.config()).await;
    shop.ask("update_settings", json!({ "shop_name": "Pão Dourado" })).await;
    let model = shop.ask("list_connections", json!({})).await["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["connector"] == "built-in")
        .unwrap()["id"]
        .clone();
    shop.ask("create_agent", json!({ "name": "Beto", "instructions": "Sell bread.", "connection": model })).await;
    let base64 = "Qm9sbyBkZSBmdWLDoToganQgUiQgMzIsMDAgbyBxdWlsby4K";
    shop.ask("add_knowledge", json!({ "name": "cardapio.txt", "base64": base64 })).await;
    // While the shop works on.
    let desk = TestHub::lab(directory(), vec![]).await.unwrap();
    for _ in 0..2 {
        let copied = copying::copy(&desk.hub, shop.directory.path()).await.unwrap();
        assert_eq!((copied.agents, copied.documents), (2, 1));
    }
    let agents = desk.ask("list_agents", json!({})).await;
    let names: Vec<&str> = agents["items"].as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Nina", "Beto"], "copied twice, there once");
    assert_eq!(agents["items"][1]["instructions"], "Sell bread.");
    assert_eq!(desk.ask("list_knowledge", json!({})).await["items"].as_array().unwrap().len(), 1);
    let found = desk.ask("search_knowledge", json!({ "query": "bolo de fubá" })).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(desk.ask("get_settings", json!({})).await["shop_name"], "Pão Dourado");
    let connections = desk.ask("list_connections", json!({})).await;
    assert!(connections["items"].as_array().unwrap().iter().all(|one| one["connector"] != "telegram"), "{connections}");
    desk.hub.stop().await;
    for entry in std::fs::read_dir(desk.directory.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let canary = simulator.canary();
            assert!(!bytes.windows(canary.len()).any(|part| part == canary.as_bytes()), "{}", path.display());
        }
    }
    let nowhere = directory();
    let desk = TestHub::lab(directory(), vec![]).await.unwrap();
    assert_eq!(copying::copy(&desk.hub, nowhere.path()).await.unwrap_err().code, Code::NotFound);
    let refused = desk.refused("lab_copy_agents", json!({ "profile": "../x" })).await;
    assert_eq!(refused.code, Code::Invalid);
}
