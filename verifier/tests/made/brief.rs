//! A run of six seconds, for scraping it live: load and ledger, no experiment.

use super::healthy::run;
use super::{Made, always};

/// Phases and when they begin, in seconds since the run's start.
const PHASES: [(&str, f64); 6] = [
    ("preflight", 0.0),
    ("ramp", 0.5),
    ("steady", 1.0),
    ("cooldown", 4.0),
    ("audit", 5.0),
    ("finished", 6.0),
];

/// Objectives that the brief run keeps.
pub(crate) const KEPT: &str = "objectives:
  - {name: the service answers, kind: availability, at_least: 99%}
  - {name: nothing lost, kind: data_loss, store: postgres}
";

/// The run; it is exposed for a minute after its end.
pub(crate) fn brief(id: &str) -> Made {
    let mut made = Made {
        id: id.to_owned(),
        instance: String::new(),
        series: Vec::new(),
        interval: 0.2,
        first: 0.0,
        last: 66.0,
        skew: 0.0,
        gaps: Vec::new(),
        one_missing_in: 0,
    };
    run(&mut made, &PHASES);
    made.add("ordeal_experiments", &[], always(0.0));
    let lasted = |t: f64| (t - 0.5).clamp(0.0, 3.5);
    for (outcome, rate) in [("ok", 500.0), ("error", 0.0)] {
        let labels = [("task", "browse"), ("outcome", outcome)];
        made.add("ordeal_requests_total", &labels, move |t| Some((lasted(t) * rate).floor()));
    }
    made.add("ordeal_request_errors_total", &[("task", "browse"), ("reason", "reset")], always(0.0));
    for (state, users) in [("thinking", 490.0), ("waiting", 10.0), ("overdue", 0.0)] {
        let spent = move |t: f64| Some(lasted(t) * users);
        made.add("ordeal_user_seconds_total", &[("state", state)], spent);
    }
    made.add("ordeal_saturated_seconds_total", &[("cause", "lag")], always(0.0));
    for (outcome, rate) in [("acked", 100.0), ("refused", 0.0), ("indeterminate", 0.0)] {
        let labels = [("store", "postgres"), ("outcome", outcome)];
        made.add("ordeal_ledger_writes_total", &labels, move |t| Some((lasted(t) * rate).floor()));
    }
    for class in ["present", "lost", "recovered", "resurrected", "unexpected", "duplicate", "corrupt"] {
        let found = if class == "present" { 350.0 } else { 0.0 };
        let labels = [("store", "postgres"), ("class", class)];
        made.add("ordeal_ledger_audit", &labels, move |t| Some(if t < 5.5 { 0.0 } else { found }));
    }
    for (result, audits) in [("complete", 1.0), ("incomplete", 0.0)] {
        let labels = [("store", "postgres"), ("result", result)];
        made.add("ordeal_ledger_audits_total", &labels, move |t| Some(if t < 5.5 { 0.0 } else { audits }));
    }
    made
}
