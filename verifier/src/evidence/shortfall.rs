//! The reasons why evidence does not suffice: a closed list, each with what it means and what to do. Pure.

use std::fmt;

/// Which verdicts a shortfall stands against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bars {
    /// The value says nothing either way.
    Both,
    /// More of the evidence could only have shown more harm: what was seen of it stands as a fail.
    Pass,
    /// It only ever makes things look worse, so a fail may not be the service's.
    Fail,
}

/// A shortfall and what exactly was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shortfall {
    pub(crate) lack: Lack,
    /// The particulars, as a fragment.
    pub(crate) detail: String,
}

impl Shortfall {
    /// A shortfall with its particulars.
    pub(crate) fn new(lack: Lack, detail: impl Into<String>) -> Self {
        Self { lack, detail: detail.into() }
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.lack.name(), self.detail)
    }
}

macro_rules! lacks {
    ($($(#[$doc:meta])* $variant:ident $name:literal $bars:ident $meaning:literal $remedy:literal;)+) => {
        /// The name of a shortfall.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Lack { $($(#[$doc])* $variant),+ }

        impl Lack {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in reports; scripts may rely on it.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What it means.
            pub(crate) fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),+ }
            }

            /// What to do about it.
            pub(crate) fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy),+ }
            }

            /// Which verdicts it stands against.
            pub(crate) fn bars(self) -> Bars {
                match self { $(Self::$variant => Bars::$bars),+ }
            }
        }
    };
}

lacks! {
    RunNotFound "run_not_found" Both
        "Prometheus has no sample of such a run in the time searched."
        "Check the run's id, look further back with --since, and check that Prometheus scraped the exporter and still keeps that time.";
    RunUnfinished "run_unfinished" Both
        "The run had no end when Prometheus last saw it."
        "Judge again when it has finished, or with --wait; if the exporter died, `load-exporter recover` puts back what it left broken; then run the trial again.";
    RunAborted "run_aborted" Pass
        "The run was stopped before its end, so what it would have shown is unknown."
        "Where it ended by itself, as in `preflight`, the exporter's log says why: repair that. Then run the trial again and let it finish.";
    CutShort "cut_short" Both
        "The time that the objective is about was cut short when the run was stopped; the rest of it might have made it good."
        "Run the trial again and let it finish.";
    TwoConductors "two_conductors" Both
        "More than one process says that it leads this run, so its series contradict or double each other."
        "Give each run its own id, and scrape each exporter by one job only.";
    ProcessRestarted "process_restarted" Both
        "A process of the run was started anew during the run; what it counted before is gone."
        "Find out why it restarted (memory, eviction, crash) and run the trial again.";
    PrometheusRestarted "prometheus_restarted" Both
        "Prometheus started during the run and has nothing from before."
        "Give Prometheus a disk that survives its restart, and run the trial again.";
    ClockSkew "clock_skew" Both
        "The exporter's clock and Prometheus' clock differ by so much that times cannot be set side by side."
        "Synchronise the clocks of both machines and run the trial again.";
    FamilyAbsent "family_absent" Both
        "A metric or one of its series that must be there from the start is not there."
        "Check metric relabelling in Prometheus, that the trial has what the objective is about, and that exporter and verifier are of the same version; of somebody else's series, the objective's selector and that exporter's `up`.";
    NotInRun "not_in_run" Both
        "The run has nothing of that name."
        "Correct the name in the objective; if the trial does have it, look for a relabelling in Prometheus that drops its series.";
    NoSamples "no_samples" Both
        "There is no sample where one is needed."
        "If the run never had what is missed (a revert, an experiment, a phase), change the objective or the trial; else check that the target was up then, and that the scrape interval is shorter than what is judged.";
    Gap "gap" Both
        "Samples are missing where they decide."
        "Look at `up` of the target and at the load of Prometheus, and run the trial again.";
    LoadUnseen "load_unseen" Both
        "A load process of the run was never scraped, so what its users did is not known."
        "Check that Prometheus finds every load process of the run, and its `up`, and run the trial again.";
    CounterReset "counter_reset" Both
        "A counter, or the worst so far, fell although its process did not restart."
        "Check whether two processes share one job and instance, or two servers one series; of interventions, whether whoever watches was started anew.";
    TooFewEvents "too_few_events" Both
        "There were fewer events than a share so close to the whole needs (3 / (1 - limit))."
        "Run longer, with more users, or set a limit that so few events can show; where the time that is judged is short, scrape more often.";
    DuplicateSeries "duplicate_series" Both
        "There are several series where one is due, so adding them up would count twice."
        "Scrape the exporter by one job only and check relabelling; make an expression return one series.";
    NotFinite "not_finite" Both
        "A value is no number, or one that cannot be: infinite, or a time thousands of years away."
        "Look at the samples; for an expression of your own, guard against division by zero.";
    QueryError "query_error" Both
        "Prometheus did not answer the query."
        "Read its message; raise --timeout or the server's limits if it was too slow.";
    Warning "warning" Both
        "Prometheus warned that its answer may be wrong or incomplete."
        "Read the warning; with several Prometheus servers behind one address, check that all of them answer.";
    FaultIneffective "fault_ineffective" Both
        "The fault did not bite, so surviving it proves nothing."
        "Look at the experiment's `bit` command and at the exporter's log.";
    FaultNotInjected "fault_not_injected" Both
        "The experiment was refused, skipped or never begun."
        "The exporter's log says why; repair the cause and run the trial again.";
    FaultMissing "fault_missing" Pass
        "An experiment of the trial is not shown to have broken anything, so what is promised of the whole run was not put to its test."
        "Where it was refused or skipped, or did not bite, the exporter's log says why: repair that, or take the experiment out of the trial. Then run the trial again.";
    NotFinal "not_final" Both
        "The experiment had not come to its end when the run ended."
        "Make the run longer, or the experiment's deadline shorter.";
    AlertNotOwed "alert_not_owed" Both
        "No probe of any component failed in the experiment, so no alert was owed."
        "Choose an experiment with an outage that probes notice, or a shorter `interval` of probes.";
    AlreadyFiring "already_firing" Both
        "The alert was firing, or pending, already when the fault was injected, so it says nothing about the fault."
        "Find out why it fired, and run the trial again when it is resolved; if it is somebody else's, narrow the objective's `labels`.";
    StillDown "still_down" Pass
        "The experiment ended before all of its components were seen to have recovered, so that the alert may have had no reason to be resolved."
        "Repair what did not recover, or give the experiment a longer `deadline`, and run the trial again.";
    StillFiring "still_firing" Pass
        "The alert was firing when its rule was last evaluated, and the time for its end was not over."
        "Judge again when it is resolved, or that time is over.";
    RuleAbsent "rule_absent" Both
        "Prometheus has no alerting rule of that name."
        "Correct the name in the objective, or load the rule: a file under `rule_files`, or a PrometheusRule whose labels Prometheus selects; the alerts of rules that run elsewhere cannot be judged.";
    RuleUnproven "rule_unproven" Both
        "It is not known that the rule was evaluated all that time, so that its silence proves nothing."
        "Let Prometheus read the rule before the run and its configuration not again before it is judged, see the rule's health on Prometheus' page of rules, and judge again once its group was evaluated.";
    NoWritesBefore "no_writes_before" Both
        "Fewer than 20 writes were acknowledged in the 5 s before the fault, so there was little to lose."
        "Raise the ledger's rate, and check that writes were flowing.";
    AuditIncomplete "audit_incomplete" Pass
        "An audit could not read everything back, or there was none at the end."
        "Look at the exporter's log for the audit, and at the store.";
    ArchiveNotProven "archive_not_proven" Pass
        "The archive shows too few successes, or failures, to rely on it."
        "Look at archive_command and archive_timeout, and at the server's log.";
    InstancesNotObserved "instances_not_observed" Pass
        "The store's instances could not be asked for long enough, so two writers may have gone unseen."
        "Give the exporter a path to each instance that the fault does not cut; inside pods, see that each pod of the trial is there before the run.";
    WatchGap "watch_gap" Pass
        "Nobody watched for long enough, so a change by hand may have gone unseen."
        "Check the source of the interventions (status document, watches).";
    ProbesMissed "probes_missed" Pass
        "Too many probes were missed, in all or one after the other, or too few were made, so outages may have gone unseen."
        "Give the exporter's machine more room, or a longer probe interval; of `replicas`, check that the status document can be read; of `members` asked inside pods, that the API server answers.";
    GeneratorSaturated "generator_saturated" Fail
        "The load generator could not keep up, and that makes a service look worse than it is."
        "Give the generator more room (processors, ports, descriptors), or spread the load.";
    BucketsDiffer "buckets_differ" Both
        "Load processes, tasks or outcomes have different histogram buckets, which cannot be added up."
        "Run all load processes with the same trial and the same version, and look for a relabelling in Prometheus that drops buckets.";
    SaturatedBucket "saturated_bucket" Both
        "The limit lies beyond the histogram's last bound, or between two bounds that decide."
        "Add the limit to the trial's `load.buckets`.";
    NotAtReplicas "not_at_replicas" Both
        "The workload did not have the number of replicas that the objective is about."
        "Compare the objective with the autoscaler's minimum and maximum. Before the load, let the workload come down first; while it lasts, see first whether it went up (`shape: up`), and give `steady` more time before the first experiment (`after`).";
    Uncounted "uncounted" Pass
        "The scrapes show more harm than was counted."
        "Do not trust what was counted before the difference is explained: look for the harm at the times told, and report it with the run's samples.";
    Disagreement "disagreement" Both
        "Two ways to the same number, or two samples of one that never changes, gave different numbers."
        "Trust neither before it is explained: look for a relabelling that drops, renames or merges series, for two runs under one id, and for exporter and verifier of different versions; else report it with the run's samples.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_everything_is_explained_in_sentences() {
        let names: BTreeSet<_> = Lack::ALL.iter().map(|lack| lack.name()).collect();
        assert_eq!(names.len(), Lack::ALL.len());
        for lack in Lack::ALL {
            assert!(lack.meaning().ends_with('.'), "{lack:?}");
            assert!(lack.remedy().ends_with(['.', ')']), "{lack:?}");
        }
    }

    #[test]
    fn the_page_on_objectives_tells_each_of_them() {
        let page = include_str!("../../OBJECTIVES.md");
        for lack in Lack::ALL {
            let bars = match lack.bars() {
                Bars::Both => "pass and fail",
                Bars::Pass => "pass",
                Bars::Fail => "fail",
            };
            let row = format!("| `{}` | {bars} | {} | {} |", lack.name(), lack.meaning(), lack.remedy());
            assert!(page.contains(&row), "OBJECTIVES.md lacks: {row}");
        }
    }

    #[test]
    fn only_a_saturated_generator_leaves_a_pass_alone() {
        let lenient: Vec<_> = Lack::ALL.iter().filter(|lack| lack.bars() == Bars::Fail).collect();
        assert_eq!(lenient, [&Lack::GeneratorSaturated]);
    }
}
