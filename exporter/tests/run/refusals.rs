//! Runs that cannot begin say why, each with its exit code.

use std::net::TcpListener;

use crate::support::{Exporter, System};

/// A run that nobody scrapes.
const RUN: [&str; 7] =
    ["run", "trial.yaml", "--web.listen-address", "127.0.0.1:0", "--no-wait-for-scrape", "--linger", "0s"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unhealthy_target_is_named_and_no_user_is_started() {
    let system = System::start().await;
    system.break_it();
    system.trial("1s", "components:\n  - {name: shop, http: /healthz}\n  - {name: home, http: /}\n");
    let (code, said) = system.run(&RUN).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("preflight: not healthy after 30 s: shop (")
            && said.contains("); a run begins on a healthy system"),
        "{said}"
    );
    assert!(!system.path("run/latest/load.json").exists(), "there was no load");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_nobody_serves_is_named() {
    let mut system = System::start().await;
    // Bound and never listened on: whoever connects is refused, and nobody else gets it.
    let held = tokio::net::TcpSocket::new_v4().expect("a socket");
    held.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    system.address = held.local_addr().expect("bound");
    system.trial("1s", "");
    let (code, said) = system.run(&RUN).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("preflight: ") && said.contains(&system.address.to_string()), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_is_named() {
    let system = System::start().await;
    system.trial("1s", "");
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = holder.local_addr().expect("bound").to_string();
    let (code, said) = system.run(&["run", "trial.yaml", "--web.listen-address", &taken]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(&format!("listen on {taken} (--web.listen-address chooses another)")), "{said}");
    assert!(said.contains("in use"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_trial_is_told_with_file_line_and_column() {
    let system = System::start().await;
    system.trial("1s", "settle: soon\ncompnents: []\n");
    for command in ["run", "check"] {
        let (code, said) = system.run(&[command, "trial.yaml"]).await;
        assert_eq!(code, Some(2), "{command}: {said}");
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines.len(), 2, "{command}: {said}");
        assert!(lines[0].starts_with("trial.yaml:9:9: "), "{command}: {said}");
        assert!(lines[1].starts_with("trial.yaml:10:1: unknown key `compnents`"), "{command}: {said}");
    }
    assert!(!system.path("run").exists(), "nothing was begun");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_to_be_replaced_that_the_status_document_does_not_know_is_named_and_nothing_is_broken() {
    let system = System::start().await;
    let rest = format!(
        "status: http://{}/status\ncomponents:\n  - {{name: replicas, replicas: shop}}\nafter: 0s\nsettle: 1s\n\
         experiments:\n  - name: kill\n    components: [replicas]\n    replaced: true\n    exec:\n      \
         target: echo pod/shop-1\n      inject: touch broken\n",
        system.address
    );
    let mut exporter = Exporter::start(&system, &system.trial("1s", &rest));
    let status = exporter.ended().await;
    assert!(status.success(), "{status}\n{}", exporter.said());
    let refused = &system.result("chaos.json")["experiments"][0]["refused"];
    assert_eq!(refused["kind"], "no_replica", "{refused:#}");
    let reason = "target pod/shop-1 is neither an instance nor a node of workload shop";
    assert_eq!((&refused["reason"], system.is_broken()), (&reason.into(), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_command_knows_nothing_of_the_experiment_that_the_exporter_itself_is_part_of() {
    let system = System::start().await;
    system.trial(
        "1s",
        "components:\n  - {name: shop, http: /healthz}\nexperiments:\n  - name: kill\n    components: [shop]\n    \
         exec:\n      target: printenv ORDEAL_TOKEN || echo none\n      inject: touch broken\n",
    );
    let mut command = system.command(&["plan", "trial.yaml"]);
    command.env("ORDEAL_TOKEN", "of-another");
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    let output = output.expect("the binary starts");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("targets   none\n"), "{shown}");
}
