//! Experiments that are not shown to have broken anything: what is promised of the whole run was not put to their test.
//! Pure.

use super::Evidence;
use super::experiment::{all_recorded, state};
use crate::evidence::{Lack, PhaseName, Shortfall};
use crate::run::Experiment;
use crate::slo::{During, Promise};
use crate::verdict::Verdict;

/// What keeps a run from proving this promise, of which its samples alone say `by_value`: such experiments, or that not
/// all of them are known. That a run was stopped, or has no end, is told of it already.
pub(super) fn missing(promise: &Promise, evidence: &Evidence, by_value: Verdict) -> Vec<Shortfall> {
    let run = &evidence.run;
    let whole = run.end.is_some() && !run.aborted;
    if !whole || !endures(promise) {
        return Vec::new();
    }
    let broke_nothing =
        told(run.experiments.values()).map(|detail| Shortfall::new(Lack::FaultMissing, detail));
    // Harm that was seen is harm, however many faults there were.
    let unknown = all_recorded(evidence).err().filter(|_| by_value != Verdict::Fail);
    broke_nothing.into_iter().chain(unknown).collect()
}

/// Whether it is about how the service bears all of the experiments.
fn endures(promise: &Promise) -> bool {
    let during = |during: &During| match during {
        During::Run => true,
        During::Phase { name, .. } => *name == PhaseName::Experiments,
        During::Experiment(_) => false,
    };
    match promise {
        Promise::Availability(availability) => during(&availability.during),
        Promise::Latency(latency) => during(&latency.during),
        Promise::SplitBrain(split) => split.experiment.is_none(),
        Promise::DataLoss(loss) => loss.experiment.is_none(),
        Promise::WrittenPoint(point) => point.experiment.is_none(),
        Promise::ArchivePoint(_) | Promise::Health(_) => true,
        Promise::Recovery(_)
        | Promise::Leader(_)
        | Promise::LoadHeld(_)
        | Promise::Scaling(_)
        | Promise::Intervention(_)
        | Promise::Alerting(_)
        | Promise::Promql(_) => false,
    }
}

/// All of these experiments that are not shown to have broken anything, with how far they came.
fn told<'a>(experiments: impl Iterator<Item = &'a Experiment>) -> Option<String> {
    let harmless: Vec<String> = experiments.filter(|experiment| !experiment.broke()).map(state).collect();
    (!harmless.is_empty()).then(|| harmless.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::State;
    use crate::slo;

    #[test]
    fn only_what_is_promised_of_the_whole_run_about_the_service_bears_its_experiments() {
        let table = [
            ("kind: availability, at_least: 99%", true),
            ("kind: availability, at_least: 99%, by: probes, component: shop", true),
            ("kind: availability, at_least: 99%, during: {phase: experiments}", true),
            ("kind: availability, at_least: 99%, during: {phase: steady}", false),
            ("kind: availability, at_least: 99%, during: {experiment: kill}", false),
            ("kind: latency, within: 1s, at_least: 95%", true),
            ("kind: latency, within: 1s, at_least: 95%, during: {experiment: kill}", false),
            ("kind: health", true),
            ("kind: split_brain, component: postgres", true),
            ("kind: split_brain, component: postgres, experiment: kill", false),
            ("kind: data_loss, store: postgres", true),
            ("kind: data_loss, store: postgres, experiment: kill", false),
            ("kind: recovery_point, store: postgres, within: 1m", true),
            ("kind: recovery_point, store: postgres, within: 1m, experiment: kill", false),
            ("kind: recovery_point, of: archive, within: 1m", true),
            ("kind: recovery, experiment: kill, component: postgres, within: 30s", false),
            ("kind: leader, experiment: kill, component: postgres, expect: new, within: 30s", false),
            ("kind: load_held", false),
            ("kind: scaling, workload: shop, shape: up, from: 3, to: 10", false),
            ("kind: intervention", false),
            ("kind: alerting, alert: ShopDown, experiment: kill, within: 1m", false),
            ("kind: promql, expr: 'up', equals: 1", false),
        ];
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("slos.yaml");
        for (fields, due) in table {
            std::fs::write(&file, format!("objectives: [{{name: asked, {fields}}}]\n")).unwrap();
            let checked = slo::load(&file).unwrap();
            assert_eq!(endures(&checked.objectives[0].promise), due, "{fields}");
        }
    }

    #[test]
    fn every_experiment_that_broke_nothing_is_named() {
        let one = |name: &str, state, injected| Experiment {
            name: name.to_owned(),
            state,
            injected,
            ..Experiment::default()
        };
        let (kill, drain) = ("kill-one", "drain");
        let table = [
            (vec![], None),
            (vec![one(kill, Some(State::Recovered), Some(9.0))], None),
            (vec![one(kill, Some(State::NotRecovered), Some(9.0))], None),
            (vec![one(kill, Some(State::Recovering), Some(9.0))], None),
            (vec![one(kill, Some(State::Refused), None)], Some("kill-one is `refused`")),
            (vec![one(kill, Some(State::Ineffective), Some(9.0))], Some("kill-one is `ineffective`")),
            (vec![one(kill, None, Some(9.0))], Some("kill-one has no state")),
            (
                vec![Experiment {
                    flaw: Some(Shortfall::new(Lack::Disagreement, "it was `ineffective` and was not")),
                    ..one(kill, Some(State::Recovered), Some(9.0))
                }],
                Some("kill-one is `recovered`, but it was `ineffective` and was not"),
            ),
            (
                vec![one(kill, Some(State::Recovered), None)],
                Some("kill-one is `recovered`, but when it was injected is not known"),
            ),
            (
                vec![
                    one(drain, Some(State::Planned), None),
                    one("good", Some(State::Recovered), Some(9.0)),
                    one(kill, Some(State::Skipped), None),
                ],
                Some("drain is `planned`, kill-one is `skipped`"),
            ),
        ];
        for (experiments, due) in table {
            assert_eq!(told(experiments.iter()).as_deref(), due, "{experiments:?}");
        }
    }
}
