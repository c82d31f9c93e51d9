//! Runs a command in a container, through the API server and the pod's node, as `kubectl exec` does.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::AttachParams;
use tokio::time::{Instant, timeout, timeout_at};

use super::channel::{Exit, Ran, ending};
use super::container::{Found, find};
use crate::chaos::faults::Ending;
use crate::chaos::faults::api::{self, Failure};
use crate::chaos::faults::exec::TAIL;
use crate::chaos::faults::output::{Capture, Captured};
use crate::clock::Clock;
use crate::cluster::kubernetes::{Kubernetes, reason};

/// Time between two looks whether a container runs.
const LOOK: Duration = Duration::from_millis(500);

/// A container of a pod, and no other of their names.
#[derive(Debug, Clone)]
pub(super) struct Inside {
    pub(super) cluster: Kubernetes,
    pub(super) pod: String,
    pub(super) uid: String,
    pub(super) container: String,
}

impl Inside {
    /// The pod that has the name at this moment.
    pub(super) async fn present(&self) -> Result<Option<Pod>, Failure> {
        let found = self.cluster.here::<Pod>().get_opt(&self.pod).await;
        found.map_err(|error| Failure::of(&format!("read pod {}", self.pod), &error))
    }

    /// What became of the container.
    pub(super) async fn find(&self) -> Result<Found, Failure> {
        Ok(find(self.present().await?.as_ref(), &self.uid, &self.container))
    }

    /// Waits until the container runs or its pod is gone, for `limit` at most; else says what the last look told.
    pub(super) async fn settled(&self, limit: Duration) -> Result<Found, Ending> {
        let shown = humantime::format_duration(limit);
        let mut last = Ending::Unanswered(format!("no answer within {shown}"));
        let looks = async {
            loop {
                last = match self.find().await {
                    Ok(Found::Stopped) => {
                        Ending::OutOfTime(format!("{self} was not seen to run within {shown}"))
                    }
                    Ok(found) => break found,
                    Err(failure) => failure.into_ending(),
                };
                tokio::time::sleep(LOOK).await;
            }
        };
        let settled = timeout(limit, looks).await;
        settled.map_err(|_elapsed| last)
    }

    /// Runs `command` and awaits its end for `limit` at most. That the connection is closed then ends no command: it
    /// is left to itself.
    pub(super) async fn run(&self, command: &[String], limit: Duration, clock: &Clock) -> Ran {
        let start = clock.now();
        let (exit, no, [stdout, stderr]) = self.attached(command, limit).await;
        Ran { start, end: clock.now(), exit, no, stdout, stderr }
    }

    async fn attached(
        &self,
        command: &[String],
        limit: Duration,
    ) -> (Exit, fn(String) -> Ending, [Captured; 2]) {
        let nothing = || [Captured::default(), Captured::default()];
        let until = Instant::now() + limit;
        let pods = self.cluster.here::<Pod>();
        let how = AttachParams::default().container(&self.container);
        let attached = timeout_at(until, pods.exec(&self.pod, command, &how)).await;
        let mut process = match attached {
            Ok(Ok(process)) => process,
            Ok(Err(error)) => {
                let code = match &error {
                    kube::Error::Api(status) => Some(status.code),
                    _ => None,
                };
                return (Exit::refused(code, &reason(&error)), api::ending(&error), nothing());
            }
            Err(_elapsed) => return (Exit::OutOfTime(limit), Ending::OutOfTime, nothing()),
        };
        let (stdout, stderr, last) = (process.stdout(), process.stderr(), process.take_status());
        let (Some(stdout), Some(stderr), Some(last)) = (stdout, stderr, last) else {
            return (Exit::Unknown("the connection has no streams".to_owned()), Ending::Failed, nothing());
        };
        let (stdout, stderr) = (Capture::start(stdout, TAIL), Capture::start(stderr, TAIL));
        let (exit, no): (Exit, fn(String) -> Ending) = match timeout_at(until, last).await {
            Ok(Some(status)) => (Exit::of(&status), ending(&status)),
            Ok(None) => (Exit::Unknown("the connection was lost".to_owned()), Ending::Failed),
            Err(_elapsed) => (Exit::OutOfTime(limit), Ending::OutOfTime),
        };
        let (stdout, stderr) = tokio::join!(stdout.finish(), stderr.finish());
        (exit, no, [stdout, stderr])
    }
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "container {} of pod {}", self.container, self.pod)
    }
}

/// The answer to `question` within `limit`.
pub(super) async fn within<T>(
    limit: Duration,
    question: impl Future<Output = Result<T, Failure>>,
) -> Result<T, String> {
    let silent = |_| format!("no answer within {}", humantime::format_duration(limit));
    timeout(limit, question).await.map_err(silent)?.map_err(Failure::into_reason)
}
