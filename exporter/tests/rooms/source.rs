//! The source files of the houses.

use std::fs;
use std::path::{Path, PathBuf};

/// The crates that the rules are about, by their folders.
pub(crate) const HOUSES: [&str; 5] = ["exporter", "verifier", "dashboards", "deploy/lab", "deploy/shop"];

/// One source file.
pub(crate) struct Source {
    /// Its crate.
    pub(crate) house: String,
    /// Its path below the crate's `src/`.
    pub(crate) path: String,
    /// How many lines it has.
    pub(crate) lines: usize,
    /// The first paragraph of its module doc.
    first_doc: String,
    /// Its text with comments blanked out.
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn new(house: &str, path: &str, text: &str) -> Self {
        let doc = text.lines().map_while(|line| line.strip_prefix("//!")).take_while(|line| !line.is_empty());
        let first_doc = doc.collect();
        let (house, path, lines) = (house.to_owned(), path.to_owned(), text.lines().count());
        Self { house, path, lines, first_doc, code: without_comments(text) }
    }

    /// Whether the first paragraph of the module doc says so.
    pub(crate) fn is_pure(&self) -> bool {
        self.first_doc.split(|c: char| !c.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case("pure"))
    }

    /// The code before the tests that stand in the same file. A module of tests in a file of its own, declared
    /// anywhere, hides nothing of what follows.
    pub(crate) fn code_without_tests(&self) -> &str {
        let inline = self.code.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|at| {
            let declared = self.code[*at..].lines().map(str::trim).find(|line| line.starts_with("mod "));
            declared.is_some_and(|line| line.contains('{'))
        });
        inline.map_or(&self.code, |tests| &self.code[..tests])
    }

    /// Where the file's module is: `chaos/faults/exec.rs` is three below the crate.
    pub(crate) fn depth(&self) -> usize {
        let parts = self.path.trim_end_matches(".rs").split('/');
        parts.filter(|part| !matches!(*part, "mod" | "lib" | "main")).count()
    }

    /// The line, counted from 1, of a place in the code.
    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.code[..at].matches('\n').count()
    }
}

/// Line comments replaced by nothing, lines kept.
fn without_comments(text: &str) -> String {
    let code = |line: &str| if line.trim_start().starts_with("//") { String::new() } else { line.to_owned() };
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace").to_owned()
}

/// The manifest of a house.
pub(crate) fn manifest(house: &str) -> String {
    fs::read_to_string(root().join(house).join("Cargo.toml")).expect("a manifest")
}

/// All source files of all houses.
pub(crate) fn all() -> Vec<Source> {
    let mut sources = Vec::new();
    for house in HOUSES {
        let src = root().join(house).join("src");
        let mut folders = vec![src.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a source folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = fs::read_to_string(&path).expect("a source file");
                    let below = path.strip_prefix(&src).expect("below src").to_str().expect("a plain name");
                    sources.push(Source::new(house, below, &text));
                }
            }
        }
    }
    sources
}
