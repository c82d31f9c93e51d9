//! What the exporter may do on a cluster, and what it leaves there: the binary, and an API server of the tests' own.

mod api;
mod cleanup;
mod preflight;
