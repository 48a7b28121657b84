//! `X-Twilio-Signature`: is a call really Twilio's?
//!
//! Twilio signs the address as it was registered, not as it arrives behind a tunnel, and then every field of the form, whether we know it
//! or not. A JSON body is signed through its hash, which Twilio adds to the address. The signer is of two minds about the port of an
//! address, so both ways are tried; nothing else is (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use shopbell_core::connector::{Forged, Request};
use shopbell_core::secret::Secret;
use subtle::{Choice, ConstantTimeEq};

use super::{Config, form};
use crate::settings;

/// The header with the signature.
pub const HEADER: &str = "x-twilio-signature";
/// Names the key and the way of signing, where it is not the Auth Token.
const SETTINGS: &str = "x-twilio-webhooks-signature-settings";
/// The field of the address that holds the hash of a JSON body.
const BODY_HASH: &str = "bodySHA256";

/// How a call is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Sha1,
    Sha256,
}

/// Is it from Twilio?
pub fn verify(config: &Config, request: &Request) -> Result<(), Forged> {
    if request.is_pulled() {
        return Ok(());
    }
    let Some(given) = request.header(HEADER) else {
        return Err(Forged("The signature is missing."));
    };
    let (way, keys) = keys(config, request.header(SETTINGS))?;
    let (fields, body_is_sound) = if is_json(request) {
        (Vec::new(), body_matches(&request.url, &request.body)?)
    } else if request.method == "GET" {
        (Vec::new(), Choice::from(1))
    } else {
        (signed_fields(&request.body), Choice::from(1))
    };
    let addresses = addresses(&request.url);
    let mut matches = Choice::from(0);
    for key in keys {
        for address in &addresses {
            matches |= sign(way, key.reveal().trim(), address, &fields).as_bytes().ct_eq(given.as_bytes());
        }
    }
    if bool::from(matches & body_is_sound) { Ok(()) } else { Err(Forged("The signature is wrong.")) }
}

/// A call to `url` that is signed as Twilio signs and tells nothing.
pub fn self_call(config: &Config, url: &str) -> Option<Request> {
    let keys = [Some(&config.auth_token), config.secondary_auth_token.as_ref()];
    let key = keys.into_iter().flatten().find(|key| !key.reveal().trim().is_empty())?;
    let headers = vec![
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        (HEADER.to_owned(), sign(Way::Sha1, key.reveal().trim(), url, &[])),
    ];
    Some(Request { headers, url: url.to_owned(), ..Request::pulled("") })
}

/// The way and the keys that may have been used.
fn keys<'a>(config: &'a Config, settings: Option<&str>) -> Result<(Way, Vec<&'a Secret>), Forged> {
    let (mut key, mut way) = (None, Way::Sha1);
    for part in settings.unwrap_or_default().split(',') {
        let Some((name, value)) = part.split_once('=') else { continue };
        match (name.trim(), value.trim()) {
            (_, "") => {}
            ("key", value) => key = Some(value),
            ("algorithm", value) if value.eq_ignore_ascii_case("HMAC_SHA256") => way = Way::Sha256,
            ("algorithm", value) if value.eq_ignore_ascii_case("HMAC_SHA1") => way = Way::Sha1,
            ("algorithm", _) => return Err(Forged("It is signed in a way that we do not know.")),
            _ => {}
        }
    }
    if key.is_none() && way == Way::Sha1 {
        let tokens = std::iter::once(&config.auth_token).chain(&config.secondary_auth_token);
        // A blank token proves nothing.
        return Ok((way, tokens.filter(|token| !token.reveal().trim().is_empty()).collect()));
    }
    // A key was named: ours is the only one that counts. Without a name it can only be that one too.
    let ours = settings::given(config.shared_key_id.as_deref());
    let secret = config.shared_key_secret.as_ref().filter(|secret| !secret.reveal().trim().is_empty());
    match (secret, ours) {
        (Some(secret), Some(ours)) if key.is_none_or(|key| key == ours) => Ok((way, vec![secret])),
        _ => Err(Forged("It is signed with a key that is not in the settings.")),
    }
}

fn is_json(request: &Request) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Whether the body is the one whose hash stands in the signed address.
fn body_matches(url: &str, body: &[u8]) -> Result<Choice, Forged> {
    let query = url.split('#').next().unwrap_or_default().split_once('?').map_or("", |(_, query)| query);
    let stated = form::decode(query.as_bytes()).into_iter().find(|(name, _)| name == BODY_HASH.as_bytes()).map(|(_, value)| value);
    let Some(stated) = stated else {
        return Err(Forged("The hash of the body is missing."));
    };
    Ok(hex::encode(Sha256::digest(body)).as_bytes().ct_eq(stated.to_ascii_lowercase().as_slice()))
}

/// Every field, sorted; one that is there twice with the same value counts once.
fn signed_fields(body: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut fields = form::decode(body);
    fields.sort();
    fields.dedup();
    fields
}

/// The address as it was registered, without a port, and with the usual one. What stands after `#` is for Twilio alone.
fn addresses(url: &str) -> Vec<String> {
    let url = url.split('#').next().unwrap_or_default();
    let mut addresses = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return addresses };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host_end = authority.rfind(']').map_or(0, |end| end + 1);
    let port = authority[host_end..].find(':').map(|at| host_end + at);
    let usual = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    addresses.push(match port {
        Some(at) => format!("{scheme}://{}{path}", &authority[..at]),
        None => format!("{scheme}://{authority}:{usual}{path}"),
    });
    addresses
}

fn sign(way: Way, key: &str, address: &str, fields: &[(Vec<u8>, Vec<u8>)]) -> String {
    match way {
        Way::Sha1 => digest::<Hmac<Sha1>>(key, address, fields),
        Way::Sha256 => digest::<Hmac<Sha256>>(key, address, fields),
    }
}

fn digest<M: Mac + KeyInit>(key: &str, address: &str, fields: &[(Vec<u8>, Vec<u8>)]) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).expect("any length will do as a key");
    mac.update(address.as_bytes());
    for (name, value) in fields {
        mac.update(name);
        mac.update(value);
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests;
