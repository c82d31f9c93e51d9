use super::*;

/// Plays scrapes, each by a visitor on a connection at a second; the run ends at second 100.
struct Play {
    scrapers: Scrapers,
    begun: Instant,
}

impl Play {
    fn until_the_end(scrapes: &[(&str, u64, u64)]) -> Self {
        let mut play = Self { scrapers: Scrapers::default(), begun: Instant::now() };
        play.go_on(scrapes);
        play.scrapers.end(play.at(100));
        play
    }

    fn at(&self, second: u64) -> Instant {
        self.begun + Duration::from_secs(second)
    }

    fn go_on(&mut self, scrapes: &[(&str, u64, u64)]) {
        for (agent, connection, second) in scrapes {
            let visitor = Visitor::new("10.0.0.7", agent);
            self.scrapers.note(visitor, *connection, self.at(*second));
        }
    }

    fn missing(&self) -> Vec<String> {
        assert_eq!(self.scrapers.have_the_end(), self.scrapers.missing().is_empty(), "{:?}", self.scrapers);
        self.scrapers.missing()
    }
}

const PROMETHEUS: &str = "10.0.0.7 (Prometheus/3.0.0)";

/// A server whose name is `agent` scrapes three times before the end.
fn regular(agent: &'static str, connection: u64) -> [(&'static str, u64, u64); 3] {
    [70, 80, 95].map(|second| (agent, connection, second))
}

#[test]
fn each_of_a_pair_is_waited_for() {
    let mut play =
        Play::until_the_end(&[regular("Prometheus/3.0.0", 1), regular("Prometheus/3.0.0", 2)].concat());
    assert_eq!(play.missing(), [PROMETHEUS, PROMETHEUS]);
    play.go_on(&[("Prometheus/3.0.0", 1, 100), ("Prometheus/3.0.0", 1, 110), ("Prometheus/3.0.0", 2, 105)]);
    assert_eq!(play.missing(), [PROMETHEUS], "the other has scraped the end once");
    play.go_on(&[("Prometheus/3.0.0", 2, 115)]);
    assert_eq!(play.missing(), [""; 0]);
}

#[test]
fn a_visitor_with_curl_stands_in_for_nobody_and_is_not_waited_for() {
    let curl = [("curl", 2, 90), ("curl", 3, 99)];
    let mut play = Play::until_the_end(&[&regular("Prometheus/3.0.0", 1)[..], &curl].concat());
    play.go_on(&[("curl", 4, 101), ("curl", 5, 102), ("curl", 6, 103)]);
    assert_eq!(play.missing(), [PROMETHEUS]);
    play.go_on(&[("Prometheus/3.0.0", 1, 110), ("Prometheus/3.0.0", 1, 125)]);
    assert_eq!(play.missing(), [""; 0]);
}

#[test]
fn who_left_before_the_end_is_not_waited_for() {
    let mut scrapes = vec![("slow", 2, 0), ("slow", 2, 20), ("slow", 2, 50)];
    scrapes.extend([1, 2, 3].map(|second| ("gone", 1, second)));
    // After a stall two scrapes follow each other closely.
    scrapes.extend([97, 98, 99].map(|second| ("hasty", 3, second)));
    let mut play = Play::until_the_end(&scrapes);
    assert_eq!(play.missing(), ["10.0.0.7 (hasty)", "10.0.0.7 (slow)"]);
    play.go_on(&[("slow", 2, 130), ("slow", 2, 190), ("hasty", 3, 101), ("hasty", 3, 102)]);
    assert_eq!(play.missing(), [""; 0]);
}

#[test]
fn the_longest_of_the_last_intervals_counts() {
    let play = Play::until_the_end(&[("a", 1, 60), ("a", 1, 80), ("a", 1, 81), ("a", 1, 82)]);
    assert_eq!(play.missing(), ["10.0.0.7 (a)"], "18 seconds are no absence");
    let play = Play::until_the_end(&[("a", 1, 60), ("a", 1, 80), ("a", 1, 81), ("a", 1, 82), ("a", 1, 83)]);
    assert!(play.scrapers.missing().is_empty(), "now they are");
}

#[test]
fn who_opens_a_connection_for_every_scrape_is_known_by_its_name() {
    let mut play = Play::until_the_end(&[("one-shot", 1, 70), ("one-shot", 2, 80), ("one-shot", 3, 90)]);
    assert_eq!(play.missing(), ["10.0.0.7 (one-shot)"]);
    play.go_on(&[("one-shot", 4, 100), ("one-shot", 5, 110)]);
    assert_eq!(play.missing(), [""; 0]);
}

#[test]
fn who_comes_back_on_another_connection_is_the_same() {
    let mut play = Play::until_the_end(&regular("Prometheus/3.0.0", 1));
    play.scrapers.closed(1);
    assert_eq!(play.missing(), [PROMETHEUS]);
    play.go_on(&[("Prometheus/3.0.0", 2, 101), ("Prometheus/3.0.0", 2, 111)]);
    assert_eq!(play.missing(), [""; 0]);
}

#[test]
fn a_scrape_that_was_begun_before_the_end_does_not_have_it() {
    let mut play = Play::until_the_end(&regular("a", 1));
    play.go_on(&[("a", 1, 99), ("a", 1, 99), ("a", 1, 101)]);
    assert_eq!(play.missing(), ["10.0.0.7 (a)"]);
}

#[test]
fn where_nobody_is_regular_anybody_will_do() {
    let mut play = Play::until_the_end(&[("Prometheus/3.0.0", 1, 99)]);
    assert!(!play.scrapers.have_the_end());
    assert_eq!(play.scrapers.missing(), [""; 0], "nobody is expected");
    play.go_on(&[("Prometheus/3.0.0", 1, 114), ("Prometheus/3.0.0", 1, 129)]);
    assert!(play.scrapers.have_the_end());
}

#[test]
fn strangers_without_number_are_not_remembered() {
    let mut play = Play::until_the_end(&[]);
    for id in 0..10_000 {
        play.go_on(&[(&format!("agent-{id}\n{}", "x".repeat(1000)), id, 1)]);
        play.scrapers.closed(id);
    }
    assert_eq!((play.scrapers.visitors.len(), play.scrapers.connections.len()), (MOST, 0));
    assert!(play.scrapers.visitors.keys().all(|visitor| visitor.agent.len() == AGENT));
}

#[test]
fn a_scrape_that_began_before_a_moment_does_not_show_what_holds_since() {
    let mut play = Play::until_the_end(&regular("Prometheus/3.0.0", 1));
    assert!(play.scrapers.any_since(play.at(95)) && !play.scrapers.any_since(play.at(96)));
    // Answered late, begun early.
    play.go_on(&[("Prometheus/3.0.0", 2, 90)]);
    assert!(!play.scrapers.any_since(play.at(96)));
    play.go_on(&[("Prometheus/3.0.0", 1, 110)]);
    assert!(play.scrapers.any_since(play.at(96)));
}
