//! Pure: how far two clocks are apart, by what each wrote and when the other read it.
//!
//! A text that is written at `w` on one clock and read at `r` on the other was under way for a while, so `r - w` is
//! at least how far the reader's clock is ahead. Each direction bounds the difference from one side.

/// How far a load process's clock is ahead of the conductor's, in seconds: between these bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ahead {
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Ahead {
    /// Nothing known.
    pub(super) const UNKNOWN: Self = Self { least: f64::NEG_INFINITY, most: f64::INFINITY };

    /// The process read a text of the conductor `seconds` after it was written, as both clocks have it.
    pub(super) fn read_after(&mut self, seconds: f64) {
        self.most = self.most.min(seconds);
    }

    /// The conductor read a text of the process so much after it was written.
    pub(super) fn was_read_after(&mut self, seconds: f64) {
        self.least = self.least.max(-seconds);
    }

    /// The smallest difference that there is for certain, with its sign.
    pub(super) fn for_certain(self) -> f64 {
        if self.least > 0.0 { self.least } else { self.most.min(0.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts under way for so long, towards the process and back, to a clock that is ahead by so much.
    fn seen(ahead: f64, there: &[f64], back: &[f64]) -> Ahead {
        let mut bounds = Ahead::UNKNOWN;
        for under_way in there {
            bounds.read_after(ahead + under_way);
        }
        for under_way in back {
            bounds.was_read_after(under_way - ahead);
        }
        bounds
    }

    #[test]
    fn the_quickest_texts_bound_the_difference() {
        for ahead in [-3.0, 0.0, 0.25, 70.0] {
            let bounds = seen(ahead, &[0.5, 0.125, 4.0], &[2.0, 0.25]);
            assert!(bounds.least <= ahead && ahead <= bounds.most, "{bounds:?}");
            let width = (bounds.most - bounds.least - 0.375).abs();
            assert!(width < 1e-9, "{bounds:?}");
        }
    }

    #[test]
    fn what_may_be_the_way_is_no_difference() {
        let table = [
            (seen(0.0, &[0.5], &[0.5]), "0"),
            (seen(0.25, &[0.5], &[0.5]), "0"),
            (seen(3.0, &[0.5], &[0.5]), "2.5"),
            (seen(-3.0, &[0.5], &[0.5]), "-2.5"),
            (Ahead::UNKNOWN, "0"),
        ];
        for (bounds, due) in table {
            assert_eq!(bounds.for_certain().to_string(), due, "{bounds:?}");
        }
    }
}
