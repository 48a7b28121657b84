//! The vectors were computed by Twilio's own validator (PyPI twilio 9.13.0).

use serde_json::{Value, json};
use shopbell_core::connector::{Forged, Request};

use super::{HEADER, SETTINGS, addresses, verify};
use crate::twilio::Config;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors.json")).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn config(more: Value) -> Config {
    let mut config = json!({
        "account_sid": "AC0123456789abcdef0123456789abcdef", "auth_token": text(&vectors(), "auth_token"), "phone_number": "+14155238886",
    });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(config).unwrap()
}

fn body(params: &Value) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in params.as_object().unwrap() {
        form.append_pair(name, value.as_str().unwrap());
    }
    form.finish()
}

/// The form of the vectors under `signature`.
fn form(signature: &str) -> Request {
    let vectors = vectors();
    Request {
        method: "POST".into(),
        path: String::new(),
        query: String::new(),
        headers: vec![
            ("content-type".into(), "application/x-www-form-urlencoded; charset=UTF-8".into()),
            (HEADER.into(), signature.into()),
        ],
        body: body(&vectors["params_decoded"]).into(),
        url: text(&vectors, "url").into(),
    }
}

const WRONG: Result<(), Forged> = Err(Forged("The signature is wrong."));

#[test]
fn a_form_is_verified_with_and_without_the_usual_port() {
    let vectors = vectors();
    let plain = form(text(&vectors, "x_twilio_signature"));
    assert_eq!(verify(&config(json!({})), &plain), Ok(()));
    let ported = form(text(&vectors, "x_twilio_signature_if_signer_added_port_443"));
    assert_eq!(verify(&config(json!({})), &ported), Ok(()));

    // We may know our own address with the port, the signer without it.
    let url = text(&vectors, "url").replace(".com/", ".com:443/");
    assert_eq!(verify(&config(json!({})), &Request { url: url.clone(), ..plain.clone() }), Ok(()));
    assert_eq!(verify(&config(json!({})), &Request { url, ..ported }), Ok(()));
    // What tells Twilio how often to try is not signed.
    let url = format!("{}#rc=3&rp=all", text(&vectors, "url"));
    assert_eq!(verify(&config(json!({})), &Request { url, ..plain }), Ok(()));
}

#[test]
fn anything_that_differs_is_refused() {
    let vectors = vectors();
    let good = form(text(&vectors, "x_twilio_signature"));
    let config = config(json!({}));
    let url = text(&vectors, "url");
    for other in [
        url.replace("https", "http"),
        url.replace("desk", "disk"),
        format!("{url}&x=1"),
        url.replace("%20", "+"),
        url.replace("%20", " "),
        url.replace("?k=v%20x", ""),
        url.replace("/ch_1", "/ch_1/"),
        url.replace(".com/", ".com:8443/"),
        String::new(),
    ] {
        // A port that nobody expects is tried without it, as Twilio's own validators do; everything else is another address.
        let expected = if other.contains(":8443") { Ok(()) } else { WRONG };
        assert_eq!(verify(&config, &Request { url: other.clone(), ..good.clone() }), expected, "{other}");
    }
    let body = String::from_utf8(good.body.to_vec()).unwrap();
    for other in [
        body.replace("ProfileName=&", ""),
        format!("{body}&New="),
        format!("{body}&Body=Ol%C3%A1"),
        body.replace("+%2B+", "+++"),
        body.replace("WaId", "waid"),
    ] {
        assert_eq!(verify(&config, &Request { body: other.clone().into(), ..good.clone() }), WRONG, "{other}");
    }
    // Another order, and blanks written in another way, are the same form.
    let mut pairs: Vec<&str> = body.split('&').collect();
    pairs.reverse();
    let turned = pairs.join("&").replace('+', "%20");
    assert_eq!(verify(&config, &Request { body: turned.into(), ..good.clone() }), Ok(()));

    let mut missing = good.clone();
    missing.headers.remove(1);
    assert_eq!(verify(&config, &missing), Err(Forged("The signature is missing.")));
    for other in ["", "eAIdfI7u+u8xUBK084HawXl0tJQ", "eAIdfI7u+u8xUBK084HawXl0tJQ=="] {
        assert_eq!(verify(&config, &form(other)), WRONG, "{other}");
    }
}

#[test]
fn both_auth_tokens_are_good_while_they_are_changed() {
    let vectors = vectors();
    let signed = form(text(&vectors, "x_twilio_signature"));
    let token = text(&vectors, "auth_token");
    assert_eq!(verify(&config(json!({ "auth_token": "another" })), &signed), WRONG);
    assert_eq!(verify(&config(json!({ "auth_token": "another", "secondary_auth_token": token })), &signed), Ok(()));
    assert_eq!(verify(&config(json!({ "auth_token": "another", "secondary_auth_token": "  " })), &signed), WRONG);
}

#[test]
fn a_shared_key_counts_only_where_it_is_in_the_settings() {
    let vectors = vectors();
    let token = text(&vectors, "auth_token");
    let signed = |settings: &str| {
        let mut request = form(text(&vectors, "x_twilio_signature_sha256_same_secret"));
        request.headers.push((SETTINGS.into(), settings.into()));
        request
    };
    let shared = config(json!({ "auth_token": "another", "shared_key_id": "webhooks_sharedkey_test", "shared_key_secret": token }));
    let settings = text(&vectors, "sharedkey_header");
    assert_eq!(verify(&shared, &signed(settings)), Ok(()));
    assert_eq!(verify(&shared, &signed("algorithm=HMAC_SHA256")), Ok(()));
    assert_eq!(
        verify(&shared, &signed("key=other,algorithm=HMAC_SHA256")),
        Err(Forged("It is signed with a key that is not in the settings."))
    );
    let unknown = Err(Forged("It is signed in a way that we do not know."));
    assert_eq!(verify(&shared, &signed("key=webhooks_sharedkey_test,algorithm=HMAC_MD5")), unknown);
    assert_eq!(verify(&shared, &signed("")), WRONG, "without the header it is the Auth Token and SHA-1");
    // The Auth Token is not a shared key, whatever a header says.
    assert_eq!(verify(&config(json!({})), &signed(settings)), Err(Forged("It is signed with a key that is not in the settings.")));
}

#[test]
fn json_is_verified_through_its_hash_in_the_address() {
    let vectors = vectors();
    let json = &vectors["json_variant"];
    let signed = Request {
        method: "POST".into(),
        path: "json".into(),
        query: String::new(),
        headers: vec![("content-type".into(), "application/json".into()), (HEADER.into(), text(json, "x_twilio_signature").into())],
        body: text(json, "raw_body").to_owned().into(),
        url: text(json, "url").into(),
    };
    let config = config(json!({}));
    assert_eq!(verify(&config, &signed), Ok(()));
    let altered = Request { body: text(json, "raw_body").replace('1', "2").into(), ..signed.clone() };
    assert_eq!(verify(&config, &altered), WRONG);
    let hashless = Request { url: text(json, "url").split('?').next().unwrap().into(), ..signed.clone() };
    assert_eq!(verify(&config, &hashless), Err(Forged("The hash of the body is missing.")));
    // A form cannot pass itself off as JSON to leave its fields unsigned.
    let mut form = form(text(&vectors, "x_twilio_signature"));
    form.headers[0].1 = "application/json".into();
    assert!(verify(&config, &form).is_err());
}

#[test]
fn an_address_is_tried_as_it_is_and_with_its_port_the_other_way_round() {
    assert_eq!(addresses("https://a.example/x?y#z"), ["https://a.example/x?y", "https://a.example:443/x?y"]);
    assert_eq!(addresses("http://a.example:80"), ["http://a.example:80", "http://a.example"]);
    assert_eq!(addresses("http://[::1]/x:y"), ["http://[::1]/x:y", "http://[::1]:80/x:y"]);
    assert_eq!(addresses("http://[::1]:7411/"), ["http://[::1]:7411/", "http://[::1]/"]);
    assert_eq!(addresses("nonsense"), ["nonsense"]);
}
