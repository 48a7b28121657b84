//! WhatsApp through 360dialog beyond the contract: what differs from Meta's own, against its simulator.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use shopbell_connectors::whatsapp_360dialog::WhatsApp360Dialog;
use shopbell_connectors::whatsapp_360dialog::simulator::Dialog360Simulator;
use shopbell_core::connector::{
    Action, Event, Evidence, Fate, Fault, IncomingContent, Outgoing, Request, Said, SaidWhat, ServiceError, Simulator, TemplateStatus,
    erase,
};
use shopbell_core::model::{Choice, Content, MediaKind};

use self::link::{Desk, HOOK_KEY, answer, calls, said, text};

mod link;

async fn start() -> (Dialog360Simulator, Desk) {
    start_with(json!({})).await
}

async fn start_with(changes: Value) -> (Dialog360Simulator, Desk) {
    let simulator = Dialog360Simulator::start().await.unwrap();
    let mut config = simulator.config();
    for (name, value) in changes.as_object().unwrap() {
        config[name] = value.clone();
    }
    let desk = Desk::new(erase(WhatsApp360Dialog), config);
    (simulator, desk)
}

/// A hook that keeps what it is sent.
async fn hook() -> (String, Arc<Mutex<Vec<(HeaderMap, Bytes)>>>) {
    let taken: Arc<Mutex<Vec<(HeaderMap, Bytes)>>> = Arc::default();
    let kept = taken.clone();
    let take = move |headers: HeaderMap, body: Bytes| {
        kept.lock().unwrap().push((headers, body));
        async { StatusCode::OK }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/{HOOK_KEY}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(axum::routing::post(take))).await });
    (url, taken)
}

#[tokio::test]
async fn a_secret_is_made_registered_and_asked_of_every_request() {
    let (simulator, desk) = start_with(json!({ "webhook_secret": null })).await;
    let (url, taken) = hook().await;
    let before = desk.channel().webhook_state(desk.link()).await.unwrap();
    assert_eq!(before.confirmed_url, None, "a number that never had one");
    let state = desk.channel().subscribe(desk.link(), &url).await.unwrap();
    assert_eq!(state.confirmed_url.as_deref(), Some(url.as_str()));
    assert_eq!((&state.details["is_ours"], &state.details["secret_set"]), (&json!(true), &json!(true)));
    simulator.say(&said("5511999990000", "oi"), None).await.unwrap();
    let (headers, body) = taken.lock().unwrap().remove(0);
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let request = Request { headers, ..Request::pulled(body.to_vec()) };
    assert_eq!(desk.channel().verify(&desk.settings, &request), Ok(()));
    let secret = request.header("x-shopbell-secret").unwrap();
    assert!(secret.len() >= 32 && !secret.contains("canary"), "128 bits and more, and not the key itself");
    let (_, stranger) = start().await;
    assert!(stranger.channel().verify(&stranger.settings, &request).is_err(), "another connection's secret");
    assert!(desk.channel().verify(&desk.settings, &Request::pulled(body.to_vec())).is_err(), "none at all");
    let account = desk.connector.test(desk.link()).await.unwrap();
    assert!(account.checks.iter().all(|check| check.ok), "{account:?}");
}

#[tokio::test]
async fn another_programs_webhook_is_taken_over_only_when_asked_for() {
    let (simulator, desk) = start().await;
    simulator.set_hook("https://crm.example/360");
    let url = format!("https://shop.example/hooks/{HOOK_KEY}");
    let error = desk.channel().subscribe(desk.link(), &url).await.unwrap_err();
    assert!(error.sentence().to_string().contains("crm.example"), "{error:?}");
    let account = desk.connector.test(desk.link()).await.unwrap();
    assert!(account.checks.iter().any(|check| !check.ok && check.text.contains("another program")));
    let state = desk.channel().webhook_state(desk.link()).await.unwrap();
    assert_eq!(state.confirmed_url.as_deref(), Some("https://crm.example/360"), "nothing was changed");

    let mut config = simulator.config();
    config["take_over"] = true.into();
    let desk = Desk::new(erase(WhatsApp360Dialog), config);
    let state = desk.channel().subscribe(desk.link(), &url).await.unwrap();
    assert_eq!(state.confirmed_url.as_deref(), Some(url.as_str()));
    assert_eq!(state.details["previous_url"], "https://crm.example/360", "so that it can be put back");
    // Our own old address is simply replaced.
    simulator.set_hook(&format!("https://old-tunnel.example/hooks/{HOOK_KEY}"));
    let lost = desk.channel().webhook_state(desk.link()).await.unwrap();
    assert!(lost.last_error.is_some(), "it leads to us without our secret: {lost:?}");
    desk.channel().subscribe(desk.link(), &url).await.unwrap();
}

#[tokio::test]
async fn messages_go_both_ways_as_everywhere_on_whatsapp() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "Olá"));
    assert_eq!((ana.from.connector.as_str(), ana.thread.as_str()), ("whatsapp-360dialog", "5511999990000"));
    let option = |id: &str, label: &str| Choice { id: id.into(), label: label.into(), url: None, description: None };
    let voice = Content::Media {
        kind: MediaKind::Voice,
        media: desk.store("audio/ogg", None, b"OggS".to_vec()),
        caption: None,
        filename: None,
        mime: "audio/ogg".into(),
        bytes: 4,
        duration_ms: None,
        wave: None,
    };
    let template = Content::Template {
        id: String::new(),
        name: "hello".into(),
        language: "pt_BR".into(),
        values: [("body.name".to_owned(), "Ana".to_owned())].into(),
        text: String::new(),
    };
    let choices = Content::Choices { text: "Quer?".into(), options: vec![option("y", "Sim"), option("n", "Não")] };
    let first = answer(&ana, text("**Oi**"));
    let id = desk.channel().send(desk.link(), &first).await.unwrap().external_id;
    for content in [voice, template, choices] {
        desk.channel().send(desk.link(), &answer(&ana, content)).await.unwrap();
    }
    let words: Vec<String> = simulator.received().into_iter().map(|(_, words)| words).collect();
    assert_eq!(words, ["*Oi*", "", "Olá, Ana!", "Quer?"]);
    let sent = simulator.world().sent();
    assert_eq!(sent[1].body["audio"]["voice"], true);
    assert_eq!(sent[2].body["template"]["language"], json!({ "code": "pt_BR", "policy": "deterministic" }));
    desk.channel().typing(desk.link(), &ana.thread, Some(&ana.external_id)).await.unwrap();
    desk.channel().mark_read(desk.link(), &ana.thread, &ana.external_id).await.unwrap();
    assert_eq!(simulator.world().told().1, std::slice::from_ref(&ana.external_id));
    let Event::Status { delivery, status, .. } = desk.read(&simulator.fate(&id, &Fate::Delivered)[0]).remove(0) else { panic!() };
    assert_eq!((delivery, status), (Some(first.delivery), Evidence::Delivered));
}

#[tokio::test]
async fn what_leaves_is_the_cloud_apis_with_one_key_and_no_number_in_the_address() {
    let (simulator, desk) = start().await;
    let option = |id: &str, label: &str, description: Option<&str>| Choice {
        id: id.into(),
        label: label.into(),
        url: None,
        description: description.map(str::to_owned),
    };
    let template = Content::Template {
        id: String::new(),
        name: "hello".into(),
        language: "pt_BR".into(),
        values: [("body.name".to_owned(), "Ana".to_owned())].into(),
        text: String::new(),
    };
    let ana = desk.first_word(&simulator, &said("5511999990000", "Olá"));
    desk.channel().mark_read(desk.link(), &ana.thread, &ana.external_id).await.unwrap();
    desk.channel().typing(desk.link(), &ana.thread, Some(&ana.external_id)).await.unwrap();
    let contents = [
        text("**Oi**"),
        template,
        Content::Choices { text: "Quer?".into(), options: vec![option("y", "Sim", None), option("n", "Não", None)] },
        Content::Choices { text: "Qual?".into(), options: vec![option("a", "Rústico", Some("R$ 12")), option("b", "Francês", None)] },
        Content::Location { latitude: -23.5, longitude: -46.6, name: Some("Padaria".into()), address: None },
        Content::Reaction { emoji: "👍".into(), target: ana.external_id.clone() },
    ];
    for content in contents {
        let reply = Outgoing { reply_to: Some(ana.external_id.clone()), ..answer(&ana, content) };
        desk.channel().send(desk.link(), &reply).await.unwrap();
    }
    let hidden = desk.first_word(&simulator, &said("BR.13491208655302741918", "oi"));
    desk.channel().send(desk.link(), &answer(&hidden, text("Olá"))).await.unwrap();
    insta::assert_json_snapshot!(calls(&simulator), { "[].body.biz_opaque_callback_data" => "dlv_…" });
}

#[tokio::test]
async fn a_file_comes_through_the_sellers_host_and_a_refusal_is_never_tried_again() {
    let (simulator, desk) = start().await;
    let photo = SaidWhat::File { kind: MediaKind::Image, bytes: vec![7; 3000].into(), mime: "image/jpeg".into(), filename: None };
    let Event::Message(mut received) = desk.read(&simulator.signed(&Said { what: photo, ..said("5511", "foto") })[0]).remove(0) else {
        panic!()
    };
    let IncomingContent::Media(remote) = received.content.remove(0) else { panic!() };
    let fetch = async |reference: &str| desk.channel().fetch_media(desk.link(), reference).await;
    assert_eq!(fetch(&remote.reference).await.unwrap().bytes.len(), 3000, "Meta's link, unescaped, through the simulator's own host");
    for number in 0..4 {
        let error = fetch("unknown").await.unwrap_err();
        assert!(matches!(error, ServiceError::Permanent(_)), "{number}: {error:?}");
    }
    assert_eq!(simulator.failed_files(), 4, "one question for each");
    let error = fetch(&remote.reference).await.unwrap_err();
    assert!(matches!(error, ServiceError::RateLimited { retry_after: Some(wait) } if wait.as_secs() > 3500), "{error:?}");
    assert_eq!(simulator.failed_files(), 4, "the fifth is not asked: the number's files stay open");
}

#[tokio::test]
async fn both_shapes_of_refusal_say_what_helps() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "Olá"));
    let send = async || desk.channel().send(desk.link(), &answer(&ana, text("oi"))).await;
    simulator.fault(Fault::Unauthorized, 1);
    let error = send().await.unwrap_err();
    assert!(matches!(&error, ServiceError::Unauthorized(words) if words.to_string().contains("360dialog")), "{error:?}");
    simulator.fault(Fault::Code(131_047), 1);
    assert_eq!(send().await.unwrap_err().action(), Some(Action::UseTemplate));
    simulator.fault(Fault::Code(190), 1);
    let error = send().await.unwrap_err();
    assert!(
        matches!(&error, ServiceError::Unauthorized(words) if words.to_string().contains("360dialog")),
        "the owner has no token of Meta's: {error:?}"
    );
    simulator.fault(Fault::Refuse("Messages blocked due to lack of payment".into()), 1);
    assert_eq!(send().await.unwrap_err().action(), Some(Action::Pay));
    simulator.fault(Fault::RateLimit(std::time::Duration::from_secs(1)), 1);
    assert!(matches!(send().await.unwrap_err(), ServiceError::RateLimited { retry_after: Some(_) }));
    assert!(simulator.received().is_empty());
}

#[tokio::test]
async fn templates_are_listed() {
    let (_simulator, desk) = start().await;
    let templates = desk.channel().templates(desk.link()).await.unwrap();
    let listed: Vec<(&str, TemplateStatus)> = templates.iter().map(|template| (template.name.as_str(), template.status)).collect();
    assert_eq!(
        listed[..3],
        [("order_ready", TemplateStatus::Approved), ("hello", TemplateStatus::Approved), ("winter", TemplateStatus::Paused)]
    );
}
