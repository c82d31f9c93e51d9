//! Grafana's own foundation SDK reads the dashboards, options of panels included. Where Go or its module cannot be
//! had, that is told and nothing is judged.

mod shipped;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The built reader, or why there is none.
fn reader(folder: &Path) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("strict");
    let go = |arguments: &[&str]| {
        let output = Command::new("go").args(arguments).current_dir(&source).output();
        let output = output.map_err(|error| format!("go cannot be run: {error}"))?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok::<_, String>((output.status.success(), told))
    };
    let (there, told) = go(&["mod", "download"])?;
    if !there {
        return Err(format!("its module cannot be had: {told}"));
    }
    let program = folder.join("strict");
    let (built, told) = go(&["build", "-o", &program.to_string_lossy(), "."])?;
    assert!(built, "building the reader: {told}");
    Ok(program)
}

fn read(program: &Path, files: &[PathBuf]) -> Output {
    Command::new(program).args(files).output().expect("the reader runs")
}

#[test]
fn grafana_knows_every_option() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = match reader(folder.path()) {
        Ok(program) => program,
        Err(why) => {
            eprintln!("the dashboards are not read by Grafana's SDK: {why}");
            return;
        }
    };
    let boards = shipped::all();
    let sound: Vec<_> = boards.iter().map(|board| written(folder.path(), &board.uid, &board.json)).collect();
    let output = read(&program, &sound);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // One letter less in an option of the first panel must be told.
    let mut broken = boards[0].json.clone();
    let options = broken["panels"][0]["options"].as_object_mut().expect("options");
    let value = options.remove("colorMode").expect("the option");
    options.insert("colorMod".to_owned(), value);
    let output = read(&program, &[written(folder.path(), "broken", &broken)]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("colorMod"), "{told}");
}

fn written(folder: &Path, name: &str, json: &serde_json::Value) -> PathBuf {
    let path = folder.join(format!("{name}.json"));
    std::fs::write(&path, json.to_string()).expect("writing a dashboard");
    path
}
