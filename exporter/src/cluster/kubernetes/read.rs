//! Reads from the API server what runs: a document as anyone else would serve it.
//!
//! Each reading asks for the present state ("most recent" in the API's terms), so that what it says was true
//! between its request and its answer: a watch would tell sooner, but not how stale its last word is.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;

use super::objects::{self, Wanted};
use super::witness::Witness;
use super::{Kubernetes, is_absent, reason};
use crate::cluster::{Document, Workload};

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A request failed.
    #[error("{action} in namespace {namespace}: {reason}")]
    Request {
        /// What was asked for.
        action: String,
        /// Where.
        namespace: String,
        /// What the API server said, or why it said nothing.
        reason: String,
    },
    /// No workload of that name.
    #[error(
        "find workload {name}: namespace {namespace} has neither a Deployment nor a StatefulSet of that name"
    )]
    NoWorkload {
        /// Its name.
        name: String,
        /// Where.
        namespace: String,
    },
    /// The objects contradict each other.
    #[error("understand the objects of namespace {namespace}")]
    Nonsense {
        /// Where.
        namespace: String,
        /// What cannot be.
        #[source]
        source: crate::cluster::Nonsense,
    },
}

/// The workloads of a cluster that are looked at.
pub(in crate::cluster) struct Watched {
    cluster: Kubernetes,
    workloads: Vec<String>,
    witness: Witness,
}

impl Watched {
    /// `workloads` by name, and whatever scales them.
    pub(in crate::cluster) fn new(cluster: Kubernetes, workloads: Vec<String>, witness: Witness) -> Self {
        Self { cluster, workloads, witness }
    }

    /// What runs at this moment, and what the witness saw so far.
    pub(in crate::cluster) async fn read(&self) -> Result<Document, ReadError> {
        let workloads = async {
            let mut found = Vec::with_capacity(self.workloads.len());
            for name in &self.workloads {
                found.push(self.workload(name).await?);
            }
            Ok(found)
        };
        let (workloads, autoscalers) = tokio::try_join!(workloads, self.autoscalers())?;
        let nonsense =
            |source| ReadError::Nonsense { namespace: self.cluster.namespace().to_owned(), source };
        Document::new(workloads, autoscalers, Some(self.witness.testimony())).map_err(nonsense)
    }

    async fn workload(&self, name: &str) -> Result<Workload, ReadError> {
        let Wanted { desired, selector, unprobed } = self.cluster.wanted(name).await?;
        let pods = self.cluster.here::<Pod>().list(&ListParams::default().labels(&selector)).await;
        let pods = pods.map_err(|error| self.cluster.failed(format!("list the pods of {name}"), &error))?;
        let instances = pods.items.iter().filter_map(objects::instance).collect();
        Ok(Workload { name: name.to_owned(), desired, instances, unprobed })
    }

    async fn autoscalers(&self) -> Result<Vec<crate::cluster::Autoscaler>, ReadError> {
        let found = self.cluster.here::<HorizontalPodAutoscaler>().list(&ListParams::default()).await;
        let found = found.map_err(|error| self.cluster.failed("list the autoscalers".to_owned(), &error))?;
        let ours = found.items.iter().filter_map(objects::autoscaler);
        Ok(ours.filter(|autoscaler| self.workloads.contains(&autoscaler.workload)).collect())
    }
}

impl Kubernetes {
    /// Whether workload `name` is there, as those that follow it look for it.
    pub async fn find_workload(&self, name: &str) -> Result<(), ReadError> {
        self.wanted(name).await.map(drop)
    }

    async fn wanted(&self, name: &str) -> Result<Wanted, ReadError> {
        let absent =
            || ReadError::NoWorkload { name: name.to_owned(), namespace: self.namespace().to_owned() };
        match self.here::<Deployment>().get(name).await {
            Ok(found) => return objects::of_deployment(&found).ok_or_else(absent),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(self.failed(format!("read Deployment {name}"), &error)),
        }
        match self.here::<StatefulSet>().get(name).await {
            Ok(found) => objects::of_stateful_set(&found).ok_or_else(absent),
            Err(error) if is_absent(&error) => Err(absent()),
            Err(error) => Err(self.failed(format!("read StatefulSet {name}"), &error)),
        }
    }

    fn failed(&self, action: String, error: &kube::Error) -> ReadError {
        ReadError::Request { action, namespace: self.namespace().to_owned(), reason: reason(error) }
    }
}
