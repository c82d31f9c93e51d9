//! The HTTP service under load.

use std::path::PathBuf;

use http::{HeaderName, HeaderValue};
use url::Url;

use super::Template;

/// The HTTP service under load.
#[derive(Clone)]
pub struct Target {
    /// Scheme, host and port, and a path prefix if any. Logs show its origin only: a path may hold a secret.
    pub url: Url,
    /// Certificate authority (PEM file) instead of the system's.
    pub ca: Option<PathBuf>,
    /// Client certificate and key (PEM files).
    pub client_identity: Option<ClientIdentity>,
    /// `Host` header and TLS server name, when they differ from the URL's host.
    pub host: Option<String>,
    /// Headers sent with every request; values may be secret.
    pub headers: Vec<(HeaderName, HeaderText)>,
}

/// A client certificate with its key.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    /// PEM file with the certificate chain.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// A header's value: plain, or a template that is filled for each request.
#[derive(Debug, Clone)]
pub enum HeaderText {
    /// The same for every request; marked sensitive when it came from a secret.
    Fixed(HeaderValue),
    /// Filled from parameters and extracted values.
    Template(Template),
}
