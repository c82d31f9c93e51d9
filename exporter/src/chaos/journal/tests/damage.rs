//! Whatever is damaged, all else is read.

use proptest::prelude::*;

use super::*;

/// Three experiments that are to be put back and one that was, each told of by several lines.
fn history() -> Vec<Entry> {
    let started = |id, group| Entry::Started { id, step: Step::Inject, trace: trace(group), at_unix_ms: 5 };
    vec![
        Entry::Opened { run: "r1".into(), pid: 77, at_unix_ms: 1_795_000_000_000 },
        Entry::Intended(intent(0)),
        started(0, 4711),
        Entry::Injected { id: 0 },
        Entry::Intended(intent(1)),
        started(1, 4712),
        Entry::Closed { id: 1 },
        Entry::Intended(intent(2)),
        started(2, 4713),
        Entry::Intended(intent(3)),
    ]
}

/// The experiment that the line, from 1, tells of, if without this line nobody knows of it.
fn intended_by(line: usize) -> Option<u64> {
    match &history()[line - 1] {
        Entry::Intended(intent) => Some(intent.id),
        _ => None,
    }
}

/// The numbers of what is to be put back; each record is as it was written.
fn unfinished(account: &Account) -> Vec<u64> {
    let records = account.unfinished();
    for record in &records {
        assert_eq!(record.intent, intent(record.intent.id));
    }
    records.iter().map(|record| record.intent.id).collect()
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes[..at].split(|byte| *byte == b'\n').count()
}

/// What can be read of `changed`, whose line `line` was damaged so that it tells nothing any more.
fn check(changed: &[u8], line: usize) -> Result<(), TestCaseError> {
    let content = read(changed);
    let named = content.damage.iter().any(|damage| damage.line == line);
    prop_assert!(named, "line {} is not named: {:?}", line, content.damage);
    // Where the line said that an experiment is closed, it is put back once more.
    let due: &[u64] = if line == 7 { &[3, 2, 1, 0] } else { &[3, 2, 0] };
    let lost = intended_by(line);
    let expected: Vec<u64> = due.iter().copied().filter(|id| Some(*id) != lost).collect();
    prop_assert_eq!(unfinished(&content.account), expected);
    let unknown: Vec<u64> = content.account.unknown.iter().copied().collect();
    // Of number 1 a later line says that it was put back; nothing follows number 3 that would name it.
    prop_assert_eq!(unknown, lost.filter(|id| [0, 2].contains(id)).into_iter().collect::<Vec<_>>());
    Ok(())
}

#[test]
fn a_changed_bit_costs_at_most_the_line_it_is_in() {
    let whole = bytes(&history());
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            let content = read(&changed);
            let line = line_of(&whole, at);
            let first = content.damage.first().map(|damage| damage.line);
            assert_eq!(first, Some(line), "bit {bit} of byte {at}");
            if whole[at] == b'\n' {
                assert_eq!(unfinished(&content.account), [3, 2, 0], "the entries beside it are whole");
            } else if changed[at] != b'\n' {
                check(&changed, line).unwrap_or_else(|error| panic!("bit {bit} of byte {at}: {error}"));
            }
        }
    }
}

#[test]
fn an_experiment_whose_intent_is_gone_is_known_by_its_number() {
    let cases = [
        (vec![Entry::Closed { id: 0 }], vec![(1, "no earlier line intends the experiment number 0")], vec![]),
        (
            vec![
                Entry::Intended(intent(0)),
                Entry::Started { id: 1, step: Step::Bit, trace: trace(1), at_unix_ms: 0 },
            ],
            vec![(2, "no earlier line intends the experiment number 1")],
            vec![1],
        ),
        (vec![Entry::Intended(intent(2))], vec![(1, "experiment number 2 where 0 is due")], vec![0, 1]),
        (
            vec![Entry::Intended(intent(0)), Entry::Intended(intent(0))],
            vec![(2, "experiment number 0 where 1 is due")],
            vec![],
        ),
        (
            vec![Entry::Intended(intent(u64::MAX)), Entry::Injected { id: u64::MAX }],
            vec![
                (1, "experiment number 18446744073709551615 where 0 is due"),
                (2, "no earlier line intends the experiment number 18446744073709551615"),
            ],
            vec![],
        ),
    ];
    for (entries, damage, unknown) in cases {
        let content = read(&bytes(&entries));
        let found: Vec<_> = content.damage.iter().map(|it| (it.line, it.error.to_string())).collect();
        let damage: Vec<_> = damage.into_iter().map(|(line, text)| (line, text.to_owned())).collect();
        assert_eq!((found, content.account.unknown.into_iter().collect()), (damage, unknown));
    }
}

#[test]
fn a_damaged_line_is_told_by_what_is_wrong_and_how_it_begins() {
    let long = format!("{{\"entry\":\"closed\",\"id\":0,\"crc32\":1}}{}", " ".repeat(100));
    let told = format!(
        "the checksum does not match: the line was changed after it was written; it has {} bytes and begins with {}",
        long.len(),
        &long[..60]
    );
    // As another version might have written them, whole.
    let [unknown_trace, untraced] = [r#""trace":{"kind":"ghost"},"#, ""].map(|trace| {
        format!(r#"{{"entry":"started","id":0,"step":"inject",{trace}"at_unix_ms":5,"crc32":1}}"#)
    });
    let no_entry = |line: &str| {
        format!("not a journal entry; it has {} bytes and begins with {}", line.len(), &line[..60])
    };
    let (told_unknown, told_untraced) = (no_entry(&unknown_trace), no_entry(&untraced));
    let cases: [(&[u8], &str); 6] = [
        (b"", "not a journal entry; it has 0 bytes"),
        (b"{}", "not a journal entry; it has 2 bytes and begins with {}"),
        (b"\0\xff\"", "not a journal entry; it has 3 bytes and begins with \\x00\\xff\""),
        (long.as_bytes(), &told),
        (unknown_trace.as_bytes(), &told_unknown),
        (untraced.as_bytes(), &told_untraced),
    ];
    for (line, text) in cases {
        let content = read(&[line, b"\n"].concat());
        let found: Vec<_> = content.damage.iter().map(|damage| (damage.line, damage.to_string())).collect();
        assert_eq!(found, [(1, text.to_owned())]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_or_overwritten_line_costs_only_itself(
        line in 1..=10usize,
        from in any::<proptest::sample::Index>(),
        cut in any::<bool>(),
        rubbish in proptest::collection::vec(any::<u8>().prop_filter("no line feed", |byte| *byte != b'\n'), 1..40),
    ) {
        let mut lines: Vec<Vec<u8>> = history().iter().map(|entry| bytes(std::slice::from_ref(entry))).collect();
        let text = &mut lines[line - 1];
        text.pop();
        let whole = text.clone();
        let from = from.index(text.len());
        if cut {
            text.truncate(from);
        } else {
            let to = (from + rubbish.len()).min(text.len());
            text[from..to].copy_from_slice(&rubbish[..to - from]);
        }
        prop_assume!(*text != whole);
        text.push(b'\n');
        check(&lines.concat(), line)?;
    }
}
