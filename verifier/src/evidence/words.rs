//! The closed lists of words that label a run's phases and the states of its experiments. Pure.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum $name { $($(#[$each])* $variant),+ }

        impl $name {
            /// All of them, in the order in which they come.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in labels and reports.
            pub(crate) fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// A phase of a run.
    PhaseName {
        Preflight "preflight",
        Ramp "ramp",
        Steady "steady",
        Experiments "experiments",
        Cooldown "cooldown",
        Audit "audit",
        Finished "finished",
        Aborted "aborted",
    }
}

words! {
    /// How far an experiment is.
    State {
        Planned "planned",
        Injected "injected",
        Recovering "recovering",
        Recovered "recovered",
        NotRecovered "not_recovered",
        Ineffective "ineffective",
        Refused "refused",
        Skipped "skipped",
    }
}

impl PhaseName {
    /// What a word stands for.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.word() == word)
    }

    /// Whether the trial has work in it: an audit and an end follow in any case.
    pub(crate) fn is_of_trial(self) -> bool {
        self < Self::Audit
    }
}

impl State {
    /// Whether nothing more happens after it.
    pub(crate) fn is_last(self) -> bool {
        self >= Self::Recovered
    }

    /// Whether something is broken in it, or was before it.
    pub(crate) fn is_of_harm(self) -> bool {
        (Self::Injected..=Self::NotRecovered).contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harm_is_done_from_the_injection_on_unless_the_fault_did_not_bite() {
        let harmless: Vec<State> = State::ALL.iter().copied().filter(|state| !state.is_of_harm()).collect();
        assert_eq!(harmless, [State::Planned, State::Ineffective, State::Refused, State::Skipped]);
    }

    #[test]
    fn words_are_read_back() {
        for phase in PhaseName::ALL {
            assert_eq!(PhaseName::of(phase.word()), Some(*phase));
        }
        assert_eq!(PhaseName::of("stedy"), None);
        assert!(State::Recovered.is_last() && State::Skipped.is_last() && !State::Recovering.is_last());
        assert!(PhaseName::Cooldown.is_of_trial() && !PhaseName::Audit.is_of_trial());
    }
}
