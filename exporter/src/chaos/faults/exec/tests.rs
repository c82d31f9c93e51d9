use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::chaos::faults::process;

fn spec(command: &str) -> Spec {
    Spec {
        command: command.to_owned(),
        directory: None,
        identity: None,
        timeout: Duration::from_mins(1),
        keep: TAIL,
    }
}

async fn ran(spec: &Spec) -> Ran {
    run(spec, &Clock::start()).await.expect("the command runs")
}

/// Waits until `condition` holds, within what is far too long on any machine.
async fn until(condition: impl Fn() -> bool) {
    let holds = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), holds).await.expect("the condition comes to hold");
}

/// Whether a process lives; one that is dead and not yet waited for does not.
fn lives(pid: &str) -> bool {
    pid.trim().parse().is_ok_and(|id| process::stat(id).is_ok_and(|stat| stat.is_alive()))
}

fn written(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[tokio::test]
async fn an_outcome_tells_how_the_command_ended() {
    let cases = [
        ("exit 0", Exit::Status(0), ""),
        ("echo out; exit 3", Exit::Status(3), "exit status 3: out"),
        ("echo out; echo bad >&2; echo worse >&2; exit 1", Exit::Status(1), "exit status 1: bad | worse"),
        ("kill -TERM $$", Exit::Signal(15), "killed by signal 15"),
        ("no-such-command-at-all 2>/dev/null", Exit::Status(127), "exit status 127"),
        ("cat", Exit::Status(0), ""),
    ];
    for (command, exit, text) in cases {
        let ran = ran(&spec(command)).await;
        let outcome = ran.outcome(&Secrets::default());
        let ending = if exit == Exit::Status(0) { Ending::Done } else { Ending::Failed(text.to_owned()) };
        assert_eq!((ran.exit, outcome.ending), (exit, ending), "{command}");
        assert_eq!(outcome.told[0], ("exit", exit.to_string()), "{command}");
        assert!(outcome.start <= outcome.end);
    }
}

#[tokio::test]
async fn a_directory_that_is_gone_is_an_error() {
    let gone = Spec { directory: Some("/no/such/directory".into()), ..spec("true") };
    let error = run(&gone, &Clock::start()).await.expect_err("no such directory");
    assert_eq!(
        error.to_string(),
        "start a shell for `true` in /no/such/directory, which is no folder any more: make it again"
    );
}

#[tokio::test]
async fn the_identity_is_in_the_environment_or_absent() {
    let print = r#"echo "${ORDEAL_RUN-none}/${ORDEAL_EXPERIMENT-none}/${ORDEAL_TOKEN-none}/${ORDEAL_STEP-none}"; echo "${ORDEAL_TARGETS-none}""#;
    let identity = Identity {
        run: "r1".into(),
        experiment: "e1".into(),
        token: "t1".into(),
        step: Step::Bit,
        targets: vec!["pg 1".into(), "$(pg2)".into()],
    };
    let with = ran(&Spec { identity: Some(identity), ..spec(print) }).await;
    assert_eq!(with.stdout.last_lines(9, &Secrets::default()), "r1/e1/t1/bit\npg 1\n$(pg2)");
    let without = ran(&spec(print)).await;
    assert_eq!(without.stdout.last_lines(9, &Secrets::default()), "none/none/none/none\nnone");
}

#[tokio::test]
async fn at_the_time_limit_the_whole_group_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let pids = folder.path().join("pids");
    let command = format!(
        "trap '' TERM; sleep 600 & echo $! >{0}; (sleep 600 & echo $! >>{0}; wait) & echo $! >>{0}; wait",
        pids.display()
    );
    let gated = Gated::spawn(&Spec { timeout: Duration::from_secs(2), ..spec(&command) }).expect("a shell");
    let group = gated.group().to_string();
    let running = gated.open(&Clock::start()).await.expect("let go");
    let command = tokio::spawn(running.finish());
    until(|| written(&pids).lines().count() == 3 || command.is_finished()).await;
    let ran = command.await.expect("no panic").expect("it ran");
    assert_eq!(ran.exit, Exit::TimedOut);
    let outcome = ran.outcome(&Secrets::default());
    assert_eq!(outcome.ending, Ending::OutOfTime("killed at its time limit".to_owned()));
    assert!(outcome.end.since(outcome.start) >= Duration::from_secs(2));
    let left: Vec<String> = written(&pids).lines().map(str::to_owned).chain([group]).collect();
    assert_eq!(left.len(), 4);
    until(|| !left.iter().any(|pid| lives(pid))).await;
}

#[tokio::test]
async fn a_dropped_future_kills_the_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let pids = folder.path().join("pids");
    let command = format!("sleep 600 & echo $! >{}; wait", pids.display());
    let running =
        Gated::spawn(&spec(&command)).expect("a shell").open(&Clock::start()).await.expect("let go");
    {
        let mut finish = std::pin::pin!(running.finish());
        tokio::select! {
            _ = &mut finish => panic!("the command ended by itself"),
            () = until(|| !written(&pids).is_empty()) => {}
        }
    }
    let pid = written(&pids);
    until(|| !lives(&pid)).await;
}

#[tokio::test]
async fn nothing_runs_before_the_gate_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("mark");
    let gated = Gated::spawn(&spec(&format!("touch {}", mark.display()))).expect("a shell");
    let Gated { mut child, mut group, gate, .. } = gated;
    // What the shell sees when this process dies: the end of its input.
    drop(gate);
    let status = child.wait().await.expect("the shell ends");
    group.armed = false;
    assert_eq!(status.code(), Some(125));
    assert!(!mark.exists());
}

#[tokio::test]
async fn a_background_process_is_not_awaited() {
    let folder = tempfile::tempdir().expect("a folder");
    let go = folder.path().join("go");
    let done = folder.path().join("done");
    let command = format!(
        "echo before; (while [ ! -e {} ]; do sleep 0.01; done; echo late; touch {}) &",
        go.display(),
        done.display()
    );
    let ran = ran(&spec(&command)).await;
    assert_eq!(ran.exit, Exit::Status(0));
    assert_eq!(ran.stdout.last_lines(9, &Secrets::default()), "before");
    // It lives on, and its output goes on being read.
    fs::write(&go, "").expect("let it go on");
    until(|| done.exists()).await;
}
