//! What is spent of the limits of the user's own objectives, as the rules that `slo-verifier rules` writes record it
//! (pure data).
//!
//! An error budget is that of all that was counted so far, so its last value is the run's. Of a time that is allowed, the
//! most that passed counts: what is recorded ends as soon as what was waited for is there.

use crate::board::{Column, Needs, Panel, Row, row};
use crate::look::{Colour, Steps, Unit};

/// Those whose parts are of an error budget.
const BUDGETS: [&str; 2] = ["ordeal:availability_budget_spent:ratio", "ordeal:latency_budget_spent:ratio"];
/// Those whose parts are of a time.
const TIMES: [&str; 3] =
    ["ordeal:recovery_spent:ratio", "ordeal:leader_spent:ratio", "ordeal:scaling_spent:ratio"];
/// A time, too, but of a store's exporter, which knows of no run.
const ARCHIVE: &str = "ordeal:archive_age_spent:ratio";

/// From the half and from the whole of a limit on, as the alerts.
pub(super) fn steps() -> Steps {
    Steps::from(Colour::Green, [(0.5, Colour::Yellow), (1.0, Colour::Red)])
}

/// The part of each objective's limit that was spent at worst.
fn spent() -> String {
    let budgets = BUDGETS.iter().map(|series| format!("last_over_time({series}[$__range])"));
    let times = TIMES.iter().map(|series| format!("max_over_time({series}[$__range])"));
    let of_runs: Vec<_> = budgets.chain(times).collect();
    format!(
        "({}) and on (run) last_over_time(ordeal_run_info{{RUN}}[$__range]) or max_over_time({ARCHIVE}[$__range])",
        of_runs.join(" or ")
    )
}

/// The promise that is in most danger.
pub(super) fn nearest() -> Panel {
    Panel::stat("Nearest to its limit", 4)
        .about("The objective of yours that has spent most of its limit, be it an error budget or a time: yellow from half of it on, red from all of it on. The last row has the others.")
        .unit(Unit::Share)
        .decimals(0)
        .steps(steps())
        .empty("nothing recorded")
        .ask(format!("topk(1, max by (objective) ({}))", spent()), "{{objective}}")
        .needing(Needs::Rules)
}

/// All of them, and how the error budgets came to it.
pub(super) fn all() -> Row {
    row(6, [table(), budgets()]).needing(Needs::Rules)
}

fn table() -> Panel {
    let columns = [
        Column::label("objective", "Objective"),
        Column::label("limit", "Limit"),
        Column::value("Value", "Spent", Unit::Share).bar(1.0, steps()).sorts(),
    ];
    Panel::table("Promises", 14, columns)
        .about(
            "What your objectives allow, and the least part of it that was surely spent: of an error budget by all that was \
             counted so far, of a time when it was longest. Yellow from half of it on, red from all of it on. A time has a \
             row once something was waited for. The alerts look at the same series; slo-verifier verify judges.",
        )
        .decimals(1)
        .ask(format!("max by (objective, limit) ({})", spent()), "")
}

fn budgets() -> Panel {
    let left =
        |series: &str| format!("1 - max by (objective) ({series} and on (run) ordeal_run_info{{RUN}})");
    let panel = Panel::lines("Error budgets left", 10)
        .about("What is left of the error budget of each objective, of all that was counted so far and of no fewer events than a verdict needs. Below zero the promise is broken unless enough good ones follow.")
        .unit(Unit::Share)
        .decimals(1)
        .steps(Steps::at_least(0.0));
    BUDGETS.into_iter().fold(panel, |panel, series| panel.ask(left(series), "{{objective}}"))
}
