//! A model whose owner must do something: no credit left, a key that is not taken any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::connector::{Said, ServiceError, Simulator};
use shopbell_core::say;
use shopbell_tests::hub::TestHub;
use shopbell_tests::scripted::{Piece, last_words, says, scripted};

const WORKS: u8 = 0;
const NO_CREDIT: u8 = 1;
const BAD_KEY: u8 = 2;

/// A shop whose model does as the test says, and counts how often it is asked.
struct Shop {
    desk: TestHub,
    telegram: TelegramSimulator,
    model: String,
    state: Arc<AtomicU8>,
    asked: Arc<AtomicUsize>,
}

impl Shop {
    async fn open(state: u8, hold: Duration) -> Self {
        let (state, asked) = (Arc::new(AtomicU8::new(state)), Arc::new(AtomicUsize::new(0)));
        let (does, counts) = (state.clone(), asked.clone());
        let (connector, _) = scripted(move |prompt| {
            counts.fetch_add(1, Ordering::SeqCst);
            match does.load(Ordering::SeqCst) {
                NO_CREDIT => vec![Piece::Fail(|| ServiceError::OutOfCredit(say!("This is needed.")))],
                BAD_KEY => vec![Piece::Fail(|| ServiceError::Unauthorized(say!("This is needed.")))],
                _ => says(format!("re: {}", last_words(prompt))),
            }
        });
        let desk = TestHub::holding(hold, vec![connector]).await;
        let telegram = TelegramSimulator::start().await.unwrap();
        let model = desk.connect("scripted", json!({})).await;
        desk.agent(&model, json!({})).await;
        let mut config = telegram.config();
        config["mode"] = "polling".into();
        desk.connect("telegram", config).await;
        Self { desk, telegram, model, state, asked }
    }

    async fn says(&self, thread: &str, text: &str) {
        self.telegram.say(&Said::text(thread, thread, text), None).await.unwrap();
    }

    async fn works_again(&self) {
        self.state.store(WORKS, Ordering::SeqCst);
        let tested = self.desk.ask("test_connection", json!({ "id": self.model })).await;
        assert_eq!(tested["ok"], true);
    }

    async fn status(&self) -> Value {
        self.desk.ask("get_connection", json!({ "id": self.model })).await
    }

    async fn waiting_for_a_person(&self, count: i64) {
        self.desk
            .until("people are asked for", async |desk| {
                desk.count("SELECT count(*) FROM conversation WHERE needs_person = 1").await == count
            })
            .await;
    }

    async fn received(&self, count: usize) -> Vec<String> {
        self.desk.until("the customers are answered", async |_| self.telegram.received().len() >= count).await;
        let mut texts: Vec<String> = self.telegram.received().into_iter().map(|(_, text)| text).collect();
        texts.sort();
        texts
    }
}

#[tokio::test]
async fn the_first_refusal_marks_the_connection_and_answers_wait_until_it_works_again() {
    for state in [NO_CREDIT, BAD_KEY] {
        let shop = Shop::open(state, Duration::from_secs(60)).await;
        for thread in ["5551", "5552", "5553"] {
            shop.says(thread, &format!("oi de {thread}")).await;
        }
        shop.desk
            .until("three turns wait", async |desk| desk.count("SELECT count(*) FROM turn WHERE status = 'wanted' AND held = 1").await == 3)
            .await;
        let row = shop.status().await;
        assert_eq!((&row["status"], &row["reason"]), (&json!("needs_sign_in"), &json!("This is needed.")));
        let asked = shop.asked.load(Ordering::SeqCst);
        shop.says("5551", "alguém?").await;
        shop.desk.until("it arrived", async |desk| desk.count("SELECT count(*) FROM message WHERE direction = 'in'").await == 4).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(shop.asked.load(Ordering::SeqCst), asked, "the model is not asked for every new message");
        assert_eq!(shop.desk.count("SELECT count(*) FROM conversation WHERE needs_person = 1").await, 0, "and nobody is called for each");

        shop.works_again().await;
        assert_eq!(shop.received(3).await, ["re: alguém?", "re: oi de 5552", "re: oi de 5553"], "each is answered once");
        assert_eq!(shop.status().await["status"], "active");
        shop.desk.settled().await;
        assert_eq!(
            shop.desk.count("SELECT count(*) FROM message WHERE direction = 'note'").await,
            0,
            "nothing had to be said in any of them"
        );
    }
}

#[tokio::test]
async fn after_a_while_a_person_is_asked_for_and_what_nobody_touched_goes_back_by_itself() {
    let shop = Shop::open(NO_CREDIT, Duration::from_millis(300)).await;
    for thread in ["5551", "5552", "5553", "5554"] {
        shop.says(thread, &format!("oi de {thread}")).await;
    }
    shop.waiting_for_a_person(4).await;
    let page = shop.desk.ask("list_conversations", json!({})).await;
    let id = |name: &str| {
        let items = page["items"].as_array().unwrap();
        items.iter().find(|row| row["contact"]["name"] == name).unwrap_or_else(|| panic!("{name}: {page}"))["id"].clone()
    };
    let why = shop.desk.ask("list_messages", json!({ "conversation": id("5551") })).await["items"][0].clone();
    assert_eq!(why["content"][0]["event"], "transfer");
    assert!(why["content"][0]["details"]["reason"].as_str().unwrap().contains("waits for you"), "{why}");

    // One is answered by a person, one gets a note; two are left alone.
    let reply = json!({ "conversation": id("5551"), "content": [{ "type": "text", "text": "Aqui é a Júlia" }] });
    shop.desk.ask("send_reply", reply).await;
    let note = json!({ "conversation": id("5552"), "note": true, "content": [{ "type": "text", "text": "eu cuido" }] });
    shop.desk.ask("send_reply", note).await;

    shop.works_again().await;
    assert_eq!(shop.received(3).await, ["Aqui é a Júlia", "re: oi de 5553", "re: oi de 5554"]);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(shop.received(3).await.len(), 3, "what a person touched stays with that person");
    for (name, owner) in [("5551", "person"), ("5552", "person"), ("5553", "agent"), ("5554", "agent")] {
        let row = shop.desk.ask("get_conversation", json!({ "conversation": id(name) })).await;
        assert_eq!((&row["owner"]["type"], &row["needs_person"]), (&json!(owner), &json!(name == "5552")), "{name}");
    }
    let said = shop.desk.ask("list_messages", json!({ "conversation": id("5553") })).await;
    assert!(said["items"].as_array().unwrap().iter().any(|message| message["content"][0]["event"] == "answers_again"), "{said}");
}

#[tokio::test]
async fn a_model_that_is_switched_off_asks_for_a_person_at_once_and_goes_on_when_it_is_switched_on() {
    let shop = Shop::open(WORKS, Duration::from_secs(60)).await;
    shop.desk.ask("update_connection", json!({ "id": shop.model, "status": "paused" })).await;
    shop.says("5551", "oi").await;
    shop.waiting_for_a_person(1).await;
    shop.desk.ask("update_connection", json!({ "id": shop.model, "status": "active" })).await;
    assert_eq!(shop.received(1).await, ["re: oi"]);
}

#[tokio::test]
async fn what_waited_before_a_restart_is_tried_once_and_goes_on() {
    let shop = Shop::open(NO_CREDIT, Duration::from_millis(200)).await;
    shop.says("5551", "oi").await;
    shop.waiting_for_a_person(1).await;
    let Shop { desk, telegram, state, .. } = shop;
    state.store(WORKS, Ordering::SeqCst);
    let (connector, _) = scripted(|prompt| says(format!("re: {}", last_words(prompt))));
    let desk = desk.restart(vec![connector]).await;
    telegram.say(&Said::text("5552", "5552", "tem bolo?"), None).await.unwrap();
    desk.until("both are answered", async |_| telegram.received().len() >= 2).await;
    let mut texts: Vec<String> = telegram.received().into_iter().map(|(_, text)| text).collect();
    texts.sort();
    assert_eq!(texts, ["re: oi", "re: tem bolo?"], "a new customer's turn tried the model, and the one who waited was answered too");
}
