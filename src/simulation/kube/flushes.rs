//! Parked pods by when they are tried for want of an event.
//!
//! Inputs: pods that are parked, and until when. Outputs: who is due first. Source: `flushUnschedulablePodsLeftover` of
//! kubernetes 1.36.3. Invariants: a pod is noted down once for a time, however often it is parked until then; who leaves stays
//! noted down, and is passed over by whoever looks.

use std::collections::BTreeMap;

use super::PodIndex;
use super::queue::QueueSettings;
use super::waiting::{Waiting, next_multiple};

/// How often pods are looked at that wait for too long.
const FLUSH_EVERY_MS: u64 = 30_000;

/// The pods by time; no list is empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Flushes(BTreeMap<u64, Vec<PodIndex>>);

impl Flushes {
    /// A pod is parked until a time.
    pub fn note(&mut self, pod: PodIndex, waiting: &mut Waiting, until_ms: u64) {
        if waiting.noted_flush_ms.replace(until_ms) != Some(until_ms) {
            self.0.entry(until_ms).or_default().push(pod);
        }
    }

    /// One of the pods of the first time, and that time; it may have left.
    pub fn first(&self) -> Option<(u64, PodIndex)> {
        let (until_ms, pods) = self.0.first_key_value()?;
        Some((*until_ms, *pods.last()?))
    }

    /// Passes the first over.
    pub fn pass_over(&mut self, waiting: Option<&mut Waiting>) {
        let Some(mut first) = self.0.first_entry() else {
            return;
        };
        if let Some(waiting) = waiting
            && waiting.noted_flush_ms == Some(*first.key())
        {
            waiting.noted_flush_ms = None;
        }
        first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
    }
}

/// When a pod that was turned away is tried for want of an event: looked at every 30 s, and moved when it waited for longer
/// than five minutes.
pub(super) fn flush_ms(settings: &QueueSettings, refused_ms: u64) -> u64 {
    next_multiple(refused_ms + settings.most_parked_ms, FLUSH_EVERY_MS)
}
