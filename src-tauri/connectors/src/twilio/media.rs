//! Files that customers send. Twilio asks for the account's credentials and then leads on to a store elsewhere, which must not see them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use shopbell_core::connector::{Fetched, Link, ServiceError};
use shopbell_core::say;
use url::Url;

use super::api::{self, Product};
use super::{Config, Line, never};

/// Gets a file by its address, or by its path at Twilio.
pub async fn fetch(line: &Line, link: Link<'_, Config>, reference: &str) -> Result<Fetched, ServiceError> {
    let home = api::base(link.config, Product::Api);
    let address = if reference.starts_with('/') { format!("{home}{reference}") } else { reference.to_owned() };
    let Ok(url) = Url::parse(&address) else {
        return Err(never(say!("The message names a file, but not where it is.")));
    };
    let headers = if is_twilios(&url, &home) { credentials(link.config)? } else { HeaderMap::new() };
    let limit = usize::try_from(line.largest).unwrap_or(usize::MAX);
    match link.http.get_following(url.as_str(), headers, limit).await {
        // One file that we may not have says nothing about the account.
        Err(ServiceError::Unauthorized(sentence)) => Err(ServiceError::Permanent(sentence)),
        result => result,
    }
}

/// Whether the account's credentials may go there: to Twilio, or to where the owner said that Twilio is.
fn is_twilios(url: &Url, home: &str) -> bool {
    let at_twilio = url.scheme() == "https" && url.host_str().is_some_and(|host| host == "twilio.com" || host.ends_with(".twilio.com"));
    at_twilio || Url::parse(home).is_ok_and(|home| home.origin() == url.origin())
}

fn credentials(config: &Config) -> Result<HeaderMap, ServiceError> {
    let pair = STANDARD.encode(format!("{}:{}", config.account(), config.auth_token.reveal().trim()));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}"))
        .map_err(|_| never(say!("This request cannot be made. Check the address and the keys for stray characters.")))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_to_twilio_and_nowhere_else() {
        let allowed = |url: &str| is_twilios(&Url::parse(url).unwrap(), "https://api.twilio.com");
        assert!(allowed("https://api.twilio.com/2010-04-01/Accounts/AC/Messages/MM/Media/ME"));
        assert!(allowed("https://mcs.us1.twilio.com/v1/x"));
        for url in [
            "http://api.twilio.com/x",
            "https://twilio.com.evil.example/x",
            "https://eviltwilio.com/x",
            "https://evil.example/?api.twilio.com",
            "https://s3-external-1.amazonaws.com/media.twiliocdn.com/x",
            "http://127.0.0.1:7410/",
        ] {
            assert!(!allowed(url), "{url}");
        }
        let home = "http://127.0.0.1:4010";
        assert!(is_twilios(&Url::parse("http://127.0.0.1:4010/x").unwrap(), home));
        assert!(!is_twilios(&Url::parse("http://127.0.0.1:4011/x").unwrap(), home), "another door of this computer");
    }
}
