//! Pure: who scrapes this exporter, how often, and whether each has the end of the run.
//!
//! Two servers that record the same run (a pair for high availability) must both get its end, and somebody
//! with `curl` must not stand in for one of them. A server keeps its connection, which tells two on one
//! machine apart; who opens one for every scrape is known by address and User-Agent.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

/// A scraper that stayed away for so many of its intervals is no longer waited for.
const INTERVALS: u32 = 3;
/// The longest interval that makes a scraper; whoever comes less often is a person who looks.
const LONGEST: Duration = Duration::from_mins(2);
/// Intervals that are remembered; two at least make a habit.
const REMEMBERED: usize = 3;
/// Scrapes after the end that each needs: the second tells whoever judges that the first is not the last word.
const ENOUGH: u32 = 2;
/// Visitors that are told apart; beyond them nobody new is waited for.
const MOST: usize = 256;
/// Characters of a User-Agent that are kept.
const AGENT: usize = 80;

/// Who asks, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Visitor {
    address: String,
    agent: String,
}

impl Visitor {
    /// The visitor at `address` that calls itself `agent`.
    pub fn new(address: &str, agent: &str) -> Self {
        Self {
            address: address.to_owned(),
            agent: agent.chars().filter(|c| !c.is_control()).take(AGENT).collect(),
        }
    }
}

impl fmt::Display for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.agent.as_str() {
            "" => f.write_str(&self.address),
            agent => write!(f, "{} ({agent})", self.address),
        }
    }
}

/// The scrapes of one visitor, or of one connection of it.
#[derive(Debug, Clone, Default)]
struct Visits {
    last: Option<Instant>,
    /// Between the last of them.
    intervals: VecDeque<Duration>,
    after_end: u32,
}

impl Visits {
    fn note(&mut self, at: Instant, is_after_end: bool) {
        self.intervals.extend(self.last.map(|last| at.saturating_duration_since(last)));
        self.intervals.drain(..self.intervals.len().saturating_sub(REMEMBERED));
        self.last = Some(at);
        self.after_end += u32::from(is_after_end);
    }

    /// Whether it came again and again, until now.
    fn is_regular(&self, now: Instant) -> bool {
        let (Some(last), Some(interval)) = (self.last, self.intervals.iter().max()) else { return false };
        let away = now.saturating_duration_since(last);
        self.intervals.len() >= 2 && *interval <= LONGEST && away <= *interval * INTERVALS
    }
}

/// Everybody who has scraped.
#[derive(Debug, Clone, Default)]
pub struct Scrapers {
    total: u64,
    /// When the scrape that began last did so.
    latest: Option<Instant>,
    end: Option<Instant>,
    visitors: HashMap<Visitor, Visits>,
    connections: HashMap<u64, (Visitor, Visits)>,
    expected: Vec<Expected>,
}

/// One that must get the end of the run.
#[derive(Debug, Clone)]
struct Expected {
    visitor: Visitor,
    /// Its connection, if it keeps one.
    connection: Option<u64>,
}

impl Scrapers {
    /// Notes a scrape that was begun `at` and answered.
    pub fn note(&mut self, visitor: Visitor, connection: u64, at: Instant) {
        self.total += 1;
        self.latest = self.latest.max(Some(at));
        let is_after_end = self.end.is_some_and(|end| at >= end);
        if self.visitors.len() < MOST || self.visitors.contains_key(&visitor) {
            self.visitors.entry(visitor.clone()).or_default().note(at, is_after_end);
        }
        let (_, visits) = self.connections.entry(connection).or_insert((visitor, Visits::default()));
        visits.note(at, is_after_end);
    }

    /// Forgets a connection that was closed; its visitor may come back on another.
    pub fn closed(&mut self, connection: u64) {
        self.connections.remove(&connection);
    }

    /// Scrapes answered so far.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether a scrape that began at `moment` or later was answered: it has all that was exposed by then.
    pub fn any_since(&self, moment: Instant) -> bool {
        self.latest.is_some_and(|latest| latest >= moment)
    }

    /// From now on the exposition shows the end of the run. Whoever scraped regularly until now is expected.
    pub fn end(&mut self, now: Instant) {
        self.end = Some(now);
        let kept = self.connections.iter().filter(|(_, (_, visits))| visits.is_regular(now));
        let kept =
            kept.map(|(id, (visitor, _))| Expected { visitor: visitor.clone(), connection: Some(*id) });
        self.expected = kept.collect();
        let others = self.visitors.iter().filter(|(visitor, visits)| {
            visits.is_regular(now) && !self.expected.iter().any(|expected| expected.visitor == **visitor)
        });
        let others = others.map(|(visitor, _)| Expected { visitor: visitor.clone(), connection: None });
        let others: Vec<_> = others.collect();
        self.expected.extend(others);
    }

    /// Whether everybody who is expected has scraped the end; where nobody is, whether anybody has.
    pub fn have_the_end(&self) -> bool {
        if self.expected.is_empty() {
            return self.visitors.values().map(|visits| visits.after_end).sum::<u32>() >= ENOUGH;
        }
        self.expected.iter().all(|expected| self.has_the_end(expected))
    }

    /// Who is expected and has not scraped the end, in words; empty also where nobody is expected.
    pub fn missing(&self) -> Vec<String> {
        let missing = self.expected.iter().filter(|expected| !self.has_the_end(expected));
        let mut missing: Vec<_> = missing.map(|expected| expected.visitor.to_string()).collect();
        missing.sort();
        missing
    }

    fn has_the_end(&self, expected: &Expected) -> bool {
        let kept = expected.connection.and_then(|id| self.connections.get(&id));
        let visits = match kept {
            Some((_, visits)) => Some(visits),
            // Closed since, or never kept.
            None => self.visitors.get(&expected.visitor),
        };
        visits.is_some_and(|visits| visits.after_end >= ENOUGH)
    }
}

#[cfg(test)]
mod tests;
