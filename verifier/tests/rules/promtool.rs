//! The programs that check and test rules.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Each `promtool` on the path, and the one beside the Prometheus that `PROMETHEUS_3` names.
pub(crate) fn promtool() -> BTreeSet<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside =
        std::env::var_os("PROMETHEUS_3").and_then(|named| Some(Path::new(&named).parent()?.to_owned()));
    let folders = std::env::split_paths(&path).chain(beside);
    let found: BTreeSet<PathBuf> =
        folders.filter_map(|folder| folder.join("promtool").canonicalize().ok()).collect();
    assert!(!found.is_empty(), "promtool is installed");
    found
}

/// Runs one of them, and fails with what it says if it complains.
pub(crate) fn run(promtool: &Path, arguments: &[&str], files: &[PathBuf]) {
    let output = Command::new(promtool).args(arguments).args(files).output().expect("promtool runs");
    let told = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{} {arguments:?}: {}", promtool.display(), told.concat());
}
