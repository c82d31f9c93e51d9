//! The load exporter.

fn main() {}
