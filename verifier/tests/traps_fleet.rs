//! A load of several processes: where too little is known of one nothing may pass, and none fails by its clock.

mod made;

use made::spread::{spread, spread_off};
use made::trap::{spring, trap};
use made::{MOMENT, Made, Server, said, slos, steps};

#[test]
fn load_processes_that_are_not_there_to_the_end_are_noticed() {
    let (conductor, mut workers) = spread("deserted", 5.0);
    workers[1].last = 300.0;
    let (other, mut restarted) = spread("restarted", 5.0);
    let starts = [(0.0, MOMENT - 0.5), (350.0, MOMENT + 349.0)];
    restarted[1].set("process_start_time_seconds", &[], steps(&starts));
    // Its users have ended, and it stays.
    let (third, mut emptied) = spread("emptied", 5.0);
    emptied[1].stop_users(300.0);
    let runs = [&conductor, &other, &third].into_iter().chain(&workers).chain(&restarted).chain(&emptied);
    let server = Server::with(runs);
    let told = |run: &str| server.verdict(&slos(run), &["--run", run]);
    let deserted = told("deserted");
    assert_eq!(said(&deserted, "shop answers"), "inconclusive gap");
    assert_eq!(said(&deserted, "load held"), "inconclusive no_samples gap");
    assert_eq!(said(&told("emptied"), "load held"), "fail ");
    assert_eq!(said(&told("restarted"), "shop answers"), "inconclusive process_restarted");
}

#[test]
fn a_load_process_that_was_never_scraped_is_noticed() {
    let (conductor, workers) = spread("unscraped", 5.0);
    let (other, _) = spread("none", 5.0);
    let server = Server::with([&conductor, &other, &workers[0]]);
    let told = server.verdict(&slos("unscraped"), &["--run", "unscraped"]);
    for objective in ["shop answers", "users do not wait", "in time", "load held", "up", "relief"] {
        let said = said(&told, objective);
        assert!(said.starts_with("inconclusive load_unseen"), "{objective}: {said}");
    }
    // What does not ask about users stands.
    assert_eq!(said(&told, "nothing lost"), "pass ");
    let none = server.verdict(&slos("none"), &["--run", "none"]);
    assert_eq!(said(&none, "shop answers"), "inconclusive load_unseen family_absent");
}

#[test]
fn how_many_load_processes_there_are_must_be_known() {
    let lost = |objective| {
        trap("no count of them", objective, "inconclusive family_absent", |made| {
            made.remove("ordeal_load_processes", &[]);
        })
    };
    spring(
        "count",
        &[
            lost("shop answers"),
            lost("in time"),
            lost("load held"),
            lost("down"),
            trap("another count", "shop answers", "inconclusive disagreement", |made| {
                made.set("ordeal_load_processes", &[], steps(&[(0.0, 2.0), (300.0, 0.0)]));
            }),
            trap("a count that ends", "shop answers", "inconclusive gap", |made| {
                made.bend("ordeal_load_processes", &[], |t, count| count.filter(|_| t < 300.0));
            }),
        ],
    );
}

/// A run whose load processes' clocks are so far ahead of the conductor's, scraped at these seconds after it.
fn off(id: &str, ahead: [f64; 2], conductor: f64, workers: [f64; 2]) -> Vec<Made> {
    let (mut first, mut others) = spread_off(id, 5.0, ahead);
    first.first = conductor;
    for (worker, at) in others.iter_mut().zip(workers) {
        worker.first = at;
    }
    others.push(first);
    others
}

#[test]
fn clocks_that_are_seconds_apart_make_no_load_fail() {
    // The load ends at 480 s: the conductor's last scrape before it is at 478.9 s, and those of the load processes
    // at 480.5 s, when no user runs any more, are at 478.7 s on a clock that is 1.8 s behind.
    let behind = off("behind", [-1.8, -1.8], 3.9, [0.5, 0.5]);
    // All users run from 40 s on, and the first scrape that is looked at is at 41.9 s: the load processes' at 41.2 s
    // is at 43.0 s on a clock that is 1.8 s ahead, and the one before, in the ramp, at 38.0 s.
    let ahead = off("ahead", [1.8, 1.8], 1.9, [1.2, 1.2]);
    let both = off("both", [-1.8, 1.8], 3.9, [0.5, 1.2]);
    let mut fewer = off("fewer", [-1.8, 1.8], 3.9, [0.5, 1.2]);
    fewer[1].fewer(0.75);
    let server = Server::with(behind.iter().chain(&ahead).chain(&both).chain(&fewer));
    let told = |run: &str| said(&server.verdict(&slos(run), &["--run", run]), "load held");
    assert_eq!(["behind", "ahead", "both"].map(told), ["pass "; 3].map(str::to_owned));
    assert_eq!(told("fewer"), "fail ");
}
