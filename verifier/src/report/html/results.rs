//! The exporter's own results as tables of the page. Pure.

use crate::plain::plain;
use crate::results;
use crate::slo::trimmed;

/// Statistics of the load.
#[derive(Debug)]
pub(super) struct Load {
    /// Each task, then all together.
    pub(super) rows: Vec<Task>,
    pub(super) remarks: Vec<String>,
}

/// Statistics of a task.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) name: String,
    /// Good ones, bad ones, a second; p50, p95, p99 and the longest.
    pub(super) cells: [String; 7],
    pub(super) reasons: String,
}

/// What became of the experiments.
#[derive(Debug)]
pub(super) struct Chaos {
    pub(super) experiments: Vec<Experiment>,
    pub(super) audits: Vec<[String; 4]>,
    pub(super) incidents: Vec<[String; 4]>,
    pub(super) put_back: Vec<String>,
}

/// One experiment.
#[derive(Debug)]
pub(super) struct Experiment {
    pub(super) name: String,
    pub(super) fault: String,
    pub(super) state: String,
    pub(super) refused: Option<String>,
    pub(super) targets: String,
    pub(super) injected: String,
    pub(super) reverted: String,
    /// Component, since when, seconds, bounds.
    pub(super) recoveries: Vec<[String; 4]>,
}

impl Load {
    /// The tables of the file.
    pub(super) fn of(load: &results::Load) -> Self {
        let lag = load
            .worst_lag
            .map(|lag| format!("the generator itself was {} late at worst", seconds(Some(lag))));
        let untimed = load.untimed.as_ref().map(|why| format!("response times are absent {}", plain(why)));
        Self {
            rows: load.tasks.iter().chain([&load.all]).map(Task::of).collect(),
            remarks: lag.into_iter().chain(untimed).collect(),
        }
    }
}

impl Task {
    fn of(task: &results::Task) -> Self {
        let reasons = task.reasons.iter().map(|(reason, count)| format!("{} {reason}", whole(Some(*count))));
        let rate = task.per_second.map_or_else(nothing, |rate| trimmed(rate, 1));
        Self {
            name: plain(&task.name),
            cells: [
                whole(task.ok),
                whole(task.error),
                rate,
                seconds(task.p50),
                seconds(task.p95),
                seconds(task.p99),
                seconds(task.longest),
            ],
            reasons: plain(&reasons.collect::<Vec<_>>().join(", ")),
        }
    }
}

impl Chaos {
    /// The tables of the file.
    pub(super) fn of(chaos: &results::Chaos) -> Self {
        let audits = chaos.audits.iter().map(|audit| {
            let bad = audit.bad.iter().map(|(class, count)| format!("{} {class}", whole(Some(*count))));
            let bad: Vec<String> = bad.collect();
            let found = if bad.is_empty() { "none lost or otherwise bad".to_owned() } else { bad.join(", ") };
            let after = audit.after.clone().unwrap_or_else(|| "the run".to_owned());
            let acked = format!("{} acked, {found}", whole(audit.acked));
            [audit.store.clone(), after, audit.result.clone(), acked].map(|text| plain(&text))
        });
        let incidents = chaos.incidents.iter().map(|it| {
            let during = it.during.clone().unwrap_or_default();
            [it.object.clone(), it.what.clone(), whole(it.count), during].map(|text| plain(&text))
        });
        Self {
            experiments: chaos.experiments.iter().map(Experiment::of).collect(),
            audits: audits.collect(),
            incidents: incidents.collect(),
            put_back: chaos.put_back.iter().map(|text| plain(text)).collect(),
        }
    }
}

impl Experiment {
    fn of(experiment: &results::Experiment) -> Self {
        let recoveries = experiment.recoveries.iter().map(|it| {
            let bounds = format!("[{}, {}]", endless(it.lower), endless(it.upper));
            [plain(&it.component), plain(&it.since), endless(it.seconds), bounds]
        });
        let moment = |at: Option<f64>| at.map_or_else(nothing, |at| format!("{} s", trimmed(at, 1)));
        Self {
            name: plain(&experiment.name),
            fault: plain(&experiment.fault),
            state: plain(&experiment.state),
            refused: experiment.refused.as_deref().map(plain),
            targets: plain(&experiment.targets.join(", ")),
            injected: moment(experiment.injected),
            reverted: moment(experiment.reverted),
            recoveries: recoveries.collect(),
        }
    }
}

fn nothing() -> String {
    "-".to_owned()
}

fn whole(count: Option<f64>) -> String {
    count.map_or_else(nothing, crate::judge::grouped)
}

fn seconds(time: Option<f64>) -> String {
    match time {
        None => nothing(),
        Some(time) if time < 1.0 => format!("{} ms", trimmed(time * 1000.0, 1)),
        Some(time) => format!("{} s", trimmed(time, 2)),
    }
}

/// A time of recovery; an absent one has no end.
fn endless(time: Option<f64>) -> String {
    time.map_or_else(|| "never".to_owned(), |time| format!("{} s", trimmed(time, 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_told_is_a_dash_and_what_never_came_back_is_told_so() {
        assert_eq!([whole(None), seconds(None), endless(None)], ["-", "-", "never"]);
        assert_eq!(
            [whole(Some(12_345.0)), seconds(Some(0.0123)), seconds(Some(2.5)), endless(Some(5.413))],
            ["12 345", "12.3 ms", "2.5 s", "5.41 s"]
        );
    }
}
