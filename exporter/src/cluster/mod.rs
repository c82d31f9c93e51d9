//! What runs, and who interferes: from a JSON document that anyone may serve, or from a Kubernetes cluster.

mod chronicle;
mod document;
pub mod kubernetes;
mod metrics;
pub mod seen;
mod status;
mod target;

pub use chronicle::Chronicle;
pub use document::{Autoscaler, Document, Instance, Interventions, Nonsense, Workload};
pub use status::{Cluster, Error, Feed, INTERVAL, Source, Status, start};
pub use target::Target;
