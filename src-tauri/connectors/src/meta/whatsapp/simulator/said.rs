//! What customers say and do, and how far the shop's messages come, as webhooks tell it.

use serde_json::{Value, json};
use shopbell_core::connector::{Fate, Said, SaidWhat};
use shopbell_core::model::MediaKind;

use super::{DISPLAY_NUMBER, NUMBER, PHONE_NUMBER_ID, World, webhook_hash};

/// A customer as WhatsApp knows them.
struct Customer {
    /// Digits; none for those who show a user name instead.
    number: Option<String>,
    user_id: String,
    name: String,
}

impl Customer {
    fn of(said: &Said) -> Self {
        let name = said.name.clone();
        if is_user_id(&said.thread) {
            return Self { number: None, user_id: said.thread.clone(), name };
        }
        let number = number_of(&said.thread);
        Self { user_id: format!("BR.1349{number}"), number: Some(number), name }
    }

    fn contact(&self) -> Value {
        let mut contact = json!({ "profile": { "name": self.name }, "user_id": self.user_id });
        match &self.number {
            Some(number) => contact["wa_id"] = number.clone().into(),
            None => contact["profile"]["username"] = format!("{}.x", self.name.to_lowercase()).into(),
        }
        contact
    }

    fn thread(&self) -> String {
        self.number.clone().unwrap_or_else(|| self.user_id.clone())
    }
}

/// "BR.13491208655302741918".
fn is_user_id(thread: &str) -> bool {
    thread.split_once('.').is_some_and(|(country, _)| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// A number; a word becomes one.
fn number_of(thread: &str) -> String {
    if !thread.is_empty() && thread.bytes().all(|byte| byte.is_ascii_digit()) {
        return thread.to_owned();
    }
    let sum = thread.bytes().fold(5381_i64, |sum, byte| (sum * 33 + i64::from(byte)) % 1_000_000_007);
    format!("5511{sum:09}")
}

fn metadata() -> Value {
    json!({ "display_phone_number": DISPLAY_NUMBER.replace(['+', ' ', '-'], ""), "phone_number_id": PHONE_NUMBER_ID })
}

impl World {
    /// The change with which a webhook tells what a customer said: (field, value).
    pub fn say(&self, said: &Said) -> (&'static str, Value) {
        let customer = Customer::of(said);
        let (kind, content) = self.content(said);
        let mut state = self.lock();
        let id = format!("wamid.{}", state.next("IN"));
        let mut message = json!({ "id": id, "timestamp": self.seconds().to_string(), "type": kind, kind: content });
        if said.what == SaidWhat::Echo {
            message["from"] = NUMBER.into();
            message["to"] = customer.thread().into();
            message["to_user_id"] = customer.user_id.clone().into();
            let value = json!({ "messaging_product": "whatsapp", "metadata": metadata(), "contacts": [customer.contact()], "message_echoes": [message] });
            return ("smb_message_echoes", value);
        }
        if let Some(number) = &customer.number {
            message["from"] = number.clone().into();
        }
        message["from_user_id"] = customer.user_id.clone().into();
        match &said.what {
            SaidWhat::Reply { target } => message["context"] = json!({ "from": NUMBER, "id": target }),
            SaidWhat::Forwarded => message["context"] = json!({ "forwarded": true }),
            SaidWhat::Press { id } => {
                if let Some(sent) = state.sent.iter().rev().find(|sent| sent.body.to_string().contains(&format!("\"{id}\""))) {
                    message["context"] = json!({ "from": NUMBER, "id": sent.id });
                }
            }
            SaidWhat::FromAd { click_id } => {
                message["referral"] = json!({
                    "source_url": "https://fb.me/3cr4Wqqkv", "source_id": "120226305854810726", "source_type": "ad", "headline": "Pão quentinho",
                    "body": "Peça agora", "media_type": "image", "image_url": "https://scontent.example/1.jpg", "ctwa_clid": click_id,
                });
            }
            SaidWhat::Unsupported => {
                message["errors"] = json!([{ "code": 131_051, "title": "Message type unknown", "message": "Message type unknown",
                    "error_data": { "details": "Message type is currently not supported." } }]);
            }
            SaidWhat::Text
            | SaidWhat::File { .. }
            | SaidWhat::Location { .. }
            | SaidWhat::Card { .. }
            | SaidWhat::Reaction { .. }
            | SaidWhat::Edit { .. }
            | SaidWhat::Delete { .. }
            | SaidWhat::Echo => {}
        }
        state.closed.remove(&customer.thread());
        state.inbound.insert(id, message.clone());
        let value =
            json!({ "messaging_product": "whatsapp", "metadata": metadata(), "contacts": [customer.contact()], "messages": [message] });
        ("messages", value)
    }

    fn content(&self, said: &Said) -> (&'static str, Value) {
        let text = || json!({ "body": said.text });
        match &said.what {
            SaidWhat::Text | SaidWhat::Reply { .. } | SaidWhat::Forwarded | SaidWhat::FromAd { .. } | SaidWhat::Echo => ("text", text()),
            SaidWhat::File { kind, bytes, mime, filename } => {
                let mut file = json!({ "mime_type": mime, "sha256": webhook_hash(bytes), "id": self.keep(mime, bytes.clone()) });
                if !said.text.is_empty() {
                    file["caption"] = said.text.clone().into();
                }
                match kind {
                    MediaKind::Image => ("image", file),
                    MediaKind::Video => ("video", file),
                    MediaKind::Audio | MediaKind::Voice => {
                        file["voice"] = (*kind == MediaKind::Voice).into();
                        ("audio", file)
                    }
                    MediaKind::Document => {
                        file["filename"] = filename.clone().unwrap_or_else(|| "file".into()).into();
                        ("document", file)
                    }
                    MediaKind::Sticker => {
                        file["animated"] = false.into();
                        ("sticker", file)
                    }
                }
            }
            SaidWhat::Location { latitude, longitude } => {
                let mut place = json!({ "latitude": latitude, "longitude": longitude });
                if !said.text.is_empty() {
                    place["name"] = said.text.clone().into();
                }
                ("location", place)
            }
            SaidWhat::Card { name, phone } => {
                let phones = json!([{ "phone": phone, "wa_id": phone.trim_start_matches('+'), "type": "CELL" }]);
                ("contacts", json!([{ "name": { "formatted_name": name, "first_name": name }, "phones": phones }]))
            }
            SaidWhat::Reaction { target, emoji } => ("reaction", json!({ "message_id": target, "emoji": emoji })),
            SaidWhat::Press { id } => self.press(id),
            SaidWhat::Edit { target } => {
                ("edit", json!({ "original_message_id": target, "message": { "type": "text", "text": { "body": said.text } } }))
            }
            SaidWhat::Delete { target } => ("revoke", json!({ "original_message_id": target })),
            SaidWhat::Unsupported => ("unsupported", json!({ "type": "poll" })),
        }
    }

    /// A pressed button or row, with the words that the newest message has on it; a template's quick reply where no message has one.
    fn press(&self, id: &str) -> (&'static str, Value) {
        let state = self.lock();
        let interactive = |sent: &super::Sent| {
            let action = &sent.body["interactive"]["action"];
            let buttons = action["buttons"].as_array().into_iter().flatten().map(|button| ("button_reply", &button["reply"]));
            let sections = action["sections"].as_array().into_iter().flatten();
            let rows = sections.filter_map(|section| section["rows"].as_array()).flatten().map(|row| ("list_reply", row));
            buttons.chain(rows).find(|(_, one)| one["id"] == id).map(|(kind, one)| (kind, one.clone()))
        };
        match state.sent.iter().rev().find_map(interactive) {
            Some((kind, reply)) => ("interactive", json!({ "type": kind, kind: reply })),
            None => ("button", json!({ "payload": id, "text": id })),
        }
    }

    /// The change with which a webhook tells how far a message of the shop came; `None` = it was never sent.
    pub fn fate(&self, external_id: &str, fate: &Fate) -> Option<(&'static str, Value)> {
        let sent = self.lock().sent.iter().find(|sent| sent.id == external_id).cloned()?;
        let word = match fate {
            Fate::Sent => "sent",
            Fate::Delivered => "delivered",
            Fate::Read => "read",
            Fate::Failed(_) => "failed",
        };
        let mut status = json!({ "id": external_id, "status": word, "timestamp": self.seconds().to_string() });
        status[if is_user_id(&sent.thread) { "recipient_user_id" } else { "recipient_id" }] = sent.thread.clone().into();
        if let Some(ours) = sent.body["biz_opaque_callback_data"].as_str() {
            status["biz_opaque_callback_data"] = ours.into();
        }
        match fate {
            Fate::Failed(code) => {
                status["errors"] = json!([{ "code": code, "title": "Message failed", "message": "Message failed",
                    "error_data": { "details": "Message failed to send because of the reason that its code says" },
                    "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/" }]);
            }
            Fate::Sent | Fate::Delivered | Fate::Read => {
                status["conversation"] = json!({ "id": "a75d17ad06104c51166f948319b03c6a", "origin": { "type": "service" } });
                status["pricing"] =
                    json!({ "billable": false, "pricing_model": "PMP", "type": "free_customer_service", "category": "service" });
            }
        }
        Some(("messages", json!({ "messaging_product": "whatsapp", "metadata": metadata(), "statuses": [status] })))
    }
}
