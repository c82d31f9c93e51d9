//! An abort limit: too many failed requests end a run, and what is broken is put back first.

use crate::support::{Exporter, System};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_in_which_too_many_requests_fail_puts_back_what_is_broken_and_ends_as_aborted() {
    let system = System::start().await;
    let rest = "after: 0s\nexperiments:\n  - name: break\n    components: [shop]\n    deadline: 20m\n    \
                hold: 10m\n    exec:\n      target: echo shop\n      inject: touch broken\n      \
                bit: test -e broken\n      revert: rm -f broken\n      timeout: 20s\n\
                components: [{name: shop, http: /healthz, interval: 20ms}]\n";
    let trial = system.trial("10m", rest);
    let text = std::fs::read_to_string(&trial).expect("written");
    let limited = text
        .replace("  tasks:\n", "  abort_when: {errors: 50%, for: 5s}\n  tasks:\n")
        .replace("[GET /]", "[GET /healthz]");
    std::fs::write(&trial, limited).expect("writable");

    let mut exporter = Exporter::start(&system, &trial);
    exporter.until(&[r#"ordeal_run_phase{phase="aborted"} 1"#]).await;
    assert!(!system.is_broken(), "put back");
    assert_eq!(exporter.ended().await.code(), Some(1), "{}", exporter.said());
    let said = exporter.said();
    let why = "requests failed within 5 s, which the trial's `abort_when` does not allow";
    assert!(said.contains("the run was aborted: ") && said.contains(why), "{said}");
    let report = system.result("chaos.json");
    assert!(report["experiments"][0]["reverted"].is_object(), "{report:#}");
}
