//! Carts, which live in Redis only. A quantity is set, not added, so a repeat changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::refusal::Refusal;
use super::visit::{Sent, Visit, check_text};
use crate::app::Shop;

/// How many of a product.
#[derive(Debug, Deserialize)]
pub(crate) struct Quantity {
    quantity: u32,
}

/// A cart's contents by SKU.
#[derive(Debug, Serialize)]
pub(crate) struct Cart {
    id: Uuid,
    items: BTreeMap<String, u32>,
}

/// `PUT /carts/{id}/items/{sku}`
pub(crate) async fn set(
    State(shop): State<Arc<Shop>>,
    visit: Visit,
    Path((id, sku)): Path<(Uuid, String)>,
    Sent(wanted): Sent<Quantity>,
) -> Result<Json<Cart>, Refusal> {
    check_text("sku", &sku)?;
    let items = shop.keyvalue.set_in_cart(visit.deadline, &key(visit, id), &sku, wanted.quantity).await?;
    Ok(Json(Cart { id, items: items.into_iter().collect() }))
}

/// `GET /carts/{id}`
pub(crate) async fn show(
    State(shop): State<Arc<Shop>>,
    visit: Visit,
    Path(id): Path<Uuid>,
) -> Result<Json<Cart>, Refusal> {
    let items = shop.keyvalue.cart(visit.deadline, &key(visit, id)).await?;
    Ok(Json(Cart { id, items: items.into_iter().collect() }))
}

fn key(visit: Visit, id: Uuid) -> String {
    format!("shop:{}:cart:{id}", visit.tenant)
}
