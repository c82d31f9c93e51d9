//! Which alerts are listed beside the verdicts (pure): whose series, which of their firings, what tells them apart, and
//! whether there was any that could have fired.

use std::collections::{BTreeMap, BTreeSet};

use super::rule::all_along;
use super::{Evidence, Lack};
use crate::evidence::{Labels, Millis, Rule, Rules, Sample, Shortfall, family};
use crate::run::Run;

/// What the names of Ordeal's own alerts begin with.
const OWN: &str = "Ordeal";

/// A series.
type Series = (Labels, Vec<Sample>);

/// The series of alerts about the run and of those that objectives name, each once; where it was asked for twice, that
/// of the longer time.
pub(super) fn series(evidence: &Evidence) -> Result<Vec<&Series>, Shortfall> {
    let of_alerts =
        |selector: &str| selector.starts_with("ALERTS{") || selector.starts_with("ALERTS_FOR_STATE{");
    let named = evidence.others.iter().filter(|(selector, _)| of_alerts(selector)).map(|(_, answer)| answer);
    let mut all: BTreeMap<&Labels, &Series> = BTreeMap::new();
    for answer in std::iter::once(&evidence.alerts).chain(named) {
        for one in answer.series()? {
            let known = all.entry(&one.0).or_insert(one);
            if one.1.len() > known.1.len() {
                *known = one;
            }
        }
    }
    Ok(all.into_values().collect())
}

/// Whether alerts are the run's by their labels; of others, an objective's among them, it is only known that they fired
/// in its time.
pub(super) fn ours(labels: &Labels, evidence: &Evidence) -> bool {
    names_run(labels, &evidence.run)
}

/// Whether an alert that became active and was last seen firing then is of a run from one moment to another.
pub(super) fn of_run((active, last): (Millis, Millis), (from, to): (Millis, Millis), ours: bool) -> bool {
    last >= from && (ours || active <= to)
}

/// Whether that nothing fired means anything: that rules were evaluated all through the run whose alerts would be listed.
pub(super) fn quiet(evidence: &Evidence) -> Result<(), Shortfall> {
    let able = able(&evidence.rules, &evidence.run.trial, |alert| named(alert, evidence))?;
    able.into_iter().try_for_each(|alert| all_along(alert, evidence))
}

/// The labels that tell an alert from others of the run: not those that the exporter's target gives to every series.
pub(super) fn told(labels: &Labels, evidence: &Evidence) -> Labels {
    let run = &evidence.run;
    let owner = run.processes.iter().position(|process| process.owns(labels));
    let exposed = evidence.recorded.matching(family::TIME_SECONDS, &[]).unwrap_or_default();
    let about = |process: usize| owner.map_or_else(|| names_run(labels, run), |owner| owner == process);
    let target: Vec<&Labels> =
        exposed.into_iter().filter(|one| about(one.process)).map(|one| &one.labels).collect();
    telling(labels, &run.id, owner.is_some(), &target)
}

/// Those without the run's id and what series of its processes have as well.
fn telling(labels: &Labels, run: &str, of_process: bool, target: &[&Labels]) -> Labels {
    let tells = |(name, value): &(&String, &String)| match name.as_str() {
        "run" => value.as_str() != run,
        "job" | "instance" if of_process => false,
        _ => !target.iter().any(|own| own.get(*name) == Some(*value)),
    };
    labels.iter().filter(tells).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether an alert's labels say that it is this run's.
fn names_run(labels: &Labels, run: &Run) -> bool {
    labels.get("run") == Some(&run.id) || run.processes.iter().any(|process| process.owns(labels))
}

/// Whether an objective is about alerts of that name.
fn named(alert: &str, evidence: &Evidence) -> bool {
    let selector = selected(alert);
    evidence.others.keys().any(|other| other.starts_with(&selector))
}

/// What the selector of such an objective begins with.
fn selected(alert: &str) -> String {
    format!("ALERTS{{alertname={alert:?},")
}

/// The names of the rules whose alerts would be listed of a run of a trial: Ordeal's own may be kept to another one's.
fn able<'a>(
    rules: &'a Rules,
    trial: &str,
    named: impl Fn(&str) -> bool,
) -> Result<BTreeSet<&'a str>, Shortfall> {
    let own = |rule: &Rule| rule.alert.starts_with(OWN) && rule.can_tell_of(trial);
    let listed = rules.sound()?.iter().filter(|rule| own(rule) || named(&rule.alert));
    let able: BTreeSet<&str> = listed.map(|rule| rule.alert.as_str()).collect();
    if able.is_empty() { Err(Shortfall::new(Lack::RuleAbsent, none_able(trial))) } else { Ok(able) }
}

/// What is wrong where nobody could have told anything of a trial's run, and the way out.
fn none_able(trial: &str) -> String {
    format!(
        "Prometheus has no alerting rule of Ordeal's that can fire for runs of the trial {trial:?}, and none that an \
         `alerting` objective names: before the next run, load what `slo-verifier rules` writes of that trial's \
         objectives, under `rule_files` or as a PrometheusRule whose labels Prometheus selects"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::slo::Alerting;

    /// Names and values of labels.
    type Pairs = &'static [(&'static str, &'static str)];

    const TARGET: Pairs = &[("job", "j"), ("instance", "i"), ("node", "n1"), ("pod", "p")];
    const ALERT: Pairs =
        &[("job", "j"), ("instance", "i"), ("run", "r"), ("node", "n1"), ("component", "db")];

    fn labels(pairs: Pairs) -> Labels {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn that_nothing_fired_needs_a_rule_that_could_have() {
        // An alert's name, and the trial that its rule is kept to.
        let rule = |alert: &str| Rule {
            alert: alert.split('@').next().unwrap_or_default().to_owned(),
            query: alert.split('@').nth(1).map(|trial| format!("a{{trial={trial:?}}}")).unwrap_or_default(),
            group: "f;g".to_owned(),
            interval: 5.0,
            health: "ok".to_owned(),
            evaluated: Millis(0),
        };
        let rules = |alerts: &[&str], warnings: &[&str]| Rules {
            outcome: Ok(alerts.iter().map(|alert| rule(alert)).collect()),
            warnings: warnings.iter().map(|warning| (*warning).to_owned()).collect(),
            loaded: None,
        };
        let table = [
            (rules(&["Watchdog", "OrdealDataLost"], &[]), Ok(vec!["OrdealDataLost"])),
            (rules(&["Watchdog", "Down", "OrdealDataLost"], &[]), Ok(vec!["Down", "OrdealDataLost"])),
            (rules(&[], &[]), Err(Lack::RuleAbsent)),
            // Those that kube-prometheus-stack has of its own.
            (rules(&["Watchdog", "KubeNodeDown"], &[]), Err(Lack::RuleAbsent)),
            // Rules on a trial say nothing of another one's runs.
            (rules(&["OrdealDataLost@shop"], &[]), Ok(vec!["OrdealDataLost"])),
            (rules(&["OrdealDataLost@web", "OrdealSplitBrain@shop"], &[]), Ok(vec!["OrdealSplitBrain"])),
            (rules(&["OrdealDataLost@web", "OrdealDataLost@shop"], &[]), Ok(vec!["OrdealDataLost"])),
            (rules(&["OrdealDataLost@web", "Down"], &[]), Ok(vec!["Down"])),
            (rules(&["OrdealDataLost@web"], &[]), Err(Lack::RuleAbsent)),
            (rules(&["Down"], &["a ruler did not answer"]), Err(Lack::Warning)),
            (
                Rules { outcome: Err("not found".to_owned()), warnings: Vec::new(), loaded: None },
                Err(Lack::QueryError),
            ),
        ];
        for (rules, due) in table {
            let told = able(&rules, "shop", |alert| alert == "Down").map_err(|why| why.lack);
            assert_eq!(told, due.map(BTreeSet::from_iter), "{rules:?}");
        }
        let why = able(&rules(&["OrdealDataLost@web"], &[]), "shop", |_| false).unwrap_err();
        assert!(why.detail.contains("runs of the trial \"shop\""), "{why}");
    }

    #[test]
    fn the_selector_of_an_objective_tells_whose_alerts_it_is_about() {
        let promise = |alert: &str, labels: &str| Alerting {
            alert: alert.to_owned(),
            labels: labels.to_owned(),
            experiment: "kill".to_owned(),
            within: Duration::from_mins(1),
            resolved_within: None,
        };
        for labels in ["", "{zone=\"a\"}"] {
            let own = selected("Do\"wn");
            assert!(promise("Do\"wn", labels).selector().starts_with(&own), "{labels}");
            assert!(!promise("Do\"wnstream", labels).selector().starts_with(&own), "{labels}");
        }
    }

    #[test]
    fn only_the_runs_own_alerts_are_listed_after_its_end() {
        let table = [
            ((90, 99), [false, false]),
            ((90, 101), [true, true]),
            ((150, 250), [true, true]),
            ((201, 210), [true, false]),
        ];
        for ((active, last), due) in table {
            let told = [true, false]
                .map(|ours| of_run((Millis(active), Millis(last)), (Millis(100), Millis(200)), ours));
            assert_eq!(told, due, "{active} to {last}");
        }
    }

    #[test]
    fn what_every_series_of_the_target_has_tells_no_alert_apart() {
        let target = labels(TARGET);
        let target: &[&Labels] = &[&target];
        let table: [(Pairs, bool, &[&Labels], Pairs); 5] = [
            (ALERT, true, target, &[("component", "db")]),
            // What the target is, is not known.
            (ALERT, true, &[], &[("component", "db"), ("node", "n1")]),
            (&[("run", "r"), ("node", "n2"), ("pod", "p")], false, target, &[("node", "n2")]),
            (&[("run", "other"), ("pod", "p")], false, target, &[("run", "other")]),
            // Somebody else's.
            (&[("job", "j"), ("node", "n1")], false, &[], &[("job", "j"), ("node", "n1")]),
        ];
        for (all, of_process, target, due) in table {
            assert_eq!(telling(&labels(all), "r", of_process, target), labels(due), "{all:?}");
        }
    }
}
