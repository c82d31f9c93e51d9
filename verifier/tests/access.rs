//! The way to Prometheus: credentials, refusals, partial answers, and what the exit code says of each.

mod made;

use std::process::{Command, Output};

use made::proxy::{Proxy, Spoil};
use made::stub::Stub;
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

    let half = through(&server, Spoil::Halve("ordeal_requests_total"), TOKEN);
    assert_eq!(said(&json(&half), "shop answers"), "inconclusive warning");

    let refused = through(&server, Spoil::Refuse("ordeal_ledger_audit"), TOKEN);
    assert_eq!(refused.status.code(), Some(3));
    assert_eq!(said(&json(&refused), "nothing lost"), "inconclusive query_error");

    let blind = through(&server, Spoil::Refuse("ordeal_run_info"), TOKEN);
    assert_eq!(said(&json(&blind), "nothing lost"), "inconclusive query_error");
}

/// The head of a report whose answers were partial where their queries had this part.
fn head(server: &Server, part: &'static str) -> String {
    let proxy = Proxy::to(&server.url(), TOKEN, Spoil::Halve(part));
    let header = format!("Authorization: Bearer {TOKEN}");
    let output = server.verify_at(&proxy.url, &slos("r"), &["--header", &header]);
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).expect("text");
    text.split("\n\n").next().expect("a head").to_owned()
}

#[test]
fn the_head_of_a_report_claims_nothing_that_was_not_answered_in_full() {
    let server = Server::with([&healthy("r", 5.0)]);
    let judged = "judged: nothing\nnot claimed: that the load was held; availability; latency; recovery times; leaders; ";
    let all = head(&server, "");
    assert!(all.starts_with("not known whether there is such a run  Prometheus "), "{all}");
    assert!(all.contains(judged), "{all}");
    // Only the search for the run and the time are answered in full: they have no braces.
    let but_the_run = head(&server, "%7B");
    let lines: Vec<&str> = but_the_run.lines().collect();
    assert!(lines[0].starts_with("run r  made  length not known  Prometheus "), "{but_the_run}");
    assert!(lines[0].ends_with(", clocks and scrapes not known"), "{but_the_run}");
    assert!(lines[1].starts_with("first seen 20") && lines[1].contains(", last seen "), "{but_the_run}");
    assert!(but_the_run.contains(judged), "{but_the_run}");
}

/// Runs the verifier on an address without a Prometheus.
fn attempt(url: &str, options: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("slos.yaml");
    std::fs::write(&file, slos("r")).expect("writing");
    let mut command = Command::new(env!("CARGO_BIN_EXE_slo-verifier"));
    command.arg("verify").arg(&file).args(["--prometheus", url, "--run", "latest"]).args(options);
    command.output().expect("the verifier runs")
}

/// What it says of it on standard error.
fn refusal(url: &str, options: &[&str]) -> String {
    let output = attempt(url, options);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{told}");
    told.strip_prefix("error: no usable answer from Prometheus: ")
        .unwrap_or_else(|| panic!("{told}"))
        .to_owned()
}

#[test]
fn a_wrong_address_is_told_with_what_is_wrong() {
    let plain = Stub::start();
    let tls = Tls::before(&plain.url);
    let https = plain.url.replace("http:", "https:");
    let http = tls.url.replace("https:", "http:");
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &tls.authority).expect("writing the certificate");
    let ca = ca.to_str().expect("text");
    let at = |path: &str| format!("{}/{path}", plain.url);
    let table = [
        (
            at("missing"),
            vec![],
            "answered 404 (404 page not found): is this a Prometheus? If it has a path prefix",
        ),
        (
            at("locked"),
            vec![],
            "answered 401 (no): it wants credentials: give --username with --password-file",
        ),
        (at("forbidden"), vec![], "answered 403: these credentials may not ask it"),
        (at("page"), vec![], "did not answer with JSON of the query API: is this a Prometheus?"),
        (at("tls"), vec![], "it speaks TLS: try https:// instead of http://"),
        (
            at("slow"),
            vec!["--timeout", "200ms"],
            "no answer in time: check host and firewall, or raise --timeout",
        ),
        ("http://127.0.0.1:1".to_owned(), vec![], "the connection was refused: does Prometheus run there"),
        ("http://prometheus.invalid:9090".to_owned(), vec![], "its name is not resolved: check the spelling"),
        (https, vec![], "it does not speak TLS: try http:// instead of https://"),
        (http, vec![], "it speaks TLS: try https:// instead of http://"),
        (tls.url.clone(), vec![], "its certificate is not accepted (invalid peer certificate: "),
        (format!("{}/missing", tls.url), vec!["--ca", ca], "answered 404"),
    ];
    for (url, options, due) in table {
        let told = refusal(&url, &options);
        assert!(told.starts_with(&url) && told.contains(due), "{url}: {told}");
    }
}

#[test]
fn an_address_with_a_secret_in_the_wrong_place_is_refused_and_the_secret_not_shown() {
    let way_out = "give a token with --bearer-token-file, anything else with --header";
    let table = [
        ("http://127.0.0.1:1/?token=hunter2", way_out),
        ("http://127.0.0.1:1/prometheus#hunter2", way_out),
        ("admin:hunter2@prom:9090", "the address `…@prom:9090` is no http or https URL"),
        ("http://admin:hunter2@prom:99999", "the address `…@prom:99999` is no http or https URL"),
        ("ftp://admin:hunter2@prom", "the address `…@prom` is no http or https URL"),
    ];
    for (url, due) in table {
        let output = attempt(url, &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]), "{url}: {told}");
        assert!(told.contains(due) && !told.contains("hunter2"), "{url}: {told}");
    }
}

#[test]
fn what_is_sent_to_prometheus_is_sent_to_no_other() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let login = format!("http://{}/login", other.local_addr().expect("an address"));
    other.set_nonblocking(true).expect("a listener that does not wait");
    let elsewhere = Stub::sending_to(&format!("{login}?back=ticket"));
    let told = refusal(&elsewhere.url, &["--header", "X-Api-Key: s3cret"]);
    let due = format!(
        "{}: it redirects to {login} (a login page?): give Prometheus' own address, or credentials that it takes\n",
        elsewhere.url
    );
    assert_eq!(told, due);
    let asked = other.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(asked, Err(std::io::ErrorKind::WouldBlock), "the other server was asked");
}

#[test]
fn a_wrong_token_is_never_shown() {
    let server = Server::with([&healthy("r", 15.0)]);
    for output in [through(&server, Spoil::Nothing, "wrong"), through(&server, Spoil::Page, TOKEN)] {
        assert_eq!(output.status.code(), Some(4));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!told.contains("wrong") && !told.contains(TOKEN), "{told}");
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
    let endless = check(std::path::Path::new("/dev/zero"));
    assert_eq!(endless.status.code(), Some(2));
    let told = String::from_utf8_lossy(&endless.stderr).into_owned();
    assert!(told.ends_with("reading /dev/zero: it is a device, expected a regular file\n"), "{told}");
    let lab = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/lab/slos.yaml");
    let output = check(&lab);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
