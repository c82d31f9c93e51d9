//! TLS: to the trial's target (whose certificates are trusted, which one is shown, and the name that the
//! target's must hold), and for the few questions that are asked over HTTP by the way.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

use crate::trial::{ClientIdentity, Target};

/// TLS to the target cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
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

/// What every connection to the target shares. Cheap to clone.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Reads the certificates that `target` names.
    pub fn new(target: &Target) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::Versions)?
            .with_root_certificates(roots(target.ca.as_deref())?);
        let mut config = match &target.client_identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = read_identity(identity)?;
                builder.with_client_auth_cert(chain, key).map_err(Error::Identity)?
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = server_name(target);
        let name = ServerName::try_from(name.clone()).map_err(|error| Error::Name(name, error))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Agrees upon TLS over `stream`.
    pub async fn connect(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

/// A client for plain questions over HTTP, no proxy between.
pub fn http_client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    // An error says that another part of the program was first, with the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(timeout).no_proxy().build()
}

/// The target's `host` without a port, else the address's host. A host that makes no URL is left to the server.
fn server_name(target: &Target) -> String {
    let named = target.host.as_deref().and_then(|host| Url::parse(&format!("https://{host}/")).ok());
    match named.as_ref().unwrap_or(&target.url).host() {
        Some(Host::Ipv6(address)) => address.to_string(),
        Some(host) => host.to_string(),
        None => String::new(),
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca {
        for certificate in certificates("certificates of an authority", path)? {
            let broken = |source| Error::Authority { path: path.to_owned(), source };
            roots.add(certificate).map_err(broken)?;
        }
        return Ok(roots);
    }
    // Some systems ship certificates that cannot be parsed; the others serve.
    let (usable, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 { Err(Error::NoRoots) } else { Ok(roots) }
}

fn read_identity(
    identity: &ClientIdentity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
    let chain = certificates("a client certificate", &identity.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&identity.key).map_err(|source| Error::Pem {
        what: "the key of the client certificate",
        path: identity.key.clone(),
        source,
    })?;
    Ok((chain, key))
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let broken = |source| Error::Pem { what, path: path.to_owned(), source };
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(broken)?.collect::<Result<_, _>>().map_err(broken)?;
    if found.is_empty() { Err(broken(pem::Error::NoItemsFound)) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_hosts_without_a_port_or_the_addresss() {
        let table = [
            ("https://shop.example:8443", None, "shop.example"),
            ("https://192.0.2.1", None, "192.0.2.1"),
            ("https://[::1]:81", None, "::1"),
            ("https://192.0.2.1:8443", Some("shop.example"), "shop.example"),
            ("https://192.0.2.1:8443", Some("shop.example:443"), "shop.example"),
            ("https://192.0.2.1", Some("[2001:db8::1]:443"), "2001:db8::1"),
            ("https://shop.example", Some("no host"), "shop.example"),
        ];
        for (url, host, expected) in table {
            let target = Target {
                url: url.parse().expect("a URL"),
                ca: None,
                client_identity: None,
                host: host.map(str::to_owned),
                headers: Vec::new(),
            };
            assert_eq!(server_name(&target), expected, "{url} {host:?}");
        }
    }
}
