//! Parts of a run, and the scrapes that enclose them and are enclosed. Pure.

use super::{Lack, Shortfall};

/// How exactly a scrape's values and its `ordeal_time_seconds` belong to the same instant, in seconds.
const SCRAPE_WIDTH: f64 = 0.02;

/// An instant on the conductor's clock, known to lie between two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Edge {
    pub(crate) earliest: f64,
    pub(crate) latest: f64,
}

impl Edge {
    /// An instant known exactly.
    pub(crate) fn exact(at: f64) -> Self {
        Self { earliest: at, latest: at }
    }
}

/// A part of a run, on the conductor's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Window {
    /// All that the run's processes ever counted.
    Run,
    /// From one instant to another.
    Part { from: Edge, to: Edge },
}

/// The scrapes that decide a window for one process; `None` on the left is the process's start, where every
/// counter is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) outer: (Option<usize>, usize),
    pub(crate) inner: Option<(Option<usize>, usize)>,
}

/// The scrapes that enclose and those that are enclosed, from the process's clock at each scrape.
pub(super) fn cut(clocks: &[f64], from: Edge, to: Edge) -> Result<Cut, Shortfall> {
    let last_before = |time: f64| clocks.partition_point(|clock| *clock <= time).checked_sub(1);
    let first_after = |time: f64| clocks.partition_point(|clock| *clock < time);
    let end = first_after(to.latest + SCRAPE_WIDTH);
    if end >= clocks.len() {
        let last =
            clocks.last().map_or_else(String::new, |last| format!(", the last scrape was at {last:.3}"));
        let detail = format!("no scrape after the window's end at {:.3}{last}", to.latest);
        return Err(Shortfall::new(Lack::NoSamples, detail));
    }
    let inner_from = first_after(from.latest + SCRAPE_WIDTH);
    let inner_to = last_before(to.earliest - SCRAPE_WIDTH);
    let inner = inner_to.filter(|to| *to > inner_from).map(|to| (Some(inner_from), to));
    Ok(Cut { outer: (last_before(from.earliest - SCRAPE_WIDTH), end), inner })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_cut_at_the_enclosing_and_the_enclosed_scrapes() {
        let clocks = [0.0, 15.0, 30.0, 45.0, 60.0];
        let part = cut(&clocks, Edge::exact(16.0), Edge::exact(50.0)).unwrap();
        assert_eq!(part, Cut { outer: (Some(1), 4), inner: Some((Some(2), 3)) });
        let early = cut(&clocks, Edge::exact(-5.0), Edge::exact(20.0)).unwrap();
        assert_eq!(early, Cut { outer: (None, 2), inner: Some((Some(0), 1)) });
        let narrow = cut(&clocks, Edge::exact(16.0), Edge::exact(17.0)).unwrap();
        assert_eq!(narrow, Cut { outer: (Some(1), 2), inner: None });
        assert_eq!(cut(&clocks, Edge::exact(16.0), Edge::exact(60.0)).unwrap_err().lack, Lack::NoSamples);
    }
}
