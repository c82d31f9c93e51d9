//! How long a verdict takes on ten minutes scraped every second, from a real Prometheus: 20 objectives in a second
//! at most. Then twice and four times as many, to show how the time grows.
#![expect(clippy::print_stdout, reason = "a bench prints")]

#[path = "../tests/made/mod.rs"]
mod made;

use std::process::ExitCode;
use std::time::Instant;

use made::{Server, healthy, slos};

const ROUNDS: usize = 5;
const LIMIT: f64 = 1.0;

fn main() -> ExitCode {
    let server = Server::with([&healthy("bench", 1.0)]);
    let mut holds = true;
    for objectives in [20, 40, 80] {
        let file = objectives_file(objectives);
        let mut seconds: Vec<f64> = (0..ROUNDS).map(|_| judged(&server, &file, objectives)).collect();
        seconds.sort_by(f64::total_cmp);
        let median = seconds[ROUNDS / 2];
        println!(
            "{objectives} objectives: {median:.3} s in the median, {:.3} s at most",
            seconds[ROUNDS - 1]
        );
        if objectives == 20 {
            holds = median <= LIMIT;
            println!(
                "{} verdict of 20 objectives, s: {median:.3} <= {LIMIT}",
                if holds { "pass" } else { "fail" }
            );
        }
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// So many objectives: those of the made run, over and over, each under a name of its own.
fn objectives_file(count: usize) -> String {
    let all = slos("bench");
    let lines: Vec<&str> = all.lines().filter(|line| line.contains("{name: ")).collect();
    let numbered =
        |number: usize| lines[number % lines.len()].replacen("{name: ", &format!("{{name: {number} "), 1);
    (0..count).map(numbered).fold("objectives:\n".to_owned(), |text, line| text + &line + "\n")
}

/// Seconds from the start of the program to its end.
fn judged(server: &Server, file: &str, objectives: usize) -> f64 {
    let begun = Instant::now();
    let told = server.verdict(file, &["--run", "bench"]);
    let took = begun.elapsed().as_secs_f64();
    assert_eq!(told["verdict"], "pass", "{told}");
    assert_eq!(told["findings"].as_array().map(Vec::len), Some(objectives));
    took
}
