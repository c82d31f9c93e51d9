//! Configuration files, as text from plain data.

pub(crate) mod alertmanager;
pub(crate) mod haproxy;
pub(crate) mod patroni;
pub(crate) mod prometheus;
pub(crate) mod redis;
