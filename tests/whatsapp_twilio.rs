//! WhatsApp through Twilio beyond the contract: every kind of content, the webhook and its retries, the list of messages, files,
//! templates, and the question whether something was sent, against its simulator.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::StatusCode;
use proptest::prelude::*;
use serde_json::{Value, json};
use shopbell_connectors::twilio::simulator::TwilioSimulator;
use shopbell_connectors::whatsapp_twilio::{LINE, WhatsAppTwilio};
use shopbell_core::connector::{
    Action, Event, Evidence, Fate, Fault, IncomingContent, IncomingMessage, Outgoing, Request, Said, SaidWhat, ServiceError, Simulator,
    Sink, TemplateStatus, erase,
};
use shopbell_core::model::{Card, Choice, Content, MediaKind};

use self::link::{Basket, Desk, HOOK_KEY, answer, said, text};

mod link;

const HOOK: &str = "https://shop.example/hooks/0123456789abcdef0123456789abcdef";

async fn start() -> (TwilioSimulator, Desk) {
    start_with(json!({})).await
}

async fn start_with(more: Value) -> (TwilioSimulator, Desk) {
    let simulator = TwilioSimulator::start(LINE).await.unwrap();
    let mut config = simulator.config();
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let desk = Desk::new(erase(WhatsAppTwilio), config);
    (simulator, desk)
}

async fn send(desk: &Desk, message: &Outgoing) -> Result<String, ServiceError> {
    desk.channel().send(desk.link(), message).await.map(|receipt| receipt.external_id)
}

/// The forms of the calls that made messages.
fn made(simulator: &dyn Simulator) -> Vec<BTreeMap<String, String>> {
    let calls = simulator
        .journal()
        .into_iter()
        .filter(|call| call["method"] == "POST" && call["path"].as_str().unwrap().ends_with("Messages.json"));
    calls.map(|call| url::form_urlencoded::parse(call["body"].as_str().unwrap().as_bytes()).into_owned().collect()).collect()
}

fn message(desk: &Desk, request: &Request) -> IncomingMessage {
    let found = desk.read(request).into_iter().find_map(|event| if let Event::Message(message) = event { Some(message) } else { None });
    found.expect("a message")
}

fn does(what: SaidWhat, words: &str) -> Said {
    Said { what, ..said("5511999990000", words) }
}

fn file(kind: MediaKind, mime: &str, bytes: Vec<u8>) -> SaidWhat {
    SaidWhat::File { kind, bytes: bytes.into(), mime: mime.into(), filename: None }
}

fn media(kind: MediaKind, id: &shopbell_core::id::MediaId, caption: Option<&str>, mime: &str, bytes: u64) -> Content {
    Content::Media {
        kind,
        media: id.clone(),
        caption: caption.map(str::to_owned),
        filename: None,
        mime: mime.into(),
        bytes,
        duration_ms: None,
        wave: None,
    }
}

#[tokio::test]
async fn everything_that_a_customer_can_do_comes_in() {
    let (simulator, desk) = start().await;
    let came = |what, words: &str| message(&desk, &simulator.signed(&does(what, words)).remove(0));
    let first = came(SaidWhat::Text, "Olá 🥖");
    assert_eq!((first.thread.as_str(), first.from.scheme.as_str(), first.name.as_deref()), ("+5511999990000", "phone", Some("Ana")));
    let location = came(SaidWhat::Location { latitude: -23.5, longitude: -46.6 }, "Padaria");
    let place = Content::Location { latitude: -23.5, longitude: -46.6, name: Some("Padaria".into()), address: None };
    assert_eq!(location.content, [IncomingContent::Content(place)]);
    let pressed = came(SaidWhat::Press { id: "yes_1".into() }, "Sim");
    assert_eq!(pressed.content, [IncomingContent::Content(Content::Chosen { id: "yes_1".into(), label: "Sim".into() })]);
    assert_eq!(came(SaidWhat::Reply { target: first.external_id.clone() }, "isso").reply_to, Some(first.external_id));
    assert!(came(SaidWhat::Forwarded, "vejam").forwarded);
    let referral = came(SaidWhat::FromAd { click_id: "ARA".into() }, "quero").referral.unwrap();
    assert_eq!((referral.click_id.as_deref(), referral.kind.as_str()), (Some("ARA"), "ad"));
    let unsupported = came(SaidWhat::Unsupported, "");
    assert_eq!(unsupported.content, [IncomingContent::Content(Content::Unsupported { kind: "unsupported".into() })]);
    for (kind, mime) in [
        (MediaKind::Image, "image/jpeg"),
        (MediaKind::Voice, "audio/ogg"),
        (MediaKind::Audio, "audio/mpeg"),
        (MediaKind::Video, "video/mp4"),
        (MediaKind::Document, "application/pdf"),
        (MediaKind::Sticker, "image/webp"),
    ] {
        let came = came(file(kind, mime, vec![7; 300]), "");
        let IncomingContent::Media(media) = &came.content[0] else { panic!("{came:?}") };
        assert_eq!((media.kind, media.mime.as_str()), (kind, mime));
        let fetched = desk.channel().fetch_media(desk.link(), &media.reference).await.unwrap();
        assert_eq!((fetched.bytes.len(), fetched.mime.as_deref()), (300, Some(mime)));
    }
    let card = came(SaidWhat::Card { name: "Bo".into(), phone: "+5511977776666".into() }, "");
    let IncomingContent::Media(media) = &card.content[0] else { panic!("{card:?}") };
    let fetched = desk.channel().fetch_media(desk.link(), &media.reference).await.unwrap();
    assert!(String::from_utf8_lossy(&fetched.bytes).contains("TEL;TYPE=CELL:+5511977776666"));

    let hidden = message(&desk, &simulator.signed(&said("US.1349abc", "oi")).remove(0));
    assert_eq!((hidden.thread.as_str(), hidden.from.scheme.as_str()), ("US.1349abc", "bsuid"));
    let sent = send(&desk, &answer(&hidden, text("oi"))).await.unwrap();
    assert!(sent.starts_with("SM"), "who hides their number can be answered: {sent}");
}

/// A public side that has every file.
async fn file_server(bytes: &'static [u8], mime: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let route = axum::routing::get(move || async move { ([("content-type", mime)], bytes) });
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/media/{id}", route)).await });
    base
}

#[tokio::test]
async fn every_kind_of_content_leaves_as_twilio_wants_it() {
    let (simulator, desk) = start().await;
    let base = file_server(b"\x89PNG", "image/png").await;
    desk.reached_at(&base);
    simulator.set_contents(vec![json!({ "sid": "HX1", "types": { "twilio/text": { "body": "Oi {{1}}, até {{2}}" } } })]);
    let ana = desk.first_word(&simulator, &said("5511999990000", "hello"));
    let picture = desk.store("image/png", None, b"\x89PNG".to_vec());
    let values = [("1", "Ana"), ("2", "amanhã")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let choice = |id: &str, label: &str, url: Option<&str>| Choice {
        id: id.into(),
        label: label.into(),
        url: url.map(str::to_owned),
        description: None,
    };
    let contents = [
        text("We are **open** 🕘"),
        Content::Choices {
            text: "Which?".into(),
            options: vec![choice("a", "Rye", None), choice("", "Menu", Some("https://shop.example/m"))],
        },
        media(MediaKind::Image, &picture, Some("our new bread"), "image/png", 4),
        media(MediaKind::Voice, &picture, None, "audio/ogg", 4),
        Content::Location { latitude: -23.5, longitude: -46.6, name: Some("Padaria | nova".into()), address: Some("Rua A, 1".into()) },
        Content::Location { latitude: -23.5, longitude: -46.6, name: None, address: None },
        Content::Contacts { contacts: vec![Card { name: "Bo".into(), phones: vec!["+5511999990000".into()] }] },
        Content::Template { id: "HX1".into(), name: "hi".into(), language: "pt_BR".into(), values: values.into(), text: String::new() },
    ];
    let mut deliveries = Vec::new();
    for content in contents {
        let message = answer(&ana, content);
        deliveries.push(message.delivery.to_string());
        send(&desk, &message).await.unwrap();
    }
    let mut forms = made(&simulator);
    for (form, delivery) in forms.iter_mut().zip(deliveries) {
        let callback = form.remove("StatusCallback").unwrap();
        assert_eq!(callback, format!("{base}/hooks/{HOOK_KEY}/status?delivery={delivery}#rc=3&rp=all"));
        if let Some(url) = form.get_mut("MediaUrl") {
            assert_eq!(*url, format!("{base}/media/{picture}"));
            *url = "<the file>".into();
        }
    }
    insta::assert_json_snapshot!("whatsapp_twilio_sends", forms);
    let received: Vec<String> = simulator.received().into_iter().map(|(_, text)| text).collect();
    assert_eq!(received.last().map(String::as_str), Some("Oi Ana, até amanhã"));
    assert_eq!(
        simulator.fetched(),
        [("image/png".to_owned(), b"\x89PNG".to_vec().into()), ("image/png".to_owned(), b"\x89PNG".to_vec().into())]
    );
}

#[tokio::test]
async fn what_cannot_leave_is_said_before_twilio_is_asked() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "hello"));
    let picture = desk.store("image/png", None, vec![1; 10]);
    let refused = async |content: Content| match send(&desk, &answer(&ana, content)).await.unwrap_err() {
        ServiceError::Refused { action, sentence } => (Some(action), sentence.to_string()),
        ServiceError::Permanent(sentence) => (None, sentence.to_string()),
        other => panic!("{other:?}"),
    };
    let (action, words) = refused(media(MediaKind::Image, &picture, None, "image/png", 10)).await;
    assert!(action == Some(Action::FixContent) && words.contains("public web address"), "{words}");
    desk.reached_at("http://127.0.0.1:9");
    let (action, words) = refused(media(MediaKind::Video, &picture, None, "video/mp4", 20 << 20)).await;
    assert!(action == Some(Action::FixContent) && words.contains("20 MB") && words.contains("16 MB"), "{words}");
    let (action, _) = refused(media(MediaKind::Voice, &picture, Some("words"), "audio/ogg", 10)).await;
    assert_eq!(action, Some(Action::FixContent), "words beside a voice message would be lost");
    let (action, words) = refused(text(&"é".repeat(1601))).await;
    assert!(action == Some(Action::FixContent) && words.contains("1600"), "{words}");
    assert_eq!(refused(text("  ")).await.0, None);
    assert_eq!(refused(Content::Reaction { emoji: "👍".into(), target: ana.external_id.clone() }).await.0, None);
    let nameless =
        Content::Template { id: " ".into(), name: "x".into(), language: "pt".into(), values: BTreeMap::new(), text: String::new() };
    assert_eq!(refused(nameless).await.0, Some(Action::FixTemplate));
    assert_eq!(made(&simulator).len(), 0, "nothing was asked");
    send(&desk, &answer(&ana, text(&"é".repeat(1600)))).await.unwrap();
}

#[tokio::test]
async fn an_address_that_only_this_computer_knows_is_not_told_to_twilio() {
    let desk = Desk::new(erase(WhatsAppTwilio), {
        let mut config = TwilioSimulator::start(LINE).await.unwrap().config();
        config.as_object_mut().unwrap().remove("base_url");
        config
    });
    desk.reached_at("http://127.0.0.1:7411");
    assert_eq!(desk.link().hook_url(), None);
    desk.reached_at("https://shop.example");
    assert_eq!(desk.link().hook_url().as_deref(), Some(HOOK));
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "hello"));
    for (code, action) in [
        (63016, Action::UseTemplate),
        (63024, Action::Unreachable),
        (63015, Action::Unreachable),
        (63032, Action::NotToday),
        (63019, Action::FixContent),
        (63007, Action::FixAccount),
        (21610, Action::Blocked),
        (21408, Action::GrantPermission),
        (63041, Action::FixTemplate),
    ] {
        simulator.fault(Fault::Code(code), 1);
        let error = send(&desk, &answer(&ana, text("hi"))).await.unwrap_err();
        assert_eq!(error.action(), Some(action), "{code}: {error:?}");
        assert!(matches!(error, ServiceError::Refused { .. }), "{code}: {error:?}");
    }
    simulator.fault(Fault::Code(63018), 1);
    let error = send(&desk, &answer(&ana, text("hi"))).await.unwrap_err();
    assert!(matches!(error, ServiceError::RateLimited { retry_after: Some(_) }), "{error:?}");
    let stranger = IncomingMessage { thread: "not a number".into(), ..ana.clone() };
    let error = send(&desk, &answer(&stranger, text("hi"))).await.unwrap_err();
    assert_eq!(error.action(), Some(Action::Unreachable), "{error:?}");
    assert_eq!(simulator.received(), [], "nothing of it arrived");
}

#[tokio::test]
async fn what_became_of_a_message_is_told_under_both_of_its_names() {
    let (simulator, desk) = start().await;
    desk.reached_at("http://127.0.0.1:9");
    let ana = desk.first_word(&simulator, &said("5511999990000", "hello"));
    let outgoing = answer(&ana, text("hi"));
    let sid = send(&desk, &outgoing).await.unwrap();
    for (fate, expected) in [(Fate::Sent, Evidence::Sent), (Fate::Delivered, Evidence::Delivered), (Fate::Read, Evidence::Read)] {
        let request = simulator.fate(&sid, &fate).remove(0);
        assert_eq!(request.path, "status", "below the hook");
        let [Event::Status { external_id, delivery, status, .. }] = &desk.read(&request)[..] else { panic!("{fate:?}") };
        assert_eq!((external_id, delivery.as_ref(), status), (&sid, Some(&outgoing.delivery), &expected));
    }
    // The window closed: Twilio takes the message and says so later.
    simulator.close_window("5511999990000");
    let late = send(&desk, &answer(&ana, text("late"))).await.unwrap();
    let request = simulator.fate(&late, &Fate::Failed(63016)).remove(0);
    let [Event::Status { status: Evidence::Failed { action, reason }, .. }] = &desk.read(&request)[..] else { panic!("no failure") };
    assert_eq!(*action, Some(Action::UseTemplate));
    assert!(reason.to_string().contains("24 hours"), "{reason}");
    assert_eq!(simulator.received().len(), 1, "the late one did not arrive");
    // Our own name in an address that was tampered with proves nothing.
    let mut forged = simulator.fate(&sid, &Fate::Read).remove(0);
    forged.url = forged.url.replace("delivery=dlv_", "delivery=dlv_x");
    assert!(desk.channel().verify(&desk.settings, &forged).is_err());
}

#[tokio::test]
async fn after_a_lost_answer_twilios_list_tells_whether_it_was_sent() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "hello"));
    let bo = desk.first_word(&simulator, &said("5511988880000", "hello"));
    // The same words earlier, and to somebody else, are other messages.
    let earlier = send(&desk, &answer(&ana, text("São 5 reais."))).await.unwrap();
    simulator.age(&earlier, Duration::from_secs(600));
    send(&desk, &answer(&bo, text("São 5 reais."))).await.unwrap();
    let asked = answer(&ana, text("São 5 reais."));
    let found = desk.channel().reconcile(desk.link(), &asked).await.unwrap();
    assert_eq!(found, None, "it was never sent");

    simulator.fault(Fault::CutAfter, 1);
    assert!(matches!(send(&desk, &asked).await, Err(ServiceError::Ambiguous)));
    let found = desk.channel().reconcile(desk.link(), &asked).await.unwrap().expect("it was sent");
    let last = simulator.messages().pop().unwrap();
    assert_eq!(json!(found.external_id), last["sid"]);
    assert_eq!(simulator.received().iter().filter(|(thread, _)| *thread == ana.thread).count(), 2, "and not again");

    let picture = desk.store("image/png", None, vec![1; 10]);
    let base = file_server(b"\x89PNG", "image/png").await;
    desk.reached_at(&base);
    let asked = answer(&ana, media(MediaKind::Image, &picture, None, "image/png", 10));
    assert_eq!(desk.channel().reconcile(desk.link(), &asked).await.unwrap(), None);
    simulator.fault(Fault::CutAfter, 1);
    assert!(matches!(send(&desk, &asked).await, Err(ServiceError::Ambiguous)));
    assert!(desk.channel().reconcile(desk.link(), &asked).await.unwrap().is_some());
}

#[tokio::test]
async fn the_senders_webhook_is_registered_with_retries_and_read_back() {
    let (simulator, desk) = start().await;
    let state = desk.channel().webhook_state(desk.link()).await.unwrap();
    assert_eq!(state.confirmed_url, None);
    let account = desk.connector.test(desk.link()).await.unwrap();
    assert!(account.checks.iter().any(|check| !check.ok && check.text.contains("not registered")), "{account:?}");
    let state = desk.channel().subscribe(desk.link(), HOOK).await.unwrap();
    assert_eq!(state.confirmed_url.as_deref(), Some(HOOK), "without what is for Twilio alone");
    assert_eq!(state.details["status_callback"], format!("{HOOK}/status"));
    assert_eq!(simulator.registered(), Some(format!("{HOOK}#rc=3&rp=all")));
    let account = desk.connector.test(desk.link()).await.unwrap();
    assert_eq!(account.name, "+5511988887777 (Padaria Pão Dourado)");
    assert_eq!(account.details["webhook_is_ours"], true);
    assert!(account.checks.iter().all(|check| check.ok), "{account:?}");
    let calls = simulator.journal();
    let registered = calls.iter().find(|call| call["method"] == "POST").unwrap();
    assert_eq!(registered["body"]["webhook"]["callback_method"], "POST");
    desk.channel().subscribe(desk.link(), "https://other.example/hooks/aaaa").await.unwrap();
    let account = desk.connector.test(desk.link()).await.unwrap();
    assert!(account.checks.iter().any(|check| !check.ok && check.text.contains("another program")), "{account:?}");
}

#[tokio::test]
async fn where_twilio_has_no_way_to_register_it_is_said_what_to_paste() {
    let (_simulator, desk) = start_with(json!({ "phone_number": "+1 (415) 523-8886" })).await;
    let error = desk.channel().subscribe(desk.link(), HOOK).await.unwrap_err();
    let words = error.to_string();
    assert!(words.contains(&format!("{HOOK}#rc=3&rp=all")) && words.contains(&format!("{HOOK}/status#rc=3")), "{words}");
    assert!(words.contains("Sandbox settings") && words.contains("When a message comes in"), "{words}");
    assert_eq!(desk.channel().webhook_state(desk.link()).await.unwrap().confirmed_url, None);

    let (_simulator, desk) = start_with(json!({ "phone_number": "+5511900000000" })).await;
    let error = desk.channel().subscribe(desk.link(), HOOK).await.unwrap_err();
    assert!(error.to_string().contains("+5511900000000") && error.action() == Some(Action::FixAccount), "{error}");

    let (_simulator, desk) = start_with(json!({ "mode": "polling" })).await;
    let error = desk.channel().subscribe(desk.link(), HOOK).await.unwrap_err();
    assert!(matches!(error, ServiceError::Permanent(_)), "{error}");
}

#[tokio::test]
async fn a_number_of_a_messaging_service_is_registered_there() {
    let service = "MG0123456789abcdef0123456789abcdef";
    let (simulator, desk) = start_with(json!({ "messaging_service_sid": service })).await;
    let state = desk.channel().subscribe(desk.link(), HOOK).await.unwrap();
    assert_eq!((state.confirmed_url.as_deref(), &state.details["messaging_service"]), (Some(HOOK), &json!(service)));
    let ana = desk.first_word(&simulator, &said("5511999990000", "hello"));
    send(&desk, &answer(&ana, text("hi"))).await.unwrap();
    assert_eq!(
        (made(&simulator)[0]["MessagingServiceSid"].as_str(), made(&simulator)[0]["From"].as_str()),
        (service, "whatsapp:+5511988887777")
    );
}

/// A hook that refuses its first calls.
async fn moody_hook(refusals: usize) -> (String, Arc<Mutex<Vec<String>>>) {
    let taken: Arc<Mutex<Vec<String>>> = Arc::default();
    let (kept, left) = (taken.clone(), Arc::new(AtomicUsize::new(refusals)));
    let answer = move |body: String| {
        let refuse = left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok();
        kept.lock().unwrap().push(body);
        async move { if refuse { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK } }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/k", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/hooks/k", axum::routing::post(answer))).await });
    (url, taken)
}

#[tokio::test]
async fn the_simulator_tries_a_webhook_as_often_as_its_address_says() {
    let (simulator, _) = start().await;
    let (url, taken) = moody_hook(2).await;
    simulator.say(&said("1", "hi"), Some(&format!("{url}#rc=3&rp=all"))).await.unwrap();
    let taken = taken.lock().unwrap().clone();
    assert_eq!((taken.len(), taken[0] == taken[2]), (3, true), "the same call, twice more");
    let (url, taken) = moody_hook(1).await;
    simulator.say(&said("1", "hi"), Some(&url)).await.expect_err("by itself Twilio does not repeat what was answered");
    assert_eq!(taken.lock().unwrap().len(), 1);
}

/// A sink that knows some messages already, as the hub does.
#[derive(Default)]
struct Hub {
    basket: Basket,
    known: Mutex<HashSet<String>>,
}

#[async_trait]
impl Sink for Hub {
    async fn accept(&self, requests: Vec<Request>, cursor: Option<String>) -> anyhow::Result<()> {
        self.basket.accept(requests, cursor).await
    }

    async fn alive(&self) {
        self.basket.alive().await;
    }

    async fn missing(&self, external_ids: Vec<String>) -> anyhow::Result<Vec<String>> {
        let known = self.known.lock().unwrap();
        Ok(external_ids.into_iter().filter(|id| !known.contains(id)).collect())
    }
}

/// Reads the list once.
async fn read_once(desk: &Desk, cursor: Option<&str>, hub: &Hub) -> Result<(Vec<Request>, Option<String>), ServiceError> {
    let before = hub.basket.alive.load(Ordering::Acquire);
    let listening = desk.channel().listen(desk.link(), cursor.map(str::to_owned), hub);
    let read = async {
        while hub.basket.alive.load(Ordering::Acquire) == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        result = listening => return Err(result.unwrap_err()),
        () = read => {}
        () = tokio::time::sleep(Duration::from_secs(10)) => panic!("the list was not read"),
    }
    let taken = std::mem::take(&mut *hub.basket.taken.lock().unwrap());
    let cursor = taken.last().and_then(|(_, cursor)| cursor.clone());
    Ok((taken.into_iter().flat_map(|(requests, _)| requests).collect(), cursor))
}

#[tokio::test]
async fn without_a_webhook_the_list_brings_everything_under_the_same_names() {
    let (simulator, desk) = start_with(json!({ "mode": "polling" })).await;
    let mut names = Vec::new();
    for (what, words) in [
        (SaidWhat::Text, "um"),
        (file(MediaKind::Image, "image/jpeg", vec![9; 50]), "dois"),
        (SaidWhat::Location { latitude: 1.0, longitude: 2.0 }, "três"),
    ] {
        names.push(message(&desk, &simulator.signed(&does(what, words)).remove(0)).external_id);
    }
    let hub = Hub::default();
    let (requests, cursor) = read_once(&desk, Some("1"), &hub).await.unwrap();
    let came: Vec<IncomingMessage> = requests.iter().map(|request| message(&desk, request)).collect();
    assert_eq!(came.iter().map(|message| message.external_id.clone()).collect::<Vec<_>>(), names, "oldest first, under Twilio's names");
    assert_eq!(came[0].content, [IncomingContent::Content(text("um"))]);
    assert!(came[0].sent_at.millis() > 1_700_000_000_000, "the list says when");
    let IncomingContent::Media(media) = &came[1].content[0] else { panic!("{:?}", came[1]) };
    assert_eq!(
        (media.caption.as_deref(), desk.channel().fetch_media(desk.link(), &media.reference).await.unwrap().bytes.len()),
        (Some("dois"), 50)
    );
    assert_eq!(came[2].content, [IncomingContent::Content(Content::Unsupported { kind: "unknown".into() })], "the list has no places");

    // Started again, with everything known: nothing is brought twice, and what is new is.
    hub.known.lock().unwrap().extend(names);
    let (requests, _) = read_once(&desk, cursor.as_deref(), &hub).await.unwrap();
    assert_eq!(requests.len(), 0);
    let new = message(&desk, &simulator.signed(&said("5511999990000", "quatro")).remove(0));
    // An answer of ours, and what became of it.
    let sid = send(&desk, &answer(&new, text("oi"))).await.unwrap();
    simulator.fate(&sid, &Fate::Read);
    let (requests, _) = read_once(&desk, cursor.as_deref(), &hub).await.unwrap();
    let events: Vec<Event> = requests.iter().flat_map(|request| desk.read(request)).collect();
    let [Event::Message(message), Event::Status { external_id, status, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&message.external_id, external_id, status), (&new.external_id, &sid, &Evidence::Read));
    assert!(made(&simulator).iter().all(|form| !form.contains_key("StatusCallback")), "nobody is there to be called");
}

#[tokio::test]
async fn many_messages_are_read_page_by_page_and_stored_before_the_next_are_asked_for() {
    let (simulator, desk) = start_with(json!({ "mode": "polling" })).await;
    for number in 0..450 {
        simulator.say(&said(&format!("55119{number:04}"), &format!("{number}")), None).await.unwrap();
    }
    let hub = Hub::default();
    hub.basket.refuses.store(true, Ordering::Release);
    let error = read_once(&desk, Some("1"), &hub).await.unwrap_err();
    assert!(matches!(error, ServiceError::Temporary(_)), "{error:?}");
    hub.basket.refuses.store(false, Ordering::Release);
    let (requests, _) = read_once(&desk, Some("1"), &hub).await.unwrap();
    let words: Vec<String> =
        requests.iter().map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["body"].as_str().unwrap().into()).collect();
    assert_eq!(words, (0..450).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn behind_a_webhook_the_list_brings_only_what_did_not_arrive() {
    let (simulator, desk) = start().await;
    let mut sids: Vec<String> = Vec::new();
    for words in ["arrived", "missed", "just now"] {
        sids.push(message(&desk, &simulator.signed(&said("5511999990000", words)).remove(0)).external_id);
    }
    simulator.age(&sids[0], Duration::from_secs(400));
    simulator.age(&sids[1], Duration::from_secs(300));
    let hub = Hub::default();
    hub.known.lock().unwrap().insert(sids[0].clone());
    // The connection is as old as this test; a cursor of before says that it was at work then.
    let desk_since = "1";
    let (requests, _) = read_once(&desk, Some(desk_since), &hub).await.unwrap();
    assert_eq!(requests.len(), 0, "what came before there was a connection is left");
    let old = Desk::old(erase(WhatsAppTwilio), simulator.config());
    let (requests, cursor) = read_once(&old, Some(desk_since), &hub).await.unwrap();
    let came: Vec<String> = requests.iter().map(|request| message(&old, request).external_id).collect();
    assert_eq!(came, [sids[1].clone()], "the first is here, the last has its webhook's chance yet");
    assert!(cursor.is_some());
}

#[tokio::test]
async fn a_file_that_is_gone_too_large_or_elsewhere_is_said() {
    let (simulator, desk) = start().await;
    let big = message(&desk, &simulator.signed(&does(file(MediaKind::Video, "video/mp4", vec![0; (16 << 20) + 1]), "")).remove(0));
    let IncomingContent::Media(media) = &big.content[0] else { panic!("{big:?}") };
    let error = desk.channel().fetch_media(desk.link(), &media.reference).await.unwrap_err();
    assert!(matches!(error, ServiceError::Permanent(_)), "{error:?}");
    simulator.fault(Fault::MediaGone, 1);
    let error = desk.channel().fetch_media(desk.link(), &media.reference).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Permanent(words) if words.to_string().contains("no longer")), "{error:?}");
    for elsewhere in ["nowhere", "http://169.254.169.254/latest", "http://127.0.0.1:9/x", "file:///etc/passwd"] {
        let error = desk.channel().fetch_media(desk.link(), elsewhere).await.unwrap_err();
        assert!(matches!(error, ServiceError::Permanent(_)), "{elsewhere}: {error:?}");
    }
}

#[tokio::test]
async fn typing_is_shown_under_the_message_that_is_answered() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "hello"));
    desk.channel().typing(desk.link(), &ana.thread, None).await.unwrap();
    desk.channel().typing(desk.link(), &ana.thread, Some(&ana.external_id)).await.unwrap();
    assert_eq!(simulator.typed(), [ana.external_id]);
}

#[tokio::test]
async fn templates_are_listed_with_their_gaps() {
    let (simulator, desk) = start().await;
    let row = |sid: &str, status: &str| {
        json!({ "sid": sid, "friendly_name": "order", "language": "pt_BR", "variables": { "1": "Ana" },
            "types": { "twilio/text": { "body": "Oi {{1}}" } },
            "approval_requests": { "name": "order", "category": "UTILITY", "status": status } })
    };
    simulator.set_contents(vec![
        row("HX1", "approved"),
        row("HX2", "rejected"),
        row("HX3", "unsubmitted"),
        json!({ "sid": "HX4", "types": 7 }),
    ]);
    let templates = desk.channel().templates(desk.link()).await.unwrap();
    let found: Vec<_> = templates.iter().map(|template| (template.id.as_str(), template.status, template.gaps[0].key.as_str())).collect();
    assert_eq!(
        found,
        [("HX1", TemplateStatus::Approved, "1"), ("HX2", TemplateStatus::Rejected, "1")],
        "one that cannot be read hides no other"
    );
}

#[test]
fn settings_that_cannot_work_are_named() {
    let good =
        json!({ "account_sid": "AC0123456789abcdef0123456789abcdef", "auth_token": "x".repeat(32), "phone_number": "+55 (11) 99999-0000" });
    let connector = erase(WhatsAppTwilio);
    assert!(connector.settings(good.clone()).is_ok(), "what people put between digits is left out");
    let wrong: &[(&str, &[&str])] = &[
        ("phone_number", &["5511999990000", "+0511999990000", "11 99999-0000", "+55", "+55119999900001234", "ramal 2", ""]),
        ("account_sid", &["", "SK0123456789abcdef0123456789abcdef", "AC0123"]),
        ("auth_token", &["", "SK0123456789abcdef0123456789abcdef", "two words"]),
        ("messaging_service_sid", &["PN0123456789abcdef0123456789abcdef"]),
        ("base_url", &["http://api.twilio.com"]),
    ];
    for (field, values) in wrong {
        for value in *values {
            let mut config = good.clone();
            config[*field] = (*value).into();
            let Err(told) = connector.settings(config) else { panic!("{field}: {value} was taken") };
            assert_eq!(told[0].0, *field, "{value}");
        }
    }
    let mut half = good;
    half["shared_key_id"] = "k".into();
    let Err(told) = connector.settings(half) else { panic!("half a shared key was taken") };
    assert_eq!(told[0].0, "shared_key_secret");
}

/// Settings with which anything may be read.
fn reader() -> Desk {
    Desk::new(
        erase(WhatsAppTwilio),
        json!({ "account_sid": "ACa1b2c3d4e5f60718293a4b5c6d7e8f90", "auth_token": "x".repeat(32), "phone_number": "+5511988887777" }),
    )
}

fn fixtures() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../src-tauri/connectors/src/whatsapp_twilio/fixtures");
    std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_break_the_reader_or_the_check(body in proptest::collection::vec(any::<u8>(), 0..400), query in ".{0,40}", url in ".{0,80}", header in ".{0,60}") {
        let desk = reader();
        let mut request = Request::pulled(body);
        request.query = query;
        let _ = desk.channel().parse(&desk.settings, &request);
        request.method = "POST".into();
        request.url = url;
        for kind in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
            request.headers = vec![("content-type".into(), kind.into()), ("x-twilio-signature".into(), header.clone()), ("x-twilio-webhooks-signature-settings".into(), header.clone())];
            prop_assert!(desk.channel().verify(&desk.settings, &request).is_err());
        }
    }

    #[test]
    fn a_fixture_with_other_bytes_in_it_is_still_no_panic(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), piece in "[&=%+{}\\[\\]\",a-z0-9é]{0,12}") {
        let all = fixtures();
        let mut body = which.get(&all).clone();
        let at = at.index(body.len());
        body.splice(at..(at + piece.len()).min(body.len()), piece.bytes());
        let desk = reader();
        if let Ok(events) = desk.channel().parse(&desk.settings, &Request::pulled(body.clone())) {
            prop_assert!(!events.is_empty());
            prop_assert_eq!(desk.channel().parse(&desk.settings, &Request::pulled(body)).unwrap(), events);
        }
    }
}
