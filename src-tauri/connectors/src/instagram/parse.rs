//! Webhooks of Instagram messaging in Shopbell's words. Pure: no network, no clock.
//!
//! A delivery is a batch: several accounts, several events each, in `messaging[]` or (events of the App Dashboard) in `changes[]`. What
//! polling brings is put into the same envelope first, so that both ways read alike and give a message the same name. An element that cannot
//! be read is said and its neighbours go on.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Event, IncomingContent, IncomingMessage, Malformed, Referral, ShopMessage};
use shopbell_core::model::{Address, Content};

use super::content::{self, emoji_of};
use super::{Config, Flavour};
use crate::unread::of_another_account;

/// Below this a time counts seconds: the App Dashboard's test events do, real ones count milliseconds.
const FIRST_MILLIS: i64 = 100_000_000_000;

/// Reads the body of a webhook, or one message of a poll.
pub fn events(config: &Config, body: &[u8]) -> Result<Vec<Event>, Malformed> {
    let envelope: Value = serde_json::from_slice(body).map_err(|error| Malformed(format!("This is not JSON: {error}.")))?;
    let Some(entries) = envelope["entry"].as_array() else {
        return Err(Malformed("This is no delivery of Meta's: it has no entry.".into()));
    };
    if let Some(object) = envelope["object"].as_str().filter(|object| *object != "instagram") {
        return Ok(vec![Event::Nothing { what: format!("news of {object}, which is not Instagram's") }]);
    }
    // Who shares a callback sees the others' news beside its own, and that is as it should be.
    let is_shared = accounts(body).iter().any(|account| account == config.account());
    let reader = Reader { config, is_shared };
    let mut events: Vec<Event> = entries.iter().flat_map(|entry| reader.entry(entry)).collect();
    if events.is_empty() {
        events.push(Event::Nothing { what: "an empty delivery".into() });
    }
    Ok(events)
}

/// The accounts that a delivery speaks of.
pub fn accounts(body: &[u8]) -> Vec<String> {
    let envelope: Value = serde_json::from_slice(body).unwrap_or_default();
    envelope["entry"].as_array().into_iter().flatten().filter_map(|entry| id(&entry["id"])).collect()
}

/// An id, which Meta writes as text and sometimes as a number.
pub fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn moment(value: &Value) -> Option<Timestamp> {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok()).filter(|number| *number > 0)?;
    Some(if number < FIRST_MILLIS { Timestamp::from_seconds(number) } else { Timestamp::from_millis(number) })
}

struct Reader<'a> {
    config: &'a Config,
    /// Whether something of the delivery is for this account.
    is_shared: bool,
}

/// What every event tells beside its matter.
struct Around {
    sender: String,
    username: Option<String>,
    recipient: Option<String>,
    /// Zero where the service does not say; the core reads that as "when it arrived".
    at: Timestamp,
}

impl Reader<'_> {
    fn entry(&self, entry: &Value) -> Vec<Event> {
        let Some(account) = id(&entry["id"]) else {
            return vec![Event::NotUnderstood { why: "entry.id: it does not say whose news this is".into() }];
        };
        if account != self.config.account() {
            let others = Event::Nothing { what: format!("news of another account, {account}") };
            return vec![if self.is_shared { others } else { of_another_account(&account) }];
        }
        let list = |name: &str| entry[name].as_array().into_iter().flatten();
        let at = moment(&entry["time"]).unwrap_or_default();
        let mut events: Vec<Event> = list("messaging").map(|event| self.event(event, at)).collect();
        events.extend(list("changes").map(|change| match change["field"].as_str().unwrap_or_default() {
            "comments" | "live_comments" => Event::Nothing { what: "a public comment".into() },
            _ if change["value"].is_object() => self.event(&change["value"], at),
            field => Event::NotUnderstood { why: format!("changes.{field}: it has no value") },
        }));
        // Another program of the shop has the conversation: it answers, and here it can be read.
        events.extend(list("standby").map(|event| match self.event(event, at) {
            Event::Message(message) => Event::Message(IncomingMessage { answered: true, ..message }),
            other => other,
        }));
        events
    }

    fn event(&self, event: &Value, entry_at: Timestamp) -> Event {
        if !event.is_object() {
            return Event::NotUnderstood { why: "messaging: this is no event".into() };
        }
        let at = moment(&event["timestamp"]).unwrap_or(entry_at);
        if event["message_edit"].is_object() {
            return edited(&event["message_edit"], at);
        }
        let Some(sender) = id(&event["sender"]["id"]) else {
            return Event::NotUnderstood { why: "sender.id: it does not say who spoke".into() };
        };
        let username = event["sender"]["username"].as_str().map(str::to_owned);
        let around = Around { sender, username, recipient: id(&event["recipient"]["id"]), at };
        let is = |name: &str| event[name].is_object();
        if is("message") {
            self.message(&event["message"], around)
        } else if is("postback") {
            self.pressed(&event["postback"], around)
        } else if is("reaction") {
            self.reaction(&event["reaction"], around)
        } else if is("read") {
            self.seen(&event["read"], around)
        } else if is("referral") {
            self.came(&event["referral"], around)
        } else {
            let known = ["sender", "recipient", "timestamp"];
            let what = event.as_object().into_iter().flatten().map(|(key, _)| key).find(|key| !known.contains(&key.as_str()));
            Event::Nothing { what: what.cloned().unwrap_or_else(|| "an empty event".into()) }
        }
    }

    fn is_shop(&self, around: &Around) -> bool {
        around.sender == self.config.account()
    }

    fn message(&self, message: &Value, around: Around) -> Event {
        let Some(mid) = id(&message["mid"]) else {
            return Event::NotUnderstood { why: "message.mid: a message without a name".into() };
        };
        if message["is_deleted"] == true {
            return Event::Deleted { external_id: mid, at: around.at };
        }
        // Our answer to ourselves would come back as the next message, without end.
        if message["is_self"] == true || around.recipient.as_ref() == Some(&around.sender) {
            return Event::Nothing { what: "a message of the shop to itself".into() };
        }
        if message["is_echo"] == true || self.is_shop(&around) {
            return self.echo(mid, message, around);
        }
        let content = content::of(self.config, message);
        let reply_to = id(&message["reply_to"]["mid"]);
        let (referral, metadata) = (referral(&message["referral"], around.at), around.metadata(&message["referral"]));
        Event::Message(IncomingMessage { content, reply_to, referral, metadata, ..around.says(mid) })
    }

    /// What the shop said: by us, on the phone, in another program.
    fn echo(&self, mid: String, message: &Value, around: Around) -> Event {
        let Some(customer) = around.recipient else {
            return Event::NotUnderstood { why: "recipient.id: it does not say to whom the shop spoke".into() };
        };
        Event::FromShop(ShopMessage {
            also_threads: Vec::new(),
            also: Vec::new(),
            external_id: mid,
            to: address(&customer),
            thread: customer,
            content: content::of(self.config, message),
            sent_at: around.at,
            ours: self.ours(&message["app_id"]),
            metadata: Map::new(),
        })
    }

    /// Whether our own app sent it. With Instagram Login an app has two numbers, and which of them stands here is not documented: another
    /// number than the one we know proves nothing there.
    fn ours(&self, app: &Value) -> Option<bool> {
        let app = id(app)?;
        match (app == self.config.app(), self.config.flavour) {
            (true, _) => Some(true),
            (false, Flavour::FacebookPage) => Some(false),
            (false, Flavour::InstagramLogin) => None,
        }
    }

    /// A button, or one of the questions that Instagram offers at the start of a conversation.
    fn pressed(&self, postback: &Value, around: Around) -> Event {
        if postback["is_self"] == true || self.is_shop(&around) {
            return Event::Nothing { what: "a button that the shop itself pressed".into() };
        }
        let text = |name: &str| postback[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let (payload, title) = (text("payload"), text("title"));
        let (Some(id_), Some(label)) = (payload.clone().or_else(|| title.clone()), title.or(payload)) else {
            return Event::NotUnderstood { why: "postback: neither payload nor title".into() };
        };
        let mid = id(&postback["mid"]).unwrap_or_else(|| {
            let digest = Sha256::digest(format!("{}\n{}\n{id_}", around.sender, around.at.millis()));
            format!("postback:{}", hex::encode(&digest[..16]))
        });
        let (referral, metadata) = (referral(&postback["referral"], around.at), around.metadata(&postback["referral"]));
        let content = vec![IncomingContent::Content(Content::Chosen { id: id_, label })];
        Event::Message(IncomingMessage { content, referral, metadata, ..around.says(mid) })
    }

    fn reaction(&self, reaction: &Value, around: Around) -> Event {
        if self.is_shop(&around) {
            return Event::Nothing { what: "a reaction of the shop".into() };
        }
        let Some(target) = id(&reaction["mid"]) else {
            return Event::NotUnderstood { why: "reaction.mid: it does not say to what".into() };
        };
        let emoji = match reaction["action"].as_str() {
            Some("unreact") => String::new(),
            _ => match (reaction["emoji"].as_str(), reaction["reaction"].as_str()) {
                (Some(emoji), _) if !emoji.is_empty() => emoji.to_owned(),
                (_, Some(name)) => emoji_of(name).to_owned(),
                (_, None) => return Event::NotUnderstood { why: "reaction: neither emoji nor name".into() },
            },
        };
        let name = format!("reaction:{target}:{}:{}:{emoji}", around.sender, around.at.millis());
        let content = vec![IncomingContent::Content(Content::Reaction { emoji, target: target.clone() })];
        Event::Message(IncomingMessage { content, reply_to: Some(target), ..around.says(name) })
    }

    fn seen(&self, read: &Value, around: Around) -> Event {
        if self.is_shop(&around) {
            return Event::Nothing { what: "the shop looked into the conversation".into() };
        }
        Event::SeenUpTo { thread: around.sender, external_id: id(&read["mid"]), at: around.at }
    }

    /// Somebody opened a conversation that exists already by a link or an advertisement. This opens the reply window like a message does.
    fn came(&self, value: &Value, around: Around) -> Event {
        let Some(referral) = referral(value, around.at) else {
            return Event::NotUnderstood { why: "referral: it says nothing".into() };
        };
        let name = format!("referral:{}:{}", around.sender, around.at.millis());
        // The name that the shop gave its own link is no word of the customer's.
        let (what, url, title) = (referral.kind.clone(), referral.url.clone(), referral.headline.clone());
        let content = vec![IncomingContent::Content(Content::Shared { what, url, title })];
        let metadata = around.metadata(value);
        Event::Message(IncomingMessage { content, referral: Some(referral), metadata, ..around.says(name) })
    }
}

impl Around {
    /// What is worth keeping of the thread: the user name, and what the shop itself called the link or advertisement that was followed.
    fn metadata(&self, referral: &Value) -> Map<String, Value> {
        let own_name = id(&referral["ref"]).filter(|name| !name.trim().is_empty());
        let pairs = [("username", self.username.clone()), ("ref", own_name)];
        pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
    }

    /// A message of theirs, still without what it says.
    fn says(self, external_id: String) -> IncomingMessage {
        let metadata = self.metadata(&Value::Null);
        let name = self.username;
        let address = address(&self.sender);
        IncomingMessage { name, metadata, ..IncomingMessage::new(external_id, self.sender, address, self.at) }
    }
}

fn address(igsid: &str) -> Address {
    Address { connector: "instagram".into(), scheme: "user".into(), value: igsid.to_owned() }
}

fn edited(edit: &Value, at: Timestamp) -> Event {
    let Some(mid) = id(&edit["mid"]) else {
        return Event::NotUnderstood { why: "message_edit.mid: it does not say what was edited".into() };
    };
    // Instagram announces some new messages in this way too; the message itself comes by its own event.
    if edit["num_edit"] == 0 {
        return Event::Nothing { what: "an edit that changed nothing".into() };
    }
    match edit["text"].as_str() {
        Some(text) => {
            Event::Edited { external_id: mid, content: vec![IncomingContent::Content(Content::Text { text: text.to_owned() })], at }
        }
        None => Event::NotUnderstood { why: "message_edit.text: an edit without words".into() },
    }
}

/// The advertisement or ig.me link through which the customer came.
fn referral(value: &Value, at: Timestamp) -> Option<Referral> {
    let text = |value: &Value| id(value).filter(|text| !text.trim().is_empty());
    let fields = value.as_object().filter(|fields| !fields.is_empty())?;
    let ad = &value["ads_context_data"];
    let ad_id = text(&value["ad_id"]);
    let is_ad = ad_id.is_some() || fields.get("source").and_then(Value::as_str).is_some_and(|source| source.eq_ignore_ascii_case("ads"));
    Some(Referral {
        kind: if is_ad { "ad" } else { "link" }.into(),
        source_id: ad_id.or_else(|| text(&value["ref"])),
        // The picture of an advertisement is not its address, and Instagram tells neither that nor its words.
        url: text(&value["referer_uri"]),
        body: None,
        headline: text(&ad["ad_title"]),
        click_id: None,
        at: (at != Timestamp::default()).then_some(at),
    })
}
