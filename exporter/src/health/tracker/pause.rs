//! Stretches in which nobody looked between two failures of one outage (pure).
//!
//! Where one is so long that health might have lasted by the second failure, they may be two outages, and the second
//! may have come too late to count for a recovery: the outage before the stretch is what is certain.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Bounds, Outage};
use crate::clock::Moment;

/// Pauses of one outage remembered one by one at most.
const KEPT: usize = 64;

/// Such a stretch, or several without a failure between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    /// The outage as it was if nothing failed in the stretch, nor for long enough after it.
    pub(super) before: Outage,
    /// Start of the first failed probe after the stretch.
    pub(super) again: Moment,
}

/// All of them, oldest first. Where an outage has too many, its last ones are one: less is certain of it than is so.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    known: VecDeque<Pause>,
    /// The outage before the first stretch since its last failure.
    begun: Option<Outage>,
}

impl Pauses {
    /// Nobody had looked for a while until something was told by `told`; `open` is the outage then.
    pub(super) fn begin(&mut self, open: Outage, told: Moment) {
        let ended = open.ended.unwrap_or(Bounds { lower: open.last_failed, upper: told });
        self.begun = self.begun.or(Some(Outage { ended: Some(ended), over: true, ..open }));
    }

    /// The outage goes on with the failure at `again`. It takes health `lasting` to last.
    pub(super) fn end(&mut self, again: Moment, lasting: Duration) {
        let Some(before) = self.begun.take() else { return };
        if again <= before.least_end().later_by(lasting) {
            return;
        }
        if self.of(before.first_failed).count() < KEPT {
            self.known.push_back(Pause { before, again });
        } else if let Some(last) = self.known.back_mut() {
            last.again = again;
        }
    }

    /// The outage is over: nothing more comes after a stretch in it.
    pub(super) fn over(&mut self) {
        self.begun = None;
    }

    /// Those of the outage whose first failed probe began at `first_failed`.
    pub(super) fn of(&self, first_failed: Moment) -> impl Iterator<Item = &Pause> {
        self.known.iter().filter(move |pause| pause.before.first_failed == first_failed)
    }

    /// Lets those go of outages that began by `first_failed`.
    pub(super) fn forget(&mut self, first_failed: Moment) {
        self.known.retain(|pause| pause.before.first_failed > first_failed);
    }
}
