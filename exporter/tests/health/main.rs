//! Health against real servers, broken for a known time: the truth is inside the bounds.

mod failover;
mod http;
mod https;
mod instances;
mod postgres;
mod redis;
mod servers;
mod status;
mod support;
