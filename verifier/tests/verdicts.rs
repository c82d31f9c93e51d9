//! The verifier against a real Prometheus with made runs.

mod made;

use made::{Server, healthy};
use serde_json::Value;

const THIN: &str = include_str!("made/thin.yaml");

/// The findings that did not pass, each with its name, verdict and shortfalls.
fn not_passed(told: &Value) -> Vec<String> {
    let findings = told["findings"].as_array().expect("findings");
    let line = |finding: &Value| {
        let shortfalls: Vec<_> = finding["shortfalls"]
            .as_array()
            .expect("shortfalls")
            .iter()
            .map(|one| one["detail"].as_str())
            .collect();
        format!("{} {} {:?} {}", finding["name"], finding["verdict"], shortfalls, finding["observed"])
    };
    findings.iter().filter(|finding| finding["verdict"] != "pass").map(line).collect()
}

#[test]
fn a_healthy_run_passes() {
    let server = Server::with([&healthy("r1", 1.0), &healthy("r15", 15.0)]);
    for run in ["r1", "r15"] {
        let told = server.verdict(THIN, &["--run", run]);
        assert_eq!(not_passed(&told), Vec::<String>::new(), "{run}");
        assert_eq!(told["verdict"], "pass");
    }
    let text = server.verify(THIN, &["--run", "r1"]);
    println!("{}", String::from_utf8_lossy(&text.stdout));
}
