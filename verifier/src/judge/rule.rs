//! What is known of the rule behind an alert (pure): silence proves something only where the rule was evaluated.

use super::{Evidence, Lack};
use crate::evidence::{Millis, Shortfall};
use crate::slo::suggestion;

/// The time between two evaluations where Prometheus does not tell it: its default, in seconds.
const DEFAULT_INTERVAL: f64 = 60.0;
/// The health of a rule whose evaluation succeeds.
const HEALTHY: &str = "ok";

/// Seconds between two evaluations of an alert's rule.
pub(super) fn interval(alert: &str, evidence: &Evidence) -> f64 {
    evidence.rules.interval(alert).unwrap_or(DEFAULT_INTERVAL)
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
    let unproven = |detail: String| Err(Shortfall::new(Lack::RuleUnproven, detail));
    let (evaluated, _) = evaluated(alert, evidence)?;
    let due = evidence.run.processes.prometheus_time(to).max(evidence.run_end());
    if evaluated < due {
        return unproven(format!("{alert} was last evaluated at {evaluated}, and is needed until {due}"));
    }
    let span = (evidence.run.processes.prometheus_time(from), evidence.run.processes.prometheus_time(to));
    if let Some((gone, back)) = evidence.signs.dark(&evidence.rules.groups(alert), span) {
        let detail = format!("Prometheus was not seen to evaluate {alert} from {gone} to {back}");
        return unproven(detail);
    }
    let from = span.0;
    match evidence.rules.loaded {
        None => unproven("Prometheus does not tell since when it has its rules".to_owned()),
        Some(loaded) if loaded > from => {
            unproven(format!("Prometheus read its rules at {loaded}, after the fault at {from}"))
        }
        Some(_) => Ok(()),
    }
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
