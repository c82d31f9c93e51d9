//! The trial: what to do to a target, how to watch it, and how to break it.
//!
//! A trial file is read into a tree that knows its places ([`node`]), checked as a whole by one file a
//! section (every fault is reported at once, with line and column), and becomes the checked [`Trial`] below,
//! which the rest of the program trusts.

mod answer;
mod body;
mod components;
mod duration;
mod experiments;
mod faults;
mod fields;
mod file;
mod headers;
mod ledgers;
mod limit;
mod load;
mod model;
mod node;
mod pod_exec;
mod pods;
mod reader;
mod redact;
mod secrets;
mod step;
mod stores;
mod target;
mod tasks;
mod template;
mod words;

pub use faults::{Fault as FileFault, Faults, Place};
pub use file::{parse, read};
pub use model::*;
pub use secrets::{Environment, ProcessEnvironment};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::smallest;
