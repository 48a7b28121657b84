//! Files that customers send: where a file is holds for five minutes, so it is asked for at the moment of fetching.

use reqwest::header::{AUTHORIZATION, HeaderMap};
use shopbell_core::connector::{Fetched, Link, ServiceError};
use shopbell_core::http::Call;
use shopbell_core::say;

use super::{Config, api};
use crate::meta::graph::{self, Failure, Refusal};
use crate::meta::whatsapp::{Allowed, download, inspect, is_plain_id};

/// Where Meta keeps files; the token goes to these alone.
const HOSTS: &[&str] = &["fbsbx.com", "facebook.com"];

/// Gets a file by its id.
pub async fn fetch(link: Link<'_, Config>, reference: &str) -> Result<Fetched, ServiceError> {
    if !is_plain_id(reference) {
        return Err(gone());
    }
    match fetch_once(link, reference).await {
        // The link had run out: a fresh one is asked for once.
        Err(Failure::Refused(refusal)) if is_gone(&refusal) => fetch_once(link, reference).await.map_err(error),
        result => result.map_err(error),
    }
}

async fn fetch_once(link: Link<'_, Config>, reference: &str) -> Result<Fetched, Failure> {
    let door = api::door(link)?;
    let number = link.config.phone_number_id.trim();
    let question = door.request(reqwest::Method::GET, &api::address(link.config, &format!("{reference}?phone_number_id={number}")))?;
    let found = inspect(&graph::exchange(question, Call::Reads).await?)?;
    let key = HeaderMap::from_iter([(AUTHORIZATION, door.key.1.clone())]);
    download(link.http, &found, Allowed { hosts: HOSTS, base: api::base(link.config) }, &key).await
}

/// Neither the file nor the link to it is there any more.
fn is_gone(refusal: &Refusal) -> bool {
    matches!(refusal.status, 404 | 410) || (refusal.code == 100 && refusal.subcode == 33)
}

fn error(failure: Failure) -> ServiceError {
    match failure {
        Failure::Refused(refusal) if is_gone(&refusal) => gone(),
        Failure::Refused(refusal) => api::refused(&refusal),
        Failure::Error(error) => error,
    }
}

fn gone() -> ServiceError {
    ServiceError::Permanent(say!("WhatsApp no longer has this file."))
}
