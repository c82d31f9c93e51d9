//! `slo-verifier rules`, as the tests run it.

use std::process::Command;

use super::files::shipped;

/// What `slo-verifier` writes, run in the repository.
pub(crate) fn rules(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-verifier"));
    let output = command.args(arguments).current_dir(shipped("")).output().expect("the verifier runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The exit code of `slo-verifier rules` where it writes nothing, and what it says.
pub(crate) fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-verifier"));
    let command = command.arg("rules").args(arguments).current_dir(shipped(""));
    let output = command.output().expect("the verifier runs");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
