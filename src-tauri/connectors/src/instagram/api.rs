//! One call of the Graph API at Instagram's or at Facebook's address, and what Instagram's own refusals mean.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use shopbell_core::connector::{Action, Link, ServiceError};
use shopbell_core::http::Call;
use shopbell_core::say;
use url::Url;

use super::{Config, Flavour, GRAPH_VERSION};
use crate::meta::graph::{self, Failure, Refusal};
use crate::settings;

/// Where accounts that signed in themselves are served.
const INSTAGRAM: &str = "https://graph.instagram.com";

/// The reply window is over, by any of the numbers that Meta has had for it.
const WINDOW_CLOSED: [i64; 3] = [2_534_022, 2_018_278, 2_018_065];
/// No such person, as far as this account is concerned.
const NO_SUCH_PERSON: [i64; 2] = [2_534_014, 2_018_001];
/// The person blocked the shop, or closed the account.
const NOT_AVAILABLE: i64 = 1_545_041;

/// Begins a call to the account's own side of the API.
pub fn request(link: Link<'_, Config>, method: Method, path: &[&str], query: &[(&str, &str)]) -> Result<RequestBuilder, ServiceError> {
    let usual = match link.config.flavour {
        Flavour::InstagramLogin => INSTAGRAM,
        Flavour::FacebookPage => graph::ADDRESS,
    };
    let url = address(link.config, usual, path, query)?;
    Ok(link.http.request(method, &url)?.bearer_auth(link.config.access_token.reveal().trim()))
}

/// Begins a call in the name of the app itself. Apps live at Facebook's address whichever way the account is connected.
pub fn app_request(link: Link<'_, Config>, secret: &str, path: &[&str], query: &[(&str, &str)]) -> Result<RequestBuilder, ServiceError> {
    let url = address(link.config, graph::ADDRESS, path, query)?;
    Ok(link.http.request(Method::GET, &url)?.bearer_auth(format!("{}|{}", link.config.app(), secret.trim())))
}

fn address(config: &Config, usual: &str, path: &[&str], query: &[(&str, &str)]) -> Result<String, ServiceError> {
    let not_an_address = || ServiceError::Permanent(say!("This is not a web address. It begins with https://."));
    let mut url = Url::parse(settings::base(config.base_url.as_deref(), usual)).map_err(|_| not_an_address())?;
    // Each piece is escaped: an id that came from outside cannot lead to another place of the API.
    url.path_segments_mut()
        .map_err(|()| not_an_address())?
        .pop_if_empty()
        .push(settings::given(config.graph_version.as_deref()).unwrap_or(GRAPH_VERSION))
        .extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url.into())
}

/// Asks something.
pub async fn get(link: Link<'_, Config>, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Failure> {
    graph::exchange(request(link, Method::GET, path, query)?, Call::Reads).await
}

/// What a failure means, Instagram's own codes first.
pub fn meaning(failure: Failure) -> ServiceError {
    match failure {
        Failure::Error(error) => error,
        Failure::Refused(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &Refusal) -> ServiceError {
    let refuse = |action, sentence| ServiceError::Refused { action, sentence };
    if is_window_closed(refusal) {
        return refuse(
            Action::UseTemplate,
            say!("The 24 hours in which Instagram lets a shop answer are over. Wait until the customer writes again."),
        );
    }
    if refusal.code == 551 || refusal.subcode == NOT_AVAILABLE {
        return refuse(Action::Unreachable, say!("Instagram cannot reach this customer now. They may have blocked the shop or closed their account."));
    }
    if NO_SUCH_PERSON.contains(&refusal.subcode) {
        return refuse(Action::Unreachable, say!("Instagram does not know this customer any more. They have to write to the shop first."));
    }
    if refusal.code == 230 {
        return refuse(Action::GrantPermission, say!("Instagram does not let the shop do this before the customer has written to it."));
    }
    refusal.general()
}

/// Whether the time for answers is over.
pub fn is_window_closed(refusal: &Refusal) -> bool {
    WINDOW_CLOSED.contains(&refusal.subcode) || WINDOW_CLOSED.contains(&refusal.code)
}

/// Whether it was the shape of the call that was refused, so that another shape may do. Nothing was done.
pub fn is_shape(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code == 100 && !NO_SUCH_PERSON.contains(&refusal.subcode))
}
