//! Stretches in which nobody looked at a component, as the exporter tells them.

use super::{Made, always, steps};

const SUM: &str = "ordeal_component_unseen_seconds_sum";
const COUNT: &str = "ordeal_component_unseen_seconds_count";
const BUCKET: &str = "ordeal_component_unseen_seconds_bucket";
const BOUNDS: [&str; 9] = ["0.25", "0.5", "1", "2", "5", "10", "30", "60", "+Inf"];

/// There was none.
pub(super) fn none(made: &mut Made, component: &str) {
    let own = ("component", component);
    made.add(SUM, &[own], always(0.0));
    made.add(COUNT, &[own], always(0.0));
    for le in BOUNDS {
        made.add(BUCKET, &[own, ("le", le)], always(0.0));
    }
}

impl Made {
    /// For these seconds nobody knows what became of a component's probes, one every 50 ms; each is missed.
    pub(crate) fn look_away(&mut self, component: &str, (from, to): (f64, f64)) {
        let own = ("component", component);
        let missed = move |t: f64| ((t.min(to) - from).max(0.0) / 0.05).floor();
        let probes = "ordeal_probes_total";
        self.bend(probes, &[own, ("outcome", "ok")], move |t, ok| Some(ok? - missed(t)));
        self.set(probes, &[own, ("outcome", "missed")], move |t| Some(missed(t)));
        self.looked_again(component, to, to - from);
    }

    /// A stretch of so many seconds in which nobody looked at a component ended then; it is the only one.
    pub(crate) fn looked_again(&mut self, component: &str, at: f64, length: f64) {
        let own = ("component", component);
        self.set(SUM, &[own], steps(&[(f64::NEG_INFINITY, 0.0), (at, length)]));
        self.set(COUNT, &[own], steps(&[(f64::NEG_INFINITY, 0.0), (at, 1.0)]));
        for le in BOUNDS {
            let holds = le.parse::<f64>().is_ok_and(|bound| length <= bound);
            let within = f64::from(u8::from(holds));
            self.set(BUCKET, &[own, ("le", le)], steps(&[(f64::NEG_INFINITY, 0.0), (at, within)]));
        }
    }
}
