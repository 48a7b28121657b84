//! Choices as Twilio's own contents: buttons or a list. Inside an open conversation they need nobody's approval.
//!
//! A content is made once for the same choices and used again with other words above them; its name tells what is in it, so that it is
//! found again after a restart. Facts: <https://www.twilio.com/docs/content/content-types-overview>; the limits are WhatsApp's.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shopbell_core::connector::{Link, ServiceError, TextUnit};
use shopbell_core::http::Call;
use shopbell_core::model::Choice;
use shopbell_core::text::length;
use url::Url;

use super::Config;
use super::api::{self, Product, base};
use super::wire::PageMeta;
use crate::spelled;

/// How many buttons there may be.
pub const BUTTONS: u32 = 3;
/// How much fits on one, in characters.
pub const BUTTON: u32 = 20;
/// How many rows a list may have.
pub const ROWS: u32 = 10;
/// How much fits on one, in characters.
pub const ROW: u32 = 24;
/// How much fits under one, in characters.
const DESCRIPTION: usize = 72;
/// The longest words above them.
const BODY: usize = 1024;
/// The longest id of a choice.
const ID: usize = 200;
/// Our contents are known by the beginning of their name.
const PREFIX: &str = "shopbell-";
/// Pages of contents that are looked through for ours.
const PAGES: usize = 5;
/// How many contents are remembered; more are looked for or made again.
const REMEMBERED: usize = 1000;

/// The contents that are known, by where Twilio is, account and name. A name without content stands for "the account was looked through".
static KNOWN: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

/// What a content was made for.
pub struct Wanted {
    name: String,
    types: Value,
    variables: Value,
}

impl Wanted {
    /// `None` where the choices fit neither buttons nor a list: then they are words.
    pub fn of(text: &str, options: &[Choice], thread: &str) -> Option<Self> {
        let text = text.trim();
        let is_sound = |option: &Choice| option.url.is_none() && (1..=ID).contains(&option.id.len());
        let is_alone = |index: usize, option: &Choice| options[..index].iter().all(|other| other.label != option.label);
        let sound = options.iter().enumerate().all(|(index, option)| is_sound(option) && is_alone(index, option));
        if !sound || text.is_empty() || text.contains("{{") || length(text, TextUnit::Chars) > BODY {
            return None;
        }
        // A variable takes one line; words of several stand in the content itself.
        let (body, variables) = if text.contains('\n') { (text, Value::Null) } else { ("{{1}}", json!({ "1": text })) };
        let types = buttons(body, options).or_else(|| list(body, options, thread))?;
        let digest = Sha256::digest(types.to_string());
        Some(Self { name: format!("{PREFIX}{}", hex::encode(&digest[..12])), types, variables })
    }

    /// The fields of a message that shows it.
    ///
    /// # Errors
    /// As a call to Twilio.
    pub async fn fields(&self, link: Link<'_, Config>) -> Result<Vec<(&'static str, String)>, ServiceError> {
        let mut fields = vec![("ContentSid", self.sid(link).await?)];
        if !self.variables.is_null() {
            fields.push(("ContentVariables", self.variables.to_string()));
        }
        Ok(fields)
    }

    async fn sid(&self, link: Link<'_, Config>) -> Result<String, ServiceError> {
        if let Some(sid) = known(&key(link, &self.name)) {
            return Ok(sid);
        }
        let looked = key(link, "");
        if known(&looked).is_none() {
            for content in ours(link).await? {
                remember(key(link, &content.friendly_name), content.sid);
            }
            remember(looked, String::new());
        }
        if let Some(sid) = known(&key(link, &self.name)) {
            return Ok(sid);
        }
        let asked = json!({ "friendly_name": self.name, "language": "en", "variables": { "1": "…" }, "types": self.types });
        let request = api::request(link, Method::POST, Product::Content, "/v1/Content")?.json(&asked);
        // Made twice it would lie there twice and harm nobody: it may be tried again.
        let made: Content = api::send(request, Call::Reads).await?;
        remember(key(link, &self.name), made.sid.clone());
        Ok(made.sid)
    }

    /// Forgets the content: Twilio does not have it any more, or does not show it.
    pub fn forget(&self, link: Link<'_, Config>) {
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(link, &self.name));
    }
}

fn key(link: Link<'_, Config>, name: &str) -> String {
    format!("{} {} {name}", base(link.config, Product::Content), link.config.account())
}

fn known(key: &str) -> Option<String> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
}

fn remember(key: String, sid: String) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(key, sid);
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    contents: Vec<Content>,
    meta: PageMeta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    sid: String,
    friendly_name: String,
}

/// The contents that were made here before.
async fn ours(link: Link<'_, Config>) -> Result<Vec<Content>, ServiceError> {
    let mut query = "PageSize=500".to_owned();
    let mut found = Vec::new();
    for _ in 0..PAGES {
        let page: Page =
            api::send(api::request(link, Method::GET, Product::Content, &format!("/v1/Content?{query}"))?, Call::Reads).await?;
        found.extend(page.contents.into_iter().filter(|content| content.friendly_name.starts_with(PREFIX) && !content.sid.is_empty()));
        // Of the next page's address only its query is believed.
        let next = page.meta.next_page_url.and_then(|url| Url::parse(&url).ok()?.query().map(str::to_owned));
        let Some(next) = next.filter(|next| *next != query) else { break };
        query = next;
    }
    Ok(found)
}

fn fits(options: &[Choice], most: u32, label: u32) -> bool {
    options.len() <= most as usize && options.iter().all(|option| (1..=label as usize).contains(&length(&option.label, TextUnit::Chars)))
}

fn buttons(body: &str, options: &[Choice]) -> Option<Value> {
    let plain = options.iter().all(|option| option.described().is_none());
    (plain && !options.is_empty() && fits(options, BUTTONS, BUTTON)).then(|| {
        let actions = options.iter().map(|option| json!({ "title": option.label, "id": option.id }));
        json!({ "twilio/quick-reply": { "body": body, "actions": actions.collect::<Vec<_>>() } })
    })
}

fn list(body: &str, options: &[Choice], thread: &str) -> Option<Value> {
    // A description that is cut may lose the price: longer ones go as words.
    let told = options.iter().filter_map(Choice::described).all(|text| length(text, TextUnit::Chars) <= DESCRIPTION);
    (told && !options.is_empty() && fits(options, ROWS, ROW)).then(|| {
        let items = options.iter().map(|option| {
            let mut item = json!({ "item": option.label, "id": option.id });
            if let Some(description) = option.described() {
                item["description"] = description.into();
            }
            item
        });
        json!({ "twilio/list-picker": { "body": body, "button": spelled::choose(thread), "items": items.collect::<Vec<_>>() } })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(count: usize, label: &str) -> Vec<Choice> {
        (0..count).map(|n| Choice { id: format!("c{n}"), label: format!("{label}{n}"), url: None, description: None }).collect()
    }

    fn kind(text: &str, options: &[Choice]) -> Option<String> {
        Wanted::of(text, options, "+5511999990000").map(|wanted| wanted.types.as_object().unwrap().keys().next().unwrap().clone())
    }

    #[test]
    fn choices_take_the_best_form_that_they_fit() {
        assert_eq!(kind("Qual?", &options(3, "Pão ")).as_deref(), Some("twilio/quick-reply"));
        assert_eq!(kind("Qual?", &options(4, "Pão ")).as_deref(), Some("twilio/list-picker"));
        assert_eq!(kind("Qual?", &options(2, "Pão de queijo recheado ")).as_deref(), Some("twilio/list-picker"));
        assert_eq!(kind("Qual?", &options(11, "Pão ")), None);
        assert_eq!(kind("Qual?", &options(2, &"x".repeat(24))), None);
        assert_eq!(kind("", &options(2, "Pão ")), None);
        assert_eq!(kind(&"x".repeat(1025), &options(2, "Pão ")), None);
        assert_eq!(kind("a {{1}} b", &options(2, "Pão ")), None, "our words are no gaps");
        let mut twice = options(2, "Pão ");
        twice[1].label = twice[0].label.clone();
        assert_eq!(kind("Qual?", &twice), None);
        let mut link = options(2, "Pão ");
        link[1].url = Some("https://x.example".into());
        assert_eq!(kind("Qual?", &link), None);
    }

    #[test]
    fn the_same_choices_are_one_content_under_any_words_of_one_line() {
        let wanted = |text: &str| Wanted::of(text, &options(2, "Pão "), "+5511999990000").unwrap();
        assert_eq!(wanted("Qual?").name, wanted("E agora?").name);
        assert_ne!(wanted("Qual?").name, wanted("Duas\nlinhas").name);
        assert!(wanted("Duas\nlinhas").variables.is_null());
    }
}
