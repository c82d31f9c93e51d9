//! The load: users who visit the target as people do, and what they saw.
//!
//! Users are closed: each makes one request at a time on a connection of its own and thinks after every one.
//! A response time runs from when the user meant to start, so the generator's own lateness is inside it.
//!
//! Decisions are pure and apart: how many users (`schedule`), which task (`choice`), what is sent (`plan`,
//! `render`), what an answer is worth (`answer`), what a failure means (`outcome`) and what is told of it
//! (`failed`), where time went (`slots`), whether the generator kept up (`saturation`). Around them: `client`
//! (one connection), `user`, `worker` (a thread of users), `driver` and `handle` (all of it), `whose` (as the
//! conductor holds it), `fleet` (users of several processes), `watch` (the generator's own state), `record`
//! and `metrics`.
//!
//! What the generator itself lacks is never counted as the target's failure. A user that gets no local port
//! or descriptor has sent nothing: it tries again, its wait is users' time and lateness, and
//! `ordeal_saturated_seconds_total` grows meanwhile. Only when a request's whole time passes so does it end,
//! as `connect_timeout`, beside the seconds that say why.
//!
//! Log-ins are not requests. One that fails fails the request that needed it, as `session`, and is tried
//! again before the user's next.

mod account;
mod answer;
mod choice;
mod client;
mod driver;
mod end;
mod failed;
mod fleet;
mod handle;
mod jar;
mod limits;
mod metrics;
mod outcome;
mod plan;
mod record;
mod render;
mod report;
mod saturation;
mod schedule;
mod share;
mod slots;
mod stats;
mod user;
mod watch;
mod whose;
mod worker;

pub use self::driver::{Load, LoadError};
pub use self::fleet::{
    CONFIG_MAP as FLEET_CONFIG_MAP, Fleet, FleetError, FleetHandle, Helm, Leftover, Member, Outcome,
    remove_leftover,
};
pub use self::handle::{LoadHandle, Snapshot};
pub use self::limits::{Limits, limits_report, raise_descriptor_limit};
pub use self::outcome::Reason;
pub use self::plan::PlanError;
pub use self::report::{FleetReport, LoadFile, LoadReport, Requests, ResponseTime, TaskReport, UserSeconds};
pub use self::share::Share;
pub use self::stats::Percentiles;
pub use self::whose::{Prepared, Running};
