//! The ledger against a real `PostgreSQL` and a real Redis, started by the tests and broken by them.

mod grants;
mod postgres;
mod redis;
mod servers;
mod support;
