//! Under which names a door may be asked for, and from which pages.
//!
//! A page in the owner's browser may make any name resolve to 127.0.0.1 (DNS rebinding); what it cannot forge is the `Host` header, which
//! still says that name. So each door answers only to names that are its own. `Origin` says which page makes a request.

use std::net::{IpAddr, SocketAddr};
use std::sync::RwLock;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use url::Url;

/// The names of one door.
pub struct Hosts {
    bound: SocketAddr,
    /// Host, or host and port, in lower case: the public address, the tunnel's.
    more: RwLock<Vec<String>>,
}

impl Hosts {
    /// The names of a door that listens on `bound`: this computer's loopback names, and the address itself.
    pub fn of(bound: SocketAddr) -> Self {
        Self { bound, more: RwLock::default() }
    }

    /// Answers to the host of `url` from now on as well; replaces nothing.
    pub fn add(&self, url: &str) {
        let Some(host) = Url::parse(url).ok().and_then(|url| authority(&url)) else { return };
        let mut more = self.more.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !more.contains(&host) {
            more.push(host);
        }
    }

    /// Stops answering to the host of `url` (a tunnel that is gone).
    pub fn remove(&self, url: &str) {
        let Some(host) = Url::parse(url).ok().and_then(|url| authority(&url)) else { return };
        self.more.write().unwrap_or_else(std::sync::PoisonError::into_inner).retain(|name| *name != host);
    }

    /// The name under which a request asks for this door, if that is one of ours.
    pub fn admit(&self, headers: &HeaderMap, uri: &Uri) -> Option<String> {
        self.admit_or(headers, uri, |_| false)
    }

    /// The same, where `also` knows of further names.
    pub fn admit_or(&self, headers: &HeaderMap, uri: &Uri, also: impl FnOnce(&str) -> bool) -> Option<String> {
        let asked: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
        // A request line with a whole address must name the same host, or it means to mislead somebody on the way.
        if uri.authority().is_some_and(|line| *line != asked) || asked.as_str().contains('@') {
            return None;
        }
        let name = asked.as_str().to_ascii_lowercase();
        let own_port = asked.port_u16().unwrap_or(80) == self.bound.port();
        let own = own_port && self.is_own_host(asked.host());
        let known = own || self.more.read().unwrap_or_else(std::sync::PoisonError::into_inner).contains(&name);
        (known || also(&name)).then_some(name)
    }

    /// Whether `url` leads to `name`.
    pub fn leads_to(url: &str, name: &str) -> bool {
        Url::parse(url).ok().and_then(|url| authority(&url)).as_deref() == Some(name)
    }

    fn is_own_host(&self, host: &str) -> bool {
        if host.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
            return true;
        }
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            // Open on every interface: any literal address that led here is ours, and a literal cannot be rebound.
            Ok(ip) => ip.is_loopback() || ip == self.bound.ip() || self.bound.ip().is_unspecified(),
            Err(_) => false,
        }
    }

    /// Whether `origin` is a page of this door itself, asked for as `name`.
    pub fn is_own_origin(origin: &str, name: &str) -> bool {
        Url::parse(origin).ok().filter(|url| url.path() == "/" && url.query().is_none()).and_then(|url| authority(&url)).as_deref()
            == Some(name)
    }
}

/// Host, and port unless it is the scheme's own.
fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?.to_ascii_lowercase();
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

/// Whether `origin` is a page on this computer.
pub fn is_loopback_origin(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else { return false };
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    matches!(url.scheme(), "http" | "https") && loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(host: &str) -> bool {
        let hosts = Hosts::of("127.0.0.1:7411".parse().unwrap());
        hosts.add("https://shop.example.com/");
        hosts.add("http://shop.example.com:8443");
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        hosts.admit(&headers, &Uri::from_static("/")).is_some()
    }

    #[test]
    fn a_door_answers_to_its_own_names_alone() {
        for own in [
            "127.0.0.1:7411",
            "localhost:7411",
            "LOCALHOST:7411",
            "[::1]:7411",
            "shop.example.com",
            "Shop.Example.com",
            "shop.example.com:8443",
        ] {
            assert!(asks(own), "{own}");
        }
        for foreign in [
            "evil.example",
            "127.0.0.1:7410",
            "127.0.0.1",
            "localhost",
            "evil.example:7411",
            "shop.example.com:7411",
            "shop.example.com.evil.example",
            "10.0.0.1:7411",
            "a@127.0.0.1:7411",
            "127.0.0.1.nip.io:7411",
            "",
        ] {
            assert!(!asks(foreign), "{foreign}");
        }
        let hosts = Hosts::of("127.0.0.1:7411".parse().unwrap());
        assert!(hosts.admit(&HeaderMap::new(), &Uri::from_static("/")).is_none(), "no name at all");
    }

    #[test]
    fn pages_on_this_computer_are_told_from_all_others() {
        for origin in ["http://localhost", "http://localhost:5173", "http://127.0.0.1:8000", "https://[::1]:1", "http://shop.localhost"] {
            assert!(is_loopback_origin(origin), "{origin}");
        }
        for origin in
            ["null", "", "file://", "http://localhost.evil.example", "http://evil.example", "http://10.0.0.1", "http://127.0.0.1.nip.io"]
        {
            assert!(!is_loopback_origin(origin), "{origin}");
        }
        assert!(Hosts::is_own_origin("http://127.0.0.1:7410", "127.0.0.1:7410"));
        assert!(!Hosts::is_own_origin("http://127.0.0.1:7411", "127.0.0.1:7410"));
        assert!(!Hosts::is_own_origin("null", "127.0.0.1:7410"));
    }
}
