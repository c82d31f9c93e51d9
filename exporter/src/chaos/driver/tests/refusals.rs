//! What begins in its turn, and what never begins.

use super::rig::{MEND, Rig, inject, permit, plan};
use super::*;
use crate::trial::Fault;

#[tokio::test]
async fn one_experiment_at_a_time_in_the_trials_order() {
    let mut rig = Rig::new(&[("first", "true", None, None), ("second", "true", None, None)]);
    let mut driver = rig.driver().await;
    let experiments = rig.experiments.clone();
    let second = experiments[1].clone();
    let first = plan(&mut driver, &experiments[0]).await;
    let twice = permit(&mut driver, &first.experiment).expect("its turn has not passed");
    inject(&mut driver, &first).await.expect("injected");
    driver.revert(&first).await.expect("nothing to put back");
    let refusal = permit(&mut driver, &second.name).expect_err("the first is under way");
    assert_eq!(refusal.to_string(), "first is still recovering");
    assert_eq!((rig.states("second"), rig.states("first")), (vec!["refused"], vec!["recovering"]));
    let error =
        driver.inject(&first, twice, &mut |_| panic!("it begins")).await.expect_err("it had its turn");
    assert_eq!(
        chain(&error),
        "carry on with first: first is recovering: an experiment that is recovering cannot take Inject"
    );
    let error = driver.check(&first.experiment, &[]).expect_err("it had its turn");
    assert_eq!(error.to_string(), "first is recovering");
}

#[tokio::test]
async fn a_word_given_to_another_experiment_lets_nothing_begin() {
    let mut rig = Rig::new(&[("first", "touch @/broken", None, None), ("second", "true", None, None)]);
    let mut driver = rig.driver().await;
    let experiments = rig.experiments.clone();
    let first = plan(&mut driver, &experiments[0]).await;
    let others = Situation { components: &[], previous: &[], unfinished: &[] };
    let others = may_start(&experiments[1].name, &others, driver.clock.now()).expect("a word");
    let error = driver
        .inject(&first, others, &mut |_| panic!("it begins"))
        .await
        .expect_err("it is not for the first");
    let expected = "first was refused: it could not be begun: the guard's word was given to second";
    assert_eq!((error.to_string().as_str(), rig.broken()), (expected, false));
    assert_eq!(rig.states("first"), ["refused"]);
    assert!(driver.unfinished().is_empty(), "nothing was done that is to be put back");
}

/// What was asked and noted since may have taken as long.
#[tokio::test]
async fn a_word_that_has_grown_old_lets_nothing_begin() {
    let mut rig = Rig::new(&[("cut", "touch @/broken", None, Some(MEND))]);
    let mut driver = rig.driver().await;
    let cut = rig.experiments[0].clone();
    let plan = plan(&mut driver, &cut).await;
    let old = permit(&mut driver, &cut.name).expect("nothing speaks against it");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6)).await;
    tokio::time::resume();
    let error = driver.inject(&plan, old, &mut |_| panic!("it begins")).await.expect_err("it is stale");
    let expected = "cut was refused: it could not be begun: the guard's word is 6 s old";
    assert_eq!((error.to_string().as_str(), rig.broken()), (expected, false));
    assert!(driver.unfinished().is_empty(), "nothing was done that is to be put back");
}

#[tokio::test]
async fn without_a_target_an_experiment_is_refused() {
    let cases = [
        ("true", "no target: the target command printed no instance"),
        (
            "echo 'pg1: no route' >&2 | cat",
            "no target: the target command printed no instance, but on standard error: pg1: no route",
        ),
        ("echo pg1; echo cannot ask >&2; exit 7", "the targets are not known: exit status 7: cannot ask"),
        (
            "printf 'a\\001b'",
            "the targets are not known: line 1 of the target command's output holds a control character",
        ),
        ("yes", "the targets are not known: killed at its time limit: y | y | y | y | y"),
        (
            "head -c 70000 /dev/zero | tr '\\0' x",
            "the targets are not known: it printed more than 65536 bytes",
        ),
    ];
    for (target, expected) in cases {
        let mut rig = Rig::new(&[("cut", "touch @/broken", None, None)]);
        let Fault::Exec(fault) = &mut rig.experiments[0].fault else { panic!("commands") };
        fault.target = target.to_owned();
        let mut driver = rig.driver().await;
        let cut = rig.experiments[0].clone();
        let error = driver.prepare(&cut, None).await.expect_err("no target");
        assert_eq!(error.to_string(), format!("cut was refused: {expected}"));
        assert_eq!(rig.states("cut"), ["refused"]);
    }
}
