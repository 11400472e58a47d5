//! Which sources of facts are still to come.
//!
//! Invariant: a source that was loaded once stays loaded, for its last good state keeps serving.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The sources that a server waits for.
#[derive(Debug)]
pub struct Readiness {
    missing: Mutex<BTreeSet<String>>,
    // What every request asks; the set is for people.
    ready: AtomicBool,
}

impl Readiness {
    /// Waits for some sources, named as people know them (`policies`, `fleet`).
    pub fn waiting_for(sources: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let missing: BTreeSet<String> = sources.into_iter().map(Into::into).collect();
        Self {
            ready: AtomicBool::new(missing.is_empty()),
            missing: Mutex::new(missing),
        }
    }

    /// Takes note that a source is loaded.
    pub fn loaded(&self, source: &str) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.remove(source);
        self.ready.store(missing.is_empty(), Ordering::Release);
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// What is missing, in the order of names.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.iter().cloned().collect()
    }
}
