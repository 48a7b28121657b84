//! `/hooks/<key>`: where services call us.
//!
//! Verified on the raw bytes, stored, and only then answered: a 200 means that it is on disk. Everything that we cannot keep at the
//! moment (a locked vault, a full disk) is answered so that the service comes again; only what is not from the service is turned away.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;

use super::answer::{self, BodyFailure, read_body};
use super::public::{AskedFor, Public, caller, come_again, nothing, slower};
use crate::arrivals;
use crate::connections::Live;
use crate::connector::{Channel, Forged, Request, Settings};
use crate::model::ConnectionStatus;

/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(20);
/// What a service may send while we look for whom it is meant: the answer then closes the connection.
const RETRY_LOCKED: u64 = 60;
const RETRY_STORE: u64 = 10;

/// One call of a service.
pub async fn hook(State(public): State<Arc<Public>>, request: HttpRequest) -> Response {
    if !matches!(*request.method(), Method::POST | Method::GET) {
        return nothing().await;
    }
    let hub = &public.hub;
    if !hub.is_open_for_business() {
        return come_again(RETRY_LOCKED);
    }
    let from = caller(&request);
    let (key, below) = split(request.uri().path());
    let Some(live) = hub.connections.by_key(key) else {
        return match public.refusals.take(from) {
            Ok(()) => nothing().await,
            Err(wait) => slower(wait),
        };
    };
    let (Some(channel), Some(rules)) = (live.connector.channel(), &live.rules) else { return nothing().await };
    let settings = match &live.settings {
        Ok(settings) if live.connection.status != ConnectionStatus::Paused => settings.clone(),
        _ => return come_again(RETRY_LOCKED),
    };
    let below = below.to_owned();
    let (parts, body) = request.into_parts();
    let body = match read_body(&parts.headers, body, rules.body_limit, BODY_TIME).await {
        Ok(body) => body,
        Err(BodyFailure::TooLarge) => {
            refuse(&public, &live, "too large", from, announced(&parts.headers)).await;
            return answer::typed(StatusCode::PAYLOAD_TOO_LARGE, "text/plain; charset=utf-8", "Too large.\n");
        }
        Err(BodyFailure::Broken) => return answer::typed(StatusCode::REQUEST_TIMEOUT, "text/plain; charset=utf-8", "Too slow.\n"),
    };
    let size = body.len();
    let asked = parts.extensions.get::<AskedFor>().map(|AskedFor(name)| name.as_str()).unwrap_or_default();
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: below,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: lines(&parts.headers),
        url: called_url(&public, asked, &parts.uri),
        body,
    };
    let verdict = if parts.method == Method::GET {
        match challenge(channel, &settings, &request) {
            None => return nothing().await,
            Some(Ok(text)) => return answer::typed(StatusCode::OK, "text/plain; charset=utf-8", text),
            Some(Err(forged)) => Err(forged),
        }
    } else {
        channel.verify(&settings, &request)
    };
    if let Err(Forged(reason)) = verdict {
        if let Err(wait) = public.refusals.take(from) {
            return slower(wait);
        }
        refuse(&public, &live, reason, from, size).await;
        return answer::typed(StatusCode::UNAUTHORIZED, "text/plain; charset=utf-8", "Not verified.\n");
    }
    // After the check, so that nobody but the service itself can use up its own share.
    if let Err(wait) = public.hooks.take(live.connection.id.clone()) {
        return slower(wait);
    }
    match arrivals::accept(hub, &live, request).await {
        Ok(_) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::OK;
            response
        }
        Err(error) => {
            tracing::error!(connection.id = %live.connection.id, error = ?error.source, "A message could not be stored; the service was asked to send it again: {error}");
            come_again(RETRY_STORE)
        }
    }
}

fn challenge(channel: &dyn Channel<Settings>, settings: &Settings, request: &Request) -> Option<Result<String, Forged>> {
    channel.challenge(settings, request)
}

/// The key, and the path below it.
fn split(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix("/hooks/").unwrap_or_default();
    rest.split_once('/').unwrap_or((rest, ""))
}

fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

fn announced(headers: &HeaderMap) -> usize {
    headers.get("content-length").and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The address as the service knows it: services sign it, and a proxy on the way has changed what we see.
fn called_url(public: &Public, asked: &str, uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let base = public.hub.public_base();
    let is_base = base.split_once("://").is_some_and(|(_, host)| host.split('/').next() == Some(asked));
    if is_base || asked.is_empty() { format!("{base}{path}") } else { format!("http://{asked}{path}") }
}

async fn refuse(public: &Public, live: &Live, reason: &'static str, from: std::net::IpAddr, size: usize) {
    let noted = arrivals::refuse(&public.hub, Some(live.connection.id.clone()), reason, from.to_string(), size).await;
    if let Err(error) = noted {
        tracing::warn!(error = ?error, "A refused request could not be noted.");
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn the_key_is_the_first_step_of_the_path() {
        assert_eq!(split("/hooks/abc"), ("abc", ""));
        assert_eq!(split("/hooks/abc/media/1"), ("abc", "media/1"));
        assert_eq!(split("/hooks/"), ("", ""));
        assert_eq!(split("/other"), ("", ""));
    }
}
