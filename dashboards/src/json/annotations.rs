//! What is marked in all panels (pure): faults shaded from the injection to the recovery, and when they were put back.

use serde_json::{Value, json};

use super::source;
use crate::board::of_run;

/// All of them.
pub(super) fn all() -> [Value; 2] {
    let faults = r#"max by (experiment) (ordeal_experiment_state{RUN, state=~"injected|recovering"})"#;
    let reverts = "1000 * max by (experiment) (ordeal_experiment_reverted_timestamp_seconds{RUN})";
    [
        annotation(
            "Faults",
            "red",
            faults,
            "{{experiment}}",
            "until all that it lists have recovered",
            false,
        ),
        annotation("Put back", "blue", reverts, "{{experiment}} put back", "", true),
    ]
}

/// Points above zero that are no further apart than a step become one shaded region. The expression stands twice:
/// newer versions read `target`, older ones what is beside it.
fn annotation(name: &str, colour: &str, expr: &str, title: &str, text: &str, at_value: bool) -> Value {
    let expr = of_run(expr);
    json!({
        "name": name,
        "datasource": source(),
        "enable": true,
        "hide": false,
        "iconColor": colour,
        "target": {"expr": expr, "refId": "Anno", "interval": "5s", "range": true},
        "expr": expr,
        "step": "5s",
        "titleFormat": title,
        "textFormat": text,
        "tagKeys": "experiment",
        "useValueForTime": at_value,
    })
}
