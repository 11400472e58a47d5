//! What one replica does for all: it wakes pods that a change admits, and scans every pod.
//!
//! Inputs: the changes of every pod, publications, whether this replica holds the Lease. Effects: conditions on pods that wait,
//! Events, log lines, metrics. Invariants: nothing is written while the Lease is not held; a replica that begins to act
//! knows nothing of what decided before, and lists every pod anew; judging yields to everything else after
//! [`STEP`]. When the API server is away nothing is lost: what could not be written is tried again. Deliberately absent:
//! the rules, which are in `retrying`, `scanning` and below them.

mod retrying;
mod scanning;

use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use kube::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::every_pod::EveryPod;
use super::lease::Leadership;
use super::retries::{Retry, Waken, wake};
use super::roster::{News, Roster};
use super::watch::PodChange;
use crate::metrics::{RetryMetrics, ScanMetrics};
use crate::model::{NodeName, PodKey, ReplicaRole};
use crate::pod_events::PodEvents;
use crate::publish::Publication;
use retrying::Retrying;
use scanning::{Scanning, Told};

/// For how long is judged at a stretch.
const STEP: Duration = Duration::from_millis(5);

/// After how long is looked again whether something is due: clocks are set, too.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How many pods are being woken at one time.
const MOST_WAKING: usize = 8;

/// How many new findings of pods are logged for one scan; Events and metrics tell all.
const MOST_LOGGED: usize = 20;

/// The room that a step of the scan may need, and half of what there is: the filter has Events too.
const ROOM_FOR_EVENTS: usize = 512;

/// How long the scan waits where there is no such room.
const UNTIL_ROOM: Duration = Duration::from_millis(100);

/// How often and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DutySettings {
    /// How often every pod is scanned where nothing changes.
    pub scan_interval: Duration,
    /// How many pods are woken in a second.
    pub retries_per_second: u32,
}

/// What the duties count with.
#[derive(Debug, Clone)]
pub struct DutyMetrics {
    /// Retries.
    pub retries: RetryMetrics,
    /// The scan.
    pub scan: ScanMetrics,
}

/// What they need to act.
pub struct Duties {
    /// The API server.
    pub client: Client,
    /// Where every pod is asked for.
    pub every_pod: EveryPod,
    /// Each world that decides.
    pub publications: watch::Receiver<Publication>,
    /// Whether this replica acts.
    pub leadership: Leadership,
    /// Where Events are handed in.
    pub events: PodEvents,
    /// How often and how fast.
    pub settings: DutySettings,
    /// What they count with.
    pub metrics: DutyMetrics,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

impl Duties {
    /// Acts whenever this replica holds the Lease, for as long as somebody publishes.
    pub async fn attend(mut self) {
        loop {
            self.leadership.until_held().await;
            let term = Term {
                roster: Roster::default(),
                retrying: Retrying::new(self.settings.retries_per_second),
                scanning: Scanning::new(self.settings.scan_interval),
                waking: FuturesUnordered::new(),
                logged: 0,
                duties: &mut self,
            };
            let goes_on = term.run().await;
            self.metrics.retries.waiting(0);
            self.metrics.scan.ceased();
            if !goes_on {
                return;
            }
        }
    }
}

/// A pod that is being woken, and what became of it.
type Waking = BoxFuture<'static, (PodKey, Retry, Waken)>;

/// The time from one election to the loss of the Lease.
struct Term<'d> {
    duties: &'d mut Duties,
    roster: Roster,
    retrying: Retrying,
    scanning: Scanning,
    waking: FuturesUnordered<Waking>,
    logged: usize,
}

impl Term<'_> {
    /// Acts until the Lease is lost, which gives `true`, or nobody publishes any more.
    async fn run(mut self) -> bool {
        let mut pods = self.duties.every_pod.listed_anew().await;
        let mut leadership = self.duties.leadership.clone();
        let mut publications = self.duties.publications.clone();
        // What is decided by now counts as just published.
        publications.mark_changed();
        loop {
            let due = self.due();
            tokio::select! {
                () = leadership.until_lost() => return true,
                said = pods.recv() => match said {
                    Some(change) => self.heard(change),
                    None => return false,
                },
                changed = publications.changed() => {
                    if changed.is_err() {
                        return false;
                    }
                    let current = publications.borrow_and_update().current.clone();
                    if let Some(snapshot) = current {
                        let now = Instant::now();
                        self.scanning.published(&snapshot, now);
                        self.retrying.published(snapshot, now, (self.duties.clock)());
                    }
                }
                Some((key, retry, waken)) = self.waking.next(), if !self.waking.is_empty() => {
                    self.woken(key, retry, waken);
                }
                () = sleep_until(due) => {}
            }
            if self.roster.is_whole() {
                self.step();
                tokio::task::yield_now().await;
            }
        }
    }

    /// When to look again.
    fn due(&self) -> Instant {
        let (now, at) = (Instant::now(), (self.duties.clock)());
        let latest = now + LONGEST_SLEEP;
        if !self.roster.is_whole() {
            return latest;
        }
        let can_wake = self.waking.len() < MOST_WAKING;
        let waking = self.retrying.queue.due(now).filter(|_| can_wake);
        let scanning = self.scanning.due(now, at).map(|due| {
            let has_room = self.duties.events.room() >= ROOM_FOR_EVENTS;
            if has_room { due } else { due.max(now + UNTIL_ROOM) }
        });
        let due = [self.retrying.due(now, at), scanning, waking];
        due.into_iter().flatten().fold(latest, Instant::min)
    }

    fn heard(&mut self, change: PodChange) {
        let now = Instant::now();
        match self.roster.take(change) {
            News::Nothing => {}
            News::Pod { key, was, is } => {
                let (was, is) = (was.as_ref(), is.as_ref());
                if let Some(retry) = self.retrying.pod(&key, was, is, now) {
                    self.bound(&key, &retry, now);
                }
                self.scanning.pod(&key, was, is);
            }
            News::Listed => {
                for (key, retry) in self.retrying.listed(&self.roster) {
                    self.bound(&key, &retry, now);
                }
                self.scanning.listed(&self.roster, now);
            }
        }
    }

    /// A pod that was woken has a node.
    fn bound(&self, key: &PodKey, retry: &Retry, now: Instant) {
        let after = now.saturating_duration_since(retry.reason.since);
        let cause = retry.reason.cause.word();
        self.duties.metrics.retries.bound(cause, after);
        let pod = self.roster.get(key);
        let node = pod.and_then(|pod| pod.node.as_ref());
        tracing::info!(
            namespace = key.namespace.as_str(),
            pod = &*key.name,
            node = node.map(NodeName::as_str),
            cause,
            snapshot = &*retry.reason.snapshot,
            seconds = after.as_secs_f64(),
            "a refused pod is bound after the change that admitted it"
        );
    }

    /// Does what is due, for [`STEP`] at most.
    fn step(&mut self) {
        let (now, at) = (Instant::now(), (self.duties.clock)());
        let is_over = || now.elapsed() >= STEP;
        self.retrying.step(&self.roster, now, at, is_over);
        let mut told = Vec::new();
        if !is_over() {
            self.scanning.step(&self.roster, now, at, is_over, &mut told);
        }
        for told in told {
            self.tell(told);
        }
        self.duties.metrics.scan.findings(self.scanning.counts());
        while self.waking.len() < MOST_WAKING && self.duties.leadership.is_held() {
            let Some((key, retry)) = self.retrying.queue.next(now) else {
                break;
            };
            if retry.held_back > Duration::from_millis(100) {
                self.duties.metrics.retries.held_back();
            }
            let (client, at) = (self.duties.client.clone(), (self.duties.clock)());
            let waking = async move {
                let waken = wake(client, &key, &retry, at).await;
                (key, retry, waken)
            };
            self.waking.push(waking.boxed());
        }
        self.duties.metrics.retries.waiting(self.retrying.queue.waiting());
    }

    fn woken(&mut self, key: PodKey, retry: Retry, waken: Waken) {
        let outcome = match waken {
            Waken::Woken => {
                tracing::info!(
                    namespace = key.namespace.as_str(),
                    pod = &*key.name,
                    cause = retry.reason.cause.word(),
                    snapshot = &*retry.reason.snapshot,
                    "a refused pod is woken, for a change may admit it"
                );
                "woken"
            }
            Waken::Gone => {
                self.retrying.queue.settled(&key);
                "gone"
            }
            Waken::Failed(problem) => {
                tracing::warn!(
                    %problem,
                    namespace = key.namespace.as_str(),
                    pod = &*key.name,
                    "a pod cannot be woken; it is tried again, and kube-scheduler retries it within minutes"
                );
                self.retrying.queue.failed(key, retry, Instant::now());
                "failed"
            }
        };
        self.duties.metrics.retries.tried(outcome);
    }

    fn tell(&mut self, told: Told) {
        match told {
            Told::Event(event) => self.duties.events.hand_in(event),
            Told::Pod(key, node, finding) if finding.kind.is_failure() => {
                self.logged += 1;
                if self.logged <= MOST_LOGGED {
                    tracing::warn!(
                        namespace = key.namespace.as_str(),
                        pod = &*key.name,
                        node,
                        finding = finding.kind.word(),
                        says = finding.says,
                        "the scan found a pod"
                    );
                }
            }
            Told::Pod(..) => {}
            Told::Copy(finding) => {
                let (role, place) = finding.copy.unzip();
                let found = finding.found.as_ref();
                tracing::warn!(
                    data_set = finding.data_set.as_str(),
                    role = role.map(ReplicaRole::word),
                    place = place
                        .and_then(|place| place.region)
                        .map(|region| region.to_string()),
                    namespace = found.map(|found| found.claim.namespace.as_str()),
                    claim = found.map(|found| &*found.claim.name),
                    volume = found.map(|found| &*found.volume),
                    finding = finding.kind.word(),
                    says = finding.says,
                    "the scan found a copy of data"
                );
            }
            Told::Ended(scanned) => {
                let findings: usize = self.scanning.counts().values().sum();
                tracing::info!(
                    pods = scanned.pods,
                    unreadable = self.roster.unreadable_count(),
                    findings,
                    new = self.logged,
                    seconds = scanned.took.as_secs_f64(),
                    "every pod is scanned"
                );
                self.logged = 0;
                self.duties.metrics.scan.ended(scanned);
            }
        }
    }
}

#[cfg(test)]
mod tests;
