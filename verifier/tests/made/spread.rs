//! The healthy run with its load in processes of their own.

use super::{MOMENT, Made, Series, always, healthy};

/// Families that load processes have.
pub(super) const OF_LOAD: [&str; 5] = [
    "ordeal_user_seconds_total",
    "ordeal_requests_total",
    "ordeal_request_errors_total",
    "ordeal_response_time_seconds_bucket",
    "ordeal_saturated_seconds_total",
];

/// The same run with its load in two processes of 200 users each, the conductor having none.
pub(crate) fn spread(id: &str, interval: f64) -> (Made, Vec<Made>) {
    // Each machine's clock is a little off.
    spread_off(id, interval, [0.0, 0.003])
}

/// The same with the clocks of the load processes so many seconds ahead of the conductor's.
pub(crate) fn spread_off(id: &str, interval: f64, ahead: [f64; 2]) -> (Made, Vec<Made>) {
    let mut conductor = healthy(id, interval);
    let of_load = |series: &Series| {
        OF_LOAD.contains(&series.name.as_str()) || series.labels.iter().any(|(_, value)| value == "running")
    };
    let own: Vec<_> = conductor.series.iter().filter(|series| of_load(series)).cloned().collect();
    conductor.series.retain(|series| !of_load(series));
    conductor.bend("ordeal_users", &[("state", "target")], |_, users| Some(users? * 2.0));
    conductor.set("ordeal_load_processes", &[], always(2.0));
    let worker = |number: usize| {
        let mut worker =
            Made { instance: format!("{id}-{number}:10042"), series: own.clone(), ..conductor.clone() };
        let labels = [("run", "$run"), ("trial", "made"), ("role", "load"), ("version", "0.1.0")];
        worker.add("ordeal_run_info", &labels, always(1.0));
        let off = ahead[number];
        worker.add("ordeal_time_seconds", &[], move |t| Some(MOMENT + t + off));
        worker.add("process_start_time_seconds", &[], always(MOMENT - 0.5));
        worker.first = 0.9 + 0.37 * number as f64;
        worker
    };
    let workers = (0..2).map(worker).collect();
    (conductor, workers)
}
