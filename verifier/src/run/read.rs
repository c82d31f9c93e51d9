//! Reads a run from its recorded families, and finds what is wrong with it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::find::Member;
use super::{Experiment, Found, Run};
use crate::evidence::{
    Edge, Fetched, Gauge, Lack, Millis, PhaseName, Point, Process, Processes, Recorded, Scrape, Shortfall,
    State, family, same,
};

/// Clocks further apart than this cannot be set side by side.
const SKEW_LIMIT: f64 = 5.0;
/// Two readings of a process's start further apart than this are two processes.
const SAME_START: f64 = 0.5;

/// The families of an experiment that every run is read from.
const EXPERIMENT_FAMILIES: [&str; 4] = [
    family::EXPERIMENT_INFO,
    family::EXPERIMENT_STATE,
    family::EXPERIMENT_INJECTED_TIMESTAMP_SECONDS,
    family::EXPERIMENT_REVERTED_TIMESTAMP_SECONDS,
];

impl Found {
    /// The run's processes with their scrapes, from the fetched clocks; and what is wrong with them.
    pub(crate) fn processes(&self, fetched: &BTreeMap<&'static str, Fetched>) -> (Processes, Vec<Shortfall>) {
        let mut flaws = Vec::new();
        if !self.rivals.is_empty() {
            let detail = format!("{} also conducts run {}", self.rivals.join("; "), self.id);
            flaws.push(Shortfall::new(Lack::TwoConductors, detail));
        }
        let conductor = process(&self.conductor, fetched, &mut flaws);
        let others: Vec<_> = self.others.iter().map(|member| process(member, fetched, &mut flaws)).collect();
        (Processes::new(conductor, others), flaws)
    }
}

fn process(
    member: &Member,
    fetched: &BTreeMap<&'static str, Fetched>,
    flaws: &mut Vec<Shortfall>,
) -> Process {
    let mut process = Process {
        job: member.job.clone(),
        instance: member.instance.clone(),
        loads: !member.conducts,
        scrapes: Vec::new(),
    };
    match clock_of(&process, fetched) {
        Ok(scrapes) => {
            let of_run = |scrape: &Scrape| (member.first..=member.last).contains(&scrape.at);
            process.scrapes = scrapes.into_iter().filter(of_run).collect();
        }
        Err(flaw) => flaws.push(flaw),
    }
    let carries = [family::REQUESTS_TOTAL, family::USER_SECONDS_TOTAL, family::RESPONSE_TIME_SECONDS_BUCKET];
    process.loads |= carries.iter().any(|name| exposes(&process, fetched, name));
    process
}

fn clock_of(process: &Process, fetched: &BTreeMap<&'static str, Fetched>) -> Result<Vec<Scrape>, Shortfall> {
    let name = family::TIME_SECONDS;
    let absent = || Shortfall::new(Lack::FamilyAbsent, format!("no series {name} of {process}"));
    let series = fetched.get(name).ok_or_else(absent)?.series()?;
    let mut own = series.iter().filter(|(labels, _)| process.owns(labels));
    let (_, samples) = own.next().ok_or_else(absent)?;
    if own.next().is_some() {
        return Err(Shortfall::new(Lack::DuplicateSeries, format!("several series {name} of {process}")));
    }
    if let Some(sample) = samples.iter().find(|sample| !Millis::can_be(sample.value)) {
        let detail = format!("{name} of {process} is {:e} at {}, which is no time", sample.value, sample.at);
        return Err(Shortfall::new(Lack::NotFinite, detail));
    }
    Ok(samples.iter().map(|sample| Scrape { at: sample.at, clock: sample.value }).collect())
}

fn exposes(process: &Process, fetched: &BTreeMap<&'static str, Fetched>, name: &str) -> bool {
    let series = fetched.get(name).and_then(|answer| answer.series().ok());
    series.is_some_and(|series| series.iter().any(|(labels, _)| process.owns(labels)))
}

impl Run {
    /// Reads the run. `prometheus_started` says whether Prometheus itself restarted meanwhile.
    pub(crate) fn read(
        found: &Found,
        processes: Processes,
        flaws: Vec<Shortfall>,
        recorded: &Recorded,
        prometheus_started: Option<Millis>,
    ) -> Self {
        let mut run = Self {
            id: found.id.clone(),
            trial: found.trial.clone(),
            seen: found.span(),
            start: 0.0,
            end: None,
            phases: Vec::new(),
            processes,
            experiments: BTreeMap::new(),
            aborted: false,
            flaws,
        };
        if run.processes.is_dark() {
            if run.flaws.is_empty() {
                run.flaws.push(Shortfall::new(Lack::NoSamples, "a process of the run has no scrape"));
            }
            return run;
        }
        run.read_span(recorded);
        // Any family that names an experiment shows that there was one: whoever drops one of them must not
        // make the others' evidence go away.
        let names: BTreeSet<String> = EXPERIMENT_FAMILIES
            .iter()
            .flat_map(|family| recorded.label_values(family, "experiment"))
            .collect();
        for name in names {
            let experiment = run.read_experiment(recorded, &name);
            run.experiments.insert(name, experiment);
        }
        run.find_restarts(recorded);
        run.find_skew();
        // After these: what follows from a restart or a clock that is off is told after it.
        run.read_phases(recorded);
        run.find_late_start(prometheus_started);
        run.find_early_ends();
        run
    }

    /// Start and end; and whether the end was seen. Without a start the first scrape stands for it, so that
    /// nobody asks for all time since 1970.
    fn read_span(&mut self, recorded: &Recorded) {
        self.start = self.processes.conductor().scrapes.first().map_or(0.0, |scrape| scrape.clock);
        match self.time(recorded, family::RUN_START_TIMESTAMP_SECONDS, &[]) {
            Ok(Some(start)) => self.start = start,
            Ok(None) => {
                self.flaws.push(Shortfall::new(
                    Lack::FamilyAbsent,
                    "ordeal_run_start_timestamp_seconds is not set",
                ));
            }
            Err(flaw) => self.flaws.push(flaw),
        }
        match self.time(recorded, family::RUN_END_TIMESTAMP_SECONDS, &[]) {
            Ok(Some(end)) => self.end = Some(end),
            // There may be an end, but it is not known.
            Err(flaw) if flaw.lack != Lack::FamilyAbsent => self.flaws.push(flaw),
            Ok(None) | Err(_) => {
                let last =
                    self.processes.conductor().scrapes.last().map_or(0.0, |scrape| scrape.clock - self.start);
                let detail = format!("no end is recorded; the last scrape was {last:.0} s after the start");
                self.flaws.push(Shortfall::new(Lack::RunUnfinished, detail));
            }
        }
    }

    fn read_experiment(&self, recorded: &Recorded, name: &str) -> Experiment {
        let mut flaws = Vec::new();
        let mut moment = |family| match self.time(recorded, family, &[("experiment", name)]) {
            Ok(time) => time,
            Err(flaw) => {
                flaws.extend((flaw.lack != Lack::FamilyAbsent).then_some(flaw));
                None
            }
        };
        let mut experiment = Experiment {
            name: name.to_owned(),
            injected: moment(family::EXPERIMENT_INJECTED_TIMESTAMP_SECONDS),
            reverted: moment(family::EXPERIMENT_REVERTED_TIMESTAMP_SECONDS),
            ..Experiment::default()
        };
        experiment.flaw = flaws.into_iter().next();
        for &state in State::ALL {
            let labels = [("experiment", name), ("state", state.word())];
            let gauge = Gauge::of(&self.processes, recorded, family::EXPERIMENT_STATE, &labels);
            let Ok(gauge) = gauge else { continue };
            let last = gauge.last();
            if let Err(flaw) = &last {
                experiment.flaw.get_or_insert_with(|| flaw.clone());
            }
            let holds = last.is_ok_and(|point| same(point.value, 1.0));
            if let (true, Some(other)) = (holds, experiment.state) {
                let detail = format!("{name} is `{other}` and `{state}` at once");
                experiment.flaw.get_or_insert(Shortfall::new(Lack::Disagreement, detail));
            }
            if let Some((then, later)) = state.is_last().then(|| lapsed(&gauge.points)).flatten() {
                let detail = format!("{name} was `{state}` at {} and was not at {}", then.at, later.at);
                experiment.flaw.get_or_insert(Shortfall::new(Lack::Disagreement, detail));
            }
            let reached = gauge.lasting(f64::INFINITY, |value| same(value, 1.0)).filter(|_| holds);
            if let Some(reached) = reached {
                experiment.state = Some(state);
                let earliest = reached.before.map_or(self.start, |point| point.clock);
                let edge = Edge { earliest, latest: reached.after.clock };
                experiment.ended = state.is_last().then_some(edge);
            }
        }
        if let Ok(series) = recorded.matching(family::EXPERIMENT_INFO, &[("experiment", name)]) {
            experiment.fault = series[0].labels.get("fault").cloned().unwrap_or_default();
        }
        experiment
    }

    /// A timestamp that is absent or zero until it happened, and does not change from then on.
    pub(super) fn time(
        &self,
        recorded: &Recorded,
        family: &'static str,
        matching: &[(&str, &str)],
    ) -> Result<Option<f64>, Shortfall> {
        let gauge = Gauge::of(&self.processes, recorded, family, matching)?;
        let last = gauge.last()?.value;
        match moved(&gauge.points, last) {
            Some(other) => {
                let detail = format!(
                    "{} was {:.3} at {}, and {last:.3} in the end",
                    gauge.name, other.value, other.at
                );
                Err(Shortfall::new(Lack::Disagreement, detail))
            }
            None if Millis::can_be(last) => Ok(Some(last).filter(|value| *value > 0.0)),
            None => {
                let detail = format!("{} is {last:e}, which is no time", gauge.name);
                Err(Shortfall::new(Lack::NotFinite, detail))
            }
        }
    }

    fn find_restarts(&mut self, recorded: &Recorded) {
        let family = family::PROCESS_START_TIME_SECONDS;
        let series = match recorded.matching(family, &[]) {
            Ok(series) => series,
            Err(flaw) => return self.flaws.push(flaw),
        };
        for (at, process) in self.processes.iter().enumerate() {
            let mut starts =
                series.iter().filter(|laid| laid.process == at).flat_map(|laid| laid.values.iter());
            let Some(first) = starts.next() else {
                self.flaws
                    .push(Shortfall::new(Lack::FamilyAbsent, format!("no series {family} of {process}")));
                continue;
            };
            let missing = series.iter().filter(|laid| laid.process == at).any(|laid| {
                let ends = (laid.values.first().map(|it| it.0), laid.values.last().map(|it| it.0));
                ends != (Some(0), process.scrapes.len().checked_sub(1))
            });
            if missing {
                let detail = format!("{family} of {process} is missing in its first or last scrapes");
                self.flaws.push(Shortfall::new(Lack::Gap, detail));
            }
            if let Some(other) = starts.find(|value| (value.1 - first.1).abs() > SAME_START) {
                let detail = format!("{process} began at {:.3} and again at {:.3}", first.1, other.1);
                self.flaws.push(Shortfall::new(Lack::ProcessRestarted, detail));
            }
        }
    }

    /// Whether the record begins with the run: its first scrape is due before the load.
    fn find_late_start(&mut self, prometheus_started: Option<Millis>) {
        let Some(first) = self.processes.conductor().scrapes.first() else { return };
        let due = self.phase(PhaseName::Ramp).map_or(self.start, |ramp| ramp.start)
            + 2.0 * self.processes.scrape_interval()
            + 1.0;
        if first.clock <= due {
            return;
        }
        let late = first.clock - self.start;
        let flaw = match prometheus_started {
            Some(started) if started <= first.at && started.seconds() > self.start => Shortfall::new(
                Lack::PrometheusRestarted,
                format!("it started at {started}; its first sample is {late:.0} s after the run's start"),
            ),
            _ => Shortfall::new(
                Lack::Gap,
                format!("the first sample found is {late:.0} s after the run's start (see --since)"),
            ),
        };
        self.flaws.push(flaw);
    }

    /// Whether every load process was scraped once more when the run had ended: what it counted after its last
    /// scrape is not known. That the conductor was is shown by the run's end, which only such a scrape tells.
    fn find_early_ends(&mut self) {
        let Some(end) = self.end else { return };
        for (at, process) in self.processes.iter().enumerate().skip(1) {
            let Some(last) = process.scrapes.last() else { continue };
            let missing = end + self.processes.shift(at).0 - last.clock;
            if missing > 0.0 {
                let detail = format!("{process} was last scraped {missing:.0} s before the run's end");
                self.flaws.push(Shortfall::new(Lack::Gap, detail));
            }
        }
    }

    /// Whether the clocks can be set side by side at all.
    fn find_skew(&mut self) {
        let skew = self.processes.largest_skew();
        if skew > SKEW_LIMIT {
            self.flaws.push(Shortfall::new(Lack::ClockSkew, format!("the clocks differ by {skew:.1} s")));
        }
        for process in self.processes.iter() {
            let back = process.scrapes.windows(2).find(|pair| pair[1].clock <= pair[0].clock);
            if let Some(pair) = back {
                let detail = format!("the clock of {process} went back at {}", pair[1].at);
                self.flaws.push(Shortfall::new(Lack::ClockSkew, detail));
            }
        }
    }
}

/// The first sample of a timestamp that was set, to another time than the last one.
fn moved(points: &[Point], last: f64) -> Option<&Point> {
    points.iter().find(|point| point.value != 0.0 && !same(point.value, last))
}

/// The first sample in which a state held that never ends, and the first later one in which it did not.
fn lapsed(points: &[Point]) -> Option<(Point, Point)> {
    let holds = |point: &Point| same(point.value, 1.0);
    let first = points.iter().position(holds)?;
    let later = points[first..].iter().find(|point| !holds(point))?;
    Some((points[first], *later))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_state_does_not_lapse() {
        type Case<'a> = (&'a [f64], Option<(f64, f64)>);
        let table: [Case<'_>; 6] = [
            (&[], None),
            (&[0.0, 0.0], None),
            (&[0.0, 1.0, 1.0], None),
            (&[0.0, 1.0, 0.0, 1.0], Some((1.0, 2.0))),
            (&[1.0, 1.0, 1.0, 0.0], Some((0.0, 3.0))),
            (&[0.0, 1.0, f64::NAN, 1.0], Some((1.0, 2.0))),
        ];
        for (values, lapse) in table {
            let point = |(at, &value): (usize, &f64)| Point { at: Millis(0), clock: at as f64, value };
            let points: Vec<Point> = values.iter().enumerate().map(point).collect();
            let told = lapsed(&points).map(|(then, later)| (then.clock, later.clock));
            assert_eq!(told, lapse, "{values:?}");
        }
    }

    #[test]
    fn a_timestamp_is_set_once() {
        let table: [(&[f64], bool); 5] = [
            (&[0.0, 0.0, 7.0, 7.0], true),
            (&[0.0, 0.0], true),
            (&[7.0, 8.0], false),
            (&[7.0, 0.0], false),
            (&[7.0, f64::NAN, 7.0], false),
        ];
        for (values, stays) in table {
            let point = |value: &f64| Point { at: Millis(0), clock: 0.0, value: *value };
            let points: Vec<Point> = values.iter().map(point).collect();
            let told = moved(&points, values[values.len() - 1]);
            assert_eq!(told.is_none(), stays, "{values:?}: {told:?}");
        }
    }
}
