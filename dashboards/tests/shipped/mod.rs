//! The dashboards as they are shipped.

#![allow(dead_code, reason = "each test uses some of it")]

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder that everything is in.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A dashboard's file.
pub(crate) struct Shipped {
    pub(crate) uid: String,
    pub(crate) json: Value,
}

impl Shipped {
    /// All panels, those in folded rows and the headings included.
    pub(crate) fn panels(&self) -> Vec<&Value> {
        let outer = self.json["panels"].as_array().expect("panels");
        let inner = outer.iter().filter_map(|panel| panel["panels"].as_array()).flatten();
        outer.iter().chain(inner).collect()
    }

    /// All panels but headings.
    pub(crate) fn shown(&self) -> Vec<&Value> {
        self.panels().into_iter().filter(|panel| panel["type"] != "row").collect()
    }
}

/// All files of the folder.
pub(crate) fn all() -> Vec<Shipped> {
    let entries = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
    paths.sort();
    assert_eq!(paths.len(), 4, "four dashboards are shipped: {paths:?}");
    paths.iter().map(|path| shipped(path)).collect()
}

fn shipped(path: &Path) -> Shipped {
    let text = std::fs::read_to_string(path).expect("a dashboard");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    Shipped { uid: json["uid"].as_str().expect("a uid").to_owned(), json }
}

/// A member that is a text.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
