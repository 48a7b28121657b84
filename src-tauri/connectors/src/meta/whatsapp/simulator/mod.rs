//! WhatsApp's own side, for the simulators of all who sell it: customers, their messages, files, ticks, and the limits of what is sent.
//!
//! Built from the protocol and not from our client. The sellers' simulators put their own doors in front of it: keys, paths, refusals.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shopbell_core::clock::{Clock, SystemClock};

mod accept;
mod post;
mod said;

pub use post::post;

/// What the service calls the shop's number.
pub const PHONE_NUMBER_ID: &str = "106540352242922";
/// The shop's account.
pub const ACCOUNT: &str = "102290129340398";
/// The shop's number as it is shown.
pub const DISPLAY_NUMBER: &str = "+55 11 5550-0783";
/// The shop's number in digits.
pub const NUMBER: &str = "551155500783";
/// The shop's name as it is shown.
pub const NAME: &str = "Pão Dourado";
/// Messages that one customer may get at once, and the seconds that bring one more.
const BURST: f64 = 45.0;
const SECONDS_PER_MESSAGE: f64 = 6.0;

/// A refusal as the service writes it.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The code.
    pub code: i64,
    /// The finer code; 0 = none.
    pub subcode: i64,
    /// What it says.
    pub message: String,
}

impl Refused {
    /// With the usual status.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        let status = match code {
            190 | 0 => 401,
            3 | 10 | 200..=299 | 368 | 131_005 | 131_031 => 403,
            4 | 80_007 | 130_429 => 429,
            1 | 2 | 131_000 | 131_016 => 500,
            _ => 400,
        };
        Self { status, code, subcode: 0, message: message.into() }
    }

    /// Something that is not there.
    pub fn unknown(id: &str) -> Self {
        let message = format!("Unsupported get request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions");
        Self { subcode: 33, ..Self::new(100, message) }
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let mut error = json!({
            "message": format!("(#{}) {}", self.code, self.message), "type": "OAuthException", "code": self.code, "fbtrace_id": "A2shopbell",
            "error_data": { "messaging_product": "whatsapp", "details": self.message },
        });
        if self.subcode != 0 {
            error["error_subcode"] = self.subcode.into();
        }
        json!({ "error": error })
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST), axum::Json(self.body())).into_response()
    }
}

/// What WhatsApp knows.
pub struct World {
    state: Mutex<State>,
    clock: SystemClock,
}

#[derive(Default)]
struct State {
    count: u64,
    /// Messages of customers, by id.
    inbound: HashMap<String, Value>,
    /// Messages of the shop, in order: id, thread, body.
    sent: Vec<Sent>,
    received: Vec<(String, String)>,
    files: HashMap<String, StoredFile>,
    /// Links to files that work.
    links: HashMap<String, String>,
    /// Customers who wrote too long ago.
    closed: HashSet<String>,
    pace: HashMap<String, (f64, Instant)>,
    is_unpaced: bool,
    read: Vec<String>,
    typing: Vec<String>,
    templates: Vec<Value>,
}

/// A message of the shop.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// To whom.
    pub thread: String,
    /// As it was sent.
    pub body: Value,
}

#[derive(Clone)]
struct StoredFile {
    mime: String,
    bytes: Bytes,
    /// Of the bytes as they came.
    sha256: String,
}

impl World {
    /// A world without messages.
    pub fn new() -> Arc<Self> {
        let state = State { templates: templates(), ..State::default() };
        Arc::new(Self { state: Mutex::new(state), clock: SystemClock::new() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds, as WhatsApp counts.
    fn seconds(&self) -> i64 {
        self.clock.now().millis().div_euclid(1000)
    }

    /// What customers received, oldest first: (thread, text).
    pub fn received(&self) -> Vec<(String, String)> {
        self.lock().received.clone()
    }

    /// Every message of the shop, as it was sent.
    pub fn sent(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    /// The messages that were marked as read, and those on which typing was shown.
    pub fn told(&self) -> (Vec<String>, Vec<String>) {
        let state = self.lock();
        (state.read.clone(), state.typing.clone())
    }

    /// This customer wrote too long ago for anything but a template.
    pub fn close_window(&self, thread: &str) {
        self.lock().closed.insert(thread.to_owned());
    }

    /// No limit per customer any more, for tests of something else.
    pub fn unpace(&self) {
        self.lock().is_unpaced = true;
    }

    /// Five minutes have passed: no link to a file works any more.
    pub fn expire_links(&self) {
        self.lock().links.clear();
    }

    /// Puts other bytes where a file was, as a broken store would.
    pub fn spoil_files(&self) {
        for file in self.lock().files.values_mut() {
            file.bytes = Bytes::from_static(b"spoilt");
        }
    }

    /// The account's templates, as they are listed.
    pub fn templates(&self) -> Vec<Value> {
        self.lock().templates.clone()
    }

    /// A customer's or the shop's file; gives its id.
    fn keep(&self, mime: &str, bytes: Bytes) -> String {
        let mut state = self.lock();
        let id = state.next("media");
        let sha256 = hex::encode(Sha256::digest(&bytes));
        state.files.insert(id.clone(), StoredFile { mime: mime.to_owned(), bytes, sha256 });
        id
    }

    /// Takes a form with a file in it.
    pub async fn upload(&self, request: Request, wants_type: bool) -> Result<Value, Refused> {
        let bad = |message: &str| Refused::new(100, message);
        let mut form = Multipart::from_request(request, &()).await.map_err(|_| bad("The request is no form"))?;
        let (mut file, mut product, mut typed) = (None, false, None);
        while let Some(field) = form.next_field().await.map_err(|_| bad("The form is broken"))? {
            let mime = field.content_type().map(str::to_owned);
            match (field.name().unwrap_or_default().to_owned().as_str(), field.bytes().await.map_err(|_| bad("The form is broken"))?) {
                ("file", bytes) => file = Some((mime, bytes)),
                ("messaging_product", text) => product = text.as_ref() == b"whatsapp",
                ("type", text) => typed = Some(String::from_utf8_lossy(&text).into_owned()),
                _ => {}
            }
        }
        if !product {
            return Err(bad("The parameter messaging_product is required."));
        }
        let Some((Some(mime), bytes)) = file else { return Err(bad("Param file must be a file with one of the following types")) };
        if wants_type && typed.as_deref() != Some(mime.as_str()) {
            return Err(bad("Param type must be the type of the file"));
        }
        if bytes.is_empty() || bytes.len() > 100 << 20 {
            return Err(Refused::new(131_053, "Media upload error: the file is empty or too large"));
        }
        Ok(json!({ "id": self.keep(&mime, bytes) }))
    }

    /// What is told of a file; `link` makes an address of a name that works for five minutes.
    pub fn describe(&self, id: &str, link: impl Fn(&str) -> String) -> Result<Value, Refused> {
        let mut state = self.lock();
        let Some(file) = state.files.get(id).cloned() else { return Err(Refused::unknown(id)) };
        let name = state.next("link");
        state.links.insert(name.clone(), id.to_owned());
        Ok(json!({
            "url": link(&name), "mime_type": file.mime, "sha256": file.sha256, "file_size": file.bytes.len(), "id": id,
            "messaging_product": "whatsapp",
        }))
    }

    /// The bytes behind a link, while it works.
    pub fn file(&self, link: &str) -> Option<(String, Bytes)> {
        let state = self.lock();
        let file = state.files.get(state.links.get(link)?)?;
        Some((file.mime.clone(), file.bytes.clone()))
    }

    /// The envelope around changes of one account: (field, value).
    pub fn envelope(&self, changes: Vec<(&str, Value)>) -> Value {
        let changes: Vec<Value> = changes.into_iter().map(|(field, value)| json!({ "field": field, "value": value })).collect();
        json!({ "object": "whatsapp_business_account", "entry": [{ "id": ACCOUNT, "time": self.seconds(), "changes": changes }] })
    }
}

impl State {
    fn next(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}{}", 1_000_000 + self.count)
    }

    /// One message to a customer from their allowance, or not.
    fn may_send(&mut self, thread: &str) -> bool {
        if self.is_unpaced {
            return true;
        }
        let now = Instant::now();
        let (tokens, at) = self.pace.entry(thread.to_owned()).or_insert((BURST, now));
        *tokens = (*tokens + now.duration_since(*at).as_secs_f64() / SECONDS_PER_MESSAGE).min(BURST);
        *at = now;
        let may = *tokens >= 1.0;
        if may {
            *tokens -= 1.0;
        }
        may
    }
}

/// The hash as webhooks write it.
fn webhook_hash(bytes: &Bytes) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

/// An account with a template of each state.
fn templates() -> Vec<Value> {
    let body = |text: &str| json!({ "type": "BODY", "text": text });
    vec![
        json!({ "id": "594425479261596", "name": "order_ready", "language": "pt_BR", "status": "APPROVED", "category": "UTILITY", "components": [
            { "type": "HEADER", "format": "IMAGE" },
            { "type": "BODY", "text": "Olá {{1}}, o pedido {{2}} está pronto.", "example": { "body_text": [["Ana", "42"]] } },
            { "type": "FOOTER", "text": NAME },
            { "type": "BUTTONS", "buttons": [
                { "type": "QUICK_REPLY", "text": "Obrigada" },
                { "type": "URL", "text": "Acompanhar", "url": "https://shop.example/{{1}}", "example": ["https://shop.example/42"] },
            ] },
        ] }),
        json!({ "id": "594425479261597", "name": "hello", "language": "pt_BR", "status": "APPROVED", "category": "MARKETING", "components": [body("Olá, {{name}}!")] }),
        json!({ "id": "594425479261598", "name": "winter", "language": "pt_BR", "status": "PAUSED", "category": "MARKETING", "components": [body("Chegou o inverno.")] }),
        json!({ "id": "594425479261599", "name": "summer", "language": "es", "status": "REJECTED", "category": "MARKETING", "components": [body("Llegó el verano.")] }),
    ]
}
