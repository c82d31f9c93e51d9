//! Pieces of `PromQL` that several families of rules share. Pure.

use super::Scope;
use crate::evidence::family::RUN_PHASE;

/// The families whose only place are rules, as nobody judges by them.
pub(super) const LAST_SUCCESS: &str = "ordeal_component_last_success_timestamp_seconds";
const RUN_INFO: &str = "ordeal_run_info";

/// Phases after the load; in the first of them open requests still end.
pub(super) const UNLOADED: &str = "cooldown|audit|finished";
/// Phases in which every request has ended.
pub(super) const DRAINED: &str = "audit|finished";

/// How far back a record looks for itself: scrapes and evaluations that fail for less than this make it forget nothing.
pub(super) const REMEMBERED: &str = "15m";

impl Scope {
    /// The series that tell the run of a conductor.
    pub(super) fn conductor(&self) -> String {
        format!("{RUN_INFO}{{role=\"conductor\"{}}}", self.matcher(","))
    }

    /// The series that tell the run of every process.
    fn process(&self) -> String {
        format!("{RUN_INFO}{{{}}}", self.matcher(""))
    }

    fn matcher(&self, before: &str) -> String {
        self.trial.as_ref().map(|trial| format!("{before}trial={}", quoted(trial))).unwrap_or_default()
    }

    /// Series of conductors, with the run's id.
    pub(super) fn with_run(&self, expr: &str) -> String {
        format!("({expr}) * on (job, instance) group_left (run) {}", self.conductor())
    }

    /// The sum of series of each process of each run.
    pub(super) fn by_process(&self, selector: &str) -> String {
        let with_run = format!("{selector} * on (job, instance) group_left (run) {}", self.process());
        format!("sum by (run, job, instance) ({with_run})")
    }

    /// What is recorded of these runs, of what has a `run` as a label: rules on another trial record under the same names,
    /// and whatever both of them read they would both tell of.
    pub(super) fn of_own(&self, recorded: &str) -> String {
        match self.trial {
            None => recorded.to_owned(),
            Some(_) => format!("{recorded} and on (run) {}", self.conductor()),
        }
    }

    /// Conductors in the middle of a run.
    pub(super) fn going_on(&self) -> String {
        let phase = in_phase("!~", "finished|aborted");
        match self.trial {
            None => phase,
            Some(_) => format!("{phase} and on (job, instance) {}", self.conductor()),
        }
    }

    /// Runs that are in one of these phases.
    pub(super) fn runs_in(&self, phases: &str) -> String {
        let phase = format!("{RUN_PHASE}{{phase=~\"{phases}\"}}");
        format!("max by (run) ({}) == 1", self.with_run(&phase))
    }
}

/// Conductors whose phase is among these, or is not.
pub(super) fn in_phase(how: &str, phases: &str) -> String {
    format!("{RUN_PHASE}{{phase{how}\"{phases}\"}} == 1")
}

/// Text as a string of `PromQL`.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n"))
}

/// A regular expression that matches these names and no others, as a string of `PromQL`.
pub(super) fn any_of(names: &[String]) -> String {
    let literal = |name: &String| {
        let escape = |c: char| if r"\.+*?()|[]{}^$".contains(c) { format!("\\{c}") } else { c.to_string() };
        name.chars().map(escape).collect::<String>()
    };
    quoted(&names.iter().map(literal).collect::<Vec<_>>().join("|"))
}

/// Text as a template that gives just this text: nobody's name runs a function.
pub(super) fn literal(text: &str) -> String {
    text.replace("{{", "{{ \"{{\" }}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names_wherever_they_stand() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
        assert_eq!(any_of(&["a.b".to_owned(), "c-d".to_owned()]), r#""a\\.b|c-d""#);
        assert_eq!(literal("{{ $value }}"), r#"{{ "{{" }} $value }}"#);
    }
}
