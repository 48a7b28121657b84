//! Hostile addresses, and what happens on the wire.

use axum::Router;
use axum::http::{HeaderMap as Headers, StatusCode};
use axum::response::Redirect;
use axum::routing::get;

use super::*;

/// Everything that must be stopped before a packet leaves, in as many spellings as are known to have worked somewhere.
const HOSTILE: &[&str] = &[
    // other schemes, no scheme, no host
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://example.com/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "example.com",
    "",
    "https://",
    "http:///path",
    "ws://example.com/",
    "unix:/run/x.sock",
    "https://exa mple.com/",
    // plain http to the internet
    "http://example.com/",
    "http://93.184.216.34/",
    "HTTP://EXAMPLE.COM/",
    // user names
    "https://user@example.com/",
    "https://user:pass@example.com/",
    "https://:pass@example.com/",
    "https://example.com@127.0.0.1/",
    "https://api.telegram.org%40evil.example@10.0.0.1/",
    // ports
    "https://example.com:22/",
    "https://example.com:25/",
    "https://example.com:6379/",
    "https://example.com:80/",
    "https://example.com:99999/",
    // this computer
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0x7f.1/",
    "https://127.255.255.254/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://foo.localhost/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://１２７.０.０.１/",
    "https://127。0。0。1/",
    "https://%31%32%37.0.0.1/",
    "https://①②⑦.⓪.⓪.①/",
    // nothing at all, and everything
    "https://0.0.0.0/",
    "https://0/",
    "https://0.1.2.3/",
    "https://[::]/",
    "https://255.255.255.255/",
    "https://240.0.0.1/",
    "https://224.0.0.1/",
    "https://[ff02::1]/",
    // the owner's network
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://router/",
    "https://printer.local/",
    "https://nas.lan/",
    "https://x.home.arpa/",
    // metadata
    "https://169.254.169.254/",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://169.254.1.1/",
    "https://[fd00:ec2::254]/",
    "https://[fd20:ce::254]/",
    "https://[fe80::1]/",
    "https://[fe80::a9fe:a9fe]/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://metadata.google.internal/",
    "https://192.0.0.192/",
    // one address inside another
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::808:808]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:0808:0808::]/",
    "https://[2001::7f00:1]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[fec0::1]/",
    // documentation and reserved
    "https://192.0.2.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://192.88.99.1/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[100::1]/",
    "https://[5f00::1]/",
];

#[test]
fn hostile_addresses_are_refused_before_anything_is_sent() {
    assert!(HOSTILE.len() >= 60, "the table has {} lines", HOSTILE.len());
    let client = Network::new().client(None);
    for url in HOSTILE {
        let answer = client.request(Method::GET, url);
        assert!(matches!(answer, Err(ServiceError::Permanent(_))), "{url} was let through");
    }
}

#[test]
fn what_the_owner_typed_is_allowed_for_that_host_and_port_alone() {
    let client = Network::new().client(Some("http://192.168.1.20:11434/v1"));
    assert!(client.request(Method::GET, "http://192.168.1.20:11434/v1/models").is_ok());
    assert!(client.request(Method::GET, "http://192.168.1.20:11434/other").is_ok(), "the path is free");
    for url in [
        "http://192.168.1.20:11435/",
        "http://192.168.1.21:11434/",
        "https://192.168.1.20:11434/",
        "http://192.168.1.20/",
        "http://127.0.0.1:11434/",
    ] {
        assert!(client.request(Method::GET, url).is_err(), "{url} was let through");
    }
    assert!(client.request(Method::GET, "https://example.com/").is_ok(), "the internet stays");
}

#[test]
fn what_is_never_called_is_not_called_for_the_owner_either() {
    let never = [
        "http://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "http://100.100.100.200/",
        "http://0.0.0.0:80/",
        "http://[::]:80/",
        "http://224.0.0.1/",
        "http://[fe80::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[::ffff:169.254.169.254]/",
        "http://255.255.255.255/",
        "http://93.184.216.34/",
        "http://user:pass@127.0.0.1:8080/",
    ];
    for url in never {
        let client = Network::new().client(Some(url));
        assert!(client.request(Method::GET, url).is_err(), "{url} was let through");
    }
}

#[test]
fn our_own_doors_are_closed_even_to_an_owner_who_types_them() {
    let network = Network::new();
    network.add_own("127.0.0.1:7410".parse().expect("an address"));
    network.add_own("0.0.0.0:7411".parse().expect("an address"));
    for url in [
        "http://127.0.0.1:7410/api",
        "http://127.0.0.2:7410/",
        "http://[::1]:7410/",
        "http://192.168.1.5:7411/",
        "http://0x7f.1:7410/",
        "http://[::ffff:127.0.0.1]:7411/",
    ] {
        assert!(network.client(Some(url)).request(Method::GET, url).is_err(), "{url} was let through");
    }
    assert!(network.client(Some("http://127.0.0.1:7412/")).request(Method::GET, "http://127.0.0.1:7412/").is_ok());
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_resolves_to_when_connecting() {
    let network = Network::new();
    let (port, _task) = serve(Router::new().route("/", get(|| async { "hello" }))).await;
    network.add_own(([127, 0, 0, 1], port).into());
    let own = format!("http://localhost:{port}/");
    let error =
        network.client(Some(&own)).request(Method::GET, &own).expect("the name alone is fine").send().await.expect_err("our own door");
    assert!(matches!(service_error(&error, Call::Acts), ServiceError::Permanent(_)), "{error:?}");

    let strict = Arc::new(Shared::default());
    let gate = Gate { shared: strict, allowed: None, proxy_host: None };
    let name: Name = "localhost".parse().expect("a name");
    assert!(gate.resolve(name).await.is_err(), "localhost resolves to this computer");
}

#[tokio::test]
async fn a_simulator_on_loopback_answers_when_it_was_typed() {
    let (port, _task) = serve(Router::new().route("/json", get(|| async { r#"{"a":1}"# }))).await;
    let base = format!("http://localhost:{port}");
    let client = Client::for_tests_allowing(&base);
    let response = client.request(Method::GET, &format!("{base}/json")).expect("allowed").send().await.expect("an answer");
    let json: serde_json::Value = read_json(response, 100, Call::Reads).await.expect("JSON");
    assert_eq!(json, serde_json::json!({"a": 1}));
    let response = client.request(Method::GET, &format!("{base}/json")).expect("allowed").send().await.expect("an answer");
    assert!(read_bytes(response, 6, Call::Reads).await.is_err(), "seven bytes are more than six");
}

#[tokio::test]
async fn nothing_listening_is_temporary_and_a_lost_answer_is_ambiguous() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let cut = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a caller");
        let mut buffer = [0; 64];
        let _ = tokio::io::AsyncReadExt::read(&mut socket, &mut buffer).await;
    });
    let client = Client::for_tests_allowing(&base);
    let post = || client.request(Method::POST, &format!("{base}/bot-token-123/send")).expect("allowed").body("x").send();
    let error = post().await.expect_err("the answer never comes");
    assert!(matches!(service_error(&error, Call::Acts), ServiceError::Ambiguous));
    assert!(matches!(service_error(&error, Call::Reads), ServiceError::Temporary(_)));
    cut.await.expect("it ran");
    let error = post().await.expect_err("nobody listens any more");
    let sorted = service_error(&error, Call::Acts);
    assert!(matches!(sorted, ServiceError::Temporary(_)), "{sorted:?}");
    assert!(!sorted.to_string().contains("token"), "an error never shows the URL");
}

#[tokio::test]
async fn redirects_are_followed_by_hand_and_never_into_the_own_network() {
    let (other, _task) = serve(Router::new().route("/secret", get(|| async { "the other service" }))).await;
    let seen = |headers: Headers| async move { headers.get("authorization").map_or("none", |_| "some").to_owned() };
    let router = Router::new()
        .route("/file", get(seen))
        .route("/once", get(|| async { Redirect::temporary("/file") }))
        .route("/loop", get(|| async { Redirect::temporary("/loop") }))
        .route("/away", get(move || async move { Redirect::temporary(&format!("http://127.0.0.1:{other}/secret")) }))
        .route("/meta", get(|| async { Redirect::temporary("http://169.254.169.254/latest") }))
        .route("/busy", get(|| async { (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")]) }));
    let (port, _task) = serve(router).await;
    let base = format!("http://127.0.0.1:{port}");
    let client = Client::for_tests_allowing(&base);
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, "Bearer x".parse().expect("a value"));
    let fetch = async |path: &str| client.get_following(&format!("{base}{path}"), headers.clone(), 100).await;
    assert_eq!(fetch("/once").await.expect("one hop").bytes, "some", "the credentials go along on the same origin");
    for path in ["/loop", "/away", "/meta"] {
        assert!(matches!(fetch(path).await, Err(ServiceError::Permanent(_))), "{path} was followed");
    }
    assert!(matches!(fetch("/busy").await, Err(ServiceError::RateLimited { retry_after: Some(wait) }) if wait.as_secs() == 7));
}

#[test]
fn a_proxy_is_a_web_address() {
    let network = Network::new();
    assert!(network.set_proxy(Some("http://proxy.example:3128")).is_ok());
    assert!(network.set_proxy(Some("socks://x")).is_err());
    assert!(network.set_proxy(Some("proxy:3128")).is_err());
    assert!(network.set_proxy(None).is_ok());
}

async fn serve(router: Router) -> (u16, tokio_util::task::AbortOnDropHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("served") });
    (port, tokio_util::task::AbortOnDropHandle::new(task))
}
