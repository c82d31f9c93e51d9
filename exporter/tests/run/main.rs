//! The whole exporter as its user has it: the binary, a trial file, a service of the test's own.

mod experiments;
mod refusals;
mod safety;
mod secrets;
mod smallest;
mod support;
