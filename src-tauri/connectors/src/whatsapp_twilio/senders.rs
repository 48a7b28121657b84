//! The WhatsApp senders of an account, and where their messages go.

use reqwest::Method;
use serde_json::{Value, json};
use shopbell_core::connector::{Action, Link, ServiceError};
use shopbell_core::http::Call;
use shopbell_core::say;
use url::Url;

use super::LINE;
use crate::twilio::api::{self, Product};
use crate::twilio::wire::{SenderPage, SenderRow};
use crate::twilio::{Config, number, webhook};

const PATH: &str = "/v2/Channels/Senders";
/// Pages of senders that are looked through.
const PAGES: usize = 20;

/// The sender of this connection's number.
pub async fn find(link: Link<'_, Config>) -> Result<SenderRow, ServiceError> {
    let ours = LINE.full(&number(&link.config.phone_number));
    let mut query = "Channel=whatsapp&PageSize=100".to_owned();
    for _ in 0..PAGES {
        let request = api::request(link, Method::GET, Product::Messaging, &format!("{PATH}?{query}"))?;
        let page: SenderPage = api::send(request, Call::Reads).await?;
        if let Some(sender) = page.senders.into_iter().find(|sender| sender.sender_id.as_deref() == Some(ours.as_str())) {
            return Ok(sender);
        }
        // Of the next page's address only its query is believed.
        let next = page.meta.next_page_url.and_then(|url| Url::parse(&url).ok()?.query().map(str::to_owned));
        let Some(next) = next.filter(|next| *next != query) else { break };
        query = next;
    }
    Err(ServiceError::Refused {
        action: Action::FixAccount,
        sentence: say!(
            "Your Twilio account has no WhatsApp sender with the number {number}. Register it in the Twilio Console under Messaging, Senders, WhatsApp senders.",
            number = number(&link.config.phone_number)
        ),
    })
}

/// Where a sender's messages go.
pub fn address(sender: &SenderRow) -> Option<&str> {
    sender.webhook.as_ref()?.callback_url.as_deref().filter(|url| !url.is_empty())
}

/// Lets a sender's messages come to `hook`.
pub async fn register(link: Link<'_, Config>, sid: &str, hook: &str) -> Result<(), ServiceError> {
    let body = json!({ "webhook": {
        "callback_url": webhook::inbound(hook),
        "callback_method": "POST",
        "status_callback_url": webhook::status(hook),
        "status_callback_method": "POST",
    }});
    let request = api::request(link, Method::POST, Product::Messaging, &format!("{PATH}/{sid}"))?.json(&body);
    api::send::<Value>(request, Call::Acts).await?;
    Ok(())
}
