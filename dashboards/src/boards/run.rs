//! The run: is it fine, what do users get, what is being broken (pure data).

use super::runs;
use super::states::{EXPERIMENT, PHASE};
use crate::board::{Board, Panel, Row, row};
use crate::limits;
use crate::look::{Colour, Steps, Unit};

/// Writes that an audit found to be anything but there, once, or known to be lost.
const WRONG: &str = "lost|resurrected|unexpected|duplicate|corrupt";

pub(super) fn board() -> Board {
    Board {
        uid: "ordeal-run",
        title: "Ordeal / Run",
        about: "One run of a trial: is it fine, what do its users get, what is being broken.",
        rows: vec![promises(), harm(), course(), load(), times(), availability()],
    }
}

/// The promises on requests, so far.
fn promises() -> Row {
    row(
        4,
        [
            Panel::stat("Phase", 4)
                .about("The phase that the run is in, or the last that was seen of it.")
                .states(PHASE.words())
                .empty("no run here")
                .ask(PHASE.last(), "phase"),
            by_requests(),
            Panel::stat("Error budget left", 4)
                .about("What is left of the 0.1 % of the requests so far that may fail. Below zero the promise is broken unless more requests follow; few requests make it jump.")
                .unit(Unit::Share)
                .decimals(1)
                .steps(Steps::from(Colour::Red, [(0.0, Colour::Yellow), (0.5, Colour::Green)]))
                .empty("no requests yet")
                .ask(budget_left(&|series| format!("last_over_time({series}[$__range])")), "left"),
            Panel::stat("Answered within 2 s", 4)
                .about("Share of all requests that were answered well within 2 s; 95 % are promised. Needs a bucket of 2 s in the trial.")
                .unit(Unit::Share)
                .decimals(3)
                .steps(Steps::at_least(limits::ANSWERED_IN_TIME))
                .empty("no requests yet")
                .ask(
                    r#"sum(last_over_time(ordeal_response_time_seconds_bucket{RUN, outcome="ok", le=~"2(\\.0)?"}[$__range]))
                       / sum(last_over_time(ordeal_requests_total{RUN}[$__range]))"#,
                    "in time",
                ),
            Panel::stat("By users' time", 4)
                .about("Share of users' time that was not spent waiting beyond their patience: a hang that few requests show. Nothing is promised of it.")
                .unit(Unit::Share)
                .decimals(3)
                .empty("no users yet")
                .ask(
                    r#"1 - sum(last_over_time(ordeal_user_seconds_total{RUN, state="overdue"}[$__range]))
                       / sum(last_over_time(ordeal_user_seconds_total{RUN}[$__range]))"#,
                    "not overdue",
                ),
            Panel::stat("By probes, the worst", 4)
                .about("Share of probes that did not fail, of the component that failed most. Faults are meant to make them fail: nothing is promised of it.")
                .unit(Unit::Share)
                .decimals(2)
                .empty("no probes yet")
                .ask(
                    r#"bottomk(1, 1 - sum by (component) (last_over_time(ordeal_probes_total{RUN, outcome="failed"}[$__range]))
                       / sum by (component) (last_over_time(ordeal_probes_total{RUN}[$__range])))"#,
                    "{{component}}",
                ),
        ],
    )
}

fn by_requests() -> Panel {
    Panel::stat("By requests", 4)
        .about("Share of all requests so far that were answered; 99.9 % are promised, outages included.")
        .unit(Unit::Share)
        .decimals(3)
        .steps(Steps::at_least(limits::AVAILABILITY))
        .empty("no requests yet")
        .ask(
            r#"1 - sum(last_over_time(ordeal_requests_total{RUN, outcome="error"}[$__range]))
               / sum(last_over_time(ordeal_requests_total{RUN}[$__range]))"#,
            "answered",
        )
}

fn budget_left(seen: &dyn Fn(&str) -> String) -> String {
    let failed = seen(r#"ordeal_requests_total{RUN, outcome="error"}"#);
    let all = seen("ordeal_requests_total{RUN}");
    format!("1 - sum({failed}) / ((1 - {}) * sum({all}))", limits::AVAILABILITY)
}

/// What would break another promise, so far.
fn harm() -> Row {
    row(
        4,
        [
            Panel::stat("Load held", 4)
                .about("The users' time that there was, of that which the trial wants; 99 % are promised. What users send in it is the verdict's to judge.")
                .unit(Unit::Share)
                .decimals(2)
                .steps(Steps::at_least(limits::LOAD_HELD))
                .empty("no users yet")
                .ask(
                    r#"sum(sum_over_time(ordeal_users{RUN, state="running"}[$__range]))
                       / sum(sum_over_time(ordeal_users{RUN, state="target"}[$__range]))"#,
                    "of the users wanted",
                ),
            Panel::stat("Experiments gone wrong", 4)
                .about("Experiments without recovery by their deadline, and those that broke nothing or never began. None is promised.")
                .steps(Steps::no())
                .empty("no experiments")
                .ask(
                    r#"sum(last_over_time(ordeal_experiment_state{RUN, state=~"not_recovered|ineffective|refused|skipped"}[$__range]))"#,
                    "experiments",
                ),
            Panel::stat("Writes lost or wrong", 4)
                .about("Acknowledged writes that an audit missed, and writes that are there but should not be, of all stores. None is promised.")
                .steps(Steps::no())
                .empty("no ledger")
                .ask(format!(r#"sum(last_over_time(ordeal_ledger_audit{{RUN, class=~"{WRONG}"}}[$__range]))"#), "writes"),
            Panel::stat("Split brain", 4)
                .about("Time in which two instances of a store took writes. None is promised.")
                .unit(Unit::Seconds)
                .steps(Steps::no())
                .empty("not watched")
                .ask("sum(last_over_time(ordeal_split_brain_seconds_total{RUN}[$__range]))", "two writers"),
            Panel::stat("Interventions", 4)
                .about("Changes that no controller and no experiment made. None is promised.")
                .steps(Steps::no())
                .empty("not watched")
                .ask("sum(last_over_time(ordeal_interventions_total{RUN}[$__range]))", "changes by hand"),
            Panel::stat("Generator saturated", 4)
                .about("Time in which the load generator itself could not keep up, of all processes and causes. It makes the service look worse than it is, and a fail of availability or latency inconclusive.")
                .unit(Unit::Seconds)
                .steps(Steps::from(Colour::Green, [(1.0, Colour::Yellow)]))
                .ask("sum(last_over_time(ordeal_saturated_seconds_total{RUN}[$__range]))", "saturated"),
        ],
    )
}

fn course() -> Row {
    let mut words = PHASE.words();
    words.extend(EXPERIMENT.words());
    row(
        7,
        [
            Panel::timeline("Course of the run", 14)
                .about("Phases of the run and states of its experiments.")
                .states(words)
                .ask(PHASE.over_time(), "phase")
                .ask(EXPERIMENT.over_time(), "{{experiment}}"),
            runs::table(10),
        ],
    )
}

fn load() -> Row {
    row(
        7,
        [
            Panel::lines("Users", 8)
                .about("Users that the trial wants and users that run, of all processes.")
                .colour("target", Colour::Grey)
                .colour("running", Colour::Blue)
                .ask("sum by (state) (ordeal_users{RUN})", "{{state}}"),
            Panel::stacked("Requests by outcome", 8)
                .about("Requests that ended, each second.")
                .unit(Unit::Requests)
                .colour("ok", Colour::Green)
                .colour("error", Colour::Red)
                .ask("sum by (outcome) (rate(ordeal_requests_total{RUN}[$__rate_interval]))", "{{outcome}}"),
            Panel::stacked("Errors by reason", 8)
                .about(
                    "Requests that failed, each second, by why. The legend has those that occur most first.",
                )
                .unit(Unit::Requests)
                .ask(
                    "sum by (reason) (rate(ordeal_request_errors_total{RUN}[$__rate_interval]))",
                    "{{reason}}",
                ),
        ],
    )
}

fn times() -> Row {
    let quantile = |q: &str| {
        format!(
            "histogram_quantile({q}, sum by (le) (rate(ordeal_response_time_seconds_bucket{{RUN}}[$__rate_interval])))"
        )
    };
    row(
        7,
        [
            Panel::heat("Response times", 12)
                .about("How many requests were answered within which time, failed ones included: from the intended start to the end of the answer.")
                .unit(Unit::Seconds)
                .ask("sum by (le) (increase(ordeal_response_time_seconds_bucket{RUN}[$__rate_interval]))", "{{le}}"),
            Panel::lines("Response time, percentiles", 12)
                .about("Half, 95 % and 99 % of the requests are answered within these times, failed ones included. 95 % within 2 s are promised of the whole run.")
                .unit(Unit::Seconds)
                .steps(Steps::at_most(limits::ANSWER))
                .ask(quantile("0.5"), "p50")
                .ask(quantile("0.95"), "p95")
                .ask(quantile("0.99"), "p99"),
        ],
    )
}

fn availability() -> Row {
    row(
        7,
        [
            Panel::lines("Availability, three ways", 12)
                .about("Share of requests that are answered, of users' time that is not overdue, and of the worst component's probes that do not fail. 99.9 % of the requests are promised of the whole run.")
                .unit(Unit::Share)
                .decimals(2)
                .steps(Steps::at_least(limits::AVAILABILITY))
                .ask(
                    r#"1 - sum(rate(ordeal_requests_total{RUN, outcome="error"}[$__rate_interval]))
                       / sum(rate(ordeal_requests_total{RUN}[$__rate_interval]))"#,
                    "by requests",
                )
                .ask(
                    r#"1 - sum(rate(ordeal_user_seconds_total{RUN, state="overdue"}[$__rate_interval]))
                       / sum(rate(ordeal_user_seconds_total{RUN}[$__rate_interval]))"#,
                    "by users' time",
                )
                .ask(
                    r#"1 - max(sum by (component) (rate(ordeal_probes_total{RUN, outcome="failed"}[$__rate_interval]))
                       / sum by (component) (rate(ordeal_probes_total{RUN}[$__rate_interval])))"#,
                    "by probes, the worst",
                ),
            Panel::lines("Budget left over time", 12)
                .about("What is left of the 0.1 % of the requests so far that may fail, over the run.")
                .unit(Unit::Share)
                .decimals(1)
                .steps(Steps::at_least(0.0))
                .ask(budget_left(&str::to_owned), "left"),
        ],
    )
}
