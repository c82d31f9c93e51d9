use super::*;

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn idle(_: Id) -> u32 {
    0
}

/// Ticks until the given time, each replica ready 500 ms after its start and ended at once when asked.
fn run(replicas: &mut Replicas, from: u64, to: u64) -> Vec<(u64, Step)> {
    let mut log = Vec::new();
    for now in (from..to).step_by(100) {
        let started: Vec<Id> = replicas
            .all()
            .iter()
            .filter(|(_, replica)| matches!(replica.phase, Phase::Running(at) if at.as_millis() + 500 <= now.into()))
            .map(|(id, _)| *id)
            .collect();
        for id in started {
            replicas.checked(id, true, at(now));
        }
        for step in replicas.tick(at(now), idle) {
            if let Step::End(id) = step {
                replicas.exited(id);
            }
            log.push((now, step));
        }
    }
    log
}

fn machines(replicas: &Replicas) -> Vec<(Id, Machine)> {
    replicas.all().iter().filter_map(|(id, replica)| Some((*id, replica.machine?))).collect()
}

fn ready(replicas: &Replicas) -> usize {
    replicas.all().values().filter(|replica| replica.ready).count()
}

#[test]
fn replicas_are_spread_over_the_machines() {
    let mut replicas = Replicas::new(3);
    let log = run(&mut replicas, 0, 3000);
    assert_eq!(log[0], (1000, Step::Start(1, Machine::N1)));
    assert_eq!(machines(&replicas), [(1, Machine::N1), (2, Machine::N2), (3, Machine::N3)]);
    assert_eq!(ready(&replicas), 3);
}

#[test]
fn a_dead_replica_is_replaced_by_a_new_one_on_the_emptiest_machine() {
    let mut replicas = Replicas::new(3);
    run(&mut replicas, 0, 3000);
    replicas.exited(2);
    assert_eq!(run(&mut replicas, 3000, 5000), [(4000, Step::Start(4, Machine::N2))]);
}

#[test]
fn a_drain_never_leaves_fewer_than_wanted_and_moves_all() {
    let mut replicas = Replicas::new(4);
    run(&mut replicas, 0, 3000);
    assert_eq!(replicas.load(Machine::N1), 2);
    replicas.drain(Machine::N1);
    for from in (3000..9000).step_by(100) {
        run(&mut replicas, from, from + 100);
        assert!(ready(&replicas) >= 4, "at {from} ms");
    }
    assert_eq!(replicas.all().len(), 4);
    assert!(machines(&replicas).iter().all(|(_, machine)| *machine != Machine::N1));
}

#[test]
fn the_replacement_is_ready_before_the_old_one_is_taken_out() {
    let mut replicas = Replicas::new(3);
    run(&mut replicas, 0, 3000);
    replicas.drain(Machine::N3);
    let log = run(&mut replicas, 3000, 8000);
    // Wanted at 3.0, started at 4.0, ready at 4.5, the old one out at 4.5 and ended a second later.
    assert_eq!(log, [(4000, Step::Start(4, Machine::N1)), (5500, Step::End(3))]);
}

#[test]
fn a_drained_machine_gets_replicas_again_after_the_uncordon() {
    let mut replicas = Replicas::new(2);
    replicas.drain(Machine::N1);
    run(&mut replicas, 0, 3000);
    assert_eq!(machines(&replicas), [(1, Machine::N2), (2, Machine::N3)]);
    replicas.uncordon(Machine::N1);
    replicas.scale(3);
    run(&mut replicas, 3000, 6000);
    assert_eq!(machines(&replicas)[2], (3, Machine::N1));
}

#[test]
fn shrinking_takes_the_newest_of_the_fullest_machine_and_waits_for_its_requests() {
    let mut replicas = Replicas::new(4);
    run(&mut replicas, 0, 3000);
    replicas.scale(3);
    assert_eq!(replicas.tick(at(3000), |_| 5), []);
    assert_eq!(replicas.all()[&4].phase, Phase::Draining(at(3000)));
    assert!(!replicas.all()[&4].ready);
    assert_eq!(replicas.tick(at(10_000), |_| 5), []);
    assert_eq!(replicas.tick(at(11_000), idle), [Step::End(4)]);
    assert_eq!(replicas.tick(at(16_000), idle), [Step::Kill(4)]);
}

#[test]
fn a_replica_that_never_finishes_is_ended_anyway() {
    let mut replicas = Replicas::new(1);
    run(&mut replicas, 0, 3000);
    replicas.scale(0);
    replicas.tick(at(3000), |_| 1);
    assert_eq!(replicas.tick(at(18_000), |_| 1), [Step::End(1)]);
}

#[test]
fn nothing_is_placed_where_nothing_may_be() {
    let mut replicas = Replicas::new(1);
    replicas.drain(Machine::N1);
    replicas.drain(Machine::N2);
    replicas.set_reachable(Machine::N3, false);
    assert_eq!(run(&mut replicas, 0, 5000), []);
    replicas.set_reachable(Machine::N3, true);
    assert_eq!(run(&mut replicas, 5000, 5100), [(5000, Step::Start(1, Machine::N3))]);
}

#[test]
fn a_check_of_a_retired_replica_does_not_make_it_ready() {
    let mut replicas = Replicas::new(1);
    run(&mut replicas, 0, 3000);
    replicas.scale(0);
    replicas.tick(at(3000), |_| 1);
    replicas.checked(1, true, at(3100));
    assert!(!replicas.all()[&1].ready);
}
