//! The conversations as Instagram keeps them: for polling, and to look up whether a message arrived.
//!
//! Details are given of the twenty newest messages of a conversation, and twice a second at most.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Link, Outgoing, Receipt, ServiceError};
use shopbell_core::model::Content;

use super::account::{self, Own};
use super::parse::id;
use crate::markdown::plain::plain;
use super::{Config, api};

/// What is asked of a message; the narrow form is for accounts that refuse one of the others.
const WIDE: &str = "messages{id,created_time,from,to,message,attachments,shares,story,is_unsupported}";
const NARROW: &str = "messages{id,created_time,from,to,message,attachments}";
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(550);
/// How much Instagram's clock may be behind ours for a message to be the one that we sent.
const SLACK: Duration = Duration::from_secs(5);

/// Reads conversations.
pub struct Archive<'a> {
    link: Link<'a, Config>,
    own: Own,
    narrow: AtomicBool,
}

/// A conversation in the list.
pub struct Listed {
    /// Its id, good for the next question alone.
    pub id: String,
    /// When something was last said; `None` where the service does not tell.
    pub updated: Option<Timestamp>,
}

impl<'a> Archive<'a> {
    /// Asks who the account is, so that its own messages are told from the customers'.
    pub async fn open(link: Link<'a, Config>) -> Result<Self, ServiceError> {
        Ok(Self { link, own: account::own(link).await?, narrow: AtomicBool::new(false) })
    }

    /// One page of conversations, the one with the newest message first, and where the next page begins.
    pub async fn list(&self, customer: Option<&str>, after: Option<&str>) -> Result<(Vec<Listed>, Option<String>), ServiceError> {
        let mut query = vec![("platform", "instagram"), ("fields", "id,updated_time"), ("limit", "25")];
        query.extend(customer.map(|customer| ("user_id", customer)));
        query.extend(after.map(|after| ("after", after)));
        let answer = api::get(self.link, &["me", "conversations"], &query).await.map_err(api::meaning)?;
        let rows = answer["data"].as_array().into_iter().flatten();
        let listed = rows.filter_map(|row| Some(Listed { id: id(&row["id"])?, updated: moment(&row["updated_time"]) })).collect();
        let next = answer["paging"]["cursors"]["after"].as_str().filter(|_| answer["paging"]["next"].is_string()).map(str::to_owned);
        Ok((listed, next))
    }

    /// The newest messages of a conversation, newest first.
    pub async fn newest(&self, conversation: &str) -> Result<Vec<Value>, ServiceError> {
        tokio::time::sleep(PAUSE).await;
        let ask = async |fields: &str| api::get(self.link, &[conversation], &[("fields", fields)]).await;
        let answer = if self.narrow.load(Ordering::Relaxed) {
            ask(NARROW).await
        } else {
            match ask(WIDE).await {
                Err(failure) if api::is_shape(&failure) => {
                    self.narrow.store(true, Ordering::Relaxed);
                    ask(NARROW).await
                }
                answer => answer,
            }
        };
        let answer = answer.map_err(api::meaning)?;
        Ok(answer["messages"]["data"].as_array().cloned().unwrap_or_default())
    }

    fn is_ours(&self, person: &Value) -> bool {
        let known = [Some(self.link.config.account()), self.own.user_id.as_deref(), self.own.scoped_id.as_deref()];
        let by_id = id(&person["id"]).is_some_and(|id| known.contains(&Some(id.as_str())));
        by_id || person["username"].as_str().is_some_and(|name| self.own.username.as_deref() == Some(name))
    }

    /// A message as a webhook would have brought it, so that both are read by the same code and have the same name; `None` for one that
    /// names nobody.
    pub fn as_webhook(&self, message: &Value) -> Option<Value> {
        let mid = id(&message["id"])?;
        let account = self.link.config.account();
        let (from, to) = (&message["from"], &message["to"]["data"][0]);
        let echo = self.is_ours(from);
        let customer = if echo { to } else { from };
        let mut person = json!({ "id": id(&customer["id"])? });
        if let Some(username) = customer["username"].as_str() {
            person["username"] = username.into();
        }
        let mut told = json!({ "mid": mid });
        if let Some(text) = message["message"].as_str().filter(|text| !text.is_empty()) {
            told["text"] = text.into();
        }
        let attachments = attachments(message);
        if !attachments.is_empty() {
            told["attachments"] = attachments.into();
        }
        let answered = &message["story"]["reply_to"];
        if answered.is_object() {
            told["reply_to"] = json!({ "story": { "id": answered["id"], "url": answered["link"] } });
        }
        if message["is_unsupported"] == true {
            told["is_unsupported"] = true.into();
        }
        let shop = json!({ "id": account });
        let (sender, recipient) = if echo { (shop, person) } else { (person, shop) };
        if echo {
            told["is_echo"] = true.into();
        }
        let at = moment(&message["created_time"]).unwrap_or_default().millis();
        let event = json!({ "sender": sender, "recipient": recipient, "timestamp": at, "message": told });
        Some(json!({ "object": "instagram", "entry": [{ "id": account, "time": at, "messaging": [event] }] }))
    }
}

/// Files and shares in the words of webhooks.
fn attachments(message: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for one in message["attachments"]["data"].as_array().into_iter().flatten() {
        let link = |name: &str| one[name]["url"].as_str().or_else(|| one[name].as_str());
        let mime = one["mime_type"].as_str().unwrap_or_default();
        let (kind, url) = if let Some(url) = link("image_data") {
            ("image", url)
        } else if let Some(url) = link("video_data") {
            ("video", url)
        } else if let Some(url) = link("audio_data") {
            ("audio", url)
        } else if let Some(url) = link("file_url") {
            (if mime.starts_with("audio/") { "audio" } else { "file" }, url)
        } else if one["generic_template"].is_object() {
            found.push(json!({ "type": "template", "payload": { "elements": [one["generic_template"]] } }));
            continue;
        } else {
            found.push(json!({ "type": "unsupported_type", "payload": {} }));
            continue;
        };
        found.push(json!({ "type": kind, "payload": { "url": url, "title": one["name"] } }));
    }
    for share in message["shares"]["data"].as_array().into_iter().flatten() {
        found.push(json!({ "type": "share", "payload": { "url": share["link"], "title": share["name"] } }));
    }
    let mention = &message["story"]["mention"];
    if mention.is_object() {
        found.push(json!({ "type": "story_mention", "payload": { "url": mention["link"] } }));
    }
    found
}

/// "2025-11-20T15:00:00+0000", or seconds.
pub fn moment(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_i64().or_else(|| value.as_str()?.parse().ok()) {
        return Some(Timestamp::from_seconds(seconds));
    }
    let read = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%z", value.as_str()?).ok()?;
    Some(Timestamp::from_millis(read.to_timestamp().ok()?.as_millisecond()))
}

/// Was it sent? The echo tells it by itself where webhooks come; the conversation's newest messages tell it everywhere.
pub async fn reconcile(link: Link<'_, Config>, message: &Outgoing) -> Result<Option<Receipt>, ServiceError> {
    let Some(since) = message.delivery.made_at() else { return Ok(None) };
    let text = match &message.content {
        Content::Text { text } | Content::Choices { text, .. } | Content::AskLocation { text } => Some(plain(text)),
        Content::Media { .. } => None,
        // What was said in other words than these cannot be recognised.
        Content::Location { .. }
        | Content::Contacts { .. }
        | Content::Chosen { .. }
        | Content::Reaction { .. }
        | Content::Template { .. }
        | Content::Order { .. }
        | Content::Form { .. }
        | Content::Shared { .. }
        | Content::Unsupported { .. }
        | Content::Event { .. } => return Ok(None),
    };
    let archive = Archive::open(link).await?;
    let (conversations, _) = archive.list(Some(&message.thread), None).await?;
    let Some(conversation) = conversations.first() else { return Ok(None) };
    let newest = archive.newest(&conversation.id).await?;
    let ours = newest.iter().filter(|said| {
        let words = said["message"].as_str().unwrap_or_default().trim();
        let is_late_enough = moment(&said["created_time"]).is_some_and(|at| at.plus(SLACK) >= since);
        let is_same = match &text {
            Some(text) => words == text.trim(),
            None => words.is_empty() && said["attachments"]["data"].as_array().is_some_and(|files| !files.is_empty()),
        };
        archive.is_ours(&said["from"]) && is_late_enough && is_same
    });
    let mut found: Vec<String> = ours.filter_map(|said| id(&said["id"])).collect();
    // Two files look alike here: which of them is ours cannot be told.
    if text.is_none() && found.len() > 1 {
        return Ok(None);
    }
    found.truncate(1);
    Ok(found.pop().map(|external_id| Receipt { external_id }))
}
