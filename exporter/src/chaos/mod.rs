//! Breaks things on purpose, one at a time, and puts them back whatever happens.
//!
//! An experiment is planned ([`resolve`](resolve::resolve) asks for its targets, [`plan`] leaves nothing else
//! open), allowed ([`guard`]), carried out ([`driver`]) and followed through its states ([`experiment`]).
//! Whether and when the system recovered is not this room's business: the conductor asks `health` and tells
//! the driver.
//!
//! # Order of writing and doing
//!
//! 1. The intent, with all that is needed to put the fault back, is on disk ([`journal`]).
//! 2. What could still be at work of the injection, should this process die, is in the journal
//!    ([`faults::Trace`]): of a command its shell, which leads a process group of its own and waits at a gate.
//! 3. It begins to act; the gate opens. This instant is the injection's start.
//! 4. The look whether it took effect, the hold, the revert: each step is noted in the same way before it acts.
//! 5. After the revert succeeded, the experiment is closed, on disk.
//!
//! So an experiment that is not closed may have broken something, and is put back ([`putback`]): what outlived
//! its exporter is ended first, lest it break again what was put back, then the revert is tried until it
//! succeeds. Reverts are idempotent by contract, hence one too many does no harm.
//! `exporter/tests/chaos_crash.rs` kills the program at every step of this, and cuts the journal at every
//! byte that a power cut could cut it at; `exporter/tests/kubernetes` does the first around every change that a
//! fault of a cluster asks for.
//!
//! # Aborting
//!
//! Every future of the driver may be dropped at any moment: the step under way is given up (a command is killed
//! with its whole process group), and the journal stays true. To abort, drop whatever future of the driver is under way,
//! then await [`Driver::abort`](driver::Driver::abort) before anything else: it puts back all that is
//! unfinished, the latest first, and lets no further experiment begin. Its error lists what could not be put
//! back; the journal keeps that for `load-exporter recover` ([`putback::recover`]) and for the next start
//! ([`Driver::put_back_unfinished`](driver::Driver::put_back_unfinished)).
//!
//! # What the commands of an `exec` fault may rely on
//!
//! They run as `sh -c` with an empty standard input, in the directory in which the exporter was started, also
//! when they are recovered from elsewhere. `inject`, `bit` and `revert` know `ORDEAL_RUN`,
//! `ORDEAL_EXPERIMENT`, `ORDEAL_TOKEN`, `ORDEAL_STEP` (which of the three it is) and `ORDEAL_TARGETS` (one a
//! line).
//!
//! What becomes of their processes:
//!
//! - A command that is given up (time limit, abort, the exporter killed) is killed with its process group, and
//!   before the revert begins also everything that `inject` and `bit` started and that left the group, as by
//!   `setsid`.
//! - What a successful `inject` left in the background, as a tool that makes load, runs until the fault is put
//!   back. The revert may end it. Whatever of it still runs after the revert is killed, and the revert is run
//!   once more, as it may have broken something in between. So what is to outlast the experiment must be
//!   started by `revert`, by the machine's own supervisor, or without the variables (`env -u ORDEAL_TOKEN`).
//! - Where there is no revert, nothing is put back, and what a successful `inject` left runs on.
//! - What `revert` left in the background is the mended system: it is never killed.
//!
//! Processes outside the group are known by the variables in their environment (`faults/strays.rs`); one that
//! empties it, or changes its user as `sudo` does, or runs on another machine, is out of reach: its revert has to
//! end it.

pub mod book;
pub mod driver;
pub mod experiment;
pub mod faults;
pub mod guard;
pub mod journal;
pub mod metrics;
pub mod plan;
pub mod putback;
pub mod record;
pub mod resolve;

/// The target of the events that tell how far an experiment has come, one before and after each thing that
/// outlives this process. The crash test stops the program at every one of them.
pub const STEPS: &str = "exporter::chaos::steps";

/// Tells that a step is reached.
macro_rules! step {
    ($name:literal $(, $field:ident = $value:expr)*) => {
        tracing::debug!(target: $crate::chaos::STEPS, step = $name $(, $field = $value)*)
    };
}
use step;
