//! What the generator itself lacks is told apart from what the target does. Alone in its process, whose
//! descriptor limit it lowers.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]
#![expect(clippy::float_cmp, reason = "counts are whole numbers, exact in f64")]

mod load_support;

use std::time::Duration;

use exporter::load::{limits_report, raise_descriptor_limit};
use exporter::trial::NonEmpty;
use load_support::{Rig, a_minute_of, get, trial};
use rlimit::Resource;

#[tokio::test]
async fn a_want_of_descriptors_is_ours_and_ends_no_request() {
    let limit = raise_descriptor_limit().unwrap();
    let (_, hard) = rlimit::getrlimit(Resource::NOFILE).unwrap();
    // Accepted by the kernel; nobody serves it here, for that would take descriptors too.
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut trial = trial(&format!("http://{}", socket.local_addr().unwrap()), vec![get("/")]);
    trial.load.timeout = Duration::from_mins(1);
    trial.load.stages = NonEmpty::one(a_minute_of(200));
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
    rlimit::setrlimit(Resource::NOFILE, open + 40, hard).unwrap();
    let short = limits_report(200).unwrap().shortfalls();
    assert!(short[0].contains("file descriptors"), "{short:?}");

    let rig = Rig::start(trial).await;
    rig.until("want of descriptors", |rig| {
        rig.value("ordeal_saturated_seconds_total", &[("cause", "descriptors")]) >= 0.5
    })
    .await;
    rlimit::setrlimit(Resource::NOFILE, limit, hard).unwrap();
    assert_eq!((rig.ok(), rig.failed()), (0.0, 0.0));
    assert_eq!(rig.value("ordeal_requests_in_flight", &[]), 200.0);
    rig.cancel.cancel();
    let report = rig.handle.finish().await;
    assert_eq!(report.reasons.keys().copied().collect::<Vec<_>>(), ["drained"]);
    assert!(report.saturated_seconds["descriptors"] >= 0.5);
}
