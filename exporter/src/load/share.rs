//! Which of a run's users belong to a process, and which of those to a thread of it (pure).

/// The users whose number is `index` modulo `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    index: usize,
    of: usize,
}

impl Share {
    /// All of them.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Part `index` of `of`, which counts from 0.
    pub const fn new(index: usize, of: usize) -> Option<Self> {
        if index < of { Some(Self { index, of }) } else { None }
    }

    /// Its number.
    pub const fn index(self) -> usize {
        self.index
    }

    /// How many parts there are.
    pub const fn of(self) -> usize {
        self.of
    }

    /// How many of the users 0 to `users` are in it.
    pub const fn of_users(self, users: usize) -> usize {
        (users + self.of - 1 - self.index) / self.of
    }

    /// Part `part` of `parts` of this one.
    pub(super) const fn part(self, part: usize, parts: usize) -> Self {
        Self { index: self.index + self.of * part, of: self.of * parts }
    }

    /// The number of its user at `place`, counted from 0.
    pub(super) const fn user(self, place: usize) -> usize {
        self.index + place * self.of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(index: usize, of: usize) -> Share {
        Share::new(index, of).expect("below")
    }

    #[test]
    fn shares_add_up() {
        for of in 1..5 {
            for users in 0..20 {
                assert_eq!((0..of).map(|index| share(index, of).of_users(users)).sum::<usize>(), users);
            }
        }
        assert_eq!((share(0, 2).of_users(1), share(1, 2).of_users(1), share(0, 2).of_users(5)), (1, 0, 3));
        assert_eq!(Share::new(2, 2), None);
    }

    /// Every moment of the schedule finds the same users at work, however they are split.
    #[test]
    fn threads_of_processes_have_every_user_once() {
        for (processes, threads) in [(1, 1), (1, 3), (2, 1), (2, 2), (3, 4)] {
            for users in [0, 1, 7, 24] {
                let mut all = Vec::new();
                for process in 0..processes {
                    let process = share(process, processes);
                    let of_threads = (0..threads).map(|thread| process.part(thread, threads));
                    let own: Vec<usize> = of_threads
                        .flat_map(|thread| (0..thread.of_users(users)).map(move |place| thread.user(place)))
                        .collect();
                    assert_eq!(own.len(), process.of_users(users));
                    assert!(own.iter().all(|user| user % processes == process.index()), "{own:?}");
                    all.extend(own);
                }
                all.sort_unstable();
                assert_eq!(all, (0..users).collect::<Vec<_>>(), "{processes} processes, {threads} threads");
            }
        }
    }
}
