//! The settings of what is turned away where more is asked than can be answered.
//!
//! Invariant: what waits is bounded in number and in time, whatever is set.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::validate::Reader;

/// Far more requests than any client waits for.
const MOST_WAITING: usize = 65_536;
/// A wait that the scheduling of threads alone can take.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
/// Longer than kube-scheduler waits for an answer unless it is told otherwise.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How much may wait to be decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverloadSettings {
    /// The most requests that wait; a further one is refused at once.
    pub most_waiting: NonZeroUsize,
    /// How long one waits before it is refused.
    pub longest_wait: Duration,
}

impl Reader {
    pub(super) fn overload(&mut self) -> Option<OverloadSettings> {
        let most_waiting = self.number("overload.most-waiting", 1, MOST_WAITING);
        let longest_wait = self.duration("overload.longest-wait", SHORTEST_WAIT, LONGEST_WAIT);
        Some(OverloadSettings {
            most_waiting: most_waiting?,
            longest_wait: longest_wait?,
        })
    }
}
