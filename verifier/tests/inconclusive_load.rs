//! The load and what it tells on evidence that does not decide: inconclusive, and for the reason that is due.

mod made;

use made::trap::{spring, trap};
use made::{always, steps};

const REQUESTS: &str = "ordeal_requests_total";
const PROBES: &str = "ordeal_probes_total";
const BUCKETS: &str = "ordeal_response_time_seconds_bucket";

#[test]
fn load_held() {
    spring(
        "load-held",
        &[
            trap("half of it unseen", "load held", "inconclusive gap", |made| made.gap(150.0, 400.0)),
            trap("users that do not think", "load held", "inconclusive not_finite", |made| {
                made.set("ordeal_think_time_seconds", &[], always(0.0));
            }),
            trap("users that think for an age", "load held", "inconclusive disagreement", |made| {
                made.set("ordeal_think_time_seconds", &[], always(1e12));
            }),
            trap("users that change their mind", "load held", "inconclusive disagreement", |made| {
                made.set("ordeal_think_time_seconds", &[], steps(&[(0.0, 2.0), (595.0, 4.0)]));
            }),
            trap("a number of users that is none", "load held", "inconclusive not_finite", |made| {
                made.bend("ordeal_users", &[("state", "target")], |t, users| {
                    if t > 300.0 { Some(f64::NAN) } else { users }
                });
            }),
            trap("nobody wanted", "load held", "inconclusive no_samples", |made| {
                made.set("ordeal_users", &[("state", "target")], always(0.0));
            }),
            trap("too few requests", "load held", "inconclusive too_few_events", |made| {
                made.set(REQUESTS, &[("outcome", "ok")], always(100.0));
            }),
            trap("no phase of steady load", "load held", "inconclusive no_samples", |made| {
                made.remove("ordeal_run_phase_start_timestamp_seconds", &[("phase", "steady")]);
            }),
        ],
    );
}

#[test]
fn availability() {
    spring(
        "availability",
        &[
            trap("too few requests", "browsing answers", "inconclusive too_few_events", |made| {
                made.set(REQUESTS, &[("outcome", "ok")], always(2000.0));
            }),
            trap("errors without reasons", "shop answers", "inconclusive disagreement", |made| {
                made.set(
                    REQUESTS,
                    &[("task", "sale"), ("outcome", "error")],
                    steps(&[(0.0, 0.0), (200.0, 9.0)]),
                );
            }),
            trap("a task that is not there", "browsing answers", "inconclusive family_absent", |made| {
                made.remove(REQUESTS, &[("task", "browse")]);
            }),
            trap(
                "errors of a generator out of breath",
                "shop answers",
                "inconclusive generator_saturated",
                |made| {
                    let errors = steps(&[(0.0, 0.0), (200.0, 300.0)]);
                    made.set(REQUESTS, &[("task", "sale"), ("outcome", "error")], errors.clone());
                    made.set("ordeal_request_errors_total", &[("task", "sale"), ("reason", "reset")], errors);
                    made.set(
                        "ordeal_saturated_seconds_total",
                        &[("cause", "cpu")],
                        steps(&[(0.0, 0.0), (200.0, 60.0)]),
                    );
                },
            ),
            trap(
                "errors between two scrapes at the edge",
                "shop answers during the kill",
                "inconclusive ",
                |made| {
                    // Before the injection at 130.3 s or after it: between the scrapes at 125.9 s and 130.9 s.
                    let errors = steps(&[(0.0, 0.0), (130.0, 40.0)]);
                    made.set(REQUESTS, &[("task", "sale"), ("outcome", "error")], errors.clone());
                    made.set("ordeal_request_errors_total", &[("task", "sale"), ("reason", "reset")], errors);
                },
            ),
            trap("users' time partly unknown", "users do not wait", "inconclusive family_absent", |made| {
                made.remove("ordeal_user_seconds_total", &[("state", "overdue")]);
            }),
            trap("probes that were missed", "shop probed", "inconclusive ", |made| {
                made.set(
                    PROBES,
                    &[("component", "shop"), ("outcome", "missed")],
                    steps(&[(0.0, 0.0), (200.0, 400.0)]),
                );
            }),
            trap("no probe", "shop probed", "inconclusive too_few_events", |made| {
                made.set(PROBES, &[("component", "shop")], always(0.0));
            }),
        ],
    );
}

#[test]
fn latency() {
    spring(
        "latency",
        &[
            trap("no bound at the limit", "in time", "inconclusive saturated_bucket", |made| {
                made.in_time(0.9);
                made.remove(BUCKETS, &[("le", "2")]);
            }),
            trap("answers that were not timed", "in time", "inconclusive disagreement", |made| {
                made.bend(BUCKETS, &[("outcome", "ok")], |_, count| Some((count? * 0.99).floor()));
            }),
            trap("no histogram", "in time", "inconclusive family_absent", |made| made.remove(BUCKETS, &[])),
            trap("one task's histogram missing", "in time", "inconclusive disagreement", |made| {
                made.remove(BUCKETS, &[("task", "sale")]);
            }),
            trap(
                "late by a generator out of breath",
                "in time",
                "inconclusive generator_saturated",
                |made| {
                    made.in_time(0.9);
                    made.set(
                        "ordeal_saturated_seconds_total",
                        &[("cause", "cpu")],
                        steps(&[(0.0, 0.0), (200.0, 90.0)]),
                    );
                },
            ),
        ],
    );
}
