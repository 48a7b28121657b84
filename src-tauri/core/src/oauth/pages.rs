//! The pages on which a browser ends after signing in. They are the same for everybody, repeat nothing of the address, and are not kept.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::error::Sentence;
use crate::hub::Hub;
use crate::id::FlowId;
use crate::say;

/// What stands on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// The answer was taken. In the desktop's browser a link leads back to the window.
    Taken(Option<FlowId>),
    /// Nobody waits for it.
    Unexpected,
}

impl Page {
    fn words(&self) -> (Sentence, Sentence) {
        match self {
            Self::Taken(_) => (say!("You can close this page"), say!("Go back to Shopbell: it says how the sign-in ended.")),
            Self::Unexpected => {
                (say!("This page has nothing to do"), say!("Nobody is signing in with this answer (any more). Start again in Shopbell."))
            }
        }
    }

    /// As an answer.
    pub fn answer(&self, hub: &Hub) -> Response {
        let (title, text) = self.words();
        let back = match self {
            // An id of ours, made of letters and digits.
            Self::Taken(Some(flow)) => {
                let words = hub.say(&say!("Open Shopbell"));
                format!("<p><a href=\"shopbell://oauth/done?flow={flow}\">{words}</a></p>")
            }
            Self::Taken(None) | Self::Unexpected => String::new(),
        };
        let language = hub.language();
        let (title, text) = (hub.say(&title), hub.say(&text));
        let html = format!(
            "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
             <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:18vh auto;padding:0 1.5rem}}h1{{font-size:1.5rem}}</style>\
             <main><h1>{title}</h1><p>{text}</p>{back}</main></html>"
        );
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = match self {
            Self::Taken(_) => StatusCode::OK,
            Self::Unexpected => StatusCode::NOT_FOUND,
        };
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
