//! The state folder: made with everything in it that the lab's programs need, and removed.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::configs::{alertmanager, haproxy, patroni, prometheus, redis};
use crate::exec;
use crate::layout::{Layout, Machine, RUN_LINK};
use crate::units;

/// How a lab was asked to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Options {
    /// Acknowledge writes before a standby has them.
    pub(crate) asynchronous: bool,
    /// The shop's program.
    pub(crate) shop: PathBuf,
    /// The load exporter's address, for Prometheus.
    pub(crate) exporter: String,
    /// Prometheus rule files.
    pub(crate) rules: Vec<PathBuf>,
}

/// Why the folder could not be made or removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{action} {}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} is not empty and not a lab's folder", .0.display())]
    Foreign(PathBuf),
    #[error("{} lies where other users cannot go, and the lab's programs do not run as root: choose another with --dir", .0.display())]
    Closed(PathBuf),
    #[error("{} has characters that configuration files would misread: choose another with --dir", .0.display())]
    Odd(PathBuf),
    #[error("give a folder to its user")]
    Own(#[source] exec::Error),
    #[error("keep the data of etcd and PostgreSQL in memory")]
    Mount(#[source] exec::Error),
    #[error("note the options")]
    Options(#[source] serde_json::Error),
}

fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::File { action, path, source }
}

/// Makes the folder anew; one that an earlier lab left is replaced.
pub(crate) fn create(layout: &Layout, options: &Options) -> Result<(), Error> {
    let dir = layout.dir();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    if !dir.to_str().is_some_and(|text| text.chars().all(plain)) {
        return Err(Error::Odd(dir.to_path_buf()));
    }
    remove(layout)?;
    make_folder(dir, 0o755)?;
    if !open_to_all(dir) {
        let closed = Error::Closed(dir.to_path_buf());
        return std::fs::remove_dir(dir).map_err(file("remove", dir)).and(Err(closed));
    }
    let marker = layout.marker();
    let noted = serde_json::to_string_pretty(options).map_err(Error::Options)?;
    write(&marker, &noted)?;
    make_folders(layout)?;
    mount(layout)?;
    write_configuration(layout, options)?;
    copy(&options.shop, &layout.bin().join("shop"), 0o755)?;
    give_away(layout)
}

/// The options of the lab whose folder this is.
pub(crate) fn options(layout: &Layout) -> Option<Options> {
    serde_json::from_str(&std::fs::read_to_string(layout.marker()).ok()?).ok()
}

/// Removes the folder if it is a lab's; an empty or missing one is fine too.
pub(crate) fn remove(layout: &Layout) -> Result<(), Error> {
    let dir = layout.dir();
    if layout.marker().exists() {
        unmount(layout)?;
        return std::fs::remove_dir_all(dir).map_err(file("remove", dir));
    }
    match std::fs::read_dir(dir).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(Error::Foreign(dir.to_path_buf())),
        Ok(false) => std::fs::remove_dir(dir).map_err(file("remove", dir)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(file("read", dir)(error)),
    }
}

/// Whether users without any rights can enter a folder, or the nearest of its parents that exists.
pub(crate) fn open_to_all(dir: &Path) -> bool {
    let Some(there) = dir.ancestors().find(|folder| folder.exists()) else { return false };
    let path = there.display().to_string();
    exec::run("setpriv", &["--reuid=nobody", "--regid=nogroup", "--clear-groups", "test", "-x", &path])
        .is_ok()
}

fn make_folder(path: &Path, mode: u32) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(file("make", path))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .map_err(file("set the mode of", path))
}

fn write(path: &Path, content: &str) -> Result<(), Error> {
    std::fs::write(path, content).map_err(file("write", path))
}

fn copy(from: &Path, to: &Path, mode: u32) -> Result<(), Error> {
    std::fs::copy(from, to).map_err(file("copy", from))?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(mode)).map_err(file("set the mode of", to))
}

/// Folders with their owners.
fn owned(layout: &Layout) -> Vec<(PathBuf, &'static str)> {
    let mut owned = vec![
        (layout.data("etcd"), "etcd"),
        (layout.data("prometheus"), "prometheus"),
        (layout.data("alertmanager"), "prometheus"),
        (layout.archive(), "postgres"),
        (layout.dead(), "postgres"),
    ];
    for machine in Machine::WITH_POSTGRES {
        owned.push((layout.data(&machine.postgres()), "postgres"));
        owned.push((layout.run().join(machine.postgres()), "postgres"));
    }
    for machine in Machine::ALL {
        owned.push((layout.data(&machine.redis()), "redis"));
        owned.push((layout.data(&redis::sentinel_name(machine)), "redis"));
        owned.push((layout.run().join(machine.redis()), "redis"));
    }
    owned
}

fn make_folders(layout: &Layout) -> Result<(), Error> {
    let plain = [layout.bin(), layout.etc(), layout.etc().join("rules"), layout.log(), layout.run()];
    plain.iter().chain([&layout.pids(), &layout.faults()]).try_for_each(|path| make_folder(path, 0o755))?;
    make_folder(&layout.dir().join("data"), 0o755)?;
    for (path, _) in owned(layout) {
        // PostgreSQL insists on a data directory that nobody else can read.
        let mode = if path.starts_with(layout.run()) { 0o755 } else { 0o700 };
        make_folder(&path, mode)?;
    }
    Ok(())
}

fn give_away(layout: &Layout) -> Result<(), Error> {
    for (path, user) in owned(layout) {
        exec::run("chown", &["-R", &format!("{user}:"), &path.display().to_string()]).map_err(Error::Own)?;
    }
    Ok(())
}

fn write_configuration(layout: &Layout, options: &Options) -> Result<(), Error> {
    let etc = layout.etc();
    write(&etc.join("haproxy.cfg"), &haproxy::configuration(layout))?;
    for machine in Machine::WITH_POSTGRES {
        let text = patroni::member(layout, machine, !options.asynchronous);
        write(&etc.join(format!("{}.yml", machine.postgres())), &text)?;
    }
    let archiver = etc.join("archive-wal");
    write(&archiver, &patroni::archive_command(layout))?;
    std::fs::set_permissions(&archiver, std::fs::Permissions::from_mode(0o755))
        .map_err(file("set the mode of", &archiver))?;
    for machine in Machine::ALL {
        let folder = layout.data(&redis::sentinel_name(machine));
        write(&folder.join("sentinel.conf"), &redis::sentinel(layout, machine))?;
        let folder = layout.data(&machine.redis());
        // Owned by Redis, which rewrites it when a Sentinel changes its role; renewed at each start.
        write(&folder.join("redis.conf"), &redis::member(layout, machine, Machine::N1))?;
    }
    write(&prometheus::replicas_file(layout), "[]")?;
    write(&etc.join("postgres-queries.yml"), prometheus::POSTGRES_QUERIES)?;
    write(&etc.join("alertmanager.yml"), alertmanager::CONFIGURATION)?;
    let mut rules = Vec::new();
    for (number, source) in options.rules.iter().enumerate() {
        let name = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let kept = etc.join("rules").join(format!("{number}-{name}"));
        copy(source, &kept, 0o644)?;
        rules.push(kept.display().to_string());
    }
    write(&etc.join("prometheus.yml"), &prometheus::configuration(layout, &options.exporter, &rules))
}

/// Points the fixed short path at the folder's sockets.
pub(crate) fn link(layout: &Layout) -> Result<(), Error> {
    unlink()?;
    std::os::unix::fs::symlink(layout.run(), RUN_LINK).map_err(file("make", Path::new(RUN_LINK)))
}

/// What is kept in memory: the data of etcd and of PostgreSQL's members. Their every write waits for the disk; the
/// lab shares one disk among all machines (and whatever else the computer does), where a wait of a second makes
/// Patroni give up its lease, and a commit count as an outage that no fault explains. No fault here cuts the
/// power, which is all that a disk would survive.
fn in_memory(layout: &Layout) -> Vec<PathBuf> {
    let members = Machine::WITH_POSTGRES.iter().map(|machine| layout.data(&machine.postgres()));
    members.chain([layout.data("etcd")]).collect()
}

fn mount(layout: &Layout) -> Result<(), Error> {
    in_memory(layout).iter().try_for_each(|path| {
        let path = path.display().to_string();
        exec::run("mount", &["-t", "tmpfs", "-o", "size=2g,mode=0700", "ordeal-lab", &path])
            .map(drop)
            .map_err(Error::Mount)
    })
}

fn unmount(layout: &Layout) -> Result<(), Error> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let mounted = |path: &str| mounts.lines().any(|mount| mount.split(' ').nth(1) == Some(path));
    let paths = in_memory(layout).into_iter().map(|path| path.display().to_string());
    paths
        .filter(|path| mounted(path))
        .try_for_each(|path| exec::run("umount", &[&path]).map(drop).map_err(Error::Mount))
}

/// Removes what cannot outlive the processes of a lab whose folder is kept.
pub(crate) fn remove_transient(layout: &Layout) -> Result<(), Error> {
    unmount(layout)?;
    for path in [layout.run(), layout.pids()] {
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Takes the fixed path back.
pub(crate) fn unlink() -> Result<(), Error> {
    match std::fs::remove_file(RUN_LINK) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file("remove", Path::new(RUN_LINK))(error))
        }
        _ => Ok(()),
    }
}

/// The names of everything that may have a pid file: units, and the replicas that were there last.
pub(crate) fn program_names(layout: &Layout) -> Vec<String> {
    let mut names: Vec<String> = units::all(layout).into_iter().map(|unit| unit.program.name).collect();
    let Ok(entries) = std::fs::read_dir(layout.pids()) else { return names };
    let mut replicas: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("shop-"))
        .collect();
    replicas.sort_by_key(|name| (name.len(), name.clone()));
    names.extend(replicas);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_the_mark_is_never_removed() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(dir.path().to_path_buf());
        std::fs::write(dir.path().join("precious"), "").expect("written");
        assert!(matches!(remove(&layout), Err(Error::Foreign(_))));
        std::fs::write(layout.marker(), "{}").expect("written");
        assert!(remove(&layout).is_ok());
        assert!(!dir.path().exists());
    }
}
