//! Which workloads of a run call which others, and where the called pods have been placed so far.
//!
//! Inputs: the workloads with what their pods demand, and each placement as it happens. Outputs: what a pod
//! demands by then. Invariants: to whoever comes later a placed pod is a peer like one that runs in the fleet;
//! a pod is not its own peer. Deliberately absent: pods that end or move.

use std::borrow::Cow;

use super::run::SimulatedWorkload;
use crate::placement::AccessDemand;
use crate::topology::LatencyPoint;

/// What the workloads of a run demand, as their pods are placed.
#[derive(Debug, Clone)]
pub struct PlacedPeers {
    /// Of each workload.
    demands: Vec<AccessDemand>,
    /// For each workload who calls its pods: a workload, and the position among what that calls.
    callers: Vec<Vec<(usize, usize)>>,
}

impl PlacedPeers {
    /// Before anything is placed.
    #[must_use]
    pub fn new(workloads: &[SimulatedWorkload<'_>]) -> Self {
        let demands: Vec<AccessDemand> = workloads
            .iter()
            .map(|workload| workload.assessment.demand().clone())
            .collect();
        let callers = workloads.iter().map(|called| callers(called, &demands)).collect();
        Self { demands, callers }
    }

    /// What the next pod of a workload demands.
    #[must_use]
    pub fn demand(&self, workload: usize) -> Option<&AccessDemand> {
        self.demands.get(workload)
    }

    /// A pod of a workload has been placed.
    pub fn place(&mut self, workload: usize, point: Option<LatencyPoint>) {
        for (caller, position) in self.callers.get(workload).into_iter().flatten() {
            let peers = self.demands.get_mut(*caller).map(|demand| &mut demand.peers);
            if let Some(called) = peers.and_then(|peers| peers.get_mut(*position)) {
                called.places.get_or_insert_default().add(point);
            }
        }
    }

    /// What a pod that has been placed demands: the same without itself.
    #[must_use]
    pub fn demand_of_placed(
        &self,
        workload: usize,
        point: Option<LatencyPoint>,
    ) -> Option<Cow<'_, AccessDemand>> {
        let mut demand = Cow::Borrowed(self.demands.get(workload)?);
        let callers = self.callers.get(workload).into_iter().flatten();
        for (_, position) in callers.filter(|(caller, _)| *caller == workload) {
            let called = demand.to_mut().peers.get_mut(*position);
            if let Some(places) = called.and_then(|called| called.places.as_mut()) {
                places.take(point);
            }
        }
        Some(demand)
    }
}

fn callers(called: &SimulatedWorkload<'_>, demands: &[AccessDemand]) -> Vec<(usize, usize)> {
    let mut callers = Vec::new();
    for (caller, demand) in demands.iter().enumerate() {
        for (position, peers) in demand.peers.iter().enumerate() {
            let namespace = peers.peer.namespace.as_ref().map(|name| name.as_str());
            if namespace == Some(called.namespace.as_str()) && peers.peer.selector.selects(&called.labels) {
                callers.push((caller, position));
            }
        }
    }
    callers
}
