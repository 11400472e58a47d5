//! What the author of a pod should see on the pod itself: from a decision to an Event.
//!
//! Inputs: what was decided about a pod. Outputs: [`PodEvent`]s in a bounded queue, which the cluster
//! side writes. Invariants: no answer waits for an Event; one that found no room is counted, never
//! silent; the text is as constant as the sentence of a refusal. Deliberately absent: Kubernetes clients,
//! and what the same pod was told a moment ago; whoever writes remembers that.

use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;

use crate::model::PodRequirements;
use crate::placement::Assessment;
use crate::scan::{FindingKind, PodFinding, stale, stale_affinity};

/// How many Events may wait to be written.
const MOST_WAITING: usize = 1_024;

/// Why a pod gets an Event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventReason {
    /// No node of the fleet may host it.
    NoPermittedNode,
    /// A policy in mode `warn` would refuse nodes.
    PolicyWarning,
    /// Its node affinity excludes places that are permitted by now.
    StaleNodeAffinity,
    /// It is on a node where the policies refuse it.
    BoundWhereRefused,
}

impl EventReason {
    /// The word that `kubectl describe` shows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoPermittedNode => "NoPermittedNode",
            Self::PolicyWarning => "PolicyWarning",
            Self::StaleNodeAffinity => "StaleNodeAffinity",
            Self::BoundWhereRefused => "BoundWhereRefused",
        }
    }
}

/// What kind of object an Event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AboutKind {
    /// A pod.
    Pod,
    /// The controller of one.
    Controller {
        /// Such as `apps/v1`.
        api_version: String,
        /// Such as `ReplicaSet`.
        kind: String,
    },
}

/// What is told about a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodEvent {
    /// On what it is told.
    pub about: AboutKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Why.
    pub reason: EventReason,
    /// In words.
    pub sentence: String,
}

/// What an assessment has to tell the author of a pod. Where the settings only observe, nothing.
#[must_use]
pub fn pod_events(assessment: &Assessment<'_>, pod: &PodRequirements) -> Vec<PodEvent> {
    if assessment.observes() || !assessment.may_be_refused() {
        return Vec::new();
    }
    let event = |reason, sentence| PodEvent {
        about: AboutKind::Pod,
        namespace: pod.namespace.to_string(),
        name: pod.name.clone(),
        uid: pod.uid.clone(),
        reason,
        sentence,
    };
    let mut events = Vec::new();
    if assessment.permitted_nodes() == 0 && assessment.snapshot.node_count() > 0 {
        events.push(event(EventReason::NoPermittedNode, assessment.sentence()));
    }
    if let Some(sentence) = assessment.warning() {
        events.push(event(EventReason::PolicyWarning, sentence));
    }
    events
}

/// That the node affinity which admission gave a pod excludes places that are permitted by now, where it does and
/// verdicts bind.
#[must_use]
pub fn stale_event(assessment: &Assessment<'_>, pod: &PodRequirements) -> Option<PodEvent> {
    if assessment.observes() {
        return None;
    }
    let finding = stale_affinity(&stale(assessment, pod)?, pod)?;
    finding_event(&finding, pod)
}

/// What the author of a pod should see of a finding; nothing where there is nothing to be done.
#[must_use]
pub fn finding_event(finding: &PodFinding, pod: &PodRequirements) -> Option<PodEvent> {
    let (says, fix) = (&finding.says, finding.fix);
    let (reason, sentence) = match finding.kind {
        FindingKind::BoundWhereRefused => (
            EventReason::BoundWhereRefused,
            format!("domicile: it runs where it is refused: {says}; {fix}"),
        ),
        // The sentence of the filter, which is asked about other pods and tells them itself.
        FindingKind::NoPermittedNode => (EventReason::NoPermittedNode, says.clone()),
        FindingKind::StaleAffinity => (EventReason::StaleNodeAffinity, format!("domicile: {says}; {fix}")),
        FindingKind::StrayCopy
        | FindingKind::MissingCopy
        | FindingKind::NarrowedPlaces
        | FindingKind::ConsumerOutside => return None,
    };
    Some(PodEvent {
        about: AboutKind::Pod,
        namespace: pod.namespace.to_string(),
        name: pod.name.clone(),
        uid: pod.uid.clone(),
        reason,
        sentence,
    })
}

/// How Events fared.
#[derive(Debug, Clone, Default)]
pub struct PodEventCounters {
    /// Written.
    pub written: Counter,
    /// Refused by the API server, or never reached it.
    pub failed: Counter,
    /// Found no room in the queue.
    pub lost: Counter,
}

/// Where Events are handed in.
#[derive(Debug, Clone)]
pub struct PodEvents {
    queue: mpsc::Sender<PodEvent>,
    counters: PodEventCounters,
}

impl PodEvents {
    /// A queue: where Events are handed in, and where they are taken out.
    #[must_use]
    pub fn queue(counters: PodEventCounters) -> (Self, mpsc::Receiver<PodEvent>) {
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        (Self { queue, counters }, waiting)
    }

    /// Hands in what an assessment has to tell. Never waits.
    pub fn tell(&self, assessment: &Assessment<'_>, pod: &PodRequirements) {
        for event in pod_events(assessment, pod) {
            self.hand_in(event);
        }
    }

    /// How many Events there is room for.
    #[must_use]
    pub fn room(&self) -> usize {
        self.queue.capacity()
    }

    /// Hands in one Event. Never waits.
    pub fn hand_in(&self, event: PodEvent) {
        if self.queue.try_send(event).is_err() {
            self.counters.lost.inc();
        }
    }
}
