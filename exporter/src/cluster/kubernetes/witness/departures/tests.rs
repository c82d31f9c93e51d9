use super::*;

const OWNER: &str = "u-rs";

fn at(seconds: u64) -> Moment {
    Moment(Duration::from_secs(seconds))
}

fn gone(name: &str, uid: &str, seconds: u64) -> Gone {
    let object = Object { kind: "Pod".to_owned(), name: name.to_owned(), uid: uid.to_owned() };
    Gone { object, owner: Some(OWNER.to_owned()), at: at(seconds) }
}

fn word(name: &str, set: Option<&str>) -> Word {
    Word { kind: "Pod", name: name.to_owned(), set: set.map(str::to_owned), by_taint: false }
}

/// UIDs of those that nobody accounts for, where all is known until `now`.
fn late(departures: &mut Departures, now: u64) -> Vec<String> {
    let claim = |uid: &str| if uid == "u-killed" { Claim::Ours } else { Claim::Theirs };
    let late = departures.unexplained(at(now), at(now), claim);
    late.into_iter().map(|gone| gone.object.uid).collect()
}

#[test]
fn a_pod_that_went_by_nobodys_word_is_told_once_after_a_while() {
    let mut departures = Departures::default();
    for pod in ["scaled", "killed", "deleted", "deleted"] {
        departures.add(gone(pod, &format!("u-{pod}"), 10));
    }
    departures.add(gone("late", "u-late", 14));
    assert_eq!(departures.oldest(), Some(at(10)));
    departures.explain(word("scaled", None), at(11));
    assert_eq!(late(&mut departures, 18), [""; 0]);
    assert_eq!(departures.oldest(), Some(at(10)));
    assert_eq!(late(&mut departures, 19), ["u-deleted"]);
    assert_eq!(departures.oldest(), Some(at(14)));
    assert_eq!(late(&mut departures, 23), ["u-late"]);
    assert_eq!((late(&mut departures, 60), departures.oldest()), (Vec::new(), None));
}

#[test]
fn a_word_of_a_controller_accounts_for_one_departure_and_a_pod_departs_once() {
    let (mut departures, name) = (Departures::default(), "redis-0");
    // The word comes before the pod is seen to go, and is used up.
    departures.explain(word(name, None), at(1));
    departures.add(gone(name, "u-1", 2));
    assert_eq!(late(&mut departures, 20), [""; 0]);
    // On its way out, told, and then gone.
    departures.add(gone(name, "u-2", 21));
    assert_eq!(late(&mut departures, 30), ["u-2"]);
    departures.add(gone(name, "u-2", 50));
    assert_eq!(late(&mut departures, 60), [""; 0]);
    // An old word accounts for nothing that comes later.
    departures.explain(word(name, None), at(60));
    assert_eq!(late(&mut departures, 70), [""; 0]);
    departures.add(gone(name, "u-3", 71));
    assert_eq!(late(&mut departures, 80), ["u-3"]);
    // One that was going before anybody watched has gone long ago.
    departures.begin("u-4");
    departures.add(gone(name, "u-4", 90));
    assert_eq!(late(&mut departures, 100), [""; 0]);
}

#[test]
fn nothing_is_decided_before_it_is_known_what_controllers_said_meanwhile() {
    let mut departures = Departures::default();
    departures.add(gone("a", "u-a", 10));
    // Events are missing since 12, which then come all at once.
    assert_eq!(departures.unexplained(at(60), at(12), |_| Claim::Theirs), []);
    assert_eq!(departures.oldest(), Some(at(10)));
    departures.explain(word("a", None), at(61));
    assert_eq!(late(&mut departures, 61), [""; 0]);
    // The other way about: who went is missing since 62.
    departures.explain(word("b", None), at(70));
    assert_eq!(departures.unexplained(at(62), at(90), |_| Claim::Theirs), []);
    departures.add(gone("b", "u-b", 91));
    assert_eq!(late(&mut departures, 100), [""; 0]);
}

#[test]
fn a_set_that_is_to_have_fewer_pods_accounts_for_as_many_also_where_its_events_are_held_back() {
    let mut departures = Departures::default();
    let name = |number: usize| format!("shop-{number}");
    departures.wants_fewer(OWNER, 30, at(10));
    for number in 0..30 {
        departures.add(gone(&name(number), &name(number), 10));
    }
    // Before the departures or after them, 25 are named.
    for number in 0..25 {
        departures.explain(word(&name(number), Some(OWNER)), at(11));
    }
    assert_eq!(late(&mut departures, 20), [""; 0]);
    // Nothing is left for others of the set.
    departures.add(gone("by-hand", "u-by-hand", 21));
    assert_eq!(late(&mut departures, 30), ["u-by-hand"]);
}

#[test]
fn what_a_set_has_too_many_of_is_its_own_and_does_not_last() {
    let mut departures = Departures::default();
    departures.wants_fewer("u-another", 3, at(10));
    departures.add(gone("a", "u-a", 10));
    let bare = Gone { owner: None, ..gone("b", "u-b", 10) };
    departures.add(bare);
    assert_eq!(late(&mut departures, 19), ["u-a", "u-b"]);
    departures.wants_fewer(OWNER, 1, at(20));
    assert_eq!(late(&mut departures, 51), [""; 0]);
    departures.add(gone("c", "u-c", 52));
    assert_eq!(late(&mut departures, 61), ["u-c"]);
    // One of two is deleted by hand, and the set one of its own.
    departures.wants_fewer(OWNER, 1, at(70));
    departures.add(gone("d", "u-d", 70));
    departures.add(gone("e", "u-e", 70));
    assert_eq!(late(&mut departures, 79), ["u-e"]);
}

#[test]
fn what_may_prove_ours_waits_for_the_answer() {
    let mut departures = Departures::default();
    departures.add(gone("a", "u-a", 10));
    assert_eq!(departures.unexplained(at(60), at(60), |_| Claim::Undecided), []);
    assert_eq!(departures.oldest(), Some(at(10)));
    assert_eq!(late(&mut departures, 61), ["u-a"], "it was refused");
}

#[test]
fn what_goes_with_its_controller_is_told_with_that_alone() {
    let mut departures = Departures::default();
    let set = |uid: &str| {
        let object = Object { kind: "ReplicaSet".to_owned(), name: uid.to_owned(), uid: uid.to_owned() };
        Gone { object, owner: Some(format!("{uid}-deployment")), at: at(10) }
    };
    // A pod may be seen to go before its set is.
    departures.add(gone("a", "u-a", 9));
    departures.end(OWNER);
    for uid in [OWNER, "u-other"] {
        departures.add(set(uid));
    }
    departures.end("u-other-deployment");
    assert_eq!(late(&mut departures, 19), [OWNER], "its Deployment is there");
    departures.add(gone("b", "u-b", 20));
    let stranger = Gone { owner: Some("u-statefulset".to_owned()), ..gone("c", "u-c", 20) };
    departures.add(stranger);
    assert_eq!(late(&mut departures, 29), ["u-c"]);
    assert!(departures.went("u-b") && !departures.went("u-d"));
}

#[test]
fn a_word_is_of_one_kind_and_a_job_of_that_name_is_not_a_pod() {
    let mut departures = Departures::default();
    departures.explain(Word { kind: "Job", ..word("a", None) }, at(10));
    departures.add(gone("a", "u-a", 10));
    assert_eq!(late(&mut departures, 19), ["u-a"]);
}

#[test]
fn an_eviction_for_a_taint_accounts_for_a_pod_unless_a_stranger_set_one() {
    // Whether a stranger empties a node: since when and until when; when the pod goes; whether that is told.
    let table = [
        (None, 10, false),
        (Some((9, None)), 10, true),
        // Nodes are looked at apart from pods.
        (Some((11, None)), 10, true),
        (Some((1, Some(5))), 10, true),
        (Some((1, Some(5))), 14, false),
    ];
    for (emptied, seconds, told) in table {
        for before in [true, false] {
            let mut departures = Departures::default();
            let tainted = || Word { by_taint: true, ..word("a", None) };
            if before {
                departures.explain(tainted(), at(seconds));
            }
            departures.add(gone("a", "u-a", seconds));
            if !before {
                departures.explain(tainted(), at(seconds));
            }
            if let Some((since, until)) = emptied {
                departures.empties("u-n1", true, at(since));
                departures.empties("u-n2", false, at(since));
                if let Some(until) = until {
                    departures.empties("u-n1", false, at(until));
                }
            }
            assert_eq!(late(&mut departures, seconds + 8), [""; 0]);
            assert_eq!(!late(&mut departures, seconds + 9).is_empty(), told, "{emptied:?} {seconds}");
        }
    }
}
