//! What runs, and who interferes: from a JSON document that anyone may serve.

mod document;
mod metrics;
mod status;

pub use document::{Autoscaler, Document, Instance, Interventions, Workload};
pub use status::{Error, Feed, INTERVAL, Status, start};
