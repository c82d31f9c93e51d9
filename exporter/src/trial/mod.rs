//! The trial: what to do to a target, how to watch it, and how to break it.
//!
//! A trial file is read into its raw form, checked as a whole (every fault of the file is reported at once,
//! with line and column), and becomes the checked [`Trial`] below, which the rest of the program trusts.

mod model;

pub use model::*;
