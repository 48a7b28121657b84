//! Which websites may show the chat.

use url::Url;

use crate::gateway::hosts::is_loopback_origin;

/// Whether `origin` is on the list: exactly, or below a `https://*.…` of it. With an empty list: pages on this computer alone. A page
/// without an origin of its own ("null": a file, a sandbox) never is.
pub fn allows(list: &[String], origin: &str) -> bool {
    let Some(origin) = plain(origin) else { return false };
    if list.is_empty() {
        return is_loopback_origin(&origin);
    }
    list.iter().any(|allowed| match allowed.split_once("://*.") {
        None => plain(allowed).as_deref() == Some(origin.as_str()),
        Some((scheme, rest)) => origin
            .strip_prefix(scheme)
            .and_then(|host| host.strip_prefix("://"))
            .and_then(|host| host.strip_suffix(rest))
            .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
    })
}

/// An origin as browsers write it; `None` for what is not one.
fn plain(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let bare =
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    bare.then(|| url.origin().ascii_serialization())
}

/// The list as a Content-Security-Policy writes it (`frame-ancestors`). Browsers know no IPv6 addresses there.
pub fn policy(list: &[String]) -> String {
    if list.is_empty() {
        return "'self' http://localhost:* https://localhost:* http://127.0.0.1:* https://127.0.0.1:* http://*.localhost:*".into();
    }
    // Each entry was checked when it was saved; whatever could end the directive is left out all the same.
    let safe = list.iter().filter(|origin| !origin.contains([' ', ';', ',', '\'', '"', '\r', '\n']));
    std::iter::once("'self'").chain(safe.map(String::as_str)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_of_origins() {
        let none: &[String] = &[];
        let list = ["https://shop.example".to_owned(), "http://shop.example:8080".into(), "https://*.wide.example".into()];
        let table: &[(&[String], &str, bool)] = &[
            (none, "http://localhost:5000", true),
            (none, "http://127.0.0.1", true),
            (none, "http://[::1]:80", true),
            (none, "https://shop.example", false),
            (none, "http://localhost.evil.example", false),
            (none, "null", false),
            (none, "", false),
            (none, "file://", false),
            (&list, "https://shop.example", true),
            (&list, "https://shop.example:443", true),
            (&list, "http://shop.example:8080", true),
            (&list, "http://shop.example", false),
            (&list, "https://shop.example:8443", false),
            (&list, "https://www.shop.example", false),
            (&list, "https://shop.example.evil.example", false),
            (&list, "https://evilshop.example", false),
            (&list, "https://a.wide.example", true),
            (&list, "https://a.b.wide.example", true),
            (&list, "https://wide.example", false),
            (&list, "https://evilwide.example", false),
            (&list, "http://a.wide.example", false),
            (&list, "https://a.wide.example:8443", false),
            (&list, "http://localhost:5000", false),
            (&list, "null", false),
            (&list, "https://shop.example@evil.example", false),
            (&list, "https://shop.example/path", false),
        ];
        for (list, origin, expected) in table {
            assert_eq!(allows(list, origin), *expected, "{origin} with {list:?}");
        }
    }
}
