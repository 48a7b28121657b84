//! The numbers of an account, and where their messages go.

use reqwest::Method;
use serde_json::Value;
use shopbell_core::connector::{Action, Link, ServiceError};
use shopbell_core::http::Call;
use shopbell_core::say;

use crate::twilio::api::{self, Product};
use crate::twilio::wire::{NumberPage, NumberRow};
use crate::twilio::{Config, number, webhook};

/// This connection's number.
pub async fn find(link: Link<'_, Config>) -> Result<NumberRow, ServiceError> {
    let ours = number(&link.config.phone_number);
    let path = api::of_account(link.config, "IncomingPhoneNumbers.json");
    let request = api::request(link, Method::GET, Product::Api, &path)?.query(&[("PhoneNumber", ours.as_str())]);
    let page: NumberPage = api::send(request, Call::Reads).await?;
    page.incoming_phone_numbers.into_iter().find(|row| row.phone_number.as_deref() == Some(ours.as_str())).ok_or_else(|| ServiceError::Refused {
        action: Action::FixAccount,
        sentence: say!(
            "Your Twilio account has no number {number}. Look under Phone Numbers, Manage, Active numbers in the Twilio Console; a short code must be told by hand there.",
            number = ours
        ),
    })
}

/// Where a number's messages go.
pub fn address(number: &NumberRow) -> Option<&str> {
    number.sms_url.as_deref().filter(|url| !url.is_empty())
}

/// Lets a number's messages come to `hook`. The number's own status callback is left alone: it tells of calls, and every message names
/// its own.
pub async fn register(link: Link<'_, Config>, sid: &str, hook: &str) -> Result<(), ServiceError> {
    let fields = [("SmsUrl", webhook::inbound(hook)), ("SmsMethod", "POST".to_owned())];
    let path = api::of_account(link.config, &format!("IncomingPhoneNumbers/{sid}.json"));
    api::send::<Value>(api::request(link, Method::POST, Product::Api, &path)?.form(&fields), Call::Acts).await?;
    Ok(())
}
