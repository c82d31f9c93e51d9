//! Customers.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use super::refusal::Refusal;
use super::visit::{Sent, Visit, check_text};
use crate::app::Shop;

/// A customer, as sent and as seen. New ones come under an id that the client made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Customer {
    id: String,
    name: String,
    email: String,
}

impl From<&Row> for Customer {
    fn from(row: &Row) -> Self {
        Self { id: row.get(0), name: row.get(1), email: row.get(2) }
    }
}

/// `?query=`, the beginning of a name.
#[derive(Debug, Deserialize)]
pub(crate) struct Search {
    #[serde(default)]
    query: String,
}

/// Customers found.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    customers: Vec<Customer>,
}

/// `GET /customers?query=`: at most 20, by name.
pub(crate) async fn search(
    State(shop): State<Arc<Shop>>,
    visit: Visit,
    Query(search): Query<Search>,
) -> Result<Json<Found>, Refusal> {
    if !search.query.is_empty() {
        check_text("query", &search.query)?;
    }
    let first = search.query.to_lowercase();
    // A range, not LIKE: the plan of a prepared statement can use the index for any beginning.
    let last = format!("{first}{}", char::MAX);
    let statement = "SELECT id, name, email FROM shop.customers \
                     WHERE tenant = $1 AND name_key >= $2 AND name_key <= $3 ORDER BY name_key, id LIMIT 20";
    let rows = shop.database.query(visit.deadline, statement, &[&visit.tenant, &first, &last]).await?;
    Ok(Json(Found { customers: rows.iter().map(Customer::from).collect() }))
}

/// `GET /customers/{id}`
pub(crate) async fn show(
    State(shop): State<Arc<Shop>>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Json<Customer>, Refusal> {
    check_text("id", &id)?;
    let statement = "SELECT id, name, email FROM shop.customers WHERE tenant = $1 AND id = $2";
    let rows = shop.database.query(visit.deadline, statement, &[&visit.tenant, &id]).await?;
    rows.first().map(|row| Json(Customer::from(row))).ok_or(Refusal::NotFound("customer"))
}

/// `POST /customers`. A repeat changes nothing and is answered with the customer as first made.
pub(crate) async fn create(
    State(shop): State<Arc<Shop>>,
    visit: Visit,
    Sent(wanted): Sent<Customer>,
) -> Result<(StatusCode, Json<Customer>), Refusal> {
    let Customer { id, name, email } = wanted;
    for (what, text) in [("id", &id), ("name", &name), ("email", &email)] {
        check_text(what, text)?;
    }
    // A repeat writes too: see sell.sql.
    let statement = "INSERT INTO shop.customers (tenant, id, name, email) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (tenant, id) DO UPDATE SET repeats = customers.repeats + 1 \
                     RETURNING id, name, email";
    let rows = shop.database.query(visit.deadline, statement, &[&visit.tenant, &id, &name, &email]).await?;
    let row = rows.first().ok_or(Refusal::NotFound("customer"))?;
    Ok((StatusCode::CREATED, Json(Customer::from(row))))
}
