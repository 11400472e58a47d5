//! Which pod is tried next, and when one that was turned away is tried again.
//!
//! Inputs: pods that come, what became of attempts, events that could help, the time. Outputs: the next pod, and when to
//! ask again. Source: `backend/queue` of kubernetes 1.36.3 (`activeQ`, `backoffQ`, `unschedulablePods`) and the events
//! that each plugin registers. Invariants: greater priority first, then the earlier time of queueing, then the earlier
//! arrival; a pod is in one place; all times are arguments and never go back. Deliberately absent: gates, pod groups, and the closer look
//! that plugins take at an event (`hints`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::causes::{Causes, Rejector};
use super::{NodeIndex, PodIndex};

/// How pods wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueSettings {
    /// The first back-off (`podInitialBackoffSeconds`).
    pub first_backoff_ms: u64,
    /// The longest back-off (`podMaxBackoffSeconds`).
    pub most_backoff_ms: u64,
    /// How long a pod waits for an event at most (`podMaxInUnschedulablePodsDuration`).
    pub most_parked_ms: u64,
    /// Whether a pod that backs off is tried when no other waits (`SchedulerPopFromBackoffQ`, on in 1.36).
    pub try_backing_off_when_idle: bool,
    /// Whether the scheduler's own note on a pod that the extender turned away wakes the pod once: it is a change of the
    /// pod, and each first refusal so costs a second attempt.
    pub own_note_wakes: bool,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            first_backoff_ms: 1_000,
            most_backoff_ms: 10_000,
            most_parked_ms: 300_000,
            try_backing_off_when_idle: true,
            own_note_wakes: true,
        }
    }
}

/// How long the scheduler's note on a pod takes to come back to it (measured: about 10 ms).
const NOTE_MS: u64 = 10;

/// Back-offs end on whole seconds (`backoffQOrderingWindowDuration`).
const BACKOFF_WINDOW_MS: u64 = 1_000;

/// How often pods are looked at that wait for too long (`flushUnschedulablePodsLeftover`).
const FLUSH_EVERY_MS: u64 = 30_000;

/// Something happened that could help pods that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterEvent {
    /// A node came.
    NodeAdded(NodeIndex),
    /// A node went.
    NodeRemoved(NodeIndex),
    /// A node was cordoned.
    NodeCordoned,
    /// A cordon ended.
    NodeUncordoned,
    /// A pod was bound.
    PodBound(PodIndex),
    /// A pod that was bound went.
    PodGone(PodIndex),
}

impl ClusterEvent {
    /// Whether the event could help a pod that this one turned away (`EventsToRegister` of each plugin; the extender
    /// is registered for every event, as a plugin that never says no).
    fn helps(self, rejector: Rejector) -> bool {
        use ClusterEvent as Event;
        match rejector {
            Rejector::NodeUnschedulable => matches!(self, Event::NodeAdded(_) | Event::NodeUncordoned),
            Rejector::NodeName | Rejector::TaintToleration | Rejector::NodeAffinity => {
                matches!(self, Event::NodeAdded(_))
            }
            Rejector::NodeResourcesFit => matches!(self, Event::NodeAdded(_) | Event::PodGone(_)),
            Rejector::PodTopologySpread => !matches!(self, Event::NodeCordoned | Event::NodeUncordoned),
            Rejector::InterPodAffinity => {
                matches!(self, Event::NodeAdded(_) | Event::PodBound(_) | Event::PodGone(_))
            }
            Rejector::Extender => true,
        }
    }
}

/// Where a pod waits. Each holds the key under which it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
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
    Parked {
        rejectors: u8,
        until_ms: u64,
    },
    /// Parked, and woken soon by the scheduler's own note.
    Noted {
        rejectors: u8,
        until_ms: u64,
    },
}

#[derive(Debug, Clone)]
struct Waiting {
    priority: i32,
    arrival: u64,
    /// When it was queued last.
    queued_at_ms: u64,
    place: Place,
    attempts: u32,
    refusals: u32,
    errors_in_a_row: u32,
    last_causes: Option<Causes>,
    was_woken_by_note: bool,
}

type Rank = (Reverse<i32>, u64, u64, PodIndex);

/// The pods that wait.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    settings: QueueSettings,
    arrivals: u64,
    waiting: HashMap<PodIndex, Waiting>,
    active: BTreeSet<Rank>,
    backing_off: BTreeSet<(u64, Rank)>,
    after_error: BTreeSet<(u64, Rank)>,
    /// By who turned them away, a bit for each.
    parked: BTreeMap<u8, BTreeSet<PodIndex>>,
    /// When parked pods are tried for want of an event.
    flushes: BTreeSet<(u64, PodIndex)>,
    notes: BTreeSet<(u64, PodIndex)>,
}

impl Waiting {
    fn rank(&self, pod: PodIndex) -> Rank {
        (Reverse(self.priority), self.queued_at_ms, self.arrival, pod)
    }
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(settings: QueueSettings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// A pod comes.
    pub fn push(&mut self, pod: PodIndex, priority: i32, now_ms: u64) {
        self.remove(pod);
        self.arrivals += 1;
        let waiting = Waiting {
            priority,
            arrival: self.arrivals,
            queued_at_ms: now_ms,
            place: Place::Active,
            attempts: 0,
            refusals: 0,
            errors_in_a_row: 0,
            last_causes: None,
            was_woken_by_note: false,
        };
        self.active.insert(waiting.rank(pod));
        self.waiting.insert(pod, waiting);
    }

    /// A pod goes, or is bound: how often it was tried, if it was here.
    pub fn remove(&mut self, pod: PodIndex) -> Option<u32> {
        self.leave(pod);
        self.waiting.remove(&pod).map(|waiting| waiting.attempts)
    }

    /// The pod to try next, which counts as an attempt.
    pub fn pop(&mut self, now_ms: u64) -> Option<PodIndex> {
        self.advance(now_ms);
        let mut next = self.active.first().map(|rank| rank.3);
        if next.is_none() && self.settings.try_backing_off_when_idle {
            next = self.backing_off.first().map(|(_, rank)| rank.3);
        }
        let pod = next?;
        self.leave(pod);
        let waiting = self.waiting.get_mut(&pod)?;
        waiting.attempts += 1;
        Some(pod)
    }

    /// A pod that was popped was turned away.
    pub fn refuse(&mut self, pod: PodIndex, causes: &Causes, now_ms: u64) {
        let Some(waiting) = self.waiting.get_mut(&pod) else {
            return;
        };
        waiting.refusals += 1;
        waiting.errors_in_a_row = 0;
        waiting.queued_at_ms = now_ms;
        let rejectors = causes.iter().fold(0, |bits, (rejector, _)| bits | bit(rejector));
        let is_news = waiting.last_causes.replace(*causes) != Some(*causes);
        let is_woken = is_news
            && rejectors & bit(Rejector::Extender) != 0
            && self.settings.own_note_wakes
            && !waiting.was_woken_by_note;
        // Looked at every 30 s, and moved when it waited for longer than five minutes.
        let flush_ms = next_multiple(now_ms + self.settings.most_parked_ms, FLUSH_EVERY_MS);
        let until_ms = if is_woken { now_ms + NOTE_MS } else { flush_ms };
        waiting.was_woken_by_note = is_woken;
        let times = if is_woken {
            waiting.place = Place::Noted { rejectors, until_ms };
            &mut self.notes
        } else {
            waiting.place = Place::Parked { rejectors, until_ms };
            &mut self.flushes
        };
        times.insert((until_ms, pod));
        self.parked.entry(rejectors).or_default().insert(pod);
    }

    /// An attempt failed by an error: the pod backs off.
    pub fn fail(&mut self, pod: PodIndex, now_ms: u64) {
        let Some(waiting) = self.waiting.get_mut(&pod) else {
            return;
        };
        waiting.errors_in_a_row += 1;
        waiting.queued_at_ms = now_ms;
        let until_ms = backoff_ends_ms(&self.settings, waiting);
        waiting.place = Place::BackingOffAfterError { until_ms };
        self.after_error.insert((until_ms, waiting.rank(pod)));
    }

    /// Something happened: pods that it could help are tried again, after their back-off. Whoever turned a pod away and
    /// registered for such events is asked of each pod whether this one could ([`super::Cluster::could_help`]).
    pub fn wake(
        &mut self,
        event: ClusterEvent,
        now_ms: u64,
        mut could_help: impl FnMut(PodIndex, Rejector) -> bool,
    ) {
        let mut woken = Vec::new();
        for (rejectors, pods) in &self.parked {
            let asked = Rejector::ALL.map(|rejector| {
                (rejectors & bit(rejector) != 0 && event.helps(rejector)).then_some(rejector)
            });
            if asked.iter().all(Option::is_none) {
                continue;
            }
            let is_helped = |pod: &&PodIndex| asked.iter().flatten().any(|one| could_help(**pod, *one));
            woken.extend(pods.iter().filter(is_helped).copied());
        }
        for pod in woken {
            if let Some(waiting) = self.waiting.get_mut(&pod) {
                waiting.was_woken_by_note = false;
            }
            self.try_again(pod, now_ms);
        }
    }

    /// When a pod will be ready at the latest for which nothing but time must pass; `None` where none is.
    #[must_use]
    pub fn next_ms(&self) -> Option<u64> {
        let firsts = [
            self.backing_off.first().map(|(until_ms, _)| *until_ms),
            self.after_error.first().map(|(until_ms, _)| *until_ms),
            self.flushes.first().map(|(until_ms, _)| *until_ms),
            self.notes.first().map(|(until_ms, _)| *until_ms),
        ];
        firsts.into_iter().flatten().min()
    }

    /// How many pods wait, wherever.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How often a pod that waits was tried.
    #[must_use]
    pub fn attempts(&self, pod: PodIndex) -> u32 {
        self.waiting.get(&pod).map_or(0, |waiting| waiting.attempts)
    }

    /// Moves what is due by now.
    fn advance(&mut self, now_ms: u64) {
        for times in [&mut self.backing_off, &mut self.after_error] {
            while let Some((until_ms, rank)) =
                times.first().copied().filter(|(until_ms, _)| *until_ms <= now_ms)
            {
                times.remove(&(until_ms, rank));
                self.active.insert(rank);
                if let Some(waiting) = self.waiting.get_mut(&rank.3) {
                    waiting.place = Place::Active;
                }
            }
        }
        for is_note in [true, false] {
            let due = |queue: &Self| {
                let times = if is_note { &queue.notes } else { &queue.flushes };
                times.first().copied().filter(|(until_ms, _)| *until_ms <= now_ms)
            };
            while let Some((_, pod)) = due(self) {
                self.try_again(pod, now_ms);
            }
        }
    }

    /// A parked pod becomes active, or backs off first (`requeuePodWithQueueingStrategy`).
    fn try_again(&mut self, pod: PodIndex, now_ms: u64) {
        self.leave(pod);
        let Some(waiting) = self.waiting.get_mut(&pod) else {
            return;
        };
        let until_ms = backoff_ends_ms(&self.settings, waiting);
        if until_ms > now_ms {
            waiting.place = Place::BackingOff { until_ms };
            self.backing_off.insert((until_ms, waiting.rank(pod)));
        } else {
            waiting.place = Place::Active;
            self.active.insert(waiting.rank(pod));
        }
    }

    /// Takes a pod out of where it waits.
    fn leave(&mut self, pod: PodIndex) {
        let Some(waiting) = self.waiting.get_mut(&pod) else {
            return;
        };
        let rank = waiting.rank(pod);
        let place = std::mem::replace(&mut waiting.place, Place::InFlight);
        let (times, rejectors, until_ms) = match place {
            Place::InFlight => return,
            Place::Active => {
                self.active.remove(&rank);
                return;
            }
            Place::BackingOff { until_ms } => {
                self.backing_off.remove(&(until_ms, rank));
                return;
            }
            Place::BackingOffAfterError { until_ms } => {
                self.after_error.remove(&(until_ms, rank));
                return;
            }
            Place::Parked { rejectors, until_ms } => (&mut self.flushes, rejectors, until_ms),
            Place::Noted { rejectors, until_ms } => (&mut self.notes, rejectors, until_ms),
        };
        times.remove(&(until_ms, pod));
        if let Some(pods) = self.parked.get_mut(&rejectors) {
            pods.remove(&pod);
        }
    }
}

fn bit(rejector: Rejector) -> u8 {
    1 << rejector as u8
}

/// When a pod that was tried may be tried again: doubling from the first back-off, and up to the end of the
/// second in which it ends (`getBackoffTime`, `isPodBackingoff`).
fn backoff_ends_ms(settings: &QueueSettings, waiting: &Waiting) -> u64 {
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
fn next_multiple(ms: u64, of: u64) -> u64 {
    (ms / of + 1) * of
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
