//! Pure: the load processes of a run as the conductor knows them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::super::account::Account;
use super::STALE;
use super::skew::Ahead;
use super::status::{State, Status};
use crate::clock::Moment;

/// Clocks that are certainly further apart than this start no load together.
const APART: f64 = 2.0;
/// The rate of requests is that of so long.
const RECENT: Duration = Duration::from_secs(6);

/// All load processes of a run.
#[derive(Debug)]
pub(super) struct Roster {
    trial: String,
    tasks: usize,
    seats: Vec<Seat>,
    recent: VecDeque<(Moment, u64)>,
}

/// One load process.
#[derive(Debug)]
struct Seat {
    /// The text that was read last, and when it first stood there.
    text: String,
    heard: Moment,
    status: Option<Status>,
    /// What the users of each process did that was here: a pod may be replaced before the load begins.
    accounts: BTreeMap<String, Account>,
    ahead: Ahead,
    /// Why its text cannot be used.
    trouble: Option<String>,
    /// Why it counts as lost.
    lost: Option<String>,
}

/// What became of a process since the last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// It is lost, and why.
    Lost(usize, String),
    /// It is heard of again.
    Back(usize),
}

/// The processes together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sums {
    /// Users that run.
    pub(super) running: usize,
    /// Requests that are open.
    pub(super) in_flight: usize,
    /// Requests that ended well.
    pub(super) ok: u64,
    /// Requests that did not.
    pub(super) error: u64,
}

impl Roster {
    /// `of` processes that have this trial, which has so many tasks; none is heard of yet.
    pub(super) fn new(trial: &str, tasks: usize, of: usize) -> Self {
        let seat = |_| Seat {
            text: String::new(),
            heard: Moment::default(),
            status: None,
            accounts: BTreeMap::new(),
            ahead: Ahead::UNKNOWN,
            trouble: None,
            lost: None,
        };
        Self { trial: trial.to_owned(), tasks, seats: (0..of).map(seat).collect(), recent: VecDeque::new() }
    }

    /// Process `index` has this text at `now`, which is `unix` seconds on the conductor's clock.
    pub(super) fn hear(&mut self, index: usize, text: &str, now: Moment, unix: f64) {
        let of = self.seats.len();
        let Some(seat) = self.seats.get_mut(index).filter(|seat| seat.text != text) else { return };
        let status = match Status::parse(text) {
            Ok(status) => status,
            Err(error) => return seat.trouble = Some(format!("its state is {error}")),
        };
        let is_older = |last: &Status| last.who == status.who && status.at <= last.at;
        if seat.status.as_ref().is_some_and(|last| is_older(last) || comes_late(last, &status)) {
            return;
        }
        text.clone_into(&mut seat.text);
        seat.heard = now;
        seat.trouble = if status.of != of {
            Some(format!("it is one of {}, not of {of}", status.of))
        } else if status.trial != self.trial {
            Some("it has another trial, or other flags that change it".to_owned())
        } else {
            None
        };
        if seat.trouble.is_some() {
            return;
        }
        match status.account.account(self.tasks) {
            Ok(account) => {
                seat.accounts.insert(status.who.clone(), account);
            }
            Err(error) => seat.trouble = Some(format!("its account is {error}")),
        }
        if seat.status.as_ref().is_none_or(|before| before.who != status.who) {
            seat.ahead = Ahead::UNKNOWN;
        }
        seat.ahead.was_read_after(unix - status.at);
        seat.ahead.read_after(status.heard_after);
        seat.status = Some(status);
    }

    /// What keeps the load from beginning at `now`: a line for each process that is not ready.
    pub(super) fn not_ready(&self, now: Moment) -> Vec<String> {
        let line =
            |(index, seat): (usize, &Seat)| seat.not_ready(now).map(|why| format!("load-{index} ({why})"));
        self.seats.iter().enumerate().filter_map(line).collect()
    }

    /// What became of processes since the last call.
    pub(super) fn look(&mut self, now: Moment) -> Vec<Change> {
        let sums = self.sums();
        self.recent.push_back((now, sums.ok + sums.error));
        while self.recent.len() > 2 && self.recent.front().is_some_and(|(at, _)| now.since(*at) > RECENT) {
            self.recent.pop_front();
        }
        let change = |(index, seat): (usize, &mut Seat)| {
            let (before, why) = (seat.lost.is_some(), seat.is_lost(now));
            seat.lost.clone_from(&why);
            match (before, why) {
                (false, Some(why)) => Some(Change::Lost(index, why)),
                (true, None) => Some(Change::Back(index)),
                _ => None,
            }
        };
        self.seats.iter_mut().enumerate().filter_map(change).collect()
    }

    /// All of them together. What lost ones did stays done, but nobody knows of a user of theirs that runs.
    pub(super) fn sums(&self) -> Sums {
        self.seats.iter().fold(Sums::default(), |mut sums, seat| {
            for (ok, error) in seat.accounts.values().map(Account::totals) {
                (sums.ok, sums.error) = (sums.ok + ok, sums.error + error);
            }
            if let Some(status) = seat.status.as_ref().filter(|_| seat.lost.is_none()) {
                sums.running += status.running;
                sums.in_flight += status.in_flight;
            }
            sums
        })
    }

    /// Requests a second, lately.
    pub(super) fn per_second(&self) -> f64 {
        let (Some((since, before)), Some((now, total))) = (self.recent.front(), self.recent.back()) else {
            return 0.0;
        };
        let seconds = now.secs_since(*since);
        if seconds > 0.0 { total.saturating_sub(*before) as f64 / seconds } else { 0.0 }
    }

    /// Which processes are not lost.
    pub(super) fn present(&self) -> impl Iterator<Item = usize> {
        self.seats.iter().enumerate().filter(|(_, seat)| seat.lost.is_none()).map(|(index, _)| index)
    }

    /// Whether no process has users any more, as far as anybody knows.
    pub(super) fn have_ended(&self) -> bool {
        let ended = |seat: &Seat| seat.lost.is_some() || seat.state() == Some(&State::Ended);
        self.seats.iter().all(ended)
    }

    /// The lost processes, each with why.
    pub(super) fn lost(&self) -> Vec<String> {
        let line =
            |(index, seat): (usize, &Seat)| seat.lost.as_ref().map(|why| format!("load-{index}: {why}"));
        self.seats.iter().enumerate().filter_map(line).collect()
    }

    /// How far each process's clock is ahead, in order.
    pub(super) fn clocks(&self) -> Vec<Ahead> {
        self.seats.iter().map(|seat| seat.ahead).collect()
    }

    /// What all users did, as far as it was told; `None`: nobody has told anything. A process whose users never began
    /// has no response times to tell.
    pub(super) fn account(&self) -> Option<Account> {
        let all = self.seats.iter().flat_map(|seat| seat.accounts.values());
        let mut accounts = all.filter(|account| !account.lasted.is_zero());
        let mut sum = accounts.next()?.clone();
        accounts.for_each(|account| sum.add(account));
        Some(sum)
    }
}

impl Seat {
    fn state(&self) -> Option<&State> {
        self.status.as_ref().map(|status| &status.state)
    }

    fn not_ready(&self, now: Moment) -> Option<String> {
        if self.trouble.is_some() {
            return self.trouble.clone();
        }
        let apart = self.ahead.for_certain();
        match self.state() {
            None => Some("not there".to_owned()),
            Some(State::Left(why)) => Some(why.clone()),
            Some(_) if now.since(self.heard) >= STALE => Some(silent(now.since(self.heard))),
            Some(State::Ready) if apart.abs() > APART => {
                let way = if apart > 0.0 { "ahead of" } else { "behind" };
                Some(format!("its clock is {:.1} s {way} the conductor's", apart.abs()))
            }
            Some(State::Ready) => None,
            Some(State::Running | State::Ended) => Some("it does not wait".to_owned()),
        }
    }

    fn is_lost(&self, now: Moment) -> Option<String> {
        match self.state() {
            Some(State::Left(why)) => Some(why.clone()),
            Some(State::Ended) => None,
            _ if now.since(self.heard) >= STALE => {
                // The same words for as long as it lasts: they are compared.
                Some(format!("not heard of for {} s", STALE.as_secs()))
            }
            _ => None,
        }
    }
}

/// Whether another process came to where users already ran: what it says is not said of them.
fn comes_late(last: &Status, status: &Status) -> bool {
    last.who != status.who && matches!(last.state, State::Running | State::Ended)
}

fn silent(time: Duration) -> String {
    format!("not heard of for {} s", time.as_secs())
}

#[cfg(test)]
mod tests;
