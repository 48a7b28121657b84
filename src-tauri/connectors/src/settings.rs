//! What the settings of many connectors have in common.

use shopbell_core::error::Sentence;
use shopbell_core::say;
use shopbell_core::secret::Secret;
use url::{Host, Url};

/// The address of the service: what the owner typed under Advanced, or `usual`; without a slash at the end.
pub fn base<'a>(typed: Option<&'a str>, usual: &'a str) -> &'a str {
    given(typed).unwrap_or(usual).trim_end_matches('/')
}

/// A text of an optional field; blank counts as nothing.
pub fn given(typed: Option<&str>) -> Option<&str> {
    typed.map(str::trim).filter(|text| !text.is_empty())
}

/// What is wrong with a typed key: nothing there, or signs that no key has (a whole sentence pasted by mistake).
pub fn check_key(field: &str, key: &Secret) -> Option<(String, Sentence)> {
    let key = key.reveal().trim();
    if key.is_empty() {
        return Some((field.to_owned(), say!("This is needed.")));
    }
    let is_plain = key.len() <= 1000 && key.bytes().all(|byte| byte.is_ascii_graphic());
    (!is_plain).then(|| (field.to_owned(), say!("A key has no spaces or accents. Copy it again.")))
}

/// What is wrong with a typed `base_url`.
pub fn check_base_url(typed: Option<&str>) -> Option<(String, Sentence)> {
    let text = given(typed)?;
    let wrong = |sentence| Some(("base_url".to_owned(), sentence));
    let Ok(url) = Url::parse(text) else {
        return wrong(say!("This is not a web address. It begins with https://."));
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return wrong(say!("This is not a web address. It begins with https://."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(say!("A user name or password may not stand in an address. Use the fields for them."));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong(say!("Leave out everything from ? or # on."));
    }
    if url.scheme() == "http" && !may_be_private(&url) {
        return wrong(say!("Use https: plain http is only for addresses in your own network."));
    }
    None
}

/// Whether the host may be in the owner's own network. The outgoing client has the last word, when it knows the address.
fn may_be_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.octets()[0] == 100,
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.to_ipv4_mapped().is_some(),
        Some(Host::Domain(name)) => {
            let endings = ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa", "localdomain"];
            !name.contains('.') || endings.iter().any(|ending| name == *ending || name.ends_with(&format!(".{ending}")))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_https_or_in_the_own_network() {
        for good in ["https://api.example.com/v1", "http://localhost:11434/v1", "http://192.168.1.7:8080", "http://nas:1234/", "  ", ""] {
            assert_eq!(check_base_url(Some(good)), None, "{good}");
        }
        for bad in ["http://api.example.com", "ftp://example.com", "example.com", "https://a:b@example.com", "https://example.com/?a=b"] {
            assert!(check_base_url(Some(bad)).is_some(), "{bad}");
        }
        assert_eq!(base(Some("https://x.example/v1/"), "https://usual"), "https://x.example/v1");
        assert_eq!(base(Some(" "), "https://usual"), "https://usual");
    }
}
