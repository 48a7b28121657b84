//! Opening an address outside: in the system's browser or mail program, and nothing else.
//!
//! Links in the window come from customers and from models. A `file:` address, or one of the many schemes that start programs,
//! would turn a click into more than a page.

use shopbell_core::error::{ApiError, Code};
use tauri::{AppHandle, Runtime, Url};
use tauri_plugin_opener::OpenerExt;

use super::words::{self, Say};

/// The longest address that is opened.
const LONGEST: usize = 8 * 1024;

/// `address`, if it is one that may be opened outside: `https`, `http` to this computer alone, or `mailto`.
pub fn allowed(address: &str) -> Option<Url> {
    if address.len() > LONGEST || address.chars().any(char::is_control) {
        return None;
    }
    let url = Url::parse(address).ok()?;
    match url.scheme() {
        "https" => url.host_str().filter(|host| !host.is_empty())?,
        // The widget's test page, which our own public server serves.
        "http" => url.host_str().filter(|host| matches!(*host, "127.0.0.1" | "localhost" | "[::1]"))?,
        "mailto" => "",
        _ => return None,
    };
    // Names before an @ make an address look like another one's.
    (url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// Opens `address` in the system's browser or mail program.
///
/// # Errors
/// `forbidden` for any other kind of address, `internal` when the system has nothing to open it with.
pub fn open<R: Runtime>(app: &AppHandle<R>, address: &str) -> Result<(), ApiError> {
    let Some(url) = allowed(address) else {
        return Err(refusal(Code::Forbidden, Say::LinkRefused, words::language()));
    };
    app.opener().open_url(url.as_str(), None::<&str>).map_err(|error| {
        tracing::warn!(error = %error, "The system did not open a link.");
        refusal(Code::Internal, Say::LinkUnopened, words::language())
    })
}

/// A refusal in `language`.
fn refusal(code: Code, what: Say, language: &str) -> ApiError {
    ApiError { code, message: what.in_language(language).to_owned(), fields: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_said_in_the_language_of_the_desktop() {
        for (language, word) in [("pt-BR", "endereços"), ("es", "direcciones"), ("en", "addresses")] {
            let refusal = refusal(Code::Forbidden, Say::LinkRefused, language);
            assert!(refusal.message.contains(word), "{language}: {}", refusal.message);
        }
    }

    #[test]
    fn web_pages_and_mail_are_opened() {
        for address in ["https://example.com/a?b#c", "mailto:ana@example.com", "http://127.0.0.1:7411/widget", "http://[::1]:7411/"] {
            assert!(allowed(address).is_some(), "{address}");
        }
    }

    #[test]
    fn nothing_that_starts_a_program_is_opened() {
        for address in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/html,hi",
            "shopbell://oauth/callback",
            "vscode://x",
            "smb://host/share",
            "http://example.com/",
            "https://",
            "https://bank.example@evil.example/",
            "https://example.com/\nX",
            "ms-msdt:/id",
            "",
        ] {
            assert!(allowed(address).is_none(), "{address}");
        }
        assert!(allowed(&format!("https://example.com/{}", "a".repeat(LONGEST))).is_none());
    }
}
