//! How faults are carried out. For now by commands of the user's own ([`exec`]).

pub mod exec;
pub mod leftover;
mod output;
pub mod strays;
