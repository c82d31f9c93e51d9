//! Pure: what the conductor says to the load processes, as the text that stands in the ConfigMap.

use serde::{Deserialize, Serialize};

/// What the load processes are to do. Moments are in Unix time, each on the clock of whoever reads it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Order {
    /// To wait for the others.
    Wait {},
    /// To begin then.
    Start {
        /// The moment that the schedule counts from.
        at: f64,
    },
    /// To let no request begin any more. What is open may end for one time-out from when this is heard: by a moment
    /// on another clock it would be cut early, or late.
    Finish {},
    /// To cut everything at once, or not to begin.
    Abort {},
}

/// The conductor's text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Lead {
    /// The run that it leads.
    pub(super) run: String,
    /// Which trial the load processes must have; see [`super::fingerprint`].
    pub(super) trial: String,
    /// How many load processes the run has.
    pub(super) of: usize,
    /// When this was written, on the conductor's clock: a text that stays the same is a conductor that is gone.
    pub(super) at: f64,
    /// The order.
    pub(super) order: Order,
}

/// Why a text is not understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// It is not JSON of that form.
    #[error("not of the form that this version writes")]
    Form(#[from] serde_json::Error),
    /// A number in it cannot be.
    #[error("{what} of {value}")]
    Number {
        /// What it is of.
        what: &'static str,
        /// The number.
        value: f64,
    },
}

impl Lead {
    /// The text.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("names, numbers and texts are JSON")
    }

    /// What `text` says.
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let lead: Self = serde_json::from_str(text)?;
        moment("a time of writing", lead.at)?;
        match lead.order {
            Order::Start { at } => moment("a start", at)?,
            Order::Wait {} | Order::Finish {} | Order::Abort {} => {}
        }
        Ok(lead)
    }
}

/// Unix time that can be: after the year 2001, before the year 5138.
pub(super) fn moment(what: &'static str, value: f64) -> Result<(), Unreadable> {
    if (1e9..1e11).contains(&value) { Ok(()) } else { Err(Unreadable::Number { what, value }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead(order: Order) -> Lead {
        Lead { run: "7f3a".to_owned(), trial: "c0de".to_owned(), of: 2, at: 1.76e9, order }
    }

    #[test]
    fn orders_are_read_as_they_are_written() {
        let table = [
            (Order::Wait {}, r#"{"order":"wait"}"#),
            (Order::Start { at: 1_764_460_000.125 }, r#"{"order":"start","at":1764460000.125}"#),
            (Order::Finish {}, r#"{"order":"finish"}"#),
            (Order::Abort {}, r#"{"order":"abort"}"#),
        ];
        for (order, text) in table {
            let whole = format!(r#"{{"run":"7f3a","trial":"c0de","of":2,"at":1760000000.0,"order":{text}}}"#);
            assert_eq!(lead(order).text(), whole);
            assert_eq!(Lead::parse(&whole).expect("readable"), lead(order));
        }
    }

    #[test]
    fn nonsense_is_no_order() {
        let with = |order: &str| {
            Lead::parse(&format!(
                r#"{{"run":"7f3a","trial":"c0de","of":2,"at":1760000000.0,"order":{order}}}"#
            ))
        };
        for bad in [
            r#"{"order":"go"}"#,
            r#"{"order":"start"}"#,
            r#"{"order":"start","at":0}"#,
            r#"{"order":"start","at":-5}"#,
            r#"{"order":"start","at":1e300}"#,
            r#"{"order":"start","at":"soon"}"#,
            r#"{"order":"finish","by":1764460060.5}"#,
            r#"{"order":"wait","at":1760000000}"#,
            r#""wait""#,
        ] {
            assert!(with(bad).is_err(), "{bad}");
        }
        for bad in ["", "start", "{}", r#"{"run":"7f3a"}"#] {
            assert!(Lead::parse(bad).is_err(), "{bad}");
        }
    }
}
