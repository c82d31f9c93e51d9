//! Pure: whether a ConfigMap that is there already may be replaced.

use super::super::STALE;
use super::super::signal::{Lead, Order};

/// The run that still leads its load processes by the text `lead`, as things are at `now`; `None`: nobody does.
pub(super) fn leader(lead: Option<&str>, now: f64) -> Option<String> {
    let lead = Lead::parse(lead?).ok()?;
    let over = matches!(lead.order, Order::Finish { .. } | Order::Abort {});
    let gone = now - lead.at >= STALE.as_secs_f64();
    (!over && !gone).then_some(lead.run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_still_leads_is_left_alone() {
        const NOW: f64 = 1.76e9;
        let text = |order, at| Lead { run: "r".to_owned(), trial: "t".to_owned(), of: 2, at, order }.text();
        let table = [
            (Some(text(Order::Wait {}, NOW - 1.0)), true),
            (Some(text(Order::Start { at: NOW }, NOW - 29.0)), true),
            (Some(text(Order::Start { at: NOW }, NOW - 30.0)), false),
            // A clock that is ahead of ours does not make it gone.
            (Some(text(Order::Wait {}, NOW + 90.0)), true),
            (Some(text(Order::Finish { by: NOW }, NOW)), false),
            (Some(text(Order::Abort {}, NOW)), false),
            (Some("of another version".to_owned()), false),
            (None, false),
        ];
        for (text, leads) in table {
            let due = leads.then(|| "r".to_owned());
            assert_eq!(leader(text.as_deref(), NOW), due, "{text:?}");
        }
    }
}
