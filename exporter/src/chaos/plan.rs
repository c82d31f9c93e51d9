//! Pure: what an experiment would do, to what, and how that is put back.
//!
//! A plan leaves no choice to whoever carries it out: targets are resolved, commands and limits are fixed.
//! `load-exporter plan` prints plans and does nothing else.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::faults::Action;
use crate::clock::Moment;
use crate::cluster::Target;
use crate::trial::{ComponentIndex, Experiment, FaultKind, Name, Secrets};

/// A resolved experiment.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The experiment's name.
    pub experiment: Name,
    /// What kind of fault it is (the label `fault`).
    pub fault: FaultKind,
    /// What is broken; at least one. May hold a secret, as whatever a command prints.
    pub targets: Vec<Target>,
    /// The targets for people.
    pub shown: Vec<String>,
    /// What is done to them.
    pub action: Action,
    /// Time from the injection to the moment at which it is put back, where it is.
    pub hold: Duration,
    /// Names of the components that must recover.
    pub components: Vec<String>,
    /// The longest wait for them, from the injection.
    pub deadline: Duration,
}

/// Why the output of a target command is no list of targets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TargetsError {
    /// It printed nothing.
    #[error("the target command printed no instance")]
    Empty,
    /// It printed something that cannot be an instance's name.
    #[error("line {line} of the target command's output holds a control character")]
    ControlCharacter {
        /// Counted from 1.
        line: usize,
    },
}

/// Reads what a target command printed: one instance a line, blank lines and repetitions left out.
pub fn targets(output: &str) -> Result<Vec<String>, TargetsError> {
    let mut seen = BTreeSet::new();
    let mut targets = Vec::new();
    for (index, line) in output.lines().enumerate() {
        let target = line.trim();
        if target.chars().any(char::is_control) {
            return Err(TargetsError::ControlCharacter { line: index + 1 });
        }
        if !target.is_empty() && seen.insert(target) {
            targets.push(target.to_owned());
        }
    }
    if targets.is_empty() { Err(TargetsError::Empty) } else { Ok(targets) }
}

/// Targets without any of `secrets`.
pub fn shown(targets: &[Target], secrets: &Secrets) -> Vec<String> {
    let hidden = |target: &Target| secrets.hide(target.to_string().as_bytes());
    targets.iter().map(|target| String::from_utf8_lossy(&hidden(target)).into_owned()).collect()
}

impl Plan {
    /// The plan to do `action` to `targets`; `components` are the names of the trial's components. People see the
    /// targets without any of `secrets`.
    pub fn new(
        experiment: &Experiment,
        components: &[Name],
        targets: Vec<Target>,
        action: Action,
        secrets: &Secrets,
    ) -> Self {
        let name_of = |index: &ComponentIndex| components.get(index.get()).map(ToString::to_string);
        Self {
            experiment: experiment.name.clone(),
            fault: experiment.fault.kind(),
            shown: shown(&targets, secrets),
            targets,
            action,
            hold: experiment.hold,
            components: experiment.components.iter().filter_map(name_of).collect(),
            deadline: experiment.deadline,
        }
    }
}

impl Plan {
    /// When the fault, whose injection begins at `start`, is to be put back at the latest: after the time that it is held,
    /// or where that is over before it is known to be in place, at the time limits of injecting and looking. `None`:
    /// never.
    pub fn revert_due(&self, start: Moment) -> Option<Moment> {
        let timeout = self.action.timeout();
        let look = if self.action.check().is_some() { timeout } else { Duration::ZERO };
        self.action.undo().map(|_| start.later_by(self.hold.max(timeout + look)))
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |duration: Duration| humantime::format_duration(duration).to_string();
        writeln!(f, "{} ({})", self.experiment, self.fault.label())?;
        writeln!(f, "  targets   {}", self.shown.join(", "))?;
        writeln!(f, "  inject    {}", self.action.told())?;
        writeln!(f, "  bit       {}", self.action.check().as_deref().unwrap_or("not checked"))?;
        match self.action.undo() {
            None => writeln!(f, "  put back  nothing to put back")?,
            Some(undo) if self.hold.is_zero() => writeln!(f, "  put back  at once: {undo}")?,
            Some(undo) => writeln!(f, "  put back  after {}: {undo}", time(self.hold))?,
        }
        writeln!(f, "  limits    {} a command", time(self.action.timeout()))?;
        write!(f, "  recovery  {} within {}", self.components.join(", "), time(self.deadline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::faults::commands::Commands;
    use crate::trial::{ExecFault, Fault, NonEmpty};

    fn name(text: &str) -> Name {
        Name::new(text).expect("a name")
    }

    fn experiment(revert: Option<&str>, hold: u64) -> Experiment {
        Experiment {
            name: name("partition"),
            fault: Fault::Exec(ExecFault {
                target: "primary".into(),
                inject: "cut".into(),
                bit: None,
                revert: revert.map(Into::into),
                timeout: Duration::from_secs(30),
            }),
            components: NonEmpty::one(ComponentIndex::new(1, 2).expect("two components")),
            deadline: Duration::from_mins(2),
            hold: Duration::from_secs(hold),
            replaced: false,
        }
    }

    #[test]
    fn targets_are_lines() {
        let cases: [(&str, Result<&[&str], TargetsError>); 6] = [
            ("", Err(TargetsError::Empty)),
            (" \n\n", Err(TargetsError::Empty)),
            ("pg1\n", Ok(&["pg1"])),
            ("pg1\r\n\n  shop-2 on n3 \npg1", Ok(&["pg1", "shop-2 on n3"])),
            ("pg1\npg\x002\n", Err(TargetsError::ControlCharacter { line: 2 })),
            ("\x1b[1mpg1", Err(TargetsError::ControlCharacter { line: 1 })),
        ];
        for (output, expected) in cases {
            let expected = expected.map(|those| those.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(targets(output), expected, "{output:?}");
        }
    }

    fn plan(experiment: &Experiment) -> Plan {
        let Fault::Exec(fault) = &experiment.fault else { panic!("commands") };
        let action = Action::Exec(Commands::of(fault));
        let components = [name("shop"), name("postgres")];
        let targets = vec![Target::named("pg1"), Target::named("pg2")];
        Plan::new(experiment, &components, targets, action, &Secrets::default())
    }

    /// A drain goes on for as long as the pods take to leave.
    #[test]
    fn a_fault_is_due_back_after_its_hold_and_not_before_it_may_be_in_place() {
        let at = |seconds| Moment(Duration::from_secs(seconds));
        for (hold, bit, due) in
            [(0, None, 130), (0, Some("cut?"), 160), (40, None, 140), (70, Some("cut?"), 170)]
        {
            let due_back = |revert| {
                let mut experiment = experiment(revert, hold);
                let Fault::Exec(fault) = &mut experiment.fault else { panic!("commands") };
                fault.bit = bit.map(Into::into);
                plan(&experiment).revert_due(at(100))
            };
            assert_eq!(due_back(Some("mend")), Some(at(due)), "held {hold} s, {bit:?}");
            assert_eq!(due_back(None), None);
        }
    }

    #[test]
    fn a_plan_says_what_is_done_to_what_and_how_it_is_put_back() {
        let print = |revert, hold| plan(&experiment(revert, hold)).to_string();
        assert_eq!(
            print(Some("mend"), 40),
            "partition (exec)\n  targets   pg1, pg2\n  inject    cut\n  bit       not checked\n  \
             put back  after 40s: mend\n  limits    30s a command\n  recovery  postgres within 2m"
        );
        assert!(print(Some("mend"), 0).contains("put back  at once: mend\n"));
        assert!(print(None, 0).contains("put back  nothing to put back\n"));
    }
}
