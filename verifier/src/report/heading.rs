//! What run the report is about, and how well its times are known. Pure.

use std::time::Duration;

use super::Report;
use crate::evidence::Processes;
use crate::slo::{show_duration, trimmed};
use crate::verdict::Verdict;

impl Report {
    /// When the run began, on Prometheus' clock.
    pub(super) fn started(&self) -> Option<f64> {
        let run = &self.evidence.as_ref()?.run;
        (!run.processes.is_dark()).then(|| run.processes.prometheus_time(run.start).seconds())
    }

    /// The run, where it was recorded, and how well its times are known; in one line.
    pub(super) fn heading(&self) -> String {
        let prometheus = self.prometheus();
        let Some(evidence) = &self.evidence else {
            let found =
                if self.is_absent() { "no run found" } else { "not known whether there is such a run" };
            return format!("{found}  {prometheus}");
        };
        let (id, trial) = (&evidence.run.id, &evidence.run.trial);
        let length = self.length().unwrap_or_else(|| "length not known".to_owned());
        let clocks = clocks(&evidence.run.processes);
        format!("run {id}  {trial}  {length}  {prometheus}, {}", clocks.join(", "))
    }

    /// The server that recorded the run.
    pub(super) fn prometheus(&self) -> String {
        let version = self.server.version.as_deref().map(|version| format!(" {version}"));
        format!("Prometheus{} at {}", version.unwrap_or_default(), self.url)
    }

    /// How long the run lasted, or that it has no end; nothing where nothing of it can be placed in time.
    pub(super) fn length(&self) -> Option<String> {
        let run = &self.evidence.as_ref()?.run;
        if run.processes.is_dark() {
            return None;
        }
        let Some(end) = run.end else { return Some("unfinished".to_owned()) };
        Duration::try_from_secs_f64((end - run.start).max(0.0).round()).ok().map(show_duration)
    }

    /// How many findings have which verdict.
    pub(super) fn counts(&self) -> String {
        let of = |verdict| self.count(verdict);
        let (failed, open, passed) = (of(Verdict::Fail), of(Verdict::Inconclusive), of(Verdict::Pass));
        format!("{failed} failed, {open} inconclusive, {passed} passed")
    }

    /// What was judged, as a list in a sentence.
    pub(super) fn judged_list(&self) -> String {
        let judged = self.judged();
        if judged.is_empty() { "nothing".to_owned() } else { judged.join(", ") }
    }
}

/// How well the times of the run's processes are known.
pub(super) fn clocks(processes: &Processes) -> Vec<String> {
    if processes.is_dark() {
        return vec!["clocks and scrapes not known".to_owned()];
    }
    let skew = processes.largest_skew() * 1000.0;
    vec![format!("clocks within {skew:.0} ms"), cadence(processes.scrape_interval())]
}

fn cadence(interval: f64) -> String {
    if interval <= 0.0 {
        return "scraped once".to_owned();
    }
    format!("a scrape every {} s", trimmed(interval, if interval < 1.0 { 3 } else { 1 }))
}
