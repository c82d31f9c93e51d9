//! What goes by this program's own word: what was granted, and what was asked for and not answered. Does no I/O.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::departures::PATIENCE;
use crate::clock::Moment;

/// How a request stands by which an object is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Its answer is awaited.
    Asked,
    /// Nobody answered, and it may have been carried out; with when that was first known to the witness.
    Unanswered(Option<Moment>),
    /// The API server has agreed.
    Granted,
}

/// Whether an object goes by our word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It does.
    Ours,
    /// An answer is awaited, which may come later than the object is seen to go.
    Undecided,
    /// It does not.
    Theirs,
}

/// What this program itself takes away. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Ours(Arc<Mutex<HashMap<String, Standing>>>);

impl Ours {
    /// What all connections of this program to clusters take away: what is broken and what is put back go by several.
    pub(in crate::cluster::kubernetes) fn of_this_program() -> Self {
        static OURS: LazyLock<Ours> = LazyLock::new(Ours::default);
        OURS.clone()
    }

    /// From now on the object of this UID, or of this name where no other ever has it, goes by our word.
    pub fn add(&self, uid_or_name: &str) {
        self.lock().insert(uid_or_name.to_owned(), Standing::Granted);
    }

    /// A request is about to be sent by which the object of this UID is to go: until it is answered, nobody can say
    /// who let the object go.
    pub fn ask(&self, uid: &str) -> Asking {
        let before = self.lock().insert(uid.to_owned(), Standing::Asked);
        let end = match before {
            Some(Standing::Granted) => before,
            _ => Some(Standing::Unanswered(None)),
        };
        Asking { ours: self.clone(), uid: uid.to_owned(), before, end }
    }

    pub(super) fn has_object(&self, object: &ObjectMeta) -> bool {
        object.uid.iter().chain(&object.name).any(|it| self.claim(it) != Claim::Theirs)
    }

    pub(super) fn claim(&self, uid_or_name: &str) -> Claim {
        match self.lock().get(uid_or_name) {
            None => Claim::Theirs,
            Some(Standing::Asked) => Claim::Undecided,
            Some(Standing::Unanswered(_) | Standing::Granted) => Claim::Ours,
        }
    }

    /// Takes out what nobody answered and nothing came of: it is known until `looked` what `went`, and it is `now`.
    pub(super) fn settle(&self, now: Moment, looked: Moment, went: impl Fn(&str) -> bool) {
        self.lock().retain(|uid, standing| {
            let Standing::Unanswered(since) = standing else { return true };
            let since = *since.get_or_insert(now);
            went(uid) || looked.since(since) <= PATIENCE
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request by which an object is to go. Dropped without a word, it is one that nobody answered.
#[derive(Debug)]
#[must_use = "what is dropped counts as unanswered"]
pub struct Asking {
    ours: Ours,
    uid: String,
    before: Option<Standing>,
    end: Option<Standing>,
}

impl Asking {
    /// The API server has agreed.
    pub fn granted(mut self) {
        self.end = Some(Standing::Granted);
    }

    /// The API server has said no; an earlier request stands as it stood.
    pub fn refused(mut self) {
        self.end = self.before;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut all = self.ours.lock();
        match self.end {
            Some(end) => all.insert(self.uid.clone(), end),
            None => all.remove(&self.uid),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Moment {
        Moment::from_secs_f64(seconds)
    }

    #[test]
    fn what_is_asked_for_is_ours_only_if_it_was_granted_or_nobody_answered() {
        type Answer = fn(Asking);
        let table: [(&[Answer], Claim); 6] = [
            (&[Asking::granted], Claim::Ours),
            (&[Asking::refused], Claim::Theirs),
            (&[drop], Claim::Ours),
            // A later no says nothing of one that was not answered, or was granted.
            (&[drop, Asking::refused], Claim::Ours),
            (&[Asking::granted, Asking::refused], Claim::Ours),
            (&[Asking::refused, Asking::granted], Claim::Ours),
        ];
        for (number, (answers, expected)) in table.into_iter().enumerate() {
            let ours = Ours::default();
            assert_eq!(ours.claim("u"), Claim::Theirs);
            for answer in answers {
                let asking = ours.ask("u");
                assert_eq!(ours.claim("u"), Claim::Undecided, "{number}");
                answer(asking);
            }
            assert_eq!(ours.claim("u"), expected, "{number}");
        }
    }

    #[test]
    fn what_nobody_answered_and_nothing_came_of_is_not_ours_any_more() {
        let ours = Ours::default();
        for uid in ["u-stays", "u-went"] {
            drop(ours.ask(uid));
        }
        ours.add("u-granted");
        // Who went is known only until long before the request: that is no sign yet.
        let table = [(100.0, 20.0, true), (109.0, 108.0, true), (110.0, 109.0, false)];
        for (now, looked, kept) in table {
            ours.settle(at(now), at(looked), |uid| uid == "u-went");
            let claims = ["u-stays", "u-went", "u-granted"].map(|uid| ours.claim(uid) == Claim::Ours);
            assert_eq!(claims, [kept, true, true], "{looked}");
        }
    }
}
