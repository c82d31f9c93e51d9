//! Reads a run's phases and experiments from its recorded families, and finds what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Experiment, Found, Phase, Process, Run, Scrape};
use crate::evidence::{Edge, Fetched, Gauge, Lack, Recorded, Shortfall, same};
use crate::source::Server;

/// Clocks further apart than this cannot be set side by side.
const SKEW_LIMIT: f64 = 5.0;
/// Two readings of a process's start further apart than this are two processes.
const SAME_START: f64 = 0.5;

/// The families of an experiment that every run is read from.
const EXPERIMENT_FAMILIES: [&str; 4] = [
    "ordeal_experiment_info",
    "ordeal_experiment_state",
    "ordeal_experiment_injected_timestamp_seconds",
    "ordeal_experiment_reverted_timestamp_seconds",
];

/// The states after which nothing more happens to an experiment.
const LAST_STATES: [&str; 5] = ["recovered", "not_recovered", "ineffective", "refused", "skipped"];
const STATES: [&str; 8] =
    ["planned", "injected", "recovering", "recovered", "not_recovered", "ineffective", "refused", "skipped"];

impl Found {
    /// The run's processes with their scrapes, from the fetched clocks; and what is wrong with them.
    pub(crate) fn processes(
        &self,
        fetched: &BTreeMap<&'static str, Fetched>,
    ) -> (Vec<Process>, Vec<Shortfall>) {
        let mut flaws = Vec::new();
        if !self.rivals.is_empty() {
            let detail = format!("{} also conducts run {}", self.rivals.join("; "), self.id);
            flaws.push(Shortfall::new(Lack::TwoConductors, detail));
        }
        let processes = self.members.iter().map(|member| {
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
            let carries =
                ["ordeal_requests_total", "ordeal_user_seconds_total", "ordeal_response_time_seconds_bucket"];
            process.loads |= carries.iter().any(|name| exposes(&process, fetched, name));
            process
        });
        (processes.collect(), flaws)
    }
}

fn clock_of(process: &Process, fetched: &BTreeMap<&'static str, Fetched>) -> Result<Vec<Scrape>, Shortfall> {
    let name = "ordeal_time_seconds";
    let absent = || Shortfall::new(Lack::FamilyAbsent, format!("no series {name} of {process}"));
    let series = fetched.get(name).ok_or_else(absent)?.series()?;
    let mut own = series.iter().filter(|(labels, _)| process.owns(labels));
    let (_, samples) = own.next().ok_or_else(absent)?;
    if own.next().is_some() {
        return Err(Shortfall::new(Lack::DuplicateSeries, format!("several series {name} of {process}")));
    }
    if samples.iter().any(|sample| !sample.value.is_finite()) {
        return Err(Shortfall::new(Lack::NotFinite, format!("a sample of {name} of {process}")));
    }
    Ok(samples.iter().map(|sample| Scrape { at: sample.at, clock: sample.value }).collect())
}

fn exposes(process: &Process, fetched: &BTreeMap<&'static str, Fetched>, name: &str) -> bool {
    let series = fetched.get(name).and_then(|answer| answer.series().ok());
    series.is_some_and(|series| series.iter().any(|(labels, _)| process.owns(labels)))
}

impl Run {
    /// Reads the run. `server` says whether Prometheus itself restarted meanwhile.
    pub(crate) fn read(
        found: &Found,
        processes: Vec<Process>,
        flaws: Vec<Shortfall>,
        recorded: &Recorded,
        server: &Server,
    ) -> Self {
        let mut run = Self {
            id: found.id.clone(),
            trial: found.trial.clone(),
            start: 0.0,
            end: None,
            phases: Vec::new(),
            processes,
            experiments: BTreeMap::new(),
            aborted: false,
            flaws,
        };
        if run.is_dark() {
            if run.flaws.is_empty() {
                run.flaws.push(Shortfall::new(Lack::NoSamples, "a process of the run has no scrape"));
            }
            return run;
        }
        run.read_span(recorded);
        run.read_phases(recorded);
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
        run.find_late_start(server);
        run.find_early_ends();
        run.find_skew();
        run
    }

    /// Start and end; and whether the end was seen. Without a start the first scrape stands for it, so that
    /// nobody asks for all time since 1970.
    fn read_span(&mut self, recorded: &Recorded) {
        self.start = self.processes[0].scrapes.first().map_or(0.0, |scrape| scrape.clock);
        match self.time(recorded, "ordeal_run_start_timestamp_seconds", &[]) {
            Ok(Some(start)) => self.start = start,
            Ok(None) => {
                self.flaws.push(Shortfall::new(
                    Lack::FamilyAbsent,
                    "ordeal_run_start_timestamp_seconds is not set",
                ));
            }
            Err(flaw) => self.flaws.push(flaw),
        }
        match self.time(recorded, "ordeal_run_end_timestamp_seconds", &[]) {
            Ok(end) => self.end = end,
            Err(flaw) if flaw.lack == Lack::FamilyAbsent => {}
            Err(flaw) => self.flaws.push(flaw),
        }
        if self.end.is_none() {
            let last = self.processes[0].scrapes.last().map_or(0.0, |scrape| scrape.clock - self.start);
            let detail = format!("no end is recorded; the last scrape was {last:.0} s after the start");
            self.flaws.push(Shortfall::new(Lack::RunUnfinished, detail));
        }
    }

    fn read_phases(&mut self, recorded: &Recorded) {
        let family = "ordeal_run_phase_start_timestamp_seconds";
        let mut begun: Vec<(f64, String)> = Vec::new();
        for name in recorded.label_values(family, "phase") {
            match self.time(recorded, family, &[("phase", &name)]) {
                Ok(start) => begun.extend(start.map(|start| (start, name))),
                Err(flaw) => self.flaws.push(flaw),
            }
        }
        if begun.is_empty() {
            self.flaws.push(Shortfall::new(Lack::FamilyAbsent, format!("no phase has a {family}")));
        }
        begun.sort_by(|a, b| a.0.total_cmp(&b.0));
        let last_clock = self.processes[0].scrapes.last().map_or(self.start, |scrape| scrape.clock);
        let ends: Vec<f64> =
            begun.iter().skip(1).map(|(start, _)| *start).chain([self.end.unwrap_or(last_clock)]).collect();
        self.phases =
            begun.into_iter().zip(ends).map(|((start, name), end)| Phase { name, start, end }).collect();
        let aborted = Gauge::of(self, recorded, "ordeal_run_phase", &[("phase", "aborted")]);
        match aborted.and_then(|gauge| gauge.last()) {
            Ok(point) if point.value == 0.0 => {}
            Ok(_) => {
                self.aborted = true;
                let stopped = self.stopped_in().unwrap_or_default();
                let detail = format!("it was stopped in `{stopped}`");
                self.flaws.push(Shortfall::new(Lack::RunAborted, detail));
            }
            Err(flaw) => self.flaws.push(flaw),
        }
    }

    fn read_experiment(&self, recorded: &Recorded, name: &str) -> Experiment {
        let moment = |family| self.time(recorded, family, &[("experiment", name)]).ok().flatten();
        let mut experiment = Experiment {
            name: name.to_owned(),
            injected: moment("ordeal_experiment_injected_timestamp_seconds"),
            reverted: moment("ordeal_experiment_reverted_timestamp_seconds"),
            ..Experiment::default()
        };
        for state in STATES {
            let gauge = Gauge::of(
                self,
                recorded,
                "ordeal_experiment_state",
                &[("experiment", name), ("state", state)],
            );
            let Ok(gauge) = gauge else { continue };
            let holds = gauge.last().is_ok_and(|point| same(point.value, 1.0));
            let reached = gauge.lasting(f64::INFINITY, |value| same(value, 1.0)).filter(|_| holds);
            if let Some(reached) = reached {
                state.clone_into(&mut experiment.state);
                let earliest = reached.before.map_or(self.start, |point| point.clock);
                let edge = Edge { earliest, latest: reached.after.clock };
                experiment.ended = LAST_STATES.contains(&state).then_some(edge);
            }
        }
        if let Ok(series) = recorded.matching("ordeal_experiment_info", &[("experiment", name)]) {
            experiment.fault = series[0].labels.get("fault").cloned().unwrap_or_default();
        }
        experiment
    }

    /// A timestamp that is absent or zero until it happened.
    fn time(
        &self,
        recorded: &Recorded,
        family: &'static str,
        matching: &[(&str, &str)],
    ) -> Result<Option<f64>, Shortfall> {
        match Gauge::of(self, recorded, family, matching).and_then(|gauge| gauge.last()) {
            Ok(point) => Ok(Some(point.value).filter(|value| *value > 0.0 && value.is_finite())),
            Err(flaw) => Err(flaw),
        }
    }

    fn find_restarts(&mut self, recorded: &Recorded) {
        let family = "process_start_time_seconds";
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
            if let Some(other) = starts.find(|value| (value.1 - first.1).abs() > SAME_START) {
                let detail = format!("{process} began at {:.3} and again at {:.3}", first.1, other.1);
                self.flaws.push(Shortfall::new(Lack::ProcessRestarted, detail));
            }
        }
    }

    /// Whether the record begins with the run: its first scrape is due before the load.
    fn find_late_start(&mut self, server: &Server) {
        let Some(first) = self.processes[0].scrapes.first() else { return };
        let due =
            self.phase("ramp").map_or(self.start, |ramp| ramp.start) + 2.0 * self.scrape_interval() + 1.0;
        if first.clock <= due {
            return;
        }
        let late = first.clock - self.start;
        let flaw = match server.started {
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
        for at in 1..self.processes.len() {
            let process = &self.processes[at];
            let Some(last) = process.scrapes.last() else { continue };
            let missing = end + self.shift(at).0 - last.clock;
            if missing > 0.0 {
                let detail = format!("{process} was last scraped {missing:.0} s before the run's end");
                self.flaws.push(Shortfall::new(Lack::Gap, detail));
            }
        }
    }

    /// Whether the clocks can be set side by side at all.
    fn find_skew(&mut self) {
        let skew = self.largest_skew();
        if skew > SKEW_LIMIT {
            self.flaws.push(Shortfall::new(Lack::ClockSkew, format!("the clocks differ by {skew:.1} s")));
        }
        for process in &self.processes {
            let back = process.scrapes.windows(2).find(|pair| pair[1].clock <= pair[0].clock);
            if let Some(pair) = back {
                let detail = format!("the clock of {process} went back at {}", pair[1].at);
                self.flaws.push(Shortfall::new(Lack::ClockSkew, detail));
            }
        }
    }
}
