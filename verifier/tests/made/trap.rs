//! Runs that must not pass, many on one server.

use super::{Made, Server, healthy, said, slos};

/// A bent run, which objective is looked at, and what must be said of it.
pub(crate) struct Trap {
    what: &'static str,
    objective: &'static str,
    said: &'static str,
    bend: fn(&mut Made),
}

/// A trap.
pub(crate) const fn trap(
    what: &'static str,
    objective: &'static str,
    said: &'static str,
    bend: fn(&mut Made),
) -> Trap {
    Trap { what, objective, said, bend }
}

/// Bends one run for each trap and judges them all.
pub(crate) fn spring(name: &str, traps: &[Trap]) {
    let bent = |(number, trap): (usize, &Trap)| {
        let mut made = healthy(&format!("{name}-{number}"), 5.0);
        (trap.bend)(&mut made);
        made
    };
    let runs: Vec<Made> = traps.iter().enumerate().map(bent).collect();
    let server = Server::with(&runs);
    let mut wrong = Vec::new();
    for (trap, made) in traps.iter().zip(&runs) {
        let told = server.verdict(&slos(&made.id), &["--run", &made.id]);
        let said = said(&told, trap.objective);
        if !said.starts_with(trap.said) || told["verdict"] == "pass" {
            wrong.push(format!("{}: {} is {said}, the run {}", trap.what, trap.objective, told["verdict"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
