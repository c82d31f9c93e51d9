//! Pure: what a load process has heard from the ConfigMap, and whether it has its place there.

use super::LEAD;
use super::orders::Heard;
use super::signal::{Lead, Order, Unreadable};
use super::status::Status;
use crate::clock::Moment;
use crate::cluster::kubernetes::shared::Texts;

/// What one load process has heard.
pub(super) struct Ear {
    run: String,
    /// The key of its own text.
    key: String,
    /// Itself, as that text calls it.
    who: String,
    lead: Option<(String, Lead)>,
    /// When the conductor's text, or its absence, was new.
    heard_at: Moment,
    heard_after: f64,
    /// The object that it writes to.
    uid: Option<String>,
    replaced: bool,
}

impl Ear {
    /// The process `who` of `run`, whose text is at `key`; it has heard nothing at `now`.
    pub(super) fn new(run: &str, key: String, who: &str, now: Moment) -> Self {
        Self {
            run: run.to_owned(),
            key,
            who: who.to_owned(),
            lead: None,
            heard_at: now,
            heard_after: f64::MAX,
            uid: None,
            replaced: false,
        }
    }

    /// Takes in what the ConfigMap says at `now`, which is `unix` seconds on its clock. Says whether it has just got
    /// its place there, or why the conductor's text is not understood.
    pub(super) fn hear(&mut self, texts: Option<&Texts>, now: Moment, unix: f64) -> Result<bool, Unreadable> {
        let Some(texts) = texts else {
            if self.lead.take().is_some() {
                self.heard_at = now;
            }
            self.uid = None;
            return Ok(false);
        };
        let text = texts.by_key.get(LEAD).map_or("", String::as_str);
        let understood = self.hear_lead(text, now, unix);
        let standing = texts.by_key.get(&self.key).and_then(|text| Status::parse(text).ok());
        let other = standing.is_some_and(|status| status.who != self.who);
        let joined = self.uid.as_ref() == Some(&texts.uid);
        let ours = self.lead.as_ref().filter(|(before, _)| before == text);
        let order = ours.map(|(_, lead)| lead.order);
        // Once the load was told to begin, who stands there has users, or told last what they did.
        let late = order.is_some_and(|order| order != Order::Wait {});
        self.replaced = other && (joined || late);
        let joins = order.is_some() && !joined && !self.replaced;
        if joins {
            self.uid = Some(texts.uid.clone());
        }
        understood.map(|()| joins)
    }

    fn hear_lead(&mut self, text: &str, now: Moment, unix: f64) -> Result<(), Unreadable> {
        if self.lead.as_ref().is_some_and(|(before, _)| before == text) {
            return Ok(());
        }
        let lead = Lead::parse(text)?;
        // An older one that comes again is no sign of life.
        let is_older = self.lead.as_ref().is_some_and(|(_, before)| lead.at <= before.at);
        if lead.run == self.run && !is_older {
            self.heard_at = now;
            self.heard_after = self.heard_after.min(unix - lead.at);
            self.lead = Some((text.to_owned(), lead));
        }
        Ok(())
    }

    /// What was heard, as things are at `now`.
    pub(super) fn heard(&self, now: Moment, unix: f64) -> Heard<'_> {
        Heard {
            lead: self.lead.as_ref().map(|(_, lead)| lead),
            silent: now.since(self.heard_at),
            replaced: self.replaced,
            now: unix,
        }
    }

    /// The least time by which one of the conductor's texts came after it was written, as both clocks have it.
    pub(super) fn heard_after(&self) -> f64 {
        self.heard_after
    }

    /// The object to write to; `None`: there is none, or another process stands there.
    pub(super) fn place(&self) -> Option<&str> {
        self.uid.as_deref().filter(|_| !self.replaced)
    }

    /// The object is gone.
    pub(super) fn lose_place(&mut self) {
        self.uid = None;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::super::account::Account;
    use super::super::status::State;
    use super::super::told::Told;
    use super::*;

    const UNIX: f64 = 1.76e9;

    fn ear() -> Ear {
        Ear::new("r", "load-0".to_owned(), "new", Moment::default())
    }

    /// The ConfigMap with this order of a run, written at that second, and a state of a process.
    fn texts(run: &str, order: Order, written: f64, standing: Option<(&str, State)>) -> Texts {
        let at = UNIX + written;
        let lead = Lead { run: run.to_owned(), trial: "t".to_owned(), of: 2, at, order };
        let status = standing.map(|(who, state)| Status {
            who: who.to_owned(),
            trial: "t".to_owned(),
            of: 2,
            state,
            at,
            heard_after: 0.0,
            running: 0,
            in_flight: 0,
            account: Told::of(&Account::none(1), 0),
        });
        let own = status.map(|status| ("load-0".to_owned(), status.text()));
        let by_key: BTreeMap<_, _> = own.into_iter().chain([(LEAD.to_owned(), lead.text())]).collect();
        Texts { uid: "u".to_owned(), version: "1".to_owned(), by_key }
    }

    #[test]
    fn a_place_in_which_users_may_run_is_not_taken() {
        let start = Order::Start { at: UNIX };
        // Who stands there as what, the conductor's run and order; whether the place is got, or known as another's.
        let table = [
            (None, "r", Order::Wait {}, true, false),
            (None, "r", start, true, false),
            (None, "other", Order::Wait {}, false, false),
            (Some(("old", State::Ready)), "r", Order::Wait {}, true, false),
            (Some(("old", State::Left("interrupted".to_owned()))), "r", Order::Wait {}, true, false),
            (Some(("old", State::Running)), "r", start, false, true),
            (Some(("old", State::Ready)), "r", start, false, true),
            (Some(("old", State::Left("interrupted".to_owned()))), "r", start, false, true),
            (Some(("old", State::Ended)), "r", Order::Finish {}, false, true),
            (Some(("old", State::Running)), "other", start, false, false),
            (Some(("new", State::Running)), "r", start, true, false),
        ];
        for (standing, run, order, got, replaced) in table {
            let what = format!("{standing:?} {run} {order:?}");
            let mut ear = ear();
            let texts = texts(run, order, 0.0, standing);
            let joins = ear.hear(Some(&texts), Moment::default(), UNIX).expect("understood");
            assert_eq!(joins, got, "{what}");
            let told = (ear.place().is_some(), ear.heard(Moment::default(), UNIX).replaced);
            assert_eq!(told, (got, replaced), "{what}");
        }
    }

    #[test]
    fn whoever_is_replaced_writes_no_more() {
        let mut ear = ear();
        let mut hear = |written: f64, who: &str| {
            let standing = Some((who, State::Ready));
            let texts = texts("r", Order::Wait {}, written, standing);
            let joins = ear.hear(Some(&texts), Moment::default(), UNIX).expect("understood");
            (joins, ear.place().is_some())
        };
        assert_eq!(hear(0.0, "old"), (true, true));
        assert_eq!(hear(2.0, "new"), (false, true));
        assert_eq!(hear(4.0, "third"), (false, false));
    }

    #[test]
    fn the_conductor_is_silent_while_nothing_newer_comes() {
        let mut ear = ear();
        let mut silent = |written: f64, now: u64| {
            let now = Moment::from_secs_f64(now as f64);
            let texts = texts("r", Order::Wait {}, written, None);
            ear.hear(Some(&texts), now, UNIX + now.as_secs_f64()).expect("understood");
            ear.heard(now, UNIX).silent.as_secs()
        };
        assert_eq!([silent(0.0, 1), silent(0.0, 9), silent(8.0, 10)], [0, 8, 0]);
        // An older one is no sign of life.
        assert_eq!(silent(4.0, 15), 5);
        assert_eq!(ear.heard_after().to_string(), "1");
        let late = Moment::from_secs_f64(20.0);
        ear.hear(None, late, UNIX).expect("nothing to understand");
        assert!(ear.heard(late, UNIX).lead.is_none() && ear.place().is_none());
    }

    #[test]
    fn a_text_that_is_not_understood_changes_nothing() {
        let mut ear = ear();
        let mut texts = texts("r", Order::Wait {}, 0.0, None);
        assert!(ear.hear(Some(&texts), Moment::default(), UNIX).expect("understood"));
        texts.by_key.insert(LEAD.to_owned(), "gibberish".to_owned());
        assert!(ear.hear(Some(&texts), Moment::from_secs_f64(9.0), UNIX).is_err());
        assert_eq!(ear.heard(Moment::from_secs_f64(9.0), UNIX).silent.as_secs(), 9);
        assert!(ear.place().is_some());
    }
}
