//! Tokens kept fresh: when, once, and whatever breaks in between.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

impl Shop {
    async fn round(&self) {
        renew::round(&self.hub.hub).await.unwrap();
    }

    fn renewals(&self) -> u32 {
        self.google.asked("refresh_token")
    }

    /// The token as it is sealed for use.
    async fn token(&self) -> String {
        let connection = shopbell_core::id::ConnectionId::from(self.connection.as_str());
        let live = self.hub.hub.connections.get(&connection).unwrap();
        live.access.token().await.unwrap().unwrap().reveal().to_owned()
    }
}

#[tokio::test]
async fn fifty_calls_at_the_end_of_a_token_make_one_renewal() {
    let shop = Shop::new().await.active().await;
    shop.google.turn(|knobs| {
        knobs.rotates = true;
        knobs.slow = Duration::from_millis(100);
    });
    shop.clock.advance(HOUR);
    let calls = (0..50).map(|_| shop.test());
    for tested in futures::future::join_all(calls).await {
        assert_eq!(tested["ok"], true, "{tested}");
    }
    assert_eq!(shop.renewals(), 1);
    assert_eq!(shop.connection().await["status"], "active");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_once_after_a_long_sleep() {
    let shop = Shop::new().await.active().await;
    shop.round().await;
    assert_eq!(shop.renewals(), 0, "it is young");
    shop.clock.advance(Duration::from_secs(3240));
    shop.round().await;
    assert_eq!(shop.renewals(), 0, "six minutes before the end it is still time");
    shop.clock.advance(Duration::from_secs(70));
    shop.round().await;
    assert_eq!(shop.renewals(), 1, "five minutes before the end");
    shop.clock.advance(8 * HOUR);
    shop.round().await;
    shop.round().await;
    assert_eq!(shop.renewals(), 2, "eight hours asleep need one");
    assert_eq!(shop.test().await["ok"], true);
}

#[tokio::test]
async fn a_clock_that_jumps_a_day_either_way_leaves_a_token_that_works() {
    let shop = Shop::new().await.active().await;
    shop.clock.advance(24 * HOUR);
    shop.google.end_access();
    assert_eq!(shop.test().await["ok"], true);
    assert_eq!(shop.renewals(), 1);
    // Somebody sets the clock back by a day; a running program does not follow, the next start does.
    let earlier = Arc::new(ManualClock::new(shop.clock.now().minus(24 * HOUR)));
    let shop = shop.restarted(earlier).await;
    shop.hub.until("it was renewed", async |_| shop.renewals() == 2).await;
    shop.hub.until("the dates are right", async |_| shop.row().await["expires_at"] == shop.clock.now().millis() + 3_599_000).await;
    assert_eq!(shop.test().await["ok"], true);
}

#[tokio::test]
async fn a_token_that_the_service_ended_early_is_renewed_once_and_the_call_made_again() {
    let shop = Shop::new().await.active().await;
    shop.google.end_access();
    shop.clock.advance(Duration::from_secs(60));
    assert_eq!(shop.test().await["ok"], true);
    assert_eq!(shop.renewals(), 1);
    // A service that refuses what it has just given is not asked again and again.
    shop.google.end_access();
    assert_eq!(shop.test().await["ok"], false);
    assert_eq!(shop.renewals(), 1);
    assert_eq!(shop.connection().await["status"], "needs_sign_in");
}

#[tokio::test]
async fn lifetimes_as_text_none_at_all_and_no_new_refresh_token_are_understood() {
    let shop = Shop::new().await.active().await;
    for (told, seconds) in [(json!("1800"), 1800), (json!(null), 3600), (json!("soon"), 3600), (json!(7200), 7200), (json!(0), 3600)] {
        shop.google.turn(|knobs| knobs.expires_in = told.clone());
        shop.clock.advance(Duration::from_secs(60));
        shop.hub.ask("refresh_sign_in", json!({ "id": shop.connection })).await;
        assert_eq!(shop.row().await["expires_at"], shop.clock.now().millis() + seconds * 1000, "{told}");
    }
    assert_eq!(shop.renewals(), 5, "the refresh token of the beginning is good for all of them");
}

#[tokio::test]
async fn trouble_that_passes_is_waited_out_and_never_ends_a_grant() {
    let shop = Shop::new().await.active().await;
    shop.clock.advance(Duration::from_secs(3400));
    let before = shop.token_without_renewal().await;
    for (attempt, (status, body)) in
        [(500, ""), (502, "<html>"), (429, "{}"), (200, "<html>Wi-Fi</html>"), (302, "")].into_iter().enumerate()
    {
        shop.google.turn(|knobs| knobs.instead = Some((status, body.to_owned())));
        shop.round().await;
        let row = shop.row().await;
        assert_eq!(row["state"], "degraded", "{status}: {row}");
        assert!(!row["error"].as_str().unwrap().is_empty());
        let wait = row["refresh_at"].as_i64().unwrap() - shop.clock.now().millis();
        let expected = [5_000, 30_000, 120_000, 600_000, 1_800_000][attempt];
        assert!((expected * 9 / 10..=expected * 11 / 10).contains(&wait), "{wait} after {} failures", attempt + 1);
        assert_eq!(shop.connection().await["status"], "active");
        let asked = shop.renewals();
        shop.round().await;
        assert_eq!(shop.renewals(), asked, "nobody asks before the wait is over");
        if attempt < 2 {
            assert_eq!(shop.token().await, before, "the old one works for some minutes more");
        }
        shop.clock.advance(Duration::from_millis(u64::try_from(wait).unwrap()));
    }
    let asked = shop.renewals();
    shop.google.turn(|knobs| knobs.instead = None);
    assert_eq!(shop.test().await["ok"], true);
    assert_eq!((shop.renewals(), shop.row().await["state"].as_str().unwrap().to_owned()), (asked + 1, "active".to_owned()));
}

impl Shop {
    async fn token_without_renewal(&self) -> String {
        let (id, vault) = (self.connection.clone(), self.hub.hub.vault.clone());
        let read = move |db: &rusqlite::Connection| {
            let tokens = shopbell_core::oauth::grant::tokens(db, &vault, &id.as_str().into())?;
            Ok(tokens.unwrap().access.reveal().to_owned())
        };
        self.hub.hub.store.read(read).await.unwrap()
    }
}

#[tokio::test]
async fn a_grant_that_has_ended_makes_the_connection_wait_for_its_owner() {
    let shop = Shop::new().await.active().await;
    shop.google.end_grants();
    // Both clocks go on.
    shop.google.turn(|knobs| knobs.ahead = 3600);
    shop.clock.advance(HOUR);
    shop.round().await;
    let connection = shop.connection().await;
    assert_eq!(connection["status"], "needs_sign_in");
    assert!(connection["reason"].as_str().unwrap().contains("revoked"), "{connection}");
    assert_eq!(shop.row().await["state"], "needs_sign_in");
    let notices = shop.hub.ask("list_notices", json!({})).await;
    assert_eq!(notices["items"][0]["level"], "problem", "{notices}");
    let asked = shop.renewals();
    shop.clock.advance(HOUR);
    shop.round().await;
    assert_eq!(shop.test().await["ok"], false);
    assert_eq!(shop.renewals(), asked, "nobody knocks at a closed door");
    assert_eq!(shop.sign_in().await["status"], "done");
    assert_eq!(shop.connection().await["status"], "active", "it goes on by itself");
    assert_eq!(shop.hub.ask("list_notices", json!({})).await["items"], json!([]));
}

#[tokio::test]
async fn the_end_after_seven_days_and_a_wrong_clock_have_their_own_sentences() {
    let shop = Shop::new().await.active().await;
    shop.clock.advance(7 * 24 * HOUR + HOUR);
    shop.google.turn(|knobs| knobs.ahead = 7 * 24 * 3600 + 3600);
    shop.google.end_grants();
    shop.round().await;
    assert!(shop.connection().await["reason"].as_str().unwrap().contains("Testing"));

    let shop = Shop::new().await.active().await;
    shop.google.turn(|knobs| knobs.ahead = 26 * 60 + 3600);
    shop.google.end_grants();
    shop.clock.advance(HOUR);
    shop.round().await;
    let reason = shop.connection().await["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("off by 2") && reason.contains("minutes"), "{reason}");
}

#[tokio::test]
async fn a_renewal_whose_answer_was_lost_is_made_again() {
    let shop = Shop::new().await.active().await;
    shop.clock.advance(HOUR);
    shop.google.turn(|knobs| knobs.swallows = true);
    // As if the program were killed between the answer and the commit: the work is dropped half-way.
    let cut =
        tokio::time::timeout(Duration::from_millis(300), shop.hub.hub.call("refresh_sign_in", json!({ "id": shop.connection }))).await;
    assert!(cut.is_err(), "the answer does not come");
    shop.google.turn(|knobs| knobs.swallows = false);
    let clock = shop.clock.clone();
    let shop = shop.restarted(clock).await;
    assert_eq!(shop.test().await["ok"], true);
    assert_eq!(shop.connection().await["status"], "active");
}

#[tokio::test]
async fn the_refresh_token_before_the_present_one_is_tried_once_when_the_service_never_heard_of_the_present_one() {
    let shop = Shop::new().await.active().await;
    shop.google.turn(|knobs| knobs.rotates = true);
    shop.hub.ask("refresh_sign_in", json!({ "id": shop.connection })).await;
    shop.google.forget_newest();
    shop.clock.advance(HOUR);
    assert_eq!(shop.test().await["ok"], true);
    assert_eq!(shop.renewals(), 3, "the present one, and the one before it");
    shop.google.end_grants();
    shop.clock.advance(HOUR);
    assert_eq!(shop.test().await["ok"], false);
    assert_eq!(shop.connection().await["status"], "needs_sign_in");
    assert!(shop.renewals() <= 5, "once, not for ever");
}

#[tokio::test]
async fn a_typed_token_takes_the_place_of_a_granted_one_and_another_address_forgets_it() {
    let shop = Shop::new().await.active().await;
    shop.hub
        .ask("update_connection", json!({ "id": shop.connection, "name": "Same", "config": { "access_token": { "set": true } } }))
        .await;
    assert_eq!(shop.row().await["state"], "active", "a form that was saved unchanged changes nothing");
    shop.hub.ask("update_connection", json!({ "id": shop.connection, "config": { "access_token": "ya29.typed" } })).await;
    assert_eq!(shop.row().await["state"], Value::Null);
    assert_eq!(shop.sign_in().await["status"], "done");
    shop.hub.ask("update_connection", json!({ "id": shop.connection, "config": { "base_url": "http://127.0.0.1:9" } })).await;
    assert_eq!(shop.row().await["state"], Value::Null, "what one address gave is not shown to another");
    assert_eq!(shop.hub.count("SELECT count(*) FROM secret WHERE owner LIKE '%/sign-in'").await, 0);
    shop.hub.ask("delete_connection", json!({ "id": shop.connection })).await;
    assert_eq!(shop.hub.count("SELECT count(*) FROM sign_in").await, 0);
}
