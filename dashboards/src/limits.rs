//! The limits that panels tell or are coloured by, which a test compares with where they are from.
//!
//! Grafana's thresholds are numbers, not queries, and dashboards are shipped for every trial. So only what the verdict
//! wants of every run colours a panel; what the lab promises is told as the lab's. The limits of the objectives at hand
//! are those of the rules that `slo-verifier rules` writes (`boards/promises.rs`).

/// Share of the probes of a component that may be missed (the verdict's, `health`).
pub const MISSED: f64 = 0.05;
/// Share of an experiment in which every instance of a store can be asked (the verdict's, `leader`).
pub const OBSERVED: f64 = 0.95;
/// Seconds for which whoever watches for interventions may be silent and then catch up (the verdict's, `intervention`).
pub const UNHEARD: f64 = 30.0;
/// Share of the users wanted that run, unless the objective says otherwise.
pub const LOAD_HELD: f64 = 0.99;
/// Share of the run in which somebody watches for interventions, unless the objective says otherwise.
pub const WATCHED: f64 = 0.99;

/// Share of requests that are answered, in the lab.
pub const AVAILABILITY: f64 = 0.999;
/// Seconds in which a request is answered, in the lab.
pub const ANSWER: f64 = 2.0;
/// Share of requests that are answered within [`ANSWER`], in the lab.
pub const ANSWERED_IN_TIME: f64 = 0.95;
/// Seconds to the recovery of a store's clients, in the lab.
pub const STORE_BACK: f64 = 30.0;
/// Seconds to the recovery of members after the fault is put back, in the lab.
pub const REJOINED: f64 = 30.0;
/// Seconds to as many replicas elsewhere while a node is drained, in the lab.
pub const DRAINED: f64 = 120.0;
/// Seconds of acknowledged writes or of the archive that a disaster may take, in the lab.
pub const RECOVERY_POINT: f64 = 900.0;
/// Seconds of an outage that no experiment explains, in the lab.
pub const UNEXPLAINED: f64 = 0.5;
/// Replicas before and after the load, in the lab.
pub const FEW: f64 = 3.0;
/// Replicas under load, in the lab.
pub const MANY: f64 = 10.0;
/// Seconds from the load's end to [`FEW`] replicas, in the lab.
pub const BACK_TO_FEW: f64 = 120.0;

/// A share as people read it.
pub fn percent(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

/// Seconds as people read them.
pub fn time(seconds: f64) -> String {
    if seconds < 60.0 { format!("{} s", short(seconds)) } else { format!("{} min", short(seconds / 60.0)) }
}

/// Without the digits that only a binary fraction has.
fn short(number: f64) -> String {
    format!("{number:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_as_people_read_them() {
        let shares = [(0.999, "99.9 %"), (0.95, "95 %"), (0.05, "5 %"), (1.0, "100 %")];
        for (share, due) in shares {
            assert_eq!(percent(share), due);
        }
        let times = [(0.5, "0.5 s"), (2.0, "2 s"), (30.0, "30 s"), (60.0, "1 min"), (900.0, "15 min")];
        for (seconds, due) in times {
            assert_eq!(time(seconds), due);
        }
    }
}
