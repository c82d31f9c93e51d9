//! Where panels stand (pure): rows one below the other, a heading above those that need one.

use serde_json::{Value, json};

use crate::board::{COLUMNS, Needs, Panel, Row};

/// A rectangle of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    x: u32,
    y: u32,
    w: u32,
    h: u32,
}

/// A row and where its parts stand.
pub(super) struct Placed<'a> {
    pub(super) needs: Option<Needs>,
    pub(super) heading: Option<Place>,
    pub(super) panels: Vec<(&'a Panel, Place)>,
}

impl Place {
    pub(super) fn json(self) -> Value {
        json!({"x": self.x, "y": self.y, "w": self.w, "h": self.h})
    }
}

/// Where all rows stand. A folded row takes no more room than its heading.
pub(super) fn place(rows: &[Row]) -> Vec<Placed<'_>> {
    let mut y = 0;
    let mut placed = Vec::new();
    for row in rows {
        let heading = row.needs.map(|_| Place { x: 0, y, w: COLUMNS, h: 1 });
        y += heading.map_or(0, |heading| heading.h);
        let mut x = 0;
        let panels = row.panels.iter().map(|panel| {
            let place = Place { x, y, w: panel.width, h: row.height };
            x += panel.width;
            (panel, place)
        });
        placed.push(Placed { needs: row.needs, heading, panels: panels.collect() });
        if !row.needs.is_some_and(Needs::is_folded) {
            y += row.height;
        }
    }
    placed
}
