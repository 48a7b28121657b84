//! Files that customers send. 360dialog passes on Meta's link, which works only through its own host.
//!
//! More than five failed questions for files in an hour lock a number's files for an hour: a refusal is final, and after four of them
//! nothing is asked until the hour is over.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use shopbell_core::clock::Timestamp;
use shopbell_core::connector::{Fetched, Link, ServiceError};
use shopbell_core::http::Call;
use shopbell_core::say;
use url::Url;

use super::{Config, api};
use crate::loopback::lock;
use crate::meta::graph::{self, Failure, Refusal};
use crate::meta::whatsapp::{Allowed, download, inspect, is_plain_id};

/// Failures in an hour after which nothing is asked.
const MOST: usize = 4;
const HOUR: Duration = Duration::from_secs(3600);

/// When questions for files failed, by connection.
#[derive(Default)]
pub struct Failures(Mutex<HashMap<String, Vec<Timestamp>>>);

impl Failures {
    /// How long to wait before the next question.
    fn wait(&self, connection: &str, now: Timestamp) -> Option<Duration> {
        let mut failures = lock(&self.0);
        let times = failures.get_mut(connection)?;
        times.retain(|at| now.since(*at) < HOUR);
        let free_at = times.len().checked_sub(MOST).map(|first| times[first].plus(HOUR));
        free_at.map(|free_at| free_at.since(now))
    }

    fn add(&self, connection: &str, now: Timestamp) {
        let mut failures = lock(&self.0);
        let times = failures.entry(connection.to_owned()).or_default();
        times.push(now);
        let surplus = times.len().saturating_sub(MOST);
        times.drain(..surplus);
    }
}

/// Gets a file by its id.
pub async fn fetch(link: Link<'_, Config>, failures: &Failures, reference: &str) -> Result<Fetched, ServiceError> {
    if !is_plain_id(reference) {
        return Err(gone());
    }
    let connection = link.connection.id.as_str();
    if let Some(wait) = failures.wait(connection, link.clock.now()) {
        return Err(ServiceError::RateLimited { retry_after: Some(wait) });
    }
    match once(link, reference).await {
        Err(Failure::Refused(refusal)) if (400..500).contains(&refusal.status) => {
            failures.add(connection, link.clock.now());
            Err(meaning(&refusal))
        }
        result => result.map_err(|failure| match failure {
            Failure::Refused(refusal) => api::refused(&refusal),
            Failure::Error(error) => error,
        }),
    }
}

async fn once(link: Link<'_, Config>, reference: &str) -> Result<Fetched, Failure> {
    let door = api::door(link)?;
    let question = door.request(Method::GET, &api::address(link.config, reference))?;
    let mut found = inspect(&api::read(&graph::answer(question, Call::Reads).await?, Call::Reads)?)?;
    found.url = through(api::base(link.config), &found.url)?;
    let key = HeaderMap::from_iter([door.key.clone()]);
    download(link.http, &found, Allowed { hosts: &[], base: api::base(link.config) }, &key).await
}

/// Meta's link with the seller's scheme and host: the key is the seller's and means nothing elsewhere.
fn through(base: &str, link: &str) -> Result<String, ServiceError> {
    let elsewhere = || ServiceError::Permanent(say!("This file is said to be at an address that is not WhatsApp's. It was not fetched."));
    let link = Url::parse(link).map_err(|_| elsewhere())?;
    if !matches!(link.scheme(), "http" | "https") {
        return Err(elsewhere());
    }
    let base = Url::parse(base).map_err(|_| elsewhere())?;
    let query = link.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{}{}{query}", base.origin().ascii_serialization(), link.path()))
}

/// A refusal is never tried again, but for a key that may be mended and a limit that passes.
fn meaning(refusal: &Refusal) -> ServiceError {
    match api::refused(refusal) {
        error @ (ServiceError::Unauthorized(_) | ServiceError::RateLimited { .. }) => error,
        _ if matches!(refusal.status, 404 | 410) || refusal.subcode == 33 => gone(),
        error => ServiceError::Permanent(error.sentence()),
    }
}

fn gone() -> ServiceError {
    ServiceError::Permanent(say!("WhatsApp no longer has this file."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_goes_through_the_sellers_host() {
        let link = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=133&ext=1664537344&hash=ATtB";
        let right = "https://waba-v2.360dialog.io/whatsapp_business/attachments/?mid=133&ext=1664537344&hash=ATtB";
        assert_eq!(through(api::ADDRESS, link).unwrap(), right);
        assert_eq!(through("http://127.0.0.1:4010/v1", "https://evil.example/x").unwrap(), "http://127.0.0.1:4010/x");
        assert!(through(api::ADDRESS, "file:///etc/passwd").is_err());
        assert!(through(api::ADDRESS, "//").is_err());
    }

    #[test]
    fn nothing_is_asked_after_four_failures_in_an_hour() {
        let failures = Failures::default();
        let start = Timestamp::from_seconds(1_000_000);
        for minute in 0..4 {
            assert_eq!(failures.wait("c", start), None);
            failures.add("c", start.plus(Duration::from_secs(minute * 60)));
        }
        let later = start.plus(Duration::from_secs(600));
        assert_eq!(failures.wait("c", later), Some(Duration::from_secs(3000)), "until the first is an hour old");
        assert_eq!(failures.wait("other", later), None);
        assert_eq!(failures.wait("c", start.plus(HOUR)), None);
    }
}
