//! Retries over time: which publications and dates make a change, and which pods it is held against.
//!
//! Inputs: publications, the roster and what happens to its pods, instants. Outputs: the queue of pods to wake, with when
//! something is due. Invariants: publications that come together are one change; each world that decided counts as before (of many
//! within a moment the first and the last); a pod whose refusal is seen only after the change is held against it too, for
//! [`LATE`]; a step judges for no longer than it is given. No client, no clock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::cluster::retries::{Reason, Retry, RetryQueue};
use crate::cluster::roster::{Roster, RosterPod, Subject};
use crate::model::PodKey;
use crate::placement::change::{Cause, Change, Decided};
use crate::snapshot::Snapshot;

/// How long publications are gathered before pods are woken for them together.
const GATHER: Duration = Duration::from_millis(300);

/// How many worlds are remembered of one change: the first and the last of them. Who was refused only by one in between,
/// for some hundredths of a second, waits for kube-scheduler's own flush.
const MOST_WORLDS: usize = 8;

/// How long after a change a refusal may still be of the world before: kube-scheduler tells of it a moment later.
const LATE: Duration = Duration::from_secs(3);

/// Publications that are being gathered.
#[derive(Debug)]
struct Gathering {
    since: Instant,
    before: Vec<Decided>,
}

/// A change that is being held against pods.
#[derive(Debug)]
struct Held {
    change: Arc<Change>,
    since: Instant,
    pods: VecDeque<PodKey>,
    /// What is known of templates; each is kept, so that its number stays its own.
    known: BTreeMap<usize, (Arc<Subject>, bool)>,
}

/// Retries over time.
#[derive(Debug)]
pub(super) struct Retrying {
    current: Option<Decided>,
    has_begun: bool,
    /// When it was looked last whether something changed.
    looked: Option<Instant>,
    gathering: Option<Gathering>,
    held: VecDeque<Held>,
    recent: VecDeque<(Instant, Arc<Change>)>,
    pub queue: RetryQueue,
}

impl Retrying {
    pub fn new(per_second: u32) -> Self {
        Self {
            current: None,
            has_begun: false,
            looked: None,
            gathering: None,
            held: VecDeque::new(),
            recent: VecDeque::new(),
            queue: RetryQueue::new(per_second),
        }
    }

    /// A world decides from now on.
    pub fn published(&mut self, snapshot: Arc<Snapshot>, now: Instant, at: Timestamp) {
        let next = Decided { snapshot, at };
        let Some(replaced) = self.current.replace(next) else {
            return;
        };
        let is_same = |current: &Decided| current.snapshot.shares_all_but_running(&replaced.snapshot);
        if self.current.as_ref().is_some_and(is_same) {
            // Running pods never keep a node from anybody; what a date decides is looked at from where it was.
            if let Some(current) = &mut self.current {
                current.at = replaced.at;
            }
        } else if self.has_begun {
            let gathering = self.gathering.get_or_insert_with(|| Gathering {
                since: now,
                before: Vec::new(),
            });
            // Each is compared with what comes after, node by node.
            if gathering.before.len() >= MOST_WORLDS {
                gathering.before.remove(MOST_WORLDS / 2);
            }
            // Facts that the cluster confirmed no longer may have grown too old meanwhile.
            if replaced.snapshot.confirmed_until().is_some() {
                let snapshot = replaced.snapshot.clone();
                gathering.before.push(Decided { snapshot, at });
            }
            gathering.before.push(replaced);
        }
    }

    /// A pod came, changed or went. Gives what was known of it where it was woken, and has a node now.
    pub fn pod(
        &mut self,
        key: &PodKey,
        was: Option<&RosterPod>,
        is: Option<&RosterPod>,
        now: Instant,
    ) -> Option<Retry> {
        let Some(is) = is else {
            self.queue.settled(key);
            return None;
        };
        if is.node.is_some() {
            return self.queue.settled(key).filter(|retry| retry.uid == is.uid);
        }
        let was_refused = was.is_some_and(|was| was.is_refused && was.uid == is.uid);
        if is.is_refused && !was_refused {
            let late: Vec<(Instant, Arc<Change>)> = self
                .recent
                .iter()
                .filter(|(since, _)| now.saturating_duration_since(*since) < LATE)
                .cloned()
                .collect();
            for (since, change) in late {
                if change.admits(&is.subject.pod) {
                    self.queue.add(key, &is.uid, reason(&change, since), now);
                }
            }
        }
        None
    }

    /// A list is whole: what was woken or waits may be bound or gone. Gives what was woken and has a node now.
    pub fn listed(&mut self, roster: &Roster) -> Vec<(PodKey, Retry)> {
        let keys: Vec<PodKey> = self.queue.keys().cloned().collect();
        let settled = keys.into_iter().filter_map(|key| {
            let pod = roster.get(&key);
            if pod.is_some_and(|pod| pod.node.is_none()) {
                return None;
            }
            let retry = self.queue.settled(&key)?;
            (pod?.uid == retry.uid).then_some((key, retry))
        });
        settled.collect()
    }

    /// When something is due: publications were gathered, a date passes, pods are to be judged.
    pub fn due(&self, now: Instant, at: Timestamp) -> Option<Instant> {
        let judging = (!self.held.is_empty()).then_some(now);
        let gathered = self.gathering.as_ref().map(|gathering| gathering.since + GATHER);
        let date = self
            .current
            .as_ref()
            .filter(|_| self.has_begun)
            .and_then(|current| {
                let until = current.snapshot.policies().at(current.at).until?;
                match Duration::try_from(until.duration_since(at)) {
                    // A little later, for both are rounded.
                    Ok(rest) if until > at => now.checked_add(rest + Duration::from_millis(5)),
                    _ => Some(now),
                }
            });
        [judging, gathered, date].into_iter().flatten().min()
    }

    /// Does what is due but for waking, until `end` at most.
    pub fn step(&mut self, roster: &Roster, now: Instant, at: Timestamp, end: impl Fn() -> bool) {
        self.note_change(roster, now, at);
        self.recent
            .retain(|(since, _)| now.saturating_duration_since(*since) < LATE + GATHER);
        self.queue.forget(now);
        while let Some(held) = self.held.front_mut() {
            let Some(key) = held.pods.pop_front() else {
                self.held.pop_front();
                continue;
            };
            // What was refused by then and is not any more is settled.
            if let Some(pod) = roster.get(&key).filter(|pod| pod.is_refused) {
                let Held { known, change, .. } = held;
                let (_, admits) = known.entry(pod.subject.id()).or_insert_with(|| {
                    let admits = change.admits(&pod.subject.pod);
                    (pod.subject.clone(), admits)
                });
                if *admits {
                    let reason = reason(change, held.since);
                    self.queue.add(&key, &pod.uid, reason, now);
                }
            }
            if end() {
                return;
            }
        }
    }

    fn note_change(&mut self, roster: &Roster, now: Instant, at: Timestamp) {
        let Some(current) = self.current.as_mut().filter(|_| roster.is_whole()) else {
            return;
        };
        let looked = self.looked.replace(now).unwrap_or(now);
        if !self.has_begun {
            self.has_begun = true;
            current.at = at;
            let change = Change::new(Vec::new(), current.clone());
            self.hold(change, now, roster);
            return;
        }
        let gathered = self
            .gathering
            .take_if(|gathering| gathering.since + GATHER <= now);
        let policies = current.snapshot.policies();
        let has_date_passed = policies.at(current.at).from != policies.at(at).from;
        let then = current.clone();
        if gathered.is_some() || has_date_passed {
            current.at = at;
        }
        let now_decides = current.clone();
        match gathered {
            Some(gathering) => {
                let mut before = gathering.before;
                if has_date_passed {
                    before.push(then);
                }
                self.hold(Change::new(before, now_decides), gathering.since, roster);
            }
            None if has_date_passed => {
                // When the date passed. Was that before the last look, then the clock has just been set.
                let passed = now_decides.snapshot.policies().at(at).from;
                let ago = Duration::try_from(at.duration_since(passed)).unwrap_or_default();
                let since = now.checked_sub(ago).filter(|since| *since >= looked);
                let since = since.unwrap_or(now);
                self.hold(Change::new(vec![then], now_decides), since, roster);
            }
            None => {}
        }
    }

    fn hold(&mut self, change: Change, since: Instant, roster: &Roster) {
        let change = Arc::new(change);
        let pods: VecDeque<PodKey> = roster.refused().map(|(key, _)| key.clone()).collect();
        tracing::debug!(
            cause = change.cause().word(),
            pods = pods.len(),
            "a change is held against the pods that wait"
        );
        if change.cause() != Cause::Beginning {
            self.recent.push_back((since, change.clone()));
        }
        self.held.push_back(Held {
            change,
            since,
            pods,
            known: BTreeMap::new(),
        });
    }
}

fn reason(change: &Change, since: Instant) -> Reason {
    Reason {
        since,
        cause: change.cause(),
        snapshot: Arc::from(change.after().snapshot.id()),
    }
}
