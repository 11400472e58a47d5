//! One run: every pod in turn, once with the extender and once without.
//!
//! Inputs: a checked run file, a snapshot, what the nodes can allocate. Outputs: where each pod went or
//! why it went nowhere. Invariants: the same inputs give the same outcome on any machine: pods come in an
//! order that the seed decides, and each comparator has a stream of random numbers of its own, so that one
//! cannot disturb another. Deliberately absent: time. Pods come one after the other and stay; those that come
//! later find them as peers.

use std::sync::Arc;

use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use super::capacity::{Capacities, Resources};
use super::extender::decide_by;
use super::kube_scheduler::{NodeState, extender_points, winner};
use super::peers::PlacedPeers;
use super::run_file::{RunFile, WorkloadSpec};
use crate::model::{LabelSet, NamespaceName, PodRequirements};
use crate::objects::{ObjectKind, read_annotations};
use crate::placement::{AccessCost, AccessDemand, Assessment, access_cost, assess};
use crate::snapshot::{ClassIndex, Snapshot};

/// Who places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparator {
    /// kube-scheduler with the extender.
    Domicile,
    /// kube-scheduler alone.
    KubeDefault,
}

impl Comparator {
    /// Every comparator, in the order of reports.
    pub const ALL: [Self; 2] = [Self::Domicile, Self::KubeDefault];

    /// Its stream of random numbers; 0 is the order of the pods.
    fn stream(self) -> u128 {
        match self {
            Self::Domicile => 1,
            Self::KubeDefault => 2,
        }
    }
}

/// What became of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// It was placed on this node.
    Placed(usize),
    /// It fits on no node at all.
    NoRoom,
    /// Nodes of the fleet are permitted, and it fits on none of them.
    NoRoomWherePermitted,
    /// No node of the fleet is permitted.
    Refused,
}

/// A node of the fleet that takes pods.
#[derive(Debug, Clone)]
pub struct SimulatedNode {
    /// Its name.
    pub name: Arc<str>,
    /// Its class.
    pub class: Option<ClassIndex>,
    /// What it can allocate.
    pub allocatable: Resources,
}

/// A workload and what the snapshot says about its pods.
#[derive(Debug)]
pub struct SimulatedWorkload<'s> {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The labels of its pods, by which others call them.
    pub labels: LabelSet,
    /// What one pod asks for.
    pub request: Resources,
    /// What the snapshot says about its pods, which are all alike.
    pub assessment: Assessment<'s>,
}

/// A pod of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SimulatedPod {
    /// Which workload, by its position.
    pub workload: usize,
    /// Which of its pods, from 0.
    pub ordinal: usize,
}

/// A run and its outcome.
#[derive(Debug)]
pub struct Simulated<'s> {
    /// The nodes in the order of their names.
    pub nodes: Vec<SimulatedNode>,
    /// The workloads in the order of the run file.
    pub workloads: Vec<SimulatedWorkload<'s>>,
    /// The pods in the order in which they came.
    pub pods: Vec<SimulatedPod>,
    /// For each comparator, in their order, what became of each pod.
    pub placements: [Vec<Placement>; Comparator::ALL.len()],
    /// For each comparator, in their order, where peers are once every pod has its place.
    peers: [PlacedPeers; Comparator::ALL.len()],
}

impl Simulated<'_> {
    /// What became of a pod, by its position.
    #[must_use]
    pub fn placement(&self, comparator: Comparator, position: usize) -> Placement {
        let [domicile, kube_default] = &self.placements;
        let placements = match comparator {
            Comparator::Domicile => domicile,
            Comparator::KubeDefault => kube_default,
        };
        placements.get(position).copied().unwrap_or(Placement::NoRoom)
    }

    /// What it costs a pod of a workload to be where it was placed, now that every pod has its place. `None`
    /// where there is no such workload or class.
    #[must_use]
    pub fn cost(&self, comparator: Comparator, workload: usize, class: ClassIndex) -> Option<AccessCost> {
        let [domicile, kube_default] = &self.peers;
        let peers = match comparator {
            Comparator::Domicile => domicile,
            Comparator::KubeDefault => kube_default,
        };
        let snapshot = self.workloads.get(workload)?.assessment.snapshot;
        let point = snapshot.class(class)?.point;
        let demand = peers.demand_of_placed(workload, point)?;
        Some(access_cost(snapshot.latency(), &demand, point))
    }
}

/// Runs. `progress` is told after each pod how many placements of how many are done.
#[must_use]
pub fn simulate<'s>(
    run: &RunFile,
    snapshot: &'s Snapshot,
    capacities: &Capacities,
    progress: &mut dyn FnMut(usize, usize),
) -> Simulated<'s> {
    let nodes: Vec<SimulatedNode> = capacities
        .iter()
        .map(|(name, allocatable)| SimulatedNode {
            name: Arc::from(name.as_str()),
            class: snapshot.class_of(name.as_bytes()),
            allocatable: *allocatable,
        })
        .collect();
    let workloads: Vec<SimulatedWorkload<'s>> = run
        .workloads
        .iter()
        .filter_map(|workload| simulated_workload(workload, snapshot, run))
        .collect();
    let counts = run.workloads.iter().map(|workload| workload.pods).enumerate();
    let mut pods: Vec<SimulatedPod> = counts
        .flat_map(|(workload, pods)| (0..pods).map(move |ordinal| SimulatedPod { workload, ordinal }))
        .collect();
    pods.shuffle(&mut Pcg64::new(u128::from(run.seed), 0));
    let total = pods.len() * Comparator::ALL.len();
    let mut done = 0;
    let before = PlacedPeers::new(&workloads);
    let outcomes = Comparator::ALL.map(|comparator| {
        let mut peers = before.clone();
        let mut scheduler = Scheduler {
            nodes: &nodes,
            states: nodes
                .iter()
                .map(|node| NodeState::empty(node.allocatable))
                .collect(),
            random: Pcg64::new(u128::from(run.seed), comparator.stream()),
            weight: run.scheduler.extender_weight,
        };
        let mut placements = Vec::with_capacity(pods.len());
        for pod in &pods {
            if let (Some(workload), Some(demand)) = (workloads.get(pod.workload), peers.demand(pod.workload))
            {
                let placement = scheduler.place(workload, demand, comparator);
                placements.push(placement);
                if let Placement::Placed(node) = placement {
                    let class = nodes.get(node).and_then(|node| snapshot.class(node.class?));
                    peers.place(pod.workload, class.and_then(|class| class.point));
                }
            }
            done += 1;
            progress(done, total);
        }
        (placements, peers)
    });
    let [(domicile, domicile_peers), (off, off_peers)] = outcomes;
    Simulated {
        nodes,
        workloads,
        pods,
        placements: [domicile, off],
        peers: [domicile_peers, off_peers],
    }
}

impl WorkloadSpec {
    /// One of its pods, which are all alike; `None` where its namespace is no name, which a run file that has been
    /// checked does not have.
    #[must_use]
    pub fn pod(&self) -> Option<PodRequirements> {
        let annotations = self.annotations.iter();
        Some(PodRequirements {
            namespace: NamespaceName::new(&self.namespace).ok()?,
            name: self.name.clone(),
            uid: String::new(),
            owner: None,
            labels: self.labels.clone(),
            annotations: read_annotations(
                ObjectKind::Pod,
                annotations.map(|(key, value)| (key.as_str(), value.as_str())),
            ),
            volumes: Vec::new(),
            node: None,
            scheduler: Arc::from("domicile"),
        })
    }
}

fn simulated_workload<'s>(
    workload: &WorkloadSpec,
    snapshot: &'s Snapshot,
    run: &RunFile,
) -> Option<SimulatedWorkload<'s>> {
    // The run file has been checked, so nothing is left out here.
    let pod = workload.pod()?;
    Some(SimulatedWorkload {
        namespace: workload.namespace.clone(),
        name: workload.name.clone(),
        labels: LabelSet::new(
            pod.labels
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
        ),
        request: workload.request().ok()?,
        assessment: assess(snapshot, &pod, run.at),
    })
}

struct Scheduler<'a> {
    nodes: &'a [SimulatedNode],
    states: Vec<NodeState>,
    random: Pcg64,
    weight: u32,
}

impl Scheduler<'_> {
    fn place(
        &mut self,
        workload: &SimulatedWorkload<'_>,
        demand: &AccessDemand,
        comparator: Comparator,
    ) -> Placement {
        let request = workload.request;
        let fitting: Vec<(usize, &SimulatedNode, &NodeState)> = self
            .nodes
            .iter()
            .zip(&self.states)
            .enumerate()
            .filter(|(_, (_, state))| state.fits(request))
            .map(|(index, (node, state))| (index, node, state))
            .collect();
        let assessment = &workload.assessment;
        let candidates: Vec<(usize, u64)> = match comparator {
            Comparator::KubeDefault => fitting
                .iter()
                .map(|(index, _, state)| (*index, state.resource_score(request)))
                .collect(),
            Comparator::Domicile => {
                let classes: Vec<Option<ClassIndex>> =
                    fitting.iter().map(|(_, node, _)| node.class).collect();
                let survivors = decide_by(assessment, demand, &classes).survivors;
                let scored = survivors.into_iter().filter_map(|(position, score)| {
                    let (index, _, state) = fitting.get(position)?;
                    let points = extender_points(score.get(), self.weight);
                    Some((*index, state.resource_score(request) + points))
                });
                scored.collect()
            }
        };
        let anything_fits = !fitting.is_empty();
        let Some(index) = winner(&candidates, &mut self.random) else {
            let permitted = assessment.observes() || assessment.permitted_nodes() > 0;
            return match (comparator, permitted) {
                (Comparator::Domicile, false) => Placement::Refused,
                (Comparator::Domicile, true) if anything_fits => Placement::NoRoomWherePermitted,
                _ => Placement::NoRoom,
            };
        };
        if let Some(state) = self.states.get_mut(index) {
            state.requested = state.requested.plus(request);
        }
        Placement::Placed(index)
    }
}
