//! WhatsApp through Meta: the test, the webhook's three places, templates, and reports to advertising, against the simulator.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::sync::Arc;
use std::time::Duration;

use axum::extract::RawQuery;
use axum::http::StatusCode;
use serde_json::{Value, json};
use shopbell_connectors::whatsapp_meta::WhatsAppMeta;
use shopbell_connectors::whatsapp_meta::simulator::{APP, MetaSimulator};
use shopbell_core::clock::{Clock, SystemClock, Timestamp};
use shopbell_core::connector::{Account, Action, Conversion, Fault, GapKind, Request, ServiceError, Simulator, TemplateStatus, erase};
use shopbell_core::model::Address;

use self::link::{Desk, HOOK_KEY, said};

mod link;

async fn start() -> (MetaSimulator, Desk) {
    let simulator = MetaSimulator::start().await.unwrap();
    let desk = Desk::new(erase(WhatsAppMeta), simulator.config());
    (simulator, desk)
}

fn with(simulator: &MetaSimulator, changes: Value) -> Desk {
    let mut config = simulator.config();
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    Desk::new(erase(WhatsAppMeta), config)
}

async fn tested(desk: &Desk) -> Account {
    desk.connector.test(desk.link()).await.unwrap()
}

/// The checks that are not fulfilled.
fn not_yet(account: &Account) -> Vec<&str> {
    account.checks.iter().filter(|check| !check.ok).map(|check| check.text.as_str()).collect()
}

#[tokio::test]
async fn a_test_names_the_number_and_proves_every_step() {
    let (simulator, desk) = start().await;
    desk.channel().subscribe(desk.link(), &format!("https://shop.example/hooks/meta/{APP}")).await.unwrap();
    let account = tested(&desk).await;
    assert_eq!(account.name, "Pão Dourado (+55 11 5550-0783)");
    assert_eq!(not_yet(&account), Vec::<&str>::new());
    assert_eq!((&account.details["token_kind"], &account.details["token_expires_at"]), (&json!("system_user"), &Value::Null));
    drop(simulator);
}

#[tokio::test]
async fn a_token_that_ends_soon_or_may_too_little_is_named() {
    let (simulator, desk) = start().await;
    let seconds = SystemClock::new().now().millis() / 1000;
    simulator.set_token(&json!({ "type": "USER", "expires_at": seconds + 20 * 3600 }));
    let account = tested(&desk).await;
    assert_eq!(account.details["token_kind"], "temporary");
    assert!(not_yet(&account).iter().any(|text| text.contains("temporary one")), "{:?}", account.checks);

    simulator
        .set_token(&json!({ "type": "SYSTEM_USER", "expires_at": seconds + 6 * 24 * 3600, "scopes": ["whatsapp_business_management"] }));
    let account = tested(&desk).await;
    assert!(not_yet(&account).iter().any(|text| text.contains("lacks whatsapp_business_messaging")), "{:?}", account.checks);
    assert!(not_yet(&account).iter().any(|text| text.contains("ends on")), "{:?}", account.checks);
    assert_eq!(account.details["missing_permissions"], json!(["whatsapp_business_messaging"]));

    let granted = json!([{ "scope": "whatsapp_business_messaging", "target_ids": ["7"] }]);
    simulator.set_token(&json!({ "expires_at": 0, "app_id": "7", "granular_scopes": granted }));
    let account = tested(&desk).await;
    assert!(not_yet(&account).iter().any(|text| text.contains("may not use this WhatsApp Business account")), "{:?}", account.checks);
    assert!(not_yet(&account).iter().any(|text| text.contains("another app")), "{:?}", account.checks);
}

#[tokio::test]
async fn what_was_typed_wrong_is_said_of_that_field() {
    let (simulator, _) = start().await;
    let desk = with(&simulator, json!({ "phone_number": "+55 11 98888-0000", "display_name": "Outra", "graph_version": "v21.0" }));
    let account = tested(&desk).await;
    let said = not_yet(&account).join("\n");
    for words in ["not to the number that you typed", "not the one that you typed", "Version v21.0"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let desk = with(&simulator, json!({ "app_secret": "another-secret" }));
    let error = desk.connector.test(desk.link()).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Unauthorized(words) if words.to_string().contains("app secret")), "{error:?}");
    let desk = with(&simulator, json!({ "phone_number_id": "123" }));
    let error = desk.connector.test(desk.link()).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Permanent(words) if words.to_string().contains("under this id")), "{error:?}");

    let settings = |changes: Value| {
        let mut config = simulator.config();
        for (name, value) in changes.as_object().unwrap() {
            config[name] = value.clone();
        }
        desk.connector.settings(config).err().unwrap_or_default()
    };
    for (changes, field) in [
        (json!({ "phone_number": "11 99999-0000" }), "phone_number"),
        (json!({ "phone_number": " " }), "phone_number"),
        (json!({ "display_name": "" }), "display_name"),
        (json!({ "phone_number_id": "551155500783" }), "phone_number_id"),
        (json!({ "business_account_id": "../me" }), "business_account_id"),
        (json!({ "graph_version": "latest" }), "graph_version"),
        (json!({ "access_token": "my token" }), "access_token"),
        (json!({ "verify_token": " " }), "verify_token"),
    ] {
        let wrong = settings(changes);
        assert_eq!(wrong.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), [field]);
    }
}

/// A hub's public side: answers the handshake as the channel says.
async fn hook(desk: Arc<Desk>, path: &'static str) -> String {
    let answer = move |RawQuery(query): RawQuery| {
        let desk = desk.clone();
        async move {
            let request = Request { method: "GET".into(), query: query.unwrap_or_default(), ..Request::pulled("") };
            match desk.channel().challenge(&desk.settings, &request) {
                Some(Ok(challenge)) => (StatusCode::OK, challenge),
                _ => (StatusCode::FORBIDDEN, String::new()),
            }
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(axum::routing::get(answer))).await });
    url
}

#[tokio::test]
async fn the_shared_callback_is_registered_at_the_account_and_read_back() {
    let (simulator, desk) = start().await;
    let desk = Arc::new(desk);
    let path: &'static str = format!("/hooks/meta/{APP}").leak();
    let before = desk.channel().webhook_state(desk.link()).await.unwrap();
    assert_eq!((before.confirmed_url, &before.details["subscribed"]), (None, &json!(false)));
    simulator.set_callback("phone_number", "https://old.example/x");
    let url = hook(desk.clone(), path).await;
    let state = desk.channel().subscribe(desk.link(), &url).await.unwrap();
    assert_eq!(state.confirmed_url.as_deref(), Some(url.as_str()), "{state:?}");
    assert_eq!(state.details["level"], "whatsapp_business_account");
    assert_eq!((&state.details["app_callback_url"], &state.details["missing_fields"]), (&json!(url), &json!([])));
}

#[tokio::test]
async fn a_callback_of_its_own_stands_at_the_number_and_leaves_the_others_alone() {
    let (simulator, desk) = start().await;
    let desk = Arc::new(desk);
    simulator.set_callback("application", "https://crm.example/webhook");
    simulator.set_callback("whatsapp_business_account", "https://shop.example/hooks/of-another-number");
    let url = hook(desk.clone(), format!("/hooks/{HOOK_KEY}").leak()).await;
    let state = desk.channel().subscribe(desk.link(), &url).await.unwrap();
    assert_eq!(state.confirmed_url.as_deref(), Some(url.as_str()), "{state:?}");
    assert_eq!(state.details["level"], "phone_number");
    assert_eq!(state.details["app_callback_url"], "https://crm.example/webhook", "another program's callback stays");
    let missing = state.details["missing_fields"].as_array().unwrap();
    assert!(missing.contains(&json!("smb_message_echoes")) && !missing.contains(&json!("messages")));
    let journal = simulator.journal();
    let posts = journal.iter().filter(|call| call["method"] == "POST").map(|call| call["path"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(posts, ["/v25.0/106540352242922"], "the account's callback is not taken away from the other number");
}

#[tokio::test]
async fn a_callback_that_does_not_answer_is_not_registered() {
    let (simulator, desk) = start().await;
    let other = Arc::new(with(&simulator, json!({ "verify_token": "other words" })));
    let url = hook(other, format!("/hooks/meta/{APP}").leak()).await;
    let error = desk.channel().subscribe(desk.link(), &url).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Permanent(words) if words.to_string().contains("did not get the answer")), "{error:?}");
    let long = format!("https://shop.example/{}", "x".repeat(200));
    let error = desk.channel().subscribe(desk.link(), &long).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Permanent(words) if words.to_string().contains("200")), "{error:?}");
}

#[tokio::test]
async fn all_templates_are_listed_page_by_page() {
    let (_simulator, desk) = start().await;
    let templates = desk.channel().templates(desk.link()).await.unwrap();
    let listed: Vec<(&str, TemplateStatus)> = templates.iter().map(|template| (template.name.as_str(), template.status)).collect();
    let right = [
        ("order_ready", TemplateStatus::Approved),
        ("hello", TemplateStatus::Approved),
        ("winter", TemplateStatus::Paused),
        ("summer", TemplateStatus::Rejected),
    ];
    assert_eq!(listed, right);
    let gaps: Vec<(&str, GapKind)> = templates[0].gaps.iter().map(|gap| (gap.key.as_str(), gap.kind)).collect();
    assert_eq!(gaps, [("header.media", GapKind::Image), ("body.1", GapKind::Text), ("body.2", GapKind::Text), ("button.1", GapKind::Text)]);
}

fn conversion(event: &str, click_id: &str, at: Timestamp) -> Conversion {
    Conversion {
        id: "cv_1".into(),
        event: event.into(),
        at,
        click_id: click_id.into(),
        to: Address { connector: "whatsapp-meta".into(), scheme: "phone".into(), value: "+5511999990000".into() },
        value: Some(("BRL".into(), 250.0)),
    }
}

#[tokio::test]
async fn a_conversion_is_reported_once_in_seconds_and_only_with_a_click() {
    let (simulator, desk) = start().await;
    let now = SystemClock::new().now();
    desk.channel().report(desk.link(), &conversion("LeadSubmitted", "ARAkLk", now)).await.unwrap();
    let mut events = simulator.events();
    assert_eq!(events.len(), 1);
    events[0]["event_time"] = (events[0]["event_time"].as_i64().unwrap() - now.millis() / 1000).into();
    insta::assert_json_snapshot!(events);
    let week = Duration::from_secs(8 * 24 * 3600);
    let old = Timestamp::from_millis(now.millis() - i64::try_from(week.as_millis()).unwrap());
    for wrong in [conversion("LeadSubmitted", "", now), conversion("Lead", "ARAkLk", now), conversion("Purchase", "ARAkLk", old)] {
        let error = desk.channel().report(desk.link(), &wrong).await.unwrap_err();
        assert!(matches!(error, ServiceError::Permanent(_)), "{error:?}");
    }
    assert_eq!(simulator.events().len(), 1);
    simulator.fault(Fault::Code(200), 2);
    let error = desk.channel().report(desk.link(), &conversion("Purchase", "ARAkLk", now)).await.unwrap_err();
    assert_eq!(error.action(), Some(Action::GrantPermission));
    assert!(error.sentence().to_string().contains("whatsapp_business_manage_events"), "{error:?}");
}

#[tokio::test]
async fn every_code_is_met_with_what_helps() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "oi"));
    for (code, action) in [
        (190, Action::Reauthorise),
        (10, Action::GrantPermission),
        (131_047, Action::UseTemplate),
        (131_026, Action::Unreachable),
        (131_048, Action::SlowDown),
        (131_049, Action::NotToday),
        (131_051, Action::FixContent),
        (132_001, Action::FixTemplate),
        (131_042, Action::Pay),
        (131_031, Action::FixAccount),
        (133_010, Action::FixAccount),
    ] {
        simulator.fault(Fault::Code(code), 1);
        let error = desk.channel().send(desk.link(), &link::answer(&ana, link::text("oi"))).await.unwrap_err();
        assert_eq!(error.action(), Some(action), "{code}: {error:?}");
    }
    assert!(simulator.received().is_empty(), "nothing was tried again");
}
