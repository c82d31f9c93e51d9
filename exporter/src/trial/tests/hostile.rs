//! Files that are no trial: cut, swollen, binary, or changed at random. None may panic or take long.

use std::fmt::Write;
use std::time::Instant;

use proptest::prelude::*;

use super::super::{ProcessEnvironment, read};
use super::*;

const TRIAL: &str = include_str!("../../../../deploy/lab/trial.yaml");
const EVERYTHING: &str = include_str!("everything.yaml");

/// Every fault has a place inside the file and says what was expected.
fn assert_told(text: &str, faults: &Faults) {
    let lines = text.lines().count().max(1);
    assert!(faults.count() > 0);
    for fault in faults.iter() {
        let place = fault.place.expect("a fault of the content has a place");
        assert!((1..=lines + 1).contains(&place.line) && place.column > 0, "{faults}");
        assert!(fault.text.contains("expected") || fault.text.contains("not valid YAML"), "{faults}");
    }
}

fn try_it(text: &str) {
    if let Err(faults) = parse_made(text) {
        assert_told(text, &faults);
    }
}

#[test]
fn every_cut_of_a_good_file_is_survived() {
    for (end, _) in EVERYTHING.char_indices() {
        try_it(&EVERYTHING[..end]);
    }
}

#[test]
fn every_missing_line_of_a_good_file_is_survived() {
    for gone in 0..TRIAL.lines().count() {
        let rest: Vec<_> =
            TRIAL.lines().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| line).collect();
        try_it(&rest.join("\n"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn changed_files_are_survived(
        places in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}:,&*!|>'\"%@`#?\\-\\n\\t $0-9a-zé]{0,4}", 0..6usize), 1..8)
    ) {
        let mut text: Vec<char> = EVERYTHING.chars().collect();
        for (place, put, cut) in places {
            let at = place.index(text.len());
            let end = (at + cut).min(text.len());
            text.splice(at..end, put.chars());
        }
        try_it(&text.into_iter().collect::<String>());
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}") {
        try_it(&text);
    }

    #[test]
    fn any_yaml_punctuation_is_survived(text in "[\\[\\]{}:,&*!|>'\"%@`#?\\- \\n\\ta<~.]{0,80}") {
        try_it(&text);
    }
}

fn read_bytes(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("t.yaml");
    std::fs::write(&path, bytes).expect("a temporary file");
    let faults = read(&path, &Made::new()).expect_err("no trial");
    faults.to_string().replace(path.to_str().expect("a path in UTF-8"), "t.yaml")
}

#[test]
fn a_file_that_is_not_text_is_named_with_its_place() {
    let text = "not text; expected a YAML file in UTF-8";
    assert_eq!(read_bytes(b"\x7fELF\x02\xff\x01"), format!("t.yaml:1:6: {text}"));
    assert_eq!(
        read_bytes("name: é\nb: \u{e9}".as_bytes().split_last().unwrap_or((&0, &[])).1),
        format!("t.yaml:2:4: {text}")
    );
}

#[test]
fn a_swollen_file_is_not_read() {
    let text = "t.yaml: cannot be read: larger than 1024 KiB; expected a trial file";
    assert_eq!(read_bytes(&vec![b'#'; (1 << 20) + 1]), text);
}

#[test]
fn a_missing_file_and_a_folder_are_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for path in [folder.path().join("none.yaml"), folder.path().to_owned()] {
        let faults = read(&path, &Made::new()).expect_err("no file").to_string();
        assert!(faults.starts_with(&format!("{}: cannot be read: ", path.display())), "{faults}");
    }
}

/// Opening a pipe that nobody writes to waits for ever, and a device never ends.
#[test]
fn only_regular_files_are_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let told = |path: &Path, what: &str| {
        let faults = read(path, &ProcessEnvironment).expect_err("no trial").to_string();
        let where_from = "where only regular files are read; expected a trial file";
        assert_eq!(faults, format!("{}: cannot be read: {what}, {where_from}", path.display()));
    };
    told(&pipe, "a pipe");
    told(Path::new("/dev/zero"), "a device");
    told(folder.path(), "a folder");
    let text = format!("{AFTER_LOAD}target: {{url: https://a, ca: pipe, headers: {{X-A: \"file:pipe\"}}}}\n");
    let faults = parse(&text, &folder.path().join("t.yaml"), &ProcessEnvironment).expect_err("no trial");
    let told: Vec<_> = faults.iter().map(|fault| fault.text.as_str()).collect();
    let expected = [
        "cannot read `pipe`: a pipe, where only regular files are read; expected a PEM file",
        "cannot read the secret file pipe: a pipe, where only regular files are read; expected a readable file",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_text_with_a_thousand_faults_reports_ten() {
    for parameter in ["{1..x}", "{gone}"] {
        let path = format!("{STEPS}        - GET /{}\n", parameter.repeat(1000));
        assert_eq!(parse_made(&path).expect_err("no trial").count(), 10, "{parameter}");
    }
}

#[test]
fn deep_nesting_and_alias_bombs_are_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let of = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{of}]").expect("a text grows");
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 100_000].join(", "));
    for (text, why) in [
        (deep, "recursion limit exceeded"),
        (bomb, "more than 100000 values"),
        (long, "more than 100000 values"),
    ] {
        let faults = parse_made(&text).expect_err("no trial");
        assert_eq!(faults.count(), 1);
        assert!(faults.to_string().contains(why), "{faults}");
    }
}

fn many(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}

#[test]
fn the_worst_files_take_no_time() {
    let keys = many(30_000, |n| format!("k{n}: 1\n"));
    let tasks = many(15_000, |_| "    - {name: a, journy: 1}\n".to_owned());
    let steps = many(20_000, |n| format!("        - GET /{{v{n}}}\n"));
    let path = format!("{STEPS}        - GET /{}\n", "{1..9}".repeat(150_000));
    let quotes = format!("{STEPS}        - POST /a: {{json: \"{}\"}}\n", "{gone}".repeat(150_000));
    for text in [keys, format!("{TASKS}{tasks}"), format!("{STEPS}{steps}"), path, quotes] {
        let start = Instant::now();
        try_it(&text);
        // Quadratic work over these files would take minutes; the bound is wide for a busy machine.
        assert!(start.elapsed().as_secs() < 20, "{:?} for {} bytes", start.elapsed(), text.len());
    }
}
