//! More than words: an agent asks for choices or a place in one form, and every channel shows it as best it can.

use serde_json::json;
use shopbell_core::connector::{Prompt, PromptMessage, Said};
use shopbell_tests::hub::TestHub;
use shopbell_tests::scripted::{Piece, calls, last_words, scripted};

/// Asks for a place when it hears of a delivery, for a choice otherwise, and adds no words of its own.
fn asks(prompt: &Prompt) -> Vec<Piece> {
    if matches!(prompt.messages.last(), Some(PromptMessage::Tool { .. })) {
        return vec![Piece::Text(String::new())];
    }
    if last_words(prompt).contains("entregam") {
        return calls("c1", "ask_location", json!({ "text": "Onde entregamos?" }));
    }
    calls("c1", "offer_choices", json!({ "text": "Qual pão?", "choices": [{ "label": "Queijo" }, { "label": "Broa" }] }))
}

#[tokio::test]
async fn choices_and_the_question_for_a_place_are_shown_as_each_channel_can() {
    let expected = [
        ("telegram", "inline_keyboard", "request_location"),
        ("whatsapp-meta", r#""type":"button""#, "location_request_message"),
        ("whatsapp-360dialog", r#""type":"button""#, "location_request_message"),
        ("whatsapp-twilio", "1.+Queijo%0A2.+Broa", "Onde+entregamos%3F"),
        ("sms-twilio", "1.+Queijo%0A2.+Broa", "Onde+entregamos%3F"),
        ("instagram", "quick_replies", "Onde entregamos?"),
    ];
    for (kind, choices, place) in expected {
        let (model, _) = scripted(asks);
        let desk = TestHub::with(vec![model]).await;
        let model = desk.connect("scripted", json!({})).await;
        desk.agent(&model, json!({ "tools": ["offer_choices", "ask_location"] })).await;
        let connector = shopbell_connectors::all().into_iter().find(|one| one.about().kind == kind).unwrap();
        let simulator = connector.simulator().unwrap()().await.unwrap();
        desk.connect(kind, simulator.config()).await;
        for (said, shown) in [("Quero pão", choices), ("Vocês entregam?", place)] {
            desk.take(kind, simulator.signed(&Said::text("5511999990000", "Ana", said))).await;
            desk.settled().await;
            let sent = simulator.journal().iter().map(ToString::to_string).filter(|entry| entry.contains(shown)).count();
            assert_eq!(sent, 1, "{kind}: {shown} in {:#?}", simulator.journal());
        }
        assert_eq!(desk.count("SELECT count(*) FROM turn WHERE status = 'done'").await, 2, "{kind}: silence after it is no failure");
        assert_eq!(desk.count("SELECT count(*) FROM message WHERE direction = 'out'").await, 2, "{kind}: nothing was said twice");
    }
}
