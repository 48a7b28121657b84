use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shopbell_core::connector::{Fault, Simulator};
use shopbell_tests::hub::TestHub;

use super::scripted::{Hand, Order, open_doors, proven};

/// A hub with connections that are called, and the stand-ins of their services.
pub struct Shop {
    pub hub: TestHub,
    pub hand: Hand,
    pub services: Vec<(String, Box<dyn Simulator>)>,
}

pub const CALLED: [&str; 4] = ["telegram", "whatsapp-meta", "whatsapp-360dialog", "sms-twilio"];

pub async fn shop(kinds: &[&str]) -> Shop {
    let hub = TestHub::with(Vec::new()).await;
    let (hand, _) = open_doors(&hub).await;
    let mut services = Vec::new();
    for kind in kinds {
        let start = hub.hub.connectors[kind].simulator().expect("it has a stand-in");
        let simulator = start().await.unwrap();
        let mut config = simulator.config();
        if *kind == "telegram" {
            config["mode"] = "webhook".into();
        }
        services.push((hub.connect(kind, config).await, simulator));
    }
    Shop { hub, hand, services }
}

impl Shop {
    pub async fn tunnel(&self) -> String {
        self.hub.ask("set_tunnel", json!({ "driver": "localhost_run" })).await;
        proven(&self.hub, None).await
    }

    pub async fn row(&self, id: &str) -> Value {
        let rows = self.hub.ask("list_registrations", json!({})).await;
        rows["items"].as_array().unwrap().iter().find(|row| row["connection"] == *id).cloned().expect("it has a row")
    }

    /// Waits until each service holds the address, by its own word.
    pub async fn told(&self, url: &str) {
        let began = Instant::now();
        for (id, _) in &self.services {
            loop {
                let row = self.row(id).await;
                if row["state"] == "confirmed" && row["confirmed_url"].as_str().is_some_and(|there| there.starts_with(url)) {
                    let there = self.hub.ask("webhook_state", json!({ "id": id })).await;
                    assert_eq!(there["confirmed_url"], row["confirmed_url"]);
                    break;
                }
                assert!(began.elapsed() < Duration::from_secs(10), "not within ten seconds: {row}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    pub async fn stands_at(&self, id: &str, state: &str) -> Value {
        let began = Instant::now();
        loop {
            let row = self.row(id).await;
            if row["state"] == state {
                return row;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it should be {state}: {row}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn every_service_holds_a_new_address_within_ten_seconds() {
    let shop = shop(&CALLED).await;
    let first = shop.tunnel().await;
    shop.told(&first).await;
    shop.hand.order(Order::Change);
    let second = proven(&shop.hub, Some(&first)).await;
    shop.told(&second).await;
}

#[tokio::test]
async fn one_that_refuses_is_named_while_the_others_are_done_and_is_tried_again() {
    let mut shop = shop(&["telegram", "whatsapp-360dialog"]).await;
    let (telegram, simulator) = shop.services.remove(0);
    simulator.fault(Fault::ServerError, 6);
    let url = shop.tunnel().await;
    shop.told(&url).await;
    let failed = shop.stands_at(&telegram, "failed").await;
    assert!(failed["error"].as_str().is_some_and(|words| !words.is_empty()), "{failed}");
    shop.stands_at(&telegram, "confirmed").await;
}

#[tokio::test]
async fn another_computers_webhook_is_noticed_and_left_alone_until_the_owner_says_otherwise() {
    let shop = shop(&["telegram"]).await;
    let (id, simulator) = &shop.services[0];
    let config = simulator.config();
    let place = format!("{}/bot{}/setWebhook", config["base_url"].as_str().unwrap(), config["bot_token"].as_str().unwrap());
    #[expect(clippy::disallowed_methods, reason = "another computer tells the service")]
    let other = reqwest::Client::builder().no_proxy().build().unwrap();
    let there = "https://other-laptop.example/hooks/0123456789abcdef0123456789abcdef";
    assert!(other.post(place).json(&json!({ "url": there })).send().await.unwrap().status().is_success());
    let url = shop.tunnel().await;
    let row = shop.stands_at(id, "elsewhere").await;
    assert!(row["error"].as_str().unwrap().contains("another Shopbell, at other-laptop.example"), "{row}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(shop.hub.ask("webhook_state", json!({ "id": id })).await["confirmed_url"], there, "nobody fights");
    shop.hub.ask("register_webhook", json!({ "id": id })).await;
    shop.told(&url).await;
}

#[tokio::test]
async fn a_run_that_died_between_telling_and_noting_begins_again() {
    let Shop { hub, services, .. } = {
        let shop = shop(&["telegram"]).await;
        let url = shop.tunnel().await;
        shop.told(&url).await;
        shop
    };
    let died = hub.hub.store.write(|tx| Ok(tx.execute("UPDATE registration SET state = 'registering'", [])?)).await.unwrap();
    assert_eq!(died, 1);
    let hub = hub.restart(Vec::new()).await;
    let (hand, _) = open_doors(&hub).await;
    let url = proven(&hub, None).await;
    Shop { hub, hand, services }.told(&url).await;
}

#[tokio::test]
async fn stopping_takes_nothing_back() {
    let shop = shop(&["telegram"]).await;
    let url = shop.tunnel().await;
    shop.told(&url).await;
    shop.hub.hub.stop().await;
    let calls = shop.services[0].1.journal();
    assert!(calls.iter().all(|call| !call["path"].as_str().unwrap().contains("deleteWebhook")));
    let set: Vec<_> = calls.iter().filter(|call| call["path"].as_str().unwrap().contains("setWebhook")).collect();
    assert_eq!(set.len(), 1, "and it was told once");
    assert!(set[0]["body"]["url"].as_str().unwrap().starts_with(&url));
}
