//! What the dashboards' panels show of a run, held against the report of its verdict.

use serde_json::Value;

/// Half a unit of the last digit that either of two sums of the same samples may differ in.
const ROUNDING: f64 = 1e-9;

/// Every panel with its series, as `dashboards check --output json` tells them.
pub(crate) struct Panels(Value);

impl Panels {
    pub(crate) fn new(told: &[u8]) -> Self {
        Self(serde_json::from_slice(told).expect("panels as JSON"))
    }

    /// The number that a panel shows of the series that its query and labels tell.
    fn number(&self, panel: &Panel) -> f64 {
        let panels = self.0.as_array().expect("a list");
        let is = |it: &&Value| it["dashboard"] == panel.dashboard && it["panel"] == panel.title;
        let found = panels.iter().find(is).unwrap_or_else(|| panic!("no panel {panel:?}"));
        let wanted = |series: &&Value| {
            series["query"] == panel.query
                && panel.labels.iter().all(|(name, value)| series["labels"][name] == *value)
        };
        let mut series = found["series"].as_array().expect("a list").iter().filter(wanted);
        let one = series.next().unwrap_or_else(|| panic!("{panel:?} is not shown: {found}"));
        assert!(series.next().is_none(), "{panel:?} is shown twice: {found}");
        one["last"].as_str().and_then(|text| text.parse().ok()).expect("a number")
    }

    /// That a panel shows what the report says of an objective.
    pub(crate) fn assert_equals(&self, panel: &Panel, report: &Value, objective: &str, of: &str) {
        let findings = report["findings"].as_array().expect("a list");
        let finding = findings.iter().find(|it| it["name"] == objective);
        let due = finding.and_then(|it| it["observed"][of].as_f64());
        let due = due.unwrap_or_else(|| panic!("no {of} of {objective}: {finding:?}"));
        let shown = self.number(panel);
        assert!(
            (shown - due).abs() < ROUNDING,
            "{panel:?} shows {shown}, the report says {due}: {finding:?}"
        );
    }
}

/// Where on the dashboards a number is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'a> {
    pub(crate) dashboard: &'a str,
    pub(crate) title: &'a str,
    pub(crate) query: &'a str,
    pub(crate) labels: &'a [(&'a str, &'a str)],
}
