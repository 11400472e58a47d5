//! What every request needs, shared by all workers.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;

use super::admit::Admission;
use super::body::BodyBudget;
use super::decide::AnswerSettings;
use super::readiness::Readiness;
use super::turns::Turns;
use crate::decisions::{DecisionIds, DecisionLog};
use crate::metrics::Metrics;
use crate::model::NamespaceName;
use crate::pod_events::PodEvents;
use crate::publish::MeasuredNow;
use crate::snapshot::Snapshot;

/// What every request needs.
#[derive(Debug)]
pub struct ServerState {
    /// Where the one writer publishes the world.
    pub snapshots: Arc<ArcSwapOption<Snapshot>>,
    /// Where the one writer puts the measurements behind the latencies of the world.
    pub measured: Arc<ArcSwapOption<MeasuredNow>>,
    /// Which sources are still to come.
    pub readiness: Arc<Readiness>,
    /// The namespaces whose pods pass before every source is loaded (docs/policies.md, 6): those of the policies
    /// where these are there already, else of the shipped ones.
    pub exempt_before_ready: Arc<ArcSwap<BTreeSet<NamespaceName>>>,
    /// The clock.
    pub clock: fn() -> Timestamp,
    /// What an operator chose about answers.
    pub answers: AnswerSettings,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where records go; `None` writes none.
    pub decisions: Option<Arc<DecisionLog>>,
    /// Where Events on pods are handed in; `None` writes none.
    pub pod_events: Option<PodEvents>,
    /// What records are called.
    pub decision_ids: DecisionIds,
    /// The room for bodies.
    pub bodies: Arc<BodyBudget>,
    /// The line of those that wait to be decided.
    pub turns: Arc<Turns>,
    /// What answering API servers needs.
    pub admission: Admission,
}

impl ServerState {
    /// The world, once every source is loaded.
    pub(super) fn world(&self) -> Option<Arc<Snapshot>> {
        match self.readiness.is_ready() {
            true => self.snapshots.load_full(),
            false => None,
        }
    }

    /// What is missing, for people; empty exactly where [`ServerState::world`] is there.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut missing = self.readiness.missing();
        if missing.is_empty() && self.snapshots.load().is_none() {
            missing.push("the first snapshot".to_owned());
        }
        missing
    }
}
