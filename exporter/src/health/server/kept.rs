//! A connection that is kept from one question to the next, where making one is dear: each through an API server
//! costs it, a node and a container runtime some work.

use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The place of one connection. Whoever asks takes it and puts it back once it has answered, so that one whose
/// question was given up is never asked again.
pub(in crate::health) struct Kept<T>(Mutex<Option<T>>);

impl<T> Kept<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(super) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn put(&self, connection: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(connection);
    }
}

impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}
