//! Holds the sources to the rules between the rooms (ARCHITECTURE.md, "Invariants"), by reading them as text.

#[path = "rooms/rules.rs"]
mod rules;
#[path = "rooms/source.rs"]
mod source;

use std::collections::BTreeSet;

use regex::Regex;
use rules::{Breach, ROOMS};
use source::Source;

/// All that breaks `rule`, as HOUSE/src/PATH:LINE: WHAT.
fn breaches(sources: &[Source], rule: impl Fn(&Source) -> Vec<Breach>) -> Vec<String> {
    let found = |source: &Source| {
        let (house, path) = (source.house.clone(), source.path.clone());
        rule(source).into_iter().map(move |breach| format!("{house}/src/{path}:{breach}"))
    };
    sources.iter().flat_map(found).collect()
}

#[test]
fn the_sources_are_found() {
    let sources = source::all();
    for known in [
        "exporter/clock.rs",
        "verifier/main.rs",
        "dashboards/main.rs",
        "deploy/lab/main.rs",
        "deploy/shop/main.rs",
    ] {
        assert!(sources.iter().any(|source| format!("{}/{}", source.house, source.path) == known), "{known}");
    }
}

#[test]
fn houses_never_import_each_other() {
    assert_eq!(breaches(&source::all(), rules::other_house), [""; 0]);
    for house in source::HOUSES {
        let manifest = source::manifest(house);
        let names = manifest.lines().filter_map(|line| line.split(['.', '=', ' ']).next());
        let other = |name: &&str| ["exporter", "verifier", "dashboards", "lab", "shop"].contains(name);
        assert_eq!(names.filter(other).collect::<Vec<_>>(), [""; 0], "{house}/Cargo.toml");
    }
}

#[test]
fn load_health_ledger_and_chaos_never_import_each_other() {
    assert_eq!(breaches(&source::all(), rules::other_room), [""; 0]);
    for room in ROOMS {
        let of_room = |source: &Source| source.path.starts_with(&format!("{room}/"));
        assert!(source::all().iter().any(of_room), "room {room} has moved");
    }
}

#[test]
fn every_room_of_the_exporter_has_its_rule() {
    let room = |source: &Source| rules::room(source).to_owned();
    let rooms: BTreeSet<String> =
        source::all().iter().filter(|it| it.house == "exporter").map(room).collect();
    let named = ROOMS.iter().chain(&rules::SHARED).chain(&rules::WIRING).chain(&["conductor", "lib", "main"]);
    assert_eq!(rooms, named.map(|&name| name.to_owned()).collect());
}

/// What the exporter does that the verifier must know, and that no metric tells: its own words on both sides.
#[test]
fn numbers_that_both_houses_have_are_the_same() {
    let sources = source::all();
    let number = |place: &str, pattern: &str| -> f64 {
        let source = sources.iter().find(|it| format!("{}/{}", it.house, it.path) == place).expect(place);
        let found = Regex::new(pattern).expect("a pattern").captures(&source.code).expect(pattern);
        found[1].parse().expect("a number")
    };
    let (lasting, tracker) = ("verifier/judge/lasting.rs", "exporter/health/tracker/mod.rs");
    let table = [
        (
            number(lasting, r"LASTING_SECONDS: f64 = ([\d.]+)"),
            number(tracker, r"LASTING_TIME: Duration = Duration::from_secs\((\d+)\)"),
        ),
        (number(lasting, r"LASTING_PROBES: f64 = ([\d.]+)"), number(tracker, r"LASTING_PROBES: u32 = (\d+)")),
        (
            number("verifier/judge/recovery.rs", r"BLIND_PROBES: f64 = ([\d.]+)"),
            number("exporter/trial/model/components.rs", r"BLIND_PROBES: u32 = (\d+)"),
        ),
        (
            number("verifier/judge/recovery.rs", r"BLIND_SECONDS: f64 = ([\d.]+)"),
            number(tracker, r"Duration::from_secs\((\d+)\)\.max\(self\.interval \* BLIND_PROBES\)"),
        ),
        (
            number("verifier/judge/relief.rs", r"READ_EVERY: f64 = ([\d.]+)"),
            number("exporter/cluster/status.rs", r"INTERVAL: Duration = Duration::from_millis\((\d+)\)")
                / 1e3,
        ),
        (
            number("verifier/judge/leader.rs", r"LOOKED: f64 = ([\d.]+)"),
            number(
                "exporter/health/instances/leadership.rs",
                r"FRESH: Duration = Duration::from_secs\((\d+)\)",
            ),
        ),
    ];
    for (verifier, exporter) in table {
        assert!((verifier - exporter).abs() < 1e-9, "the verifier has {verifier}, the exporter {exporter}");
    }
}

#[test]
fn pure_files_do_no_io_and_take_time_and_chance_as_arguments() {
    let sources = source::all();
    assert_eq!(breaches(&sources, rules::impure), [""; 0]);
    for known in [
        "chaos/experiment.rs",
        "chaos/guard.rs",
        "chaos/plan.rs",
        "chaos/journal/entry.rs",
        "conductor/course.rs",
    ] {
        let pure = |source: &Source| source.path == known && source.is_pure();
        assert!(sources.iter().any(pure), "{known} is no longer marked as pure");
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    let long = |source: &&Source| source.lines > 500;
    let sources = source::all();
    let long: Vec<_> = sources.iter().filter(long).map(|it| format!("{}/{}", it.house, it.path)).collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn each_outside_crate_has_one_home() {
    assert_eq!(breaches(&source::all(), rules::away_from_home), [""; 0]);
}

/// The rules see what they are to see: one made-up file each way.
#[test]
fn the_rules_bite() {
    type Rule = fn(&Source) -> Vec<Breach>;
    let cases: &[(Rule, &str, &str, &str, usize)] = &[
        (rules::other_house, "exporter", "web/mod.rs", "use verifier::slo;", 1),
        (rules::other_house, "verifier", "main.rs", "let x = exporter::clock::Clock::start();", 1),
        (rules::other_house, "verifier", "main.rs", "// exporter::clock\nlet exporter_count = 1;", 0),
        (rules::other_house, "deploy/lab", "status.rs", "use exporter::cluster::Document;", 1),
        (rules::other_room, "exporter", "chaos/driver.rs", "use crate::health::tracker;", 1),
        (
            rules::other_room,
            "exporter",
            "chaos/driver.rs",
            "use crate::{clock::Clock, health::{a, load}};",
            1,
        ),
        (
            rules::other_room,
            "exporter",
            "chaos/driver.rs",
            "use crate::{\n    clock::{a, load},\n    trial,\n};",
            0,
        ),
        (rules::other_room, "exporter", "chaos/faults/exec.rs", "use super::super::super::ledger::x;", 1),
        (rules::other_room, "exporter", "chaos/faults/exec.rs", "use super::load::x;", 0),
        (rules::other_room, "exporter", "chaos/mod.rs", "use super::load;", 1),
        (rules::other_room, "exporter", "chaos/mod.rs", "use super::{load, trial};", 1),
        (
            rules::other_room,
            "exporter",
            "chaos/mod.rs",
            "//! See crate::health.\nuse crate::chaos::guard::Permit;",
            0,
        ),
        (rules::other_room, "exporter", "health/mod.rs", "use crate::conductor::Phase;", 1),
        (rules::other_room, "exporter", "conductor/mod.rs", "use crate::{load, health};", 0),
        (rules::other_room, "exporter", "trial/mod.rs", "use crate::chaos::plan::Plan;", 1),
        (rules::other_room, "exporter", "clock.rs", "use crate::conductor::Phase;", 1),
        (rules::other_room, "exporter", "web/mod.rs", "use crate::clock::Clock;", 0),
        (rules::impure, "exporter", "a.rs", "//! Pure: x.\nfn f() { tokio::spawn(g()); }", 1),
        (rules::impure, "exporter", "a.rs", "//! What it is (pure).\nlet now = Instant::now();", 1),
        (rules::impure, "exporter", "a.rs", "//! Pure: x.\nuse std::{fmt, fs};", 1),
        (rules::impure, "exporter", "a.rs", "//! Pure: x.\n// std::fs is not used.\nuse std::fmt;", 0),
        (rules::impure, "exporter", "a.rs", "//! Pure: x.\n#[cfg(test)]\nmod tests { use std::fs; }", 0),
        (
            rules::impure,
            "exporter",
            "a.rs",
            "//! Pure: x.\n#[cfg(test)]\nmod tests;\nfn f() { std::fs::read(p); }",
            1,
        ),
        (rules::impure, "exporter", "a.rs", "//! Pure: x.\nuse std::net::{IpAddr, TcpStream};", 1),
        (rules::impure, "exporter", "a.rs", "//! Pure: x.\nuse std::net::IpAddr;", 0),
        (rules::impure, "exporter", "a.rs", "//! Pure: x.\nlet at = Clock::start().now();", 1),
        (rules::impure, "exporter", "a.rs", "//! Pure: x.\nasync fn f() {}", 1),
        (rules::impure, "exporter", "a.rs", "//! Pure: x.\ntracing::warn!(\"x\"); eprintln!(\"x\");", 2),
        (rules::impure, "exporter", "a.rs", "//! Does I/O.\nuse std::fs;", 0),
        (rules::away_from_home, "exporter", "app.rs", "use hyper::Request;", 1),
        (rules::away_from_home, "exporter", "load/client/wire.rs", "use hyper::Request;", 0),
        (rules::away_from_home, "exporter", "conductor/mod.rs", "use redis::Client;", 1),
        (rules::away_from_home, "exporter", "load/driver.rs", "let x: hyper_util::rt::TokioIo<T>;", 1),
        (rules::away_from_home, "verifier", "source/mod.rs", "use prometheus_http_query::Client;", 0),
        (rules::away_from_home, "verifier", "judge/mod.rs", "use prometheus_http_query as query;", 1),
        (rules::away_from_home, "exporter", "cli.rs", "use clap::Parser;", 0),
        (rules::away_from_home, "exporter", "load/plan.rs", "#[derive(clap::ValueEnum)]", 1),
    ];
    for (rule, house, path, text, count) in cases {
        let source = Source::new(house, path, text);
        assert_eq!(rule(&source).len(), *count, "{house}/src/{path}: {text}");
    }
}
