//! The proof that a public address leads to this very Shopbell, and where it ends when it does not.
//!
//! Through the address we ask ourselves `/.well-known/shopbell/<nonce>?challenge=…`; the answer is an HMAC under a key that this run made and
//! never tells. Another computer with the same name, a page of the network or a warning page cannot give it.

use std::error::Error as _;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use reqwest::header::{DATE, HeaderMap};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use url::Url;

use super::{Hop, Trouble};
use crate::clock::Timestamp;
use crate::http::Network;
use crate::say;

/// How long one proof may take.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// A clock that is further off breaks certificates and signatures.
const CLOCK: Duration = Duration::from_secs(300);
/// A challenge is 32 bytes in hex.
const CHALLENGE: usize = 64;
/// More than this is no answer of ours.
const LARGEST: usize = 64 * 1024;

/// What this run proves itself with.
pub struct Proof {
    nonce: String,
    key: [u8; 32],
}

impl Proof {
    /// A new one; it lives as long as the run.
    ///
    /// # Errors
    /// When the computer has no randomness.
    pub fn new() -> anyhow::Result<Self> {
        let (mut nonce, mut key) = ([0; 16], [0; 32]);
        getrandom::fill(&mut nonce).and_then(|()| getrandom::fill(&mut key)).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        Ok(Self { nonce: hex::encode(nonce), key })
    }

    /// The last step of the path at which this run answers.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The answer to a challenge at `nonce`; `None` where it is not meant for this run.
    pub fn answer(&self, nonce: &str, challenge: &str) -> Option<String> {
        let ours = bool::from(nonce.as_bytes().ct_eq(self.nonce.as_bytes()));
        let sound = challenge.len() == CHALLENGE && challenge.bytes().all(|byte| byte.is_ascii_hexdigit());
        (ours && sound).then(|| hex::encode(self.tag(challenge)))
    }

    /// What a call of our own carries, so that it is told from the service's; `None` without randomness.
    pub fn mark(&self) -> Option<String> {
        let mut word = [0; 32];
        getrandom::fill(&mut word).ok()?;
        let word = hex::encode(word);
        let tag = hex::encode(self.tagged(b"shopbell canary|", &word));
        Some(format!("{word}.{tag}"))
    }

    /// Whether a call is one of our own.
    pub fn is_mark(&self, mark: &str) -> bool {
        let Some((word, tag)) = mark.split_once('.') else { return false };
        let right = hex::encode(self.tagged(b"shopbell canary|", word));
        word.len() == CHALLENGE && bool::from(tag.as_bytes().ct_eq(right.as_bytes()))
    }

    fn tag(&self, challenge: &str) -> [u8; 32] {
        self.tagged(b"shopbell reach|", challenge)
    }

    fn tagged(&self, what_for: &[u8], challenge: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length will do as a key");
        mac.update(what_for);
        mac.update(challenge.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Proves that `url` leads here.
    ///
    /// # Errors
    /// Where the way ends, in words for the owner.
    pub async fn prove(
        &self,
        network: &Network,
        url: &str,
        now: Timestamp,
        pass: Option<(&'static str, &'static str)>,
    ) -> Result<(), Trouble> {
        let mut challenge = [0; 32];
        if getrandom::fill(&mut challenge).is_err() {
            return Err(Trouble::passing(Hop::Setting, say!("This computer has no randomness. Restart it.")));
        }
        let challenge = hex::encode(challenge);
        let parsed = Url::parse(url).map_err(|_| {
            Trouble::fatal(Hop::Setting, say!("{url} is not a public address. It looks like https://shop.example.com.", url = url))
        })?;
        let host = parsed.host_str().unwrap_or_default().to_owned();
        resolves(&parsed, &host).await?;
        // A client of its own: a connection kept open from the last time would prove nothing about names and certificates.
        let client = network.apart().client(Some(url));
        let place = format!("{}/.well-known/shopbell/{}?challenge={challenge}", url.trim_end_matches('/'), self.nonce);
        let mut request = client.request(Method::GET, &place).map_err(|error| Trouble::fatal(Hop::Setting, error.sentence()))?;
        if let Some((name, value)) = pass {
            request = request.header(name, value);
        }
        let response = request.timeout(PATIENCE).send().await.map_err(|error| broken(&error, &host))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = crate::http::read_bytes(response, LARGEST, crate::http::Call::Reads).await.unwrap_or_default();
        let given = hex::decode(body.trim_ascii()).unwrap_or_default();
        if status == 200 && bool::from(given.as_slice().ct_eq(&self.tag(&challenge))) {
            return clock_is_right(&headers, now);
        }
        Err(not_ours(status, &headers, &body, &host))
    }
}

/// Does the name lead anywhere? Asked apart, so that it is told from everything that comes after.
async fn resolves(url: &Url, host: &str) -> Result<(), Trouble> {
    let Some(url::Host::Domain(name)) = url.host() else { return Ok(()) };
    let port = url.port_or_known_default().unwrap_or(443);
    let looked_up = tokio::time::timeout(Duration::from_secs(5), tokio::net::lookup_host((name, port))).await;
    match looked_up.map(|found| found.is_ok_and(|mut found| found.next().is_some())) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Trouble::passing(
            Hop::Dns,
            say!("The name {host} is not known in the internet, or not yet. A new name can take some minutes.", host = host),
        )),
        Err(_) => Err(Trouble::passing(Hop::Network, say!("This computer cannot look up names. Check its internet connection."))),
    }
}

/// Services date their answers; so do proxies on the way.
fn clock_is_right(headers: &HeaderMap, now: Timestamp) -> Result<(), Trouble> {
    let Some(theirs) = headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else {
        return Ok(());
    };
    let theirs = Timestamp::from_millis(theirs.timestamp().as_millisecond());
    if theirs.since(now).max(now.since(theirs)) > CLOCK { Err(clock()) } else { Ok(()) }
}

fn clock() -> Trouble {
    Trouble::passing(
        Hop::Clock,
        say!("The clock of this computer is wrong, and services refuse what is dated wrongly. Switch on setting the time automatically."),
    )
}

/// The exchange did not come to an answer.
fn broken(error: &reqwest::Error, host: &str) -> Trouble {
    let mut chain = String::new();
    let mut source = error.source();
    while let Some(inner) = source {
        chain.push_str(&format!("{inner}; "));
        source = inner.source();
    }
    broken_by(&chain, error.is_timeout(), host)
}

fn broken_by(chain: &str, timeout: bool, host: &str) -> Trouble {
    let says = |word: &str| chain.to_ascii_lowercase().contains(word);
    if says("expired") && says("certificate") || says("not valid yet") || says("notvalidyet") {
        return Trouble::passing(
            Hop::Tls,
            say!(
                "The certificate of {host} is not valid today. Check the clock of this computer; if it is right, renew the certificate.",
                host = host
            ),
        );
    }
    if says("certificate") || says("tls") || says("handshake") {
        return Trouble::passing(
            Hop::Tls,
            say!("{host} has no certificate that services trust. If this is a hotel or café network, sign in to it first.", host = host),
        );
    }
    if timeout {
        return Trouble::passing(Hop::Tunnel, say!("{host} does not answer in time.", host = host));
    }
    if says("dns") || says("lookup") {
        return Trouble::passing(
            Hop::Dns,
            say!("The name {host} is not known in the internet, or not yet. A new name can take some minutes.", host = host),
        );
    }
    Trouble::passing(Hop::Tunnel, say!("Nobody answers at {host}. The tunnel is closed or the other end is switched off.", host = host))
}

/// Something answered, but not we.
fn not_ours(status: u16, headers: &HeaderMap, body: &[u8], host: &str) -> Trouble {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let ngrok = header("ngrok-error-code");
    let html = header("content-type").starts_with("text/html");
    let is_shopbell = body == b"Not found.\n" || (status == 200 && body.len() == 64 && body.iter().all(u8::is_ascii_hexdigit));
    match status {
        _ if ngrok == "ERR_NGROK_3200" => {
            Trouble::passing(Hop::Tunnel, say!("The tunnel of {host} is closed at the other end.", host = host))
        }
        _ if ngrok == "ERR_NGROK_727" || ngrok == "ERR_NGROK_725" => {
            Trouble::passing(Hop::Tunnel, say!("The month's share of this free tunnel is used up. Choose another way, or a larger plan."))
        }
        _ if !ngrok.is_empty() => Trouble::passing(Hop::Tunnel, say!("ngrok answers for {host} with {code}.", host = host, code = ngrok)),
        _ if is_shopbell => Trouble::passing(
            Hop::OtherInstance,
            say!("Another Shopbell answers at {host}. Close it on the other computer, or choose another address here.", host = host),
        ),
        511 | 300..=399 => portal(host),
        200..=299 if html => portal(host),
        530 | 502..=504 => Trouble::passing(
            Hop::Tunnel,
            say!(
                "{host} answers, but does not reach this computer ({status}). The tunnel behind it is down.",
                host = host,
                status = status
            ),
        ),
        _ => Trouble::passing(
            Hop::Http,
            say!("Something else answers at {host} ({status}). Check that the address leads to Shopbell.", host = host, status = status),
        ),
    }
}

fn portal(host: &str) -> Trouble {
    Trouble::passing(
        Hop::Portal,
        say!(
            "A page that is not Shopbell answers at {host}. If this network asks to sign in (a hotel, a café), do that first.",
            host = host
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_run_answers_and_only_sound_challenges() {
        let (one, other) = (Proof::new().unwrap(), Proof::new().unwrap());
        let challenge = "ab".repeat(32);
        let answer = one.answer(one.nonce(), &challenge).unwrap();
        assert_eq!(hex::decode(&answer).unwrap(), one.tag(&challenge));
        assert_ne!(Some(answer), other.answer(other.nonce(), &challenge), "another run has another key");
        assert_eq!(one.answer(other.nonce(), &challenge), None);
        for bad in ["", "ab", &"zz".repeat(32), &"ab".repeat(33)] {
            assert_eq!(one.answer(one.nonce(), bad), None, "{bad}");
        }
        let mark = one.mark().unwrap();
        assert!(one.is_mark(&mark) && !other.is_mark(&mark));
        assert!(!one.is_mark(&format!("{challenge}.{}", one.answer(one.nonce(), &challenge).unwrap())), "an answer is no mark");
    }

    #[test]
    fn what_answers_instead_is_told_apart() {
        let headers = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            headers
        };
        let html = headers(&[("content-type", "text/html; charset=utf-8")]);
        for (status, headers, body, hop) in [
            (200, html.clone(), "<h1>Welcome to the hotel</h1>", Hop::Portal),
            (302, html.clone(), "", Hop::Portal),
            (511, html.clone(), "", Hop::Portal),
            (404, headers(&[]), "Not found.\n", Hop::OtherInstance),
            (200, headers(&[]), &"0f".repeat(32), Hop::OtherInstance),
            (404, html.clone(), "<h1>nginx</h1>", Hop::Http),
            (530, html.clone(), "error code: 1033", Hop::Tunnel),
            (502, html, "", Hop::Tunnel),
            (404, headers(&[("ngrok-error-code", "ERR_NGROK_3200")]), "", Hop::Tunnel),
        ] {
            assert_eq!(not_ours(status, &headers, body.as_bytes(), "shop.example.com").hop, hop, "{status} {body}");
        }
    }

    #[test]
    fn names_certificates_and_silence_are_told_apart() {
        for (chain, timeout, hop) in [
            ("client error (Connect); invalid peer certificate: UnknownIssuer", false, Hop::Tls),
            ("client error (Connect); invalid peer certificate: certificate expired: verification time 1 (UNIX)", false, Hop::Tls),
            ("dns error; failed to lookup address information", false, Hop::Dns),
            ("tcp connect error; Connection refused (os error 111)", false, Hop::Tunnel),
            ("operation timed out", true, Hop::Tunnel),
        ] {
            assert_eq!(broken_by(chain, timeout, "shop.example.com").hop, hop, "{chain}");
        }
    }

    #[test]
    fn a_clock_that_is_far_off_is_said() {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Sat, 21 Nov 2026 10:00:00 GMT".parse().unwrap());
        let there =
            Timestamp::from_millis(jiff::fmt::rfc2822::parse("Sat, 21 Nov 2026 10:00:00 GMT").unwrap().timestamp().as_millisecond());
        assert!(clock_is_right(&headers, there.plus(Duration::from_secs(200))).is_ok());
        for off in [there.plus(Duration::from_secs(3600)), there.minus(Duration::from_secs(3600))] {
            assert_eq!(clock_is_right(&headers, off).unwrap_err().hop, Hop::Clock);
        }
    }
}
