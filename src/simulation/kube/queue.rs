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
    /// When parked pods are tried for want of an event, at the earliest: who was turned away again since waits longer.
    flushes: BTreeSet<(u64, PodIndex)>,
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
        let mut next = self.active.first().map(|rank| rank.3);
        if next.is_none() && self.settings.try_backing_off_when_idle {
            next = self.backing_off.first().map(|(_, rank)| rank.3);
        }
        let pod = next?;
        self.leave(pod, now_ms);
        let waiting = self.waiting.get_mut(&pod)?;
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
        let missed = self.parked.join(ground, pod);
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
            self.flushes.insert((until_ms, pod));
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

    /// Each pod of a crowd was tried and turned away again, alike: how many.
    pub fn refuse_crowd(&mut self, crowd: Crowd, now_ms: u64) -> usize {
        self.parked.repeat(crowd.0, now_ms)
    }

    /// The pods of a crowd are tried one by one.
    pub fn disperse(&mut self, crowd: Crowd, now_ms: u64) {
        for pod in self.parked.dispersed(crowd.0) {
            self.try_again(pod, now_ms);
        }
    }

    /// When a pod will be ready at the latest for which nothing but time must pass, or might not be stuck any more; `None`
    /// where there is none.
    #[must_use]
    pub fn next_ms(&mut self) -> Option<u64> {
        let first_flush_ms = self.first_flush_ms();
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

    /// When the first pod is tried for want of an event. Whoever was turned away again since is put off.
    fn first_flush_ms(&mut self) -> Option<u64> {
        while let Some((noted_ms, pod)) = self.flushes.first().copied() {
            let since = self.waiting.get(&pod).and_then(|waiting| self.since(waiting));
            let due_ms = since.map(|since| flush_ms(&self.settings, since.repeated_ms));
            let Some(due_ms) = due_ms.filter(|due_ms| *due_ms > noted_ms) else {
                return Some(noted_ms);
            };
            self.flushes.remove(&(noted_ms, pod));
            self.flushes.insert((due_ms, pod));
            if let Some(Waiting {
                place: Place::Parked { until_ms, .. },
                ..
            }) = self.waiting.get_mut(&pod)
            {
                *until_ms = due_ms;
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
        while self.flushes.first().is_some_and(is_due)
            && self.first_flush_ms().is_some_and(|due_ms| due_ms <= now_ms)
        {
            let Some((_, pod)) = self.flushes.first().copied() else {
                break;
            };
            self.try_again(pod, now_ms);
        }
    }

    /// A parked pod becomes active, or backs off first (`requeuePodWithQueueingStrategy`).
    fn try_again(&mut self, pod: PodIndex, now_ms: u64) {
        self.leave(pod, now_ms);
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
            Place::Parked {
                ground,
                missed,
                until_ms,
            } => {
                if let Some(since) = self.parked.since(ground, missed) {
                    waiting.learn(since);
                }
                self.flushes.remove(&(until_ms, pod));
                self.parked.leave(ground, pod);
            }
            Place::Noted { ground, until_ms } => {
                self.notes.remove(&(until_ms, pod));
                self.parked.leave(ground, pod);
            }
        }
    }
}

/// When a pod that was turned away is tried for want of an event: looked at every 30 s, and moved when it waited for longer
/// than five minutes.
fn flush_ms(settings: &QueueSettings, refused_ms: u64) -> u64 {
    next_multiple(refused_ms + settings.most_parked_ms, FLUSH_EVERY_MS)
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
