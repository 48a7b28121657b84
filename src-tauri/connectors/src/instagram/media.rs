//! Files that customers send: short-lived links to Meta's own servers, fetched without any credential.

use http::HeaderMap;
use shopbell_core::connector::{Fetched, Link, ServiceError};
use shopbell_core::say;
use url::Url;

use super::{Config, FILE};
use crate::settings;

/// Where Meta keeps what customers send. A link to anywhere else is not a file of Instagram's.
const HOSTS: [&str; 3] = ["fbsbx.com", "cdninstagram.com", "fbcdn.net"];

/// Whether a link leads to one of Meta's file servers, or to the address that the owner typed.
pub fn is_media_link(config: &Config, link: &str) -> bool {
    let Ok(url) = Url::parse(link) else { return false };
    if let Some(typed) = settings::given(config.base_url.as_deref()).and_then(|typed| Url::parse(typed).ok())
        && typed.origin() == url.origin()
    {
        return true;
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    url.scheme() == "https" && HOSTS.iter().any(|known| host.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// Gets a file by its link.
pub async fn fetch(link: Link<'_, Config>, reference: &str) -> Result<Fetched, ServiceError> {
    if !is_media_link(link.config, reference) {
        return Err(ServiceError::Permanent(say!("This file does not lie at Instagram, so it was not fetched.")));
    }
    let gone = || ServiceError::Permanent(say!("Instagram no longer has this file. Stories and links to files live for a short time only."));
    let limit = usize::try_from(FILE).unwrap_or(usize::MAX);
    match link.http.get_following(reference, HeaderMap::new(), limit).await {
        // A page instead of a file: the link was good once.
        Ok(fetched) if fetched.mime.as_deref().is_some_and(|mime| mime.starts_with("text/html")) => Err(gone()),
        Ok(fetched) => Ok(fetched),
        // No credential was sent: what is refused is the link's own signature, which has run out.
        Err(ServiceError::Unauthorized(_)) => Err(gone()),
        Err(error) => Err(error),
    }
}
