//! What a kill was about to kill, noted before it does: a number alone could be another process's by now.

use serde::{Deserialize, Serialize};

use super::Error;
use crate::layout::Layout;
use crate::procs::Process;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    targets: Vec<String>,
    processes: Vec<Process>,
}

fn file(layout: &Layout, kind: &str) -> std::path::PathBuf {
    layout.faults().join(format!("{kind}.json"))
}

/// Notes the processes of a fault's targets.
pub(super) fn write(
    layout: &Layout,
    kind: &str,
    targets: &[String],
    processes: &[Process],
) -> Result<(), Error> {
    let record = Record { targets: targets.to_vec(), processes: processes.to_vec() };
    let text = serde_json::to_string(&record).map_err(|error| Error::Record(error.into()))?;
    std::fs::write(file(layout, kind), text).map_err(Error::Record)
}

/// Whether all that the last fault of this kind was to kill is gone; false when it had other targets.
pub(super) fn all_gone(layout: &Layout, kind: &str, targets: &[String]) -> Result<bool, Error> {
    let Ok(text) = std::fs::read_to_string(file(layout, kind)) else { return Ok(false) };
    let record: Record = serde_json::from_str(&text).map_err(|error| Error::Record(error.into()))?;
    let some = !record.processes.is_empty() && record.targets == targets;
    Ok(some && !record.processes.iter().any(|process| process.is_alive()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_process_or_another_target_is_no_bite() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(dir.path().to_path_buf());
        std::fs::create_dir(layout.faults()).expect("made");
        let target = ["pg1".to_owned()];
        assert!(!all_gone(&layout, "k", &target).expect("readable"));
        let this = Process::now(i32::try_from(std::process::id()).expect("fits")).expect("this process");
        write(&layout, "k", &target, &[this]).expect("written");
        assert!(!all_gone(&layout, "k", &target).expect("readable"));
        write(&layout, "k", &target, &[Process { start: this.start + 1, ..this }]).expect("written");
        assert!(all_gone(&layout, "k", &target).expect("readable"));
        assert!(!all_gone(&layout, "k", &["pg2".to_owned()]).expect("readable"));
    }
}
