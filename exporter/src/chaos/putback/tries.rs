//! Whether a revert that did not succeed is tried again (pure).

use std::time::Duration;

use super::Retry;
use crate::chaos::faults::Ending;

/// An API server that came back just before the first try was not seen to be away, and needs so long until it lets us do
/// what we may, and has a way to its nodes.
const BACK: Duration = Duration::from_secs(10);

/// The tries of one revert so far.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// How many there were.
    pub(super) made: u32,
    /// So many of them were decided upon, or could not even be begun.
    noes: u32,
    /// One of them was not answered.
    away: bool,
}

impl Tries {
    /// Counts one that ended so (`None`: it could not be begun), `passed` after the first one began; says whether there
    /// is to be another one.
    pub(super) fn again(&mut self, ending: Option<&Ending>, retry: Retry, passed: Duration) -> bool {
        self.made += 1;
        let waits = match ending {
            // Tried again it would be the same.
            Some(Ending::ForAPerson(_)) => return false,
            Some(Ending::Unanswered(_)) => {
                self.away = true;
                true
            }
            // Whoever has only just come back does not know yet who may do what.
            Some(Ending::Barred(_)) => self.away || passed < BACK.min(retry.away),
            // What could not even be begun may be possible a moment later: descriptors were short, say.
            Some(Ending::Done | Ending::Failed(_) | Ending::OutOfTime(_)) | None => false,
        };
        if waits {
            return self.made < retry.attempts || passed < retry.away;
        }
        self.noes += 1;
        self.noes < retry.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry = Retry { attempts: 3, pause: Duration::from_secs(1), away: Duration::from_secs(20) };

    /// After which of these tries, one a second, it is given up; `None`: after none of them.
    fn given_up(endings: &[Option<Ending>]) -> Option<u32> {
        let mut tries = Tries::default();
        (1..).zip(endings).find_map(|(number, ending)| {
            let passed = RETRY.pause * number;
            let again = tries.again(ending.as_ref(), RETRY, passed);
            (!again).then_some(tries.made)
        })
    }

    #[test]
    fn noes_are_counted_and_silence_is_waited_out_with_what_is_said_first_after_it() {
        let text = String::new;
        let (away, no) = (|| Some(Ending::Unanswered(text())), || Some(Ending::Failed(text())));
        let (barred, late) = (|| Some(Ending::Barred(text())), || Some(Ending::OutOfTime(text())));
        let left = || Some(Ending::ForAPerson(text()));
        let times = |count: usize, ending: Option<Ending>| vec![ending; count];
        let table = [
            (times(30, no()), Some(3)),
            (times(30, late()), Some(3)),
            (times(30, None), Some(3)),
            // It was not away, or not seen to be: from the tenth second on it does not let us.
            (times(30, barred()), Some(12)),
            (times(9, barred()), None),
            ([times(9, barred()), times(3, no())].concat(), Some(12)),
            (times(30, away()), Some(20)),
            (vec![left()], Some(1)),
            // Away, then not ready, then fine.
            ([times(10, away()), times(5, barred())].concat(), None),
            ([times(1, away()), times(30, barred())].concat(), Some(20)),
            // What it decides is counted by itself, however long it was away.
            ([times(10, away()), times(2, no())].concat(), None),
            ([times(10, away()), times(3, no())].concat(), Some(13)),
            ([times(25, barred()), times(1, away())].concat(), Some(12)),
            (vec![no(), away(), no(), away(), no()], Some(5)),
            (vec![no(), away(), left()], Some(3)),
        ];
        for (endings, expected) in table {
            assert_eq!(given_up(&endings), expected, "{endings:?}");
        }
    }

    #[test]
    fn without_patience_each_try_counts() {
        let none = Retry { attempts: 2, away: Duration::ZERO, ..RETRY };
        for ending in [Ending::Unanswered(String::new()), Ending::Failed(String::new())] {
            let mut tries = Tries::default();
            assert!(tries.again(Some(&ending), none, Duration::ZERO), "{ending:?}");
            assert!(!tries.again(Some(&ending), none, Duration::ZERO), "{ending:?}");
        }
    }
}
