//! Alerts as Prometheus writes them: that they fire or are pending, and since when they have been active.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{MOMENT, Made, Series, Value};

/// Since when an alert has been active, pending included.
pub(super) const ACTIVE: &str = "ALERTS_FOR_STATE";

/// The alert on the first outage while it fires.
pub(super) fn alerts(made: &mut Made) {
    let labels = [("alertname", "ShopDown"), ("alertstate", "firing"), ("severity", "critical")];
    made.add("ALERTS", &labels, |t| (140.0..175.0).contains(&t).then_some(1.0));
}

impl Made {
    /// The alert fires from one time to another.
    pub(crate) fn fires(&mut self, from: f64, to: f64) {
        self.set("ALERTS", &[], move |t| (from..to).contains(&t).then_some(1.0));
    }

    /// The alert fires from one time to another, and from a third to a fourth.
    pub(crate) fn fires_twice(&mut self, first: (f64, f64), second: (f64, f64)) {
        let within = |t: f64, (from, to): (f64, f64)| (from..to).contains(&t);
        self.set("ALERTS", &[], move |t| (within(t, first) || within(t, second)).then_some(1.0));
    }

    /// Whatever the samples of the alert, it has been active all the time since then.
    pub(crate) fn active_since(&mut self, since: f64) {
        self.active(move |t| (t > since - 0.01).then_some(since));
    }

    /// Whatever the samples of the alert, it tells at each time since when it has been active.
    pub(crate) fn active(&mut self, since: impl Fn(f64) -> Option<f64> + Send + Sync + 'static) {
        let labels = [("alertname", "ShopDown"), ("severity", "critical")];
        self.add(ACTIVE, &labels, move |t| since(t).map(|since| MOMENT + since));
    }

    /// Nobody wrote since when alerts have been active.
    pub(crate) fn forget_beginnings(&mut self) {
        self.add(ACTIVE, &[], |_| None);
    }
}

/// Since when each alert has been active: for as long as its values go back, whether they were scraped or not. A run that
/// tells it otherwise has nothing of this.
pub(super) fn active(made: &Made) -> Vec<Series> {
    if made.series.iter().any(|series| series.name == ACTIVE) {
        return Vec::new();
    }
    let mut alerts: BTreeMap<Vec<(String, String)>, Vec<Value>> = BTreeMap::new();
    for series in made.series.iter().filter(|series| series.name == "ALERTS") {
        let own = series.labels.iter().filter(|(label, _)| label != "alertstate");
        let mut own: Vec<_> = own.cloned().collect();
        own.sort();
        alerts.entry(own).or_default().push(series.value.clone());
    }
    let (first, interval) = (made.first, made.interval);
    let of_alert = move |(labels, states): (Vec<(String, String)>, Vec<Value>)| {
        let since = move |t: f64| {
            let is =
                |at: &f64| *at > first - interval / 2.0 && states.iter().any(|state| state(*at).is_some());
            let back = std::iter::successors(Some(t), |at| Some(at - interval));
            back.take_while(is).last().map(|at| MOMENT + at)
        };
        Series { name: ACTIVE.to_owned(), labels, value: Arc::new(since) }
    };
    alerts.into_iter().map(of_alert).collect()
}
