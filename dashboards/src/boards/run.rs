//! The run: is it fine, what do users get, what is being broken (pure data).

use super::states::{EXPERIMENT, PHASE};
use super::{promises, runs, shared};
use crate::board::{Board, Panel, Row, row};
use crate::limits;
use crate::look::{Colour, Steps, Unit};

/// How often the users are looked at, in seconds.
const EVERY: u32 = 5;

/// Writes that an audit found to be anything but there, once, or known to be lost.
const WRONG: &str = "lost|resurrected|unexpected|duplicate|corrupt";

pub(super) fn board() -> Board {
    Board {
        uid: "ordeal-run",
        title: "Ordeal / Run",
        about: "One run of a trial: is it fine, what do its users get, what is being broken.",
        rows: vec![answers(), harm(), course(), load(), times(), promises::all()],
    }
}

/// What users got, so far, and what it means for the promises.
fn answers() -> Row {
    row(
        4,
        [
            Panel::stat("Phase", 4)
                .about("The phase that the run is in, or the last that was seen of it.")
                .states(PHASE.words())
                .empty("no run here")
                .ask(PHASE.last(), "phase"),
            promises::nearest(),
            by_requests(),
            shared::answered_in_time(),
            Panel::stat("By users' time", 4)
                .about("Share of users' time that was not spent waiting beyond their patience: a hang that few requests show.")
                .unit(Unit::Share)
                .decimals(3)
                .steps(Steps::whole())
                .empty("no users yet")
                .ask(
                    r#"1 - sum(last_over_time(ordeal_user_seconds_total{RUN, state="overdue"}[$__range]))
                       / sum(last_over_time(ordeal_user_seconds_total{RUN}[$__range]))"#,
                    "not overdue",
                ),
            Panel::stat("By probes, the worst", 4)
                .about("Share of probes that were answered, of the component with the least. A missed probe counts as failed, as in the number and the lower bound that the report tells by probes. Faults are meant to make them fail.")
                .unit(Unit::Share)
                .decimals(2)
                .steps(Steps::whole())
                .empty("no probes yet")
                .ask(
                    r#"bottomk(1, sum by (component) (last_over_time(ordeal_probes_total{RUN, outcome="ok"}[$__range]))
                       / sum by (component) (last_over_time(ordeal_probes_total{RUN}[$__range])))"#,
                    "{{component}}",
                ),
        ],
    )
}

fn by_requests() -> Panel {
    Panel::stat("By requests", 4)
        .about(format!(
            "Share of all requests so far that were answered, outages included. {}",
            answered_promised()
        ))
        .unit(Unit::Share)
        .decimals(3)
        .steps(Steps::whole())
        .empty("no requests yet")
        .ask(
            r#"1 - sum(last_over_time(ordeal_requests_total{RUN, outcome="error"}[$__range]))
               / sum(last_over_time(ordeal_requests_total{RUN}[$__range]))"#,
            "answered",
        )
}

fn answered_promised() -> String {
    format!("The lab promises {} of the requests, over the whole run.", limits::percent(limits::AVAILABILITY))
}

/// What would break another promise, so far.
fn harm() -> Row {
    row(
        4,
        [
            users_held(),
            Panel::stat("Experiments gone wrong", 4)
                .about("Experiments without recovery by their deadline, and those that broke nothing or never began. There should be none.")
                .steps(Steps::no())
                .empty("no experiments")
                .ask(
                    r#"sum(last_over_time(ordeal_experiment_state{RUN, state=~"not_recovered|ineffective|refused|skipped"}[$__range]))"#,
                    "experiments",
                ),
            Panel::stat("Writes lost or wrong", 4)
                .about("Acknowledged writes that an audit missed, and writes that are there but should not be, of all stores. There should be none.")
                .steps(Steps::no())
                .empty("no ledger")
                .ask(format!(r#"sum(last_over_time(ordeal_ledger_audit{{RUN, class=~"{WRONG}"}}[$__range]))"#), "writes"),
            Panel::stat("Split brain", 4)
                .about("Time in which two instances of a store took writes. There should be none.")
                .unit(Unit::Seconds)
                .steps(Steps::no())
                .empty("not watched")
                .ask("sum(last_over_time(ordeal_split_brain_seconds_total{RUN}[$__range]))", "two writers"),
            Panel::stat("Interventions", 4)
                .about("Changes that no controller and no experiment made. There should be none.")
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

/// Users who still run when fewer are wanted make up for none who were missing before. Where nobody tells of any who run,
/// there are none.
fn users_held() -> Panel {
    let of = |state: &str| {
        format!(
            r#"sum by (run) (ordeal_users{{RUN, state="{state}"}}
               * on (job, instance) group_left (run) ordeal_run_info{{RUN}})"#
        )
    };
    let target = of("target");
    let running = format!("({} or 0 * {target})", of("running"));
    Panel::stat("Users' time held", 4)
        .about(format!(
            "The users' time that there was, of that which the trial wants; at no moment more users count than are wanted. {} \
             of it, unless the objective says otherwise. Left out is what users send in it: the verdict wants the requests \
             that are owed, too, and takes the worst moment.",
            limits::percent(limits::LOAD_HELD)
        ))
        .unit(Unit::Share)
        .decimals(2)
        .steps(Steps::better_from(limits::LOAD_HELD))
        .empty("no users yet")
        .ask(
            format!(
                "sum(sum_over_time(({running} < {target} or {target} <= {running})[$__range:{EVERY}s]))
                 / sum(sum_over_time(({target})[$__range:{EVERY}s]))"
            ),
            "of the users wanted",
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
            Panel::heat("Response times", 8)
                .about("How many requests were answered within which time, failed ones included: from the intended start to the end of the answer.")
                .unit(Unit::Seconds)
                .ask("sum by (le) (increase(ordeal_response_time_seconds_bucket{RUN}[$__rate_interval]))", "{{le}}"),
            Panel::lines("Response time, percentiles", 8)
                .about(format!(
                    "Half, 95 % and 99 % of the requests are answered within these times, failed ones included. {}",
                    shared::answers_promised()
                ))
                .unit(Unit::Seconds)
                .ask(quantile("0.5"), "p50")
                .ask(quantile("0.95"), "p95")
                .ask(quantile("0.99"), "p99"),
            availability(),
        ],
    )
}

fn availability() -> Panel {
    Panel::lines("Availability, three ways", 8)
        .about(format!(
            "Share of requests that are answered, of users' time that is not overdue, and of the worst component's probes \
             that are answered, a missed one counting as failed. {}",
            answered_promised()
        ))
        .unit(Unit::Share)
        .decimals(2)
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
            r#"min(sum by (component) (rate(ordeal_probes_total{RUN, outcome="ok"}[$__rate_interval]))
               / sum by (component) (rate(ordeal_probes_total{RUN}[$__rate_interval])))"#,
            "by probes, the worst",
        )
}
