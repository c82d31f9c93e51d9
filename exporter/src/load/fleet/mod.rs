//! A load spread over processes: one conductor, and load processes that each have a share of the users.
//!
//! They agree by the texts of one ConfigMap. The conductor's ([`signal`]) says when to begin and to end, and is
//! written anew again and again, so that a conductor that is gone shows: users never run unled. Each load process's
//! ([`status`]) says how far it is and what its users did. What a load process heard is kept in [`ear`]; what follows
//! from a text is decided in [`orders`] and [`roster`]; [`lead`] and [`member`] carry it out on either side.

mod ear;
mod lead;
mod member;
mod metrics;
mod orders;
mod roster;
mod signal;
mod skew;
mod status;
mod told;

use std::time::Duration;

pub use self::lead::{Fleet, FleetError, FleetHandle, Helm, Leftover, remove_leftover};
pub use self::member::{Member, Outcome};
use crate::cluster::kubernetes::shared::SharedError;
use crate::trial::Trial;

/// The ConfigMap's name.
pub const CONFIG_MAP: &str = "ordeal-fleet";
/// The conductor's key in it.
const LEAD: &str = "lead";
/// Time between two texts of one process. Each is a write of the whole object, so it is not short.
const BEAT: Duration = Duration::from_secs(2);
/// Whoever wrote nothing new for this long is gone. An API server that is away for 20 s ends no load.
const STALE: Duration = Duration::from_secs(30);
/// Bytes that all texts may have together; a ConfigMap holds 1 MiB.
const ROOM: usize = 900_000;

/// The key of load process `index`.
fn key(index: usize) -> String {
    format!("load-{index}")
}

/// What must be the same in all processes of a run, for its users to be those of one trial: in a few characters.
/// Secrets do not count.
fn fingerprint(trial: &Trial) -> String {
    let text = format!("{} {:?} {:?}", env!("CARGO_PKG_VERSION"), trial.target, trial.load);
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

/// A text could not be written: said once, and again when it works.
fn say_written(written: &Result<(), SharedError>, failing: &mut bool) {
    match written {
        Ok(()) if *failing => tracing::info!("the fleet's ConfigMap can be written again"),
        Err(error) if !*failing => tracing::warn!(%error, "the fleet's ConfigMap cannot be written"),
        Ok(()) | Err(_) => {}
    }
    *failing = written.is_err();
}
