//! A pod that waits: where, since when, and when it may be tried again.
//!
//! Inputs: how often it was turned away or failed, the settings. Outputs: its rank, the end of its back-off. Source:
//! `backend/queue` of kubernetes 1.36.3 (`getBackoffTime`, `isPodBackingoff`). Invariant: what happened to a pod while it
//! was counted together with others is added to what is its own when it leaves them.

use std::cmp::Reverse;

use super::PodIndex;
use super::causes::Causes;
use super::parked::{Alike, Ground, Since};
use super::queue::QueueSettings;

/// Back-offs end on whole seconds (`backoffQOrderingWindowDuration`).
pub(super) const BACKOFF_WINDOW_MS: u64 = 1_000;

/// Where a pod waits. Each holds the key under which it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Being tried.
    InFlight,
    Active,
    BackingOff {
        until_ms: u64,
    },
    /// After an error: not tried early.
    BackingOffAfterError {
        until_ms: u64,
    },
    /// The same error comes again at that time and after each longest back-off, until somebody says otherwise.
    Stuck {
        alike: Alike,
        until_ms: u64,
    },
    Parked {
        ground: Ground,
        /// The repeats of its crowd that it missed.
        missed: u64,
        until_ms: u64,
    },
    /// Parked, and woken soon by the scheduler's own note.
    Noted {
        ground: Ground,
        until_ms: u64,
    },
}

/// A pod that waits.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub priority: i32,
    pub arrival: u64,
    /// When it was queued last.
    pub queued_at_ms: u64,
    pub place: Place,
    pub attempts: u32,
    pub refusals: u32,
    pub errors_in_a_row: u32,
    pub last_causes: Option<Causes>,
    pub was_woken_by_note: bool,
    /// The time of the last flush for which it was noted down; it may have left since.
    pub noted_flush_ms: Option<u64>,
}

/// Who goes first: greater priority, then the earlier time of queueing, then the earlier arrival.
pub(super) type Rank = (Reverse<i32>, u64, u64, PodIndex);

impl Waiting {
    /// Where it stands among those that are ready.
    pub fn rank(&self, pod: PodIndex) -> Rank {
        (Reverse(self.priority), self.queued_at_ms, self.arrival, pod)
    }

    /// Takes in what became of a pod while it was in a crowd.
    pub fn learn(&mut self, since: Since) {
        let repeats = u32::try_from(since.repeats).unwrap_or(u32::MAX);
        self.attempts = self.attempts.saturating_add(repeats);
        self.refusals = self.refusals.saturating_add(repeats);
        self.queued_at_ms = since.repeated_ms;
    }

    /// Takes in the errors since a pod is stuck and before a time: when the next is due.
    pub fn learn_errors(&mut self, settings: &QueueSettings, until_ms: u64, before_ms: u64) -> u64 {
        let period_ms = next_multiple(settings.most_backoff_ms, BACKOFF_WINDOW_MS);
        let Some(over_ms) = before_ms.checked_sub(until_ms + 1) else {
            return until_ms;
        };
        let errors = over_ms / period_ms + 1;
        let count = u32::try_from(errors).unwrap_or(u32::MAX);
        self.attempts = self.attempts.saturating_add(count);
        self.errors_in_a_row = self.errors_in_a_row.saturating_add(count);
        self.queued_at_ms = until_ms + (errors - 1) * period_ms;
        until_ms + errors * period_ms
    }
}

/// When a pod that was tried may be tried again: doubling from the first back-off, and up to the end of the
/// second in which it ends (`getBackoffTime`, `isPodBackingoff`).
pub(super) fn backoff_ends_ms(settings: &QueueSettings, waiting: &Waiting) -> u64 {
    let count = match waiting.errors_in_a_row {
        0 => waiting.refusals,
        errors => errors,
    };
    let Some(doublings) = count.checked_sub(1) else {
        return 0;
    };
    let doubled = settings
        .first_backoff_ms
        .checked_shl(doublings)
        .filter(|_| doublings < 32);
    let backoff_ms = doubled.map_or(settings.most_backoff_ms, |ms| ms.min(settings.most_backoff_ms));
    next_multiple(waiting.queued_at_ms + backoff_ms, BACKOFF_WINDOW_MS)
}

/// The first multiple after a time.
pub(super) fn next_multiple(ms: u64, of: u64) -> u64 {
    (ms / of + 1) * of
}
