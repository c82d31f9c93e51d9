//! The ledger against a real `PostgreSQL` and a real Redis, started by the tests and broken by them.

mod grants;
mod postgres;
#[path = "../common/process.rs"]
mod process;
mod redis;
mod servers;
#[path = "../common/stores.rs"]
mod stores;
mod support;
