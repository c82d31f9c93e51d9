//! A GET on a fresh connection: all that the lab asks over HTTP.

use std::net::SocketAddrV4;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer's status and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Asks once; `None` when there is no whole answer in time.
pub(crate) async fn get(address: SocketAddrV4, path: &str, within: Duration) -> Option<Answer> {
    tokio::time::timeout(within, exchange(address, path)).await.ok()?
}

// HTTP/1.0: the answer ends with the connection and is never chunked.
async fn exchange(address: SocketAddrV4, path: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    parse(&String::from_utf8_lossy(&answer))
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_read() {
        let expected = Answer { status: 503, body: "no\r\n\r\nmore".to_owned() };
        let text = "HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\nno\r\n\r\nmore";
        assert_eq!(parse(text), Some(expected));
        assert_eq!(parse("HTTP/1.1 200 OK\r\n"), None);
    }
}
