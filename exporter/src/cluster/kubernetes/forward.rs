//! Bytes to a port of a pod through the API server and the pod's node, as `kubectl port-forward` sends them. No
//! network policy is in that way: the node reaches into the pod's own network.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::client::UpgradeConnectionError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::{Kubernetes, is_absent, is_away, reason};

/// An API server that says nothing for so long says nothing in time for whoever waits.
const SILENT: Duration = Duration::from_secs(1);

/// Why there is no connection to a port of a pod.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// The API server gave no answer: nothing is known of the pod.
    #[error("the API server does not answer: {0}")]
    Away(String),
    /// There is no such pod.
    #[error("{0}")]
    Absent(String),
    /// The API server answered that it is not to be had, as where its node cannot be reached.
    #[error("{0}")]
    Unreachable(String),
}

impl ForwardError {
    fn of(error: &kube::Error) -> Self {
        let broken_off =
            matches!(error, kube::Error::UpgradeConnection(UpgradeConnectionError::GetPendingUpgrade(_)));
        let reason = reason(error);
        if is_absent(error) {
            Self::Absent(reason)
        } else if broken_off || is_away(error) {
            Self::Away(reason)
        } else {
            Self::Unreachable(reason)
        }
    }
}

impl Kubernetes {
    /// A connection to `port` of `pod`. That nobody listens there shows only as its end.
    pub async fn forward(
        &self,
        pod: &str,
        port: u16,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>, ForwardError> {
        let asked = self.here::<Pod>().portforward(pod, &[port]).await;
        let mut forwarder = asked.map_err(|error| ForwardError::of(&error))?;
        forwarder
            .take_stream(port)
            .ok_or_else(|| ForwardError::Unreachable(format!("no stream for port {port}")))
    }

    /// Whether the API server answers at this moment, whatever it says. Everybody may ask it for its version.
    pub async fn answers(&self) -> bool {
        match timeout(SILENT, self.0.client.apiserver_version()).await {
            Ok(answer) => answer.as_ref().err().is_none_or(|error| !is_away(error)),
            Err(_elapsed) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn said(code: u16, message: &str) -> kube::Error {
        let status = Status { code, message: message.to_owned(), ..Status::default() };
        kube::Error::Api(Box::new(status))
    }

    #[test]
    fn only_a_silent_api_server_leaves_a_pod_unknown() {
        let away = |text: &str| ForwardError::Away(text.to_owned());
        let unreachable = |text: &str| ForwardError::Unreachable(text.to_owned());
        let dead = "error dialing backend: dial tcp 10.0.0.3:10250: connect: no route to host";
        let table = [
            (
                kube::Error::Service("connection refused".into()),
                away("ServiceError: connection refused: connection refused"),
            ),
            (said(429, "too many requests"), away("too many requests")),
            (said(503, "no healthy upstream"), away("no healthy upstream")),
            (
                said(404, "pods \"kv-0\" not found"),
                ForwardError::Absent("pods \"kv-0\" not found".to_owned()),
            ),
            (said(500, dead), unreachable(dead)),
            (said(403, "forbidden"), unreachable("forbidden")),
        ];
        for (error, expected) in table {
            assert_eq!(ForwardError::of(&error), expected);
        }
    }
}
