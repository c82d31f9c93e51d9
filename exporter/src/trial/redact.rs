//! What is shown of types that may hold a secret in the middle of something harmless.

use std::fmt;

use url::Url;

use super::model::{Manager, StatusSource, Target, Trial};

/// A URL without path and query, which may hold a token.
struct Origin<'a>(&'a Url);

impl fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("url", &Origin(&self.url))
            .field("ca", &self.ca)
            .field("client_identity", &self.client_identity)
            .field("host", &self.host)
            .field("headers", &self.headers)
            .finish()
    }
}

impl fmt::Debug for StatusSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(url) => f.debug_tuple("Document").field(&Origin(url)).finish(),
            Self::Kubernetes(cluster) => f.debug_tuple("Kubernetes").field(cluster).finish(),
        }
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patroni(url) => f.debug_tuple("Patroni").field(&Origin(url)).finish(),
            Self::Sentinel { address, master } => {
                f.debug_struct("Sentinel").field("address", address).field("master", master).finish()
            }
        }
    }
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial")
            .field("name", &self.name)
            .field("target", &self.target)
            .field("load", &self.load)
            .field("status", &self.status)
            .field("stores", &self.stores)
            .field("components", &self.components)
            .field("ledgers", &self.ledgers)
            .field("experiments", &self.experiments)
            .field("after", &self.after)
            .field("settle", &self.settle)
            .field("cooldown", &self.cooldown)
            .field("secrets", &self.secrets)
            .finish()
    }
}
