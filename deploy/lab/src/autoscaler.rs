//! How many replicas a workload should have: the published algorithm of Kubernetes' horizontal pod autoscaler
//! for CPU utilisation. Pure: readings and time come in, a decision goes out.
//!
//! The ratio of mean utilisation to target, times the replicas measured, rounded up; no change within the
//! tolerance; replicas without a reading count as idle when growing and as fully used when shrinking; replicas
//! that are not ready, or so young that their reading covers their start, count as idle when growing and not
//! at all otherwise. Growth and shrinking each have a stabilisation window: no more growth than everything in
//! it asked for, no more shrinking than anything in it allowed. Growth is also limited in each period.

use std::time::Duration;

/// The parameters, named as Kubernetes names them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Settings {
    pub(crate) min: u32,
    pub(crate) max: u32,
    /// CPU request of a replica in thousandths of a core.
    pub(crate) request_millicores: f64,
    /// Target utilisation of the request, 1.0 being all of it.
    pub(crate) target: f64,
    pub(crate) tolerance: f64,
    /// A reading of a replica younger than this counts only if it began after the replica became ready.
    pub(crate) cpu_initialization_period: Duration,
    /// A replica that turned unready this soon after its start has never been ready.
    pub(crate) initial_readiness_delay: Duration,
    /// Growth allowed in a period: the larger of these many replicas and this share of those at its start.
    pub(crate) scale_up_pods: u32,
    pub(crate) scale_up_share: f64,
    pub(crate) scale_up_period: Duration,
    pub(crate) scale_up_stabilization: Duration,
    pub(crate) scale_down_stabilization: Duration,
}

impl Settings {
    /// The lab's: Kubernetes' defaults, except that shrinking waits for 30 s only, since a trial lasts minutes,
    /// and that growth waits for 15 s, so that it answers a load and not the first third of its ramp: what the
    /// replicas have to do before and after it can then be compared.
    pub(crate) fn lab() -> Self {
        Self {
            min: 3,
            max: 10,
            request_millicores: 20.0,
            target: 0.5,
            tolerance: 0.1,
            cpu_initialization_period: Duration::from_mins(1),
            initial_readiness_delay: Duration::from_secs(10),
            scale_up_pods: 4,
            scale_up_share: 1.0,
            scale_up_period: Duration::from_secs(15),
            scale_up_stabilization: Duration::from_secs(15),
            scale_down_stabilization: Duration::from_secs(30),
        }
    }
}

/// What is known of one replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading {
    /// Mean use over the window that ended now; `None` when it could not be measured.
    pub(crate) millicores: Option<f64>,
    pub(crate) window: Duration,
    pub(crate) started: Duration,
    pub(crate) ready: bool,
    /// When `ready` last changed.
    pub(crate) ready_changed: Duration,
}

/// What the autoscaler wants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Decision {
    pub(crate) desired: u32,
    /// Mean utilisation of the request over the replicas that count; `None` when none does.
    pub(crate) utilization: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Counted,
    Unready,
    Missing,
}

fn group(settings: &Settings, reading: &Reading, now: Duration) -> Group {
    if reading.millicores.is_none() {
        return Group::Missing;
    }
    let unready = if reading.started + settings.cpu_initialization_period > now {
        !reading.ready || now < reading.ready_changed + reading.window
    } else {
        !reading.ready && reading.started + settings.initial_readiness_delay > reading.ready_changed
    };
    if unready { Group::Unready } else { Group::Counted }
}

/// Replicas wanted by the readings alone, before limits and windows. The answer is an upper-rounded ratio of
/// small numbers.
fn recommend(settings: &Settings, now: Duration, current: u32, readings: &[Reading]) -> Decision {
    let groups: Vec<Group> = readings.iter().map(|reading| group(settings, reading, now)).collect();
    let has = |wanted: Group| groups.contains(&wanted);
    let counted: Vec<f64> = readings
        .iter()
        .zip(&groups)
        .filter(|(_, group)| **group == Group::Counted)
        .filter_map(|(reading, _)| reading.millicores)
        .collect();
    if counted.is_empty() {
        return Decision { desired: current, utilization: None };
    }
    let number = |group: Group| groups.iter().filter(|other| **other == group).count();
    let (used, request) = (counted.iter().sum::<f64>(), settings.request_millicores);
    let ratio_of = |used: f64, replicas: usize| used / (replicas as f64 * request) / settings.target;
    let ratio = ratio_of(used, counted.len());
    let keep = Decision { desired: current, utilization: Some(ratio * settings.target) };
    let within = |ratio: f64| (1.0 - ratio).abs() <= settings.tolerance;
    let with_unready = has(Group::Unready) && ratio > 1.0;
    if !with_unready && !has(Group::Missing) {
        let desired = if within(ratio) { current } else { round_up(ratio * counted.len() as f64) };
        return Decision { desired, ..keep };
    }
    // The damped case: those without a usable reading are taken to speak against the change.
    let missing = number(Group::Missing);
    let assumed_each = if ratio < 1.0 { request * settings.target.max(1.0) } else { 0.0 };
    let replicas = counted.len() + missing + if with_unready { number(Group::Unready) } else { 0 };
    let damped = ratio_of(used + missing as f64 * assumed_each, replicas);
    let turned = (ratio < 1.0 && damped > 1.0) || (ratio > 1.0 && damped < 1.0);
    let desired = round_up(damped * replicas as f64);
    let against = (damped < 1.0 && desired > current) || (damped > 1.0 && desired < current);
    if within(damped) || turned || against { keep } else { Decision { desired, ..keep } }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
fn round_up(replicas: f64) -> u32 {
    replicas.ceil().clamp(0.0, f64::from(u32::MAX)) as u32
}

/// The algorithm with its memory: past recommendations and past growth.
#[derive(Debug, Clone)]
pub(crate) struct Autoscaler {
    settings: Settings,
    recommendations: Vec<(Duration, u32)>,
    growth: Vec<(Duration, u32)>,
}

impl Autoscaler {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, recommendations: Vec::new(), growth: Vec::new() }
    }

    /// One round: `current` is the number of replicas wanted until now.
    pub(crate) fn sync(&mut self, now: Duration, current: u32, readings: &[Reading]) -> Decision {
        let wanted = recommend(&self.settings, now, current, readings);
        let stable = self.stabilize(now, current, wanted.desired);
        let desired = self.limit(now, current, stable);
        if desired > current {
            self.growth.push((now, desired - current));
        }
        Decision { desired, ..wanted }
    }

    fn stabilize(&mut self, now: Duration, current: u32, wanted: u32) -> u32 {
        let Settings { scale_up_stabilization, scale_down_stabilization, .. } = self.settings;
        if self.recommendations.is_empty() {
            self.recommendations.push((now, current));
        }
        self.recommendations.push((now, wanted));
        self.recommendations
            .retain(|(at, _)| *at + scale_up_stabilization.max(scale_down_stabilization) >= now);
        let within = |window| {
            let recent = self.recommendations.iter().filter(move |(at, _)| *at + window >= now);
            recent.map(|(_, wanted)| *wanted)
        };
        let floor = within(scale_up_stabilization).min().unwrap_or(wanted);
        let ceiling = within(scale_down_stabilization).max().unwrap_or(wanted);
        current.max(floor).min(ceiling)
    }

    fn limit(&mut self, now: Duration, current: u32, wanted: u32) -> u32 {
        let settings = &self.settings;
        self.growth.retain(|(at, _)| *at + settings.scale_up_period > now);
        let grown: u32 = self.growth.iter().map(|(_, by)| by).sum();
        let at_start = current.saturating_sub(grown);
        let by_share = round_up(f64::from(at_start) * (1.0 + settings.scale_up_share));
        let most = (at_start + settings.scale_up_pods).max(by_share).max(current);
        wanted.min(most).clamp(settings.min, settings.max)
    }
}

#[cfg(test)]
mod tests;
