//! What runs, and who interferes: from a JSON document that anyone may serve, or from a Kubernetes cluster.

mod document;
pub mod kubernetes;
mod metrics;
mod status;
mod target;

pub use document::{Autoscaler, Document, Instance, Interventions, Nonsense, Workload};
pub use status::{Cluster, Error, Feed, INTERVAL, Source, Status, start};
pub use target::Target;
