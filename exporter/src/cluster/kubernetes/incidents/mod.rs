//! Watches for what befalls pods of the namespace, and the nodes that carry them.
//!
//! Ends of containers and events are counted by Kubernetes itself, so that what came in a gap is told after it, of
//! all that is still there then. What is told of events is a lower bound: a node tells of one object some 25 times at
//! once, then once in five minutes.

mod events;
mod nodes;
mod pods;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Node, Pod};
use tokio_util::sync::CancellationToken;

use self::events::Counts;
use self::nodes::Conditions;
use self::pods::Ends;
use super::follow::{Follower, follow};
use super::{Kubernetes, in_time, reason};
use crate::clock::Moment;
use crate::cluster::Chronicle;
use crate::cluster::seen::{Incident, Object};

/// Time between two looks at the nodes, which tell of changes between them by themselves.
const LOOK: Duration = Duration::from_secs(2);

/// Begins to watch until cancelled.
pub(in crate::cluster) fn watch(cluster: &Kubernetes, chronicle: &Chronicle, cancel: &CancellationToken) {
    let carriers = Carriers::default();
    let pods = PodFollower {
        chronicle: chronicle.clone(),
        carriers: carriers.clone(),
        ends: Ends::default(),
        begun: false,
    };
    let pods = follow(cluster.here::<Pod>(), "pods".to_owned(), chronicle.clone(), pods);
    tokio::spawn(cancel.clone().run_until_cancelled_owned(pods));
    let events = EventFollower { chronicle: chronicle.clone(), counts: Counts::default(), begun: false };
    let events = follow(cluster.here::<Event>(), "events".to_owned(), chronicle.clone(), events);
    tokio::spawn(cancel.clone().run_until_cancelled_owned(events));
    let nodes = look_at_nodes(cluster.clone(), chronicle.clone(), carriers);
    tokio::spawn(cancel.clone().run_until_cancelled_owned(nodes));
}

/// The node of each pod that is there.
#[derive(Clone, Default)]
struct Carriers(Arc<Mutex<HashMap<String, String>>>);

impl Carriers {
    fn change(&self, change: impl FnOnce(&mut HashMap<String, String>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn add(&self, pod: &Pod) {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
        if let (Some(uid), Some(node)) = (pod.metadata.uid.clone(), node) {
            self.change(|carriers| drop(carriers.insert(uid, node)));
        }
    }

    fn nodes(&self) -> BTreeSet<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

struct PodFollower {
    chronicle: Chronicle,
    carriers: Carriers,
    ends: Ends,
    begun: bool,
}

impl Follower<Pod> for PodFollower {
    fn listed(&mut self, pods: Vec<Pod>, _at: Moment) {
        self.carriers.change(HashMap::clear);
        if std::mem::replace(&mut self.begun, true) {
            self.ends.keep(&pods);
            for pod in pods {
                self.changed(pod);
            }
        } else {
            for pod in &pods {
                self.ends.begin(pod);
                self.carriers.add(pod);
            }
        }
    }

    fn changed(&mut self, pod: Pod) {
        self.carriers.add(&pod);
        tell(&self.chronicle, self.ends.see(&pod));
    }

    fn deleted(&mut self, pod: Pod) {
        tell(&self.chronicle, self.ends.see(&pod));
        self.ends.forget(&pod);
        if let Some(uid) = &pod.metadata.uid {
            self.carriers.change(|carriers| drop(carriers.remove(uid)));
        }
    }
}

struct EventFollower {
    chronicle: Chronicle,
    counts: Counts,
    begun: bool,
}

impl Follower<Event> for EventFollower {
    fn listed(&mut self, events: Vec<Event>, _at: Moment) {
        if std::mem::replace(&mut self.begun, true) {
            self.counts.keep(&events);
            for event in events {
                self.changed(event);
            }
        } else {
            for event in &events {
                self.counts.see(event);
            }
        }
    }

    fn changed(&mut self, event: Event) {
        tell(&self.chronicle, self.counts.see(&event));
    }

    fn deleted(&mut self, event: Event) {
        self.counts.forget(&event);
    }
}

/// Looks at the nodes that carry pods of the namespace, again and again, unless they may not be read.
async fn look_at_nodes(cluster: Kubernetes, chronicle: Chronicle, carriers: Carriers) {
    const NODES: &str = "nodes";
    let nodes = cluster.everywhere::<Node>();
    let mut conditions = Conditions::default();
    let mut whole = chronicle.now();
    loop {
        let mut failed = None;
        for name in carriers.nodes() {
            match in_time(nodes.get_opt(&name)).await {
                Ok(found) => tell(&chronicle, found.iter().flat_map(|node| conditions.see(node))),
                Err(kube::Error::Api(status)) if status.code == 403 => {
                    chronicle.unseen(format!("conditions of nodes: {}", status.message));
                    return;
                }
                Err(error) => failed = Some(reason(&error)),
            }
        }
        match failed {
            None => {
                whole = chronicle.now();
                chronicle.mend(NODES);
            }
            Some(error) => {
                if chronicle.gap(NODES, whole, &error) {
                    tracing::warn!(error, "a node is not read");
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn tell(chronicle: &Chronicle, incidents: impl IntoIterator<Item = (Incident, u64)>) {
    for (incident, count) in incidents {
        let Incident { object: Object { kind, name, .. }, what, .. } = &incident;
        if count > 0 {
            tracing::info!(incident = ?incident.kind, object = format!("{kind} {name}"), what, count, "an incident");
        }
        chronicle.incident(incident, count);
    }
}
