use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus::Registry;
use tokio::sync::watch;
use tokio::time::{Instant, advance, sleep};

use super::super::component::{SharedWindows, lock};
use super::super::metrics::Metrics;
use super::super::tracker::Outage;
use super::*;
use crate::clock::Moment;

const INTERVAL: Duration = Duration::from_millis(50);
const TIMEOUT: Duration = Duration::from_secs(1);

/// Answers in 10 ms, except the slots from 20 to 39, which never do.
#[derive(Default)]
struct Stalls {
    asked: Mutex<Vec<u64>>,
    outstanding: AtomicUsize,
    most: AtomicUsize,
    tidied: Arc<AtomicUsize>,
}

struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Check for Stalls {
    type Error = Infallible;

    async fn check(&self, slot: u64, tidy: &mut Option<Tidy>) -> Result<(), Infallible> {
        lock(&self.asked).push(slot);
        let now = self.outstanding.fetch_add(1, Ordering::Relaxed) + 1;
        let _counted = Counted(&self.outstanding);
        self.most.fetch_max(now, Ordering::Relaxed);
        let tidied = Arc::clone(&self.tidied);
        *tidy = Some(Box::pin(async move {
            tidied.fetch_add(1, Ordering::Relaxed);
        }));
        if (20..40).contains(&slot) {
            std::future::pending::<()>().await;
        }
        sleep(Duration::from_millis(10)).await;
        Ok(())
    }
}

/// The outages, how many probes were good, failed and missed, and how long those that were not missed took together.
struct Seen {
    outages: Vec<Outage>,
    counts: [u64; 3],
    seconds: f64,
}

/// Probes for `lasts`; `disturb` runs besides.
async fn probed(check: Arc<impl Check>, lasts: Duration, disturb: impl Future<Output = ()>) -> Seen {
    let (clock, cancel) = (Clock::start(), CancellationToken::new());
    let metrics = Metrics::register(&Registry::new()).expect("free names");
    let component = metrics.component("it");
    let (windows, changes) = (SharedWindows::default(), watch::Sender::new(0));
    let follower = Follower::new("it".to_owned(), (INTERVAL, TIMEOUT), clock, component, windows, changes);
    let follower = Arc::new(follower);
    let prober = tokio::spawn(run(check, Arc::clone(&follower), clock, cancel.clone()));
    disturb.await;
    sleep_until(clock.instant(Moment(lasts))).await;
    cancel.cancel();
    prober.await.expect("no panic");
    let series = metrics.component("it");
    let counts = [series.good.get(), series.failed.get(), series.missed.get()];
    Seen { outages: follower.outages(), counts, seconds: series.duration.get_sample_sum() }
}

#[tokio::test(start_paused = true)]
async fn probes_that_hang_do_not_hold_up_the_next_and_leave_nothing_behind() {
    let check = Arc::new(Stalls::default());
    let Seen { outages, counts, .. } =
        probed(Arc::clone(&check), Duration::from_millis(9_020), async {}).await;
    assert_eq!(*lock(&check.asked), (0..=180).collect::<Vec<_>>(), "a probe in every slot");
    assert_eq!(counts, [161, 20, 0]);
    assert!((20..=22).contains(&check.most.load(Ordering::Relaxed)), "one each 50 ms of the second");
    assert_eq!(check.outstanding.load(Ordering::Relaxed), 0);
    assert_eq!(check.tidied.load(Ordering::Relaxed), 20, "tidied up after those that timed out");
    let [outage] = outages[..] else { panic!("{outages:?}") };
    assert!(outage.over);
    assert_eq!(outage.last_failed.since(outage.first_failed), INTERVAL * 19);
}

#[tokio::test(start_paused = true)]
async fn slots_that_we_slept_through_are_missed() {
    let check = Arc::new(Stalls::default());
    let asleep = async {
        sleep(Duration::from_millis(520)).await;
        advance(Duration::from_millis(310)).await;
    };
    let Seen { outages, counts, .. } = probed(check, Duration::from_millis(920), asleep).await;
    // From 0.52 s to 0.83 s: the slots at 0.55 to 0.75 s; the one at 0.80 s is used, late.
    assert_eq!(counts, [14, 0, 5]);
    assert!(outages.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_time_out_that_we_noticed_late_is_missed() {
    let check = Arc::new(Stalls::default());
    let asleep = async {
        sleep(Duration::from_millis(1_320)).await;
        advance(Duration::from_secs(2)).await;
    };
    let Seen { counts: [_, failed, missed], outages, .. } =
        probed(check, Duration::from_secs(4), asleep).await;
    assert_eq!(failed, 0);
    // Those that hung, and those that were not begun.
    assert!(missed >= 39, "{missed}");
    assert!(outages.is_empty());
}

/// Never answers from the slot 20 to 39. Whether what it is asked through answers is always the same, and so is how long
/// that takes to show.
struct Through(bool, Duration);

impl Check for Through {
    type Error = Infallible;

    async fn check(&self, slot: u64, _tidy: &mut Option<Tidy>) -> Result<(), Infallible> {
        if (20..40).contains(&slot) { std::future::pending().await } else { Ok(()) }
    }

    async fn way(&self, _asked: Instant) -> bool {
        sleep(self.1).await;
        self.0
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_an_outage_only_where_what_is_asked_through_answers() {
    // The second is slower than what a probe's time-out leaves for it.
    for takes in [Duration::ZERO, Duration::from_millis(600)] {
        for (answers, expected, waited) in [(true, [161, 20, 0], 20.0), (false, [161, 0, 20], 0.0)] {
            let check = Arc::new(Through(answers, takes));
            let Seen { outages, counts, seconds } =
                probed(check, Duration::from_millis(9_020), async {}).await;
            assert_eq!(counts, expected, "{takes:?}");
            assert_eq!(outages.len(), usize::from(answers), "{takes:?}");
            // A probe ends at its time-out, though its outcome be known later.
            assert!((seconds - waited).abs() < 0.5, "{takes:?}: {seconds}");
        }
    }
}

/// Lacks descriptors from the slot 20 to 39.
struct Lacks;

impl Check for Lacks {
    type Error = OwnLack;

    async fn check(&self, slot: u64, _tidy: &mut Option<Tidy>) -> Result<(), OwnLack> {
        if (20..40).contains(&slot) { Err(OwnLack::Descriptors) } else { Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn what_this_machine_lacks_is_no_outage_of_the_component() {
    let Seen { outages, counts, .. } = probed(Arc::new(Lacks), Duration::from_millis(9_020), async {}).await;
    assert_eq!(counts, [161, 0, 20]);
    assert!(outages.is_empty());
}
