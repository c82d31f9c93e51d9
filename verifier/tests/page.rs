//! The page of HTML: that it needs nothing else, that its links lead somewhere, and, where Chromium is installed, that
//! it fits a phone.

mod made;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use made::proxy::{Proxy, Spoil};
use made::{Made, Server, healthy, slos, told};

fn run() -> Made {
    let mut made = healthy("7f3a91", 5.0);
    made.find("lost", 216.0, 7.0);
    made
}

/// The page of a run of every kind of objective, one of them broken.
fn page(made: &Made, options: &[&str]) -> String {
    let server = Server::with([made]);
    let options = [&["--run", &made.id, "--output", "html"], options].concat();
    let output = server.verify(&slos(&made.id), &options);
    String::from_utf8(output.stdout).expect("text")
}

/// The values of an attribute.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let begin = format!(" {attribute}=\"");
    page.split(&begin).skip(1).map(|rest| rest.split('"').next().expect("an end")).collect()
}

#[test]
fn the_page_needs_nothing_else_and_its_links_lead_somewhere() {
    let page = page(&run(), &[]);
    for foreign in ["<script", "<link", "<img", "<iframe", " src=", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign} in the page");
    }
    let ids: BTreeSet<&str> = values(&page, "id").into_iter().collect();
    let links = values(&page, "href");
    assert!(links.len() > 20, "the links are not found");
    for link in links {
        assert!(ids.contains(link.trim_start_matches('#')), "{link} leads nowhere");
    }
}

#[test]
fn every_objective_has_a_chart_or_says_why_not() {
    let page = page(&run(), &[]);
    let cards: Vec<&str> = page.split("<article id=\"objective-").skip(1).collect();
    let objectives = slos("7f3a91").matches("- {name:").count();
    assert_eq!(cards.len(), objectives);
    let without: Vec<&str> = cards.into_iter().filter(|card| card.contains("No chart: ")).collect();
    assert_eq!(without.len(), 2, "only the user's own expression and alert have none");
    let reasons = ["its expression gives one number", "its alert fired or did not"];
    assert!(reasons.iter().all(|reason| without.iter().any(|card| card.contains(reason))));
    assert_eq!(page.matches("No chart: ").count(), 2, "a panel of the timeline is empty");
}

#[test]
fn the_exporters_own_results_are_shown_where_they_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_str().expect("a plain path");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("writing");
    let load = |run: &str| {
        let requests = r#""requests": {"ok": 12345, "error": 6, "per_second": 20.5}"#;
        let tasks = r#""tasks": [{"name": "<b>sale", "requests": {"ok": 1}}]"#;
        write("load.json", &format!("{{{run}{requests}, {tasks}}}"));
    };
    load(r#""run": "7f3a91", "#);
    let page_of = || page(&run(), &["--run-dir", place]);
    let told = page_of();
    assert!(told.contains("12 345") && told.contains("&#60;b&#62;sale"), "the load's table");
    assert!(told.contains("chaos.json not shown: reading"), "what is absent is told");
    write("chaos.json", r#"{"run": "7f3a91", "experiments": [{"experiment": "kill-it", "fault": "exec"}]}"#);
    assert!(page_of().contains("kill-it"));
    // Whatever becomes of one file, the other is shown where it is of the run that was judged, and only there.
    write("chaos.json", r#"{"run": "another"}"#);
    let told = page_of();
    assert!(
        told.contains("chaos.json not shown: it has the results of run another"),
        "experiments of another run"
    );
    assert!(told.contains("12 345") && !told.contains("kill-it"));
    for chaos in [r#"{"run": "7f3a91"}"#, "{"] {
        write("chaos.json", chaos);
        for (run, why) in [
            (r#""run": "another", "#, "it has the results of run another"),
            ("", "it does not say which run it is of"),
        ] {
            load(run);
            let told = page_of();
            assert!(
                told.contains(&format!("load.json not shown: {why}")) && !told.contains("12 345"),
                "{why}"
            );
        }
    }
}

/// Only charts are asked for as curves.
#[test]
fn charts_that_are_refused_say_so_and_change_no_verdict() {
    let server = Server::with([&run()]);
    let due = server.verdict(&slos("7f3a91"), &[]);
    let proxy = Proxy::to(&server.url(), "s3cret", Spoil::Refuse("/api/v1/query_range"));
    let reports = server.folder().join("reports");
    let folder = reports.to_str().expect("a plain path");
    let options =
        ["--header", "Authorization: Bearer s3cret", "--output", "html,json", "--report-dir", folder];
    let output = server.verify_at(&proxy.url, &slos("7f3a91"), &options);
    let [page, json] = ["report.html", "report.json"].map(|name| {
        std::fs::read(reports.join(name)).unwrap_or_else(|error| panic!("{name}: {error}: {output:?}"))
    });
    let page = String::from_utf8(page).expect("text");
    let refused = page.matches("too many samples").count();
    assert!(refused > 3, "it is not said why charts are absent: {refused}");
    let found = told(&std::process::Output { stdout: json, ..output });
    assert_eq!(found["findings"], due["findings"]);
}

#[test]
fn a_run_that_was_not_found_has_a_page_too() {
    let server = Server::with([&run()]);
    let output = server.verify(&slos("none"), &["--run", "none", "--output", "html"]);
    let page = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(3));
    assert!(page.contains("Nothing of the run can be placed in time.") && page.contains("run_not_found"));
}

/// Goes through the page as a reader does: everything folded is opened and every link followed by a click, nothing is wider
/// than the window, and what is written is light on dark where that is preferred, else dark on light.
const READER: &str = "<script>addEventListener('load', async () => {
  const wrong = [];
  for (const fold of document.querySelectorAll('details')) {
    if (!fold.open) fold.querySelector('summary').click();
    if (!fold.open) wrong.push(fold.outerHTML);
  }
  for (const link of document.querySelectorAll('a')) {
    const news = link.hash === location.hash || new Promise(done => addEventListener('hashchange', done, {once: true}));
    link.click();
    await news;
    if (!document.querySelector(location.hash + ':target')) wrong.push(link.outerHTML);
  }
  const width = document.documentElement.scrollWidth;
  if (width > innerWidth) wrong.push(`${width} px wide in ${innerWidth}`);
  const light = color => color.match(/[0-9.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
  const style = getComputedStyle(document.body);
  const dark = light(style.backgroundColor) < light(style.color);
  const read = `READ at ${innerWidth} ${dark ? 'dark' : 'light'}`;
  parent.postMessage(wrong.length ? 'WRONG ' + wrong.join(' ') : read, '*');
})</script>";

/// The page in a frame as wide as a screen, whose title becomes what the reader tells: a window of Chromium's may not be as
/// narrow as a phone.
fn framed(width: u32) -> String {
    format!(
        "<title>unread</title><script>addEventListener('message', told => document.title = told.data)</script>\n\
         <iframe src=\"page.html\" style=\"width: {width}px; height: 844px; border: 0\"></iframe>\n"
    )
}

fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file())
}

/// What a page's title becomes for one who prefers dark, or not.
fn read_in(chromium: &Path, file: &Path, dark: bool) -> String {
    let mut command = Command::new(chromium);
    command
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=20000",
            "--dump-dom",
            "--window-size=1400,900",
            // Blink's `PreferredColorScheme`: 0 is dark, 1 is light.
            &format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)),
        ])
        .arg(format!("--user-data-dir={}", file.with_extension("profile").display()))
        .arg(format!("file://{}", file.display()))
        .stderr(Stdio::null());
    let output = command.output().expect("Chromium runs");
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    page.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or(&page).to_owned()
}

#[test]
fn a_reader_gets_everywhere_at_a_desk_and_on_a_phone_by_day_and_by_night() {
    let Some(chromium) = chromium() else {
        eprintln!("skipped: there is no Chromium to open the page in");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("page.html");
    // The page allows no script: the reader's is let in beside it.
    let page = page(&run(), &[]).replace("http-equiv=\"Content-Security-Policy\"", "name=\"policy\"");
    std::fs::write(&file, page.replace("</body>", &format!("{READER}</body>"))).expect("writing");
    let frame = folder.path().join("frame.html");
    for (width, dark, due) in [
        (1280, false, "READ at 1280 light"),
        (390, false, "READ at 390 light"),
        (1280, true, "READ at 1280 dark"),
        (390, true, "READ at 390 dark"),
    ] {
        std::fs::write(&frame, framed(width)).expect("writing");
        assert_eq!(read_in(&chromium, &frame, dark), due);
    }
}

#[test]
fn on_paper_objectives_share_pages() {
    let Some(chromium) = chromium() else {
        eprintln!("skipped: there is no Chromium to print the page with");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (file, paper) = (folder.path().join("page.html"), folder.path().join("page.pdf"));
    std::fs::write(&file, page(&run(), &[])).expect("writing");
    let mut command = Command::new(chromium);
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .arg(format!("--user-data-dir={}", file.with_extension("profile").display()))
        .arg(format!("--print-to-pdf={}", paper.display()))
        .arg(format!("file://{}", file.display()))
        .stderr(Stdio::null());
    assert!(command.status().expect("Chromium runs").success());
    let paper = std::fs::read(paper).expect("reading");
    let pages = String::from_utf8_lossy(&paper).matches("/Type /Page\n").count();
    let objectives = slos("7f3a91").matches("- {name:").count();
    assert!(pages > 0 && pages < objectives, "{pages} pages for {objectives} objectives");
}

/// Nobody archives after the takeover, of which the samples of either server tell nothing.
#[test]
fn the_age_of_an_archive_is_told_by_samples_that_there_are_and_charted_to_its_end() {
    const AGE: &str = "pg_stat_archiver_last_archive_age";
    let mut made = run();
    made.set(AGE, &[("server", "pg1")], |t| Some(if t < 130.0 { (t + 5.0) % 30.0 } else { f64::NAN }));
    made.set(AGE, &[("server", "pg2")], |_| Some(f64::NAN));
    let server = Server::with([&made]);
    let slos = "objectives:
  - {name: archive, kind: recovery_point, of: archive, within: 30s, selector: '{instance=\"7f3a91:10042\"}'}
";
    let told = server.verdict(slos, &[]);
    let finding = &told["findings"][0];
    assert_eq!(finding["verdict"], "fail");
    let samples = finding["samples"].as_array().expect("samples");
    let named = |sample: &&serde_json::Value| {
        sample["series"].as_str().is_some_and(|series| series.starts_with(&format!("{AGE}{{instance=")))
    };
    let ages: Vec<_> = samples.iter().filter(named).map(|sample| &sample["value"]).collect();
    let [success, last] = ages[..] else { panic!("{samples:?}") };
    assert!(success.as_f64().is_some_and(|age| age < 30.0) && last == "NaN", "{samples:?}");
    let page = String::from_utf8(server.verify(slos, &["--output", "html"]).stdout).expect("text");
    let card = page.split("<article id=\"objective-1\"").nth(1).expect("the card");
    let card = card.split("</article>").next().expect("its end");
    for due in ["by the newest success that was seen</span>", "what decides</span>", "<circle"] {
        assert!(card.contains(due), "no {due} in {card}");
    }
    let label = |text: &str| text.split(">\n").nth(1)?.split(" s\n").next()?.parse::<f64>().ok();
    let highest = card.split("<text ").skip(1).filter_map(label).fold(0.0, f64::max);
    assert!(highest >= 400.0, "the axis ends at {highest} s");
}
