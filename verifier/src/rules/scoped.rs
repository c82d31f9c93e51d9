//! Promises of a whole run and of one experiment on the same thing. Pure.
//!
//! Harm is counted for the whole run, so an alert cannot tell whose experiment it was: where only experiments are
//! promised, it warns. Where the whole run is promised too, that alert says it already.

/// A promise that nothing happens to something.
pub(super) struct Told<'a> {
    pub(super) objective: &'a str,
    /// What nothing happens to.
    pub(super) of: &'a str,
    /// Whether the whole run is promised, rather than one experiment.
    pub(super) whole: bool,
}

/// Each thing once: by its promise of the whole run, else by its first one of an experiment.
pub(super) fn once<'a>(promises: impl Iterator<Item = Told<'a>>) -> impl Iterator<Item = Told<'a>> {
    let mut kept: Vec<Told<'a>> = Vec::new();
    for told in promises {
        match kept.iter_mut().find(|other| other.of == told.of) {
            None => kept.push(told),
            Some(other) if told.whole && !other.whole => *other = told,
            Some(_) => {}
        }
    }
    kept.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_run_speaks_for_its_experiments() {
        let told = |objective, of, whole| Told { objective, of, whole };
        let promises =
            [told("a", "x", false), told("b", "x", true), told("c", "y", false), told("d", "x", false)];
        let kept: Vec<_> = once(promises.into_iter()).map(|told| (told.objective, told.whole)).collect();
        assert_eq!(kept, [("b", true), ("c", false)]);
    }
}
