use std::path::Path;

use super::super::exec::{Exit, Identity, Spec, run};
use super::*;
use crate::clock::Clock;
use crate::trial::FaultKind;

/// The folder's path, which no other test has, is the run's token.
fn intent(folder: &Path) -> Intent {
    Intent {
        id: 0,
        run: "r1".into(),
        experiment: "e1".into(),
        token: folder.display().to_string(),
        kind: FaultKind::Exec,
        targets: Vec::new(),
        undo: None,
        directory: folder.to_owned(),
        at_unix_ms: 0,
    }
}

/// Runs a command of `intent` that leaves a process in a session of its own; answers its number.
async fn left(intent: &Intent, step: Step) -> i32 {
    let file = intent.directory.join("pid");
    let command =
        format!("setsid sh -c 'echo $$ >{0}.new; mv {0}.new {0}; sleep 600; :' & wait", file.display());
    // It is not awaited: the command ends with its group when it is dropped.
    let spec = Spec {
        command,
        directory: None,
        identity: Some(Identity {
            run: intent.run.clone(),
            experiment: intent.experiment.clone(),
            token: intent.token.clone(),
            step,
            targets: Vec::new(),
        }),
        timeout: Duration::from_mins(1),
        keep: 64,
    };
    let written = async {
        loop {
            if let Ok(pid) = fs::read_to_string(&file) {
                return pid.trim().parse().expect("a number");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let pid = tokio::select! {
        outcome = async { run(&spec, &Clock::start()).await } => panic!("it ended: {outcome:?}"),
        pid = written => pid,
    };
    fs::remove_file(&file).expect("written");
    pid
}

/// With what it started: its session is its own.
fn kill(id: i32) {
    let pid = Pid::from_raw(id).expect("a process");
    rustix::process::kill_process_group(pid, Signal::KILL).expect("it runs");
}

#[tokio::test]
async fn what_left_its_group_is_ended_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = intent(folder.path());
    let other_experiment = Intent { experiment: "e2".into(), ..ours.clone() };
    let other_token = Intent { token: format!("{} ", ours.token), ..ours.clone() };
    let spared = [
        left(&other_experiment, Step::Inject).await,
        left(&other_token, Step::Inject).await,
        left(&ours, Step::Revert).await,
    ];
    let strays = [left(&ours, Step::Inject).await, left(&ours, Step::Bit).await];
    assert!(strays.into_iter().all(is_program), "their groups ended without them");
    // Each is a shell; it may have forked its `sleep`, and what it comes from may not be quite gone.
    let count = end(&ours).await.expect("ended");
    assert!(count >= 2, "{count}");
    assert!(!strays.into_iter().any(is_program));
    assert!(spared.into_iter().all(is_program));
    assert_eq!(end(&ours).await.expect("nothing left"), 0);
    // A revert's is nobody's to end but ours.
    spared.into_iter().for_each(kill);
    for other in [&other_experiment, &other_token] {
        end(other).await.expect("ended");
    }
}

#[tokio::test]
async fn what_forks_faster_than_one_can_look_is_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let ours = intent(folder.path());
    let restless = folder.path().join("restless");
    // Every process is replaced by a child in a session of its own, again and again.
    fs::write(&restless, format!("setsid sh {0} & exec sleep 0.02\n", restless.display())).expect("a script");
    let command = format!("sh {} & sleep 0.2", restless.display());
    let identity = Identity {
        run: ours.run.clone(),
        experiment: ours.experiment.clone(),
        token: ours.token.clone(),
        step: Step::Inject,
        targets: Vec::new(),
    };
    let spec = Spec {
        command,
        directory: None,
        identity: Some(identity),
        timeout: Duration::from_mins(1),
        keep: 64,
    };
    assert_eq!(run(&spec, &Clock::start()).await.expect("it runs").exit, Exit::Status(0));
    assert!(end(&ours).await.expect("ended") > 0);
    assert_eq!(end(&ours).await.expect("nothing left"), 0);
}

#[test]
fn only_the_whole_mark_counts() {
    let mark = Mark::of(&intent(Path::new("/t")));
    let cases = [
        ("ORDEAL_RUN=r1\0ORDEAL_EXPERIMENT=e1\0A=b\0ORDEAL_TOKEN=/t\0ORDEAL_STEP=inject\0", true),
        ("ORDEAL_STEP=bit\0ORDEAL_RUN=r1\0ORDEAL_EXPERIMENT=e1\0ORDEAL_TOKEN=/t", true),
        ("ORDEAL_STEP=revert\0ORDEAL_RUN=r1\0ORDEAL_EXPERIMENT=e1\0ORDEAL_TOKEN=/t\0", false),
        ("ORDEAL_RUN=r1\0ORDEAL_EXPERIMENT=e1\0ORDEAL_TOKEN=/t\0", false),
        ("ORDEAL_STEP=bit\0ORDEAL_RUN=r1\0ORDEAL_EXPERIMENT=e1\0ORDEAL_TOKEN=/t2\0", false),
        ("ORDEAL_STEP=bit\0ORDEAL_RUN=r1\0ORDEAL_EXPERIMENT=e\0ORDEAL_TOKEN=/t\0", false),
        ("", false),
    ];
    for (environment, expected) in cases {
        assert_eq!(mark.is_in(environment.as_bytes()), expected, "{environment:?}");
    }
}
