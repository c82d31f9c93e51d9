//! Scaling: do the replicas follow the load, and does that relieve them (pure data).

use crate::board::{Board, Needs, Panel, Row, row};
use crate::limits;
use crate::look::{Colour, Steps, Unit};

/// How exactly the times of the first row are told, in seconds.
const EVERY: u32 = 5;

pub(super) fn board() -> Board {
    Board {
        uid: "ordeal-scaling",
        title: "Ordeal / Scaling",
        about: "Whether the replicas follow the load, from few to many and back, and whether that relieves them.",
        rows: vec![promises(), shape(), relief(), kubernetes()],
    }
}

fn promises() -> Row {
    row(
        4,
        [
            Panel::stat("Ready now", 4)
                .about("Replicas that are ready, of each workload. 3 are promised before and after the load.")
                .empty("no workload")
                .ask(r#"max by (workload) (last_over_time(ordeal_workload_replicas{RUN, state="ready"}[$__range]))"#, "{{workload}}"),
            Panel::stat("Most ready at once", 4)
                .about("The most replicas that were ready; 10 are promised under load.")
                .steps(Steps::from(Colour::Yellow, [(limits::MANY, Colour::Green)]))
                .empty("no workload")
                .ask(r#"max by (workload) (max_over_time(ordeal_workload_replicas{RUN, state="ready"}[$__range]))"#, "{{workload}}"),
            Panel::stat("Up after", 4)
                .about("From the load's beginning to as many ready replicas as the autoscaler may have: no later, and 5 s earlier at most.")
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
                .about("From the load's end to as few ready replicas as the autoscaler must have: no later, and 5 s earlier at most; it grows until then. 2 min are promised.")
                .unit(Unit::Seconds)
                .decimals(0)
                .steps(Steps::at_most(limits::BACK_TO_FEW))
                .empty("not yet")
                .ask(
                    format!(
                        "{EVERY} + max_over_time((vector(time()) and on () ({READY} > {}))[$__range:{EVERY}s]) - {}",
                        bound("min"),
                        began("cooldown")
                    ),
                    "since the cooldown",
                ),
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
            Panel::stat("Answered within 2 s", 4)
                .about("Share of all requests so far that were answered well within 2 s; 95 % are promised. Needs a bucket of 2 s in the trial.")
                .unit(Unit::Share)
                .decimals(3)
                .steps(Steps::at_least(limits::ANSWERED_IN_TIME))
                .empty("no requests yet")
                .ask(
                    r#"sum(last_over_time(ordeal_response_time_seconds_bucket{RUN, outcome="ok", le=~"2(\\.0)?"}[$__range]))
                       / sum(last_over_time(ordeal_requests_total{RUN}[$__range]))"#,
                    "in time",
                ),
        ],
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
                .about("Replicas that are wanted and ready, and what the autoscaler has, wants, must have and may have. The dashed lines are the 3 and the 10 that are promised.")
                .steps(Steps::from(Colour::Grey, [(limits::FEW, Colour::Grey), (limits::MANY, Colour::Grey)]))
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
                .about("Utilisation that the autoscaler sees and aims at. With 10 replicas less is promised than with 3.")
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
                .about("95 % of the requests are answered within this time, failed ones included; 2 s are promised of the whole run.")
                .unit(Unit::Seconds)
                .steps(Steps::at_most(limits::ANSWER))
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
                    "max by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas)",
                    "{{horizontalpodautoscaler}}: current",
                )
                .ask(
                    "max by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_spec_max_replicas)",
                    "{{horizontalpodautoscaler}}: max",
                ),
            Panel::lines("Deployments", 12)
                .about("Replicas that are ready, of each Deployment.")
                .ask("max by (deployment) (kube_deployment_status_replicas_ready)", "{{deployment}}"),
        ],
    )
    .needing(Needs::Kubernetes)
}
