//! Panels that several dashboards have (pure data).

use crate::board::Panel;
use crate::limits;
use crate::look::{Steps, Unit};

/// What the lab promises of answers in time.
pub(super) fn answers_promised() -> String {
    let (share, time) = (limits::percent(limits::ANSWERED_IN_TIME), limits::time(limits::ANSWER));
    format!("The lab promises {share} within {time}, over the whole run.")
}

/// The share that was answered in the lab's time. Prometheus 3 stores the bound with a fraction.
pub(super) fn answered_in_time() -> Panel {
    let (bound, time, promised) = (limits::ANSWER, limits::time(limits::ANSWER), answers_promised());
    Panel::stat("Answered within 2 s", 4)
        .about(format!(
            "Share of all requests so far that were answered well within {time}. {promised} Needs a bucket of {time} in \
             the trial."
        ))
        .unit(Unit::Share)
        .decimals(3)
        .steps(Steps::whole())
        .empty("no requests in such a bucket")
        .ask(
            format!(
                r#"sum(last_over_time(ordeal_response_time_seconds_bucket{{RUN, outcome="ok", le=~"{bound}(\\.0)?"}}[$__range]))
                   / sum(last_over_time(ordeal_requests_total{{RUN}}[$__range]))"#
            ),
            "in time",
        )
}
