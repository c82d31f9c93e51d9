//! TLS to the target: whose certificates are trusted, and which one is shown.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::trial::{ClientIdentity, Target};

/// TLS to the target cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file is not readable or holds nothing of the kind.
    #[error("read {what} from {}", path.display())]
    Pem {
        /// What was wanted.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it was not had.
        #[source]
        source: pem::Error,
    },
    /// A certificate of the authority is not one.
    #[error("trust the certificates of {}", path.display())]
    Authority {
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        source: rustls::Error,
    },
    /// The machine has no trusted certificates, and the trial names none.
    #[error("find trusted certificates of this machine; name a `ca` in the trial")]
    NoRoots,
    /// Certificate and key do not belong together, or are of an unknown kind.
    #[error("use the client certificate")]
    Identity(#[source] rustls::Error),
    /// The target's name cannot be checked against a certificate.
    #[error("use `{0}` as a name in TLS")]
    Name(String, #[source] InvalidDnsNameError),
    /// The versions of TLS are not supported.
    #[error("set up TLS")]
    Versions(#[source] rustls::Error),
}

/// What every connection in TLS shares.
#[derive(Clone)]
pub(in crate::load) struct TlsSetup {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl TlsSetup {
    /// Reads the certificates that `target` names.
    pub(in crate::load) fn new(target: &Target, server_name: &str) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Versions)?
            .with_root_certificates(roots(target.ca.as_deref())?);
        let mut config = match &target.client_identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = read_identity(identity)?;
                builder.with_client_auth_cert(chain, key).map_err(TlsError::Identity)?
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::try_from(server_name.to_owned())
            .map_err(|error| TlsError::Name(server_name.to_owned(), error))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Agrees upon TLS over `stream`.
    pub(super) async fn connect(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca {
        for certificate in certificates("certificates of an authority", path)? {
            let broken = |source| TlsError::Authority { path: path.to_owned(), source };
            roots.add(certificate).map_err(broken)?;
        }
        return Ok(roots);
    }
    let (usable, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        return Err(TlsError::NoRoots);
    }
    Ok(roots)
}

fn read_identity(
    identity: &ClientIdentity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = certificates("a client certificate", &identity.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&identity.key).map_err(|source| TlsError::Pem {
        what: "the key of the client certificate",
        path: identity.key.clone(),
        source,
    })?;
    Ok((chain, key))
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let broken = |source| TlsError::Pem { what, path: path.to_owned(), source };
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(broken)?.collect::<Result<_, _>>().map_err(broken)?;
    if found.is_empty() { Err(broken(pem::Error::NoItemsFound)) } else { Ok(found) }
}
