//! Pods that went, and what accounts for that. Pure.
//!
//! What a controller says that it deleted names the pod, but of one object no more than 25 events get through at once,
//! and then one in five minutes. So a `ReplicaSet` that is to have fewer pods accounts for as many, without names. The
//! other controllers remove few pods at a time.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::clock::Moment;
use crate::cluster::seen::Object;

/// A controller tells of a deletion within this time.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// A `ReplicaSet` deletes what it has too many of within this time.
const SURPLUS_LASTS: Duration = Duration::from_secs(30);

/// A pod that is gone, and nobody has said yet why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone {
    pub(super) pod: Object,
    /// UID of its controller.
    pub(super) owner: Option<String>,
    /// When that was seen.
    pub(super) at: Moment,
}

/// How many pods a `ReplicaSet` has too many of, less those that it named; and when that changed last.
#[derive(Debug, Default)]
struct Surplus {
    pods: i64,
    at: Moment,
}

/// Pods that went, and what accounts for that.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// Those not yet accounted for.
    waiting: Vec<Gone>,
    /// UIDs of all that went: a pod is on its way out first and gone later, which is one departure.
    known: HashSet<String>,
    /// Names of pods that controllers say they deleted, and when they said so, whose departure is not seen yet. Each
    /// accounts for one: a pod of a `StatefulSet` has its name from the one before it.
    told: Vec<(String, Moment)>,
    /// By the UID of the `ReplicaSet`.
    surplus: HashMap<String, Surplus>,
}

impl Departures {
    /// The pod of this UID was on its way out before anybody watched.
    pub(super) fn begin(&mut self, uid: &str) {
        self.known.insert(uid.to_owned());
    }

    /// A controller says, at `at`, that it deleted the pod of this name; `owner` is its UID where it is a `ReplicaSet`.
    pub(super) fn explain(&mut self, pod: &str, owner: Option<&str>, at: Moment) {
        match self.waiting.iter().position(|gone| gone.pod.name == pod) {
            Some(place) => drop(self.waiting.remove(place)),
            None => self.told.push((pod.to_owned(), at)),
        }
        if let Some(owner) = owner {
            self.note(owner, -1, at);
        }
    }

    /// The `ReplicaSet` of this UID is to have so many pods less, as was seen at `at`.
    pub(super) fn wants_fewer(&mut self, owner: &str, by: u32, at: Moment) {
        self.note(owner, by.into(), at);
    }

    fn note(&mut self, owner: &str, pods: i64, at: Moment) {
        let surplus = self.surplus.entry(owner.to_owned()).or_default();
        surplus.pods += pods;
        surplus.at = at;
    }

    /// A pod is gone, or on its way out.
    pub(super) fn add(&mut self, gone: Gone) {
        if !self.known.insert(gone.pod.uid.clone()) {
            return;
        }
        match self.told.iter().position(|(name, _)| *name == gone.pod.name) {
            Some(place) => drop(self.told.remove(place)),
            None => self.waiting.push(gone),
        }
    }

    /// Pods whose departure neither a controller nor `ours` accounts for, though all is known that controllers said and
    /// did until so long after it: that is known until `heard`, and departures until `looked`.
    pub(super) fn unexplained(
        &mut self,
        looked: Moment,
        heard: Moment,
        ours: impl Fn(&str) -> bool,
    ) -> Vec<Gone> {
        self.told.retain(|(_, at)| looked.since(*at) <= PATIENCE);
        self.surplus.retain(|_, surplus| heard.since(surplus.at) <= SURPLUS_LASTS);
        self.waiting.retain(|gone| !ours(&gone.pod.uid));
        let (mut late, waiting): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|gone| heard.since(gone.at) > PATIENCE);
        self.waiting = waiting;
        late.retain(|gone| !self.is_surplus(gone.owner.as_deref()));
        late
    }

    /// Whether a `ReplicaSet` had a pod too many, which then is this one.
    fn is_surplus(&mut self, owner: Option<&str>) -> bool {
        let surplus = owner.and_then(|owner| self.surplus.get_mut(owner)).filter(|it| it.pods > 0);
        surplus.map(|surplus| surplus.pods -= 1).is_some()
    }

    /// When the first of those went of which it is not known yet why.
    pub(super) fn oldest(&self) -> Option<Moment> {
        self.waiting.iter().map(|gone| gone.at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: &str = "u-rs";

    fn at(seconds: u64) -> Moment {
        Moment(Duration::from_secs(seconds))
    }

    fn gone(name: &str, uid: &str, seconds: u64) -> Gone {
        let pod = Object { kind: "Pod".to_owned(), name: name.to_owned(), uid: uid.to_owned() };
        Gone { pod, owner: Some(OWNER.to_owned()), at: at(seconds) }
    }

    /// UIDs of those that nobody accounts for, where all is known until `now`.
    fn late(departures: &mut Departures, now: u64) -> Vec<String> {
        let late = departures.unexplained(at(now), at(now), |uid| uid == "u-killed");
        late.into_iter().map(|gone| gone.pod.uid).collect()
    }

    #[test]
    fn a_pod_that_went_by_nobodys_word_is_told_once_after_a_while() {
        let mut departures = Departures::default();
        for pod in ["scaled", "killed", "deleted", "deleted"] {
            departures.add(gone(pod, &format!("u-{pod}"), 10));
        }
        departures.add(gone("late", "u-late", 14));
        assert_eq!(departures.oldest(), Some(at(10)));
        departures.explain("scaled", None, at(11));
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
        departures.explain(name, None, at(1));
        departures.add(gone(name, "u-1", 2));
        assert_eq!(late(&mut departures, 20), [""; 0]);
        // On its way out, told, and then gone.
        departures.add(gone(name, "u-2", 21));
        assert_eq!(late(&mut departures, 30), ["u-2"]);
        departures.add(gone(name, "u-2", 50));
        assert_eq!(late(&mut departures, 60), [""; 0]);
        // An old word accounts for nothing that comes later.
        departures.explain(name, None, at(60));
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
        assert_eq!(departures.unexplained(at(60), at(12), |_| false), []);
        assert_eq!(departures.oldest(), Some(at(10)));
        departures.explain("a", None, at(61));
        assert_eq!(late(&mut departures, 61), [""; 0]);
        // The other way about: who went is missing since 62.
        departures.explain("b", None, at(70));
        assert_eq!(departures.unexplained(at(62), at(90), |_| false), []);
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
            departures.explain(&name(number), Some(OWNER), at(11));
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
}
