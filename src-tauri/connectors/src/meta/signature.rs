//! `X-Hub-Signature-256`: an HMAC-SHA256 of the raw body with the secret of the app that owns the subscription.
//!
//! Meta writes `\u00e4` and `\/` where others write `ä` and `/`, so only the bytes as they came have the signature; the same JSON written
//! anew has another. See <https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads>.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use shopbell_core::connector::{Forged, Request};
use subtle::ConstantTimeEq;

/// The header that proves where a request comes from.
pub const HEADER: &str = "x-hub-signature-256";

/// The value of [`HEADER`] for a body.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do as a key");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Is it from Meta? A webhook of an app with two secrets (Facebook's and Instagram's) is good with either. A blank secret proves nothing.
pub fn verify<'a>(secrets: impl IntoIterator<Item = &'a str>, request: &Request) -> Result<(), Forged> {
    let Some(given) = request.header(HEADER) else {
        return Err(Forged("The signature is missing."));
    };
    let known = secrets.into_iter().map(str::trim).filter(|secret| !secret.is_empty());
    // Every secret is tried, so that the time taken does not tell which one was right.
    let matches = known.fold(false, |matches, secret| {
        let right = sign(secret, &request.body);
        matches | bool::from(given.as_bytes().ct_eq(right.as_bytes()))
    });
    if matches { Ok(()) } else { Err(Forged("The signature does not match. The app secret may be another app's.")) }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Checked with an implementation that is not ours.
    fn vector() -> Value {
        serde_json::from_str(include_str!("fixtures/signature.json")).unwrap()
    }

    fn request(body: &str, header: &str) -> Request {
        Request { headers: vec![(HEADER.into(), header.into())], ..Request::pulled(body.to_owned()) }
    }

    #[test]
    fn a_signature_is_good_for_the_very_bytes_alone() {
        let vector = vector();
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        let (secret, body, header) = (text("app_secret"), text("raw_body"), text("header"));
        assert_eq!(sign(&secret, body.as_bytes()), header);
        assert_eq!(verify([secret.as_str()], &request(&body, &header)), Ok(()));
        let again = text("must_fail_body_reserialised");
        assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), serde_json::from_str::<Value>(&body).unwrap(), "the same JSON");
        assert!(verify([secret.as_str()], &request(&again, &header)).is_err(), "other bytes");
    }

    #[test]
    fn nothing_but_the_right_secret_opens() {
        let vector = vector();
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        let (secret, body, header) = (text("app_secret"), text("raw_body"), text("header"));
        assert_eq!(verify(["another", secret.as_str()], &request(&body, &header)), Ok(()), "either of two secrets");
        assert!(verify(["another"], &request(&body, &header)).is_err());
        assert!(verify([secret.as_str()], &Request::pulled(body.clone())).is_err(), "no header");
        assert!(verify([secret.as_str()], &request(&body, &header.to_uppercase())).is_err());
        assert!(verify([secret.as_str()], &request(&body, header.trim_start_matches("sha256="))).is_err());
        assert!(verify([""], &request(&body, &sign("", body.as_bytes()))).is_err(), "a blank secret is no secret");
        assert!(verify([], &request(&body, &header)).is_err());
    }
}
