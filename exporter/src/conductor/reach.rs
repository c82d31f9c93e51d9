//! Whether users will find somebody where the trial sends them.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpStream;

use crate::tls::{self, Tls};
use crate::trial::Target;

/// How long a connection may take, TLS included.
const LIMIT: Duration = Duration::from_secs(5);

/// Why the target cannot be reached.
#[derive(Debug, Error)]
pub enum ReachError {
    /// Nobody listens there.
    #[error("connect to {target} (is the service up, and `target` in the trial its address?)")]
    Connect {
        /// Host and port.
        target: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Whoever listens there does not agree upon TLS.
    #[error(
        "agree upon TLS with {target} (does it speak https there, with a certificate for that name? \
         `host` and `ca` of the trial's target say which name and which authority)"
    )]
    Tls {
        /// Host and port.
        target: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// TLS cannot even be begun.
    #[error("prepare TLS for the target")]
    Prepare(#[from] tls::Error),
}

/// Connects once and asks nothing: the first request is the users'.
pub(super) async fn reach(target: &Target) -> Result<(), ReachError> {
    let url = &target.url;
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
    // An IPv6 address stands in brackets in a URL, and without them in a socket address.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = || format!("{host}:{port}");
    let connected = within_limit(TcpStream::connect((host, port))).await;
    let stream = connected.map_err(|source| ReachError::Connect { target: name(), source })?;
    if url.scheme() == "https" {
        let agreed = within_limit(Tls::new(target)?.connect(stream)).await;
        agreed.map_err(|source| ReachError::Tls { target: name(), source })?;
    }
    Ok(())
}

async fn within_limit<T>(attempt: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(LIMIT, attempt).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::errors::chain;

    fn target(url: &str, ca: Option<PathBuf>) -> Target {
        let url = url.parse().expect("a URL");
        Target { url, ca, client_identity: None, host: None, headers: Vec::new() }
    }

    #[tokio::test]
    async fn whoever_listens_is_reached_and_nobody_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        reach(&target(&url, None)).await.expect("somebody listens");
        drop(listener);
        let error = reach(&target(&url, None)).await.expect_err("nobody listens");
        assert!(chain(&error).contains("is the service up"), "{}", chain(&error));
    }

    #[tokio::test]
    async fn a_server_without_tls_is_told_from_one_that_is_not_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://{}", listener.local_addr().expect("an address"));
        let plain = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut hello = [0; 64];
            let _ = stream.read(&mut hello).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        });
        let authority = rcgen::generate_simple_self_signed(vec!["shop.example".to_owned()]).expect("made");
        let ca = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(ca.path(), authority.cert.pem()).expect("written");
        let error = reach(&target(&url, Some(ca.path().to_owned()))).await.expect_err("it speaks plain HTTP");
        assert!(matches!(error, ReachError::Tls { .. }), "{}", chain(&error));
        plain.await.expect("the server ends");
    }
}
