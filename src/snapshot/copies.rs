//! The data sets with every copy that is known of them, at points of the latency table.
//!
//! Inputs: data sets as declared, the objects of the cluster, the pods that run. Outputs: data sets with the copies that
//! are declared and found. Invariants: what decides is one list of copies, for rules and for latency alike; where other
//! pods run and find the same copies, all of it is shared. Deliberately absent: how copies are found (`replicas`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{RunningFacts, locate, trusted_locality};
use crate::model::{DataSet, DataSetName, Fleet, Known, Locality, NodeName, RunningPods, Volume};
use crate::policy::PolicySet;
use crate::replicas::{BoundVolumes, KnownPlace, Replicas, join};
use crate::topology::LatencyTable;

/// The data sets and their copies.
#[derive(Debug, Clone)]
pub struct Copies {
    /// Those that are declared beside the policies.
    beside: Arc<BTreeMap<DataSetName, DataSet>>,
    declared: Arc<BTreeMap<DataSetName, DataSet>>,
    bound: Arc<BoundVolumes>,
    /// The pods by which the copies were found.
    pods: Option<Arc<RunningPods>>,
    /// The data sets with every copy.
    pub data_sets: Arc<BTreeMap<DataSetName, DataSet>>,
    /// The same, at points of the latency table.
    pub replicas: Arc<Replicas>,
}

/// In which world copies are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Where<'a> {
    /// The catalogue and the settings.
    pub policies: &'a PolicySet,
    /// The latencies.
    pub latency: &'a LatencyTable,
    /// The objects of the cluster.
    pub fleet: &'a Fleet,
}

impl Where<'_> {
    /// Where a node is, by the statement that the settings trust.
    fn node(&self, name: &NodeName) -> Option<Locality> {
        let record = self.fleet.nodes.get(name)?;
        Some(trusted_locality(self.policies, record))
    }

    fn known(&self, locality: &Locality) -> Option<KnownPlace> {
        let region = self.policies.catalogue().resolve(locality.region.as_ref()?)?;
        Some((region.clone(), locality.zone.clone()))
    }
}

impl Copies {
    /// Finds the copies of the data sets that are declared beside the policies and among them. `before` is what there was
    /// in a world with the same policies and latencies.
    #[must_use]
    pub fn new(
        world: Where<'_>,
        beside: Arc<BTreeMap<DataSetName, DataSet>>,
        before: Option<(&Self, &Fleet)>,
        running: &RunningFacts,
    ) -> Self {
        let same_objects = before.filter(|(_, fleet)| has_same_volumes(fleet, world.fleet));
        let bound = match same_objects {
            Some((before, _)) => before.bound.clone(),
            None => Arc::new(BoundVolumes::gather(world.fleet, |name| world.node(name))),
        };
        let same_sets = before.filter(|(before, _)| Arc::ptr_eq(&before.beside, &beside));
        if let (Some((before, _)), Some(_)) = (same_sets, same_objects) {
            return before.with_running(world, running);
        }
        let declared = match same_sets {
            Some((before, _)) => before.declared.clone(),
            None => {
                // The files of data sets stand before what is declared among the policies.
                let mut all = world.policies.data_sets().clone();
                let of_files = beside.iter();
                all.extend(of_files.map(|(name, data_set)| (name.clone(), data_set.clone())));
                Arc::new(all)
            }
        };
        let before = same_sets.map(|(before, _)| before);
        let found = Self {
            data_sets: before.map(|before| before.data_sets.clone()).unwrap_or_default(),
            replicas: before.map(|before| before.replicas.clone()).unwrap_or_default(),
            pods: None,
            beside,
            declared,
            bound,
        };
        found.found_by(world, running)
    }

    /// The same where other pods run.
    #[must_use]
    pub fn with_running(&self, world: Where<'_>, running: &RunningFacts) -> Self {
        let is_same = match (&self.pods, &running.pods) {
            (Some(before), Some(pods)) => before.shares_holders(pods),
            (None, None) => true,
            _ => false,
        };
        match is_same {
            true => self.clone(),
            false => self.found_by(world, running),
        }
    }

    fn found_by(&self, world: Where<'_>, running: &RunningFacts) -> Self {
        let roles = &world.policies.settings().role_labels;
        let of_node = |name: &NodeName| world.node(name);
        let pods = running.pods.as_deref();
        let found = self
            .bound
            .discover(&self.declared, world.fleet, pods, roles, of_node);
        let data_sets = match found.is_empty() {
            true => self.declared.clone(),
            false => {
                let mut all = (*self.declared).clone();
                for (name, found) in &found {
                    if let Some(data_set) = all.get_mut(name) {
                        *data_set = join(data_set, found, |locality| world.known(locality));
                    }
                }
                Arc::new(all)
            }
        };
        let pods = running.pods.clone();
        // Nothing is to be published anew where the same copies are found.
        if self.data_sets == data_sets {
            return Self { pods, ..self.clone() };
        }
        let place = |locality: &Locality| locate(world.policies, world.latency, locality);
        Self {
            replicas: Arc::new(Replicas::place(&data_sets, place)),
            data_sets,
            pods,
            ..self.clone()
        }
    }

    /// Where a volume is: one locality for each region; none where nobody knows.
    #[must_use]
    pub fn localities(&self, world: Where<'_>, volume: &Volume) -> Vec<Locality> {
        self.bound.localities(volume, |name| world.node(name))
    }
}

/// Whether two fleets have the same nodes and volumes, as far as that costs nothing to see.
fn has_same_volumes(one: &Fleet, other: &Fleet) -> bool {
    one.nodes.ptr_eq(&other.nodes)
        && is_same(&one.claims, &other.claims)
        && is_same(&one.volumes, &other.volumes)
        && is_same(&one.storage_classes, &other.storage_classes)
}

fn is_same<K: Ord, V>(one: &Known<K, V>, other: &Known<K, V>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.ptr_eq(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}
