//! How an alert fires or does not, and what is said of that.

use super::made::{MOMENT, Made, always, from};

/// An alert that has to be resolved, too.
pub(crate) const RESOLVED: &str = ", resolved_within: 1m";

const BEFORE: &str = "inconclusive already_firing";
pub(crate) const UNPROVEN: &str = "inconclusive rule_unproven";
/// The bounds of the time lie on either side of the limit.
const UNSURE: &str = "inconclusive ";

/// The run's alert, what is promised beside its firing, and what is said by a server that has its rules since before the
/// run and by one that read them since.
pub(crate) struct Case {
    pub(crate) what: &'static str,
    pub(crate) more: &'static str,
    pub(crate) proven: &'static str,
    pub(crate) unproven: &'static str,
    pub(crate) bend: fn(&mut Made),
}

const fn case(
    what: &'static str,
    more: &'static str,
    proven: &'static str,
    unproven: &'static str,
    bend: fn(&mut Made),
) -> Case {
    Case { what, more, proven, unproven, bend }
}

pub(crate) const CASES: [Case; 23] = [
    case("fires and is resolved", RESOLVED, "pass ", UNPROVEN, |_| {}),
    case("never fires", "", "fail ", UNPROVEN, |made| {
        made.set("ALERTS", &[], |_| None);
    }),
    case("only pending", "", "fail ", UNPROVEN, |made| {
        made.remove("ALERTS", &[]);
        let labels = [("alertname", "ShopDown"), ("alertstate", "pending")];
        made.add("ALERTS", &labels, always(1.0));
    }),
    case("fires late", "", "fail ", UNPROVEN, |made| made.fires(200.0, 210.0)),
    case("fires about the limit", "", "inconclusive ", UNPROVEN, |made| {
        // The last sample is at the very end of the minute, as near as the clocks can tell.
        made.set("ALERTS", &[], |t| (t >= 190.0).then_some(1.0));
        made.set("ordeal_time_seconds", &[], |t| Some(MOMENT + t + if t < 300.0 { 0.7 } else { -0.7 }));
    }),
    case("fires for the next experiment only", "", "fail ", UNPROVEN, |made| {
        made.fires(250.0, 300.0);
    }),
    case("fires since before", RESOLVED, BEFORE, BEFORE, |made| made.fires(60.0, 175.0)),
    case("resolved just before the fault", "", BEFORE, BEFORE, |made| {
        made.fires_twice((60.0, 126.0), (140.0, 175.0));
    }),
    case("resolved well before the fault", "", "pass ", UNPROVEN, |made| {
        made.fires_twice((60.0, 80.0), (140.0, 175.0));
    }),
    case("nothing is down", "", "inconclusive alert_not_owed", "inconclusive alert_not_owed", |made| {
        made.set("ordeal_component_outages_total", &[], always(0.0));
    }),
    case("resolved in time after the end", RESOLVED, "pass ", UNPROVEN, |made| made.fires(140.0, 260.0)),
    case("resolved too late", RESOLVED, "fail ", UNPROVEN, |made| made.fires(140.0, 300.0)),
    case("one of two is resolved too late", RESOLVED, "fail ", UNPROVEN, |made| {
        made.duplicate("ALERTS", &[], "replica", "b");
        made.set("ALERTS", &[("replica", "b")], |t| (160.0..300.0).contains(&t).then_some(1.0));
    }),
    case("one of two fires in time", RESOLVED, "pass ", UNPROVEN, |made| {
        made.duplicate("ALERTS", &[], "replica", "b");
        made.set("ALERTS", &[("replica", "b")], |t| (205.0..230.0).contains(&t).then_some(1.0));
    }),
    case("fires again for the next experiment", RESOLVED, "pass ", UNPROVEN, |made| {
        made.set("ALERTS", &[], |t| ((140.0..175.0).contains(&t) || t >= 250.0).then_some(1.0));
    }),
    case("evaluations are missed", RESOLVED, "fail ", UNPROVEN, |made| {
        made.set("ALERTS", &[], |t| ((140.0..300.0).contains(&t) && t % 15.0 >= 5.0).then_some(1.0));
        made.active_since(140.9);
    }),
    case("evaluations are missed, and no beginnings told", RESOLVED, "fail ", UNPROVEN, |made| {
        made.interval = 1.0;
        made.set("ALERTS", &[], |t| ((140.0..300.0).contains(&t) && t % 3.0 >= 1.0).then_some(1.0));
        made.forget_beginnings();
    }),
    case("nothing recovers", RESOLVED, "inconclusive still_down", UNPROVEN, |made| {
        made.fires(140.0, 300.0);
        let experiment = ("experiment", "kill-postgres-primary");
        made.set("ordeal_experiment_state", &[experiment, ("state", "recovered")], always(0.0));
        made.set("ordeal_experiment_state", &[experiment, ("state", "not_recovered")], from(215.0, 1.0));
        made.bend("ordeal_experiment_state", &[experiment, ("state", "not_recovered")], |t, held| {
            Some(if t < 215.0 { 0.0 } else { held.unwrap_or(0.0) })
        });
    }),
    case("falls back soon after the end", RESOLVED, "fail ", UNPROVEN, |made| {
        made.fires_twice((140.0, 175.0), (217.0, 300.0));
    }),
    case("fires for one evaluation, and for another one later", RESOLVED, "pass ", UNPROVEN, |made| {
        made.fires_twice((140.0, 145.0), (250.0, 255.0));
    }),
    case("the same, and no beginnings told", RESOLVED, "pass ", UNPROVEN, |made| {
        made.interval = 1.0;
        made.fires_twice((140.0, 141.0), (250.0, 251.0));
        made.forget_beginnings();
    }),
    case("pending anew at the next evaluation", RESOLVED, UNPROVEN, UNPROVEN, |made| {
        made.set("ALERTS", &[], |t| ((140.0..222.0).contains(&t) || t >= 285.0).then_some(1.0));
        made.active(|t| (t >= 140.0).then_some(if t < 222.0 { 140.9 } else { 225.9 }));
    }),
    case("evaluated 30 s later than its samples say", RESOLVED, UNPROVEN, UNPROVEN, |made| {
        made.active(|t| (140.0..175.0).contains(&t).then_some(170.9));
    }),
];

/// Times without a sample of the alert: nobody evaluated its rule, or the evaluation failed. Whether Prometheus has had its
/// rules since before says nothing of them.
pub(crate) const HOLES: [Case; 20] = [
    hole("dark at the fault", "", BEFORE, |made| {
        made.fires(60.0, 175.0);
        made.gap(112.0, 134.0);
    }),
    hole("dark at the fault, and no beginning told", "", UNPROVEN, |made| {
        made.fires(60.0, 175.0);
        made.gap(112.0, 134.0);
        made.interval = 1.0;
        made.forget_beginnings();
    }),
    hole("begun anew while dark at the fault, as after a restart", "", UNPROVEN, |made| {
        made.fires_twice((60.0, 112.0), (135.0, 175.0));
        made.gap(112.0, 134.0);
    }),
    hole("dark at the fault, and silent before", "", UNPROVEN, |made| {
        made.fires(135.0, 175.0);
        made.gap(112.0, 134.0);
    }),
    hole("dark at the fault, and silent", "", UNPROVEN, |made| {
        made.set("ALERTS", &[], |_| None);
        made.gap(112.0, 134.0);
    }),
    hole("dark when evaluated last before the fault", "", UNPROVEN, |made| {
        evaluated_seldom(made);
        made.gap(99.0, 117.0);
    }),
    case("dark long before the fault", "", "pass ", UNPROVEN, |made| {
        evaluated_seldom(made);
        made.gap(60.0, 90.0);
    }),
    hole("evaluation fails at the fault", "", BEFORE, |made| {
        made.fires_twice((60.0, 111.0), (135.0, 175.0));
        made.active_since(60.9);
    }),
    case("evaluation fails after the fault", RESOLVED, "fail ", UNPROVEN, |made| {
        made.fires_twice((140.0, 175.0), (280.0, 500.0));
        made.active_since(140.9);
    }),
    case("dark before it is resolved", RESOLVED, "fail ", UNPROVEN, |made| {
        made.fires(140.0, 500.0);
        made.gap(173.0, 290.0);
    }),
    hole("dark before it is resolved, and no beginning told", RESOLVED, UNPROVEN, |made| {
        made.fires(140.0, 500.0);
        made.gap(173.0, 290.0);
        made.interval = 1.0;
        made.forget_beginnings();
    }),
    hole("begun anew while dark, as after a restart", RESOLVED, UNPROVEN, |made| {
        made.fires_twice((140.0, 173.0), (290.0, 500.0));
        made.gap(173.0, 290.0);
    }),
    case("dark when it is resolved, and silent soon after", RESOLVED, "pass ", UNPROVEN, |made| {
        made.gap(172.0, 219.0);
    }),
    case("dark when it is resolved, and silent too late", RESOLVED, UNSURE, UNPROVEN, |made| {
        made.gap(172.0, 299.0);
    }),
    hole("dark when it may have fired again", RESOLVED, UNPROVEN, |made| {
        made.gap(216.0, 234.0);
    }),
    hole("pending since before the fault", "", BEFORE, |made| pending(made, 100.0)),
    case("pending since after the fault", RESOLVED, "pass ", UNPROVEN, |made| pending(made, 133.0)),
    case("fires, and no beginning told", RESOLVED, "pass ", UNPROVEN, |made| {
        made.interval = 1.0;
        made.forget_beginnings();
    }),
    case("fired well before the fault, and no beginning told", RESOLVED, "pass ", UNPROVEN, |made| {
        made.fires_twice((60.0, 80.0), (140.0, 175.0));
        made.interval = 1.0;
        made.forget_beginnings();
    }),
    case("resolved for one evaluation", RESOLVED, "pass ", UNPROVEN, |made| {
        made.fires_twice((140.0, 151.0), (156.0, 175.0));
    }),
];

const fn hole(what: &'static str, more: &'static str, due: &'static str, bend: fn(&mut Made)) -> Case {
    case(what, more, due, due, bend)
}

/// The alert fires, and its rule is evaluated every 30 s, while the run is scraped every 5 s.
fn evaluated_seldom(made: &mut Made) {
    made.set("ALERTS", &[], |t| (t >= 140.0 && (20.0..25.0).contains(&(t % 30.0))).then_some(1.0));
    made.active_since(140.9);
}

/// The alert is pending from some time until it fires.
fn pending(made: &mut Made, since: f64) {
    let labels = [("alertname", "ShopDown"), ("alertstate", "pending"), ("severity", "critical")];
    made.add("ALERTS", &labels, move |t| (since..140.0).contains(&t).then_some(1.0));
}
