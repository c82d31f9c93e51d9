//! A target behind TLS with an authority of its own, another name, and a header that must come along.

use std::sync::{Arc, Mutex};

use exporter::trial::{ComponentKind, HeaderText, Part, Secret, SecretText, Template};
use http::HeaderName;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::{Run, trial};

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, seen: Arc<Mutex<String>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(mut stream) = acceptor.accept(stream).await else { continue };
        let mut request = vec![0; 4096];
        let read = stream.read(&mut request).await.unwrap_or_default();
        *seen.lock().expect("no panic") = String::from_utf8_lossy(&request[..read]).into_owned();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        let _ = stream.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_probe_honours_authority_host_and_headers() {
    let made = rcgen::generate_simple_self_signed(vec!["shop.example".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).expect("a file");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate and its key");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let seen = Arc::new(Mutex::new(String::new()));
    let server = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), Arc::clone(&seen)));

    let http = ComponentKind::Http { path: "/healthz?deep=1".to_owned(), expect: Some(http::StatusCode::OK) };
    let mut trial = trial(&format!("https://127.0.0.1:{port}/base/"), vec![], vec![("it", http)]);
    let token = Part::Secret(SecretText(Secret::new("s3cret".to_owned())));
    let template = Template { parts: vec![Part::Literal("Bearer ".to_owned()), token] };
    trial.target.host = Some("shop.example".to_owned());
    trial.target.headers = vec![(HeaderName::from_static("authorization"), HeaderText::Template(template))];

    let untrusting = Run::start(&trial).await;
    let failed = "ordeal_probes_total{component=\"it\",outcome=\"failed\"}";
    untrusting.until("an authority that is not trusted", |run| run.value(failed) >= 2.0).await;
    assert!(!untrusting.health.up(0));
    untrusting.stop().await;

    trial.target.ca = Some(ca);
    let run = Run::start(&trial).await;
    run.until("the shop is up", |run| run.health.up(0)).await;
    let request = seen.lock().expect("no panic").to_lowercase();
    for part in ["get /base/healthz?deep=1 http/1.1", "host: shop.example", "authorization: bearer s3cret"] {
        assert!(request.contains(part), "{part} is not in {request}");
    }
    run.stop().await;
    server.abort();
}
