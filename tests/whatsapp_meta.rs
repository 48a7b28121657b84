//! WhatsApp through Meta beyond the contract: every kind of message in and out, files, ticks, refusals, against its simulator.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use shopbell_connectors::whatsapp_meta::WhatsAppMeta;
use shopbell_connectors::whatsapp_meta::simulator::MetaSimulator;
use shopbell_core::connector::{
    Action, Event, Evidence, Fate, Fault, IncomingContent, IncomingMessage, Outgoing, Request, Said, SaidWhat, ServiceError, Simulator,
    erase,
};
use shopbell_core::model::{Address, Card, Choice, Content, MediaKind};

use self::link::{Desk, answer, calls, said, text};

mod link;

async fn start() -> (MetaSimulator, Desk) {
    let simulator = MetaSimulator::start().await.unwrap();
    let desk = Desk::new(erase(WhatsAppMeta), simulator.config());
    (simulator, desk)
}

async fn send(desk: &Desk, message: &Outgoing) -> Result<String, ServiceError> {
    desk.channel().send(desk.link(), message).await.map(|receipt| receipt.external_id)
}

fn does(thread: &str, text: &str, what: SaidWhat) -> Said {
    Said { what, ..said(thread, text) }
}

/// What the connector makes of what a customer does.
fn reads(simulator: &MetaSimulator, desk: &Desk, said: &Said) -> Event {
    let mut events: Vec<Event> = simulator.signed(said).iter().flat_map(|request| desk.read(request)).collect();
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

fn message(event: Event) -> IncomingMessage {
    let Event::Message(message) = event else { panic!("{event:?}") };
    message
}

fn content(event: Event) -> Content {
    let IncomingContent::Content(content) = message(event).content.remove(0) else { panic!("a file") };
    content
}

fn option(id: &str, label: &str) -> Choice {
    Choice { id: id.into(), label: label.into(), url: None, description: None }
}

#[tokio::test]
async fn everything_that_a_customer_can_say_arrives() {
    let (simulator, desk) = start().await;
    let read = |said: &Said| reads(&simulator, &desk, said);
    let hello = message(read(&said("5511999990000", "Olá 😀 a/b")));
    assert_eq!(hello.content, [IncomingContent::Content(text("Olá 😀 a/b"))], "escaped by Meta, read as it was");
    assert_eq!((hello.thread.as_str(), hello.also_threads.len()), ("5511999990000", 1));
    assert_eq!(hello.from, Address { connector: "whatsapp-meta".into(), scheme: "phone".into(), value: "+5511999990000".into() });
    assert_eq!(hello.also[0].scheme, "bsuid");
    assert_eq!(hello.name.as_deref(), Some("Ana"));

    let place = SaidWhat::Location { latitude: -23.5, longitude: -46.6 };
    let place = content(read(&does("5511", "Padaria", place)));
    assert_eq!(place, Content::Location { latitude: -23.5, longitude: -46.6, name: Some("Padaria".into()), address: None });
    let card = content(read(&does("5511", "", SaidWhat::Card { name: "Bo".into(), phone: "+5511988880000".into() })));
    assert_eq!(card, Content::Contacts { contacts: vec![Card { name: "Bo".into(), phones: vec!["+5511988880000".into()] }] });
    let sign = message(read(&does("5511", "", SaidWhat::Reaction { target: "wamid.Z".into(), emoji: "😮".into() })));
    assert_eq!(sign.reply_to.as_deref(), Some("wamid.Z"));
    let reply = message(read(&does("5511", "esse", SaidWhat::Reply { target: "wamid.Z".into() })));
    assert_eq!((reply.reply_to.as_deref(), reply.forwarded), (Some("wamid.Z"), false));
    assert!(message(read(&does("5511", "veja", SaidWhat::Forwarded))).forwarded);
    let ad = message(read(&does("5511", "quero", SaidWhat::FromAd { click_id: "ARAkLk".into() })));
    assert_eq!(ad.referral.unwrap().click_id.as_deref(), Some("ARAkLk"));
    assert_eq!(content(read(&does("5511", "", SaidWhat::Unsupported))), Content::Unsupported { kind: "poll".into() });
    let edited = read(&does("5511", "novo", SaidWhat::Edit { target: hello.external_id.clone() }));
    assert!(matches!(edited, Event::Edited { external_id, .. } if external_id == hello.external_id));
    let deleted = read(&does("5511", "", SaidWhat::Delete { target: hello.external_id.clone() }));
    assert!(matches!(deleted, Event::Deleted { external_id, .. } if external_id == hello.external_id));
    let Event::FromShop(echo) = read(&does("5511999990000", "Já vai", SaidWhat::Echo)) else { panic!() };
    assert_eq!((echo.thread.as_str(), echo.ours), ("5511999990000", Some(false)), "the owner's phone takes the conversation over");
}

#[tokio::test]
async fn somebody_who_shows_no_number_is_known_by_their_id_and_answered_there() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("BR.13491208655302741918", "oi"));
    assert_eq!((ana.thread.as_str(), ana.from.scheme.as_str()), ("BR.13491208655302741918", "bsuid"));
    assert_eq!(ana.metadata["username"], "ana.x");
    send(&desk, &answer(&ana, text("Olá"))).await.unwrap();
    let body = &simulator.world().sent()[0].body;
    assert_eq!((&body["recipient"], &body["to"]), (&json!("BR.13491208655302741918"), &Value::Null));
}

#[tokio::test]
async fn everything_that_the_shop_can_say_leaves_within_the_limits() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "oi"));
    let file = |kind, mime: &str, name: Option<&str>, caption: Option<&str>, bytes: &[u8]| Content::Media {
        kind,
        media: desk.store(mime, name, bytes.to_vec()),
        caption: caption.map(str::to_owned),
        filename: None,
        mime: mime.into(),
        bytes: 0,
        duration_ms: None,
        wave: None,
    };
    let rows = |signs: usize| -> Vec<Choice> {
        (1..=4).map(|row| Choice { description: Some("d".repeat(signs)), ..option(&format!("r{row}"), &format!("Pão {row}")) }).collect()
    };
    let link = Choice { url: Some("https://shop.example".into()), ..option("l", "Cardápio") };
    let contents = [
        text("**Oi**, veja https://shop.example"),
        file(MediaKind::Image, "image/jpeg", None, Some("*hoje*"), b"jpg"),
        file(MediaKind::Voice, "audio/ogg; codecs=opus", None, None, b"OggS"),
        file(MediaKind::Audio, "audio/mpeg", None, None, b"mp3"),
        file(MediaKind::Video, "video/mp4", None, Some("filme"), b"mp4"),
        file(MediaKind::Document, "application/pdf", Some("conta.pdf"), Some("conta"), b"%PDF"),
        file(MediaKind::Sticker, "image/webp", None, None, b"RIFF"),
        file(MediaKind::Image, "image/gif", None, None, b"GIF"),
        Content::Location { latitude: -23.5, longitude: -46.6, name: Some("Padaria".into()), address: None },
        Content::Contacts { contacts: vec![Card { name: "Bo".into(), phones: vec!["+55 11 98888-0000".into(), "190".into()] }] },
        Content::Choices { text: "Quer?".into(), options: vec![option("y", "Sim"), option("n", "Não")] },
        Content::Choices { text: "Qual?".into(), options: rows(72) },
        Content::Choices { text: "Qual?".into(), options: rows(73) },
        Content::Choices { text: "Veja".into(), options: vec![link] },
        Content::Reaction { emoji: "👍".into(), target: ana.external_id.clone() },
        Content::Reaction { emoji: String::new(), target: ana.external_id.clone() },
    ];
    for content in contents {
        let outgoing = Outgoing { reply_to: Some(ana.external_id.clone()), ..answer(&ana, content) };
        send(&desk, &outgoing).await.unwrap_or_else(|error| panic!("{:?}: {error}", outgoing.content));
    }
    let sent: Vec<Value> = simulator.world().sent().into_iter().map(|sent| sent.body).collect();
    assert!(sent.iter().all(|body| body["biz_opaque_callback_data"].as_str().unwrap().starts_with("dlv_")));
    insta::assert_json_snapshot!(sent, { "[].biz_opaque_callback_data" => "dlv_…" });

    // What the customer presses comes back with its words and the message it stood on.
    let pressed = message(reads(&simulator, &desk, &does("5511999990000", "", SaidWhat::Press { id: "y".into() })));
    assert_eq!(pressed.content, [IncomingContent::Content(Content::Chosen { id: "y".into(), label: "Sim".into() })]);
    assert!(pressed.reply_to.is_some());
    let pressed = content(reads(&simulator, &desk, &does("5511999990000", "", SaidWhat::Press { id: "r2".into() })));
    assert_eq!(pressed, Content::Chosen { id: "r2".into(), label: "Pão 2".into() });
}

#[tokio::test]
async fn what_cannot_be_sent_is_said_before_anything_is_put_there() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "oi"));
    let file = |kind, mime: &str, caption: Option<&str>, bytes: Vec<u8>| Content::Media {
        kind,
        media: desk.store(mime, None, bytes),
        caption: caption.map(str::to_owned),
        filename: None,
        mime: mime.into(),
        bytes: 0,
        duration_ms: None,
        wave: None,
    };
    for (content, words) in [
        (text("  "), "nothing to send"),
        (text(&"x".repeat(4097)), "4096"),
        (file(MediaKind::Document, "application/zip", None, vec![0; (100 << 20) + 1]), "101 MB"),
        (file(MediaKind::Document, "application/zip", None, Vec::new()), "empty"),
        (file(MediaKind::Image, "image/png", Some(&"x".repeat(1025)), vec![1]), "1024"),
        (file(MediaKind::Voice, "audio/ogg", Some("words"), vec![1]), "sound"),
    ] {
        let error = send(&desk, &answer(&ana, content)).await.unwrap_err();
        assert!(
            matches!(&error, ServiceError::Refused { action: Action::FixContent, sentence } if sentence.to_string().contains(words)),
            "{error:?}"
        );
    }
    assert!(simulator.journal().is_empty(), "no call was made");
}

#[tokio::test]
async fn a_file_is_fetched_and_is_the_one_that_was_promised() {
    let (simulator, desk) = start().await;
    let photo = SaidWhat::File { kind: MediaKind::Image, bytes: vec![7; 3000].into(), mime: "image/jpeg".into(), filename: None };
    let mut received = message(reads(&simulator, &desk, &does("5511", "recibo", photo)));
    let IncomingContent::Media(remote) = received.content.remove(0) else { panic!() };
    assert_eq!((remote.caption.as_deref(), remote.sha256.as_deref().map(str::len)), (Some("recibo"), Some(64)));
    let fetch = async || desk.channel().fetch_media(desk.link(), &remote.reference).await;
    let fetched = fetch().await.unwrap();
    assert_eq!((fetched.bytes.len(), fetched.mime.as_deref()), (3000, Some("image/jpeg")));
    simulator.fault(Fault::MediaGone, 1);
    assert_eq!(fetch().await.unwrap().bytes.len(), 3000, "a link that ran out is asked for again");
    simulator.fault(Fault::MediaGone, 2);
    let error = fetch().await.unwrap_err();
    assert!(matches!(&error, ServiceError::Permanent(words) if words.to_string().contains("no longer")), "{error:?}");
    simulator.world().spoil_files();
    let error = fetch().await.unwrap_err();
    assert!(matches!(&error, ServiceError::Temporary(words) if words.to_string().contains("damaged")), "{error:?}");
    for unknown in ["nothing", "../106540352242922/messages", "a?b"] {
        let error = desk.channel().fetch_media(desk.link(), unknown).await.unwrap_err();
        assert!(matches!(error, ServiceError::Permanent(_)), "{unknown}: {error:?}");
    }
}

#[tokio::test]
async fn a_status_names_our_own_delivery_and_a_failure_says_what_helps() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "oi"));
    let outgoing = answer(&ana, text("Olá"));
    let id = send(&desk, &outgoing).await.unwrap();
    for (fate, right) in [(Fate::Read, Evidence::Read), (Fate::Delivered, Evidence::Delivered), (Fate::Sent, Evidence::Sent)] {
        let requests = simulator.fate(&id, &fate);
        let Event::Status { external_id, delivery, status, .. } = desk.read(&requests[0]).remove(0) else { panic!() };
        assert_eq!((external_id, delivery, status), (id.clone(), Some(outgoing.delivery.clone()), right));
    }
    let requests = simulator.fate(&id, &Fate::Failed(131_026));
    let Event::Status { status: Evidence::Failed { reason, action }, .. } = desk.read(&requests[0]).remove(0) else { panic!() };
    assert_eq!(action, Some(Action::Unreachable));
    assert!(reason.to_string().contains("cannot be reached"));
}

#[tokio::test]
async fn a_closed_window_asks_for_a_template() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "oi"));
    simulator.world().close_window("5511999990000");
    let error = send(&desk, &answer(&ana, text("Olá"))).await.unwrap_err();
    assert_eq!(error.action(), Some(Action::UseTemplate), "{error:?}");
    let photo = desk.store("image/png", None, b"png".to_vec());
    let values = [("header.media", photo.as_str()), ("body.1", "Ana"), ("body.2", "42"), ("button.1", "42")];
    let template = |values: &[(&str, &str)]| Content::Template {
        id: "594425479261596".into(),
        name: "order_ready".into(),
        language: "pt_BR".into(),
        values: values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        text: String::new(),
    };
    send(&desk, &answer(&ana, template(&values))).await.unwrap();
    assert_eq!(simulator.received(), [("5511999990000".to_owned(), "Olá Ana, o pedido 42 está pronto.".to_owned())]);
    insta::assert_json_snapshot!(simulator.world().sent()[0].body["template"]);
    let error = send(&desk, &answer(&ana, template(&values[..2]))).await.unwrap_err();
    assert_eq!(error.action(), Some(Action::FixTemplate), "{error:?}");
}

#[tokio::test]
async fn waiting_for_one_customer_grows_and_does_not_stop_the_others() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "oi"));
    let mut waits = Vec::new();
    for _ in 0..3 {
        simulator.fault(Fault::Code(131_056), 1);
        let error = send(&desk, &answer(&ana, text("Olá"))).await.unwrap_err();
        let ServiceError::ThreadLimited { retry_after } = error else { panic!("{error:?}") };
        waits.push(retry_after.as_secs());
    }
    assert!(waits[0] >= 4 && waits[1] >= 16 && waits[2] >= 64, "{waits:?}");
    simulator.fault(Fault::Code(130_429), 1);
    let error = send(&desk, &answer(&ana, text("Olá"))).await.unwrap_err();
    assert!(
        matches!(error, ServiceError::RateLimited { retry_after: Some(wait) } if wait >= Duration::from_secs(4)),
        "the whole number: {error:?}"
    );
    send(&desk, &answer(&ana, text("Olá"))).await.unwrap();

    // The service's own count: 45 at once, then one in six seconds.
    for number in 0..44 {
        send(&desk, &answer(&ana, text(&format!("{number}")))).await.unwrap();
    }
    let error = send(&desk, &answer(&ana, text("one too many"))).await.unwrap_err();
    assert!(matches!(error, ServiceError::ThreadLimited { .. }), "{error:?}");
}

#[tokio::test]
async fn reading_and_typing_are_shown_and_typing_is_not_repeated_too_soon() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "oi"));
    desk.channel().mark_read(desk.link(), &ana.thread, &ana.external_id).await.unwrap();
    for _ in 0..3 {
        desk.channel().typing(desk.link(), &ana.thread, Some(&ana.external_id)).await.unwrap();
    }
    desk.channel().typing(desk.link(), &ana.thread, None).await.unwrap();
    let (read, typing) = simulator.world().told();
    assert_eq!((read.len(), typing), (2, vec![ana.external_id.clone()]));
    send(&desk, &answer(&ana, text("Olá"))).await.unwrap();
    desk.channel().typing(desk.link(), &ana.thread, Some(&ana.external_id)).await.unwrap();
    assert_eq!(simulator.world().told().1.len(), 2, "the answer ended it");
}

#[tokio::test]
async fn signs_of_life_named_gaps_and_people_without_a_number_leave_as_the_service_wants_them() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("BR.13491208655302741918", "oi"));
    desk.channel().mark_read(desk.link(), &ana.thread, &ana.external_id).await.unwrap();
    desk.channel().typing(desk.link(), &ana.thread, Some(&ana.external_id)).await.unwrap();
    let values = [("body.name", "Ana")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let template =
        Content::Template { id: String::new(), name: "hello".into(), language: "pt_BR".into(), values: values.into(), text: String::new() };
    for content in [text("Olá"), template] {
        send(&desk, &answer(&ana, content)).await.unwrap();
    }
    insta::assert_json_snapshot!(calls(&simulator), { "[].body.biz_opaque_callback_data" => "dlv_…" });
}

#[tokio::test]
async fn a_shared_callback_is_read_by_each_for_its_own_number() {
    let (simulator, desk) = start().await;
    let shared = desk.channel().shared_callback(&desk.settings).unwrap();
    assert_eq!((shared.family, shared.key.as_str()), ("meta", shopbell_connectors::whatsapp_meta::simulator::APP));
    let mut config = simulator.config();
    config["phone_number_id"] = "999000111".into();
    config["phone_number"] = "+55 11 5550-0999".into();
    let other = Desk::new(erase(WhatsAppMeta), config.clone());
    config["business_account_id"] = "999".into();
    let stranger = Desk::new(erase(WhatsAppMeta), config);
    let concerns = |desk: &Desk, request: &Request| desk.channel().concerns(&desk.settings, request);
    let hello = simulator.signed(&said("5511", "oi")).remove(0);
    assert!(concerns(&desk, &hello) && !concerns(&other, &hello), "by the number's id");
    let events = other.channel().parse(&other.settings, &hello).unwrap();
    assert!(matches!(events.as_slice(), [Event::NotUnderstood { why }] if why.contains("another number, 551155500783")), "{events:?}");
    let both = simulator.batch(vec![
        ("phone_number_quality_update", json!({ "display_phone_number": "551155500783", "event": "FLAGGED" })),
        ("phone_number_quality_update", json!({ "display_phone_number": "551155500999", "event": "FLAGGED" })),
    ]);
    let events = other.channel().parse(&other.settings, &both).unwrap();
    assert!(matches!(events.as_slice(), [Event::Nothing { .. }, Event::Notice { .. }]), "the neighbour's part is no trouble: {events:?}");
    let template = json!({ "event": "APPROVED", "message_template_name": "a", "message_template_language": "en" });
    let news = simulator.batch(vec![("message_template_status_update", template)]);
    assert!(concerns(&desk, &news) && concerns(&other, &news) && !concerns(&stranger, &news), "by the account");
    let quality = json!({ "display_phone_number": "551155500783", "event": "FLAGGED" });
    let quality = simulator.batch(vec![("phone_number_quality_update", quality)]);
    assert!(concerns(&desk, &quality) && !concerns(&other, &quality), "by the number itself");
    let instagram = Request::pulled(r#"{"object":"instagram","entry":[{"id":"1","messaging":[]}]}"#);
    assert!(!concerns(&desk, &instagram));
    assert!(concerns(&desk, &Request::pulled("not json")), "signed and not readable: somebody should see it");
}

/// A hook that refuses every fourth request once, and keeps what it took.
async fn moody_hook() -> (String, Arc<Mutex<Vec<Bytes>>>) {
    let taken: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let (kept, calls) = (taken.clone(), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let take = move |body: Bytes| {
        let number = calls.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
        let refuses = number % 4 == 3;
        if !refuses {
            kept.lock().unwrap().push(body);
        }
        async move { if refuses { axum::http::StatusCode::SERVICE_UNAVAILABLE } else { axum::http::StatusCode::OK } }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/k", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/hooks/k", axum::routing::post(take))).await });
    (url, taken)
}

#[tokio::test]
async fn batches_that_come_twice_and_out_of_order_hold_each_message_once_by_name() {
    let (simulator, desk) = start().await;
    let (url, taken) = moody_hook().await;
    let all: Vec<Said> = (0..90).map(|number| said(&format!("{}", 5500 + number % 7), &format!("{number}"))).collect();
    let attempts = simulator.deliver(&url, &all, 2).await.unwrap();
    let taken = taken.lock().unwrap();
    assert!(attempts > taken.len(), "some were refused first");
    assert_eq!(taken.len(), 15, "ten batches, five of them twice");
    let events = taken.iter().flat_map(|body| desk.channel().parse(&desk.settings, &Request::pulled(body.clone())).unwrap());
    let names: Vec<String> = events.map(|event| message(event).external_id).collect();
    assert_eq!((names.len(), names.into_iter().collect::<HashSet<_>>().len()), (135, 90));
}

fn fixture_bodies() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../src-tauri/connectors/src/whatsapp_meta/fixtures");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// Puts `new` where the `at`-th value of a tree is.
fn replace(value: &mut Value, at: &mut usize, new: &Value) {
    if *at == 0 {
        value.clone_from(new);
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| replace(value, at, new)),
        Value::Object(fields) => fields.values_mut().for_each(|value| replace(value, at, new)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_in_any_place_of_an_update_breaks_the_reader(which in 0usize..1000, at in 0usize..60, what in 0usize..8, bytes in "\\PC{0,40}") {
        let config = json!({ "phone_number_id": "106540352242922", "business_account_id": "102290129340398", "app_id": "1", "app_secret": "s",
            "access_token": "t", "verify_token": "v", "phone_number": "+55 11 5550-0783", "display_name": "P" });
        let desk = Desk::new(erase(WhatsAppMeta), config);
        let bodies = fixture_bodies();
        let mut body: Value = serde_json::from_str(&bodies[which % bodies.len()]).unwrap();
        let new = [json!(null), json!(7), json!(-1.5e300), json!(bytes), json!([]), json!({}), json!([null, {}, "x"]), json!({ "id": [], "type": 3 })];
        replace(&mut body, &mut { at }, &new[what]);
        let request = Request::pulled(body.to_string());
        let read = desk.channel().parse(&desk.settings, &request);
        if body.is_object() {
            prop_assert!(!read.unwrap().is_empty(), "something is always said of it");
        }
        let _ = desk.channel().concerns(&desk.settings, &request);
        let _ = desk.channel().parse(&desk.settings, &Request::pulled(bytes));
    }
}
