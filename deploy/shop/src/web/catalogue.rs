//! Products and their stock.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

use super::refusal::Refusal;
use super::visit::{Sent, Visit};
use crate::app::Shop;

/// Products on a page.
const PAGE: i32 = 20;

/// A product as clients see it.
#[derive(Debug, Serialize)]
pub(crate) struct Product {
    id: i32,
    sku: String,
    name: String,
    price_cents: i32,
    stock: i64,
}

impl From<&Row> for Product {
    fn from(row: &Row) -> Self {
        Self { id: row.get(0), sku: row.get(1), name: row.get(2), price_cents: row.get(3), stock: row.get(4) }
    }
}

/// `?page=`, from 1.
#[derive(Debug, Deserialize)]
pub(crate) struct PageQuery {
    page: Option<u16>,
}

/// One page of products.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    page: u16,
    products: Vec<Product>,
}

/// `GET /products?page=`
pub(crate) async fn list(
    State(shop): State<Arc<Shop>>,
    visit: Visit,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page>, Refusal> {
    // Products are numbered without gaps, so a page is a range of the primary key.
    let page = query.page.unwrap_or(1).max(1);
    let first = (i32::from(page) - 1) * PAGE;
    let statement = "SELECT id, sku, name, price_cents, stock FROM shop.products \
                     WHERE tenant = $1 AND id > $2 AND id <= $3 ORDER BY id";
    let rows =
        shop.database.query(visit.deadline, statement, &[&visit.tenant, &first, &(first + PAGE)]).await?;
    Ok(Json(Page { page, products: rows.iter().map(Product::from).collect() }))
}

/// `GET /products/{id}`
pub(crate) async fn show(
    State(shop): State<Arc<Shop>>,
    visit: Visit,
    Path(id): Path<i32>,
) -> Result<Json<Product>, Refusal> {
    let statement =
        "SELECT id, sku, name, price_cents, stock FROM shop.products WHERE tenant = $1 AND id = $2";
    let rows = shop.database.query(visit.deadline, statement, &[&visit.tenant, &id]).await?;
    rows.first().map(|row| Json(Product::from(row))).ok_or(Refusal::NotFound("product"))
}

/// A change of stock, under an id that the client made.
#[derive(Debug, Deserialize)]
pub(crate) struct Adjustment {
    id: Uuid,
    delta: i32,
}

/// What became of a change of stock.
#[derive(Debug, Serialize)]
pub(crate) struct Adjusted {
    id: Uuid,
    product_id: i32,
    delta: i32,
    stock: i64,
}

/// `POST` or `PATCH /products/{id}/stock`. A repeat changes nothing and is answered alike.
pub(crate) async fn adjust(
    State(shop): State<Arc<Shop>>,
    visit: Visit,
    Path(product): Path<i32>,
    Sent(wanted): Sent<Adjustment>,
) -> Result<Json<Adjusted>, Refusal> {
    let statement = include_str!("../sql/adjust.sql");
    let Adjustment { id, delta } = wanted;
    let rows =
        shop.database.query(visit.deadline, statement, &[&visit.tenant, &id, &product, &delta]).await?;
    let row = rows.first().ok_or(Refusal::NotFound("product"))?;
    Ok(Json(Adjusted { id, product_id: row.get(0), delta: row.get(1), stock: row.get(2) }))
}
