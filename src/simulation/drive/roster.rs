//! The pods of a run by kind: those that say the same of themselves are judged once.
//!
//! Inputs: the events of a run. Outputs: kinds, and the kind of each pod that is made. Invariant: two pods are of one
//! kind exactly where they agree in namespace, controller, labels and annotations, which is all that an assessment
//! reads of them: what their names count (`db-0`) and their UIDs hold it asks of pods with claims, which traces have not.
//! Deliberately absent: what kube-scheduler reads of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::model::{LabelSet, NamespaceName, Owner, PeerUse, PodRequirements};
use crate::objects::{ObjectKind, read_annotations};
use crate::simulation::trace::{Event, TracePod, What};

/// A kind of pods, by its place in the roster.
pub type KindIndex = usize;

/// Pods that say the same of themselves.
#[derive(Debug)]
pub struct PodKind {
    /// `namespace/workload`: the controller, or where a pod has none the pod itself.
    pub workload: String,
    /// One of them, as the server would be told of it.
    pub pod: PodRequirements,
    /// Its labels, by which others find it.
    pub labels: LabelSet,
    /// Its annotations, as they stand.
    pub annotations: BTreeMap<String, String>,
}

/// A pod that is made.
#[derive(Debug, Clone, Copy)]
pub struct MadePod<'e> {
    /// What the trace says of it.
    pub pod: &'e TracePod,
    /// When.
    pub t_ms: u64,
    /// Its kind.
    pub kind: KindIndex,
}

/// Every pod of a run.
#[derive(Debug)]
pub struct Roster<'e> {
    /// The kinds, in the order in which they first come.
    pub kinds: Vec<PodKind>,
    /// The pods, in the order in which they come.
    pub pods: Vec<MadePod<'e>>,
    /// For each event that makes a pod, which.
    pub pod_of_event: Vec<Option<usize>>,
}

type Key<'e> = (
    &'e str,
    Option<(&'e str, &'e str)>,
    &'e BTreeMap<String, String>,
    &'e BTreeMap<String, String>,
);

impl<'e> Roster<'e> {
    /// Sorts the pods of a run. A pod whose namespace is no name is left out, which a trace that was read does not have.
    #[must_use]
    pub fn of(events: &'e [Event]) -> Self {
        // Only looked up, never walked through.
        let mut known: HashMap<Key<'e>, KindIndex, FixedState> = HashMap::default();
        let mut roster = Self {
            kinds: Vec::new(),
            pods: Vec::new(),
            pod_of_event: vec![None; events.len()],
        };
        for (event, place) in events.iter().zip(&mut roster.pod_of_event) {
            let What::PodCreate(pod) = &event.what else {
                continue;
            };
            let owner = pod
                .owner
                .as_ref()
                .map(|owner| (owner.kind.as_str(), owner.name.as_str()));
            let key = (
                pod.spec.namespace.as_str(),
                owner,
                &pod.spec.labels,
                &pod.annotations,
            );
            let kind = match known.get(&key) {
                Some(kind) => *kind,
                None => {
                    let Some(kind) = PodKind::of(pod) else { continue };
                    roster.kinds.push(kind);
                    known.insert(key, roster.kinds.len() - 1);
                    roster.kinds.len() - 1
                }
            };
            *place = Some(roster.pods.len());
            roster.pods.push(MadePod {
                pod,
                t_ms: event.t_ms,
                kind,
            });
        }
        roster
    }

    /// The kinds of pods that a pod calls.
    #[must_use]
    pub fn called(&self, peer: &PeerUse) -> Vec<KindIndex> {
        let Some(namespace) = &peer.namespace else {
            return Vec::new();
        };
        let kinds = self.kinds.iter().enumerate();
        kinds
            .filter(|(_, kind)| kind.pod.namespace == *namespace && peer.selector.selects(&kind.labels))
            .map(|(index, _)| index)
            .collect()
    }
}

impl PodKind {
    fn of(pod: &TracePod) -> Option<Self> {
        let spec = &pod.spec;
        let annotations = pod.annotations.iter();
        let requirements = PodRequirements {
            namespace: NamespaceName::new(&spec.namespace).ok()?,
            name: spec.name.clone(),
            uid: pod.uid.clone(),
            owner: pod.owner.clone(),
            labels: spec.labels.clone(),
            annotations: read_annotations(
                ObjectKind::Pod,
                annotations.map(|(key, value)| (key.as_str(), value.as_str())),
            ),
            volumes: Vec::new(),
            node: None,
            scheduler: Arc::from("domicile"),
            admitted_places: None,
        };
        let workload = requirements.workload();
        let name = workload.as_ref().map_or(&spec.name, |Owner { name, .. }| name);
        let labels = spec.labels.iter();
        Some(Self {
            workload: format!("{}/{name}", spec.namespace),
            labels: LabelSet::new(labels.map(|(key, value)| (key.as_str(), value.as_str()))),
            annotations: pod.annotations.clone(),
            pod: requirements,
        })
    }
}
