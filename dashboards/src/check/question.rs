//! What a panel asks once Grafana has filled in its variables (pure).

use crate::board::{Board, Needs};

/// The times that are asked for, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The beginning of the time range.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// Seconds between two scrapes.
    pub scrape: i64,
}

/// A panel and what it asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The dashboard's uid.
    pub dashboard: &'static str,
    /// The panel's title.
    pub panel: &'static str,
    /// What it needs beside Ordeal's own metrics.
    pub needs: Option<&'static str>,
    /// Its queries.
    pub asked: Vec<Asked>,
}

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Within the panel, from A on.
    pub id: char,
    /// `PromQL` without variables.
    pub expr: String,
    /// What its series are called.
    pub legend: &'static str,
    /// Of the end alone rather than of every moment.
    pub instant: bool,
}

/// So many points, or one a scrape if that is fewer: about what a panel has room for.
const POINTS: i64 = 500;

impl Span {
    /// Seconds from the beginning to the end.
    fn length(self) -> i64 {
        self.to - self.from
    }

    /// Seconds between two points of a curve.
    pub(super) fn step(self) -> i64 {
        (self.length() / POINTS).max(self.scrape)
    }

    /// Grafana's `$__rate_interval`: a step and a scrape, and four scrapes at least.
    fn rate_interval(self) -> i64 {
        (self.step() + self.scrape).max(4 * self.scrape)
    }

    /// The expression with Grafana's variables filled in, all jobs and instances picked.
    pub fn filled(self, expr: &str) -> String {
        expr.replace("$__rate_interval", &format!("{}s", self.rate_interval()))
            .replace("$__range", &format!("{}s", self.length()))
            .replace("$job", ".+")
            .replace("$instance", ".+")
    }
}

/// What the panels of a dashboard ask.
pub fn of_board(board: &Board, span: Span) -> Vec<Question> {
    let mut questions = Vec::new();
    for row in &board.rows {
        for panel in &row.panels {
            let instant = panel.view.is_of_one_moment();
            let asked = panel.queries.iter().zip('A'..).map(|(query, id)| Asked {
                id,
                expr: span.filled(&query.expr),
                legend: query.legend,
                instant,
            });
            questions.push(Question {
                dashboard: board.uid,
                panel: panel.title,
                needs: row.needs.or(panel.needs).map(Needs::what),
                asked: asked.collect(),
            });
        }
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_as_grafana_does() {
        let short = Span { from: 1000, to: 1300, scrape: 1 };
        let long = Span { from: 0, to: 36_000, scrape: 15 };
        let table = [
            (short, "x[$__range]", "x[300s]"),
            (short, "rate(x[$__rate_interval])", "rate(x[4s])"),
            (long, "rate(x[$__rate_interval])", "rate(x[87s])"),
            (
                short,
                r#"x{job=~"$job", instance=~"$instance"}[$__range:5s]"#,
                r#"x{job=~".+", instance=~".+"}[300s:5s]"#,
            ),
        ];
        for (span, written, due) in table {
            assert_eq!(span.filled(written), due);
        }
    }

    #[test]
    fn no_variable_is_left() {
        let span = Span { from: 0, to: 60, scrape: 1 };
        for board in crate::boards::all() {
            for asked in of_board(&board, span).iter().flat_map(|question| &question.asked) {
                assert!(!asked.expr.contains('$'), "{}", asked.expr);
            }
        }
    }
}
