//! `load.json`: what users did and how it went. Pure.

use serde_json::Value;

use super::{list, number, text};

/// Statistics of the load.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Load {
    /// All tasks together.
    pub(crate) all: Task,
    /// Task by task, in the trial's order.
    pub(crate) tasks: Vec<Task>,
    /// Seconds by which the generator itself was late at worst.
    pub(crate) worst_lag: Option<f64>,
    /// Why response times are not told, where they are not.
    pub(crate) untimed: Option<String>,
}

/// Statistics of one task. Times are in seconds; what is absent was not told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) ok: Option<f64>,
    pub(crate) error: Option<f64>,
    pub(crate) per_second: Option<f64>,
    pub(crate) p50: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) longest: Option<f64>,
    /// Why requests failed, the most frequent reason first.
    pub(crate) reasons: Vec<(String, f64)>,
}

impl Load {
    /// What the file tells.
    pub(super) fn of(value: &Value) -> Self {
        Self {
            all: Task::of(value, "all tasks".to_owned()),
            tasks: list(value, "/tasks")
                .iter()
                .filter_map(|task| text(task, "/name").map(|name| Task::of(task, name)))
                .collect(),
            worst_lag: number(value, "/worst_schedule_lag_seconds"),
            untimed: text(value, "/fleet/without_response_times"),
        }
    }
}

impl Task {
    fn of(value: &Value, name: String) -> Self {
        let time = |what: &str| number(value, &format!("/response_time/all/{what}"));
        let reasons = value.get("reasons").and_then(Value::as_object);
        let counted = |(reason, count): (&String, &Value)| Some((reason.clone(), count.as_f64()?));
        let mut reasons: Vec<_> = reasons.into_iter().flatten().filter_map(counted).collect();
        reasons.sort_by(|a, b| b.1.total_cmp(&a.1));
        Self {
            name,
            ok: number(value, "/requests/ok"),
            error: number(value, "/requests/error"),
            per_second: number(value, "/requests/per_second"),
            p50: time("p50"),
            p95: time("p95"),
            p99: time("p99"),
            longest: time("max"),
            reasons,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn statistics_are_read_task_by_task() {
        let task = json!({
            "name": "sale", "requests": {"ok": 9, "error": 3, "per_second": 1.5},
            "response_time": {"all": {"p50": 0.1, "p95": 0.5, "p99": 2.0, "max": 7.5}, "ok": null},
            "reasons": {"reset": 1, "http_5xx": 2},
        });
        let load = Load::of(&json!({"tasks": [task, {"no": "name"}], "worst_schedule_lag_seconds": 0.02}));
        assert_eq!((load.tasks.len(), load.worst_lag, load.all.ok), (1, Some(0.02), None));
        let sale = &load.tasks[0];
        assert_eq!(
            (sale.ok, sale.error, sale.p95, sale.longest),
            (Some(9.0), Some(3.0), Some(0.5), Some(7.5))
        );
        assert_eq!(sale.reasons, [("http_5xx".to_owned(), 2.0), ("reset".to_owned(), 1.0)]);
    }
}
