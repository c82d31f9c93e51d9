//! Ready replicas of a workload, from the status document: every poll of it is a probe.
//!
//! They are up while `ready ≥ min(desired, ready before the experiment)`, outside experiments `ready ≥` the
//! autoscaler's minimum, else the declared count, else the desired one. Where an experiment says `replaced`, the
//! instances that it hit, or those on nodes that it hit, do not count as ready from the injection until it is over. A document that
//! could not be read says nothing about the replicas: the poll is missed.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::component::{Follower, SharedWindows, lock};
use super::tracker::{Outcome, Probe};
use super::windows::Underway;
use crate::cluster::{Document, Feed, Instance, Status};
use crate::errors::chain;

/// Why there are too few.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Error {
    #[error("find the workload in the status document")]
    Absent,
    #[error("have {needed} ready replicas: there are {ready}")]
    TooFew { ready: usize, needed: usize },
}

/// The workload that one component follows.
#[derive(Debug, Clone)]
pub(super) struct Replicas {
    pub(super) workload: String,
    pub(super) declared: Option<u32>,
}

impl Replicas {
    fn judge(&self, document: &Document, underway: Option<&Underway>) -> Result<(), Error> {
        let workload = document.workload(&self.workload).ok_or(Error::Absent)?;
        let replaced = underway.filter(|underway| underway.window.replaced && underway.hit.is_some());
        let gone = |instance: &Instance| {
            replaced
                .is_some_and(|underway| underway.window.targets.iter().any(|target| target.hits(instance)))
        };
        let instances = workload.instances.iter();
        let ready = instances.filter(|instance| instance.ready && !gone(instance)).count();
        let desired = usize::try_from(workload.desired).unwrap_or(usize::MAX);
        let needed = if let Some(Underway { ready_before, .. }) = underway {
            ready_before.get(&self.workload).map_or(desired, |&before| desired.min(before))
        } else {
            let minimum = document.autoscaler_of(&self.workload).map(|autoscaler| autoscaler.min);
            minimum.or(self.declared).map_or(desired, |needed| usize::try_from(needed).unwrap_or(usize::MAX))
        };
        if ready >= needed { Ok(()) } else { Err(Error::TooFew { ready, needed }) }
    }
}

/// Follows `replicas` through `feed` until cancelled.
pub(super) async fn run(
    replicas: Replicas,
    mut feed: Feed,
    windows: SharedWindows,
    follower: Arc<Follower>,
    cancel: CancellationToken,
) {
    let mut next = None;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            changed = feed.changed() => if changed.is_err() { return },
        }
        let Some(status) = feed.borrow_and_update().clone() else { continue };
        let Status { poll, start, end, document } = status;
        let missed = Probe { start, end: start, outcome: Outcome::Missed };
        // Polls that were replaced before we came to them.
        (next.unwrap_or(poll)..poll).for_each(|_| follower.take(missed, None));
        next = Some(poll + 1);
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                follower.miss(missed, chain(error.as_ref()));
                continue;
            }
        };
        // Taking a probe locks the windows too.
        let judged = replicas.judge(&document, lock(&windows).underway());
        match judged {
            Ok(()) => follower.take(Probe { start, end, outcome: Outcome::Good }, None),
            Err(error) => {
                follower.take(Probe { start, end, outcome: Outcome::Refused }, Some(&error.to_string()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use prometheus::Registry;
    use tokio::sync::watch;

    use super::*;
    use crate::clock::{Clock, Moment};
    use crate::cluster::{INTERVAL, Target};
    use crate::health::metrics::Metrics;
    use crate::health::windows::Window;

    /// `shop-N` ready on node `nN`, as many as wanted.
    fn document(desired: u32, minimum: Option<u32>, ready: &[u32]) -> Document {
        let instances: Vec<_> = ready
            .iter()
            .map(|n| serde_json::json!({"id": format!("shop-{n}"), "node": format!("n{n}"), "ready": true}))
            .collect();
        let autoscalers: Vec<_> = minimum
            .iter()
            .map(|min| {
                serde_json::json!({"name": "shop", "workload": "shop", "min": min, "max": 10, "current": 3,
                    "desired": desired, "utilization": null, "target_utilization": 0.5})
            })
            .collect();
        let workloads = serde_json::json!([{"name": "shop", "desired": desired, "instances": instances}]);
        let document = serde_json::json!({"workloads": workloads, "autoscalers": autoscalers});
        serde_json::from_value(document).expect("a document")
    }

    fn shop(declared: Option<u32>) -> Replicas {
        Replicas { workload: "shop".to_owned(), declared }
    }

    fn underway(ready_before: usize, targets: &[&str], replaced: bool) -> Underway {
        let targets = targets.iter().map(|&target| Target::named(target)).collect();
        Underway {
            window: Window { begins: Moment::default(), targets, replaced },
            ready_before: BTreeMap::from([("shop".to_owned(), ready_before)]),
            hit: Some(Moment::default()),
        }
    }

    #[test]
    fn outside_experiments_the_minimum_the_declared_or_the_desired_count_is_due() {
        let few = |needed| Err(Error::TooFew { ready: 3, needed });
        let table = [
            (document(5, Some(3), &[1, 2, 3]), Some(4), Ok(())),
            (document(5, Some(4), &[1, 2, 3]), Some(3), few(4)),
            (document(5, None, &[1, 2, 3]), Some(3), Ok(())),
            (document(5, None, &[1, 2, 3]), Some(4), few(4)),
            (document(3, None, &[1, 2, 3]), None, Ok(())),
            (document(5, None, &[1, 2, 3]), None, few(5)),
        ];
        for (document, declared, expected) in table {
            assert_eq!(shop(declared).judge(&document, None), expected, "{document:?} {declared:?}");
        }
    }

    #[test]
    fn in_an_experiment_as_many_as_before_are_due_or_as_are_desired() {
        let judge = |desired, ready: &[u32], before| {
            shop(Some(1)).judge(&document(desired, Some(1), ready), Some(&underway(before, &[], false)))
        };
        assert_eq!(judge(10, &[1, 2, 3, 4], 4), Ok(()));
        assert_eq!(judge(10, &[1, 2], 4), Err(Error::TooFew { ready: 2, needed: 4 }));
        assert_eq!(judge(2, &[1, 2], 4), Ok(()));
    }

    #[test]
    fn instances_count_until_they_are_hit_and_again_only_after_the_experiment() {
        let document = document(3, Some(3), &[1, 2, 3]);
        let judge = |targets, replaced| shop(None).judge(&document, Some(&underway(3, targets, replaced)));
        assert_eq!(judge(&["shop-1", "shop-2"], false), Ok(()));
        assert_eq!(judge(&["shop-1", "shop-2"], true), Err(Error::TooFew { ready: 1, needed: 3 }));
        assert_eq!(judge(&["n3"], true), Err(Error::TooFew { ready: 2, needed: 3 }));
        let noted_only = Underway { hit: None, ..underway(3, &["n3"], true) };
        assert_eq!(shop(None).judge(&document, Some(&noted_only)), Ok(()));
        assert_eq!(shop(None).judge(&document, None), Ok(()));
    }

    #[tokio::test]
    async fn polls_that_nobody_came_to_are_missed() {
        let metrics = Metrics::register(&Registry::new()).expect("free names");
        let (windows, changes) = (SharedWindows::default(), watch::Sender::new(0));
        let mut taken = changes.subscribe();
        let times = (INTERVAL, Duration::from_secs(1));
        let series = metrics.component("it");
        let follower = Follower::new(
            "it".to_owned(),
            times,
            Clock::start(),
            metrics.component("it"),
            Arc::clone(&windows),
            changes,
        );
        let (polls, feed) = watch::channel(None);
        let cancel = CancellationToken::new();
        let task = tokio::spawn(run(shop(None), feed, windows, Arc::new(follower), cancel.clone()));
        for (poll, good, missed, unseen) in [(0, 1, 0, 0), (1, 2, 0, 0), (5, 3, 3, 1), (6, 4, 3, 1)] {
            let start = Moment(INTERVAL * poll);
            let document = Ok(Arc::new(document(3, None, &[1, 2, 3])));
            polls.send_replace(Some(Status { poll: poll.into(), start, end: start, document }));
            while series.good.get() < good {
                taken.changed().await.expect("it goes on");
            }
            let counted = (series.good.get(), series.missed.get(), series.unseen.get_sample_count());
            assert_eq!(counted, (good, missed, unseen), "poll {poll}");
        }
        let seconds = Duration::from_secs_f64(series.unseen.get_sample_sum());
        assert_eq!(seconds, INTERVAL * 4, "from the last poll that told something");
        cancel.cancel();
        task.await.expect("no panic");
    }

    #[tokio::test]
    async fn a_document_that_could_not_be_read_tells_why_its_components_are_not_up() {
        let metrics = Metrics::register(&Registry::new()).expect("free names");
        let (windows, changes) = (SharedWindows::default(), watch::Sender::new(0));
        let mut taken = changes.subscribe();
        let times = (INTERVAL, Duration::from_secs(1));
        let series = metrics.component("it");
        let follower =
            Follower::new("it".to_owned(), times, Clock::start(), series, Arc::clone(&windows), changes);
        let follower = Arc::new(follower);
        let (polls, feed) = watch::channel(None);
        let cancel = CancellationToken::new();
        let task = tokio::spawn(run(shop(None), feed, windows, Arc::clone(&follower), cancel.clone()));
        let unread = Err(Arc::new(crate::cluster::Error::Silent));
        let read = Ok(Arc::new(document(3, None, &[1, 2, 3])));
        let silent = "ask the cluster what runs: no answer within 1s".to_owned();
        for (poll, document, reason) in [(0, unread, Some(silent)), (1, read, None)] {
            let start = Moment(INTERVAL * poll);
            polls.send_replace(Some(Status { poll: poll.into(), start, end: start, document }));
            taken.changed().await.expect("it goes on");
            assert_eq!(follower.reason(), reason, "poll {poll}");
        }
        cancel.cancel();
        task.await.expect("no panic");
    }

    #[test]
    fn a_workload_that_the_document_does_not_name_is_not_up() {
        let empty = Document { workloads: vec![], autoscalers: vec![], interventions: None };
        assert_eq!(shop(None).judge(&empty, None), Err(Error::Absent));
    }
}
