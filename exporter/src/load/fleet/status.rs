//! Pure: what a load process says of itself, as the text that stands in the ConfigMap.

use serde::{Deserialize, Serialize};

use super::signal::{Unreadable, moment};
use super::told::Told;

/// How far a load process is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It waits for the start.
    Ready,
    /// Its users run.
    Running,
    /// It ended its load as it was told.
    Ended,
    /// It ended its load by itself, and why.
    Left(String),
}

/// A load process's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Status {
    /// The process: its host, and what tells it from another there.
    pub(super) who: String,
    /// Which trial it has; see [`super::fingerprint`].
    pub(super) trial: String,
    /// How many load processes it believes in.
    pub(super) of: usize,
    /// How far it is.
    pub(super) state: State,
    /// When this was written, on its clock.
    pub(super) at: f64,
    /// The least time, in seconds, by which one of the conductor's texts came after it was written, as both clocks
    /// have it.
    pub(super) heard_after: f64,
    /// Users that run.
    pub(super) running: usize,
    /// Requests that are open.
    pub(super) in_flight: usize,
    /// What its users did so far.
    pub(super) account: Told,
}

impl Status {
    /// The text.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("names, numbers and texts are JSON")
    }

    /// What `text` says.
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let status: Self = serde_json::from_str(text)?;
        moment("a time of writing", status.at)?;
        Ok(status)
    }
}
