//! Programs that the tests run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::files::shipped;

/// What `slo-verifier` writes, run in the repository.
pub(crate) fn rules(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-verifier"));
    let output = command.args(arguments).current_dir(shipped("")).output().expect("the verifier runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

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
