//! What keeps health from settling after a fault: outages, and stretches in which nobody looked (pure).
//!
//! They are a chain: each begins before the final moment, and moves that moment for those after it. One that nobody
//! looked in need not hide anything, so the chain has two ends: what may have been, and what failed probes prove. Of an
//! outage with such a stretch inside, that is the part before it where health may have settled before it failed again.

use super::recovery::{Question, Revert};
use super::unseen::Unseen;
use super::{Outage, Tracker};
use crate::clock::Moment;

/// What kept health from settling.
#[derive(Debug)]
pub(super) struct Dark<'a> {
    /// The last outage.
    pub(super) last: Option<&'a Outage>,
    /// The last one, as far as it is certain to count: it does so even if nothing failed where nobody looked.
    pub(super) certain: Option<&'a Outage>,
    /// By when all of it had ended, as far as is known; zero without any.
    pub(super) ended: Moment,
    /// Whether nobody looked at the deadline, or after it before health had settled. What follows is left out.
    pub(super) blind: bool,
}

impl Dark<'_> {
    /// Failed probes prove that it was down until then; zero where none do.
    pub(super) fn proven(&self) -> Moment {
        self.certain.map(Outage::least_end).unwrap_or_default()
    }
}

impl Tracker {
    /// What ended after the injection and began before health had settled, as is known at `now`. Health has to hold
    /// from `base` on.
    pub(super) fn dark_before_final(&self, question: &Question, base: Moment, now: Moment) -> Dark<'_> {
        let mut dark = Dark { last: None, certain: None, ended: Moment::default(), blind: false };
        let after_final = |began: Moment, ended: Moment| {
            question.revert != Revert::Due && began > ended.max(base).later_by(question.settle)
        };
        for part in self.parts(question.injected.start, now) {
            if after_final(part.began(), dark.ended) {
                break;
            }
            match part {
                Part::Outage(outage) => {
                    if !after_final(part.began(), dark.proven()) {
                        let mut pauses = self.pauses.of(outage.first_failed);
                        let settled = pauses.find(|it| after_final(it.again, it.before.least_end()));
                        dark.certain = Some(settled.map_or(outage, |pause| &pause.before));
                    }
                    dark.last = Some(outage);
                }
                Part::Unseen(unseen) => dark.blind = unseen.ended > question.deadline,
            }
            dark.ended = dark.ended.max(part.ended().unwrap_or_default());
            if dark.blind {
                break;
            }
        }
        dark
    }

    /// All that was not over by `injected`, in the order of its beginnings.
    fn parts(&self, injected: Moment, now: Moment) -> Vec<Part<'_>> {
        let outages = self.outages.iter().map(Part::Outage);
        let unseen = self.unseen.iter().chain(self.still_unseen(now)).map(Part::Unseen);
        let mut parts: Vec<_> = outages.chain(unseen).collect();
        parts.retain(|part| part.over_by().is_none_or(|over| over > injected));
        parts.sort_by_key(Part::began);
        parts
    }

    /// The stretch that still goes on at `now`, as long as it is for certain: what is told next began later.
    fn still_unseen(&self, now: Moment) -> Option<Unseen> {
        let began = self.seen?;
        let ended = now.earlier_by(self.grace());
        (ended.since(began) > self.blind_after()).then_some(Unseen { began, ended })
    }
}

/// A time in which the component failed, or may have.
#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Outage(&'a Outage),
    Unseen(Unseen),
}

impl Part<'_> {
    fn began(&self) -> Moment {
        match self {
            Self::Outage(outage) => outage.first_failed,
            Self::Unseen(unseen) => unseen.began,
        }
    }

    /// As far as is known.
    fn ended(&self) -> Option<Moment> {
        match self {
            Self::Outage(outage) => outage.ended.map(|ended| ended.upper),
            Self::Unseen(unseen) => Some(unseen.ended),
        }
    }

    /// Its end, once nothing moves it any more.
    fn over_by(&self) -> Option<Moment> {
        match self {
            Self::Outage(outage) if !outage.over => None,
            Self::Outage(_) | Self::Unseen(_) => self.ended(),
        }
    }
}
