//! What customers do, as the service tells it.

use proptest::prelude::*;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Fate, Fault, Request};
use shopbell_core::model::MediaKind;

use super::*;

#[tokio::test]
async fn every_kind_of_word_is_read() {
    let (simulator, desk) = start().await;
    let first = message(&simulator, &desk, &said("5551", "oi"));
    let target = || first.external_id.clone();

    let reply = message(&simulator, &desk, &says(SaidWhat::Reply { target: target() }, "esse"));
    assert_eq!((reply.reply_to, &reply.content[0]), (Some(target()), &content(Content::Text { text: "esse".into() })));

    let heart = message(&simulator, &desk, &says(SaidWhat::Reaction { target: target(), emoji: "❤".into() }, ""));
    assert_eq!(heart.content, [content(Content::Reaction { emoji: "❤".into(), target: target() })]);
    let gone = message(&simulator, &desk, &says(SaidWhat::Reaction { target: target(), emoji: String::new() }, ""));
    assert_eq!(gone.content, [content(Content::Reaction { emoji: String::new(), target: target() })]);
    assert_ne!(heart.external_id, gone.external_id);

    let edited = event(&simulator, &desk, &says(SaidWhat::Edit { target: target() }, "olá"));
    let Event::Edited { external_id, content: now, .. } = edited else { panic!("{edited:?}") };
    assert_eq!((external_id, now), (target(), vec![content(Content::Text { text: "olá".into() })]));
    let deleted = event(&simulator, &desk, &says(SaidWhat::Delete { target: target() }, ""));
    assert!(matches!(&deleted, Event::Deleted { external_id, .. } if *external_id == target()), "{deleted:?}");

    let odd = message(&simulator, &desk, &says(SaidWhat::Unsupported, ""));
    assert_eq!(odd.content, [content(Content::Unsupported { kind: "unsupported".into() })]);
    let ad = message(&simulator, &desk, &says(SaidWhat::FromAd { click_id: "1202".into() }, "vi no anúncio"));
    let referral = ad.referral.unwrap();
    assert_eq!(
        (referral.kind.as_str(), referral.source_id.as_deref(), referral.headline.as_deref()),
        ("ad", Some("1202"), Some("Pão quentinho"))
    );
    let ice = message(&simulator, &desk, &says(SaidWhat::Press { id: "HOURS".into() }, "Qual o horário?"));
    assert_eq!(ice.content, [content(Content::Chosen { id: "HOURS".into(), label: "Qual o horário?".into() })]);
    for nothing in [SaidWhat::Location { latitude: 0.0, longitude: 0.0 }, SaidWhat::Forwarded] {
        assert!(simulator.signed(&says(nothing, "")).is_empty(), "Instagram has no such thing");
    }
}

#[tokio::test]
async fn the_same_event_reads_alike_in_either_form() {
    let (simulator, desk) = start().await;
    let said = said("5551", "em changes");
    let request = simulator.signed_as_change(&said).unwrap();
    let events = desk.read(&request);
    assert!(matches!(&events[..], [Event::Message(message)] if words(message) == ["em changes"] && message.thread == "5551"), "{events:?}");
}

#[tokio::test]
async fn a_delivery_for_several_accounts_gives_each_its_own() {
    let (simulator, desk) = start().await;
    let request = simulator.signed_together(&[said("5551", "um"), said("5552", "dois")]);
    assert!(desk.channel().concerns(&desk.settings, &request));
    let events = desk.read(&request);
    let threads: Vec<&str> =
        events.iter().filter_map(|event| if let Event::Message(message) = event { Some(message.thread.as_str()) } else { None }).collect();
    assert_eq!(threads, ["5551", "5552"], "and nothing of the other account");
    let stranger = Desk::new(erase(Instagram), {
        let mut config = simulator.config();
        config["account_id"] = "17841488888888888".into();
        config
    });
    assert!(!stranger.channel().concerns(&stranger.settings, &request));
    let strange = stranger.read(&request);
    let is_said = |event: &Event| matches!(event, Event::NotUnderstood { why } if why.contains("Check the account"));
    assert!(strange.iter().all(is_said), "nothing of it is for this one: {strange:?}");
    let shared = desk.channel().shared_callback(&desk.settings).unwrap();
    assert_eq!((shared.family, shared.key.as_str()), ("meta", "1234567890123456"));
    assert!(!desk.channel().concerns(&desk.settings, &Request::pulled("not JSON")));
}

#[tokio::test]
async fn the_shops_own_words_are_told_apart() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let phone = event(&simulator, &desk, &says(SaidWhat::Echo, "Já respondo"));
    let Event::FromShop(phone) = phone else { panic!("{phone:?}") };
    assert_eq!((phone.thread.as_str(), phone.ours), ("5551", None), "the phone names no app");
    assert_eq!(phone.to, ana.from);
}

#[tokio::test]
async fn a_read_mark_names_the_message() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let sent = send(&desk, &answer(&ana, text("olá"))).await.unwrap();
    let request = simulator.fate(&sent, &Fate::Read).remove(0);
    let events = desk.read(&request);
    assert!(
        matches!(&events[..], [Event::SeenUpTo { thread, external_id, at }] if thread == "5551" && *external_id == Some(sent.clone()) && *at > Timestamp::default()),
        "{events:?}"
    );
    assert!(simulator.fate(&sent, &Fate::Delivered).is_empty(), "Instagram tells of no delivery");
}

#[tokio::test]
async fn files_are_fetched_without_any_credential() {
    let (simulator, desk) = start().await;
    for (kind, mime, filename) in [
        (MediaKind::Image, "image/jpeg", None),
        (MediaKind::Voice, "audio/mp4", None),
        (MediaKind::Video, "video/mp4", None),
        (MediaKind::Document, "application/pdf", Some("cardápio.pdf".to_owned())),
    ] {
        let what = SaidWhat::File { kind, bytes: vec![7; 2000].into(), mime: mime.into(), filename: filename.clone() };
        let message = message(&simulator, &desk, &says(what, ""));
        let IncomingContent::Media(media) = &message.content[0] else { panic!("{message:?}") };
        assert_eq!((media.kind, &media.filename), (kind, &filename));
        let fetched = desk.channel().fetch_media(desk.link(), &media.reference).await.unwrap();
        assert_eq!((fetched.bytes.len(), fetched.mime.as_deref()), (2000, Some(mime)));
    }
    assert_eq!(simulator.leaks(), 0);
}

#[tokio::test]
async fn a_link_that_has_run_out_or_leads_elsewhere_ends_in_a_sentence() {
    let (simulator, desk) = start().await;
    let what = SaidWhat::File { kind: MediaKind::Image, bytes: vec![7; 10].into(), mime: "image/png".into(), filename: None };
    let message = message(&simulator, &desk, &says(what, ""));
    let IncomingContent::Media(media) = &message.content[0] else { panic!("{message:?}") };
    let fetch = async |reference: String| desk.channel().fetch_media(desk.link(), &reference).await.map(|_| ()).unwrap_err();
    simulator.fault(Fault::MediaGone, 1);
    assert!(matches!(fetch(media.reference.clone()).await, ServiceError::Permanent(words) if words.to_string().contains("no longer")));
    simulator.fault(Fault::ServerError, 1);
    assert!(matches!(fetch(media.reference.clone()).await, ServiceError::Temporary(_)));
    simulator.expire_links();
    assert!(matches!(fetch(media.reference.clone()).await, ServiceError::Permanent(words) if words.to_string().contains("no longer")));
    let before = simulator.journal().len();
    for elsewhere in [
        "https://evil.example/x.jpg",
        "https://fbsbx.com.evil.example/x.jpg",
        "https://evilfbsbx.com/x.jpg",
        "http://lookaside.fbsbx.com/x.jpg",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "nothing",
    ] {
        assert!(
            matches!(fetch(elsewhere.into()).await, ServiceError::Permanent(words) if words.to_string().contains("does not lie at Instagram")),
            "{elsewhere}"
        );
    }
    assert_eq!(simulator.journal().len(), before, "nothing was asked for");
}

/// Every fixture, as text.
fn fixtures() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../src-tauri/connectors/src/instagram/fixtures");
    std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

/// A JSON value that something else is put into at a random place.
fn put(value: &mut Value, path: &[prop::sample::Index], what: &Value) {
    let Some((first, rest)) = path.split_first() else {
        *value = what.clone();
        return;
    };
    match value {
        Value::Array(list) if !list.is_empty() => {
            let at = first.index(list.len());
            put(&mut list[at], rest, what);
        }
        Value::Object(map) if !map.is_empty() => {
            let at = first.index(map.len());
            put(map.values_mut().nth(at).unwrap(), rest, what);
        }
        _ => *value = what.clone(),
    }
}

fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!({})),
        Just(json!([])),
        Just(json!(true)),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::collection::vec(any::<u8>().prop_map(Value::from), 0..4).prop_map(Value::from),
    ]
}

#[test]
fn no_mutation_of_a_delivery_breaks_the_reader() {
    let config = json!({ "account_id": "17841400000000000", "app_id": "1234567890123456", "app_secret": "s3cret", "access_token": "t0ken", "verify_token": "v" });
    let desk = Desk::new(erase(Instagram), config);
    let fixtures: Vec<Value> = fixtures().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let read = |body: Vec<u8>| desk.channel().parse(&desk.settings, &Request::pulled(body));
    proptest!(ProptestConfig::with_cases(2000), |(which: prop::sample::Index, path in prop::collection::vec(any::<prop::sample::Index>(), 1..9), what in anything(), noise in prop::collection::vec(any::<u8>(), 0..64))| {
        let mut value = which.get(&fixtures).clone();
        put(&mut value, &path, &what);
        let events = read(value.to_string().into_bytes());
        prop_assert!(events.is_err() || !events.unwrap().is_empty(), "something is said of every delivery");
        let _ = read(noise);
    });
}
