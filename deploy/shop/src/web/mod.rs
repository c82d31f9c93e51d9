//! HTTP: routes, what is measured around each, and what all handlers share.

mod carts;
mod catalogue;
mod customers;
mod ops;
mod refusal;
mod reports;
mod sales;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};

use crate::app::Shop;
use crate::lifecycle::Stage;
use crate::metrics::RouteMetrics;

/// All routes: path, name in metrics, handler.
fn routes() -> [(&'static str, &'static str, MethodRouter<Arc<Shop>>); 17] {
    [
        ("/", "GET /", get(ops::landing)),
        ("/dashboard", "GET /dashboard", get(reports::dashboard)),
        ("/products", "GET /products", get(catalogue::list)),
        ("/products/{id}", "GET /products/{id}", get(catalogue::show)),
        (
            "/products/{id}/stock",
            "POST /products/{id}/stock",
            post(catalogue::adjust).patch(catalogue::adjust),
        ),
        ("/sales", "POST /sales", post(sales::sell)),
        ("/sales/{id}", "GET /sales/{id}", get(sales::show)),
        ("/customers", "GET /customers", get(customers::search)),
        ("/customers", "POST /customers", post(customers::create)),
        ("/customers/{id}", "GET /customers/{id}", get(customers::show)),
        ("/reports/daily", "GET /reports/daily", get(reports::daily)),
        ("/reports/top-products", "GET /reports/top-products", get(reports::top_products)),
        ("/carts/{id}", "GET /carts/{id}", get(carts::show)),
        ("/carts/{id}/items/{sku}", "PUT /carts/{id}/items/{sku}", put(carts::set)),
        ("/healthz", "GET /healthz", get(ops::health)),
        ("/readyz", "GET /readyz", get(ops::ready)),
        ("/metrics", "GET /metrics", get(ops::metrics)),
    ]
}

/// The whole service.
pub(crate) fn router(shop: &Arc<Shop>) -> Result<Router, prometheus::Error> {
    let mut router = Router::new();
    for (path, name, handler) in routes() {
        let around = Around::new(shop, name)?;
        router = router.route(path, handler.layer(from_fn_with_state(around, measure)));
    }
    let around = Around::new(shop, "other")?;
    let router = router.fallback(ops::nowhere.layer(from_fn_with_state(around, measure)));
    Ok(router.with_state(Arc::clone(shop)))
}

/// What is around one route.
struct Around {
    metrics: RouteMetrics,
    shop: Arc<Shop>,
}

impl Around {
    fn new(shop: &Arc<Shop>, name: &'static str) -> Result<Arc<Self>, prometheus::Error> {
        Ok(Arc::new(Self { metrics: shop.metrics.route(name)?, shop: Arc::clone(shop) }))
    }
}

async fn measure(State(around): State<Arc<Around>>, request: Request, next: Next) -> Response {
    let timer = around.metrics.duration.start_timer();
    let mut response = next.run(request).await;
    timer.observe_duration();
    around.metrics.answered(response.status().as_u16());
    if around.shop.lifecycle.stage() == Stage::Draining {
        // Clients leave after this answer, instead of sending into a connection that is about to close.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
