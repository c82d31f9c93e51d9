//! Holds the verifier's rooms to the arrows between them: who may name whom. No arrow goes back.

use std::collections::BTreeSet;
use std::path::Path;

/// A room, and the rooms that it may name. Each names only rooms above it.
const ARROWS: [(&str, &[&str]); 17] = [
    ("evidence", &[]),
    ("verdict", &[]),
    ("file", &[]),
    ("plain", &[]),
    ("source", &["evidence", "file"]),
    ("slo", &["evidence", "file", "plain"]),
    ("run", &["evidence"]),
    ("judge", &["evidence", "run", "slo", "verdict"]),
    ("rules", &["evidence", "judge", "slo"]),
    ("results", &["file"]),
    ("report", &["evidence", "judge", "plain", "results", "run", "slo", "source", "verdict"]),
    ("wait", &["evidence", "plain", "run", "source"]),
    ("fetch", &["evidence", "judge", "run", "slo", "source"]),
    ("cli", &["rules"]),
    ("make_rules", &["cli", "file", "rules", "slo"]),
    ("deliver", &["cli", "report"]),
    (
        "app",
        &[
            "cli",
            "deliver",
            "evidence",
            "fetch",
            "judge",
            "make_rules",
            "report",
            "results",
            "run",
            "slo",
            "source",
            "wait",
        ],
    ),
];

/// The rooms that a text names by their path from the crate.
fn named(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<&str> = code.collect();
    let code = code.join("\n");
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    code.split("crate::").skip(1).map(word).collect()
}

fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn rooms_name_only_those_above_them() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&top, &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let within = file.strip_prefix(&top).expect("a source");
        let room = within.iter().next().expect("a name").to_string_lossy().replace(".rs", "");
        if room == "main" {
            continue;
        }
        let (_, allowed) = ARROWS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{room}"));
        let text = std::fs::read_to_string(file).expect("a source");
        let others = named(&text).into_iter().filter(|name| *name != room);
        let bad = others.filter(|name| !allowed.contains(&name.as_str()));
        wrong.extend(bad.map(|name| format!("{} names {name}", within.display())));
    }
    assert!(files.len() > 40 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_arrow_goes_back() {
    for (at, (room, allowed)) in ARROWS.iter().enumerate() {
        let above = &ARROWS[..at];
        for name in *allowed {
            assert!(above.iter().any(|(earlier, _)| earlier == name), "{room} -> {name}");
        }
    }
}

#[test]
fn names_are_found_wherever_they_stand() {
    let text = "use crate::a::{b, c};\n// crate::no\nlet x = crate::d::e(f::crate_::g);\n";
    assert_eq!(named(text).into_iter().collect::<Vec<_>>(), ["a", "d"]);
}
