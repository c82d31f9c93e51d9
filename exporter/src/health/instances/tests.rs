use std::time::Duration;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use tokio::net::TcpListener;
use tokio::time::timeout;

use super::leadership::{Event, Leadership};
use super::{Instance, LOOK, Server, Trouble, event, redis};
use crate::clock::Moment;
use crate::cluster::kubernetes::Kubernetes;
use crate::errors::OwnLack;
use crate::trial::RedisAddress;

fn at(milliseconds: u64) -> Moment {
    Moment(Duration::from_millis(milliseconds))
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Feeds (instance, begun, acknowledged); an acknowledgement of 0 is a refusal.
fn fed(writes: &[(usize, u64, u64)]) -> Leadership {
    let mut leadership = Leadership::new(3);
    for &(instance, begun, acknowledged) in writes {
        let event = match acknowledged {
            0 => Event::Refused,
            _ => Event::Taken { begun: at(begun) },
        };
        leadership.event(instance, event, at(acknowledged.max(begun)));
    }
    leadership
}

#[test]
fn the_first_writer_leads_without_a_change() {
    let leadership = fed(&[(0, 100, 105), (1, 110, 0), (2, 120, 0), (0, 350, 355)]);
    assert_eq!((leadership.leader_since(), leadership.changes()), (Some(at(105)), 0));
    assert_eq!((leadership.writers(at(1355)), leadership.writers(at(1356))), (1, 0));
}

#[test]
fn another_takes_over_with_the_first_write_it_took() {
    let leadership = fed(&[(0, 100, 105), (0, 350, 0), (1, 6000, 6004), (1, 6250, 6254)]);
    assert_eq!((leadership.leader_since(), leadership.changes()), (Some(at(6004)), 1));
    assert_eq!(leadership.split_brain(), Duration::ZERO);
}

#[test]
fn the_same_instance_that_resumes_is_no_new_leader() {
    let leadership = fed(&[(0, 100, 105), (0, 350, 0), (0, 6000, 6004)]);
    assert_eq!((leadership.leader_since(), leadership.changes()), (Some(at(105)), 0));
}

#[test]
fn a_split_brain_runs_from_the_seconds_acknowledgement_to_the_firsts_last() {
    let leadership = fed(&[
        (0, 100, 105),
        (1, 200, 205),
        (0, 350, 355),
        (1, 450, 455),
        (0, 600, 605),
        (1, 700, 705),
        (0, 850, 0),
        (1, 950, 955),
        (1, 1200, 1205),
        (1, 1450, 1455),
        (1, 1700, 1705),
    ]);
    assert_eq!(leadership.split_brain(), ms(605 - 205));
    assert_eq!((leadership.leader_since(), leadership.changes()), (Some(at(205)), 1));
}

#[test]
fn one_errant_write_is_a_split_brain_even_if_it_stops_at_once() {
    let leadership = fed(&[(0, 100, 105), (1, 200, 205), (1, 300, 0), (0, 350, 355), (0, 600, 605)]);
    assert_eq!(leadership.split_brain(), ms(355 - 205));
    assert_eq!((leadership.leader_since(), leadership.changes()), (Some(at(105)), 0));
}

#[test]
fn a_write_held_since_before_the_take_over_is_no_split_brain_but_the_next_one_is() {
    let mut writes = vec![(0, 100, 105), (1, 6000, 6004), (0, 350, 7000), (1, 7010, 7014)];
    assert_eq!(fed(&writes).split_brain(), Duration::ZERO);
    writes.push((0, 7250, 7255));
    assert_eq!(fed(&writes).split_brain(), ms(7255 - 6004));
}

#[test]
fn a_handover_and_its_return_are_no_split_brain() {
    let leadership =
        fed(&[(0, 100, 105), (1, 350, 355), (0, 360, 0), (0, 610, 615), (1, 620, 0), (0, 860, 865)]);
    assert_eq!(leadership.split_brain(), Duration::ZERO);
}

#[test]
fn an_instance_out_of_sight_has_not_stopped() {
    let mut leadership = fed(&[(0, 100, 105), (1, 200, 205)]);
    leadership.event(0, Event::NoPath, at(1350));
    leadership.event(0, Event::Taken { begun: at(1400) }, at(1405));
    assert_eq!(leadership.split_brain(), ms(1405 - 205));
}

#[test]
fn time_counts_as_observed_while_every_instance_is() {
    let mut leadership = Leadership::new(2);
    leadership.tick(at(0));
    leadership.event(0, Event::Open, at(0));
    leadership.tick(at(250));
    assert_eq!(leadership.observed(), Duration::ZERO, "one was never seen");
    leadership.event(1, Event::Down, at(260));
    leadership.tick(at(500));
    leadership.event(0, Event::NoPath, at(510));
    leadership.tick(at(750));
    leadership.event(0, Event::Refused, at(760));
    leadership.tick(at(1000));
    leadership.tick(at(9000));
    assert_eq!(leadership.observed(), ms(500), "the last eight seconds nobody looked");
}

#[test]
fn what_goes_wrong_tells_of_the_instance_only_where_it_was_reached() {
    let text = || "why".to_owned();
    let begun = at(100);
    let table = [
        (Ok(()), Event::Taken { begun }),
        (Err(Trouble::Refused(text())), Event::Refused),
        (Err(Trouble::Down(text())), Event::Down),
        (Err(Trouble::Gone(text())), Event::Gone),
        (Err(Trouble::Predecessor(text())), Event::Predecessor),
        (Err(Trouble::NoPath(text())), Event::NoPath),
        (Err(Trouble::Away(text())), Event::NoPath),
        (Err(Trouble::Own(OwnLack::Ports)), Event::NoPath),
    ];
    for (written, expected) in table {
        assert_eq!(event(&written, begun), expected, "{written:?}");
    }
}

/// One of its name may be gone while what had that name runs on where nobody sees it.
#[test]
fn one_that_is_gone_was_seen_to_stop_only_if_it_had_answered_until_then() {
    let (answers, open, gone, unseen) = (Event::Refused, Event::Open, Event::Gone, Event::NoPath);
    let table: [(&str, &[Event], bool); 15] = [
        ("it never answered", &[gone], false),
        ("gone from one question to the next", &[answers, gone], true),
        ("as one that is down", &[Event::Down, gone], true),
        ("while it was asked", &[answers, open, gone], true),
        ("killed, then gone", &[answers, Event::Predecessor, gone], true),
        ("being killed", &[answers, Event::Predecessor], false),
        ("gone, killed, then gone", &[answers, gone, Event::Predecessor, gone], true),
        ("gone, not killed yet, out of sight", &[answers, gone, Event::Predecessor, unseen, gone], false),
        ("still gone", &[answers, gone, gone], true),
        ("out of sight, then gone", &[answers, unseen, gone], false),
        ("out of sight, then gone for long", &[answers, unseen, gone, gone], false),
        ("out of sight, then gone while it was asked", &[answers, unseen, open, gone], false),
        ("gone, then nothing told", &[answers, gone, unseen], false),
        ("gone before and after nothing was told", &[answers, gone, unseen, gone], true),
        (
            "another answers by its name, out of sight, then gone",
            &[answers, gone, answers, unseen, gone],
            false,
        ),
    ];
    for (what, events, observed) in table {
        let mut leadership = Leadership::new(1);
        for &event in events {
            leadership.event(0, event, at(1000));
        }
        leadership.tick(at(1000));
        leadership.tick(at(1250));
        assert_eq!(leadership.observed(), if observed { ms(250) } else { ms(0) }, "{what}");
    }
}

#[test]
fn one_that_is_gone_out_of_sight_has_not_stopped() {
    let split = |met: &[Event]| {
        let mut leadership = fed(&[(0, 100, 105), (1, 200, 205)]);
        for &event in met {
            leadership.event(0, event, at(1350));
        }
        leadership.event(0, Event::Taken { begun: at(1400) }, at(1405));
        leadership.split_brain()
    };
    assert_eq!(split(&[Event::NoPath, Event::Gone]), ms(1405 - 205));
    assert_eq!(split(&[Event::Gone]), ms(0));
}

#[tokio::test]
async fn a_write_that_hangs_is_given_up_only_where_its_way_is_lost() {
    let gone = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gone = gone.local_addr().expect("bound");
    let address = RedisAddress::parse("redis://localhost:6379").expect("an address");
    let direct = || Server::Redis(redis::Server::direct(&address));
    let instance = |server| Instance { name: "kv-0".to_owned(), id: "kv/kv-0".to_owned(), server };
    let inside = instance(direct().inside(&Kubernetes::at(gone), "kv-0"));
    let told = inside.out_of_sight().await;
    assert!(matches!(told, Trouble::Away(_)), "{told:?}");
    assert!(timeout(LOOK * 2, instance(direct()).out_of_sight()).await.is_err(), "its connection breaks");
}

/// Asks two instances every 250 ms at random phases until 60 s, each a writer in its interval (seconds).
fn simulate(writers: [(f64, f64); 2], seed: u64) -> Leadership {
    let mut random = StdRng::seed_from_u64(seed);
    let mut events = Vec::new();
    for (instance, (from, to)) in writers.into_iter().enumerate() {
        let mut begun = random.random_range(0.0..0.25);
        while begun < 60.0 {
            let acked = begun + random.random_range(0.001..0.02);
            let takes = begun >= from && acked <= to;
            let at = Moment::from_secs_f64(acked);
            let event =
                if takes { Event::Taken { begun: Moment::from_secs_f64(begun) } } else { Event::Refused };
            events.push((at, instance, event));
            begun += 0.25;
        }
    }
    events.sort_by_key(|&(at, ..)| at);
    let mut leadership = Leadership::new(2);
    for (at, instance, event) in events {
        leadership.event(instance, event, at);
    }
    leadership
}

proptest! {
    #[test]
    fn one_writer_at_a_time_is_never_a_split_brain(handover in 5.0..50.0, pause in 0.0..8.0, seed: u64) {
        let leadership = simulate([(0.0, handover), (handover + pause, 100.0)], seed);
        prop_assert_eq!(leadership.split_brain(), Duration::ZERO);
        prop_assert_eq!(leadership.changes(), 1);
        let since = leadership.leader_since().map_or(0.0, Moment::as_secs_f64);
        let truth = handover + pause;
        prop_assert!((truth..=truth + 0.27).contains(&since), "{since} for {truth}");
    }

    #[test]
    fn an_overlap_is_counted_to_within_two_polls(second in 5.0..30.0, overlap in 0.6..20.0, seed: u64) {
        let leadership = simulate([(0.0, second + overlap), (second, 100.0)], seed);
        let counted = leadership.split_brain().as_secs_f64();
        prop_assert!(counted <= overlap + 1e-9 && counted >= overlap - 0.55, "{counted} for {overlap}");
        prop_assert_eq!(leadership.changes(), 1);
    }
}
