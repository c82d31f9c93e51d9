//! What the dashboards' panels show of a run, held against the report of its verdict.

use std::collections::BTreeSet;

use serde_json::Value;

/// Half a unit of the last digit that either of two sums of the same samples may differ in.
const ROUNDING: f64 = 1e-9;

/// What `short.yaml` cannot have on the lab: queries of a panel that return nothing, and why.
struct Absent {
    dashboard: &'static str,
    title: &'static str,
    /// By their letters.
    queries: &'static str,
    why: &'static str,
}

const ABSENT: [Absent; 4] = [
    Absent {
        dashboard: "ordeal-recovery",
        title: "Age of the archive",
        queries: "B",
        why: "the lab's PostgreSQL is Patroni's, not CloudNativePG's",
    },
    Absent {
        dashboard: "ordeal-scaling",
        title: "Up after",
        queries: "A",
        why: "its few users never bring the autoscaler to the most replicas that it may have",
    },
    Absent {
        dashboard: "ordeal-scaling",
        title: "Autoscalers",
        queries: "AB",
        why: "no kube-state-metrics without Kubernetes",
    },
    Absent {
        dashboard: "ordeal-scaling",
        title: "Deployments",
        queries: "A",
        why: "no kube-state-metrics without Kubernetes",
    },
];

/// A query of a panel: the dashboard, the panel's title, the query's letter.
type Query = (String, String, String);

/// Every panel with its series, as `dashboards check --output json` tells them.
pub(crate) struct Panels(Value);

impl Panels {
    pub(crate) fn new(told: &[u8]) -> Self {
        Self(serde_json::from_slice(told).expect("panels as JSON"))
    }

    fn all(&self) -> &[Value] {
        self.0.as_array().expect("a list")
    }

    /// The queries that return nothing.
    fn silent(&self) -> BTreeSet<Query> {
        let of = |panel: &Value| {
            let (dashboard, title) = (text(&panel["dashboard"]), text(&panel["panel"]));
            let silent = panel["silent"].as_array().expect("a list").clone();
            silent.into_iter().map(move |query| (dashboard.clone(), title.clone(), text(&query)))
        };
        self.all().iter().flat_map(of).collect()
    }

    /// That every query of every panel returns something, but for those that cannot.
    pub(crate) fn assert_complete(&self) {
        let mut unlisted = self.silent();
        for Absent { dashboard, title, queries, why } in &ABSENT {
            for letter in queries.chars() {
                let query = ((*dashboard).to_owned(), (*title).to_owned(), letter.to_string());
                assert!(unlisted.remove(&query), "{query:?} has data, though it is listed as absent: {why}");
            }
        }
        assert!(unlisted.is_empty(), "these have no data: {unlisted:#?}");
    }

    /// The number that a panel shows of the series that its query and labels tell.
    fn number(&self, panel: &Panel) -> f64 {
        let is = |it: &&Value| it["dashboard"] == panel.dashboard && it["panel"] == panel.title;
        let found = self.all().iter().find(is).unwrap_or_else(|| panic!("no panel {panel:?}"));
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
        let (shown, due) = (self.number(panel), observed(report, objective, of));
        assert!((shown - due).abs() < ROUNDING, "{panel:?} shows {shown}, the report says {due}");
    }

    /// That the promises have an objective on a share, with that part of its budget spent which follows from the report:
    /// some of it, as none would be equal whatever was counted.
    pub(crate) fn assert_spent(&self, report: &Value, objective: &str, at_least: f64) {
        let labels = &[("objective", objective)];
        let row = Panel { dashboard: "ordeal-run", title: "Promises", query: "A", labels };
        let share = observed(report, objective, "value");
        let (shown, due) = (self.number(&row), (1.0 - share) / (1.0 - at_least));
        assert!(due > 0.0, "nothing of the budget is spent: {share} of {objective}");
        assert!((shown - due).abs() < ROUNDING, "{row:?} shows {shown}, {due} follows from the report");
    }
}

/// What the report says of an objective.
fn observed(report: &Value, objective: &str, of: &str) -> f64 {
    let findings = report["findings"].as_array().expect("a list");
    let finding = findings.iter().find(|it| it["name"] == objective);
    let due = finding.and_then(|it| it["observed"][of].as_f64());
    due.unwrap_or_else(|| panic!("no {of} of {objective}: {finding:?}"))
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Where on the dashboards a number is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'a> {
    pub(crate) dashboard: &'a str,
    pub(crate) title: &'a str,
    pub(crate) query: &'a str,
    pub(crate) labels: &'a [(&'a str, &'a str)],
}
