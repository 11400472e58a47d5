//! The world as the events so far have made it, as the snapshots that decisions are made in.
//!
//! Inputs: the world at the beginning, events. Outputs: what an event does to nodes, and a snapshot whenever it is
//! asked for. Invariants: a snapshot is made of the same parts as the one that is served, and parts that did not change are
//! shared; pods change nothing here. A lost region takes its nodes with it and is reached from nowhere; what it does to
//! pods is for `drive`. Deliberately absent: capacity, which kube-scheduler looks after.

mod start;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use start::WorldStart;

use super::trace::{NamedNode, RegionLink, TraceNode, What, with_leader};
use crate::assembly::table_of;
use crate::model::{DataSet, DataSetName, Fleet, Latency, Namespace, NodeName, NodeRecord, RegionKey};
use crate::objects::{ObjectKind, read_annotations};
use crate::policy::{PolicySet, Relaxation};
use crate::snapshot::{Inputs, RunningFacts, Snapshot};
use crate::topology::{Freshness, LatencyTable, MeasuredPlace, Measurement, Measurements};

/// Microseconds of a millisecond.
const US_PER_MS: f64 = 1_000.0;

/// What an event does to the nodes that take pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeChanges {
    /// Nodes that come, or come back.
    pub come: Vec<NodeName>,
    /// Nodes that go, and what ran on them.
    pub go: Vec<NodeName>,
}

/// The world.
#[derive(Debug, Clone)]
pub struct World<'a> {
    start: &'a WorldStart,
    relaxation: Option<Relaxation>,
    policies: Arc<PolicySet>,
    fleet: Arc<Fleet>,
    /// Nodes of regions that are down.
    lost: BTreeMap<NodeName, NodeRecord>,
    data_sets: Arc<BTreeMap<DataSetName, DataSet>>,
    measurements: Arc<Measurements>,
    down: BTreeSet<RegionKey>,
    cut: BTreeSet<(RegionKey, RegionKey)>,
    latency: Arc<LatencyTable>,
    /// How often the objects and the data sets changed.
    generations: [u64; 2],
    latency_is_old: bool,
    snapshot: Option<Arc<Snapshot>>,
    is_old: bool,
}

impl<'a> World<'a> {
    /// The world before the first event, under these policies; `relaxation` is what of them is only recorded, now and
    /// whenever others are loaded.
    #[must_use]
    pub fn new(start: &'a WorldStart, policies: &Arc<PolicySet>, relaxation: Option<&Relaxation>) -> Self {
        let policies = relaxed(policies, relaxation);
        Self {
            latency: Arc::new(table_of(&start.measurements, Some(&policies))),
            relaxation: relaxation.cloned(),
            policies,
            fleet: start.fleet.clone(),
            lost: BTreeMap::new(),
            data_sets: start.data_sets.clone(),
            measurements: start.measurements.clone(),
            down: BTreeSet::new(),
            cut: BTreeSet::new(),
            generations: [0; 2],
            latency_is_old: false,
            snapshot: None,
            is_old: true,
            start,
        }
    }

    /// Lets an event happen, and says what it does to nodes. What is about pods does nothing here.
    pub fn apply(&mut self, what: &What) -> NodeChanges {
        let mut changes = NodeChanges::default();
        match what {
            What::NodeAdd(node) => changes.come.extend(self.add_node(node)),
            What::NodeRemove(NamedNode { node }) => {
                if self.lost.remove(node).is_none() && self.objects().nodes.remove(node).is_some() {
                    changes.go.push(node.clone());
                }
            }
            What::NamespaceSet(namespace) => {
                let annotations = namespace.annotations.iter();
                let annotations = annotations.map(|(key, value)| (key.as_str(), value.as_str()));
                let labels = namespace.labels.iter();
                let record = Namespace {
                    labels: labels
                        .map(|(key, value)| (Arc::from(&**key), Arc::from(&**value)))
                        .collect(),
                    annotations: read_annotations(ObjectKind::Namespace, annotations),
                };
                let namespaces = self.objects().namespaces.get_or_insert_default();
                namespaces.insert(namespace.namespace.clone(), record);
            }
            What::DataSetSet(set) => {
                let set = set.data_set().clone();
                self.data_sets().insert(set.name.clone(), set);
            }
            What::DataSetLeader(leader) => {
                // The reader of the trace has checked what the trace itself says; what a file says may differ.
                let moved = self
                    .data_sets
                    .get(&leader.id)
                    .map(|data_set| with_leader(data_set, leader));
                if let Some(Ok(data_set)) = moved {
                    self.data_sets().insert(leader.id.clone(), data_set);
                }
            }
            What::LatencySet(change) => {
                let p95 = change.p95_us.and_then(latency);
                if let Some(rtt) = latency(change.p50_us) {
                    let measurement = Measurement {
                        rtt,
                        p95,
                        statistic: None,
                        samples: None,
                        measured_at: None,
                        source: Some(Arc::from("trace")),
                        freshness: Freshness::Fresh,
                    };
                    let measurements = Arc::make_mut(&mut self.measurements);
                    measurements.insert(change.from.clone(), change.to.clone(), measurement);
                    self.reach_anew();
                }
            }
            What::RegionDown(region) => {
                self.down.insert(region.region.clone());
                changes.go = self.lose(&region.region);
                self.reach_anew();
            }
            What::RegionUp(region) => {
                self.down.remove(&region.region);
                changes.come = self.find_again(&region.region);
                self.reach_anew();
            }
            What::LinkCut(link) => {
                self.cut.extend(pairs(link));
                self.reach_anew();
            }
            What::LinkHeal(link) => {
                let healed: BTreeSet<_> = pairs(link).collect();
                self.cut.retain(|pair| !healed.contains(pair));
                self.reach_anew();
            }
            What::PolicyLoad(load) => {
                if let Some(policies) = self.start.loads.get(&load.path) {
                    self.policies = relaxed(policies, self.relaxation.as_ref());
                    self.reach_anew();
                }
            }
            What::NodeCordon(_) | What::NodeUncordon(_) | What::PodCreate(_) | What::PodDelete(_) => {}
        }
        changes
    }

    /// Whether the last snapshot no longer says how the world is.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.is_old
    }

    /// The world as it is now.
    pub fn snapshot(&mut self) -> Arc<Snapshot> {
        if let Some(snapshot) = self.snapshot.as_ref().filter(|_| !self.is_old) {
            return snapshot.clone();
        }
        if self.latency_is_old {
            self.latency = Arc::new(table_of(&self.reachable(), Some(&self.policies)));
            self.latency_is_old = false;
        }
        let [fleet, data_sets] = self.generations;
        let inputs = Inputs {
            fleet: self.fleet.clone(),
            fleet_version: format!("{}+{fleet}", self.start.version),
            running: RunningFacts::default(),
            confirmed_until: None,
            policies: self.policies.clone(),
            data_sets: self.data_sets.clone(),
            data_sets_version: format!("{}+{data_sets}", self.start.data_sets_version),
            latency: self.latency.clone(),
        };
        let snapshot = Arc::new(match &self.snapshot {
            Some(before) => Snapshot::after(before, inputs),
            None => Snapshot::new(inputs),
        });
        self.snapshot = Some(snapshot.clone());
        self.is_old = false;
        snapshot
    }

    fn add_node(&mut self, node: &TraceNode) -> Option<NodeName> {
        // The reader of the trace has checked the name.
        let (name, record, _) = node.record().ok()?;
        if self
            .region_of(&record)
            .is_some_and(|region| self.down.contains(&region))
        {
            self.lost.insert(name, record);
            return None;
        }
        self.objects().nodes.insert(name.clone(), record);
        Some(name)
    }

    /// The region of a node, where the catalogue knows it.
    fn region_of(&self, record: &NodeRecord) -> Option<RegionKey> {
        let reference = record.locality.region.as_ref()?;
        self.policies.catalogue().resolve(reference).cloned()
    }

    fn lose(&mut self, region: &RegionKey) -> Vec<NodeName> {
        let nodes = self.fleet.nodes.iter();
        let gone: Vec<NodeName> = nodes
            .filter(|(_, record)| self.region_of(record).as_ref() == Some(region))
            .map(|(name, _)| name.clone())
            .collect();
        for name in &gone {
            if let Some(record) = self.objects().nodes.remove(name) {
                self.lost.insert(name.clone(), record);
            }
        }
        gone
    }

    fn find_again(&mut self, region: &RegionKey) -> Vec<NodeName> {
        let nodes = self.lost.iter();
        let back: Vec<NodeName> = nodes
            .filter(|(_, record)| self.region_of(record).as_ref() == Some(region))
            .map(|(name, _)| name.clone())
            .collect();
        for name in &back {
            if let Some(record) = self.lost.remove(name) {
                self.objects().nodes.insert(name.clone(), record);
            }
        }
        back
    }

    /// What was measured, without the ways that are closed.
    fn reachable(&self) -> Measurements {
        let mut measurements = (*self.measurements).clone();
        let mut part = |one: &RegionKey, other: &RegionKey| {
            let [one, other] = [one, other].map(|region| MeasuredPlace::region(region.clone()));
            measurements.set_unreachable(one.clone(), other.clone());
            measurements.set_unreachable(other, one);
        };
        for down in &self.down {
            for other in self.start.regions.iter().filter(|other| *other != down) {
                part(down, other);
            }
        }
        for (one, other) in &self.cut {
            part(one, other);
        }
        measurements
    }

    fn reach_anew(&mut self) {
        self.latency_is_old = true;
        self.is_old = true;
    }

    fn objects(&mut self) -> &mut Fleet {
        let [generation, _] = &mut self.generations;
        *generation += 1;
        self.is_old = true;
        Arc::make_mut(&mut self.fleet)
    }

    fn data_sets(&mut self) -> &mut BTreeMap<DataSetName, DataSet> {
        let [_, generation] = &mut self.generations;
        *generation += 1;
        self.is_old = true;
        Arc::make_mut(&mut self.data_sets)
    }
}

fn relaxed(policies: &Arc<PolicySet>, relaxation: Option<&Relaxation>) -> Arc<PolicySet> {
    // A policy that a set does not have refuses nothing there.
    let relaxed = relaxation.and_then(|relaxation| policies.relaxed(relaxation));
    relaxed.map_or_else(|| policies.clone(), Arc::new)
}

fn latency(us: u64) -> Option<Latency> {
    Latency::from_ms(us as f64 / US_PER_MS)
}

/// The pairs of a link.
fn pairs(link: &RegionLink) -> impl Iterator<Item = (RegionKey, RegionKey)> {
    let of = |a: &RegionKey, b: &RegionKey| {
        if a < b {
            (a.clone(), b.clone())
        } else {
            (b.clone(), a.clone())
        }
    };
    link.a
        .iter()
        .flat_map(move |a| link.b.iter().map(move |b| of(a, b)))
}

#[cfg(test)]
mod tests;
