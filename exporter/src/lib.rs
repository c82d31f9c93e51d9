//! Load exporter: drives users and chaos experiments, probes, keeps the ledger, and exposes all of it as
//! metrics for Prometheus. `ARCHITECTURE.md` is the map.

pub mod app;
pub mod chaos;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod conductor;
mod count;
mod errors;
pub mod health;
pub mod ledger;
pub mod load;
pub mod logging;
pub mod plain;
pub mod progress;
pub mod rundir;
pub mod signals;
pub mod tls;
pub mod trial;
pub mod web;
