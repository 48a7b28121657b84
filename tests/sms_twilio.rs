//! SMS through Twilio beyond the contract: consent, pieces, pictures, the number's webhook, against its simulator.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use serde_json::{Value, json};
use shopbell_connectors::sms_twilio::{LINE, SmsTwilio};
use shopbell_connectors::twilio::simulator::TwilioSimulator;
use shopbell_core::connector::{
    Action, Event, Evidence, Fate, IncomingContent, IncomingMessage, Said, SaidWhat, ServiceError, Simulator, erase,
};
use shopbell_core::model::{Card, Choice, Content, MediaKind};

use self::link::{Desk, HOOK_KEY, answer, calls, said, text};

mod link;

async fn start() -> (TwilioSimulator, Desk) {
    let simulator = TwilioSimulator::start(LINE).await.unwrap();
    let desk = Desk::new(erase(SmsTwilio), simulator.config());
    (simulator, desk)
}

async fn send(desk: &Desk, to: &IncomingMessage, content: Content) -> Result<String, ServiceError> {
    desk.channel().send(desk.link(), &answer(to, content)).await.map(|receipt| receipt.external_id)
}

fn says(desk: &Desk, simulator: &TwilioSimulator, words: &str) -> Vec<Event> {
    desk.read(&simulator.signed(&said("5511999990000", words)).remove(0))
}

#[tokio::test]
async fn who_says_stop_is_left_alone_until_they_say_start() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "hello"));
    send(&desk, &ana, text("hi")).await.unwrap();
    let blocked = |blocked| Event::Blocked { thread: ana.thread.clone(), blocked };
    let events = says(&desk, &simulator, " Stop\n");
    assert!(matches!(&events[..], [Event::Message(_), last] if *last == blocked(true)), "{events:?}");
    let error = send(&desk, &ana, text("are you sure?")).await.unwrap_err();
    assert!(
        matches!(&error, ServiceError::Refused { action: Action::Blocked, sentence } if sentence.to_string().contains("START")),
        "{error:?}"
    );
    let events = says(&desk, &simulator, "START");
    assert!(matches!(&events[..], [Event::Message(_), last] if *last == blocked(false)), "{events:?}");
    send(&desk, &ana, text("welcome back")).await.unwrap();
    assert_eq!(simulator.received().len(), 2);
    assert_eq!(says(&desk, &simulator, "Can you stop by?").len(), 1, "a word in a sentence is a word");
    let help = says(&desk, &simulator, "HELP");
    assert!(matches!(&help[..], [Event::Message(message)] if !message.answered), "Twilio does not say that it answered: {help:?}");
    let mut named = simulator.signed(&said("5511999990000", "HELP")).remove(0);
    named.body = [&named.body[..], b"&OptOutType=HELP"].concat().into();
    let help = desk.connector.channel().unwrap().parse(&desk.settings, &named).unwrap();
    assert!(matches!(&help[..], [Event::Message(message)] if message.answered), "Twilio answered it: {help:?}");
}

#[tokio::test]
async fn a_text_tells_how_many_pieces_were_paid_for() {
    let (simulator, desk) = start().await;
    let [Event::Message(message)] = &says(&desk, &simulator, "Pão às 7?")[..] else { panic!("no message") };
    assert_eq!((&message.metadata["segments"], &message.metadata["encoding"]), (&json!(1), &json!("UCS-2")));
    let [Event::Message(message)] = &says(&desk, &simulator, "Bread at 7?")[..] else { panic!("no message") };
    assert_eq!(message.metadata["encoding"], "GSM-7");
    assert_eq!((message.from.scheme.as_str(), message.from.value.as_str()), ("phone", "+5511999990000"));
}

#[tokio::test]
async fn what_sms_does_not_know_goes_in_words() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "hello"));
    let place = Content::Location { latitude: -23.5, longitude: -46.6, name: Some("Padaria".into()), address: Some("Rua A, 1".into()) };
    send(&desk, &ana, place).await.unwrap();
    assert_eq!(simulator.received()[0].1, "Padaria\nRua A, 1\nhttps://maps.google.com/?q=-23.5,-46.6");
    let template =
        Content::Template { id: "HX1".into(), name: "x".into(), language: "pt".into(), values: Default::default(), text: "x".into() };
    assert!(matches!(send(&desk, &ana, template).await, Err(ServiceError::Permanent(_))));
}

#[tokio::test]
async fn every_kind_of_content_leaves_as_a_text() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5511999990000", "hello"));
    let choice = |label: &str, description: Option<&str>, url: Option<&str>| Choice {
        id: label.into(),
        label: label.into(),
        url: url.map(str::to_owned),
        description: description.map(str::to_owned),
    };
    let options =
        vec![choice("Rye", Some("12 reais"), None), choice("White", None, None), choice("Menu", None, Some("https://shop.example/m"))];
    let contents = [
        text("We are **open**, see [the menu](https://shop.example/m)"),
        Content::Choices { text: "Which?".into(), options },
        Content::Location { latitude: -23.5, longitude: -46.6, name: Some("Padaria".into()), address: None },
        Content::Contacts { contacts: vec![Card { name: "Bo".into(), phones: vec!["+5511988880000".into()] }] },
    ];
    for content in contents {
        send(&desk, &ana, content).await.unwrap();
    }
    let made = calls(&simulator).into_iter().map(|call| {
        let form = call["body"].as_str().unwrap().to_owned();
        url::form_urlencoded::parse(form.as_bytes()).into_owned().collect::<std::collections::BTreeMap<_, _>>()
    });
    insta::assert_json_snapshot!(made.collect::<Vec<_>>());
}

#[tokio::test]
async fn pictures_come_in_and_leave() {
    let (simulator, desk) = start().await;
    let what = SaidWhat::File { kind: MediaKind::Image, bytes: vec![7; 90].into(), mime: "image/jpeg".into(), filename: None };
    let events = desk.read(&simulator.signed(&Said { what, ..said("5511999990000", "olha") }).remove(0));
    let [Event::Message(ana)] = &events[..] else { panic!("{events:?}") };
    let IncomingContent::Media(picture) = &ana.content[0] else { panic!("{ana:?}") };
    assert_eq!((picture.kind, picture.caption.as_deref()), (MediaKind::Image, Some("olha")));
    assert_eq!(desk.channel().fetch_media(desk.link(), &picture.reference).await.unwrap().bytes.len(), 90);

    let stored = desk.store("image/jpeg", None, vec![1; 10]);
    let picture = |bytes| Content::Media {
        kind: MediaKind::Image,
        media: stored.clone(),
        caption: None,
        filename: None,
        mime: "image/jpeg".into(),
        bytes,
        duration_ms: None,
        wave: None,
    };
    let error = send(&desk, ana, picture(10)).await.unwrap_err();
    assert_eq!(error.action(), Some(Action::FixContent), "nobody can fetch it: {error:?}");
    desk.reached_at("http://127.0.0.1:9");
    let error = send(&desk, ana, picture(6 << 20)).await.unwrap_err();
    assert!(error.to_string().contains("5 MB"), "{error}");
    // Twilio takes it, cannot fetch it, and says so later.
    let sid = send(&desk, ana, picture(10)).await.unwrap();
    assert_eq!((simulator.received().len(), simulator.fetched().len()), (0, 0));
    let request = simulator.fate(&sid, &Fate::Failed(63019)).remove(0);
    let [Event::Status { status: Evidence::Failed { action, .. }, .. }] = &desk.read(&request)[..] else { panic!("no failure") };
    assert_eq!(*action, Some(Action::FixContent));
}

#[tokio::test]
async fn the_numbers_webhook_is_registered_and_its_voice_settings_are_left_alone() {
    let (simulator, desk) = start().await;
    let hook = format!("https://shop.example/hooks/{HOOK_KEY}");
    let state = desk.channel().subscribe(desk.link(), &hook).await.unwrap();
    assert_eq!(state.confirmed_url.as_deref(), Some(hook.as_str()));
    assert_eq!(simulator.registered(), Some(format!("{hook}#rc=3&rp=all")));
    let call = simulator.journal().into_iter().find(|call| call["method"] == "POST").unwrap();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(call["body"].as_str().unwrap().as_bytes()).into_owned().collect();
    assert_eq!(form.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["SmsUrl", "SmsMethod"]);
    let account = desk.connector.test(desk.link()).await.unwrap();
    assert!(account.checks.iter().all(|check| check.ok) && account.details["mms"] == true, "{account:?}");

    let mut config: Value = simulator.config();
    config["phone_number"] = "27001".into();
    let short = Desk::new(erase(SmsTwilio), config);
    let error = short.channel().subscribe(short.link(), &hook).await.unwrap_err();
    assert!(error.to_string().contains("short code"), "{error}");
}
