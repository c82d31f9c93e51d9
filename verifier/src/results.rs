//! The run's own results, which the exporter wrote (`load.json`, `chaos.json`), read for the report.
//!
//! The two programs share no code, and the files may be of another version: whatever is missing or of another kind is
//! left out, and no verdict rests on any of it.

mod chaos;
mod load;

use std::path::Path;

use serde_json::Value;

pub(crate) use chaos::{Chaos, Experiment};
pub(crate) use load::{Load, Task};

/// Both files, each with what is in it or why that is not shown.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) load: Result<Load, String>,
    pub(crate) chaos: Result<Chaos, String>,
}

impl Results {
    /// Of nobody's folder.
    pub(crate) fn unasked() -> Self {
        let why = || "not shown: --run-dir tells where the exporter wrote it".to_owned();
        Self { load: Err(why()), chaos: Err(why()) }
    }

    /// Those of a folder, each file if it says that it is of that run.
    pub(crate) fn read(folder: &Path, run: &str) -> Self {
        let of_run = |name| json(folder, name).and_then(|value| of_run(value, run));
        Self {
            load: of_run("load.json").map(|value| Load::of(&value)),
            chaos: of_run("chaos.json").map(|value| Chaos::of(&value)),
        }
    }
}

/// What is in a file of that run. One that does not say whose it is may be anybody's.
fn of_run(value: Value, run: &str) -> Result<Value, String> {
    match text(&value, "/run") {
        Some(other) if other == run => Ok(value),
        Some(other) => Err(format!("not shown: it has the results of run {other}")),
        None => Err("not shown: it does not say which run it is of".to_owned()),
    }
}

fn json(folder: &Path, name: &str) -> Result<Value, String> {
    let with_cause = |error: &dyn std::error::Error| {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("not shown: {error}{cause}")
    };
    let text = crate::file::read(&folder.join(name)).map_err(|error| with_cause(&error))?;
    serde_json::from_str(&text).map_err(|error| format!("not shown: {name} is not JSON: {error}"))
}

/// A number of a file, where it is one.
fn number(value: &Value, place: &str) -> Option<f64> {
    value.pointer(place)?.as_f64()
}

/// A text of a file, where it is one.
fn text(value: &Value, place: &str) -> Option<String> {
    value.pointer(place)?.as_str().map(str::to_owned)
}

/// The members of a list, where there is one.
fn list<'a>(value: &'a Value, place: &str) -> &'a [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn what_is_absent_or_no_json_is_told() {
        let folder = folder(&[("chaos.json", "{")]);
        let results = Results::read(folder.path(), "a");
        assert!(results.load.unwrap_err().contains("load.json: No such file"));
        assert!(results.chaos.unwrap_err().starts_with("not shown: chaos.json is not JSON"));
    }

    #[test]
    fn results_of_another_run_are_not_shown() {
        let read = |[load, chaos]: [&str; 2]| {
            let folder = folder(&[("load.json", load), ("chaos.json", chaos)]);
            Results::read(folder.path(), "a")
        };
        let (ours, others) = (r#"{"run": "a"}"#, r#"{"run": "b"}"#);
        let both = read([ours, ours]);
        assert!(both.load.is_ok() && both.chaos.is_ok());
        let told = "not shown: it has the results of run b";
        // Neither file vouches for the other.
        let chaos_only = read([others, ours]);
        assert!(chaos_only.load.unwrap_err() == told && chaos_only.chaos.is_ok());
        let load_only = read([ours, others]);
        assert!(load_only.load.is_ok() && load_only.chaos.unwrap_err() == told);
        assert_eq!(read([others, "{"]).load.unwrap_err(), told);
    }

    #[test]
    fn what_does_not_say_which_run_it_is_of_is_not_shown() {
        for text in ["{}", "[]", "7", r#"{"run": 7}"#, r#"{"run": null}"#] {
            let folder = folder(&[("load.json", text), ("chaos.json", text)]);
            let Results { load, chaos } = Results::read(folder.path(), "a");
            let told = "not shown: it does not say which run it is of";
            assert!(load.unwrap_err() == told && chaos.unwrap_err() == told, "{text}");
        }
    }

    #[test]
    fn files_of_another_kind_are_read_as_far_as_that_goes() {
        for text in [
            r#"{"run": "a"}"#,
            r#"{"run": "a", "tasks": 3, "experiments": {"a": 1}}"#,
            r#"{"run": "a", "tasks": [1], "experiments": [[]]}"#,
        ] {
            let folder = folder(&[("chaos.json", text), ("load.json", text)]);
            let results = Results::read(folder.path(), "a");
            assert!(results.load.is_ok() && results.chaos.is_ok(), "{text}");
        }
    }
}
