//! The file, and its copy in a cluster.

use super::*;

#[test]
fn no_copy_says_that_a_command_of_this_machine_was_put_back() {
    let [intended, closed] = [Entry::Intended(intent(0)), Entry::Closed { id: 0 }].map(|it| bytes(&[it]));
    let drained = Entry::Intended(Intent { kind: FaultKind::Drain, undo: None, ..intent(0) });
    let drained = bytes(&[drained]);
    let part = |from, to| copied::Part { from, to, namespace: "shop".to_owned() };
    let open = |first: &[u8], part_of: fn(usize, usize) -> (usize, usize)| {
        let whole = [first, &closed].concat();
        let (from, to) = part_of(first.len(), whole.len());
        let content = reading::read_parts(&whole, &[part(from, to)]);
        assert!(content.damage.is_empty());
        content.account.unfinished().len()
    };
    assert_eq!(open(&intended, |first, whole| (first, whole)), 1, "only the copy says so");
    assert_eq!(open(&intended, |_, _| (0, 0)), 0, "this machine says so");
    assert_eq!(open(&intended, |_, whole| (0, whole)), 0, "it is none of this machine");
    assert_eq!(
        open(&drained, |first, whole| (first, whole)),
        0,
        "whoever reaches the cluster may have done it"
    );
}

#[tokio::test]
async fn the_copy_replaces_no_journal_that_another_process_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE);
    let journal = Journal::open(folder.path()).await.expect("a journal");
    let copy = bytes(&[Entry::Intended(intent(0))]);
    let copy = std::str::from_utf8(&copy).expect("a text");
    let error = go_on_from(&path, copy, "shop").expect_err("it is held").to_string();
    assert!(error.contains("is in use by"), "{error}");
    assert_eq!(fs::read(&path).expect("it is there"), b"");
    drop(journal);
    go_on_from(&path, copy, "shop").expect("gone on");
    assert_eq!(fs::read_to_string(&path).expect("it is there"), copy);
    let names = fs::read_dir(folder.path()).expect("a folder").map(|it| it.expect("a file").file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["journal.copied", FILE], "nothing else is left");
}

#[test]
fn beside_the_copy_stands_what_may_still_be_broken() {
    let told = |bytes: &[u8]| copy::told(std::str::from_utf8(bytes).expect("a text"));
    let both = || [Entry::Intended(intent(0)), Entry::Intended(intent(1))];
    assert_eq!(told(b""), "none");
    assert_eq!(told(&bytes(&both())), "experiment-1 of run r1\nexperiment-0 of run r1");
    let closed = [bytes(&both()), bytes(&[Entry::Closed { id: 1 }])].concat();
    assert_eq!(told(&closed), "experiment-0 of run r1");
    assert_eq!(
        told(&[bytes(&entries()[..6]), b"rubbish\n".to_vec()].concat()),
        "line 7, which cannot be read"
    );
    assert_eq!(told(&bytes(&entries()[..6])), "none");
}
