//! Instagram beyond the contract: both ways in, every kind of content, windows, files, polling, whole flows, against its simulator.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::time::Duration;

use serde_json::{Value, json};
use shopbell_connectors::instagram::simulator::{Habits, InstagramSimulator};
use shopbell_connectors::instagram::{Flavour, Instagram};
use shopbell_core::connector::{Event, IncomingContent, IncomingMessage, Outgoing, Said, SaidWhat, ServiceError, Simulator, erase};
use shopbell_core::model::{Choice, Content};

use self::link::{Desk, answer, calls, said, text};

#[path = "instagram/incoming.rs"]
mod incoming;
#[path = "instagram/late.rs"]
mod late;
mod link;
#[path = "instagram/polling.rs"]
mod polling;
#[path = "instagram/sending.rs"]
mod sending;
#[path = "instagram/setting_up.rs"]
mod setting_up;
#[path = "instagram/whole.rs"]
mod whole;

const BOTH: [Flavour; 2] = [Flavour::InstagramLogin, Flavour::FacebookPage];

async fn start() -> (InstagramSimulator, Desk) {
    start_as(Flavour::InstagramLogin, |_| ()).await
}

/// A simulator, and a connection to it with settings that `change` may change.
async fn start_as(flavour: Flavour, change: impl FnOnce(&mut Value)) -> (InstagramSimulator, Desk) {
    let simulator = InstagramSimulator::start(flavour).await.unwrap();
    let mut config = simulator.config();
    change(&mut config);
    let desk = Desk::new(erase(Instagram), config);
    (simulator, desk)
}

async fn send(desk: &Desk, message: &Outgoing) -> Result<String, ServiceError> {
    desk.channel().send(desk.link(), message).await.map(|receipt| receipt.external_id)
}

fn says(what: SaidWhat, text: &str) -> Said {
    Said { what, ..said("5551", text) }
}

/// The one event of what a customer does.
fn event(simulator: &InstagramSimulator, desk: &Desk, said: &Said) -> Event {
    let requests = simulator.signed(said);
    assert_eq!(requests.len(), 1, "{said:?}");
    let mut events = desk.read(&requests[0]);
    assert_eq!(events.len(), 1, "{said:?}");
    events.remove(0)
}

fn message(simulator: &InstagramSimulator, desk: &Desk, said: &Said) -> IncomingMessage {
    match event(simulator, desk, said) {
        Event::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

fn words(message: &IncomingMessage) -> Vec<String> {
    let part = |part: &IncomingContent| match part {
        IncomingContent::Content(content) => content.text().to_owned(),
        IncomingContent::Media(media) => format!("[{:?}]", media.kind),
    };
    message.content.iter().map(part).collect()
}

fn choice(id: &str, label: &str, url: Option<&str>) -> Choice {
    Choice { id: id.into(), label: label.into(), url: url.map(str::to_owned), description: None }
}

/// The bodies of the calls that ended in `path`.
fn bodies(simulator: &InstagramSimulator, path: &str) -> Vec<Value> {
    let calls = simulator.journal().into_iter();
    calls.filter(|call| call["path"].as_str().unwrap().ends_with(path)).map(|call| call["body"].clone()).collect()
}

/// The `message` parts of what was sent.
fn messages(simulator: &InstagramSimulator) -> Vec<Value> {
    bodies(simulator, "/messages").into_iter().map(|body| body["message"].clone()).collect()
}

fn content(content: Content) -> IncomingContent {
    IncomingContent::Content(content)
}

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn words_go_in_and_out_both_ways() {
    for flavour in BOTH {
        let (simulator, desk) = start_as(flavour, |_| ()).await;
        let ana = message(&simulator, &desk, &said("5551", "Tem pão? 🥐"));
        assert_eq!((ana.thread.as_str(), words(&ana)), ("5551", vec!["Tem pão? 🥐".to_owned()]));
        let id = send(&desk, &answer(&ana, text("**Tem** sim"))).await.unwrap();
        assert_eq!(simulator.received(), [("5551".to_owned(), "Tem sim".to_owned())], "Instagram shows no marks");
        assert!(id.starts_with("aWdf"), "the name that its echo will have: {id}");
        let call = simulator.journal().pop().unwrap();
        let path = if flavour == Flavour::InstagramLogin { "/v25.0/17841400000000000/messages" } else { "/v25.0/me/messages" };
        assert_eq!((&call["path"], &call["headers"]["authorization"]), (&json!(path), &json!("•••")));
        assert_eq!(call["body"], json!({ "recipient": { "id": "5551" }, "message": { "text": "Tem sim" } }));
    }
}

#[tokio::test]
async fn what_is_shown_of_us_is_shown_once_and_is_no_trouble_where_it_is_not_known() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    desk.channel().typing(desk.link(), &ana.thread, Some(&ana.external_id)).await.unwrap();
    desk.channel().mark_read(desk.link(), &ana.thread, &ana.external_id).await.unwrap();
    let shown = |sign: &str| ("5551".to_owned(), sign.to_owned());
    assert_eq!(simulator.signs(), [shown("typing_on"), shown("mark_seen")]);
    simulator.set_habits(Habits { no_seen: true, ..Habits::default() });
    desk.channel().mark_read(desk.link(), &ana.thread, &ana.external_id).await.unwrap();
    assert_eq!(simulator.signs().len(), 2);
}
