//! The admin side under attack: names, pages, tokens, bodies, files.

use std::borrow::Cow;

use futures::StreamExt;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;
use crate::clock::SystemClock;
use crate::model::Change;
use crate::secret::Secret;

const TOKEN: &str = "token-of-the-tests";

struct EchoDesk;

#[async_trait]
impl Desk for EchoDesk {
    async fn call(&self, command: &str, request: Value) -> std::result::Result<Value, ApiError> {
        let answer: Result<Value> = match command {
            "echo" => Ok(request),
            "upload_media" => Ok(json!({ "bytes": request.to_string().len() })),
            "broken" => Err(anyhow::anyhow!("the secret inside").into()),
            "wrong" => Err(Error::field("config.bot_token", say!("This is needed."))),
            _ => Err(Error::not_found(say!("There is no command called {name}.", name = command))),
        };
        answer.map_err(|error| error.in_language("en"))
    }
    fn openapi(&self) -> Value {
        json!({ "openapi": "3.1.0" })
    }
    fn language(&self) -> String {
        "en".into()
    }
}

struct TwoPages;

impl Pages for TwoPages {
    fn get(&self, path: &str) -> Option<(Cow<'static, [u8]>, String)> {
        match path {
            "index.html" => Some((Cow::Borrowed(b"<!doctype html>"), "text/html".into())),
            "assets/app-1.js" => Some((Cow::Borrowed(b"let a"), "text/javascript".into())),
            _ => None,
        }
    }
}

struct World {
    _directory: tempfile::TempDir,
    store: Arc<Store>,
    sign_in: Arc<SignIn>,
    stop: CancellationToken,
    router: Router,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock::new());
        let store = Store::open(directory.path(), clock.clone()).unwrap();
        let sign_in = SignIn::load(&Secret::new(TOKEN), store.clone(), clock).await.unwrap();
        let stop = CancellationToken::new();
        let hosts = Hosts::of("127.0.0.1:7410".parse().unwrap());
        let admin = Admin {
            desk: Arc::new(EchoDesk),
            store: store.clone(),
            sign_in: sign_in.clone(),
            pages: Arc::new(TwoPages),
            hosts,
            stop: stop.clone(),
        };
        Self { _directory: directory, store, sign_in, stop, router: Arc::new(admin).router() }
    }

    async fn ask(&self, request: Request) -> (u16, HeaderMap, String) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn status(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        self.ask(request(method, path, headers, body)).await.0
    }
}

/// A request as our own programs make it, with `headers` in place of or beside the usual ones.
fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let bearer = format!("Bearer {TOKEN}");
    let usual = [("host", "127.0.0.1:7410"), ("authorization", bearer.as_str()), ("content-type", "application/json")];
    let mut builder = axum::http::Request::builder().method(method).uri(path);
    for (name, value) in usual.iter().filter(|(name, _)| headers.iter().all(|(own, _)| own != name)).chain(headers) {
        if !value.is_empty() {
            builder = builder.header(*name, *value);
        }
    }
    builder.body(Body::from(body.to_owned())).unwrap()
}

#[tokio::test]
async fn a_program_with_the_token_is_answered() {
    let world = World::new().await;
    let (status, headers, body) = world.ask(request("POST", "/api/v1/echo", &[], r#"{"a":1}"#)).await;
    assert_eq!((status, body.as_str()), (200, r#"{"a":1}"#));
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(world.status("POST", "/api/v1/echo", &[("content-type", "")], "").await, 200, "nothing counts as an empty object");
    assert_eq!(world.ask(request("GET", "/api/v1/openapi.json", &[], "")).await.2, r#"{"openapi":"3.1.0"}"#);
}

#[tokio::test]
async fn nobody_else_is() {
    let world = World::new().await;
    for authorization in ["", "Bearer x", "Basic dG9rZW4=", "Bearer", "Bearer token-of-the-tests2"] {
        for (method, path) in
            [("POST", "/api/v1/echo"), ("GET", "/api/v1/changes"), ("GET", "/api/v1/media/med_1"), ("GET", "/api/v1/openapi.json")]
        {
            let (status, _, body) = world.ask(request(method, path, &[("authorization", authorization)], "{}")).await;
            assert_eq!(status, 401, "{method} {path} with {authorization:?}");
            assert!(body.contains(r#""code":"unauthorized""#), "{body}");
        }
    }
    assert_eq!(
        world.status("POST", &format!("/api/v1/echo?token={TOKEN}"), &[("authorization", "")], "{}").await,
        401,
        "no token in an address"
    );
}

#[tokio::test]
async fn foreign_names_and_foreign_pages_are_refused_even_with_the_token() {
    let world = World::new().await;
    for host in ["evil.example", "evil.example:7410", "127.0.0.1:7411", "127.0.0.1.nip.io:7410", "10.0.0.1:7410", "shop@127.0.0.1:7410"] {
        for (method, path) in [("POST", "/api/v1/echo"), ("GET", "/"), ("POST", "/api/v1/login"), ("GET", "/assets/app-1.js")] {
            assert_eq!(world.status(method, path, &[("host", host)], "{}").await, 403, "{host} {path}");
        }
    }
    for host in ["localhost:7410", "[::1]:7410", "LocalHost:7410"] {
        assert_eq!(world.status("POST", "/api/v1/echo", &[("host", host)], "{}").await, 200, "{host}");
    }
    for origin in [
        "http://evil.example",
        "null",
        "http://127.0.0.1:7411",
        "https://127.0.0.1:7410/x",
        "http://localhost:7410",
        "file://",
        "http://127.0.0.1",
    ] {
        assert_eq!(world.status("POST", "/api/v1/echo", &[("origin", origin)], "{}").await, 403, "{origin}");
    }
    assert_eq!(world.status("POST", "/api/v1/echo", &[("origin", "http://127.0.0.1:7410")], "{}").await, 200);
    for site in ["cross-site", "same-site"] {
        assert_eq!(world.status("GET", "/api/v1/openapi.json", &[("sec-fetch-site", site)], "").await, 403, "{site}");
    }
    let visit = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(world.status("GET", "/", &visit, "").await, 200, "a link from elsewhere may open the screens");
    let whole = axum::http::Request::builder().method("POST").uri("http://evil.example/api/v1/echo").header("host", "127.0.0.1:7410");
    assert_eq!(world.ask(whole.body(Body::empty()).unwrap()).await.0, 403, "two names in one request");
}

#[tokio::test]
async fn a_browser_signs_in_by_its_link_once() {
    let world = World::new().await;
    let nonce = world.sign_in.nonce();
    let body = json!({ "nonce": nonce }).to_string();
    let login = || request("POST", "/api/v1/login", &[("authorization", ""), ("origin", "http://127.0.0.1:7410")], &body);
    let (status, headers, _) = world.ask(login()).await;
    let cookie = headers["set-cookie"].to_str().unwrap().to_owned();
    assert_eq!(status, 200);
    for needed in ["shopbell_session=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(needed), "{cookie}");
    }
    assert_eq!(world.ask(login()).await.0, 401, "the link was used");
    assert_eq!(world.status("POST", "/api/v1/login_link", &[("authorization", "")], "{}").await, 401);
    let link: Value = serde_json::from_str(&world.ask(request("POST", "/api/v1/login_link", &[], "")).await.2).unwrap();
    let another = link["link"].as_str().unwrap().strip_prefix("http://127.0.0.1:7410/#login=").unwrap().to_owned();
    let login_again = json!({ "nonce": another }).to_string();
    assert_eq!(world.status("POST", "/api/v1/login", &[("authorization", "")], &login_again).await, 200, "another browser");
    let cookie = cookie.split(';').next().unwrap();
    let signed_in = [("authorization", ""), ("cookie", cookie)];
    assert_eq!(world.status("POST", "/api/v1/echo", &signed_in, "{}").await, 200);
    assert_eq!(
        world.status("POST", "/api/v1/echo", &[("authorization", ""), ("cookie", cookie), ("origin", "http://127.0.0.1:7411")], "{}").await,
        403
    );
    assert_eq!(world.status("POST", "/api/v1/logout", &signed_in, "{}").await, 200);
    assert_eq!(world.status("POST", "/api/v1/echo", &signed_in, "{}").await, 401, "signed out");
    for wrong in [r#"{"nonce":""}"#, r#"{"nonce":7}"#, "{}", r#"{"nonce":"x"}"#] {
        assert_eq!(world.status("POST", "/api/v1/login", &[("authorization", "")], wrong).await, 401, "{wrong}");
    }
}

#[tokio::test]
async fn every_mistake_is_answered_in_json_and_tells_nothing_about_our_insides() {
    let world = World::new().await;
    let big = format!(r#"{{"a":"{}"}}"#, "x".repeat(BODY));
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let table: &[(&str, &str, &str, u16)] = &[
        ("POST", "/api/v1/unheard_of", "{}", 404),
        ("GET", "/api/v1/echo", "", 405),
        ("DELETE", "/api/v1/echo", "{}", 405),
        ("POST", "/api/v1/changes", "{}", 405),
        ("POST", "/api/v1/a/b/c", "{}", 404),
        ("GET", "/api/v2/echo", "", 404),
        ("GET", "/api", "", 404),
        ("POST", "/", "{}", 405),
        ("GET", "/missing.js", "", 404),
        ("GET", "/api/v1/media/med_none", "", 404),
        ("GET", "/api/v1/media/..%2f..%2fshopbell.db", "", 404),
        ("POST", "/api/v1/echo", "{", 400),
        ("POST", "/api/v1/echo", "[]", 400),
        ("POST", "/api/v1/echo", "null", 400),
        ("POST", "/api/v1/echo", "\u{0}", 400),
        ("POST", "/api/v1/echo", &deep, 400),
        ("POST", "/api/v1/echo", &big, 413),
        ("POST", "/api/v1/broken", "{}", 500),
        ("POST", "/api/v1/wrong", "{}", 422),
    ];
    for (method, path, body, expected) in table {
        let (status, headers, text) = world.ask(request(method, path, &[], body)).await;
        assert_eq!(status, *expected, "{method} {path}");
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {path} answered {text:?}"));
        assert!(answer["error"]["code"].is_string() && answer["error"]["message"].is_string(), "{text}");
        assert!(!text.contains("secret inside") && !text.contains("/src/") && !text.contains("panicked"), "{text}");
        assert!(!headers.contains_key("server") && headers["x-content-type-options"] == "nosniff");
    }
    let (_, _, text) = world.ask(request("POST", "/api/v1/wrong", &[], "{}")).await;
    assert_eq!(text, r#"{"error":{"code":"invalid","message":"This is needed.","fields":{"config.bot_token":"This is needed."}}}"#);
    assert_eq!(world.status("POST", "/api/v1/echo", &[("content-type", "text/plain")], "{}").await, 415);
    assert_eq!(world.status("POST", "/api/v1/echo", &[("content-type", "application/x-www-form-urlencoded")], "a=b").await, 415);
    let upload = format!(r#"{{"base64":"{}"}}"#, "A".repeat(30 << 20));
    assert_eq!(world.status("POST", "/api/v1/upload_media", &[], &upload).await, 200, "a file may be larger");
}

#[tokio::test]
async fn the_screens_come_with_the_strictest_policy_that_they_need() {
    let world = World::new().await;
    for path in ["/", "/inbox/cnv_1", "/settings"] {
        let (status, headers, body) = world.ask(request("GET", path, &[("authorization", "")], "")).await;
        assert_eq!((status, body.as_str()), (200, "<!doctype html>"), "{path}");
        assert_eq!(headers["content-security-policy"], PAGE_POLICY);
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["x-frame-options"], "DENY");
    }
    let (_, headers, _) = world.ask(request("GET", "/assets/app-1.js", &[], "")).await;
    assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    for never in ["unsafe-inline", "unsafe-eval", "http:", "*"] {
        assert!(!PAGE_POLICY.contains(never), "{never}");
    }
}

#[tokio::test]
async fn a_stored_file_is_served_as_what_it_is_and_no_more() {
    let world = World::new().await;
    let sha = "a".repeat(64);
    std::fs::write(world.store.directory().join("media").join(&sha), "0123456789").unwrap();
    world
        .store
        .write(move |tx| {
            for (id, mime, sha) in
                [("med_svg", "image/svg+xml", sha.as_str()), ("med_png", "image/png", &sha), ("med_out", "image/png", "../shopbell.db")]
            {
                tx.execute(
                    "INSERT INTO media (id, status, sha256, mime, filename, created_at) VALUES (?1, 'stored', ?3, ?2, 'logo.svg', 0)",
                    [id, mime, sha],
                )?;
            }
            Ok(())
        })
        .await
        .unwrap();
    let (status, headers, body) = world.ask(request("GET", "/api/v1/media/med_svg", &[], "")).await;
    assert_eq!((status, body.as_str()), (200, "0123456789"));
    assert_eq!(headers["content-type"], "image/svg+xml");
    assert_eq!(headers["content-security-policy"], "sandbox");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
    let (status, headers, body) = world.ask(request("GET", "/api/v1/media/med_png", &[("range", "bytes=2-4")], "")).await;
    assert_eq!((status, body.as_str()), (206, "234"));
    assert_eq!(headers["content-range"], "bytes 2-4/10");
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("inline"));
    assert_eq!(world.status("GET", "/api/v1/media/med_png", &[("range", "bytes=10-")], "").await, 416);
    assert_eq!(world.status("GET", "/api/v1/media/med_out", &[], "").await, 404, "a row that points outside");
}

#[tokio::test]
async fn changes_are_heard_and_those_missed_come_first() {
    let world = World::new().await;
    world.store.changes().announce(vec![Change::Settings, Change::Settings]);
    let last = world.store.changes().latest();
    let text = |from: String, extra: Vec<Change>| {
        let (router, store, stop) = (world.router.clone(), world.store.clone(), world.stop.child_token());
        async move {
            let _ = stop;
            let response = router.oneshot(request("GET", "/api/v1/changes", &[("last-event-id", &from)], "")).await.unwrap();
            assert_eq!(response.headers()["content-type"], "text/event-stream");
            let mut stream = response.into_body().into_data_stream();
            let mut heard = String::new();
            store.changes().announce(extra);
            while let Ok(Some(Ok(piece))) = tokio::time::timeout(Duration::from_millis(300), stream.next()).await {
                heard.push_str(&String::from_utf8_lossy(&piece));
            }
            heard
        }
    };
    let heard = text((last - 1).to_string(), vec![Change::Settings]).await;
    assert_eq!(heard.matches("event: change").count(), 2, "the one missed and the new one: {heard}");
    assert!(heard.contains(&format!("id: {last}")) && heard.contains(r#""kind":"settings""#), "{heard}");
    let heard = text("12".into(), vec![]).await;
    assert!(heard.contains("event: reset"), "too long ago: {heard}");
    let heard = text("garbage".into(), vec![]).await;
    assert!(heard.contains("event: reset"), "{heard}");
    let heard = text(String::new(), vec![]).await;
    assert!(!heard.contains("event:"), "a new listener has missed nothing: {heard}");
}

#[tokio::test]
async fn a_slow_caller_is_let_go_and_the_stop_waits_for_nobody_for_ever() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let world = World::new().await;
    let listener = super::super::serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(super::super::serve::listen(address).await.unwrap_err().code, Code::PortTaken);
    let limits = super::super::serve::Limits { head: Duration::from_millis(300), ..Default::default() };
    let served = tokio::spawn(super::super::serve::serve(listener, world.router.clone(), limits, world.stop.clone()));

    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: 127").await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(3), slow.read_to_end(&mut rest)).await.expect("let go within the limit").unwrap();

    let mut long = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: {}\r\n\r\n", "y".repeat(200_000));
    let _ = long.write_all(head.as_bytes()).await;
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(3), long.read_to_end(&mut rest)).await.expect("a head has a limit");
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&rest));

    world.stop.cancel();
    tokio::time::timeout(Duration::from_secs(8), served).await.expect("the stop comes to an end").unwrap();
}

#[test]
fn an_admin_side_that_others_could_reach_is_refused() {
    for address in ["127.0.0.1:7410", "[::1]:7410"] {
        assert!(only_loopback(address.parse().unwrap()).is_ok());
    }
    for address in ["0.0.0.0:7410", "192.168.1.5:7410", "[::]:7410"] {
        assert_eq!(only_loopback(address.parse().unwrap()).unwrap_err().code, Code::Invalid);
    }
}
