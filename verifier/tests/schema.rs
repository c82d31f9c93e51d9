//! The published shape of `--output json`, and whether real reports have it.

mod made;

use std::path::Path;
use std::process::Command;

use made::{Server, healthy, slos, steps};
use serde_json::{Value, json};

fn schema() -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_slo-verifier")).arg("schema").output().expect("it runs");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What is wrong with a report by the schema.
fn faults(report: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    validator.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_published_schema_is_the_one_of_this_version() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("report.schema.json");
    let text = format!("{:#}\n", schema());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, &text).expect("writing the schema");
    }
    let golden = std::fs::read_to_string(&file).expect("the schema (BLESS=1 writes it)");
    assert_eq!(text, golden, "the schema differs from {}; BLESS=1 writes it anew", file.display());
}

#[test]
fn real_reports_of_every_verdict_have_the_shape() {
    let mut losing = healthy("lost", 5.0);
    losing.find("lost", 216.0, 7.0);
    let mut endless = healthy("endless", 5.0);
    endless.set(
        "ordeal_recovery_upper_seconds",
        &[("experiment", "kill-postgres-primary"), ("component", "postgres")],
        steps(&[(215.0, f64::INFINITY)]),
    );
    let server = Server::with([&healthy("kept", 5.0), &losing, &endless]);
    let verdicts =
        [("kept", "pass"), ("lost", "fail"), ("endless", "inconclusive"), ("none", "inconclusive")];
    for (run, verdict) in verdicts {
        let report = server.verdict(&slos(run), &["--run", run]);
        assert_eq!(report["verdict"], verdict, "{run}");
        assert_eq!(faults(&report), [""; 0], "{run}");
        for finding in report["findings"].as_array().expect("findings") {
            let passed = finding["verdict"] == "pass";
            let told = [&finding["cause"], &finding["remedy"]].map(Value::is_string);
            assert_eq!(told, [!passed; 2], "{finding}");
        }
    }
}

#[test]
fn what_is_no_such_report_is_noticed() {
    let server = Server::with([&healthy("kept", 5.0)]);
    let sound = server.verdict(&slos("kept"), &["--run", "kept"]);
    let bends: [(&str, Value); 5] = [
        ("/version", json!(2)),
        ("/verdict", json!("good")),
        ("/findings/0/observed/value", json!("many")),
        ("/run/phases/0/start", json!(null)),
        ("/findings", json!(null)),
    ];
    for (place, value) in bends {
        let mut bent = sound.clone();
        *bent.pointer_mut(place).expect("the place") = value;
        assert_ne!(faults(&bent), [""; 0], "{place}");
    }
    let mut bent = sound;
    bent["findings"][0].as_object_mut().expect("a finding").remove("limit");
    assert_ne!(faults(&bent), [""; 0], "a finding without limit");
}
