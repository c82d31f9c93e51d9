//! The shop as its clients see it, on a real `PostgreSQL` and a real Redis.

mod outages;
mod routes;
mod support;
