//! What comes back from the browser: read strictly, whichever way it came. Anybody can make such a link, so nothing is believed of it but
//! that it may know a state.

use url::Url;

use super::LONGEST_LINK;
use crate::error::{Code, Error, Result};
use crate::id::FlowId;
use crate::say;
use crate::secret::Secret;

/// The address at which links of our own scheme bring an answer.
pub const LINK: &str = "shopbell://oauth/callback";
/// The path of the answer everywhere else.
pub const PATH: &str = "/oauth/callback";

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// What it must know.
    pub state: Secret,
    /// The code, or the service's name of what went wrong.
    pub outcome: Outcome,
    /// Who answers, where it says so.
    pub issuer: Option<String>,
}

/// A code or an error.
#[derive(Debug)]
pub enum Outcome {
    /// The code.
    Code(Secret),
    /// An error: its name, and more words.
    Error(String, String),
}

/// A link of our own scheme.
#[derive(Debug)]
pub enum Link {
    /// An answer.
    Answer(Answer),
    /// The page of an answer that came to the public address wants the window in front.
    Done(FlowId),
}

fn unexpected() -> Error {
    Error::not_found(say!("Nobody is signing in with this answer (any more). Start again in Shopbell."))
}

/// Reads the parameters of an answer.
///
/// # Errors
/// [`Code::NotFound`] when it is none.
pub fn parameters(query: &str) -> Result<Answer> {
    if query.len() > LONGEST_LINK {
        return Err(unexpected());
    }
    let (mut state, mut code, mut error, mut words, mut issuer) = (None, None, None, String::new(), None);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let twice = match name.as_ref() {
            "state" => state.replace(Secret::new(value)).is_some(),
            "code" => code.replace(Secret::new(value)).is_some(),
            "error" => error.replace(value.into_owned()).is_some(),
            "iss" => issuer.replace(value.into_owned()).is_some(),
            "error_description" => {
                words = value.into_owned();
                false
            }
            _ => false,
        };
        if twice {
            return Err(unexpected());
        }
    }
    let state = state.filter(|state| !state.is_empty()).ok_or_else(unexpected)?;
    let outcome = match (code.filter(|code| !code.is_empty()), error) {
        (_, Some(error)) => Outcome::Error(error, words),
        (Some(code), None) => Outcome::Code(code),
        (None, None) => return Err(unexpected()),
    };
    Ok(Answer { state, outcome, issuer })
}

/// Reads a link of our own scheme.
///
/// # Errors
/// [`Code::NotFound`] when it is none that means anything.
pub fn link(text: &str) -> Result<Link> {
    let url = parsed(text)?;
    if url.scheme() != "shopbell" || url.host_str() != Some("oauth") || url.port().is_some() || !url.username().is_empty() {
        return Err(unexpected());
    }
    match url.path() {
        "/callback" => parameters(url.query().unwrap_or_default()).map(Link::Answer),
        "/done" => {
            let flow = url.query_pairs().find(|(name, _)| name == "flow").map(|(_, flow)| FlowId::from(flow.as_ref()));
            flow.map(Link::Done).ok_or_else(unexpected)
        }
        _ => Err(unexpected()),
    }
}

/// Reads an address that a person pasted, whichever of the three ways it was meant for. Gives also where it leads, without the answer, to be
/// compared with where it should have led.
///
/// # Errors
/// [`Code::Invalid`] with what to paste instead.
pub fn pasted(text: &str) -> Result<(Answer, String)> {
    let wrong = || {
        Error::field(
            "address",
            say!("This is not the address of the last page. Copy all of it from the browser's address line; it has the word code in it."),
        )
    };
    let url = parsed(text.trim()).map_err(|_| wrong())?;
    let query = url.query().unwrap_or_default().to_owned();
    let answer = parameters(&query).map_err(|_| wrong())?;
    let mut plain = url;
    plain.set_query(None);
    plain.set_fragment(None);
    Ok((answer, plain.into()))
}

fn parsed(text: &str) -> Result<Url> {
    if text.len() > LONGEST_LINK || text.chars().any(char::is_control) {
        return Err(unexpected());
    }
    Url::parse(text).map_err(|_| unexpected())
}

/// Whether an error says only that nobody waits for this.
pub fn is_unexpected(error: &Error) -> bool {
    matches!(error.code, Code::NotFound | Code::Conflict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_with_its_signs_decoded() {
        let answer = parameters("code=4%2F0Ab+c%2Bd&state=s%2Dt&scope=a+b&iss=https%3A%2F%2Fas.example").unwrap();
        assert_eq!(answer.state.reveal(), "s-t");
        assert_eq!(answer.issuer.as_deref(), Some("https://as.example"));
        assert!(matches!(answer.outcome, Outcome::Code(code) if code.reveal() == "4/0Ab c+d"));
        let denied = parameters("error=access_denied&error_description=No&state=s").unwrap();
        assert!(matches!(denied.outcome, Outcome::Error(name, words) if name == "access_denied" && words == "No"));
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for query in ["", "state=s", "code=c", "state=&code=c", "state=s&code=", "state=a&state=b&code=c", "state=s&code=a&code=b"] {
            assert!(parameters(query).is_err(), "{query}");
        }
        assert!(parameters(&format!("state=s&code={}", "x".repeat(LONGEST_LINK))).is_err());
    }

    #[test]
    fn only_links_of_ours_that_mean_something_are_taken() {
        assert!(matches!(link("shopbell://oauth/callback?state=s&code=c").unwrap(), Link::Answer(_)));
        assert!(matches!(link("shopbell://oauth/done?flow=flw_1").unwrap(), Link::Done(flow) if flow.as_str() == "flw_1"));
        let long = format!("shopbell://oauth/callback?state=s&code={}", "a".repeat(100 * 1024));
        for other in [
            "https://oauth/callback?state=s&code=c",
            "javascript:alert(1)//oauth/callback?state=s&code=c",
            "shopbell://evil/callback?state=s&code=c",
            "shopbell://oauth/callback/../done?state=s&code=c",
            "shopbell://oauth/settings?state=s&code=c",
            "shopbell://oauth:99/callback?state=s&code=c",
            "shopbell://me@oauth/callback?state=s&code=c",
            "shopbell:oauth/callback?state=s&code=c",
            "shopbell://oauth/callback",
            "shopbell://oauth/done",
            "shopbell://oauth/callback?state=s&code=c\n",
            "",
            &long,
        ] {
            assert!(link(other).is_err(), "{}", &other[..other.len().min(80)]);
        }
    }

    #[test]
    fn a_pasted_address_is_taken_with_its_blanks_and_fragment() {
        let (answer, place) = pasted("  http://127.0.0.1:5123/oauth/callback?state=s&code=c#_\n").unwrap();
        assert_eq!((answer.state.reveal(), place.as_str()), ("s", "http://127.0.0.1:5123/oauth/callback"));
        for wrong in ["", "hello", "https://accounts.example/consent", "http://127.0.0.1:1/oauth/callback"] {
            assert_eq!(pasted(wrong).unwrap_err().fields[0].0, "address", "{wrong}");
        }
    }
}
