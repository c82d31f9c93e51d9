//! What a dashboard is made of (pure data): rows of panels, and what a panel asks and how it shows the answer.

use crate::look::{Colour, State, Steps, Unit};

/// Columns of Grafana's grid.
pub const COLUMNS: u32 = 24;

/// A dashboard.
#[derive(Debug, Clone)]
pub struct Board {
    /// Fixed, so that links to it last; also the name of its file.
    pub uid: &'static str,
    /// What Grafana calls it.
    pub title: &'static str,
    /// What it answers.
    pub about: &'static str,
    /// From the top down.
    pub rows: Vec<Row>,
}

/// Panels side by side.
#[derive(Debug, Clone)]
pub struct Row {
    /// What the panels need beside Ordeal's own metrics, which a heading then says.
    pub needs: Option<Needs>,
    /// In units of the grid, of 38 pixels each.
    pub height: u32,
    /// From the left to the right.
    pub panels: Vec<Panel>,
}

/// What there is only where somebody made more of Prometheus than scrape Ordeal: a row of it stands apart and says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Rules of the objectives, which `slo-verifier rules` writes.
    Rules,
    /// Exporters of the stores: `postgres_exporter` or `CloudNativePG`, Patroni, `redis_exporter`.
    Stores,
    /// kube-state-metrics.
    Kubernetes,
}

/// One panel.
#[derive(Debug, Clone)]
pub struct Panel {
    /// What it shows, in a few words.
    pub title: &'static str,
    /// What it means, where it is from and what is promised of it.
    pub about: String,
    /// In columns of the grid.
    pub width: u32,
    /// How the answers are drawn.
    pub view: View,
    /// Of all its numbers; a table's columns have their own.
    pub unit: Unit,
    /// Digits behind the point; Grafana's choice where there are none.
    pub decimals: Option<u8>,
    /// Colours by value.
    pub steps: Steps,
    /// Words for values.
    pub states: Vec<State>,
    /// Colours of series by their legend.
    pub colours: Vec<(&'static str, Colour)>,
    /// What it asks.
    pub queries: Vec<Query>,
    /// What is shown where there is nothing yet.
    pub empty: &'static str,
    /// How far back it looks where the time range ends now, if not as far as the others.
    pub back: Option<&'static str>,
    /// What it needs beside Ordeal's own metrics in a row that needs none: without, it shows what `empty` says.
    pub needs: Option<Needs>,
}

/// How answers are drawn.
#[derive(Debug, Clone)]
pub enum View {
    /// Numbers of the present, or of the end of the time range.
    Stat,
    /// Curves over time.
    Lines,
    /// Curves over time, one upon the other.
    Stacked,
    /// States over time, one line a series.
    Timeline,
    /// How many were in each bucket of a histogram over time.
    Heat,
    /// Bars of the present.
    Bars,
    /// Rows of the present.
    Table(Vec<Column>),
}

impl View {
    /// Whether it shows one moment, so that it asks for that alone.
    pub const fn is_of_one_moment(&self) -> bool {
        matches!(self, Self::Stat | Self::Bars | Self::Table(_))
    }
}

/// A query and what its series are called.
#[derive(Debug, Clone)]
pub struct Query {
    /// `PromQL`.
    pub expr: String,
    /// Grafana's `{{label}}` stands for a label's value. Empty in a table.
    pub legend: &'static str,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// The label that it shows, or `Value #A` for the numbers of the first query and so on.
    pub of: &'static str,
    /// What stands above it.
    pub title: &'static str,
    /// Of its numbers.
    pub unit: Unit,
    /// Colours its cells by value, as a bar up to this number.
    pub bar: Option<(f64, Steps)>,
    /// Where a click on a cell leads.
    pub link: Option<Link>,
    /// Whether the rows are sorted by it, the highest first; else they are by the first column.
    pub sorts: bool,
}

/// Where a click leads.
#[derive(Debug, Clone)]
pub struct Link {
    /// What is offered.
    pub title: &'static str,
    /// Of a dashboard, with Grafana's variables.
    pub url: String,
}

/// A row of Ordeal's own panels.
pub fn row(height: u32, panels: impl Into<Vec<Panel>>) -> Row {
    Row { needs: None, height, panels: panels.into() }
}

impl Row {
    /// Says what the panels need beside Ordeal's own metrics.
    #[must_use]
    pub fn needing(self, needs: Needs) -> Self {
        Self { needs: Some(needs), ..self }
    }
}

impl Needs {
    /// What stands above such a row.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Rules => "Where Prometheus has the rules that slo-verifier rules writes of your objectives",
            Self::Stores => {
                "Where Prometheus scrapes them: postgres_exporter or CloudNativePG, Patroni, redis_exporter"
            }
            Self::Kubernetes => "Where Prometheus scrapes it: kube-state-metrics",
        }
    }

    /// What is needed, in a few words.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Rules => "rules of the objectives",
            Self::Stores => "exporters of the stores",
            Self::Kubernetes => "kube-state-metrics",
        }
    }

    /// Whether the row is folded until somebody opens it, as what most systems do not have.
    pub const fn is_folded(self) -> bool {
        matches!(self, Self::Kubernetes)
    }
}

impl Panel {
    fn new(title: &'static str, width: u32, view: View) -> Self {
        Self {
            title,
            about: String::new(),
            width,
            view,
            unit: Unit::Number,
            decimals: None,
            steps: Steps::none(),
            states: Vec::new(),
            colours: Vec::new(),
            queries: Vec::new(),
            empty: "",
            back: None,
            needs: None,
        }
    }

    /// A number of the present.
    pub fn stat(title: &'static str, width: u32) -> Self {
        Self::new(title, width, View::Stat)
    }

    /// Curves over time.
    pub fn lines(title: &'static str, width: u32) -> Self {
        Self::new(title, width, View::Lines)
    }

    /// Curves over time, one upon the other.
    pub fn stacked(title: &'static str, width: u32) -> Self {
        Self::new(title, width, View::Stacked)
    }

    /// States over time.
    pub fn timeline(title: &'static str, width: u32) -> Self {
        Self::new(title, width, View::Timeline)
    }

    /// A histogram over time.
    pub fn heat(title: &'static str, width: u32) -> Self {
        Self::new(title, width, View::Heat)
    }

    /// Bars of the present.
    pub fn bars(title: &'static str, width: u32) -> Self {
        Self::new(title, width, View::Bars)
    }

    /// Rows of the present.
    pub fn table(title: &'static str, width: u32, columns: impl Into<Vec<Column>>) -> Self {
        Self::new(title, width, View::Table(columns.into()))
    }

    /// Says what it means.
    #[must_use]
    pub fn about(self, about: impl Into<String>) -> Self {
        Self { about: about.into(), ..self }
    }

    /// Sets the unit of all its numbers.
    #[must_use]
    pub fn unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    /// Sets how many digits are behind the point.
    #[must_use]
    pub fn decimals(self, decimals: u8) -> Self {
        Self { decimals: Some(decimals), ..self }
    }

    /// Colours values.
    #[must_use]
    pub fn steps(self, steps: Steps) -> Self {
        Self { steps, ..self }
    }

    /// Gives values words.
    #[must_use]
    pub fn states(self, states: impl Into<Vec<State>>) -> Self {
        Self { states: states.into(), ..self }
    }

    /// Colours a series.
    #[must_use]
    pub fn colour(mut self, legend: &'static str, colour: Colour) -> Self {
        self.colours.push((legend, colour));
        self
    }

    /// Says what is shown where there is nothing yet.
    #[must_use]
    pub fn empty(self, empty: &'static str) -> Self {
        Self { empty, ..self }
    }

    /// Makes it look further back than the others, where the time range ends now.
    #[must_use]
    pub fn back(self, back: &'static str) -> Self {
        Self { back: Some(back), ..self }
    }

    /// Says what it needs beside Ordeal's own metrics.
    #[must_use]
    pub fn needing(self, needs: Needs) -> Self {
        Self { needs: Some(needs), ..self }
    }

    /// Adds a query; `RUN` within braces stands for the matchers of the processes that are looked at.
    #[must_use]
    pub fn ask(mut self, expr: impl AsRef<str>, legend: &'static str) -> Self {
        self.queries.push(Query { expr: of_run(expr.as_ref()), legend });
        self
    }
}

impl Column {
    /// A label.
    pub fn label(of: &'static str, title: &'static str) -> Self {
        Self { of, title, unit: Unit::Word, bar: None, link: None, sorts: false }
    }

    /// The numbers of a query.
    pub fn value(of: &'static str, title: &'static str, unit: Unit) -> Self {
        Self { of, title, unit, bar: None, link: None, sorts: false }
    }

    /// Draws its numbers as bars of up to `most`.
    #[must_use]
    pub fn bar(self, most: f64, steps: Steps) -> Self {
        Self { bar: Some((most, steps)), ..self }
    }

    /// Sorts the rows by it, the highest first.
    #[must_use]
    pub fn sorts(self) -> Self {
        Self { sorts: true, ..self }
    }

    /// Makes its cells lead somewhere.
    #[must_use]
    pub fn link(self, title: &'static str, url: String) -> Self {
        Self { link: Some(Link { title, url }), ..self }
    }
}

/// The expression with the matchers of the dashboard's variables in place of `RUN`.
pub(crate) fn of_run(expr: &str) -> String {
    let line = expr.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace("{RUN", r#"{job=~"$job", instance=~"$instance""#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_becomes_the_matchers_of_the_variables() {
        let table = [
            ("up{RUN}", r#"up{job=~"$job", instance=~"$instance"}"#),
            (r#"x{RUN, a="b"}"#, r#"x{job=~"$job", instance=~"$instance", a="b"}"#),
            ("sum(\n  x\n)", "sum( x )"),
        ];
        for (written, due) in table {
            assert_eq!(of_run(written), due);
        }
    }
}
