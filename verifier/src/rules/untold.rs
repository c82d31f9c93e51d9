//! Objectives that no alert follows while a run goes on, and why. Pure.

use crate::slo::{During, Objective, Promise, Shape};

/// What is told of such an objective; nothing of one that has an alert.
pub(super) fn told(objective: &Objective) -> Option<String> {
    let why = match &objective.promise {
        Promise::Availability(promise) if promise.during != During::Run => "it is about a part of the run",
        Promise::Latency(promise) if promise.during != During::Run => "it is about a part of the run",
        Promise::Scaling(promise) if matches!(promise.shape, Shape::Relief { .. }) => {
            "relief shows when the load is over"
        }
        Promise::LoadHeld(_) => "what users owe is known when the load is over",
        Promise::WrittenPoint(_) => {
            "the span of lost writes is known when they are; `data_loss` has an alert"
        }
        Promise::Alerting(_) => "it is about an alert of your own",
        Promise::Promql(_) => "an expression of your own is evaluated at the run's end",
        _ => return None,
    };
    Some(format!("no rule for objective `{}`: {why}; `verify` judges it", objective.name))
}
