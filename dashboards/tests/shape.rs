//! Where panels stand, what they are called by, and where their links lead.

mod shipped;

use std::collections::BTreeSet;

use serde_json::Value;
use shipped::text;

/// A screen of 1080 lines shows 24 units of the grid below Grafana's own bars; a dashboard takes a screen and a half.
const TALLEST: u64 = 36;

/// The sides of a panel: left, top, right, bottom.
fn sides(panel: &Value) -> [u64; 4] {
    let of = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
    [of("x"), of("y"), of("x") + of("w"), of("y") + of("h")]
}

fn overlap(one: &Value, other: &Value) -> bool {
    let ([left, top, right, bottom], [x, y, to_x, to_y]) = (sides(one), sides(other));
    left < to_x && x < right && top < to_y && y < bottom
}

#[test]
fn panels_fit_the_grid_and_never_overlap() {
    for board in shipped::all() {
        let outer = board.json["panels"].as_array().expect("panels");
        for (at, panel) in outer.iter().enumerate() {
            let [left, _, right, bottom] = sides(panel);
            assert!(left < right && right <= 24, "{}: {}", board.uid, text(panel, "title"));
            assert!(bottom <= TALLEST, "{}: {} ends at {bottom}", board.uid, text(panel, "title"));
            for other in &outer[at + 1..] {
                let both = (text(panel, "title"), text(other, "title"));
                assert!(!overlap(panel, other), "{}: {both:?}", board.uid);
            }
        }
    }
}

#[test]
fn rows_are_filled() {
    for board in shipped::all() {
        let rows: BTreeSet<u64> = board.shown().iter().map(|panel| sides(panel)[1]).collect();
        for top in rows {
            let row: Vec<_> = board.shown().into_iter().filter(|panel| sides(panel)[1] == top).collect();
            let width: u64 = row.iter().map(|panel| sides(panel)[2] - sides(panel)[0]).sum();
            assert_eq!(width, 24, "{}: the row at {top}", board.uid);
        }
    }
}

#[test]
fn the_first_row_answers_whether_it_is_fine() {
    for board in shipped::all() {
        let first: Vec<_> = board.shown().into_iter().filter(|panel| sides(panel)[1] == 0).collect();
        assert!(first.len() >= 6, "{}", board.uid);
        for panel in first {
            assert_eq!(text(panel, "type"), "stat", "{}: {}", board.uid, text(panel, "title"));
        }
    }
}

#[test]
fn ids_are_unique() {
    let boards = shipped::all();
    let uids: BTreeSet<_> = boards.iter().map(|board| board.uid.as_str()).collect();
    assert_eq!(uids, BTreeSet::from(["ordeal-exporter", "ordeal-recovery", "ordeal-run", "ordeal-scaling"]));
    for board in &boards {
        let ids: BTreeSet<_> =
            board.panels().iter().map(|panel| panel["id"].as_u64().expect("an id")).collect();
        assert_eq!(ids.len(), board.panels().len(), "{}", board.uid);
    }
}

#[test]
fn titles_tell_panels_apart() {
    for board in shipped::all() {
        let titles: BTreeSet<_> = board.shown().iter().map(|panel| text(panel, "title")).collect();
        assert_eq!(titles.len(), board.shown().len(), "{}", board.uid);
    }
}

/// Every `url` of a data link, wherever it stands.
fn urls(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("url").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| urls(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| urls(value, found)),
        _ => {}
    }
}

#[test]
fn links_lead_to_dashboards_that_there_are() {
    let boards = shipped::all();
    let mut found = Vec::new();
    boards.iter().flat_map(|board| board.panels()).for_each(|panel| urls(panel, &mut found));
    assert!(found.len() >= 2, "the table of runs links to dashboards");
    for url in found {
        let uid = url.strip_prefix("/d/").and_then(|rest| rest.split('?').next()).expect("a dashboard");
        assert!(boards.iter().any(|board| board.uid == uid), "{url}");
        for time in ["from=${__data.fields.Began.numeric}", "to=${__data.fields.Until.numeric}"] {
            assert!(url.contains(time), "{url} sets the time by {time}");
        }
    }
}

#[test]
fn dashboards_link_to_each_other_and_keep_the_time() {
    for board in shipped::all() {
        let link = &board.json["links"][0];
        assert_eq!((text(link, "type"), &link["tags"]), ("dashboards", &board.json["tags"]), "{}", board.uid);
        assert_eq!((&link["keepTime"], &link["includeVars"]), (&true.into(), &true.into()), "{}", board.uid);
    }
}

#[test]
fn faults_are_shaded_over_all_of_them() {
    for board in shipped::all() {
        let faults = &board.json["annotations"]["list"][0];
        assert!(text(faults, "expr").contains("injected|recovering"), "{}", board.uid);
        assert_eq!(faults["expr"], faults["target"]["expr"], "{}", board.uid);
    }
}
