use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::entry::{Account, encode};
use super::reading::read;
use super::*;
use crate::chaos::faults::commands::Mend;
use crate::chaos::faults::pod_exec::InContainer;
use crate::chaos::faults::{Leader, Place, Trace, Undo};
use crate::cluster::Target;
use crate::trial::FaultKind;

mod copies;
mod damage;

fn intent(id: u64) -> Intent {
    Intent {
        id,
        run: "r1".into(),
        experiment: format!("experiment-{id}"),
        token: "t1".into(),
        kind: FaultKind::Exec,
        targets: vec![Target::named("pg1"), Target::named("a \"quoted\"\nname ü")],
        undo: Some(Undo::Exec(Mend { command: "mend \"it\"".into(), timeout_ms: 30_000 })),
        directory: "/somewhere".into(),
        at_unix_ms: 1_795_000_000_123,
    }
}

fn trace(group: i32) -> Trace {
    Trace::Process(Leader { group, start_ticks: 522_037, boot: "b1".into() })
}

fn entries() -> Vec<Entry> {
    vec![
        Entry::Opened { run: "r1".into(), pid: 77, at_unix_ms: 1_795_000_000_000 },
        Entry::Intended(intent(0)),
        Entry::Started { id: 0, step: Step::Inject, trace: trace(4711), at_unix_ms: 1_795_000_000_200 },
        Entry::Injected { id: 0 },
        Entry::Started { id: 0, step: Step::Revert, trace: trace(4712), at_unix_ms: 1_795_000_000_300 },
        Entry::Closed { id: 0 },
        Entry::Intended(Intent { undo: None, ..intent(1) }),
    ]
}

fn bytes(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(|entry| encode(entry).expect("an entry has a line")).collect()
}

fn account(entries: &[Entry]) -> Account {
    let mut account = Account::default();
    for entry in entries {
        account.add(entry.clone()).expect("the entries follow from each other");
    }
    account
}

#[test]
fn entries_add_up() {
    let account = account(&entries());
    assert_eq!(account.opened_by, Some(("r1".into(), 77)));
    assert_eq!(account.next_id(), 2);
    let unfinished: Vec<u64> = account.unfinished().iter().map(|record| record.intent.id).collect();
    assert_eq!(unfinished, [1]);
    let first = &account.records[0];
    assert_eq!((first.injected, first.closed), (true, true));
    assert_eq!(first.traces, [trace(4711), trace(4712)]);
    assert_eq!(first.inject_started_unix_ms, Some(1_795_000_000_200));
}

#[test]
fn a_request_may_have_been_made_since_it_was_intended_and_a_command_began_when_it_is_noted() {
    use FaultKind::{Drain, Exec, Partition, PodExec, PodKill};
    let may_have = |kind| matches!(kind, PodKill | Partition | Drain);
    for kind in [Exec, PodExec, PodKill, Partition, Drain] {
        let intended = Entry::Intended(Intent { kind, at_unix_ms: 5, ..intent(0) });
        let began = |entries: &[Entry]| account(entries).records[0].began_unix_ms();
        assert_eq!(began(std::slice::from_ref(&intended)), may_have(kind).then_some(5), "{kind:?}");
        let started = Entry::Started { id: 0, step: Step::Inject, trace: trace(1), at_unix_ms: 7 };
        assert_eq!(began(&[intended.clone(), started]), Some(7), "{kind:?}");
        let (injected, closed) = (Entry::Injected { id: 0 }, Entry::Closed { id: 0 });
        assert_eq!(began(&[intended.clone(), closed.clone()]), None, "{kind:?}");
        assert_eq!(began(&[intended, injected, closed]), may_have(kind).then_some(5), "{kind:?}");
    }
}

#[test]
fn of_a_step_that_was_seen_to_end_nothing_is_at_work() {
    let trace = Trace::Container(InContainer {
        place: Place { namespace: "shop".into(), uid: "n-1".into() },
        pod: "postgres-0".into(),
        uid: "u-1".into(),
        container: "postgres".into(),
        container_id: "containerd://c-1".into(),
    });
    let started = Entry::Started { id: 0, step: Step::Inject, trace: trace.clone(), at_unix_ms: 7 };
    let entries = [Entry::Intended(intent(0)), started, Entry::Ended { id: 0 }];
    assert_eq!(account(&entries[..2]).records[0].traces, [trace]);
    let record = account(&entries).records.remove(0);
    assert_eq!((record.traces, record.inject_started_unix_ms), (Vec::new(), Some(7)));
    let whole = bytes(&entries);
    assert_eq!(read(&whole).account, account(&entries));
}

#[test]
fn a_journal_is_over_for_another_run_once_all_is_put_back() {
    let closed = |id| Entry::Closed { id };
    let (one, two) = (Entry::Intended(intent(0)), Entry::Intended(intent(1)));
    let opened = || Entry::Opened { run: "r2".into(), pid: 7, at_unix_ms: 0 };
    let table = [
        (vec![], true, true),
        (vec![one.clone()], false, false),
        (vec![one.clone(), closed(0)], false, true),
        (vec![one.clone(), closed(0), opened()], false, false),
        (vec![one, two, closed(1)], false, false),
    ];
    for (entries, same, other) in table {
        let account = account(&entries);
        assert_eq!((account.is_over_for("r1"), account.is_over_for("r2")), (same, other), "{entries:?}");
    }
}

#[test]
fn what_came_from_the_copy_is_known_as_such_and_no_other() {
    let whole = bytes(&entries());
    let start = |count: usize| bytes(&entries()[..count]).len();
    let part = |from, to| copied::Part { from, to, namespace: "shop".to_owned() };
    let of = |parts: &[copied::Part]| {
        let records = super::reading::read_parts(&whole, parts).account.records;
        records.iter().map(|record| record.copied_from.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(of(&[]), [false, false]);
    assert_eq!(of(&[part(0, whole.len())]), [true, true]);
    assert_eq!(of(&[part(start(6), whole.len())]), [false, true]);
    // A trace that somebody has added to what this machine wrote; an end alone is acted upon by nobody.
    assert_eq!(of(&[part(start(4), start(5))]), [true, false]);
    assert_eq!(of(&[part(start(5), start(6))]), [false, false]);
}

/// Also when the file is opened again without the copy at hand.
#[tokio::test]
async fn a_file_that_went_on_from_the_copy_remembers_what_came_from_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let ours = bytes(&[Entry::Intended(intent(0))]);
    fs::write(&path, &ours).expect("a journal");
    let copy = [ours, bytes(&[Entry::Intended(intent(1))])].concat();
    go_on_from(&path, std::str::from_utf8(&copy).expect("a text"), "shop").expect("gone on");
    for _ in 0..2 {
        let journal = Journal::open_existing(folder.path()).await.expect("readable").expect("there");
        let known = journal.unfinished().into_iter().map(|record| record.copied_from).collect::<Vec<_>>();
        assert_eq!(known, [Some("shop".to_owned()), None]);
    }
    let journal = Journal::open(folder.path()).await.expect("readable");
    journal.intend(intent).await.expect("noted");
    drop(journal);
    let journal = Journal::open(folder.path()).await.expect("readable");
    assert_eq!(journal.unfinished()[0].copied_from, None, "what is written here is ours");
}

#[test]
fn the_latest_is_put_back_first() {
    let account = account(&[Entry::Intended(intent(0)), Entry::Intended(intent(1))]);
    let unfinished: Vec<u64> = account.unfinished().iter().map(|record| record.intent.id).collect();
    assert_eq!(unfinished, [1, 0]);
}

#[test]
fn a_journal_cut_at_any_byte_tells_of_its_whole_lines() {
    let entries = entries();
    let whole = bytes(&entries);
    let ends: Vec<usize> = (0..=entries.len()).map(|count| bytes(&entries[..count]).len()).collect();
    for cut in 0..=whole.len() {
        let lines = ends.iter().filter(|end| **end <= cut).count() - 1;
        let content = read(&whole[..cut]);
        let (read, expected) = ((content.account, content.whole), (account(&entries[..lines]), ends[lines]));
        assert_eq!((read, content.damage.len()), (expected, 0), "cut at {cut}");
    }
}

#[tokio::test]
async fn what_is_appended_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Journal::open_existing(folder.path()).await.expect("readable").is_none());
    let journal = Journal::open(folder.path()).await.expect("a new journal");
    let mode = fs::metadata(journal.path()).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(journal.intend(intent).await.expect("noted"), 0);
    assert_eq!(journal.intend(intent).await.expect("noted"), 1);
    journal.append(Entry::Closed { id: 1 }, Durability::Disk).await.expect("noted");
    let unfinished = journal.unfinished();
    assert_eq!(unfinished.iter().map(|record| record.intent.id).collect::<Vec<_>>(), [0]);
    drop(journal);
    let journal = Journal::open_existing(folder.path()).await.expect("readable").expect("there");
    assert_eq!(journal.unfinished(), unfinished);
    assert_eq!(journal.of_run("r1").len(), 2);
    assert_eq!(journal.of_run("another").len(), 0);
}

#[tokio::test]
async fn a_torn_end_is_cut_off_before_more_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let mut torn = bytes(&entries());
    torn.truncate(torn.len() - 1);
    fs::write(&path, &torn).expect("a torn journal");
    let journal = Journal::open(folder.path()).await.expect("readable");
    assert_eq!(journal.unfinished().len(), 0);
    assert_eq!(journal.intend(intent).await.expect("noted"), 1);
    drop(journal);
    let read = read(&fs::read(&path).expect("a journal"));
    assert_eq!((read.account.unfinished().len(), read.damage.len()), (1, 0));
}

#[tokio::test]
async fn nothing_of_a_damaged_journal_is_lost_when_it_is_added_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let mut damaged = bytes(&entries());
    damaged[20] = b'!';
    damaged.extend(b"{\"entry\":\"clo");
    fs::write(&path, &damaged).expect("a damaged journal");
    let journal = Journal::open_existing(folder.path()).await.expect("readable").expect("there");
    assert_eq!(journal.damage().iter().map(|damage| damage.line).collect::<Vec<_>>(), [1]);
    assert_eq!(fs::read(&path).expect("still there"), damaged, "as it was");
    let error = journal.intend(intent).await.expect_err("nothing begins").to_string();
    assert!(error.ends_with("is damaged: nothing begins before it is set aside"), "{error}");
    for id in [1, 1] {
        journal.append(Entry::Closed { id }, Durability::Disk).await.expect("noted");
    }
    damaged.push(b'\n');
    damaged.extend(bytes(&[Entry::Closed { id: 1 }, Entry::Closed { id: 1 }]));
    assert_eq!(fs::read(&path).expect("still there"), damaged, "and what was added");
    drop(journal);
    let journal = Journal::open(folder.path()).await.expect("readable");
    assert_eq!(journal.damage().iter().map(|damage| damage.line).collect::<Vec<_>>(), [1, 8]);
    assert_eq!(journal.unfinished().len(), 0);
}

#[test]
fn what_must_survive_a_power_cut_counts_only_once_it_is_flushed() {
    let append = |durability| {
        // It takes whatever is written, and cannot be flushed.
        let file = OpenOptions::new().write(true).open("/dev/null").expect("it is there");
        let account = Account::default();
        let mut writer = Writer { file, whole: 0, torn: false, unterminated: false, account };
        let appended = writer.append(Path::new("journal"), Entry::Intended(intent(0)), durability);
        (appended.map_err(|error| error.to_string()), writer.account.unfinished().len(), writer.torn)
    };
    // What is there of it is to be cut off before the next.
    assert_eq!(append(Durability::Disk), (Err("flush to disk journal".to_owned()), 0, true));
    assert_eq!(append(Durability::Kernel), (Ok(()), 1, false));
}

#[tokio::test]
async fn a_journal_that_cannot_be_flushed_is_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink("/dev/null", folder.path().join(FILE)).expect("a link");
    let error = Journal::open(folder.path()).await.expect_err("no disk behind it").to_string();
    assert!(error.starts_with("flush to disk "), "{error}");
}

#[tokio::test]
async fn a_file_too_large_is_no_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = File::create(folder.path().join(FILE)).expect("a file");
    file.set_len(MAX_BYTES + 1).expect("a sparse file");
    let error = Journal::open(folder.path()).await.expect_err("too large");
    assert!(matches!(error, JournalError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_an_error() {
    let error = Journal::open_existing(Path::new("/no/such/run")).await.expect_err("no directory");
    assert_eq!(error.to_string(), "read directory /no/such/run");
}

#[tokio::test]
async fn one_process_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(folder.path()).await.expect("a journal");
    let pid = std::process::id();
    let opened = Entry::Opened { run: "r1".into(), pid, at_unix_ms: 0 };
    journal.append(opened, Durability::Disk).await.expect("noted");
    let error = Journal::open(folder.path()).await.expect_err("it is held").to_string();
    assert!(error.contains(&format!("is in use by process {pid} (run r1)")), "{error}");
    drop(journal);
    // Who only puts back is not named in the journal; the kernel knows it nevertheless.
    let other = Command::new("flock")
        .arg(folder.path().join(FILE))
        .args(["sh", "-c", "echo held; read -r _"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut other = other.expect("flock is installed");
    let mut held = [0; 5];
    other.stdout.take().expect("piped").read_exact(&mut held).expect("it is held");
    let error = Journal::open(folder.path()).await.expect_err("it is held").to_string();
    assert!(error.contains(&format!("is in use by process {}:", other.id())), "{error}");
    drop(other.stdin.take());
    other.wait().expect("it ends");
    Journal::open(folder.path()).await.expect("free again");
}

#[tokio::test]
async fn a_write_that_failed_leaves_no_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(folder.path()).await.expect("a journal");
    journal.intend(intent).await.expect("noted");
    let whole = fs::read(journal.path()).expect("a journal");
    {
        // As after a disk that was full in the middle of a line.
        let mut writer = journal.lock();
        writer.file.write_all(b"{\"entry\":\"clo").expect("half a line");
        writer.torn = true;
    }
    journal.append(Entry::Injected { id: 0 }, Durability::Kernel).await.expect("noted");
    let mut expected = whole;
    expected.extend(bytes(&[Entry::Injected { id: 0 }]));
    assert_eq!(fs::read(journal.path()).expect("a journal"), expected);
}
