//! What can go wrong while experiments are carried out.

use thiserror::Error;

use crate::chaos::book::BookError;
use crate::chaos::guard::Refusal;
use crate::chaos::journal::JournalError;
use crate::chaos::putback::PutBackError;

/// Why a driver cannot begin its work.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The journal cannot be used.
    #[error("open the journal of run {run}")]
    Journal {
        /// The run's id.
        run: String,
        /// The cause.
        #[source]
        source: JournalError,
    },
    /// Commands would not know where they run.
    #[error("find the working directory")]
    Directory(#[source] std::io::Error),
}

/// Why an experiment went no further.
#[derive(Debug, Error)]
pub enum FaultError {
    /// It was not begun.
    #[error("{experiment} was refused: {refusal}")]
    Refused {
        /// The experiment.
        experiment: String,
        /// Why.
        refusal: Refusal,
    },
    /// Its fault failed or had no effect; whatever it did is put back.
    #[error("{experiment} had no effect: {reason}")]
    Ineffective {
        /// The experiment.
        experiment: String,
        /// Why.
        reason: String,
    },
    /// Its fault failed or had no effect, and may have left something broken.
    #[error("{experiment} had no effect ({reason}) and is not put back")]
    NotPutBack {
        /// The experiment.
        experiment: String,
        /// Why.
        reason: String,
        /// Why it is not put back.
        #[source]
        source: Box<PutBackError>,
    },
    /// It is not its turn.
    #[error("carry on with {experiment}")]
    Book {
        /// The experiment.
        experiment: String,
        /// The cause.
        #[source]
        source: BookError,
    },
}

/// Why a fault was not put back when its time had come.
#[derive(Debug, Error)]
pub enum RevertError {
    /// That failed. It stays unfinished in the journal.
    #[error("put {experiment} back")]
    PutBack {
        /// The experiment.
        experiment: String,
        /// The cause.
        #[source]
        source: PutBackError,
    },
    /// It is not its turn.
    #[error("carry on with {experiment}")]
    Book {
        /// The experiment.
        experiment: String,
        /// The cause.
        #[source]
        source: BookError,
    },
}
