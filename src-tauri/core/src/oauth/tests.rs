//! What needs no service: the vectors of the standard.

use oauth2::{PkceCodeChallenge, PkceCodeVerifier};

use super::exchange::Endpoint;
use super::random;
use crate::clock::SystemClock;
use crate::connector::{OAuthClient, Plan, ShownBy, Wanted, Way};
use crate::http::Network;
use crate::secret::Secret;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[test]
fn the_challenge_is_the_one_of_the_standard() {
    let verifier = PkceCodeVerifier::new(VERIFIER.to_owned());
    assert_eq!(PkceCodeChallenge::from_code_verifier_sha256(&verifier).as_str(), CHALLENGE);

    let client = OAuthClient::Known { id: "me".into(), secret_field: None, shown: ShownBy::Body };
    let plan = Plan {
        scopes: vec![Wanted::needed("a"), Wanted::useful("b c")],
        resource: Some("https://mcp.example/mcp".into()),
        more: vec![("prompt".into(), "consent".into())],
        ..Plan::standard("https://as.example/authorize?tenant=1", "https://as.example/token", client, &[Way::Loopback])
    };
    let (network, clock) = (Network::new(), SystemClock::new());
    let http = network.client(None);
    let endpoint = Endpoint::new(&plan, "me", None, &http, &clock);
    let scopes = ["a".to_owned(), "b".to_owned()];
    let url = endpoint.authorize_url(&Secret::new("st"), &Secret::new(VERIFIER), "http://127.0.0.1:5123/oauth/callback", &scopes).unwrap();
    let url = url::Url::parse(&url).unwrap();
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    pairs.sort();
    let expected = [
        ("client_id", "me"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("prompt", "consent"),
        ("redirect_uri", "http://127.0.0.1:5123/oauth/callback"),
        ("resource", "https://mcp.example/mcp"),
        ("response_type", "code"),
        ("scope", "a b"),
        ("state", "st"),
        ("tenant", "1"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(!url.as_str().contains(VERIFIER));
}

#[test]
fn a_verifier_has_the_length_and_signs_of_the_standard_and_is_never_the_same() {
    let made: std::collections::HashSet<String> = (0..100).map(|_| random().unwrap().reveal().to_owned()).collect();
    assert_eq!(made.len(), 100);
    for verifier in &made {
        assert_eq!(verifier.len(), 43);
        assert!(verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{verifier}");
    }
}
