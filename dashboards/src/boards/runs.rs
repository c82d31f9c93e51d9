//! The table of runs, whose cells lead to their time (pure data).

use crate::board::{Column, Panel};
use crate::look::{Steps, Unit};

/// Runs overlap in time, and two runs on one address share all series but `ordeal_run_info`: what belongs to a run is
/// joined with it at each moment, every so many seconds. A finished exporter stays for two scrapes only, so that its
/// end would be missed; when it was last seen is not, and is no more than this before the end.
const EVERY: u32 = 30;

/// The runs of the time range.
pub(super) fn table(width: u32) -> Panel {
    let conductor = r#"ordeal_run_info{RUN, role="conductor"}"#;
    let began =
        format!("{conductor} * on (job, instance) group_left () ordeal_run_start_timestamp_seconds{{RUN}}");
    let seen = format!("timestamp({conductor})");
    Panel::table("Runs", width, columns())
        .about(
            "The runs of the time range, the last two days where it ends now. A click sets the time to that run. \
             Answered: the share of its requests that were, as the verdict's availability by requests.",
        )
        .back("2d")
        .ask(format!("1000 * {}", highest(&began)), "")
        .ask(format!("1000 * ({EVERY} + {})", highest(&seen)), "")
        .ask(format!("1 - {} / {}", requests(r#", outcome="error""#), requests("")), "")
}

fn columns() -> [Column; 5] {
    let to = |uid: &str| {
        format!(
            "/d/{uid}?from=${{__data.fields.Began.numeric}}&to=${{__data.fields.Until.numeric}}&${{datasource:queryparam}}"
        )
    };
    [
        Column::label("run", "Run").link("Show this run", to("ordeal-run")),
        Column::label("trial", "Trial").link("Show its recoveries", to("ordeal-recovery")),
        Column::value("Value #A", "Began", Unit::Moment).sorts(),
        Column::value("Value #B", "Until", Unit::Moment),
        Column::value("Value #C", "Answered", Unit::Share).bar(1.0, Steps::whole()),
    ]
}

fn highest(expr: &str) -> String {
    format!("max by (run, trial) (max_over_time(({expr})[$__range:{EVERY}s]))")
}

/// All requests of a run, of however many processes.
fn requests(matchers: &str) -> String {
    highest(&format!(
        "sum by (run, trial) (ordeal_requests_total{{RUN{matchers}}} \
         * on (job, instance) group_left (run, trial) ordeal_run_info{{RUN}})"
    ))
}
