//! Which alerts are about a run (pure). Rules that add up over processes leave their run's id at most, and those on other
//! people's series not even that.

use std::collections::{BTreeMap, BTreeSet};

use super::{Data, Fetched, Labels, Sample};

/// The selectors of alerts that may be about a run, each of those that fired and of those that were active: with the run's
/// id, whoever they are of; on the run's processes; and of Ordeal's own rules, without an id.
pub(crate) fn about(id: &str, pinned: &str) -> Vec<String> {
    let scopes =
        [format!("run={id:?}"), format!("{pinned},run=\"\""), "alertname=~\"Ordeal.*\",run=\"\"".to_owned()];
    let both = |scope: String| {
        [format!("ALERTS{{{scope},alertstate=\"firing\"}}"), format!("ALERTS_FOR_STATE{{{scope}}}")]
    };
    scopes.into_iter().flat_map(both).collect()
}

/// All of these answers as one, each series once, without alerts on processes of other runs only; the first answer that
/// cannot be relied on where there is one. `others` tells of the runs that were going on, and `ours` which jobs and
/// instances are the run's own.
pub(crate) fn of_run(
    answers: impl IntoIterator<Item = Fetched>,
    others: Fetched,
    ours: &BTreeSet<(&str, &str)>,
) -> Fetched {
    if others.series().is_err() {
        return others;
    }
    let others = others.series().unwrap_or_default();
    let strangers: BTreeSet<(&str, &str)> = others.iter().map(|(labels, _)| place(labels)).collect();
    let stranger = |labels: &Labels| !ours.contains(&place(labels)) && strangers.contains(&place(labels));
    let mut queries = Vec::new();
    let mut all: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
    for answer in answers {
        if answer.series().is_err() {
            return answer;
        }
        let series = answer.series().unwrap_or_default().iter();
        all.extend(series.filter(|(labels, _)| !stranger(labels)).cloned());
        queries.push(answer.query);
    }
    Fetched {
        query: queries.join("`, `"),
        outcome: Ok(Data::Series(all.into_iter().collect())),
        warnings: Vec::new(),
        infos: Vec::new(),
    }
}

/// Of which job and instance a series is.
fn place(labels: &Labels) -> (&str, &str) {
    let label = |name: &str| labels.get(name).map_or("", String::as_str);
    (label("job"), label("instance"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Millis;

    fn series(labels: &[(&str, &str)]) -> (Labels, Vec<Sample>) {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        (labels.collect(), vec![Sample { at: Millis(1), value: 1.0 }])
    }

    fn fetched(series: Vec<(Labels, Vec<Sample>)>) -> Fetched {
        Fetched {
            query: "q".to_owned(),
            outcome: Ok(Data::Series(series)),
            warnings: Vec::new(),
            infos: Vec::new(),
        }
    }

    #[test]
    fn alerts_are_asked_for_by_the_runs_id_its_processes_and_the_names_of_ordeals_rules() {
        let due = [
            r#"ALERTS{run="r1",alertstate="firing"}"#,
            r#"ALERTS_FOR_STATE{run="r1"}"#,
            r#"ALERTS{job="j",instance="i",run="",alertstate="firing"}"#,
            r#"ALERTS_FOR_STATE{job="j",instance="i",run=""}"#,
            r#"ALERTS{alertname=~"Ordeal.*",run="",alertstate="firing"}"#,
            r#"ALERTS_FOR_STATE{alertname=~"Ordeal.*",run=""}"#,
        ];
        assert_eq!(about("r1", r#"job="j",instance="i""#), due);
    }

    #[test]
    fn alerts_on_processes_of_other_runs_are_left_out() {
        let of = |alert, job, instance| series(&[("alertname", alert), ("job", job), ("instance", instance)]);
        let gone = [of("Gone", "j", "a"), of("Gone", "j", "b"), of("Gone", "j", "c")];
        let archive = of("Stuck", "pg", "p1");
        let answers = [
            fetched(vec![gone[0].clone()]),
            fetched(vec![archive.clone(), gone[0].clone(), gone[1].clone(), gone[2].clone()]),
        ];
        // The exporter at c had a run before this one, too.
        let others = fetched(vec![of("", "j", "b"), of("", "j", "c")]);
        let ours = BTreeSet::from([("j", "a"), ("j", "c")]);
        let told = of_run(answers, others, &ours);
        let Ok(Data::Series(told)) = told.outcome else { panic!() };
        let due: BTreeMap<_, _> = [gone[0].clone(), gone[2].clone(), archive].into();
        assert_eq!(told.into_iter().collect::<BTreeMap<_, _>>(), due);
    }

    #[test]
    fn one_answer_that_is_none_leaves_all_of_them_untold() {
        let (sound, ours) = (|| fetched(Vec::new()), BTreeSet::new());
        let refused = || Fetched { outcome: Err("no".to_owned()), ..sound() };
        let partial = || Fetched { warnings: vec!["partial".to_owned()], ..sound() };
        assert!(of_run([sound(), sound()], sound(), &ours).series().is_ok());
        for unsound in [refused(), partial()] {
            assert!(of_run([sound(), unsound.clone()], sound(), &ours).series().is_err());
            assert!(of_run([sound()], unsound, &ours).series().is_err());
        }
    }
}
