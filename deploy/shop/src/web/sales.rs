//! The point of sale.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

use super::refusal::Refusal;
use super::visit::{Sent, Visit, check_text};
use crate::app::Shop;

/// The most of one product that a sale takes.
const MOST: i32 = 10_000;

/// A sale that a client wants to make, under an id of its own.
#[derive(Debug, Deserialize)]
pub(crate) struct Order {
    id: Uuid,
    sku: String,
    quantity: i32,
    customer: Option<String>,
}

/// A sale as it was made.
#[derive(Debug, Serialize)]
pub(crate) struct Sale {
    id: Uuid,
    product_id: i32,
    customer: Option<String>,
    quantity: i32,
    amount_cents: i64,
    sold_at: String,
}

impl From<&Row> for Sale {
    fn from(row: &Row) -> Self {
        Self {
            id: row.get(0),
            product_id: row.get(1),
            customer: row.get(2),
            quantity: row.get(3),
            amount_cents: row.get(4),
            sold_at: row.get(5),
        }
    }
}

/// `POST /sales`. A repeat sells nothing and is answered like the first time, with the first time's sale.
pub(crate) async fn sell(
    State(shop): State<Arc<Shop>>,
    visit: Visit,
    Sent(order): Sent<Order>,
) -> Result<(StatusCode, Json<Sale>), Refusal> {
    if !(1..=MOST).contains(&order.quantity) {
        return Err(Refusal::Invalid(format!("quantity is not in 1 to {MOST}")));
    }
    let Order { id, sku, quantity, customer } = order;
    check_text("sku", &sku)?;
    customer.as_deref().map_or(Ok(()), |customer| check_text("customer", customer))?;
    let statement = include_str!("../sql/sell.sql");
    let rows = shop
        .database
        .query(visit.deadline, statement, &[&visit.tenant, &id, &sku, &customer, &quantity])
        .await?;
    let row = rows.first().ok_or(Refusal::NotFound("product"))?;
    Ok((StatusCode::CREATED, Json(Sale::from(row))))
}

/// `GET /sales/{id}`
pub(crate) async fn show(
    State(shop): State<Arc<Shop>>,
    visit: Visit,
    Path(id): Path<Uuid>,
) -> Result<Json<Sale>, Refusal> {
    let statement = "SELECT id, product_id, customer_id, quantity, amount_cents, \
                     to_char(sold_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') \
                     FROM shop.sales WHERE tenant = $1 AND id = $2";
    let rows = shop.database.query(visit.deadline, statement, &[&visit.tenant, &id]).await?;
    rows.first().map(|row| Json(Sale::from(row))).ok_or(Refusal::NotFound("sale"))
}
