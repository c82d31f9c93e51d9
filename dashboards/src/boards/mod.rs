//! The dashboards, one a file (pure data).
//!
//! Every counter of a run begins at zero with its process. So its last value is all that it counted, exactly, while
//! `increase` would extrapolate: numbers of a whole run are sums of last values, as the verifier's own queries are.

mod exporter;
mod promises;
mod recovery;
mod run;
mod runs;
mod scaling;
mod shared;
mod states;

use crate::board::Board;

/// All of them.
pub fn all() -> [Board; 4] {
    [self::run::board(), self::recovery::board(), self::scaling::board(), self::exporter::board()]
}
