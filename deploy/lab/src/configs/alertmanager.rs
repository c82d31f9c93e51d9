//! Alertmanager: takes the alerts that Prometheus sends, and pages nobody.

/// `alertmanager.yml`: a receiver without a way out. What came and what was resolved is told by its API and page.
pub(crate) const CONFIGURATION: &str =
    "route: {receiver: lab, group_by: [alertname], group_wait: 1s, group_interval: 5s, repeat_interval: 1h}
receivers: [{name: lab}]
";
