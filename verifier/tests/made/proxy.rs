//! A proxy in front of a real Prometheus that asks for a token and can spoil answers.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What the proxy does to answers of queries that contain a text.
#[derive(Clone, Copy)]
pub(crate) enum Spoil {
    Nothing,
    /// Answers well, with a warning, as a server does that misses a part.
    Warn(&'static str),
    /// Answers well, but partially, as `VictoriaMetrics` does that misses a part.
    Halve(&'static str),
    /// Refuses, as a server does that is out of its limits.
    Refuse(&'static str),
    /// A page instead of JSON, as a login portal does.
    Page,
    /// Tells that it has had its configuration for long, as a server does that nobody touched.
    Settled,
}

struct Behind {
    url: String,
    token: &'static str,
    spoil: Spoil,
    client: reqwest::Client,
}

/// A running proxy; it stops when dropped.
pub(crate) struct Proxy {
    runtime: Option<tokio::runtime::Runtime>,
    pub(crate) url: String,
}

impl Proxy {
    /// Starts a proxy in front of `url` that wants `token`; an empty one is none.
    pub(crate) fn to(url: &str, token: &'static str, spoil: Spoil) -> Self {
        // A second call finds the provider installed, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let behind = Behind { url: url.to_owned(), token, spoil, client: reqwest::Client::new() };
        let app = Router::new().fallback(forward).with_state(Arc::new(behind));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { runtime: Some(runtime), url }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn forward(
    State(behind): State<Arc<Behind>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let wanted = format!("Bearer {}", behind.token);
    let known = headers.get(header::AUTHORIZATION).is_some_and(|given| given == wanted.as_str());
    if !known && !behind.token.is_empty() {
        return (StatusCode::UNAUTHORIZED, "no").into_response();
    }
    let query = format!("{uri} {}", String::from_utf8_lossy(&body));
    let spoils = |text: &str| query.contains(text);
    match behind.spoil {
        Spoil::Page => return "<html>sign in</html>".into_response(),
        Spoil::Refuse(text) if spoils(text) => {
            let answer = json!({"status": "error", "errorType": "execution", "error": "too many samples"});
            return (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(answer)).into_response();
        }
        _ => {}
    }
    let request = behind.client.request(method, format!("{}{uri}", behind.url)).body(body);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let Ok(answer) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let status = answer.status();
    if matches!(behind.spoil, Spoil::Settled) && !spoils("runtimeinfo") {
        let Ok(body) = answer.bytes().await else { return StatusCode::BAD_GATEWAY.into_response() };
        return (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    }
    let Ok(mut value) = answer.json::<Value>().await else { return status.into_response() };
    match behind.spoil {
        Spoil::Warn(text) if spoils(text) => value["warnings"] = json!(["a store did not answer"]),
        Spoil::Settled if spoils("runtimeinfo") => {
            value["data"]["lastConfigTime"] = json!("2023-11-14T22:13:20Z");
        }
        Spoil::Halve(text) if spoils(text) => value["isPartial"] = json!(true),
        _ => {}
    }
    (status, axum::Json(value)).into_response()
}
