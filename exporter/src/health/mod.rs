//! health

pub mod tracker;
