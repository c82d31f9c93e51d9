//! The files in this folder are what the crate makes. After a wanted change: `BLESS=1 cargo test -p dashboards --test golden`.

use std::path::Path;

use dashboards::{boards, json};

#[test]
fn the_files_are_what_the_crate_makes() {
    for board in boards::all() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(json::file(&board));
        let text = json::text(&board);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &text).expect("writing the dashboard");
        }
        let golden = std::fs::read_to_string(&file).expect("the golden dashboard (BLESS=1 writes it)");
        assert!(text == golden, "{} is not what the crate makes; BLESS=1 writes it anew", file.display());
    }
}
