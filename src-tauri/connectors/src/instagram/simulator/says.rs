//! What customers (and the shop on its phone) do, as events of a webhook.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::{Value, json};
use shopbell_core::clock::{Clock, Timestamp};
use shopbell_core::connector::{Said, SaidWhat};
use shopbell_core::model::MediaKind;

use super::{ACCOUNT, APP, Asset, Kept, Person, State, World};
use crate::loopback::lock;

/// A customer's number; a word becomes one.
pub fn igsid(thread: &str) -> String {
    if !thread.is_empty() && thread.bytes().all(|byte| byte.is_ascii_digit()) {
        return thread.to_owned();
    }
    let sum = thread.bytes().fold(5381_u64, |sum, byte| (sum * 33 + u64::from(byte)) % 1_000_000_007);
    format!("{}", 6_000_000_000_000_000 + sum)
}

impl State {
    /// The name of the next message.
    pub fn next_mid(&mut self) -> String {
        self.last += 1;
        format!("aWdf{}", URL_SAFE_NO_PAD.encode(format!("ig_dm_message_id:{ACCOUNT}:{:09}", self.last)))
    }

    /// Stores a file and gives its link.
    pub fn put_asset(&mut self, bytes: Bytes, mime: &str) -> String {
        self.last += 1;
        let id = format!("{}", 1_380_000_000 + self.last);
        let url = format!("{}/ig_messaging_cdn/?asset_id={id}&signature=Ab{id}", self.address);
        self.assets.insert(id, Asset { bytes, mime: mime.to_owned(), is_gone: false });
        url
    }

    fn keep(&mut self, thread: &str, by_shop: bool, at: Timestamp, body: &Value) {
        let mid = body["mid"].as_str().unwrap_or_default().to_owned();
        self.messages.push(Kept { mid, thread: thread.to_owned(), by_shop, at, body: body.clone(), deleted: false });
    }
}

impl World {
    /// The event for `said` and the field it is subscribed by; `None` where Instagram has no such thing.
    pub fn compose(&self, said: &Said) -> Option<(Value, &'static str)> {
        let now = self.clock.now();
        let thread = igsid(&said.thread);
        let mut state = lock(&self.state);
        let mut message = json!({ "mid": "" });
        if !said.text.is_empty() {
            message["text"] = said.text.clone().into();
        }
        let mut field = "messages";
        let mut about = match &said.what {
            SaidWhat::Text => message,
            SaidWhat::File { kind, bytes, mime, filename } => {
                let kind = match kind {
                    MediaKind::Image | MediaKind::Sticker => "image",
                    MediaKind::Audio | MediaKind::Voice => "audio",
                    MediaKind::Video => "video",
                    MediaKind::Document if mime == "application/pdf" => "file",
                    MediaKind::Document => return None,
                };
                let mut payload = json!({ "url": state.put_asset(bytes.clone(), mime) });
                if let Some(name) = filename {
                    payload["title"] = name.clone().into();
                }
                message["attachments"] = json!([{ "type": kind, "payload": payload }]);
                message
            }
            SaidWhat::Reply { target } => {
                message["reply_to"] = json!({ "mid": target });
                message
            }
            SaidWhat::Press { id } => match state.offered(&thread, id) {
                Some((title, true)) => {
                    message["text"] = title.into();
                    message["quick_reply"] = json!({ "payload": id });
                    message
                }
                Some((title, false)) => {
                    field = "messaging_postbacks";
                    json!({ "postback": { "mid": "", "title": title, "payload": id } })
                }
                // A question that stands at the start of a conversation.
                None => {
                    field = "messaging_postbacks";
                    json!({ "postback": { "mid": "", "title": if said.text.is_empty() { id } else { &said.text }, "payload": id } })
                }
            },
            SaidWhat::Reaction { target, emoji } => {
                field = "message_reactions";
                let mut reaction = json!({ "mid": target, "action": if emoji.is_empty() { "unreact" } else { "react" } });
                if !emoji.is_empty() {
                    reaction["reaction"] = if emoji.starts_with('❤') { "love" } else { "other" }.into();
                    reaction["emoji"] = emoji.clone().into();
                }
                json!({ "reaction": reaction })
            }
            SaidWhat::Edit { target } => {
                field = "message_edit";
                state.messages.iter_mut().filter(|kept| kept.mid == *target).for_each(|kept| kept.body["text"] = said.text.clone().into());
                json!({ "message_edit": { "mid": target, "text": said.text, "num_edit": 1 } })
            }
            SaidWhat::Delete { target } => {
                state.messages.iter_mut().filter(|kept| kept.mid == *target).for_each(|kept| kept.deleted = true);
                json!({ "message": { "mid": target, "is_deleted": true } })
            }
            SaidWhat::FromAd { click_id } => {
                message["referral"] = json!({ "ref": "promo", "ad_id": click_id, "source": "ADS", "type": "OPEN_THREAD",
                    "ads_context_data": { "ad_title": "Pão quentinho", "photo_url": "https://scontent.cdninstagram.com/ad.jpg" } });
                message
            }
            SaidWhat::Unsupported => json!({ "mid": "", "is_unsupported": true }),
            SaidWhat::Echo => {
                message["is_echo"] = true.into();
                message
            }
            SaidWhat::Location { .. } | SaidWhat::Card { .. } | SaidWhat::Forwarded => return None,
        };
        for name in ["message", "postback"] {
            if about[name]["mid"] == "" {
                about[name]["mid"] = state.next_mid().into();
            }
        }
        if about["mid"] == "" {
            about["mid"] = state.next_mid().into();
            about = json!({ "message": about });
        }
        let is_echo = said.what == SaidWhat::Echo;
        if !is_echo {
            let person = state.people.entry(thread.clone()).or_insert_with(|| Person { name: String::new(), last_wrote: now, blocked: false });
            person.name.clone_from(&said.name);
            person.last_wrote = now;
        }
        if about["message"].is_object() && about["message"]["is_deleted"] != true {
            let body = about["message"].clone();
            state.keep(&thread, is_echo, now, &body);
        }
        let (sender, recipient) = if is_echo { (ACCOUNT, thread.as_str()) } else { (thread.as_str(), ACCOUNT) };
        let mut event = json!({ "sender": { "id": sender }, "recipient": { "id": recipient }, "timestamp": now.millis() });
        for (name, value) in about.as_object()? {
            event[name] = value.clone();
        }
        Some((event, field))
    }

    /// The event that tells that the customer saw a message of the shop.
    pub fn seen(&self, mid: &str) -> Option<Value> {
        let state = lock(&self.state);
        let kept = state.messages.iter().find(|kept| kept.by_shop && kept.mid == mid)?;
        Some(json!({ "sender": { "id": kept.thread }, "recipient": { "id": ACCOUNT }, "timestamp": self.now(), "read": { "mid": mid } }))
    }

    /// The shop's message is there now; the event that echoes it.
    pub fn sent(&self, thread: &str, mut body: Value, mid: &str) -> Value {
        body["mid"] = mid.into();
        let now = self.clock.now();
        lock(&self.state).keep(thread, true, now, &body);
        let mut message = json!({ "mid": mid, "is_echo": true, "app_id": APP.parse::<u64>().unwrap_or_default() });
        if let Some(text) = body["text"].as_str() {
            message["text"] = text.into();
        }
        let attachments = super::answers::attachments(&body);
        if !attachments.is_empty() {
            message["attachments"] = attachments.into();
        }
        json!({ "sender": { "id": ACCOUNT }, "recipient": { "id": thread }, "timestamp": now.millis(), "message": message })
    }
}

impl State {
    /// What stands on a button that the shop offered in this thread, and whether it is a quick reply.
    fn offered(&self, thread: &str, payload: &str) -> Option<(String, bool)> {
        self.messages.iter().rev().filter(|kept| kept.by_shop && kept.thread == thread).find_map(|kept| {
            let title = |list: &Value| {
                let mut options = list.as_array().into_iter().flatten();
                options.find(|option| option["payload"] == payload).and_then(|option| option["title"].as_str()).map(str::to_owned)
            };
            let quick = title(&kept.body["quick_replies"]).map(|title| (title, true));
            quick.or_else(|| title(&kept.body["attachment"]["payload"]["buttons"]).map(|title| (title, false)))
        })
    }
}
