//! The variables of a dashboard (pure): the data source, and whose metrics are looked at.

use serde_json::{Value, json};

/// All of them.
pub(super) fn all() -> [Value; 3] {
    [
        json!({
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "regex": "",
            "hide": 0,
            "includeAll": false,
            "multi": false,
            "options": [],
            "refresh": 1,
            "skipUrlSync": false,
        }),
        values("job", "Job", "label_values(ordeal_run_info, job)"),
        values("instance", "Instance", r#"label_values(ordeal_run_info{job=~"$job"}, instance)"#),
    ]
}

/// All values of a label in the time range, all of them picked at first.
fn values(name: &str, label: &str, query: &str) -> Value {
    json!({
        "name": name,
        "label": label,
        "type": "query",
        "datasource": super::source(),
        "definition": query,
        "query": {"qryType": 1, "query": query, "refId": "StandardVariableQuery"},
        "regex": "",
        "refresh": 2,
        "sort": 1,
        "multi": true,
        "includeAll": true,
        "allValue": ".+",
        "current": {"selected": true, "text": ["All"], "value": ["$__all"]},
        "hide": 0,
        "options": [],
        "skipUrlSync": false,
    })
}
