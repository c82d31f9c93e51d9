//! Which operator commands were a run's own faults, and which were somebody's interventions.
//!
//! A run's faults carry its id and its token. The first token seen with an id is that run's. Anything else that
//! changes the lab is an intervention. This is all that the lab can see: a `kill` typed into a shell is not a
//! command of the lab, nor is a write to a store.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Where a command came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) command: String,
    pub(crate) run: String,
    pub(crate) token: String,
}

impl Origin {
    /// The command line of this process, with the run's variables of its environment.
    pub(crate) fn of_this_process() -> Self {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
        Self { command, run: variable("ORDEAL_RUN"), token: variable("ORDEAL_TOKEN") }
    }
}

/// The count since the lab's start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interventions {
    tokens: HashMap<String, String>,
    commands: u64,
}

impl Interventions {
    /// Notes a command that changes something; true when it is an intervention.
    pub(crate) fn note(&mut self, origin: &Origin) -> bool {
        let own = !origin.run.is_empty()
            && !origin.token.is_empty()
            && *self.tokens.entry(origin.run.clone()).or_insert_with(|| origin.token.clone()) == origin.token;
        if !own {
            self.commands += 1;
        }
        !own
    }

    pub(crate) fn commands(&self) -> u64 {
        self.commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(run: &str, token: &str) -> Origin {
        Origin { command: "fault".to_owned(), run: run.to_owned(), token: token.to_owned() }
    }

    #[test]
    fn only_commands_without_the_runs_token_count() {
        let cases = [
            ("a run's first", "r1", "t1", false),
            ("the same run again", "r1", "t1", false),
            ("another token for that run", "r1", "t2", true),
            ("another run", "r2", "t2", false),
            ("no run", "", "t1", true),
            ("no token", "r1", "", true),
            ("neither", "", "", true),
        ];
        let mut interventions = Interventions::default();
        for (name, run, token, counts) in cases {
            assert_eq!(interventions.note(&origin(run, token)), counts, "{name}");
        }
        assert_eq!(interventions.commands(), 4);
    }
}
