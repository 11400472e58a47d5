//! Which pod is tried next, and when one that was turned away is tried again.
//!
//! Inputs: pods that come, what became of attempts, events that could help, the time. Outputs: the next pod, and when to
//! ask again. Source: `backend/queue` of kubernetes 1.36.3 (`activeQ`, `backoffQ`, `unschedulablePods`) and the events
//! that each plugin registers. Invariants: greater priority first, then the earlier time of queueing, then the earlier
//! arrival; a pod is in one place; all times are arguments and never go back; pods that are told again what they were told are
//! counted together, after the others of the instant. Deliberately absent: gates, pod groups, and the closer look that
//! plugins take at an event (`hints`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::FixedState;

use super::causes::{Causes, Rejector};
use super::flushes::{Flushes, flush_ms};
use super::parked::{Alike, Ground, Parked, Since, bit};
use super::waiting::{BACKOFF_WINDOW_MS, Place, Rank, Waiting, backoff_ends_ms, next_multiple};
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

/// Pods that were turned away alike and wait together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd(Ground);

impl Crowd {
    /// What they have in common.
    #[must_use]
    pub fn alike(self) -> Option<Alike> {
        self.0.1
    }
}

/// An error that comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recurring {
    /// Tells it from every other.
    pub alike: Alike,
    /// From when on it might not; `None` where only a change of the world ends it.
    pub ends_ms: Option<u64>,
}

/// Pods that meet one such error.
#[derive(Debug, Clone, Default)]
struct Stuck {
    pods: BTreeSet<PodIndex>,
    ends_ms: Option<u64>,
}

/// The pods that wait.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    settings: QueueSettings,
    arrivals: u64,
    /// Only looked up.
    waiting: HashMap<PodIndex, Waiting, FixedState>,
    active: BTreeSet<Rank>,
    backing_off: BTreeSet<(u64, Rank)>,
    after_error: BTreeSet<(u64, Rank)>,
    stuck: BTreeMap<Alike, Stuck>,
    parked: Parked,
    /// When parked pods are tried for want of an event, at the earliest: who was turned away again since waits longer, and
    /// who left is passed over.
    flushes: Flushes,
    notes: BTreeSet<(u64, PodIndex)>,
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
        self.remove(pod, now_ms);
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
            noted_flush_ms: None,
        };
        self.active.insert(waiting.rank(pod));
        self.waiting.insert(pod, waiting);
    }

    /// A pod goes, or is bound: how often it was tried, if it was here.
    pub fn remove(&mut self, pod: PodIndex, now_ms: u64) -> Option<u32> {
        self.leave(pod, now_ms);
        self.waiting.remove(&pod).map(|waiting| waiting.attempts)
    }

    /// The pod to try next, which counts as an attempt.
    pub fn pop(&mut self, now_ms: u64) -> Option<PodIndex> {
        self.advance(now_ms);
        let mut next = self.active.pop_first();
        if next.is_none() && self.settings.try_backing_off_when_idle {
            next = self.backing_off.pop_first().map(|(_, rank)| rank);
        }
        let (_, _, _, pod) = next?;
        let waiting = self.waiting.get_mut(&pod)?;
        waiting.place = Place::InFlight;
        waiting.attempts += 1;
        Some(pod)
    }

    /// A pod that was popped was turned away. Pods whose refusals are alike wait in one crowd, where whoever tries pods
    /// can tell that they would be turned away again ([`Self::take_woken_crowds`]).
    pub fn refuse(&mut self, pod: PodIndex, causes: &Causes, alike: Option<Alike>, now_ms: u64) {
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
        waiting.was_woken_by_note = is_woken;
        // A crowd is tried as soon as nobody else is ready, as pods that back off are; who may not go early goes alone.
        let alike = alike.filter(|_| !is_woken && self.settings.try_backing_off_when_idle);
        let ground = (rejectors, alike);
        let missed = self.parked.join(ground, pod, now_ms);
        if is_woken {
            let until_ms = now_ms + NOTE_MS;
            waiting.place = Place::Noted { ground, until_ms };
            self.notes.insert((until_ms, pod));
        } else {
            let until_ms = flush_ms(&self.settings, now_ms);
            waiting.place = Place::Parked {
                ground,
                missed,
                until_ms,
            };
            self.flushes.note(pod, waiting, until_ms);
        }
    }

    /// An attempt failed by an error: the pod backs off. Once it does so for as long as pods may, and the error comes again,
    /// it is stuck: the attempts are counted when somebody asks ([`Self::stuck_crowds`]).
    pub fn fail(&mut self, pod: PodIndex, recurring: Option<Recurring>, now_ms: u64) {
        let Some(waiting) = self.waiting.get_mut(&pod) else {
            return;
        };
        waiting.errors_in_a_row += 1;
        waiting.queued_at_ms = now_ms;
        let until_ms = backoff_ends_ms(&self.settings, waiting);
        let longest_ms = next_multiple(now_ms + self.settings.most_backoff_ms, BACKOFF_WINDOW_MS);
        match recurring.filter(|_| until_ms == longest_ms) {
            Some(Recurring { alike, ends_ms }) => {
                waiting.place = Place::Stuck { alike, until_ms };
                let stuck = self.stuck.entry(alike).or_default();
                stuck.pods.insert(pod);
                stuck.ends_ms = ends_ms;
            }
            None => {
                waiting.place = Place::BackingOffAfterError { until_ms };
                self.after_error.insert((until_ms, waiting.rank(pod)));
            }
        }
    }

    /// What pods that are stuck have in common, each with one of them: whoever changes the world is to release those who
    /// would not fail alike in it, before time goes on.
    #[must_use]
    pub fn stuck_crowds(&self) -> Vec<(Alike, PodIndex)> {
        let first = |(alike, stuck): (&Alike, &Stuck)| Some((*alike, *stuck.pods.first()?));
        self.stuck.iter().filter_map(first).collect()
    }

    /// Pods that were stuck up to now back off by themselves again.
    pub fn release(&mut self, alike: Alike, now_ms: u64) {
        for pod in self.stuck.remove(&alike).unwrap_or_default().pods {
            let Some(waiting) = self.waiting.get_mut(&pod) else {
                continue;
            };
            if let Place::Stuck { until_ms, .. } = waiting.place {
                let until_ms = waiting.learn_errors(&self.settings, until_ms, now_ms);
                waiting.place = Place::BackingOffAfterError { until_ms };
                self.after_error.insert((until_ms, waiting.rank(pod)));
            }
        }
    }

    /// Time goes on to its end and nothing happens: when the last pod that is stuck was tried, if one was.
    pub fn run_out(&mut self, end_ms: u64) -> Option<u64> {
        let mut last_ms = None;
        for (alike, _) in self.stuck_crowds() {
            let stuck = self.stuck.get(&alike).cloned().unwrap_or_default();
            self.release(alike, end_ms + 1);
            let queued = stuck
                .pods
                .iter()
                .filter_map(|pod| Some(self.waiting.get(pod)?.queued_at_ms));
            last_ms = last_ms.max(queued.max());
        }
        last_ms
    }

    /// Something happened: pods that it could help are tried again, after their back-off. Whoever turned a pod away and
    /// registered for such events is asked of each pod whether this one could ([`super::Cluster::could_help`]).
    pub fn wake(
        &mut self,
        event: ClusterEvent,
        now_ms: u64,
        mut could_help: impl FnMut(PodIndex, Rejector) -> bool,
    ) {
        let woken = self
            .parked
            .wake(|rejector| event.helps(rejector), &mut could_help);
        for pod in woken {
            if let Some(waiting) = self.waiting.get_mut(&pod) {
                waiting.was_woken_by_note = false;
            }
            self.try_again(pod, now_ms);
        }
    }

    /// Something was written on a pod alone, such as a condition of its status: whom the extender turned away is tried
    /// again (the hint of the extender takes every change of a pod).
    pub fn nudge(&mut self, pod: PodIndex, now_ms: u64) {
        let Some(waiting) = self.waiting.get_mut(&pod) else {
            return;
        };
        let (Place::Parked { ground, .. } | Place::Noted { ground, .. }) = waiting.place else {
            return;
        };
        if ground.0 & bit(Rejector::Extender) != 0 {
            waiting.was_woken_by_note = false;
            self.try_again(pod, now_ms);
        }
    }

    /// The crowds that an event could have helped since they were taken last, each with one of its pods. They are tried
    /// where no other pod is ready: each is to be turned away again as a whole, or dispersed.
    pub fn take_woken_crowds(&mut self) -> Vec<(Crowd, PodIndex)> {
        let woken = self.parked.take_woken().into_iter();
        woken.map(|(ground, pod)| (Crowd(ground), pod)).collect()
    }

    /// The crowds that are due for want of an event, each with one of its pods. If each would be turned away again as a whole,
    /// that is what becomes of every pod that is due, in any order. None where others are ready or due too.
    #[must_use]
    pub fn due_crowds(&self, now_ms: u64) -> Vec<(Crowd, PodIndex)> {
        let is_due = |first_ms: Option<u64>| first_ms.is_some_and(|first_ms| first_ms <= now_ms);
        let others_are_ready = !self.active.is_empty()
            || !self.backing_off.is_empty()
            || is_due(self.after_error.first().map(|(until_ms, _)| *until_ms))
            || is_due(self.notes.first().map(|(until_ms, _)| *until_ms));
        if others_are_ready || !is_due(self.flushes.first().map(|(until_ms, _)| until_ms)) {
            return Vec::new();
        }
        let mut due = Vec::new();
        for (ground, crowd) in self.parked.crowds() {
            let all_are_due = flush_ms(&self.settings, crowd.last_refused_ms()) <= now_ms;
            if all_are_due && ground.1.is_some() && !crowd.is_woken {
                due.extend(crowd.pods.first().map(|pod| (Crowd(ground), *pod)));
            } else if crowd.pods.iter().any(|pod| is_due(self.flush_of(*pod))) {
                return Vec::new();
            }
        }
        due
    }

    /// When a pod is tried for want of an event; `None` where it does not wait for one.
    fn flush_of(&self, pod: PodIndex) -> Option<u64> {
        let waiting = self.waiting.get(&pod)?;
        let Place::Parked { until_ms, .. } = waiting.place else {
            return None;
        };
        let since = self.since(waiting);
        Some(since.map_or(until_ms, |since| {
            until_ms.max(flush_ms(&self.settings, since.repeated_ms))
        }))
    }

    /// Each pod of a crowd was tried and turned away again, alike: how many.
    pub fn refuse_crowd(&mut self, crowd: Crowd, now_ms: u64) -> usize {
        self.parked.repeat(crowd.0, now_ms)
    }

    /// The pods of a crowd are tried one by one.
    pub fn disperse(&mut self, crowd: Crowd, now_ms: u64) {
        let crowd = self.parked.disperse(crowd.0).unwrap_or_default();
        for pod in &crowd.pods {
            let Some(waiting) = self.waiting.get_mut(pod) else {
                continue;
            };
            if let Place::Parked { missed, .. } = waiting.place
                && let Some(since) = crowd.since(missed)
            {
                waiting.learn(since);
            }
            self.ready(*pod, now_ms);
        }
    }

    /// When a pod will be ready at the latest for which nothing but time must pass, or might not be stuck any more; `None`
    /// where there is none.
    #[must_use]
    pub fn next_ms(&mut self) -> Option<u64> {
        let first_flush_ms = self.first_flush().map(|(until_ms, _)| until_ms);
        let firsts = [
            self.backing_off.first().map(|(until_ms, _)| *until_ms),
            self.after_error.first().map(|(until_ms, _)| *until_ms),
            first_flush_ms,
            self.notes.first().map(|(until_ms, _)| *until_ms),
            self.stuck.values().filter_map(|stuck| stuck.ends_ms).min(),
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
        let Some(waiting) = self.waiting.get(&pod) else {
            return 0;
        };
        let repeats = self.since(waiting).map_or(0, |since| since.repeats);
        let repeats = u32::try_from(repeats).unwrap_or(u32::MAX);
        waiting.attempts.saturating_add(repeats)
    }

    /// What became of a pod in its crowd; `None` where nothing did.
    fn since(&self, waiting: &Waiting) -> Option<Since> {
        match waiting.place {
            Place::Parked { ground, missed, .. } => self.parked.since(ground, missed),
            _ => None,
        }
    }

    /// When the first pod is tried for want of an event, and which. Whoever was turned away again since is put off.
    fn first_flush(&mut self) -> Option<(u64, PodIndex)> {
        while let Some((noted_ms, pod)) = self.flushes.first() {
            let mut waiting = self.waiting.get_mut(&pod);
            let parked = waiting.as_ref().and_then(|waiting| match waiting.place {
                Place::Parked {
                    ground,
                    missed,
                    until_ms,
                } if until_ms == noted_ms => Some((ground, missed)),
                _ => None,
            });
            let since = parked.and_then(|(ground, missed)| self.parked.since(ground, missed));
            let due_ms = since.map(|since| flush_ms(&self.settings, since.repeated_ms));
            let due_ms = due_ms.filter(|due_ms| *due_ms > noted_ms);
            if parked.is_some() && due_ms.is_none() {
                return Some((noted_ms, pod));
            }
            self.flushes.pass_over(waiting.as_deref_mut());
            if let (Some(due_ms), Some(waiting)) = (due_ms, waiting) {
                self.flushes.note(pod, waiting, due_ms);
                if let Place::Parked { until_ms, .. } = &mut waiting.place {
                    *until_ms = due_ms;
                }
            }
        }
        None
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
        let is_due = |time: &(u64, PodIndex)| time.0 <= now_ms;
        while let Some((_, pod)) = self.notes.first().copied().filter(is_due) {
            self.try_again(pod, now_ms);
        }
        while self.flushes.first().is_some_and(|first| is_due(&first))
            && let Some((_, pod)) = self.first_flush().filter(is_due)
        {
            self.try_again(pod, now_ms);
        }
    }

    /// A parked pod becomes active, or backs off first (`requeuePodWithQueueingStrategy`).
    fn try_again(&mut self, pod: PodIndex, now_ms: u64) {
        self.leave(pod, now_ms);
        self.ready(pod, now_ms);
    }

    /// A pod that is nowhere becomes active, or backs off first.
    fn ready(&mut self, pod: PodIndex, now_ms: u64) {
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
    fn leave(&mut self, pod: PodIndex, now_ms: u64) {
        let Some(waiting) = self.waiting.get_mut(&pod) else {
            return;
        };
        let rank = waiting.rank(pod);
        match std::mem::replace(&mut waiting.place, Place::InFlight) {
            Place::InFlight => {}
            Place::Active => {
                self.active.remove(&rank);
            }
            Place::BackingOff { until_ms } => {
                self.backing_off.remove(&(until_ms, rank));
            }
            Place::BackingOffAfterError { until_ms } => {
                self.after_error.remove(&(until_ms, rank));
            }
            Place::Stuck { alike, until_ms } => {
                waiting.learn_errors(&self.settings, until_ms, now_ms);
                if let Some(stuck) = self.stuck.get_mut(&alike) {
                    stuck.pods.remove(&pod);
                    if stuck.pods.is_empty() {
                        self.stuck.remove(&alike);
                    }
                }
            }
            Place::Parked { ground, missed, .. } => {
                if let Some(since) = self.parked.since(ground, missed) {
                    waiting.learn(since);
                }
                self.parked.leave(ground, pod);
            }
            Place::Noted { ground, until_ms } => {
                self.notes.remove(&(until_ms, pod));
                self.parked.leave(ground, pod);
            }
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
