//! The way to Prometheus: credentials, refusals, partial answers, and what the exit code says of each.

mod made;

use std::process::{Command, Output};

use made::proxy::{Proxy, Spoil};
use made::tls::Tls;
use made::{Server, await_that, healthy, said, slos};

const TOKEN: &str = "s3cret";

/// Runs the verifier through a proxy, with the right token unless told otherwise.
fn through(server: &Server, spoil: Spoil, token: &str) -> Output {
    let proxy = Proxy::to(&server.url(), TOKEN, spoil);
    let file = server.folder().join("token");
    std::fs::write(&file, format!("{token}\n")).expect("writing the token");
    let file = file.display().to_string();
    server.verify_at(&proxy.url, &slos("r"), &["--bearer-token-file", &file, "--output", "json"])
}

fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).expect("a report")
}

#[test]
fn answers_through_a_proxy_are_judged_and_spoilt_ones_never_pass() {
    let server = Server::with([&healthy("r", 5.0)]);
    let sound = through(&server, Spoil::Nothing, TOKEN);
    assert_eq!(sound.status.code(), Some(0), "{}", String::from_utf8_lossy(&sound.stdout));

    let partial = through(&server, Spoil::Warn("ordeal_requests_total"), TOKEN);
    assert_eq!(partial.status.code(), Some(3));
    assert_eq!(said(&json(&partial), "shop answers"), "inconclusive warning");
    assert_eq!(said(&json(&partial), "nothing lost"), "pass ");

    let hidden = through(&server, Spoil::Warn("ordeal_run_info"), TOKEN);
    assert_eq!(said(&json(&hidden), "nothing lost"), "inconclusive warning");

    let refused = through(&server, Spoil::Refuse("ordeal_ledger_audit"), TOKEN);
    assert_eq!(refused.status.code(), Some(3));
    assert_eq!(said(&json(&refused), "nothing lost"), "inconclusive query_error");

    let blind = through(&server, Spoil::Refuse("ordeal_run_info"), TOKEN);
    assert_eq!(said(&json(&blind), "nothing lost"), "inconclusive query_error");
}

#[test]
fn what_is_no_prometheus_is_unreachable() {
    let server = Server::with([&healthy("r", 15.0)]);
    for output in [
        through(&server, Spoil::Nothing, "wrong"),
        through(&server, Spoil::Page, TOKEN),
        server.verify_at("http://127.0.0.1:1", &slos("r"), &[]),
    ] {
        assert_eq!(output.status.code(), Some(4));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.starts_with("error: Prometheus is unreachable: "), "{told}");
        assert!(!told.contains("wrong"), "{told}");
    }
}

#[test]
fn a_server_behind_an_own_authority_is_trusted_by_its_certificate_only() {
    let server = Server::with([&healthy("r", 15.0)]);
    let front = Tls::before(&server.url());
    let [own, other] =
        [("own.pem", &front), ("other.pem", &Tls::before(&server.url()))].map(|(name, tls)| {
            let file = server.folder().join(name);
            std::fs::write(&file, &tls.authority).expect("writing the certificate");
            file.display().to_string()
        });
    let judged = |options: &[&str]| server.verify_at(&front.url, &slos("r"), options).status.code();
    assert_eq!(judged(&["--ca", &own]), Some(0));
    assert_eq!(judged(&["--ca", &other]), Some(4));
    assert_eq!(judged(&[]), Some(4));
    // A file that holds no certificate is the user's mistake.
    assert_eq!(judged(&["--ca", server.folder().join("prometheus.yml").to_str().expect("text")]), Some(2));
}

#[test]
fn waiting_does_not_help_against_a_wrong_address() {
    let server = Server::with([&healthy("r", 15.0)]);
    let mut verifier = server.begin_at("http://127.0.0.1:1", &slos("r"), &["--wait", "10m"]);
    let mut code = None;
    await_that("the end of the verifier", || {
        code = verifier.try_wait().expect("its state").and_then(|status| status.code());
        code.is_some()
    });
    assert_eq!(code, Some(4));
}

#[test]
fn a_bad_file_is_told_with_places_and_exit_code_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("slos.yaml");
    std::fs::write(&file, "objectives:\n  - {name: a, kind: recovry}\n  - {name: b, kind: latency}\n")
        .expect("writing");
    let check = |file: &std::path::Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slo-verifier"));
        command.arg("check").arg(file).output().expect("the verifier runs")
    };
    let output = check(&file);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let name = file.display();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        told.starts_with(&format!("{name}:2:21: `kind` is `recovry` (did you mean `recovery`?)")),
        "{told}"
    );
    assert!(told.contains(&format!("{name}:3:5: objective `b` has no `within`")), "{told}");
    assert_eq!(check(&folder.path().join("none.yaml")).status.code(), Some(2));
    let lab = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lab/slos.yaml");
    let output = check(&lab);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
