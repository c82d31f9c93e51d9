//! The limit of an objective as a person reads it. Pure.

use crate::slo::{Compare, Promise, Shape, Since, show_duration};

/// The limit of any promise.
pub(super) fn text(promise: &Promise) -> String {
    match promise {
        Promise::Recovery(recovery) => {
            let since = if recovery.since == Since::Reverted { " since the revert" } else { "" };
            format!("within {}{since}", show_duration(recovery.within))
        }
        Promise::Leader(leader) => format!("within {}", show_duration(leader.within)),
        Promise::SplitBrain(split) if split.at_most.is_zero() => "none".to_owned(),
        Promise::SplitBrain(split) => format!("at most {}", show_duration(split.at_most)),
        Promise::DataLoss(_) | Promise::Intervention(_) => "none".to_owned(),
        Promise::WrittenPoint(point) => format!("within {}", show_duration(point.within)),
        Promise::ArchivePoint(point) => format!("within {}", show_duration(point.within)),
        Promise::Availability(availability) => format!("at least {}", availability.at_least),
        Promise::Latency(latency) => {
            format!("at least {} within {}", latency.at_least, show_duration(latency.within))
        }
        Promise::LoadHeld(share) => format!("at least {share}"),
        Promise::Scaling(scaling) => shape(&scaling.shape),
        Promise::Health(health) => format!("none above {}", show_duration(health.longest)),
        Promise::Alerting(alerting) => {
            let resolved = alerting.resolved_within.map(show_duration);
            let resolved = resolved.map(|within| format!(", resolved within {within}")).unwrap_or_default();
            format!("within {}{resolved}", show_duration(alerting.within))
        }
        Promise::Promql(promql) => match promql.compare {
            Compare::AtMost(limit) => format!("at most {limit}"),
            Compare::AtLeast(limit) => format!("at least {limit}"),
            Compare::Equals(limit) => format!("exactly {limit}"),
        },
    }
}

fn shape(shape: &Shape) -> String {
    match shape {
        Shape::Up { from, to, within: Some(within) } => {
            format!("{from} to {to} within {}", show_duration(*within))
        }
        Shape::Up { from, to, within: None } => format!("{from} to {to} under load"),
        Shape::Down { to, within } => format!("back to {to} within {}", show_duration(*within)),
        Shape::Relief { from, to, within, at_least, .. } => {
            format!("less with {to} than with {from}, {at_least} within {}", show_duration(*within))
        }
    }
}
