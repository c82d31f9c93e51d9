//! The exporter itself: can its measurements be relied on (pure data).

use crate::board::{Board, Column, Panel, Row, row};
use crate::limits;
use crate::look::{Colour, Steps, Unit};

/// How often a count of seconds is looked at, in seconds.
const EVERY: f64 = 5.0;

pub(super) fn board() -> Board {
    Board {
        uid: "ordeal-exporter",
        title: "Ordeal / Exporter",
        about: "Whether what the load exporter measures can be relied on: its own lateness, gaps and cost.",
        rows: vec![reliance(), generator(), probes(), watches(), processes()],
    }
}

fn reliance() -> Row {
    row(4, [seen(), saturated(), lag(), missed(), observed(), watched(), incomplete(), unreverted()])
}

fn seen() -> Panel {
    Panel::stat("Processes scraped", 3)
        .about("Processes of the runs that Prometheus scraped, of those that there are. One that was never scraped makes a verdict on the load inconclusive.")
        .unit(Unit::Share)
        .decimals(0)
        .steps(Steps::at_least(1.0))
        .ask(
            r#"count(last_over_time(ordeal_run_info{RUN}[$__range]))
               / (count(last_over_time(ordeal_run_info{RUN, role="conductor"}[$__range]))
                  + sum(last_over_time(ordeal_load_processes{RUN}[$__range])))"#,
            "of those that there are",
        )
}

fn saturated() -> Panel {
    Panel::stat("Saturated", 3)
        .about("Time in which the load generator itself could not keep up, of all processes and causes.")
        .unit(Unit::Seconds)
        .steps(Steps::from(Colour::Green, [(1.0, Colour::Yellow)]))
        .ask("sum(last_over_time(ordeal_saturated_seconds_total{RUN}[$__range]))", "saturated")
}

fn lag() -> Panel {
    Panel::stat("Lateness, p99", 3)
        .about("99 % of the requests of the run so far began no later than this after their time. It counts as response time.")
        .unit(Unit::Seconds)
        .steps(Steps::from(Colour::Green, [(0.1, Colour::Yellow)]))
        .empty("no requests yet")
        .ask("histogram_quantile(0.99, sum by (le) (last_over_time(ordeal_schedule_lag_seconds_bucket{RUN}[$__range])))", "late")
}

fn missed() -> Panel {
    Panel::stat("Probes missed", 3)
        .about(format!(
            "Share of probes that the prober itself was late for, or of which nothing is known, of the component with the \
             most. Fewer than {} may be missed.",
            limits::percent(limits::MISSED)
        ))
        .unit(Unit::Share)
        .decimals(2)
        .steps(Steps::at_most(limits::MISSED))
        .empty("no probes yet")
        .ask(
            r#"topk(1, sum by (component) (last_over_time(ordeal_probes_total{RUN, outcome="missed"}[$__range]))
               / sum by (component) (last_over_time(ordeal_probes_total{RUN}[$__range])))"#,
            "{{component}}",
        )
}

fn observed() -> Panel {
    Panel::stat("Instances observed", 3)
        .about(format!(
            "Share of the run in which every instance of a store could be asked whether it takes writes, of the store with \
             the least. Of an experiment, {} are needed.",
            limits::percent(limits::OBSERVED)
        ))
        .unit(Unit::Share)
        .decimals(1)
        .steps(Steps::better_from(limits::OBSERVED))
        .empty("none listed")
        .ask(share_of_run("ordeal_instances_observed_seconds_total"), "of the run")
}

fn watched() -> Panel {
    Panel::stat("Watched for hands", 3)
        .about(format!(
            "Share of the run, from the ramp on, in which somebody watched for interventions without a gap: {} are needed, \
             unless the objective says otherwise. Who watches may be silent for {} and catch up; of a longer silence no \
             more than that counts, as in the verdict.",
            limits::percent(limits::WATCHED),
            limits::time(limits::UNHEARD)
        ))
        .unit(Unit::Share)
        .decimals(1)
        .steps(Steps::better_from(limits::WATCHED))
        .empty("not watched")
        .ask(watched_share(), "of the run")
}

/// Who watches catches up in one step, so that the counter alone tells nothing of a gap before: what it gains in a few
/// seconds counts up to a limit. Time of a run in which there is no such counter yet is not watched.
fn watched_share() -> String {
    const COUNTER: &str = "ordeal_interventions_watched_seconds_total{RUN}";
    let most = EVERY + limits::UNHEARD;
    let due = format!(
        r#"(max by (job, instance) (ordeal_run_phase{{RUN, phase=~"ramp|steady|experiments|cooldown|audit"}}) == 1
            and on (job, instance) ordeal_time_seconds{{RUN}} offset {EVERY}s)"#
    );
    format!(
        "clamp_max(min(
           sum_over_time((clamp({COUNTER} - {COUNTER} offset {EVERY}s or {COUNTER}, 0, {most})
                          and on (job, instance) {due})[$__range:{EVERY}s])
           / on (job, instance) ({EVERY} * count_over_time({due}[$__range:{EVERY}s]))), 1)"
    )
}

/// From the run's beginning to what was seen last.
fn share_of_run(counter: &str) -> String {
    format!(
        "min(last_over_time({counter}{{RUN}}[$__range]) / on (job, instance) group_left ()
           (last_over_time(ordeal_time_seconds{{RUN}}[$__range]) - on (job, instance)
            last_over_time(ordeal_run_start_timestamp_seconds{{RUN}}[$__range])))"
    )
}

fn incomplete() -> Panel {
    Panel::stat("Audits incomplete", 3)
        .about("Audits of the ledgers that could not read everything back. One is enough to make a verdict on lost writes inconclusive.")
        .steps(Steps::no())
        .empty("no ledger")
        .ask(r#"sum(last_over_time(ordeal_ledger_audits_total{RUN, result="incomplete"}[$__range]))"#, "incomplete")
}

fn unreverted() -> Panel {
    Panel::stat("Faults in the journal", 3)
        .about("Faults that are still to be put back, as the journal has them. After a run there must be none: load-exporter recover puts them back.")
        .steps(Steps::from(Colour::Green, [(f64::MIN_POSITIVE, Colour::Purple)]))
        .ask(
            "count(last_over_time(ordeal_experiment_revert_due_timestamp_seconds{RUN}[$__range])
               unless on (job, instance, experiment) last_over_time(ordeal_experiment_reverted_timestamp_seconds{RUN}[$__range]))
             or vector(0)",
            "to be put back",
        )
}

fn generator() -> Row {
    let quantile = |q: &str| {
        format!(
            "histogram_quantile({q}, sum by (le) (rate(ordeal_schedule_lag_seconds_bucket{{RUN}}[$__rate_interval])))"
        )
    };
    row(
        8,
        [
            Panel::lines("Lateness of requests", 6)
                .about("How late the generator began requests: half of them and 99 % of them no later.")
                .unit(Unit::Seconds)
                .ask(quantile("0.5"), "p50")
                .ask(quantile("0.99"), "p99"),
            Panel::stacked("Saturation by cause", 6)
                .about("Share of the time in which the generator could not keep up: lateness, ports, descriptors, processors.")
                .unit(Unit::Share)
                .ask("sum by (cause) (rate(ordeal_saturated_seconds_total{RUN}[$__rate_interval]))", "{{cause}}"),
            Panel::lines("Open requests", 6)
                .about("Requests that have begun and not ended, of all processes.")
                .ask("sum(ordeal_requests_in_flight{RUN})", "open"),
            Panel::lines("Oldest open request", 6)
                .about("Its age. A service that hangs shows here while it hangs.")
                .unit(Unit::Seconds)
                .ask("max(ordeal_oldest_request_age_seconds{RUN})", "oldest"),
        ],
    )
}

fn probes() -> Row {
    row(
        8,
        [
            Panel::lines("Probe time, p99", 8)
                .about("99 % of the probes of each component take no longer. It widens the bounds of a recovery.")
                .unit(Unit::Seconds)
                .ask(
                    "histogram_quantile(0.99, sum by (le, component) (rate(ordeal_probe_duration_seconds_bucket{RUN}[$__rate_interval])))",
                    "{{component}}",
                ),
            Panel::lines("Probes that failed or were missed", 8)
                .about("Each second. Those that failed are the component's, those that were missed the prober's own.")
                .unit(Unit::Events)
                .ask(
                    r#"sum by (component, outcome) (rate(ordeal_probes_total{RUN, outcome!="ok"}[$__rate_interval]))"#,
                    "{{component}} {{outcome}}",
                ),
            Panel::lines("Probes made of those due", 8)
                .about("Probes with any outcome, of those that the configured interval makes due.")
                .unit(Unit::Share)
                .decimals(0)
                .ask(
                    "sum by (component) (rate(ordeal_probes_total{RUN}[$__rate_interval]))
                     * max by (component) (ordeal_probe_interval_seconds{RUN})",
                    "{{component}}",
                ),
        ],
    )
}

/// Prometheus tells the cost of a scrape of every target; the join keeps those that have a run.
fn watches() -> Row {
    let of_runs = |series: &str| {
        format!("max by (instance) ({series}{{RUN}} and on (job, instance) ordeal_run_info{{RUN}})")
    };
    row(
        8,
        [
            Panel::lines("Watches", 8)
                .about("Share of the time in which every instance of a store could be asked, and in which somebody watched for interventions without a gap.")
                .unit(Unit::Share)
                .decimals(0)
                .ask("sum by (component) (rate(ordeal_instances_observed_seconds_total{RUN}[$__rate_interval]))", "instances of {{component}}")
                .ask("sum(rate(ordeal_interventions_watched_seconds_total{RUN}[$__rate_interval]))", "interventions"),
            Panel::lines("Time of a scrape", 8)
                .about("How long a scrape of each process takes. Near the scrape's time-out samples will be missing.")
                .unit(Unit::Seconds)
                .ask(of_runs("scrape_duration_seconds"), "{{instance}}"),
            Panel::lines("Samples of a scrape", 8)
                .about("Samples that a scrape of each process has.")
                .ask(of_runs("scrape_samples_scraped"), "{{instance}}"),
        ],
    )
}

fn processes() -> Row {
    let started = "max by (run, role, instance, version) (max_over_time((ordeal_run_info{RUN}
         * on (job, instance) group_left () process_start_time_seconds{RUN})[$__range:30s]))";
    let columns = [
        Column::label("run", "Run"),
        Column::label("role", "Role"),
        Column::label("instance", "Instance"),
        Column::label("version", "Version"),
        Column::value("Value", "Started", Unit::Moment),
    ];
    row(
        6,
        [
            Panel::lines("Difference of clocks", 10)
                .about("Prometheus' time of a scrape less the process's own at that moment. More than 5 s make a verdict inconclusive.")
                .unit(Unit::Seconds)
                .ask("max by (instance) (timestamp(ordeal_time_seconds{RUN}) - ordeal_time_seconds{RUN})", "{{instance}}"),
            Panel::table("Processes", 14, columns)
                .about("Processes of the runs in the time range.")
                .ask(format!("1000 * {started}"), ""),
        ],
    )
}
