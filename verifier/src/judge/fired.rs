//! When alerts fired and how that ended (pure): one reading for the objectives on alerts and for the list of all that
//! fired. An alert's silence ends it only where its rule was evaluated.

use super::rule::{Until, interval, seen_until};
use super::{Evidence, Lack};
use crate::evidence::{Edge, Firing, Labels, Millis, Rules, Shortfall, Spell, Trace, pace, spells, traces};
use crate::run::{Experiment, Run};

/// An alert while it fired, on the conductor's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    pub(super) firing: Firing,
    pub(super) first: Edge,
    /// Its last sample.
    pub(super) last: Edge,
    /// When it became active, which is before it fired where its rule waits (`for`).
    pub(super) active: Edge,
    /// By when its rule was evaluated after its last sample, and found it silent.
    silent: Option<Millis>,
    /// When the same alert was next seen firing.
    again: Option<Millis>,
    /// The time between two evaluations of its rule.
    pace: f64,
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
    /// Those of its series, without the run's own job, instance and id.
    pub(crate) labels: Labels,
    /// The experiment in whose time it began.
    pub(crate) experiment: Option<String>,
    pub(crate) firing: Firing,
    pub(crate) end: End,
}

/// The times for which an alert fired.
pub(super) fn seen(alert: &str, trace: &Trace<'_>, evidence: &Evidence) -> Vec<Seen> {
    let processes = &evidence.run.processes;
    // Evaluated less often than it is told to be, a rule is as slow as its samples show.
    let pace = interval(alert, evidence).max(pace(trace.fired).unwrap_or(0.0));
    let groups = evidence.rules.groups(alert);
    let spells = spells(trace, pace);
    let next = spells.iter().skip(1).map(|spell| Some(spell.firing.first)).chain([None]);
    let on_clock = |(spell, again): (&Spell, Option<Millis>)| {
        let Spell { firing, active: (from, to) } = *spell;
        let [from, to] = [from, to].map(|at| processes.clock_at(at));
        Seen {
            firing,
            first: processes.clock_at(firing.first),
            last: processes.clock_at(firing.last),
            active: Edge { earliest: from.earliest, latest: to.latest },
            silent: evidence.signs.again(&groups, (firing.last, again), pace),
            again,
            pace,
        }
    };
    spells.iter().zip(next).map(on_clock).collect()
}

impl Seen {
    /// Whether it was firing at an instant, or may have been: an alert fires until an evaluation finds otherwise.
    pub(super) fn firing_at(&self, clock: f64) -> bool {
        self.first.earliest <= clock && clock <= self.last.latest + self.pace
    }

    /// Whether it had fired before an instant, and nobody knows that it was resolved by then.
    pub(super) fn lingers_at(&self, evidence: &Evidence, clock: f64) -> bool {
        let processes = &evidence.run.processes;
        let over = self.again.is_some_and(|again| processes.clock_at(again).earliest <= clock);
        let silent = self.silent.is_some_and(|silent| processes.clock_at(silent).latest <= clock);
        self.first.earliest <= clock && !over && !silent
    }

    /// How it ended, as far as its rule is known to have been evaluated until some time.
    pub(super) fn end(&self, alert: &str, until: &Result<Until, Shortfall>) -> End {
        let next = Millis::from_seconds(self.firing.last.seconds() + self.pace);
        ended(alert, (next, self.silent), self.again.is_some(), until)
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

/// How it ended that an alert fired whose next evaluation was due `next`, and which was silent at one that is known of.
/// It may have fired again.
fn ended(
    alert: &str,
    (next, silent): (Millis, Option<Millis>),
    again: bool,
    until: &Result<Until, Shortfall>,
) -> End {
    let until = match until {
        Ok(until) => until,
        Err(unknown) => return End::Unknown(unknown.clone()),
    };
    match silent {
        Some(silent) if silent <= until.at => End::Resolved(silent),
        _ if until.at < next => End::Firing(until.at),
        _ if until.evaluated && !again => End::Resolved(until.at),
        _ => {
            let detail = format!("Prometheus was not seen at work when {alert} ended");
            End::Unknown(Shortfall::new(Lack::RuleUnproven, detail))
        }
    }
}

/// All alerts about the run that fired, the earliest first, unless they were not told. They change no verdict.
pub(crate) fn fired(evidence: &Evidence) -> Result<Vec<Fired>, Shortfall> {
    let series = evidence.alerts.series()?;
    let (firing, active): (Vec<_>, Vec<_>) =
        series.iter().partition(|(labels, _)| labels.contains_key("alertstate"));
    if firing.is_empty() {
        some_rule(&evidence.rules)?;
    }
    let traces = traces(firing, active);
    let mut all: Vec<Fired> = traces.iter().flat_map(|trace| of_alert(trace, evidence)).collect();
    all.sort_by(|a, b| a.firing.first.cmp(&b.firing.first).then_with(|| a.alert.cmp(&b.alert)));
    Ok(all)
}

/// Whether anything could have fired: that nothing did means nothing where there is no rule, or none was told.
fn some_rule(rules: &Rules) -> Result<(), Shortfall> {
    if rules.sound()?.is_empty() {
        return Err(Shortfall::new(Lack::RuleAbsent, "Prometheus has no alerting rule at all"));
    }
    Ok(())
}

fn of_alert(trace: &Trace<'_>, evidence: &Evidence) -> Vec<Fired> {
    let alert = trace.labels.get("alertname").map_or("", String::as_str);
    let until = seen_until(alert, evidence, evidence.alerts_until);
    let ours = names_run(trace.labels, &evidence.run);
    let of_run = |seen: &Seen| ours || seen.firing.first <= evidence.run_end();
    let one = |seen: Seen| Fired {
        alert: alert.to_owned(),
        labels: told(trace.labels, &evidence.run),
        experiment: under_way(evidence, seen.first),
        firing: seen.firing,
        end: seen.end(alert, &until),
    };
    seen(alert, trace, evidence).into_iter().filter(of_run).map(one).collect()
}

/// Whether an alert's labels say that it is this run's; of others it is only known that they fired in its time.
fn names_run(labels: &Labels, run: &Run) -> bool {
    labels.get("run") == Some(&run.id) || of_process(labels, run)
}

fn of_process(labels: &Labels, run: &Run) -> bool {
    run.processes.iter().any(|process| process.owns(labels))
}

/// The labels that tell an alert from others of the run.
fn told(labels: &Labels, run: &Run) -> Labels {
    let of_process = of_process(labels, run);
    let tells = |(name, value): &(&String, &String)| match name.as_str() {
        "job" | "instance" => !of_process,
        "run" => **value != run.id,
        _ => true,
    };
    labels.iter().filter(tells).map(|(name, value)| (name.clone(), value.clone())).collect()
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
    use crate::evidence::Rule;

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
            let told = ended("Down", (Millis(145), silent.map(Millis)), again, &until);
            assert_eq!(told, due, "{until:?} {silent:?} {again}");
        }
    }

    #[test]
    fn that_nothing_fired_needs_a_rule_that_could_have() {
        let rule = Rule {
            alert: "Down".to_owned(),
            group: "f;g".to_owned(),
            interval: 5.0,
            health: "ok".to_owned(),
            evaluated: Millis(0),
        };
        let rules = |outcome: Result<Vec<Rule>, String>, warnings: &[&str]| Rules {
            outcome,
            warnings: warnings.iter().map(|warning| (*warning).to_owned()).collect(),
            loaded: None,
        };
        let table = [
            (rules(Ok(vec![rule.clone()]), &[]), None),
            (rules(Ok(Vec::new()), &[]), Some(Lack::RuleAbsent)),
            (rules(Err("not found".to_owned()), &[]), Some(Lack::QueryError)),
            (rules(Ok(vec![rule]), &["a ruler did not answer"]), Some(Lack::Warning)),
        ];
        for (rules, due) in table {
            assert_eq!(some_rule(&rules).err().map(|why| why.lack), due, "{rules:?}");
        }
    }
}
