//! The form, the test, the handshake, switching the account on.

use shopbell_core::connector::Account;

use super::*;

fn checks(account: &Account) -> Vec<(bool, &str)> {
    account.checks.iter().map(|check| (check.ok, check.text.as_str())).collect()
}

fn says_of(account: &Account, ok: bool, words: &str) {
    assert!(account.checks.iter().any(|check| check.ok == ok && check.text.contains(words)), "{ok} {words}: {:?}", checks(account));
}

#[tokio::test]
async fn either_secret_proves_a_message_and_the_test_says_which_did() {
    let (simulator, desk) = start().await;
    let account = desk.connector.test(desk.link()).await.unwrap();
    assert_eq!(account.details["signed_by"], Value::Null, "nothing has come yet");
    message(&simulator, &desk, &said("5551", "um"));
    says_of(&desk.connector.test(desk.link()).await.unwrap(), true, "signed with the app secret");
    simulator.set_habits(Habits { second_secret: true, ..Habits::default() });
    message(&simulator, &desk, &said("5551", "dois"));
    let account = desk.connector.test(desk.link()).await.unwrap();
    says_of(&account, true, "signed with the second app secret");
    assert_eq!(account.details["signed_by"], "second_secret");

    let one = Desk::new(erase(Instagram), {
        let mut config = simulator.config();
        config["second_secret"] = Value::Null;
        config
    });
    let request = simulator.signed(&said("5551", "três")).remove(0);
    assert!(one.channel().verify(&one.settings, &request).is_err(), "a secret that was not given proves nothing");
}

#[tokio::test]
async fn the_handshake_is_answered_for_the_verify_token_alone() {
    let (simulator, desk) = start().await;
    let request = simulator.handshake("1158201444");
    assert_eq!(desk.channel().challenge(&desk.settings, &request), Some(Ok("1158201444".into())));
    let mut wrong = request.clone();
    wrong.query = wrong.query.replace("verify_token=pao", "verify_token=Pao");
    assert!(matches!(desk.channel().challenge(&desk.settings, &wrong), Some(Err(_))));
    assert_eq!(desk.channel().challenge(&desk.settings, &simulator.signed(&said("5551", "oi"))[0]), None);
}

#[tokio::test]
async fn the_number_that_no_message_comes_under_is_found_out() {
    let (simulator, _) = start().await;
    for (typed, words) in
        [("9876543210987654", "Put 17841400000000000 into Account ID"), ("17841411111111111", "belongs to another account")]
    {
        let mut config = simulator.config();
        config["account_id"] = typed.into();
        let desk = Desk::new(erase(Instagram), config);
        let account = desk.connector.test(desk.link()).await.unwrap();
        says_of(&account, false, words);
        assert_eq!(account.details["account_id"], "17841400000000000");
    }
    for flavour in BOTH {
        let (_simulator, desk) = start_as(flavour, |_| ()).await;
        let account = desk.connector.test(desk.link()).await.unwrap();
        assert_eq!(account.name, "@paodourado");
        says_of(&account, true, "The account ID is the one");
        says_of(&account, false, "sends nothing for this account yet");
    }
}

#[tokio::test]
async fn a_token_of_the_other_way_in_is_recognised() {
    for (flavour, words) in [("facebook_page", "one of Instagram's"), ("instagram_login", "one of Facebook's")] {
        let own = if flavour == "facebook_page" { Flavour::FacebookPage } else { Flavour::InstagramLogin };
        let token = if own == Flavour::FacebookPage { "IGAAsomething" } else { "EAAGsomething" };
        let (_simulator, desk) = start_as(own, |config| config["access_token"] = token.into()).await;
        let error = desk.connector.test(desk.link()).await.unwrap_err();
        assert!(matches!(&error, ServiceError::Unauthorized(sentence) if sentence.to_string().contains(words)), "{error:?}");
    }
}

#[tokio::test]
async fn the_account_is_switched_on_and_the_state_is_what_was_read_back() {
    let url = "https://shop.example/hooks/meta/1234567890123456";
    for (flavour, only_me) in [(Flavour::InstagramLogin, false), (Flavour::InstagramLogin, true), (Flavour::FacebookPage, false)] {
        let (simulator, desk) = start_as(flavour, |_| ()).await;
        simulator.set_habits(Habits { only_me, ..Habits::default() });
        let state = desk.channel().webhook_state(desk.link()).await.unwrap();
        assert!(state.last_error.unwrap().contains("sends nothing"), "nothing is switched on yet");
        let state = desk.channel().subscribe(desk.link(), url).await.unwrap();
        let subscribed = simulator.subscribed();
        assert!(
            ["messages", "message_reactions", "messaging_seen", "message_edit"]
                .iter()
                .all(|field| subscribed.contains(&(*field).to_owned())),
            "{subscribed:?}"
        );
        assert_eq!(state.confirmed_url, None, "nobody has pasted the callback");
        assert!(state.last_error.unwrap().contains(url), "what to paste is said");
        simulator.paste_callback(url);
        let state = desk.channel().subscribe(desk.link(), url).await.unwrap();
        assert_eq!((state.confirmed_url.as_deref(), state.last_error), (Some(url), None));
        assert_eq!(state.details["missing_fields"], json!([]));
        says_of(&desk.connector.test(desk.link()).await.unwrap(), true, "sends this account's messages to your app");
    }
}

#[tokio::test]
async fn a_callback_that_cannot_be_asked_for_is_not_claimed() {
    let (simulator, desk) = start_as(Flavour::InstagramLogin, |config| {
        config["app_secret"] = "anothersecret".into();
        config["second_secret"] = Value::Null;
    })
    .await;
    simulator.paste_callback("https://shop.example/hooks/meta/1234567890123456");
    let state = desk.channel().subscribe(desk.link(), "https://shop.example/hooks/meta/1234567890123456").await.unwrap();
    assert_eq!((state.confirmed_url, &state.details["callback_known"]), (None, &json!(false)));
    assert!(state.last_error.unwrap().contains("unless they stand there already"));
}

#[test]
fn the_form_refuses_what_cannot_be_right() {
    let good = json!({ "account_id": " 17841400000000000 ", "app_id": "1234567890123456", "app_secret": "s3cret", "access_token": "t0ken", "verify_token": "pão dourado" });
    let connector = erase(Instagram);
    assert!(connector.settings(good.clone()).is_ok());
    for (field, value) in [
        ("account_id", "@paodourado"),
        ("account_id", ""),
        ("app_id", "12 34 56"),
        ("app_secret", ""),
        ("access_token", "my token"),
        ("verify_token", "  "),
        ("second_secret", "with space"),
        ("graph_version", "25"),
        ("base_url", "http://graph.instagram.com"),
        ("flavour", "page"),
    ] {
        let mut config = good.clone();
        config[field] = value.into();
        let wrong = connector.settings(config).err().unwrap_or_else(|| panic!("{field} = {value:?} was taken"));
        assert_eq!(wrong[0].0, field, "{value:?}");
    }
}
