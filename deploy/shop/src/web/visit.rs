//! Who asks, until when they wait, and what they send.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::refusal::Refusal;
use crate::app::Shop;
use crate::stores::deadline::Deadline;

/// Whose shop it is when the request does not say.
const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

/// One request's context.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit {
    /// The tenant, from the header `X-Tenant`; the first one without it.
    pub(crate) tenant: &'static str,
    /// How long the request may wait for stores.
    pub(crate) deadline: Deadline,
}

impl FromRequestParts<Arc<Shop>> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shop: &Arc<Shop>) -> Result<Self, Refusal> {
        let tenant = match parts.headers.get("x-tenant") {
            None => TENANTS[0],
            Some(wanted) => {
                TENANTS.into_iter().find(|tenant| *wanted == **tenant).ok_or(Refusal::NotFound("tenant"))?
            }
        };
        Ok(Self { tenant, deadline: Deadline::after(shop.budget) })
    }
}

/// A JSON body; anything else is a 400 that says why.
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Shop>> for Sent<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, shop: &Arc<Shop>) -> Result<Self, Refusal> {
        match Json::<T>::from_request(request, shop).await {
            Ok(Json(sent)) => Ok(Self(sent)),
            Err(rejection) => Err(Refusal::Invalid(rejection.body_text())),
        }
    }
}

/// Checks a text that goes into a store: not empty, not long, and without the byte that `PostgreSQL` cannot
/// hold.
pub(crate) fn check_text(what: &str, text: &str) -> Result<(), Refusal> {
    const LONGEST: usize = 200;
    if text.is_empty() || text.len() > LONGEST || text.contains('\0') {
        return Err(Refusal::Invalid(format!("{what} is not a text of 1 to {LONGEST} bytes")));
    }
    Ok(())
}
