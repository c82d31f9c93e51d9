//! The whole exporter as its user has it: the binary, a trial file, a service of the test's own.

mod board;
mod experiments;
mod fleet;
mod limit;
#[path = "../common/lives.rs"]
mod lives;
mod refusals;
mod safety;
mod secrets;
mod smallest;
mod support;
