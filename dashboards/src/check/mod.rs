//! Asks a Prometheus what the panels would show of a run, and tells which would show nothing.

mod question;
mod server;

use std::collections::BTreeMap;

use serde::Serialize;

pub use question::{Question, Span, of_board};
pub use server::{Error, Server};

/// What a panel would show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// The dashboard's uid.
    pub dashboard: &'static str,
    /// The panel's title.
    pub panel: &'static str,
    /// What is needed beside Ordeal's own metrics.
    pub needs: Option<&'static str>,
    /// Its queries that returned no number, from A on.
    pub silent: Vec<char>,
    /// What all its queries returned.
    pub series: Vec<Series>,
}

/// One series of a panel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Of its query within the panel, from A on.
    pub query: char,
    /// Of its query, with the labels still to be filled in.
    pub legend: &'static str,
    /// What tells it apart.
    pub labels: BTreeMap<String, String>,
    /// The last number that is one, as Prometheus would write it.
    pub last: String,
    /// The same, to be calculated with.
    #[serde(skip)]
    pub value: f64,
}

impl Shown {
    /// Whether the panel would show nothing.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}

/// What all panels of all dashboards would show.
pub async fn all(server: &Server, span: Span) -> Result<Vec<Shown>, Error> {
    let mut shown = Vec::new();
    for question in crate::boards::all().iter().flat_map(|board| of_board(board, span)) {
        let (mut series, mut silent) = (Vec::new(), Vec::new());
        for asked in &question.asked {
            let found = server.ask(asked, span).await?;
            if found.is_empty() {
                silent.push(asked.id);
            }
            series.extend(found);
        }
        let Question { dashboard, panel, needs, .. } = question;
        shown.push(Shown { dashboard, panel, needs, silent, series });
    }
    Ok(shown)
}
