//! What is asked of Prometheus for the run over time. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::palette::Hue;
use crate::evidence::{Fetched, Millis, family};
use crate::judge::Evidence;

/// So many moments are asked for: more than a screen has room for.
const MOMENTS: f64 = 700.0;
/// Scrapes this near to a pace of whole seconds, as a part of it, have that pace: their times jitter.
const JITTER: f64 = 0.05;

/// Quantiles of the response times.
pub(super) const QUANTILES: [(f64, Hue); 3] = [(0.5, Hue::Second), (0.95, Hue::First), (0.99, Hue::Third)];

/// A panel of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Panel {
    Users,
    Requests,
    Errors,
    Times,
    Replicas,
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Course {
    /// For a panel, which may need several.
    Panel(Panel, usize),
    /// For the state of each component.
    Components,
}

/// What is asked for the timeline, from when to when and how often.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Questions {
    pub(crate) queries: Vec<(Course, String)>,
    pub(crate) span: (Millis, Millis),
    pub(crate) step: Duration,
}

/// The answers, by question.
pub(crate) type Answers = BTreeMap<Course, Fetched>;

/// What is asked for the timeline of a run; nothing of one that cannot be placed in time.
pub(crate) fn questions(evidence: &Evidence) -> Option<Questions> {
    let processes = &evidence.run.processes;
    if processes.is_dark() {
        return None;
    }
    let (start, end) = evidence.run.charted();
    let length = end.seconds() - start.seconds();
    let interval = processes.scrape_interval().max(0.1);
    let step = step(length, interval);
    // Asked for at the very end, which alone may tell what was so at last, and from there back to the start.
    let span = (Millis::from_seconds(end.seconds() - (length / step).floor() * step), end);
    let of = processes.pinned();
    let rate = format!("{:.0}ms", (4.0 * interval).max(step) * 1000.0);
    let seen = format!("{:.0}ms", step * 1000.0);
    let bucket = family::RESPONSE_TIME_SECONDS_BUCKET;
    let only = |panel: Panel| Course::Panel(panel, 0);
    let mut queries = vec![
        (only(Panel::Users), format!("sum by (state) ({}{{{of}}})", family::USERS)),
        (
            only(Panel::Requests),
            format!("sum by (outcome) (rate({}{{{of}}}[{rate}]))", family::REQUESTS_TOTAL),
        ),
        (
            only(Panel::Errors),
            format!("sum by (reason) (rate({}{{{of}}}[{rate}]))", family::REQUEST_ERRORS_TOTAL),
        ),
        (only(Panel::Replicas), format!("max by (workload, state) ({}{{{of}}})", family::WORKLOAD_REPLICAS)),
        (
            Course::Components,
            format!("min by (component) (min_over_time({}{{{of}}}[{seen}]))", family::COMPONENT_UP),
        ),
    ];
    queries.extend(QUANTILES.iter().enumerate().map(|(at, (quantile, _))| {
        let query = format!("histogram_quantile({quantile}, sum by (le) (rate({bucket}{{{of}}}[{rate}])))");
        (Course::Panel(Panel::Times, at), query)
    }));
    Some(Questions { queries, span, step: Duration::from_secs_f64(step) })
}

/// The time between two moments that are asked for, in whole seconds: at least that between two scrapes.
fn step(length: f64, interval: f64) -> f64 {
    let paced = interval.round();
    let interval = if (interval - paced).abs() <= JITTER * paced { paced } else { interval };
    (length / MOMENTS).max(interval).max(1.0).ceil()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_as_often_as_was_scraped_where_a_screen_can_show_it() {
        let table = [
            ("a pace that is off by microseconds", 443.0, 1.000_049, 1.0),
            ("the same the other way", 443.0, 4.998, 5.0),
            ("a pace between seconds", 443.0, 1.3, 2.0),
            ("several scrapes a second", 443.0, 0.25, 1.0),
            ("a long run", 2000.0, 1.0, 3.0),
            ("a long run with few scrapes", 2000.0, 15.004, 15.0),
        ];
        for (what, length, interval, due) in table {
            assert!((step(length, interval) - due).abs() < 1e-9, "{what}: {}", step(length, interval));
        }
    }
}
