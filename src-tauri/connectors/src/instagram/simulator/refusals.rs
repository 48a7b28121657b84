//! How Meta says no.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use shopbell_core::connector::Fault;

/// A refusal: HTTP status, code, subcode, words.
pub struct Refusal(pub u16, pub i64, pub i64, pub String);

impl Refusal {
    /// A parameter or path that does not fit.
    pub fn parameter(words: &str) -> Self {
        Self(400, 100, 0, format!("(#100) {words}"))
    }

    /// Code and subcode that Meta answers with, and the status that goes with them.
    pub fn of_code(code: i64) -> Self {
        let (status, code, subcode, words) = match code {
            10 | 2_534_022 => (403, 10, 2_534_022, "(#10) This message is sent outside of allowed window."),
            2_534_014 => (400, 10, 2_534_014, "(#10) The requested user cannot be found."),
            2_018_001 => (400, 100, 2_018_001, "(#100) No matching user found."),
            551 => (400, 551, 1_545_041, "(#551) This person isn't available right now."),
            190 => (401, 190, 463, "Error validating access token: Session has expired."),
            4 | 17 | 32 | 613 | 80_002 => (400, code, 0, "Calls to this api have exceeded the rate limit."),
            200 => (403, 200, 0, "(#200) Requires instagram_business_manage_messages permission to manage the object."),
            230 => (400, 230, 0, "User consent is required to access user profile"),
            1 => (500, 1, 0, "An unknown error occurred"),
            2 => (500, 2, 0, "Service temporarily unavailable"),
            other => (400, other, 0, "Refused"),
        };
        Self(status, code, subcode, words.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, subcode, words) = self;
        let mut error = json!({ "message": words, "type": "IGApiException", "code": code, "fbtrace_id": "A1b2C3d4E5f6G7h8" });
        if subcode != 0 {
            error["error_subcode"] = subcode.into();
        }
        if matches!(code, 1 | 2) {
            error["is_transient"] = true.into();
        }
        answer(status, &json!({ "error": error }))
    }
}

/// An answer in JSON.
pub fn answer(status: u16, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}

/// A fault in Meta's own way.
pub fn of_fault(fault: &Fault) -> Response {
    match fault {
        Fault::RateLimit(wait) => {
            let mut response = Refusal::of_code(613).into_response();
            if wait.as_secs() < 60 {
                // Its own field counts in minutes; a shorter wait is said as any server says it.
                response.headers_mut().insert(axum::http::header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
                return response;
            }
            let usage = json!({ "17841400000000000": [{ "type": "instagram", "call_count": 100, "total_cputime": 25, "total_time": 25,
                "estimated_time_to_regain_access": wait.as_secs().div_ceil(60).max(1) }] });
            if let Ok(value) = HeaderValue::from_str(&usage.to_string()) {
                response.headers_mut().insert("x-business-use-case-usage", value);
            }
            response
        }
        Fault::Unauthorized => Refusal(401, 190, 0, "Invalid OAuth access token - Cannot parse access token".into()).into_response(),
        Fault::Refuse(words) => Refusal(400, 36_007, 0, words.clone()).into_response(),
        Fault::Code(code) => Refusal::of_code(*code).into_response(),
        Fault::MediaGone => {
            let mut response = Response::new(Body::from("URL signature expired"));
            *response.status_mut() = StatusCode::FORBIDDEN;
            response
        }
        Fault::ServerError | Fault::CutAfter | Fault::CutBefore | Fault::Slow(_) => Refusal::of_code(2).into_response(),
    }
}
