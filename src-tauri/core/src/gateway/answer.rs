//! How the doors answer: JSON, an error's sentence in the hub's language, and nothing about our insides.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde_json::json;

use crate::error::{ApiError, Code, Error, Sentence};
use crate::say;

/// A JSON answer.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => typed(status, "application/json", bytes),
        Err(error) => {
            tracing::error!(%error, "An answer could not be written as JSON.");
            typed(StatusCode::INTERNAL_SERVER_ERROR, "application/json", r#"{"error":{"code":"internal","message":""}}"#)
        }
    }
}

/// An answer of one type, never sniffed, never kept.
pub fn typed(status: StatusCode, mime: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An error of the admin side: `{"error":{"code","message","fields"?}}`. What broke inside goes to the log, once, here.
pub fn error(error: &Error, language: &str) -> Response {
    if let Some(source) =
        error.source.as_ref().filter(|_| matches!(error.code, Code::Internal | Code::Corrupt | Code::ReadOnly | Code::DiskFull))
    {
        tracing::error!(error = format!("{source:#}"), "{error}");
    }
    failure(&error.in_language(language))
}

/// An error that has its words already.
pub fn failure(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, &json!({ "error": error }));
    if matches!(error.code, Code::Unavailable | Code::VaultLocked | Code::DiskFull) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// A refusal that is about HTTP rather than about what was asked.
pub fn refusal(status: StatusCode, code: Code, message: &Sentence, language: &str) -> Response {
    json(status, &json!({ "error": { "code": code, "message": message.in_language(language) } }))
}

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyFailure {
    /// More than we take.
    TooLarge,
    /// It did not come in time, or broke off.
    Broken,
}

impl BodyFailure {
    /// As the admin side says it.
    pub fn error(&self) -> Error {
        match self {
            Self::TooLarge => Error::new(Code::TooLarge, say!("This is more than Shopbell takes at once.")),
            Self::Broken => Error::new(Code::Invalid, say!("The request broke off. Try again.")),
        }
    }
}

/// Reads a whole body of at most `limit` bytes within `time`.
pub async fn read_body(headers: &HeaderMap, body: Body, limit: usize, time: Duration) -> Result<Bytes, BodyFailure> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(BodyFailure::TooLarge);
    }
    match tokio::time::timeout(time, Limited::new(body, limit).collect()).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyFailure::TooLarge),
        Ok(Err(_)) | Err(_) => Err(BodyFailure::Broken),
    }
}
