//! From a customer's word to the answer on their screen: through the whole hub, simulator to simulator.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it should be")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::connector::{Fault, Request, Said, ServiceError, Simulator};
use shopbell_core::say;
use shopbell_tests::hub::TestHub;
use shopbell_tests::scripted::{Piece, calls, last_words, says, scripted};

#[path = "flow/advertising.rs"]
mod advertising;
#[path = "flow/forms.rs"]
mod forms;
#[path = "flow/owner.rs"]
mod owner;

struct Shop {
    desk: TestHub,
    telegram: TelegramSimulator,
}

fn ana(text: &str) -> Said {
    Said::text("5551", "Ana", text)
}

/// A hub with a polled Telegram bot and an agent on a scripted model.
async fn shop(script: impl Fn(&shopbell_core::connector::Prompt) -> Vec<Piece> + Send + Sync + 'static, agent: serde_json::Value) -> Shop {
    let (connector, _) = scripted(script);
    let desk = TestHub::with(vec![connector]).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let model = desk.connect("scripted", json!({})).await;
    desk.agent(&model, agent).await;
    let mut config = telegram.config();
    config["mode"] = "polling".into();
    desk.connect("telegram", config).await;
    Shop { desk, telegram }
}

impl Shop {
    async fn says(&self, text: &str) {
        self.telegram.say(&ana(text), None).await.unwrap();
    }

    async fn answered(&self, answers: usize) {
        self.desk.until("the customer was answered", async |_| self.telegram.received().len() >= answers).await;
        self.desk.settled().await;
    }

    fn received(&self) -> Vec<String> {
        self.telegram.received().into_iter().map(|(_, text)| text).collect()
    }

    async fn conversation(&self) -> String {
        self.desk.until("a conversation is there", async |desk| desk.conversation().await.is_some()).await;
        self.desk.conversation().await.unwrap()["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_customer_writes_and_the_agent_answers() {
    let shop = shop(|prompt| says(format!("You said: {}", last_words(prompt))), json!({})).await;
    shop.says("Tem bolo?").await;
    shop.answered(1).await;
    assert_eq!(shop.received(), ["You said: Tem bolo?"]);
    let talk = shop.desk.talk().await;
    assert_eq!(talk[0], ("in".into(), "contact".into(), "Tem bolo?".into()));
    assert_eq!(talk[1], ("out".into(), "agent".into(), "You said: Tem bolo?".into()));
}

#[tokio::test]
async fn a_burst_is_answered_once() {
    let shop = shop(|prompt| says(format!("{} messages", prompt.messages.len())), json!({})).await;
    for text in ["oi", "tudo bem?", "tem bolo?"] {
        shop.says(text).await;
    }
    shop.answered(1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(shop.received().len(), 1, "one answer for the burst: {:?}", shop.received());
}

#[tokio::test]
async fn a_message_during_an_answer_makes_one_answer_of_both() {
    let shop = shop(
        |prompt| {
            let mut answer = vec![Piece::Wait(Duration::from_millis(400))];
            answer.extend(says(format!("answer to {}", last_words(prompt))));
            answer
        },
        json!({}),
    )
    .await;
    shop.says("first").await;
    shop.desk
        .until("the answer is in the making", async |desk| desk.count("SELECT count(*) FROM turn WHERE status = 'running'").await == 1)
        .await;
    shop.says("second").await;
    shop.answered(1).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(shop.received(), ["answer to second"], "the first answer was given up before anybody saw it");
}

#[tokio::test]
async fn a_take_over_in_the_middle_of_an_answer_keeps_it_back() {
    let shop = shop(
        |_| {
            let mut answer = vec![Piece::Wait(Duration::from_millis(300))];
            answer.extend(says("too late"));
            answer
        },
        json!({}),
    )
    .await;
    shop.says("quero falar com alguém").await;
    let conversation = shop.conversation().await;
    shop.desk
        .until("the answer is in the making", async |desk| desk.count("SELECT count(*) FROM turn WHERE status = 'running'").await == 1)
        .await;
    let owned = shop.desk.ask("take_over", json!({ "conversation": conversation })).await;
    assert_eq!(owned["owner"]["type"], "person");
    shop.desk
        .ask(
            "send_reply",
            json!({ "conversation": conversation, "content": [{ "type": "text", "text": "Oi, aqui é a Júlia" }], "client_key": "a" }),
        )
        .await;
    shop.answered(1).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(shop.received(), ["Oi, aqui é a Júlia"]);
}

#[tokio::test]
async fn an_agent_that_is_handed_back_the_word_answers_what_is_open() {
    let shop = shop(|prompt| says(format!("about: {}", last_words(prompt))), json!({})).await;
    shop.says("oi").await;
    shop.answered(1).await;
    let conversation = shop.conversation().await;
    shop.desk.ask("take_over", json!({ "conversation": conversation })).await;
    shop.says("e o preço?").await;
    shop.desk.until("it arrived", async |desk| desk.count("SELECT count(*) FROM message WHERE direction = 'in'").await == 2).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(shop.received().len(), 1, "the agent is silent while a person owns the conversation");
    shop.desk.ask("hand_back", json!({ "conversation": conversation, "note": "price is 10" })).await;
    shop.answered(2).await;
    assert_eq!(shop.received()[1], "about: e o preço?");
}

#[tokio::test]
async fn a_tool_is_run_and_its_result_reaches_the_model() {
    let shop = shop(
        |prompt| {
            let result = prompt.messages.iter().find_map(|message| match message {
                shopbell_core::connector::PromptMessage::Tool { content, .. } => Some(content.clone()),
                _ => None,
            });
            match result {
                None => calls(
                    "c1",
                    "transfer_to_human",
                    json!({ "reason": "wants a person", "summary": "asked for somebody", "priority": "high" }),
                ),
                Some(_) => says("Já chamo alguém."),
            }
        },
        json!({ "tools": ["transfer_to_human"] }),
    )
    .await;
    shop.says("quero uma pessoa").await;
    shop.answered(1).await;
    assert_eq!(shop.received(), ["Já chamo alguém."], "the farewell leaves");
    let conversation = shop.desk.conversation().await.unwrap();
    assert_eq!(conversation["needs_person"], true);
    assert_eq!(conversation["owner"]["type"], "person");
}

#[tokio::test]
async fn a_model_that_fails_for_good_calls_a_person_and_says_nothing_to_the_customer() {
    let shop = shop(|_| vec![Piece::Fail(|| ServiceError::Permanent(say!("This is needed.")))], json!({})).await;
    shop.says("oi").await;
    shop.desk
        .until("a person was called", async |desk| desk.count("SELECT count(*) FROM conversation WHERE needs_person = 1").await == 1)
        .await;
    assert!(shop.received().is_empty(), "no error text ever reaches a customer");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_made_again_and_never_sent_half() {
    let tries = AtomicUsize::new(0);
    let shop = shop(
        move |_| {
            if tries.fetch_add(1, Ordering::SeqCst) == 0 {
                vec![Piece::Text("half an ans".into()), Piece::Break]
            } else {
                says("whole answer")
            }
        },
        json!({}),
    )
    .await;
    shop.says("oi").await;
    shop.answered(1).await;
    assert_eq!(shop.received(), ["whole answer"]);
}

#[tokio::test]
async fn sentences_leave_as_they_come() {
    let shop = shop(
        |_| {
            vec![
                Piece::Text("Temos bolo de cenoura e de chocolate hoje, fresquinhos. ".into()),
                Piece::Wait(Duration::from_millis(100)),
                Piece::Text("O de cenoura custa R$ 118,00 e serve quinze pessoas. Quer reservar?".into()),
            ]
        },
        json!({ "stream_mode": "sentence" }),
    )
    .await;
    shop.says("tem bolo?").await;
    shop.desk.settled().await;
    shop.answered(2).await;
    assert!(shop.received().len() >= 2, "in pieces: {:?}", shop.received());
    assert_eq!(
        shop.received().join(" ").replace("  ", " "),
        "Temos bolo de cenoura e de chocolate hoje, fresquinhos. O de cenoura custa R$ 118,00 e serve quinze pessoas. Quer reservar?"
    );
}

#[tokio::test]
async fn a_call_that_was_cut_off_is_unconfirmed_and_not_sent_again() {
    let shop = shop(|_| says("uma vez só"), json!({})).await;
    shop.says("oi").await;
    shop.answered(1).await;
    // Two: the first hits the sign that somebody types, the second the answer itself.
    shop.telegram.fault(Fault::CutAfter, 2);
    shop.says("de novo").await;
    shop.desk
        .until("the second answer is unconfirmed", async |desk| {
            desk.count("SELECT count(*) FROM delivery WHERE status = 'unconfirmed'").await == 1
        })
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(shop.received().len() <= 2, "nothing is sent blindly again: {:?}", shop.received());
}

#[tokio::test]
async fn a_service_that_asks_to_wait_is_obeyed_and_nothing_is_lost() {
    let shop = shop(|prompt| says(format!("re: {}", last_words(prompt))), json!({})).await;
    shop.telegram.fault(Fault::RateLimit(Duration::from_secs(1)), 2);
    shop.says("oi").await;
    shop.answered(1).await;
    assert_eq!(shop.received(), ["re: oi"]);
}

#[tokio::test]
async fn a_hub_that_was_restarted_knows_everything_and_goes_on() {
    let (connector, _) = scripted(|prompt| says(format!("re: {}", last_words(prompt))));
    let desk = TestHub::with(vec![connector.clone()]).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    let model = desk.connect("scripted", json!({})).await;
    desk.agent(&model, json!({})).await;
    let mut config = telegram.config();
    config["mode"] = "polling".into();
    desk.connect("telegram", config).await;
    telegram.say(&ana("one"), None).await.unwrap();
    desk.until("the first answer", async |_| telegram.received().len() == 1).await;
    desk.settled().await;
    let desk = desk.restart(vec![connector]).await;
    telegram.say(&ana("two"), None).await.unwrap();
    desk.until("the second answer", async |_| telegram.received().len() == 2).await;
    desk.settled().await;
    assert_eq!(desk.count("SELECT count(*) FROM message WHERE direction = 'in'").await, 2, "nothing came twice");
}

/// An update as Telegram writes it; an edit when `edited` says what the message became.
fn update(number: i64, text: &str, edited: bool) -> Request {
    let mut message = json!({
        "message_id": number, "date": 1_763_650_000, "text": text,
        "from": { "id": 5551, "is_bot": false, "first_name": "Ana" }, "chat": { "id": 5551, "type": "private" },
    });
    if edited {
        message["edit_date"] = 1_763_650_055.into();
    }
    let kind = if edited { "edited_message" } else { "message" };
    let update = json!({ "update_id": number + i64::from(edited) * 1000, kind: message });
    Request::pulled(update.to_string())
}

#[tokio::test]
async fn a_long_batch_is_read_in_its_order_and_an_edit_at_its_end_finds_its_message() {
    let shop = shop(|_| says("Um momento."), json!({})).await;
    let mut requests: Vec<Request> = (1..=200).map(|number| update(number, &format!("message {number}"), false)).collect();
    requests.push(update(200, "message 200, mended", true));
    shop.desk.take("telegram", requests).await;
    shop.desk.settled().await;
    let stored: Vec<String> = shop
        .desk
        .hub
        .store
        .read(|db| {
            let mut statement = db.prepare("SELECT text FROM message WHERE direction = 'in' ORDER BY seq")?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
        })
        .await
        .unwrap();
    let mut expected: Vec<String> = (1..=200).map(|number| format!("message {number}")).collect();
    "message 200, mended".clone_into(&mut expected[199]);
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn an_arrival_that_cannot_be_stored_is_tried_again_and_holds_up_nobody() {
    let shop = shop(|_| says("Um momento."), json!({})).await;
    let requests: Vec<Request> = (1..=50).map(|number| update(number, &format!("message {number}"), false)).collect();
    shop.desk
        .hub
        .store
        .write(|tx| {
            // As a broken index or a full page would: this one message can never be written.
            tx.execute_batch(
                "CREATE TRIGGER spoiled BEFORE INSERT ON message WHEN new.text = 'message 7' BEGIN SELECT RAISE(ABORT, 'spoiled'); END;",
            )?;
            Ok(())
        })
        .await
        .unwrap();
    shop.desk.take("telegram", requests).await;
    shop.desk
        .until("its neighbours are there", async |desk| desk.count("SELECT count(*) FROM message WHERE direction = 'in'").await == 49)
        .await;
    assert_eq!(shop.desk.count("SELECT count(*) FROM arrival WHERE verdict = 'handled'").await, 49);
    let tried = "SELECT count(*) FROM arrival WHERE verdict = 'pending' AND attempts > 0 AND due_at > received_at AND reason IS NOT NULL";
    assert_eq!(shop.desk.count(tried).await, 1, "it is tried again later");
    shop.desk
        .hub
        .store
        .write(|tx| {
            tx.execute_batch("DROP TRIGGER spoiled")?;
            Ok(())
        })
        .await
        .unwrap();
    shop.desk.until("it is there too", async |desk| desk.count("SELECT count(*) FROM message WHERE text = 'message 7'").await == 1).await;
}
