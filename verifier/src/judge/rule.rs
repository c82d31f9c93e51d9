//! What is known of the rule behind an alert (pure): silence proves something only where the rule was evaluated.

use super::{Evidence, Lack};
use crate::evidence::{self, Millis, Rules, Shortfall, Signs, Trace};
use crate::slo::suggestion;

/// The time between two evaluations where Prometheus does not tell it: its default, in seconds.
const DEFAULT_INTERVAL: f64 = 60.0;
/// The health of a rule whose evaluation succeeds.
const HEALTHY: &str = "ok";

/// Seconds between two evaluations of an alert's rule, as Prometheus tells them.
fn interval(alert: &str, evidence: &Evidence) -> Option<f64> {
    evidence.rules.interval(alert).filter(|interval| *interval > 0.0)
}

/// Seconds between two evaluations of the rule of an alert that fired. Evaluated less often than it is told to be, it is
/// as slow as its samples show.
pub(super) fn pace(alert: &str, trace: &Trace<'_>, evidence: &Evidence) -> f64 {
    evidence::pace(trace, interval(alert, evidence)).unwrap_or(DEFAULT_INTERVAL)
}

/// That an alert's samples bear the times at which its rule was evaluated. A rule group's `query_offset`, which
/// Prometheus tells nobody, puts an earlier time on them, but not on the beginnings that they tell of.
pub(super) fn dated(alert: &str, trace: &Trace<'_>) -> Result<(), Shortfall> {
    let Some(early) = trace.early() else { return Ok(()) };
    let detail = format!(
        "{alert} is told at {early} to be active since later, so that its rule is evaluated later than its samples \
         say: take the `query_offset` from its group"
    );
    Err(Shortfall::new(Lack::RuleUnproven, detail))
}

/// When the rules of an alert, all of which must be sound, were last evaluated, the first of several and the last.
fn evaluated(alert: &str, evidence: &Evidence) -> Result<(Millis, Millis), Shortfall> {
    let rules = evidence.rules.sound()?;
    let known: Vec<&str> = rules.iter().map(|rule| rule.alert.as_str()).collect();
    let absent = || {
        let near = suggestion(alert, &known);
        Shortfall::new(Lack::RuleAbsent, format!("Prometheus has no alerting rule {alert:?}{near}"))
    };
    let evaluated = evidence.rules.evaluated(alert).ok_or_else(absent)?;
    match rules.iter().find(|rule| rule.alert == alert && rule.health != HEALTHY) {
        Some(rule) => {
            let detail = format!("the health of {alert} is {:?}", rule.health);
            Err(Shortfall::new(Lack::RuleUnproven, detail))
        }
        None => Ok(evaluated),
    }
}

/// Whether the rule of an alert was evaluated from one instant of the conductor's clock to another, and until the
/// run's end: that Prometheus does so now, has not read its rules since, and was seen at work all the time.
pub(super) fn proven(alert: &str, evidence: &Evidence, (from, to): (f64, f64)) -> Result<(), Shortfall> {
    let [from, to] = [from, to].map(|clock| evidence.run.processes.prometheus_time(clock));
    through(alert, evidence, (from, to), (to.max(evidence.run_end()), "the fault"))
}

/// Whether it was all through the run, up to its last evaluation that was due by the end.
pub(super) fn all_along(alert: &str, evidence: &Evidence) -> Result<(), Shortfall> {
    let (from, to) = evidence.run.times();
    let interval = interval(alert, evidence).unwrap_or(DEFAULT_INTERVAL);
    let due = Millis::from_seconds(to.seconds() - interval);
    through(alert, evidence, (from, to), (due, "the run's beginning"))
}

/// Whether it was from one moment, which has a name, to another, and the last time when that was due.
fn through(
    alert: &str,
    evidence: &Evidence,
    (from, to): (Millis, Millis),
    (due, beginning): (Millis, &str),
) -> Result<(), Shortfall> {
    let unproven = |detail: String| Err(Shortfall::new(Lack::RuleUnproven, detail));
    let (evaluated, _) = evaluated(alert, evidence)?;
    if evaluated < due {
        return unproven(format!("{alert} was last evaluated at {evaluated}, and is needed until {due}"));
    }
    if let Some((gone, back)) = evidence.signs.dark(&evidence.rules.groups(alert), (from, to)) {
        let detail = format!("Prometheus was not seen to evaluate {alert} from {gone} to {back}");
        return unproven(detail);
    }
    kept(evidence.rules.loaded, (from, beginning))
}

/// That a Prometheus that read its rules some time ago has had them since a moment, which has a name.
pub(super) fn kept(loaded: Option<Millis>, (since, moment): (Millis, &str)) -> Result<(), Shortfall> {
    let detail = match loaded {
        // Told in whole seconds, rounded down.
        Some(loaded) if loaded.0 + 999 <= since.0 => return Ok(()),
        Some(loaded) => format!("Prometheus read its rules at {loaded}, after {moment} at {since}"),
        None => "Prometheus does not tell since when it has its rules".to_owned(),
    };
    Err(Shortfall::new(Lack::RuleUnproven, detail))
}

/// That the rules of an alert, due every `pace` seconds, were evaluated once more before the fault, and since Prometheus has
/// them: what no evaluation was there to see may be older than the first that sees it.
pub(super) fn looked_before(
    alert: &str,
    (rules, signs): (&Rules, &Signs),
    (fault, pace): (Millis, f64),
) -> Result<(), Shortfall> {
    let due = Millis::from_seconds(fault.seconds() - pace);
    kept(rules.loaded, (due, "the last evaluation before the fault, due"))?;
    if signs.through(&rules.groups(alert), (due, fault)) {
        return Ok(());
    }
    let detail = format!(
        "Prometheus was not seen to evaluate {alert} from {due} until the fault at {fault}, so that it may be older"
    );
    Err(Shortfall::new(Lack::RuleUnproven, detail))
}

/// Until when an alert is known to have fired wherever it has samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Until {
    pub(super) at: Millis,
    /// Whether its rules were evaluated just then, so that one without a sample was resolved.
    pub(super) evaluated: bool,
}

/// Until the last evaluation of an alert's rules, as far as samples were asked for.
pub(super) fn seen_until(alert: &str, evidence: &Evidence, asked: Millis) -> Result<Until, Shortfall> {
    let (first, last) = evaluated(alert, evidence)?;
    Ok(Until { at: first.min(asked), evaluated: first == last && first <= asked })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Data, Fetched, Labels, Process, Processes, Rule, Sample, Scrape};

    fn fetched(series: Vec<(Labels, Vec<Sample>)>) -> Fetched {
        let outcome = Ok(Data::Series(series));
        Fetched { query: "q".to_owned(), outcome, warnings: Vec::new(), infos: Vec::new() }
    }

    /// A Prometheus that scrapes the run at these seconds, and itself every 30 s: its failures, as they rise.
    fn signs(scrapes: &[i64], failures: &[(i64, f64)]) -> Signs {
        let scrapes = scrapes.iter().map(|at| Scrape { at: Millis(at * 1000), clock: *at as f64 }).collect();
        let (job, instance) = ("j".to_owned(), "i".to_owned());
        let processes = Processes::new(Process { job, instance, loads: true, scrapes }, []);
        let group: Labels = [("rule_group".to_owned(), "f;g".to_owned())].into();
        let failures = failures.iter().map(|(at, value)| Sample { at: Millis(at * 1000), value: *value });
        Signs::of(&processes, &fetched(Vec::new()), &fetched(vec![(group, failures.collect())]))
    }

    #[test]
    fn an_alert_is_no_older_than_the_fault_only_where_an_evaluation_before_it_was_silent() {
        // The fault at 200.
        let every = |step: usize| -> Vec<i64> { (100..=240).step_by(step).collect() };
        let none = [(110, 0.0), (140, 0.0), (170, 0.0), (200, 0.0)];
        // That due at 175 failed.
        let failed = [(120, 0.0), (150, 0.0), (180, 1.0), (210, 1.0)];
        let long_ago = [(120, 0.0), (150, 1.0), (180, 1.0), (210, 1.0)];
        let table = [
            ("known", 100, 60.0, signs(&every(5), &none), true),
            ("read at the last evaluation that was due", 139, 60.0, signs(&every(5), &none), true),
            ("read since that was due", 140, 60.0, signs(&every(5), &none), false),
            ("read just before the fault", 195, 60.0, signs(&every(5), &none), false),
            ("evaluated after that, and before the fault", 190, 5.0, signs(&every(5), &none), true),
            ("the last evaluation failed", 100, 30.0, signs(&every(30), &failed), false),
            ("one before it failed", 100, 15.0, signs(&every(30), &long_ago), true),
            ("nobody was there when it was due", 100, 30.0, signs(&[160, 165, 190, 195, 200], &none), false),
            ("nobody was there long before", 100, 5.0, signs(&[160, 165, 190, 195, 200], &none), true),
            ("first seen since it was due", 100, 30.0, signs(&[175, 180, 185, 190, 195, 200], &none), false),
        ];
        for (what, loaded, pace, signs, due) in table {
            let rule = Rule {
                alert: "Down".to_owned(),
                query: String::new(),
                group: "f;g".to_owned(),
                interval: pace,
                health: "ok".to_owned(),
                evaluated: Millis(900_000),
            };
            let loaded = Some(Millis(loaded * 1000));
            let rules = Rules { outcome: Ok(vec![rule]), warnings: Vec::new(), loaded };
            let told = looked_before("Down", (&rules, &signs), (Millis(200_000), pace));
            let lack = told.err().map(|why| why.lack);
            assert_eq!(lack, (!due).then_some(Lack::RuleUnproven), "{what}");
        }
    }

    #[test]
    fn rules_that_were_read_later_prove_nothing_of_before() {
        let table = [
            (Some(100_000), 100_999, None),
            // That may have been at 100.998.
            (
                Some(100_000),
                100_998,
                Some("Prometheus read its rules at 100.000, after the fault at 100.998"),
            ),
            (
                Some(200_000),
                100_000,
                Some("Prometheus read its rules at 200.000, after the fault at 100.000"),
            ),
            (None, 100_000, Some("Prometheus does not tell since when it has its rules")),
        ];
        for (loaded, since, why) in table {
            let told = kept(loaded.map(Millis), (Millis(since), "the fault"));
            assert_eq!(
                told.err(),
                why.map(|why| Shortfall::new(Lack::RuleUnproven, why)),
                "{loaded:?} {since}"
            );
        }
    }

    #[test]
    fn samples_that_are_stamped_before_their_evaluation_prove_nothing() {
        let (labels, fired) = (Labels::new(), [Sample { at: Millis(140_000), value: 1.0 }]);
        let lack = |since: f64| {
            let active = [Sample { at: Millis(140_000), value: since }];
            let trace = Trace { labels: &labels, fired: &fired, active: &active };
            dated("Down", &trace).err().map(|why| why.lack)
        };
        assert_eq!([lack(110.0), lack(140.0)], [None, None]);
        assert_eq!([lack(170.0), lack(1e300)], [Some(Lack::RuleUnproven); 2]);
    }
}
