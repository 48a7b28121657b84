//! Reading answers within limits, and sorting what went wrong by what to do about it.

use std::error::Error as _;

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use serde::de::DeserializeOwned;

use super::Refused;
use crate::connector::ServiceError;
use crate::say;

/// Whether a call changes something at the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// It only asks; asking again is harmless.
    Reads,
    /// It acts: once it may have been written to the wire, its fate is unknown until there is evidence.
    Acts,
}

/// What a failed exchange means. The text never holds the URL, which may hold a token.
pub fn service_error(error: &reqwest::Error, call: Call) -> ServiceError {
    if let Some(refused) = refusal(error) {
        return ServiceError::Permanent(refused.0.clone());
    }
    if error.is_builder() {
        return ServiceError::Permanent(say!("This request cannot be made. Check the address and the keys for stray characters."));
    }
    if error.is_connect() {
        return ServiceError::Temporary(if error.is_timeout() {
            say!("The service did not answer in time. Check the address and your internet connection.")
        } else {
            say!("The service cannot be reached. Check the address and your internet connection.")
        });
    }
    match call {
        Call::Acts => ServiceError::Ambiguous,
        Call::Reads if error.is_timeout() => {
            ServiceError::Temporary(say!("The service did not answer in time. Check the address and your internet connection."))
        }
        Call::Reads => ServiceError::Temporary(say!("The connection to the service broke. We try again.")),
    }
}

fn refusal(error: &reqwest::Error) -> Option<&Refused> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return Some(refused);
        }
        source = inner.source();
    }
    None
}

/// The whole body, if it is no longer than `limit` bytes.
///
/// # Errors
/// [`ServiceError::Permanent`] when it is longer, else as [`service_error`] says.
pub async fn read_bytes(mut response: Response, limit: usize, call: Call) -> Result<Bytes, ServiceError> {
    let too_long = || ServiceError::Permanent(say!("The service answered with more than we take."));
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_long());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| service_error(&error, call))? {
        if body.len() + chunk.len() > limit {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The body as JSON, if it is no longer than `limit` bytes.
///
/// # Errors
/// As [`read_bytes`]; a body that is not the expected JSON is `Temporary` for a call that reads (a proxy's error page passes) and
/// `Ambiguous` for one that acts.
pub async fn read_json<T: DeserializeOwned>(response: Response, limit: usize, call: Call) -> Result<T, ServiceError> {
    let body = read_bytes(response, limit, call).await?;
    serde_json::from_slice(&body).map_err(|_| match call {
        Call::Acts => ServiceError::Ambiguous,
        Call::Reads => ServiceError::Temporary(say!("The service answered in a way we do not understand. Check the address.")),
    })
}
