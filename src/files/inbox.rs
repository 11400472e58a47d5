//! Texts that somebody hands in instead of writing files, such as the objects of a cluster.
//!
//! Inputs: whole lists of texts, or why there is none. Outputs: what was handed in last. Invariants: a list replaces
//! the one before it as a whole; an inbox that nobody filled yet is no empty source but one that cannot be read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::assembly::SourceText;

/// What was handed in last: texts in the order of their names, or why they are not known.
pub type Handed = Result<Vec<SourceText>, String>;

/// A place to hand texts in. Copies are the same place.
#[derive(Debug, Clone)]
pub struct Inbox(Arc<Mutex<Handed>>);

impl PartialEq for Inbox {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Inbox {}

impl Inbox {
    /// An inbox that nobody filled yet, and why.
    #[must_use]
    pub fn empty(because: impl Into<String>) -> Self {
        Self(Arc::new(Mutex::new(Err(because.into()))))
    }

    /// Hands texts in, or why they are not known. Tells whether that differs from what was handed in before.
    pub fn hand_in(&self, mut handed: Handed) -> bool {
        if let Ok(texts) = &mut handed {
            texts.sort();
        }
        let mut held = self.held();
        let differs = *held != handed;
        *held = handed;
        differs
    }

    /// What was handed in last.
    pub fn look(&self) -> Handed {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, Handed> {
        // It is assigned whole, so a panic of another thread leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
