//! Pure: whether a ConfigMap that is there already may be replaced.
//!
//! Its text has a time of its writer's clock, which may be ahead of ours or behind it. So that counts for nothing:
//! whoever writes nothing new for long enough while we look, on our own clock, is gone.

use super::super::STALE;
use super::super::signal::{Lead, Order};
use crate::clock::Moment;

/// What was seen of the text of whoever leads.
#[derive(Debug, Default)]
pub(super) struct Observed {
    last: Option<(String, Moment)>,
}

impl Observed {
    /// The run that still leads its load processes by the text `lead`, seen at `now`; `None`: nobody does.
    pub(super) fn leader(&mut self, lead: Option<&str>, now: Moment) -> Option<String> {
        let text = lead?;
        let lead = Lead::parse(text).ok()?;
        let over = matches!(lead.order, Order::Finish {} | Order::Abort {});
        let gone = now.since(self.since(text, now)) >= STALE;
        (!over && !gone).then_some(lead.run)
    }

    /// Since when the text is known to be that.
    fn since(&mut self, text: &str, now: Moment) -> Moment {
        match &self.last {
            Some((last, since)) if last == text => *since,
            _ => {
                self.last = Some((text.to_owned(), now));
                now
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIX: f64 = 1.76e9;

    fn text(order: Order, at: f64) -> String {
        Lead { run: "r".to_owned(), trial: "t".to_owned(), of: 2, at, order }.text()
    }

    #[test]
    fn whoever_still_leads_is_left_alone_at_first_sight() {
        let table = [
            (Some(text(Order::Wait {}, UNIX)), true),
            (Some(text(Order::Start { at: UNIX }, UNIX)), true),
            // By its own clock, it was written long ago, or will be.
            (Some(text(Order::Wait {}, UNIX - 3600.0)), true),
            (Some(text(Order::Wait {}, UNIX + 3600.0)), true),
            (Some(text(Order::Finish {}, UNIX)), false),
            (Some(text(Order::Abort {}, UNIX)), false),
            (Some("of another version".to_owned()), false),
            (None, false),
        ];
        for (text, leads) in table {
            let due = leads.then(|| "r".to_owned());
            assert_eq!(Observed::default().leader(text.as_deref(), Moment::default()), due, "{text:?}");
        }
    }

    #[test]
    fn whoever_writes_nothing_new_while_we_look_is_gone_whatever_its_clock_says() {
        for skew in [-3600.0, -31.0, 0.0, 31.0, 3600.0] {
            let mut observed = Observed::default();
            let mut leads = |written: f64, now: f64| {
                let text = text(Order::Wait {}, UNIX + skew + written);
                observed.leader(Some(&text), Moment::from_secs_f64(now)).is_some()
            };
            // It lives for long, and writes every 2 s.
            for second in 0..100 {
                let written = f64::from(second / 2 * 2);
                assert!(leads(written, f64::from(second)), "off by {skew} s, in second {second}");
            }
            assert!(leads(98.0, 127.0), "off by {skew} s");
            assert!(!leads(98.0, 128.0), "off by {skew} s");
            // It was only slow.
            assert!(leads(129.0, 129.0), "off by {skew} s");
        }
    }
}
