//! Whether one place reaches another, apart from how long it takes.
//!
//! Inputs: whether each window had an answer. Output: whether the pair is parted. It is after `failures` of
//! the last `of_windows` windows failed, and it takes as many successes in a row to be reached again, so a
//! pair that fails now and then neither parts nor flaps. A slow answer is an answer: a high round trip is no
//! partition, and a partition says nothing of the round trip.
//! Invariant: a pair that never failed is not parted. Deliberately absent: time, and round trips.

use super::estimator::PartitionRule;

/// What the last windows of a pair say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reachability {
    /// The last 32 windows, the newest lowest; 1 is a failure.
    failures: u32,
    /// Successes in a row.
    successes: u32,
    is_unreachable: bool,
}

impl Reachability {
    /// Whether the pair is parted.
    pub(super) fn is_unreachable(self) -> bool {
        self.is_unreachable
    }

    /// A window with an answer.
    pub(super) fn succeeded(&mut self, rule: PartitionRule) {
        self.failures <<= 1;
        self.successes = self.successes.saturating_add(1);
        if self.is_unreachable && self.successes >= rule.failures {
            // What failed before it was reached again does not count twice.
            *self = Self::default();
        }
    }

    /// A window without one.
    pub(super) fn failed(&mut self, rule: PartitionRule) {
        self.failures = self.failures << 1 | 1;
        self.successes = 0;
        let last_windows = u32::MAX >> (32_u32.saturating_sub(rule.of_windows)).min(31);
        if (self.failures & last_windows).count_ones() >= rule.failures {
            self.is_unreachable = true;
        }
    }
}
