//! Reads the small files that a user names, and never more: a device or a pipe would have no end.

use std::fs::{File, FileType, Metadata};
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// A file could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("reading {path}")]
    Read { path: String, source: std::io::Error },
    #[error("reading {path}: it is {is}, expected a regular file")]
    Kind { path: String, is: &'static str },
    #[error("reading {path}: it is larger than 1 MiB, expected a small text file")]
    Size { path: String },
}

/// The text of a regular file of at most 1 MiB.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    let name = path.display().to_string();
    let failed = |source| Error::Read { path: name.clone(), source };
    // Asked before it is opened, because opening a pipe waits for its writer; and again, of what was opened.
    regular(&name, &std::fs::metadata(path).map_err(failed)?)?;
    let file = File::open(path).map_err(failed)?;
    regular(&name, &file.metadata().map_err(failed)?)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::Size { path: name });
    }
    String::from_utf8(bytes)
        .map_err(|source| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, source)))
}

fn regular(path: &str, metadata: &Metadata) -> Result<(), Error> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Error::Kind { path: path.to_owned(), is: kind(metadata.file_type()) })
}

fn kind(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_or_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(made.success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let table = [
            (Path::new("/dev/zero").to_path_buf(), "it is a device, expected a regular file"),
            (at("pipe"), "it is a pipe, expected a regular file"),
            (at("socket"), "it is a socket, expected a regular file"),
            (folder.path().to_path_buf(), "it is a folder, expected a regular file"),
        ];
        for (path, due) in table {
            let told = read(&path).unwrap_err().to_string();
            assert_eq!(told, format!("reading {}: {due}", path.display()));
        }
    }

    #[test]
    fn a_file_is_read_up_to_its_largest_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let largest = usize::try_from(LARGEST).unwrap();
        std::fs::write(&path, "x".repeat(largest)).unwrap();
        assert_eq!(read(&path).unwrap().len(), largest);
        std::fs::write(&path, "x".repeat(largest + 1)).unwrap();
        assert!(matches!(read(&path), Err(Error::Size { .. })));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(matches!(read(&path), Err(Error::Read { .. })));
    }
}
