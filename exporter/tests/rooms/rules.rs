//! The rules, each a function from one file to what breaks it there.

use std::fmt;

use regex::Regex;

use crate::source::Source;

/// Rooms of the exporter that never import each other, nor what joins them.
pub(crate) const ROOMS: [&str; 4] = ["load", "health", "ledger", "chaos"];
/// What several rooms share; it names neither them nor what joins them.
pub(crate) const SHARED: [&str; 12] = [
    "trial", "cluster", "web", "clock", "errors", "tls", "rundir", "signals", "count", "logging", "plain",
    "progress",
];
/// Houses and the crates in them that others could name; the lab and the shop are programs only.
const CRATES: [(&str, &str); 3] =
    [("exporter", "exporter"), ("verifier", "verifier"), ("dashboards", "dashboards")];
/// What joins everything, and is named by nobody but the program itself.
pub(crate) const WIRING: [&str; 2] = ["app", "cli"];

/// House, outside crate, and the only places of its use: a file, or a folder with its slash. A file stands
/// for the folder of the same name too, which is where it goes when it grows.
pub(crate) const HOMES: &[(&str, &str, &[&str])] = &[
    ("exporter", "kube", &["cluster/", "chaos/faults/"]),
    ("exporter", "k8s_openapi", &["cluster/", "chaos/faults/"]),
    ("exporter", "hyper", &["load/client.rs", "health/", "web/"]),
    ("exporter", "hyper_util", &["load/client.rs", "health/", "web/"]),
    ("exporter", "tokio_postgres", &["health/", "ledger/stores/", "trial/"]),
    ("exporter", "redis", &["health/", "ledger/stores/", "trial/"]),
    // The command line is in cli.rs; main.rs has it parsed, and the log's format derives the values it offers.
    ("exporter", "clap", &["cli.rs", "main.rs", "logging.rs"]),
    ("verifier", "prometheus_http_query", &["source/"]),
    ("verifier", "reqwest", &["source/"]),
    ("verifier", "clap", &["cli.rs", "main.rs"]),
    ("dashboards", "prometheus_http_query", &["check/"]),
    ("dashboards", "reqwest", &["check/"]),
    ("dashboards", "clap", &["cli.rs", "main.rs"]),
];

/// What only impure code names: I/O, the present time, chance.
const IMPURE: &str = r"\b(tokio|reqwest|hyper|redis|tokio_postgres)::|\b(fs|process|env)::|\b(Tcp(Listener|Stream)|UdpSocket|Unix(Listener|Stream|Datagram))\b|\b(Instant|SystemTime|Utc|Local)::now|\brand::rng\b|\bthread_rng\b|\bfrom_os_rng\b|\bFile::(open|create)\b|\basync\s+fn\b|\bClock\b|\bJournal\b|\btracing::|\be?print(ln)?!|\bthread::(sleep|spawn)\b";

/// A place that breaks a rule.
pub(crate) struct Breach {
    line: usize,
    what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a regular expression")
}

fn matches(source: &Source, code: &str, expression: &Regex) -> Vec<Breach> {
    let breach = |found: regex::Match<'_>| Breach {
        line: source.line(found.start()),
        what: found.as_str().split_whitespace().collect::<Vec<_>>().join(" "),
    };
    expression.find_iter(code).map(breach).collect()
}

/// A house names another: what they say to each other goes over the network.
pub(crate) fn other_house(source: &Source) -> Vec<Breach> {
    let others = CRATES.iter().filter(|(house, _)| *house != source.house).map(|(_, name)| *name);
    let others = others.collect::<Vec<_>>().join("|");
    let named = pattern(&format!(r"(^|[^\w:.])(::)?({others})::|\b(use|extern crate)\s+({others})\b"));
    matches(source, &source.code, &named)
}

/// The room that a file belongs to: a folder, or a file on its own.
pub(crate) fn room(source: &Source) -> &str {
    source.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// A room names another room, or those that join the rooms.
pub(crate) fn other_room(source: &Source) -> Vec<Breach> {
    let own = room(source);
    // Tests of what is shared may look at whom they stand for.
    let shared = SHARED.contains(&own) && !source.path.contains("/tests");
    if source.house != "exporter" || !(ROOMS.contains(&own) || shared || own == "conductor") {
        return Vec::new();
    }
    let forbidden = |name: &str| match own {
        "conductor" => WIRING.contains(&name),
        _ => name != own && (ROOMS.contains(&name) || name == "conductor" || WIRING.contains(&name)),
    };
    // A path that begins at the crate, by its name or by climbing up to it.
    let climb = source.depth();
    let at_crate = pattern(&format!(r"\bcrate::|\bexporter::|\b(super::){{{climb},}}"));
    let mut breaches = Vec::new();
    for found in at_crate.find_iter(&source.code) {
        let names = first_names(&source.code[found.end()..]);
        breaches.extend(names.into_iter().filter(|name| forbidden(name)).map(|name| Breach {
            line: source.line(found.start()),
            what: format!("{}{name}", found.as_str()),
        }));
    }
    breaches
}

/// The first name of a path, or of each path of a group in braces.
fn first_names(rest: &str) -> Vec<&str> {
    let name = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let Some(group) = rest.strip_prefix('{') else { return vec![&rest[..name(rest)]] };
    let (mut names, mut depth, mut begins) = (Vec::new(), 0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && depth == 0 && !c.is_whitespace() => {
                names.push(&group[at..at + name(&group[at..])]);
                begins = false;
            }
            _ => {}
        }
    }
    names
}

/// A file that calls itself pure names what only impure code needs.
pub(crate) fn impure(source: &Source) -> Vec<Breach> {
    let in_use = r"|\buse\s+(std::\{[^;]*\b(fs|process|env)\b|std::(fs|process|env)\b)";
    let expression = pattern(&format!("{IMPURE}{in_use}"));
    if source.is_pure() { matches(source, source.code_without_tests(), &expression) } else { Vec::new() }
}

/// An outside crate is named away from its home.
pub(crate) fn away_from_home(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (house, name, homes) in HOMES {
        if source.house == *house && !homes.iter().any(|home| lives_in(&source.path, home)) {
            let named = pattern(&format!(r"(^|[^\w:.])(::)?{name}::|\buse\s+{name}\b"));
            breaches.extend(matches(source, &source.code, &named));
        }
    }
    breaches
}

/// Whether a file is at a home of [`HOMES`].
pub(crate) fn lives_in(path: &str, home: &str) -> bool {
    match home.strip_suffix(".rs") {
        Some(module) => path == home || path.starts_with(&format!("{module}/")),
        None => path.starts_with(home),
    }
}
