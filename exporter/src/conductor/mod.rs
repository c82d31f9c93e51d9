//! The conductor: leads a run through its phases.

mod metrics;
mod phase;
mod progress;

pub use metrics::Metrics;
pub use phase::Phase;
pub use progress::{Glance, Progress};
