use serde_json::json;
use shopbell_core::say;
use shopbell_core::tunnel::{Hop, Phase, Trouble};
use shopbell_tests::hub::TestHub;

use super::scripted::{Order, open_doors, proven, until};

async fn tunnelled() -> (TestHub, super::scripted::Hand, String) {
    let hub = TestHub::with(Vec::new()).await;
    let (hand, _) = open_doors(&hub).await;
    hub.ask("set_tunnel", json!({ "driver": "localhost_run" })).await;
    let url = proven(&hub, None).await;
    (hub, hand, url)
}

fn passing() -> Trouble {
    Trouble::passing(Hop::Tunnel, say!("ngrok ended the connection."))
}

#[tokio::test]
async fn the_hub_goes_by_a_new_address_as_soon_as_it_is_proven_and_remembers_the_old_one() {
    let (hub, hand, first) = tunnelled().await;
    assert_eq!(hub.hub.reach().public_url.as_deref(), Some(first.as_str()));
    assert_eq!(hub.ask("health", json!({})).await["public_url"], first);
    hand.order(Order::Change);
    let second = proven(&hub, Some(&first)).await;
    assert_eq!(hub.hub.public_base(), second);
    let state = hub.ask("tunnel_state", json!({})).await;
    assert_eq!((&state["phase"], &state["public_url"]), (&json!("public_ok"), &json!(second)));
    let history: Vec<_> = state["history"].as_array().unwrap().iter().map(|one| one["url"].as_str().unwrap()).collect();
    assert_eq!(history, [second.as_str(), first.as_str()]);
    assert_eq!(hand.opened(), 1, "the tunnel itself stayed open");
}

#[tokio::test]
async fn a_tunnel_that_hangs_without_closing_is_found_out_and_built_anew() {
    let (hub, hand, first) = tunnelled().await;
    hand.order(Order::Hang);
    // The proof itself waits ten seconds for an answer; a page in between is found at once.
    hand.order(Order::Answer("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 7\r\nconnection: close\r\n\r\n<login>"));
    let degraded = until(&hub, "it is noticed", |state| state.phase == Phase::Degraded).await;
    assert_eq!(degraded.trouble.unwrap().hop, Hop::Portal);
    let second = proven(&hub, Some(&first)).await;
    assert_ne!(first, second);
    assert!(hand.opened() >= 2, "{}", hand.opened());
}

#[tokio::test]
async fn a_tunnel_that_takes_calls_and_answers_none_is_dead() {
    let (hub, hand, first) = tunnelled().await;
    hand.order(Order::Hang);
    let degraded = until(&hub, "it is noticed", |state| state.phase == Phase::Degraded).await;
    assert_eq!(degraded.trouble.unwrap().hop, Hop::Tunnel);
    assert_eq!(degraded.url.as_deref(), Some(first.as_str()));
}

#[tokio::test]
async fn a_flapping_tunnel_is_tried_again_and_again() {
    let (hub, hand, mut url) = tunnelled().await;
    for _ in 0..3 {
        hand.order(Order::End(passing()));
        url = proven(&hub, Some(&url)).await;
    }
    // A look from outside in the very moment of an end may cost one opening more.
    assert!(hand.opened() >= 4, "{}", hand.opened());
}

#[tokio::test]
async fn what_trying_does_not_mend_stops_until_the_owner_does_something() {
    let (hub, hand, url) = tunnelled().await;
    let wrong = Trouble::fatal(Hop::Token, say!("Type the authtoken of your ngrok account."));
    hand.refuse(Some(wrong.clone()));
    hand.order(Order::End(passing()));
    let failed = until(&hub, "it gave up", |state| state.phase == Phase::Failed).await;
    assert_eq!(failed.trouble, Some(wrong));
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(hand.opened(), 1, "nobody tries what cannot work");
    hand.refuse(None);
    hub.ask("set_tunnel", json!({})).await;
    proven(&hub, Some(&url)).await;
}

#[tokio::test]
async fn waking_up_rebuilds_what_looks_open() {
    let (hub, hand, url) = tunnelled().await;
    hub.hub.tunnel.disturb();
    proven(&hub, Some(&url)).await;
    assert!(hand.opened() >= 2, "{}", hand.opened());
}

#[tokio::test]
async fn another_shopbell_at_the_same_address_is_told_apart_from_silence() {
    let (hub, hand, _) = tunnelled().await;
    hand.order(Order::Answer("HTTP/1.1 404 Not Found\r\ncontent-length: 11\r\nconnection: close\r\n\r\nNot found.\n"));
    let degraded = until(&hub, "it is noticed", |state| state.phase == Phase::Degraded).await;
    assert_eq!(degraded.trouble.unwrap().hop, Hop::OtherInstance);
}

#[tokio::test]
async fn switching_off_takes_the_address_away_and_the_choice_outlives_a_restart() {
    let (hub, _, url) = tunnelled().await;
    let hub = hub.restart(Vec::new()).await;
    assert_eq!(hub.ask("tunnel_state", json!({})).await["driver"], "localhost_run");
    let (_, _) = open_doors(&hub).await;
    let again = proven(&hub, Some(&url)).await;
    assert_ne!(again, url);
    hub.ask("set_tunnel", json!({ "driver": "off" })).await;
    until(&hub, "it is off", |state| state.phase == Phase::Off).await;
    assert_eq!(hub.hub.reach().public_url, None);
}

#[tokio::test]
async fn what_is_missing_is_said_at_its_field_and_secrets_never_come_back() {
    let hub = TestHub::with(Vec::new()).await;
    open_doors(&hub).await;
    for (request, field) in [
        (json!({ "driver": "own", "url": "shop.example.com" }), "url"),
        (json!({ "driver": "ngrok" }), "authtoken"),
        (json!({ "driver": "ngrok", "authtoken": "x", "domain": "https://shop.example.com" }), "domain"),
        (json!({ "driver": "cloudflare_named", "url": "https://shop.example.com", "may_download": true }), "token"),
        (json!({ "driver": "cloudflare_quick", "program": "/nowhere/cloudflared" }), "program"),
        (json!({ "driver": "ssh_server", "url": "https://shop.example.com", "server": "me@vps", "user": "me" }), "server"),
        (json!({ "driver": "ssh_server", "url": "https://shop.example.com", "server": "vps.example.com" }), "user"),
        (json!({ "driver": "bore", "server": "bore.pub" }), "server"),
    ] {
        let refused = hub.refused("set_tunnel", request.clone()).await;
        assert!(refused.fields.iter().any(|(path, _)| path == field), "{request}: {:?}", refused.fields);
    }
    let state = hub.ask("set_tunnel", json!({ "driver": "ngrok", "authtoken": "canary-2f0e" })).await;
    assert_eq!(state["settings"]["authtoken"], json!({ "set": true }));
    assert!(!state.to_string().contains("canary-2f0e"));
    let kept = std::fs::read(hub.directory.path().join("shopbell.db")).unwrap();
    assert!(!kept.windows(11).any(|part| part == b"canary-2f0e"), "it lies in the vault alone");
    let key = hub
        .ask("set_tunnel", json!({ "driver": "ssh_server", "url": "https://shop.example.com", "server": "vps.example.com", "user": "me" }))
        .await;
    assert!(key["public_key"].as_str().unwrap().starts_with("ssh-ed25519 "), "{key}");
}
