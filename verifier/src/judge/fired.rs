//! When alerts fired and how that ended (pure): one reading for the objectives on alerts and for the list of all that
//! fired. An alert's silence ends it only where its rule was evaluated.

use super::rule::{Until, dated, kept, pace, seen_until};
use super::{Evidence, Lack, listed};
use crate::evidence::{Edge, Firing, Labels, Millis, Shortfall, Spell, Trace, spells, traces};
use crate::run::Experiment;

/// An alert while it fired, on the conductor's clock.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) firing: Firing,
    pub(super) first: Edge,
    /// Its last sample.
    pub(super) last: Edge,
    /// When it became active, which is before it fired where its rule waits (`for`).
    pub(super) active: Edge,
    /// By when its rule was evaluated after its last sample, and found it silent; why no silence of it says that.
    silent: Result<Option<Millis>, Shortfall>,
    /// When the same alert was next seen active, pending included.
    again: Option<Millis>,
    /// When it was next seen firing.
    next: Option<Millis>,
    /// The time between two evaluations of its rule, in seconds.
    pub(super) pace: f64,
}

/// How it ended that an alert fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// By then its rule was evaluated once more, and found it resolved.
    Resolved(Millis),
    /// It was firing when its rule was last evaluated, as far as samples were asked for.
    Firing(Millis),
    /// Why nobody knows.
    Unknown(Shortfall),
}

/// A time for which an alert about the run fired while it went on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fired {
    pub(crate) alert: String,
    /// Those of its series that tell it from others of the run.
    pub(crate) labels: Labels,
    /// The experiment in whose time it began.
    pub(crate) experiment: Option<String>,
    pub(crate) firing: Firing,
    pub(crate) end: End,
}

/// The times for which an alert fired.
pub(super) fn seen(alert: &str, trace: &Trace<'_>, evidence: &Evidence) -> Vec<Seen> {
    let processes = &evidence.run.processes;
    let pace = pace(alert, trace, evidence);
    let groups = evidence.rules.groups(alert);
    let spells = spells(trace, pace);
    let next = spells.iter().skip(1).map(|spell| Some(spell.firing.first)).chain([None]);
    let on_clock = |(spell, next): (&Spell, Option<Millis>)| {
        let Spell { firing, active: (from, to) } = *spell;
        let [from, to] = [from, to].map(|at| processes.clock_at(at));
        let again = trace.active_after(firing.last);
        let silent = || evidence.signs.again(&groups, (firing.last, again), pace);
        Seen {
            firing,
            first: processes.clock_at(firing.first),
            last: processes.clock_at(firing.last),
            active: Edge { earliest: from.earliest, latest: to.latest },
            silent: kept_since(alert, firing, evidence).map(|()| silent()),
            again,
            next,
            pace,
        }
    };
    spells.iter().zip(next).map(on_clock).collect()
}

/// That Prometheus has had its rules since an alert's last sample: one whose rule was taken away is silent, too.
fn kept_since(alert: &str, firing: Firing, evidence: &Evidence) -> Result<(), Shortfall> {
    let moment = format!("{alert} was last seen firing");
    kept(evidence.rules.loaded, (firing.last, moment.as_str()))
}

impl Seen {
    /// Whether it was firing at an instant, or may have been: an alert fires until an evaluation finds otherwise.
    pub(super) fn firing_at(&self, clock: f64) -> bool {
        self.first.earliest <= clock && clock <= self.last.latest + self.pace
    }

    /// That it had not fired before an instant, or was resolved by then. Of one that fired once more by then, that tells.
    pub(super) fn over_by(&self, alert: &str, evidence: &Evidence, clock: f64) -> Result<(), Shortfall> {
        let processes = &evidence.run.processes;
        let next = self.next.is_some_and(|next| processes.clock_at(next).earliest <= clock);
        if self.first.earliest > clock || next {
            return Ok(());
        }
        match &self.silent {
            Err(unproven) => Err(unproven.clone()),
            Ok(Some(silent)) if processes.clock_at(*silent).latest <= clock => Ok(()),
            Ok(_) => {
                let detail = format!(
                    "{alert} was firing at {}, and Prometheus was not seen to evaluate it from then until the fault",
                    self.firing.last
                );
                Err(Shortfall::new(Lack::RuleUnproven, detail))
            }
        }
    }

    /// How it ended, as far as its rule is known to have been evaluated until some time.
    pub(super) fn end(&self, alert: &str, until: &Result<Until, Shortfall>) -> End {
        let next = Millis::from_seconds(self.firing.last.seconds() + self.pace);
        ended(alert, (next, &self.silent), self.again.is_some(), until)
    }

    /// When it was resolved, on the conductor's clock: after its last sample, and no later than an evaluation that
    /// found it so, where there was one.
    pub(super) fn resolved(&self, end: &End, evidence: &Evidence) -> Edge {
        let latest = match end {
            End::Resolved(by) => evidence.run.processes.clock_at(*by).latest,
            End::Firing(_) | End::Unknown(_) => f64::INFINITY,
        };
        Edge { earliest: self.last.earliest, latest }
    }
}

/// How it ended that an alert fired whose next evaluation was due `next`, and which was silent at one that is known of,
/// or why no silence says anything. It may have been active again.
fn ended(
    alert: &str,
    (next, silent): (Millis, &Result<Option<Millis>, Shortfall>),
    again: bool,
    until: &Result<Until, Shortfall>,
) -> End {
    let until = match until {
        Ok(until) => until,
        Err(unknown) => return End::Unknown(unknown.clone()),
    };
    match silent {
        _ if until.at < next => End::Firing(until.at),
        Err(unproven) => End::Unknown(unproven.clone()),
        Ok(Some(silent)) if *silent <= until.at => End::Resolved(*silent),
        Ok(_) if until.evaluated && !again => End::Resolved(until.at),
        Ok(_) => {
            let detail = format!("Prometheus was not seen at work when {alert} ended");
            End::Unknown(Shortfall::new(Lack::RuleUnproven, detail))
        }
    }
}

/// All alerts about the run that fired, and those that objectives are about, the earliest first, unless they were not
/// told. They change no verdict.
pub(crate) fn fired(evidence: &Evidence) -> Result<Vec<Fired>, Shortfall> {
    let series = listed::series(evidence)?;
    let (firing, active): (Vec<_>, Vec<_>) =
        series.into_iter().partition(|(labels, _)| labels.contains_key("alertstate"));
    let traces = traces(firing, active);
    let mut all: Vec<Fired> = traces.iter().flat_map(|trace| of_alert(trace, evidence)).collect();
    if all.is_empty() {
        listed::quiet(evidence)?;
    }
    all.sort_by(|a, b| a.firing.first.cmp(&b.firing.first).then_with(|| a.alert.cmp(&b.alert)));
    Ok(all)
}

fn of_alert(trace: &Trace<'_>, evidence: &Evidence) -> Vec<Fired> {
    let alert = trace.labels.get("alertname").map_or("", String::as_str);
    let until = dated(alert, trace).and_then(|()| seen_until(alert, evidence, asked(trace.labels, evidence)));
    let ours = listed::ours(trace.labels, evidence);
    let run = (evidence.run.seen.0, evidence.run_end());
    let one = |seen: Seen| Fired {
        alert: alert.to_owned(),
        labels: listed::told(trace.labels, evidence),
        experiment: under_way(evidence, seen.first),
        firing: seen.firing,
        end: seen.end(alert, &until),
    };
    let active = |seen: &Seen| evidence.run.processes.prometheus_time(seen.active.earliest);
    let of_run = |seen: &Seen| listed::of_run((active(seen), seen.firing.last), run, ours);
    seen(alert, trace, evidence).into_iter().filter(of_run).map(one).collect()
}

/// Until when samples of an alert were asked for: longer where an objective found it.
fn asked(labels: &Labels, evidence: &Evidence) -> Millis {
    let found = |selector: &String| {
        let series = evidence.others.get(selector).and_then(|answer| answer.series().ok());
        series.unwrap_or_default().iter().any(|(of, _)| of == labels)
    };
    let longer = evidence.asked.iter().filter(|(selector, _)| found(selector)).map(|(_, until)| *until);
    longer.fold(evidence.alerts_until, Millis::max)
}

/// The experiment that was going on at an instant.
fn under_way(evidence: &Evidence, at: Edge) -> Option<String> {
    let going_on = |experiment: &&Experiment| {
        let ended = experiment.ended.map_or(f64::INFINITY, |ended| ended.latest);
        experiment.injected.is_some_and(|injected| injected <= at.latest) && at.earliest <= ended
    };
    evidence.run.experiments.values().find(going_on).map(|experiment| experiment.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_ends_an_alert_only_where_its_rule_was_evaluated() {
        let unproven = || {
            let detail = "Prometheus was not seen at work when Down ended";
            End::Unknown(Shortfall::new(Lack::RuleUnproven, detail))
        };
        let absent = Shortfall::new(Lack::RuleAbsent, "Prometheus has no alerting rule \"Down\"");
        let at = |at: i64, evaluated: bool| Ok(Until { at: Millis(at), evaluated });
        let table = [
            (at(600, false), Some(145), false, End::Resolved(Millis(145))),
            (at(145, true), Some(145), false, End::Resolved(Millis(145))),
            // Nobody was there for a while, and then it was silent.
            (at(600, false), Some(227), false, End::Resolved(Millis(227))),
            (at(600, false), Some(145), true, End::Resolved(Millis(145))),
            (at(600, false), None, false, unproven()),
            (at(600, false), Some(601), false, unproven()),
            // That is only told of now.
            (at(600, true), None, false, End::Resolved(Millis(600))),
            (at(600, true), None, true, unproven()),
            // No evaluation was due, so that no silence has to be explained.
            (at(144, true), Some(145), false, End::Firing(Millis(144))),
            (at(144, true), None, false, End::Firing(Millis(144))),
            (Err(absent.clone()), Some(145), false, End::Unknown(absent.clone())),
        ];
        for (until, silent, again, due) in table {
            let told = ended("Down", (Millis(145), &Ok(silent.map(Millis))), again, &until);
            assert_eq!(told, due, "{until:?} {silent:?} {again}");
        }
        // A rule that may have been taken away ends nothing, but what fired at the last evaluation fires.
        let reload = Err(Shortfall::new(Lack::RuleUnproven, "Prometheus read its rules"));
        let told = |until: Result<Until, Shortfall>| ended("Down", (Millis(145), &reload), false, &until);
        assert_eq!(
            told(at(600, true)),
            End::Unknown(Shortfall::new(Lack::RuleUnproven, "Prometheus read its rules"))
        );
        assert_eq!(told(at(144, true)), End::Firing(Millis(144)));
    }
}
