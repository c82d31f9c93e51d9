//! Dashboard and reports: sums over the daily figures, kept in Redis for a moment.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio_postgres::Row;

use super::refusal::Refusal;
use super::visit::Visit;
use crate::app::Shop;

/// How old a dashboard may be.
const DASHBOARD_LIFETIME: Duration = Duration::from_secs(1);

/// How old a report may be.
const REPORT_LIFETIME: Duration = Duration::from_secs(2);

const TOTALS: &str = "SELECT coalesce(sum(sales), 0)::bigint, coalesce(sum(quantity), 0)::bigint, \
                      coalesce(sum(amount_cents), 0)::bigint FROM shop.sales_daily \
                      WHERE tenant = $1 AND day = (now() AT TIME ZONE 'UTC')::date";

const LOW_STOCK: &str =
    "SELECT id, sku, name, stock FROM shop.products WHERE tenant = $1 ORDER BY stock, id LIMIT 5";

const DAILY: &str = "SELECT day::text, sum(sales)::bigint, sum(quantity)::bigint, sum(amount_cents)::bigint \
                     FROM shop.sales_daily \
                     WHERE tenant = $1 AND day > (now() AT TIME ZONE 'UTC')::date - 7 GROUP BY day ORDER BY day DESC";

const TOP_PRODUCTS: &str = "\
    WITH best AS ( \
        SELECT product_id, sum(quantity)::bigint AS quantity, sum(amount_cents)::bigint AS amount_cents \
        FROM shop.sales_daily WHERE tenant = $1 AND day > (now() AT TIME ZONE 'UTC')::date - 7 \
        GROUP BY product_id ORDER BY amount_cents DESC, product_id LIMIT 10) \
    SELECT product.id, product.sku, product.name, best.quantity, best.amount_cents \
    FROM best JOIN shop.products AS product ON product.tenant = $1 AND product.id = best.product_id \
    ORDER BY best.amount_cents DESC, product.id";

/// `GET /dashboard`
pub(crate) async fn dashboard(State(shop): State<Arc<Shop>>, visit: Visit) -> Result<Response, Refusal> {
    let key = key(visit, "dashboard");
    if let Some(cached) = shop.keyvalue.cached(&key).await {
        return Ok(json_text(cached));
    }
    let totals = shop.database.query(visit.deadline, TOTALS, &[&visit.tenant]).await?;
    let low = shop.database.query(visit.deadline, LOW_STOCK, &[&visit.tenant]).await?;
    let today = totals.first().map_or(Value::Null, |row| {
        json!({ "sales": row.get::<_, i64>(0), "quantity": row.get::<_, i64>(1), "amount_cents": row.get::<_, i64>(2) })
    });
    let low: Vec<_> = low.iter().map(|row| {
        json!({ "id": row.get::<_, i32>(0), "sku": row.get::<_, &str>(1), "name": row.get::<_, &str>(2), "stock": row.get::<_, i64>(3) })
    }).collect();
    let body = json!({ "tenant": visit.tenant, "today": today, "low_stock": low }).to_string();
    shop.keyvalue.cache(&key, &body, DASHBOARD_LIFETIME).await;
    Ok(json_text(body))
}

/// `GET /reports/daily`: the last seven days.
pub(crate) async fn daily(State(shop): State<Arc<Shop>>, visit: Visit) -> Result<Response, Refusal> {
    let day = |row: &Row| {
        json!({ "day": row.get::<_, &str>(0), "sales": row.get::<_, i64>(1),
                "quantity": row.get::<_, i64>(2), "amount_cents": row.get::<_, i64>(3) })
    };
    report(&shop, visit, "daily", DAILY, day).await
}

/// `GET /reports/top-products`: the ten best of the last seven days.
pub(crate) async fn top_products(State(shop): State<Arc<Shop>>, visit: Visit) -> Result<Response, Refusal> {
    let product = |row: &Row| {
        json!({ "id": row.get::<_, i32>(0), "sku": row.get::<_, &str>(1), "name": row.get::<_, &str>(2),
                "quantity": row.get::<_, i64>(3), "amount_cents": row.get::<_, i64>(4) })
    };
    report(&shop, visit, "top_products", TOP_PRODUCTS, product).await
}

async fn report(
    shop: &Shop,
    visit: Visit,
    name: &str,
    statement: &'static str,
    line: impl Fn(&Row) -> Value,
) -> Result<Response, Refusal> {
    let key = key(visit, name);
    if let Some(cached) = shop.keyvalue.cached(&key).await {
        return Ok(json_text(cached));
    }
    let rows = shop.database.query(visit.deadline, statement, &[&visit.tenant]).await?;
    let lines: Vec<Value> = rows.iter().map(line).collect();
    let body = json!({ "tenant": visit.tenant, name: lines }).to_string();
    shop.keyvalue.cache(&key, &body, REPORT_LIFETIME).await;
    Ok(json_text(body))
}

fn key(visit: Visit, name: &str) -> String {
    format!("shop:{}:cache:{name}", visit.tenant)
}

fn json_text(body: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
