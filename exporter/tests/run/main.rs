//! The whole exporter as its user has it: the binary, a trial file, a service of the test's own.

mod experiments;
#[path = "../common/lives.rs"]
mod lives;
mod refusals;
mod safety;
mod secrets;
mod smallest;
mod support;
