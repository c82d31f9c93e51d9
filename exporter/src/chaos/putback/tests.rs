use std::fs;

use super::super::journal::FILE;
use super::*;
use crate::chaos::faults::commands::Mend;
use crate::chaos::journal::Intent;
use crate::trial::FaultKind;

const NOW: Retry = Retry { attempts: 2, pause: Duration::ZERO, away: Duration::ZERO };

fn intent(id: u64, folder: &Path, revert: Option<&str>) -> Intent {
    Intent {
        id,
        run: "r1".into(),
        experiment: format!("e{id}"),
        token: "t1".into(),
        kind: FaultKind::Exec,
        targets: vec![Target::named("pg1"), Target::named("pg2")],
        undo: revert.map(|command| Undo::Exec(Mend { command: command.to_owned(), timeout_ms: 60_000 })),
        directory: folder.to_owned(),
        at_unix_ms: 0,
    }
}

/// A journal with one unfinished experiment for each revert.
async fn left_behind(folder: &Path, reverts: &[Option<&str>]) {
    let journal = Journal::open(folder).await.expect("a journal");
    for revert in reverts {
        let (folder, revert) = (folder.to_owned(), revert.map(str::to_owned));
        journal.intend(move |id| intent(id, &folder, revert.as_deref())).await.expect("noted");
    }
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("log")).unwrap_or_default()
}

#[test]
fn a_fault_put_back_twice_is_back_from_the_second_time_on() {
    let at = Moment::from_secs_f64;
    let reverted = |start, end| Reverted { start: at(start), end: at(end), outcomes: Vec::new() };
    let both = reverted(1.0, 2.0).then(reverted(3.0, 4.0));
    assert_eq!((both.start, both.end), (at(1.0), at(4.0)));
}

#[test]
fn of_many_damaged_lines_the_first_are_told_and_the_others_counted() {
    let journal = Path::new("run/journal.jsonl");
    let told = |damaged: usize| {
        let damage = (1..=damaged).map(|line| (line, "not a journal entry".to_owned())).collect();
        let unreadable = Unreadable { damage, unknown: vec![4] };
        lines(journal, &[], &unreadable)
    };
    let first = [1, 2, 3].map(|line| format!("run/journal.jsonl:{line}: not a journal entry"));
    let cases =
        [(3, None), (4, Some("… and 1 more damaged line")), (20, Some("… and 17 more damaged lines"))];
    for (damaged, rest) in cases {
        let found = told(damaged);
        assert_eq!(found[..3], first);
        let [unknown, way_out] = &found[found.len() - 2..] else { panic!("{found:?}") };
        assert!(unknown.starts_with("experiment number 4 may have left something broken"), "{unknown}");
        assert!(way_out.ends_with("mv run/journal.jsonl run/journal.jsonl.damaged"), "{way_out}");
        assert_eq!(found[3..found.len() - 2], rest.into_iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn without_a_journal_there_is_nothing_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(recover(folder.path(), &Clock::start(), NOW).await.expect("nothing").len(), 0);
    assert!(!folder.path().join(FILE).exists(), "recovering makes no journal");
    let error = recover(Path::new("/no/such/run"), &Clock::start(), NOW).await.expect_err("no directory");
    assert_eq!(
        chain(&error),
        "open the journal in /no/such/run: read directory /no/such/run: No such file or directory (os error 2)"
    );
}

#[tokio::test]
async fn the_latest_is_put_back_first_where_and_as_the_run_did_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let say = "echo $ORDEAL_RUN $ORDEAL_EXPERIMENT $ORDEAL_TOKEN $ORDEAL_TARGETS >>log";
    left_behind(folder.path(), &[Some(say), None, Some(say)]).await;
    let done = recover(folder.path(), &Clock::start(), NOW).await.expect("recovered");
    let names: Vec<_> = done.iter().map(|one| (one.experiment.as_str(), one.reverted.is_some())).collect();
    assert_eq!(names, [("e2", true), ("e1", false), ("e0", true)]);
    assert_eq!(log(folder.path()), "r1 e2 t1 pg1 pg2\nr1 e0 t1 pg1 pg2\n");
    assert_eq!(recover(folder.path(), &Clock::start(), NOW).await.expect("nothing left").len(), 0);
}

#[tokio::test]
async fn a_failure_holds_up_no_other_and_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let locked = "echo locked >>log; echo no key >&2; test -e key";
    left_behind(folder.path(), &[Some("echo open >>log"), Some(locked)]).await;
    let error = recover(folder.path(), &Clock::start(), NOW).await.expect_err("no key");
    let ReplayError::NotAll { done, failures, .. } = error else { panic!("{error}") };
    assert_eq!((done.len(), failures.len()), (1, 1));
    assert_eq!(
        failures[0].to_string(),
        format!("put back e1 by `{locked}`, which failed 2 times, the last time: exit status 1: no key")
    );
    assert_eq!(log(folder.path()), "locked\nlocked\nopen\n");
    fs::write(folder.path().join("key"), "").expect("a key");
    assert_eq!(recover(folder.path(), &Clock::start(), NOW).await.expect("recovered").len(), 1);
}

#[tokio::test]
async fn a_revert_that_cannot_be_begun_is_tried_again_and_names_the_folder_that_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let gone = folder.path().join("gone");
    let journal = Journal::open(folder.path()).await.expect("a journal");
    let there = gone.clone();
    journal.intend(move |id| intent(id, &there, Some("echo mended >../log"))).await.expect("noted");
    drop(journal);
    let error = recover(folder.path(), &Clock::start(), NOW).await.expect_err("nowhere to run it");
    let ReplayError::NotAll { failures, .. } = error else { panic!("{error}") };
    let told = format!("in {}, which is no folder any more: make it again", gone.display());
    assert!(failures[0].to_string().contains(&told), "{}", failures[0]);
    assert!(failures[0].to_string().contains("failed 2 times"), "{}", failures[0]);

    let patient = Retry { attempts: 3000, pause: Duration::from_millis(10), away: Duration::ZERO };
    let (clock, made_later) = (Clock::start(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        fs::create_dir(&gone).expect("made again");
    });
    let (done, ()) = tokio::join!(recover(folder.path(), &clock, patient), made_later);
    assert_eq!((done.expect("recovered").len(), log(folder.path()).as_str()), (1, "mended\n"));
}
