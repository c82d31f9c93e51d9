//! Every route on real stores, and that repeating a write is harmless.

use std::net::SocketAddr;

use crate::support::Stack;
use crate::support::client::Client;
use hyper::Method;
use serde_json::{Value, json};
use uuid::Uuid;

async fn get(client: &mut Client, path: &str) -> Value {
    client.expect(200, Method::GET, path, None).await.expect("a good answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_and_a_repeated_write_is_harmless() {
    let stack = Stack::start();
    let mut client = Client::connect(stack.address).await;
    inventory(&mut client).await;
    sales(&mut client, &stack).await;
    customers(&mut client).await;
    carts(&mut client).await;
    operations(&mut client).await;
    refusals(&mut client, stack.address).await;
}

async fn inventory(client: &mut Client) {
    let page = get(client, "/products?page=3").await;
    let ids: Vec<_> = page["products"].as_array().expect("products").iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, (41..=60).collect::<Vec<_>>());
    let before = get(client, "/products/7").await["stock"].as_i64().expect("a stock");
    let adjustment = json!({ "id": Uuid::new_v4(), "delta": -3 });
    for method in [Method::POST, Method::PATCH, Method::POST] {
        let adjusted = client.expect(200, method, "/products/7/stock", Some(adjustment.clone())).await;
        assert_eq!(adjusted.expect("adjusted")["stock"], before - 3);
    }
    assert_eq!(get(client, "/products/7").await["stock"], before - 3);
}

async fn sales(client: &mut Client, stack: &Stack) {
    let before = get(client, "/products/9").await["stock"].as_i64().expect("a stock");
    let id = Uuid::new_v4();
    let order = json!({ "id": id, "sku": "S-9", "quantity": 4, "customer": "12" });
    let first = client.expect(201, Method::POST, "/sales", Some(order.clone())).await.expect("sold");
    for _ in 0..3 {
        let again = client.expect(201, Method::POST, "/sales", Some(order.clone())).await.expect("sold");
        assert_eq!(again, first);
    }
    assert_eq!(get(client, &format!("/sales/{id}")).await, first);
    assert_eq!(get(client, "/products/9").await["stock"], before - 4);
    assert_eq!(stack.number("SELECT count(*) FROM shop.sales").await, 1);
    assert_eq!(stack.number("SELECT sum(quantity)::bigint FROM shop.sales_daily").await, 4);
    assert_eq!(get(client, "/dashboard").await["today"]["sales"], 1);
    assert_eq!(get(client, "/reports/daily").await["daily"][0]["quantity"], 4);
    assert_eq!(get(client, "/reports/top-products").await["top_products"][0]["sku"], "S-9");
}

async fn customers(client: &mut Client) {
    let id = Uuid::new_v4().to_string();
    let customer = json!({ "id": id, "name": "Zoë Quist", "email": "zoe@acme.example" });
    for _ in 0..2 {
        let made = client.expect(201, Method::POST, "/customers", Some(customer.clone())).await;
        assert_eq!(made.expect("made"), customer);
    }
    assert_eq!(get(client, &format!("/customers/{id}")).await, customer);
    assert_eq!(get(client, "/customers?query=zo%C3%AB").await["customers"], json!([customer]));
    assert_eq!(get(client, "/customers?query=ad").await["customers"].as_array().map(Vec::len), Some(20));
    assert_eq!(get(client, "/customers/1").await["email"], "customer1@acme.example");
}

async fn carts(client: &mut Client) {
    let path = format!("/carts/{}", Uuid::new_v4());
    for (sku, quantity) in [("S-1", 2), ("S-2", 1), ("S-1", 2), ("S-2", 0)] {
        let item = format!("{path}/items/{sku}");
        client.expect(200, Method::PUT, &item, Some(json!({ "quantity": quantity }))).await.expect("set");
    }
    assert_eq!(get(client, &path).await["items"], json!({ "S-1": 2 }));
}

async fn operations(client: &mut Client) {
    assert_eq!(get(client, "/healthz").await, "ok\n");
    assert_eq!(get(client, "/readyz").await, "ready\n");
    let exposition = get(client, "/metrics").await;
    let exposition = exposition.as_str().expect("text");
    for line in [
        "shop_requests_total{code=\"201\",route=\"POST /sales\"} 4",
        "shop_requests_total{code=\"503\",route=\"POST /sales\"} 0",
        "shop_store_failures_total{class=\"unreachable\",store=\"redis\"} 0",
    ] {
        assert!(exposition.contains(line), "{line} is not in\n{exposition}");
    }
}

async fn refusals(client: &mut Client, address: SocketAddr) {
    let id = Uuid::new_v4();
    let table = [
        (404, Method::GET, "/products/501", None),
        (404, Method::GET, "/nowhere", None),
        (400, Method::GET, "/products/seven", None),
        (400, Method::GET, "/customers?query=%00", None),
        (405, Method::DELETE, "/products/7", None),
        (404, Method::POST, "/sales", Some(json!({ "id": id, "sku": "S-501", "quantity": 1 }))),
        (400, Method::POST, "/sales", Some(json!({ "id": id, "sku": "S-1", "quantity": 0 }))),
        (400, Method::POST, "/sales", Some(json!({ "id": "seven", "sku": "S-1", "quantity": 1 }))),
        (400, Method::POST, "/sales", Some(json!({ "sku": "S-1" }))),
    ];
    for (status, method, path, body) in table {
        client.expect(status, method, path, body).await.expect("the right refusal");
    }
    drop(Client::connect(address).await);
}
