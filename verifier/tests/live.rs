//! Runs that go on while the verifier waits for them, scraped by a real Prometheus.

mod made;

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::time::{Duration, Instant};

use made::live::Live;
use made::{KEPT, Made, Server, await_that, brief, healthy, said, told};
use serde_json::Value;

const WAIT: [&str; 4] = ["--wait", "2m", "--output", "json"];

fn ended(verifier: Child) -> Value {
    told(&verifier.wait_with_output().expect("the verifier ends"))
}

/// A run and a server that scrapes it.
fn scraped(made: Made) -> (Live, Server) {
    let live = Live::play(made);
    let server = Server::scraping(&[&live.address]);
    (live, server)
}

#[test]
fn a_run_is_waited_for_until_its_end_and_one_newer_scrape() {
    let live = Live::play(brief("awaited"));
    // Not yet scraped: the run is waited for before it begins.
    let server = Server::scraping(&[&live.address]);
    let told = ended(server.begin(KEPT, &[&WAIT[..], &["--run", "awaited"]].concat()));
    assert_eq!(told["verdict"], "pass", "{told:#}");
    let (end, start) = (told["run"]["end"].as_f64(), told["run"]["start"].as_f64());
    assert_eq!(end.zip(start).map(|(end, start)| (end - start).round()), Some(6.0));
}

#[test]
fn a_run_that_goes_on_is_unfinished_when_the_wait_is_over() {
    let mut endless = brief("endless");
    endless.set("ordeal_run_end_timestamp_seconds", &[], made::always(0.0));
    let (_live, server) = scraped(endless);
    await_that("the run", || server.verdict(KEPT, &[])["run"]["id"] == "endless");
    let told = server.verdict(KEPT, &["--wait", "2s"]);
    for name in ["the service answers", "nothing lost"] {
        let said = said(&told, name);
        assert!(said.starts_with("inconclusive") && said.contains("run_unfinished"), "{said}");
    }
}

#[test]
fn a_conductor_gone_for_a_minute_is_waited_for_no_longer() {
    let mut gone = healthy("gone", 1.0);
    gone.last = 500.0;
    // Its last scrape was 55 s ago.
    let server = Server::aged([(&gone, 555.0)], &[]);
    let before = Instant::now();
    let told = server.verdict(&made::slos("gone"), &["--wait", "10m"]);
    assert!(before.elapsed() < Duration::from_mins(5), "{:?}", before.elapsed());
    assert_eq!(told["verdict"], "inconclusive");
    for finding in told["findings"].as_array().expect("findings") {
        let name = finding["name"].as_str().expect("a name");
        assert!(said(&told, name).starts_with("inconclusive"), "{name}");
        assert!(said(&told, name).contains("run_unfinished"), "{name}");
    }
}

#[test]
fn a_restart_of_prometheus_that_forgets_nothing_does_not_matter() {
    let (live, mut server) = scraped(brief("kept"));
    let mut verifier = server.begin(KEPT, &WAIT);
    server.await_query();
    await_that("the middle of the run", || live.time() > 2.5);
    server.stop();
    let log = verifier.stderr.take().expect("its log");
    let noticed = |line: Result<String, _>| line.expect("a line").contains("does not answer at present");
    assert!(BufReader::new(log).lines().any(noticed), "the verifier gave up");
    server.resume();
    let told = ended(verifier);
    assert_eq!(told["verdict"], "pass", "{told:#}");
}

#[test]
fn a_prometheus_that_lost_the_beginning_does_not_pass() {
    let (live, mut server) = scraped(brief("forgotten"));
    await_that("the middle of the run", || live.time() > 2.5);
    server.stop();
    server.forget();
    server.resume();
    let told = server.verdict(KEPT, &["--wait", "2m"]);
    assert_eq!(said(&told, "the service answers"), "inconclusive prometheus_restarted");
    assert_eq!(said(&told, "nothing lost"), "inconclusive prometheus_restarted");
}

/// The first process of a container ends by no signal that it does not hear.
#[test]
fn whoever_waits_for_a_run_ends_when_told_to() {
    let server = Server::with([]);
    let waits = server.begin(KEPT, &["--run", "none", "--wait", "5m"]);
    server.await_query();
    let told = std::process::Command::new("kill").args(["-TERM", &waits.id().to_string()]).status();
    assert!(told.expect("it runs").success());
    let output = waits.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"), "{output:?}");
}
