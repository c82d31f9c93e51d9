//! Fetched series, laid along the scrapes of their process. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Data, Family, Labels, Lack, Process, Processes, Sample, Shortfall};

/// What came back for one query.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    /// The query as sent.
    pub(crate) query: String,
    pub(crate) outcome: Result<Data, String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) infos: Vec<String>,
}

impl Fetched {
    /// The data, unless the query failed or came with a warning.
    pub(crate) fn sound(&self) -> Result<&Data, Shortfall> {
        if let Some(warning) = self.warnings.first() {
            return Err(Shortfall::new(Lack::Warning, format!("{warning} (query `{}`)", self.query)));
        }
        let failed = |message: &String| {
            Shortfall::new(Lack::QueryError, format!("{message} (query `{}`)", self.query))
        };
        self.outcome.as_ref().map_err(failed)
    }

    /// The series of a range selector.
    pub(crate) fn series(&self) -> Result<&[(Labels, Vec<Sample>)], Shortfall> {
        match self.sound()? {
            Data::Series(series) => Ok(series),
            _ => Err(Shortfall::new(Lack::QueryError, format!("`{}` did not return series", self.query))),
        }
    }
}

/// A series of one process.
#[derive(Debug, Clone)]
pub(crate) struct Laid {
    pub(crate) process: usize,
    pub(crate) labels: Labels,
    /// The number of the scrape and the value, in order.
    pub(crate) values: Vec<(usize, f64)>,
}

/// All families of the run's processes.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    families: BTreeMap<&'static str, Result<Vec<Laid>, Shortfall>>,
    infos: Vec<String>,
}

impl Recorded {
    /// Lays fetched families along the scrapes of the processes.
    pub(crate) fn lay(processes: &Processes, fetched: &BTreeMap<&'static str, Fetched>) -> Self {
        let families = fetched.iter().map(|(name, answer)| (*name, lay(processes, name, answer))).collect();
        let infos: BTreeSet<_> = fetched.values().flat_map(|answer| answer.infos.iter().cloned()).collect();
        Self { families, infos: infos.into_iter().collect() }
    }

    /// What Prometheus remarked, which changes no verdict.
    pub(crate) fn infos(&self) -> &[String] {
        &self.infos
    }

    /// All series of a family that match, at least one.
    pub(crate) fn matching(
        &self,
        family: &'static str,
        matching: &[(&str, &str)],
    ) -> Result<Vec<&Laid>, Shortfall> {
        let absent =
            || Shortfall::new(Lack::FamilyAbsent, format!("no series {}", selector(family, matching)));
        let laid = self.families.get(family).ok_or_else(absent)?.as_ref().map_err(Clone::clone)?;
        let fits = |series: &&Laid| {
            matching.iter().all(|(label, value)| series.labels.get(*label).is_some_and(|is| is == value))
        };
        let found: Vec<_> = laid.iter().filter(fits).collect();
        if found.is_empty() { Err(absent()) } else { Ok(found) }
    }

    /// The values that a label has in a family, in order; none where the family is not usable.
    pub(crate) fn label_values(&self, family: &'static str, label: &str) -> Vec<String> {
        let Some(Ok(laid)) = self.families.get(family) else { return Vec::new() };
        let values: BTreeSet<_> =
            laid.iter().filter_map(|series| series.labels.get(label).cloned()).collect();
        values.into_iter().collect()
    }
}

/// `name{label="value"}`.
pub(crate) fn selector(family: &str, matching: &[(&str, &str)]) -> String {
    if matching.is_empty() {
        return family.to_owned();
    }
    let labels: Vec<_> = matching.iter().map(|(label, value)| format!("{label}={value:?}")).collect();
    format!("{family}{{{}}}", labels.join(","))
}

fn lay(processes: &Processes, name: &'static str, answer: &Fetched) -> Result<Vec<Laid>, Shortfall> {
    let declared = Family::named(name).map_or(&[][..], |family| family.labels);
    let mut seen = BTreeSet::new();
    let mut laid = Vec::new();
    for (labels, samples) in answer.series()? {
        let Some(process) = processes.iter().position(|process| process.owns(labels)) else { continue };
        let values = along(processes.get(process), samples);
        if values.is_empty() {
            continue;
        }
        let key: Vec<_> =
            declared.iter().map(|label| labels.get(*label).cloned().unwrap_or_default()).collect();
        if !seen.insert((process, key)) {
            let detail = format!("several series {name} with the same labels {declared:?} from one process");
            return Err(Shortfall::new(Lack::DuplicateSeries, detail));
        }
        laid.push(Laid { process, labels: labels.clone(), values });
    }
    Ok(laid)
}

/// The samples that were taken in scrapes of this run, with the scrape's number.
fn along(process: &Process, samples: &[Sample]) -> Vec<(usize, f64)> {
    let mut scrape = 0;
    let mut values = Vec::with_capacity(samples.len());
    for sample in samples {
        while process.scrapes.get(scrape).is_some_and(|scrape| scrape.at < sample.at) {
            scrape += 1;
        }
        if process.scrapes.get(scrape).is_some_and(|scrape| scrape.at == sample.at) {
            values.push((scrape, sample.value));
        }
    }
    values
}
