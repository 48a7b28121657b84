use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;
use shopbell_core::gateway::doors::{self, Places, Ports};
use shopbell_core::tunnel::{Hop, Phase};
use shopbell_tests::hub::TestHub;

use super::scripted::{proven, until};

/// bore's own server listens on one port for ever, so that everything about it is one test.
#[tokio::test]
async fn a_real_bore_server_brings_callers_and_a_wrong_word_is_said() {
    let mut server = bore_cli::server::Server::new(20_000..=60_000, Some("a word"));
    server.set_bind_addr(IpAddr::V4(Ipv4Addr::LOCALHOST));
    server.set_bind_tunnels(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let serving = tokio::spawn(server.listen());
    let hub = TestHub::with(Vec::new()).await;
    let ports = Ports::take(&Places { admin: None, public: ([127, 0, 0, 1], 0).into() }).await.unwrap();
    doors::open(&hub.hub, ports, None, None).await.unwrap();
    hub.ask("set_tunnel", json!({ "driver": "bore", "server": "127.0.0.1", "password": "another word" })).await;
    let failed = until(&hub, "it is refused", |state| state.phase == Phase::Failed).await;
    assert_eq!(failed.trouble.unwrap().hop, Hop::Token);
    hub.ask("set_tunnel", json!({ "password": "a word" })).await;
    let url = proven(&hub, None).await;
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    serving.abort();
}
