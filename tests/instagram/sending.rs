//! What the shop sends, both ways.

use shopbell_core::connector::{Action, Fault};
use shopbell_core::id::MediaId;
use shopbell_core::model::{Card, MediaKind};

use super::*;

fn file(kind: MediaKind, media: MediaId, mime: &str) -> Content {
    Content::Media { kind, media, caption: None, filename: None, mime: mime.into(), bytes: 0, duration_ms: None, wave: None }
}

fn refused(error: &ServiceError, action: Action, words: &str) {
    let fits =
        matches!(error, ServiceError::Refused { action: given, sentence } if *given == action && sentence.to_string().contains(words));
    assert!(fits, "{action:?} {words}: {error:?}");
}

#[tokio::test]
async fn everything_that_the_shop_can_say_leaves_as_instagram_wants_it() {
    for flavour in BOTH {
        let (simulator, desk) = start_as(flavour, |_| ()).await;
        let ana = message(&simulator, &desk, &said("5551", "oi"));
        desk.channel().mark_read(desk.link(), &ana.thread, &ana.external_id).await.unwrap();
        desk.channel().typing(desk.link(), &ana.thread, Some(&ana.external_id)).await.unwrap();
        let contents = [
            text("**Oi**"),
            Content::Choices { text: "Quer?".into(), options: vec![choice("y", "Sim", None), choice("n", "Não", None)] },
            Content::Choices {
                text: "Veja".into(),
                options: vec![choice("m", "Cardápio", Some("https://shop.example/m")), choice("p", "Falar", None)],
            },
            Content::Location { latitude: -23.5, longitude: -46.6, name: Some("Padaria".into()), address: Some("Rua A, 1".into()) },
            Content::Contacts { contacts: vec![Card { name: "Bo".into(), phones: vec!["+5511988880000".into()] }] },
            Content::Reaction { emoji: "❤".into(), target: ana.external_id.clone() },
            Content::Reaction { emoji: String::new(), target: ana.external_id.clone() },
        ];
        for content in contents {
            let reply = Outgoing { reply_to: Some(ana.external_id.clone()), ..answer(&ana, content) };
            send(&desk, &reply).await.unwrap_or_else(|error| panic!("{:?}: {error}", reply.content));
        }
        insta::assert_json_snapshot!(format!("instagram_sends_{flavour:?}"), calls(&simulator));
    }
}

#[tokio::test]
async fn a_file_goes_by_link_in_the_shape_of_each_way_in() {
    for flavour in BOTH {
        for other in [false, true] {
            let (simulator, desk) = start_as(flavour, |_| ()).await;
            simulator.set_habits(Habits { other_attachments: other, ..Habits::default() });
            desk.reached_at("https://shop.example");
            let ana = message(&simulator, &desk, &said("5551", "oi"));
            let media = desk.store("image/png", None, vec![1; 100]);
            send(&desk, &answer(&ana, file(MediaKind::Image, media.clone(), "image/png"))).await.unwrap();
            let attachment = json!({ "type": "image", "payload": { "url": format!("https://shop.example/media/{media}") } });
            let (many, one) = (json!({ "attachments": attachment }), json!({ "attachment": attachment }));
            let expected = match (flavour, other) {
                (Flavour::InstagramLogin, false) => vec![many],
                (Flavour::InstagramLogin, true) => vec![many, one],
                (Flavour::FacebookPage, false) => vec![one],
                (Flavour::FacebookPage, true) => vec![one, many],
            };
            assert_eq!(messages(&simulator), expected, "{flavour:?} {other}");
            assert_eq!(simulator.received().len(), 1, "what was refused was not sent");
        }
    }
}

#[tokio::test]
async fn without_a_public_address_a_page_takes_the_file_itself_and_an_account_says_what_is_missing() {
    let (simulator, desk) = start_as(Flavour::FacebookPage, |_| ()).await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let pdf = desk.store("application/pdf", Some("cardápio.pdf"), vec![1; 100]);
    send(&desk, &answer(&ana, file(MediaKind::Document, pdf, "application/pdf"))).await.unwrap();
    let upload = bodies(&simulator, "/message_attachments").remove(0);
    assert_eq!(upload["filedata"], json!({ "filename": "cardápio.pdf", "mime": "application/pdf", "bytes": 100 }));
    assert!(messages(&simulator)[0]["attachment"]["payload"]["attachment_id"].is_string());

    for (mode, passes) in [("webhook", true), ("polling", false)] {
        let (simulator, desk) = start_as(Flavour::InstagramLogin, |config| config["mode"] = mode.into()).await;
        let ana = message(&simulator, &desk, &said("5551", "oi"));
        let voice = desk.store("audio/wav", None, vec![1; 100]);
        let error = send(&desk, &answer(&ana, file(MediaKind::Voice, voice, "audio/wav"))).await.unwrap_err();
        assert_eq!(matches!(error, ServiceError::Temporary(_)), passes, "a tunnel comes back, no tunnel does not: {error:?}");
        assert!(error.sentence().to_string().contains("public address"));
        assert!(messages(&simulator).is_empty());
    }
}

#[tokio::test]
async fn a_file_that_does_not_fit_is_refused_before_anything_is_sent() {
    let (simulator, desk) = start().await;
    desk.reached_at("https://shop.example");
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let try_send = async |kind, mime: &str, bytes: Vec<u8>| {
        let media = desk.store(mime, None, bytes);
        send(&desk, &answer(&ana, file(kind, media, mime))).await.unwrap_err()
    };
    refused(&try_send(MediaKind::Image, "image/webp", vec![1]).await, Action::FixContent, "image/webp");
    refused(&try_send(MediaKind::Voice, "audio/ogg", vec![1]).await, Action::FixContent, "audio/ogg");
    refused(&try_send(MediaKind::Image, "image/png", vec![1; (8 << 20) + 1]).await, Action::FixContent, "9 MB");
    refused(&try_send(MediaKind::Document, "application/pdf", Vec::new()).await, Action::FixContent, "empty");
    assert!(messages(&simulator).is_empty());

    simulator.fault(Fault::Code(100), 2);
    refused(&try_send(MediaKind::Image, "image/png", vec![1]).await, Action::FixContent, "could not take this file");
    assert_eq!(messages(&simulator).len(), 2, "both shapes were tried, and no third");
}

#[tokio::test]
async fn choices_become_quick_replies_and_what_is_pressed_comes_back() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let options: Vec<Choice> = (0..13).map(|n| choice(&format!("o{n}"), &format!("Opção número {n:02} é"), None)).collect();
    send(&desk, &answer(&ana, Content::Choices { text: "Qual?".into(), options: options.clone() })).await.unwrap();
    let sent = &messages(&simulator)[0];
    assert_eq!((sent["text"].as_str(), sent["quick_replies"].as_array().unwrap().len()), (Some("Qual?"), 13));
    let pressed = message(&simulator, &desk, &says(SaidWhat::Press { id: "o3".into() }, ""));
    assert_eq!(pressed.content, [content(Content::Chosen { id: "o3".into(), label: "Opção número 03 é".into() })]);

    let too_many = options.iter().cloned().chain([choice("o13", "mais", None)]).collect();
    let error = send(&desk, &answer(&ana, Content::Choices { text: "?".into(), options: too_many })).await.unwrap_err();
    refused(&error, Action::FixContent, "13 buttons");
    let long = vec![choice("a", "vinte e um caracteres", None)];
    refused(
        &send(&desk, &answer(&ana, Content::Choices { text: "?".into(), options: long })).await.unwrap_err(),
        Action::FixContent,
        "20 characters",
    );
    assert_eq!(messages(&simulator).len(), 1);
}

#[tokio::test]
async fn links_among_the_choices_make_a_card_and_many_become_words() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let options = vec![choice("site", "Cardápio", Some("https://shop.example/c")), choice("y", "Sim", None)];
    send(&desk, &answer(&ana, Content::Choices { text: "Veja".into(), options: options.clone() })).await.unwrap();
    let card = json!({ "attachment": { "type": "template", "payload": { "template_type": "button", "text": "Veja", "buttons": [
        { "type": "web_url", "url": "https://shop.example/c", "title": "Cardápio" },
        { "type": "postback", "title": "Sim", "payload": "y" },
    ] } } });
    assert_eq!(messages(&simulator), [card]);
    let pressed = message(&simulator, &desk, &says(SaidWhat::Press { id: "y".into() }, ""));
    assert_eq!(pressed.content, [content(Content::Chosen { id: "y".into(), label: "Sim".into() })]);

    let many: Vec<Choice> = options.into_iter().chain([choice("n", "Não", None), choice("t", "Talvez", None)]).collect();
    send(&desk, &answer(&ana, Content::Choices { text: "Veja".into(), options: many })).await.unwrap();
    let sent = messages(&simulator).pop().unwrap();
    assert_eq!(
        (sent["text"].as_str(), sent["quick_replies"].as_array().unwrap().len()),
        (Some("Veja\nCardápio: https://shop.example/c"), 3)
    );
}

#[tokio::test]
async fn a_place_and_a_card_become_words() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let place =
        Content::Location { latitude: -23.55, longitude: -46.633, name: Some("Pão Dourado".into()), address: Some("Rua A, 1".into()) };
    send(&desk, &answer(&ana, place)).await.unwrap();
    let contacts = vec![Card { name: "Bia".into(), phones: vec!["+55 11 99999-0000".into()] }];
    send(&desk, &answer(&ana, Content::Contacts { contacts })).await.unwrap();
    let received: Vec<String> = simulator.received().into_iter().map(|(_, text)| text).collect();
    assert_eq!(received[0], "Pão Dourado\nRua A, 1\nhttps://www.google.com/maps/search/?api=1&query=-23.550000,-46.633000");
    assert_eq!(received[1], "Bia: +55 11 99999-0000");
    let none = Content::Unsupported { kind: "x".into() };
    assert!(matches!(send(&desk, &answer(&ana, none)).await, Err(ServiceError::Permanent(_))));
    assert!(matches!(send(&desk, &answer(&ana, text("  \n"))).await, Err(ServiceError::Permanent(_))));
    let long = "é".repeat(501);
    refused(&send(&desk, &answer(&ana, text(&long))).await.unwrap_err(), Action::FixContent, "1000 bytes");
}

#[tokio::test]
async fn a_reaction_is_put_and_taken_away() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let react = async |emoji: &str, target: &str| {
        send(&desk, &answer(&ana, Content::Reaction { emoji: emoji.into(), target: target.into() })).await
    };
    for emoji in ["❤️", "❤", "😂", ""] {
        react(emoji, &ana.external_id).await.unwrap();
    }
    let signs: Vec<String> = simulator.signs().into_iter().map(|(_, sign)| sign).collect();
    assert_eq!(signs, ["react love", "react love", "react smile", "unreact"]);
    refused(&react("🥐", &ana.external_id).await.unwrap_err(), Action::FixContent, "no such reaction");
    assert!(matches!(react("❤", "reaction:x").await, Err(ServiceError::Permanent(_))), "a reaction has no reactions");
    assert_eq!(simulator.signs().len(), 4);
    assert!(simulator.received().is_empty());
}

#[tokio::test]
async fn an_answer_names_what_it_answers_where_the_account_takes_that() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let reply = Outgoing { reply_to: Some(ana.external_id.clone()), ..answer(&ana, text("olá")) };
    send(&desk, &reply).await.unwrap();
    assert_eq!(bodies(&simulator, "/messages").pop().unwrap()["reply_to"], json!({ "mid": ana.external_id }));
    simulator.set_habits(Habits { no_replies: true, ..Habits::default() });
    send(&desk, &reply).await.unwrap();
    assert_eq!(bodies(&simulator, "/messages").pop().unwrap()["reply_to"], Value::Null);
    assert_eq!(simulator.received().len(), 2);
    let pressed = Outgoing { reply_to: Some("postback:00ff".into()), ..answer(&ana, text("olá")) };
    send(&desk, &pressed).await.unwrap();
    assert_eq!(simulator.received().len(), 3, "a name of our own making is not told");
    assert_eq!(bodies(&simulator, "/messages").len(), 4);
}

#[tokio::test]
async fn a_refusal_says_what_to_do() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let attempt = async || send(&desk, &answer(&ana, text("olá"))).await.unwrap_err();
    for (code, action, words) in [
        (2_534_022, Action::UseTemplate, "24 hours"),
        (2_018_065, Action::UseTemplate, "24 hours"),
        (2_534_014, Action::Unreachable, "does not know this customer"),
        (2_018_001, Action::Unreachable, "does not know this customer"),
        (551, Action::Unreachable, "cannot reach"),
        (200, Action::GrantPermission, "instagram_business_manage_messages"),
        (3, Action::GrantPermission, "permission"),
        (230, Action::GrantPermission, "written to it"),
        (368, Action::FixAccount, "locked"),
    ] {
        simulator.fault(Fault::Code(code), 1);
        refused(&attempt().await, action, words);
    }
    for code in [4, 17, 32, 613, 80_002] {
        simulator.fault(Fault::Code(code), 1);
        assert!(matches!(attempt().await, ServiceError::RateLimited { .. }), "{code}");
    }
    for code in [1, 2] {
        simulator.fault(Fault::Code(code), 1);
        assert!(matches!(attempt().await, ServiceError::Temporary(_)), "{code}");
    }
    simulator.fault(Fault::Code(190), 1);
    assert!(matches!(attempt().await, ServiceError::Unauthorized(_)));
    simulator.fault(Fault::Code(100), 1);
    assert!(matches!(attempt().await, ServiceError::Permanent(_)), "words have one shape alone");
    simulator.block("5551", true);
    refused(&attempt().await, Action::Unreachable, "blocked");
    simulator.block("5551", false);
    let stranger = IncomingMessage { thread: "777".into(), ..ana.clone() };
    refused(&send(&desk, &answer(&stranger, text("olá"))).await.unwrap_err(), Action::Unreachable, "write to the shop first");
    assert!(simulator.received().is_empty());
}
