//! The chat's own files, embedded from `ui/dist-widget`, and a page on this computer to try it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use rust_embed::RustEmbed;

use super::{asked_for, origin, page_of, snippet, view};
use crate::error::Sentence;
use crate::gateway::public::{Public, nothing};
use crate::say;

/// What `ui/widget/build.mjs` makes.
#[derive(RustEmbed)]
#[folder = "../../ui/dist-widget"]
pub struct Files;

fn file(path: &str, cache: &'static str) -> Option<Response> {
    let file = Files::get(path)?;
    let mime = match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    };
    let mut response = Response::new(Body::from(file.data.into_owned()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    Some(response)
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// `loader.js`: every page of the shop asks for it, so it is kept for five minutes.
pub async fn loader() -> Response {
    match file("loader.js", "public, max-age=300") {
        Some(response) => response,
        None => nothing().await,
    }
}

/// `app.html?key=…`: the inside of the chat, which only the allowed websites may frame.
pub async fn app(State(public): State<Arc<Public>>, request: Request) -> Response {
    let key = view::query(&request, "key").unwrap_or_default();
    let look = public.hub.connections.by_key(&key).and_then(|live| page_of(&live));
    let (Some(look), Some(mut response)) = (look, file("app.html", "no-cache")) else { return nothing().await };
    let ancestors = origin::policy(&look.allowed_origins);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    );
    set(&mut response, header::CONTENT_SECURITY_POLICY, &policy);
    set(&mut response, header::REFERRER_POLICY, "no-referrer");
    response
}

/// `assets/…`: their names change with their content.
pub async fn asset(Path(name): Path<String>) -> Response {
    if name.contains(['/', '\\']) || name.starts_with('.') {
        return nothing().await;
    }
    match file(&format!("assets/{name}"), "public, max-age=31536000, immutable") {
        Some(mut response) => {
            // Module scripts are fetched with CORS even by their own page, where its origin is hidden by a sandbox.
            set(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
            response
        }
        None => nothing().await,
    }
}

/// `test/<key>`: a page with the pasted line, for whoever sits at this computer.
pub async fn test(State(public): State<Arc<Public>>, Path(key): Path<String>, request: Request) -> Response {
    let name = asked_for(&request);
    let local = origin::allows(&[], &format!("http://{name}"));
    let live = public.hub.connections.by_key(&key).filter(|_| local);
    let Some(look) = live.as_ref().and_then(|live| page_of(live)) else { return nothing().await };
    let mut nonce = [0u8; 16];
    if getrandom::fill(&mut nonce).is_err() {
        return nothing().await;
    }
    let nonce = hex::encode(nonce);
    let Some(script) = snippet::script(&format!("http://{name}"), &key, &look) else {
        let mut response =
            Response::new(Body::from("The website chat was not built into this program. Run `make run`, which builds it.\n"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let language = public.hub.language();
    let mut page =
        TEST_PAGE.replace("{{language}}", &language).replace("{{nonce}}", &nonce).replace("{{color}}", &safe_color(&look.primary_color));
    for (n, sentence) in test_words().iter().enumerate() {
        page = page.replace(&format!("{{{{{n}}}}}"), &sentence.in_language(&language));
    }
    // Last, so that nothing in it is taken for a gap.
    let page = page.replace("{{script}}", &script);
    let mut response = Response::new(Body::from(page));
    set(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(&mut response, header::CACHE_CONTROL, "no-store");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'self'; style-src 'nonce-{nonce}'; connect-src 'self'; frame-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    set(&mut response, header::CONTENT_SECURITY_POLICY, &policy);
    response
}

/// The words of the test page, by their gaps.
fn test_words() -> [Sentence; 9] {
    [
        say!("Try your website chat"),
        say!("This is how your website chat looks"),
        say!(
            "Press the round button in the corner and ask something, as a visitor would. What you write here appears in your inbox, and you can step in there."
        ),
        say!("Only on this computer"),
        say!("Nobody else can open this page. On your own website the same button appears once you have pasted the line there."),
        say!("A new visitor"),
        say!("Open this page in a private window to be somebody who has never written before."),
        say!("When you are away"),
        say!("With Shopbell closed, visitors read that the shop is not reachable, and can try again later."),
    ]
}

fn safe_color(color: &str) -> String {
    if color.starts_with('#') && color[1..].bytes().all(|byte| byte.is_ascii_hexdigit()) { color.to_owned() } else { "#225b43".into() }
}

const TEST_PAGE: &str = include_str!("test_page.html");
