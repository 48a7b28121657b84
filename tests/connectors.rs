//! The contract: every connector in the list, every promise of each role it declares.
//!
//! A connector is tested by being in the list. It brings its simulator (the service as it really is) and, for a channel, its fixtures (what
//! the service sends). Only connectors without an outside service have neither.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use shopbell_core::api::form::FormSchema;
use shopbell_core::connector::{AnyConnector, Auth, Chunk, Event, Fault, Prompt, PromptMessage, Request, Said, ServiceError, Simulator};
use shopbell_core::text::length;

use self::link::{Desk, answer, said, text};

mod link;

fn kind(connector: &Arc<dyn AnyConnector>) -> &'static str {
    connector.about().kind
}

/// Every connector that has a service, with its simulator running and a connection to it.
async fn served() -> Vec<(Arc<dyn AnyConnector>, Box<dyn Simulator>, Desk)> {
    let mut served = Vec::new();
    for connector in shopbell_connectors::all() {
        if let Some(start) = connector.simulator() {
            let simulator = start().await.unwrap();
            let desk = Desk::new(connector.clone(), simulator.config());
            served.push((connector, simulator, desk));
        }
    }
    served
}

fn fixtures(kind: &str) -> Vec<(String, Request)> {
    let sources = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../src-tauri/connectors/src"));
    let folder = sources.join(kind.replace('-', "_")).join("fixtures");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
    let mut fixtures: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, Request::pulled(std::fs::read(&path).unwrap()))
        })
        .collect();
    fixtures.sort_by(|a, b| a.0.cmp(&b.0));
    fixtures
}

#[test]
fn the_catalogue_says_what_a_person_needs_to_know() {
    let mut kinds = HashSet::new();
    for connector in shopbell_connectors::all() {
        let about = connector.about();
        let kind = about.kind;
        assert!(kinds.insert(kind), "{kind} is there twice");
        assert!(kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{kind}");
        assert!(!about.name.is_empty() && !about.summary.is_empty() && about.summary.len() < 80, "{kind}");
        assert!(about.icon.contains("viewBox=\"0 0 24 24\"") && !about.icon.contains("<script"), "{kind}: an icon of 24 by 24");
        assert!(about.color.starts_with('#') && about.color.len() == 7, "{kind}");
        assert!(about.links.iter().all(|(_, url)| url.starts_with("https://")), "{kind}");
        assert!(about.auth == Auth::None || !about.steps.is_empty(), "{kind}: how do I get the key?");
        let does = connector.channel().is_some() || connector.model().is_some() || connector.sign_in().is_some();
        assert!(about.disabled.is_some() || does, "{kind} does nothing");
        assert!(about.auth == Auth::None || connector.simulator().is_some(), "{kind} has no simulator");
    }
}

#[test]
fn every_form_is_what_we_think() {
    for connector in shopbell_connectors::all() {
        let kind = kind(&connector);
        let schema = connector.schema();
        for (name, field) in schema["properties"].as_object().unwrap() {
            assert!(field["title"].is_string(), "{kind}: {name} has no title");
            assert!(field["description"].is_string(), "{kind}: {name} has no help");
        }
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let base_url = &schema["properties"]["base_url"];
        assert!(base_url.is_object(), "{kind} has no base_url");
        assert!(required.contains(&"base_url") || base_url["x-advanced"] == true, "{kind}: base_url stands under Advanced");
        assert_eq!(schema["additionalProperties"], false, "{kind} takes fields it does not know");
        insta::assert_json_snapshot!(format!("form_{kind}"), schema);
        if let Err(error) = serde_json::from_value::<FormSchema>(schema.clone()) {
            panic!("{kind}: the screens cannot draw this form: {error}");
        }

        let wrong = connector.settings(json!({ "no_such_field": 1 })).expect_err(kind);
        assert!(!wrong[0].1.to_string().is_empty(), "{kind}");
        if !required.is_empty() {
            let wrong = connector.settings(json!({})).expect_err(kind);
            assert!(required.contains(&wrong[0].0.as_str()), "{kind}: {wrong:?}");
        }
    }
}

#[tokio::test]
async fn every_secret_field_of_a_working_form_is_marked_as_one() {
    for (connector, simulator, _) in served().await {
        let schema = connector.schema();
        for (name, value) in simulator.config().as_object().unwrap() {
            let is_secret = value.as_str().is_some_and(|value| value.contains(&simulator.canary()));
            // An optional secret is a secret or nothing.
            let marked = schema["properties"][name].to_string().contains("\"writeOnly\":true");
            assert!(!is_secret || marked, "{}: {name} is a secret and not marked as one", kind(&connector));
        }
        assert!(simulator.config().to_string().contains(&simulator.canary()), "{}: the canary is planted", kind(&connector));
    }
}

#[tokio::test]
async fn every_fixture_is_read_as_we_think() {
    for (connector, _simulator, desk) in served().await {
        let Some(channel) = connector.channel() else { continue };
        let kind = kind(&connector);
        let fixtures = fixtures(kind);
        assert!(!fixtures.is_empty(), "{kind} has no fixtures");
        for (name, request) in fixtures {
            let events = channel.parse(&desk.settings, &request).unwrap_or_else(|error| panic!("{kind}/{name}: {error}"));
            assert!(!events.is_empty(), "{kind}/{name} says nothing");
            assert_eq!(channel.parse(&desk.settings, &request).unwrap(), events, "{kind}/{name}: reading is pure");
            let ids: Vec<&str> = events.iter().filter_map(external_id).collect();
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{kind}/{name}: two messages of one name");
            insta::assert_json_snapshot!(format!("{kind}__{name}"), events);
        }
    }
}

fn external_id(event: &Event) -> Option<&str> {
    if let Event::Message(message) = event { Some(&message.external_id) } else { None }
}

#[tokio::test]
async fn nothing_that_may_arrive_breaks_the_reader() {
    for (connector, simulator, desk) in served().await {
        let Some(channel) = connector.channel() else { continue };
        let mut bodies: Vec<Vec<u8>> = fixtures(kind(&connector)).into_iter().map(|(_, request)| request.body.to_vec()).collect();
        bodies.extend(simulator.signed(&said("5551", "Olá")).into_iter().map(|request| request.body.to_vec()));
        for body in bodies {
            for end in (0..body.len()).step_by(7) {
                // Cut short, and with one byte that is another: an error or events, never a panic.
                let _ = channel.parse(&desk.settings, &Request::pulled(body[..end].to_vec()));
                let mut flipped = body.clone();
                flipped[end] ^= 0x21;
                let _ = channel.parse(&desk.settings, &Request::pulled(flipped));
            }
        }
        for hostile in ["", "null", "[]", "{}", "[[[[", "\u{0}", "{\"a\":1e999}", "[null,1,\"x\",{}]"] {
            let _ = channel.parse(&desk.settings, &Request::pulled(hostile));
        }
        let deep = "[".repeat(100_000);
        assert!(channel.parse(&desk.settings, &Request::pulled(deep)).is_err(), "a bottomless body");
    }
}

/// Every place of a value, as the keys and numbers that lead there.
fn places(value: &Value) -> Vec<String> {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let mut all: Vec<String> = Vec::new();
    for (name, value) in inside {
        all.push(format!("/{name}"));
        all.extend(places(value).into_iter().map(|place| format!("/{name}{place}")));
    }
    all
}

#[tokio::test]
async fn no_value_of_another_kind_breaks_the_reader_and_none_is_let_in_unsigned() {
    let others =
        [json!(null), json!(-1), json!(1e300), json!(""), json!("\u{0}é"), json!([]), json!({}), json!([[null]]), json!({ "id": {} })];
    for (connector, _simulator, desk) in served().await {
        let Some(channel) = connector.channel() else { continue };
        let mut tried = 0;
        for (name, request) in fixtures(kind(&connector)) {
            let mut bodies: Vec<Vec<u8>> = Vec::new();
            if let Ok(value) = serde_json::from_slice::<Value>(&request.body) {
                for place in places(&value) {
                    for other in &others {
                        let mut changed = value.clone();
                        *changed.pointer_mut(&place).unwrap() = other.clone();
                        bodies.push(changed.to_string().into_bytes());
                    }
                }
            } else {
                // A form: each field left out, empty, twice, and far too long.
                let fields: Vec<&[u8]> = request.body.split(|byte| *byte == b'&').collect();
                for at in 0..fields.len() {
                    let key = fields[at].split(|byte| *byte == b'=').next().unwrap_or_default();
                    for with in [
                        b"".to_vec(),
                        [key, b"="].concat(),
                        [fields[at], b"&", fields[at]].concat(),
                        [key, b"=", &[b'9'; 5000][..]].concat(),
                    ] {
                        let mut changed: Vec<Vec<u8>> = fields.iter().map(|field| field.to_vec()).collect();
                        changed[at] = with;
                        bodies.push(changed.join(&b'&'));
                    }
                }
            }
            for body in bodies {
                tried += 1;
                let changed = Request { method: "POST".into(), body: body.into(), ..request.clone() };
                assert_eq!(channel.parse(&desk.settings, &changed), channel.parse(&desk.settings, &changed), "{name}: reading is pure");
                assert!(channel.verify(&desk.settings, &changed).is_err(), "{name}: it is not signed");
            }
        }
        assert!(tried > 100, "{}: only {tried} were tried", kind(&connector));
    }
}

#[tokio::test]
async fn only_what_the_service_signed_is_let_in() {
    for (connector, simulator, desk) in served().await {
        let Some(channel) = connector.channel().filter(|channel| channel.rules().webhook) else { continue };
        let kind = kind(&connector);
        let rules = channel.rules();
        let requests = simulator.signed(&said("5551", "Olá"));
        assert!(!requests.is_empty(), "{kind}: its simulator signs nothing");
        for request in requests {
            assert_eq!(channel.verify(&desk.settings, &request), Ok(()), "{kind}");
            assert!(!rules.secret_headers.is_empty(), "{kind}: which header proves it?");
            for header in rules.secret_headers {
                let Some(position) = request.headers.iter().position(|(name, _)| name == header) else { continue };
                let mut missing = request.clone();
                missing.headers.remove(position);
                assert!(channel.verify(&desk.settings, &missing).is_err(), "{kind}: without {header}");
                let value = request.headers[position].1.clone();
                let mut wrongs: Vec<String> = (0..value.len())
                    .map(|index| {
                        let mut bytes = value.clone().into_bytes();
                        bytes[index] = if bytes[index] == b'a' { b'b' } else { b'a' };
                        String::from_utf8(bytes).unwrap()
                    })
                    .filter(|wrong| *wrong != value)
                    .collect();
                wrongs.extend([String::new(), value[..value.len() - 1].to_owned(), format!("{value}a"), format!(" {value}")]);
                for wrong in wrongs {
                    let mut forged = request.clone();
                    forged.headers[position].1 = wrong;
                    assert!(channel.verify(&desk.settings, &forged).is_err(), "{kind}: a wrong {header}");
                }
                if header.contains("signature") {
                    for index in 0..request.body.len() {
                        let mut body = request.body.to_vec();
                        body[index] ^= 1;
                        let changed = Request { body: body.into(), ..request.clone() };
                        assert!(channel.verify(&desk.settings, &changed).is_err(), "{kind}: byte {index} of the body");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn the_same_message_has_the_same_name_and_two_have_two() {
    for (connector, simulator, desk) in served().await {
        if connector.channel().is_none() {
            continue;
        }
        let kind = kind(&connector);
        let mut names = HashSet::new();
        for number in 0..10 {
            // The same words again are another message.
            for request in simulator.signed(&said(&format!("{}", 5551 + number % 2), "Olá")) {
                let (first, second) = (desk.read(&request), desk.read(&request));
                assert_eq!(first, second, "{kind}");
                let ids = first.iter().filter_map(external_id);
                assert!(ids.into_iter().all(|id| names.insert(id.to_owned())), "{kind}: a name is used twice");
            }
        }
        assert_eq!(names.len(), 10, "{kind}");
    }
}

#[tokio::test]
async fn what_is_sent_arrives_within_the_limits_of_the_service() {
    for (connector, simulator, desk) in served().await {
        let Some(channel) = connector.channel() else { continue };
        let kind = kind(&connector);
        let rules = channel.rules();
        let ana = desk.first_word(simulator.as_ref(), &said("5551", "Olá"));
        let long: String = "Pão de queijo 🧀 quentinho. ".repeat(400);
        let parts = shopbell_core::text::split(&long, rules.text_limit);
        let mut ids = HashSet::new();
        for part in &parts {
            assert!(length(part, rules.text_limit.unit) <= rules.text_limit.max as usize);
            let receipt = channel.send(desk.link(), &answer(&ana, text(part))).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
            assert!(ids.insert(receipt.external_id), "{kind}: a name is given twice");
        }
        let received: Vec<String> = simulator
            .received()
            .into_iter()
            .map(|(thread, text)| {
                assert_eq!(thread, ana.thread, "{kind}");
                text
            })
            .collect();
        assert_eq!(received, parts, "{kind}");
    }
}

/// One use of each role: an answer sent, a question asked.
async fn attempt(desk: &Desk, simulator: &dyn Simulator) -> Result<(), ServiceError> {
    if let Some(channel) = desk.connector.channel() {
        let ana = desk.first_word(simulator, &Said::text("5551", "Ana", "Olá"));
        channel.send(desk.link(), &answer(&ana, text("Oi"))).await?;
    }
    if let Some(model) = desk.connector.model() {
        let mut stream = model.respond(desk.link(), &question()).await?;
        let mut done = false;
        while let Some(chunk) = stream.next().await {
            done |= matches!(chunk?, Chunk::Done(_));
        }
        assert!(done, "a stream without an error ends in Done");
    }
    if desk.connector.channel().is_none() && desk.connector.model().is_none() {
        desk.connector.test(desk.link()).await?;
    }
    Ok(())
}

fn question() -> Prompt {
    Prompt {
        model: String::new(),
        system: "You are Nina.".into(),
        messages: vec![PromptMessage::User { text: "Oi".into() }],
        tools: Vec::new(),
        may_call_tools: false,
        temperature: 0.7,
        max_tokens: 4096,
        language: None,
        end_user: "customer-7".into(),
    }
}

#[tokio::test]
async fn every_failure_is_sorted_by_what_to_do_about_it() {
    for (connector, simulator, desk) in served().await {
        let kind = kind(&connector);
        let faults = [
            Fault::RateLimit(Duration::from_secs(3)),
            Fault::ServerError,
            Fault::Unauthorized,
            Fault::Refuse("the moon is in the wrong house".into()),
            Fault::CutAfter,
            Fault::CutBefore,
        ];
        for fault in faults {
            simulator.fault(fault.clone(), 1);
            let error = attempt(&desk, simulator.as_ref()).await.expect_err(kind);
            let acts = connector.channel().is_some();
            let right = match (&fault, &error) {
                (Fault::RateLimit(wait), ServiceError::RateLimited { retry_after: Some(told) }) => told >= wait,
                (Fault::ServerError | Fault::CutBefore, ServiceError::Temporary(_) | ServiceError::Ambiguous) => true,
                (Fault::Unauthorized, ServiceError::Unauthorized(_)) => true,
                (Fault::Refuse(words), ServiceError::Permanent(sentence)) => sentence.to_string().contains(words.as_str()),
                // It may have been carried out: an answer must not be sent twice, a question may be asked again.
                (Fault::CutAfter, ServiceError::Ambiguous) => acts,
                (Fault::CutAfter, ServiceError::Temporary(_)) => !acts,
                _ => false,
            };
            assert!(right, "{kind}: {fault:?} was taken for {error:?}");
            assert!(!error.sentence().to_string().is_empty(), "{kind}");
            attempt(&desk, simulator.as_ref()).await.unwrap_or_else(|error| panic!("{kind} does not recover from {fault:?}: {error:?}"));
        }
    }
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_only_temporarily_away() {
    for (connector, simulator, _) in served().await {
        let mut config = simulator.config();
        // Nobody listens on the port of discard.
        config["base_url"] = "http://127.0.0.1:9/v1".into();
        let desk = Desk::new(connector.clone(), config);
        let error = attempt(&desk, simulator.as_ref()).await.expect_err(kind(&connector));
        assert!(matches!(error, ServiceError::Temporary(_)), "{}: {error:?}", kind(&connector));
        let error = connector.test(desk.link()).await.expect_err(kind(&connector));
        assert!(matches!(error, ServiceError::Temporary(_)), "{}: {error:?}", kind(&connector));
    }
}

#[tokio::test]
async fn a_test_names_the_account_and_a_wrong_key_is_said_in_a_sentence() {
    for (connector, simulator, desk) in served().await {
        let kind = kind(&connector);
        let account = connector.test(desk.link()).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert!(!account.name.is_empty() && account.checks.iter().any(|check| check.ok), "{kind}: {account:?}");
        assert!(simulator.received().is_empty(), "{kind}: no customer notices a test");

        let reversed: String = simulator.canary().chars().rev().collect();
        let config = simulator.config().to_string().replace(&simulator.canary(), &reversed);
        let stranger = Desk::new(connector.clone(), serde_json::from_str(&config).unwrap());
        let error = connector.test(stranger.link()).await.expect_err(kind);
        assert!(
            matches!(&error, ServiceError::Unauthorized(sentence) if sentence.to_string().contains("does not accept")),
            "{kind}: {error:?}"
        );
    }
}

/// Everything that was traced, at every level, by us and by what we use.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<Vec<u8>>>);

impl Write for Traces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_secret_is_seen_nowhere() {
    let traces = Traces::default();
    let writer = traces.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).with_ansi(false).finish();
    let tracing = tracing::subscriber::set_default(subscriber);
    for (connector, simulator, desk) in served().await {
        let kind = kind(&connector);
        let canary = simulator.canary();
        let mut seen = Vec::new();
        for fault in [None, Some(Fault::Unauthorized), Some(Fault::ServerError), Some(Fault::Refuse(canary.clone())), Some(Fault::CutAfter)]
        {
            let own_words = matches!(fault, Some(Fault::Refuse(_)));
            if let Some(fault) = fault {
                simulator.fault(fault, 1);
            }
            let result = attempt(&desk, simulator.as_ref()).await;
            if !own_words {
                seen.push(format!("{result:?} {:?}", result.as_ref().err().map(|error| error.sentence().to_string())));
            }
            seen.push(format!("{:?}", connector.test(desk.link()).await));
        }
        if let Some(channel) = connector.channel() {
            let _ = channel.typing(desk.link(), "5551", None).await;
            seen.push(format!("{:?}", channel.fetch_media(desk.link(), "nothing").await.err()));
            seen.push(format!("{:?}", channel.webhook_state(desk.link()).await));
        }
        let mut config = simulator.config();
        config["base_url"] = "http://127.0.0.1:9".into();
        let away = Desk::new(connector.clone(), config.clone());
        seen.push(format!("{:?}", connector.test(away.link()).await));
        config["no_such_field"] = canary.clone().into();
        seen.push(format!("{:?}", connector.settings(config).expect_err(kind)));
        seen.push(Value::from(simulator.journal()).to_string());
        seen.push(connector.schema().to_string());
        let traced = String::from_utf8_lossy(&traces.0.lock().unwrap()).into_owned();
        for text in seen.iter().chain([&traced]) {
            if let Some(at) = text.find(&canary) {
                let around: String = text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
                panic!("{kind}: the secret is seen after …{around}");
            }
        }
    }
    drop(tracing);
    assert!(!traces.0.lock().unwrap().is_empty(), "something was traced at all");
}
