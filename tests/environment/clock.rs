//! The computer's clock is set forward and back: what is due still goes, and talks keep their order.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;
use shopbell_connectors::telegram::simulator::TelegramSimulator;
use shopbell_core::clock::{Clock, SystemClock, Timestamp};
use shopbell_core::connector::{Fault, Said, Simulator};
use shopbell_core::hub::{Hub, HubOptions};
use shopbell_core::secret::Secret;
use shopbell_core::vault::keychain::NoKeychain;
use shopbell_tests::hub::{PASSPHRASE, TestHub};
use shopbell_tests::scripted::{last_words, says, scripted};

/// The computer's clock, set by so many milliseconds.
struct Set {
    clock: SystemClock,
    by: AtomicI64,
}

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.now().millis() + self.by.load(Ordering::SeqCst))
    }
}

const HOUR: i64 = 3_600_000;

async fn hub(directory: Arc<tempfile::TempDir>, gather: Duration, by: i64) -> (TestHub, Arc<Set>) {
    let (model, _) = scripted(|prompt| says(format!("You said: {}", last_words(prompt))));
    let mut connectors = shopbell_connectors::all();
    connectors.push(model);
    let clock = Arc::new(Set { clock: SystemClock::new(), by: AtomicI64::new(by) });
    let mut options = HubOptions::new(directory.path().to_owned(), connectors);
    options.passphrase = Some(Secret::new(PASSPHRASE));
    options.keychain = Arc::new(NoKeychain);
    options.gather = Some(gather);
    options.clock = clock.clone();
    (TestHub { hub: Hub::open(options).await.unwrap(), directory }, clock)
}

async fn stopped(shop: TestHub) -> Arc<tempfile::TempDir> {
    shop.hub.stop().await;
    let TestHub { hub, directory } = shop;
    drop(hub);
    for _ in 0..100 {
        // The writer's thread lets go of the folder a moment after the stop.
        if shopbell_core::store::DirectoryLock::take(directory.path()).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    directory
}

async fn says_to(telegram: &TelegramSimulator, text: &str) {
    telegram.say(&Said::text("5551", "Ana", text), None).await.unwrap();
}

async fn open_shop(shop: &TestHub, telegram: &TelegramSimulator) {
    let model = shop.connect("scripted", json!({})).await;
    shop.agent(&model, json!({})).await;
    let mut config = telegram.config();
    config["mode"] = "polling".into();
    shop.connect("telegram", config).await;
}

async fn heard(shop: &TestHub, telegram: &TelegramSimulator, answers: &[&str]) {
    shop.until("the customer was answered", async |_| telegram.received().len() >= answers.len()).await;
    shop.settled().await;
    let received: Vec<String> = telegram.received().into_iter().map(|(_, text)| text).collect();
    assert_eq!(received, answers);
}

#[tokio::test]
async fn a_clock_that_was_ahead_holds_nothing_back_after_it_is_set_right() {
    for ahead in [2 * HOUR, 48 * HOUR, 24 * 365 * HOUR] {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let telegram = TelegramSimulator::start().await.unwrap();
        // A turn that waits, written while the clock is ahead.
        let (shop, _) = hub(directory, Duration::from_secs(600), ahead).await;
        open_shop(&shop, &telegram).await;
        says_to(&telegram, "first").await;
        shop.until("the turn waits", async |shop| shop.count("SELECT count(*) FROM turn WHERE status = 'wanted'").await == 1).await;
        let directory = stopped(shop).await;
        let (shop, _) = hub(directory, Duration::from_millis(20), 0).await;
        heard(&shop, &telegram, &["You said: first"]).await;
        let directory = stopped(shop).await;

        // A delivery that waits to be tried again, written while the clock is ahead.
        let (shop, _) = hub(directory, Duration::from_millis(20), ahead).await;
        let talk = shop.conversation().await.unwrap()["id"].clone();
        telegram.fault(Fault::RateLimit(Duration::from_secs(1800)), 1);
        shop.ask("send_reply", json!({ "conversation": talk, "content": [{ "type": "text", "text": "by hand" }], "client_key": "a" }))
            .await;
        shop.until("the delivery waits", async |shop| {
            shop.count("SELECT count(*) FROM delivery WHERE status = 'queued' AND due_at > (SELECT max(sent_at) FROM message) + 60000")
                .await
                == 1
        })
        .await;
        let directory = stopped(shop).await;
        let (shop, _) = hub(directory, Duration::from_millis(20), 0).await;
        heard(&shop, &telegram, &["You said: first", "by hand"]).await;

        shop.ask("hand_back", json!({ "conversation": talk })).await;
        says_to(&telegram, "second").await;
        heard(&shop, &telegram, &["You said: first", "by hand", "You said: second"]).await;
        let said: Vec<String> = shop.talk().await.into_iter().filter(|(_, who, _)| who == "contact").map(|(_, _, text)| text).collect();
        assert_eq!(said, ["first", "second"], "the talk keeps its order");
        shop.hub.stop().await;
    }
}

#[tokio::test]
async fn a_clock_that_is_set_while_the_hub_runs_stops_nothing() {
    let directory = Arc::new(tempfile::tempdir().unwrap());
    let telegram = TelegramSimulator::start().await.unwrap();
    let (shop, clock) = hub(directory, Duration::from_millis(20), 0).await;
    open_shop(&shop, &telegram).await;
    says_to(&telegram, "one").await;
    heard(&shop, &telegram, &["You said: one"]).await;
    clock.by.store(3 * HOUR, Ordering::SeqCst);
    says_to(&telegram, "two").await;
    heard(&shop, &telegram, &["You said: one", "You said: two"]).await;
    // Back again, more than the hub's own clock would let it go.
    clock.by.store(-HOUR, Ordering::SeqCst);
    says_to(&telegram, "three").await;
    heard(&shop, &telegram, &["You said: one", "You said: two", "You said: three"]).await;
    shop.hub.stop().await;
}
