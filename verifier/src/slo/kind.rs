//! The kinds of objective, and how the file tells them apart. Pure.

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $word:literal;)+) => {
        /// A kind of objective.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind { $($(#[$doc])* $kind),+ }

        impl Kind {
            /// All of them, in the order in which reports tell of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The value of `kind` in the file and in reports.
            pub(crate) fn word(self) -> &'static str {
                match self { $(Self::$kind => $word),+ }
            }
        }
    };
}

kinds! {
    LoadHeld "load_held";
    Availability "availability";
    Latency "latency";
    Recovery "recovery";
    Leader "leader";
    SplitBrain "split_brain";
    DataLoss "data_loss";
    /// The span of lost writes.
    WrittenPoint "recovery_point";
    /// The age of the archive.
    ArchivePoint "recovery_point";
    Scaling "scaling";
    Health "health";
    Intervention "intervention";
    Alerting "alerting";
    Promql "promql";
}

impl Kind {
    /// The value of `of`, where several kinds have one word.
    pub(crate) fn of(self) -> Option<&'static str> {
        match self {
            Self::WrittenPoint => Some("writes"),
            Self::ArchivePoint => Some("archive"),
            _ => None,
        }
    }

    /// The words, each once.
    pub(crate) fn words() -> Vec<&'static str> {
        let mut words: Vec<_> = Self::ALL.iter().map(|kind| kind.word()).collect();
        words.dedup();
        words
    }

    /// The kinds of a word.
    pub(crate) fn named(word: &str) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |kind| kind.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_one_word_is_told_apart() {
        for word in Kind::words() {
            let kinds: Vec<Kind> = Kind::named(word).collect();
            let of: Vec<_> = kinds.iter().filter_map(|kind| kind.of()).collect();
            let apart = of.iter().collect::<std::collections::BTreeSet<_>>().len();
            assert!(kinds.len() == 1 || apart == kinds.len(), "{word}: {kinds:?}");
        }
        assert_eq!(Kind::words().len(), Kind::ALL.len() - 1, "only `recovery_point` is the word of two");
    }
}
