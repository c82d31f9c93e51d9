//! The limits that panels are coloured by: those of `deploy/lab/slos.yaml`, which a test compares.
//!
//! Grafana's thresholds are numbers, not queries; who promises otherwise changes these and writes the dashboards anew.

/// Share of requests that are answered.
pub const AVAILABILITY: f64 = 0.999;
/// Seconds in which a request is answered.
pub const ANSWER: f64 = 2.0;
/// Share of requests that are answered within [`ANSWER`].
pub const ANSWERED_IN_TIME: f64 = 0.95;
/// Share of the users wanted that run.
pub const LOAD_HELD: f64 = 0.99;
/// Seconds to the recovery of a store's clients.
pub const STORE_BACK: f64 = 30.0;
/// Seconds to the recovery of members after the fault is put back.
pub const REJOINED: f64 = 30.0;
/// Seconds to the replacement of killed replicas.
pub const REPLACED: f64 = 60.0;
/// Seconds to as many replicas elsewhere while a node is drained.
pub const DRAINED: f64 = 120.0;
/// Seconds of acknowledged writes or of the archive that a disaster may take.
pub const RECOVERY_POINT: f64 = 900.0;
/// Seconds of an outage that no experiment explains.
pub const UNEXPLAINED: f64 = 0.5;
/// Replicas before and after the load.
pub const FEW: f64 = 3.0;
/// Replicas under load.
pub const MANY: f64 = 10.0;
/// Seconds from the load's end to [`FEW`] replicas.
pub const BACK_TO_FEW: f64 = 120.0;
/// Share of the run in which somebody watches for interventions.
pub const WATCHED: f64 = 0.99;
/// Share of an experiment in which every instance of a store can be asked (`verifier/OBJECTIVES.md`, `leader`).
pub const OBSERVED: f64 = 0.95;
/// Share of probes that may be missed (`verifier/OBJECTIVES.md`, `health`).
pub const MISSED: f64 = 0.05;
