//! Health against real servers, broken for a known time: the truth is inside the bounds.

mod failover;
mod http;
mod https;
mod instances;
mod postgres;
#[path = "../common/process.rs"]
mod process;
mod redis;
mod servers;
mod status;
#[path = "../common/stores.rs"]
mod stores;
mod support;
