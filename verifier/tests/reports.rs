//! The forms of the report and where they go: files, standard output, the summary of a CI step.

mod made;
#[path = "reports/markup.rs"]
mod markup;

use std::path::Path;
use std::process::{Command, Output};

use made::{Made, Server, always, healthy, slos, steps};
use markup::foreign;
use quick_junit::{NonSuccessKind, TestCaseStatus};

/// Names that would be markup, an attribute's end or a line of their own, were they not escaped. GitHub's Markdown and
/// browsers take closing tags that have an attribute.
const HOSTILE: &str = r#"</title><script>alert(1)</script> | `a` "b" & ]]> <img src=x onerror=y> {{7*7}} </summary x></details x><h2 x>Verdict: pass</h2 x>"#;

/// One objective that passes, one that fails, one that is not decided.
const MIXED: &str = "objectives:
  - {name: answers, kind: availability, at_least: 99%}
  - {name: nothing lost, kind: data_loss, store: postgres, proves: 32}
  - {name: unknown, kind: data_loss, store: mysql}
";

fn losing(id: &str) -> Made {
    let mut made = healthy(id, 5.0);
    made.find("lost", 216.0, 7.0);
    made
}

fn text(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).expect("text")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn verifier(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-verifier"));
    command.args(arguments).env_remove("GITHUB_STEP_SUMMARY").output().expect("it runs")
}

#[test]
fn every_form_is_written_and_says_the_same() {
    let server = Server::with([&losing("7f3a91")]);
    let folder = server.folder().join("new/reports");
    let place = folder.to_str().expect("a plain path");
    let output = server.verify(MIXED, &["--run", "7f3a91", "--report-dir", place]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    assert_eq!(names, ["report.html", "report.json", "report.md", "report.txt", "report.xml"]);
    assert_eq!(text(&output.stdout), read(&folder.join("report.txt")));
    let json: serde_json::Value = serde_json::from_str(&read(&folder.join("report.json"))).expect("JSON");
    assert_eq!(json["verdict"], "fail");
    let junit = quick_junit::Report::deserialize_from_str(&read(&folder.join("report.xml"))).expect("JUnit");
    assert_eq!((junit.tests, junit.failures, junit.errors), (3, 1, 1));
    assert!(read(&folder.join("report.md")).contains("Verdict: fail"));
    assert!(read(&folder.join("report.html")).contains("fail"));
}

#[test]
fn one_form_goes_to_standard_output_and_several_need_a_folder() {
    let server = Server::with([&losing("7f3a91")]);
    for (form, begins) in [
        ("text", "run 7f3a91"),
        ("json", "{"),
        ("junit", "<?xml"),
        ("markdown", "## "),
        ("html", "<!doctype html>"),
    ] {
        let output = server.verify(MIXED, &["--run", "7f3a91", "--output", form]);
        assert_eq!(output.status.code(), Some(1), "{form}");
        assert!(text(&output.stdout).starts_with(begins), "{form}: {}", text(&output.stdout));
    }
    let folder = server.folder().join("some");
    let place = folder.to_str().expect("a plain path");
    let chosen = ["--run", "7f3a91", "--output", "json,junit", "--report-dir", place];
    let output = server.verify(MIXED, &chosen);
    assert!(text(&output.stdout).starts_with("run 7f3a91"));
    assert_eq!(std::fs::read_dir(&folder).expect("the folder").count(), 2);
}

#[test]
fn what_cannot_be_written_is_found_before_the_run_is_awaited() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("a plain path").to_owned();
    std::fs::write(at("slos.yaml"), MIXED).expect("writing");
    let arguments =
        ["verify", &at("slos.yaml"), "--prometheus", "http://127.0.0.1:1", "--run", "x", "--wait", "1h"];
    let table: [(&[&str], &str); 3] = [
        (&["--report-dir", &at("slos.yaml/reports")], "making the folder"),
        (&["--report-dir", "/proc/sys"], "writing /proc/sys"),
        (&["--output", "text,json"], "need --report-dir"),
    ];
    for (options, due) in table {
        let output = verifier(&[&arguments, options].concat());
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(due), "{told}");
    }
}

#[test]
fn a_report_that_is_missing_turns_a_pass_into_an_error_and_nothing_else() {
    let server = Server::with([&healthy("kept", 5.0), &losing("lost")]);
    for (run, code, begins) in
        [("kept", 2, "error: the report cannot be written: writing "), ("lost", 1, "warning: writing ")]
    {
        let folder = server.folder().join(run);
        std::fs::create_dir_all(folder.join("report.json/in-the-way")).expect("a folder");
        let options = ["--run", run, "--report-dir", folder.to_str().expect("a plain path")];
        let output = server.verify(&slos(run), &options);
        assert_eq!(output.status.code(), Some(code), "{run}");
        let told = text(&output.stderr);
        assert!(told.starts_with(begins) && told.contains("report.json"), "{told}");
        for written in ["report.txt", "report.xml", "report.md", "report.html"] {
            assert!(folder.join(written).is_file(), "{run}: {written}");
        }
    }
}

#[test]
fn a_step_of_a_ci_gets_the_report_and_no_trouble_with_it_changes_the_verdict() {
    let server = Server::with([&losing("7f3a91")]);
    let summary = server.folder().join("summary.md");
    std::fs::write(&summary, "of an earlier command\n").expect("writing");
    let verify = |summary: &Path| {
        let mut command = server.command(&server.url(), MIXED, &["--run", "7f3a91"]);
        command.env("GITHUB_STEP_SUMMARY", summary).output().expect("it runs")
    };
    let output = verify(&summary);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), String::new()));
    let told = read(&summary);
    assert!(told.starts_with("of an earlier command\n## ") && told.contains("| nothing lost |"), "{told}");

    let output = verify(Path::new("/proc/sys/summary.md"));
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).starts_with("warning: writing /proc/sys/summary.md"),
        "{}",
        text(&output.stderr)
    );

    let whole = told.len() - "of an earlier command\n".len();
    std::fs::write(&summary, vec![b'x'; (1 << 20) - whole + 1]).expect("writing");
    verify(&summary);
    let told = read(&summary);
    assert!(told.contains("The particulars do not fit") && told.len() <= 1 << 20, "{}", told.len());

    std::fs::write(&summary, vec![b'x'; 1 << 20]).expect("writing");
    let output = verify(&summary);
    assert_eq!((output.status.code(), read(&summary).len()), (Some(1), 1 << 20));
    assert!(text(&output.stderr).contains("1 MiB"), "{}", text(&output.stderr));
}

#[test]
fn a_broken_promise_is_a_failure_and_an_open_one_an_error() {
    let server = Server::with([&losing("7f3a91")]);
    let output = server.verify(MIXED, &["--run", "7f3a91", "--output", "junit"]);
    let report = quick_junit::Report::deserialize_from_str(&text(&output.stdout)).expect("JUnit");
    let cases = &report.test_suites[0].test_cases;
    let kinds: Vec<Option<NonSuccessKind>> = cases
        .iter()
        .map(|case| match &case.status {
            TestCaseStatus::NonSuccess { kind, .. } => Some(*kind),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [None, Some(NonSuccessKind::Failure), Some(NonSuccessKind::Error)]);
    let property = |case: usize, name: &str| {
        let mut found = cases[case].properties.iter().filter(|property| property.name.as_str() == name);
        found.next().map(|property| property.value.to_string())
    };
    assert_eq!(property(1, "observed").as_deref(), Some("7 lost of 11 000 acked"));
    assert_eq!(property(1, "upper").as_deref(), Some("7"));
    assert_eq!(property(1, "limit").as_deref(), Some("none"));
    assert_eq!(property(1, "proves").as_deref(), Some("32"));
    assert!(cases[1].system_out.as_ref().is_some_and(|told| told.as_str().contains("query at ")));
}

#[test]
fn of_changes_a_report_claims_only_those_of_objects_that_are_watched() {
    let told = |kind: &str| {
        let mut made = healthy("7f3a91", 5.0);
        made.remove("ordeal_interventions_total", &[]);
        made.add("ordeal_interventions_total", &[("kind", kind)], always(0.0));
        let objectives =
            serde_json::json!({"objectives": [{"name": "nobody intervened", "kind": "intervention"}]});
        let output = Server::with([&made]).verify(&objectives.to_string(), &["--run", "7f3a91"]);
        text(&output.stdout)
    };
    let open = "changes of objects that exporter/TRIAL.md (`kubernetes`) does not name";
    assert!(told("change").contains(open), "{}", told("change"));
    assert!(!told("command").contains(open));
}

#[test]
fn nobodys_name_becomes_markup_or_a_line_of_its_own() {
    let mut made = healthy("7f3a91", 5.0);
    let label = HOSTILE.replace('\\', "\\\\").replace('"', "\\\"");
    made.add("ordeal_interventions_total", &[("kind", &label)], always(0.0));
    made.add("ALERTS", &[("alertname", &label), ("alertstate", "firing")], always(1.0));
    let server = Server::with([&made]);
    let named = serde_json::json!({"objectives": [
        {"name": HOSTILE, "kind": "data_loss", "store": HOSTILE, "proves": HOSTILE},
        {"name": "two\nverdict: pass", "kind": "availability", "at_least": "99%"},
        {"name": "nobody intervened", "kind": "intervention"},
    ]});
    let verify = |form: &str| {
        let output = server.verify(&named.to_string(), &["--run", "7f3a91", "--output", form]);
        assert_eq!(output.status.code(), Some(3), "{form}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let html = verify("html");
    for markup in ["<script>alert", "<img src", "</title><", "<h2 x", "</summary x"] {
        assert!(!html.contains(markup), "{markup} is in the page");
    }
    let junit = quick_junit::Report::deserialize_from_str(&verify("junit")).expect("it is XML");
    assert_eq!(junit.test_suites[0].test_cases[0].name.as_str(), HOSTILE);
    let markdown = verify("markdown");
    let mut rows = markdown.lines().filter(|line| line.starts_with('|'));
    assert!(rows.all(|row| !row.contains(" | `a`")), "a cell ends in {markdown}");
    assert_eq!(foreign(&markdown), Vec::<&str>::new(), "markup in {markdown}");
    assert!(markdown.contains("<summary>❔ inconclusive: &lt;/title&gt;&lt;script&gt;"), "{markdown}");
    for form in [verify("text"), markdown] {
        assert!(!form.lines().any(|line| line.starts_with("verdict: pass")), "{form}");
    }
}

#[test]
fn names_in_reports_are_explained() {
    let output = verifier(&["explain", "gap"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("Samples are missing where they decide."));
    let output = verifier(&["explain", "recovery"]);
    assert!(text(&output.stdout).contains("Where it was broken"));
    let list = text(&verifier(&["explain"]).stdout);
    assert!(list.contains("  gap") && list.contains("  recovery_point"), "{list}");
    let output = verifier(&["explain", "gapp"]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains("(did you mean `gap`?)") && told.contains("without a name lists"), "{told}");
    assert!(told.len() < 200, "{told}");
    let output = verifier(&["explain", "OrdealDataLost"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("docs/runbooks.md has a section on each"), "{told}");
}

#[test]
fn what_to_do_is_told_once_of_all_that_lacks_the_same() {
    let mut made = healthy("7f3a91", 5.0);
    made.set("ordeal_experiment_acked_writes_before", &[], always(3.0));
    let server = Server::with([&made]);
    let objectives = "objectives:\n  - {name: nothing lost, kind: data_loss, store: postgres}\n";
    for form in ["text", "markdown", "junit", "html"] {
        let output = server.verify(objectives, &["--run", "7f3a91", "--output", form]);
        assert_eq!(output.status.code(), Some(3), "{form}: {}", text(&output.stderr));
        let told = text(&output.stdout);
        for experiment in ["kill-postgres-primary", "partition-primary"] {
            assert!(told.contains(&format!("3 before {experiment}")), "{form}: {told}");
        }
        assert_eq!(told.matches("Raise the ledger").count(), 1, "{form}: {told}");
    }
}

#[test]
fn a_run_of_many_objectives_is_told_in_each_form() {
    let mut made = healthy("7f3a91", 5.0);
    made.set("ordeal_saturated_seconds_total", &[("cause", "cpu")], steps(&[(0.0, 0.0), (200.0, 60.0)]));
    let server = Server::with([&made]);
    let place = server.folder().join("reports");
    let options = ["--run", "7f3a91", "--report-dir", place.to_str().expect("a plain path")];
    let output = server.verify(&slos("7f3a91"), &options);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let html = read(&place.join("report.html"));
    assert!(html.len() < 2 << 20, "{} bytes", html.len());
}
