//! TLS to the target: a private authority, another name, a client certificate, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

mod load_support;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use exporter::clock::Clock;
use exporter::load::{Load, LoadError};
use exporter::trial::{ClientIdentity, Trial};
use load_support::{FINE, Rig, answer, get, raw_server, read_request, trial};
use prometheus::Registry;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

/// An authority with files to hand to a trial.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, dir }
    }

    fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    fn certify(&self, name: &str) -> (CertificateDer<'static>, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().der().clone(), key)
    }

    fn client(&self) -> ClientIdentity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["client".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = |name| self.dir.path().join(name);
        std::fs::write(path("client.pem"), certificate.pem()).unwrap();
        std::fs::write(path("client.key"), key.serialize_pem()).unwrap();
        ClientIdentity { certificate: path("client.pem"), key: path("client.key") }
    }

    /// A server with a certificate for `name`; it asks for a client certificate of this authority if told.
    async fn server(&self, name: &str, asks: bool, handshakes: Arc<AtomicU64>) -> String {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut trusted = RootCertStore::empty();
        trusted.add(self.issuer.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(trusted.into(), Arc::clone(&provider));
        let builder =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = if asks {
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = self.certify(name);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate], key).unwrap()));
        let address = raw_server(move |stream, _| {
            let (acceptor, handshakes) = (acceptor.clone(), Arc::clone(&handshakes));
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                handshakes.fetch_add(1, Ordering::Relaxed);
                while read_request(&mut stream).await {
                    answer(&mut stream, FINE).await;
                }
            }
        });
        format!("https://localhost:{}", address.await.port())
    }
}

async fn all_well(trial: Trial) {
    let rig = Rig::start(trial).await;
    rig.until("answers", |rig| rig.ok() >= 3.0 || rig.failed() >= 1.0).await;
    let report = rig.handle.finish().await;
    assert_eq!(report.requests.error, 0, "{report:?}");
}

#[tokio::test]
async fn a_private_authority_is_trusted_and_the_connection_kept() {
    let authority = Authority::new();
    let handshakes = Arc::default();
    let url = authority.server("localhost", false, Arc::clone(&handshakes)).await;
    let mut trial = trial(&url, vec![get("/")]);
    trial.target.ca = Some(authority.ca());
    all_well(trial).await;
    assert_eq!(handshakes.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_unknown_authority_or_another_name_is_tls() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let url = authority.server("localhost", false, Arc::default()).await;
    let mut unknown = trial(&url, vec![get("/")]);
    unknown.target.ca = Some(stranger.ca());
    Rig::start(unknown).await.expect_only("tls").await;

    let url = authority.server("shop.example", false, Arc::default()).await;
    let mut trial = trial(&url, vec![get("/")]);
    trial.target.ca = Some(authority.ca());
    Rig::start(trial.clone()).await.expect_only("tls").await;
    trial.target.host = Some("shop.example".into());
    all_well(trial).await;
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_its_absence_is_tls() {
    let authority = Authority::new();
    let url = authority.server("localhost", true, Arc::default()).await;
    let mut trial = trial(&url, vec![get("/")]);
    trial.target.ca = Some(authority.ca());
    Rig::start(trial.clone()).await.expect_only("tls").await;
    trial.target.client_identity = Some(authority.client());
    all_well(trial).await;
}

#[tokio::test]
async fn a_plain_server_is_tls_and_a_silent_one_request_timeout() {
    let authority = Authority::new();
    let plain = raw_server(|mut stream, _| async move {
        let _ = stream.readable().await;
        answer(&mut stream, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        read_request(&mut stream).await;
    })
    .await;
    let silent = raw_server(|mut stream, _| async move {
        read_request(&mut stream).await;
    })
    .await;
    for (port, reason) in [(plain.port(), "tls"), (silent.port(), "request_timeout")] {
        let mut trial = trial(&format!("https://localhost:{port}"), vec![get("/")]);
        trial.target.ca = Some(authority.ca());
        trial.load.timeout = std::time::Duration::from_millis(300);
        Rig::start(trial).await.expect_only(reason).await;
    }
}

#[tokio::test]
async fn files_that_are_no_certificates_are_named() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("ca.pem");
    std::fs::write(&path, "nothing of the kind").unwrap();
    let mut trial = trial("https://localhost:1", vec![get("/")]);
    trial.target.ca = Some(path);
    let error = Load::new(Arc::new(trial), Clock::start(), &Registry::new()).err().unwrap();
    assert!(matches!(error, LoadError::Tls(_)));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.starts_with("read certificates of an authority from ") && cause.ends_with("ca.pem"),
        "{cause}"
    );
}
