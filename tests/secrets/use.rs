//! A life of a shop in a few seconds: everything is connected, used, refused, broken, changed and looked at.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::connector::{AnyConnector, Fault, Said, Simulator};

use crate::desk::Desk;
use crate::form;

fn ana(text: &str) -> Said {
    Said::text("5551", "Ana", text)
}

/// Uses all of it. The vault's passphrase is `passphrase` before and after.
pub async fn everything(desk: &Desk, passphrase: &str, connectors: Vec<Arc<dyn AnyConnector>>) {
    let following = desk.follow();
    let mut simulators = Vec::new();
    let mut with_secrets = 0;
    for connector in &connectors {
        let places = form::secret_places(&connector.schema());
        if places.is_empty() {
            continue;
        }
        with_secrets += 1;
        simulators.extend(connect_and_break(desk, connector.as_ref(), &places).await);
    }
    assert!(with_secrets >= 5, "only {with_secrets} connectors have secrets: the schema was not read");
    talk(desk).await;
    the_vault(desk, passphrase).await;
    desk.read_everything().await;
    following.abort();
}

/// The settings of a working connection, with something planted in every secret field that its simulator leaves empty.
fn working(desk: &Desk, connector: &dyn AnyConnector, simulator: Option<&dyn Simulator>, places: &[Vec<String>]) -> Value {
    let kind = connector.about().kind;
    let mut config = simulator.map_or_else(|| json!({}), Simulator::config);
    for place in places {
        let name = format!("{kind}: {}", place.join("."));
        match place.iter().try_fold(&config, |here, key| here.get(key)).and_then(Value::as_str) {
            Some(value) => desk.hunt.know(&name, value),
            None => form::put(&mut config, place, desk.hunt.plant(&name).into()),
        }
    }
    if let Some(simulator) = simulator {
        desk.hunt.know(&format!("{kind}: its simulator's canary"), &simulator.canary());
    }
    config
}

/// The same settings with another value in every secret field, of the same shape.
fn other(desk: &Desk, what: &str, config: &Value, canary: Option<&str>, places: &[Vec<String>]) -> Value {
    let mut config = config.clone();
    for place in places {
        let old = place.iter().try_fold(&config, |here, key| here.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned();
        let new = desk.hunt.plant(&format!("{what} {}", place.join(".")));
        let shaped = canary.filter(|canary| old.contains(canary)).map(|canary| old.replace(canary, &format!("{new}-{new}")[..35]));
        let shaped = shaped.unwrap_or(new);
        desk.hunt.know(&format!("{what} {}, whole", place.join(".")), &shaped);
        form::put(&mut config, place, shaped.into());
    }
    config
}

async fn connect_and_break(desk: &Desk, connector: &dyn AnyConnector, places: &[Vec<String>]) -> Option<Box<dyn Simulator>> {
    let kind = connector.about().kind;
    let simulator = match connector.simulator() {
        Some(start) => Some(start().await.unwrap()),
        // The probe asks any service; that it is refused is as good.
        None if kind == "probe" => Some(shopbell_connectors::chat_completions::simulator::start_openai().await.unwrap()),
        None => None,
    };
    let mut config = working(desk, connector, simulator.as_deref().filter(|_| kind != "probe"), places);
    if let Some(simulator) = simulator.as_deref().filter(|_| kind == "probe") {
        config["base_url"] = simulator.config()["base_url"].clone();
    }
    let create = |config: &Value| json!({ "connector": kind, "name": kind, "config": config });
    let made = desk.ask("create_connection", create(&config)).await;
    let id = json!({ "id": made["id"] });
    let test = async || desk.ask("test_connection", id.clone()).await;
    if let Some(simulator) = &simulator {
        let tested = test().await;
        assert!(tested["ok"] == true || kind == "probe", "{kind}: {tested}");
        for fault in [
            Fault::Unauthorized,
            Fault::RateLimit(Duration::from_secs(1)),
            Fault::ServerError,
            Fault::Refuse("the moon is in the wrong house".into()),
            Fault::CutAfter,
            Fault::CutBefore,
        ] {
            simulator.fault(fault, 1);
            test().await;
        }
        // Wrong keys, of the right shape: the service refuses them, and its words are shown.
        let wrong = other(desk, &format!("{kind}: the wrong"), &config, Some(&simulator.canary()), places);
        if let (200, refused) = desk.try_ask("create_connection", create(&wrong)).await {
            let tested = desk.ask("test_connection", json!({ "id": refused["id"] })).await;
            assert!(tested["ok"] == false || kind == "probe", "{kind}: a wrong key is refused");
            desk.ask("delete_connection", json!({ "id": refused["id"] })).await;
        }
    }
    mistakes(desk, kind, &config, places).await;

    // Kept, replaced, cleared, and forgotten because the address changed.
    let mut kept = json!({});
    for place in places {
        form::put(&mut kept, place, json!({ "set": true }));
    }
    let row = desk.ask("update_connection", json!({ "id": made["id"], "name": "kept", "config": kept })).await;
    for place in places {
        let shown = place.iter().try_fold(&row["config"], |here, key| here.get(key));
        assert_eq!(shown, Some(&json!({ "set": true })), "{kind}: {place:?} reads back as set");
    }
    let replaced = other(desk, &format!("{kind}: the next"), &config, simulator.as_ref().map(|one| one.canary()).as_deref(), places);
    desk.try_ask("update_connection", json!({ "id": made["id"], "config": replaced })).await;
    test().await;
    for place in places {
        let mut cleared = json!({});
        form::put(&mut cleared, place, "".into());
        desk.try_ask("update_connection", json!({ "id": made["id"], "config": cleared })).await;
    }
    let mut moved = config.clone();
    moved["base_url"] = "http://127.0.0.1:9/v1".into();
    desk.try_ask("update_connection", json!({ "id": made["id"], "config": moved })).await;
    test().await;
    desk.ask("get_connection", id.clone()).await;
    let draft = json!({ "connector": kind, "name": "draft", "draft": true, "config": other(desk, &format!("{kind}: a draft's"), &config, None, places) });
    desk.ask("create_connection", draft).await;
    // Back to what works: for the conversation.
    desk.ask("update_connection", json!({ "id": made["id"], "config": config, "status": "active" })).await;
    simulator
}

/// Secrets in the wrong form, in the wrong place, in what is no JSON at all: refused, and not repeated.
async fn mistakes(desk: &Desk, kind: &str, config: &Value, places: &[Vec<String>]) {
    let secret = desk.hunt.plant(&format!("{kind}: one typed in a wrong way"));
    let with = |field: &str, value: Value| {
        let mut config = config.clone();
        config[field] = value;
        json!({ "connector": kind, "name": kind, "config": config })
    };
    let at_first = |value: Value| {
        let mut request = json!({ "connector": kind, "name": kind, "config": config });
        form::put(&mut request["config"], &places[0], value);
        request
    };
    let first = places[0][0].as_str();
    let wrong = [
        at_first(json!({ "value": secret })),
        at_first(json!([secret])),
        at_first(json!({ "set": secret })),
        at_first(json!(secret.repeat(900))),
        with("no_such_field", json!(secret)),
        with("base_url", json!(format!("http://user:{secret}@127.0.0.1:9/v1"))),
        with("base_url", json!({ "a": secret })),
        json!({ "connector": kind, "name": kind, "config": secret }),
        json!({ "connector": kind, "name": kind, "config": [secret] }),
        json!({ "connector": kind, "name": [secret], "config": {} }),
        json!({ "connector": kind, "name": kind, "config": {}, "api_key": secret }),
    ];
    desk.try_ask("create_connection", at_first(json!(format!("{secret}\u{0}\n{secret}")))).await;
    for request in wrong {
        let (status, answer) = desk.try_ask("create_connection", request).await;
        assert_eq!(status, 422, "{kind} takes it: {}", answer["error"]["message"]);
    }
    for body in
        [format!(r#"{{"connector":"{kind}","config":{{"{first}":"{secret}"}}"#), format!(r#"{{"config": {secret}}}"#), secret.clone()]
    {
        let (status, _) = desk.post("create_connection", body).await;
        assert!((400..500).contains(&status), "{kind}: no JSON");
    }
}

/// Customers write by webhook and by poll, agents and people answer, sends fail, files come in.
async fn talk(desk: &Desk) {
    let connections = desk.ask("list_connections", json!({})).await;
    let of = |kind: &str| {
        let items = connections["items"].as_array().unwrap();
        items.iter().find(|item| item["connector"] == kind && item["status"] == "active").unwrap_or_else(|| panic!("{kind}")).clone()
    };
    let agent = json!({ "name": "Nina", "instructions": "Answer.", "connection": of("openai")["id"] });
    let agent = desk.ask("create_agent", agent).await;
    desk.ask("set_default_agent", json!({ "agent": agent["id"] })).await;

    let telegram = TelegramSimulator::start().await.unwrap();
    let mut pushed = telegram.config();
    pushed["mode"] = "webhook".into();
    let channel = desk.ask("create_connection", json!({ "connector": "telegram", "name": "pushed", "config": pushed })).await;
    let hook = channel["webhook_url"].as_str().unwrap();
    assert!(hook.starts_with(&desk.public), "{hook}");
    desk.try_ask("register_webhook", json!({ "id": channel["id"] })).await;
    for request in telegram.signed(&ana("Tem bolo?")) {
        assert_eq!(desk.call(hook, &request).await, 200);
        assert_eq!(desk.call(hook, &request).await, 200, "a repeat");
        let mut forged = request.clone();
        for (_, value) in forged.headers.iter_mut().filter(|(name, _)| name.contains("secret")) {
            *value = desk.hunt.plant("the secret of a forged webhook");
        }
        assert_eq!(desk.call(hook, &forged).await, 401);
        let mut more = request.clone();
        more.body = "not JSON".into();
        for name in ["authorization", "cookie", "proxy-authorization"] {
            more.headers.push((name.into(), format!("Bearer {}", desk.hunt.plant(&format!("the header {name} of a webhook")))));
        }
        desk.call(hook, &more).await;
    }
    let talk = desk
        .until("the agent answered", "list_conversations", json!({ "connection": channel["id"] }), |item| item["preview_by"] == "agent")
        .await;
    telegram.send_file(&ana("veja"), "photo", "bolo.png", "image/png", PNG.into()).await.unwrap();

    let reply = |text: &str| json!({ "conversation": talk["id"], "content": [{ "type": "text", "text": text }], "client_key": text });
    desk.ask("send_reply", reply("Oi")).await;
    for (number, fault) in [
        Fault::RateLimit(Duration::from_secs(1)),
        Fault::ServerError,
        Fault::CutAfter,
        Fault::CutBefore,
        Fault::Refuse("chat not found".into()),
        Fault::Unauthorized,
    ]
    .into_iter()
    .enumerate()
    {
        telegram.fault(fault, 1);
        desk.ask("send_reply", reply(&format!("reply {number}"))).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    desk.until("an arrival is not understood", "list_arrivals", json!({}), |item| item["verdict"] == "not_understood").await;
    polled(desk).await;
}

/// A polled bot: messages and a file are fetched with the token in the address; then the service fails and refuses.
async fn polled(desk: &Desk) {
    let telegram = TelegramSimulator::start().await.unwrap();
    let mut config = telegram.config();
    config["mode"] = "polling".into();
    let channel = desk.ask("create_connection", json!({ "connector": "telegram", "name": "polled", "config": config })).await;
    let written = json!({ "connection": channel["id"] });
    telegram.say(&ana("oi"), None).await.unwrap();
    let talk = desk.until("the poll brought a message", "list_conversations", written, |item| item["preview_by"] == "agent").await;
    telegram.send_file(&ana("foto"), "photo", "bolo.png", "image/png", PNG.into()).await.unwrap();
    telegram.send_file(&ana("nota"), "document", "nota.txt", "text/plain", "pão".into()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(800)).await;
    let file = desk.ask("upload_media", json!({ "name": "a.png", "base64": PNG_TEXT })).await;
    let part = json!({ "type": "media", "kind": "image", "media": file["id"] });
    desk.try_ask("send_reply", json!({ "conversation": talk["id"], "content": [part] })).await;
    telegram.refuse_poll(502, "Bad Gateway", None);
    telegram.refuse_poll(429, "Too Many Requests", Some(1));
    telegram.refuse_poll(401, "Unauthorized", None);
    desk.until("the poll is refused", "list_connections", json!({}), |item| item["id"] == channel["id"] && item["status"] != "active")
        .await;
}

/// Passphrases: changed, wrong, too short.
async fn the_vault(desk: &Desk, passphrase: &str) {
    let next = desk.hunt.plant("the next passphrase");
    let wrong = desk.hunt.plant("a wrong passphrase");
    desk.try_ask("unlock_vault", json!({ "passphrase": wrong })).await;
    desk.try_ask("create_vault", json!({ "passphrase": wrong })).await;
    desk.try_ask("change_passphrase", json!({ "old": wrong, "passphrase": next })).await;
    desk.try_ask("change_passphrase", json!({ "old": [wrong], "passphrase": { "a": next } })).await;
    desk.ask("change_passphrase", json!({ "old": passphrase, "passphrase": next })).await;
    desk.ask("change_passphrase", json!({ "old": next, "passphrase": passphrase })).await;
    let login = json!({ "nonce": wrong }).to_string();
    desk.post("login", login).await;
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";
const PNG_TEXT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==";
