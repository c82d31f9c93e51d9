//! Scaling: do the replicas follow the load, and does that relieve them (pure data).

use super::shared;
use crate::board::{Board, Needs, Panel, Row, row};
use crate::limits;
use crate::look::{Colour, Unit};

/// How exactly the times of the first row are told, in seconds.
const EVERY: u32 = 5;

pub(super) fn board() -> Board {
    Board {
        uid: "ordeal-scaling",
        title: "Ordeal / Scaling",
        about: "Whether the replicas follow the load, from few to many and back, and whether that relieves them.",
        rows: vec![following(), shape(), relief(), kubernetes()],
    }
}

/// Whether the replicas followed the load, so far.
fn following() -> Row {
    let (few, many) = (limits::FEW, limits::MANY);
    row(
        4,
        [
            Panel::stat("Ready now", 4)
                .about(format!("Replicas that are ready, of each workload. The lab promises {few} before and after the load."))
                .empty("no workload")
                .ask(r#"max by (workload) (last_over_time(ordeal_workload_replicas{RUN, state="ready"}[$__range]))"#, "{{workload}}"),
            Panel::stat("Most ready at once", 4)
                .about(format!("The most replicas that were ready. The lab promises {many} under load."))
                .empty("no workload")
                .ask(r#"max by (workload) (max_over_time(ordeal_workload_replicas{RUN, state="ready"}[$__range]))"#, "{{workload}}"),
            Panel::stat("Up after", 4)
                .about(format!("From the load's beginning to as many ready replicas as the autoscaler may have: no later, and {EVERY} s earlier at most."))
                .unit(Unit::Seconds)
                .decimals(0)
                .empty("not yet")
                .ask(
                    format!(
                        "min_over_time((vector(time()) and on () ({READY} >= {}))[$__range:{EVERY}s]) - {}",
                        bound("max"),
                        began("ramp")
                    ),
                    "since the ramp",
                ),
            Panel::stat("Back after", 4)
                .about(format!(
                    "From the load's end to as few ready replicas as the autoscaler must have: no later, and {EVERY} s \
                     earlier at most; it grows until then, and is 0 where there were no more. The lab promises {}.",
                    limits::time(limits::BACK_TO_FEW)
                ))
                .unit(Unit::Seconds)
                .decimals(0)
                .empty("not yet")
                .ask(back_after(), "since the cooldown"),
            Panel::stat("CPU against target", 4)
                .about("Utilisation that the autoscaler sees, as a share of what it aims at: it adds replicas above 100 %.")
                .unit(Unit::Share)
                .decimals(0)
                .empty("no autoscaler")
                .ask(
                    r#"max by (autoscaler) (last_over_time(ordeal_autoscaler_utilization_ratio{RUN, state="current"}[$__range]))
                       / max by (autoscaler) (last_over_time(ordeal_autoscaler_utilization_ratio{RUN, state="target"}[$__range]))"#,
                    "{{autoscaler}}",
                ),
            shared::answered_in_time(),
        ],
    )
}

/// Replicas that were more only before the load's end, such as for a moment of a drain, are none to come back from.
fn back_after() -> String {
    let last = |family: &str, state: &str| {
        format!(r#"max(last_over_time({family}{{RUN, state="{state}"}}[$__range]))"#)
    };
    let (min, ended) = (bound("min"), began("cooldown"));
    let (ready_last, min_last) =
        (last("ordeal_workload_replicas", "ready"), last("ordeal_autoscaler_replicas", "min"));
    format!(
        "clamp_min({EVERY} + max_over_time((vector(time()) and on () ({READY} > {min}))[$__range:{EVERY}s]) - {ended}, 0)
         or 0 * {ended} and on () ({ready_last} <= {min_last})"
    )
}

const READY: &str = r#"max(ordeal_workload_replicas{RUN, state="ready"})"#;

fn bound(state: &str) -> String {
    format!(r#"max(ordeal_autoscaler_replicas{{RUN, state="{state}"}})"#)
}

fn began(phase: &str) -> String {
    format!(
        r#"max(last_over_time(ordeal_run_phase_start_timestamp_seconds{{RUN, phase="{phase}"}}[$__range]))"#
    )
}

fn shape() -> Row {
    row(
        10,
        [
            Panel::lines("Replicas", 16)
                .about("Replicas that are wanted and ready, and what the autoscaler has, wants, must have and may have.")
                .ask("max by (workload, state) (ordeal_workload_replicas{RUN})", "{{workload}}: {{state}}")
                .ask("max by (autoscaler, state) (ordeal_autoscaler_replicas{RUN})", "autoscaler of {{autoscaler}}: {{state}}"),
            Panel::lines("Users", 8)
                .about("Users that run, of all processes: the load that the replicas follow.")
                .colour("running", Colour::Blue)
                .ask(r#"sum by (state) (ordeal_users{RUN, state="running"})"#, "{{state}}"),
        ],
    )
}

fn relief() -> Row {
    row(
        9,
        [
            Panel::lines("CPU over time", 8)
                .about(format!(
                    "Utilisation that the autoscaler sees and aims at. The lab promises less with {} replicas than with {}.",
                    limits::MANY,
                    limits::FEW
                ))
                .unit(Unit::Share)
                .decimals(0)
                .colour("target", Colour::Grey)
                .ask("max by (state) (ordeal_autoscaler_utilization_ratio{RUN})", "{{state}}"),
            Panel::lines("Requests per ready replica", 8)
                .about("Requests that ended, each second, divided by the replicas that are ready.")
                .unit(Unit::Requests)
                .decimals(1)
                .ask(
                    r#"scalar(sum(rate(ordeal_requests_total{RUN}[$__rate_interval])))
                       / max by (workload) (ordeal_workload_replicas{RUN, state="ready"})"#,
                    "{{workload}}",
                ),
            Panel::lines("Response time, p95", 8)
                .about(format!(
                    "95 % of the requests are answered within this time, failed ones included. {}",
                    shared::answers_promised()
                ))
                .unit(Unit::Seconds)
                .ask(
                    "histogram_quantile(0.95, sum by (le) (rate(ordeal_response_time_seconds_bucket{RUN}[$__rate_interval])))",
                    "p95",
                ),
        ],
    )
}

/// Of another exporter: it has a job of its own, so that no variable picks it.
fn kubernetes() -> Row {
    row(
        8,
        [
            Panel::lines("Autoscalers", 12)
                .about("Replicas that each HorizontalPodAutoscaler has, and the most that it may have.")
                .ask(
                    "max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas)",
                    "{{namespace}}/{{horizontalpodautoscaler}}: current",
                )
                .ask(
                    "max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_spec_max_replicas)",
                    "{{namespace}}/{{horizontalpodautoscaler}}: max",
                ),
            Panel::lines("Deployments", 12)
                .about("Replicas that are ready, of each Deployment.")
                .ask("max by (namespace, deployment) (kube_deployment_status_replicas_ready)", "{{namespace}}/{{deployment}}"),
        ],
    )
    .needing(Needs::Kubernetes)
}
