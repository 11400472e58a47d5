//! Names of decisions.
//!
//! An id is `SNAPSHOT.START.NUMBER`: the id of the snapshot that decided, the start of the process in
//! milliseconds since 1970 (hexadecimal), and a number that counts the decisions of the process from 1.
//! So an id leads to the world that decided, sorts within one process, and a gap in the numbers shows
//! records that were lost. Two replicas that started within the same millisecond may give equal ids.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

/// Gives ids to the decisions of one process.
#[derive(Debug)]
pub struct DecisionIds {
    start_ms: i64,
    last: AtomicU64,
}

impl DecisionIds {
    /// Ids of a process that started at an instant.
    #[must_use]
    pub fn new(started_at: Timestamp) -> Self {
        Self {
            start_ms: started_at.as_millisecond(),
            last: AtomicU64::new(0),
        }
    }

    /// The next id.
    #[must_use]
    pub fn next(&self, snapshot: &str) -> String {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{snapshot}.{:x}.{number}", self.start_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_count_up_and_name_their_snapshot() {
        let ids = DecisionIds::new("2027-01-31T12:00:00Z".parse().expect("an instant"));
        assert_eq!(ids.next("s1"), "s1.1a36b9dca00.1");
        assert_eq!(ids.next("s2"), "s2.1a36b9dca00.2");
    }
}
