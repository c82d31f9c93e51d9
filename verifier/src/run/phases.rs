//! Reads a run's phases, and finds what is wrong with them. Pure.
//!
//! They are told twice: by when each began, and by which of them the run was in at each scrape.

use std::collections::BTreeMap;

use super::{Phase, Run};
use crate::evidence::{Gauge, Lack, PhaseName, Point, Recorded, Shortfall, family, same};

/// Times of one clock that are no further apart than this are not held against each other.
const SAME_TIME: f64 = 1.0;

/// The phases that a finished run has been through; `experiments` too, where it had any.
const DUE: [PhaseName; 6] = [
    PhaseName::Preflight,
    PhaseName::Ramp,
    PhaseName::Steady,
    PhaseName::Cooldown,
    PhaseName::Audit,
    PhaseName::Finished,
];

impl Run {
    pub(super) fn read_phases(&mut self, recorded: &Recorded) {
        let family = family::RUN_PHASE_START_TIMESTAMP_SECONDS;
        let mut begun: Vec<(f64, PhaseName)> = Vec::new();
        for word in recorded.label_values(family, "phase") {
            match (PhaseName::of(&word), self.time(recorded, family, &[("phase", &word)])) {
                (Some(name), Ok(start)) => begun.extend(start.map(|start| (start, name))),
                (_, Err(flaw)) => self.flaws.push(flaw),
                (None, Ok(_)) => {
                    let detail = format!("{family} has a phase `{word}`, which this version does not know");
                    self.flaws.push(Shortfall::new(Lack::Disagreement, detail));
                }
            }
        }
        if begun.is_empty() {
            self.flaws.push(Shortfall::new(Lack::FamilyAbsent, format!("no phase has a {family}")));
        }
        begun.sort_by(|a, b| a.0.total_cmp(&b.0));
        let last_clock = self.processes.conductor().scrapes.last().map_or(self.start, |scrape| scrape.clock);
        let ends: Vec<f64> =
            begun.iter().skip(1).map(|(start, _)| *start).chain([self.end.unwrap_or(last_clock)]).collect();
        self.phases =
            begun.into_iter().zip(ends).map(|((start, name), end)| Phase { name, start, end }).collect();
        self.find_disorder(last_clock);
        let held = self.held(recorded);
        if let Some(aborted) = held.get(&PhaseName::Aborted)
            && aborted.iter().any(|point| point.value != 0.0)
        {
            self.aborted = true;
            let stopped = self.stopped_in().unwrap_or(PhaseName::Preflight);
            let detail = match stopped {
                PhaseName::Preflight => {
                    format!("it ended in `preflight`, before any load{}", self.down_at_end(recorded))
                }
                _ => format!("it was stopped in `{stopped}`"),
            };
            self.flaws.push(Shortfall::new(Lack::RunAborted, detail));
        }
        let begun = !self.phases.is_empty();
        let finished = begun && self.end.is_some() && !self.aborted;
        let missing = finished.then(|| missing(&self.phases, !self.experiments.is_empty())).flatten();
        self.flaws.extend(missing);
        self.flaws.extend(held.iter().filter(|_| begun).find_map(|(name, points)| {
            let phase = self.phases.iter().enumerate().find(|(_, phase)| phase.name == *name);
            apart(*name, phase.map(|(at, phase)| span(phase, at + 1 == self.phases.len())), points)
        }));
    }

    /// The components that were down at the last scrape before the run's end, as the end of a sentence; empty without any.
    fn down_at_end(&self, recorded: &Recorded) -> String {
        let end = self.end.unwrap_or(f64::INFINITY);
        let is_down = |name: &String| {
            let labels = [("component", name.as_str())];
            let up = Gauge::of(&self.processes, recorded, family::COMPONENT_UP, &labels);
            let last = up.ok().and_then(|up| up.points.iter().rfind(|point| point.clock <= end).copied());
            last.is_some_and(|point| point.value == 0.0)
        };
        let names = recorded.label_values(family::COMPONENT_UP, "component");
        let down: Vec<String> = names.into_iter().filter(is_down).collect();
        if down.is_empty() { String::new() } else { format!("; down: {}", down.join(", ")) }
    }

    /// What each phase's gauge was at every scrape: all of them are there from the start to the end. The first
    /// that is not tells enough; whether the run was stopped is read before.
    fn held(&mut self, recorded: &Recorded) -> BTreeMap<PhaseName, Vec<Point>> {
        let mut held = BTreeMap::new();
        for &name in PhaseName::ALL.iter().rev() {
            let gauge = Gauge::of(&self.processes, recorded, family::RUN_PHASE, &[("phase", name.word())]);
            match gauge.and_then(|gauge| gauge.last().map(|_| gauge)) {
                Ok(gauge) => {
                    held.insert(name, gauge.points);
                }
                Err(flaw) => {
                    self.flaws.push(flaw);
                    break;
                }
            }
        }
        held
    }

    /// Whether the phases follow each other as they must, within the run, and the run ended before it was last seen.
    fn find_disorder(&mut self, last_clock: f64) {
        let mut told = Vec::new();
        let names = self.phases.iter().map(|phase| phase.name).filter(|name| *name != PhaseName::Aborted);
        let names: Vec<_> = names.collect();
        if let Some((first, second)) =
            names.iter().zip(names.iter().skip(1)).find(|(first, second)| first > second)
        {
            told.push(format!("`{first}` began before `{second}`"));
        }
        if let (Some(end), Some(last)) = (self.end, self.phases.last())
            && end < last.start - SAME_TIME
        {
            told.push(format!("the run ended {:.0} s before `{}` began", last.start - end, last.name));
        }
        if let Some(first) = self.phases.first()
            && first.start < self.start - SAME_TIME
        {
            told.push(format!("`{}` began {:.0} s before the run", first.name, self.start - first.start));
        }
        if let Some(phase) = self.phase(PhaseName::Experiments) {
            told.extend(self.experiments.values().filter_map(|experiment| {
                outside(phase, experiment.injected?)
                    .map(|when| format!("{} was injected {when}", experiment.name))
            }));
        }
        if let Some(end) = self.end
            && end > last_clock + SAME_TIME
        {
            told.push(format!("the run ended {:.0} s after its last scrape", end - last_clock));
        }
        self.flaws.extend(told.into_iter().map(|detail| Shortfall::new(Lack::Disagreement, detail)));
    }
}

/// How an instant lies outside a phase, if it does.
fn outside(phase: &Phase, at: f64) -> Option<String> {
    let (early, late) = (phase.start - at, at - phase.end);
    let (seconds, side) = if early > late { (early, "before it began") } else { (late, "after it ended") };
    (seconds > SAME_TIME).then(|| format!("outside `{}`, {seconds:.0} s {side}", phase.name))
}

/// The phases that a finished run must have been through, but was not told to have begun.
fn missing(phases: &[Phase], experiments: bool) -> Option<Shortfall> {
    let due = DUE.into_iter().chain(experiments.then_some(PhaseName::Experiments));
    let absent = due.filter(|due| phases.iter().all(|phase| phase.name != *due));
    let absent: Vec<String> = absent.map(|name| format!("`{name}`")).collect();
    let family = family::RUN_PHASE_START_TIMESTAMP_SECONDS;
    let detail = format!("the run finished, but {family} does not tell when {} began", absent.join(", "));
    (!absent.is_empty()).then(|| Shortfall::new(Lack::FamilyAbsent, detail))
}

/// From when to when a phase lasted; the last one goes on.
fn span(phase: &Phase, last: bool) -> (f64, f64) {
    (phase.start, if last { f64::INFINITY } else { phase.end })
}

/// Whether a phase was seen outside the time that it lasted by its beginnings, or not seen inside.
fn apart(name: PhaseName, lasted: Option<(f64, f64)>, points: &[Point]) -> Option<Shortfall> {
    let (start, end) = lasted.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
    let told = |point: &Point| {
        let (seen, not) = (same(point.value, 1.0), point.value == 0.0);
        let outside = point.clock < start - SAME_TIME || point.clock > end + SAME_TIME;
        let inside = point.clock > start + SAME_TIME && point.clock < end - SAME_TIME;
        let when = point.at;
        match lasted {
            _ if !seen && !not => Some(format!("the run is {} times in `{name}` at {when}", point.value)),
            None if seen => {
                Some(format!("the run was in `{name}` at {when}, but no beginning of it is told"))
            }
            _ if seen && outside => {
                Some(format!("the run was in `{name}` at {when}, outside the time that it is told to last"))
            }
            _ if not && inside => Some(format!(
                "the run was not in `{name}` at {when}, within the time that it is told to last"
            )),
            _ => None,
        }
    };
    points.iter().find_map(told).map(|detail| Shortfall::new(Lack::Disagreement, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Millis;

    fn phases(names: &[PhaseName]) -> Vec<Phase> {
        names.iter().map(|name| Phase { name: *name, start: 0.0, end: 1.0 }).collect()
    }

    #[test]
    fn a_finished_run_went_through_every_phase_that_is_due() {
        assert_eq!(missing(&phases(&DUE), false), None);
        assert_eq!(missing(&phases(&DUE), true).unwrap().lack, Lack::FamilyAbsent);
        for name in DUE {
            let others: Vec<PhaseName> = DUE.into_iter().filter(|other| *other != name).collect();
            let told = missing(&phases(&others), false).unwrap().detail;
            assert!(told.contains(name.word()), "{told}");
        }
    }

    #[test]
    fn an_instant_lies_in_a_phase_or_a_second_off_at_most() {
        let phase = Phase { name: PhaseName::Experiments, start: 10.0, end: 20.0 };
        let table = [
            (15.0, None),
            (9.5, None),
            (20.5, None),
            (7.0, Some("outside `experiments`, 3 s before it began")),
            (24.0, Some("outside `experiments`, 4 s after it ended")),
        ];
        for (at, told) in table {
            assert_eq!(outside(&phase, at).as_deref(), told, "{at}");
        }
    }

    #[test]
    fn a_phase_is_seen_where_it_lasted_and_nowhere_else() {
        let table = [
            (Some((10.0, 20.0)), 15.0, 1.0, true),
            (Some((10.0, 20.0)), 15.0, 0.0, false),
            (Some((10.0, 20.0)), 25.0, 1.0, false),
            (Some((10.0, 20.0)), 25.0, 0.0, true),
            // At its ends it may be either.
            (Some((10.0, 20.0)), 9.5, 1.0, true),
            (Some((10.0, 20.0)), 20.5, 1.0, true),
            (Some((10.0, 20.0)), 19.5, 0.0, true),
            (Some((10.0, f64::INFINITY)), 99.0, 1.0, true),
            (None, 15.0, 0.0, true),
            (None, 15.0, 1.0, false),
            (Some((10.0, 20.0)), 15.0, f64::NAN, false),
            (Some((10.0, 20.0)), 15.0, 2.0, false),
        ];
        for (lasted, clock, value, agrees) in table {
            let point = Point { at: Millis(0), clock, value };
            let told = apart(PhaseName::Steady, lasted, &[point]);
            assert_eq!(told.is_none(), agrees, "{lasted:?} {clock} {value}: {told:?}");
        }
    }
}
