//! What can be wrong with a journal.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::{CONFIG_MAP, EntryError};
use crate::cluster::kubernetes::kept::KeptError;

/// Why the journal cannot be used. Nothing may be injected then.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Another process holds it.
    #[error("{path} is in use by {holder}: one process at a time may run experiments in this directory")]
    InUse {
        /// The file.
        path: PathBuf,
        /// Who holds it, as far as the journal tells.
        holder: String,
    },
    /// Parts of it cannot be read.
    #[error("{path} is damaged: nothing begins before it is set aside")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It is too large to be a journal.
    #[error("{path} has {bytes} bytes, too many for a journal")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// An entry cannot be written down.
    #[error("put an entry of {path} into words")]
    Encode {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// An entry does not follow from what is there.
    #[error("add to {path}")]
    Entry {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: EntryError,
    },
    /// The copy in the cluster was not to be had or written.
    #[error("keep the copy of {path}")]
    Copy {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: KeptError,
    },
    /// The file and the copy in the cluster are not of one story.
    #[error(
        "{path} and its copy, ConfigMap {CONFIG_MAP} of the service's namespace, tell different stories: put back \
         what each tells of, the copy's by `load-exporter recover --namespace`, then take another folder"
    )]
    Diverged {
        /// The file.
        path: PathBuf,
    },
    /// The file system said no.
    #[error("{action} {path}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl JournalError {
    /// Whether only the copy is missing, as the API server is away.
    pub(super) fn is_away(&self) -> bool {
        matches!(self, Self::Copy { source, .. } if source.is_away())
    }
}
