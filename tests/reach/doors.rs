use serde_json::{Value, json};
use shopbell_core::error::Code;
use shopbell_core::gateway::doors::{self, Places, Ports};
use shopbell_core::tunnel::Phase;
use shopbell_tests::hub::TestHub;
use shopbell_tests::server::{TOKEN, free_port};

use super::scripted::{open_doors, proven, until};

fn client() -> reqwest::Client {
    #[expect(clippy::disallowed_methods, reason = "the world outside calls us")]
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn nothing_of_the_admin_side_is_to_be_had_through_the_tunnel() {
    let hub = TestHub::with(Vec::new()).await;
    let (_, doors) = open_doors(&hub).await;
    hub.ask("set_tunnel", json!({ "driver": "localhost_run" })).await;
    let url = proven(&hub, None).await;
    let admin = doors.admin.map_or_else(|| "127.0.0.1:7410".to_owned(), |address| address.to_string());
    for path in [
        "/",
        "/api/v1/health",
        "/api/v1/list_connections",
        "/api/v1/openapi.json",
        "/api/v1/changes",
        "/api/v1/media/x",
        "/index.html",
        "/assets/index.js",
        "/admin",
        "//api/v1/health",
        "/hooks/../api/v1/health",
        "/hooks/%2e%2e/api/v1/health",
        "/.well-known/shopbell/",
        "/.well-known/shopbell/0123",
        "/metrics",
        "/login",
    ] {
        for (name, value) in [
            ("authorization", format!("Bearer {TOKEN}")),
            ("host", admin.clone()),
            ("x-forwarded-host", admin.clone()),
            ("x-original-url", "/api/v1/health".to_owned()),
            ("x-http-method-override", "POST".to_owned()),
        ] {
            for method in [reqwest::Method::GET, reqwest::Method::POST] {
                let answer = client().request(method.clone(), format!("{url}{path}")).header(name, &value).send().await.unwrap();
                assert_eq!(answer.status(), 404, "{method} {path} with {name}");
                assert_eq!(answer.text().await.unwrap(), "Not found.\n", "{method} {path} with {name}");
            }
        }
    }
}

#[tokio::test]
async fn who_calls_is_believed_from_the_tunnel_and_from_nobody_else() {
    let hub = TestHub::with(Vec::new()).await;
    let (_, doors) = open_doors(&hub).await;
    hub.ask("set_tunnel", json!({ "driver": "localhost_run" })).await;
    let url = proven(&hub, None).await;
    // A hook that nobody has is refused by address: after many refusals that address is told to slow down.
    let ask = async |base: &str, from: String| {
        client().post(format!("{base}/hooks/nobody")).header("x-forwarded-for", from).body("{}").send().await.unwrap().status().as_u16()
    };
    let direct = format!("http://{}", doors.public);
    let mut slowed = false;
    for n in 0..200 {
        slowed |= ask(&direct, format!("203.0.113.{n}")).await == 429;
    }
    assert!(slowed, "a program on this computer stays itself, whoever it claims to be");
    for n in 0..200 {
        assert_eq!(ask(&url, format!("198.51.100.{n}")).await, 404, "by the tunnel every caller has their own address");
    }
}

#[tokio::test]
async fn what_comes_and_goes_by_the_public_address_is_counted() {
    let hub = TestHub::with(Vec::new()).await;
    open_doors(&hub).await;
    hub.ask("set_tunnel", json!({ "driver": "localhost_run" })).await;
    let url = proven(&hub, None).await;
    for _ in 0..3 {
        client().post(format!("{url}/hooks/nobody")).body("0123456789").send().await.unwrap();
    }
    hub.until("the traffic is written down", async |hub| {
        let state: Value = hub.ask("tunnel_state", json!({})).await;
        let last = &state["history"][0];
        last["requests"] == 3 && last["bytes_in"] == 30 && last["bytes_out"] == 33
    })
    .await;
}

#[tokio::test]
async fn an_address_that_was_named_at_the_start_is_proven_and_cannot_be_changed_here() {
    let hub = TestHub::with(Vec::new()).await;
    let url = format!("http://127.0.0.1:{}", free_port());
    let places = Places { admin: None, public: url.trim_start_matches("http://").parse().unwrap() };
    doors::open(&hub.hub, Ports::take(&places).await.unwrap(), Some(url.clone()), None).await.unwrap();
    assert_eq!(hub.hub.reach().public_url.as_deref(), Some(url.as_str()), "from the first moment, proven or not");
    until(&hub, "it is proven", |state| state.phase == Phase::PublicOk).await;
    let state = hub.ask("tunnel_state", json!({})).await;
    assert_eq!((&state["driver"], &state["fixed"], &state["public_url"]), (&json!("own"), &json!(true), &json!(url)));
    assert_eq!(hub.refused("set_tunnel", json!({ "driver": "off" })).await.code, Code::Conflict);
}
