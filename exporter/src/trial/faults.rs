//! What is wrong with a trial file, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// Faults shown at most; a swollen file could hold thousands.
const SHOWN: usize = 100;

/// A position in a file: line and column, both counted from 1 in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

impl Place {
    /// The beginning of a file.
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// The place so many characters further on the same line.
    pub(super) fn further(self, characters: usize) -> Self {
        Self { line: self.line, column: self.column + characters }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where; `None` when the file as a whole is meant (it cannot be read).
    pub place: Option<Place>,
    /// What is wrong and what was expected. Never holds a secret's value.
    pub text: String,
}

/// Everything that is wrong with one file, in the file's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    file: PathBuf,
    faults: Vec<Fault>,
}

impl Faults {
    /// Sorts `faults` by position and drops repetitions (an aliased node is read more than once).
    pub(super) fn new(file: &Path, mut faults: Vec<Fault>) -> Self {
        faults.sort();
        faults.dedup();
        Self { file: file.to_owned(), faults }
    }

    /// The faults, sorted by position.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    /// How many there are; at least one.
    pub fn count(&self) -> usize {
        self.faults.len()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        for (index, fault) in self.faults.iter().take(SHOWN).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match fault.place {
                Some(Place { line, column }) => write!(f, "{file}:{line}:{column}: {}", fault.text)?,
                None => write!(f, "{file}: {}", fault.text)?,
            }
        }
        match self.faults.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            1 => write!(f, "\n{file}: 1 more fault is not shown"),
            more => write!(f, "\n{file}: {more} more faults are not shown"),
        }
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(line: usize, column: usize, text: &str) -> Fault {
        Fault { place: Some(Place { line, column }), text: text.to_owned() }
    }

    #[test]
    fn faults_come_in_the_files_order_and_once_each() {
        let list = vec![fault(10, 1, "c"), fault(2, 9, "b"), fault(2, 3, "a"), fault(2, 9, "b")];
        let faults = Faults::new(Path::new("t.yaml"), list);
        assert_eq!(faults.to_string(), "t.yaml:2:3: a\nt.yaml:2:9: b\nt.yaml:10:1: c");
        assert_eq!(faults.count(), 3);
    }

    #[test]
    fn a_flood_of_faults_is_cut() {
        let list = (1..=250).map(|line| fault(line, 1, "x")).collect();
        let text = Faults::new(Path::new("t.yaml"), list).to_string();
        assert_eq!(text.lines().count(), SHOWN + 1);
        assert!(text.ends_with("t.yaml: 150 more faults are not shown"));
    }
}
