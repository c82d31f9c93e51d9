//! What becomes of reports: where they cannot be written, beside those of an earlier verdict, and of what no report
//! expects.

mod made;

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Stdio};

use made::{Server, always, from, healthy, moment, slos};

/// A healthy run keeps both.
const PROMISES: &str = "objectives:
  - {name: answers, kind: availability, at_least: 99%}
  - {name: nothing lost, kind: data_loss, store: postgres}
";

/// No run decides it.
const UNKNOWN: &str = "objectives: [{name: unknown, kind: data_loss, store: mysql}]\n";

const ALL: [&str; 5] = ["report.html", "report.json", "report.md", "report.txt", "report.xml"];

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<String> =
        entries.map(|entry| name(entry).into_string().expect("a plain name")).collect();
    names.sort();
    names
}

/// Standard output to a disk that is full.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("Linux has it").into()
}

/// Standard output to a reader that went away.
fn gone() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[test]
fn no_report_tells_an_earlier_verdict() {
    let server = Server::with([&healthy("r", 5.0)]);
    let folder = server.folder().join("reports");
    let place = folder.to_str().expect("a plain path");
    let verify = |url: &str, objectives: &str, options: &[&str]| {
        let options = [&["--run", "r", "--report-dir", place][..], options].concat();
        let code = server.verify_at(url, objectives, &options).status.code();
        (code, names(&folder).join(" "))
    };
    let all = ALL.join(" ");
    assert_eq!(verify(&server.url(), PROMISES, &[]), (Some(0), all.clone()));
    std::fs::write(folder.join("chaos.json"), "{}").expect("writing");
    let unreachable = verify("http://127.0.0.1:1", PROMISES, &[]);
    assert_eq!(unreachable, (Some(4), "chaos.json".to_owned()));
    assert_eq!(verify(&server.url(), PROMISES, &[]), (Some(0), format!("chaos.json {all}")));
    let open = verify(&server.url(), UNKNOWN, &["--output", "json"]);
    assert_eq!(open, (Some(3), "chaos.json report.json".to_owned()));
}

#[test]
fn output_that_cannot_be_written_is_no_success_unless_nobody_reads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("slos.yaml");
    std::fs::write(&file, PROMISES).expect("writing");
    let file = file.to_str().expect("a plain path");
    let commands: [&[&str]; 4] = [&["rules", file], &["schema"], &["explain", "gap"], &["check", file]];
    for arguments in commands {
        let run = |stdout: Stdio| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_slo-verifier"));
            command.args(arguments).stdout(stdout).output().expect("it runs")
        };
        let output = run(full());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains("error: writing to standard output: No space left"), "{arguments:?}: {told}");
        assert_eq!(run(gone()).status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn a_verdict_that_nobody_is_told_is_no_pass() {
    let mut lost = healthy("lost", 5.0);
    lost.find("lost", 216.0, 7.0);
    let server = Server::with([&healthy("kept", 5.0), &lost]);
    let no_space = "writing to standard output: No space left";
    let table = [
        ("kept", 2, format!("error: the report cannot be written: {no_space}")),
        ("lost", 1, format!("warning: {no_space}")),
    ];
    for (run, code, begins) in table {
        for form in ["text", "junit"] {
            let mut command = server.command(&server.url(), PROMISES, &["--run", run, "--output", form]);
            let output = command.stdout(full()).output().expect("it runs");
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(code), "{run} as {form}: {told}");
            assert!(told.starts_with(&begins), "{run} as {form}: {told}");
        }
    }
    let mut unread = server.command(&server.url(), PROMISES, &["--run", "kept"]);
    assert_eq!(unread.stdout(gone()).status().expect("it runs").code(), Some(0));
}

#[test]
fn values_that_cannot_be_keep_no_report_from_being_written() {
    let mut endless = healthy("endless", 5.0);
    endless.set("ordeal_run_end_timestamp_seconds", &[], from(600.0, 1e30));
    let mut early = healthy("early", 5.0);
    early.set("ordeal_time_seconds", &[], always(-1e300));
    early.set("ordeal_run_start_timestamp_seconds", &[], always(0.0));
    let mut crowded = healthy("crowded", 5.0);
    crowded.set("ordeal_users", &[("state", "running")], always(1.7e308));
    let held = "objectives: [{name: load held, kind: load_held, at_least: 95%}]\n";
    let mut backwards = healthy("backwards", 5.0);
    let partition = [("experiment", "partition-primary")];
    backwards.set("ordeal_experiment_injected_timestamp_seconds", &partition, moment(400.0));
    let split = "objectives: [{name: one writer, kind: split_brain, component: postgres-members, experiment: partition-primary}]\n";
    let table = [
        (endless, slos("endless"), "not_finite: ordeal_run_end_timestamp_seconds is 1e30, which is no time"),
        (early, slos("early"), "is -1e300 at "),
        (crowded, held.to_owned(), "disagreement: "),
        (backwards, split.to_owned(), "disagreement: partition-primary was final at "),
    ];
    let server = Server::with(table.iter().map(|(made, ..)| made));
    for (made, objectives, due) in &table {
        let folder = server.folder().join(&made.id);
        let options = ["--run", &made.id, "--report-dir", folder.to_str().expect("a plain path")];
        let output = server.verify(objectives, &options);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), names(&folder).join(" ")), (Some(3), ALL.join(" ")), "{wrong}");
        assert!(told.contains(due), "{}: {told}", made.id);
    }
}

#[test]
fn whatever_characters_others_use_junit_is_xml() {
    let mut made = healthy("r", 5.0);
    let labels = made.series.iter_mut().flat_map(|series| &mut series.labels);
    for (_, value) in labels.filter(|(label, _)| label == "trial") {
        "x\u{ffff}\u{fffe}\u{61c}".clone_into(value);
    }
    let output = Server::with([&made]).verify(PROMISES, &["--run", "r", "--output", "junit"]);
    let told = String::from_utf8(output.stdout).expect("text");
    assert!(told.contains(r"x\u{ffff}\u{fffe}\u{61c}"), "{told}");
    let is_xml = |c: char| matches!(c, '\n' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert_eq!(told.chars().find(|c| !is_xml(*c)), None);
}
