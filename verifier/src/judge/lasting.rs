//! When health counts as lasting, by the exporter's own rule. Pure.

/// After at least so many seconds without a failure …
pub(crate) const LASTING_SECONDS: f64 = 5.0;
/// … and so many probes.
pub(crate) const LASTING_PROBES: f64 = 20.0;

/// For how long, in seconds, a component that is probed once an `interval` is not up again though no probe fails.
pub(super) fn within(interval: f64) -> f64 {
    LASTING_SECONDS.max(LASTING_PROBES * interval)
}
