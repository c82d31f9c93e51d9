//! Bytes to a port of a pod through the API server and the pod's node, as `kubectl port-forward` sends them. No
//! network policy is in that way: the node reaches into the pod's own network.

use std::sync::PoisonError;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::client::UpgradeConnectionError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};

use super::{Kubernetes, is_absent, is_away, is_own, reason};

/// An API server that says nothing for so long says nothing in time for whoever waits.
const SILENT: Duration = Duration::from_secs(1);
/// Whoever asked through it before it was back may wait in vain though it is there: what was lost on the way is sent
/// again only after a second.
const BACK_FOR: Duration = Duration::from_secs(3);

/// What the API server says of a node that it does not reach.
const NOT_REACHED: [&str; 2] = ["error dialing backend", "error sending request"];

/// Why there is no connection to a port of a pod.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    /// The API server gave no answer, or one about itself or us only: nothing is known of the pod.
    #[error("the API server tells nothing of it: {0}")]
    Unseen(String),
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
        } else if broken_off || is_away(error) || is_about_itself(error) {
            Self::Unseen(reason)
        } else {
            Self::Unreachable(reason)
        }
    }
}

/// Whether the API server answered only that it does not let us, as with a token that has run out or just after it was
/// started, or that something is wrong with itself, as where its storage is away.
fn is_about_itself(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let of_the_node = || !is_own(status) || NOT_REACHED.iter().any(|words| status.message.contains(words));
    match status.code {
        401 | 403 => true,
        500 => !of_the_node(),
        _ => false,
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

    /// Whether the API server answers, whatever it says, and was not found silent within the last [`BACK_FOR`].
    /// Everybody may ask it for its version.
    pub async fn answers(&self) -> bool {
        let begun = Instant::now();
        let answered = match timeout(SILENT, self.0.client.apiserver_version()).await {
            Ok(answer) => answer.as_ref().err().is_none_or(is_said),
            Err(_elapsed) => false,
        };
        let mut silent = self.0.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if !answered {
            *silent = Some(Instant::now());
        }
        answered && is_back(begun, *silent)
    }
}

/// Whether one that answers to whoever asked at `asked`, and was last found silent at `silent`, has been there for long
/// enough that what was asked through it meanwhile was not lost on the way.
fn is_back(asked: Instant, silent: Option<Instant>) -> bool {
    silent.is_none_or(|silent| asked.saturating_duration_since(silent) > BACK_FOR)
}

/// Whether the API server is there and said this itself, not a proxy in front of it.
fn is_said(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => !matches!(status.code, 502..=504),
        other => !is_away(other),
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
        let starting = "failed to find sandboxID for pod kv-0_shop(u-1)";
        let handed_on = Status::failure(starting, HANDED_ON).with_code(500);
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
            (
                said(404, "pods \"kv-0\" not found"),
                ForwardError::Absent("pods \"kv-0\" not found".to_owned()),
            ),
            (
                said(400, "pod kv-0 does not have a host assigned"),
                unreachable("pod kv-0 does not have a host assigned"),
            ),
            (said(500, dead), unreachable(dead)),
            (said(500, broke), unreachable(broke)),
            (kube::Error::Api(Box::new(handed_on)), unreachable(starting)),
        ];
        for (error, expected) in table {
            assert_eq!(ForwardError::of(&error), expected);
        }
    }

    #[test]
    fn whoever_has_too_many_requests_answers() {
        let silent = || kube::Error::Service("connection refused".into());
        let table = [
            (said(429, "too many requests"), true),
            (said(403, "forbidden"), true),
            (said(500, "etcdserver: request timed out"), true),
            (said(503, "no healthy upstream"), false),
            (silent(), false),
        ];
        for (error, expected) in table {
            assert_eq!(is_said(&error), expected, "{error}");
        }
    }

    #[test]
    fn one_that_was_silent_is_trusted_again_a_while_after_its_return() {
        let silent = Instant::now();
        assert!(is_back(silent, None));
        for (later, back) in [(0, false), (500, false), (3000, false), (3001, true)] {
            assert_eq!(is_back(silent + Duration::from_millis(later), Some(silent)), back, "{later} ms");
        }
        // It fell silent after the question.
        assert!(!is_back(silent, Some(silent + BACK_FOR)));
    }
}
