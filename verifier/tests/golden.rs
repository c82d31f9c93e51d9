//! The report as a person reads it, against a file: one objective passes, one fails, some are inconclusive.

mod made;

use std::path::Path;

use made::{Made, Server, healthy, steps};

const SLOS: &str = "objectives:
  - {name: the shop answers, kind: availability, at_least: 99.9%}
  - {name: sales are made, kind: availability, at_least: 99.9%, task: sale, during: {phase: steady}}
  - {name: answers in time, kind: latency, within: 2s, at_least: 95%}
  - {name: PostgreSQL recovers, kind: recovery, experiment: kill-postgres-primary, component: postgres, within: 30s, proves: 29}
  - {name: nothing lost in PostgreSQL, kind: data_loss, store: postgres, proves: 32}
  - {name: back to 3 replicas, kind: scaling, workload: shop, shape: down, to: 3, within: 120s, proves: 35}
  - {name: every component healthy, kind: health}
";

fn run() -> Made {
    let mut made = healthy("7f3a91", 5.0);
    let failed = |count: f64| steps(&[(0.0, 0.0), (80.0, count)]);
    let sale = ("task", "sale");
    made.set("ordeal_requests_total", &[sale, ("outcome", "error")], failed(30.0));
    made.set("ordeal_response_time_seconds_bucket", &[sale, ("outcome", "error")], failed(30.0));
    for (reason, count) in
        [("http_5xx", 20.0), ("reset", 6.0), ("request_timeout", 3.0), ("connect_refused", 1.0)]
    {
        made.set("ordeal_request_errors_total", &[sale, ("reason", reason)], failed(count));
    }
    made.find("lost", 216.0, 7.0);
    let replicas = steps(&[(0.0, 3.0), (75.0, 10.0), (597.0, 3.0)]);
    made.set("ordeal_workload_replicas", &[("state", "ready")], replicas);
    made.in_time(0.949);
    made.set("ordeal_saturated_seconds_total", &[("cause", "cpu")], steps(&[(0.0, 0.0), (200.0, 60.0)]));
    made
}

/// What differs from one test to the next: the server's address and version, and every time.
fn steadied(text: &str, server: &Server) -> String {
    let text = text.replace(&server.url(), "http://prometheus:9090");
    let version = text.split("Prometheus ").nth(1).and_then(|rest| rest.split(" at ").next());
    let text =
        text.replace(&format!("Prometheus {} at", version.expect("a version")), "Prometheus VERSION at");
    let steady = |word: &str| {
        let bare = word.trim_end_matches([':', ',', ')', '\n', ' ']);
        let at: Option<f64> = bare.parse().ok().filter(|at| *at > 1e9);
        let since = |at: f64| word.replace(bare, &format!("START+{:.1}", at - server.start));
        at.map_or_else(|| word.to_owned(), since)
    };
    let text: String = text.split_inclusive([' ', '\n']).map(steady).collect();
    let lines: Vec<String> = text.lines().map(undated).collect();
    lines.join("\n") + "\n"
}

/// A line without the date that it tells.
fn undated(line: &str) -> String {
    if line.starts_with("began ") {
        let told: Vec<&str> = line.trim_end().split(", ").collect();
        let [_, ended, judged, later] = told[..] else { panic!("{line}") };
        assert!(ended.starts_with("ended ") && ended.ends_with(" UTC"), "{line}");
        assert!(judged.starts_with("judged ") && judged.ends_with(" UTC"), "{line}");
        assert!(later.starts_with('1') && later.ends_with(" min later"), "{line}");
        return line.replace(line.trim_end(), "began TIME, ended TIME, judged TIME, 15 min later");
    }
    match line.split_once(" timestamp=\"") {
        Some((before, rest)) => {
            let after = rest.split_once('"').expect("the end of the attribute").1;
            format!("{before} timestamp=\"TIME\"{after}")
        }
        None => line.to_owned(),
    }
}

#[test]
fn the_report_reads_as_it_should() {
    let server = Server::with([&run()]);
    for (form, name) in [("text", "report.txt"), ("junit", "report.xml"), ("markdown", "report.md")] {
        let output = server.verify(SLOS, &["--run", "7f3a91", "--output", form]);
        assert_eq!(output.status.code(), Some(1));
        let text = steadied(&String::from_utf8(output.stdout).expect("text"), &server);
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &text).expect("writing the report");
        }
        let golden = std::fs::read_to_string(&file).expect("the golden report (BLESS=1 writes it)");
        assert_eq!(text, golden, "the report differs from {}; BLESS=1 writes it anew", file.display());
    }
}
