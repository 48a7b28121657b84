//! Telegram beyond the contract: polling, webhooks, every kind of content, files, against its simulator.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use shopbell_connectors::telegram::Telegram;
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::connector::{Event, Fault, IncomingContent, IncomingMessage, Outgoing, ServiceError, Simulator, erase};
use shopbell_core::model::{Choice, Content, MediaKind};

use self::link::{Basket, Desk, HOOK_KEY, answer, calls, said, text};

mod link;

async fn start() -> (TelegramSimulator, Desk) {
    start_in("polling").await
}

async fn start_in(mode: &str) -> (TelegramSimulator, Desk) {
    let simulator = TelegramSimulator::start().await.unwrap();
    let mut config = simulator.config();
    config["mode"] = mode.into();
    let desk = Desk::new(erase(Telegram), config);
    (simulator, desk)
}

async fn send(desk: &Desk, message: &Outgoing) -> Result<String, ServiceError> {
    desk.channel().send(desk.link(), message).await.map(|receipt| receipt.external_id)
}

/// Listens until `enough` updates are in the basket, or an error.
async fn listen(desk: &Desk, cursor: Option<&str>, basket: &Basket, enough: usize) -> Option<ServiceError> {
    let listening = desk.channel().listen(desk.link(), cursor.map(str::to_owned), basket);
    let full = async {
        while basket.taken.lock().unwrap().iter().map(|(requests, _)| requests.len()).sum::<usize>() < enough {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        result = listening => result.err(),
        () = full => None,
        () = tokio::time::sleep(Duration::from_secs(10)) => panic!("nothing came"),
    }
}

#[tokio::test]
async fn updates_are_confirmed_only_after_they_are_stored() {
    let (simulator, desk) = start().await;
    for text in ["one", "two", "three"] {
        simulator.say(&said("5551", text), None).await.unwrap();
    }
    let basket = Basket::default();
    basket.refuses.store(true, Ordering::Release);
    let error = listen(&desk, None, &basket, 1).await.expect("a sink that refuses ends the listening");
    assert!(matches!(error, ServiceError::Temporary(_)), "{error:?}");

    basket.refuses.store(false, Ordering::Release);
    listen(&desk, None, &basket, 3).await;
    let (requests, cursor) = basket.taken.lock().unwrap().remove(0);
    assert_eq!(requests.len(), 3, "the refused batch comes again, whole");
    assert_eq!(cursor.as_deref(), Some("870004"), "the offset is the last update's number plus one");
    assert_eq!(requests[0].method, "PULL");

    // A crash between storing and the next poll: the same cursor brings nothing twice, the old one everything again.
    simulator.say(&said("5551", "four"), None).await.unwrap();
    listen(&desk, cursor.as_deref(), &basket, 1).await;
    let (requests, _) = basket.taken.lock().unwrap().remove(0);
    assert_eq!(words(&desk, &requests), ["four"]);
}

fn words(desk: &Desk, requests: &[shopbell_core::connector::Request]) -> Vec<String> {
    let messages = requests.iter().flat_map(|request| desk.read(request)).filter_map(|event| match event {
        Event::Message(message) => Some(message),
        _ => None,
    });
    messages
        .map(|message| match &message.content[0] {
            IncomingContent::Content(content) => content.text().to_owned(),
            IncomingContent::Media(media) => media.reference.clone(),
        })
        .collect()
}

#[tokio::test]
async fn polling_waits_long_and_asks_for_what_it_understands() {
    let (simulator, desk) = start().await;
    simulator.say(&said("5551", "hello"), None).await.unwrap();
    listen(&desk, Some("12"), &Basket::default(), 1).await;
    let poll = calls(&simulator).into_iter().find(|call| call["path"].as_str().unwrap().ends_with("getUpdates")).unwrap();
    assert_eq!(poll["path"], "/bot•••/getUpdates", "the journal does not know the token");
    assert_eq!(poll["body"]["offset"], 12);
    assert!((25..=50).contains(&poll["body"]["timeout"].as_i64().unwrap()));
    assert!(poll["body"]["allowed_updates"].as_array().unwrap().contains(&json!("message_reaction")));
}

#[tokio::test]
async fn a_second_program_on_the_same_token_is_named_with_the_way_out() {
    let (simulator, desk) = start().await;
    simulator.refuse_poll(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running", None);
    let error = listen(&desk, None, &Basket::default(), 1).await.unwrap();
    let ServiceError::Temporary(sentence) = error else { panic!("{error:?}") };
    assert!(sentence.to_string().contains("/revoke"), "{sentence}");
    simulator.refuse_poll(429, "Too Many Requests: retry after 3", Some(3));
    let error = listen(&desk, None, &Basket::default(), 1).await.unwrap();
    assert!(matches!(error, ServiceError::RateLimited { retry_after: Some(wait) } if wait == Duration::from_secs(3)), "{error:?}");
    simulator.refuse_poll(502, "Bad Gateway", None);
    let error = listen(&desk, None, &Basket::default(), 1).await.unwrap();
    assert!(matches!(error, ServiceError::Temporary(_)), "{error:?}");
}

#[tokio::test]
async fn a_webhook_of_ours_makes_way_for_polling_and_anothers_does_not() {
    let (simulator, webhook) = start_in("webhook").await;
    let mut config = simulator.config();
    config["mode"] = "polling".into();
    let polling = Desk::new(erase(Telegram), config);

    webhook.channel().subscribe(webhook.link(), &format!("https://old-tunnel.example/hooks/{HOOK_KEY}")).await.unwrap();
    let state = webhook.channel().webhook_state(webhook.link()).await.unwrap();
    assert_eq!(state.confirmed_url.as_deref(), Some(format!("https://old-tunnel.example/hooks/{HOOK_KEY}").as_str()));
    let account = polling.connector.test(polling.link()).await.unwrap();
    assert_eq!(account.details["webhook_is_ours"], true);

    let basket = Basket::default();
    let listening = polling.channel().listen(polling.link(), None, &basket);
    tokio::select! {
        result = listening => panic!("it went on: {result:?}"),
        () = async { while basket.alive.load(Ordering::Acquire) == 0 { tokio::task::yield_now().await } } => {}
    }
    let state = webhook.channel().webhook_state(webhook.link()).await.unwrap();
    assert_eq!(state.confirmed_url, None, "ours was taken away");

    webhook.channel().subscribe(webhook.link(), "https://other.example/telegram").await.unwrap();
    let error = polling.channel().listen(polling.link(), None, &basket).await.unwrap_err();
    let ServiceError::Permanent(sentence) = error else { panic!("{error:?}") };
    assert!(sentence.to_string().contains("other.example"), "{sentence}");
    let account = polling.connector.test(polling.link()).await.unwrap();
    assert!(account.checks.iter().any(|check| !check.ok && check.text.contains("another program")));
}

#[tokio::test]
async fn the_webhook_is_registered_with_its_secret_and_its_state_is_read_back() {
    let (simulator, desk) = start_in("webhook").await;
    let state = desk.channel().subscribe(desk.link(), "https://shop.example/hooks/k").await.unwrap();
    assert_eq!(state.confirmed_url.as_deref(), Some("https://shop.example/hooks/k"));
    assert_eq!(state.details["max_connections"], 40);
    assert_eq!(state.details["has_custom_certificate"], false);
    let call = calls(&simulator).into_iter().find(|call| call["path"] == "/bot•••/setWebhook").unwrap();
    assert_eq!(call["body"]["secret_token"], simulator.config()["webhook_secret"]);
    assert_eq!(call["body"]["drop_pending_updates"], false);

    let error = desk.channel().subscribe(desk.link(), "http://shop.example/hooks/k").await.unwrap_err();
    assert!(error.to_string().contains("HTTPS"), "{error}");

    let (_, polling) = start().await;
    let error = polling.channel().subscribe(polling.link(), "https://shop.example/hooks/k").await.unwrap_err();
    assert!(matches!(error, ServiceError::Permanent(_)));
}

#[tokio::test]
async fn without_a_secret_of_the_owner_there_still_is_one() {
    let (simulator, _) = start().await;
    let mut config = simulator.config();
    config["mode"] = "webhook".into();
    config.as_object_mut().unwrap().remove("webhook_secret");
    let desk = Desk::new(erase(Telegram), config);
    desk.channel().subscribe(desk.link(), "https://shop.example/hooks/k").await.unwrap();
    let call = calls(&simulator).into_iter().find(|call| call["path"] == "/bot•••/setWebhook").unwrap();
    let secret = call["body"]["secret_token"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 64);
    let mut request = simulator.signed(&said("1", "hi")).remove(0);
    assert!(desk.channel().verify(&desk.settings, &request).is_err(), "another secret");
    request.headers[1].1 = secret;
    assert!(desk.channel().verify(&desk.settings, &request).is_ok());
}

#[tokio::test]
async fn every_kind_of_content_takes_its_method() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5551", "hello"));
    let pixel = desk.store("image/png", None, vec![137, 80, 78, 71]);
    let voice = desk.store("audio/ogg", Some("note.ogg"), vec![1; 400]);
    let sheet = desk.store("text/csv", Some("preços.csv"), vec![b'a'; 9]);
    let film = desk.store("video/mp4", Some("f.mp4"), vec![2; 10]);
    let media = |kind, media, caption: Option<&str>, mime: &str| Content::Media {
        kind,
        media,
        caption: caption.map(str::to_owned),
        filename: None,
        mime: mime.into(),
        bytes: 0,
        duration_ms: None,
        wave: None,
    };
    let choice = |id: &str, label: &str, url: Option<&str>| Choice {
        id: id.into(),
        label: label.into(),
        url: url.map(str::to_owned),
        description: None,
    };
    let contents = [
        text("We are **open** 🕘 until `18:00`"),
        Content::Choices {
            text: "Which one?".into(),
            options: vec![choice("a", "Rye", None), choice("", "Menu", Some("https://shop.example/menu"))],
        },
        media(MediaKind::Image, pixel.clone(), Some("our *new* bread"), "image/png"),
        media(MediaKind::Image, pixel, None, "image/tiff"),
        media(MediaKind::Voice, voice, None, "audio/ogg"),
        media(MediaKind::Document, sheet, Some("prices"), "text/csv"),
        media(MediaKind::Video, film, None, "video/mp4"),
        Content::Location { latitude: -23.5, longitude: -46.6, name: None, address: None },
        Content::Location { latitude: -23.5, longitude: -46.6, name: Some("Padaria".into()), address: Some("Rua A, 1".into()) },
        Content::Contacts { contacts: vec![shopbell_core::model::Card { name: "Bo".into(), phones: vec!["+5511999990000".into()] }] },
        Content::Reaction { emoji: "👍".into(), target: ana.external_id.clone() },
    ];
    for content in contents {
        let mut message = answer(&ana, content);
        message.reply_to = Some(ana.external_id.clone());
        send(&desk, &message).await.unwrap();
    }
    insta::assert_json_snapshot!("telegram_sends", calls(&simulator));
}

#[tokio::test]
async fn five_thousand_emoji_arrive_in_order_and_within_the_limit() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5551", "hello"));
    let whole = "👍🏽".repeat(5000);
    for part in shopbell_core::text::split(&whole, desk.channel().rules().text_limit) {
        send(&desk, &answer(&ana, text(&part))).await.unwrap();
    }
    let received: String = simulator.received().into_iter().map(|(_, text)| text).collect();
    assert_eq!(received, whole);
}

#[tokio::test]
async fn words_that_telegram_cannot_mark_go_plain_in_the_same_attempt() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5551", "hello"));
    simulator.fault(Fault::Refuse("can't parse entities: whatever".into()), 1);
    send(&desk, &answer(&ana, text("**bold**"))).await.unwrap();
    assert_eq!(simulator.received(), [("5551".to_owned(), "**bold**".to_owned())]);
    simulator.fault(Fault::Refuse("can't parse entities: whatever".into()), 2);
    let error = send(&desk, &answer(&ana, text("**bold**"))).await.unwrap_err();
    assert!(matches!(error, ServiceError::Permanent(_)), "only one plain try: {error:?}");
}

#[tokio::test]
async fn a_torture_of_marks_arrives() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5551", "hello"));
    let torture =
        "_*[]()~`>#+-=|{}.! \\ **a _b `c` d_ e** ~~f~~ [g](https://x.example/a_(b)) <b>&amp;</b>\n> h\n```py\n`*_\n```\n1) i\n* j 👨‍👩‍👧";
    send(&desk, &answer(&ana, text(torture))).await.unwrap();
    assert_eq!(simulator.received().len(), 1);
    assert_eq!(calls(&simulator).len(), 1, "nothing was refused");
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5551", "hello"));
    simulator.block("5551", true).await.unwrap();
    let error = send(&desk, &answer(&ana, text("hi"))).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Permanent(words) if words.to_string().contains("blocked")), "{error:?}");

    let stranger = IncomingMessage { thread: "777".into(), ..ana.clone() };
    let error = send(&desk, &answer(&stranger, text("hi"))).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Permanent(words) if words.to_string().contains("does not know this chat")), "{error:?}");

    let long = Content::Choices {
        text: "x".into(),
        options: vec![Choice { id: "é".repeat(33), label: "Sim".into(), url: None, description: None }],
    };
    let error = send(&desk, &answer(&ana, long)).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Permanent(words) if words.to_string().contains("64 bytes")), "{error:?}");

    let huge = desk.store("application/zip", Some("a.zip"), vec![0; (50 << 20) + 1]);
    let huge = Content::Media {
        kind: MediaKind::Document,
        media: huge,
        caption: None,
        filename: None,
        mime: "application/zip".into(),
        bytes: 0,
        duration_ms: None,
        wave: None,
    };
    let error = send(&desk, &answer(&ana, huge)).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Permanent(words) if words.to_string().contains("50 MB")), "{error:?}");
}

#[tokio::test]
async fn a_group_with_a_new_number_is_followed() {
    let (simulator, desk) = start().await;
    let group = desk.first_word(&simulator, &said("-4001", "hello"));
    simulator.migrate("-4001", -1_002_003_004_005);
    let id = send(&desk, &answer(&group, text("hi"))).await.unwrap();
    assert_eq!(id, "-1002003004005:1");
    assert_eq!(simulator.received(), [("-1002003004005".to_owned(), "hi".to_owned())]);
}

#[tokio::test]
async fn a_pressed_button_is_answered_once_and_lateness_is_no_error() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5551", "hello"));
    let options = vec![Choice { id: "opt:1".into(), label: "Sim".into(), url: None, description: None }];
    let sent = send(&desk, &answer(&ana, Content::Choices { text: "?".into(), options })).await.unwrap();
    simulator.press("5551", "Sim").await.unwrap();
    let basket = Basket::default();
    listen(&desk, None, &basket, 1).await;
    let event = desk.read(&basket.taken.lock().unwrap()[0].0[0]).remove(0);
    let Event::Message(pressed) = event else { panic!("{event:?}") };
    assert_eq!(pressed.content, [IncomingContent::Content(Content::Chosen { id: "opt:1".into(), label: "Sim".into() })]);
    assert_eq!(pressed.reply_to, Some(sent));
    let acknowledge = pressed.acknowledge.unwrap();
    desk.channel().acknowledge(desk.link(), &acknowledge).await.unwrap();
    desk.channel().acknowledge(desk.link(), &acknowledge).await.unwrap();
    assert_eq!(simulator.answered_presses(), [acknowledge]);
}

#[tokio::test]
async fn a_file_is_fetched_and_a_too_large_one_is_said() {
    let (simulator, desk) = start().await;
    simulator.send_file(&said("5551", "recibo"), "photo", "", "", vec![7; 3000].into()).await.unwrap();
    simulator
        .send_file(&said("5551", ""), "document", "big.bin", "application/octet-stream", vec![7; (20 << 20) + 1].into())
        .await
        .unwrap();
    let basket = Basket::default();
    listen(&desk, None, &basket, 2).await;
    let requests: Vec<_> = basket.taken.lock().unwrap().iter().flat_map(|(requests, _)| requests.clone()).collect();
    let references = words(&desk, &requests);
    let fetched = desk.channel().fetch_media(desk.link(), &references[0]).await.unwrap();
    assert_eq!((fetched.bytes.len(), fetched.mime), (3000, None));
    let error = desk.channel().fetch_media(desk.link(), &references[1]).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Permanent(words) if words.to_string().contains("20 MB")), "{error:?}");
    let error = desk.channel().fetch_media(desk.link(), "unknown").await.unwrap_err();
    assert!(matches!(error, ServiceError::Permanent(_)), "{error:?}");
}

#[tokio::test]
async fn typing_is_shown() {
    let (simulator, desk) = start().await;
    let ana = desk.first_word(&simulator, &said("5551", "hello"));
    desk.channel().typing(desk.link(), &ana.thread, None).await.unwrap();
    assert_eq!(calls(&simulator), [json!({ "path": "/bot•••/sendChatAction", "body": { "chat_id": 5551, "action": "typing" } })]);
}

/// A receiver that refuses every third update once and remembers the order of what it took.
async fn moody_hook() -> (String, Arc<Mutex<Vec<Value>>>) {
    let taken: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = taken.clone();
    let answer = move |headers: HeaderMap, axum::Json(update): axum::Json<Value>| {
        let kept = kept.clone();
        async move {
            if headers.get("x-telegram-bot-api-secret-token").is_none() {
                return StatusCode::FORBIDDEN;
            }
            let id = update["update_id"].as_i64().unwrap();
            let mut kept = kept.lock().unwrap();
            let seen = kept.iter().any(|update: &Value| update["refused"] == id);
            if id % 3 == 0 && !seen {
                kept.push(json!({ "refused": id }));
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            kept.push(update);
            StatusCode::OK
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/k", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/hooks/k", axum::routing::post(answer))).await });
    (url, taken)
}

#[tokio::test]
async fn the_simulator_sends_webhooks_as_telegram_does() {
    let (simulator, _) = start().await;
    simulator.set_first_pause(Duration::from_millis(10));
    let (url, taken) = moody_hook().await;
    let all: Vec<_> = (0..60).map(|index| said(&format!("{}", 100 + index % 5), &format!("{index}"))).collect();
    let storm = simulator.deliver(&url, &all, 10).await.unwrap();
    assert_eq!(storm.attempts, 60 + 6 + 20, "each once, every tenth twice, every third refused once");
    let taken: Vec<Value> = taken.lock().unwrap().iter().filter(|update| update["refused"].is_null()).cloned().collect();
    assert_eq!(taken.len(), 66);
    for chat in 100..105 {
        let mut numbers: Vec<i64> = taken
            .iter()
            .filter(|update| update["message"]["chat"]["id"] == chat)
            .map(|update| update["message"]["message_id"].as_i64().unwrap())
            .collect();
        assert!(numbers.is_sorted(), "one chat is in order: {numbers:?}");
        numbers.dedup();
        assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    }
}
