//! The GET with which Meta asks whether a callback is ours: it repeats the verify token that the owner chose, and wants its challenge back.

use shopbell_core::connector::{Forged, Request};
use subtle::ConstantTimeEq;

/// The longest challenge that is given back; Meta's are numbers of about ten digits.
const LONGEST: usize = 256;

/// The answer to the handshake; `None` = it is none.
pub fn answer(verify_token: &str, request: &Request) -> Option<Result<String, Forged>> {
    (request.method == "GET").then(|| judge(verify_token.trim(), &request.query))
}

fn judge(verify_token: &str, query: &str) -> Result<String, Forged> {
    let value = |wanted: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    if value("hub.mode").as_deref() != Some("subscribe") {
        return Err(Forged("This is no handshake: hub.mode is not subscribe."));
    }
    let given = value("hub.verify_token").unwrap_or_default();
    if verify_token.is_empty() || !bool::from(given.as_bytes().ct_eq(verify_token.as_bytes())) {
        return Err(Forged("The verify token is another than the one in the settings."));
    }
    // It goes back as it came, so it may hold nothing that a browser would take for a page.
    let is_plain =
        |text: &str| text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    match value("hub.challenge") {
        Some(challenge) if !challenge.is_empty() && is_plain(&challenge) => Ok(challenge),
        _ => Err(Forged("This is no handshake: the challenge is missing.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(query: &str) -> Request {
        Request { method: "GET".into(), query: query.into(), ..Request::pulled("") }
    }

    #[test]
    fn the_challenge_goes_back_to_who_knows_the_token() {
        let good = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=p%C3%A3o+dourado";
        assert_eq!(answer("pão dourado", &get(good)), Some(Ok("1158201444".into())));
        assert_eq!(answer(" pão dourado ", &get(good)), Some(Ok("1158201444".into())), "space around it is a slip of the paste");
        assert_eq!(answer("pão dourado", &Request { method: "POST".into(), ..get(good) }), None, "a POST is no handshake");
    }

    #[test]
    fn nobody_else_gets_an_answer() {
        for bad in [
            "",
            "hub.mode=subscribe&hub.challenge=1",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=toke",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=token2",
            "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=token",
            "hub.challenge=1&hub.verify_token=token",
            "hub.mode=subscribe&hub.verify_token=token",
            "hub.mode=subscribe&hub.verify_token=token&hub.challenge=",
            "hub.mode=subscribe&hub.verify_token=token&hub.challenge=%3Cscript%3E",
        ] {
            assert!(matches!(answer("token", &get(bad)), Some(Err(_))), "{bad}");
        }
        assert!(matches!(answer("", &get("hub.mode=subscribe&hub.challenge=1&hub.verify_token=")), Some(Err(_))), "no token was set");
    }
}
