//! Faults on Kubernetes, against an API server of the tests' own that fails and forgets as it is told to.

mod api;
mod away;
mod crash;
mod drains;
mod faults;
mod forged;
mod hands;
mod kills;
mod objects;
mod partitions;
mod program;
mod rights;
mod service;
mod shop;
mod takeover;
