//! Whether what is written into a folder outlives the pod that this runs in.

use std::path::Path;
use std::{fs, io};

/// What is in the path of each volume that goes with its pod (`emptyDir`), where the node's kubelet keeps it.
const OF_A_POD: &str = "/kubernetes.io~empty-dir/";

/// The name of the volume that `folder` is in, if it goes with this pod. One in memory is not seen.
///
/// # Errors
///
/// The folder or the system's list of mounts cannot be read.
pub(super) fn going_with_pod(folder: &Path) -> io::Result<Option<String>> {
    let folder = folder.canonicalize()?;
    Ok(volume(&fs::read_to_string("/proc/self/mountinfo")?, &folder))
}

/// The same, told by the lines of `/proc/PID/mountinfo`, as proc(5) has them: the fourth field is what was mounted, by its
/// path on its own file system, and the fifth where.
fn volume(mounts: &str, folder: &Path) -> Option<String> {
    let fields = |line| {
        let mut fields = str::split(line, ' ').skip(3);
        Some((fields.next()?, fields.next()?))
    };
    let over = mounts.lines().filter_map(fields).filter(|(_, place)| folder.starts_with(place));
    // Of several at one place the last hides the others.
    let (mounted, _) = over.max_by_key(|(_, place)| place.len())?;
    mounted.split_once(OF_A_POD).map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
1580 1270 0:231 / / ro,relatime master:514 - overlay overlay rw,lowerdir=/a,upperdir=/b
1581 1580 0:234 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
1590 1580 254:0 /var/lib/kubelet/pods/3c1a/volumes/kubernetes.io~empty-dir/tmp /tmp rw,relatime - ext4 /dev/vda rw
1591 1580 254:0 /pods/3c1a/volumes/kubernetes.io~empty-dir/results /var/lib/ordeal rw,relatime - ext4 /dev/vda rw
1592 1591 254:0 /var/lib/claims/pvc-7 /var/lib/ordeal/kept rw,relatime - ext4 /dev/vda rw
1593 1580 254:0 /kubernetes.io~empty-dir/first /twice rw,relatime - ext4 /dev/vda rw
1594 1580 254:0 /var/lib/claims/pvc-8 /twice rw,relatime - ext4 /dev/vda rw
";

    #[test]
    fn only_what_the_innermost_mount_keeps_in_the_pods_own_folder_goes_with_it() {
        let table = [
            ("/var/lib/ordeal/r1", Some("results")),
            ("/var/lib/ordeal", Some("results")),
            ("/tmp", Some("tmp")),
            ("/var/lib/ordeal/kept/r1", None),
            ("/var/lib/ordealing", None),
            ("/twice/r1", None),
            ("/", None),
        ];
        for (folder, due) in table {
            assert_eq!(volume(MOUNTS, Path::new(folder)).as_deref(), due, "{folder}");
        }
        assert_eq!(volume("", Path::new("/")), None);
    }

    #[test]
    fn the_mounts_of_this_process_can_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(going_with_pod(folder.path()).is_ok());
        assert!(going_with_pod(&folder.path().join("none")).is_err());
    }
}
