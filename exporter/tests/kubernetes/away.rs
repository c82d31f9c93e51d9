//! An API server that is away for a while in the middle of an experiment.

use crate::faults::{DRAIN, PARTITION, held};
use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_while_it_is_away_is_put_back_when_it_is_there_again() {
    for fault in [&DRAIN, &PARTITION] {
        let shop = Shop::start().await;
        let mut run = shop.run(&held(fault));
        run.says("the fault took effect").await;
        shop.api.go_away().await;
        run.interrupt();
        // So often a revert is tried that the API server says no to.
        run.says("attempts=3").await;
        run.says("attempts=4").await;
        shop.api.come_back().await;
        let ended = shop.ends(run).await;
        assert_eq!(ended.code, Some(130), "{}", ended.said);
        ended.assert_said(&["nothing is left broken"]);
        shop.assert_as_before(fault.may_go, "put back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_when_it_was_away_while_a_fault_was_held() {
    let shop = Shop::start().await;
    let mut run = shop.run(&format!("    hold: 8s\n{}", DRAIN.text));
    run.says("the fault took effect").await;
    shop.api.go_away().await;
    run.says("it is not known what runs").await;
    shop.api.come_back().await;
    run.says("it is known again what runs").await;
    let ended = shop.ends(run).await;
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    ended.assert_said(&["the fault is put back", "the run is finished"]);
    shop.assert_as_before(DRAIN.may_go, "put back");
}
