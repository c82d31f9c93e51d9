//! What the commands of experiments print of the trial's secrets is shown nowhere.

use std::fs;

use crate::support::{Exporter, System};

const SECRET: &str = "correct-horse-battery";
/// What is in no other text.
const REST: &str = "battery";
/// Bytes of a command's output that are kept.
const TAIL: usize = 4 << 10;

/// Every command prints the secret: before and where it fails, on both streams, and cut in its middle.
const EXPERIMENTS: &str = r#"components:
  - {name: shop, http: /healthz, interval: 20ms}
after: 0s
settle: 1s
experiments:
  - name: no-answer
    components: [shop]
    exec: {target: "cat key.txt >&2; exit 7", inject: "false"}
  - name: no-target
    components: [shop]
    exec: {target: "cat key.txt >&2", inject: "false"}
  - name: fails
    components: [shop]
    exec:
      target: echo pg-$(cat key.txt)
      inject: touch broken; cat key.txt; cat key.txt >&2; exit 3
      revert: rm -f broken; cat cut.txt; cat key.txt >&2
  - name: unseen
    components: [shop]
    exec: {target: echo pg1, inject: "true", bit: "cat key.txt; false", revert: "true", timeout: 1s}
  - name: stuck
    components: [shop]
    exec: {target: echo pg1, inject: touch broken, bit: cat key.txt, revert: "cat key.txt >&2; test -e none"}
"#;

fn assert_hidden(what: &str, text: &str, times: usize) {
    assert!(!text.contains(REST), "{what}: {text}");
    let found = text.matches("[redacted]").count();
    assert!(found >= times, "{what} tells of {found} only: {text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_every_command_prints_is_in_no_log_report_or_message() {
    let system = System::start().await;
    let trial = system.trial("1s", EXPERIMENTS);
    let text = fs::read_to_string(&trial).expect("written");
    let secret = r#"[{GET /: {headers: {X-Key: "${file:key.txt}"}}}]"#;
    fs::write(&trial, text.replace("[GET /]", secret)).expect("writable");
    fs::write(system.path("key.txt"), format!("{SECRET}\n")).expect("writable");
    let cut = format!("{SECRET}{}", "x".repeat(TAIL - REST.len()));
    fs::write(system.path("cut.txt"), cut).expect("writable");

    let mut plan = system.command(&["plan", "trial.yaml"]);
    let plan = tokio::task::spawn_blocking(move || plan.output()).await.expect("no panic");
    let plan = plan.expect("the binary starts");
    let planned = String::from_utf8_lossy(&[plan.stdout, plan.stderr].concat()).into_owned();
    assert_hidden("plan", &planned, 3);

    let mut exporter = Exporter::start(&system, &trial);
    exporter.until(&[r#"ordeal_run_phase{phase="aborted"} 1"#]).await;
    assert_eq!(exporter.ended().await.code(), Some(1), "{}", exporter.said());
    assert_hidden("messages", &exporter.said(), 1);
    let log = fs::read_to_string(system.path("run/latest/exporter.log")).expect("a log");
    assert_hidden("log", &log, 5);
    let chaos = system.result("chaos.json");
    let [no_answer, no_target, fails, _, stuck] = [0, 1, 2, 3, 4].map(|index| &chaos["experiments"][index]);
    for (refused, kind) in [(no_answer, "target_unknown"), (no_target, "no_target")] {
        assert_eq!(refused["refused"]["kind"], kind, "{chaos:#}");
        assert_hidden(kind, &refused["refused"]["reason"].to_string(), 1);
    }
    assert_eq!(fails["targets"][0], "pg-[redacted]", "{chaos:#}");
    for (step, stream) in [(0, "stdout"), (0, "stderr"), (1, "stdout"), (1, "stderr")] {
        assert_hidden(stream, &fails["commands"][step][stream].to_string(), 1);
    }
    assert_eq!(stuck["commands"][1]["stdout"], "[redacted]", "{chaos:#}");
    assert_hidden("chaos.json", &chaos.to_string(), 8);
}
