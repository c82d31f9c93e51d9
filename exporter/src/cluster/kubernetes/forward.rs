//! Bytes to a port of a pod through the API server and the pod's node, as `kubectl port-forward` sends them. No
//! network policy is in that way: the node reaches into the pod's own network.

use k8s_openapi::api::core::v1::Pod;
use kube::client::UpgradeConnectionError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::presence::is_said;
use super::{Kubernetes, is_about_itself, is_away, is_own, reason};

/// What the API server says of a node that it does not reach.
const NOT_REACHED: [&str; 2] = ["error dialing backend", "error sending request"];

/// Why there is no connection to a port of a pod.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// The API server gave no answer, or one about itself or us only: nothing is known of the pod.
    #[error("the API server tells nothing of it: {0}")]
    Unseen(String),
    /// There is no such pod, it has no node, or nothing of its name runs on the node that it has. What ran by that name on
    /// a node that is cut off may do so still.
    #[error("{0}")]
    Absent(String),
    /// Its node runs another of its name still.
    #[error("{0}")]
    Predecessor(String),
    /// The API server answered that it is not to be had, as where its node cannot be reached.
    #[error("{0}")]
    Unreachable(String),
}

impl ForwardError {
    /// What an error means, of an API server that has only just come back, or not.
    fn of(error: &kube::Error, returned: bool) -> Self {
        let of_itself = if is_about_a_node(error) { returned } else { is_about_itself(error) };
        let reason = reason(error);
        if tells_absence(error) {
            Self::Absent(reason)
        } else if is_broken_off(error) || is_away(error) || of_itself {
            Self::Unseen(reason)
        } else if tells_of_predecessor(error) {
            Self::Predecessor(reason)
        } else {
            Self::Unreachable(reason)
        }
    }
}

/// Whether the API server knows no such pod, or none that has a node, or the node finds nothing that runs by its name. A
/// kubelet that was just restarted knows no pod yet (404), though all of them run on.
fn tells_absence(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    if is_own(status) {
        let no_pod = status.code == 404 && status.message.starts_with("pods ");
        return no_pod || status.message.ends_with(" does not have a host assigned");
    }
    status.message.starts_with("pod not found (")
}

/// Whether the node says that it has no sandbox of the pod: it looks for one only after it has found something that runs by
/// that name (`Kubelet.GetPortForward`). One that could not look says why behind a colon.
fn tells_of_predecessor(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let pod = status.message.strip_prefix("failed to find sandboxID for pod ");
    !is_own(status) && pod.is_some_and(|pod| !pod.contains(": "))
}

/// Whether the API server went away while it was asked.
fn is_broken_off(error: &kube::Error) -> bool {
    matches!(error, kube::Error::UpgradeConnection(UpgradeConnectionError::GetPendingUpgrade(_)))
}

/// Whether the API server says that it does not reach a node.
fn is_about_a_node(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    NOT_REACHED.iter().any(|words| status.message.contains(words))
}

impl Kubernetes {
    /// A connection to `port` of `pod`. That nobody listens there shows only as its end.
    pub async fn forward(
        &self,
        pod: &str,
        port: u16,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, ForwardError> {
        let asked = self.here::<Pod>().portforward(pod, &[port]).await;
        let mut forwarder = asked.map_err(|error| {
            let mut presence = self.presence();
            let now = Instant::now();
            if is_broken_off(&error) || !is_said(&error) {
                presence.found_away(now);
            }
            ForwardError::of(&error, !presence.has_tunnels(now))
        })?;
        forwarder
            .take_stream(port)
            .ok_or_else(|| ForwardError::Unreachable(format!("no stream for port {port}")))
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::super::HANDED_ON;
    use super::*;

    fn said(code: u16, message: &str) -> kube::Error {
        let status = Status { code, message: message.to_owned(), ..Status::default() };
        kube::Error::Api(Box::new(status))
    }

    #[test]
    fn only_what_is_said_of_a_pod_or_its_node_tells_of_it() {
        let unseen = |text: &str| ForwardError::Unseen(text.to_owned());
        let unreachable = |text: &str| ForwardError::Unreachable(text.to_owned());
        let dead = "error dialing backend: dial tcp 10.0.0.3:10250: connect: no route to host";
        let broke = "error sending request: write tcp 10.0.0.3:10250: broken pipe";
        let by_node = |code: u16, message: &str| {
            kube::Error::Api(Box::new(Status::failure(message, HANDED_ON).with_code(code)))
        };
        let absent = |text: &str| ForwardError::Absent(text.to_owned());
        let predecessor = |text: &str| ForwardError::Predecessor(text.to_owned());
        let starting = "pod not found (\"kv-0_shop\")";
        let another = "failed to find sandboxID for pod kv-0_shop(u-1)";
        let blind = "failed to find sandboxID for pod kv-0_shop(u-1): rpc error: code = Unknown";
        let table = [
            (
                kube::Error::Service("connection refused".into()),
                unseen("ServiceError: connection refused: connection refused"),
            ),
            (said(429, "too many requests"), unseen("too many requests")),
            (said(503, "no healthy upstream"), unseen("no healthy upstream")),
            (said(401, "Unauthorized"), unseen("Unauthorized")),
            (said(403, "forbidden"), unseen("forbidden")),
            (said(500, "etcdserver: request timed out"), unseen("etcdserver: request timed out")),
            (said(500, starting), unseen(starting)),
            (said(500, another), unseen(another)),
            (said(404, "pods \"kv-0\" not found"), absent("pods \"kv-0\" not found")),
            (said(404, "nodes \"n2\" not found"), unreachable("nodes \"n2\" not found")),
            (
                said(400, "pod kv-0 does not have a host assigned"),
                absent("pod kv-0 does not have a host assigned"),
            ),
            (said(400, "port is missing"), unreachable("port is missing")),
            (by_node(500, starting), absent(starting)),
            (by_node(500, another), predecessor(another)),
            (by_node(500, blind), unreachable(blind)),
            (by_node(404, "pod does not exist"), unreachable("pod does not exist")),
            (by_node(404, "pod not found"), unreachable("pod not found")),
            // A proxy's, perhaps.
            (by_node(404, "404 page not found"), unreachable("404 page not found")),
            (said(500, dead), unreachable(dead)),
            (said(500, broke), unreachable(broke)),
        ];
        for (error, expected) in table {
            assert_eq!(ForwardError::of(&error, false), expected);
            // Of nodes alone it says nothing yet.
            let node = [unreachable(dead), unreachable(broke)].contains(&expected);
            let expected = if node { unseen(&reason(&error)) } else { expected };
            assert_eq!(ForwardError::of(&error, true), expected);
        }
    }
}
