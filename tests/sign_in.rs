//! Signing in, against a stand-in for Google that is as strict as Google and can be made as odd as any authorization server.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test plays the browser and stops where something is not as it should be"
)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shopbell_connectors::google_calendar::simulator::GoogleSimulator;
use shopbell_core::clock::{Clock, ManualClock, SystemClock, Timestamp};
use shopbell_core::connector::AnyConnector;
use shopbell_core::gateway::doors::{self, Places, Ports};
use shopbell_core::oauth::renew;
use shopbell_tests::hub::TestHub;

use self::other::Other;

#[path = "sign_in/meta.rs"]
mod meta;
#[path = "sign_in/other.rs"]
mod other;
#[path = "sign_in/renewing.rs"]
mod renewing;

/// A browser that follows nothing by itself.
fn browser() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A shop whose clock the test turns, with one unfinished connection.
struct Shop {
    hub: TestHub,
    google: GoogleSimulator,
    clock: Arc<ManualClock>,
    connection: String,
}

impl Shop {
    async fn new() -> Self {
        Self::with("google-calendar", Vec::new()).await
    }

    async fn with(kind: &str, more: Vec<Arc<dyn AnyConnector>>) -> Self {
        let google = GoogleSimulator::start().await.unwrap();
        let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
        let hub = TestHub::by_clock(Arc::new(tempfile::tempdir().unwrap()), clock.clone(), more).await;
        let config = google.unsigned();
        let made = hub.ask("create_connection", json!({ "connector": kind, "name": "Calendar", "config": config, "draft": true })).await;
        let connection = made["id"].as_str().unwrap().to_owned();
        Self { hub, google, clock, connection }
    }

    async fn begin(&self) -> Value {
        self.hub.ask("begin_sign_in", json!({ "connection": self.connection })).await
    }

    /// Says yes (or no) on the service's page; gives the address to which the browser is sent.
    async fn consent(&self, begun: &Value) -> String {
        let answer = browser().get(begun["authorize_url"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn state(&self, begun: &Value) -> Value {
        self.hub.ask("get_sign_in", json!({ "flow": begun["flow"] })).await
    }

    /// Waits until a flow is over, or its owner has to choose.
    async fn ended(&self, begun: &Value) -> Value {
        self.hub
            .until("the sign-in has ended", async |_| !matches!(self.state(begun).await["status"].as_str().unwrap(), "waiting" | "trading"))
            .await;
        self.state(begun).await
    }

    /// The whole way, by the browser.
    async fn sign_in(&self) -> Value {
        let begun = self.begin().await;
        let back = self.consent(&begun).await;
        browser().get(back).send().await.unwrap();
        self.ended(&begun).await
    }

    async fn active(self) -> Self {
        assert_eq!(self.sign_in().await["status"], "done");
        self.hub.ask("update_connection", json!({ "id": self.connection, "status": "active" })).await;
        self
    }

    async fn row(&self) -> Value {
        let rows = self.hub.ask("list_sign_ins", json!({})).await;
        rows["items"].as_array().unwrap().iter().find(|row| row["connection"] == self.connection.as_str()).unwrap().clone()
    }

    async fn connection(&self) -> Value {
        self.hub.ask("get_connection", json!({ "id": self.connection })).await
    }

    async fn test(&self) -> Value {
        self.hub.ask("test_connection", json!({ "id": self.connection })).await
    }

    /// The hub is stopped and opened again, by that clock.
    async fn restarted(self, clock: Arc<ManualClock>) -> Self {
        let Self { hub, google, connection, .. } = self;
        hub.hub.stop().await;
        let directory = hub.directory.clone();
        drop(hub);
        let hub = TestHub::by_clock(directory, clock.clone(), Vec::new()).await;
        Self { hub, google, clock, connection }
    }
}

#[tokio::test]
async fn an_owner_signs_in_sees_whose_account_it_is_and_uses_it() {
    let shop = Shop::new().await;
    let begun = shop.begin().await;
    assert_eq!(begun["way"], "loopback");
    let page = begun["authorize_url"].as_str().unwrap();
    for part in ["code_challenge_method=S256", "response_type=code", "access_type=offline", "redirect_uri=http%3A%2F%2F127.0.0.1%3A"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert_eq!(shop.state(&begun).await["status"], "waiting");
    let back = shop.consent(&begun).await;
    let answer = browser().get(&back).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    for (name, value) in [("referrer-policy", "no-referrer"), ("cache-control", "no-store"), ("x-frame-options", "DENY")] {
        assert_eq!(answer.headers()[name], value);
    }
    let text = answer.text().await.unwrap();
    assert!(text.contains("close this page") && !text.contains("code=") && !text.contains("4/0"), "{text}");

    let ended = shop.ended(&begun).await;
    assert_eq!((&ended["status"], &ended["account"]), (&json!("done"), &json!("pao.dourado@example.com")));
    let connection = shop.connection().await;
    assert_eq!(
        (&connection["status"], &connection["account"]),
        (&json!("draft"), &json!("pao.dourado@example.com")),
        "named before it is used"
    );
    shop.hub.ask("update_connection", json!({ "id": shop.connection, "status": "active" })).await;
    let tested = shop.test().await;
    assert_eq!((&tested["ok"], &tested["account"]), (&json!(true), &json!("pao.dourado@example.com")), "{tested}");

    let row = shop.row().await;
    assert_eq!((&row["auth"], &row["state"], &row["type"]), (&json!("oauth"), &json!("active"), &json!("Tool - Native")));
    let now = shop.clock.now().millis();
    assert_eq!(row["expires_at"], now + 3_599_000);
    let renewal = row["refresh_at"].as_i64().unwrap() - now;
    assert!((3_260_000..3_300_000).contains(&renewal), "five minutes before the end, and a little: {renewal}");
    assert!(browser().get(&back).send().await.is_err(), "the port is closed");
    assert_eq!(shop.hub.count("SELECT count(*) FROM secret WHERE owner LIKE 'flw_%'").await, 0, "what the flow needed is forgotten");
}

#[tokio::test]
async fn an_answer_works_once_and_only_for_the_flow_it_was_made_for() {
    let shop = Shop::new().await;
    let begun = shop.begin().await;
    let back = shop.consent(&begun).await;
    let (place, _) = back.split_once('?').unwrap();

    // Whoever does not know the state has nothing.
    for forged in
        [format!("{place}?code=4/0forged&state={}", "A".repeat(43)), format!("{place}?code=4/0forged"), format!("{place}?state=&code=x")]
    {
        assert_eq!(browser().get(&forged).send().await.unwrap().status(), 404, "{forged}");
    }
    // The port answers under its own name, to one path and one method; an icon is not the answer.
    let port = url::Url::parse(place).unwrap().port().unwrap();
    let post = browser().post(&back).send().await.unwrap();
    assert_eq!(post.status(), 404);
    let icon = browser().get(format!("http://127.0.0.1:{port}/favicon.ico")).send().await.unwrap();
    assert_eq!(icon.status(), 404);
    for host in ["localhost", "evil.example", "127.0.0.1"] {
        let rebound = browser().get(&back).header("host", format!("{host}:{}", port + 1)).send().await.unwrap();
        assert_eq!(rebound.status(), 404, "{host}");
    }
    // The state of another connection's flow does not come in by this one's port.
    let made = shop
        .hub
        .ask(
            "create_connection",
            json!({ "connector": "google-calendar", "name": "Other", "config": shop.google.unsigned(), "draft": true }),
        )
        .await;
    let other = shop.hub.ask("begin_sign_in", json!({ "connection": made["id"] })).await;
    let others = shop.consent(&other).await;
    let crossed = format!("{place}?{}", others.split_once('?').unwrap().1);
    assert_eq!(browser().get(&crossed).send().await.unwrap().status(), 404);
    assert_eq!(shop.hub.refused("finish_sign_in", json!({ "address": crossed })).await.fields[0].0, "address");
    assert_eq!(shop.state(&begun).await["status"], "waiting", "nothing of this has used it up");

    assert_eq!(browser().get(&back).send().await.unwrap().status(), 200);
    assert_eq!(shop.ended(&begun).await["status"], "done");
    let again = shop.hub.refused("finish_sign_in", json!({ "address": back })).await;
    assert!(again.message.contains("used already"), "{again:?}");
    assert_eq!(shop.google.asked("authorization_code"), 1, "the code was traded once");
}

#[tokio::test]
async fn a_later_sign_in_calls_the_earlier_off_and_one_can_be_called_off_by_hand() {
    let shop = Shop::new().await;
    let first = shop.begin().await;
    let old = shop.consent(&first).await;
    let second = shop.begin().await;
    assert_eq!(shop.state(&first).await["status"], "cancelled");
    shop.hub.until("the first port is closed", async |_| browser().get(&old).send().await.is_err()).await;
    assert!(shop.hub.refused("finish_sign_in", json!({ "address": old })).await.message.contains("called off"));
    let cancelled = shop.hub.ask("cancel_sign_in", json!({ "flow": second["flow"] })).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(shop.hub.count("SELECT count(*) FROM secret WHERE owner LIKE 'flw_%'").await, 0);
    assert_eq!(shop.sign_in().await["status"], "done");
}

#[tokio::test]
async fn a_sign_in_goes_on_after_a_restart_with_the_pasted_address() {
    let shop = Shop::new().await;
    let begun = shop.begin().await;
    let back = shop.consent(&begun).await;
    let clock = shop.clock.clone();
    let shop = shop.restarted(clock).await;
    assert!(browser().get(&back).send().await.is_err(), "the port did not survive");
    let wrong = shop.hub.refused("finish_sign_in", json!({ "address": "https://accounts.google.com/" })).await;
    assert_eq!(wrong.fields[0].0, "address");
    let elsewhere = back.replace("/oauth/callback", "/elsewhere");
    assert_eq!(shop.hub.refused("finish_sign_in", json!({ "address": elsewhere })).await.fields[0].0, "address");
    shop.hub.ask("finish_sign_in", json!({ "address": format!(" {back}\n") })).await;
    assert_eq!(shop.ended(&begun).await["status"], "done");
}

#[tokio::test]
async fn ten_minutes_without_an_answer_end_it() {
    let shop = Shop::new().await;
    let begun = shop.begin().await;
    let back = shop.consent(&begun).await;
    shop.clock.advance(Duration::from_secs(601));
    let state = shop.state(&begun).await;
    assert_eq!(state["status"], "failed");
    assert!(state["reason"].as_str().unwrap().contains("Ten minutes"), "{state}");
    assert_eq!(browser().get(&back).send().await.unwrap().status(), 404);
    renew::round(&shop.hub.hub).await.unwrap();
    assert_eq!(shop.hub.count("SELECT count(*) FROM secret WHERE owner LIKE 'flw_%'").await, 0);
    assert_eq!(shop.google.asked("authorization_code"), 0);
}

#[tokio::test]
async fn every_way_to_come_to_nothing_is_said_in_a_sentence() {
    let shop = Shop::new().await;
    let fails = async |words: &str| {
        let ended = shop.sign_in().await;
        let reason = ended["reason"].as_str().unwrap_or_default().to_owned();
        assert_eq!(ended["status"], "failed", "{ended}");
        assert!(reason.contains(words), "{reason} should say {words}");
        assert!(!ended.to_string().contains(GoogleSimulator::CANARY));
        shop.google.turn(|knobs| *knobs = Default::default());
    };
    shop.google.turn(|knobs| knobs.denies = true);
    fails("did not allow").await;
    shop.google.turn(|knobs| knobs.ticked = Some(vec!["https://www.googleapis.com/auth/calendar.freebusy".into()]));
    fails("did not tick").await;
    assert_eq!(shop.google.revoked().len(), 1, "what is not used is given back");
    shop.google.turn(|knobs| knobs.instead = Some((500, "<html>oops</html>".into())));
    fails("trouble of its own").await;
    shop.google.turn(|knobs| knobs.instead = Some((200, "<html>Sign in to Wi-Fi</html>".into())));
    fails("do not understand").await;
    shop.google.turn(|knobs| knobs.instead = Some((302, String::new())));
    fails("do not understand").await;
    shop.google.turn(|knobs| knobs.instead = Some((400, json!({ "error": "invalid_grant" }).to_string())));
    fails("too old, or used before").await;
    shop.google.turn(|knobs| {
        knobs.instead = Some((400, json!({ "error": "admin_policy_enforced", "error_description": "Ask your admin" }).to_string()))
    });
    fails("Ask your admin").await;
    let right = shop.google.unsigned();
    let mut wrong = right.clone();
    wrong["client_secret"] = "GOCSPX-wrong".into();
    shop.hub.ask("update_connection", json!({ "id": shop.connection, "config": wrong })).await;
    fails("does not know this client").await;
    shop.hub.ask("update_connection", json!({ "id": shop.connection, "config": right })).await;
    // Less is allowed than was asked: it works, and says what does not.
    shop.google.turn(|knobs| {
        knobs.ticked = Some(vec![
            "https://www.googleapis.com/auth/calendar.events".into(),
            "https://www.googleapis.com/auth/calendar.calendarlist.readonly".into(),
        ]);
    });
    let ended = shop.sign_in().await;
    assert_eq!((&ended["status"], &ended["missing"]), (&json!("done"), &json!(["to see when you are busy"])));
}

#[tokio::test]
async fn a_connection_is_not_signed_in_again_with_another_account() {
    let shop = Shop::new().await.active().await;
    shop.google.turn(|knobs| knobs.account = "somebody.else@example.com".into());
    let ended = shop.sign_in().await;
    let reason = ended["reason"].as_str().unwrap();
    assert!(reason.contains("somebody.else@example.com") && reason.contains("pao.dourado@example.com"), "{reason}");
    assert_eq!(shop.connection().await["account"], "pao.dourado@example.com");
    shop.google.turn(|knobs| knobs.account = "pao.dourado@example.com".into());
    assert_eq!(shop.test().await["ok"], true, "the first grant goes on");
    // Whoever signs out may take another account.
    shop.hub.ask("sign_out", json!({ "id": shop.connection })).await;
    assert_eq!(shop.connection().await["status"], "needs_sign_in");
    assert_eq!((&shop.row().await["state"], shop.test().await["ok"].as_bool()), (&json!("signed_out"), Some(false)));
    assert!(shop.google.revoked().iter().any(|token| token.starts_with("1//0")), "the refresh token was given back");
    assert_eq!(shop.hub.count("SELECT count(*) FROM secret WHERE owner LIKE '%/sign-in'").await, 0);
    shop.google.turn(|knobs| knobs.account = "somebody.else@example.com".into());
    assert_eq!(shop.sign_in().await["account"], "somebody.else@example.com");
    assert_eq!(shop.connection().await["status"], "active");
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let shop = Shop::with("other", vec![Other::loopback(Some("https://as.example"))]).await;
    shop.google.turn(|knobs| knobs.issuer = Some("https://evil.example".into()));
    let ended = shop.sign_in().await;
    assert!(ended["reason"].as_str().unwrap().contains("another server"), "{ended}");
    shop.google.turn(|knobs| knobs.issuer = None);
    assert_eq!(shop.sign_in().await["status"], "failed", "it always names itself");
    assert_eq!(shop.google.asked("authorization_code"), 0, "no code was shown to anybody");
    shop.google.turn(|knobs| knobs.issuer = Some("https://as.example".into()));
    assert_eq!(shop.sign_in().await["status"], "done");
}

#[tokio::test]
async fn a_link_of_our_own_scheme_brings_the_answer_also_after_a_cold_start() {
    let shop = Shop::with("other", vec![Other::by_link()]).await;
    let no_way = shop.hub.refused("begin_sign_in", json!({ "connection": shop.connection })).await;
    assert!(no_way.message.contains("public web address"), "{no_way:?}");
    shop.hub.hub.sign_ins.take_links();
    shop.google.turn(|knobs| knobs.also_back_to = "shopbell://oauth/callback".into());
    let begun = shop.begin().await;
    assert_eq!(begun["way"], "deep_link");
    let back = shop.consent(&begun).await;
    assert!(back.starts_with("shopbell://oauth/callback?state="), "{back}");
    for forged in [
        format!("shopbell://oauth/callback?state={}&code=x", "B".repeat(43)),
        format!("{back}{}", "x".repeat(100 * 1024)),
        back.replace("shopbell://", "javascript://"),
        back.replace("/callback", "/settings"),
        "shopbell://oauth/done?flow=flw_made_up".to_owned(),
    ] {
        assert_eq!(shop.hub.refused("open_link", json!({ "url": forged })).await.code, shopbell_core::error::Code::NotFound);
    }
    assert_eq!(shop.state(&begun).await["status"], "waiting");

    // The program is closed, and started by the very link.
    let Shop { hub, google, clock, connection } = shop;
    hub.hub.stop().await;
    let directory = hub.directory.clone();
    drop(hub);
    let hub = TestHub::by_clock(directory, clock.clone(), vec![Other::by_link()]).await;
    let shop = Shop { hub, google, clock, connection };
    shop.hub.ask("open_link", json!({ "url": back })).await;
    assert_eq!(shop.ended(&begun).await["status"], "done");
    shop.hub.ask("open_link", json!({ "url": format!("shopbell://oauth/done?flow={}", begun["flow"].as_str().unwrap()) })).await;
    let twice = shop.hub.refused("open_link", json!({ "url": back })).await;
    assert_eq!(twice.code, shopbell_core::error::Code::Conflict);
}

#[tokio::test]
async fn the_public_address_takes_the_answer_and_repeats_nothing_of_it() {
    let shop = Shop::with("other", vec![Other::by_public_address()]).await;
    let ports = Ports::take(&Places { admin: None, public: ([127, 0, 0, 1], 0).into() }).await.unwrap();
    let doors = doors::open(&shop.hub.hub, ports, None, None).await.unwrap();
    let place = format!("http://{}/oauth/callback", doors.public);
    shop.google.turn(|knobs| knobs.also_back_to = place.clone());
    let begun = shop.begin().await;
    assert_eq!(begun["way"], "public");
    let back = shop.consent(&begun).await;
    assert!(back.starts_with(&place));
    for query in
        ["", "?state=<script>alert(1)</script>&code=x", "?code=x&state=y&redirect_uri=https://evil.example", "?next=https://evil.example"]
    {
        let answer = browser().get(format!("{place}{query}")).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{query}");
        assert!(answer.headers().get("location").is_none(), "no open redirect");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        let text = answer.text().await.unwrap();
        assert!(!text.contains("alert") && !text.contains("evil"), "{text}");
    }
    assert_eq!(browser().post(&back).send().await.unwrap().status(), 404);
    // Where the desktop runs, the page leads back to its window, by the flow's id alone.
    shop.hub.hub.sign_ins.take_links();
    let answer = browser().get(&back).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["cache-control"].to_str().unwrap()), (200, "no-store"));
    let text = answer.text().await.unwrap();
    assert!(text.contains(&format!("shopbell://oauth/done?flow={}\"", begun["flow"].as_str().unwrap())), "{text}");
    assert_eq!(shop.ended(&begun).await["status"], "done");
    assert_eq!(browser().get(&back).send().await.unwrap().status(), 404, "once");
}

#[tokio::test]
async fn no_token_code_or_verifier_is_seen_anywhere() {
    let shop = Shop::new().await.active().await;
    shop.hub.ask("refresh_sign_in", json!({ "id": shop.connection })).await;
    for command in ["list_sign_ins", "list_connections", "list_notices"] {
        let answer = shop.hub.ask(command, json!({})).await.to_string();
        assert!(!answer.contains(GoogleSimulator::CANARY), "{command}: {answer}");
    }
    let directory = shop.hub.directory.clone();
    shop.hub.hub.stop().await;
    for file in ["shopbell.db", "shopbell.db-wal"] {
        let bytes = std::fs::read(directory.path().join(file)).unwrap_or_default();
        let found = bytes.windows(GoogleSimulator::CANARY.len()).any(|window| window == GoogleSimulator::CANARY.as_bytes());
        assert!(!found, "{file}");
    }
    let _: Timestamp = shop.clock.now();
}
