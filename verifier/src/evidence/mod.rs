//! What Prometheus recorded of a run, laid out for judging. Pure: everything here was fetched before.
//!
//! Every sample of one scrape of a process carries the same timestamp, and `ordeal_time_seconds` of that
//! scrape says what the process's own clock read. Windows are therefore placed on the process's clock, where
//! its experiments and phases have their times, and no skew between the machines can shift them.

mod alerts;
pub(crate) mod family;
mod firing;
mod gauge;
mod index;
mod processes;
mod rules;
mod sample;
mod shortfall;
mod signs;
mod tally;
mod window;
mod words;

pub(crate) use alerts::{about, of_run};
pub(crate) use family::Family;
pub(crate) use firing::{Firing, Spell, Trace, pace, spells, traces};
pub(crate) use gauge::{Gauge, Point, Transition, mean_bounds};
pub(crate) use index::{Fetched, Laid, Recorded};
pub(crate) use processes::{Process, Processes, Scrape, pin, window_of};
pub(crate) use rules::{Rule, Rules};
pub(crate) use sample::{Data, Labels, Millis, Sample, Shown, added, same};
pub(crate) use shortfall::{Bars, Lack, Shortfall};
pub(crate) use signs::Signs;
pub(crate) use tally::{Bounds, Tally};
pub(crate) use window::{Edge, Window};
pub(crate) use words::{PhaseName, State};
