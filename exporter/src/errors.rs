//! Errors: as text, where a person or a report is told why, and whose they are (pure).

use std::io::{self, ErrorKind};

use rustix::io::Errno;
use thiserror::Error;

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// What this machine itself ran out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum OwnLack {
    /// Local ports towards the other side.
    #[error("this machine has no free port")]
    Ports,
    /// File descriptors, or memory for sockets.
    #[error("this machine has no free file descriptor, or no memory for sockets")]
    Descriptors,
}

impl OwnLack {
    /// The lack behind an error of connecting; `None`: the other side, or the way there.
    pub(crate) fn of(kind: ErrorKind, os: Option<i32>) -> Option<Self> {
        match (kind, os.map(Errno::from_raw_os_error)) {
            // EAGAIN: connect found no free local port in the range.
            (ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse | ErrorKind::WouldBlock, _) => {
                Some(Self::Ports)
            }
            (_, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => Some(Self::Descriptors),
            _ => None,
        }
    }

    /// The lack behind an error or any of its causes.
    pub(crate) fn behind(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let lack = |cause: &(dyn std::error::Error + 'static)| {
            let io = cause.downcast_ref::<io::Error>();
            let io = io.and_then(|error| Self::of(error.kind(), error.raw_os_error()));
            io.or(cause.downcast_ref().copied())
        };
        std::iter::successors(Some(error), |cause| cause.source()).find_map(lack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Error)]
    #[error("ask")]
    struct Ask(#[source] Box<dyn std::error::Error>);

    #[test]
    fn what_this_machine_lacks_is_found_behind_any_error() {
        let io = |errno: Errno| -> Box<dyn std::error::Error> {
            Box::new(io::Error::from_raw_os_error(errno.raw_os_error()))
        };
        let cases = [
            (io(Errno::MFILE), Some(OwnLack::Descriptors)),
            (io(Errno::NFILE), Some(OwnLack::Descriptors)),
            (io(Errno::ADDRNOTAVAIL), Some(OwnLack::Ports)),
            (Box::new(OwnLack::Ports), Some(OwnLack::Ports)),
            (io(Errno::CONNREFUSED), None),
            (io(Errno::CONNRESET), None),
            (io(Errno::HOSTUNREACH), None),
        ];
        for (cause, expected) in cases {
            let told = chain(&*cause);
            assert_eq!(OwnLack::behind(&Ask(Box::new(Ask(cause)))), expected, "{told}");
        }
    }
}
