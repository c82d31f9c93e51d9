//! The page about the trial's keys says what the checks know: no more, no less, and its examples are good.

use std::collections::BTreeSet;

use super::super::fields::KNOWN;
use super::*;

const PAGE: &str = include_str!("../../../TRIAL.md");
const EVERYTHING: &str = include_str!("everything.yaml");
const ON_KUBERNETES: &str = include_str!("kubernetes.yaml");

fn examples() -> Vec<&'static str> {
    let blocks = PAGE.split("```yaml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default()).collect()
}

/// The keys of the tables, which stand in their first columns.
fn keys_of_tables() -> BTreeSet<&'static str> {
    let mut keys = BTreeSet::new();
    let mut of_keys = false;
    for line in PAGE.lines() {
        let first = line.strip_prefix("| ").and_then(|row| row.split(" |").next());
        match first {
            None if line.starts_with('|') => {}
            None => of_keys = false,
            Some(head) if head.starts_with("key") => of_keys = true,
            Some(cell) if of_keys => {
                keys.extend(
                    cell.split([',', ' '])
                        .filter(|word| word.starts_with('`'))
                        .map(|word| word.trim_matches('`')),
                );
            }
            Some(_) => {}
        }
    }
    keys
}

#[test]
fn the_examples_are_good() {
    assert!(examples().len() >= 5, "{:?}", examples());
    for example in examples() {
        let checked = parse(example, Path::new("TRIAL.md"), &Made::default());
        checked.unwrap_or_else(|faults| panic!("{example}\n{faults}"));
    }
}

#[test]
fn every_variable_of_a_command_is_told() {
    for variable in crate::chaos::faults::VARIABLES {
        assert!(PAGE.contains(&format!("`{variable}`")), "{variable}");
    }
}

#[test]
fn every_key_is_told_and_no_other() {
    parse_good(EVERYTHING);
    parse_good(ON_KUBERNETES);
    parse_good(AFTER_BASE);
    let mut known = KNOWN.with_borrow(Clone::clone);
    // These stand in the text beside the key that they belong to.
    for beside in ["equals", "expect", "declared"] {
        assert!(known.remove(beside) && PAGE.contains(beside), "{beside}");
    }
    let mut told = keys_of_tables();
    told.remove("expect");
    assert_eq!(told, known);
}
