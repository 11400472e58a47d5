//! Pods that are to be tried again, not faster than kube-scheduler and the API server like.
//!
//! Inputs: pods that a change may admit, the instant. Outputs: which pod to wake now, and when the next one is due.
//! Invariants: a pod is there once, and keeps its place and the change that came first; none is dropped for there
//! being many: it waits; one that could not be woken is tried again after a pause that doubles; what was woken is
//! remembered until it is bound, gone, or long past. No client, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::PodKey;
use crate::placement::change::Cause;

/// The pause after a first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One pod, less what is lost by rounding times.
const ONE: f64 = 1.0 - 1e-6;

/// For how long a pod that was woken counts as waiting for its node because of the change.
pub const REMEMBERED: Duration = Duration::from_secs(600);

/// Why a pod is tried again.
#[derive(Debug, Clone)]
pub struct Reason {
    /// When the world that admits it was published, or the date passed.
    pub since: Instant,
    /// What changed.
    pub cause: Cause,
    /// The snapshot that admits it.
    pub snapshot: Arc<str>,
}

/// A pod that is to be tried again.
#[derive(Debug, Clone)]
pub struct Retry {
    /// Its UID.
    pub uid: Arc<str>,
    /// Why.
    pub reason: Reason,
    /// How long it was due and waited for those before it.
    pub held_back: Duration,
    /// How often it could not be woken.
    failures: u32,
}

#[derive(Debug)]
struct Waiting {
    retry: Retry,
    place: (Instant, u64),
}

/// The pods that are to be tried again, and those that were.
#[derive(Debug)]
pub struct RetryQueue {
    waiting: BTreeMap<PodKey, Waiting>,
    /// The same in the order in which they are due.
    order: BTreeSet<((Instant, u64), PodKey)>,
    numbered: u64,
    woken: BTreeMap<PodKey, (Retry, Instant)>,
    allowance: Allowance,
}

/// How many may be woken now: so many a second, and as many at once after a rest.
#[derive(Debug)]
struct Allowance {
    per_second: f64,
    left: f64,
    counted: Option<Instant>,
}

impl Allowance {
    fn count(&mut self, now: Instant) {
        let rest = self.counted.map(|counted| now.saturating_duration_since(counted));
        let gained = rest.map_or(0.0, |rest| rest.as_secs_f64() * self.per_second);
        self.left = (self.left + gained).min(self.per_second);
        self.counted = Some(now);
    }

    fn has_one(&self) -> bool {
        self.left >= ONE
    }

    /// When there is one to spend.
    fn next(&self, now: Instant) -> Instant {
        if self.has_one() {
            return now;
        }
        let wait = Duration::from_secs_f64((1.0 - self.left) / self.per_second);
        self.counted.map_or(now, |counted| counted + wait).max(now)
    }
}

impl RetryQueue {
    /// An empty queue that wakes so many pods a second, at least one.
    #[must_use]
    pub fn new(per_second: u32) -> Self {
        Self {
            waiting: BTreeMap::new(),
            order: BTreeSet::new(),
            numbered: 0,
            woken: BTreeMap::new(),
            allowance: Allowance {
                per_second: f64::from(per_second.max(1)),
                left: f64::from(per_second.max(1)),
                counted: None,
            },
        }
    }

    /// Adds a pod. One that waits already keeps its place.
    pub fn add(&mut self, key: &PodKey, uid: &Arc<str>, reason: Reason, now: Instant) {
        if self.waiting.get(key).is_some_and(|known| known.retry.uid == *uid) {
            return;
        }
        let retry = Retry {
            uid: uid.clone(),
            reason,
            held_back: Duration::ZERO,
            failures: 0,
        };
        self.put(key.clone(), retry, now);
    }

    fn put(&mut self, key: PodKey, retry: Retry, due: Instant) {
        self.numbered += 1;
        let place = (due, self.numbered);
        if let Some(known) = self.waiting.insert(key.clone(), Waiting { retry, place }) {
            self.order.remove(&(known.place, key.clone()));
        }
        self.order.insert((place, key));
    }

    /// The next pod to wake, if one is due and may be woken now. It counts as woken.
    pub fn next(&mut self, now: Instant) -> Option<(PodKey, Retry)> {
        self.allowance.count(now);
        let ((due, _), _) = self.order.first()?;
        if *due > now || !self.allowance.has_one() {
            return None;
        }
        self.allowance.left -= 1.0;
        let ((due, _), key) = self.order.pop_first()?;
        let mut retry = self.waiting.remove(&key)?.retry;
        retry.held_back = now.saturating_duration_since(due);
        self.woken.insert(key.clone(), (retry.clone(), now));
        Some((key, retry))
    }

    /// When to ask for the next pod; `None` where none waits.
    #[must_use]
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let ((due, _), _) = self.order.first()?;
        Some((*due).max(self.allowance.next(now)))
    }

    /// A pod that could not be woken waits again.
    pub fn failed(&mut self, key: PodKey, mut retry: Retry, now: Instant) {
        self.woken.remove(&key);
        let pause = FIRST_PAUSE.saturating_mul(1 << retry.failures.min(16));
        retry.failures += 1;
        self.put(key, retry, now + pause.min(LONGEST_PAUSE));
    }

    /// A pod has a node, is gone or is another one: it is not tried again. Gives what was known of it when it was
    /// woken.
    pub fn settled(&mut self, key: &PodKey) -> Option<Retry> {
        if let Some(waiting) = self.waiting.remove(key) {
            self.order.remove(&(waiting.place, key.clone()));
        }
        self.woken.remove(key).map(|(retry, _)| retry)
    }

    /// Lets go of what was woken long ago.
    pub fn forget(&mut self, now: Instant) {
        self.woken
            .retain(|_, (_, woken)| now.saturating_duration_since(*woken) < REMEMBERED);
    }

    /// The pods that wait or were woken, for whoever compares them with a fresh list.
    pub fn keys(&self) -> impl Iterator<Item = &PodKey> {
        self.waiting.keys().chain(self.woken.keys())
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NamespaceName;

    fn key(number: u32) -> PodKey {
        PodKey {
            namespace: NamespaceName::new("shop").expect("a name"),
            name: Arc::from(format!("p{number:03}")),
        }
    }

    fn add(queue: &mut RetryQueue, number: u32, now: Instant) {
        let reason = Reason {
            since: now,
            cause: Cause::Policies,
            snapshot: Arc::from("s"),
        };
        queue.add(&key(number), &Arc::from("u"), reason, now);
    }

    #[test]
    fn so_many_go_at_once_and_the_others_wait_in_their_order() {
        let start = Instant::now();
        let mut queue = RetryQueue::new(10);
        for number in (0..25).rev() {
            add(&mut queue, number, start);
        }
        let mut woken = Vec::new();
        let mut now = start;
        while let Some(due) = queue.due(now) {
            now = due;
            woken.extend(queue.next(now).map(|(key, _)| (key.name, now - start)));
        }
        assert_eq!(woken.len(), 25, "none is dropped");
        assert_eq!(&*woken[0].0, "p024", "first come");
        let at_once = woken
            .iter()
            .filter(|(_, after)| *after < Duration::from_millis(50));
        assert_eq!(at_once.count(), 10);
        let last = woken[24].1.as_secs_f64();
        assert!((1.4..1.7).contains(&last), "{last}");
    }

    #[test]
    fn a_pod_is_there_once_and_what_failed_comes_back_later_each_time() {
        let start = Instant::now();
        let mut queue = RetryQueue::new(100);
        add(&mut queue, 1, start);
        add(&mut queue, 1, start + Duration::from_secs(1));
        assert_eq!(queue.waiting(), 1);
        let mut now = start;
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let (key, retry) = queue.next(now).expect("it is due");
            assert_eq!(retry.reason.since, start, "the change that came first");
            queue.failed(key, retry, now);
            assert!(queue.next(now).is_none());
            let due = queue.due(now).expect("it waits");
            pauses.push((due - now).as_secs());
            now = due;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn what_was_woken_is_known_until_it_is_settled_or_long_past() {
        let start = Instant::now();
        let mut queue = RetryQueue::new(100);
        for number in 0..3 {
            add(&mut queue, number, start);
        }
        assert!(queue.settled(&key(0)).is_none(), "it was never woken");
        assert_eq!(queue.waiting(), 2);
        assert!(queue.next(start).is_some() && queue.next(start).is_some());
        assert!(queue.settled(&key(1)).is_some());
        assert!(queue.settled(&key(1)).is_none());
        queue.forget(start + REMEMBERED);
        assert!(queue.settled(&key(2)).is_none());
        // It may be woken anew by the next change.
        add(&mut queue, 1, start);
        assert_eq!(queue.waiting(), 1);
    }
}
