//! Finished runs with an experiment that broke nothing: they do not prove what is promised of the whole run.

mod made;

use made::{Made, Server, always, healthy, said, slos, steps};

const KILL: (&str, &str) = ("experiment", "kill-postgres-primary");
const MISSING: &str = "inconclusive fault_missing";

/// The healthy run, but of its kill this is the last state, or none is recorded.
fn unbroken(id: &str, state: Option<&str>) -> Made {
    let mut made = healthy(id, 5.0);
    made.set("ordeal_experiment_state", &[KILL], always(0.0));
    match state {
        Some(state) => {
            let reached = steps(&[(0.0, 0.0), (215.0, 1.0)]);
            made.set("ordeal_experiment_state", &[KILL, ("state", state)], reached);
        }
        None => made.remove("ordeal_experiment_state", &[KILL]),
    }
    made
}

#[test]
fn what_is_promised_of_the_whole_run_is_not_proven_and_all_else_is() {
    let server = Server::with([&unbroken("refused", Some("refused"))]);
    let told = server.verdict(&slos("refused"), &["--run", "refused"]);
    let table = [
        ("shop answers", MISSING),
        ("browsing answers", MISSING),
        ("users do not wait", MISSING),
        ("shop probed", MISSING),
        ("in time", MISSING),
        ("no split brain at all", MISSING),
        ("nothing lost", MISSING),
        ("span of lost writes", MISSING),
        ("archive", MISSING),
        ("health", MISSING),
        ("PostgreSQL recovers", "inconclusive fault_not_injected"),
        ("shop answers during the kill", "inconclusive fault_not_injected"),
        ("members rejoin", "pass "),
        ("no split brain", "pass "),
        ("nothing lost in the partition", "pass "),
        ("load held", "pass "),
        ("up", "pass "),
        ("nobody intervened", "pass "),
        ("own expression", "pass "),
    ];
    for (objective, due) in table {
        assert_eq!(said(&told, objective), due, "{objective}: {told:#}");
    }
    let findings = told["findings"].as_array().expect("findings");
    let health = findings.iter().find(|finding| finding["name"] == "health").expect("the objective");
    assert_eq!(health["shortfalls"][0]["detail"], "kill-postgres-primary is `refused`");
}

#[test]
fn however_it_came_to_break_nothing() {
    let states = [Some("skipped"), Some("ineffective"), Some("planned"), None];
    let id = |state: Option<&str>| format!("state-{}", state.unwrap_or("none"));
    let runs = states.map(|state| unbroken(&id(state), state));
    let server = Server::with(&runs);
    for run in &runs {
        let told = server.verdict(&slos(&run.id), &["--run", &run.id]);
        assert_eq!(said(&told, "shop answers"), MISSING, "{}", run.id);
    }
}

#[test]
fn a_promise_that_was_broken_without_it_is_broken() {
    let mut made = unbroken("losing", Some("refused"));
    made.find("lost", 346.0, 7.0);
    let told = Server::with([&made]).verdict(&slos("losing"), &[]);
    assert_eq!(said(&told, "nothing lost"), "fail fault_missing");
}

#[test]
fn every_form_says_that_nothing_is_claimed_about_it_whatever_was_promised() {
    let server = Server::with([&unbroken("refused", Some("refused"))]);
    let held = "objectives: [{name: load held, kind: load_held, at_least: 95%}]\n";
    for form in ["text", "json", "junit", "markdown", "html"] {
        let output = server.verify(held, &["--run", "refused", "--output", form]);
        let told = String::from_utf8(output.stdout).expect("text");
        assert_eq!(output.status.code(), Some(0), "{form}: {told}");
        assert!(told.contains("anything about kill-postgres-primary, which was refused"), "{form}: {told}");
        assert!(!told.contains("anything about partition-primary"), "{form}: {told}");
    }
}
