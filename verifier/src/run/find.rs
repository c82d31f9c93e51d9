//! Finds a run and its processes among the samples of `ordeal_run_info`. Pure.

use std::collections::BTreeMap;

use crate::evidence::{Labels, Lack, Millis, Sample, Shortfall};

/// Runs that are named where the wanted one is not there.
const SHOWN: usize = 5;

/// A run that was found, before its families are fetched.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) trial: String,
    pub(crate) conductor: Member,
    /// The load processes, and rivals.
    pub(crate) others: Vec<Member>,
    /// Other processes that claim to conduct the same run.
    pub(crate) rivals: Vec<String>,
}

/// A process that carries the run's id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) job: String,
    pub(crate) instance: String,
    pub(crate) conducts: bool,
    pub(crate) first: Millis,
    pub(crate) last: Millis,
}

impl Found {
    /// The first and last sample of any of the run's processes.
    pub(crate) fn span(&self) -> (Millis, Millis) {
        let start = (self.conductor.first, self.conductor.last);
        self.others
            .iter()
            .fold(start, |(first, last), member| (first.min(member.first), last.max(member.last)))
    }

    /// All of its processes, the conductor first.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        std::iter::once(&self.conductor).chain(&self.others)
    }
}

/// The run of that id, or the newest one.
pub(crate) fn find(series: &[(Labels, Vec<Sample>)], wanted: Option<&str>) -> Result<Found, Shortfall> {
    let mut runs: BTreeMap<&str, Vec<(Member, &str)>> = BTreeMap::new();
    for (labels, samples) in series {
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else { continue };
        let label = |name: &str| labels.get(name).map_or("", String::as_str);
        let member = Member {
            job: label("job").to_owned(),
            instance: label("instance").to_owned(),
            conducts: label("role") == "conductor",
            first: first.at,
            last: last.at,
        };
        runs.entry(label("run")).or_default().push((member, label("trial")));
    }
    let mut begun = runs.iter().filter_map(|(id, members)| Some((*id, conductor(members)?, members)));
    let chosen = match wanted {
        Some(wanted) => begun.find(|(id, ..)| *id == wanted),
        None => begun.max_by_key(|(_, (conductor, _), _)| conductor.first),
    };
    let Some((id, (conductor, trial), members)) = chosen else {
        let mut seen: Vec<&str> = runs.keys().copied().collect();
        seen.sort_by_key(|id| std::cmp::Reverse(runs[id].iter().map(|(member, _)| member.first).max()));
        return Err(not_found(wanted, &seen));
    };
    Ok(gather(id, trial, conductor, members.iter().map(|(member, _)| member)))
}

/// The process that conducted first.
fn conductor<'a>(members: &'a [(Member, &'a str)]) -> Option<(&'a Member, &'a str)> {
    let conducting = members.iter().filter(|(member, _)| member.conducts);
    conducting.min_by_key(|(member, _)| member.first).map(|(member, trial)| (member, *trial))
}

fn gather<'a>(id: &str, trial: &str, conductor: &Member, members: impl Iterator<Item = &'a Member>) -> Found {
    let mut found = Found {
        id: id.to_owned(),
        trial: trial.to_owned(),
        conductor: conductor.clone(),
        others: Vec::new(),
        rivals: Vec::new(),
    };
    let mut ordered: Vec<&Member> = members.collect();
    ordered.sort_by_key(|member| (!member.conducts, member.first));
    for member in ordered {
        let same = |other: &&mut Member| other.job == member.job && other.instance == member.instance;
        let mut known = std::iter::once(&mut found.conductor).chain(&mut found.others);
        if let Some(known) = known.find(same) {
            known.first = known.first.min(member.first);
            known.last = known.last.max(member.last);
        } else {
            if member.conducts {
                found.rivals.push(format!("job {:?}, instance {:?}", member.job, member.instance));
            }
            found.others.push(member.clone());
        }
    }
    found
}

/// `runs`: those that are there, the newest first.
fn not_found(wanted: Option<&str>, runs: &[&str]) -> Shortfall {
    let what = wanted.map_or_else(|| "no run".to_owned(), |id| format!("no run {id:?}"));
    let tail = match runs {
        [] => "; no runs at all".to_owned(),
        runs => {
            let shown = runs.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
            match runs.len().saturating_sub(SHOWN) {
                0 => format!("; seen: {shown}"),
                more => format!("; seen, the newest first: {shown} and {more} more"),
            }
        }
    };
    Shortfall::new(Lack::RunNotFound, format!("{what}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(run: &str, role: &str, instance: &str, first: i64, last: i64) -> (Labels, Vec<Sample>) {
        let pairs = [("run", run), ("role", role), ("instance", instance), ("job", "j"), ("trial", "t")];
        let labels = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let sample = |at: i64| Sample { at: Millis(at), value: 1.0 };
        (labels, vec![sample(first), sample(last)])
    }

    #[test]
    fn where_a_run_is_not_there_the_newest_others_are_named() {
        let told = |count: i64| {
            let name = |run: i64| format!("r{}", (run * 5) % 7);
            let runs: Vec<_> = (0..count).map(|run| info(&name(run), "conductor", "a:1", run, 90)).collect();
            find(&runs, Some("mine")).expect_err("it is not there").detail
        };
        assert_eq!(told(0), "no run \"mine\"; no runs at all");
        assert_eq!(told(2), "no run \"mine\"; seen: r5, r0");
        assert_eq!(told(7), "no run \"mine\"; seen, the newest first: r2, r4, r6, r1, r3 and 2 more");
    }

    #[test]
    fn the_newest_start_wins_even_where_an_older_run_lasted_longer() {
        let series = [info("old", "conductor", "a", 0, 900), info("new", "conductor", "b", 500, 600)];
        assert_eq!(find(&series, None).unwrap().id, "new");
        assert_eq!(find(&series, Some("old")).unwrap().id, "old");
        let missing = find(&series, Some("other")).unwrap_err();
        assert_eq!(missing.lack, Lack::RunNotFound);
        assert!(missing.detail.contains("new, old"));
    }

    #[test]
    fn load_processes_follow_the_conductor_and_a_run_without_one_is_none() {
        let series =
            [info("r", "load", "a", 0, 9), info("r", "conductor", "b", 1, 9), info("s", "load", "c", 5, 9)];
        let found = find(&series, None).unwrap();
        let order: Vec<_> = found.members().map(|member| member.instance.as_str()).collect();
        assert_eq!((found.id.as_str(), order), ("r", vec!["b", "a"]));
        assert_eq!(found.span(), (Millis(0), Millis(9)));
        assert!(found.rivals.is_empty());
        assert!(find(&series, Some("s")).is_err());
    }

    #[test]
    fn a_second_conductor_is_a_rival() {
        let series = [info("r", "conductor", "a", 0, 9), info("r", "conductor", "b", 1, 9)];
        assert_eq!(find(&series, None).unwrap().rivals.len(), 1);
    }
}
