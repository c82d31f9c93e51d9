//! What operators and balancers ask.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use tracing::error;

use super::refusal::Refusal;
use crate::app::Shop;
use crate::lifecycle::Stage;

/// The process is alive.
pub(crate) async fn health() -> &'static str {
    "ok\n"
}

/// Whether this replica takes new work.
///
/// The stores are left out on purpose, except for the very first start: every replica would lose the same
/// store at the same moment, all would leave the balancer together, and requests that could have waited out
/// a failover of seconds would be refused.
pub(crate) async fn ready(State(shop): State<Arc<Shop>>) -> (StatusCode, &'static str) {
    match shop.lifecycle.stage() {
        Stage::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Stage::Serving => (StatusCode::OK, "ready\n"),
        Stage::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
    }
}

/// The exposition.
pub(crate) async fn metrics(State(shop): State<Arc<Shop>>) -> Response {
    match shop.metrics.expose() {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            error!(%error, "cannot encode metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The landing page.
pub(crate) async fn landing() -> Html<&'static str> {
    Html(
        "<title>Shop</title><h1>Shop</h1><p><a href=\"dashboard\">Dashboard</a> <a href=\"products\">Products</a> <a href=\"metrics\">Metrics</a></p>\n",
    )
}

/// No such path.
pub(crate) async fn nowhere() -> Refusal {
    Refusal::NotFound("path")
}
