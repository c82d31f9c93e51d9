//! Charts as they stand in the page: drawn, with their keys, or with the reason why there is none. Pure.

use std::collections::BTreeMap;

use super::chart::Chart;
use super::course::{self, Scope};
use super::draw::svg;
use super::lanes::{self, Alarms, Lane};
use super::objective::{Look, sketch};
use super::palette::Hue;
use super::timeline::{self, PANELS};
use super::{Report, Shown};
use crate::judge::{Finding, fired};
use crate::plain::plain;
use crate::slo::Objective;

/// Widths of a panel of the timeline: at a desk, and on a phone.
const WIDE: u32 = 1080;
const NARROW: u32 = 380;
/// The size of an objective's chart.
const CARD: (u32, u32) = (460, 180);

/// A chart in the page.
#[derive(Debug, Clone, Default)]
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) keys: Vec<Key>,
    /// The drawing for a wide window, and for all where there is no other.
    pub(super) wide: String,
    pub(super) narrow: Option<String>,
    /// Why there is none.
    pub(super) empty: Option<String>,
}

/// What a colour of a chart is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) hue: &'static str,
    pub(super) text: String,
    /// Whether it is drawn as dots.
    pub(super) dot: bool,
}

impl Key {
    fn new(hue: Hue, text: &str) -> Self {
        Self { hue: hue.name(), text: plain(text), dot: false }
    }
}

/// A strip of the timeline with a name of its own.
#[derive(Debug, Clone)]
pub(super) struct Strip {
    pub(super) name: String,
    pub(super) wide: String,
    pub(super) narrow: String,
}

/// The run over time.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    /// Phases and experiments.
    pub(super) head: Vec<Strip>,
    pub(super) panels: Vec<Figure>,
    pub(super) components: Vec<Strip>,
    /// Alerts that fired, by name and severity, and what their colours are.
    pub(super) alerts: Vec<Strip>,
    pub(super) alert_keys: Vec<Key>,
    /// Whether the end of some is not known.
    pub(super) alerts_open: bool,
    /// Why there is no timeline, or none of the components.
    pub(super) empty: Option<String>,
    pub(super) no_components: Option<String>,
    /// What was asked for, to be pasted.
    pub(super) queries: Vec<String>,
}

impl Timeline {
    /// That of a run.
    pub(super) fn of(report: &Report, shown: &Shown) -> Self {
        let Some((evidence, scope)) =
            report.evidence.as_ref().and_then(|evidence| Some((evidence, Scope::of(evidence)?)))
        else {
            let empty = Some("Nothing of the run can be placed in time.".to_owned());
            return Self { empty, ..Self::default() };
        };
        let mut head = vec![strip("phases", &course::phases(evidence, scope), 26)];
        if !course::injected(evidence).is_empty() {
            head.push(strip("faults", &course::numbers(evidence, scope), 22));
        }
        let panels = PANELS.into_iter().map(|panel| {
            let chart = timeline::panel(panel, (evidence, &shown.objectives), &shown.answers, scope);
            figure(panel.title(), chart, &[(WIDE, 150), (NARROW, 130)])
        });
        let (components, no_components) = strips(lanes::components(evidence, &shown.answers, scope));
        // Why they were not told stands with their table.
        let alarms = lanes::alerts(evidence, &fired(evidence).unwrap_or_default(), scope);
        let (alert_keys, alerts_open) = (alert_keys(&alarms), alarms.open);
        let (alerts, _) = strips(Ok(alarms.lanes));
        let (panels, empty) = (panels.collect(), None);
        let queries = shown.answers.values().map(|answer| plain(&answer.query)).collect();
        Self { head, panels, components, alerts, alert_keys, alerts_open, empty, no_components, queries }
    }
}

/// The chart of a finding.
pub(super) fn of_finding(report: &Report, objective: &Objective, finding: &Finding) -> Figure {
    let look = report
        .evidence
        .as_ref()
        .and_then(|evidence| Some(Look { evidence, finding, scope: Scope::of(evidence)? }));
    let sketch = look
        .ok_or_else(|| "nothing of the run can be placed in time".to_owned())
        .and_then(|look| sketch(objective, look));
    match sketch {
        Ok(sketch) => figure(&sketch.title, Ok(sketch.chart), &[CARD]),
        Err(why) => figure("", Err(why), &[CARD]),
    }
}

/// Lanes as they are drawn, or why there are none.
fn strips(lanes: Result<Vec<Lane>, String>) -> (Vec<Strip>, Option<String>) {
    match lanes {
        Ok(lanes) => (lanes.iter().map(|(name, chart)| strip(name, chart, 16)).collect(), None),
        Err(why) => (Vec::new(), Some(plain(&why))),
    }
}

/// What the colours of the alerts' lanes are.
fn alert_keys(alarms: &Alarms) -> Vec<Key> {
    let mut keys: Vec<Key> = alarms.severities.iter().map(|(name, hue)| Key::new(*hue, name)).collect();
    keys.push(Key::new(Hue::Fault, "fault"));
    if alarms.late {
        keys.push(Key { dot: true, ..Key::new(Hue::Bounds, "began after the time shown") });
    }
    keys
}

fn strip(name: &str, chart: &Chart, height: u32) -> Strip {
    let draw = |width| svg(chart, (width, height)).unwrap_or_default();
    Strip { name: plain(name), wide: draw(WIDE), narrow: draw(NARROW) }
}

/// A chart at one or two sizes.
fn figure(title: &str, chart: Result<Chart, String>, sizes: &[(u32, u32)]) -> Figure {
    let empty = |why: &str| Figure { title: plain(title), empty: Some(plain(why)), ..Figure::default() };
    let chart = match chart {
        Ok(chart) => chart,
        Err(why) => return empty(&why),
    };
    let mut drawn = sizes.iter().filter_map(|size| svg(&chart, *size));
    match drawn.next() {
        Some(wide) => {
            Figure { title: plain(title), keys: keys(&chart), wide, narrow: drawn.next(), empty: None }
        }
        None => empty("it cannot be drawn"),
    }
}

/// What the colours of a chart are, each once.
fn keys(chart: &Chart) -> Vec<Key> {
    let mut keys: Vec<Key> = chart.lines.iter().map(|line| Key::new(line.hue, &line.name)).collect();
    let limits = chart.levels.iter().chain(&chart.moments).filter(|(_, hue)| *hue == Hue::Limit);
    let limits: BTreeMap<&str, Hue> = limits.map(|(_, hue)| (hue.name(), *hue)).collect();
    keys.extend(limits.values().map(|hue| Key::new(*hue, "limit")));
    if chart.between.is_some() || chart.spans.iter().any(|span| span.hue == Hue::Bounds) {
        keys.push(Key::new(Hue::Bounds, "bounds of the observed value"));
    }
    if !chart.marks.is_empty() {
        keys.push(Key { dot: true, ..Key::new(Hue::Bounds, "what decides") });
    }
    if chart.spans.iter().any(|span| span.hue == Hue::Fault && span.to > chart.x.0 && span.from < chart.x.1) {
        keys.push(Key::new(Hue::Fault, "fault"));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::html::chart::Unit;

    #[test]
    fn what_others_wrote_begins_no_line_of_the_page() {
        let told = "Prometheus said\nverdict: pass".to_owned();
        let due = r"Prometheus said\nverdict: pass";
        assert_eq!(figure("", Err(told.clone()), &[CARD]).empty.as_deref(), Some(due));
        let (none, why) = strips(Err(told.clone()));
        assert_eq!((none.len(), why.as_deref()), (0, Some(due)));
        let chart = Chart { x: (0.0, 1.0), y: (0.0, 1.0), unit: Unit::Silent, ..Chart::default() };
        let (drawn, why) = strips(Ok(vec![(told, chart)]));
        assert_eq!((drawn[0].name.as_str(), why), (due, None));
        assert!(drawn[0].wide.contains("<svg"), "{}", drawn[0].wide);
    }
}
