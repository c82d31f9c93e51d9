//! How the fields of a panel look (pure): units, colours, words, and what is different for one of them.

use serde_json::{Map, Value, json};

use crate::board::{Column, Panel, View};
use crate::look::{Colour, State, Steps, Unit};

/// The configuration of all fields of a panel, and of some of them by name.
pub(super) fn config(panel: &Panel) -> Value {
    let mut defaults = Map::new();
    defaults.insert("unit".into(), json!(panel.unit.id()));
    defaults.insert("mappings".into(), mappings(&panel.states));
    defaults.insert("thresholds".into(), thresholds(&panel.steps));
    defaults.insert("color".into(), json!({"mode": colour_mode(panel)}));
    if let Some(decimals) = panel.decimals {
        defaults.insert("decimals".into(), json!(decimals));
    }
    if !panel.empty.is_empty() {
        defaults.insert("noValue".into(), json!(panel.empty));
    }
    if let Some(custom) = custom(panel) {
        defaults.insert("custom".into(), custom);
    }
    json!({"defaults": defaults, "overrides": overrides(panel)})
}

/// By thresholds where a colour is a judgement, else each series has its own.
fn colour_mode(panel: &Panel) -> &'static str {
    match panel.view {
        View::Lines | View::Stacked => "palette-classic",
        _ => "thresholds",
    }
}

fn custom(panel: &Panel) -> Option<Value> {
    match panel.view {
        View::Lines => Some(curves(panel, 0, "none")),
        View::Stacked => Some(curves(panel, 30, "normal")),
        View::Timeline => Some(json!({"fillOpacity": 80, "lineWidth": 0})),
        View::Heat => Some(json!({"scaleDistribution": {"type": "linear"}})),
        View::Table(_) => Some(json!({"align": "auto", "cellOptions": {"type": "auto"}, "inspect": false})),
        View::Stat | View::Bars => None,
    }
}

fn curves(panel: &Panel, fill: u32, stacking: &str) -> Value {
    let limits = if panel.steps.then.is_empty() { "off" } else { "dashed" };
    let mut curves = json!({
        "drawStyle": "line",
        "fillOpacity": fill,
        "lineInterpolation": "linear",
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": false,
        "stacking": {"group": "A", "mode": stacking},
        "thresholdsStyle": {"mode": limits},
    });
    // From zero, unless it is a share: most of those stay close to 1.
    if panel.unit != Unit::Share {
        curves["axisSoftMin"] = json!(0);
    }
    curves
}

fn mappings(states: &[State]) -> Value {
    if states.is_empty() {
        return json!([]);
    }
    let options = states.iter().enumerate().map(|(at, State { code, word, colour })| {
        let word = word.replace('_', " ");
        (code.to_string(), json!({"text": word, "color": colour.name(), "index": at}))
    });
    json!([{"type": "value", "options": Value::Object(options.collect())}])
}

fn thresholds(steps: &Steps) -> Value {
    let base = json!({"color": steps.base.name(), "value": null});
    let then = steps.then.iter().map(|(from, colour)| json!({"color": colour.name(), "value": from}));
    json!({"mode": "absolute", "steps": std::iter::once(base).chain(then).collect::<Vec<_>>()})
}

fn overrides(panel: &Panel) -> Vec<Value> {
    let mut overrides: Vec<_> =
        panel.colours.iter().map(|(legend, colour)| coloured(legend, *colour)).collect();
    if let View::Table(columns) = &panel.view {
        overrides.extend(columns.iter().map(|column| of_column(column, panel.decimals)));
    }
    overrides
}

fn override_of(name: &str, properties: &[Value]) -> Value {
    json!({"matcher": {"id": "byName", "options": name}, "properties": properties})
}

fn property(id: &str, value: &Value) -> Value {
    json!({"id": id, "value": value})
}

fn coloured(legend: &str, colour: Colour) -> Value {
    let fixed = json!({"mode": "fixed", "fixedColor": colour.name()});
    override_of(legend, &[property("color", &fixed)])
}

fn of_column(column: &Column, decimals: Option<u8>) -> Value {
    let mut properties = vec![property("unit", &json!(column.unit.id()))];
    if column.unit == Unit::Share {
        properties.push(property("decimals", &json!(decimals.unwrap_or(3))));
    }
    if let Some((most, steps)) = &column.bar {
        properties.push(property("min", &json!(0)));
        properties.push(property("max", &json!(most)));
        properties.push(property("thresholds", &thresholds(steps)));
        properties.push(property(
            "custom.cellOptions",
            &json!({"type": "gauge", "mode": "basic", "valueDisplayMode": "color"}),
        ));
    }
    if let Some(link) = &column.link {
        let link = json!([{"title": link.title, "url": link.url, "targetBlank": false}]);
        properties.push(property("links", &link));
    }
    override_of(column.title, &properties)
}
