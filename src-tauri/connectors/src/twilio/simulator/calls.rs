//! What Twilio sends: forms, signed, and tried again as the address asks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use shopbell_core::connector::{Request, Said, SaidWhat};
use shopbell_core::model::MediaKind;

use super::{ACCOUNT, File, NUMBER, State, World, can, lock};
use crate::twilio::Line;

/// The longest that Twilio waits for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// Names and values, in the order in which they are sent.
pub type Form = Vec<(String, String)>;

/// A call that is to be made.
pub struct Call {
    body: String,
    form: Form,
    /// Without what stands behind `#`.
    url: String,
    /// How often it is tried again.
    retries: usize,
    token: String,
}

impl Call {
    /// A call of `hook` with `form`.
    pub fn new(form: Form, hook: &str) -> Self {
        let (url, overrides) = hook.split_once('#').unwrap_or((hook, ""));
        let all = overrides.split('&').any(|part| part == "rp=all");
        let count = overrides.split('&').find_map(|part| part.strip_prefix("rc=")?.parse::<usize>().ok());
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
        let token = format!("{:x}", body.len() * 7919 + url.len());
        // Without `rp` only a call that did not connect is tried again, which is left out here.
        Self { body, url: url.to_owned(), retries: count.filter(|_| all).unwrap_or(0).min(5), token, form }
    }

    /// HMAC-SHA1 over the address and the sorted fields; a name that is there twice has its different values in order.
    fn signature(&self, key: &str) -> String {
        let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, value) in &self.form {
            sorted.entry(name).or_default().insert(value);
        }
        let mut signed = self.url.clone();
        for (name, values) in sorted {
            for value in values {
                signed.push_str(name);
                signed.push_str(value);
            }
        }
        let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("any length will do as a key");
        mac.update(signed.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    fn headers(&self, key: &str) -> Vec<(String, String)> {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded; charset=UTF-8".to_owned()),
            ("x-twilio-signature", self.signature(key)),
            ("i-twilio-idempotency-token", self.token.clone()),
        ];
        headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The call as it arrives.
    pub fn request(&self, key: &str) -> Request {
        let after = self.url.split_once("/hooks/").map_or("", |(_, after)| after);
        let (path, query) = after.split_once('?').unwrap_or((after, ""));
        Request {
            method: "POST".into(),
            path: path.split_once('/').map_or("", |(_, below)| below).to_owned(),
            query: query.to_owned(),
            headers: self.headers(key),
            body: self.body.clone().into(),
            url: self.url.clone(),
        }
    }

    /// Makes the call, and again while it is refused and the address asks for it. Then it is lost.
    pub async fn deliver(&self, client: &reqwest::Client, key: &str) -> anyhow::Result<()> {
        let mut trouble = String::new();
        for attempt in 0..=self.retries {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let mut request = client.post(&self.url).timeout(PATIENCE).body(self.body.clone());
            for (name, value) in self.headers(key) {
                request = request.header(name, value);
            }
            match request.send().await {
                Ok(response) if response.status().is_success() => return Ok(()),
                Ok(response) => trouble = format!("11200 HTTP retrieval failure: {}", response.status()),
                Err(error) => trouble = format!("11205 HTTP connection failure: {error}"),
            }
        }
        anyhow::bail!("the webhook was given up: {trouble}")
    }
}

/// A thread as Twilio writes it: a number with a plus, or a user's id.
pub fn bare(thread: &str) -> String {
    if thread.starts_with('+') || thread.contains('.') {
        return thread.to_owned();
    }
    if thread.bytes().all(|byte| byte.is_ascii_digit()) && !thread.is_empty() {
        return format!("+{thread}");
    }
    let sum = thread.bytes().fold(5381_u64, |sum, byte| (sum * 33 + u64::from(byte)) % 1_000_000_007);
    format!("+55{sum:011}")
}

/// What a customer says, as the form of a call; it is put into the list as well. `None` where the channel has no such thing.
pub fn compose(world: &World, base_url: &str, said: &Said) -> Option<Form> {
    if !can(world.line, &said.what) {
        return None;
    }
    let line = world.line;
    let from = bare(&said.thread);
    let mut state = lock(&world.state);
    let file = file(said);
    let sid = state.sid(if file.is_some() { "MM" } else { "SM" });
    let mut form: Form = Vec::new();
    let mut put = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
    put("ToCountry", "BR");
    put("SmsMessageSid", &sid);
    put("NumMedia", if file.is_some() { "1" } else { "0" });
    let is_phone = from.starts_with('+');
    if line.prefix == "whatsapp:" {
        put("ProfileName", &said.name);
        put("MessageType", kind(&said.what));
        if is_phone {
            put("WaId", from.trim_start_matches('+'));
        }
    } else {
        put("FromCountry", "BR");
        put("FromCity", "");
    }
    put("SmsSid", &sid);
    put("SmsStatus", "received");
    let body = match &said.what {
        SaidWhat::Location { .. } | SaidWhat::Card { .. } | SaidWhat::Unsupported => "",
        _ => said.text.as_str(),
    };
    put("Body", body);
    put("To", &line.full(NUMBER));
    put("NumSegments", "1");
    put("MessageSid", &sid);
    put("AccountSid", ACCOUNT);
    put("From", &line.full(&from));
    put("ApiVersion", "2010-04-01");
    if let Some((mime, bytes)) = &file {
        let name = state.sid("ME");
        put("MediaContentType0", mime);
        put("MediaUrl0", &format!("{base_url}/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media/{name}"));
        state.files.insert(name, File { message: sid.clone(), mime: mime.clone(), bytes: bytes.clone() });
    }
    extras(&said.what, &said.text, &mut put);
    let row = listed(world, &sid, (&line.full(&from), &line.full(NUMBER)), body, usize::from(file.is_some()), "inbound", "received");
    keep(&mut state, row);
    state.last_in.insert(from.clone(), world.now());
    consent(&mut state, line, &from, body);
    Some(form)
}

/// Fields that only some messages have.
fn extras(what: &SaidWhat, text: &str, put: &mut impl FnMut(&str, &str)) {
    match what {
        SaidWhat::Location { latitude, longitude } => {
            put("Latitude", &latitude.to_string());
            put("Longitude", &longitude.to_string());
            put("Label", text);
        }
        SaidWhat::Reply { target } => {
            put("OriginalRepliedMessageSid", target);
            put("OriginalRepliedMessageSender", &format!("whatsapp:{NUMBER}"));
        }
        SaidWhat::Press { id } => {
            put("ButtonPayload", id);
            put("ButtonText", text);
        }
        SaidWhat::Forwarded => put("Forwarded", "true"),
        SaidWhat::FromAd { click_id } => {
            put("ReferralCtwaClid", click_id);
            put("ReferralSourceId", "120210000000000000");
            put("ReferralSourceType", "ad");
            put("ReferralSourceUrl", "https://fb.me/3cr4Wqqkv");
            put("ReferralHeadline", "Pão quentinho");
            put("ReferralBody", "Encomende pelo WhatsApp");
        }
        SaidWhat::Text
        | SaidWhat::File { .. }
        | SaidWhat::Card { .. }
        | SaidWhat::Reaction { .. }
        | SaidWhat::Edit { .. }
        | SaidWhat::Delete { .. }
        | SaidWhat::Unsupported
        | SaidWhat::Echo => {}
    }
}

fn kind(what: &SaidWhat) -> &'static str {
    match what {
        SaidWhat::File { kind: MediaKind::Image, .. } => "image",
        SaidWhat::File { kind: MediaKind::Audio | MediaKind::Voice, .. } => "audio",
        SaidWhat::File { kind: MediaKind::Video, .. } => "video",
        SaidWhat::File { kind: MediaKind::Document, .. } => "document",
        SaidWhat::File { kind: MediaKind::Sticker, .. } => "sticker",
        SaidWhat::Location { .. } => "location",
        SaidWhat::Card { .. } => "contacts",
        SaidWhat::Press { .. } => "button",
        SaidWhat::Unsupported => "unsupported",
        SaidWhat::Text
        | SaidWhat::Reply { .. }
        | SaidWhat::Forwarded
        | SaidWhat::FromAd { .. }
        | SaidWhat::Reaction { .. }
        | SaidWhat::Edit { .. }
        | SaidWhat::Delete { .. }
        | SaidWhat::Echo => "text",
    }
}

fn file(said: &Said) -> Option<(String, Bytes)> {
    match &said.what {
        SaidWhat::File { bytes, mime, .. } => Some((mime.clone(), bytes.clone())),
        SaidWhat::Card { name, phone } => {
            let card = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nTEL;TYPE=CELL:{phone}\r\nEND:VCARD\r\n");
            Some(("text/vcard".to_owned(), card.into()))
        }
        _ => None,
    }
}

/// Twilio stops writing to whoever says STOP on a channel of carriers.
fn consent(state: &mut State, line: Line, from: &str, body: &str) {
    match body.trim().to_uppercase().as_str() {
        "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" if line.prefix.is_empty() => {
            state.unsubscribed.insert(from.to_owned());
        }
        "START" | "YES" | "UNSTOP" => {
            state.unsubscribed.remove(from);
        }
        _ => {}
    }
}

/// A message as Twilio's list shows it.
pub fn listed(world: &World, sid: &str, (from, to): (&str, &str), body: &str, files: usize, direction: &str, status: &str) -> Value {
    let at = World::date(world.now());
    let uri = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}");
    json!({
        "sid": sid, "account_sid": ACCOUNT, "api_version": "2010-04-01", "from": from, "to": to, "body": body,
        "num_media": files.to_string(), "num_segments": "1", "direction": direction, "status": status,
        "error_code": null, "error_message": null, "price": null, "price_unit": "USD", "messaging_service_sid": null,
        "date_created": at, "date_updated": at, "date_sent": at, "uri": format!("{uri}.json"),
        "subresource_uris": { "media": format!("{uri}/Media.json") },
    })
}

/// Puts a message into the list.
pub fn keep(state: &mut State, row: Value) {
    state.messages.push(row);
}

/// The form of a status callback.
pub fn status(line: Line, message: &Value) -> Form {
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let pair = |name: &str, value: String| (name.to_owned(), value);
    let mut form = vec![
        pair("SmsSid", text("sid")),
        pair("SmsStatus", text("status")),
        pair("MessageStatus", text("status")),
        pair("To", text("to")),
        pair("MessageSid", text("sid")),
        pair("AccountSid", text("account_sid")),
        pair("From", text("from")),
        pair("ApiVersion", "2010-04-01".into()),
    ];
    if line.prefix == "whatsapp:" {
        form.push(pair("ChannelPrefix", "whatsapp".into()));
        form.push(pair("ChannelInstallSid", "XE00000000000000000000000000000001".into()));
    }
    if message["status"] == "read" {
        form.push(pair("EventType", "READ".into()));
    }
    if let Some(code) = message["error_code"].as_i64() {
        form.push(pair("ErrorCode", code.to_string()));
        form.push(pair("ChannelStatusMessage", String::new()));
    }
    form
}
