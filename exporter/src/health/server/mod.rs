//! Asking one server of a store, directly or through a command prefix.
//!
//! What goes wrong is told apart by what it says about the path: a connect time-out, or a prefix that cannot
//! run its command, leaves the server unobserved; an API server that is away, tells of itself only, or has only just
//! come back, through which one inside a pod is asked, leaves even the path unobserved; a refused socket is observed and
//! down; where nothing runs by a server's name, or an earlier one of that name, whoever asks has to know whether it
//! answered until then; anything the server itself does after the connection stands is an answer, if not the one hoped
//! for.

pub(super) mod command;
pub(super) mod kept;
pub(super) mod postgres;
pub(super) mod redis;
pub(super) mod socket;

use std::time::Duration;

use crate::errors::OwnLack;

/// A path is open if a connection stands within this time.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// Why a server did not answer as hoped.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The server could not be observed.
    #[error("no path to the server: {0}")]
    NoPath(String),
    /// What it is asked through is away, tells of itself only, or was away when it was asked or just before, so nothing is
    /// known of the path to it either.
    #[error("the API server, through which it is asked, tells nothing of it: {0}")]
    Away(String),
    /// We could not try.
    #[error(transparent)]
    Own(#[from] OwnLack),
    /// The path is open and nobody serves at its end.
    #[error("the server is down: {0}")]
    Down(String),
    /// Nothing runs by its name where it is looked for.
    #[error("the server is gone: {0}")]
    Gone(String),
    /// An earlier one of its name runs still, and cannot be reached.
    #[error("another has the server's name: {0}")]
    Predecessor(String),
    /// The server said no, or went away.
    #[error("the server refused: {0}")]
    Refused(String),
}
