//! `/hooks/<key>`: where services call us; `/hooks/<family>/<app>`: the one callback of an app that several connections share.
//!
//! Verified on the raw bytes, stored, and only then answered: a 200 means that it is on disk. Everything that we cannot keep at the
//! moment (a locked vault, a full disk) is answered so that the service comes again; only what is not from the service is turned away.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;

use super::answer::{self, BodyFailure, read_body};
use super::public::{AskedFor, Public, caller, come_again, nothing, slower};
use crate::connections::Live;
use crate::connector::{Channel, Forged, Request, Settings};
use crate::model::ConnectionStatus;
use crate::{arrivals, canary};

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
    let Some((callback, below)) = meant(&public, request.uri().path()) else {
        return match public.refusals.take(from) {
            Ok(()) => nothing().await,
            Err(wait) => slower(wait),
        };
    };
    let (parts, body) = request.into_parts();
    let body = match read_body(&parts.headers, body, callback.body_limit(), public.body_time).await {
        Ok(body) => body,
        Err(BodyFailure::TooLarge) => {
            refuse(&public, callback.only(), "too large", from, announced(&parts.headers)).await;
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
    let concerned = match callback.judge(&request) {
        Judged::Nothing => return nothing().await,
        Judged::NotReady => return come_again(RETRY_LOCKED),
        Judged::Challenge(text) => return answer::typed(StatusCode::OK, "text/plain; charset=utf-8", text),
        Judged::Forged(reason) => {
            if let Err(wait) = public.refusals.take(from) {
                return slower(wait);
            }
            refuse(&public, callback.only(), reason, from, size).await;
            return answer::typed(StatusCode::UNAUTHORIZED, "text/plain; charset=utf-8", "Not verified.\n");
        }
        Judged::Concerns(concerned) => concerned,
    };
    let ours = request.header(canary::HEADER).is_some_and(|mark| hub.tunnel.proof.is_mark(mark));
    if ours {
        // Our own call, signed as the service signs: the way is whole, and there is nothing to be kept.
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        return answer;
    }
    if concerned.is_empty() {
        // A number of the same app that this hub does not serve: dropped and counted.
        refuse(&public, None, "meant for none of the connections here", from, size).await;
        return Response::new(Body::empty());
    }
    // After the check, so that nobody but the service itself can use up its own share.
    for live in &concerned {
        if let Err(wait) = public.hooks.take(live.connection.id.clone()) {
            return slower(wait);
        }
    }
    match arrivals::accept(hub, &concerned, request).await {
        Ok(()) => Response::new(Body::empty()),
        Err(error) => {
            tracing::error!(error = ?error.source, "A message could not be stored; the service was asked to send it again: {error}");
            come_again(RETRY_STORE)
        }
    }
}

/// Whose callback a request came to.
enum Callback {
    /// One connection's own.
    Own(Arc<Live>),
    /// That of an app which several connections share.
    Shared(Vec<Arc<Live>>),
}

/// What is to be done with a request.
enum Judged {
    /// There is nothing here for it.
    Nothing,
    /// The connection cannot take it at the moment.
    NotReady,
    /// The service asks whether the hook is ours; the answer.
    Challenge(String),
    /// It is not the service's.
    Forged(&'static str),
    /// It is for these connections.
    Concerns(Vec<Arc<Live>>),
}

/// Finds the callback of a path, and the path below it.
fn meant(public: &Public, path: &str) -> Option<(Callback, String)> {
    let (key, below) = split(path);
    if let Some(live) = public.hub.connections.by_key(key) {
        live.rules.as_ref()?;
        return Some((Callback::Own(live), below.to_owned()));
    }
    let (app, below) = below.split_once('/').unwrap_or((below, ""));
    let sharing = public.hub.connections.sharing(key, app);
    (!sharing.is_empty()).then(|| (Callback::Shared(sharing), below.to_owned()))
}

impl Callback {
    fn body_limit(&self) -> usize {
        let limit = |live: &Arc<Live>| live.rules.as_ref().map_or(0, |rules| rules.body_limit);
        match self {
            Self::Own(live) => limit(live),
            Self::Shared(sharing) => sharing.iter().map(limit).max().unwrap_or(0),
        }
    }

    /// The connection a refusal is noted for, where it is one alone.
    fn only(&self) -> Option<&Arc<Live>> {
        match self {
            Self::Own(live) => Some(live),
            Self::Shared(sharing) => sharing.first().filter(|_| sharing.len() == 1),
        }
    }

    fn judge(&self, request: &Request) -> Judged {
        match self {
            Self::Own(live) => {
                let Some(channel) = live.connector.channel() else { return Judged::Nothing };
                match &live.settings {
                    Ok(settings) if live.connection.status != ConnectionStatus::Paused => match checked(channel, settings, request) {
                        Judged::Concerns(_) => Judged::Concerns(vec![live.clone()]),
                        other => other,
                    },
                    _ => Judged::NotReady,
                }
            }
            Self::Shared(sharing) => shared(sharing, request),
        }
    }
}

/// One request for all who share a callback. Each takes only what it has verified itself: a connection with a wrong secret gets nothing and
/// spoils nothing.
fn shared(sharing: &[Arc<Live>], request: &Request) -> Judged {
    let mut concerned = Vec::new();
    let (mut verified, mut refused) = (false, Judged::NotReady);
    for live in sharing {
        let (Some(channel), Ok(settings)) = (live.connector.channel(), &live.settings) else { continue };
        match checked(channel, settings, request) {
            Judged::Concerns(_) => {
                verified = true;
                if channel.concerns(settings, request) {
                    concerned.push(live.clone());
                }
            }
            Judged::Challenge(text) => return Judged::Challenge(text),
            other => refused = other,
        }
    }
    if verified { Judged::Concerns(concerned) } else { refused }
}

fn checked(channel: &dyn Channel<Settings>, settings: &Settings, request: &Request) -> Judged {
    if request.method == "GET" {
        return match channel.challenge(settings, request) {
            None => Judged::Nothing,
            Some(Ok(text)) => Judged::Challenge(text),
            Some(Err(Forged(reason))) => Judged::Forged(reason),
        };
    }
    match channel.verify(settings, request) {
        Ok(()) => Judged::Concerns(Vec::new()),
        Err(Forged(reason)) => Judged::Forged(reason),
    }
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

async fn refuse(public: &Public, live: Option<&Arc<Live>>, reason: &'static str, from: std::net::IpAddr, size: usize) {
    let connection = live.map(|live| live.connection.id.clone());
    let noted = arrivals::refuse(&public.hub, connection, reason, from.to_string(), size).await;
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
