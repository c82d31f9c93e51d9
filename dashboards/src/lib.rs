//! Grafana dashboards of a run.
//!
//! A dashboard is data: [`boards`] has one file for each, made of the rows and panels of [`board`]. [`json`] turns it
//! into what Grafana loads, and [`check`] asks a Prometheus for what its panels would show.

pub mod board;
pub mod boards;
pub mod check;
pub mod json;
pub mod limits;
pub mod look;
