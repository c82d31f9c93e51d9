//! What a client is told when its wish is not met.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::{debug, error};

use crate::errors::chain;
use crate::stores::StoreError;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The request makes no sense.
    Invalid(String),
    /// There is no such thing.
    NotFound(&'static str),
    /// A store failed.
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Invalid(why) => answer(StatusCode::BAD_REQUEST, &why),
            Self::NotFound(what) => answer(StatusCode::NOT_FOUND, &format!("no such {what}")),
            Self::Store(error @ StoreError::Unavailable { .. }) => {
                // The gate logs an outage once; a line for each request that it costs would bury it.
                debug!(error = %chain(&error), "request given up");
                let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, "try again later");
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Self::Store(error) => {
                error!(error = %chain(&error), "request failed");
                answer(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
            }
        }
    }
}

fn answer(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
