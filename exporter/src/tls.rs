//! TLS towards the trial's target.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::trial::Target;

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file does not hold what it should.
    #[error("read {}", .0.display())]
    Pem(PathBuf, #[source] pem::Error),
    /// A certificate is not usable as an authority.
    #[error("trust the certificates of {0}")]
    Authority(String, #[source] rustls::Error),
    /// The system has no usable certificate authority.
    #[error("find certificate authorities on this system")]
    NoAuthorities,
    /// Certificate and key do not fit.
    #[error("use the client certificate {}", .0.display())]
    Identity(PathBuf, #[source] rustls::Error),
    /// The protocol versions are not available.
    #[error("choose TLS versions")]
    Versions(#[source] rustls::Error),
    /// Not a name that a certificate can hold.
    #[error("use {0:?} as a TLS server name")]
    Name(String, #[source] InvalidDnsNameError),
}

/// The client's side of TLS for `target`: its authority or the system's, and its client certificate if any.
pub fn client_config(target: &Target) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Versions)?
        .with_root_certificates(roots(target)?);
    let Some(identity) = &target.client_identity else { return Ok(Arc::new(builder.with_no_client_auth())) };
    let chain = certificates(&identity.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&identity.key)
        .map_err(|error| Error::Pem(identity.key.clone(), error))?;
    let config = builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| Error::Identity(identity.certificate.clone(), error))?;
    Ok(Arc::new(config))
}

/// The name that the target's certificate must hold: its `host` without a port, else the address's host.
pub fn server_name(target: &Target) -> Result<ServerName<'static>, Error> {
    let host = match &target.host {
        Some(host) => host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name),
        None => target.url.host_str().unwrap_or_default(),
    };
    let host = host.trim_matches(['[', ']']).to_owned();
    ServerName::try_from(host.clone()).map_err(|error| Error::Name(host, error))
}

fn roots(target: &Target) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &target.ca {
        for certificate in certificates(file)? {
            let name = || file.display().to_string();
            roots.add(certificate).map_err(|error| Error::Authority(name(), error))?;
        }
        return Ok(roots);
    }
    // Some systems ship certificates that cannot be parsed; the others serve.
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 { Err(Error::NoAuthorities) } else { Ok(roots) }
}

fn certificates(file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed = |error| Error::Pem(file.clone(), error);
    CertificateDer::pem_file_iter(file).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)
}
