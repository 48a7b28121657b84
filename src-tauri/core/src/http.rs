//! The only outgoing client. It calls the internet over https, and nothing else, but for the one host that a connection's owner typed.
//!
//! Every request passes two gates. [`Client::request`] looks at the address as written (scheme, user name, port, literal IP in any
//! spelling); [`Gate`] looks at what the name resolves to, at the moment of connecting, so that a name cannot change its mind in
//! between. Redirects are never followed by themselves: [`Client::get_following`] sends each hop through both gates again.
//! The environment's proxy variables are not read; a proxy is a setting of the hub.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::{Method, RequestBuilder};
use url::{Host, Url};

use crate::connector::{Fetched, ServiceError};
use crate::error::Sentence;
use crate::say;

mod address;
mod answer;
#[cfg(test)]
mod tests;

pub use answer::{Call, read_bytes, read_json, service_error};

use address::{Class, classify, is_translation_of_public};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a whole exchange may take, unless the request says otherwise (`RequestBuilder::timeout`).
const TOTAL: Duration = Duration::from_secs(30);
/// Redirects followed for a file.
const HOPS: usize = 3;
/// Ports of the internet that we call; another one only where the owner typed it.
const PORTS: [u16; 2] = [443, 8443];

/// What is the same for every outgoing call: our own doors, the proxy, and the clients in use.
pub struct Network {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// Where we listen ourselves; nothing we fetch may lead back to it.
    own: RwLock<Vec<SocketAddr>>,
    proxy: RwLock<Option<Url>>,
    /// Nothing but the hosts that owners typed, and these on this computer alone (the Lab).
    stays_here: bool,
    /// One client (and pool of connections) for the internet (`None`) and one per host that an owner allowed.
    clients: RwLock<HashMap<Option<Origin>, reqwest::Client>>,
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Origin {
    https: bool,
    host: String,
    port: u16,
}

impl Origin {
    fn of(url: &Url) -> Option<Self> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self { https, host: plain_name(url.host_str()?), port: url.port_or_known_default()? })
    }
}

/// A host name as it is compared: without the dot of the root.
fn plain_name(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Why an address may not be called, in words for the owner.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(Sentence);

fn refused(sentence: Sentence) -> ServiceError {
    ServiceError::Permanent(sentence)
}

fn not_allowed(host: &str) -> Sentence {
    say!("{host} is not an address in the internet. Only an address that you typed yourself may be in your own network.", host = host)
}

impl Network {
    /// A network with no doors of our own yet and no proxy.
    pub fn new() -> Self {
        Self { shared: Arc::default() }
    }

    /// A network that leads to stand-ins on this computer and nowhere else.
    pub fn within_this_computer() -> Self {
        Self { shared: Arc::new(Shared { stays_here: true, ..Shared::default() }) }
    }

    /// Closes one of our own listening sockets to every outgoing call.
    pub fn add_own(&self, address: SocketAddr) {
        self.shared.own.write().unwrap_or_else(std::sync::PoisonError::into_inner).push(address);
    }

    /// Uses a proxy (`http://host:port`) for the internet from now on; `None` = none. Hosts that an owner typed and that are in the
    /// own network are called directly.
    ///
    /// # Errors
    /// A sentence when it is not such an address.
    pub fn set_proxy(&self, proxy: Option<&str>) -> Result<(), Sentence> {
        let proxy = match proxy.map(str::trim).filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => {
                let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
                Some(url.ok_or_else(|| say!("A proxy looks like http://host:port."))?)
            }
        };
        *self.shared.proxy.write().unwrap_or_else(std::sync::PoisonError::into_inner) = proxy;
        self.shared.clients.write().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
        Ok(())
    }

    /// A network of its own that goes the same way out and shares no connection with this one. It may call our own doors: only for proving that
    /// a public address leads here.
    #[must_use]
    pub fn apart(&self) -> Self {
        let proxy = RwLock::new(self.shared.proxy());
        Self { shared: Arc::new(Shared { proxy, stays_here: self.shared.stays_here, ..Shared::default() }) }
    }

    /// What one connection may reach: the internet, and the host and port of the `base_url` its owner typed.
    pub fn client(&self, base_url: Option<&str>) -> Client {
        let allowed = base_url.and_then(|text| Url::parse(text.trim()).ok()).as_ref().and_then(Origin::of);
        Client { shared: self.shared.clone(), allowed }
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    /// Whether one of our own sockets listens there. A socket open on every interface is recognised on every private address.
    fn is_own(&self, ip: IpAddr, port: u16) -> bool {
        let own = self.own.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        own.iter().any(|door| door.port() == port && (door.ip() == ip || classify(ip) != Class::Public))
    }

    fn proxy(&self) -> Option<Url> {
        self.proxy.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The client for the internet (`None`), or the one that may also reach `allowed`.
    fn client(self: &Arc<Self>, allowed: Option<&Origin>) -> Result<reqwest::Client, ServiceError> {
        let key = allowed.cloned();
        if let Some(client) = self.clients.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(&key) {
            return Ok(client.clone());
        }
        let client = self.build(key.as_ref()).map_err(|error| {
            tracing::error!(error = ?error, "No outgoing client could be made.");
            refused(say!("This computer has no list of trusted certificates. Install its package ca-certificates, then try again."))
        })?;
        let mut clients = self.clients.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(clients.entry(key).or_insert(client).clone())
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that makes clients")]
    fn build(self: &Arc<Self>, allowed: Option<&Origin>) -> reqwest::Result<reqwest::Client> {
        let proxy = self.proxy().filter(|_| allowed.is_none_or(|origin| !looks_private(&origin.host)));
        let gate = Gate {
            shared: self.clone(),
            allowed: allowed.cloned(),
            proxy_host: proxy.as_ref().and_then(|url| url.host_str().map(plain_name)),
        };
        let mut builder = reqwest::Client::builder()
            .dns_resolver(gate)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(8)
            .user_agent(concat!("Shopbell/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy)?);
        }
        if allowed.is_some_and(|origin| !origin.https) {
            // Plain http to a host in the own network needs no certificates, and many a test machine has none.
            builder = builder.tls_certs_only([]);
        }
        builder.build()
    }
}

/// Whether an address is this computer, as it is written; a name may lead anywhere.
fn is_this_computer(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

/// A name that can only mean the own network (or a literal address there).
fn looks_private(host: &str) -> bool {
    if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return classify(ip) != Class::Public;
    }
    let endings = ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa", "localdomain"];
    !host.contains('.') || endings.iter().any(|ending| host == *ending || host.ends_with(&format!(".{ending}")))
}

/// The second gate: what a name resolves to, at the moment of connecting.
struct Gate {
    shared: Arc<Shared>,
    allowed: Option<Origin>,
    /// The proxy is reached by its name wherever it stands.
    proxy_host: Option<String>,
}

impl Resolve for Gate {
    fn resolve(&self, name: Name) -> Resolving {
        let name = plain_name(name.as_str());
        let shared = self.shared.clone();
        let allowed = self.allowed.clone().filter(|origin| origin.host == name);
        let is_proxy = self.proxy_host.as_ref() == Some(&name);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let plain: Vec<SocketAddr> = found.iter().copied().filter(|address| !is_translation_of_public(address.ip())).collect();
            let judged = if is_proxy { found } else { plain };
            if judged.is_empty() {
                return Err(Refused(not_allowed(&name)).into());
            }
            for address in judged.iter().filter(|_| !is_proxy) {
                judge(&shared, address.ip(), allowed.as_ref(), &name).map_err(Refused)?;
            }
            Ok(Box::new(judged.into_iter()) as Addrs)
        })
    }
}

/// May `ip` be called? `allowed` is the owner's own host if this is it.
fn judge(shared: &Shared, ip: IpAddr, allowed: Option<&Origin>, shown: &str) -> Result<(), Sentence> {
    match (classify(ip), allowed) {
        (Class::Public, None) => Ok(()),
        (Class::Public, Some(origin)) if origin.https => Ok(()),
        (Class::Public, Some(_)) => Err(say!("Use https for {host}: plain http is only for addresses in your own network.", host = shown)),
        (Class::Private, Some(origin)) if shared.is_own(ip, origin.port) => {
            Err(say!("{host} is Shopbell itself. Type the address of the other service.", host = shown))
        }
        (Class::Private, Some(_)) => Ok(()),
        (Class::Private, None) | (Class::Never, _) => Err(not_allowed(shown)),
    }
}

/// What one connection may reach. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    allowed: Option<Origin>,
}

impl Client {
    /// A client that may reach `base_url` besides the internet, with nothing else around it: for tests of a connector against its simulator.
    pub fn for_tests_allowing(base_url: &str) -> Self {
        Network::new().client(Some(base_url))
    }

    /// Begins a request to `url`.
    ///
    /// # Errors
    /// [`ServiceError::Permanent`] when the address may not be called. What its name resolves to is checked when the request is sent.
    pub fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, ServiceError> {
        let (url, allowed) = self.admit(url)?;
        Ok(self.shared.client(allowed)?.request(method, url))
    }

    /// The first gate: the address as written. Gives back the owner's own host if this is it.
    fn admit(&self, text: &str) -> Result<(Url, Option<&Origin>), ServiceError> {
        let url = Url::parse(text).map_err(|_| refused(say!("This is not a web address. It begins with https://.")))?;
        let Some(origin) = Origin::of(&url) else {
            return Err(refused(say!("This is not a web address. It begins with https://.")));
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused(say!("A user name or password may not stand in an address. Use the fields for them.")));
        }
        let allowed = self.allowed.as_ref().filter(|allowed| **allowed == origin);
        let shown = origin.host.as_str();
        if self.shared.stays_here && !(allowed.is_some() && is_this_computer(&url)) {
            return Err(refused(say!("Nothing leaves this computer from the Lab, so {host} is not called.", host = shown)));
        }
        if allowed.is_none() {
            if !origin.https {
                return Err(refused(say!("{host} must be called by https.", host = shown)));
            }
            if !PORTS.contains(&origin.port) {
                return Err(refused(say!(
                    "{host} is to be called on an unusual port. Only an address that you typed yourself may have one.",
                    host = shown
                )));
            }
        }
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        match ip {
            // A resolver never sees a literal address, whatever its spelling: `url` has already read 0x7f.1 as 127.0.0.1.
            Some(ip) => judge(&self.shared, ip, allowed, shown).map_err(refused)?,
            // Behind a proxy it is the proxy that resolves; at least the plainly private names are stopped here.
            None if allowed.is_none() && looks_private(shown) => return Err(refused(not_allowed(shown))),
            None => {}
        }
        Ok((url, allowed))
    }

    /// Fetches a file, following at most three redirects, each through both gates. `headers` (which may hold credentials) go only as long as
    /// the origin stays; so does the permission to call the owner's own host.
    ///
    /// # Errors
    /// [`ServiceError`], by what to do about it. A refusal's words are not the service's: its body is not read.
    pub async fn get_following(&self, url: &str, headers: HeaderMap, limit: usize) -> Result<Fetched, ServiceError> {
        self.get_following_within(url, headers, limit, TOTAL).await
    }

    /// The same for large files: each hop may take `patience`.
    ///
    /// # Errors
    /// As [`Self::get_following`].
    pub async fn get_following_within(
        &self,
        url: &str,
        headers: HeaderMap,
        limit: usize,
        patience: Duration,
    ) -> Result<Fetched, ServiceError> {
        let mut client = self.clone();
        let mut headers = headers;
        let mut here = url.to_owned();
        for _ in 0..=HOPS {
            let (parsed, _) = client.admit(&here)?;
            let response = client
                .request(Method::GET, &here)?
                .headers(headers.clone())
                .timeout(patience)
                .send()
                .await
                .map_err(|error| service_error(&error, Call::Reads))?;
            let status = response.status();
            if status.is_success() {
                let mime = header_text(response.headers(), &header::CONTENT_TYPE);
                return Ok(Fetched { bytes: read_bytes(response, limit, Call::Reads).await?, mime });
            }
            let Some(next) = header_text(response.headers(), &header::LOCATION).filter(|_| status.is_redirection()) else {
                return Err(status_error(status, response.headers()));
            };
            let next = parsed.join(&next).map_err(|_| refused(say!("The service sent us to an address that is none.")))?;
            if Origin::of(&next) != Origin::of(&parsed) {
                headers = HeaderMap::new();
                client.allowed = None;
            }
            here = next.into();
        }
        Err(refused(say!("The service sent us from one address to the next without end.")))
    }
}

fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn status_error(status: reqwest::StatusCode, headers: &HeaderMap) -> ServiceError {
    match status.as_u16() {
        429 => ServiceError::RateLimited {
            retry_after: header_text(headers, &header::RETRY_AFTER).and_then(|text| text.trim().parse().ok()).map(Duration::from_secs),
        },
        401 | 403 => ServiceError::Unauthorized(say!("The service does not let us have this file.")),
        404 | 410 => ServiceError::Permanent(say!("The service no longer has this file.")),
        code @ 500..=599 => ServiceError::Temporary(say!("The service has trouble of its own ({code}). We try again.", code = code)),
        code => ServiceError::Permanent(say!("The service answered with {code}.", code = code)),
    }
}
