use super::*;

const START: Duration = Duration::from_secs(1000);

fn before(seconds: u64) -> Duration {
    START.saturating_sub(Duration::from_secs(seconds))
}

fn at(seconds: u64) -> Duration {
    START + Duration::from_secs(seconds)
}

fn old(millicores: f64) -> Reading {
    Reading {
        millicores: Some(millicores),
        window: Duration::from_secs(5),
        started: Duration::ZERO,
        ready: true,
        ready_changed: Duration::from_secs(1),
    }
}

fn missing() -> Reading {
    Reading { millicores: None, ..old(0.0) }
}

fn unready() -> Reading {
    Reading { ready: false, started: before(2), ready_changed: START, ..old(0.0) }
}

#[test]
fn recommendations_follow_the_published_algorithm() {
    // Request 20 m at 50 %: each replica should use 10 m.
    let cases: [(&str, u32, Vec<Reading>, u32); 12] = [
        ("twice the target doubles", 3, vec![old(20.0); 3], 6),
        ("the ratio is rounded up", 3, vec![old(10.0), old(10.0), old(14.0)], 4),
        ("within the tolerance nothing changes", 3, vec![old(10.9); 3], 3),
        ("idle asks for none, the minimum is applied later", 3, vec![old(0.0); 3], 0),
        ("half the target halves", 10, vec![old(5.0); 10], 5),
        ("no reading at all keeps", 3, vec![missing(); 3], 3),
        ("unready ones do not count when shrinking", 4, vec![old(5.0), old(5.0), old(5.0), unready()], 2),
        ("unready ones damp growth", 4, vec![old(20.0), old(20.0), old(20.0), unready()], 6),
        ("damped growth within the tolerance keeps", 4, vec![old(14.0), old(14.0), old(14.0), unready()], 4),
        (
            "missing ones count as fully used when shrinking",
            4,
            vec![old(2.0), old(2.0), old(2.0), missing()],
            3,
        ),
        ("missing ones that turn the direction keep", 4, vec![old(9.0), old(9.0), missing(), missing()], 4),
        ("missing ones count as idle when growing", 4, vec![old(30.0), old(30.0), missing(), missing()], 6),
    ];
    for (name, current, readings, expected) in cases {
        let decision = recommend(&Settings::lab(), START, current, &readings);
        assert_eq!(decision.desired, expected, "{name}");
    }
}

#[test]
fn a_young_replica_counts_once_its_reading_began_after_it_was_ready() {
    let settings = Settings::lab();
    let young =
        |ready_since: u64| Reading { started: before(20), ready_changed: before(ready_since), ..old(50.0) };
    assert_eq!(group(&settings, &young(4), START), Group::Unready);
    assert_eq!(group(&settings, &young(5), START), Group::Counted);
}

#[test]
fn an_old_replica_that_turned_unready_still_counts() {
    let reading = Reading { ready: false, ready_changed: at(0), ..old(12.0) };
    assert_eq!(group(&Settings::lab(), &reading, at(1)), Group::Counted);
}

#[test]
fn utilization_is_the_mean_over_those_that_count() {
    let decision = recommend(&Settings::lab(), START, 3, &[old(6.0), old(10.0), unready()]);
    assert_eq!(decision.utilization, Some(0.4));
    assert_eq!(recommend(&Settings::lab(), START, 3, &[missing()]).utilization, None);
}

#[test]
fn growth_waits_for_a_window_that_asked_for_it_and_is_limited_in_each_period() {
    let mut autoscaler = Autoscaler::new(Settings::lab());
    let expected = [(0, 3), (5, 3), (10, 3), (15, 3), (20, 7), (25, 7), (30, 7), (35, 10)];
    let mut current = 3;
    for (second, desired) in expected {
        let readings = vec![old(200.0); current as usize];
        current = autoscaler.sync(at(second), current, &readings).desired;
        assert_eq!(current, desired, "at {second} s");
    }
}

#[test]
fn growth_goes_no_further_than_all_of_its_window_asked_for() {
    let mut autoscaler = Autoscaler::new(Settings::lab());
    for (second, millicores, desired) in
        [(0, 10.0, 3), (5, 14.0, 3), (10, 18.0, 3), (15, 30.0, 3), (20, 40.0, 5)]
    {
        let decision = autoscaler.sync(at(second), 3, &[old(millicores); 3]);
        assert_eq!(decision.desired, desired, "at {second} s");
    }
}

#[test]
fn shrinking_waits_for_a_window_without_a_higher_wish_and_stops_at_the_minimum() {
    let mut autoscaler = Autoscaler::new(Settings::lab());
    assert_eq!(autoscaler.sync(at(0), 10, &[old(10.0); 10]).desired, 10);
    for second in (5..=30).step_by(5) {
        assert_eq!(autoscaler.sync(at(second), 10, &[old(1.0); 10]).desired, 10, "at {second} s");
    }
    assert_eq!(autoscaler.sync(at(35), 10, &[old(1.0); 10]).desired, 3);
}

#[test]
fn a_dip_while_loaded_does_not_shrink() {
    let mut autoscaler = Autoscaler::new(Settings::lab());
    autoscaler.sync(at(0), 8, &[old(10.0); 8]);
    assert_eq!(autoscaler.sync(at(10), 8, &[old(2.0); 8]).desired, 8);
    assert_eq!(autoscaler.sync(at(20), 8, &[old(10.0); 8]).desired, 8);
    assert_eq!(autoscaler.sync(at(45), 8, &[old(2.0); 8]).desired, 8);
}

#[test]
fn a_stabilized_wish_never_grows() {
    let mut autoscaler = Autoscaler::new(Settings::lab());
    autoscaler.sync(at(0), 3, &[old(200.0); 3]);
    assert_eq!(autoscaler.sync(at(5), 5, &[old(1.0); 5]).desired, 5);
}
