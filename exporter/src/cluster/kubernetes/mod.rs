//! A Kubernetes cluster, by its API server.
//!
//! Every request is tried once and bounded in time: a client that tries again by itself hides both how long
//! the API server was away and when a change was made.

mod fitness;
mod follow;
mod forward;
pub(super) mod incidents;
pub mod kept;
pub mod lease;
mod objects;
mod presence;
mod read;
pub mod rights;
pub mod shared;
pub mod witness;

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{ApiResource, DynamicObject};
use kube::config::InferConfigError;
use kube::core::{PartialObjectMeta, Status};
use kube::{Api, Client, Config, Resource};

pub use self::forward::ForwardError;
pub use self::objects::is_ready;
use self::presence::Presence;
pub use self::read::ReadError;
pub(super) use self::read::Watched;
use self::witness::Ours;
use crate::errors::chain;
use crate::trial;

/// Who makes our changes, as the API server notes it with each of them.
pub const MANAGER: &str = "ordeal";
/// A connection to the API server stands within this time, or the request has failed.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Why a cluster cannot be talked to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Neither a service account nor a usable kubeconfig.
    // Its message tells its causes.
    #[error(
        "find the cluster, by the kubeconfig that the environment variable KUBECONFIG names, else ~/.kube/config, \
         else as a pod with a service account: {0}"
    )]
    Config(Box<InferConfigError>),
    /// No client can be made of that.
    #[error("set up the client for the cluster")]
    Client(#[source] Box<kube::Error>),
}

/// A cluster and the namespace in it. Cheap to clone.
#[derive(Clone)]
pub struct Kubernetes(Arc<Inner>);

struct Inner {
    client: Client,
    namespace: String,
    ours: Ours,
    /// Whether the API server was there to answer what was asked of it on behalf of a probe.
    presence: Mutex<Presence>,
}

impl Debug for Kubernetes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubernetes").field("namespace", &self.0.namespace).finish_non_exhaustive()
    }
}

impl Kubernetes {
    /// The cluster that `place` means: that of the pod that this runs in, else the kubeconfig's. Nothing is asked
    /// of it yet.
    pub async fn connect(place: &trial::Kubernetes) -> Result<Self, ConnectError> {
        Self::connect_to(place.namespace.as_str()).await
    }

    /// [`Self::connect`] where only the namespace is known.
    pub async fn connect_to(namespace: &str) -> Result<Self, ConnectError> {
        Self::connect_in(|_| namespace.to_owned()).await
    }

    /// The namespace that this program itself is in: its pod's, else that of the kubeconfig's context.
    pub async fn connect_home() -> Result<Self, ConnectError> {
        Self::connect_in(|config| config.default_namespace.clone()).await
    }

    async fn connect_in(namespace: impl FnOnce(&Config) -> String) -> Result<Self, ConnectError> {
        let mut config = Config::infer().await.map_err(|error| ConnectError::Config(Box::new(error)))?;
        let namespace = namespace(&config);
        config.connect_timeout = Some(CONNECT_WITHIN);
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|error| ConnectError::Client(Box::new(error)))?;
        Ok(Self(Arc::new(Inner {
            client,
            namespace,
            ours: Ours::of_this_program(),
            presence: Mutex::default(),
        })))
    }

    /// The namespace of the service.
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// What this program itself takes away.
    pub fn ours(&self) -> &Ours {
        &self.0.ours
    }

    /// Objects of a kind in the namespace, of which only what all kinds have is known.
    pub fn here_as(&self, kind: &ApiResource) -> Api<PartialObjectMeta<DynamicObject>> {
        Api::namespaced_with(self.0.client.clone(), &self.0.namespace, kind)
    }

    /// Objects of a kind in the namespace.
    pub fn here<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.0.client.clone(), &self.0.namespace)
    }

    /// Objects of a kind in another namespace.
    pub fn within<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.0.client.clone(), namespace)
    }

    /// Objects of a kind that belong to no namespace, or in all of them.
    pub fn everywhere<K: Resource<DynamicType = ()>>(&self) -> Api<K> {
        Api::all(self.0.client.clone())
    }
}

#[cfg(test)]
impl Kubernetes {
    /// Namespace `shop` of the cluster whose API server is to listen at `address`.
    pub(crate) fn at(address: std::net::SocketAddr) -> Self {
        let mut config = Config::new(format!("http://{address}").parse().expect("a URL"));
        config.connect_timeout = Some(CONNECT_WITHIN);
        config.default_retry = false;
        let client = Client::try_from(config).expect("a client");
        let (namespace, ours) = ("shop".to_owned(), Ours::of_this_program());
        Self(Arc::new(Inner { client, namespace, ours, presence: Mutex::default() }))
    }
}

/// A small request has failed without an answer after this long.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The answer to a small request, in time or not at all: the client itself would wait for ever.
async fn in_time<T>(request: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    let silent = |_| kube::Error::Service(format!("no answer within {ANSWER_WITHIN:?}").into());
    tokio::time::timeout(ANSWER_WITHIN, request).await.map_err(silent)?
}

/// What a failed request says, for people: the API server's own words, where it said any.
pub fn reason(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if !status.message.is_empty() => status.message.clone(),
        kube::Error::Api(status) => format!("{} ({})", status.reason, status.code),
        other => chain(other),
    }
}

/// What the API server says with 500 where it does not know what became of a request: its storage has no leader or
/// answers too late (kubernetes/kubernetes#65062).
const UNDECIDED: [&str; 4] =
    ["ServerTimeout", "etcdserver:", "rpc error: code = Unavailable", "rpc error: code = DeadlineExceeded"];

/// What the client calls an answer that is not in the API server's own form: it is a node's, handed on.
const HANDED_ON: &str = "Failed to parse error data";

/// Whether the API server itself says so.
fn is_own(status: &Status) -> bool {
    status.reason != HANDED_ON
}

fn is_said(status: &Status, words: &str) -> bool {
    status.reason == words || status.message.contains(words)
}

/// Whether nobody has decided upon a request: the API server, or its storage, is away or busy, and may do it later.
pub fn is_away(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => match status.code {
            429 | 502..=504 => true,
            500 => is_own(status) && UNDECIDED.iter().any(|words| is_said(status, words)),
            _ => false,
        },
        kube::Error::HyperError(_) | kube::Error::Service(_) => true,
        _ => false,
    }
}

/// Whether the API server said no only because it does not let us, as with a token that has run out, or because something
/// is wrong with itself. One that was just started says both, too: it has not read yet who may do what.
pub fn is_about_itself(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    match status.code {
        401 | 403 => true,
        500 => is_own(status),
        _ => false,
    }
}

/// Whether the API server says that there is no such object.
pub fn is_absent(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_undecided_where_the_api_server_or_its_storage_is_away() {
        let said = |code: u16, reason: &str, message: &str| {
            kube::Error::Api(Box::new(Status::failure(message, reason).with_code(code)))
        };
        let table = [
            (said(429, "TooManyRequests", "try again"), true),
            (said(503, "ServiceUnavailable", "no healthy upstream"), true),
            (said(500, "InternalError", "etcdserver: request timed out"), true),
            (said(500, "", "rpc error: code = Unavailable desc = transport is closing"), true),
            (said(500, "ServerTimeout", "the request did not complete"), true),
            (kube::Error::Service("connection refused".into()), true),
            // A node's own words, of a container runtime that is away.
            (said(500, HANDED_ON, "rpc error: code = Unavailable desc = no sandbox"), false),
            (said(500, "InternalError", "failed calling webhook"), false),
            (said(403, "Forbidden", "nodes is forbidden"), false),
            (said(409, "Conflict", "the object has been modified"), false),
        ];
        for (error, expected) in table {
            assert_eq!(is_away(&error), expected, "{error}");
        }
    }
}
