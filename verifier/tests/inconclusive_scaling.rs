//! Scaling on evidence that does not decide: inconclusive, and for the reason that is due.

mod made;

use made::trap::{spring, trap};
use made::{always, steps};

const BUCKETS: &str = "ordeal_response_time_seconds_bucket";
const READY: [(&str, &str); 1] = [("state", "ready")];

#[test]
fn scaling() {
    spring(
        "scaling",
        &[
            trap("large before the load", "up", "inconclusive not_at_replicas", |made| {
                made.set("ordeal_workload_replicas", &READY, always(10.0));
            }),
            trap("not told before the load", "up", "inconclusive no_samples", |made| {
                made.bend("ordeal_workload_replicas", &READY, |t, ready| ready.filter(|_| t > 30.0));
            }),
            trap("an autoscaler that did nothing", "up", "inconclusive disagreement", |made| {
                made.set("ordeal_autoscaler_replicas", &[("state", "current")], always(3.0));
            }),
            trap("not seen while it may have grown", "up", "inconclusive gap", |made| {
                made.set("ordeal_workload_replicas", &READY, always(3.0));
                made.gap(60.0, 300.0);
            }),
            trap("large between two scrapes around the load's end", "up", "inconclusive ", |made| {
                made.set(
                    "ordeal_workload_replicas",
                    &READY,
                    steps(&[(0.0, 3.0), (60.0, 8.0), (478.0, 10.0), (540.0, 3.0)]),
                );
            }),
            trap("replicas that are no number", "up", "inconclusive not_finite", |made| {
                made.set("ordeal_workload_replicas", &READY, always(f64::NAN));
            }),
            trap("nothing to come back from", "down", "inconclusive not_at_replicas", |made| {
                made.set("ordeal_workload_replicas", &READY, always(3.0));
            }),
            trap("back between two scrapes around the limit", "down", "inconclusive ", |made| {
                made.set(
                    "ordeal_workload_replicas",
                    &READY,
                    steps(&[(0.0, 3.0), (75.0, 10.0), (598.0, 3.0)]),
                );
            }),
            trap("no load to come back from", "down", "inconclusive no_samples", |made| {
                made.remove("ordeal_run_phase_start_timestamp_seconds", &[("phase", "ramp")]);
            }),
        ],
    );
}

#[test]
fn relief() {
    const BUSY: &str = "ordeal_autoscaler_utilization_ratio";
    spring(
        "relief",
        &[
            trap("fewer replicas than promised", "relief", "inconclusive not_at_replicas", |made| {
                made.set("ordeal_workload_replicas", &READY, steps(&[(0.0, 3.0), (75.0, 9.0)]));
            }),
            trap("answers that were not timed", "relief", "inconclusive disagreement", |made| {
                made.bend(BUCKETS, &[("outcome", "ok")], |_, count| Some((count? * 0.99).floor()));
            }),
            trap("never the few replicas", "relief", "inconclusive not_at_replicas", |made| {
                made.set("ordeal_workload_replicas", &READY, always(10.0));
            }),
            trap("utilisation that is no number", "relief", "inconclusive not_finite", |made| {
                made.bend(
                    BUSY,
                    &[("state", "current")],
                    |t, busy| if t > 100.0 { Some(f64::NAN) } else { busy },
                );
            }),
            trap("the end of steady unseen", "relief", "inconclusive", |made| made.gap(88.0, 119.0)),
            trap("between the bounds", "relief", "inconclusive ", |made| {
                made.set(
                    BUSY,
                    &[("state", "current")],
                    steps(&[(0.0, 0.1), (30.0, 0.8), (100.0, 0.5), (103.0, 0.9), (110.0, 0.7)]),
                );
            }),
            trap("no phase of steady load", "relief", "inconclusive no_samples", |made| {
                made.remove("ordeal_run_phase_start_timestamp_seconds", &[("phase", "steady")]);
            }),
        ],
    );
}
