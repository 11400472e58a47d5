//! The scan over time: every pod at the start, after each change, when it changes itself, and again every so often.
//!
//! Inputs: publications, the roster and what happens to its pods, instants. Outputs: the findings that are there, and what
//! is to be told of those that are new. Invariants: pods of one template on nodes of one class are judged once for a
//! scan, and once between scans for as long as nothing but the running pods changes; a scan that runs is ended before
//! the next begins, so that changes which never rest keep no pod from being judged; none begins while the API server is
//! away; a step judges for no longer than it is given, and steps rest in between. No client, no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::cluster::roster::{Roster, RosterPod, Subject};
use crate::metrics::Scanned;
use crate::model::PodKey;
use crate::pod_events::{AboutKind, PodEvent, finding_event};
use crate::scan::{CopyFinding, FindingKind, Judgement, PodFinding, scan_copies};
use crate::snapshot::{ClassIndex, Snapshot};

/// How long after a change a scan begins: changes seldom come alone.
const SETTLE: Duration = Duration::from_millis(500);

/// The least time from the end of a scan to the next that a change asks for.
const BETWEEN: Duration = Duration::from_secs(3);

/// How long a scan rests after each step, so that it takes a fifth of a core at most.
const REST: Duration = Duration::from_millis(20);

/// After how long a finding is told again: the API server forgets Events after an hour.
const TOLD_AGAIN: Duration = Duration::from_secs(50 * 60);

/// How much is told in one step; the rest of the pods wait for the next.
const MOST_TOLD: usize = 128;

/// Of how many templates at places is remembered what is wrong with pods that come between scans.
const MOST_REMEMBERED: usize = 1_000;

/// Where a pod is, for what the policies make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// kube-scheduler has not looked at it: nothing is amiss yet, for a fleet may have no node.
    New,
    Waiting,
    UnknownNode,
    Class(ClassIndex),
}

/// A scan of all pods that has not ended.
#[derive(Debug)]
struct Pass {
    snapshot: Arc<Snapshot>,
    at: Timestamp,
    began: Instant,
    resume: Instant,
    /// The pod that was judged last.
    cursor: Option<PodKey>,
    pods: usize,
    /// What is known of templates at places.
    known: KnownFindings,
}

/// What is wrong with pods of templates at places, in one world and one stretch of time.
type KnownFindings = BTreeMap<(usize, Place), Known>;

/// What is wrong with pods of a template at a place.
#[derive(Debug)]
struct Known {
    /// The template is kept, so that its number stays its own.
    _subject: Arc<Subject>,
    findings: Arc<[PodFinding]>,
}

/// What is wrong with a pod.
#[derive(Debug)]
struct Found {
    uid: Arc<str>,
    findings: Arc<[PodFinding]>,
    told: Instant,
}

/// Something to tell.
#[derive(Debug)]
pub(super) enum Told {
    /// An Event on a pod or its controller.
    Event(PodEvent),
    /// A pod with a new finding, for the log.
    Pod(PodKey, Option<String>, PodFinding),
    /// A copy of data with a new finding, for the log.
    Copy(CopyFinding),
    /// A scan ended.
    Ended(Scanned),
}

/// The scan over time.
#[derive(Debug)]
pub(super) struct Scanning {
    interval: Duration,
    snapshot: Option<Arc<Snapshot>>,
    /// The first instant of the stretch of time that the last scan judged by.
    epoch: Option<Timestamp>,
    /// When the next scan begins.
    next: Option<Instant>,
    ended: Option<Instant>,
    pass: Option<Pass>,
    /// Pods to be judged by themselves.
    changed: BTreeSet<PodKey>,
    /// What is known of pods that were.
    known: KnownFindings,
    /// The first instant of the stretch of time that it is known for.
    known_from: Option<Timestamp>,
    found: BTreeMap<PodKey, Found>,
    counts: BTreeMap<FindingKind, usize>,
    copies: Vec<CopyFinding>,
    /// What controllers were told, and when: one Event stands for all their pods.
    controllers: BTreeMap<(String, String), Instant>,
}

impl Scanning {
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            snapshot: None,
            epoch: None,
            next: None,
            ended: None,
            pass: None,
            changed: BTreeSet::new(),
            known: KnownFindings::new(),
            known_from: None,
            found: BTreeMap::new(),
            counts: BTreeMap::new(),
            copies: Vec::new(),
            controllers: BTreeMap::new(),
        }
    }

    /// A world decides from now on.
    pub fn published(&mut self, snapshot: &Arc<Snapshot>, now: Instant) {
        let before = self.snapshot.replace(snapshot.clone());
        if !before.is_some_and(|before| before.shares_all_but_running(snapshot)) {
            self.known.clear();
            self.want(now);
        }
    }

    /// A scan is wanted soon.
    fn want(&mut self, now: Instant) {
        let apart = self.ended.map(|ended| ended + BETWEEN);
        let soon = now + SETTLE;
        let soon = apart.map_or(soon, |apart| apart.max(soon));
        self.next = Some(self.next.map_or(soon, |next| next.min(soon)));
    }

    /// A pod came, changed or went.
    pub fn pod(&mut self, key: &PodKey, was: Option<&RosterPod>, is: Option<&RosterPod>) {
        let Some(is) = is else {
            self.changed.remove(key);
            self.forget(key);
            return;
        };
        let is_news = was.is_none_or(|was| !was.decides_as(is) || (is.is_refused && !was.is_refused));
        if is_news {
            self.changed.insert(key.clone());
        }
    }

    /// A list is whole: any pod may have changed.
    pub fn listed(&mut self, roster: &Roster, now: Instant) {
        let gone: Vec<PodKey> = self
            .found
            .keys()
            .filter(|key| roster.get(key).is_none())
            .cloned()
            .collect();
        for key in gone {
            self.forget(&key);
        }
        self.want(now);
    }

    /// When something is due.
    pub fn due(&self, now: Instant, at: Timestamp) -> Option<Instant> {
        let snapshot = self.snapshot.as_ref()?;
        let changed = (!self.changed.is_empty()).then_some(now);
        let running = self.pass.as_ref().map(|pass| pass.resume);
        let date = self.epoch.filter(|_| self.pass.is_none()).and_then(|from| {
            let until = snapshot.policies().at(from).until?;
            match Duration::try_from(until.duration_since(at)) {
                // A little later, for both are rounded.
                Ok(rest) if until > at => now.checked_add(rest + Duration::from_millis(5)),
                _ => Some(now),
            }
        });
        // While the API server is away neither the cluster nor its pods are known; the age of the last scan says so.
        let is_away = snapshot.confirmed_until().is_some();
        let next = self.next.filter(|_| self.pass.is_none() && !is_away);
        let date = date.filter(|_| !is_away);
        [changed, running, date, next].into_iter().flatten().min()
    }

    /// Does what is due, until `end` at most; what is to be told of it is added to `told`.
    pub fn step(
        &mut self,
        roster: &Roster,
        now: Instant,
        at: Timestamp,
        end: impl Fn() -> bool,
        told: &mut Vec<Told>,
    ) {
        let Some(snapshot) = self.snapshot.clone().filter(|_| roster.is_whole()) else {
            return;
        };
        while let Some(key) = self.changed.pop_first() {
            if let Some(pod) = roster.get(&key) {
                let findings = self.judged(&snapshot, pod, at);
                self.record(&key, pod, &findings, &snapshot, now, told);
            }
            if end() || told.len() >= MOST_TOLD {
                return;
            }
        }
        self.begin(&snapshot, now, at);
        let Some(mut pass) = self.pass.take_if(|pass| pass.resume <= now) else {
            return;
        };
        let from = pass.cursor.clone();
        for (key, pod) in roster.after(from.as_ref()) {
            let findings = known_findings(&mut pass.known, &pass.snapshot, pod, pass.at);
            self.record(key, pod, &findings, &pass.snapshot, now, told);
            pass.pods += 1;
            pass.cursor = Some(key.clone());
            if end() || told.len() >= MOST_TOLD {
                pass.resume = now + REST;
                self.pass = Some(pass);
                return;
            }
        }
        self.end(pass, now, at, told);
    }

    /// What is wrong with a pod that changed.
    fn judged(&mut self, snapshot: &Snapshot, pod: &RosterPod, at: Timestamp) -> Arc<[PodFinding]> {
        let from = snapshot.policies().at(at).from;
        let is_of_now = self.known_from.replace(from) == Some(from);
        // While the API server is away facts grow older, which may refuse what they permitted.
        let holds = is_of_now && snapshot.confirmed_until().is_none();
        if !holds || self.known.len() >= MOST_REMEMBERED {
            self.known.clear();
        }
        known_findings(&mut self.known, snapshot, pod, at)
    }

    /// Begins a scan where one is due.
    fn begin(&mut self, snapshot: &Arc<Snapshot>, now: Instant, at: Timestamp) {
        if self.pass.is_some() || snapshot.confirmed_until().is_some() {
            return;
        }
        let from = snapshot.policies().at(at).from;
        let has_date_passed = self.epoch.is_some_and(|epoch| epoch != from);
        if !has_date_passed && self.next.is_none_or(|next| next > now) {
            return;
        }
        self.next = None;
        self.epoch = Some(from);
        self.pass = Some(Pass {
            snapshot: snapshot.clone(),
            at,
            began: now,
            resume: now,
            cursor: None,
            pods: 0,
            known: BTreeMap::new(),
        });
    }

    fn end(&mut self, pass: Pass, now: Instant, at: Timestamp, told: &mut Vec<Told>) {
        let copies = scan_copies(&pass.snapshot, pass.at);
        let new = copies.iter().filter(|copy| !self.copies.contains(copy));
        told.extend(new.cloned().map(Told::Copy));
        for (kind, count) in counts(self.copies.iter().map(|copy| copy.kind)) {
            self.count(kind, count, false);
        }
        for (kind, count) in counts(copies.iter().map(|copy| copy.kind)) {
            self.count(kind, count, true);
        }
        self.copies = copies;
        self.controllers
            .retain(|_, told| now.saturating_duration_since(*told) < TOLD_AGAIN);
        self.ended = Some(now);
        let again = now + self.interval;
        // What a change asked for meanwhile comes first.
        let soonest = now + BETWEEN;
        self.next = Some(self.next.map_or(again, |next| next.max(soonest).min(again)));
        told.push(Told::Ended(Scanned {
            at,
            pods: pass.pods,
            took: now.saturating_duration_since(pass.began),
        }));
    }

    /// Notes what is wrong with a pod now, and what is to be told of it.
    fn record(
        &mut self,
        key: &PodKey,
        pod: &RosterPod,
        findings: &Arc<[PodFinding]>,
        snapshot: &Snapshot,
        now: Instant,
        told: &mut Vec<Told>,
    ) {
        let before = self.forget(key).filter(|before| before.uid == pod.uid);
        if findings.is_empty() {
            return;
        }
        let is_new = |finding: &&PodFinding| {
            !before
                .as_ref()
                .is_some_and(|before| before.findings.contains(finding))
        };
        for finding in findings.iter().filter(is_new) {
            let node = pod.node.as_ref().map(ToString::to_string);
            told.push(Told::Pod(key.clone(), node, finding.clone()));
        }
        let is_due = before
            .as_ref()
            .is_none_or(|before| now.saturating_duration_since(before.told) >= TOLD_AGAIN);
        if !snapshot.policies().settings().observe {
            for finding in findings.iter().filter(|finding| is_due || is_new(finding)) {
                let Some(event) = event(key, pod, finding) else {
                    continue;
                };
                let on_controller = on_controller(pod, finding, &event);
                told.push(Told::Event(event));
                let on_controller = on_controller.filter(|event| self.is_news(event, now));
                told.extend(on_controller.map(Told::Event));
            }
        }
        for finding in findings.iter() {
            self.count(finding.kind, 1, true);
        }
        let since = before.filter(|_| !is_due).map_or(now, |before| before.told);
        self.found.insert(
            key.clone(),
            Found {
                uid: pod.uid.clone(),
                findings: findings.clone(),
                told: since,
            },
        );
    }

    /// Whether a controller was not told this lately; then it counts as told.
    fn is_news(&mut self, event: &PodEvent, now: Instant) -> bool {
        let key = (event.uid.clone(), event.sentence.clone());
        let told = self.controllers.get(&key);
        if told.is_some_and(|told| now.saturating_duration_since(*told) < TOLD_AGAIN) {
            return false;
        }
        self.controllers.insert(key, now);
        true
    }

    fn forget(&mut self, key: &PodKey) -> Option<Found> {
        let found = self.found.remove(key)?;
        for finding in found.findings.iter() {
            self.count(finding.kind, 1, false);
        }
        Some(found)
    }

    fn count(&mut self, kind: FindingKind, by: usize, more: bool) {
        let count = self.counts.entry(kind).or_default();
        *count = if more {
            *count + by
        } else {
            count.saturating_sub(by)
        };
    }

    /// How many findings are there now, by kind.
    pub fn counts(&self) -> &BTreeMap<FindingKind, usize> {
        &self.counts
    }
}

fn counts(kinds: impl Iterator<Item = FindingKind>) -> BTreeMap<FindingKind, usize> {
    let mut counts = BTreeMap::new();
    for kind in kinds {
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

fn place(snapshot: &Snapshot, pod: &RosterPod) -> Place {
    match &pod.node {
        None if pod.is_refused => Place::Waiting,
        None => Place::New,
        Some(node) => snapshot
            .class_of(node.as_str().as_bytes())
            .map_or(Place::UnknownNode, Place::Class),
    }
}

/// What is wrong with a pod, judged unless one of its template at its place was.
fn known_findings(
    known: &mut KnownFindings,
    snapshot: &Snapshot,
    pod: &RosterPod,
    at: Timestamp,
) -> Arc<[PodFinding]> {
    let place = place(snapshot, pod);
    let known = known.entry((pod.subject.id(), place));
    let known = known.or_insert_with(|| Known {
        findings: judge(snapshot, pod, place, at),
        _subject: pod.subject.clone(),
    });
    known.findings.clone()
}

fn judge(snapshot: &Snapshot, pod: &RosterPod, place: Place, at: Timestamp) -> Arc<[PodFinding]> {
    let judgement = Judgement::new(snapshot, &pod.subject.pod, at);
    let findings = match place {
        Place::Waiting => judgement.waiting(&pod.subject.pod),
        Place::New => {
            let mut findings = judgement.waiting(&pod.subject.pod);
            findings.retain(|finding| finding.kind != FindingKind::NoPermittedNode);
            findings
        }
        Place::UnknownNode => judgement.bound(None),
        Place::Class(class) => judgement.bound(Some(class)),
    };
    Arc::from(findings)
}

/// What is told of a finding on the pod.
fn event(key: &PodKey, pod: &RosterPod, finding: &PodFinding) -> Option<PodEvent> {
    // Where admission wrote no affinity kube-scheduler asks about the pod, and the filter tells it.
    let is_told_by_filter =
        finding.kind == FindingKind::NoPermittedNode && pod.subject.pod.admitted_places.is_none();
    if is_told_by_filter {
        return None;
    }
    finding_event(finding, &pod.requirements(key))
}

/// The same on the controller of a pod that runs.
fn on_controller(pod: &RosterPod, finding: &PodFinding, event: &PodEvent) -> Option<PodEvent> {
    let controller = pod.subject.controller.as_ref()?;
    (finding.kind == FindingKind::BoundWhereRefused).then(|| PodEvent {
        about: AboutKind::Controller {
            api_version: controller.api_version.to_string(),
            kind: controller.kind.to_string(),
        },
        name: controller.name.to_string(),
        uid: controller.uid.to_string(),
        ..event.clone()
    })
}
