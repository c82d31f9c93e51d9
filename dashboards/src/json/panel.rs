//! One panel (pure): what it asks, and the options of its kind.

use serde_json::{Value, json};

use super::grid::Place;
use super::{fields, source};
use crate::board::{Column, Panel, Query, View};

/// From this width on a legend stands beside the curves, else below them.
const WIDE: u32 = 12;

/// A panel as Grafana has it.
pub(super) fn panel(panel: &Panel, id: u32, place: Place) -> Value {
    let mut json = json!({
        "id": id,
        "type": kind(&panel.view),
        "title": panel.title,
        "description": panel.about,
        "datasource": source(),
        "gridPos": place.json(),
        "fieldConfig": fields::config(panel),
        "options": options(panel),
        "targets": targets(panel),
    });
    if let View::Table(columns) = &panel.view {
        json["transformations"] = arranged(columns);
    }
    if let Some(back) = panel.back {
        json["timeFrom"] = json!(back);
        json["hideTimeOverride"] = json!(true);
    }
    json
}

fn kind(view: &View) -> &'static str {
    match view {
        View::Stat => "stat",
        View::Lines | View::Stacked => "timeseries",
        View::Timeline => "state-timeline",
        View::Heat => "heatmap",
        View::Bars => "bargauge",
        View::Table(_) => "table",
    }
}

fn targets(panel: &Panel) -> Vec<Value> {
    let refs = ('A'..='Z').map(String::from);
    panel.queries.iter().zip(refs).map(|(query, id)| target(&panel.view, query, &id)).collect()
}

fn target(view: &View, Query { expr, legend }: &Query, id: &str) -> Value {
    let instant = view.is_of_one_moment();
    let mut target = json!({
        "refId": id,
        "datasource": source(),
        "editorMode": "code",
        "expr": expr,
        "instant": instant,
        "range": !instant,
    });
    match view {
        View::Table(_) => target["format"] = json!("table"),
        View::Heat => target["format"] = json!("heatmap"),
        _ => {}
    }
    if !legend.is_empty() {
        target["legendFormat"] = json!(legend);
    }
    target
}

fn options(panel: &Panel) -> Value {
    match &panel.view {
        View::Stat => stat(panel.queries.iter().any(|query| query.legend.contains("{{"))),
        View::Lines | View::Stacked => json!({
            "legend": legend(panel.width),
            "tooltip": {"mode": "multi", "sort": "desc"},
        }),
        View::Timeline => json!({
            "alignValue": "left",
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": false},
            "mergeValues": true,
            "rowHeight": 0.85,
            "showValue": "auto",
            "tooltip": {"mode": "single", "sort": "none"},
        }),
        View::Heat => heat(panel.unit.id()),
        View::Bars => bars(),
        View::Table(columns) => json!({
            "cellHeight": "sm",
            "frameIndex": 0,
            "showHeader": true,
            "sortBy": sorted(columns),
        }),
    }
}

fn sorted(columns: &[Column]) -> Value {
    let by = columns.iter().find(|column| column.sorts).or(columns.first());
    by.map_or_else(|| json!([]), |column| json!([{"displayName": column.title, "desc": column.sorts}]))
}

/// The last number of each series; instant queries have no other.
fn last() -> Value {
    json!({"calcs": ["lastNotNull"], "fields": "", "values": false})
}

fn stat(named: bool) -> Value {
    json!({
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": last(),
        "showPercentChange": false,
        "textMode": if named { "value_and_name" } else { "value" },
        "wideLayout": true,
    })
}

fn bars() -> Value {
    json!({
        "displayMode": "basic",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": false},
        "maxVizHeight": 300,
        "minVizHeight": 16,
        "minVizWidth": 8,
        "namePlacement": "auto",
        "orientation": "horizontal",
        "reduceOptions": last(),
        "showUnfilled": true,
        "sizing": "auto",
        "valueMode": "color",
    })
}

fn legend(width: u32) -> Value {
    json!({
        "calcs": ["lastNotNull", "max"],
        "displayMode": "table",
        "placement": if width < WIDE { "bottom" } else { "right" },
        "showLegend": true,
        "sortBy": "Max",
        "sortDesc": true,
    })
}

fn heat(unit: &str) -> Value {
    json!({
        "calculate": false,
        "cellGap": 1,
        "cellValues": {"unit": "none"},
        "color": {
            "mode": "scheme",
            "scheme": "Oranges",
            "scale": "exponential",
            "exponent": 0.3,
            "fill": "dark-orange",
            "reverse": false,
            "steps": 64,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": true},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": true, "yHistogram": false},
        "yAxis": {"axisPlacement": "left", "reverse": false, "unit": unit},
    })
}

/// Rows of all queries with the same labels become one; columns get their order and titles.
fn arranged(columns: &[Column]) -> Value {
    let by = |value: fn(usize, &Column) -> Value| -> Value {
        let pairs = columns.iter().enumerate().map(|(at, column)| (column.of.to_owned(), value(at, column)));
        Value::Object(pairs.collect())
    };
    json!([
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {"Time": true},
            "indexByName": by(|at, _| json!(at)),
            "renameByName": by(|_, column| json!(column.title)),
        }},
    ])
}
