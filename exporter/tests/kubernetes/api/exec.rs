//! A command in a container, of which nothing but the last word is told: by it a WebSocket (RFC 6455) is opened and
//! has one message.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, copy, sink};
use tungstenite::handshake::derive_accept_key;

/// Begins a message that is whole and binary.
const BINARY: u8 = 0x82;
/// In the place of a length: it comes after this, in two bytes.
const LONGER: u8 = 126;
/// Of the channels of a command the one for its last word.
const STATUS: u8 = 3;

/// The answer to a request with these headers; `last` is told as soon as the connection is handed over.
pub(super) fn told(headers: &HeaderMap, connection: OnUpgrade, last: &Value) -> Response {
    let message = message(last);
    tokio::spawn(async move {
        // Whoever asked may be gone.
        let Ok(connection) = connection.await else { return };
        let mut connection = TokioIo::new(connection);
        if connection.write_all(&message).await.is_ok() {
            let _until_it_is_closed = copy(&mut connection, &mut sink()).await;
        }
    });
    let key = headers.get("sec-websocket-key").map(HeaderValue::as_bytes).unwrap_or_default();
    let response = Response::builder()
        .status(101)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-accept", derive_accept_key(key))
        .header("sec-websocket-protocol", "v5.channel.k8s.io");
    response.body(Body::empty()).expect("a response")
}

fn message(last: &Value) -> Vec<u8> {
    let word = last.to_string();
    let length = u16::try_from(1 + word.len()).expect("a short word");
    let mut message = vec![BINARY];
    match u8::try_from(length) {
        Ok(short) if short < LONGER => message.push(short),
        _ => {
            message.push(LONGER);
            message.extend(length.to_be_bytes());
        }
    }
    message.push(STATUS);
    message.extend(word.into_bytes());
    message
}
