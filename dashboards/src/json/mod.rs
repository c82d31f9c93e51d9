//! What Grafana loads (pure): a dashboard's data as JSON of its schema 41, which newer versions migrate by themselves.

mod annotations;
mod fields;
mod grid;
mod panel;
mod variables;

use serde_json::{Value, json};

use crate::board::Board;

/// All dashboards have it, and each links to those that have it.
const TAG: &str = "ordeal";

/// The data source that the dashboard's variable names.
fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

/// The name of a dashboard's file.
pub fn file(board: &Board) -> String {
    format!("{}.json", board.uid.trim_start_matches("ordeal-"))
}

/// What that file holds.
pub fn text(board: &Board) -> String {
    format!("{:#}\n", dashboard(board))
}

/// A dashboard as Grafana has it.
pub fn dashboard(board: &Board) -> Value {
    json!({
        "uid": board.uid,
        "title": board.title,
        "description": board.about,
        "tags": [TAG],
        "schemaVersion": 41,
        "editable": false,
        "graphTooltip": 1,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "timepicker": {"refresh_intervals": ["5s", "10s", "30s", "1m"]},
        "timezone": "browser",
        "links": [{
            "title": "Ordeal",
            "type": "dashboards",
            "tags": [TAG],
            "icon": "external link",
            "tooltip": "",
            "url": "",
            "asDropdown": false,
            "includeVars": true,
            "keepTime": true,
            "targetBlank": false,
        }],
        "annotations": {"list": annotations::all()},
        "templating": {"list": variables::all()},
        "panels": panels(board),
    })
}

fn panels(board: &Board) -> Vec<Value> {
    let mut panels = Vec::new();
    let mut id = 0;
    let mut next = || {
        id += 1;
        id
    };
    for placed in grid::place(&board.rows) {
        let heading = placed.heading.map(|place| (next(), place));
        let own: Vec<_> =
            placed.panels.iter().map(|(panel, place)| panel::panel(panel, next(), *place)).collect();
        let Some((id, place)) = heading else {
            panels.extend(own);
            continue;
        };
        let needs = placed.needs.map_or("", crate::board::Needs::heading);
        let folded = placed.needs.is_some_and(crate::board::Needs::is_folded);
        let (inside, beside) = if folded { (own, Vec::new()) } else { (Vec::new(), own) };
        panels.push(json!({
            "id": id,
            "type": "row",
            "title": needs,
            "collapsed": folded,
            "gridPos": place.json(),
            "panels": inside,
        }));
        panels.extend(beside);
    }
    panels
}
