//! Answers after 24 hours, and messages whose fate is not known.

use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Action, Fault};
use shopbell_core::id::AgentId;
use shopbell_core::model::{Author, MediaKind};

use super::*;

fn late(to: &IncomingMessage, at: Timestamp, author: Author) -> Outgoing {
    Outgoing { author, last_in_at: Some(at), ..answer(to, text("olá")) }
}

fn action(error: &ServiceError) -> Option<Action> {
    error.action()
}

#[tokio::test]
async fn after_a_day_a_person_may_answer_and_an_agent_may_not() {
    let (simulator, desk) = start().await;
    simulator.set_habits(Habits { human_agent: true, ..Habits::default() });
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let tag = |body: &Value| (body["messaging_type"].clone(), body["tag"].clone());
    let (person, agent) = (Author::Person { id: None }, Author::Agent { id: AgentId::new() });

    send(&desk, &answer(&ana, text("olá"))).await.unwrap();
    assert_eq!(tag(&bodies(&simulator, "/messages")[0]), (Value::Null, Value::Null), "no tag within the day");
    let at = simulator.age("5551", DAY + Duration::from_secs(60));
    send(&desk, &late(&ana, at, person.clone())).await.unwrap();
    assert_eq!(tag(&bodies(&simulator, "/messages")[1]), (json!("MESSAGE_TAG"), json!("HUMAN_AGENT")));
    let error = send(&desk, &late(&ana, at, agent)).await.unwrap_err();
    assert_eq!(tag(&bodies(&simulator, "/messages")[2]), (Value::Null, Value::Null), "never on an agent's words");
    assert_eq!(action(&error), Some(Action::UseTemplate), "{error:?}");

    let at = simulator.age("5551", DAY * 7);
    let error = send(&desk, &late(&ana, at, person.clone())).await.unwrap_err();
    assert!(action(&error) == Some(Action::UseTemplate) && error.sentence().to_string().contains("7 days"), "{error:?}");
    assert_eq!(simulator.received().len(), 2);
}

#[tokio::test]
async fn an_app_without_the_feature_is_told_where_to_ask_for_it() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    let at = simulator.age("5551", DAY * 2);
    let error = send(&desk, &late(&ana, at, Author::Person { id: None })).await.unwrap_err();
    assert!(action(&error) == Some(Action::GrantPermission) && error.sentence().to_string().contains("Human Agent"), "{error:?}");
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_found_in_the_conversation() {
    for flavour in BOTH {
        let (simulator, desk) = start_as(flavour, |_| ()).await;
        desk.reached_at("https://shop.example");
        let ana = message(&simulator, &desk, &said("5551", "oi"));
        let reconcile =
            async |message: &Outgoing| desk.channel().reconcile(desk.link(), message).await.unwrap().map(|receipt| receipt.external_id);

        let never = answer(&ana, text("nunca enviado"));
        assert_eq!(reconcile(&never).await, None);

        let words = answer(&ana, text("**Tem** sim"));
        simulator.fault(Fault::CutAfter, 1);
        assert!(matches!(send(&desk, &words).await, Err(ServiceError::Ambiguous)));
        assert!(reconcile(&words).await.unwrap().starts_with("aWdf"), "its words are there, without marks");

        let media = desk.store("image/png", None, vec![1; 100]);
        let picture = answer(
            &ana,
            Content::Media {
                kind: MediaKind::Image,
                media,
                caption: None,
                filename: None,
                mime: "image/png".into(),
                bytes: 0,
                duration_ms: None,
                wave: None,
            },
        );
        simulator.fault(Fault::CutAfter, 1);
        assert!(matches!(send(&desk, &picture).await, Err(ServiceError::Ambiguous)));
        let found = reconcile(&picture).await;
        // The first shape is the right one for either way in.
        assert!(found.is_some(), "{flavour:?}");
        send(&desk, &picture).await.unwrap();
        assert_eq!(reconcile(&picture).await, None, "two pictures look alike");

        let stranger = IncomingMessage { thread: "777".into(), ..ana.clone() };
        assert_eq!(reconcile(&answer(&stranger, text("oi"))).await, None, "no such conversation");
        assert_eq!(reconcile(&answer(&ana, Content::Reaction { emoji: "❤".into(), target: ana.external_id.clone() })).await, None);
    }
}

#[tokio::test]
async fn the_same_words_said_long_before_are_another_message() {
    let (simulator, desk) = start().await;
    let ana = message(&simulator, &desk, &said("5551", "oi"));
    send(&desk, &answer(&ana, text("Bom dia!"))).await.unwrap();
    // Times count whole seconds there, and Instagram's clock may be five seconds behind.
    simulator.age("5551", Duration::from_millis(6200));
    let again = answer(&ana, text("Bom dia!"));
    assert_eq!(desk.channel().reconcile(desk.link(), &again).await.unwrap(), None);
    message(&simulator, &desk, &said("5551", "Bom dia!"));
    assert_eq!(desk.channel().reconcile(desk.link(), &again).await.unwrap(), None, "the customer's own words are no proof");
}
