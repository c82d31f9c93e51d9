//! chaos

pub mod book;
pub mod driver;
pub mod experiment;
pub mod faults;
pub mod guard;
pub mod journal;
pub mod metrics;
pub mod plan;
pub mod record;
pub mod recovery;
pub mod resolve;

/// The target of the events that tell how far an experiment has come, one before and after each thing that
/// outlives this process. The crash test stops the program at every one of them.
pub const STEPS: &str = "exporter::chaos::steps";

/// Tells that a step is reached.
macro_rules! step {
    ($name:literal $(, $field:ident = $value:expr)*) => {
        tracing::debug!(target: $crate::chaos::STEPS, step = $name $(, $field = $value)*)
    };
}
use step;
