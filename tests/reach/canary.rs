use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shopbell_core::connector::Fault;
use shopbell_core::say;
use shopbell_core::tunnel::{Hop, Trouble};
use shopbell_tests::hub::TestHub;

use super::registering::{CALLED, Shop, shop};
use super::scripted::{Order, open_doors};

/// Waits until the connection's card names that hop (null = none).
async fn names(shop: &Shop, id: &str, hop: Value) -> Value {
    let began = Instant::now();
    loop {
        let card = shop.hub.ask("get_connection", json!({ "id": id })).await;
        if card["hop"] == hop {
            return card;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it should name {hop}: {card}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn proven(shop: &Shop, id: &str) {
    let began = Instant::now();
    loop {
        let row = shop.row(id).await;
        if row["proven_at"].is_i64() && row["hop"].is_null() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "it should be proven: {row}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn every_way_in_is_proven_with_a_signed_call_that_leaves_nothing_behind() {
    let shop = shop(&CALLED).await;
    let url = shop.tunnel().await;
    shop.told(&url).await;
    for (id, _) in &shop.services {
        proven(&shop, id).await;
    }
    assert_eq!(shop.hub.count("SELECT count(*) FROM arrival").await, 0);
    assert_eq!(shop.hub.count("SELECT count(*) FROM refusal").await, 0, "each was verified as the service's own");
}

#[tokio::test]
async fn each_hop_that_breaks_is_named() {
    let shop = shop(&["telegram"]).await;
    let (id, simulator) = &shop.services[0];
    names(&shop, id, Value::Null).await;
    let url = shop.tunnel().await;
    shop.told(&url).await;
    proven(&shop, id).await;

    simulator.fault(Fault::ServerError, 3);
    names(&shop, id, json!("provider")).await;
    names(&shop, id, Value::Null).await;

    shop.hand.refuse(Some(Trouble::passing(Hop::Dns, say!("This computer cannot look up names. Check its internet connection."))));
    shop.hand.order(Order::End(Trouble::passing(Hop::Tunnel, say!("ngrok ended the connection."))));
    let card = names(&shop, id, json!("dns")).await;
    assert!(card["hop_reason"].as_str().unwrap().contains("look up names"));
    shop.hand.refuse(None);
    names(&shop, id, Value::Null).await;

    shop.hand.order(Order::Answer("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"));
    names(&shop, id, json!("tunnel")).await;
    names(&shop, id, Value::Null).await;

    // Registering anew asks the service as well; the key is to be refused when the canary asks.
    let url = super::scripted::proven(&shop.hub, None).await;
    shop.told(&url).await;
    proven(&shop, id).await;
    simulator.fault(Fault::Unauthorized, 1);
    names(&shop, id, json!("token")).await;
}

#[tokio::test]
async fn a_hub_that_services_cannot_reach_says_so_over_everything() {
    let hub = TestHub::with(Vec::new()).await;
    let (_, _) = open_doors(&hub).await;
    assert_eq!(hub.ask("health", json!({})).await["receiving"], true);
    let telegram = json!({ "bot_token": "123456:canary-of-a-bot-that-is-none-0000000000", "mode": "webhook" });
    hub.connect("telegram", telegram).await;
    let health = hub.ask("health", json!({})).await;
    assert_eq!(health["receiving"], false);
    assert!(health["receiving_reason"].as_str().unwrap().contains("no public address"), "{health}");
}
